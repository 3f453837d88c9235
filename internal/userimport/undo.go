package userimport

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
)

// Undo takes back the users that the batch inserted. It goes over their ids wave by wave: those who nobody reports to
// go first, then those whose reports are gone by now, until a wave removes nobody. Who is left has changed since, or
// has people who report to them.
func (op *Operation) Undo(ctx context.Context, run *batch.Run) error {
	var w work
	if len(run.Batch.Work) > 0 {
		if err := json.Unmarshal(run.Batch.Work, &w); err != nil {
			return fmt.Errorf("read the import's state: %w", err)
		}
	}
	handle, err := run.Handle(ctx)
	if err != nil {
		return err
	}
	u := &undoing{op: op, run: run, handle: handle, ids: w.ids()}
	earlier, err := run.Undone(ctx)
	if err != nil {
		return err
	}
	for _, c := range earlier {
		u.wave, u.removed = max(u.wave, c.Part+1), u.removed+c.Changed
	}
	run.Progress("undoing", u.removed, run.Batch.Counts.Inserted)
	for again := w.Rows > 0; again; u.wave++ {
		before := u.removed
		if err := u.takeBack(ctx); err != nil {
			return err
		}
		again = u.removed > before
	}
	return run.WriteReport(ctx, batch.UndoReport, u.kept(ctx))
}

type undoing struct {
	op     *Operation
	run    *batch.Run
	handle *directory.Handle
	ids    directory.IDs
	wave   int64

	mu      sync.Mutex
	removed int64
	next    int64
}

// takeBack is one wave.
func (u *undoing) takeBack(ctx context.Context) error {
	u.next = u.ids.First
	workers := 1
	if u.run.DB().Engine == sqldb.Postgres {
		workers = 2
	}
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for range workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				more, err := u.chunk(ctx)
				if err != nil {
					cancel(err)
				}
				if err != nil || !more {
					return
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// take gives out the next range of ids.
func (u *undoing) take() (directory.IDs, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	first := u.next
	u.next = min(u.ids.End, first+int64(u.op.pieceRows()))
	return directory.IDs{First: first, End: u.next}, first < u.ids.End
}

// chunk takes back some ranges in one transaction.
func (u *undoing) chunk(ctx context.Context) (more bool, err error) {
	ids, more := u.take()
	if !more {
		return false, nil
	}
	ranges := []directory.IDs{ids}
	removed := int64(0)
	for try := 1; ; try++ {
		err = u.run.Chunk(ctx, func(tx *sqldb.Tx) (batch.Chunk, error) {
			removed = 0
			began := time.Now()
			for i := 0; ; i++ {
				if i == len(ranges) {
					ids, more := u.take()
					if !more {
						break
					}
					ranges = append(ranges, ids)
				}
				n, err := u.handle.RemoveInserted(ctx, tx, u.run.Batch.ID, ranges[i])
				if err != nil {
					return batch.Chunk{}, err
				}
				removed += n
				if i == len(ranges)-1 && u.enough(len(ranges)*u.op.pieceRows(), began) {
					break
				}
			}
			return batch.Chunk{Part: u.wave, First: ranges[0].First, Last: ranges[len(ranges)-1].End - 1, Changed: removed}, nil
		})
		// Somebody was given one of these as supervisor just now; the next look sees it.
		if sqldb.ErrorKind(err) != sqldb.ForeignKey || try == 20 {
			break
		}
	}
	if err != nil {
		return false, err
	}
	u.mu.Lock()
	u.removed += removed
	done := u.removed
	u.mu.Unlock()
	u.run.Progress("undoing", done, u.run.Batch.Counts.Inserted)
	return true, nil
}

// undoTime ends a chunk on SQLite for those who cannot be seen waiting. It is longer than an import's: what is deleted
// lies all over the tables, and every chunk writes most of their pages.
const undoTime = 1500 * time.Millisecond

func (u *undoing) enough(rows int, began time.Time) bool {
	db := u.run.DB()
	if db.Engine == sqldb.SQLite {
		return rows >= 2*u.op.chunkRows(db.Engine) || time.Since(began) > undoTime || db.Waiting()
	}
	return rows >= u.op.chunkRows(db.Engine)
}

// kept lists whom the undo leaves, as rows without a number: what they are by now is not the file's any more.
func (u *undoing) kept(ctx context.Context) func(func(batch.Entry, error) bool) {
	return func(yield func(batch.Entry, error) bool) {
		for k, err := range u.handle.KeptInserted(ctx, u.run.DB().Read(), u.run.Batch.ID, u.ids) {
			e := batch.Entry{LANID: k.LANID, Outcome: directory.Inserted}
			p := directory.Problem{LANID: k.LANID, Column: directory.LANID.String(), Code: "undo.has_reports", Severity: directory.Warning, Value: k.LANID,
				Message: k.LANID + " stays: people report to them by now; give those another supervisor first."}
			switch {
			case k.OutOfScope:
				p.Code, p.Message = "undo.out_of_scope", k.LANID+" stays: the user's org unit is outside the access role of whoever asked for the undo; ask somebody whose access role covers it."
			case k.Changed:
				p.Code, p.Message = "undo.changed_since", k.LANID+" stays: somebody changed this user after the import."
			}
			e.Problems = []directory.Problem{p}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}
