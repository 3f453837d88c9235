package useredit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
)

// Undo makes the value again, if it was deleted, and gives it back to everybody whom the journal tells of and whom
// nobody changed since.
func (op *Operation) Undo(ctx context.Context, run *batch.Run) error {
	r, err := op.load(ctx, run)
	if err == nil {
		r.handle, err = run.Handle(ctx)
	}
	if err != nil {
		return err
	}
	u := &undoing{replacing: r, left: map[int64]bool{}}
	if err := u.bringBack(ctx); err != nil {
		return err
	}
	earlier, err := run.Undone(ctx)
	if err != nil {
		return err
	}
	for _, c := range earlier {
		u.part, u.restored = max(u.part, c.Part+1), u.restored+c.Changed
	}
	if r.changed, err = directory.CountChanges(ctx, run.DB().Read(), run.Batch.ID); err != nil {
		return err
	}
	for again := true; again; {
		if r.values, err = r.handle.PrepareRestoring(ctx, run.DB().Read(), u.wanted()); err != nil {
			return err
		}
		err = u.takeBack(ctx)
		u.part++
		// What it was judged by has changed: the rest is judged again.
		if again = errors.Is(err, directory.ErrConfigurationChanged); err != nil && !again {
			return err
		}
	}
	return run.WriteReport(ctx, batch.UndoReport, u.kept(ctx))
}

type undoing struct {
	*replacing
	part     int64 // no earlier undo has a chunk of it
	restored int64
	left     map[int64]bool // who stays, as nobody else would be administrator
}

// wanted is the replacement whose reverse this is; the value may have another id by now.
func (u *undoing) wanted() directory.Replacement {
	w := u.options.replacement()
	if u.work.BroughtBack != 0 {
		w.From = u.work.BroughtBack
	}
	return w
}

// bringBack makes the value again that the batch has deleted.
func (u *undoing) bringBack(ctx context.Context) error {
	if u.work.Deleted == nil || u.work.BroughtBack != 0 {
		return nil
	}
	w := u.work
	err := u.run.Tx(ctx, func(tx *sqldb.Tx) (err error) {
		w = u.work
		wanted := u.options.replacement()
		if w.BroughtBack, err = u.handle.BringBack(ctx, tx, wanted, w.Deleted, u.run.Batch.ID); err != nil {
			return err
		}
		wanted.From = w.BroughtBack
		if _, err := u.handle.PrepareRestoring(ctx, tx, wanted); err != nil {
			return err
		}
		return u.run.SetWork(ctx, tx, w)
	})
	if err == nil {
		u.work = w
	}
	return err
}

// takeBack gives back chunk by chunk, and last to those who are put off.
func (u *undoing) takeBack(ctx context.Context) error {
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

// chunk gives back to some users behind the one given. next is where to go on, 0 at the end.
func (u *undoing) chunk(ctx context.Context, after int64) (next int64, putOff []int64, err error) {
	changed := int64(0)
	err = u.run.Chunk(ctx, func(tx *sqldb.Tx) (batch.Chunk, error) {
		next, putOff, changed = after, nil, 0
		c := batch.Chunk{Part: u.part, First: after}
		if err := u.values.Begin(ctx, tx); err != nil {
			return c, err
		}
		began, stamp := time.Now(), u.stamp()
		for looked := 0; looked < u.op.chunkUsers(); looked += u.op.pieceUsers() {
			ids, late, end, err := u.values.RestorePiece(ctx, tx, stamp, next, u.op.pieceUsers())
			if err != nil {
				return c, err
			}
			changed, putOff = changed+int64(len(ids)), append(putOff, late...)
			if next = end; end == 0 || enough(u.run.DB(), began) {
				break
			}
		}
		c.Last, c.Changed = next, changed
		return c, nil
	})
	if err == nil {
		u.count(changed)
	}
	return next, putOff, err
}

func (u *undoing) count(changed int64) {
	u.restored += changed
	u.run.Progress("undoing", u.restored, u.changed)
}

func (u *undoing) last(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	changed := 0
	err := u.run.Chunk(ctx, func(tx *sqldb.Tx) (batch.Chunk, error) {
		if err := u.values.Begin(ctx, tx); err != nil {
			return batch.Chunk{}, err
		}
		done, err := u.values.RestoreLast(ctx, tx, u.stamp(), ids)
		if changed = len(done); err != nil || changed == 0 {
			return batch.Chunk{}, err
		}
		// Below all others of the part: those begin at users, or at 0.
		return batch.Chunk{Part: u.part, First: -done[0], Last: done[changed-1], Changed: int64(changed)}, nil
	})
	if err == nil {
		u.count(int64(changed))
	}
	return err
}

// kept lists whom the undo leaves.
func (u *undoing) kept(ctx context.Context) iter.Seq2[batch.Entry, error] {
	return func(yield func(batch.Entry, error) bool) {
		row := int64(0)
		for k, err := range u.values.KeptChanges(ctx, u.run.DB().Read(), u.run.Batch.ID) {
			row++
			if !yield(u.keptEntry(row, &k), err) || err != nil {
				return
			}
		}
	}
}

func (u *undoing) keptEntry(row int64, k *directory.KeptChange) batch.Entry {
	noun, name := u.options.Kind.Noun(), u.options.FromName
	p := directory.Problem{Row: row, LANID: k.LANID, Column: u.options.column(), Severity: directory.Warning, Value: k.LANID}
	switch {
	case k.LANID == "":
		p.Code, p.Message = "undo.gone", "A user whom this changed is not in the directory any more."
	case k.Changed:
		p.Code, p.Message = "undo.changed_since", k.LANID+" stays as they are: somebody changed this user since."
	case k.OutOfScope:
		p.Code, p.Message = "undo.out_of_scope", k.LANID+" stays as they are: the user's org unit is outside the access role of whoever asked for the undo; ask somebody whose access role covers it."
	case u.left[k.ID]:
		p.Code, p.Message = "undo.last_administrator", k.LANID+" stays as they are: nobody else would be left who can sign in and manage users and roles everywhere."
	case k.TooMuch:
		p.Code, p.Message = "undo.too_much", fmt.Sprintf("%s does not get the %s %q back: with it they could do more than whoever asked for the undo.", k.LANID, noun, name)
	default:
		p.Code, p.Message = "undo.not_now", k.LANID+" was being changed by somebody else; undo once more."
	}
	return batch.Entry{Row: row, LANID: k.LANID, Outcome: directory.Updated, Problems: []directory.Problem{p}}
}
