package directory

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"muster/internal/sqldb"
)

// Users returns up to limit users within the actor's scope, by LAN ID, beginning after the LAN ID given (compared
// without case; "" for the first page).
func (h *Handle) Users(ctx context.Context, f UserFilter, after string, limit int) (users []User, err error) {
	err = h.listing(ctx, f, func(l *listing) error {
		users, err = l.page(ctx, Fold(after), limit)
		return err
	})
	return users, err
}

// CountUsers returns how many users within the actor's scope the filter picks.
func (h *Handle) CountUsers(ctx context.Context, f UserFilter) (n int64, err error) {
	if err := h.actor.Need("users:access"); err != nil {
		return 0, err
	}
	where, args := f.where(h.actor.scope, nil)
	n, _, err = sqldb.One[int64](ctx, h.dir.DB.Read(), "SELECT count(*) FROM users u WHERE "+where, args...)
	return n, err
}

// walkPage is how many users are in memory while all are walked over.
const walkPage = 2000

// WalkUsers hands out all users that the filter picks within the actor's scope, page by page in the order of their
// LAN IDs, and before them the configuration that they refer to: all as it was at one instant.
func (h *Handle) WalkUsers(ctx context.Context, f UserFilter, begin func(*Configuration) error, page func([]User) error) error {
	return h.listing(ctx, f, func(l *listing) error {
		if err := begin(&l.cfg); err != nil {
			return err
		}
		for after := ""; ; {
			users, err := l.page(ctx, after, walkPage)
			if err != nil {
				return err
			}
			if err := page(users); err != nil || len(users) < walkPage {
				return err
			}
			after = Fold(users[len(users)-1].LANID)
		}
	})
}

// listing reads users off one snapshot.
type listing struct {
	q      sqldb.Querier
	db     *sqldb.DB
	filter UserFilter
	scope  Scope
	cfg    Configuration

	units, accessRoles, crmNames, greetings, roles map[int64]string
	channels, features                             map[int64]string
}

func (h *Handle) listing(ctx context.Context, f UserFilter, fn func(*listing) error) error {
	if err := h.actor.Need("users:access"); err != nil {
		return err
	}
	return h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) (err error) {
		l := &listing{q: q, db: h.dir.DB, filter: f, scope: h.actor.scope}
		if l.cfg, err = LoadConfiguration(ctx, q); err != nil {
			return err
		}
		l.units = namesOf(l.cfg.OrgUnits, func(u OrgUnit) (int64, string) { return u.ID, u.FullName })
		l.accessRoles = namesOf(l.cfg.AccessRoles, func(a AccessRole) (int64, string) { return a.ID, a.Name })
		l.crmNames = namesOf(l.cfg.CRMNames, func(n Named) (int64, string) { return n.ID, n.Name })
		l.greetings = namesOf(l.cfg.GreetingTemplates, func(g GreetingTemplate) (int64, string) { return g.ID, g.Name })
		l.roles = namesOf(l.cfg.Roles, func(r Role) (int64, string) { return r.ID, r.Name })
		l.channels = namesOf(l.cfg.Channels, func(c Channel) (int64, string) { return c.ID, c.Name })
		l.features = namesOf(l.cfg.Features, func(f Feature) (int64, string) { return f.ID, f.Name })
		return fn(l)
	})
}

func namesOf[T any](all []T, name func(T) (int64, string)) map[int64]string {
	m := make(map[int64]string, len(all))
	for _, v := range all {
		id, s := name(v)
		m[id] = s
	}
	return m
}

// where is the filter within the scope as a predicate over users u, with its arguments after those given.
func (f UserFilter) where(s Scope, args []any) (string, []any) {
	where, args := s.where("u.org_unit_id", args)
	if f.BatchID != 0 {
		args = append(args, f.BatchID)
		where += fmt.Sprintf(" AND u.batch_id = $%d", len(args))
	}
	return where, args
}

// where is the scope as a predicate over a column of org unit ids; a scope of nowhere matches no row.
func (s Scope) where(column string, args []any) (string, []any) {
	if s.everywhere {
		return "1 = 1", args
	}
	var any []string
	for _, path := range s.below {
		// A path ends with a slash, and everything below begins with it; 0 is the character after the slash.
		args = append(args, path, strings.TrimSuffix(path, "/")+"0")
		any = append(any, fmt.Sprintf("o.path >= $%d AND o.path < $%d", len(args)-1, len(args)))
	}
	for _, path := range s.exactly {
		args = append(args, path)
		any = append(any, fmt.Sprintf("o.path = $%d", len(args)))
	}
	if any == nil {
		return "1 = 0", args
	}
	return fmt.Sprintf("%s IN (SELECT o.id FROM org_units o WHERE %s)", column, strings.Join(any, " OR ")), args
}

// userRow is a user as the first of a page's statements reads it.
type userRow struct {
	ID                                     int64
	LANID, FirstName, LastName             string
	AgentID, PBXID                         string
	Profile                                Profile
	Supervisor                             string
	OrgUnit, AccessRole, CRMName, Greeting int64
	Active                                 int
}

// page reads a page with one statement for the users, and one for each of what a user has any number of.
func (l *listing) page(ctx context.Context, afterKey string, limit int) ([]User, error) {
	where, args := l.filter.where(l.scope, []any{afterKey, limit})
	users := []User{}
	var ids []string
	at := map[int64]int{}
	for r, err := range sqldb.Each[userRow](ctx, l.q, `
		SELECT u.id, u.lan_id, u.first_name, u.last_name, u.agent_id, coalesce(u.pbx_id, ''), u.profile, coalesce(s.lan_id, ''),
			coalesce(u.org_unit_id, 0), coalesce(u.access_role_id, 0), coalesce(u.crm_name_id, 0), coalesce(u.greeting_template_id, 0), u.active
		FROM users u LEFT JOIN users s ON s.id = u.supervisor_id
		WHERE u.lan_key > $1 AND `+where+" ORDER BY u.lan_key LIMIT $2", args...) {
		if err != nil {
			return nil, fmt.Errorf("list users: %w", err)
		}
		at[r.ID] = len(users)
		ids = append(ids, strconv.FormatInt(r.ID, 10))
		users = append(users, l.user(&r))
	}
	keys := l.db.KeySet(ids)
	if err := l.addRoles(ctx, keys, func(id int64) *User { return &users[at[id]] }); err != nil {
		return nil, fmt.Errorf("list roles of users: %w", err)
	}
	if err := l.addDetails(ctx, keys, func(id int64) *User { return &users[at[id]] }); err != nil {
		return nil, fmt.Errorf("list channel counts and features of users: %w", err)
	}
	return users, nil
}

func (l *listing) user(r *userRow) User {
	u := User{
		ID: r.ID, LANID: r.LANID, FirstName: r.FirstName, LastName: r.LastName, AgentID: r.AgentID, PBXID: r.PBXID, Profile: r.Profile,
		Supervisor: r.Supervisor, OrgUnit: l.units[r.OrgUnit], Roles: []string{}, AccessRole: l.accessRoles[r.AccessRole],
		CRMName: l.crmNames[r.CRMName], GreetingTemplate: l.greetings[r.Greeting], Status: Active,
		ChannelCounts: make(map[string]int, len(l.cfg.Channels)), Features: make(map[string]string, len(l.cfg.Features)),
	}
	if r.Active == 0 {
		u.Status = Inactive
	}
	for _, c := range l.cfg.Channels {
		u.ChannelCounts[c.Name] = c.Default
	}
	for _, f := range l.cfg.Features {
		u.Features[f.Name] = f.Default
	}
	return u
}

func (l *listing) addRoles(ctx context.Context, keys any, user func(id int64) *User) error {
	type held struct{ User, Role int64 }
	for r, err := range sqldb.Each[held](ctx, l.q, l.details("role_id", "user_roles"), keys) {
		if err != nil {
			return err
		}
		u := user(r.User)
		name := l.roles[r.Role]
		i, _ := slices.BinarySearch(u.Roles, name)
		u.Roles = slices.Insert(u.Roles, i, name)
	}
	return nil
}

func (l *listing) addDetails(ctx context.Context, keys any, user func(id int64) *User) error {
	type count struct {
		User, Channel int64
		Count         int
	}
	for c, err := range sqldb.Each[count](ctx, l.q, l.details("channel_id, d.count", "user_channels"), keys) {
		if err != nil {
			return err
		}
		user(c.User).ChannelCounts[l.channels[c.Channel]] = c.Count
	}
	type value struct {
		User, Feature int64
		Value         string
	}
	for v, err := range sqldb.Each[value](ctx, l.q, l.details("feature_id, d.value", "user_features"), keys) {
		if err != nil {
			return err
		}
		user(v.User).Features[l.features[v.Feature]] = v.Value
	}
	return nil
}

// details reads a table for the users whose ids are the statement's key set.
func (l *listing) details(columns, table string) string {
	// CROSS JOIN keeps SQLite from going over the whole table instead of looking up the keys.
	return fmt.Sprintf("SELECT d.user_id, d.%s FROM %s AS k CROSS JOIN %s d WHERE d.user_id = CAST(k.key AS BIGINT)", columns, l.db.Keys, table)
}
