package directory

import (
	"context"
	"strconv"
	"strings"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// UserInput is a user as somebody types one: the cells of a row as text, and counts and features by name. "" is blank.
type UserInput struct {
	LANID, FirstName, LastName, AgentID, PBXID, Profile string
	Supervisor                                          string // LAN ID
	OrgUnit                                             string // name or full name, as in an import
	Roles                                               []string
	AccessRole, CRMName, GreetingTemplate, Email        string
	ChannelCounts, Features                             map[string]string // "" or absent: the catalogue's default
}

// Input is the user as a form that edits it begins.
func (u User) Input() UserInput {
	in := UserInput{
		LANID: u.LANID, FirstName: u.FirstName, LastName: u.LastName, AgentID: u.AgentID, PBXID: u.PBXID, Profile: u.Profile.String(),
		Supervisor: u.Supervisor, OrgUnit: u.OrgUnit, Roles: append([]string{}, u.Roles...), AccessRole: u.AccessRole, CRMName: u.CRMName,
		GreetingTemplate: u.GreetingTemplate, Email: u.Email, ChannelCounts: map[string]string{}, Features: map[string]string{},
	}
	for name, n := range u.ChannelCounts {
		in.ChannelCounts[name] = strconv.Itoa(n)
	}
	for name, v := range u.Features {
		in.Features[name] = v
	}
	return in
}

// cleaned is the input as an import reads cells: without white space around them. What no database takes becomes a
// character that no rule lets pass.
func (in UserInput) cleaned() UserInput {
	for _, cell := range in.cellPointers() {
		if cell != nil {
			*cell = cleanCell(*cell)
		}
	}
	in.Email = cleanCell(in.Email)
	roles := []string{}
	for _, r := range in.Roles {
		if r = cleanCell(r); r != "" {
			roles = append(roles, r)
		}
	}
	in.Roles, in.ChannelCounts, in.Features = roles, cleanCells(in.ChannelCounts), cleanCells(in.Features)
	return in
}

func cleanCells(cells map[string]string) map[string]string {
	clean := make(map[string]string, len(cells))
	for name, cell := range cells {
		clean[name] = cleanCell(cell)
	}
	return clean
}

func cleanCell(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(strings.TrimSpace(s), "\uFFFD"), "\x00", "\x01")
}

// cells are the columns of UserDetails.
func (in *UserInput) cells() (all [ColumnCount]string) {
	for i, cell := range in.cellPointers() {
		if cell != nil {
			all[i] = *cell
		}
	}
	all[RoleColumn] = strings.Join(in.Roles, "; ")
	return all
}

// cellPointers are the columns of UserDetails; that of the roles is nil.
func (in *UserInput) cellPointers() [ColumnCount]*string {
	return [ColumnCount]*string{&in.LANID, &in.FirstName, &in.LastName, &in.AgentID, &in.PBXID, &in.Profile, &in.Supervisor, &in.OrgUnit, nil,
		&in.AccessRole, &in.CRMName, &in.GreetingTemplate}
}

// User returns the user with the id. It needs users:access; who is not within the actor's scope is NotFound.
func (h *Handle) User(ctx context.Context, id int64) (u User, err error) {
	if err := h.actor.Need("users:access"); err != nil {
		return User{}, err
	}
	err = h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		u, err = h.readUser(ctx, q, id)
		return err
	})
	return u, err
}

// UserByLANID is [Handle.User] by the LAN ID, in any case.
func (h *Handle) UserByLANID(ctx context.Context, lanID string) (u User, err error) {
	if err := h.actor.Need("users:access"); err != nil {
		return User{}, err
	}
	err = h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		id, found, err := sqldb.One[int64](ctx, q, "SELECT id FROM users WHERE lan_key = $1", Fold(cleanCell(lanID)))
		if err != nil {
			return err
		}
		if !found {
			return noSuchUser(Shorten(lanID))
		}
		u, err = h.readUser(ctx, q, id)
		if fault.KindOf(err) == fault.NotFound {
			return noSuchUser(Shorten(lanID))
		}
		return err
	})
	return u, err
}

func noSuchUser(lanID string) error {
	if lanID != "" {
		lanID = " " + lanID
	}
	return fault.New(fault.NotFound, "there is no user%s among those that you may see; look for them in the list of users", lanID)
}

// readUser reads a user within the actor's scope, whatever their rights.
func (h *Handle) readUser(ctx context.Context, q sqldb.Querier, id int64) (User, error) {
	path, found, err := sqldb.One[string](ctx, q, "SELECT coalesce(o.path, '') FROM users u LEFT JOIN org_units o ON o.id = u.org_unit_id WHERE u.id = $1", id)
	if err != nil {
		return User{}, err
	}
	if !found || !h.actor.scope.Contains(path) {
		return User{}, noSuchUser("")
	}
	k, err := h.dir.knownAt(ctx, q)
	if err != nil {
		return User{}, err
	}
	l := &listing{q: q, db: h.dir.DB, known: k}
	users, err := l.users(ctx, []int64{id})
	if err != nil {
		return User{}, err
	}
	return users[0], nil
}

// Reports returns up to limit of those who report to the user and are within the actor's scope, by LAN ID, beginning after
// the LAN ID given, and how many these are in all. It needs users:access.
func (h *Handle) Reports(ctx context.Context, id int64, after string, limit int) ([]User, int64, error) {
	u, err := h.User(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	f := UserFilter{Where: []Condition{{Column: "supervisor", Op: OpEqual, Value: u.LANID}}}
	total, err := h.CountUsers(ctx, f)
	if err != nil {
		return nil, 0, err
	}
	users, err := h.Users(ctx, f, after, limit)
	return users, total, err
}
