package directory_test

import (
	"fmt"
	"slices"

	"muster/internal/directory"
	"muster/internal/fault"
)

// Calls that the search looks at in another way than at the others.
const (
	systemMakes = "the system makes an administrator"
	moves       = "MoveUnit"
)

var climbNames = []string{"Alpha", "Beta", "Gamma", directory.AdministratorRole, directory.EverywhereAccessRole, "Agent", "Team Lead", "Keeper", "Person"}

// climbCalls are all calls of the service that change something, and taking over another account.
func climbCalls() []climbCall {
	return slices.Concat(roleCalls(), accessRoleCalls(), userCalls(), userCalls(), unitCalls(), otherCalls())
}

// rights are some that the one who acts holds, and sometimes others.
func (c *climb) rights() []directory.Right {
	if c.IntN(4) == 0 {
		return someOf(c, append(slices.Clone(climbRights), "settings:edit"), 0.2)
	}
	return someOf(c, c.holder().Rights, 0.6)
}

// oneRole is a role of the directory as it is, sometimes of the few that the person holds all rights of.
func (c *climb) oneRole() directory.Role { return pick(c, c.cfg.Roles) }

func (c *climb) oneAccessRole() directory.AccessRole { return pick(c, c.cfg.AccessRoles) }

// unit is one of the directory, mostly in the scope of who acts.
func (c *climb) unit() directory.OrgUnit {
	units, scope := c.cfg.OrgUnits, c.holder().Scope
	for range 4 {
		if u := pick(c, units); scope.Contains(u.Path) {
			return u
		}
	}
	return pick(c, units)
}

func (c *climb) accessRole() directory.AccessRole {
	a := directory.AccessRole{Name: pick(c, climbNames), Scope: pick(c, []string{"own-unit", "own-unit-and-below", "units", "units", "units", "everywhere"})}
	if a.Scope == "units" {
		for range 1 + c.IntN(2) {
			a.Units = append(a.Units, c.unit().FullName)
		}
		slices.Sort(a.Units)
		a.Units = slices.Compact(a.Units)
	}
	return a
}

func roleCalls() []climbCall {
	return []climbCall{
		{"AddRole", func(c *climb, h *directory.Handle) (string, error) {
			r := directory.Role{Name: pick(c, climbNames), Rights: c.rights()}
			_, err := h.AddRole(c.Context(), r)
			return fmt.Sprint(r), err
		}},
		{"EditRole", func(c *climb, h *directory.Handle) (string, error) {
			r := c.oneRole()
			want := directory.Role{Rights: c.rights()}
			if c.IntN(2) == 0 {
				want.Rights = slices.Compact(slices.Sorted(slices.Values(append(want.Rights, r.Rights...))))
			}
			_, err := h.EditRole(c.Context(), r.ID, r, want)
			return fmt.Sprint(r, " to ", want.Rights), err
		}},
		{"RenameRole", func(c *climb, h *directory.Handle) (string, error) {
			r, name := c.oneRole(), pick(c, climbNames)
			_, err := h.RenameRole(c.Context(), r.ID, name)
			return r.Name + " to " + name, err
		}},
		{"CopyRole", func(c *climb, h *directory.Handle) (string, error) {
			r, name := c.oneRole(), pick(c, climbNames)
			_, err := h.CopyRole(c.Context(), r.ID, name)
			return r.Name + " as " + name, err
		}},
		{"DeleteRole", func(c *climb, h *directory.Handle) (string, error) {
			r := c.oneRole()
			return r.Name, h.DeleteRole(c.Context(), r.ID)
		}},
	}
}

func accessRoleCalls() []climbCall {
	return []climbCall{
		{"AddAccessRole", func(c *climb, h *directory.Handle) (string, error) {
			a := c.accessRole()
			_, err := h.AddAccessRole(c.Context(), a)
			return fmt.Sprint(a), err
		}},
		{"EditAccessRole", func(c *climb, h *directory.Handle) (string, error) {
			a, want := c.oneAccessRole(), c.accessRole()
			_, err := h.EditAccessRole(c.Context(), a.ID, a, want)
			return fmt.Sprint(a, " to ", want), err
		}},
		{"RenameAccessRole", func(c *climb, h *directory.Handle) (string, error) {
			a, name := c.oneAccessRole(), pick(c, climbNames)
			_, err := h.RenameAccessRole(c.Context(), a.ID, name)
			return a.Name + " to " + name, err
		}},
		{"CopyAccessRole", func(c *climb, h *directory.Handle) (string, error) {
			a, name := c.oneAccessRole(), pick(c, climbNames)
			_, err := h.CopyAccessRole(c.Context(), a.ID, name)
			return a.Name + " as " + name, err
		}},
		{"DeleteAccessRole", func(c *climb, h *directory.Handle) (string, error) {
			a := c.oneAccessRole()
			return a.Name, h.DeleteAccessRole(c.Context(), a.ID)
		}},
	}
}

func unitCalls() []climbCall {
	return []climbCall{
		{"AddUnit", func(c *climb, h *directory.Handle) (string, error) {
			u, err := h.AddUnit(c.Context(), c.unit().ID, pick(c, climbNames))
			return u.FullName, err
		}},
		{"RenameUnit", func(c *climb, h *directory.Handle) (string, error) {
			u := c.unit()
			now, err := h.RenameUnit(c.Context(), u.ID, directory.UnitSeen{}, pick(c, climbNames))
			return u.FullName + " to " + now.Name, err
		}},
		{moves, func(c *climb, h *directory.Handle) (string, error) {
			u, to := c.unit(), c.unit()
			_, err := h.MoveUnit(c.Context(), u.ID, directory.UnitSeen{}, to.ID)
			return u.FullName + " below " + to.FullName, err
		}},
		{"DeleteUnit", func(c *climb, h *directory.Handle) (string, error) {
			u := c.unit()
			return u.FullName, h.DeleteUnit(c.Context(), u.ID, directory.UnitSeen{})
		}},
	}
}

func otherCalls() []climbCall {
	return []climbCall{
		{"ApplyConfiguration", func(c *climb, h *directory.Handle) (string, error) {
			cfg := c.cfg
			want := directory.Configuration{}
			if c.IntN(2) > 0 {
				want.Roles = someOf(c, cfg.Roles, 0.8)
				want.Roles = append(want.Roles, directory.Role{Name: pick(c, climbNames), Rights: c.rights()})
			}
			if c.IntN(3) > 0 || want.Roles == nil {
				want.AccessRoles = append(someOf(c, cfg.AccessRoles, 0.8), c.accessRole())
			}
			want.Roles, want.AccessRoles = lastOf(want.Roles, func(r directory.Role) string { return r.Name }), lastOf(want.AccessRoles, func(a directory.AccessRole) string { return a.Name })
			made, err := h.ApplyConfiguration(c.Context(), want, directory.ApplyOptions{Prune: c.IntN(3) == 0})
			return fmt.Sprint(made), err
		}},
		// Whoever may make a link for somebody acts as them: see mayLetIn in package auth.
		{"MakeLink", func(c *climb, h *directory.Handle) (string, error) {
			id := pick(c, c.users())
			of, _, err := directory.HolderByID(c.Context(), c.d.DB.Read(), id)
			if err != nil {
				return "", err
			}
			a := h.Actor()
			if !a.Can("users:edit") || !a.Scope().Contains(of.UnitPath) || !a.MayGrant(of.Rights) || !a.Scope().Covers(of.Scope) || slices.Contains(c.actors, id) {
				return "", fault.New(fault.Forbidden, "no")
			}
			c.actors = append(c.actors, id)
			return of.LANID, nil
		}},
		// What is called like the built-in role becomes it.
		{systemMakes, func(c *climb, _ *directory.Handle) (string, error) {
			if len(c.chiefs) > 0 || c.IntN(2) > 0 {
				return "", fault.New(fault.Forbidden, "not now")
			}
			_, err := createAdministrator(c.Context(), system(c.d), c.d, directory.Applicant{LANID: "chief", FirstName: "A", LastName: "B"})
			return "chief", err
		}},
	}
}

// lastOf keeps of what has the same name the last.
func lastOf[T any](all []T, name func(T) string) []T {
	var kept []T
	for i, v := range all {
		if !slices.ContainsFunc(all[i+1:], func(other T) bool { return name(other) == name(v) }) {
			kept = append(kept, v)
		}
	}
	return kept
}
