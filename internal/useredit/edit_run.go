package useredit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Editing runs the edits of sets of users. PieceUsers and ChunkUsers are how many are written between two looks at whether
// somebody waits, and in one transaction; 0 is the default, which suits all but tests.
type Editing struct{ PieceUsers, ChunkUsers int }

const (
	defaultEditPiece         = 4_000
	defaultEditPiecePostgres = 2_000 // each takes several times as long
	defaultEditChunk         = 40_000
)

func (op *Editing) chunkUsers() int { return cmp.Or(op.ChunkUsers, defaultEditChunk) }

func (r *editing) pieceUsers() int {
	if r.run.DB().Engine == sqldb.Postgres {
		return cmp.Or(r.op.PieceUsers, defaultEditPiecePostgres)
	}
	return cmp.Or(r.op.PieceUsers, defaultEditPiece)
}

// editing is one edit under way.
type editing struct {
	op      *Editing
	run     *batch.Run
	options EditOptions
	work    EditWork
	handle  *directory.Handle
	values  *directory.BulkEditing
	changed int64 // users, so far
	placed  int64 // all before this place of the set had their turn
	lasts   int64 // chunks of those who were put off, so far

	// quiet are the blocks, by the place they begin at, of which there is nothing to say: everybody was changed, as frozen.
	quiet map[int64]bool
	// What is left to do is to tell how it ended.
	ended, cancelled bool
}

// Prepare judges all who are frozen, and writes the report.
func (op *Editing) Prepare(ctx context.Context, run *batch.Run) (batch.Prepared, error) {
	r, err := op.load(ctx, run)
	if err != nil {
		return nil, err
	}
	if err := r.findPlace(ctx); err != nil {
		return nil, err
	}
	if run.Batch.State == batch.Checking && len(run.Batch.Work) > 0 {
		// It was let go on, changed nobody, and has to be decided about again.
		r.work = EditWork{}
		if err := run.DropWork(ctx); err != nil {
			return nil, err
		}
	}
	if err := r.judge(ctx); err != nil {
		return nil, r.giveUp(ctx, err)
	}
	if run.Batch.State != batch.Checking && (r.changed > 0 || len(r.work.PutOff) > 0 || r.work.Over) {
		return r, nil // the report is written at the end
	}
	if run.Batch.State != batch.Checking {
		return r, r.recount(ctx)
	}
	return r, r.check(ctx)
}

func (op *Editing) load(ctx context.Context, run *batch.Run) (r *editing, err error) {
	r = &editing{op: op, run: run, quiet: map[int64]bool{}}
	if r.options, err = EditOf(run.Batch); err != nil {
		return nil, err
	}
	if r.options.bulk() == nil {
		return nil, fmt.Errorf("batch %d does not say what is to be done to its users", run.Batch.ID)
	}
	r.work, err = EditWorkOf(run.Batch)
	return r, err
}

// findPlace finds out how far earlier processes have come.
func (r *editing) findPlace(ctx context.Context) error {
	chunks, err := r.run.Chunks(ctx)
	for _, c := range chunks {
		r.changed += c.Changed
		if c.Part == mostPart {
			r.placed = max(r.placed, c.Last)
		} else {
			r.lasts = max(r.lasts, c.First+1)
		}
	}
	return err
}

// judge looks whether whom the batch acts for may do this.
func (r *editing) judge(ctx context.Context) (err error) {
	if r.handle, err = r.run.Handle(ctx); err == nil {
		r.values, err = r.handle.PrepareBulkEdit(ctx, r.run.DB().Read(), r.options.bulk(), false)
	}
	if fault.KindOf(err) == fault.Forbidden && r.work.Over {
		// By what was done they may have lost the rights that it took.
		return r.tellOnly(ctx)
	}
	return err
}

// tellOnly prepares for telling how it ended.
func (r *editing) tellOnly(ctx context.Context) (err error) {
	if r.handle == nil {
		r.handle = r.run.Nobody()
	}
	r.values, err = r.handle.PrepareBulkEdit(ctx, r.run.DB().Read(), r.options.bulk(), true)
	return err
}

// giveUp sees to it that an edit which cannot go on, as they who made it may not any more, tells of what it did: its counts
// were those of the check. It returns the cause.
func (r *editing) giveUp(ctx context.Context, cause error) error {
	if !final(cause) {
		return cause
	}
	counts := batch.Counts{}
	if r.run.Batch.State == batch.Applying {
		err := r.tellOnly(ctx)
		if err == nil {
			counts, err = r.conclude(ctx, true)
		}
		if fault.KindOf(err) == fault.NotFound { // what it gives is gone
			counts, err = batch.Counts{Rows: r.options.Users, Updated: r.changed}, nil
		}
		if err != nil {
			return errors.Join(cause, err)
		}
	}
	return errors.Join(cause, r.run.StoreCounts(ctx, counts))
}

// Close is there for the engine: an edit keeps nothing open.
func (r *editing) Close() error { return nil }

// blocks yields the set that the batch was made of.
func (r *editing) blocks() iter.Seq2[userBlock, error] {
	return func(yield func(userBlock, error) bool) {
		f, err := r.run.Open(0)
		if err != nil {
			yield(userBlock{}, err)
			return
		}
		defer f.Close()
		readSet(f, r.pieceUsers())(yield)
	}
}

// waiting are those of the block whose turn it has not been yet.
func (r *editing) waiting(b userBlock) (userBlock, bool) {
	had := min(max(r.placed-b.from, 0), int64(len(b.ids)))
	return userBlock{from: b.from + had, ids: b.ids[had:], versions: b.versions[had:]}, had < int64(len(b.ids))
}

func (r *editing) progress() { r.run.Progress("applying", r.changed, r.options.Users) }

func (r *editing) stamp() directory.Stamp {
	return directory.Stamp{BatchID: r.run.Batch.ID, By: r.handle.Actor().Name(), At: r.run.Now()}
}

// over ends a chunk early: after chunkTime, and on SQLite, where one sees it, when somebody waits.
func over(db *sqldb.DB, began time.Time) bool {
	return time.Since(began) > chunkTime || db.Waiting()
}
