package directory_test

import (
	"fmt"
	"slices"

	"muster/internal/directory"
	"muster/internal/fault"
)

// input is what somebody may type of a user: a little other than they are, or all made up.
func (c *climb) input(of directory.UserInput) directory.UserInput {
	if c.IntN(2) == 0 {
		of.OrgUnit = c.unit().FullName
	}
	if c.IntN(2) == 0 {
		var names []string
		for _, r := range c.cfg.Roles {
			names = append(names, r.Name)
		}
		if c.IntN(2) == 0 {
			of.Roles = append(slices.Clone(of.Roles), pick(c, names))
		} else {
			of.Roles = someOf(c, names, 0.3)
		}
	}
	if c.IntN(2) == 0 {
		of.AccessRole = pick(c, append([]directory.AccessRole{{}}, c.cfg.AccessRoles...)).Name
	}
	return of
}

// oneUser is somebody of the directory, as the system sees them.
func (c *climb) oneUser() directory.User {
	c.Helper()
	u, err := system(c.d).User(c.Context(), pick(c, c.users()))
	if err != nil {
		c.Fatal(err)
	}
	return u
}

// refusal makes an error of problems that kept something from being written.
func refusal(problems []directory.Problem, err error) error {
	if err != nil {
		return err
	}
	for _, p := range problems {
		if p.Severity == directory.Error {
			return fault.New(fault.Invalid, "%s", p.Message)
		}
	}
	return nil
}

func userCalls() []climbCall {
	return []climbCall{
		{"AddUser", func(c *climb, h *directory.Handle) (string, error) {
			n := c.IntN(1_000_000)
			in := c.input(directory.UserInput{LANID: fmt.Sprintf("n%d", n), FirstName: "A", LastName: "B", PBXID: fmt.Sprint(1_000_000 + n), Profile: "Supervisor",
				OrgUnit: c.unit().FullName, Roles: []string{pick(c, c.cfg.Roles).Name}, AccessRole: pick(c, c.cfg.AccessRoles).Name})
			_, problems, err := h.AddUser(c.Context(), in)
			return fmt.Sprint(in), refusal(problems, err)
		}},
		{"EditUser", func(c *climb, h *directory.Handle) (string, error) {
			u := c.oneUser()
			in := c.input(u.Input())
			done, err := h.EditUser(c.Context(), u.ID, u.Version, in, "")
			return fmt.Sprint(u.LANID, in.OrgUnit, in.Roles, in.AccessRole), refusal(done.Problems, err)
		}},
		{"DeactivateUser", func(c *climb, h *directory.Handle) (string, error) {
			u := c.oneUser()
			return u.LANID, h.DeactivateUser(c.Context(), u.ID, u.Version, "for a reason", c.IntN(2) == 0)
		}},
		{"ReactivateUser", func(c *climb, h *directory.Handle) (string, error) {
			u := c.oneUser()
			problems, err := h.ReactivateUser(c.Context(), u.ID, u.Version, fmt.Sprint(2_000_000+c.IntN(1_000_000)))
			return u.LANID, refusal(problems, err)
		}},
		{"DeleteUser", func(c *climb, h *directory.Handle) (string, error) {
			if c.IntN(4) > 0 {
				return "", fault.New(fault.Forbidden, "not now")
			}
			u := c.oneUser()
			return u.LANID, h.DeleteUser(c.Context(), u.ID, u.Version, "for a reason")
		}},
	}
}
