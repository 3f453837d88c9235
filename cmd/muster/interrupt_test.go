package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/sample"
	"muster/internal/sqldb/sqldbtest"
)

// interrupter ends the program, as Ctrl-C does, when it writes a word for the first time.
type interrupter struct {
	bytes.Buffer
	word string
	stop context.CancelFunc
}

func (i *interrupter) Write(p []byte) (int, error) {
	if strings.Contains(string(p), i.word) {
		i.stop()
	}
	return i.Buffer.Write(p)
}

// What an interrupted import leaves, batches wait brings to its end, and the result is that of an import that was
// left alone.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(testing.TB) string{
		"sqlite":   func(testing.TB) string { return "" },
		"postgres": sqldbtest.Postgres,
	} {
		for _, phase := range []string{"checking", "applying"} {
			t.Run(name+"/"+phase, func(t *testing.T) {
				t.Parallel()
				// A phase that passed before it was seen takes longer with more users.
				users := 15_000
				for !interrupted(t, url, phase, users) {
					if users *= 4; users > 240_000 {
						t.Fatalf("the phase passed too quickly to be seen, even with %d users", users/4)
					}
				}
			})
		}
	}
}

// interrupted interrupts an import in a phase. It returns false where the import was done before.
func interrupted(t *testing.T, url func(testing.TB) string, phase string, users int) bool {
	t.Helper()
	dir := t.TempDir()
	database := "--database=" + url(t)
	files, want := writeUsers(t, dir, users)
	call := func(ctx context.Context, stderr *interrupter, args ...string) (int, string) {
		var out bytes.Buffer
		code := run(ctx, append(args, "--data-dir", filepath.Join(dir, "data"), database), streams{in: os.Stdin, out: &out, err: stderr})
		return code, out.String()
	}
	mustRun := func(args ...string) string {
		stderr := &interrupter{word: "\x00", stop: func() {}}
		code, out := call(t.Context(), stderr, args...)
		if code == exitFailed {
			t.Fatalf("%v: %s", args, stderr.String())
		}
		return out
	}
	setup := filepath.Join(dir, "setup.yaml")
	if err := os.WriteFile(setup, sample.Organisation(), 0o600); err != nil {
		t.Fatal(err)
	}
	mustRun("setup", "apply", "--yes", setup)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	stderr := &interrupter{word: phase, stop: stop}
	code, _ := call(ctx, stderr, append([]string{"import", "users", "--yes", "--in-file-supervisors"}, files...)...)
	if ctx.Err() == nil {
		return false
	}
	if code != exitFailed || !strings.Contains(stderr.String(), "stopped; batch 1 can go on: ") {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
	mustRun("batches", "wait", "--json")
	if out := mustRun("batches", "show", "1", "--json", "--rows", "none"); !strings.Contains(out, want) || !strings.Contains(out, `"state": "done"`) {
		t.Errorf("want %s in %.600s", want, out)
	}
	return true
}

// writeUsers writes the files of an import that takes a moment, and returns the counts that it must end with.
func writeUsers(t *testing.T, dir string, users int) (files []string, counts string) {
	var parts [3]*os.File
	for i, name := range kindNames() {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		parts[i], files = f, append(files, f.Name())
	}
	c, err := sample.Generate(sample.Spec{Users: users, Seed: 1}, parts[0], parts[1], parts[2])
	if err != nil {
		t.Fatal(err)
	}
	return files, fmt.Sprintf(`"counts": {"rows":%d,"inserted":%d,"updated":0,"unchanged":0,"duplicate":%d,"invalid":%d,"stray":%d}`,
		c.Rows, c.Inserted, c.Duplicate, c.Invalid, c.Stray)
}
