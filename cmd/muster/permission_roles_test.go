package main

import (
	"slices"

	"muster/internal/directory"
)

// rolePermissions are the rows of roles and access roles. The role Agent has users:access, which who changes it must hold.
func rolePermissions() []permission {
	const whole = "what it tells holds for the whole organisation"
	id := func(w *ward, name string) int64 { return w.count("SELECT id FROM roles WHERE name = $1", name) }
	access := func(w *ward, name string) int64 { return w.count("SELECT id FROM access_roles WHERE name = $1", name) }
	agent := directory.Role{Rights: []directory.Right{"users:access"}}
	there := func(w *ward, name string) bool {
		return w.count("SELECT (SELECT count(*) FROM roles WHERE name = $1) + (SELECT count(*) FROM access_roles WHERE name = $1)", name) > 0
	}
	return append(free("Handle", "says what the actor may, of a role that they have seen", "MayChangeRole", "MayChangeAccessRole"), []permission{
		{method: "Handle.Roles", why: whole, reach: anywhere, needs: rights{"roles:access"}, call: func(w *ward, a directory.Actor) (bool, error) {
			all, err := w.app.dir.As(a).Roles(w.Context())
			return len(all) > 0, err
		}},
		{method: "Handle.Role", why: whole, reach: anywhere, needs: rights{"roles:access"}, call: func(w *ward, a directory.Actor) (bool, error) {
			r, err := w.app.dir.As(a).Role(w.Context(), id(w, "Agent"))
			return r.Name != "", err
		}},
		{method: "Handle.RoleHolders", needs: rights{"roles:access", "users:access"}, call: func(w *ward, a directory.Actor) (bool, error) {
			users, err := w.app.dir.As(a).RoleHolders(w.Context(), id(w, "Agent"), "", 1000)
			return slices.ContainsFunc(users, isSubject), err
		}},
		{method: "Handle.AddRole", reach: everywhere, needs: rights{"roles:add"}, call: func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.app.dir.As(a).AddRole(w.Context(), directory.Role{Name: "Coach"})
			return there(w, "Coach"), err
		}},
		{method: "Handle.AddRole", why: "with a right", reach: everywhere, needs: rights{"roles:add", "users:edit"}, call: func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.app.dir.As(a).AddRole(w.Context(), directory.Role{Name: "Coach", Rights: []directory.Right{"users:edit"}})
			return there(w, "Coach"), err
		}},
		{method: "Handle.CopyRole", reach: everywhere, needs: rights{"roles:access", "roles:add", "users:access"}, call: func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.app.dir.As(a).CopyRole(w.Context(), id(w, "Agent"), "Coach")
			return there(w, "Coach"), err
		}},
		{method: "Handle.EditRole", why: "to give a right", reach: everywhere, needs: rights{"roles:edit", "users:access", "users:edit"}, call: func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.app.dir.As(a).EditRole(w.Context(), id(w, "Agent"), agent, directory.Role{Rights: []directory.Right{"users:access", "users:edit"}})
			return w.count("SELECT count(*) FROM role_rights WHERE role_id = $1", id(w, "Agent")) == 2, err
		}},
		{method: "Handle.EditRole", why: "to take a right", reach: everywhere, needs: rights{"roles:edit", "users:access"}, call: func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.app.dir.As(a).EditRole(w.Context(), id(w, "Agent"), agent, directory.Role{})
			return w.count("SELECT count(*) FROM role_rights WHERE role_id = $1", id(w, "Agent")) == 0, err
		}},
		{method: "Handle.RenameRole", reach: everywhere, needs: rights{"roles:edit", "users:access"}, call: func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.app.dir.As(a).RenameRole(w.Context(), id(w, "Agent"), "Coach")
			return there(w, "Coach"), err
		}},
		{method: "Handle.DeleteRole", reach: everywhere, needs: rights{"roles:delete"}, call: func(w *ward, a directory.Actor) (bool, error) {
			err := w.app.dir.As(a).DeleteRole(w.Context(), id(w, "Nobody's"))
			return !there(w, "Nobody's"), err
		}},
		{method: "Handle.AccessRoles", why: whole, reach: anywhere, needs: rights{"access-roles:access"}, call: func(w *ward, a directory.Actor) (bool, error) {
			all, err := w.app.dir.As(a).AccessRoles(w.Context())
			return len(all) > 0, err
		}},
		{method: "Handle.AccessRole", why: whole, reach: anywhere, needs: rights{"access-roles:access"}, call: func(w *ward, a directory.Actor) (bool, error) {
			r, err := w.app.dir.As(a).AccessRole(w.Context(), access(w, "Own unit"))
			return r.Name != "", err
		}},
		{method: "Handle.AccessUnits", needs: rights{"access-roles:access"}, call: func(w *ward, a directory.Actor) (bool, error) {
			units, err := w.app.dir.As(a).AccessUnits(w.Context())
			return slices.ContainsFunc(units, func(u directory.OrgUnit) bool { return u.FullName == subjectUnit }), err
		}},
		{method: "Handle.AccessRoleHolders", needs: rights{"access-roles:access", "users:access"}, call: func(w *ward, a directory.Actor) (bool, error) {
			users, err := w.app.dir.As(a).AccessRoleHolders(w.Context(), access(w, "Own unit"), "", 1000)
			return slices.ContainsFunc(users, isSubject), err
		}},
		{method: "Handle.AddAccessRole", needs: rights{"access-roles:add"}, call: func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.app.dir.As(a).AddAccessRole(w.Context(), directory.AccessRole{Name: "Here", Scope: "units", Units: []string{subjectUnit}})
			return there(w, "Here"), err
		}},
		{method: "Handle.CopyAccessRole", reach: everywhere, needs: rights{"access-roles:access", "access-roles:add"}, call: func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.app.dir.As(a).CopyAccessRole(w.Context(), access(w, "Own unit"), "Here")
			return there(w, "Here"), err
		}},
		// It comes to reach further, and the subject, who has it, may see users.
		{method: "Handle.EditAccessRole", reach: everywhere, needs: rights{"access-roles:edit", "users:access"}, call: func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.app.dir.As(a).EditAccessRole(w.Context(), access(w, "Own unit"), directory.AccessRole{Scope: "own-unit"}, directory.AccessRole{Scope: "everywhere"})
			return w.count("SELECT count(*) FROM access_roles WHERE scope = 'everywhere' AND name = 'Own unit'") > 0, err
		}},
		{method: "Handle.RenameAccessRole", reach: everywhere, needs: rights{"access-roles:edit"}, call: func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.app.dir.As(a).RenameAccessRole(w.Context(), access(w, "Own unit"), "Here")
			return there(w, "Here"), err
		}},
		{method: "Handle.DeleteAccessRole", needs: rights{"access-roles:delete"}, call: func(w *ward, a directory.Actor) (bool, error) {
			err := w.app.dir.As(a).DeleteAccessRole(w.Context(), access(w, "Cards alone"))
			return !there(w, "Cards alone"), err
		}},
	}...)
}
