package auth_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/auth"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

func TestLink(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		system := directory.System("test")
		w.user(t, "Ann", "UAE", "Lead", "All")
		w.letIn(t, "ann")
		signedIn, _ := w.signIn(t, "ann", good)
		for range 5 {
			_, _, _ = w.SignIn(t.Context(), "ann", "wrong", client)
		}
		old, err := w.MakeLink(t.Context(), system, "ann")
		if err != nil {
			t.Fatal(err)
		}
		l, err := w.MakeLink(t.Context(), system, "ANN")
		if err != nil {
			t.Fatal(err)
		}
		if l.LANID != "Ann" || l.Name != "Given Family" || !l.ExpiresAt.Equal(w.dir.Now().Add(24*time.Hour)) || l.URL("https://x/") != "https://x/link/"+l.Token {
			t.Errorf("%+v", l)
		}
		_, err = w.LookAtLink(t.Context(), old.Token)
		wantKind(t, "an older one", err, fault.NotFound)
		for range 2 {
			if seen, err := w.LookAtLink(t.Context(), l.Token); err != nil || seen.LANID != "Ann" || seen.First || seen.Token != "" {
				t.Errorf("%+v, %v", seen, err)
			}
		}
		wantLive(t, "until it is used", w.Service, signedIn, true)
		_, _, err = w.Redeem(t.Context(), l.Token, "short", client)
		wantKind(t, "a short password", err, fault.Invalid)
		token, s, err := w.Redeem(t.Context(), l.Token, "the next one of this person", client)
		if err != nil || s.LANID != "Ann" {
			t.Fatal(s, err)
		}
		wantLive(t, "signed in", w.Service, token, true)
		wantLive(t, "earlier sessions", w.Service, signedIn, false)
		_, _, err = w.Redeem(t.Context(), l.Token, good, client)
		wantKind(t, "used", err, fault.NotFound)
		w.signIn(t, "ann", "the next one of this person") // though somebody had failed too often

		if l, err = w.MakeLink(t.Context(), system, "ann"); err != nil {
			t.Fatal(err)
		}
		w.pass(24*time.Hour - time.Microsecond)
		if _, err := w.LookAtLink(t.Context(), l.Token); err != nil {
			t.Error(err)
		}
		w.pass(time.Microsecond)
		_, _, err = w.Redeem(t.Context(), l.Token, good, client)
		wantKind(t, "expired", err, fault.NotFound)
		if l, err = w.MakeLink(t.Context(), system, "ann"); err != nil {
			t.Fatal(err)
		}
		w.exec(t, "UPDATE users SET active = 0")
		_, _, err = w.Redeem(t.Context(), l.Token, good, client)
		wantKind(t, "of one who is inactive by now", err, fault.NotFound)
	})
}

func TestWhoMayMakeALink(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "lead", "UAE / One", "Lead", "Own")
		w.user(t, "wide", "UAE / One", "Lead", "All")
		w.user(t, "auditor", "UAE / One", "Auditor", "")
		w.user(t, "nothing", "UAE / One", "Nothing,Blind", "")
		w.user(t, "away", "UAE / One", "Lead", "")
		w.user(t, "homeless", "", "Viewer", "")
		w.exec(t, "UPDATE users SET active = 0 WHERE lan_id = 'away'")
		uae := directory.Below(path(t, w, "UAE"))
		const lead = "users:access users:edit"
		for name, c := range map[string]struct {
			actor  directory.Actor
			target string
			want   fault.Kind // Internal: none
		}{
			"nobody":                     {directory.Actor{}, "lead", fault.Forbidden},
			"without users:edit":         {person("x", "users:access users:add roles:edit", directory.Everywhere()), "lead", fault.Forbidden},
			"an equal":                   {person("x", lead, uae), "lead", fault.Internal},
			"an equal everywhere":        {person("x", lead, directory.Everywhere()), "wide", fault.Internal},
			"somebody who reaches wider": {person("x", lead, uae), "wide", fault.Forbidden},
			"somebody with more rights":  {person("x", lead, uae), "auditor", fault.Forbidden},
			"with those rights, too":     {person("x", lead+" audit:access", uae), "auditor", fault.Internal},
			"outside":                    {person("x", lead, directory.Below(path(t, w, "Oman"))), "lead", fault.NotFound},
			"nowhere":                    {person("x", lead, directory.Scope{}), "lead", fault.NotFound},
			"not there":                  {person("x", lead, uae), "somebody", fault.NotFound},
			"without a unit":             {person("x", lead, uae), "homeless", fault.NotFound},
			"without a unit, everywhere": {person("x", lead, directory.Everywhere()), "homeless", fault.Internal},
			"nothing to sign in for":     {directory.System("test"), "nothing", fault.Conflict},
			"inactive":                   {directory.System("test"), "away", fault.Conflict},
			"oneself":                    {person("LEAD", lead, uae), "lead", fault.Forbidden},
			"the system, whoever it is":  {directory.System("test"), "wide", fault.Internal},
		} {
			l, err := w.MakeLink(t.Context(), c.actor, c.target)
			if c.want == fault.Internal {
				if err != nil || l.Token == "" {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			wantKind(t, name, err, c.want)
			if l.Token != "" {
				t.Errorf("%s: a token", name)
			}
		}
	})
}

// together lets n transactions that start begins get as far as the rows that they change before the first of them goes on.
// On SQLite they take turns from the beginning.
func (w *world) together(t *testing.T, n int64, start func()) {
	t.Helper()
	if w.dir.DB.Engine == sqldb.SQLite {
		start()
		return
	}
	err := w.dir.DB.Tx(t.Context(), func(tx *sqldb.Tx) error {
		for _, table := range []string{"credentials", "first_links"} {
			if _, err := tx.ExecContext(t.Context(), "SELECT 1 FROM "+table+" FOR UPDATE"); err != nil {
				return err
			}
		}
		start()
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
			waiting := w.count(t, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
			if waiting >= n {
				return nil
			}
		}
		return errors.New("nobody waits")
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Of many who use a link at once one gets in.
func TestLinkRace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann", "UAE", "Lead", "All")
		l, err := w.MakeLink(t.Context(), directory.System("test"), "ann")
		if err != nil {
			t.Fatal(err)
		}
		first, _, err := w.FirstLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for name, use := range map[string]func(s *auth.Service, i int) error{
			"link": func(s *auth.Service, i int) error {
				_, _, err := s.Redeem(t.Context(), l.Token, good+strings.Repeat("!", i), client)
				return err
			},
			"first": func(s *auth.Service, i int) error {
				_, _, err := s.CreateFirst(t.Context(), first, auth.First{LANID: "admin" + string(rune('a'+i)), FirstName: "A", LastName: "B", Password: good}, client)
				return err
			},
		} {
			errs := make([]error, 6)
			var all sync.WaitGroup
			w.together(t, int64(len(errs)), func() {
				for i := range errs {
					s := w.service(t)
					all.Go(func() { errs[i] = use(s, i) })
				}
			})
			all.Wait()
			if n := len(slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err != nil })); n != 1 {
				t.Errorf("%s: %d got in", name, n)
			}
			for _, err := range errs {
				if err != nil {
					wantKind(t, name, err, fault.NotFound)
				}
			}
		}
		if n := w.count(t, "SELECT count(*) FROM users WHERE profile = 1"); n != 1 {
			t.Errorf("%d administrators", n)
		}
	})
}

func TestFirst(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := auth.First{LANID: " Root ", FirstName: "Ann", LastName: "Ruler", Password: good}
		old, needed, err := w.FirstLink(t.Context())
		if err != nil || !needed {
			t.Fatal(needed, err)
		}
		token, _, err := w.FirstLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = w.CreateFirst(t.Context(), old, who, client)
		wantKind(t, "an older one", err, fault.NotFound)
		_, _, err = w.Redeem(t.Context(), token, good, client)
		wantKind(t, "as another link", err, fault.NotFound)
		if l, err := w.LookAtLink(t.Context(), token); err != nil || !l.First {
			t.Errorf("%+v, %v", l, err)
		}
		bad := who
		bad.Password = "short"
		_, _, err = w.CreateFirst(t.Context(), token, bad, client)
		wantKind(t, "a short password", err, fault.Invalid)
		bad = who
		bad.LANID, bad.LastName = "a b", ""
		_, _, err = w.CreateFirst(t.Context(), token, bad, client)
		wantKind(t, "bad names", err, fault.Invalid)
		var rejected *directory.Rejected
		if !errors.As(err, &rejected) || len(rejected.Problems) != 2 {
			t.Errorf("%+v", err)
		}
		browser, s, err := w.CreateFirst(t.Context(), token, who, client)
		if err != nil {
			t.Fatal(err)
		}
		wantLive(t, "signed in", w.Service, browser, true)
		if s.LANID != "Root" || s.Profile != directory.Administrator || !s.Actor.MayGrant(directory.AllRights()) || !s.Actor.Scope().IsEverywhere() || s.Actor.IsSystem() {
			t.Errorf("%+v", s)
		}
		w.signIn(t, "root", good)
		_, err = w.LookAtLink(t.Context(), token)
		wantKind(t, "used", err, fault.NotFound)
		if token, needed, err := w.FirstLink(t.Context()); token != "" || needed || err != nil {
			t.Error(token, needed, err)
		}

		// Once there is no administrator there is a link again, until there is one.
		w.exec(t, "UPDATE users SET active = 0")
		if token, needed, err = w.FirstLink(t.Context()); err != nil || !needed {
			t.Fatal(needed, err)
		}
		_, _, err = w.CreateFirst(t.Context(), token, who, client)
		wantKind(t, "taken", err, fault.Conflict)
		w.pass(24 * time.Hour)
		_, err = w.LookAtLink(t.Context(), token)
		wantKind(t, "expired", err, fault.NotFound)
		if token, _, err = w.FirstLink(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.CreateAdministrator(t.Context(), directory.System("test"), directory.Applicant{LANID: "other", FirstName: "A", LastName: "B"}); err != nil {
			t.Fatal(err)
		}
		_, _, err = w.CreateFirst(t.Context(), token, auth.First{LANID: "third", FirstName: "A", LastName: "B", Password: good}, client)
		wantKind(t, "there is one by now", err, fault.NotFound)
	})
}

func TestCreateAdministratorPermission(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := directory.Applicant{LANID: "root", FirstName: "A", LastName: "B"}
		all := directory.AllRights()
		for name, actor := range map[string]directory.Actor{
			"nobody":         {},
			"one right less": directory.Person("x", "web", all[1:], directory.Everywhere()),
			"not everywhere": directory.Person("x", "web", all, directory.Below(path(t, w, "UAE"))),
		} {
			_, err := w.CreateAdministrator(t.Context(), actor, a)
			wantKind(t, name, err, fault.Forbidden)
		}
		l, err := w.CreateAdministrator(t.Context(), directory.Person("x", "web", all, directory.Everywhere()), a)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.Redeem(t.Context(), l.Token, good, client); err != nil {
			t.Error(err)
		}
	})
}
