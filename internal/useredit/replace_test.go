package useredit_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/useredit"
)

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// A role is replaced and deleted; undo makes it again as it was, and gives it back.
func TestReplaceRole(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(t, somebody{unit: "UAE / Cards", roles: []string{"Agent Basic"}})
		h.add(t, somebody{unit: "UAE / Loans", roles: []string{"Agent Basic", "Agent"}})
		h.add(t, somebody{unit: "UAE / Loans", roles: []string{"Team Lead"}})
		h.add(t, somebody{roles: []string{"Agent Basic", "Team Lead"}})
		before, values := h.held(t), h.values(t)
		o := h.options(t, directory.RoleValue, "Agent Basic", "Agent")
		o.Delete, o.Preview = true, true
		b := h.run(t, system, o)
		same(t, "preview", batch.Counts{Rows: 3, Updated: 3}, b.Counts)
		same(t, "preview's rows", []string{"1 u1 updated", "2 u2 updated", "3 u4 updated"}, h.entries(t, b))
		same(t, "before it is applied", before, h.held(t))
		b = h.apply(t, b)
		same(t, "counts", batch.Counts{Rows: 3, Updated: 3}, b.Counts)
		same(t, "held", []string{"u1 | - | - | - | Agent", "u2 | - | - | - | Agent", "u3 | - | - | - | Team Lead", "u4 | - | - | - | Agent, Team Lead"}, h.held(t))
		same(t, "versions", []string{"u1 2 system", "u2 2 system", "u3 1 somebody", "u4 2 system"}, h.versions(t))
		same(t, "audit", []string{`delete role Agent Basic {"name":"Agent Basic","rights":["users:access"],"rules":[{"rule":"no-face-in-view","action":"lock","delay_seconds":30}]}`},
			h.lines(t, "SELECT action || ' ' || subject || ' ' || name || ' ' || before FROM audit WHERE subject = 'role' AND batch_id = $1", b.ID))
		if n := h.number(t, "SELECT count(*) FROM roles WHERE name = 'Agent Basic'"); n != 0 {
			t.Error("the role is still there")
		}
		b = h.undo(t, b.ID)
		same(t, "after the undo", before, h.held(t))
		same(t, "values after the undo", values, h.values(t))
		same(t, "versions after the undo", []string{"u1 3 system", "u2 3 system", "u3 1 somebody", "u4 3 system"}, h.versions(t))
		if b.Undone != 3 || len(h.kept(t, b)) > 0 {
			t.Errorf("%d undone, kept %v", b.Undone, h.kept(t, b))
		}
		h.sound(t)
	})
}

// Values of each kind, replaced by another and by nothing; who changed since stays and is listed.
func TestReplaceEachKind(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, c := range []struct {
			kind           directory.ValueKind
			from, to, want string
		}{
			{directory.RoleValue, "Team Lead", "", "%s | Cards | Siebel | Standard | Agent"},
			{directory.AccessRoleValue, "Cards", "UAE", "%s | UAE | Siebel | Standard | Agent, Team Lead"},
			{directory.AccessRoleValue, "Cards", "", "%s | - | Siebel | Standard | Agent, Team Lead"},
			{directory.CRMNameValue, "Siebel", "Zendesk", "%s | Cards | Zendesk | Standard | Agent, Team Lead"},
			{directory.GreetingTemplateValue, "Standard", "", "%s | Cards | Siebel | - | Agent, Team Lead"},
		} {
			h.clear(t)
			for range 5 {
				h.add(t, somebody{unit: "UAE / Cards", access: "Cards", crm: "Siebel", greeting: "Standard", roles: []string{"Agent", "Team Lead"}})
			}
			before, values := h.held(t), h.values(t)
			o := h.options(t, c.kind, c.from, c.to)
			o.Delete = true
			b := h.run(t, system, o)
			if b.State != batch.Done || b.Counts != (batch.Counts{Rows: 5, Updated: 5}) {
				t.Fatalf("%s: %s %s %+v", c.kind, b.State, b.Reason, b.Counts)
			}
			for _, line := range h.held(t) {
				same(t, string(c.kind), line[:2]+c.want[2:], line)
			}
			h.sound(t)
			h.exec(t, "UPDATE users SET version = version + 1 WHERE id = 3")
			h.exec(t, "DELETE FROM user_roles WHERE user_id = 5")
			h.exec(t, "DELETE FROM users WHERE id = 5")
			b = h.undo(t, b.ID)
			same(t, "kept", []string{" undo.gone", "u3 undo.changed_since"}, h.kept(t, b))
			same(t, "values", values, h.values(t))
			got := h.held(t)
			same(t, "held", []string{before[0], before[1], before[3]}, []string{got[0], got[1], got[3]})
			if b.Undone != 3 {
				t.Errorf("%d undone", b.Undone)
			}
			h.sound(t)
		}
	})
}

// Who may what.
func TestReplaceRights(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		h.add(t, somebody{unit: "UAE / Cards", crm: "Siebel", access: "Own unit", roles: []string{"Agent", "Team Lead"}})
		h.add(t, somebody{unit: "India / Airline", crm: "Siebel", access: "Everywhere", roles: []string{"Agent"}})
		create := func(a directory.Actor, o useredit.Options) error {
			_, err := useredit.Create(ctx, h.engine, a, o)
			return err
		}
		crm := h.options(t, directory.CRMNameValue, "Siebel", "Zendesk")
		gone := crm
		gone.Delete = true
		edit := []directory.Right{"users:access", "users:edit"}
		isKind(t, create(directory.Actor{}, crm), fault.Forbidden, "users:edit")
		isKind(t, create(h.person(t, "p", []directory.Right{"users:access"}), crm), fault.Forbidden, "users:edit")
		isKind(t, create(h.person(t, "p", edit), gone), fault.Forbidden, "catalogues:delete")
		isKind(t, create(h.person(t, "p", append(edit, "catalogues:delete"), "UAE"), gone), fault.Forbidden, "whole organization")
		isKind(t, create(h.person(t, "p", edit), h.options(t, directory.RoleValue, "Agent", "Chief")), fault.Forbidden, `"Chief"`)
		isKind(t, create(h.person(t, "p", edit), h.options(t, directory.RoleValue, "Chief", "Agent")), fault.Forbidden, `"Chief"`)
		isKind(t, create(h.person(t, "p", edit, "UAE"), h.options(t, directory.AccessRoleValue, "Own unit", "Everywhere")), fault.Forbidden, `"Everywhere"`)
		isKind(t, create(h.person(t, "p", edit, "UAE"), h.options(t, directory.AccessRoleValue, "Everywhere", "UAE")), fault.Forbidden, `"Everywhere"`)
		isKind(t, create(system, h.options(t, directory.CRMNameValue, "Zendesk", "Siebel")), fault.Conflict, "nobody")
		isKind(t, create(system, useredit.Options{Kind: directory.CRMNameValue, From: crm.From, To: crm.From}), fault.Invalid, "itself")
		isKind(t, create(system, useredit.Options{Kind: directory.CRMNameValue, From: crm.From, To: 999}), fault.NotFound, "instead")
		isKind(t, create(system, useredit.Options{Kind: directory.CRMNameValue, From: 999}), fault.NotFound, "replaced")
		isKind(t, create(system, useredit.Options{Kind: "nonsense", From: 1}), fault.Invalid, "nonsense")
		h.exec(t, "UPDATE crm_names SET retired = 1 WHERE name = 'Zendesk'")
		isKind(t, create(system, crm), fault.Invalid, "retired")
	})
}

// Users out of scope keep the value and are counted, without their names.
func TestReplaceWithinScope(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(t, somebody{unit: "UAE / Cards", crm: "Siebel"})
		h.add(t, somebody{unit: "India / Airline", crm: "Siebel"})
		h.add(t, somebody{crm: "Siebel"})
		h.add(t, somebody{unit: "UAE", crm: "Siebel"})
		a := h.person(t, "p", []directory.Right{"users:access", "users:edit"}, "UAE")
		id := h.create(t, a, h.options(t, directory.CRMNameValue, "Siebel", ""))
		h.exec(t, "UPDATE users SET org_unit_id = (SELECT id FROM org_units WHERE full_name = 'India') WHERE id = 4")
		b := h.execute(t, id)
		same(t, "counts", batch.Counts{Rows: 4, Updated: 1, Invalid: 3}, b.Counts)
		same(t, "report", []string{"2  invalid user.out_of_scope", "3  invalid user.out_of_scope"}, h.entries(t, b))
		same(t, "held", []string{"u1 | - | - | - | -", "u2 | - | Siebel | - | -", "u3 | - | Siebel | - | -", "u4 | - | Siebel | - | -"}, h.held(t))
	})
}

// The last administrator stays: refused at once, and when it comes to it only then.
func TestReplaceLastAdministrator(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(t, somebody{access: "Everywhere", roles: []string{"Chief"}, signsIn: true})
		h.add(t, somebody{access: "Everywhere", roles: []string{"Chief"}})
		for _, o := range []useredit.Options{h.options(t, directory.RoleValue, "Chief", "Agent"), h.options(t, directory.AccessRoleValue, "Everywhere", "UAE")} {
			_, err := useredit.Create(context.Background(), h.engine, system, o)
			isKind(t, err, fault.Conflict, "nobody would be left")
		}
		h.exec(t, "INSERT INTO credentials (user_id, password, password_at) VALUES (2, 'x', 1)")
		h.add(t, somebody{access: "Everywhere", roles: []string{"Agent", "Chief"}})
		// With both of them it would still take the last.
		_, err := useredit.Create(context.Background(), h.engine, system, h.options(t, directory.RoleValue, "Chief", "Agent"))
		isKind(t, err, fault.Conflict, "nobody would be left")
		h.exec(t, "UPDATE users SET access_role_id = NULL WHERE id = 2")
		h.add(t, somebody{access: "Everywhere", roles: []string{"Chief", "Team Lead"}, signsIn: true})
		o := h.options(t, directory.RoleValue, "Team Lead", "")
		if b := h.run(t, system, o); b.Counts.Updated != 1 {
			t.Errorf("%+v", b.Counts)
		}
		// Who else was an administrator is none when it comes to it.
		spare := h.add(t, somebody{access: "Everywhere", roles: []string{"Team Lead"}, signsIn: true})
		h.exec(t, "INSERT INTO roles (name) VALUES ('Other')")
		other := h.id(t, directory.RoleValue, "Other")
		for _, right := range []string{"users edit", "users access", "roles edit"} {
			h.exec(t, "INSERT INTO role_rights (role_id, module, action) VALUES ($1, $2, $3)", other, right[:5], right[6:])
		}
		h.exec(t, "INSERT INTO user_roles (user_id, role_id) VALUES ($1, $2)", spare, other)
		o = h.options(t, directory.RoleValue, "Chief", "Agent")
		o.Delete, o.Preview = true, true
		b := h.run(t, system, o)
		if b.State != batch.Ready {
			t.Fatalf("%s: %s", b.State, b.Reason)
		}
		h.exec(t, "DELETE FROM user_roles WHERE user_id = $1", spare)
		b = h.apply(t, b)
		same(t, "counts", batch.Counts{Rows: 4, Updated: 3, Invalid: 1}, b.Counts)
		has, err := h.dir.HasAdministrator(context.Background(), h.db.Read())
		if !has || err != nil {
			t.Errorf("nobody is left: %v", err)
		}
		w, err := useredit.WorkOf(b)
		if err != nil || !w.StillHeld || w.Deleted != nil {
			t.Errorf("%+v, %v", w, err)
		}
	})
}

// The value that an undo makes again has another id where its own is taken, and does not come back beside one of its name.
func TestBringBackBeside(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(t, somebody{crm: "Zendesk"})
		o := h.options(t, directory.CRMNameValue, "Zendesk", "Siebel")
		o.Delete = true
		b := h.run(t, system, o)
		h.exec(t, "INSERT INTO crm_names (id, name) VALUES ($1, 'Newcomer')", o.From)
		h.exec(t, "INSERT INTO crm_names (id, name) VALUES (77, 'Zendesk')")
		if err := h.engine.Undo(context.Background(), system, b.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.engine.Execute(context.Background(), b.ID, nil); fault.KindOf(err) != fault.Conflict {
			t.Fatalf("it came back beside its namesake: %v", err)
		}
		h.exec(t, "UPDATE crm_names SET name = 'Zendesk 2' WHERE id = 77")
		b = h.undo(t, b.ID)
		same(t, "held", []string{"u1 | - | Zendesk | - | -"}, h.held(t))
		if b.Undone != 1 {
			t.Errorf("%d undone", b.Undone)
		}
	})
}

// Who has a role's rights in more places than the actor, or rights that the actor lacks, gets nothing on top.
func TestReplaceTooMuch(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(t, somebody{unit: "UAE / Cards", access: "Own unit", roles: []string{"Agent", "Nothing"}})
		h.add(t, somebody{unit: "UAE / Cards", access: "Everywhere", roles: []string{"Agent"}})
		h.add(t, somebody{unit: "UAE / Cards", access: "Everywhere", roles: []string{"Agent", "Chief"}})
		a := h.person(t, "p", []directory.Right{"users:access", "users:edit"}, "UAE")
		o := h.options(t, directory.RoleValue, "Agent", "Team Lead")
		b := h.run(t, a, o)
		same(t, "counts", batch.Counts{Rows: 3, Updated: 2, Invalid: 1}, b.Counts)
		same(t, "report", []string{"2 u2 invalid user.too_much"}, h.entries(t, b))
		same(t, "held", []string{"u1 | Own unit | - | - | Nothing, Team Lead", "u2 | Everywhere | - | - | Agent", "u3 | Everywhere | - | - | Chief, Team Lead"}, h.held(t))
		h.exec(t, "UPDATE users SET access_role_id = $1", h.id(t, directory.AccessRoleValue, "Own unit"))
		b = h.run(t, a, h.options(t, directory.AccessRoleValue, "Own unit", "UAE"))
		same(t, "report on access roles", []string{"3 u3 invalid user.too_much"}, h.entries(t, b))
		same(t, "held with access roles", []string{"u1 | UAE | - | - | Nothing, Team Lead", "u2 | UAE | - | - | Agent", "u3 | Own unit | - | - | Chief, Team Lead"}, h.held(t))
	})
}

// What was judged by another configuration writes nothing.
func TestReplaceStale(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.add(t, somebody{crm: "Siebel"})
		h.exec(t, "INSERT INTO batches (id, action, state, owner, source, options, created_at) VALUES (1, 'replace-value', 'done', 'p', 'test', '{}', 1)")
		ctx := context.Background()
		p, err := h.dir.As(system).PrepareReplacement(ctx, h.db.Read(), directory.Replacement{Kind: directory.CRMNameValue, From: h.id(t, directory.CRMNameValue, "Siebel")})
		if err != nil {
			t.Fatal(err)
		}
		piece := func() error {
			return h.db.BulkTx(ctx, func(tx *sqldb.Tx) error {
				if err := p.Begin(ctx, tx); err != nil {
					return err
				}
				_, _, err := p.Piece(ctx, tx, directory.Stamp{BatchID: 1, By: "p", At: 1}, []int64{id})
				return err
			})
		}
		h.exec(t, "UPDATE directory_revision SET revision = revision + 1")
		if err := piece(); !errors.Is(err, directory.ErrConfigurationChanged) || h.number(t, "SELECT count(*) FROM user_changes") > 0 {
			t.Errorf("it went on: %v", err)
		}
	})
}

// An actor who takes away what they act by is not cut off on the way.
func TestActorComesLast(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.op.PieceUsers, h.op.ChunkUsers = 1, 1
		h.add(t, somebody{access: "Everywhere", roles: []string{"Team Lead"}})
		for range 4 {
			h.add(t, somebody{unit: "UAE", roles: []string{"Team Lead"}})
		}
		h.engine.Actor = func(ctx context.Context, owner, source string) (directory.Actor, error) {
			who, _, err := directory.HolderByLANID(ctx, h.db.Read(), owner)
			if err != nil {
				return directory.Actor{}, err
			}
			return who.Actor(source), nil
		}
		who, _, err := directory.HolderByID(context.Background(), h.db.Read(), 1)
		if err != nil {
			t.Fatal(err)
		}
		id := h.create(t, who.Actor("test"), h.options(t, directory.RoleValue, "Team Lead", "Agent"))
		for n := int64(1); h.stopAt(t, id, n) != nil; n++ {
			if lead := h.number(t, "SELECT count(*) FROM user_roles r JOIN roles o ON o.id = r.role_id WHERE o.name = 'Team Lead'"); lead > 1 {
				if h.number(t, "SELECT count(*) FROM user_roles r JOIN roles o ON o.id = r.role_id WHERE o.name = 'Team Lead' AND r.user_id = 1") == 0 {
					t.Fatal("who acts was not last")
				}
			}
		}
		b, err := h.engine.Get(context.Background(), system, id)
		if err != nil || b.State != batch.Done || b.Counts.Updated != 5 {
			t.Errorf("%+v, %v", b, err)
		}
	})
}
