package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/auth"
	"muster/internal/directory"
	"muster/internal/fault"
)

// What holds where nothing is set.
const (
	idleTime = time.Hour
	lifetime = 12 * time.Hour
)

// A setting holds at once, for sessions that are open, on every replica; taken back, it is as if it had never been.
func TestLifetimeSettings(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann", "UAE", "Lead", "All")
		w.letIn(t, "ann")
		token, s := w.signIn(t, "ann", good)
		other := w.service(t)
		w.pass(10 * time.Minute)
		set := func(idleMinutes, hours int) {
			t.Helper()
			want := directory.DefaultSettings()
			want.SessionIdleMinutes, want.SessionLifetimeHours = idleMinutes, hours
			c := directory.Configuration{HasSettings: true, Settings: want}
			if _, err := w.dir.As(directory.System("test")).ApplyConfiguration(t.Context(), c, directory.ApplyOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		set(10, 12)
		wantLive(t, "idle for the new time", other, token, false)
		if _, err := w.Sessions(t.Context(), s); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("sessions: %v", err)
		}
		set(11, 12)
		wantLive(t, "not idle for the new time", other, token, true)
		set(120, 1)
		w.pass(50*time.Minute - time.Microsecond)
		wantLive(t, "within the new lifetime", other, token, true)
		if all, err := w.Sessions(t.Context(), s); err != nil || len(all) != 2 {
			t.Errorf("%v, %v", all, err)
		}
		w.pass(time.Microsecond)
		wantLive(t, "past the new lifetime", other, token, false)
		if err := w.Sweep(t.Context()); err != nil || w.count(t, "SELECT count(*) FROM sessions") != 0 {
			t.Errorf("swept: %v", err)
		}
		set(120, 2)
		token, s = w.signIn(t, "ann", good)
		if want := s.CreatedAt.Add(2 * time.Hour); !s.ExpiresAt.Equal(want) {
			t.Errorf("expires %v, want %v", s.ExpiresAt, want)
		}
		w.exec(t, "UPDATE settings SET value = 'soon' WHERE name LIKE 'session%'")
		w.pass(idleTime - time.Microsecond)
		wantLive(t, "what cannot be read is the default", other, token, true)
		w.pass(time.Microsecond)
		wantLive(t, "idle for the default", w.service(t), token, false)
	})
}

func TestLifetimes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann", "UAE", "Lead", "All")
		w.letIn(t, "ann")
		idle, _ := w.signIn(t, "ann", good)
		w.pass(idleTime - time.Microsecond)
		other := w.service(t)
		wantLive(t, "just in time", w.Service, idle, true)
		w.pass(time.Microsecond)
		// This process knows that the session was used; another one learns it from the database.
		wantLive(t, "used", w.Service, idle, true)
		wantLive(t, "used, but not written", other, idle, false)
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantLive(t, "used and written", other, idle, true)
		w.pass(idleTime)
		wantLive(t, "idle", w.Service, idle, false)

		busy, s := w.signIn(t, "ann", good)
		if want := s.CreatedAt.Add(idleTime); !s.ExpiresAt.Equal(want) {
			t.Errorf("expires at %v, want %v", s.ExpiresAt, want)
		}
		end := s.CreatedAt.Add(lifetime)
		for w.dir.Now().Before(end.Add(-time.Minute)) {
			wantLive(t, "busy", w.Service, busy, true)
			w.pass(30 * time.Minute)
			if now := w.dir.Now(); now.After(end) {
				w.pass(end.Add(-time.Microsecond).Sub(now))
			}
		}
		if s, err := w.Session(t.Context(), busy); err == nil && s.ExpiresAt.After(end) {
			t.Errorf("expires at %v, after %v", s.ExpiresAt, end)
		}
		w.pass(end.Sub(w.dir.Now()))
		wantLive(t, "after twelve hours", w.Service, busy, false)
	})
}

// A session's use is written at most once a minute, and not by the request.
func TestTouch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann", "UAE", "Lead", "All")
		w.letIn(t, "ann")
		token, s := w.signIn(t, "ann", good)
		seen := func() int64 { return w.count(t, "SELECT seen_at FROM sessions WHERE id = $1", s.ID) }
		began := seen()
		for range 30 {
			w.pass(5 * time.Second)
			wantLive(t, "clicks", w.Service, token, true)
		}
		if seen() != began {
			t.Error("a request wrote")
		}
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		// Noted at 60 s and again at 120 s.
		if got := seen() - began; got != (2 * time.Minute).Microseconds() {
			t.Errorf("seen %d µs after the beginning", got)
		}
		w.pass(25 * time.Second)
		wantLive(t, "clicks", w.Service, token, true)
		was := seen()
		if err := w.Flush(t.Context()); err != nil || seen() != was {
			t.Error("written again within the minute", err)
		}
		w.pass(5 * time.Second)
		wantLive(t, "clicks", w.Service, token, true)
		if err := w.Close(t.Context()); err != nil || seen() == was {
			t.Error("not written in the end", err)
		}
	})
}

// Who may not be here any more is out with the next click, wherever they are signed in.
func TestRevocation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, statement := range map[string]string{
			"deactivated": "UPDATE users SET active = 0 WHERE lan_key = $1",
			"noroles":     "DELETE FROM user_roles WHERE user_id = (SELECT id FROM users WHERE lan_key = $1)",
			"noaccess":    "UPDATE user_roles SET role_id = (SELECT id FROM roles WHERE name = 'Blind') WHERE user_id = (SELECT id FROM users WHERE lan_key = $1)",
			"removed":     "DELETE FROM users WHERE lan_key = $1",
		} {
			w.user(t, name, "UAE", "Lead", "All")
			w.letIn(t, name)
			token, s := w.signIn(t, name, good)
			w.exec(t, statement, name)
			wantLive(t, name, w.Service, token, false)
			wantKind(t, name, w.SignOutEverywhere(t.Context(), s), fault.Unauthenticated)
			_, err := w.Sessions(t.Context(), s)
			wantKind(t, name, err, fault.Unauthenticated)
			wantKind(t, name, w.ChangePassword(t.Context(), s, good, "another one, long enough"), fault.Unauthenticated)
		}
		w.user(t, "ann", "UAE / One", "Lead", "Below")
		w.letIn(t, "ann")
		token, _ := w.signIn(t, "ann", good)
		w.exec(t, "UPDATE user_roles SET role_id = (SELECT id FROM roles WHERE name = 'Auditor') WHERE user_id = (SELECT id FROM users WHERE lan_key = 'ann')")
		w.exec(t, "UPDATE users SET access_role_id = NULL WHERE lan_key = 'ann'")
		s, err := w.Session(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		if s.Actor.Can("users:access") || !s.Actor.Can("audit:access") || s.Actor.Scope().Contains(path(t, w, "UAE / One")) {
			t.Errorf("%+v", s.Actor)
		}
	})
}

// Somebody is deactivated, and active again before their session would have ended: it is over, and so is an open link.
func TestBarred(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann", "UAE", "Lead", "All")
		w.letIn(t, "ann")
		token, s := w.signIn(t, "ann", good)
		link, err := w.MakeLink(t.Context(), directory.System("test"), "ann")
		if err != nil {
			t.Fatal(err)
		}
		h := w.dir.As(directory.System("test"))
		u, err := h.UserByLANID(t.Context(), "ann")
		if err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		if err := h.DeactivateUser(t.Context(), u.ID, u.Version, "a long leave", false); err != nil {
			t.Fatal(err)
		}
		wantLive(t, "inactive", w.Service, token, false)
		w.pass(time.Second)
		if problems, err := h.ReactivateUser(t.Context(), u.ID, u.Version+1, "4711"); err != nil || len(problems) > 0 {
			t.Fatal(err, problems)
		}
		wantLive(t, "active again", w.Service, token, false)
		_, err = w.Sessions(t.Context(), s)
		wantKind(t, "active again", err, fault.Unauthenticated)
		_, err = w.LookAtLink(t.Context(), link.Token)
		wantKind(t, "the link", err, fault.NotFound)
		again, _ := w.signIn(t, "ann", good)
		wantLive(t, "signed in again", w.Service, again, true)
	})
}

func TestSignOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann", "UAE", "Lead", "All")
		w.user(t, "bob", "UAE", "Lead", "All")
		w.letIn(t, "ann")
		w.letIn(t, "bob")
		w.exec(t, "DELETE FROM sessions")
		bobs, _ := w.signIn(t, "bob", good)
		one, _ := w.signIn(t, "ann", good)
		w.pass(time.Minute)
		two, err := func() (string, error) {
			token, _, err := w.SignIn(t.Context(), "ann", good, auth.Client{Address: "[2001:db8::1%eth0]:1\xff", Agent: "\x00\xff" + strings.Repeat("é", 150)})
			return token, err
		}()
		if err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		three, s := w.signIn(t, "ann", good)
		if err := w.SignOut(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		wantLive(t, "signed out", w.Service, one, false)
		if err := w.SignOut(t.Context(), one); err != nil {
			t.Error("signing out twice:", err)
		}
		all, err := w.Sessions(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		now := w.dir.Now()
		before := now.Add(-time.Minute)
		if d := cmp.Diff([]auth.Seen{
			{CreatedAt: now, SeenAt: now, Address: "192.0.2.7", Agent: client.Agent, Current: true},
			{CreatedAt: before, SeenAt: before, Address: "[2001:db8::1%eth0]:1", Agent: strings.Repeat("é", 100)},
		}, all); d != "" {
			t.Error(d)
		}
		if err := w.SignOutEverywhere(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		wantLive(t, "everywhere", w.Service, two, false)
		wantLive(t, "everywhere", w.Service, three, false)
		wantLive(t, "somebody else", w.Service, bobs, true)
	})
}

func TestSweep(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		rows := func() []int64 {
			return []int64{w.count(t, "SELECT count(*) FROM sessions"), w.count(t, "SELECT count(*) FROM sign_in_attempts"),
				w.count(t, "SELECT count(*) FROM first_links"), w.count(t, "SELECT count(*) FROM credentials WHERE link_hash IS NOT NULL")}
		}
		w.user(t, "ann", "UAE", "Lead", "All")
		w.user(t, "bob", "UAE", "Lead", "All")
		w.letIn(t, "ann")
		if _, err := w.MakeLink(t.Context(), directory.System("test"), "bob"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.FirstLink(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, _, err := w.SignIn(t.Context(), "nobody", "x", client)
		wantKind(t, "nobody", err, fault.Unauthenticated)
		for _, c := range []struct {
			after time.Duration
			want  []int64
		}{
			{0, []int64{1, 2, 1, 1}},
			{idleTime, []int64{1, 2, 1, 1}}, // its last use may not be written yet
			{2 * time.Minute, []int64{0, 2, 1, 1}},
			{w.LinkLife - idleTime - 2*time.Minute, []int64{0, 2, 0, 0}},
			{time.Microsecond, []int64{0, 0, 0, 0}},
		} {
			w.pass(c.after)
			if err := w.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, rows()); d != "" {
				t.Errorf("after %v more: %s", c.after, d)
			}
		}
		if w.count(t, "SELECT count(*) FROM credentials WHERE password <> ''") != 1 {
			t.Error("a password is gone")
		}
	})
}

// A stored batch acts for its owner as they are by now, and for nobody as the system.
func TestActor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann", "UAE / One", "Lead", "Own")
		for _, source := range []string{"web", "cli"} {
			a, err := w.Actor(t.Context(), "Ann", source)
			if err != nil || a.Name() != "Ann" || a.Source() != source || !a.Can("users:edit") || a.Can("users:add") || a.IsSystem() {
				t.Errorf("%+v, %v", a, err)
			}
		}
		_, err := w.Actor(t.Context(), "system", "cli")
		wantKind(t, "the system", err, fault.Forbidden)
		w.exec(t, "UPDATE users SET active = 0")
		_, err = w.Actor(t.Context(), "Ann", "web")
		if fault.KindOf(err) != fault.Forbidden || !strings.Contains(err.Error(), "Ann") {
			t.Error(err)
		}
		w.exec(t, "DELETE FROM users")
		_, err = w.Actor(t.Context(), "Ann", "web")
		if fault.KindOf(err) != fault.Forbidden || !strings.Contains(err.Error(), "Ann") {
			t.Error(err)
		}
	})
}
