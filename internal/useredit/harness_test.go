package useredit_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/batch"
	"muster/internal/blob"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/setup"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
	"muster/internal/useredit"
)

const organisation = `
levels: [Country, Team]
org_units: [UAE, UAE / Cards, UAE / Loans, India, India / Airline]
roles:
  - {name: Agent, rights: [users:access]}
  - {name: Agent Basic, rights: [users:access], rules: [{rule: no-face-in-view, action: lock, delay_seconds: 30}]}
  - {name: Team Lead, rights: [users:access, users:edit]}
  - {name: Chief, rights: [users:access, users:edit, roles:edit, roles:delete]}
  - {name: Nothing, rights: []}
access_roles:
  - {name: Own unit, scope: own-unit}
  - {name: Own unit and below, scope: own-unit-and-below}
  - {name: UAE, scope: units, org_units: [UAE]}
  - {name: Cards, scope: units, org_units: [UAE / Cards, India / Airline]}
  - {name: Everywhere, scope: everywhere}
crm_names: [Siebel, Salesforce, Zendesk]
greeting_templates:
  - {name: Standard, text: "Welcome, how can I help?"}
  - {name: Evening, text: "Good evening."}
`

type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// house is everything that a replacement needs, over one database.
type house struct {
	db     *sqldb.DB
	dir    *directory.Directory
	engine *batch.Engine
	op     *useredit.Operation
	edit   *useredit.Editing
	cfg    directory.Configuration
	users  int64 // ids 1 to users are taken

	initial []string // the values as the organisation has them

	mu     sync.Mutex
	actors map[string]directory.Actor
	tick   atomic.Pointer[func()] // called whenever the time is asked for
	ahead  atomic.Int64           // how far the clock is ahead, in nanoseconds
}

var system = directory.System("test")

func newHouse(t testing.TB, cfg sqldb.Config) *house {
	t.Helper()
	h := openHouse(t, cfg)
	h.configure(t)
	return h
}

func openHouse(t testing.TB, cfg sqldb.Config) *house {
	t.Helper()
	h := &house{db: sqldbtest.Open(t, cfg), actors: map[string]directory.Actor{}, op: &useredit.Operation{PieceUsers: 2, ChunkUsers: 4},
		edit: &useredit.Editing{PieceUsers: 2, ChunkUsers: 4}}
	h.dir = directory.New(h.db)
	h.dir.Now = func() time.Time {
		if f := h.tick.Load(); f != nil {
			(*f)()
		}
		return time.Now().Add(time.Duration(h.ahead.Load())).Truncate(time.Microsecond)
	}
	h.engine = &batch.Engine{
		DB: h.db, Directory: h.dir, Blobs: &blob.Disk{Dir: filepath.Join(cfg.Dir, "blobs")}, Scratch: t.TempDir(),
		Operations: map[string]batch.Operation{useredit.Action: h.op, useredit.AssignRole: h.edit}, MaxUpload: 1 << 24, Patience: 20 * time.Second,
		Actor: func(_ context.Context, owner, source string) (directory.Actor, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.actors[owner], nil
		},
	}
	for _, action := range useredit.EditActions {
		h.engine.Operations[action] = h.edit
	}
	return h
}

func (h *house) configure(t failer) {
	t.Helper()
	cfg, err := setup.Parse([]byte(organisation))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := h.dir.As(system).ApplyConfiguration(ctx, cfg, directory.ApplyOptions{Prune: true}); err != nil {
		t.Fatal(err)
	}
	h.load(t)
}

func (h *house) load(t failer) {
	t.Helper()
	var err error
	if h.cfg, err = directory.LoadConfiguration(context.Background(), h.db.Read()); err != nil {
		t.Fatal(err)
	}
	h.initial = h.values(t)
}

// each runs fn on both engines.
func each(t *testing.T, fn func(t *testing.T, h *house)) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		t.Parallel()
		fn(t, newHouse(t, cfg))
	})
}

// property runs fn with many drawn worlds; it clears what the one before left.
func property(t *testing.T, fn func(t *rapid.T, h *house)) {
	each(t, func(t *testing.T, h *house) {
		rapid.Check(t, func(t *rapid.T) {
			h.clear(t)
			fn(t, h)
		})
	})
}

func (h *house) clear(t failer) {
	t.Helper()
	err := h.db.Tx(context.Background(), func(tx *sqldb.Tx) error {
		for _, table := range []string{"batches", "credentials", "user_roles", "users"} {
			if _, err := tx.ExecContext(context.Background(), "DELETE FROM "+table); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.users = 0
	if !slices.Equal(h.values(t), h.initial) {
		h.configure(t)
	}
}

func (h *house) exec(t failer, query string, args ...any) {
	t.Helper()
	err := h.db.Tx(context.Background(), func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(context.Background(), query, args...)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func (h *house) id(t failer, k directory.ValueKind, name string) int64 {
	t.Helper()
	if name == "" {
		return 0
	}
	table := map[directory.ValueKind]string{directory.RoleValue: "roles", directory.AccessRoleValue: "access_roles", directory.CRMNameValue: "crm_names", directory.GreetingTemplateValue: "greeting_templates"}[k]
	id, found, err := sqldb.One[int64](context.Background(), h.db.Read(), "SELECT id FROM "+table+" WHERE name = $1", name)
	if err != nil || !found {
		t.Fatalf("no %s %q: %v", k, name, err)
	}
	return id
}

// somebody is a user to be.
type somebody struct {
	unit, access, crm, greeting string
	roles                       []string
	signsIn                     bool
}

// add makes a user and returns the id; the LAN ID is u and the id.
func (h *house) add(t failer, s somebody) int64 {
	t.Helper()
	h.users++
	lan := fmt.Sprintf("u%d", h.users)
	unit := any(nil)
	if i := slices.IndexFunc(h.cfg.OrgUnits, func(u directory.OrgUnit) bool { return u.FullName == s.unit }); i >= 0 {
		unit = h.cfg.OrgUnits[i].ID
	}
	ctx := context.Background()
	access, crm, greeting := h.id(t, directory.AccessRoleValue, s.access), h.id(t, directory.CRMNameValue, s.crm), h.id(t, directory.GreetingTemplateValue, s.greeting)
	err := h.db.Tx(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, profile, org_unit_id, access_role_id, crm_name_id, greeting_template_id, changed_by, changed_at)
			VALUES ($1, $2, $2, 'Ann', 'Lee', $2, $2, 3, $3, nullif($4, 0), nullif($5, 0), nullif($6, 0), 'somebody', 1)`, h.users, lan, unit, access, crm, greeting)
		for _, r := range s.roles {
			if err == nil {
				_, err = tx.ExecContext(ctx, "INSERT INTO user_roles (user_id, role_id) SELECT $1, id FROM roles WHERE name = $2", h.users, r)
			}
		}
		if err == nil && s.signsIn {
			_, err = tx.ExecContext(ctx, "INSERT INTO credentials (user_id, password, password_at) VALUES ($1, 'x', 1)", h.users)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return h.users
}

// person returns somebody who acts, with these rights, below these units; none is everywhere.
func (h *house) person(t failer, name string, rights []directory.Right, units ...string) directory.Actor {
	t.Helper()
	scope := directory.Everywhere()
	if len(units) > 0 {
		var paths []string
		for _, u := range h.cfg.OrgUnits {
			if slices.Contains(units, u.FullName) {
				paths = append(paths, u.Path)
			}
		}
		scope = directory.Below(paths...)
	}
	return h.acts(directory.Person(name, "test", rights, scope))
}

func (h *house) acts(a directory.Actor) directory.Actor {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.actors[a.Name()] = a
	return a
}

func (h *house) options(t failer, k directory.ValueKind, from, to string) useredit.Options {
	t.Helper()
	return useredit.Options{Kind: k, From: h.id(t, k, from), To: h.id(t, k, to)}
}

func (h *house) create(t failer, a directory.Actor, o useredit.Options) int64 {
	t.Helper()
	b, err := useredit.Create(context.Background(), h.engine, a, o)
	if err != nil {
		t.Fatal(err)
	}
	return b.ID
}

func (h *house) execute(t failer, id int64) *batch.Batch {
	t.Helper()
	b, err := h.engine.Execute(context.Background(), id, nil)
	if err != nil {
		t.Fatalf("batch %d: %v", id, err)
	}
	return b
}

func (h *house) run(t failer, a directory.Actor, o useredit.Options) *batch.Batch {
	t.Helper()
	return h.execute(t, h.create(t, a, o))
}

// apply lets a preview go on, to the end; whatever number the guard wants is typed in.
func (h *house) apply(t failer, b *batch.Batch) *batch.Batch {
	t.Helper()
	if err := h.engine.Apply(context.Background(), system, b.ID, b.Guard.Users); err != nil {
		t.Fatal(err)
	}
	return h.execute(t, b.ID)
}

func (h *house) undo(t failer, id int64) *batch.Batch {
	t.Helper()
	if err := h.engine.Undo(context.Background(), system, id); err != nil {
		t.Fatal(err)
	}
	b := h.execute(t, id)
	if b.State != batch.Undone {
		t.Fatalf("batch %d is %s (%s), not undone", id, b.State, b.Reason)
	}
	return b
}

// lines runs a query whose rows are one text each, and sorts them.
func (h *house) lines(t failer, query string, args ...any) []string {
	t.Helper()
	all, err := sqldb.All[string](context.Background(), h.db.Read(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	slices.Sort(all)
	return all
}

func (h *house) number(t failer, query string, args ...any) int64 {
	t.Helper()
	n, _, err := sqldb.One[int64](context.Background(), h.db.Read(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// held is what everybody has, a line for each.
func (h *house) held(t failer) []string {
	t.Helper()
	return h.lines(t, `SELECT u.lan_id || ' | ' || coalesce((SELECT a.name FROM access_roles a WHERE a.id = u.access_role_id), '-')
		|| ' | ' || coalesce((SELECT c.name FROM crm_names c WHERE c.id = u.crm_name_id), '-')
		|| ' | ' || coalesce((SELECT g.name FROM greeting_templates g WHERE g.id = u.greeting_template_id), '-')
		|| ' | ' || coalesce((SELECT string_agg(r.name, ', ' ORDER BY r.name) FROM user_roles x JOIN roles r ON r.id = x.role_id WHERE x.user_id = u.id), '-') FROM users u`)
}

// values are all that can be replaced, with ids and definitions.
func (h *house) values(t failer) []string {
	t.Helper()
	return h.lines(t, `SELECT 'role ' || CAST(id AS TEXT) || ' ' || name FROM roles
		UNION ALL SELECT 'right ' || CAST(role_id AS TEXT) || ' ' || module || ':' || action FROM role_rights
		UNION ALL SELECT 'rule ' || CAST(role_id AS TEXT) || ' ' || rule || ' ' || action || ' ' || CAST(delay_seconds AS TEXT) FROM role_rules
		UNION ALL SELECT 'access role ' || CAST(id AS TEXT) || ' ' || name || ' ' || scope FROM access_roles
		UNION ALL SELECT 'unit ' || CAST(access_role_id AS TEXT) || ' ' || CAST(org_unit_id AS TEXT) FROM access_role_units
		UNION ALL SELECT 'crm ' || CAST(id AS TEXT) || ' ' || name || ' ' || CAST(retired AS TEXT) FROM crm_names
		UNION ALL SELECT 'greeting ' || CAST(id AS TEXT) || ' ' || name || ' ' || text || CAST(retired AS TEXT) FROM greeting_templates`)
}

// versions are how often everybody was changed, by LAN ID.
func (h *house) versions(t failer) []string {
	t.Helper()
	return h.lines(t, "SELECT lan_id || ' ' || CAST(version AS TEXT) || ' ' || changed_by FROM users")
}

// entries are the report: row, LAN ID, outcome, what it was to be, and codes.
func (h *house) entries(t failer, b *batch.Batch) []string {
	t.Helper()
	all := []string{}
	for e, err := range h.engine.Entries(context.Background(), system, b, batch.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, line(&e))
	}
	return all
}

func line(e *batch.Entry) string {
	text := fmt.Sprintf("%d %s %s", e.Row, e.LANID, e.Outcome)
	if e.Was != "" {
		text += " (was " + string(e.Was) + ")"
	}
	for _, p := range e.Problems {
		text += " " + p.Code
	}
	return text
}

func (h *house) kept(t failer, b *batch.Batch) []string {
	t.Helper()
	all := []string{}
	for e, err := range h.engine.KeptByUndo(context.Background(), system, b) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.LANID+" "+e.Problems[0].Code)
	}
	slices.Sort(all)
	return all
}

// sound makes sure that nothing refers to what is not there.
func (h *house) sound(t failer) {
	t.Helper()
	if h.db.Engine != sqldb.SQLite {
		return
	}
	broken := h.number(t, "SELECT count(*) FROM pragma_foreign_key_check")
	if broken > 0 {
		t.Fatalf("%d references to nothing", broken)
	}
}

// stopAt runs the batch until the time has been asked for n times from now on, and ends it there, as a process that is
// told to stop does. It returns nil when the batch was at rest before.
func (h *house) stopAt(t failer, id int64, n int64) error {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var asked atomic.Int64
	f := func() {
		if asked.Add(1) == n {
			cancel()
		}
	}
	h.tick.Store(&f)
	defer h.tick.Store(nil)
	_, err := h.engine.Execute(ctx, id, nil)
	if err != nil && ctx.Err() == nil {
		t.Fatalf("batch %d, stopped at %d: %v", id, n, err)
	}
	return err
}

func isKind(t *testing.T, err error, kind fault.Kind, words string) {
	t.Helper()
	if fault.KindOf(err) != kind || !strings.Contains(fmt.Sprint(err), words) {
		t.Errorf("got %v (%s), want %s with %q", err, fault.KindOf(err), kind, words)
	}
}
