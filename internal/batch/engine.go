package batch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"muster/internal/blob"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// The lease: a process that dies is replaced after Lease at the latest plus the pause between two looks (see Wait),
// well within 15 seconds. It is renewed once a second, for that publishes progress too; on SQLite a chunk renews it at
// its end, and only one that takes longer than chunkBeat is cut short for that.
const (
	Lease     = 10 * time.Second
	beat      = time.Second
	chunkBeat = 2500 * time.Millisecond
)

// Engine runs batches. All fields but Log must be set.
type Engine struct {
	DB         *sqldb.DB
	Directory  *directory.Directory
	Blobs      blob.Store
	Scratch    string // directory for what may vanish
	Operations map[string]Operation
	// Actor returns the user whom a stored batch acts for, with the rights and the scope that they have by now. It is
	// not asked where a batch acts for the system.
	Actor func(ctx context.Context, owner, source string) (directory.Actor, error)
	// MaxUpload is in bytes per file, at most: a setting may allow less.
	MaxUpload int64
	// Patience is how long one call keeps trying when a fault that can pass does not.
	Patience time.Duration
	Log      *slog.Logger

	wake wake
}

func (e *Engine) now() int64 { return e.Directory.Now().UnixMicro() }

// Execute runs the batch until it is ready, done or otherwise at rest, and returns it. Where another process holds
// its lease, Execute waits and takes over if that one dies. watch, when not nil, is told of progress now and then.
// A fault that can pass is tried again with growing pauses for as long as Patience allows.
func (e *Engine) Execute(ctx context.Context, id int64, watch func(*Batch)) (*Batch, error) {
	if watch == nil {
		watch = func(*Batch) {}
	}
	var troubleSince time.Time
	for pause := time.Second; ; {
		b, err := e.step(ctx, id, watch)
		switch {
		case err == nil && !b.State.Live():
			return b, nil
		case err == nil:
			pause, troubleSince = time.Second, time.Time{}
			if err := sleep(ctx, 250*time.Millisecond); err != nil {
				return b, err
			}
			continue
		case !passing(err) || ctx.Err() != nil:
			return b, err
		}
		if troubleSince.IsZero() {
			troubleSince = time.Now()
		}
		patience := e.Patience
		if sqldb.ErrorKind(err) == sqldb.Full {
			patience = min(patience, fullPatience)
		}
		if time.Since(troubleSince)+pause > patience {
			return b, err
		}
		if b == nil {
			b = &Batch{ID: id}
		}
		b.Reason = fmt.Sprintf("%s; trying again in %s", message(err), pause)
		watch(b)
		if err := sleep(ctx, pause); err != nil {
			return b, err
		}
		pause = min(2*pause, 30*time.Second)
	}
}

// fullPatience is how long a full disk is waited for: room seldom comes by itself, and whoever started the batch can
// make some.
const fullPatience = 10 * time.Second

// mendable tells whether the batch can go on once somebody has mended what is wrong: it then stays where it is.
func mendable(err error) bool {
	return passing(err) || sqldb.ErrorKind(err) == sqldb.ReadOnly || errors.Is(err, errNotHere)
}

// errNotHere says that a frozen file is not in this process's store; it may be in another's.
var errNotHere = errors.New("the batch's files are not here")

// passing tells whether the same may work later by itself: the database away, the disk full.
func passing(err error) bool {
	switch sqldb.ErrorKind(err) {
	case sqldb.Away, sqldb.Full, sqldb.Retry:
		return true
	}
	return fault.KindOf(err) == fault.Unavailable && sqldb.ErrorKind(err) != sqldb.ReadOnly
}

func message(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return err.Error()
}

// step does what there is to do now: looks, claims, runs. The batch returned may be nil when the database is away.
func (e *Engine) step(ctx context.Context, id int64, watch func(*Batch)) (*Batch, error) {
	b, err := get(ctx, e.DB.Read(), id)
	if err != nil {
		return nil, err
	}
	watch(b)
	if !b.State.Live() {
		return b, nil
	}
	token, ok, err := e.claim(ctx, b)
	if err != nil || !ok {
		return b, err
	}
	b.LeaseToken = token
	runErr := e.hold(ctx, b, watch)
	after, err := get(context.WithoutCancel(ctx), e.DB.Read(), id)
	if err != nil {
		return b, errors.Join(runErr, err)
	}
	if runErr != nil && errors.Is(runErr, errLost) && ctx.Err() == nil {
		return after, nil // another process has it: the next step watches
	}
	return after, runErr
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// Wait runs whatever interrupted processes left until nothing is left to run; batches in preview are left alone. It
// returns the batches that it saw through. One that cannot go on now does not hold up the others.
func (e *Engine) Wait(ctx context.Context, watch func(*Batch)) ([]*Batch, error) {
	return e.runLeft(ctx, watch, func(*Batch) bool { return true })
}

// CarryOn is Wait for the batches whose process is gone; those that another process is busy with are left to it.
func (e *Engine) CarryOn(ctx context.Context, watch func(*Batch)) ([]*Batch, error) {
	return e.runLeft(ctx, watch, func(b *Batch) bool {
		return b.LeaseUntil.Before(e.Directory.Now()) || dead(b.LeaseOwner)
	})
}

func (e *Engine) runLeft(ctx context.Context, watch func(*Batch), mine func(*Batch) bool) (seen []*Batch, failed error) {
	for last := int64(0); ; {
		id, found, err := sqldb.One[int64](ctx, e.DB.Read(), "SELECT id FROM batches WHERE "+live+" AND id > $1 ORDER BY id LIMIT 1", last)
		if err != nil || !found {
			return seen, errors.Join(failed, err)
		}
		last = id
		b, err := get(ctx, e.DB.Read(), id)
		if err == nil && !mine(b) {
			continue
		}
		if err == nil {
			b, err = e.Execute(ctx, id, watch)
		}
		if ctx.Err() != nil {
			return seen, err
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("batch %d: %w", id, err))
			continue
		}
		seen = append(seen, b)
	}
}

func (e *Engine) log() *slog.Logger {
	if e.Log != nil {
		return e.Log
	}
	return slog.New(slog.DiscardHandler)
}

// scratch makes a directory of the batch's own for what may vanish.
func (e *Engine) scratch(id int64) (dir string, remove func(), err error) {
	if err := os.MkdirAll(e.Scratch, 0o700); err != nil {
		return "", nil, fault.Wrap(fault.Unavailable, err, "the scratch directory %s cannot be made", e.Scratch)
	}
	// What a process that died left of this batch, whose lease is ours now.
	left, err := filepath.Glob(filepath.Join(e.Scratch, fmt.Sprintf("batch-%d-*", id)))
	for _, path := range left {
		err = errors.Join(err, os.RemoveAll(path))
	}
	if err != nil {
		return "", nil, fault.Wrap(fault.Unavailable, err, "the scratch directory %s cannot be cleared", e.Scratch)
	}
	dir, err = os.MkdirTemp(e.Scratch, fmt.Sprintf("batch-%d-", id))
	if err != nil {
		return "", nil, fault.Wrap(fault.Unavailable, err, "the scratch directory %s cannot be written", e.Scratch)
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}
