package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"muster/internal/sample"
)

// Measured is one run of Muster's process.
type Measured struct {
	Seconds float64 `json:"seconds"`
	Peak    int64   `json:"peak_bytes"`
}

// outcome is what of an import's output is looked at.
type outcome struct {
	Batch  int64  `json:"batch"`
	State  string `json:"state"`
	Counts struct {
		Rows      int `json:"rows"`
		Inserted  int `json:"inserted"`
		Duplicate int `json:"duplicate"`
		Invalid   int `json:"invalid"`
		Stray     int `json:"stray"`
	} `json:"counts"`
}

// muster runs Muster as a person would, and measures it from start to exit.
func (b *bench) muster(ctx context.Context, p place, args ...string) (stdout []byte, m Measured, err error) {
	cmd := exec.CommandContext(ctx, b.Program, args...)
	cmd.Env = p.environ()
	var out bytes.Buffer
	said := &tail{}
	cmd.Stdout, cmd.Stderr = &out, said
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, m, err
	}
	peak := watchPeak(cmd.Process.Pid)
	err = cmd.Wait()
	m = Measured{Seconds: time.Since(began).Seconds(), Peak: peak(cmd.ProcessState)}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil // some rows have problems: they are meant to
	}
	if err != nil {
		return nil, m, fmt.Errorf("muster %s: %w: %s", strings.Join(args[:2], " "), err, said)
	}
	return out.Bytes(), m, nil
}

// importUsers imports, or with --preview checks, the input, and makes sure that the outcome is the expected one.
func (b *bench) importUsers(ctx context.Context, p place, in *input, mode string) (Measured, int64, error) {
	args := append([]string{"import", "users", "--data-dir", p.dir, mode, "--in-file-supervisors", "--json", "--rows", "none"}, in.files...)
	stdout, m, err := b.muster(ctx, p, args...)
	if err != nil {
		return m, 0, err
	}
	var o outcome
	if err := json.Unmarshal(stdout, &o); err != nil {
		return m, 0, fmt.Errorf("read what the import says: %w", err)
	}
	want := "done"
	if mode == "--preview" {
		want = "ready"
	}
	return m, o.Batch, o.expect(in, want)
}

// expect fails unless the import is in the state, with the counts that the generated files must lead to.
func (o *outcome) expect(in *input, state string) error {
	if o.State != state {
		return fmt.Errorf("the import is %s, not %s", o.State, state)
	}
	got := sample.Counts{Rows: o.Counts.Rows, Inserted: o.Counts.Inserted, Duplicate: o.Counts.Duplicate, Invalid: o.Counts.Invalid, Stray: o.Counts.Stray}
	expected := in.expected
	expected.Codes = nil
	if fmt.Sprint(got) != fmt.Sprint(expected) {
		return fmt.Errorf("the import counts %+v; the generated files have %+v", got, expected)
	}
	return nil
}

// undo takes a batch back.
func (b *bench) undo(ctx context.Context, p place, batch int64) (Measured, error) {
	_, m, err := b.muster(ctx, p, "batches", "undo", fmt.Sprint(batch), "--data-dir", p.dir, "--json")
	return m, err
}

// tail keeps the last of what a process says.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if over := len(t.b) - 1000; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(bytes.TrimSpace(t.b)) }
