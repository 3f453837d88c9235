package useredit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/useredit"
)

// drawRoleEdit returns what is to be done, and the roles' names.
func (h *house) drawRoleEdit(t *rapid.T) (useredit.Edit, []string) {
	t.Helper()
	mode := rapid.SampledFrom([]directory.RoleMode{directory.AddRoles, directory.RemoveRoles, directory.SetRoles}).Draw(t, "mode")
	roles := rapid.SliceOfNDistinct(rapid.SampledFrom(everyone[directory.RoleValue]), 0, 3, rapid.ID).Draw(t, "which roles")
	e := h.roleEdit(t, mode, roles...)
	e.Preview = rapid.Bool().Draw(t, "preview")
	return e, roles
}

func (h *house) drawSet(t *rapid.T) []int64 {
	t.Helper()
	return rapid.SliceOfNDistinct(rapid.Int64Range(1, h.users+1), 1, int(h.users), rapid.ID).Draw(t, "set")
}

// shouldHold is who should hold what, line by line as held has it, where everybody of the set is changed.
func (h *house) shouldHold(t failer, mode directory.RoleMode, roles []string, ids []int64) (want []string, changed int64) {
	t.Helper()
	for _, l := range h.held(t) {
		cells := strings.Split(l, " | ")
		var id int64
		fmt.Sscanf(cells[0], "u%d", &id)
		if !slices.Contains(ids, id) {
			want = append(want, l)
			continue
		}
		held := slices.DeleteFunc(strings.Split(cells[4], ", "), func(r string) bool { return r == "-" })
		switch mode {
		case directory.AddRoles:
			held = append(held, roles...)
		case directory.RemoveRoles:
			held = slices.DeleteFunc(held, func(r string) bool { return slices.Contains(roles, r) })
		default:
			held = slices.Clone(roles)
		}
		slices.Sort(held)
		if held = slices.Compact(held); len(held) == 0 {
			held = []string{"-"}
		}
		cells[4] = strings.Join(held, ", ")
		if want = append(want, strings.Join(cells, " | ")); want[len(want)-1] != l {
			changed++
		}
	}
	return want, changed
}

// Whatever roles are given and taken by whom: what was said before is what happens, counts are true, nobody ends with more
// than the actor may give, an administrator stays, and undo is the identity.
func TestRolesAnything(t *testing.T) {
	property(t, func(t *rapid.T, h *house) {
		ctx := context.Background()
		h.populate(t)
		a := h.drawActor(t)
		e, roles := h.drawRoleEdit(t)
		ids := h.drawSet(t)
		before, power := h.held(t), h.power(t)
		had, err := h.dir.HasAdministrator(ctx, h.db.Read())
		if err != nil {
			t.Fatal(err)
		}
		want, changed := h.shouldHold(t, e.Roles.Mode, roles, ids)
		set, err := useredit.Freeze(ctx, h.engine, a, useredit.Source{IDs: ids})
		if err != nil {
			if k := fault.KindOf(err); k != fault.NotFound && k != fault.Forbidden {
				t.Fatal(err)
			}
			return
		}
		says, err := useredit.Consequence(ctx, h.engine, a, set.ID, e)
		if err != nil {
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.Forbidden {
				t.Fatal(err)
			}
			if _, err := useredit.CreateEdit(ctx, h.engine, a, set.ID, e); err == nil {
				t.Fatal("it is made, though it has no consequences to tell")
			}
			return
		}
		b := h.carryOut(t, a, set, e, before)
		h.saidSo(t, says, b)
		h.rowsAreTrue(t, b)
		if a.IsSystem() && b.Counts.Invalid == 0 {
			if d := cmp.Diff(want, h.held(t)); d != "" || b.Counts.Updated != changed {
				t.Fatalf("%d instead of %d changed; -want +got:\n%s", b.Counts.Updated, changed, d)
			}
		}
		if more := h.stronger(t, a, power); len(more) > 0 && !a.IsSystem() {
			t.Fatalf("somebody became stronger than the actor may make them: %v", more)
		}
		if has, err := h.dir.HasAdministrator(ctx, h.db.Read()); err != nil || had && !has {
			t.Fatalf("the last administrator is gone: %v", err)
		}
		h.sound(t)
		h.takenBack(t, h.undo(t, b.ID), before)
		h.sound(t)
	})
}

// carryOut makes the batch and runs it, with its preview where it has one.
func (h *house) carryOut(t *rapid.T, a directory.Actor, set *useredit.Set, e useredit.Edit, before []string) *batch.Batch {
	t.Helper()
	b, err := useredit.CreateEdit(context.Background(), h.engine, a, set.ID, e)
	if err != nil {
		t.Fatal(err)
	}
	if b = h.execute(t, b.ID); e.Preview {
		if d := cmp.Diff(before, h.held(t)); d != "" || b.State != batch.Ready {
			t.Fatalf("%s, and a preview changed something:\n%s", b.State, d)
		}
		h.rowsAreTrue(t, b)
		preview := b.Counts
		if b = h.apply(t, b); b.Counts != preview {
			t.Fatalf("previewed %+v, came out %+v", preview, b.Counts)
		}
	}
	return b
}

// saidSo compares what was said before with what came of it.
func (h *house) saidSo(t *rapid.T, says *useredit.Consequences, b *batch.Batch) {
	t.Helper()
	left := int64(0)
	for _, l := range says.Left {
		left += l.Users
	}
	want := batch.Counts{Rows: says.Users, Updated: says.Changes, Unchanged: says.Same, Invalid: left}
	if b.Counts != want || b.State != batch.Done {
		t.Fatalf("%s: said %+v, came out %+v", b.State, want, b.Counts)
	}
	var gain, lose int64
	for _, r := range says.Roles {
		gain, lose = gain+r.Gain, lose+r.Lose
		if n := h.number(t, "SELECT count(*) FROM user_changes WHERE batch_id = $1 AND after = $2", b.ID, r.ID); n != r.Gain {
			t.Fatalf("%d get %s, not %d", n, r.Name, r.Gain)
		}
		if n := h.number(t, "SELECT count(*) FROM user_changes WHERE batch_id = $1 AND before = $2", b.ID, r.ID); n != r.Lose {
			t.Fatalf("%d lose %s, not %d", n, r.Name, r.Lose)
		}
	}
	without := h.number(t, "SELECT count(*) FROM users u WHERE NOT EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = u.id) AND EXISTS (SELECT 1 FROM user_changes j WHERE j.batch_id = $1 AND j.user_id = u.id)", b.ID)
	if says.Without < without || says.Without > without+says.Same {
		t.Fatalf("%d end without a role, %d and %d who are the same were said", without, says.Without, says.Same)
	}
	w, err := useredit.EditWorkOf(b)
	if err != nil || w.Gained != gain || w.Lost != lose {
		t.Fatalf("%+v, %v; %d given and %d taken were said", w, err, gain, lose)
	}
}

// rowsAreTrue makes sure that the pages of rows have as many of each outcome as are counted, and that those are changed whom
// the journal names.
func (h *house) rowsAreTrue(t *rapid.T, b *batch.Batch) {
	t.Helper()
	c := b.Counts
	if c.Rows != c.Updated+c.Unchanged+c.Invalid {
		t.Fatalf("%+v", c)
	}
	for outcome, want := range map[directory.Outcome]int64{directory.Updated: c.Updated, directory.Unchanged: c.Unchanged, directory.Invalid: c.Invalid} {
		if rows := h.rows(t, b, useredit.RowsQuery{Outcome: outcome, Limit: 3}); int64(len(rows)) != want {
			t.Fatalf("%s: %d rows of %d that are %s", b.State, len(rows), want, outcome)
		}
	}
	if b.State != batch.Done {
		return
	}
	if n := h.number(t, "SELECT count(DISTINCT user_id) FROM user_changes WHERE batch_id = $1", b.ID); n != c.Updated {
		t.Fatalf("the journal has %d: %+v", n, c)
	}
}

// rows are all rows of an edit, a page at a time.
func (h *house) rows(t failer, b *batch.Batch, q useredit.RowsQuery) (all []useredit.Row) {
	t.Helper()
	for {
		rows, next, err := useredit.EditPage(context.Background(), h.engine, system, b, q)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rows...)
		if q.After = next; next == 0 {
			return all
		}
	}
}

// Others change users all the while: nothing of theirs is lost, each user is changed once, the counts are exact, and undo
// puts back exactly those whom nobody changed since, and lists the others.
func TestRolesWhileOthersEdit(t *testing.T) {
	property(t, func(t *rapid.T, h *house) {
		ctx := context.Background()
		h.populate(t)
		e, _ := h.drawRoleEdit(t)
		ids := h.drawSet(t)
		had, err := h.dir.HasAdministrator(ctx, h.db.Read())
		if err != nil {
			t.Fatal(err)
		}
		set, err := useredit.Freeze(ctx, h.engine, system, useredit.Source{IDs: ids})
		if err != nil {
			return
		}
		b, err := useredit.CreateEdit(ctx, h.engine, system, set.ID, e)
		if err != nil {
			return
		}
		others := h.meddle(t)
		if b = h.execute(t, b.ID); b.State == batch.Ready {
			b = h.apply(t, b)
		}
		others()
		h.rowsAreTrue(t, b)
		if odd := h.lines(t, `SELECT DISTINCT u.lan_id FROM users u JOIN user_changes j ON j.user_id = u.id WHERE u.version < j.version OR u.version = j.version AND u.changed_by <> 'system'`); len(odd) > 0 {
			t.Fatalf("the journal is not true of %v", odd)
		}
		if has, err := h.dir.HasAdministrator(ctx, h.db.Read()); err != nil || had && !has {
			t.Fatalf("the last administrator is gone: %v", err)
		}
		h.sound(t)
		still := h.lines(t, "SELECT DISTINCT u.lan_id FROM users u JOIN user_changes j ON j.user_id = u.id AND j.version = u.version")
		others = h.meddle(t)
		b = h.undo(t, b.ID)
		others()
		h.sound(t)
		kept := h.kept(t, b)
		if int(b.Undone)+len(kept) != int(b.Counts.Updated) || int(b.Undone) > len(still) {
			t.Fatalf("%d undone of %d that were as left, kept %v: %+v", b.Undone, len(still), kept, b.Counts)
		}
		if lost := h.lines(t, "SELECT u.lan_id FROM users u WHERE u.last_name = 'Changed' AND u.changed_by NOT IN ('other', 'system')"); len(lost) > 0 {
			t.Fatalf("changes of others are lost: %v", lost)
		}
	})
}

// An edit that is interrupted anywhere, a few times, ends as one that is not; each user is changed once; so is its undo.
func TestRolesInterrupted(t *testing.T) {
	property(t, func(t *rapid.T, h *house) {
		ctx := context.Background()
		h.populate(t)
		e, roles := h.drawRoleEdit(t)
		ids := h.drawSet(t)
		before := h.held(t)
		want, changed := h.shouldHold(t, e.Roles.Mode, roles, ids)
		set, err := useredit.Freeze(ctx, h.engine, system, useredit.Source{IDs: ids})
		if err != nil {
			return
		}
		b, err := useredit.CreateEdit(ctx, h.engine, system, set.ID, e)
		if err != nil {
			return
		}
		h.interrupt(t, b.ID)
		if b = h.execute(t, b.ID); b.State == batch.Ready {
			if err := h.engine.Apply(ctx, system, b.ID, b.Guard.Users); err != nil {
				t.Fatal(err)
			}
			h.interrupt(t, b.ID)
			b = h.execute(t, b.ID)
		}
		h.rowsAreTrue(t, b)
		if b.Counts.Invalid == 0 {
			if d := cmp.Diff(want, h.held(t)); d != "" || b.Counts.Updated != changed {
				t.Fatalf("%+v, %d should change; -want +got:\n%s", b.Counts, changed, d)
			}
		}
		if n := h.number(t, "SELECT count(*) FROM users u JOIN user_changes j ON j.user_id = u.id WHERE j.batch_id = $1 AND j.version <> u.version", b.ID); n > 0 {
			t.Fatalf("%d users were changed more than once", n)
		}
		if err := h.engine.Undo(ctx, system, b.ID); err != nil {
			t.Fatal(err)
		}
		h.interrupt(t, b.ID)
		b = h.execute(t, b.ID)
		h.takenBack(t, b, before)
		h.sound(t)
	})
}
