package directory

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// UnitSeen is a unit as it was when somebody decided to change it: what two people do at once to the same unit is then
// no change that one of them did not mean. The zero value says that nobody looked.
type UnitSeen struct {
	Name     string
	ParentID int64
}

// Seen is the unit as it is now, for a change that is made of it later.
func (u OrgUnit) Seen() UnitSeen { return UnitSeen{Name: u.Name, ParentID: u.ParentID} }

// AddUnit makes a unit below another, by its id; 0 is the top. It needs org-units:add where the unit will be, and for one
// at the top a scope without limits. Invalid is a name that cannot be, or one unit too deep; Conflict a name that is
// taken among its siblings.
func (h *Handle) AddUnit(ctx context.Context, parentID int64, name string) (made OrgUnit, err error) {
	err = h.changeUnits(ctx, "org-units:add", func(e *unitEdit) error {
		parent, err := e.parent(ctx, parentID)
		if err != nil {
			return err
		}
		if err := e.fits(ctx, parent, name, 0, 1); err != nil {
			return err
		}
		if made, err = insertOrgUnit(ctx, e.tx, parent, name); err != nil {
			return fmt.Errorf("add an org unit: %w", err)
		}
		return h.auditUnit(ctx, e.tx, string(OpCreate), made.FullName, "", made.FullName)
	})
	return made, err
}

// RenameUnit gives a unit another name; whoever refers to it goes on to, as all do by its id. It needs org-units:edit on
// the unit. Conflict: it is not as it was seen, or the name is taken among its siblings.
func (h *Handle) RenameUnit(ctx context.Context, id int64, seen UnitSeen, name string) (now OrgUnit, err error) {
	err = h.changeUnits(ctx, "org-units:edit", func(e *unitEdit) error {
		u, err := e.unit(ctx, id, seen)
		if err != nil {
			return err
		}
		if now = u; u.Name == name {
			return errNothingChanged
		}
		parent, err := e.above(ctx, u.ParentID)
		if err != nil {
			return err
		}
		if err := e.fits(ctx, parent, name, u.ID, 1); err != nil {
			return err
		}
		if now, err = e.rewrite(ctx, u, parent, name); err != nil {
			return err
		}
		return h.auditUnit(ctx, e.tx, "rename", now.FullName, u.FullName, now.FullName)
	})
	return now, err
}

// MoveUnit puts a unit, with everything below it, below another by its id; 0 is the top. It rewrites the units that move
// and no user. It needs org-units:edit where the unit was and where it will be, for the top a scope without limits.
//
// Conflict: it is not as it was seen, or its name is taken there. Invalid: it would be below itself, deeper than there
// are levels, or agents would no longer be in teams.
func (h *Handle) MoveUnit(ctx context.Context, id int64, seen UnitSeen, parentID int64) (now OrgUnit, err error) {
	err = h.changeUnits(ctx, "org-units:edit", func(e *unitEdit) error {
		u, err := e.unit(ctx, id, seen)
		if err != nil {
			return err
		}
		if now = u; u.ParentID == parentID {
			return errNothingChanged
		}
		if _, err := e.parent(ctx, u.ParentID); err != nil {
			return err
		}
		parent, err := e.parent(ctx, parentID)
		if err != nil {
			return err
		}
		if now, err = e.move(ctx, u, parent); err != nil {
			return err
		}
		return h.auditUnit(ctx, e.tx, "move", now.FullName, u.FullName, now.FullName)
	})
	return now, err
}

// DeleteUnit deletes a unit that nothing refers to: Conflict says what does. It needs org-units:delete on the unit.
func (h *Handle) DeleteUnit(ctx context.Context, id int64, seen UnitSeen) error {
	return h.changeUnits(ctx, "org-units:delete", func(e *unitEdit) error {
		u, err := e.unit(ctx, id, seen)
		if err != nil {
			return err
		}
		why, err := e.inTheWay(ctx, u)
		if err != nil {
			return err
		}
		if why != "" {
			return fault.New(fault.Conflict, "%s cannot be deleted: %s", u.FullName, why)
		}
		_, err = e.tx.ExecContext(ctx, "DELETE FROM org_units WHERE id = $1", u.ID)
		if sqldb.ErrorKind(err) == sqldb.ForeignKey {
			return fault.Wrap(fault.Conflict, err, "%s cannot be deleted: it has just come into use; try again to see by what", u.FullName)
		}
		if err != nil {
			return fmt.Errorf("delete an org unit: %w", err)
		}
		return h.auditUnit(ctx, e.tx, string(OpDelete), u.FullName, u.FullName, "")
	})
}

// errNothingChanged ends a change that is none, without a trace.
var errNothingChanged = fault.New(fault.Internal, "nothing was changed")

// unitEdit is one change of the org structure, inside its transaction.
type unitEdit struct {
	actor  Actor
	tx     *sqldb.Tx
	levels []string
}

// changeUnits runs a change of the structure. Those who change the configuration take turns, so that nobody moves a unit
// below one that somebody else just then moves below it.
func (h *Handle) changeUnits(ctx context.Context, needs Right, change func(*unitEdit) error) error {
	if err := h.actor.Need(needs); err != nil {
		return err
	}
	err := h.dir.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.ExecContext(ctx, lockConfiguration); err != nil {
			return err
		}
		levels, err := list[string](ctx, tx, "SELECT name FROM org_levels ORDER BY position")
		if err != nil {
			return err
		}
		if err := change(&unitEdit{actor: h.actor, tx: tx, levels: levels}); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE directory_revision SET revision = revision + 1")
		return err
	})
	if errors.Is(err, errNothingChanged) {
		return nil
	}
	return err
}

// auditUnit writes what became of a unit; its full name says where it was and is.
func (h *Handle) auditUnit(ctx context.Context, tx *sqldb.Tx, action, name, before, after string) error {
	said := func(full string) string {
		if full == "" {
			return ""
		}
		return auditJSON([]attribute{{"name", full}})
	}
	return h.audit(ctx, tx, AuditEntry{Action: action, Subject: "org-unit", Name: name, Before: said(before), After: said(after)})
}

// unit is the unit to be changed, with all that is below it within the actor's scope, and as it was seen.
func (e *unitEdit) unit(ctx context.Context, id int64, seen UnitSeen) (OrgUnit, error) {
	u, found, err := orgUnitByID(ctx, e.tx, id)
	if err != nil {
		return u, err
	}
	if !found {
		if seen.Name != "" {
			return u, fault.New(fault.NotFound, "the org unit %q is not there any more: somebody deleted it meanwhile", seen.Name)
		}
		return u, errNoUnit
	}
	if !e.actor.scope.Contains(u.Path) {
		return u, errUnitOutOfScope
	}
	if seen.Name == "" || seen == u.Seen() {
		return u, nil
	}
	return u, e.changedMeanwhile(ctx, u, seen)
}

var errUnitOutOfScope = fault.New(fault.Forbidden, "the unit is outside your access role; ask somebody whose access role has it")

// changedMeanwhile says what somebody else did to the unit.
func (e *unitEdit) changedMeanwhile(ctx context.Context, u OrgUnit, seen UnitSeen) error {
	who, found, err := sqldb.One[string](ctx, e.tx, `
		SELECT actor FROM audit WHERE subject = 'org-unit' AND name = $1 AND action IN ('rename', 'move') ORDER BY id DESC LIMIT 1`, u.FullName)
	if err != nil {
		return fmt.Errorf("look up who changed an org unit: %w", err)
	}
	if !found {
		who = "somebody"
	}
	did := "renamed"
	switch {
	case u.ParentID != seen.ParentID && u.Name != seen.Name:
		did = "moved and renamed"
	case u.ParentID != seen.ParentID:
		did = "moved"
	}
	return fault.New(fault.Conflict, "nothing was changed: %s has %s the unit %q meanwhile, and it is %s now; look again and repeat what is still wanted", who, did, seen.Name, u.FullName)
}

// parent is the unit below which another is put or taken from, 0 for the top: everything below it must be in scope.
func (e *unitEdit) parent(ctx context.Context, id int64) (OrgUnit, error) {
	if id == 0 {
		if !e.actor.scope.IsEverywhere() {
			return OrgUnit{}, fault.New(fault.Forbidden, "the top of the structure is outside your access role; ask somebody whose access role has the scope everywhere")
		}
		return OrgUnit{}, nil
	}
	u, found, err := orgUnitByID(ctx, e.tx, id)
	switch {
	case err != nil:
		return u, err
	case !found:
		return u, errNoUnit
	case !e.actor.scope.Covers(Below(u.Path)):
		return u, errUnitOutOfScope
	}
	return u, nil
}

// above is the parent of a unit that stays where it is.
func (e *unitEdit) above(ctx context.Context, id int64) (u OrgUnit, err error) {
	if id != 0 {
		u, _, err = orgUnitByID(ctx, e.tx, id)
	}
	return u, err
}

// fits makes sure that a unit can be called name below parent, and be so many levels high; self is its id where it is there.
func (e *unitEdit) fits(ctx context.Context, parent OrgUnit, name string, self int64, height int) error {
	if what := badUnitName(name); what != "" {
		return fault.New(fault.Invalid, "the name %s", what)
	}
	if deepest := parent.Depth + height; deepest > len(e.levels) {
		if height > 1 {
			return fault.New(fault.Invalid, "what is below the unit would be %d deep there, and there are %s (%s); choose a place higher up, or add levels", deepest, count(len(e.levels), "level"), shown(e.levels))
		}
		return fault.New(fault.Invalid, "nothing can be below %s: there are %s (%s), and it is on the lowest; choose a place higher up, or add levels", parent.FullName, count(len(e.levels), "level"), shown(e.levels))
	}
	if len(fullName(parent, name)) > longestFullName {
		return fault.New(fault.Invalid, "the full name would have more than %d bytes; shorten the names in it", longestFullName)
	}
	taken, _, err := sqldb.One[int64](ctx, e.tx, "SELECT count(*) FROM org_units WHERE coalesce(parent_id, 0) = $1 AND name = $2 AND id <> $3", parent.ID, name, self)
	if err != nil {
		return fmt.Errorf("look for an org unit's siblings: %w", err)
	}
	if taken > 0 {
		where := "at the top"
		if parent.ID != 0 {
			where = "in " + parent.FullName
		}
		return fault.New(fault.Conflict, "there is a unit called %s %s already; choose another name", name, where)
	}
	return nil
}

// badUnitName says what is wrong with the name of one unit and what to do; "" when nothing is.
func badUnitName(name string) string {
	if what := badName(name); what != "" {
		return what
	}
	if strings.Contains(name, pathSeparator) || missingName(name) {
		return `holds a " / ", which stands between the names of a path; write it without the spaces, or otherwise`
	}
	return ""
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
