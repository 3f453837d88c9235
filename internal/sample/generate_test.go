package sample

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func generate(t testing.TB, s Spec) (files [3]bytes.Buffer, expected Counts) {
	t.Helper()
	expected, err := Generate(s, &files[0], &files[1], &files[2])
	if err != nil {
		t.Fatal(err)
	}
	return files, expected
}

func TestGenerateExpected(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]Spec{
		"usual":                {Users: 20_000},
		"second part":          {Users: 20_000, From: 20_000, Seed: 7},
		"clean":                {Users: 5_000, Clean: true},
		"one supervisor":       {Users: 5_000, Supervisors: "boss", Below: "India"},
		"one division":         {Users: 3_000, Below: "Germany / Insurance"},
		"one team":             {Users: 1_000, Below: "UAE / Retail / Cards / Night Shift"},
		"nobody":               {},
		"one":                  {Users: 1},
		"two":                  {Users: 2},
		"three, no supervisor": {Users: 3, Supervisors: "boss"},
		"a few":                {Users: 43},
		"more than one lead":   {Users: 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, expected := generate(t, s)
			got := judge(t, files[0].Bytes(), files[1].Bytes(), files[2].Bytes(), "boss")
			if got.Codes == nil {
				got.Codes = map[string]int{}
			}
			if diff := cmp.Diff(got, expected); diff != "" {
				t.Errorf("expected is not what the rules say (- rules, + expected):\n%s", diff)
			}
			if expected.Rows != s.Users || expected.Rows != expected.Inserted+expected.Duplicate+expected.Invalid {
				t.Errorf("counts do not add up: %+v", expected)
			}
			if s.Clean && expected.Inserted != s.Users {
				t.Errorf("not clean: %+v", expected)
			}
			if wrong := s.Users - expected.Inserted; s.Users >= 20_000 && (wrong < s.Users*4/100 || wrong > s.Users*6/100) {
				t.Errorf("%d of %d rows have a mistake", wrong, s.Users)
			}
		})
	}
}

func TestGenerateIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	one, _ := generate(t, Spec{Users: 1000, Seed: 3})
	again, _ := generate(t, Spec{Users: 1000, Seed: 3})
	other, _ := generate(t, Spec{Users: 1000, Seed: 4})
	for i := range one {
		if !bytes.Equal(one[i].Bytes(), again[i].Bytes()) {
			t.Errorf("file %d differs from run to run", i)
		}
		if bytes.Equal(one[i].Bytes(), other[i].Bytes()) {
			t.Errorf("file %d is the same with another seed", i)
		}
	}
}

// An id occurs once in several files on top of each other, in whatever column, but for an Agent ID that is
// the row's own LAN ID.
func TestGenerateIDsAreUnique(t *testing.T) {
	t.Parallel()
	owner, pbx := map[string]int{}, map[string]bool{}
	row := 0
	for _, s := range []Spec{
		{Users: 20_000, Clean: true},
		{Users: 20_000, Clean: true, From: 20_000},
		{Users: 5_000, Clean: true, From: 40_000, Seed: 9, Supervisors: "boss"},
	} {
		files, _ := generate(t, s)
		for _, r := range parse(t, files[0].Bytes())[1:] {
			row++
			for _, id := range []string{r[0], r[3]} {
				id = strings.ToLower(id)
				if o := owner[id]; o != 0 && o != row {
					t.Fatalf("%s in rows %d and %d", id, o, row)
				}
				owner[id] = row
			}
			if pbx[r[4]] || len(r[4]) != 8 {
				t.Fatalf("PBX ID %s", r[4])
			}
			pbx[r[4]] = true
		}
	}
}

func TestGenerateNeedsNoQuotes(t *testing.T) {
	t.Parallel()
	files, _ := generate(t, Spec{Users: 20_000, Seed: 5})
	for i := range files {
		if bytes.ContainsAny(files[i].Bytes(), `"`) {
			t.Errorf("file %d has a quote", i)
		}
	}
}

func TestGenerateRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []Spec{
		{Users: -1}, {From: -1}, {Users: maxUsers, From: 1}, {Users: 1, Below: "Atlantis"}, {Users: 1, Below: "UAE / Ret"},
	} {
		if _, err := Generate(s, io.Discard, io.Discard, io.Discard); err == nil {
			t.Errorf("%+v: no error", s)
		}
	}
	full := errors.New("disk full")
	for i := range 3 {
		w := []io.Writer{io.Discard, io.Discard, io.Discard}
		w[i] = failing{full}
		if _, err := Generate(Spec{Users: 10}, w[0], w[1], w[2]); !errors.Is(err, full) {
			t.Errorf("writer %d: %v", i, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func BenchmarkGenerate(b *testing.B) {
	const users = 100_000
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Generate(Spec{Users: users}, io.Discard, io.Discard, io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(users*float64(b.N)/b.Elapsed().Seconds(), "users/s")
}
