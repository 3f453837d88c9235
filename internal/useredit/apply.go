package useredit

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
)

// Chunks. A piece is what is written between two looks at whether somebody waits, a chunk is the transaction. On SQLite
// others wait for a chunk at most, so it ends early when somebody does, and after chunkTime for those who cannot be seen
// waiting. On PostgreSQL whoever changes one of these users, or the configuration, waits for a chunk too.
const (
	defaultPieceUsers = 2_000
	defaultChunkUsers = 20_000
	chunkTime         = 400 * time.Millisecond
)

// The parts of what is applied: those whose own rights may hang on it come last.
const (
	mostPart = iota
	lastPart
)

// Apply changes those whom no chunk has changed yet.
func (r *replacing) Apply(ctx context.Context, run *batch.Run) (batch.Counts, error) {
	r.run = run
	if len(run.Batch.Work) == 0 {
		// From now on there is something that an undo may have to take back.
		if err := run.Tx(ctx, func(tx *sqldb.Tx) error { return run.SetWork(ctx, tx, r.work) }); err != nil {
			return batch.Counts{}, err
		}
	}
	err := r.apply(ctx)
	if errors.Is(err, directory.ErrConfigurationChanged) {
		return batch.Counts{}, batch.ErrStale
	}
	if err != nil && !errors.Is(err, batch.ErrCancelled) {
		return batch.Counts{}, err
	}
	counts, cerr := r.conclude(ctx, err != nil)
	return counts, errors.Join(cerr, err)
}

func (r *replacing) apply(ctx context.Context) error {
	if r.work.Over {
		return nil
	}
	r.progress()
	putOff, err := r.most(ctx)
	if err != nil {
		return err
	}
	return r.last(ctx, putOff)
}

func (r *replacing) progress() { r.run.Progress("applying", r.changed, r.options.Frozen) }

func (r *replacing) stamp() directory.Stamp {
	return directory.Stamp{BatchID: r.run.Batch.ID, By: r.handle.Actor().Name(), At: r.run.Now()}
}

// enough ends a chunk early on SQLite, where others wait for it.
func enough(db *sqldb.DB, began time.Time) bool {
	return db.Engine == sqldb.SQLite && (time.Since(began) > chunkTime || db.Waiting())
}

// most changes all but those who are put off, whom it returns.
func (r *replacing) most(ctx context.Context) (putOff []int64, err error) {
	next, stop := iter.Pull2(blocks(r.run, r.op.pieceUsers()))
	defer stop()
	var queue []block
	for open := true; ; {
		for open && len(queue)*r.op.pieceUsers() < r.op.chunkUsers() {
			b, err, more := next()
			if err != nil {
				return nil, err
			}
			if open = more; more {
				queue = append(queue, b)
			}
		}
		if len(queue) == 0 {
			return putOff, nil
		}
		took, late, err := r.chunk(ctx, queue)
		if err != nil {
			return nil, err
		}
		putOff = append(putOff, late...)
		queue = slices.Delete(queue, 0, took)
	}
}

// chunk changes some of the blocks, one at least, in one transaction, and returns how many.
func (r *replacing) chunk(ctx context.Context, queue []block) (took int, putOff []int64, err error) {
	changed := int64(0)
	err = r.run.Chunk(ctx, func(tx *sqldb.Tx) (batch.Chunk, error) {
		took, putOff, changed = 0, nil, 0
		c := batch.Chunk{Part: mostPart}
		if err := r.values.Begin(ctx, tx); err != nil {
			return c, err
		}
		began, stamp := time.Now(), r.stamp()
		for _, b := range queue {
			ids, late, err := r.values.Piece(ctx, tx, stamp, b.ids)
			if err != nil {
				return c, err
			}
			if len(ids) > 0 {
				if changed == 0 {
					c.First = b.place(ids[0])
				}
				c.Last = b.place(ids[len(ids)-1])
			}
			changed, putOff = changed+int64(len(ids)), append(putOff, late...)
			if took++; enough(r.run.DB(), began) {
				break
			}
		}
		c.Changed = changed
		return c, nil
	})
	if err == nil {
		r.changed += changed
		r.progress()
	}
	return took, putOff, err
}

// place is where the user of the block is in the frozen set.
func (b *block) place(id int64) int64 {
	i, _ := slices.BinarySearch(b.ids, id)
	return b.from + int64(i)
}

// last changes those who were put off: all at once or, where the last administrator is among them, one by one, so that
// nobody else is left out for that. The value is deleted with them: who acts may be one of them, and may do nothing more.
func (r *replacing) last(ctx context.Context, ids []int64) error {
	r.work.LastOnes = nil
	err := r.finish(ctx, ids, true)
	if !errors.Is(err, directory.ErrLastAdministrator) {
		return err
	}
	for _, id := range ids {
		err := r.finish(ctx, []int64{id}, false)
		switch {
		case errors.Is(err, directory.ErrLastAdministrator):
			r.work.LastOnes = append(r.work.LastOnes, id)
		case err != nil:
			return err
		}
	}
	return r.finish(ctx, nil, true)
}

// finish changes the users in one transaction; over says that they are the last.
func (r *replacing) finish(ctx context.Context, ids []int64, over bool) error {
	changed, w := 0, r.work
	err := r.run.Chunk(ctx, func(tx *sqldb.Tx) (c batch.Chunk, err error) {
		changed, w = 0, r.work
		if err := r.values.Begin(ctx, tx); err != nil {
			return c, err
		}
		stamp := r.stamp()
		if len(ids) > 0 {
			done, err := r.values.Finish(ctx, tx, stamp, ids)
			if err != nil {
				return c, err
			}
			if changed = len(done); changed > 0 {
				c = batch.Chunk{Part: lastPart, First: done[0], Last: done[changed-1], Changed: int64(changed)}
			}
		}
		if !over {
			return c, nil
		}
		if r.options.Delete {
			if w.Deleted, err = r.values.DeleteValue(ctx, tx, stamp); err != nil {
				return c, err
			}
			w.StillHeld = w.Deleted == nil
		}
		w.Over = true
		return c, r.run.SetWork(ctx, tx, w)
	})
	if err == nil {
		r.work = w
		r.changed += int64(changed)
		r.progress()
	}
	return err
}

// conclude returns the counts as they came out, and writes the report: of those who were changed the journal tells.
func (r *replacing) conclude(ctx context.Context, cancelled bool) (batch.Counts, error) {
	r.ended, r.cancelled = true, cancelled
	next, stop := iter.Pull2(r.run.Previewed(ctx))
	defer stop()
	was := outcomes(next)
	counts := r.counts()
	err := r.run.WriteReport(ctx, batch.ResultReport, r.entries(ctx, &counts, func(e *batch.Entry) bool {
		if o := was(e.Row); o != "" && o != e.Outcome && e.Outcome != directory.NotApplied {
			e.Was = o
		}
		return e.Outcome != directory.Updated
	}))
	return counts, err
}

// outcomes looks rows up in a report, in the order of the rows; "" is for those that it does not have.
func outcomes(next func() (batch.Entry, error, bool)) func(row int64) directory.Outcome {
	e, err, more := next()
	return func(row int64) directory.Outcome {
		for more && err == nil && e.Row < row {
			e, err, more = next()
		}
		if more && err == nil && e.Row == row {
			return e.Outcome
		}
		return ""
	}
}
