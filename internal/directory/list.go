package directory

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"muster/internal/sqldb"
)

// Users returns up to limit users within the actor's scope, by LAN ID, beginning after the LAN ID given (compared
// without case; "" for the first page).
func (h *Handle) Users(ctx context.Context, f UserFilter, after string, limit int) (users []User, err error) {
	err = h.listing(ctx, f, UserSort{}, func(l *listing) error {
		users, err = l.page(ctx, Fold(after), limit)
		return err
	})
	return users, err
}

// walkPage is how many users are in memory while all are walked over.
const walkPage = 2000

// WalkUsers hands out all users that the filter picks within the actor's scope, page by page in the order of their
// LAN IDs, and before them the configuration that they refer to: all as it was at one instant.
func (h *Handle) WalkUsers(ctx context.Context, f UserFilter, begin func(*Configuration) error, page func([]User) error) error {
	return h.listing(ctx, f, UserSort{}, func(l *listing) error {
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
	*known
	q      sqldb.Querier
	db     *sqldb.DB
	terms  []term
	nobody bool // no user can match
	// texts are there where the filter or the order has use for them, and they are in memory; tests are what they could
	// tell of the filter.
	texts *texts
	tests textTests
}

func (h *Handle) listing(ctx context.Context, f UserFilter, s UserSort, fn func(*listing) error) error {
	if err := h.actor.Need("users:access"); err != nil {
		return err
	}
	if err := f.Check(); err != nil {
		return err
	}
	return h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) (err error) {
		l := &listing{q: q, db: h.dir.DB}
		if l.known, err = h.dir.knownAt(ctx, q); err != nil {
			return err
		}
		if err := l.withTexts(ctx, h.dir, f, s); err != nil {
			return err
		}
		l.terms, l.nobody = f.terms(&l.cfg, h.actor.scope, l.texts, s.inTexts())
		l.lookThroughTexts(f, s)
		return fn(l)
	})
}

// userRow is a user as the first of a page's statements reads it.
type userRow struct {
	ID                                     int64
	LANID, FirstName, LastName             string
	AgentID, PBXID                         string
	Profile                                Profile
	Supervisor, SupervisorName             string
	OrgUnit, AccessRole, CRMName, Greeting int64
	Active                                 int
	Email, Picture, ChangedBy              string
	ChangedAt, BatchID, Version            int64
}

// page returns users by LAN ID, after one of them.
func (l *listing) page(ctx context.Context, afterKey string, limit int) ([]User, error) {
	f := finder{listing: l, order: UserSort{}.order(&l.cfg), need: limit}
	if afterKey != "" {
		f.after = &position{key: storable(afterKey), id: math.MaxInt64}
	}
	found, err := f.findOn(ctx)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	ids := make([]int64, len(found))
	for i, at := range found {
		ids[i] = at.id
	}
	return l.users(ctx, ids)
}

// users reads users, in the order of the ids, with one statement for themselves and one for each of what a user has
// any number of.
func (l *listing) users(ctx context.Context, ids []int64) ([]User, error) {
	users := make([]User, len(ids))
	if len(ids) == 0 {
		return users, nil
	}
	at := make(map[int64]*User, len(ids))
	texts := make([]string, len(ids))
	for i, id := range ids {
		at[id] = &users[i]
		texts[i] = strconv.FormatInt(id, 10)
	}
	keys := l.db.KeySet(texts)
	for r, err := range sqldb.Each[userRow](ctx, l.q, `
		SELECT u.id, u.lan_id, u.first_name, u.last_name, u.agent_id, coalesce(u.pbx_id, ''), u.profile,
			coalesce(s.lan_id, ''), coalesce(s.first_name || ' ' || s.last_name, ''),
			coalesce(u.org_unit_id, 0), coalesce(u.access_role_id, 0), coalesce(u.crm_name_id, 0), coalesce(u.greeting_template_id, 0), u.active,
			coalesce(u.email, ''), coalesce(u.picture, ''), u.changed_by, u.changed_at, coalesce(u.batch_id, 0), u.version
		FROM `+l.db.Keys+` AS k CROSS JOIN users u LEFT JOIN users s ON s.id = u.supervisor_id
		WHERE u.id = CAST(k.key AS BIGINT)`, keys) {
		if err != nil {
			return nil, fmt.Errorf("read users: %w", err)
		}
		*at[r.ID] = l.user(&r)
	}
	user := func(id int64) *User { return at[id] }
	if err := l.addRoles(ctx, keys, user); err != nil {
		return nil, fmt.Errorf("list roles of users: %w", err)
	}
	if err := l.addDetails(ctx, keys, user); err != nil {
		return nil, fmt.Errorf("list channel counts and features of users: %w", err)
	}
	return users, nil
}

func (l *listing) statement() *statement { return &statement{db: l.db} }

func (l *listing) user(r *userRow) User {
	u := User{
		ID: r.ID, LANID: r.LANID, FirstName: r.FirstName, LastName: r.LastName, AgentID: r.AgentID, PBXID: r.PBXID, Profile: r.Profile,
		Supervisor: r.Supervisor, SupervisorName: r.SupervisorName, OrgUnit: l.units[r.OrgUnit], Roles: []string{}, AccessRole: l.accessRoles[r.AccessRole],
		CRMName: l.crmNames[r.CRMName], GreetingTemplate: l.greetings[r.Greeting], Status: Active,
		Email: r.Email, Picture: r.Picture, ChangedBy: r.ChangedBy, ChangedAt: time.UnixMicro(r.ChangedAt).UTC(), BatchID: r.BatchID, Version: r.Version,
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
		if name := l.channels[c.Channel]; name != "" { // not of a retired one
			user(c.User).ChannelCounts[name] = c.Count
		}
	}
	type value struct {
		User, Feature int64
		Value         string
	}
	for v, err := range sqldb.Each[value](ctx, l.q, l.details("feature_id, d.value", "user_features"), keys) {
		if err != nil {
			return err
		}
		if name := l.features[v.Feature]; name != "" {
			user(v.User).Features[name] = v.Value
		}
	}
	return nil
}

// details reads a table for the users whose ids are the statement's key set.
func (l *listing) details(columns, table string) string {
	// CROSS JOIN keeps SQLite from going over the whole table instead of looking up the keys.
	return fmt.Sprintf("SELECT d.user_id, d.%s FROM %s AS k CROSS JOIN %s d WHERE d.user_id = CAST(k.key AS BIGINT)", columns, l.db.Keys, table)
}
