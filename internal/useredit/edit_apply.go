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

// Apply changes those whose turn it has not been yet.
func (r *editing) Apply(ctx context.Context, run *batch.Run) (batch.Counts, error) {
	r.run = run
	var err error
	if len(run.Batch.Work) == 0 {
		// From now on there is something that an undo may have to take back.
		r.work.Keeps = nil
		err = r.turn(ctx, func(tx *sqldb.Tx) error { return run.SetWork(ctx, tx, r.work) })
	}
	if err == nil {
		err = r.apply(ctx)
	}
	if errors.Is(err, directory.ErrConfigurationChanged) {
		return batch.Counts{}, batch.ErrStale
	}
	if err != nil && !errors.Is(err, batch.ErrCancelled) {
		return batch.Counts{}, err
	}
	counts, cerr := r.conclude(ctx, err != nil)
	return counts, errors.Join(cerr, err)
}

func (r *editing) apply(ctx context.Context) error {
	if r.work.Over {
		return nil
	}
	r.progress()
	if err := r.most(ctx); err != nil {
		return err
	}
	return r.last(ctx)
}

// most changes all but those who are put off.
func (r *editing) most(ctx context.Context) error {
	next, stop := iter.Pull2(r.blocks())
	defer stop()
	var queue []userBlock
	for open := true; ; {
		for open && len(queue)*r.pieceUsers() < r.op.chunkUsers() {
			b, err, more := next()
			if err != nil {
				return err
			}
			if open = more; more {
				if b, some := r.waiting(b); some {
					queue = append(queue, b)
				}
			}
		}
		if len(queue) == 0 {
			return nil
		}
		took, err := r.chunk(ctx, queue)
		if err != nil {
			return err
		}
		queue = slices.Delete(queue, 0, took)
	}
}

// chunk changes some of the blocks, one at least, in one transaction, and returns how many.
func (r *editing) chunk(ctx context.Context, queue []userBlock) (took int, err error) {
	var done directory.BulkWritten
	var quiet []int64
	w := r.work
	err = r.run.Chunk(ctx, func(tx *sqldb.Tx) (batch.Chunk, error) {
		took, quiet, done, w = 0, nil, directory.BulkWritten{}, r.work
		c := batch.Chunk{Part: mostPart, First: queue[0].from}
		if err := r.values.Begin(ctx, tx); err != nil {
			return c, err
		}
		began, stamp := time.Now(), r.stamp()
		for i := range queue {
			b := &queue[i]
			part, err := r.values.Piece(ctx, tx, stamp, b.ids, b.sum())
			if err != nil {
				return c, err
			}
			if part.Quiet {
				quiet = append(quiet, b.from)
			}
			done.Users, done.Gained, done.Lost = done.Users+part.Users, done.Gained+part.Gained, done.Lost+part.Lost
			// Some may be there already, from a process that died.
			w.PutOff = slices.Compact(slices.Sorted(slices.Values(append(slices.Clip(w.PutOff), part.PutOff...))))
			c.Last = b.from + int64(len(b.ids))
			if took++; over(r.run.DB(), began) {
				break
			}
		}
		c.Changed = done.Users
		w.Gained, w.Lost = w.Gained+done.Gained, w.Lost+done.Lost
		if done.Users == 0 && len(w.PutOff) == len(r.work.PutOff) {
			return c, nil
		}
		return c, r.run.SetWork(ctx, tx, w)
	})
	if err != nil {
		return 0, err
	}
	for _, from := range quiet {
		r.quiet[from] = true
	}
	r.work = w
	r.changed += done.Users
	r.progress()
	return took, nil
}

// last changes those who were put off: all at once or, where the last administrator is among them, one by one, so that
// nobody else is left out for that.
func (r *editing) last(ctx context.Context) error {
	err := r.finish(ctx, r.work.PutOff, nil, true)
	if !errors.Is(err, directory.ErrLastAdministrator) {
		return err
	}
	late := slices.Clone(r.work.PutOff)
	for i, id := range late {
		err := r.finish(ctx, []int64{id}, late[i+1:], i == len(late)-1)
		if errors.Is(err, directory.ErrLastAdministrator) {
			r.work.Keeps = append(slices.Clip(r.work.Keeps), id)
			err = r.finish(ctx, nil, late[i+1:], i == len(late)-1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// finish changes users in one transaction; left are those who then still have to wait, and over says that they are the last.
func (r *editing) finish(ctx context.Context, ids, left []int64, over bool) error {
	var done directory.BulkWritten
	w := r.work
	err := r.run.Chunk(ctx, func(tx *sqldb.Tx) (c batch.Chunk, err error) {
		w = r.work
		if err := r.values.Begin(ctx, tx); err != nil {
			return c, err
		}
		if done, err = r.values.Finish(ctx, tx, r.stamp(), ids); err != nil {
			return c, err
		}
		if done.Users > 0 {
			c = batch.Chunk{Part: lastPart, First: r.lasts, Last: r.lasts, Changed: done.Users}
		}
		w.PutOff, w.Over = left, over
		w.Gained, w.Lost = w.Gained+done.Gained, w.Lost+done.Lost
		return c, r.run.SetWork(ctx, tx, w)
	})
	if err == nil {
		r.work = w
		r.lasts++
		r.changed += done.Users
		r.progress()
	}
	return err
}

// conclude returns the counts as they came out, and writes the report: of those who were simply changed the journal tells.
func (r *editing) conclude(ctx context.Context, cancelled bool) (batch.Counts, error) {
	r.ended, r.cancelled = true, cancelled
	next, stop := iter.Pull2(r.run.Previewed(ctx))
	defer stop()
	was := outcomes(next)
	counts := batch.Counts{Rows: r.options.Users}
	preview, err := r.run.HasPreview(ctx)
	if err != nil {
		return counts, err
	}
	entries := r.entries(ctx, &counts, r.wasQuiet)
	err = r.run.WriteReport(ctx, batch.ResultReport, func(yield func(batch.Entry, error) bool) {
		entries(func(e batch.Entry, err error) bool {
			if preview && err == nil && e.Outcome != directory.NotApplied {
				o := was(e.Row)
				if o == "" {
					o = directory.Updated // the preview names nobody who is simply changed
				}
				if o != e.Outcome {
					e.Was = o
				}
			}
			return yield(e, err)
		})
	})
	return counts, err
}
