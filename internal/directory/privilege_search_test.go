package directory_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

// climb is a person with some rights somewhere who tries to get more, for themselves or for anybody, by whatever calls
// there are. Whom they could make a sign-in link for, they act as, too.
type climb struct {
	*testing.T
	*rand.Rand
	d      *directory.Directory
	actors []int64                 // users that the person acts as; the first is themselves
	acting int64                   // who of them does the call
	start  map[int64]reach         // by user
	known  map[string]bool         // org units at the last look
	chiefs map[int64]bool          // whom the system made administrators on the way
	trail  []string                // the calls that were done
	done   map[string]int          // by call
	cfg    directory.Configuration // as it is
}

// reach is what somebody may do, and where: by right, ids of units as texts. "*" is everywhere.
type reach map[directory.Right]map[string]bool

// beyond tells what of a reach is in none of those allowed.
func (r reach) beyond(allowed ...reach) string {
	for right, units := range r {
		for unit := range units {
			if !slices.ContainsFunc(allowed, func(a reach) bool { return a[right]["*"] || a[right][unit] }) {
				return fmt.Sprintf("%s in %s", right, unit)
			}
		}
	}
	return ""
}

func lastID(path string) string {
	ids := strings.Split(strings.TrimSuffix(path, "/"), "/")
	return ids[len(ids)-1]
}

// reach is what a user may do now.
func (c *climb) reach(id int64, units []directory.OrgUnit) reach {
	c.Helper()
	h, found, err := directory.HolderByID(c.Context(), c.d.DB.Read(), id)
	if err != nil {
		c.Fatal(err)
	}
	r := reach{}
	if !found {
		return r
	}
	at := map[string]bool{}
	if h.Scope.IsEverywhere() {
		at["*"] = true
	}
	for _, u := range units {
		if h.Scope.Contains(u.Path) {
			at[lastID(u.Path)] = true
		}
	}
	for _, right := range h.Rights {
		r[right] = maps.Clone(at)
	}
	return r
}

func (c *climb) users() []int64 {
	c.Helper()
	all, err := sqldb.All[int64](c.Context(), c.d.DB.Read(), "SELECT id FROM users ORDER BY id")
	if err != nil {
		c.Fatal(err)
	}
	return all
}

// climbRights are those that calls ask for, and one of no use to any.
var climbRights = []directory.Right{
	"roles:access", "roles:edit", "roles:add", "roles:delete", "access-roles:access", "access-roles:edit", "access-roles:add", "access-roles:delete",
	"users:access", "users:edit", "users:add", "users:delete", "org-units:access", "org-units:edit", "org-units:add", "org-units:delete", "audit:access",
}

var climbAccessRoles = []directory.AccessRole{
	{Name: "Everywhere", Scope: "everywhere"}, {Name: "Own unit", Scope: "own-unit"}, {Name: "Own branch", Scope: "own-unit-and-below"},
	{Name: "UAE", Scope: "units", Units: []string{"UAE"}}, {Name: "Retail", Scope: "units", Units: []string{"UAE / Retail"}},
	{Name: "Two places", Scope: "units", Units: []string{"UAE / Wholesale", "India / Retail / Cards"}}, {Name: "Cards", Scope: "units", Units: []string{"UAE / Retail / Cards"}},
}

// newClimb fills a directory: an administrator, people with this and that in many places, and the person.
func newClimb(t *testing.T, d *directory.Directory, seed uint64) *climb {
	c := &climb{T: t, Rand: rand.New(rand.NewPCG(seed, 11)), d: d, start: map[int64]reach{}, known: map[string]bool{}, chiefs: map[int64]bool{}, done: map[string]int{}}
	apply(t, system(d), directory.Configuration{
		Levels: []string{"Country", "Division", "Department", "Team"},
		OrgUnits: units("UAE", "UAE / Retail", "UAE / Retail / Cards", "UAE / Retail / Cards / One", "UAE / Retail / Loans", "UAE / Retail / Loans / Two",
			"UAE / Wholesale", "UAE / Wholesale / Desk", "UAE / Wholesale / Desk / Three", "India", "India / Retail", "India / Retail / Cards", "India / Retail / Cards / Four"),
		Roles: []directory.Role{
			{Name: "Person", Rights: someOf(c, climbRights, 0.75)},
			{Name: "Agent"},
			{Name: "Reader", Rights: []directory.Right{"users:access"}},
			{Name: "Team Lead", Rights: someOf(c, climbRights, 0.3)},
			{Name: "Auditor", Rights: []directory.Right{"audit:access", "batches:access"}},
			{Name: "Keeper", Rights: []directory.Right{"settings:edit", "settings:access", "users:access"}},
		},
		AccessRoles: climbAccessRoles,
	}, false)
	root, err := createAdministrator(t.Context(), system(d), d, directory.Applicant{LANID: "root", FirstName: "A", LastName: "B"})
	if err != nil {
		t.Fatal(err)
	}
	letIn(t, d, root)
	if c.IntN(2) == 0 {
		// The names that making an administrator goes by are free.
		execute(t, d, "UPDATE roles SET name = 'Chief' WHERE name = $1", directory.AdministratorRole)
		execute(t, d, "UPDATE access_roles SET name = 'All places' WHERE name = $1", directory.EverywhereAccessRole)
	}
	access := []string{"All places", "Everywhere", "All places", "Everywhere", "Own unit", "Own branch", "UAE", "Retail", "Two places", "Cards", ""}
	c.cfg = load(t, d)
	cfg := c.cfg
	c.user(1, pick(c, []string{"UAE", "UAE / Retail", "UAE / Retail / Cards", "UAE / Wholesale"}), pick(c, access[:10]), "Person")
	for i := range 8 {
		c.user(2+i, pick(c, cfg.OrgUnits).FullName, pick(c, access[3:]), someOf(c, []string{"Agent", "Reader", "Team Lead", "Auditor", "Keeper", "Person"}, 0.35)...)
	}
	c.actors = []int64{climbFirst + 1}
	for _, id := range c.users() {
		c.start[id] = c.reach(id, cfg.OrgUnits)
	}
	for _, u := range cfg.OrgUnits {
		c.known[fmt.Sprint(u.ID)] = true
	}
	return c
}

// climbFirst is below the ids of the users who are there from the start.
const climbFirst = 500_000

func pick[T any](c *climb, all []T) T { return all[c.IntN(len(all))] }

func someOf[T any](c *climb, all []T, share float64) []T {
	var some []T
	for _, v := range all {
		if c.Float64() < share {
			some = append(some, v)
		}
	}
	return some
}

func (c *climb) user(n int, unit, access string, roles ...string) {
	c.Helper()
	lanID := fmt.Sprintf("u%d", n)
	execute(c.T, c.d, `INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, pbx_id, profile, changed_by, changed_at, org_unit_id, access_role_id, first_key, last_key)
		SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($2 AS TEXT), 'A', 'B', CAST($2 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), 2, 'x', 1,
			(SELECT id FROM org_units WHERE full_name = $4), (SELECT id FROM access_roles WHERE name = $5), 'a', 'b'`,
		climbFirst+n, lanID, fmt.Sprint(70_000+n), unit, access)
	for _, r := range roles {
		execute(c.T, c.d, "INSERT INTO user_roles (user_id, role_id) SELECT CAST($1 AS BIGINT), id FROM roles WHERE name = $2", climbFirst+n, r)
	}
}

// holder is who acts now, as they are now.
func (c *climb) holder() *directory.Holder {
	c.Helper()
	h, found, err := directory.HolderByID(c.Context(), c.d.DB.Read(), c.acting)
	if err != nil {
		c.Fatal(err)
	}
	if !found {
		return &directory.Holder{}
	}
	return h
}

// climbCall is a call with arguments made up; it returns what it did, in words.
type climbCall struct {
	name string
	do   func(*climb, *directory.Handle) (string, error)
}

// search makes calls at random, and returns how somebody got more than they had and the person holds; "" when nobody did.
func (c *climb) search(calls []climbCall, steps int) string {
	c.Helper()
	for range steps {
		c.acting = pick(c, c.actors)
		call := pick(c, calls)
		before := c.users()
		said, err := call.do(c, c.d.As(c.holder().Actor("test")))
		switch kind := fault.KindOf(err); {
		case err == nil:
			c.done[call.name]++
			c.trail = append(c.trail, fmt.Sprintf("%s by %d: %s", call.name, c.acting, said))
		case kind != fault.Forbidden && kind != fault.Conflict && kind != fault.Invalid && kind != fault.NotFound:
			c.Fatalf("%s: %v", call.name, err)
		default:
			continue
		}
		if found := c.stronger(before, call.name); found != "" {
			return found
		}
	}
	return ""
}

// look notes units that were made or deleted. Who could do something in a unit may do it in what is made below.
func (c *climb) look(units []directory.OrgUnit) {
	there := map[string]bool{}
	for _, u := range units { // parents come before what is below them
		id, parent := fmt.Sprint(u.ID), fmt.Sprint(u.ParentID)
		there[id] = true
		if c.known[id] {
			continue
		}
		for _, r := range c.start {
			for _, in := range r {
				in[id] = in[parent]
			}
		}
	}
	c.known = there
}

// stronger looks who may do more than at the start, and more than the person could. Where a unit was moved, others than
// the person may reach it by where it is now: that is what moving is for.
func (c *climb) stronger(before []int64, call string) string {
	c.cfg = load(c.T, c.d)
	units := c.cfg.OrgUnits
	c.look(units)
	person := c.start[c.actors[0]]
	for _, id := range c.users() {
		now := c.reach(id, units)
		if call == systemMakes && !slices.Contains(before, id) {
			c.chiefs[id] = true
		}
		allowed := []reach{person}
		switch {
		case c.chiefs[id]:
			continue
		case slices.Contains(c.actors, id):
		case call == moves:
			c.start[id] = c.start[id].and(now)
			continue
		default:
			allowed = append(allowed, c.start[id])
		}
		if more := now.beyond(allowed...); more != "" {
			return fmt.Sprintf("user %d has got %s", id, more)
		}
	}
	return ""
}

func (r reach) and(more reach) reach {
	all := reach{}
	for _, of := range []reach{r, more} {
		for right, units := range of {
			if all[right] == nil {
				all[right] = map[string]bool{}
			}
			maps.Copy(all[right], units)
		}
	}
	return all
}

// What no one may do by any of these calls, whatever they begin with: make themselves or anybody stronger than the person
// was, or than that one was before.
func TestNobodyMakesAnybodyStronger(t *testing.T) {
	t.Parallel()
	eachClimb(t, 14, 2, func(t *testing.T, c *climb, seed uint64) {
		if found := c.search(climbCalls(), 300); found != "" {
			t.Errorf("seed %d: %s, by\n%s", seed, found, strings.Join(c.trail, "\n"))
		}
		if len(c.done) < 3 {
			t.Logf("seed %d: only %v was done", seed, c.done)
		}
	})
}

// eachClimb runs a search from so many beginnings on each engine.
func eachClimb(t *testing.T, onSQLite, onPostgres uint64, fn func(t *testing.T, c *climb, seed uint64)) {
	t.Helper()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		seeds := onSQLite
		if cfg.URL != "" {
			seeds = onPostgres
		}
		for seed := range seeds {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				own := sqldb.Config{Dir: t.TempDir()}
				if cfg.URL != "" {
					own.URL = sqldbtest.Postgres(t)
				}
				d := directory.New(sqldbtest.Open(t, own))
				fn(t, newClimb(t, d, seed), seed)
			})
		}
	})
}

// The search finds a hole that takes two calls: here, whoever edits a role after some role was renamed gives it any right.
func TestSearchFindsAHole(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		c := newClimb(t, directory.New(sqldbtest.Open(t, sqldb.Config{Dir: t.TempDir()})), seed)
		if found := c.search(plantHole(slices.Concat(roleCalls(), accessRoleCalls(), otherCalls())), 400); found != "" {
			if !strings.Contains(found, "settings:edit") {
				t.Errorf("another one than planted: %s", found)
			}
			return
		}
	}
	t.Error("nobody found the hole")
}

// plantHole makes a call what none is: it gives a role a right without looking at who asks.
func plantHole(calls []climbCall) []climbCall {
	renamed := false
	for i, call := range calls {
		if call.name != "RenameRole" && call.name != "EditRole" {
			continue
		}
		calls[i].do = func(c *climb, h *directory.Handle) (string, error) {
			newest := func() int64 {
				role, _, err := sqldb.One[int64](c.Context(), c.d.DB.Read(), "SELECT r.id FROM audit a JOIN roles r ON r.name = a.name WHERE a.subject = 'role' ORDER BY a.id DESC LIMIT 1")
				if err != nil {
					c.Fatal(err)
				}
				return role
			}
			said, err := call.do(c, h)
			if err != nil {
				return said, err
			}
			if call.name == "RenameRole" {
				renamed = true
			} else if role := newest(); renamed {
				execute(c.T, c.d, "INSERT INTO role_rights (role_id, module, action) VALUES ($1, 'settings', 'edit') ON CONFLICT DO NOTHING", role)
			}
			return said, nil
		}
	}
	return calls
}
