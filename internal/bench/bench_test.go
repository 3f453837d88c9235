package bench

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

// program is Muster's binary, built once, by the first test that needs it.
var program = sync.OnceValues(func() (path string, err error) {
	if programDir, err = os.MkdirTemp("", "muster-bench-test-"); err != nil {
		return "", err
	}
	path = filepath.Join(programDir, "muster")
	_, err = tool(exec.Command("go", "build", "-o", path, "muster/cmd/muster"))
	return path, err
})

var programDir string

func TestMain(m *testing.M) {
	code := m.Run()
	if programDir != "" {
		os.RemoveAll(programDir)
	}
	os.Exit(code)
}

// eachEngine runs fn with options for a small measurement. Where a raw loader is missing the test is skipped, and in CI
// it fails.
func eachEngine(t *testing.T, fn func(t *testing.T, o Options)) {
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	for engine, loader := range map[sqldb.Engine]string{sqldb.SQLite: "sqlite3", sqldb.Postgres: "psql"} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(loader); err != nil {
				if os.Getenv("CI") != "" {
					t.Fatalf("the raw loader is missing: %v", err)
				}
				t.Skipf("the raw loader is missing: %v", err)
			}
			o := Options{Engines: []sqldb.Engine{engine}, Users: 2000, Runs: 1, Dir: t.TempDir(), Program: path, Command: "muster bench", Log: t.Output()}
			if engine == sqldb.Postgres {
				o.Postgres = sqldbtest.Postgres(t)
			}
			fn(t, o)
		})
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, o Options) {
		o.Part, o.Memory = Imports, true
		r, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		f := &r.Engines[0]
		if len(f.Scenarios) != 2 || f.Triple == nil || f.Triple.Rows != 6000 || f.Triple.Seconds == 0 {
			t.Fatalf("got %+v", f)
		}
		for _, s := range f.Scenarios {
			if len(s.Rounds) != 1 || s.Users < 1800 || s.Users > 2000 {
				t.Fatalf("%s: %+v", s.Name, s)
			}
			round := s.Rounds[0]
			for name, m := range map[string]Measured{"import": round.Import, "undo": round.Undo, "preview": round.Preview, "disturbed": round.Disturbed} {
				if m.Seconds <= 0 {
					t.Errorf("%s, %s took no time", s.Name, name)
				}
			}
			if round.Loader <= 0 || round.Waits.Writes == 0 || round.Waits.Max < round.Waits.P99 || (round.Bare > 0) != (f.Engine == sqldb.SQLite) {
				t.Errorf("%s: %+v", s.Name, round)
			}
		}
		text := r.Markdown(f)
		if n := strings.Count(text, "reached") + strings.Count(text, "**missed**"); n != 2*4+2 {
			t.Errorf("%d verdicts in\n%s", n, text)
		}
		if left, err := os.ReadDir(o.Dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
}

// What is compared is the same work: after either, the tables hold the same rows, and a difference in any of them is
// seen.
func TestSameRows(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, o Options) {
		ctx := t.Context()
		b := &bench{Options: o, inputs: map[string]*input{}}
		if err := b.makeScratch(); err != nil {
			t.Fatal(err)
		}
		for i, name := range []string{"first", "second"} {
			if err := b.generate(name, o.Users, i*o.Users); err != nil {
				t.Fatal(err)
			}
		}
		s, err := b.openStore(ctx, o.Engines[0])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.close(); err != nil {
				t.Error(err)
			}
		})
		rivals, err := b.prepare(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rivals {
			for _, l := range s.loaders() {
				if !l.exact {
					continue
				}
				err := r.on(ctx, func(p place) error {
					if err := l.load(ctx, p, r.rows); err != nil {
						return err
					}
					if err := r.same(ctx, p, "the raw loader"); err != nil {
						return err
					}
					tamper(t, r, p)
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			err := r.on(ctx, func(p place) error {
				if _, _, err := r.importUsers(ctx, p, r.in, "--yes"); err != nil {
					return err
				}
				return r.same(ctx, p, "Muster")
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// tamper changes one thing in each table and looks whether that is noticed.
func tamper(t *testing.T, r *rival, p place) {
	db, err := p.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	last := "(SELECT max(id) FROM users)"
	for _, change := range []string{
		"UPDATE users SET email = '' WHERE id = " + last,
		"UPDATE users SET supervisor_id = (SELECT min(id) FROM users) WHERE id = " + last,
		"UPDATE users SET version = 2 WHERE id = " + last,
		"DELETE FROM user_roles WHERE user_id = " + last,
		"UPDATE user_channels SET count = count + 1 WHERE user_id = (SELECT max(user_id) FROM user_channels)",
		"UPDATE user_features SET value = value || ' ' WHERE user_id = (SELECT max(user_id) FROM user_features)",
	} {
		before, err := contentsOf(t.Context(), p, r.base, r.in)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			res, err := tx.ExecContext(t.Context(), change)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				t.Errorf("%s changed nothing: %v", change, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if after, err := contentsOf(t.Context(), p, r.base, r.in); err != nil || after == before {
			t.Errorf("%s is not noticed: %v", change, err)
		}
	}
}

func TestServer(t *testing.T) {
	t.Parallel()
	if _, err := serverBinary("initdb"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	scratch, err := os.MkdirTemp("", "muster-bench-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(scratch)
	if err := os.Chmod(scratch, 0o711); err != nil {
		t.Fatal(err)
	}
	address, stop, err := startServer(t.Context(), scratch)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if db, err := sqldb.Open(ctx, sqldb.Config{URL: address}); err == nil {
		db.Close()
		t.Error("the server still answers")
	}
	if left, _ := os.ReadDir(filepath.Join(scratch, "pg")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
