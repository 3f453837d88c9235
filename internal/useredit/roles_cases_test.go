package useredit_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/useredit"
)

var lead = []directory.Right{"users:access", "users:edit"}

// leftOut is who the consequences leave out: code, how many, and examples.
func (h *house) leftOut(t failer, a directory.Actor, set *useredit.Set, e useredit.Edit) (all []string) {
	t.Helper()
	c, err := useredit.Consequence(context.Background(), h.engine, a, set.ID, e)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range c.Left {
		all = append(all, strings.TrimSpace(l.Code+" "+strings.Repeat("x", int(l.Users))+" "+strings.Join(l.Examples, " ")))
	}
	return all
}

func (h *house) freeze(t failer, a directory.Actor, ids ...int64) *useredit.Set {
	t.Helper()
	set, err := useredit.Freeze(context.Background(), h.engine, a, useredit.Source{IDs: ids})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func (h *house) editSet(t failer, a directory.Actor, set *useredit.Set, e useredit.Edit) *batch.Batch {
	t.Helper()
	b, err := useredit.CreateEdit(context.Background(), h.engine, a, set.ID, e)
	if err != nil {
		t.Fatal(err)
	}
	return h.execute(t, b.ID)
}

// Who would become stronger than the actor, who holds what the actor may not take, who is gone and who was moved away.
func TestRolesLeaveOut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(t, somebody{unit: "UAE / Cards", access: "Own unit"})
		h.add(t, somebody{unit: "UAE / Cards", access: "Everywhere"})
		h.add(t, somebody{unit: "UAE / Cards", access: "Everywhere", roles: []string{"Chief"}})
		h.add(t, somebody{unit: "UAE / Cards"})
		h.add(t, somebody{unit: "UAE / Cards"})
		a := h.person(t, "p", lead, "UAE")
		set := h.freeze(t, a, 1, 2, 3, 4, 5)
		h.exec(t, "DELETE FROM users WHERE id = 4")
		h.exec(t, "UPDATE users SET org_unit_id = (SELECT id FROM org_units WHERE full_name = 'India'), version = version + 1 WHERE id = 5")
		give := h.roleEdit(t, directory.AddRoles, "Team Lead")
		same(t, "left out", []string{"user.gone x", "user.out_of_scope x", "user.too_much x u2"}, h.leftOut(t, a, set, give))
		b := h.editSet(t, a, set, give)
		same(t, "counts", batch.Counts{Rows: 5, Updated: 2, Invalid: 3}, b.Counts)
		same(t, "report", []string{"2 u2 invalid user.too_much", "4  invalid user.gone", "5  invalid user.out_of_scope"}, h.entries(t, b))
		exactly := h.roleEdit(t, directory.SetRoles, "Agent")
		set = h.freeze(t, a, 1, 3)
		same(t, "left out of exactly these", []string{"role.not_grantable x u3"}, h.leftOut(t, a, set, exactly))
		b = h.editSet(t, a, set, exactly)
		same(t, "report of exactly these", []string{"2 u3 invalid role.not_grantable"}, h.entries(t, b))
		same(t, "held", []string{"u1 | Own unit | - | - | Agent", "u2 | Everywhere | - | - | -", "u3 | Everywhere | - | - | Chief, Team Lead", "u5 | - | - | - | -"}, h.held(t))
	})
}

// A role with a right that the actor lacks is neither given nor taken by them: that is said at once, and names the role.
func TestRolesNotTheirs(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(t, somebody{unit: "UAE", roles: []string{"Chief", "Agent"}})
		a := h.person(t, "p", lead, "UAE")
		set := h.freeze(t, a, 1)
		for _, mode := range []directory.RoleMode{directory.AddRoles, directory.RemoveRoles, directory.SetRoles} {
			_, err := useredit.Consequence(context.Background(), h.engine, a, set.ID, h.roleEdit(t, mode, "Agent", "Chief"))
			isKind(t, err, fault.Forbidden, `the role "Chief"`)
			_, err = useredit.CreateEdit(context.Background(), h.engine, a, set.ID, h.roleEdit(t, mode, "Agent", "Chief"))
			isKind(t, err, fault.Forbidden, "roles:edit, which you do not hold")
		}
		for _, test := range []struct {
			edit  useredit.Edit
			kind  fault.Kind
			words string
		}{
			{h.roleEdit(t, directory.AddRoles), fault.Invalid, "choose a role"},
			{useredit.Edit{}, fault.Invalid, "not said"},
			{useredit.Edit{Roles: &directory.RoleEdit{Mode: "double", Roles: []int64{1}}}, fault.Invalid, "double"},
			{useredit.Edit{Roles: &directory.RoleEdit{Mode: directory.AddRoles, Roles: []int64{999}}}, fault.NotFound, "not there any more"},
		} {
			_, err := useredit.CreateEdit(context.Background(), h.engine, a, set.ID, test.edit)
			isKind(t, err, test.kind, test.words)
		}
	})
}

// The last administrator keeps the role, and nobody else is left out for that.
func TestRolesLastAdministrator(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for range 3 {
			h.add(t, somebody{access: "Everywhere", roles: []string{"Chief"}, signsIn: true})
		}
		h.add(t, somebody{roles: []string{"Chief"}})
		take := h.roleEdit(t, directory.RemoveRoles, "Chief")
		take.Preview = true
		set := h.freeze(t, system, 1, 2, 3, 4)
		same(t, "left out", []string{"user.last_administrator x u3"}, h.leftOut(t, system, set, take))
		same(t, "left out of fewer", []string(nil), h.leftOut(t, system, h.freeze(t, system, 1, 2, 4), take))
		b := h.editSet(t, system, set, take)
		same(t, "counts of the preview", batch.Counts{Rows: 4, Updated: 3, Invalid: 1}, b.Counts)
		b = h.apply(t, b)
		same(t, "counts", batch.Counts{Rows: 4, Updated: 3, Invalid: 1}, b.Counts)
		same(t, "report", []string{"3 u3 invalid user.last_administrator"}, h.entries(t, b))
		same(t, "held", []string{"u1 | Everywhere | - | - | -", "u2 | Everywhere | - | - | -", "u3 | Everywhere | - | - | Chief", "u4 | - | - | - | -"}, h.held(t))
		h.takenBack(t, h.undo(t, b.ID), []string{"u1 | Everywhere | - | - | Chief", "u2 | Everywhere | - | - | Chief", "u3 | Everywhere | - | - | Chief", "u4 | - | - | - | Chief"})
	})
}

// Those whom somebody changed after they were selected are edited all the same, and named.
func TestRolesChangedSince(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for range 5 {
			h.add(t, somebody{})
		}
		set := h.freeze(t, system, 1, 2, 3, 4, 5)
		h.exec(t, "UPDATE users SET last_name = 'Changed', version = version + 1 WHERE id IN (2, 4)")
		h.exec(t, "INSERT INTO user_roles (user_id, role_id) VALUES (4, $1)", h.id(t, directory.RoleValue, "Agent"))
		e := h.roleEdit(t, directory.AddRoles, "Agent")
		e.Preview = true
		c, err := useredit.Consequence(context.Background(), h.engine, system, set.ID, e)
		if err != nil || c.ChangedSince != 2 || c.Changes != 4 || c.Same != 1 {
			t.Fatalf("%+v, %v", c, err)
		}
		b := h.editSet(t, system, set, e)
		want := []string{"2 u2 updated user.changed_since", "4 u4 unchanged user.changed_since"}
		same(t, "report of the preview", want, h.entries(t, b))
		notes := func() (all []string) {
			for _, r := range h.rows(t, b, useredit.RowsQuery{Outcome: directory.Updated, Limit: 2}) {
				all = append(all, r.LANID+" "+r.Before+">"+r.After)
				for _, p := range r.Problems {
					all[len(all)-1] += " " + p.Code
				}
			}
			return all
		}
		rows := []string{"u1 >Agent", "u2 >Agent user.changed_since", "u3 >Agent", "u5 >Agent"}
		same(t, "rows of the preview", rows, notes())
		// Meanwhile somebody gives it to another: this one came out differently.
		h.exec(t, "INSERT INTO user_roles (user_id, role_id) VALUES (5, $1)", h.id(t, directory.RoleValue, "Agent"))
		h.exec(t, "UPDATE users SET version = version + 1 WHERE id = 5")
		b = h.apply(t, b)
		same(t, "report", append(want, "5 u5 unchanged (was updated) user.changed_since"), h.entries(t, b))
		same(t, "rows", rows[:3], notes())
		code := h.rows(t, b, useredit.RowsQuery{Code: "user.changed_since", Limit: 10})
		if len(code) != 3 {
			t.Errorf("%+v", code)
		}
	})
}

// An undo leaves whoever was changed since, whose role is gone, and what is not the actor's to give back.
func TestRolesUndoLeaves(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(t, somebody{unit: "UAE", roles: []string{"Nothing", "Agent"}})
		h.add(t, somebody{unit: "UAE", roles: []string{"Agent"}})
		h.add(t, somebody{unit: "UAE", roles: []string{"Chief", "Agent"}})
		h.add(t, somebody{unit: "India", roles: []string{"Agent"}})
		h.add(t, somebody{unit: "UAE", roles: []string{"Agent"}})
		h.add(t, somebody{unit: "UAE", access: "Everywhere", roles: []string{"Agent"}})
		h.add(t, somebody{unit: "UAE", roles: []string{"Agent"}})
		b := h.editSet(t, system, h.freeze(t, system, 1, 2, 3, 4, 5, 6, 7), h.roleEdit(t, directory.SetRoles))
		h.exec(t, "DELETE FROM roles WHERE name = 'Nothing'")
		h.exec(t, "UPDATE users SET version = version + 1 WHERE id = 2")
		h.exec(t, "DELETE FROM users WHERE id = 5")
		h.exec(t, "UPDATE directory_revision SET revision = revision + 1")
		a := h.person(t, "p", []directory.Right{"users:access", "users:edit", "batches:access", "batches:edit"}, "UAE")
		// Others' batches are for who has the right everywhere; the undo itself is judged by what it reaches.
		p, err := h.dir.As(a).PrepareBulkUndo(context.Background(), h.db.Read(), directory.RoleEdit{Mode: directory.SetRoles}, b.ID)
		if err != nil {
			t.Fatal(err)
		}
		var kept []string
		for k, err := range p.Kept(context.Background(), h.db.Read(), b.ID) {
			switch {
			case err != nil:
				t.Fatal(err)
			case k.Stays > 0:
				kept = append(kept, k.LANID+" "+p.Stays()[k.Stays-1].Code)
			case k.Changed || k.OutOfScope:
				kept = append(kept, k.LANID+" changed or out of scope")
			}
		}
		same(t, "kept by a person", []string{"u1 undo.role_gone", "u2 changed or out of scope", "u3 undo.not_grantable", "u4 changed or out of scope", " changed or out of scope", "u6 undo.too_much"}, kept)
		b = h.undo(t, b.ID)
		same(t, "kept", []string{" undo.gone", "u1 undo.role_gone", "u2 undo.changed_since"}, h.kept(t, b))
		same(t, "held", []string{"u1 | - | - | - | -", "u2 | - | - | - | -", "u3 | - | - | - | Agent, Chief", "u4 | - | - | - | Agent", "u6 | Everywhere | - | - | Agent", "u7 | - | - | - | Agent"}, h.held(t))
		h.sound(t)
	})
}

// A set is of whom the source means and the actor may change, at once, and its maker's alone for a day.
func TestSets(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		for range 3 {
			h.add(t, somebody{unit: "UAE / Cards", roles: []string{"Agent"}})
		}
		h.add(t, somebody{unit: "India", roles: []string{"Agent"}})
		a := h.person(t, "p", lead, "UAE")
		freeze := func(by directory.Actor, s useredit.Source) *useredit.Set {
			t.Helper()
			set, err := useredit.Freeze(ctx, h.engine, by, s)
			if err != nil {
				t.Fatal(err)
			}
			return set
		}
		is := func(what string, s *useredit.Set, title string, users, unknown int64) {
			t.Helper()
			if s.Title != title || s.Users != users || s.Unknown != unknown || s.Agents != users {
				t.Errorf("%s: %+v", what, s)
			}
		}
		picked := freeze(a, useredit.Source{IDs: []int64{3, 1, 1, 4, 99}})
		is("picked", picked, "2 picked users", 2, 2)
		is("all", freeze(system, useredit.Source{Filter: &directory.UserFilter{}}), "all 4 users that match", 4, 0)
		is("all in scope", freeze(a, useredit.Source{Filter: &directory.UserFilter{Roles: []string{"Agent"}}, Name: "role Agent"}), "all 3 users that match role Agent", 3, 0)
		file := freeze(a, useredit.Source{LANIDs: []string{"U2", "u4", "nobody", "u2"}, Name: "team.csv"})
		is("a file", file, "team.csv", 1, 2)
		same(t, "unknown", []string{"u4", "nobody"}, file.UnknownLANIDs)
		b := h.editSet(t, system, freeze(system, useredit.Source{IDs: []int64{2, 4}}), h.roleEdit(t, directory.AddRoles, "Nothing"))
		h.exec(t, "UPDATE users SET batch_id = $1 WHERE id IN (1, 2)", b.ID)
		for outcome, want := range map[directory.Outcome]int64{directory.Inserted: 2, directory.Updated: 2, "": 3} {
			if s := freeze(system, useredit.Source{Batch: b.ID, Outcome: outcome}); s.Users != want {
				t.Errorf("%q: %+v", outcome, s)
			}
		}
		_, err := useredit.Freeze(ctx, h.engine, a, useredit.Source{Batch: b.ID})
		isKind(t, err, fault.NotFound, "batch") // it is somebody else's
		for _, s := range []useredit.Source{{}, {IDs: []int64{1}, Batch: b.ID}} {
			_, err := useredit.Freeze(ctx, h.engine, a, s)
			isKind(t, err, fault.Invalid, "not said which users")
		}
		for _, s := range []useredit.Source{{IDs: []int64{4}}, {IDs: []int64{}}, {LANIDs: []string{"nobody"}}, {Filter: &directory.UserFilter{Roles: []string{"Chief"}}}} {
			_, err := useredit.Freeze(ctx, h.engine, a, s)
			isKind(t, err, fault.NotFound, "none of these users")
		}
		_, err = useredit.Freeze(ctx, h.engine, h.person(t, "q", []directory.Right{"users:access"}), useredit.Source{IDs: []int64{1}})
		isKind(t, err, fault.Forbidden, "users:edit")

		if again, err := useredit.OpenSet(ctx, h.engine, a, picked.ID); err != nil || again.Users != 2 || again.Title != picked.Title || !again.At.Equal(picked.At) {
			t.Errorf("%+v, %v", again, err)
		}
		for _, other := range []directory.Actor{system, h.person(t, "r", lead, "UAE")} {
			_, err := useredit.OpenSet(ctx, h.engine, other, picked.ID)
			isKind(t, err, fault.NotFound, "select them again")
		}
		h.ahead.Store(int64(24*time.Hour + time.Minute))
		_, err = useredit.OpenSet(ctx, h.engine, a, picked.ID)
		isKind(t, err, fault.NotFound, "more than a day ago")
		freeze(a, useredit.Source{IDs: []int64{1}})
		if n := h.number(t, "SELECT count(*) FROM user_sets"); n != 1 {
			t.Errorf("%d sets are kept", n)
		}
	})
}

func TestReadLANIDs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ file, want, wrong string }{
		{file: "ann\nbob\n\n  carl \n", want: "ann bob carl"},
		{file: "LAN ID\r\nann\r\nbob", want: "ann bob"},
		{file: "Name;lan_id\nAnn;ann\n;\nBob;bob\n", want: "ann bob"},
		{file: "\uFEFFlanid,Name\nann,Ann\n", want: "ann"},
		{file: "ann", want: "ann"},
		{file: "Name,Id\nAnn,ann\n", wrong: "none is called LAN ID"},
		{file: "LAN ID\n", wrong: "no LAN IDs"},
		{file: "", wrong: "cannot be used"},
		{file: "PK\x03\x04 and no ZIP", wrong: "cannot be used"},
	} {
		ids, err := useredit.ReadLANIDs(strings.NewReader(test.file), int64(len(test.file)), "users.txt")
		if test.wrong != "" {
			isKind(t, err, fault.Invalid, test.wrong)
		} else if got := strings.Join(ids, " "); got != test.want || err != nil {
			t.Errorf("%q: %q, %v", test.file, got, err)
		}
	}
}
