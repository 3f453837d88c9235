package main

import (
	"context"
	"strings"

	"muster/internal/directory"
)

type accessRolesCmd struct {
	List   accessRolesListCmd   `cmd:"" help:"List the access roles."`
	Show   accessRolesShowCmd   `cmd:"" help:"Show an access role."`
	Add    accessRolesAddCmd    `cmd:"" help:"Add an access role."`
	Set    accessRolesSetCmd    `cmd:"" help:"Change where an access role reaches. It holds at once for whoever has it."`
	Rename accessRolesRenameCmd `cmd:"" help:"Give an access role another name."`
	Delete accessRolesDeleteCmd `cmd:"" help:"Delete an access role that nobody has."`
}

// jsonAccessRole is an access role in JSON; the setup file has the same keys.
type jsonAccessRole struct {
	Name    string   `json:"name"`
	Scope   string   `json:"scope"`
	Units   []string `json:"org_units"` // full paths
	Holders int64    `json:"holders"`
}

func jsonAccessRoleOf(a directory.HeldAccessRole) jsonAccessRole {
	return jsonAccessRole{a.Name, a.Scope, append([]string{}, a.Units...), a.Holders}
}

// accessRoleNamed returns the access role with exactly this name.
func accessRoleNamed(ctx context.Context, h *directory.Handle, name string) (directory.HeldAccessRole, error) {
	all, err := h.AccessRoles(ctx)
	if err != nil {
		return directory.HeldAccessRole{}, err
	}
	var names []string
	for _, a := range all {
		if a.Name == name {
			return a, nil
		}
		names = append(names, a.Name)
	}
	return directory.HeldAccessRole{}, noSuch("access role", name, names, "muster access-roles list")
}

type accessRolesListCmd struct{}

// Run lists the access roles.
func (c *accessRolesListCmd) Run(ctx context.Context, s *session) error {
	return s.withDirectory(ctx, func(h *directory.Handle) error {
		all, err := h.AccessRoles(ctx)
		if err != nil {
			return err
		}
		if s.json {
			list := []jsonAccessRole{}
			for _, a := range all {
				list = append(list, jsonAccessRoleOf(a))
			}
			return writeJSON(s.out, struct {
				Total       int              `json:"total"`
				AccessRoles []jsonAccessRole `json:"access_roles"`
			}{len(list), list})
		}
		if len(all) == 0 {
			s.printf("There are no access roles yet.\n")
			return nil
		}
		s.table(func(row func(...any)) {
			row("ACCESS ROLE", "SCOPE", "ORG UNITS", "HOLDERS")
			for _, a := range all {
				row(a.Name, a.Scope, strings.Join(a.Units, "; "), number(a.Holders))
			}
		})
		return nil
	})
}

// showAccessRole writes an access role as it is now.
func (s *session) showAccessRole(ctx context.Context, h *directory.Handle, id int64) error {
	a, err := h.AccessRole(ctx, id)
	if err != nil {
		return err
	}
	if s.json {
		return writeJSON(s.out, jsonAccessRoleOf(a))
	}
	s.printf("%s, held by %s\n", a.Name, count(a.Holders, "user"))
	s.table(func(row func(...any)) {
		row("  scope:", a.Scope)
		for i, unit := range a.Units {
			label := ""
			if i == 0 {
				label = "  org units:"
			}
			row(label, unit)
		}
	})
	return nil
}

type accessRolesShowCmd struct {
	Name string `arg:"" help:"The access role."`
}

// Run shows an access role.
func (c *accessRolesShowCmd) Run(ctx context.Context, s *session) error {
	return s.withDirectory(ctx, func(h *directory.Handle) error {
		a, err := accessRoleNamed(ctx, h, c.Name)
		if err != nil {
			return err
		}
		return s.showAccessRole(ctx, h, a.ID)
	})
}

// accessRoleFlags say where an access role reaches.
type accessRoleFlags struct {
	Scope string   `help:"own-unit, own-unit-and-below, units or everywhere; with --unit it is units." placeholder:"SCOPE"`
	Unit  []string `help:"An org unit, with everything below it, by its full path. Repeat it for more." placeholder:"PATH" sep:"none"`
}

func (f accessRoleFlags) accessRole(name, command string) (directory.AccessRole, error) {
	a := directory.AccessRole{Name: name, Scope: f.Scope, Units: f.Unit}
	if a.Scope == "" && len(a.Units) > 0 {
		a.Scope = "units"
	}
	if a.Scope == "" {
		return a, &usage{message: "it is not said where the access role reaches: give --scope or --unit", command: []string{"access-roles", command}}
	}
	return a, nil
}

type accessRolesAddCmd struct {
	Name string `arg:"" help:"Its name."`
	accessRoleFlags
}

// Run adds an access role.
func (c *accessRolesAddCmd) Run(ctx context.Context, s *session) error {
	want, err := c.accessRole(c.Name, "add")
	if err != nil {
		return err
	}
	return s.withDirectory(ctx, func(h *directory.Handle) error {
		made, err := h.AddAccessRole(ctx, want)
		if err != nil {
			return err
		}
		return s.showAccessRole(ctx, h, made.ID)
	})
}

type accessRolesSetCmd struct {
	Name string `arg:"" help:"The access role."`
	accessRoleFlags
}

// Run changes an access role.
func (c *accessRolesSetCmd) Run(ctx context.Context, s *session) error {
	want, err := c.accessRole(c.Name, "set")
	if err != nil {
		return err
	}
	return s.withDirectory(ctx, func(h *directory.Handle) error {
		a, err := accessRoleNamed(ctx, h, c.Name)
		if err != nil {
			return err
		}
		if _, err := h.EditAccessRole(ctx, a.ID, a.AccessRole, want); err != nil {
			return err
		}
		return s.showAccessRole(ctx, h, a.ID)
	})
}

type accessRolesRenameCmd struct {
	Name string `arg:"" help:"The access role."`
	To   string `arg:"" help:"Its new name."`
}

// Run renames an access role.
func (c *accessRolesRenameCmd) Run(ctx context.Context, s *session) error {
	return s.withDirectory(ctx, func(h *directory.Handle) error {
		a, err := accessRoleNamed(ctx, h, c.Name)
		if err != nil {
			return err
		}
		if _, err := h.RenameAccessRole(ctx, a.ID, c.To); err != nil {
			return err
		}
		return s.showAccessRole(ctx, h, a.ID)
	})
}

type accessRolesDeleteCmd struct {
	Name string `arg:"" help:"The access role."`
}

// Run deletes an access role.
func (c *accessRolesDeleteCmd) Run(ctx context.Context, s *session) error {
	return s.withDirectory(ctx, func(h *directory.Handle) error {
		a, err := accessRoleNamed(ctx, h, c.Name)
		if err != nil {
			return err
		}
		if err := h.DeleteAccessRole(ctx, a.ID); err != nil {
			return err
		}
		return s.deleted("access role", a.Name)
	})
}
