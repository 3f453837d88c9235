package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"muster/internal/auth"
	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
	"muster/internal/userimport"
)

// Made-up people and places. The subject is in subjectUnit; ownerID owns the batches.
const (
	subjectUnit = "UAE / Cards"
	otherUnit   = "UAE / Loans"
	subjectID   = "pnair14"
	ownerID     = "ohassan3"
	chiefID     = "ahaddad"
	newID       = "rkhan22"
	secret      = "four green ladders sing"
)

var cheapCost = auth.Cost{Memory: 64, Passes: 1, Threads: 1}

// ward is a database with a subject in it, which a call may change, and then it is made anew.
type ward struct {
	*testing.T
	*template
	app    *app
	cfg    directory.Configuration
	before map[string]string // what is in the database
	spent  bool              // something was changed
	home   *testing.T        // until whose end the database is kept
	done   func()
}

// template is a database that wards are copied from.
type template struct {
	dir, url string
	batches  map[string]int64 // by what they are for
	tokens   map[string]string
	ids      directory.IDs // of a user to be
}

// fresh makes a copy of the template, unless nothing was changed in the one that there is.
func (w *ward) fresh() {
	w.Helper()
	if w.done != nil && !w.spent {
		return
	}
	if w.done != nil {
		w.done()
	}
	w.spent = false
	c := config{DataDir: w.home.TempDir()}
	if err := os.CopyFS(c.DataDir, os.DirFS(w.dir)); err != nil {
		w.Fatal(err)
	}
	if w.url != "" {
		c.Database = copyPostgres(w.home, w.url)
	}
	w.app = openApp(w.home, c)
	closed, app := false, w.app
	w.done = func() {
		if !closed {
			closed = true
			app.close()
		}
	}
	w.home.Cleanup(w.done)
	var err error
	if w.cfg, err = directory.LoadConfiguration(w.Context(), w.app.db.Read()); err != nil {
		w.Fatal(err)
	}
	w.before = w.dump()
}

func openApp(t *testing.T, c config) *app {
	t.Helper()
	a, err := c.open(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	a.auth.Cost = cheapCost
	return a
}

// copyPostgres makes a database from another, which nobody may be using.
func copyPostgres(t *testing.T, from string) string {
	t.Helper()
	to := sqldbtest.Postgres(t)
	server, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	name := path.Base(server.Path)
	source, err := url.Parse(from)
	if err != nil {
		t.Fatal(err)
	}
	server.Path = "/postgres"
	db, err := sql.Open("pgx", server.String())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{"DROP DATABASE " + name, "CREATE DATABASE " + name + " TEMPLATE " + path.Base(source.Path)} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// dump is all that is in the database, by table. Whoever takes users back warns others that people may be gone by
// raising a number in directory_revision; that says nothing of anybody.
func (w *ward) dump() map[string]string {
	w.Helper()
	q := w.app.db.Read()
	list := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	if w.url != "" {
		list = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
	}
	tables, err := sqldb.All[string](w.Context(), q, list)
	if err != nil || len(tables) < 20 {
		w.Fatalf("%d tables: %v", len(tables), err)
	}
	all := map[string]string{}
	for _, table := range tables {
		if table != "directory_revision" {
			all[table] = dumpTable(w.T, q, table)
		}
	}
	return all
}

func dumpTable(t *testing.T, q sqldb.Querier, table string) string {
	t.Helper()
	rows, err := q.QueryContext(t.Context(), "SELECT * FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%v", values))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// newTemplate makes the database once, with everything that a row may ask for.
func newTemplate(t *testing.T, engine string) *template {
	t.Helper()
	tmpl := &template{dir: t.TempDir(), batches: map[string]int64{}, tokens: map[string]string{}}
	if engine == "postgres" {
		tmpl.url = sqldbtest.Postgres(t)
	}
	a := openApp(t, config{DataDir: tmpl.dir, Database: tmpl.url})
	m := &maker{T: t, app: a, template: tmpl}
	m.organisation()
	m.people()
	m.pictures()
	m.deleted()
	m.imports()
	a.close()
	return tmpl
}

// maker fills a template.
type maker struct {
	*testing.T
	*template
	app *app
}

func (m *maker) organisation() {
	m.Helper()
	_, err := m.app.dir.As(directory.System("test")).ApplyConfiguration(m.Context(), directory.Configuration{
		Levels:   []string{"Country", "Department", "Team"},
		OrgUnits: []directory.OrgUnit{{FullName: "UAE"}, {FullName: subjectUnit}, {FullName: otherUnit}, {FullName: "UAE / Cards / Team 1"}},
		Roles: []directory.Role{
			{Name: "Agent", Rights: []directory.Right{"users:access"}},
			{Name: "Importer", Rights: []directory.Right{"users:access", "users:add"}},
			{Name: "Nobody's"},
		},
		AccessRoles: []directory.AccessRole{{Name: "Own unit", Scope: "own-unit"}, {Name: "All", Scope: "everywhere"}, {Name: "Cards alone", Scope: "units", Units: []string{subjectUnit}}},
	}, directory.ApplyOptions{})
	m.must(err)
}

func (m *maker) people() {
	m.Helper()
	l, err := m.app.auth.CreateAdministrator(m.Context(), directory.System("test"), directory.Applicant{LANID: chiefID, FirstName: "Amira", LastName: "Haddad"})
	m.must(err)
	m.tokens[chiefID], _, err = m.app.auth.Redeem(m.Context(), l.Token, secret, auth.Client{Address: "192.0.2.1"})
	m.must(err)
	m.importFiles(directory.System("test"), userimport.Options{}, userDetails(
		[]string{ownerID, "Omar", "Hassan", "", "1001", "Supervisor", "", "Cards", "Importer", "All"},
		[]string{subjectID, "Priya", "Nair", "", "1002", "Supervisor", "", "Cards", "Agent", "Own unit"}))
	l, err = m.app.auth.MakeLink(m.Context(), directory.System("test"), subjectID)
	m.must(err)
	m.tokens[subjectID], _, err = m.app.auth.Redeem(m.Context(), l.Token, secret, auth.Client{Address: "192.0.2.2"})
	m.must(err)
	m.must(m.app.db.Tx(m.Context(), func(tx *sqldb.Tx) (err error) {
		m.ids, err = directory.ReserveUserIDs(m.Context(), tx, 1)
		return err
	}))
}

// imports makes the owner's batches, each with a row that got in and one that did not.
func (m *maker) imports() {
	m.Helper()
	owner := directory.Person(ownerID, auth.Web, []directory.Right{"users:add"}, directory.Everywhere())
	row := func(id, pbx, unit string) []string {
		return []string{id, "Ravi", "Khan", "", pbx, "Supervisor", "", unit, "Agent", ""}
	}
	both := func(id, pbx string) string {
		return userDetails(row(id+"1", pbx+"1", "Cards"), row(id+"2", pbx+"2", "Kards"))
	}
	m.batches["done"] = m.importFiles(owner, userimport.Options{}, both("done", "200"))
	m.batches["ready"] = m.importFiles(owner, userimport.Options{Preview: true}, both("ready", "201"))
	m.batches["awaiting"] = m.importFiles(owner, userimport.Options{Preview: true}, both("await", "205"))
	m.must(m.app.db.Tx(m.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(m.Context(), "UPDATE batches SET state = 'awaiting', asked_by = $2, asked_at = 1 WHERE id = $1", m.batches["awaiting"], ownerID)
		return err
	}))
	m.batches["corrected"] = m.importFiles(owner, userimport.Options{}, both("mend", "202"))
	m.must(m.frozen(owner, "corrected").Correct(m.Context(), []userimport.Correction{{Kind: userimport.UserDetails, Row: 3, Column: "Org Unit", Value: "Cards"}}))

	m.batches["strange"] = m.importFiles(owner, userimport.Options{}, strings.Replace(both("strange", "203"), "Org Unit", "Where", 1))
	again, err := m.frozen(owner, "strange").Remap(m.Context(), []userimport.ColumnChoice{{Index: int(directory.OrgUnitColumn), Column: "Org Unit"}})
	m.must(err)
	m.batches["mapped"] = m.execute(again.ID)

	m.batches["undone"] = m.importFiles(owner, userimport.Options{}, both("undone", "204"))
	m.must(m.app.db.Tx(m.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(m.Context(), "UPDATE users SET version = version + 1 WHERE lan_id = 'undone1'")
		return err
	}))
	m.must(m.app.engine.Undo(m.Context(), directory.System("test"), m.batches["undone"]))
	m.execute(m.batches["undone"])
	m.batches["system's"] = m.importFiles(directory.System("cli"), userimport.Options{}, both("system", "205"))
}

func (m *maker) frozen(a directory.Actor, which string) *userimport.Frozen {
	m.Helper()
	return frozenAs(m.T, m.app, a, m.batches[which])
}

// frozenAs is a batch's files in the hands of the actor, whoever looked the batch up.
func frozenAs(t *testing.T, app *app, a directory.Actor, id int64) *userimport.Frozen {
	t.Helper()
	b, err := app.engine.Get(t.Context(), directory.System("test"), id)
	if err != nil {
		t.Fatal(err)
	}
	f := app.frozen(b)
	f.Actor = a
	return f
}

func (m *maker) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

// userDetails is a UserDetails file with the first ten columns of each row.
func userDetails(rows ...[]string) string {
	var b strings.Builder
	b.WriteString(strings.Join(directory.Columns(), ",") + "\r\n")
	for _, r := range rows {
		b.WriteString(strings.Join(r, ",") + ",,\r\n")
	}
	return b.String()
}

func input(text string) batch.Input {
	return batch.Input{Name: "UserDetails.csv", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

func (m *maker) importFiles(a directory.Actor, o userimport.Options, text string) int64 {
	m.Helper()
	b, err := m.app.engine.Create(m.Context(), a, batch.Spec{Action: userimport.Action, Options: o, Inputs: []batch.Input{input(text)}})
	m.must(err)
	return m.execute(b.ID)
}

func (m *maker) execute(id int64) int64 {
	m.Helper()
	if _, err := m.app.engine.Execute(m.Context(), id, nil); err != nil {
		m.Fatal(err)
	}
	return id
}

func (w *ward) path(unit string) string {
	w.Helper()
	i := slices.IndexFunc(w.cfg.OrgUnits, func(u directory.OrgUnit) bool { return u.FullName == unit })
	if i < 0 {
		w.Fatalf("no org unit %s", unit)
	}
	return w.cfg.OrgUnits[i].Path
}

// count is a number of the database's own.
func (w *ward) count(query string, args ...any) int64 {
	w.Helper()
	n, _, err := sqldb.One[int64](w.Context(), w.app.db.Read(), query, args...)
	if err != nil {
		w.Fatal(err)
	}
	return n
}

func (w *ward) userID(lanID string) int64 {
	w.Helper()
	return w.count("SELECT id FROM users WHERE lan_id = $1", lanID)
}

func (w *ward) batch(which string) *batch.Batch {
	w.Helper()
	b, err := w.app.engine.Get(w.Context(), directory.System("test"), w.batches[which])
	if err != nil {
		w.Fatal(err)
	}
	return b
}

func (w *ward) frozen(a directory.Actor, which string) *userimport.Frozen {
	w.Helper()
	return frozenAs(w.T, w.app, a, w.batches[which])
}

// tx runs a change in a transaction, which an error rolls back.
func (w *ward) tx(bulk bool, fn func(ctx context.Context, tx *sqldb.Tx) error) error {
	run := w.app.db.Tx
	if bulk {
		run = w.app.db.BulkTx
	}
	return run(w.Context(), func(tx *sqldb.Tx) error { return fn(w.Context(), tx) })
}

// holder is whose session it is.
type holder string

const (
	noSession     holder = "no session"
	othersSession holder = "somebody else's session"
	ownSession    holder = "the own session"
)

// session is what a request would have.
func (w *ward) session(who holder) *auth.Session {
	w.Helper()
	of := func(lanID string) *auth.Session {
		s, err := w.app.auth.Session(w.Context(), w.tokens[lanID])
		if err != nil {
			w.Fatal(err)
		}
		return s
	}
	switch who {
	case noSession:
		return nil
	case othersSession:
		// The subject's name on a session that is another's.
		s := of(subjectID)
		s.ID = of(chiefID).ID
		return s
	}
	return of(subjectID)
}

// token is what a browser would send.
func (w *ward) token(who holder) string {
	switch who {
	case noSession:
		return ""
	case othersSession:
		return strings.Repeat("A", 43)
	}
	return w.tokens[subjectID]
}
