package batch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"muster/internal/sqldb"
)

// errLost says that another process holds the lease by now.
var errLost = errors.New("another process took the batch over")

// ErrCancelled says that the batch was told to stop between two chunks.
var ErrCancelled = errors.New("the batch was cancelled")

// ErrStale is for an operation to say that what it judged its rows by has changed: the engine lets it check again.
var ErrStale = errors.New("the configuration changed since the check")

// claim takes the batch's lease if nobody holds it, or if who holds it is a process of this machine that is no more.
func (e *Engine) claim(ctx context.Context, b *Batch) (token int64, ok bool, err error) {
	until := e.now()
	if dead(b.LeaseOwner) {
		until = b.LeaseUntil.UnixMicro() + 1
	}
	err = e.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		token, ok, err = sqldb.One[int64](ctx, tx, `UPDATE batches SET lease_token = lease_token + 1, lease_until = $2, lease_owner = $3,
			started_at = coalesce(started_at, $4), reason = '', phase = '', done = 0, total = 0
			WHERE id = $1 AND (lease_until < $4 OR lease_until < $5 AND lease_owner = $6) AND `+live+` RETURNING lease_token`,
			b.ID, e.now()+Lease.Microseconds(), self(), e.now(), until, b.LeaseOwner)
		return err
	})
	if err == nil && ok && token > 1 && e.DB.Engine == sqldb.Postgres {
		// Whoever held it before may be stopped in the middle of a transaction, holding locks on what must be written
		// again; the server ends those sessions. They could not have committed anyway: their token is of the past.
		_, err = e.DB.Read().ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE application_name LIKE $1 AND application_name <> $2 AND pid <> pg_backend_pid()`,
			fmt.Sprintf("muster batch %d/%%", b.ID), sessionName(b.ID, token))
	}
	return token, ok, err
}

// sessionName marks a PostgreSQL session while it writes for a batch.
func sessionName(id, token int64) string { return fmt.Sprintf("muster batch %d/%d", id, token) }

// hold runs the batch under the lease just claimed, renewing it all the while, and lets go of it at the end.
func (e *Engine) hold(ctx context.Context, b *Batch, watch func(*Batch)) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	run := &Run{Batch: b, engine: e, token: b.LeaseToken, watch: watch, stop: stop, ctx: ctx}
	if leave := halter(ctx); leave != nil {
		defer context.AfterFunc(leave, run.halt)()
	}
	run.renewed.Store(time.Now().UnixNano())
	run.cancel.Store(b.Cancel)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		run.keepLease(ctx)
	}()
	started := time.Now()
	err := e.run(ctx, run)
	if cause := context.Cause(ctx); cause != nil && err != nil && !errors.Is(err, ErrCancelled) {
		err = cause
	}
	stop(nil)
	<-beating
	return e.release(context.WithoutCancel(ctx), run, time.Since(started), err)
}

// keepLease renews the lease and publishes progress. Chunks do so too; on SQLite, where one writes at a time, this only
// steps in while one is under way when that takes long.
func (r *Run) keepLease(ctx context.Context) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if since := time.Since(time.Unix(0, r.renewed.Load())); since < beat*9/10 || since < chunkBeat && r.engine.DB.Engine == sqldb.SQLite && r.inChunk() {
			continue
		}
		cancel := false
		err := r.Tx(ctx, func(tx *sqldb.Tx) error { return nil })
		if err == nil {
			cancel = r.cancel.Load()
		}
		switch {
		case errors.Is(err, errLost):
			r.stop(errLost)
			return
		case cancel && !r.applying.Load():
			// Nothing is being applied that would have to end with a whole chunk.
			r.stop(ErrCancelled)
			return
		case err != nil && ctx.Err() == nil:
			r.engine.log().Warn("the lease of a batch could not be renewed", "batch", r.Batch.ID, "error", err)
		}
	}
}

// release ends this process's hold: the state of a run that failed is set, the lease is let go.
func (e *Engine) release(ctx context.Context, r *Run, busy time.Duration, runErr error) error {
	if errors.Is(runErr, errLost) {
		return runErr
	}
	var problems Problems
	err := r.finish(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE batches SET lease_until = 0, busy_micros = busy_micros + $2 WHERE id = $1", r.Batch.ID, busy.Microseconds())
		if err != nil {
			return err
		}
		switch {
		case runErr == nil:
			return nil
		case errors.Is(runErr, ErrCancelled):
			// The check was cut short, so nothing is applied, and what it may have said already will not be.
			if err := dropReports(ctx, tx, r.Batch.ID); err != nil {
				return err
			}
			if err := storeCounts(ctx, tx, r.Batch.ID, Counts{}); err != nil {
				return err
			}
			return e.settle(ctx, tx, r.Batch.ID, Cancelled, "")
		case errors.As(runErr, &problems):
			return e.fail(ctx, tx, r.Batch.ID, problems)
		case errors.Is(runErr, context.Canceled), errors.Is(runErr, errHalted), mendable(runErr):
			reason := message(runErr)
			if errors.Is(runErr, context.Canceled) || errors.Is(runErr, errHalted) {
				reason = "the process that ran it was stopped"
			}
			_, err := tx.ExecContext(ctx, "UPDATE batches SET reason = $2 WHERE id = $1", r.Batch.ID, reason)
			return err
		}
		return e.settle(ctx, tx, r.Batch.ID, Failed, message(runErr))
	})
	if errors.As(runErr, &problems) || errors.Is(runErr, ErrCancelled) {
		runErr = nil // a state like any other, not a fault of the run
	}
	return errors.Join(runErr, err)
}

// Run is a batch in the hands of the process that holds its lease.
type Run struct {
	Batch  *Batch
	engine *Engine
	token  int64
	watch  func(*Batch)
	stop   context.CancelCauseFunc
	ctx    context.Context // of the whole run: it governs the reads of its files

	renewed  atomic.Int64 // when, by the process's clock, in nanoseconds
	cancel   atomic.Bool
	applying atomic.Bool
	phase    atomic.Pointer[phase]
	done     atomic.Int64
	total    atomic.Int64
	shown    atomic.Int64

	mu       sync.Mutex // of what follows
	underWay int        // chunks
	halted   bool
}

// self names this process to others that look at its leases.
func self() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

// dead tells whether the owner of a lease was a process of this machine that has ended. Where it cannot know, as of
// another machine's process, it says no, and the lease has to run out.
func dead(owner string) bool {
	host, _ := os.Hostname()
	pid, here := strings.CutPrefix(owner, host+"/")
	n, err := strconv.Atoi(pid)
	if !here || err != nil || host == "" || n == os.Getpid() {
		return false
	}
	p, err := os.FindProcess(n)
	if err != nil {
		return true
	}
	return errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}
