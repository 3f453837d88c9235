package directory

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// lockConfiguration makes those who change the configuration take turns: the second compares with what the first has
// made. It locks the one row that each of them changes.
const lockConfiguration = "UPDATE directory_revision SET revision = revision"

// ApplyOptions say how a configuration is applied.
type ApplyOptions struct {
	Prune bool // delete what the sections given do not name
}

// CompareConfiguration returns what [Handle.ApplyConfiguration] would change, and its errors of the kind Invalid. It
// needs the right to see each section of want.
func (h *Handle) CompareConfiguration(ctx context.Context, want Configuration, prune bool) (d Difference, err error) {
	if err := h.mayTouch(want, "access"); err != nil {
		return nil, err
	}
	err = h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		p, err := newPlan(ctx, q, want, prune)
		if err != nil {
			return err
		}
		d = p.difference()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// ApplyConfiguration makes the directory as wanted, all of it or nothing: it creates and updates by name and, with
// Prune, deletes. A section of want that is nil is left alone. What cannot be is Invalid, with every reason in the
// message; what is in use is not deleted.
//
// It needs the right to edit each section of want, and to add or delete where something comes or goes. Nobody changes a
// role that has, or is to have, rights that they do not hold, or an access role that reaches further than their own;
// what holds for the whole organization takes an access role without limits. The last administrator stays one: Conflict.
func (h *Handle) ApplyConfiguration(ctx context.Context, want Configuration, opts ApplyOptions) (d Difference, err error) {
	if err := h.mayTouch(want, "edit"); err != nil {
		return nil, err
	}
	err = h.dir.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		return h.dir.keepAdministrator(ctx, tx, func() error {
			d, err = h.apply(ctx, tx, want, opts.Prune)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	if d.changesDefault() {
		h.dir.followDefaults(ctx)
	}
	return d, nil
}

// mayTouch checks one action on every section that the configuration has.
func (h *Handle) mayTouch(want Configuration, action string) error {
	if !h.actor.system && len(h.actor.rights) == 0 {
		return fault.New(fault.Forbidden, "this needs rights, and you hold none; ask somebody who manages roles")
	}
	for _, module := range want.modules() {
		if err := h.actor.Need(Right(module + ":" + action)); err != nil {
			return err
		}
	}
	return nil
}

// modules returns those whose sections the configuration has.
func (c Configuration) modules() []string {
	var all []string
	for _, section := range []struct {
		module string
		given  bool
	}{
		{"org-units", c.Levels != nil || c.OrgUnits != nil},
		{"roles", c.Roles != nil},
		{"access-roles", c.AccessRoles != nil},
		{"catalogues", c.givesCatalogues()},
		{"settings", c.GivesSettings()},
	} {
		if section.given {
			all = append(all, section.module)
		}
	}
	return all
}

// apply carries a plan out; the caller holds the lock.
func (h *Handle) apply(ctx context.Context, tx *sqldb.Tx, want Configuration, prune bool) (Difference, error) {
	p, err := newPlan(ctx, tx, want, prune)
	if err != nil || len(p.steps) == 0 {
		return Difference{}, err
	}
	if err := h.carryOut(ctx, tx, p); err != nil {
		return nil, err
	}
	return p.difference(), nil
}

// carryOut runs the steps of a plan that has some, after a look at whether the actor may.
func (h *Handle) carryOut(ctx context.Context, tx *sqldb.Tx, p *changePlan) error {
	if err := h.mayCarryOut(p.steps); err != nil {
		return err
	}
	if err := h.mayWiden(ctx, tx, p); err != nil {
		return err
	}
	for _, s := range p.steps {
		if err := s.run(ctx, tx); err != nil {
			return fmt.Errorf("%s %s %q: %w", s.Op, s.Subject, s.Name, err)
		}
		entry := AuditEntry{Action: string(s.Op), Subject: s.Subject, Name: s.Name, Before: auditJSON(s.before), After: auditJSON(s.after)}
		if err := h.audit(ctx, tx, entry); err != nil {
			return err
		}
	}
	for _, finish := range p.finish {
		if err := finish(ctx, tx); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "UPDATE directory_revision SET revision = revision + 1")
	return err
}

func (h *Handle) mayCarryOut(steps []step) error {
	action := map[Op]string{OpCreate: "add", OpUpdate: "edit", OpRename: "edit", OpDelete: "delete"}
	for _, s := range steps {
		if err := h.actor.Need(Right(s.module + ":" + action[s.Op])); err != nil {
			return err
		}
		if h.actor.system {
			continue
		}
		if err := s.allowed(h.actor); err != nil {
			return fmt.Errorf("%s %s %q: %w", s.Op, s.Subject, s.Name, err)
		}
	}
	return nil
}

// newPlan compares what is there with what is wanted, and finds everything that is wrong with it.
func newPlan(ctx context.Context, q sqldb.Querier, want Configuration, prune bool) (*changePlan, error) {
	have, err := LoadConfiguration(ctx, q)
	if err != nil {
		return nil, err
	}
	p := &changePlan{have: have, units: map[string]OrgUnit{}}
	for _, u := range have.OrgUnits {
		p.units[u.FullName] = u
	}
	p.compareLevels(want.Levels)
	p.compareOrgUnits(want.OrgUnits, prune)
	p.after.Roles = compare(p, roleEntity, have.Roles, want.Roles, prune)
	p.after.AccessRoles = compare(p, p.accessRoleEntity(), have.AccessRoles, want.AccessRoles, prune)
	p.compareNames(&want, prune)
	p.compareChannels(want.AllChannels(), prune)
	p.compareFeatures(want.AllFeatures(), prune)
	p.compareSettings(want)
	p.check(want)
	if err := p.faults.err(); err != nil {
		return nil, err
	}
	p.steps = append(p.steps, p.deletions...)
	for _, s := range p.steps {
		if s.refused == nil {
			continue
		}
		why, err := s.refused(ctx, q)
		if err != nil {
			return nil, err
		}
		if why != "" {
			p.faults.add("%s", why)
		}
	}
	return p, p.faults.err()
}

func (p *changePlan) difference() Difference {
	d := make(Difference, len(p.steps))
	for i, s := range p.steps {
		d[i] = s.Change
		d[i].Details = slices.Clone(s.Details)
	}
	return d
}
