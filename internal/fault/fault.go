// Package fault is the one error type that people get to see: a kind, which decides the exit code or the HTTP
// status, and a sentence that says what is wrong and what to do. Everything else wraps it with %w and what was
// being done.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind sorts errors by what the person or program that gets them can do.
type Kind int

const (
	Internal        Kind = iota // a fault of Muster's own
	NotFound                    // what was named is not there
	Conflict                    // it was changed, taken or locked by somebody else
	Invalid                     // the request or its input is wrong
	Forbidden                   // the acting person may not do this
	TooLarge                    // over a limit
	Unavailable                 // passes by itself: database away, disk full; try again
	Unauthenticated             // nobody is signed in, or what was given to sign in is not right
	RateLimited                 // too many attempts; Error.Wait says when another is of use
)

func (k Kind) String() string {
	return [...]string{"internal", "not found", "conflict", "invalid", "forbidden", "too large", "unavailable", "unauthenticated", "rate limited"}[k]
}

// Error carries a kind and a message for people. Err, if any, is the technical cause.
type Error struct {
	Kind    Kind
	Message string
	Err     error
	// Wait is how long it is until another attempt is of use; only with RateLimited.
	Wait time.Duration
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// New returns an error of the kind with a message made as by fmt.Sprintf.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Wrap returns an error of the kind whose cause is err.
func Wrap(kind Kind, err error, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Err: err}
}

// KindOf returns the kind of the outermost Error in err's chain, Internal when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
