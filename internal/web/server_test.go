package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"muster/internal/auth"
	"muster/internal/batch"
	"muster/internal/blob"
	"muster/internal/directory"
	"muster/internal/photo"
	"muster/internal/pictureimport"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
	"muster/internal/userimport"
)

// site is a console with made-up people, asked without a network.
type site struct {
	*Server
	*testing.T
	handler http.Handler
	people  int // made so far
	mu      sync.Mutex
	log     bytes.Buffer
}

// The subject is in Cards; the owner of batches may import everywhere.
const (
	siteSubject = "pnair14"
	siteOwner   = "ohassan3"

	siteOwnerRights = "users:access users:add pictures:add"
)

var siteCost = auth.Cost{Memory: 64, Passes: 1, Threads: 1}

// newSite makes a console on a database of its own; change sets it up before it answers.
func newSite(t *testing.T, change ...func(*Server)) *site {
	t.Helper()
	w := &site{T: t}
	cfg := sqldb.Config{Dir: t.TempDir()}
	db := sqldbtest.Open(t, cfg)
	dir := directory.New(db)
	log := slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	service := auth.New(dir, log)
	service.Cost = siteCost
	photos := photo.NewBudget(photo.DefaultBudget)
	t.Cleanup(func() { _ = service.Close(context.WithoutCancel(t.Context())) })
	w.Server = &Server{
		Directory: dir, Auth: service, Log: log, Gallery: true, Pictures: photos, Ready: func() error { return nil },
		Engine: &batch.Engine{DB: db, Directory: dir, Blobs: &blob.Disk{Dir: t.TempDir()}, Scratch: t.TempDir(), MaxUpload: 1 << 20, Actor: service.Actor,
			Operations: map[string]batch.Operation{userimport.Action: &userimport.Operation{}, pictureimport.Action: &pictureimport.Operation{Budget: photos}}},
	}
	for _, fn := range change {
		fn(w.Server)
	}
	w.handler = w.Server.Handler()
	_, err := dir.As(directory.System("test")).ApplyConfiguration(t.Context(), directory.Configuration{
		Levels:      []string{"Country", "Department"},
		OrgUnits:    []directory.OrgUnit{{FullName: "UAE"}, {FullName: "UAE / Cards"}, {FullName: "UAE / Loans"}},
		Roles:       []directory.Role{{Name: "Agent", Rights: rightsOf("users:access")}},
		AccessRoles: []directory.AccessRole{{Name: "Own unit", Scope: "own-unit"}, {Name: "All", Scope: "everywhere"}},
		Channels:    []directory.Channel{{Name: "Voice", Default: 1, Highest: 2}},
	}, directory.ApplyOptions{})
	w.must(err)
	w.user(siteSubject, "UAE / Cards", "", "users:access")
	w.user(siteOwner, "UAE / Cards", "All", siteOwnerRights)
	w.picture()
	return w
}

// Write is the log's.
func (w *site) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *site) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

func (w *site) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func rightsOf(words string) []directory.Right {
	var all []directory.Right
	for _, r := range strings.Fields(words) {
		all = append(all, directory.Right(r))
	}
	return all
}

func (w *site) exec(query string, args ...any) {
	w.Helper()
	w.must(w.Directory.DB.Tx(w.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(w.Context(), query, args...)
		return err
	}))
}

// user makes a user who has a role of exactly these rights. Without an access role they hold nowhere.
func (w *site) user(lanID, unit, accessRole, rights string) {
	w.Helper()
	w.people++
	w.exec("INSERT INTO roles (name) VALUES ($1)", "of "+lanID)
	for _, r := range rightsOf(rights) {
		module, action, _ := strings.Cut(string(r), ":")
		w.exec("INSERT INTO role_rights (role_id, module, action) SELECT id, $2, $3 FROM roles WHERE name = $1", "of "+lanID, module, action)
	}
	w.exec(`INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, pbx_id, profile, org_unit_id, access_role_id, changed_by, changed_at, first_key, last_key)
		SELECT $1, $2, $3, 'Given', 'Family', $2, $3, $4, 2, (SELECT id FROM org_units WHERE full_name = $5), (SELECT id FROM access_roles WHERE name = $6), 'test', 0, 'given', 'family'`,
		1_000_000+w.people, lanID, directory.Fold(lanID), fmt.Sprint(900_000+w.people), unit, accessRole)
	w.exec("INSERT INTO user_roles (user_id, role_id) SELECT u.id, r.id FROM users u, roles r WHERE u.lan_id = $1 AND r.name = $2", lanID, "of "+lanID)
}

// signedIn is the token of a session of the user's.
func (w *site) signedIn(lanID string) string {
	w.Helper()
	token := "token-of-" + lanID
	hash := sha256.Sum256([]byte(token))
	now := w.Directory.Now().UnixMicro()
	w.exec(`INSERT INTO sessions (token_hash, user_id, created_at, seen_at, address, agent) SELECT $1, id, $2, $2, '192.0.2.1', 'Browser' FROM users WHERE lan_id = $3`, hash[:], now, lanID)
	return token
}

// person makes somebody with these rights and signs them in. api-tokens:access goes with them: it leads to no page, but
// nobody signs in who has access to nothing.
func (w *site) person(accessRole, rights string) (token string) {
	w.Helper()
	id := fmt.Sprintf("person%d", w.people)
	if !strings.Contains(rights, "api-tokens:access") {
		rights += " api-tokens:access"
	}
	w.user(id, "UAE / Loans", accessRole, rights)
	return w.signedIn(id)
}

// asked is a request to the console.
type asked struct {
	method, path, token string
	form                url.Values
	body                io.Reader
	header              []string // names and values
}

func (w *site) ask(a asked) *httptest.ResponseRecorder {
	w.Helper()
	body := a.body
	if a.form != nil {
		body = strings.NewReader(a.form.Encode())
	}
	r := httptest.NewRequestWithContext(w.Context(), a.method, a.path, body)
	if a.form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if a.token != "" {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: a.token})
		r.AddCookie(&http.Cookie{Name: secureCookieName, Value: a.token})
	}
	for i := 0; i+1 < len(a.header); i += 2 {
		r.Header.Set(a.header[i], a.header[i+1])
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec
}

func (w *site) get(path, token string, header ...string) *httptest.ResponseRecorder {
	w.Helper()
	return w.ask(asked{method: "GET", path: path, token: token, header: header})
}

// siteRow is a row of UserDetails.
func siteRow(lanID, first, pbx, unit string) string {
	return fmt.Sprintf("%s,%s,Khan,,%s,Supervisor,,%s,Agent,,,", lanID, first, pbx, unit)
}

// batchOf imports rows as the owner and returns the batch's id.
func (w *site) batchOf(o userimport.Options, header string, rows ...string) int64 {
	w.Helper()
	text := header + "\r\n" + strings.Join(rows, "\r\n") + "\r\n"
	owner := directory.Person(siteOwner, auth.Web, rightsOf("users:add"), directory.Everywhere())
	b, err := w.Engine.Create(w.Context(), owner, batch.Spec{Action: userimport.Action, Options: o, Inputs: []batch.Input{{Name: "UserDetails.csv",
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}}})
	w.must(err)
	_, err = w.Engine.Execute(w.Context(), b.ID, nil)
	w.must(err)
	return b.ID
}

var siteHeader = strings.Join(directory.Columns(), ",")

// batchFor makes a batch in the state that a route wants: done, ready, awaiting, strange (with an unknown column) or corrected.
func (w *site) batchFor(what string) int64 {
	w.Helper()
	w.people++
	id, pbx := fmt.Sprintf("row%d", w.people), 10*(500_000+w.people)
	rows := []string{siteRow(id+"a", "Ravi", fmt.Sprint(pbx), "Cards"), siteRow(id+"b", "Ravi", fmt.Sprint(pbx+1), "Kards")}
	switch what {
	case "pictures", "pictures-done":
		return w.pictures(what == "pictures")
	case "awaiting":
		n := w.batchOf(userimport.Options{Preview: true}, siteHeader, rows...)
		w.exec("UPDATE batches SET state = 'awaiting', asked_by = $2, asked_at = 1 WHERE id = $1", n, siteOwner)
		return n
	case "ready":
		return w.batchOf(userimport.Options{Preview: true}, siteHeader, rows...)
	case "strange":
		return w.batchOf(userimport.Options{}, strings.Replace(siteHeader, "Org Unit", fmt.Sprint("Where", w.people), 1), rows...)
	}
	n := w.batchOf(userimport.Options{}, siteHeader, rows...)
	if what == "corrected" {
		b, err := w.Engine.Get(w.Context(), directory.System("test"), n)
		w.must(err)
		f := &userimport.Frozen{Engine: w.Engine, Actor: directory.System("test"), Batch: b, Limits: w.Limits}
		w.must(f.Correct(w.Context(), []userimport.Correction{{Kind: userimport.UserDetails, Row: 3, Column: "Org Unit", Value: "Cards"}}))
	}
	return n
}

// tables is all that is in the database but what a request may always leave: when a session was last seen, and who tried
// to sign in.
func (w *site) tables() string {
	w.Helper()
	q := w.Directory.DB.Read()
	names, err := sqldb.All[string](w.Context(), q, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
		AND name NOT IN ('sessions', 'sign_in_attempts') ORDER BY name`)
	w.must(err)
	var all strings.Builder
	for _, name := range names {
		rows, err := q.QueryContext(w.Context(), "SELECT * FROM "+name)
		w.must(err)
		columns, err := rows.Columns()
		w.must(err)
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			w.must(rows.Scan(into...))
			fmt.Fprintln(&all, name, values)
		}
		w.must(rows.Err())
		w.must(rows.Close())
	}
	return all.String()
}
