package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/sample"
	"muster/internal/sqldb/sqldbtest"
)

// binary builds the real program once: a process that is killed must be one of its own.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "muster-crash-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "muster")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

// place is a data directory, and a database where that is not in it.
type place struct {
	t    *testing.T
	bin  string
	args []string
	env  []string // beside what there is
	dir  string
}

func newPlace(t *testing.T, engine string, files string) *place {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, bin: bin, dir: t.TempDir()}
	p.args = []string{"--data-dir", p.dir}
	if engine == "postgres" {
		p.args = append(p.args, "--database", sqldbtest.Postgres(t))
	}
	p.must("setup", "apply", "--yes", filepath.Join(files, "organisation.yaml"))
	return p
}

func (p *place) command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.bin, append(args, p.args...)...)
	cmd.Dir, cmd.Env = p.dir, append(os.Environ(), p.env...)
	return cmd
}

// must runs a command that may end with 0 or 1, and returns its standard output.
func (p *place) must(args ...string) []byte {
	p.t.Helper()
	cmd := p.command(args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		p.t.Fatalf("muster %v: %v\n%s%s", args, err, out, errs.String())
	}
	return out
}

func importArgs(files string) []string {
	return []string{"import", "users", "--yes", "--json", "--rows", "none", "--in-file-supervisors", filepath.Join(files, "UserDetails.csv"),
		filepath.Join(files, "ChannelCountDetails.csv"), filepath.Join(files, "FeatureDetails.csv")}
}

// state is what must be the same however an import came about: the directory as it exports it, the counts, the
// report.
type state struct {
	Users, Channels, Features, Report string
}

func (p *place) state(batch int) state {
	p.t.Helper()
	out := filepath.Join(p.t.TempDir(), "export")
	p.must("users", "export", out)
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			p.t.Fatal(err)
		}
		return string(b)
	}
	var report map[string]any
	if err := json.Unmarshal(p.must("batches", "show", strconv.Itoa(batch), "--json", "--rows", "all"), &report); err != nil {
		p.t.Fatal(err)
	}
	delete(report, "seconds")
	delete(report, "batch")
	text, err := json.MarshalIndent(report, "", " ")
	if err != nil {
		p.t.Fatal(err)
	}
	return state{read("UserDetails.csv"), read("ChannelCountDetails.csv"), read("FeatureDetails.csv"), string(text)}
}

// recover does what somebody does after a crash: what was left is run to its end, and an import that was never made
// is started again. It returns the batch's number.
func (p *place) recover(files string) int {
	p.t.Helper()
	p.must("batches", "wait", "--json")
	var list struct {
		Total   int
		Batches []struct{ Batch int }
	}
	if err := json.Unmarshal(p.must("batches", "list", "--json"), &list); err != nil {
		p.t.Fatal(err)
	}
	if list.Total == 0 {
		p.must(importArgs(files)...)
		return 1
	}
	return list.Batches[0].Batch
}

func crashFiles(t *testing.T, users int) string {
	t.Helper()
	dir := t.TempDir()
	var u, c, f bytes.Buffer
	if _, err := sample.Generate(sample.Spec{Users: users, Seed: 7}, &u, &c, &f); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"organisation.yaml": sample.Organisation(), "UserDetails.csv": u.Bytes(), "ChannelCountDetails.csv": c.Bytes(), "FeatureDetails.csv": f.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestKill kills real imports at random instants, in all phases. After the next start the directory, the counts and
// the report are those of an import that was left alone. MUSTER_KILLS sets how often (8).
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("the processes that it kills are not built with the race detector")
	}
	t.Parallel()
	kills := 8
	if n, err := strconv.Atoi(os.Getenv("MUSTER_KILLS")); err == nil {
		kills = n
	}
	files := crashFiles(t, 120_000)
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			calm := newPlace(t, engine, files)
			began := time.Now()
			calm.must(importArgs(files)...)
			took := time.Since(began)
			want := calm.state(1)
			for i := range kills {
				p := newPlace(t, engine, files)
				// More often than once in each twentieth of the time, a little beyond the end.
				wait := time.Duration((float64(i) + rand.Float64()) / float64(kills) * 1.05 * float64(took))
				cmd := p.command(importArgs(files)...)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(wait)
				if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
					t.Fatal(err)
				}
				_ = cmd.Wait() // killed, or done just before
				phase := p.phase()
				if diff := cmp.Diff(want, p.state(p.recover(files))); diff != "" {
					t.Errorf("killed after %v (%s): the state differs:\n%.3000s", wait, phase, diff)
				}
				t.Logf("killed after %v of %v: %s", wait, took, phase)
			}
		})
	}
}

// phase says how far a killed import had come.
func (p *place) phase() string {
	var list struct {
		Batches []struct {
			State  string
			Counts struct{ Inserted int }
		}
	}
	if err := json.Unmarshal(p.must("batches", "list", "--json"), &list); err != nil || len(list.Batches) == 0 {
		return "no batch yet"
	}
	return fmt.Sprintf("%s, %d to insert", list.Batches[0].State, list.Batches[0].Counts.Inserted)
}

// TestStopped stops an import past its lease, lets another process take the batch over, and wakes the first: it must
// write nothing more, and the state is that of an import that was left alone.
func TestStopped(t *testing.T) {
	if testing.Short() {
		t.Skip("takes longer than a lease")
	}
	t.Parallel()
	files := crashFiles(t, 120_000)
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			calm := newPlace(t, engine, files)
			began := time.Now()
			calm.must(importArgs(files)...)
			took := time.Since(began)
			want := calm.state(1)

			p := newPlace(t, engine, files)
			first := p.command(importArgs(files)...)
			var said bytes.Buffer
			first.Stderr = &said
			if err := first.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration((0.4 + 0.4*rand.Float64()) * float64(took)))
			if err := first.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			phase := "unknown"
			ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
			defer cancel()
			second := exec.CommandContext(ctx, p.bin, append([]string{"batches", "wait", "--json"}, p.args...)...)
			began = time.Now()
			out, err := second.CombinedOutput()
			if ctx.Err() != nil {
				// Stopped inside a write on SQLite, it holds the database's lock: nobody can take over, and none needs to.
				t.Logf("stopped while it held the database's lock")
			} else if err != nil && second.ProcessState.ExitCode() != 1 {
				t.Fatalf("take over: %v\n%s", err, out)
			} else {
				t.Logf("taken over and done after %v", time.Since(began))
			}
			if err := first.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			_ = first.Wait() // how it ends is its own affair; what it leaves is not
			if diff := cmp.Diff(want, p.state(p.recover(files))); diff != "" {
				t.Errorf("stopped (%s): the state differs:\n%.3000s\nthe first said:\n%s", phase, diff, said.String())
			}
		})
	}
}
