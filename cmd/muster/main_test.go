package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"muster/internal/sqldb/sqldbtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"muster": main})
}

// Every script runs on both engines. Where a script needs a second directory it says --data-dir other
// --database=$OTHER. The files of testdata/shared lie in each script's directory.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, script := range scripts {
		name := strings.TrimSuffix(filepath.Base(script), ".txtar")
		t.Run("sqlite/"+name, func(t *testing.T) {
			t.Parallel()
			runScript(t, script, "sqlite", "", "")
		})
		t.Run("postgres/"+name, func(t *testing.T) {
			t.Parallel()
			runScript(t, script, "postgres", sqldbtest.Postgres(t), sqldbtest.Postgres(t))
		})
	}
}

func runScript(t *testing.T, script, engine, url, other string) {
	testscript.Run(t, testscript.Params{
		Files:               []string{script},
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("MUSTER_DATABASE", url)
			env.Setenv("OTHER", other)
			return copyShared(env.WorkDir)
		},
		Condition: func(cond string) (bool, error) { return cond == engine, nil },
		Cmds:      map[string]func(*testscript.TestScript, bool, []string){"same": same, "replace": replace, "crlf": crlf, "code": code, "faces": packFaces},
	})
}

func copyShared(dir string) error {
	return os.CopyFS(dir, os.DirFS("testdata/shared"))
}

// What differs from run to run, and from engine to engine.
var masks = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`"seconds": [0-9.]+`), `"seconds": 0`},
	{regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+Z?`), "TIME"},
	{regexp.MustCompile(`[0-9]+\.[0-9] s\b`), "0.0 s"},
}

// code N program args...: the program ends with that exit code.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N program args...")
	}
	got := "0"
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = strconv.Itoa(exit.ExitCode())
	} else {
		ts.Check(err)
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// same file want: the file (or stdout, stderr) is as wanted, times aside.
func same(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: same file want")
	}
	got, want := ts.ReadFile(args[0]), ts.ReadFile(args[1])
	for _, m := range masks {
		got = m.pattern.ReplaceAllString(got, m.by)
	}
	if got != want {
		ts.Fatalf("%s is not as %s:\n%s", args[0], args[1], got)
	}
}

// replace file old new: changes a file as a person would.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace file old new")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s has no %q:\n%s", args[0], args[1], text)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o666))
}

// crlf file want: the file is as wanted, but has the byte order mark and line ends of a spreadsheet.
func crlf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: crlf file want")
	}
	want := "\uFEFF" + strings.ReplaceAll(ts.ReadFile(args[1]), "\n", "\r\n")
	if got := ts.ReadFile(args[0]); got != want {
		ts.Fatalf("%s is not as %s with CRLF:\n%q", args[0], args[1], got)
	}
}
