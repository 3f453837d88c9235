package batch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"muster/internal/blob"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// run does what the batch's state asks for.
func (e *Engine) run(ctx context.Context, r *Run) error {
	op := e.Operations[r.Batch.Action]
	if op == nil {
		return fmt.Errorf("this Muster does not know the action %q", r.Batch.Action)
	}
	if r.Batch.State == Undoing {
		return e.undo(ctx, r, op)
	}
	if r.Batch.Cancel && r.Batch.State != Applying {
		return ErrCancelled
	}
	var options struct {
		Preview bool `json:"preview"`
	}
	if err := json.Unmarshal(r.Batch.Options, &options); err != nil {
		return fmt.Errorf("read the batch's options: %w", err)
	}
	if r.Batch.State == Received {
		if err := r.enter(ctx, Checking); err != nil {
			return err
		}
	}
	for {
		err := e.checkAndApply(ctx, r, op, options.Preview)
		if !errors.Is(err, ErrStale) {
			return err
		}
		// What the rows were judged by has changed: the rest is judged again.
		e.log().Info("the directory's configuration changed; checking again", "batch", r.Batch.ID)
	}
}

func (e *Engine) checkAndApply(ctx context.Context, r *Run, op Operation, preview bool) error {
	// Where something may be applied already, a cancel waits for the check, so that the report tells of every row.
	r.applying.Store(r.Batch.State == Applying)
	prepared, err := op.Prepare(ctx, r)
	if err != nil {
		return err
	}
	defer prepared.Close()
	if r.Batch.State == Checking {
		if to, err := r.decide(ctx, preview); err != nil || to != Applying {
			return err
		}
	} else if again, err := r.outgrown(ctx); err != nil || again {
		return cmp.Or(err, ErrStale)
	}
	r.applying.Store(true)
	counts, err := prepared.Apply(ctx, r)
	switch {
	case err == nil:
		return r.conclude(ctx, Done, counts)
	case errors.Is(err, ErrCancelled):
		return r.conclude(ctx, Cancelled, counts)
	}
	return err
}

func (e *Engine) undo(ctx context.Context, r *Run, op Operation) error {
	r.applying.Store(true)
	if err := op.Undo(ctx, r); err != nil {
		return err
	}
	return r.finish(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE batches SET undone = (SELECT coalesce(sum(changed), 0) FROM batch_chunks
			WHERE batch_id = $1 AND run = 'undo') WHERE id = $1`, r.Batch.ID); err != nil {
			return err
		}
		return e.settle(ctx, tx, r.Batch.ID, Undone, "")
	})
}

// enter moves the batch to its next state, in a transaction of its own.
func (r *Run) enter(ctx context.Context, s State) error {
	err := r.finish(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE batches SET state = $2, reason = '' WHERE id = $1", r.Batch.ID, string(s))
		return err
	})
	if err == nil {
		r.Batch.State = s
		r.show(true)
	}
	return err
}

// conclude writes the final counts and state.
func (r *Run) conclude(ctx context.Context, s State, c Counts) error {
	return r.finish(ctx, func(tx *sqldb.Tx) error {
		if err := storeCounts(ctx, tx, r.Batch.ID, c); err != nil {
			return err
		}
		return r.engine.settle(ctx, tx, r.Batch.ID, s, "")
	})
}

// settle puts the batch at rest, and says so in the audit.
func (e *Engine) settle(ctx context.Context, tx *sqldb.Tx, id int64, s State, reason string) error {
	r, _, err := sqldb.One[row](ctx, tx, "UPDATE batches SET state = $2, reason = $3, finished_at = $4 WHERE id = $1 RETURNING "+columns,
		id, string(s), reason, e.now())
	if err != nil {
		return err
	}
	b, err := r.batch()
	if err != nil {
		return err
	}
	after, err := json.Marshal(b.Counts)
	if err != nil {
		return err
	}
	return directory.WriteAudit(ctx, tx, directory.AuditEntry{At: e.now(), Actor: b.Owner, Source: b.Source, Action: b.Action + " " + string(s),
		Subject: "batch", Name: fmt.Sprint(id), After: string(after), Reason: reason, BatchID: id})
}

func (e *Engine) fail(ctx context.Context, tx *sqldb.Tx, id int64, p Problems) error {
	all, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE batches SET file_problems = $2 WHERE id = $1", id, string(all)); err != nil {
		return err
	}
	return e.settle(ctx, tx, id, Failed, p.Error())
}

func storeCounts(ctx context.Context, tx *sqldb.Tx, id int64, c Counts) error {
	_, err := tx.ExecContext(ctx, `UPDATE batches SET rows_count = $2, inserted = $3, updated = $4, unchanged = $5, duplicate = $6, invalid = $7, stray = $8,
		passed_over = $9 WHERE id = $1`, id, c.Rows, c.Inserted, c.Updated, c.Unchanged, c.Duplicate, c.Invalid, c.Stray, c.PassedOver)
	return err
}

// StoreCounts publishes what the preview found.
func (r *Run) StoreCounts(ctx context.Context, c Counts) error {
	return r.finish(ctx, func(tx *sqldb.Tx) error { return storeCounts(ctx, tx, r.Batch.ID, c) })
}

// SetKind notes what the operation took a file for.
func (r *Run) SetKind(ctx context.Context, file int, kind string) error {
	r.Batch.Files[file].Kind = kind
	return r.Tx(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE batch_files SET kind = $3 WHERE batch_id = $1 AND position = $2", r.Batch.ID, file, kind)
		return err
	})
}

// SetWork keeps what the operation must know again after a crash.
func (r *Run) SetWork(ctx context.Context, tx *sqldb.Tx, work any) error {
	b, err := json.Marshal(work)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE batches SET work = $2 WHERE id = $1", r.Batch.ID, string(b))
	if err == nil {
		r.Batch.Work = b
	}
	return err
}

// DropWork forgets what SetWork kept: the operation has not begun after all.
func (r *Run) DropWork(ctx context.Context) error {
	err := r.Tx(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE batches SET work = '' WHERE id = $1", r.Batch.ID)
		return err
	})
	if err == nil {
		r.Batch.Work = nil
	}
	return err
}

// DB is the database that the run works on.
func (r *Run) DB() *sqldb.DB { return r.engine.DB }

// Blobs is where files are kept.
func (r *Run) Blobs() blob.Store { return r.engine.Blobs }

// Open opens a frozen file.
func (r *Run) Open(file int) (*blob.File, error) {
	f, err := r.engine.Blobs.Open(r.ctx, r.Batch.Files[file].Hash)
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.Wrap(fault.NotFound, errNotHere, "%s, as batch %d keeps it, is not in the data directory of this process; run it where it was made", r.Batch.Files[file].Name, r.Batch.ID)
	}
	return f, err
}

// Scratch makes a directory of the run's own for what may vanish.
func (r *Run) Scratch() (dir string, remove func(), err error) { return r.engine.scratch(r.Batch.ID) }

// Handle is the directory in the hands of whom the batch acts for, with the rights and the scope that they have by now:
// its owner, or, when it takes back, whoever asked for that.
func (r *Run) Handle(ctx context.Context) (*directory.Handle, error) {
	actor, err := r.engine.actorOf(ctx, r.Batch)
	if err != nil {
		return nil, err
	}
	return r.engine.Directory.As(actor), nil
}

// Nobody is the directory in the hands of nobody, who may do nothing: for what is left to tell of when whoever the batch acts
// for may not act any more.
func (r *Run) Nobody() *directory.Handle { return r.engine.Directory.As(directory.Actor{}) }

// Now is the time, in microseconds, for what the run writes.
func (r *Run) Now() int64 { return r.engine.now() }

// Tx runs fn in a transaction that commits only while this process holds the lease, and renews it.
func (r *Run) Tx(ctx context.Context, fn func(*sqldb.Tx) error) error {
	return r.engine.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return r.fence(ctx, tx)
	})
}

// finish is Tx for what must be written even when the run's context has just ended.
func (r *Run) finish(ctx context.Context, fn func(*sqldb.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return r.engine.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		// Before the rest: letting go of the lease is part of it.
		if err := r.fence(ctx, tx); err != nil {
			return err
		}
		return fn(tx)
	})
}

// fence demands the lease, renews it, and publishes progress.
func (r *Run) fence(ctx context.Context, tx *sqldb.Tx) error {
	now, p := r.engine.now(), phase{}
	if current := r.phase.Load(); current != nil {
		p = *current
	}
	cancel, held, err := sqldb.One[int](ctx, tx, `UPDATE batches SET lease_until = $3, phase = $4, done = $5, total = $6,
		phase_started_at = $7, phase_from = $8, published_at = $9
		WHERE id = $1 AND lease_token = $2 RETURNING cancel`,
		r.Batch.ID, r.token, now+Lease.Microseconds(), p.name, r.done.Load(), r.total.Load(), p.started, p.from, now)
	if err != nil {
		return err
	}
	if !held {
		return errLost
	}
	r.cancel.Store(cancel != 0)
	r.renewed.Store(time.Now().UnixNano())
	return nil
}

// phase is what a run is at: since when (microseconds), and how much of it was done then.
type phase struct {
	name          string
	started, from int64
}

// Progress says how far the phase is; the next renewal publishes it.
func (r *Run) Progress(name string, done, total int64) {
	if p := r.phase.Load(); p == nil || p.name != name {
		r.phase.CompareAndSwap(p, &phase{name: name, started: r.engine.now(), from: done})
	}
	r.done.Store(done)
	r.total.Store(total)
	r.show(false)
}

// show tells the watcher, ten times a second at most.
func (r *Run) show(now bool) {
	t := time.Now().UnixNano()
	last := r.shown.Load()
	if !now && t-last < int64(100*time.Millisecond) || !r.shown.CompareAndSwap(last, t) {
		return
	}
	b := *r.Batch
	if p := r.phase.Load(); p != nil {
		b.Phase, b.PhaseStarted, b.PhaseFrom = p.name, at(p.started), p.from
	}
	b.Done, b.Total = r.done.Load(), r.total.Load()
	r.watch(&b)
}
