package directory

import (
	"context"

	"muster/internal/sqldb"
)

// known is the configuration at a revision, with its names by id. It is shared by all who read users while the revision
// is the same, and never changed.
type known struct {
	cfg Configuration

	units, accessRoles, crmNames, greetings, roles map[int64]string
	channels, features                             map[int64]string
}

// knownAt returns the configuration of the snapshot q: a click on the grid reads a number, not eleven tables.
func (d *Directory) knownAt(ctx context.Context, q sqldb.Querier) (*known, error) {
	revision, err := Revision(ctx, q)
	if err != nil {
		return nil, err
	}
	if k := d.known.Load(); k != nil && k.cfg.Revision == revision {
		return k, nil
	}
	k := &known{}
	if k.cfg, err = LoadConfiguration(ctx, q); err != nil {
		return nil, err
	}
	k.units = namesOf(k.cfg.OrgUnits, func(u OrgUnit) (int64, string) { return u.ID, u.FullName })
	k.accessRoles = namesOf(k.cfg.AccessRoles, func(a AccessRole) (int64, string) { return a.ID, a.Name })
	k.crmNames = namesOf(k.cfg.AllCRMNames(), func(n Named) (int64, string) { return n.ID, n.Name })
	k.greetings = namesOf(k.cfg.AllGreetingTemplates(), func(g GreetingTemplate) (int64, string) { return g.ID, g.Name })
	k.roles = namesOf(k.cfg.Roles, func(r Role) (int64, string) { return r.ID, r.Name })
	k.channels = namesOf(k.cfg.Channels, func(c Channel) (int64, string) { return c.ID, c.Name })
	k.features = namesOf(k.cfg.Features, func(f Feature) (int64, string) { return f.ID, f.Name })
	// What a transaction sees that is not committed is for itself alone: its revision may come to be another's.
	if _, writing := q.(*sqldb.Tx); !writing {
		d.known.Store(k)
	}
	return k, nil
}

func namesOf[T any](all []T, name func(T) (int64, string)) map[int64]string {
	m := make(map[int64]string, len(all))
	for _, v := range all {
		id, s := name(v)
		m[id] = s
	}
	return m
}
