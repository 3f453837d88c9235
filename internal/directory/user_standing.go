package directory

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/sqldb"
)

// standing is a user as the tables have them: by names, and by the ids that these stand for.
type standing struct {
	User
	SupervisorID, OrgUnitID, AccessRoleID, CRMNameID, GreetingTemplateID int64
	unitPath                                                             string
	// What differs from the catalogue's defaults, by the names of channels and features.
	counts map[string]int
	values map[string]string
}

// standingOf reads a user within the actor's scope, whatever their rights. With lock, nobody changes the user before the
// transaction has ended, or begins to refer to them.
func (h *Handle) standingOf(ctx context.Context, q sqldb.Querier, k *known, id int64, lock bool) (*standing, error) {
	type row struct {
		Supervisor, OrgUnit, AccessRole, CRMName, Greeting int64
	}
	query := `SELECT coalesce(supervisor_id, 0), coalesce(org_unit_id, 0), coalesce(access_role_id, 0), coalesce(crm_name_id, 0), coalesce(greeting_template_id, 0)
		FROM users WHERE id = $1`
	if lock && h.dir.DB.Engine == sqldb.Postgres {
		query += " FOR UPDATE"
	}
	r, found, err := sqldb.One[row](ctx, q, query, id)
	if err != nil {
		return nil, fmt.Errorf("read the user: %w", err)
	}
	s := &standing{SupervisorID: r.Supervisor, OrgUnitID: r.OrgUnit, AccessRoleID: r.AccessRole, CRMNameID: r.CRMName, GreetingTemplateID: r.Greeting,
		unitPath: k.pathOf(r.OrgUnit), counts: map[string]int{}, values: map[string]string{}}
	if !found || !h.actor.scope.Contains(s.unitPath) {
		return nil, noSuchUser("")
	}
	l := &listing{q: q, db: h.dir.DB, known: k}
	users, err := l.users(ctx, []int64{id})
	if err != nil {
		return nil, err
	}
	s.User = users[0]
	return s, s.readDetails(ctx, q, k)
}

func (s *standing) readDetails(ctx context.Context, q sqldb.Querier, k *known) error {
	type count struct {
		Channel int64
		Count   int
	}
	for c, err := range sqldb.Each[count](ctx, q, "SELECT channel_id, count FROM user_channels WHERE user_id = $1", s.ID) {
		if err != nil {
			return fmt.Errorf("read channel counts: %w", err)
		}
		s.counts[k.channels[c.Channel]] = c.Count
	}
	type value struct {
		Feature int64
		Value   string
	}
	for v, err := range sqldb.Each[value](ctx, q, "SELECT feature_id, value FROM user_features WHERE user_id = $1", s.ID) {
		if err != nil {
			return fmt.Errorf("read features: %w", err)
		}
		s.values[k.features[v.Feature]] = v.Value
	}
	return nil
}

func (k *known) pathOf(unit int64) string {
	i := slices.IndexFunc(k.cfg.OrgUnits, func(u OrgUnit) bool { return u.ID == unit })
	if i < 0 {
		return ""
	}
	return k.cfg.OrgUnits[i].Path
}

// power is what a user with these roles, by name, and this access role, by id, may do and where, in the unit of the path.
func (k *known) power(roles []string, accessRole int64, unitPath string) power {
	p := power{}
	for _, r := range k.cfg.Roles {
		if slices.Contains(roles, r.Name) {
			p.rights = append(p.rights, r.Rights...)
		}
	}
	slices.SortFunc(p.rights, func(a, b Right) int { return a.place() - b.place() })
	p.rights = slices.Compact(p.rights)
	i := slices.IndexFunc(k.cfg.AccessRoles, func(a AccessRole) bool { return a.ID == accessRole })
	if i < 0 {
		return p
	}
	var paths []string
	for _, u := range k.cfg.OrgUnits {
		if slices.Contains(k.cfg.AccessRoles[i].Units, u.FullName) {
			paths = append(paths, u.Path)
		}
	}
	p.scope = scopeOf(k.cfg.AccessRoles[i].Scope, unitPath, paths)
	return p
}

const (
	channelField = "channel_counts." // and the channel's name, in the audit and in a conflict
	featureField = "features."
)

// attributes are all that a change by hand can change, as the audit shows it. A count or value that follows the catalogue's
// default is null.
func (s *standing) attributes(k *known) []attribute {
	all := []attribute{
		{"lan_id", s.LANID}, {"first_name", s.FirstName}, {"last_name", s.LastName}, {"agent_id", s.AgentID}, {"pbx_id", s.PBXID},
		{"profile", s.Profile.String()}, {"supervisor", s.Supervisor}, {"org_unit", s.OrgUnit}, {"roles", setOf(s.Roles)},
		{"access_role", s.AccessRole}, {"crm_name", s.CRMName}, {"greeting_template", s.GreetingTemplate}, {"email", s.Email}, {"status", string(s.Status)}, {pictureField, shortHash(s.Picture)},
	}
	for _, c := range k.cfg.Channels {
		var v any
		if n, there := s.counts[c.Name]; there {
			v = n
		}
		all = append(all, attribute{channelField + c.Name, v})
	}
	for _, f := range k.cfg.Features {
		var v any
		if text, there := s.values[f.Name]; there {
			v = text
		}
		all = append(all, attribute{featureField + f.Name, v})
	}
	return all
}

// saying are the attributes that say something, for the entry of a user who comes or goes.
func saying(all []attribute) []attribute {
	return slices.DeleteFunc(all, func(a attribute) bool {
		set, isSet := a.value.(setOf)
		return a.value == nil || a.value == "" || isSet && len(set) == 0
	})
}
