package useredit

import (
	"context"
	"errors"
	"iter"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
)

// Undo puts back what the journal tells of everybody whom nobody changed since.
func (op *Editing) Undo(ctx context.Context, run *batch.Run) error {
	r, err := op.load(ctx, run)
	if err == nil {
		r.handle, err = run.Handle(ctx)
	}
	if err != nil {
		return err
	}
	u := &unediting{editing: r, left: map[int64]bool{}}
	earlier, err := run.Undone(ctx)
	if err != nil {
		return err
	}
	for _, c := range earlier {
		u.part, u.restored = max(u.part, c.Part+1), u.restored+c.Changed
	}
	r.changed = run.Batch.Counts.Updated
	for again := true; again; {
		if r.values, err = r.handle.PrepareBulkUndo(ctx, run.DB().Read(), r.options.bulk(), run.Batch.ID); err != nil {
			return err
		}
		if err = u.turn(ctx, func(*sqldb.Tx) error { return nil }); err == nil {
			err = u.takeBack(ctx)
		}
		u.part++
		// What it was judged by has changed: the rest is judged again.
		if again = errors.Is(err, directory.ErrConfigurationChanged); err != nil && !again {
			return err
		}
	}
	return run.WriteReport(ctx, batch.UndoReport, u.kept(ctx))
}

// unediting is an undo of an edit under way.
type unediting struct {
	*editing
	part     int64 // no earlier undo has a chunk of it
	restored int64
	left     map[int64]bool // who stays, as nobody else would be administrator
}

// takeBack puts back chunk by chunk, and last for those who are put off.
func (u *unediting) takeBack(ctx context.Context) error {
	u.run.Progress("undoing", u.restored, u.changed)
	var putOff []int64
	for after := int64(0); ; {
		next, late, err := u.chunk(ctx, after)
		if err != nil {
			return err
		}
		putOff = append(putOff, late...)
		if after = next; after == 0 {
			break
		}
	}
	err := u.last(ctx, putOff)
	if !errors.Is(err, directory.ErrLastAdministrator) {
		return err
	}
	for _, id := range putOff {
		err := u.last(ctx, []int64{id})
		if u.left[id] = errors.Is(err, directory.ErrLastAdministrator); err != nil && !u.left[id] {
			return err
		}
	}
	return nil
}

// chunk puts back some users behind the one given. next is where to go on, 0 at the end.
func (u *unediting) chunk(ctx context.Context, after int64) (next int64, putOff []int64, err error) {
	restored := int64(0)
	err = u.run.Chunk(ctx, func(tx *sqldb.Tx) (batch.Chunk, error) {
		next, putOff, restored = after, nil, 0
		c := batch.Chunk{Part: u.part, First: after}
		if err := u.values.Begin(ctx, tx); err != nil {
			return c, err
		}
		began, stamp := time.Now(), u.stamp()
		for looked := 0; looked < u.op.chunkUsers(); looked += u.pieceUsers() {
			n, late, end, err := u.values.RestorePiece(ctx, tx, stamp, next, u.pieceUsers())
			if err != nil {
				return c, err
			}
			restored, putOff = restored+n, append(putOff, late...)
			if next = end; end == 0 || over(u.run.DB(), began) {
				break
			}
		}
		c.Last, c.Changed = next, restored
		return c, nil
	})
	if err == nil {
		u.count(restored)
	}
	return next, putOff, err
}

func (u *unediting) count(restored int64) {
	u.restored += restored
	u.run.Progress("undoing", u.restored, u.changed)
}

func (u *unediting) last(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	restored := int64(0)
	err := u.run.Chunk(ctx, func(tx *sqldb.Tx) (batch.Chunk, error) {
		if err := u.values.Begin(ctx, tx); err != nil {
			return batch.Chunk{}, err
		}
		var err error
		if restored, err = u.values.RestoreLast(ctx, tx, u.stamp(), ids); err != nil || restored == 0 {
			return batch.Chunk{}, err
		}
		// Below all others of the part: those begin at users, or at 0.
		return batch.Chunk{Part: u.part, First: -ids[0], Last: ids[len(ids)-1], Changed: restored}, nil
	})
	if err == nil {
		u.count(restored)
	}
	return err
}

// kept lists whom the undo leaves.
func (u *unediting) kept(ctx context.Context) iter.Seq2[batch.Entry, error] {
	return func(yield func(batch.Entry, error) bool) {
		row := int64(0)
		for k, err := range u.values.Kept(ctx, u.run.DB().Read(), u.run.Batch.ID) {
			row++
			if !yield(u.keptEntry(row, &k), err) || err != nil {
				return
			}
		}
	}
}

func (u *unediting) keptEntry(row int64, k *directory.BulkKept) batch.Entry {
	p := directory.Problem{Row: row, LANID: k.LANID, Severity: directory.Warning, Value: k.LANID}
	switch {
	case k.LANID == "":
		p.Code, p.Message = "undo.gone", "A user whom this changed is not in the directory any more."
	case k.Changed:
		p.Code, p.Message = "undo.changed_since", k.LANID+" stays as they are: somebody changed this user since."
	case k.OutOfScope:
		p.Code, p.Message = "undo.out_of_scope", k.LANID+" stays as they are: the user's org unit is outside the access role of whoever asked for the undo; ask somebody whose access role covers it."
	case k.Stays > 0:
		why := u.values.Stays()[k.Stays-1]
		p.Code, p.Column, p.Message = why.Code, why.Column, why.Message(k.LANID)
	case u.left[k.ID]:
		p.Code, p.Message = "undo.last_administrator", k.LANID+" stays as they are: nobody else would be left who can sign in and manage users and roles everywhere."
	default:
		p.Code, p.Message = "undo.not_now", k.LANID+" was being changed by somebody else; undo once more."
	}
	return batch.Entry{Row: row, LANID: k.LANID, Outcome: directory.Updated, Problems: []directory.Problem{p}}
}
