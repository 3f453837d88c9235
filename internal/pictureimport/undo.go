package pictureimport

import (
	"context"
	"errors"
	"iter"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
)

// Undo gives everybody whom the journal tells of, and whom nobody changed since, the picture back that they had before,
// byte for byte, or none.
func (op *Operation) Undo(ctx context.Context, run *batch.Run) error {
	u := &undoing{importing: &importing{op: op, run: run}}
	if err := u.prepare(ctx); err != nil {
		return err
	}
	for {
		err := u.takeBack(ctx)
		u.part++
		if err == nil {
			break
		}
		if !errors.Is(err, directory.ErrConfigurationChanged) {
			return err
		}
		// The scope of whoever takes back is another by now: the rest is judged again.
		if err := u.load(ctx); err != nil {
			return err
		}
	}
	return run.WriteReport(ctx, batch.UndoReport, u.kept(ctx))
}

type undoing struct {
	*importing
	part           int64 // no earlier undo has a chunk of it
	restored, most int64
}

func (u *undoing) prepare(ctx context.Context) error {
	if err := u.load(ctx); err != nil {
		return err
	}
	earlier, err := u.run.Undone(ctx)
	if err != nil {
		return err
	}
	for _, c := range earlier {
		u.part, u.restored = max(u.part, c.Part+1), u.restored+c.Changed
	}
	u.most, err = directory.CountPictureChanges(ctx, u.run.DB().Read(), u.run.Batch.ID)
	return err
}

func (u *undoing) takeBack(ctx context.Context) error {
	u.run.Progress("undoing", u.restored, u.most)
	for after := int64(0); ; {
		next, err := u.chunk(ctx, after)
		if err != nil || next == 0 {
			return err
		}
		after = next
	}
}

// chunk gives back to some users behind the one given. next is where to go on, 0 at the end.
func (u *undoing) chunk(ctx context.Context, after int64) (next int64, err error) {
	changed := int64(0)
	err = u.run.Chunk(ctx, func(tx *sqldb.Tx) (batch.Chunk, error) {
		next, changed = after, 0
		c := batch.Chunk{Part: u.part, First: after}
		if err := u.writing.Begin(ctx, tx); err != nil {
			return c, err
		}
		began := time.Now()
		stamp := directory.Stamp{BatchID: u.run.Batch.ID, By: u.handle.Actor().Name(), At: u.run.Now()}
		for looked := 0; looked < u.op.chunkUsers(); looked += u.op.pieceUsers() {
			n, end, err := u.writing.RestorePiece(ctx, tx, stamp, next, u.op.pieceUsers())
			if err != nil {
				return c, err
			}
			changed += int64(len(n))
			if next = end; end == 0 || enough(u.run.DB(), began) {
				break
			}
		}
		c.Last, c.Changed = next, changed
		return c, nil
	})
	if err == nil {
		u.restored += changed
		u.run.Progress("undoing", u.restored, u.most)
	}
	return next, err
}

// kept lists whom the undo leaves.
func (u *undoing) kept(ctx context.Context) iter.Seq2[batch.Entry, error] {
	return func(yield func(batch.Entry, error) bool) {
		row := int64(0)
		for k, err := range u.writing.KeptPictures(ctx, u.run.DB().Read(), u.run.Batch.ID) {
			row++
			if !yield(keptEntry(row, &k), err) || err != nil {
				return
			}
		}
	}
}

func keptEntry(row int64, k *directory.KeptChange) batch.Entry {
	p := directory.Problem{Row: row, LANID: k.LANID, Column: pictureColumn, Severity: directory.Warning, Value: k.LANID}
	switch {
	case k.LANID == "":
		p.Code, p.Message = "undo.gone", "A user whose picture this changed is not in the directory any more."
	case k.Changed:
		p.Code, p.Message = "undo.changed_since", k.LANID+" keeps the picture: somebody changed this user since."
	case k.OutOfScope:
		p.Code, p.Message = "undo.out_of_scope", k.LANID+" keeps the picture: the user's org unit is outside the access role of whoever asked for the undo; ask somebody whose access role covers it."
	default:
		p.Code, p.Message = "undo.not_now", k.LANID+" was being changed by somebody else; undo once more."
	}
	return batch.Entry{Row: row, UserID: k.ID, LANID: k.LANID, Outcome: directory.Updated, Problems: []directory.Problem{p}}
}
