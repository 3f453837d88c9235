package auth_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/auth"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

// world is a service on a database of its own, with a clock that the test turns and a log that it reads.
type world struct {
	*auth.Service
	dir *directory.Directory
	mu  sync.Mutex
	now time.Time
	log bytes.Buffer
	// handler writes to log; services made later share it.
	logger *slog.Logger
}

// cheap makes hashing quick; what it costs is not what these tests are about.
var cheap = auth.Cost{Memory: 64, Passes: 1, Threads: 1}

const good = "four words make sense"

var client = auth.Client{Address: "192.0.2.7:4711", Agent: "Browser/1"}

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		t.Parallel()
		w := &world{now: time.UnixMicro(1_700_000_000_123_456).UTC(), dir: directory.New(db)}
		w.dir.Now = func() time.Time {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.now
		}
		w.logger = slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
		w.Service = w.service(t)
		w.organisation(t)
		fn(t, w)
	})
}

// Write is the log's.
func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// service is another replica on the same database.
func (w *world) service(t *testing.T) *auth.Service {
	s := auth.New(w.dir, w.logger)
	s.Cost = cheap
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (w *world) organisation(t *testing.T) {
	t.Helper()
	_, err := w.dir.As(directory.System("test")).ApplyConfiguration(t.Context(), directory.Configuration{
		Levels:   []string{"Country", "Team"},
		OrgUnits: []directory.OrgUnit{{FullName: "UAE"}, {FullName: "UAE / One"}, {FullName: "UAE / Two"}, {FullName: "Oman"}},
		Roles: []directory.Role{
			{Name: "Lead", Rights: []directory.Right{"users:access", "users:edit"}},
			{Name: "Viewer", Rights: []directory.Right{"users:access"}},
			{Name: "Auditor", Rights: []directory.Right{"audit:access"}},
			{Name: "Blind", Rights: []directory.Right{"users:edit"}},
			{Name: "Nothing"},
		},
		AccessRoles: []directory.AccessRole{
			{Name: "Own", Scope: "own-unit"}, {Name: "Below", Scope: "own-unit-and-below"}, {Name: "All", Scope: "everywhere"},
			{Name: "Two", Scope: "units", Units: []string{"UAE / Two"}},
		},
	}, directory.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// user makes a user; roles are separated by commas.
func (w *world) user(t *testing.T, lanID, unit, roles, accessRole string) {
	t.Helper()
	err := w.dir.DB.Tx(t.Context(), func(tx *sqldb.Tx) error {
		ids, err := directory.ReserveUserIDs(t.Context(), tx, 1)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(t.Context(), `
			INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, profile, org_unit_id, access_role_id, changed_by, changed_at)
			SELECT $1, $2, $3, 'Given', 'Family', $2, $3, 3, (SELECT id FROM org_units WHERE full_name = $4), (SELECT id FROM access_roles WHERE name = $5), 'test', 0`,
			ids.First, lanID, directory.Fold(lanID), unit, accessRole); err != nil {
			return err
		}
		for _, role := range strings.Split(roles, ",") {
			if _, err := tx.ExecContext(t.Context(), "INSERT INTO user_roles (user_id, role_id) SELECT $1, id FROM roles WHERE name = $2", ids.First, role); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// letIn gives the user the password good.
func (w *world) letIn(t *testing.T, lanID string) {
	t.Helper()
	l, err := w.MakeLink(t.Context(), directory.System("test"), lanID)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Redeem(t.Context(), l.Token, good, client); err != nil {
		t.Fatal(err)
	}
}

// signIn signs in who must be able to.
func (w *world) signIn(t *testing.T, lanID, password string) (string, *auth.Session) {
	t.Helper()
	token, session, err := w.SignIn(t.Context(), lanID, password, client)
	if err != nil {
		t.Fatal(err)
	}
	return token, session
}

func (w *world) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	err := w.dir.DB.Tx(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(t.Context(), statement, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) count(t *testing.T, query string, args ...any) int64 {
	t.Helper()
	n, _, err := sqldb.One[int64](t.Context(), w.dir.DB.Read(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// audited are the actions of the audit, oldest first, as "actor action name".
func (w *world) audited(t *testing.T) []string {
	t.Helper()
	all, err := sqldb.All[string](t.Context(), w.dir.DB.Read(), "SELECT actor || ' ' || action || ' ' || name FROM audit WHERE subject = 'user' ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func wantKind(t *testing.T, what string, err error, want fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != want {
		t.Errorf("%s: got %v (%v), want %v", what, err, fault.KindOf(err), want)
	}
}

func wantLive(t *testing.T, what string, s *auth.Service, token string, live bool) {
	t.Helper()
	_, err := s.Session(t.Context(), token)
	if live && err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if !live {
		wantKind(t, what, err, fault.Unauthenticated)
	}
}

func person(name string, rights string, scope directory.Scope) directory.Actor {
	var all []directory.Right
	for _, r := range strings.Fields(rights) {
		all = append(all, directory.Right(r))
	}
	return directory.Person(name, auth.Web, all, scope)
}

func path(t *testing.T, w *world, unit string) string {
	t.Helper()
	p, found, err := sqldb.One[string](t.Context(), w.dir.DB.Read(), "SELECT path FROM org_units WHERE full_name = $1", unit)
	if err != nil || !found {
		t.Fatal(fmt.Errorf("unit %s: %v", unit, err))
	}
	return p
}
