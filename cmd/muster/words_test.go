package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/fault"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ got, want string }{
		{number(0), "0"},
		{number(999), "999"},
		{number(1_000), "1,000"},
		{number(-1_234_567), "-1,234,567"},
		{count(1, "row"), "1 row"},
		{count(20_000, "row"), "20,000 rows"},
		{duration(1840 * time.Millisecond), "1.8 s"},
		{duration(95 * time.Second), "95 s"},
		{duration(10 * time.Minute), "10 min"},
		{excerpt(strings.Repeat("ä", 51)), strings.Repeat("ä", 50) + "…"},
		{quoteArg("my data"), "'my data'"},
		{quoteArg("it's"), `'it'\''s'`},
		{quoteArg("-x_1./:@%+=,~é"), "-x_1./:@%+=,~é"},
		{quoteArg(""), "''"},
		{program("/tmp/go-build123/b001/exe/muster"), "go run ./cmd/muster"},
		{program("muster"), "muster"},
		{program("./bin/muster"), "./bin/muster"},
		{hidePassword("postgres://me:secret@host/db"), "postgres://me:xxxxx@host/db"},
		{hidePassword("postgres://me:se%cret@host"), "postgres://…"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

// People get the sentence, and the cause apart from it.
func TestExplain(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("list users: %w", fault.Wrap(fault.Unavailable, errors.New("dial tcp: refused"), "the database cannot be reached"))
	message, cause := explain(err)
	if message != "the database cannot be reached" || cause != "dial tcp: refused" {
		t.Errorf("%q, %q", message, cause)
	}
	message, cause = explain(&unfinished{batch: 12, next: "muster batches wait", err: err})
	if message != "the database cannot be reached; batch 12 can go on: muster batches wait" || cause != "dial tcp: refused" {
		t.Errorf("%q, %q", message, cause)
	}
}
