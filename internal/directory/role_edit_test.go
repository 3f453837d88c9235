package directory_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// roleCalled returns a role of the directory.
func roleCalled(t *testing.T, d *directory.Directory, name string) directory.HeldRole {
	t.Helper()
	all, err := system(d).Roles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no role %s in %+v", name, all)
	return directory.HeldRole{}
}

func accessRoleCalled(t *testing.T, d *directory.Directory, name string) directory.HeldAccessRole {
	t.Helper()
	all, err := system(d).AccessRoles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.Name == name {
			return a
		}
	}
	t.Fatalf("no access role %s in %+v", name, all)
	return directory.HeldAccessRole{}
}

// wantKind fails unless the error is of the kind and says the words.
func wantKind(t *testing.T, what string, err error, kind fault.Kind, words ...string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Errorf("%s: %v, want it %v", what, err, kind)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: %v does not say %q", what, err, w)
		}
	}
}

// lastAudit is the newest entry in a line.
func lastAudit(t *testing.T, d *directory.Directory) string {
	t.Helper()
	line, _, err := sqldb.One[string](t.Context(), d.DB.Read(), "SELECT actor || ' ' || action || ' ' || subject || ' ' || name || ' ' || before || ' ' || after FROM audit ORDER BY id DESC LIMIT 1")
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func TestRoleEdits(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		apply(t, system(d), full(), false)
		addUsers(t, d, 3)
		ctx, h := t.Context(), system(d)
		revision := load(t, d).Revision
		raised := func(what string) {
			t.Helper()
			if now := load(t, d).Revision; now != revision+1 {
				t.Errorf("%s: the revision went from %d to %d", what, revision, now)
			} else {
				revision = now
			}
		}
		if got := roleCalled(t, d, "Agent"); got.Holders != 3 {
			t.Errorf("%+v", got)
		}
		made, err := h.AddRole(ctx, directory.Role{Name: "Coach", Rights: []directory.Right{"users:edit", "users:access"}})
		if err != nil || made.ID == 0 || !slices.Equal(made.Rights, []directory.Right{"users:access", "users:edit"}) {
			t.Fatalf("%+v, %v", made, err)
		}
		raised("add")
		if got, want := lastAudit(t, d), `system create role Coach  {"name":"Coach","rights":["users:access","users:edit"],"rules":[]}`; got != want {
			t.Errorf("audit %s, want %s", got, want)
		}
		want := made
		want.Rights = []directory.Right{"users:access", "batches:access"}
		want.Rules = []directory.Rule{{Rule: "usb-storage", Action: "lock", DelaySeconds: 5}}
		edited, err := h.EditRole(ctx, made.ID, made, want)
		if err != nil || cmp.Diff(want, edited) != "" || cmp.Diff(want, roleCalled(t, d, "Coach").Role) != "" {
			t.Fatalf("%+v, %v", edited, err)
		}
		raised("edit")
		if got := lastAudit(t, d); !strings.Contains(got, `{"rights":["users:access","users:edit"],"rules":[]} {"rights":["batches:access","users:access"],"rules":[{"rule":"usb-storage","action":"lock","delay_seconds":5}]}`) {
			t.Errorf("audit %s", got)
		}
		// The same again is no change, and neither is one that has seen what is there.
		if _, err := h.EditRole(ctx, made.ID, want, want); err != nil {
			t.Error(err)
		}
		// Somebody who has not seen it is told, and nothing is changed.
		_, err = d.As(directory.Person("ann", "test", directory.AllRights(), directory.Everywhere())).EditRole(ctx, made.ID, made, directory.Role{})
		var changed *directory.Changed[directory.Role]
		if !errors.As(err, &changed) || changed.By != "system" || !changed.At.Equal(d.Now().UTC()) || cmp.Diff(want, changed.Now) != "" {
			t.Errorf("%v %+v", err, changed)
		}
		wantKind(t, "an edit that has not seen", err, fault.Conflict, "system changed it meanwhile", "rights: + batches:access", "rights: - users:edit", "rules: + usb-storage (lock after 5 s)")
		renamed, err := h.RenameRole(ctx, made.ID, "Mentor")
		if err != nil || renamed.Name != "Mentor" || roleCalled(t, d, "Mentor").ID != made.ID {
			t.Errorf("%+v, %v", renamed, err)
		}
		raised("rename")
		if got := lastAudit(t, d); got != `system rename role Mentor {"name":"Coach"} {"name":"Mentor"}` {
			t.Errorf("audit %s", got)
		}
		if _, err := h.RenameRole(ctx, made.ID, "Mentor"); err != nil {
			t.Error(err)
		}
		// An edit goes by the id: that it was renamed meanwhile is nothing that it would undo.
		if _, err := h.EditRole(ctx, made.ID, want, made); err != nil {
			t.Error(err)
		}
		raised("edit of one that was renamed")
		copied, err := h.CopyRole(ctx, roleCalled(t, d, "Team Lead").ID, "Deputy")
		if err != nil || len(copied.Rules) != 2 || len(copied.Rights) != 2 || copied.ID == roleCalled(t, d, "Team Lead").ID {
			t.Errorf("%+v, %v", copied, err)
		}
		raised("copy")
		if err := h.DeleteRole(ctx, made.ID); err != nil {
			t.Error(err)
		}
		raised("delete")
		if got := lastAudit(t, d); !strings.HasPrefix(got, `system delete role Mentor {"name":"Mentor"`) {
			t.Errorf("audit %s", got)
		}
		_, err = h.Role(ctx, made.ID)
		wantKind(t, "gone", err, fault.NotFound)
		wantKind(t, "in use", h.DeleteRole(ctx, roleCalled(t, d, "Agent").ID), fault.Conflict, "3 users hold it")
		_, err = h.AddRole(ctx, directory.Role{Name: "Agent"})
		wantKind(t, "taken", err, fault.Conflict, `"Agent"`, "another name")
		_, err = h.RenameRole(ctx, copied.ID, "Agent")
		wantKind(t, "taken", err, fault.Conflict, "another name")
		_, err = h.RenameRole(ctx, copied.ID, "A;B")
		wantKind(t, "a separator", err, fault.Invalid, "; or ,")
		_, err = h.EditRole(ctx, copied.ID, copied, directory.Role{Rights: []directory.Right{"users:fly"}, Rules: []directory.Rule{{Rule: "usb-storage", Action: "lock", DelaySeconds: -1}}})
		wantKind(t, "no such right", err, fault.Invalid, "users:fly", "is -1")
		if now := load(t, d).Revision; now != revision {
			t.Error("something that was refused has raised the revision")
		}
	})
}

func TestAccessRoleEdits(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		apply(t, system(d), full(), false)
		addUsers(t, d, 2)
		ctx, h := t.Context(), system(d)
		retail := accessRoleCalled(t, d, "Retail")
		if got := accessRoleCalled(t, d, "Everywhere"); got.Holders != 2 || retail.Holders != 0 {
			t.Errorf("%+v %+v", got, retail)
		}
		want := retail.AccessRole
		want.Units = []string{"UAE / Retail", "India"}
		if _, err := h.EditAccessRole(ctx, retail.ID, retail.AccessRole, want); err != nil {
			t.Fatal(err)
		}
		if got := lastAudit(t, d); got != `system update access-role Retail {"org_units":["UAE / Retail"]} {"org_units":["India","UAE / Retail"]}` {
			t.Errorf("audit %s", got)
		}
		_, err := h.EditAccessRole(ctx, retail.ID, retail.AccessRole, directory.AccessRole{Scope: "own-unit"})
		var changed *directory.Changed[directory.AccessRole]
		if !errors.As(err, &changed) || !slices.Equal(changed.Now.Units, []string{"India", "UAE / Retail"}) {
			t.Errorf("%v", err)
		}
		if _, err = h.EditAccessRole(ctx, retail.ID, want, directory.AccessRole{Scope: "own-unit"}); err != nil {
			t.Error(err)
		}
		if now := accessRoleCalled(t, d, "Retail"); now.Scope != "own-unit" || len(now.Units) != 0 {
			t.Errorf("%+v", now)
		}
		_, err = h.EditAccessRole(ctx, retail.ID, accessRoleCalled(t, d, "Retail").AccessRole, directory.AccessRole{Scope: "units", Units: []string{"Oman"}})
		wantKind(t, "no such unit", err, fault.Invalid, "Oman")
		_, err = h.EditAccessRole(ctx, retail.ID, accessRoleCalled(t, d, "Retail").AccessRole, directory.AccessRole{Scope: "units"})
		wantKind(t, "no units", err, fault.Invalid, "names no org units")
		copied, err := h.CopyAccessRole(ctx, retail.ID, "Copy")
		if err != nil || copied.Scope != "own-unit" {
			t.Errorf("%+v, %v", copied, err)
		}
		if _, err := h.RenameAccessRole(ctx, copied.ID, "Here"); err != nil || accessRoleCalled(t, d, "Here").ID != copied.ID {
			t.Error(err)
		}
		_, err = h.RenameAccessRole(ctx, copied.ID, "Retail")
		wantKind(t, "taken", err, fault.Conflict, "another name")
		if err := h.DeleteAccessRole(ctx, copied.ID); err != nil {
			t.Error(err)
		}
		wantKind(t, "gone", h.DeleteAccessRole(ctx, copied.ID), fault.NotFound)
		wantKind(t, "in use", h.DeleteAccessRole(ctx, accessRoleCalled(t, d, "Everywhere").ID), fault.Conflict, "2 users hold it")
	})
}

func TestRoleHolders(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		apply(t, system(d), full(), false)
		addUsers(t, d, 3)
		execute(t, d, "UPDATE users SET org_unit_id = (SELECT id FROM org_units WHERE full_name = 'India') WHERE id = 2")
		uae := directory.Below(load(t, d).OrgUnits[1].Path)
		in := d.As(directory.Person("p", "test", []directory.Right{"roles:access", "access-roles:access", "users:access"}, uae))
		role, access := roleCalled(t, d, "Agent").ID, accessRoleCalled(t, d, "Everywhere").ID
		for name, c := range map[string]struct {
			h     *directory.Handle
			after string
			limit int
			want  []string
		}{
			"all":       {system(d), "", 10, []string{"1", "2", "3"}},
			"a page":    {system(d), "1", 1, []string{"2"}},
			"in scope":  {in, "", 10, []string{"1", "3"}},
			"nobody is": {in, "3", 10, nil},
		} {
			byRole, err := c.h.RoleHolders(t.Context(), role, c.after, c.limit)
			if err != nil {
				t.Fatal(err)
			}
			byAccess, err := c.h.AccessRoleHolders(t.Context(), access, c.after, c.limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, users := range [][]directory.User{byRole, byAccess} {
				var got []string
				for _, u := range users {
					got = append(got, u.LANID)
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("%s: %q, want %q", name, got, c.want)
				}
			}
		}
		none := d.As(directory.Person("p", "test", []directory.Right{"roles:access", "access-roles:access"}, directory.Everywhere()))
		_, err := none.RoleHolders(t.Context(), role, "", 1)
		wantKind(t, "without users:access", err, fault.Forbidden)
		_, err = none.AccessRoleHolders(t.Context(), access, "", 1)
		wantKind(t, "without users:access", err, fault.Forbidden)
	})
}
