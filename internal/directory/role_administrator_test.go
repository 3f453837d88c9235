package directory_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"muster/internal/directory"
	"muster/internal/fault"
)

// twoAdministrators makes two who can sign in, each by a role and an access role of their own: First and Second, Here and
// There.
func twoAdministrators(t *testing.T, d *directory.Directory) {
	t.Helper()
	apply(t, system(d), directory.Configuration{
		Levels:      []string{"Country"},
		OrgUnits:    units("UAE"),
		Roles:       []directory.Role{{Name: "First", Rights: directory.AllRights()}, {Name: "Second", Rights: directory.AllRights()}},
		AccessRoles: []directory.AccessRole{{Name: "Here", Scope: "everywhere"}, {Name: "There", Scope: "everywhere"}},
	}, false)
	for _, as := range [][3]string{{"ann", "First", "Here"}, {"ben", "Second", "There"}} {
		id, err := createAdministrator(t.Context(), system(d), d, directory.Applicant{LANID: as[0], FirstName: "A", LastName: "B"})
		if err != nil {
			t.Fatal(err)
		}
		letIn(t, d, id)
		execute(t, d, "UPDATE user_roles SET role_id = (SELECT id FROM roles WHERE name = $2) WHERE user_id = $1", id, as[1])
		execute(t, d, "UPDATE users SET access_role_id = (SELECT id FROM access_roles WHERE name = $2) WHERE id = $1", id, as[2])
	}
}

// The last administrator stays, whichever of these takes what makes them one, and also where two do it at once, each of
// whom counts on the other's.
func TestLastAdministratorByRoles(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		twoAdministrators(t, d)
		ctx, h := context.Background(), system(d)
		ids := map[string]int64{"First": roleCalled(t, d, "First").ID, "Second": roleCalled(t, d, "Second").ID, "Here": accessRoleCalled(t, d, "Here").ID, "There": accessRoleCalled(t, d, "There").ID}
		full, less := directory.Role{Rights: directory.AllRights()}, directory.Role{Rights: without("roles:edit")}
		everywhere, unit := directory.AccessRole{Scope: "everywhere"}, directory.AccessRole{Scope: "units", Units: []string{"UAE"}}
		role := func(name string) func() error {
			return func() error { _, err := h.EditRole(ctx, ids[name], full, less); return err }
		}
		access := func(name string) func() error {
			return func() error { _, err := h.EditAccessRole(ctx, ids[name], everywhere, unit); return err }
		}
		mend := func() {
			t.Helper()
			apply(t, system(d), directory.Configuration{
				Roles:       []directory.Role{{Name: "First", Rights: directory.AllRights()}, {Name: "Second", Rights: directory.AllRights()}},
				AccessRoles: []directory.AccessRole{{Name: "Here", Scope: "everywhere"}, {Name: "There", Scope: "everywhere"}},
			}, false)
		}
		for name, both := range map[string][2]func() error{
			"two roles": {role("First"), role("Second")}, "two access roles": {access("Here"), access("There")},
			"a role and an access role": {role("First"), access("There")}, "an access role and a role": {access("Here"), role("Second")},
		} {
			if err := both[0](); err != nil {
				t.Errorf("%s, the first: %v", name, err)
			}
			wantKind(t, name+", the last", both[1](), fault.Conflict, "nobody would be left")
			mend()
			for range 5 {
				errs := make([]error, 2)
				var together sync.WaitGroup
				for i, do := range both {
					together.Go(func() { errs[i] = do() })
				}
				together.Wait()
				there, err := d.HasAdministrator(ctx, d.DB.Read())
				if err != nil || !there {
					t.Fatalf("%s at once: nobody is left (%v, %v)", name, errs, err)
				}
				if (errs[0] == nil) == (errs[1] == nil) {
					t.Errorf("%s at once: %v; want one of them done", name, fmt.Sprint(errs))
				}
				mend()
			}
		}
		// What somebody holds is not deleted, so neither is what the last administrator is one by.
		wantKind(t, "deleting the role", h.DeleteRole(ctx, ids["First"]), fault.Conflict, "1 user holds it")
		wantKind(t, "deleting the access role", h.DeleteAccessRole(ctx, ids["There"]), fault.Conflict, "1 user holds it")
		// A name is nothing that an administrator is one by.
		if _, err := h.RenameRole(ctx, ids["First"], "Other"); err != nil {
			t.Error(err)
		}
	})
}

// Who may change a role, and what of it, beyond the right to.
func TestWhoMayChangeRoles(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		apply(t, system(d), full(), false)
		addUsers(t, d, 1) // has the role Agent, and the access role Everywhere
		ctx := t.Context()
		person := func(scope directory.Scope, rights ...directory.Right) *directory.Handle {
			return d.As(directory.Person("p", "test", rights, scope))
		}
		everywhere := directory.Everywhere()
		retail := directory.Below(load(t, d).OrgUnits[2].Path)
		lead, agent := roleCalled(t, d, "Team Lead"), roleCalled(t, d, "Agent")
		_, err := person(everywhere, without("users:edit")...).EditRole(ctx, lead.ID, lead.Role, directory.Role{})
		wantKind(t, "taking a right that one lacks", err, fault.Forbidden, "users:edit")
		_, err = person(everywhere, without("users:edit")...).EditRole(ctx, agent.ID, agent.Role, directory.Role{Rights: []directory.Right{"users:edit"}})
		wantKind(t, "giving a right that one lacks", err, fault.Forbidden, "users:edit")
		_, err = person(everywhere, without("users:edit")...).CopyRole(ctx, lead.ID, "Copy")
		wantKind(t, "copying a right that one lacks", err, fault.Forbidden, "users:edit")
		_, err = person(everywhere, without("users:edit")...).RenameRole(ctx, lead.ID, "Other")
		wantKind(t, "renaming a role with a right that one lacks", err, fault.Forbidden, "users:edit")
		wantKind(t, "deleting it", person(everywhere, without("users:edit")...).DeleteRole(ctx, lead.ID), fault.Forbidden, "users:edit")
		_, err = person(everywhere, without("users:edit")...).RenameRole(ctx, agent.ID, directory.AdministratorRole)
		wantKind(t, "taking the name of the built-in role", err, fault.Forbidden, "another name")
		_, err = person(retail, directory.AllRights()...).EditRole(ctx, agent.ID, agent.Role, directory.Role{Rights: []directory.Right{"users:access"}})
		wantKind(t, "from a branch", err, fault.Forbidden, "whole organization")

		within, all := accessRoleCalled(t, d, "Retail"), accessRoleCalled(t, d, "Everywhere")
		_, err = person(retail, directory.AllRights()...).EditAccessRole(ctx, within.ID, within.AccessRole, directory.AccessRole{Scope: "units", Units: []string{"UAE"}})
		wantKind(t, "beyond one's own", err, fault.Forbidden, "further")
		_, err = person(retail, directory.AllRights()...).EditAccessRole(ctx, within.ID, within.AccessRole, directory.AccessRole{Scope: "own-unit"})
		wantKind(t, "what goes by the holder's unit", err, fault.Forbidden, "further")
		_, err = person(retail, directory.AllRights()...).EditAccessRole(ctx, all.ID, all.AccessRole, directory.AccessRole{Scope: "units", Units: []string{"UAE / Retail"}})
		wantKind(t, "narrowing one that reaches beyond one's own", err, fault.Forbidden, "further")
		_, err = person(retail, directory.AllRights()...).EditAccessRole(ctx, within.ID, within.AccessRole, directory.AccessRole{Scope: "units", Units: []string{"UAE / Retail / Team 1"}})
		if err != nil {
			t.Error(err)
		}
		execute(t, d, "UPDATE users SET access_role_id = $1", within.ID)
		execute(t, d, "UPDATE user_roles SET role_id = $1", lead.ID)
		within = accessRoleCalled(t, d, "Retail")
		wider := directory.AccessRole{Scope: "units", Units: []string{"UAE / Retail"}}
		_, err = person(retail, without("users:edit")...).EditAccessRole(ctx, within.ID, within.AccessRole, wider)
		wantKind(t, "widening what somebody with more rights has", err, fault.Forbidden, "Team Lead", "users:edit")
		if _, err = person(retail, "access-roles:edit", "users:edit", "users:access").EditAccessRole(ctx, within.ID, within.AccessRole, wider); err != nil {
			t.Error(err)
		}
	})
}
