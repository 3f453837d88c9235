package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"muster/internal/batch"
)

// execute runs a batch until it is at rest, and shows how far it is.
func (s *session) execute(ctx context.Context, a *app, id int64) (*batch.Batch, error) {
	p := s.newProgress()
	b, err := a.engine.Execute(ctx, id, p.watch)
	p.end()
	if err != nil && (b == nil || b.State == "" || b.State.Live()) {
		if ctx.Err() != nil {
			err = context.Canceled
		}
		err = &unfinished{batch: id, next: s.command("batches", "wait"), err: err}
	}
	return b, err
}

// apply runs a batch in preview, and shows what came of it. confirm is the number that a batch that would change very many
// users needs, or 0.
func (s *session) apply(ctx context.Context, a *app, id, confirm int64, v view) error {
	if err := a.engine.Apply(ctx, a.actor, id, confirm); err != nil {
		return err
	}
	return s.finish(ctx, a, id, v)
}

// finish runs a batch that somebody let go on, and shows what came of it.
func (s *session) finish(ctx context.Context, a *app, id int64, v view) error {
	b, err := s.execute(ctx, a, id)
	if err != nil {
		return err
	}
	if err := s.show(ctx, a, b, v); err != nil {
		return err
	}
	return result(b)
}

// result is how a command ends whose batch is at rest and has been shown.
func result(b *batch.Batch) error {
	switch {
	case b.State == batch.Failed:
		return errSaid
	case b.State == batch.Undone:
		return nil
	case !b.Counts.Clean(), b.State == batch.Cancelled:
		return errRows
	}
	return nil
}

// ask waits for a yes; anything else is a no.
func (s *session) ask(ctx context.Context, question string) (bool, error) {
	// Where standard error is redirected, the question goes to the terminal that the answer comes from.
	to := s.err
	if !isTerminal(s.err) {
		if tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil {
			defer tty.Close()
			to = tty
		}
	}
	fmt.Fprintf(to, "%s [y/N] ", question)
	answer := make(chan string, 1)
	failed := make(chan error, 1)
	go func() {
		line, err := bufio.NewReader(s.in).ReadString('\n')
		if err != nil && err != io.EOF {
			failed <- err
			return
		}
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		s.notef("\n")
		return false, ctx.Err()
	case err := <-failed:
		return false, fmt.Errorf("read the answer: %w", err)
	case line := <-answer:
		return line == "y" || line == "yes", nil
	}
}

// command is a command line that does as it says when it is typed where this program was started.
func (s *session) command(args ...string) string {
	all := append([]string{program(os.Args[0])}, args...)
	if s.DataDir != "" && s.DataDir != os.Getenv("MUSTER_DATA_DIR") {
		all = append(all, "--data-dir", s.DataDir)
	}
	if s.Database != "" && s.Database != os.Getenv("MUSTER_DATABASE") {
		all = append(all, "--database", hidePassword(s.Database))
	}
	if s.Blobs != "" && s.Blobs != os.Getenv("MUSTER_BLOBS") {
		all = append(all, "--blobs", s.Blobs)
	}
	for i, a := range all {
		if i > 0 {
			all[i] = quoteArg(a)
		}
	}
	return strings.Join(all, " ")
}

// program is how this program is called again. What `go run` builds is gone when it ends.
func program(arg0 string) string {
	if strings.Contains(filepath.ToSlash(arg0), "/go-build") {
		return "go run ./cmd/muster"
	}
	if !strings.ContainsRune(arg0, filepath.Separator) {
		return arg0
	}
	return quoteArg(arg0)
}

// quoteArg puts an argument into quotes where a shell needs them.
func quoteArg(a string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r > 127 || strings.ContainsRune("-_./:@%+=,~", r)
	}
	if a != "" && strings.IndexFunc(a, func(r rune) bool { return !plain(r) }) < 0 {
		return a
	}
	return "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
}
