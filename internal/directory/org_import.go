package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// UnitPlan is what an import of full names would do: nothing is ever deleted, renamed or moved.
type UnitPlan struct {
	New      []string // full names, parents first; those that nobody wrote, but that are above such, among them
	Already  int      // of the names given, those that are there
	Problems []UnitProblem
}

// UnitProblem is a full name that cannot be added; while there is one, none is.
type UnitProblem struct {
	At       int // index among the names given
	FullName string
	Message  string // what is wrong and what to do
}

// unitChunk is how many units of an import are made in one transaction: nobody waits longer than that.
const unitChunk = 500

// mostUnitsAtOnce bounds an import, so that what it needs fits in memory.
const mostUnitsAtOnce = 50_000

// PlanUnits says what [Handle.AddUnits] would do with these full names. It needs org-units:access and org-units:add;
// what is out of scope is a problem.
func (h *Handle) PlanUnits(ctx context.Context, names []string) (p *UnitPlan, err error) {
	if err := h.actor.Need("org-units:access", "org-units:add"); err != nil {
		return nil, err
	}
	if len(names) > mostUnitsAtOnce {
		return nil, fault.New(fault.TooLarge, "there are %d units; import at most %d at once", len(names), mostUnitsAtOnce)
	}
	err = h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		p, _, err = h.planUnits(ctx, q, names)
		return err
	})
	return p, err
}

// AddUnits makes the units of these full names that are not there, and those above them. It needs what [Handle.PlanUnits]
// does, and adds nothing where that finds a problem: Invalid, or Forbidden where all of them are out of scope. Units are
// added in parts, so that others need not wait; where it fails on the way it returns those that are added, and may simply
// be repeated.
func (h *Handle) AddUnits(ctx context.Context, names []string) (made []string, err error) {
	p, err := h.PlanUnits(ctx, names)
	if err != nil {
		return nil, err
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	for chunk := range slices.Chunk(p.New, unitChunk) {
		added, err := h.addUnits(ctx, chunk)
		made = append(made, added...)
		if err != nil {
			return made, err
		}
	}
	return made, nil
}

// addUnits adds some in one transaction. Since they were planned somebody may have added or deleted some.
func (h *Handle) addUnits(ctx context.Context, names []string) (made []string, err error) {
	err = h.changeUnits(ctx, "org-units:add", func(e *unitEdit) error {
		made = nil
		p, there, err := h.planUnits(ctx, e.tx, names)
		if err == nil {
			err = p.err()
		}
		if err != nil {
			return err
		}
		if len(p.New) == 0 {
			return errNothingChanged
		}
		for _, full := range p.New {
			parent, name := splitFullName(full)
			u, err := insertOrgUnit(ctx, e.tx, there[parent], name)
			if err != nil {
				return fmt.Errorf("add the org unit %s: %w", full, err)
			}
			there[full] = u
			if err := h.auditUnit(ctx, e.tx, string(OpCreate), full, "", full); err != nil {
				return err
			}
		}
		made = p.New
		return nil
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// err brings the problems together; nil when there are none.
func (p *UnitPlan) err() error {
	var f faults
	scope := 0
	for _, problem := range p.Problems {
		f.add("org unit %q: %s", Shorten(problem.FullName), problem.Message)
		if problem.Message == outOfScope {
			scope++
		}
	}
	if len(f) > 0 && scope == len(f) {
		return fault.New(fault.Forbidden, "%s", f[0])
	}
	return f.err()
}

const outOfScope = "it would be outside your access role; leave it out, or ask somebody whose access role has it"

func unitsByFullName(ctx context.Context, q sqldb.Querier) (map[string]OrgUnit, error) {
	var c Configuration
	if err := loadOrgUnits(ctx, q, &c); err != nil {
		return nil, err
	}
	there := make(map[string]OrgUnit, len(c.OrgUnits))
	for _, u := range c.OrgUnits {
		there[u.FullName] = u
	}
	return there, nil
}

// planUnits returns the units that are there as well, by full name.
func (h *Handle) planUnits(ctx context.Context, q sqldb.Querier, names []string) (p *UnitPlan, there map[string]OrgUnit, err error) {
	if there, err = unitsByFullName(ctx, q); err != nil {
		return nil, nil, err
	}
	levels, err := list[string](ctx, q, "SELECT name FROM org_levels ORDER BY position")
	if err != nil {
		return nil, nil, err
	}
	p = &UnitPlan{}
	planned := map[string]bool{}
	reach := &changePlan{units: there}
	for i, full := range names {
		// A top-level unit may be written as in an import of users.
		full = strings.TrimPrefix(full, "/ ")
		if _, known := there[full]; known {
			p.Already++
			continue
		}
		if planned[full] {
			continue
		}
		if what := h.unfitUnit(reach, full, levels); what != "" {
			p.Problems = append(p.Problems, UnitProblem{At: i, FullName: full, Message: what})
			continue
		}
		for name := full; name != "" && !planned[name]; name, _ = splitFullName(name) {
			if _, known := there[name]; known {
				break
			}
			planned[name] = true
			p.New = append(p.New, name)
		}
	}
	sortAsTree(p.New, func(full string) string { return full })
	return p, there, nil
}

// unfitUnit says why a unit cannot be added; "" when it can.
func (h *Handle) unfitUnit(reach *changePlan, full string, levels []string) string {
	if what := badFullName(full); what != "" {
		return what
	}
	if depth := strings.Count(full, pathSeparator) + 1; depth > len(levels) {
		return fmt.Sprintf("it is %d deep, and there are %s (%s); write it with fewer names, or add levels", depth, count(len(levels), "level"), shown(levels))
	}
	if !h.actor.scope.Contains(reach.reach(full)) {
		return outOfScope
	}
	return ""
}
