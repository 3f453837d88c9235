package userimport_test

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/internal/batch"
	"muster/internal/blob"
	"muster/internal/directory"
	"muster/internal/setup"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
	"muster/internal/userimport"
)

// organisation is what tests run on unless they say otherwise.
//
//go:embed testdata/setup.yaml
var organisation string

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// house is everything that an import needs, over one database.
type house struct {
	db     *sqldb.DB
	dir    *directory.Directory
	engine *batch.Engine
	op     *operation
	setup  string
	cfg    directory.Configuration

	mu     sync.Mutex
	actors map[string]directory.Actor // of the batches to come, by name
	tick   atomic.Pointer[func()]     // called whenever the time is asked for
	ahead  atomic.Int64               // how far the clock is ahead of the real one, in nanoseconds
}

var system = directory.System("test")

// operation is the import, with a moment for tests between the check and the first chunk.
type operation struct {
	userimport.Operation
	beforeApply func()
}

func (o *operation) Prepare(ctx context.Context, run *batch.Run) (batch.Prepared, error) {
	p, err := o.Operation.Prepare(ctx, run)
	if err != nil {
		return nil, err
	}
	return &prepared{p, o}, nil
}

type prepared struct {
	batch.Prepared
	op *operation
}

func (p *prepared) Apply(ctx context.Context, run *batch.Run) (batch.Counts, error) {
	if before := p.op.beforeApply; before != nil {
		p.op.beforeApply = nil
		before()
	}
	return p.Prepared.Apply(ctx, run)
}

// newHouse opens the database, with the organisation and nobody in it.
func newHouse(t testing.TB, cfg sqldb.Config) *house {
	t.Helper()
	h := openHouse(t, cfg)
	h.configure(t, organisation)
	return h
}

// openHouse opens the database as it is; what else opens the same one is another process as far as Muster can tell,
// which has the uploads in common.
func openHouse(t testing.TB, cfg sqldb.Config) *house {
	t.Helper()
	h := &house{db: sqldbtest.Open(t, cfg), actors: map[string]directory.Actor{}, op: &operation{}}
	h.dir = directory.New(h.db)
	h.dir.Now = func() time.Time {
		if f := h.tick.Load(); f != nil {
			(*f)()
		}
		return time.Now().Add(time.Duration(h.ahead.Load())).Truncate(time.Microsecond)
	}
	h.engine = &batch.Engine{
		DB: h.db, Directory: h.dir, Blobs: &blob.Disk{Dir: filepath.Join(cfg.Dir, "blobs")}, Scratch: t.TempDir(),
		Operations: map[string]batch.Operation{userimport.Action: h.op}, MaxUpload: 1 << 24, Patience: 20 * time.Second,
		Actor: func(_ context.Context, owner, source string) (directory.Actor, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			if a, ok := h.actors[owner]; ok {
				return a, nil
			}
			return directory.System(source), nil
		},
	}
	return h
}

// configure makes the directory's configuration exactly what the setup file says.
func (h *house) configure(t failer, text string) {
	t.Helper()
	if h.setup == text {
		return
	}
	cfg, err := setup.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := h.dir.As(system).ApplyConfiguration(ctx, cfg, directory.ApplyOptions{Prune: true}); err != nil {
		t.Fatal(err)
	}
	if h.cfg, err = directory.LoadConfiguration(ctx, h.db.Read()); err != nil {
		t.Fatal(err)
	}
	h.setup = text
}

// clear removes all users.
func (h *house) clear(t failer) {
	t.Helper()
	h.exec(t, "UPDATE users SET supervisor_id = NULL")
	h.exec(t, "DELETE FROM users")
	h.exec(t, "UPDATE directory_revision SET people = people + 1")
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

// deactivate is what a person does on the user's page.
func (h *house) deactivate(t failer, lan string) {
	t.Helper()
	h.exec(t, "UPDATE users SET active = 0, version = version + 1 WHERE lan_key = $1", directory.Fold(lan))
	h.exec(t, "UPDATE directory_revision SET people = people + 1")
}

// person returns somebody with these rights, in the units with everything below them.
func (h *house) person(t failer, rights []string, units ...string) directory.Actor {
	t.Helper()
	var paths []string
	for _, unit := range units {
		i := slices.IndexFunc(h.cfg.OrgUnits, func(u directory.OrgUnit) bool { return u.FullName == strings.TrimSpace(unit) })
		if i < 0 {
			t.Fatalf("no org unit %s", unit)
		}
		paths = append(paths, h.cfg.OrgUnits[i].Path)
	}
	var all []directory.Right
	for _, r := range rights {
		all = append(all, directory.Right(r))
	}
	a := directory.Person("person", "test", all, directory.Below(paths...))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.actors[a.Name()] = a
	return a
}

// file is an input; its name need not tell what it is.
type file struct {
	name string
	data []byte
}

func inputs(files []file) []batch.Input {
	var all []batch.Input
	for _, f := range files {
		all = append(all, batch.Input{Name: f.name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.data)), nil }})
	}
	return all
}

func (h *house) create(t failer, actor directory.Actor, o userimport.Options, files []file) int64 {
	t.Helper()
	b, err := h.engine.Create(context.Background(), actor, batch.Spec{Action: userimport.Action, Options: o, Inputs: inputs(files)})
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

// run imports the files from beginning to end, or to the preview.
func (h *house) run(t failer, actor directory.Actor, o userimport.Options, files []file) *batch.Batch {
	t.Helper()
	return h.execute(t, h.create(t, actor, o, files))
}

// apply lets a preview go on, to the end.
func (h *house) apply(t failer, id int64) *batch.Batch {
	t.Helper()
	if err := h.engine.Apply(context.Background(), system, id, 0); err != nil {
		t.Fatal(err)
	}
	return h.execute(t, id)
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

func (h *house) entries(t failer, b *batch.Batch) []batch.Entry {
	t.Helper()
	all := []batch.Entry{}
	for e, err := range h.engine.Entries(context.Background(), system, b, batch.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func (h *house) kept(t failer, b *batch.Batch) []string {
	t.Helper()
	all := []string{}
	for e, err := range h.engine.KeptByUndo(context.Background(), system, b) {
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range e.Problems {
			all = append(all, e.LANID+" "+p.Code)
		}
	}
	slices.Sort(all)
	return all
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

// members are the LAN IDs of the users that the batch inserted and that are still there.
func (h *house) members(t failer, id int64) []string {
	t.Helper()
	return h.lines(t, "SELECT lan_id FROM users WHERE batch_id = $1", id)
}

// users is everything that the directory says of its users, but for ids, versions and who changed them when: a line
// for each, sorted.
func (h *house) users(t failer) []string {
	t.Helper()
	return h.lines(t, `SELECT u.lan_id || ' | ' || u.lan_key || ' | ' || u.first_name || ' ' || u.last_name || ' | agent ' || u.agent_id || ' ' || u.agent_key
		|| ' | pbx ' || coalesce(u.pbx_id, '-') || ' | ' || CASE u.profile WHEN 1 THEN 'Administrator' WHEN 2 THEN 'Supervisor' ELSE 'Agent' END
		|| ' | under ' || coalesce((SELECT lan_id FROM users s WHERE s.id = u.supervisor_id), '-')
		|| ' | ' || coalesce((SELECT full_name FROM org_units o WHERE o.id = u.org_unit_id), '-')
		|| ' | ' || coalesce((SELECT name FROM access_roles a WHERE a.id = u.access_role_id), '-')
		|| ' | ' || coalesce((SELECT name FROM crm_names c WHERE c.id = u.crm_name_id), '-')
		|| ' | ' || coalesce((SELECT name FROM greeting_templates g WHERE g.id = u.greeting_template_id), '-')
		|| CASE u.active WHEN 1 THEN '' ELSE ' | inactive' END FROM users u
		UNION ALL SELECT u.lan_id || ' has the role ' || r.name FROM users u JOIN user_roles ur ON ur.user_id = u.id JOIN roles r ON r.id = ur.role_id
		UNION ALL SELECT u.lan_id || ' has ' || CAST(uc.count AS TEXT) || ' of ' || c.name FROM users u JOIN user_channels uc ON uc.user_id = u.id JOIN channels c ON c.id = uc.channel_id
		UNION ALL SELECT u.lan_id || ' has ' || f.name || ' = ' || uf.value FROM users u JOIN user_features uf ON uf.user_id = u.id JOIN features f ON f.id = uf.feature_id`)
}

// dump is the directory byte for byte, but for what an undo leaves behind: history, audit, ids given out, versions,
// changed-by and changed-on.
func (h *house) dump(t failer) []string {
	t.Helper()
	ctx, all := context.Background(), []string{}
	for _, table := range []string{"settings", "org_levels", "org_units", "roles", "role_rights", "role_rules", "access_roles", "access_role_units",
		"crm_names", "greeting_templates", "channels", "features", "feature_values", "users", "user_roles", "user_channels", "user_features"} {
		rows, err := h.db.Read().QueryContext(ctx, "SELECT * FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			line := table
			for i, c := range columns {
				if c != "version" && c != "changed_by" && c != "changed_at" {
					line += fmt.Sprintf(" %s=%v", c, values[i])
				}
			}
			all = append(all, line)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(all)
	return all
}

// sound makes sure that nothing refers to what is not there; a load on SQLite does not check that row by row.
func (h *house) sound(t failer) {
	t.Helper()
	if h.db.Engine != sqldb.SQLite {
		return
	}
	broken, err := sqldb.All[struct {
		Table  string
		Row    *int64
		Parent string
		Key    int64
	}](context.Background(), h.db.Read(), "PRAGMA foreign_key_check")
	if err != nil || len(broken) > 0 {
		t.Fatalf("references to nothing: %+v, %v", broken, err)
	}
}

// csv writes rows as a file; a line break in a cell is no trouble.
func csv(rows ...[]string) []byte {
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `"%s"`, strings.ReplaceAll(cell, `"`, `""`))
		}
		b.WriteString("\r\n")
	}
	return []byte(b.String())
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
