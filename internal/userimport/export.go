package userimport

import (
	"context"
	"io"
	"strconv"
	"strings"

	"muster/internal/directory"
	"muster/internal/sheet"
)

// Exported says what an export holds.
type Exported struct {
	Users          int64
	Administrators int64 // left out: an import does not make them
	Inactive       int64 // of Users: an import into another directory would make them active
}

// Export writes the users that the filter picks, of those that the handle's actor may see, as the three files of an
// import, in the order of their LAN IDs. Channel counts and features are written where they differ from the catalogue's
// default.
func Export(ctx context.Context, h *directory.Handle, filter directory.UserFilter, users, channels, features io.Writer) (Exported, error) {
	e := &export{users: sheet.NewWriter(users), channels: sheet.NewWriter(channels), features: sheet.NewWriter(features)}
	if err := h.WalkUsers(ctx, filter, e.begin, e.page); err != nil {
		return e.done, err
	}
	for _, w := range []*sheet.Writer{e.users, e.channels, e.features} {
		if err := w.Flush(); err != nil {
			return e.done, err
		}
	}
	return e.done, nil
}

type export struct {
	users, channels, features *sheet.Writer
	cfg                       *directory.Configuration
	units                     map[string]string // full name: as an import understands it
	cells                     []string
	done                      Exported
}

func (e *export) begin(cfg *directory.Configuration) error {
	e.cfg = cfg
	e.units = unitCells(cfg.OrgUnits)
	for _, file := range []struct {
		kind Kind
		into *sheet.Writer
	}{{UserDetails, e.users}, {ChannelCountDetails, e.channels}, {FeatureDetails, e.features}} {
		if err := file.into.Write(Columns(file.kind, cfg)); err != nil {
			return err
		}
	}
	return nil
}

// unitCells names each unit as an import understands it: by its name where no other has it, otherwise by its path.
func unitCells(units []directory.OrgUnit) map[string]string {
	named := map[string]int{}
	for _, u := range units {
		named[u.Name]++
	}
	cells := make(map[string]string, len(units))
	for _, u := range units {
		switch {
		case named[u.Name] == 1:
			cells[u.FullName] = u.Name
		case u.ParentID == 0:
			cells[u.FullName] = "/ " + u.FullName
		default:
			cells[u.FullName] = u.FullName
		}
	}
	return cells
}

func (e *export) page(users []directory.User) error {
	for i := range users {
		u := &users[i]
		if u.Profile == directory.Administrator {
			e.done.Administrators++
			continue
		}
		e.done.Users++
		if u.Status == directory.Inactive {
			e.done.Inactive++
		}
		if err := e.user(u); err != nil {
			return err
		}
	}
	return nil
}

func (e *export) user(u *directory.User) error {
	e.cells = append(e.cells[:0], u.LANID, u.FirstName, u.LastName, u.AgentID, u.PBXID, u.Profile.String(), u.Supervisor,
		e.units[u.OrgUnit], strings.Join(u.Roles, ";"), u.AccessRole, u.CRMName, u.GreetingTemplate)
	if err := e.users.Write(e.cells); err != nil {
		return err
	}
	differs := false
	e.cells = append(e.cells[:0], u.LANID)
	for i := range e.cfg.Channels {
		c := &e.cfg.Channels[i]
		cell := ""
		if n := u.ChannelCounts[c.Name]; n != c.Default {
			cell, differs = strconv.Itoa(n), true
		}
		e.cells = append(e.cells, cell)
	}
	if differs {
		if err := e.channels.Write(e.cells); err != nil {
			return err
		}
	}
	differs = false
	e.cells = append(e.cells[:0], u.LANID)
	for i := range e.cfg.Features {
		f := &e.cfg.Features[i]
		cell := ""
		if v := u.Features[f.Name]; v != f.Default {
			cell, differs = v, true
		}
		e.cells = append(e.cells, cell)
	}
	if !differs {
		return nil
	}
	return e.features.Write(e.cells)
}
