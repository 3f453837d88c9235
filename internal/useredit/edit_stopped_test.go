package useredit_test

import (
	"context"
	"testing"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/useredit"
)

// until runs the batch until the condition holds of what is committed, and ends it there as a process that is told to stop
// does. The lease has run out afterwards.
func (h *house) until(t failer, id int64, holds func(*batch.Batch) bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f := func() {
		if b, err := h.engine.Get(context.Background(), system, id); err == nil && holds(b) {
			cancel()
		}
	}
	h.tick.Store(&f)
	_, err := h.engine.Execute(ctx, id, nil)
	h.tick.Store(nil)
	if err == nil || ctx.Err() == nil {
		t.Fatalf("batch %d was not stopped: %v", id, err)
	}
	h.ahead.Add(int64(time.Hour))
}

// failing runs a batch that cannot go on.
func (h *house) failing(t *testing.T, id int64) *batch.Batch {
	t.Helper()
	_, err := h.engine.Execute(context.Background(), id, nil)
	isKind(t, err, fault.Forbidden, "")
	b, err := h.engine.Get(context.Background(), system, id)
	if err != nil || b.State != batch.Failed {
		t.Fatalf("%+v, %v", b, err)
	}
	return b
}

func (h *house) updatedRows(t failer, b *batch.Batch) int {
	t.Helper()
	rows, _, err := useredit.EditPage(context.Background(), h.engine, system, b, useredit.RowsQuery{Outcome: directory.Updated, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return len(rows)
}

// Whoever made the edit may not any more: the counts tell of what was done, not of what the preview said.
func TestEditCannotGoOn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var ids []int64
		for range 9 {
			ids = append(ids, h.add(t, somebody{unit: "UAE / Cards"}))
		}
		give := h.roleEdit(t, directory.AddRoles, "Agent")
		give.Preview = true
		a := h.person(t, "p", lead, "UAE")
		b := h.editSet(t, a, h.freeze(t, a, ids...), give)
		h.person(t, "p", []directory.Right{"users:access"}, "UAE")
		if err := h.engine.Apply(context.Background(), system, b.ID, b.Guard.Users); err != nil {
			t.Fatal(err)
		}
		b = h.failing(t, b.ID)
		same(t, "counts", batch.Counts{Rows: 9}, b.Counts)
		same(t, "first of the report", "1  not-applied", h.entries(t, b)[0])
		same(t, "rows changed, and undoable", []any{0, false}, []any{h.updatedRows(t, b), useredit.UndoableEdit(b)})

		give.Preview = false
		a = h.person(t, "p", lead, "UAE")
		c, err := useredit.CreateEdit(context.Background(), h.engine, a, h.freeze(t, a, ids...).ID, give)
		if err != nil {
			t.Fatal(err)
		}
		done := func() int64 {
			return h.number(t, "SELECT count(*) FROM user_changes WHERE batch_id = $1", c.ID)
		}
		h.until(t, c.ID, func(*batch.Batch) bool { return done() > 0 })
		h.person(t, "p", []directory.Right{"users:access"}, "UAE")
		c = h.failing(t, c.ID)
		same(t, "counts", batch.Counts{Rows: 9, Updated: done()}, c.Counts)
		same(t, "rows changed, and undoable", []any{int(done()), true}, []any{h.updatedRows(t, c), useredit.UndoableEdit(c)})
		if left := len(h.entries(t, c)); int64(left) != 9-done() || left == 0 {
			t.Errorf("%d are told to have been left, of %d changed", left, done())
		}
		if c = h.undo(t, c.ID); c.Undone != c.Counts.Updated {
			t.Errorf("%d undone", c.Undone)
		}
	})
}

// The same of a replacement.
func TestReplaceCannotGoOn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for range 9 {
			h.add(t, somebody{unit: "UAE / Cards", crm: "Siebel"})
		}
		o := h.options(t, directory.CRMNameValue, "Siebel", "Zendesk")
		o.Preview = true
		a := h.person(t, "p", lead, "UAE")
		b := h.run(t, a, o)
		h.person(t, "p", []directory.Right{"users:access"}, "UAE")
		if err := h.engine.Apply(context.Background(), system, b.ID, b.Guard.Users); err != nil {
			t.Fatal(err)
		}
		b = h.failing(t, b.ID)
		same(t, "counts", batch.Counts{Rows: 9}, b.Counts)
		same(t, "first of the report", "1  not-applied", h.entries(t, b)[0])

		o.Preview = false
		id := h.create(t, h.person(t, "p", lead, "UAE"), o)
		done := func() int64 {
			return h.number(t, "SELECT count(*) FROM user_changes WHERE batch_id = $1", id)
		}
		h.until(t, id, func(*batch.Batch) bool { return done() > 0 })
		h.person(t, "p", []directory.Right{"users:access"}, "UAE")
		b = h.failing(t, id)
		same(t, "counts", batch.Counts{Rows: 9, Updated: done()}, b.Counts)
		if left := int64(len(h.entries(t, b))); left != 9-done() || left == 0 {
			t.Errorf("%d are told to have been left, of %d changed", left, done())
		}
		if b = h.undo(t, id); b.Undone != b.Counts.Updated {
			t.Errorf("%d undone", b.Undone)
		}
	})
}

// The edit took its own maker's rights, or made them inactive, and the process died before it told how it ended: the counts
// are those that it would have told, and nobody is named to them.
func TestEditOverWithoutItsMaker(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for what, nobody := range map[string]bool{"who may not edit any more": false, "who is nobody any more": true} {
			h.clear(t)
			me := h.add(t, somebody{unit: "UAE", roles: []string{"Team Lead"}})
			other := h.add(t, somebody{unit: "UAE / Cards"})
			a := h.person(t, "u1", lead, "UAE")
			b, err := useredit.CreateEdit(context.Background(), h.engine, a, h.freeze(t, a, me, other).ID, h.roleEdit(t, directory.RemoveRoles, "Team Lead"))
			if err != nil {
				t.Fatal(err)
			}
			h.until(t, b.ID, func(b *batch.Batch) bool {
				w, err := useredit.EditWorkOf(b)
				return err == nil && w.Over
			})
			h.person(t, "u1", []directory.Right{"users:access"}, "UAE")
			known := h.engine.Actor
			if nobody {
				h.engine.Actor = func(context.Context, string, string) (directory.Actor, error) {
					return directory.Actor{}, fault.New(fault.Forbidden, "u1, who this acts for, is inactive")
				}
			}
			b = h.execute(t, b.ID)
			h.engine.Actor = known
			same(t, "state, "+what, batch.Done, b.State)
			same(t, "counts, "+what, batch.Counts{Rows: 2, Updated: 1, Unchanged: 1}, b.Counts)
			same(t, "report, "+what, []string{"2  unchanged"}, h.entries(t, b))
		}
	})
}

// A PBX ID that the edit released was given, before it came to them, to somebody whose it released as well: it goes back to
// the first, and the undo ends.
func TestReleasedTwice(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		boss := h.member(t, member{profile: directory.Supervisor, unit: "UAE", pbx: "1"})
		ann := h.member(t, member{unit: "UAE / Cards", supervisor: boss, pbx: "7"})
		everybody := []int64{ann}
		for range 3 {
			everybody = append(everybody, h.member(t, member{unit: "UAE / Cards", supervisor: boss, inactive: true}))
		}
		bob := h.member(t, member{unit: "UAE / Cards", supervisor: boss, pbx: "8"})
		b, err := h.make(system, release(), append(everybody, bob)...)
		if err != nil {
			t.Fatal(err)
		}
		h.until(t, b.ID, func(*batch.Batch) bool { return h.number(t, "SELECT count(*) FROM user_changes") > 0 })
		h.exec(t, "UPDATE users SET pbx_id = '7', version = version + 1 WHERE id = $1", bob)
		b = h.execute(t, b.ID)
		same(t, "counts", batch.Counts{Rows: 5, Updated: 2, Unchanged: 3}, b.Counts)
		if err := h.engine.Undo(context.Background(), system, b.ID); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if b, err = h.engine.Execute(ctx, b.ID, nil); err != nil {
			t.Fatal(err)
		}
		same(t, "undone", int64(1), b.Undone)
		same(t, "kept", []string{"u6 undo.pbx_id_taken"}, h.kept(t, b))
		same(t, "ann", "u2 pbx 7 in UAE / Cards under u1", h.columns(t)[1])
	})
}

// An edit that was let go on has outgrown what was confirmed before it changed anybody: it has not begun, and is a preview again.
func TestOutgrownBeginsAnew(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var ids []int64
		for range 120 {
			ids = append(ids, h.add(t, somebody{unit: "UAE / Cards", roles: []string{"Agent"}}))
		}
		ids = append(ids, h.add(t, somebody{unit: "UAE / Cards"}))
		b, err := useredit.CreateEdit(context.Background(), h.engine, system, h.freeze(t, system, ids...).ID, h.roleEdit(t, directory.AddRoles, "Agent"))
		if err != nil {
			t.Fatal(err)
		}
		h.until(t, b.ID, func(b *batch.Batch) bool { return len(b.Work) > 0 })
		h.exec(t, "DELETE FROM user_roles")
		b = h.execute(t, b.ID)
		same(t, "state", batch.Ready, b.State)
		same(t, "counts", batch.Counts{Rows: 121, Updated: 121}, b.Counts)
		same(t, "has begun", 0, len(b.Work))
		same(t, "rows", 100, h.updatedRows(t, b))
		b = h.apply(t, b)
		same(t, "counts", batch.Counts{Rows: 121, Updated: 121}, b.Counts)
	})
}
