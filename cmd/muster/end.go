package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"muster/internal/fault"
)

// errRows ends a command whose result says already that some rows did not get in.
var errRows = errors.New("some rows are not applied")

// errSaid ends a command that could not run and has said why.
var errSaid = errors.New("said")

// usage is a command line that cannot be understood.
type usage struct {
	message string
	command []string
}

func (u *usage) Error() string { return u.message }

// unfinished is why a batch is not at rest, and what goes on with it.
type unfinished struct {
	batch int64
	next  string // a command
	err   error
}

func (u *unfinished) Error() string {
	why := "stopped"
	if !errors.Is(u.err, context.Canceled) {
		why, _ = explain(u.err)
	}
	return fmt.Sprintf("%s; batch %d can go on: %s", why, u.batch, u.next)
}

func (u *unfinished) Unwrap() error { return u.err }

// end tells of the error, if there is one, and returns the exit code.
func (s *session) end(err error) int {
	switch {
	case err == nil:
		return exitApplied
	case errors.Is(err, errRows):
		return exitRows
	case errors.Is(err, errSaid):
		return exitFailed
	}
	message, cause := explain(err)
	var left *unfinished
	if s.json {
		o := struct {
			Error string `json:"error"`
			Batch int64  `json:"batch,omitempty"`
		}{Error: message}
		if errors.As(err, &left) {
			o.Batch = left.batch
		}
		_ = writeJSON(s.out, o) // what it is to say is said below, too
	}
	s.notef("muster: %s\n", message)
	if cause != "" {
		s.notef("  (%s)\n", cause)
	}
	var u *usage
	if errors.As(err, &u) {
		s.notef("See %s.\n", strings.Join(append(append([]string{"muster"}, u.command...), "--help"), " "))
	}
	return exitFailed
}

// explain parts an error into what is wrong, for people, and its technical cause, which may be empty.
func explain(err error) (message, cause string) {
	var f *fault.Error
	var u *unfinished
	switch {
	case errors.As(err, &u):
		_, cause = explain(u.err)
		return u.Error(), cause
	case errors.As(err, &f):
		if f.Err != nil {
			cause = f.Err.Error()
		}
		return f.Message, cause
	case errors.Is(err, context.Canceled):
		return "stopped", ""
	}
	return err.Error(), ""
}
