package bench

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"muster/internal/directory"
)

// What the grid promises (95th percentile of a page of 50).
const (
	hotGrid    = 50 * time.Millisecond
	otherGrid  = 500 * time.Millisecond
	searchGrid = 700 * time.Millisecond
)

// hotSorts are those that the grid is quick in, at any depth, unfiltered and by one common filter.
var hotSorts = []string{"lan_id", "last_name", "agent_id", "pbx_id", "changed_at"}

// gridQuestion is a kind of question; draw makes one of it.
type gridQuestion struct {
	group string
	limit time.Duration
	draw  func() directory.UserQuery
	count bool // ask how many match instead of for a page
}

type gridAsker struct {
	handle *directory.Handle
	rnd    *rand.Rand
	cfg    directory.Configuration
	users  []directory.User // drawn at random
}

// sampledUsers is how many users values are drawn from.
const sampledUsers = 400

func newGridAsker(ctx context.Context, handle *directory.Handle) (*gridAsker, error) {
	g := &gridAsker{handle: handle, rnd: rand.New(rand.NewPCG(1, 2))}
	var err error
	if g.cfg, err = handle.Configuration(ctx); err != nil {
		return nil, err
	}
	n, err := handle.CountUsers(ctx, directory.UserFilter{})
	if err != nil {
		return nil, err
	}
	// Ids are given out one after the other; some belong to nobody.
	for try := 0; len(g.users) < sampledUsers && try < 50; try++ {
		ids := make([]int64, sampledUsers)
		for i := range ids {
			ids[i] = 1 + g.rnd.Int64N(n+n/10+1)
		}
		page, err := handle.UsersPage(ctx, directory.UserQuery{Filter: directory.UserFilter{IDs: ids}, Limit: sampledUsers})
		if err != nil {
			return nil, err
		}
		g.users = append(g.users, page.Users...)
	}
	if len(g.users) == 0 {
		return nil, errors.New("the directory has no users to ask for")
	}
	return g, nil
}

func one[T any](g *gridAsker, from []T) (v T) {
	if len(from) == 0 {
		return v
	}
	return from[g.rnd.IntN(len(from))]
}

// hot draws one of the hot sorts in either direction, and how deep the page is.
func (g *gridAsker) hot(f directory.UserFilter) directory.UserQuery {
	return g.deep(directory.UserQuery{Filter: f, Sort: directory.UserSort{Column: one(g, hotSorts), Descending: g.rnd.IntN(2) == 0}})
}

// deep draws where the page is: it is the first, or after or before a user drawn at random.
func (g *gridAsker) deep(q directory.UserQuery) directory.UserQuery {
	cursor := q.Sort.Cursor(one(g, g.users))
	switch g.rnd.IntN(4) {
	case 0:
	case 1:
		q.Before = cursor
	default:
		q.After = cursor
	}
	return q
}

func (g *gridAsker) questions() []gridQuestion {
	var all []gridQuestion
	add := func(group string, limit time.Duration, filter func() directory.UserFilter) {
		all = append(all, gridQuestion{group: group, limit: limit, draw: func() directory.UserQuery { return g.hot(filter()) }})
	}
	for _, sort := range hotSorts {
		for _, descending := range []bool{false, true} {
			s := directory.UserSort{Column: sort, Descending: descending}
			all = append(all, gridQuestion{group: "unfiltered, " + s.String(), limit: hotGrid, draw: func() directory.UserQuery { return g.deep(directory.UserQuery{Sort: s}) }})
		}
	}
	for _, column := range gridValues {
		add(column.name+" equal", hotGrid, func() directory.UserFilter { return g.where(column.name, directory.OpEqual, column.of(g)) })
	}
	for _, column := range gridValues[:5] {
		add(column.name+" starts", hotGrid, func() directory.UserFilter {
			return g.where(column.name, directory.OpStarts, g.beginning(column.of(g)))
		})
	}
	add("org unit and below", hotGrid, func() directory.UserFilter {
		return directory.UserFilter{OrgUnits: []string{one(g, g.cfg.OrgUnits).FullName}}
	})
	add("role", hotGrid, func() directory.UserFilter { return directory.UserFilter{Roles: []string{one(g, g.cfg.Roles).Name}} })
	add("batch", otherGrid, func() directory.UserFilter { return directory.UserFilter{BatchID: max(1, one(g, g.users).BatchID)} })
	all = append(all, g.otherQuestions()...)
	for _, q := range slices.Clone(all) {
		if q.limit != hotGrid || q.group == "role" || q.group == "org unit and below" {
			q.group, q.limit, q.count = "count: "+q.group, 0, true
			all = append(all, q)
		}
	}
	return append(all, gridQuestion{group: "count: all", count: true, draw: func() directory.UserQuery { return directory.UserQuery{} }})
}

// otherQuestions are those that may take longer.
func (g *gridAsker) otherQuestions() []gridQuestion {
	return []gridQuestion{
		{group: "other sorts", limit: otherGrid, draw: func() directory.UserQuery { return g.deep(directory.UserQuery{Sort: g.anySort()}) }},
		{group: "any one condition, any sort", limit: otherGrid, draw: func() directory.UserQuery {
			return g.deep(directory.UserQuery{Filter: directory.UserFilter{Where: []directory.Condition{g.condition()}}, Sort: g.anySort()})
		}},
		{group: "two conditions, a unit and a role", limit: otherGrid, draw: func() directory.UserQuery {
			return g.deep(directory.UserQuery{Sort: g.anySort(), Filter: directory.UserFilter{
				Where: []directory.Condition{g.condition(), g.condition()}, OrgUnits: []string{one(g, g.cfg.OrgUnits).FullName}, Roles: []string{one(g, g.cfg.Roles).Name}}})
		}},
		{group: "role not held, any sort", limit: otherGrid, draw: func() directory.UserQuery {
			return g.deep(directory.UserQuery{Filter: directory.UserFilter{NotRoles: []string{one(g, g.cfg.Roles).Name}}, Sort: g.anySort()})
		}},
		{group: "without a picture, any sort", limit: otherGrid, draw: func() directory.UserQuery {
			return g.deep(directory.UserQuery{Filter: directory.UserFilter{WithoutPicture: true}, Sort: g.anySort()})
		}},
		{group: "search, a piece of a name or id", limit: searchGrid, draw: func() directory.UserQuery {
			u := one(g, g.users)
			return g.hot(directory.UserFilter{Search: g.piece(one(g, []string{u.FirstName, u.LastName, u.LANID, u.AgentID, u.PBXID}))})
		}},
		{group: "search, one user", limit: searchGrid, draw: func() directory.UserQuery {
			u := one(g, g.users)
			return directory.UserQuery{Filter: directory.UserFilter{Search: u.FirstName + " " + u.LANID}}
		}},
		{group: "search, nobody", limit: searchGrid, draw: func() directory.UserQuery {
			return g.hot(directory.UserFilter{Search: one(g, g.users).LANID + "zz"})
		}},
	}
}

// gridValue is a column, and a value that a user or the configuration has of it.
type gridValue struct {
	name string
	of   func(g *gridAsker) string
}

// gridValues begin with the columns of which the beginning is asked for, too.
var gridValues = []gridValue{
	{"last_name", func(g *gridAsker) string { return one(g, g.users).LastName }},
	{"first_name", func(g *gridAsker) string { return one(g, g.users).FirstName }},
	{"lan_id", func(g *gridAsker) string { return one(g, g.users).LANID }},
	{"agent_id", func(g *gridAsker) string { return one(g, g.users).AgentID }},
	{"pbx_id", func(g *gridAsker) string { return one(g, g.users).PBXID }},
	{"profile", func(g *gridAsker) string { return one(g, []string{"Administrator", "Supervisor", "Agent"}) }},
	{"supervisor", func(g *gridAsker) string { return one(g, g.users).Supervisor }},
	{"org_unit", func(g *gridAsker) string { return one(g, g.cfg.OrgUnits).FullName }},
	{"roles", func(g *gridAsker) string { return one(g, g.cfg.Roles).Name }},
	{"access_role", func(g *gridAsker) string { return one(g, g.cfg.AccessRoles).Name }},
	{"crm_name", func(g *gridAsker) string { return one(g, g.cfg.CRMNames).Name }},
	{"greeting_template", func(g *gridAsker) string { return one(g, g.cfg.GreetingTemplates).Name }},
	{"status", func(g *gridAsker) string { return one(g, []string{"active", "inactive"}) }},
	{"changed_by", func(g *gridAsker) string { return one(g, []string{"system", "nobody", one(g, g.users).ChangedBy}) }},
	{"changed_at", func(g *gridAsker) string { return one(g, g.users).ChangedAt.Format(time.DateOnly) }},
}

// where asks now and then for what nobody has.
func (g *gridAsker) where(column, op, value string) directory.UserFilter {
	if g.rnd.IntN(10) == 0 && (op == directory.OpStarts || column == "last_name" || column == "first_name") {
		value += "qqq"
	}
	return directory.UserFilter{Where: []directory.Condition{{Column: column, Op: op, Value: value}}}
}

func (g *gridAsker) anySort() directory.UserSort {
	columns := slices.DeleteFunc(directory.UserColumns(), func(c directory.UserColumn) bool { return !c.Sortable })
	return directory.UserSort{Column: one(g, columns).Name, Descending: g.rnd.IntN(2) == 0}
}

func (g *gridAsker) condition() directory.Condition {
	v := one(g, gridValues)
	columns := directory.UserColumns()
	column := columns[slices.IndexFunc(columns, func(c directory.UserColumn) bool { return c.Name == v.name })]
	op, value := one(g, column.Ops), v.of(g)
	switch op {
	case directory.OpContains, directory.OpNotContains:
		value = g.piece(value)
	case directory.OpStarts:
		value = g.beginning(value)
	}
	return directory.Condition{Column: v.name, Op: op, Value: value}
}

// beginning is the first few letters of a value.
func (g *gridAsker) beginning(s string) string {
	r := []rune(s)
	return string(r[:min(len(r), 1+g.rnd.IntN(6))])
}

// piece is a few letters out of a value.
func (g *gridAsker) piece(s string) string {
	r := []rune(s)
	if len(r) == 0 {
		return "x"
	}
	from := g.rnd.IntN(len(r))
	return string(r[from:min(len(r), from+2+g.rnd.IntN(4))])
}
