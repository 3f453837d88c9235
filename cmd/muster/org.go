package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/setup"
)

type orgCmd struct {
	List   orgListCmd   `cmd:"" help:"Show the org structure, with the number of users in each unit."`
	Add    orgAddCmd    `cmd:"" help:"Add a unit below one that is there, or at the top."`
	Rename orgRenameCmd `cmd:"" help:"Give a unit another name."`
	Move   orgMoveCmd   `cmd:"" help:"Move a unit, with everything below it, below another or to the top."`
	Delete orgDeleteCmd `cmd:"" help:"Delete a unit that is empty."`
	Import orgImportCmd `cmd:"" help:"Add the units of a spreadsheet; nothing is deleted. What is new is shown first."`
	Export orgExportCmd `cmd:"" help:"Write the org structure as a spreadsheet to standard output."`
}

// orgUnit is a unit in JSON.
type orgUnit struct {
	ID      int64  `json:"id"`
	OrgUnit string `json:"org_unit"` // full path
	Name    string `json:"name"`
	Level   string `json:"level"`
	Users   int64  `json:"users"`
	Total   int64  `json:"users_with_below"`
}

type orgListCmd struct {
	Unit string `arg:"" optional:"" help:"Only this unit and what is below it: its name or full path."`
}

// Run lists the units.
func (c *orgListCmd) Run(ctx context.Context, s *session) error {
	return s.withOrg(ctx, func(h *directory.Handle, t *directory.OrgTree) error {
		units := t.Units
		if c.Unit != "" {
			top, err := t.Find(c.Unit)
			if err != nil {
				return err
			}
			for i, u := range units {
				if u.ID == top.ID {
					units = units[i : i+1+u.Below]
				}
			}
		}
		if s.json {
			all := []orgUnit{}
			for _, u := range units {
				all = append(all, orgUnit{u.ID, u.FullName, u.Name, t.Level(u.OrgUnit), u.Users, u.Total})
			}
			return writeJSON(s.out, struct {
				Total  int       `json:"total"`
				Levels []string  `json:"levels"`
				Units  []orgUnit `json:"org_units"`
			}{len(all), t.Levels, all})
		}
		s.printOrg(t, units)
		return nil
	})
}

func (s *session) printOrg(t *directory.OrgTree, units []directory.OrgNode) {
	if len(units) == 0 {
		s.printf("There are no org units yet.\n")
		return
	}
	s.table(func(row func(...any)) {
		row("ORG UNIT", "LEVEL", "USERS", "WITH BELOW")
		for _, u := range units {
			row(strings.Repeat("  ", u.Depth-units[0].Depth)+u.Name, t.Level(u.OrgUnit), number(u.Users), number(u.Total))
		}
	})
}

type orgAddCmd struct {
	Path string `arg:"" help:"The full path of the new unit: \"UAE / Retail / Cards\"."`
}

// Run adds a unit.
func (c *orgAddCmd) Run(ctx context.Context, s *session) error {
	return s.withOrg(ctx, func(h *directory.Handle, t *directory.OrgTree) error {
		above, name := "", strings.TrimPrefix(c.Path, "/ ")
		if i := strings.LastIndex(name, " / "); i >= 0 {
			above, name = name[:i], name[i+len(" / "):]
		}
		var parent directory.OrgNode
		if above != "" {
			var err error
			if parent, err = t.Find(above); err != nil {
				return err
			}
		}
		u, err := h.AddUnit(ctx, parent.ID, name)
		return s.orgDone(u, "Added", err)
	})
}

type orgRenameCmd struct {
	Unit string `arg:"" help:"The unit: its name or full path."`
	Name string `arg:"" help:"Its new name, without what is above it."`
}

// Run renames a unit.
func (c *orgRenameCmd) Run(ctx context.Context, s *session) error {
	return s.withUnit(ctx, c.Unit, func(h *directory.Handle, _ *directory.OrgTree, u directory.OrgNode) error {
		now, err := h.RenameUnit(ctx, u.ID, u.Seen(), c.Name)
		return s.orgDone(now, "Renamed: it is now", err)
	})
}

type orgMoveCmd struct {
	Unit  string `arg:"" help:"The unit: its name or full path."`
	Below string `arg:"" help:"The unit below which it will be, or / for the top."`
}

// Run moves a unit.
func (c *orgMoveCmd) Run(ctx context.Context, s *session) error {
	return s.withUnit(ctx, c.Unit, func(h *directory.Handle, t *directory.OrgTree, u directory.OrgNode) error {
		var parent directory.OrgNode
		if c.Below != "/" {
			var err error
			if parent, err = t.Find(c.Below); err != nil {
				return err
			}
		}
		now, err := h.MoveUnit(ctx, u.ID, u.Seen(), parent.ID)
		return s.orgDone(now, "Moved: it is now", err)
	})
}

type orgDeleteCmd struct {
	Unit string `arg:"" help:"The unit: its name or full path."`
}

// Run deletes a unit.
func (c *orgDeleteCmd) Run(ctx context.Context, s *session) error {
	return s.withUnit(ctx, c.Unit, func(h *directory.Handle, _ *directory.OrgTree, u directory.OrgNode) error {
		return s.orgDone(u.OrgUnit, "Deleted", h.DeleteUnit(ctx, u.ID, u.Seen()))
	})
}

// orgDone says what was done to a unit.
func (s *session) orgDone(u directory.OrgUnit, what string, err error) error {
	if err != nil {
		return err
	}
	if s.json {
		return writeJSON(s.out, struct {
			ID      int64  `json:"id"`
			OrgUnit string `json:"org_unit"`
			Name    string `json:"name"`
		}{u.ID, u.FullName, u.Name})
	}
	s.printf("%s %s\n", what, u.FullName)
	return nil
}

type orgImportCmd struct {
	Yes     bool   `help:"Add without asking." xor:"mode"`
	Preview bool   `help:"Only show what is new." xor:"mode"`
	File    string `arg:"" help:"A spreadsheet, CSV or XLSX, with a column Org Unit that holds full paths."`
}

// Run adds units from a spreadsheet.
func (c *orgImportCmd) Run(ctx context.Context, s *session) error {
	units, err := readUnits(c.File)
	if err != nil {
		return err
	}
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	plan, err := a.handle().PlanUnits(ctx, units.Names)
	if err != nil {
		return err
	}
	if problems := units.Problems(plan); len(problems) > 0 {
		shown := problems[:min(len(problems), 20)]
		text := strings.Join(shown, "\n- ")
		if len(problems) > len(shown) {
			text += "\n- and " + number(int64(len(problems)-len(shown))) + " more"
		}
		return fault.New(fault.Invalid, "nothing was added: %s cannot be used as it is\n- %s", filepath.Base(c.File), text)
	}
	if !s.json {
		for _, full := range plan.New {
			s.printf("+ %s\n", full)
		}
		s.printf("%s new, %s there already.\n", number(int64(len(plan.New))), number(int64(plan.Already)))
	}
	made := []string{}
	if len(plan.New) > 0 && !c.Preview {
		if yes, err := c.agreed(ctx, s); err != nil || !yes {
			return err
		}
		if made, err = a.handle().AddUnits(ctx, units.Names); err != nil {
			return err
		}
	}
	if s.json {
		return writeJSON(s.out, struct {
			New     []string `json:"new"`
			Already int      `json:"already_there"`
			Added   int      `json:"added"`
		}{append([]string{}, plan.New...), plan.Already, len(made)})
	}
	if len(made) > 0 {
		s.printf("Added %s.\n", count(int64(len(made)), "unit"))
	}
	return nil
}

// agreed asks whether to go on.
func (c *orgImportCmd) agreed(ctx context.Context, s *session) (bool, error) {
	if c.Yes {
		return true, nil
	}
	if !s.asks() {
		return false, &usage{message: "nothing is added, as there is no terminal to ask on: use --yes to add the units, --preview only to see them", command: []string{"org", "import"}}
	}
	yes, err := s.ask(ctx, "Add these?")
	if err == nil && !yes {
		s.printf("Nothing is added.\n")
	}
	return yes, err
}

func readUnits(name string) (u setup.Units, err error) {
	if err := readable([]string{name}); err != nil {
		return u, err
	}
	f, err := os.Open(name)
	if err != nil {
		return u, fault.Wrap(fault.Invalid, err, "the file %s cannot be read", name)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return u, fault.Wrap(fault.Invalid, err, "the file %s cannot be read", name)
	}
	return setup.ReadUnits(f, info.Size(), filepath.Base(name), limits)
}

type orgExportCmd struct{}

// Run writes the structure.
func (c *orgExportCmd) Run(ctx context.Context, s *session) error {
	return s.withOrg(ctx, func(_ *directory.Handle, t *directory.OrgTree) error {
		if !s.json {
			return setup.WriteUnits(s.out, t)
		}
		names := []string{}
		for _, u := range t.Units {
			names = append(names, u.FullName)
		}
		return writeJSON(s.out, struct {
			Units []string `json:"org_units"`
		}{names})
	})
}

// withOrg runs fn on the structure as it is.
func (s *session) withOrg(ctx context.Context, fn func(*directory.Handle, *directory.OrgTree) error) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	t, err := a.handle().OrgTree(ctx)
	if err != nil {
		return err
	}
	return fn(a.handle(), t)
}

// withUnit runs fn on one unit of it, as it is written.
func (s *session) withUnit(ctx context.Context, written string, fn func(*directory.Handle, *directory.OrgTree, directory.OrgNode) error) error {
	return s.withOrg(ctx, func(h *directory.Handle, t *directory.OrgTree) error {
		u, err := t.Find(written)
		if err != nil {
			return err
		}
		return fn(h, t, u)
	})
}
