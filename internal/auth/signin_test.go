package auth_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/auth"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

func TestSignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann", "UAE / One", "Lead,Viewer", "Own")
		w.letIn(t, "ann")
		token, s := w.signIn(t, "ANN", good)
		again, err := w.Session(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*auth.Session{s, again} {
			a := s.Actor
			if s.LANID != "Ann" || s.Name != "Given Family" || a.Name() != "Ann" || a.Source() != "web" || !a.Can("users:edit") || a.Can("users:add") {
				t.Errorf("session %+v", s)
			}
			if !a.Scope().Contains(path(t, w, "UAE / One")) || a.Scope().Contains(path(t, w, "UAE")) {
				t.Errorf("scope %+v", a.Scope())
			}
		}
		if d := cmp.Diff([]string{"system make-link Ann", "Ann set-password Ann", "Ann sign-in Ann"}, w.audited(t)); d != "" {
			t.Error(d)
		}
		for _, token := range []string{"", "x", token + "x", strings.ToLower(token)} {
			wantLive(t, "token "+token, w.Service, token, false)
		}
	})
}

// Whoever does not get in learns nothing by the answer.
func TestSameAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, u := range []string{"right", "inactive", "stripped", "fresh", "gone"} {
			w.user(t, u, "UAE", "Lead", "All")
			if u != "fresh" {
				w.letIn(t, u)
			}
		}
		w.exec(t, "UPDATE users SET active = 0 WHERE lan_key = 'inactive'")
		w.exec(t, "UPDATE user_roles SET role_id = (SELECT id FROM roles WHERE name = 'Blind') WHERE user_id = (SELECT id FROM users WHERE lan_key = 'stripped')")
		w.exec(t, "DELETE FROM users WHERE lan_key = 'gone'")
		w.signIn(t, "right", good)
		var answers []string
		for who, password := range map[string]string{"right": good + "x", "inactive": good, "stripped": good, "fresh": good, "gone": good, "nobody": good, "": "", "Right\x00": good, "right ": good + strings.Repeat("x", 1<<20)} {
			token, s, err := w.SignIn(t.Context(), who, password, client)
			if err == nil || token != "" || s != nil {
				t.Fatalf("%s got in", who)
			}
			wantKind(t, who, err, fault.Unauthenticated)
			answers = append(answers, err.Error())
		}
		if len(slices.Compact(answers)) != 1 {
			t.Errorf("answers differ: %q", answers)
		}
	})
}

func TestAttemptsOnAnAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann", "UAE", "Lead", "All")
		w.letIn(t, "ann")
		// The same for an account that is not there; each from an address of its own.
		for _, who := range []string{"ann", "nobody"} {
			from := 0
			try := func(password string) error {
				from++
				_, _, err := w.SignIn(t.Context(), who, password, auth.Client{Address: fmt.Sprintf("198.51.100.%d", from)})
				return err
			}
			for range 5 {
				wantKind(t, who, try("wrong"), fault.Unauthenticated)
			}
			for _, wait := range []time.Duration{2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
				err := try(good)
				wantKind(t, who, err, fault.RateLimited)
				if f := err.(*fault.Error); f.Wait != wait*time.Second {
					t.Errorf("%s waits %v, want %v s", who, f.Wait, int(wait))
				}
				w.pass(wait*time.Second - time.Microsecond)
				wantKind(t, who, try(good), fault.RateLimited)
				w.pass(time.Microsecond)
				wantKind(t, who, try("wrong"), fault.Unauthenticated)
			}
		}
		// A success begins anew.
		w.pass(15 * time.Minute)
		for range 3 {
			w.signIn(t, "ann", good)
		}
		for range 4 {
			_, _, err := w.SignIn(t.Context(), "ann", "wrong", client)
			wantKind(t, "after a success", err, fault.Unauthenticated)
		}
		w.signIn(t, "ann", good)
		// A day does, too.
		for range 5 {
			_, _, err := w.SignIn(t.Context(), "ann", "wrong", client)
			wantKind(t, "again", err, fault.Unauthenticated)
		}
		w.pass(24*time.Hour + time.Second)
		for range 5 {
			_, _, err := w.SignIn(t.Context(), "ann", "wrong", client)
			wantKind(t, "a day later", err, fault.Unauthenticated)
		}
	})
}

func TestAttemptsFromAnAddress(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann", "UAE", "Lead", "All")
		w.letIn(t, "ann")
		try := func(i int, address string) error {
			_, _, err := w.SignIn(t.Context(), "who"+string(rune('a'+i)), "wrong", auth.Client{Address: address})
			return err
		}
		for i := range 30 {
			// What succeeds does not count, and ports and the lower half of an IPv6 address are the same place.
			if _, _, err := w.SignIn(t.Context(), "ann", good, auth.Client{Address: "2001:db8::1"}); err != nil {
				t.Fatal(err)
			}
			wantKind(t, "attempt", try(i, []string{"2001:db8::1", "[2001:db8::2]:99"}[i%2]), fault.Unauthenticated)
		}
		wantKind(t, "beyond", try(40, "2001:db8::3"), fault.RateLimited)
		_, _, err := w.SignIn(t.Context(), "ann", good, auth.Client{Address: "2001:db8::4"})
		wantKind(t, "the right one", err, fault.RateLimited)
		wantKind(t, "elsewhere", try(41, "2001:db8:0:1::1"), fault.Unauthenticated)
		w.pass(15*time.Minute + time.Second)
		wantKind(t, "later", try(42, "2001:db8::3"), fault.Unauthenticated)
	})
}

// Many at once, on several replicas, get no more attempts than one after the other.
func TestAttemptsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann", "UAE", "Lead", "All")
		w.letIn(t, "ann")
		replicas := []*auth.Service{w.Service, w.service(t), w.service(t), w.service(t)}
		kinds := make([]fault.Kind, 100)
		var all sync.WaitGroup
		for i := range kinds {
			all.Go(func() {
				_, _, err := replicas[i%len(replicas)].SignIn(t.Context(), "ann", "wrong", client)
				kinds[i] = fault.KindOf(err)
			})
		}
		all.Wait()
		counts := map[fault.Kind]int{}
		for _, k := range kinds {
			counts[k]++
		}
		if d := cmp.Diff(map[fault.Kind]int{fault.Unauthenticated: 5, fault.RateLimited: 95}, counts); d != "" {
			t.Error(d)
		}
		w.pass(2 * time.Second)
		w.signIn(t, "ann", good)
	})
}

// A stored password that costs less than today's is hashed again when it is used.
func TestRehash(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann", "UAE", "Lead", "All")
		w.letIn(t, "ann")
		stored := func() string {
			p, _, err := sqldb.One[string](t.Context(), w.dir.DB.Read(), "SELECT password FROM credentials")
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		if p := stored(); !strings.HasPrefix(p, "$argon2id$v=19$m=64,t=1,p=1$") {
			t.Fatal(p)
		}
		dear := w.service(t)
		dear.Cost = auth.Cost{Memory: 128, Passes: 2, Threads: 1}
		if _, _, err := dear.SignIn(t.Context(), "ann", good+"x", client); err == nil {
			t.Fatal("got in")
		}
		before := stored()
		if !strings.Contains(before, "m=64") {
			t.Error("a wrong password was stored")
		}
		if _, _, err := dear.SignIn(t.Context(), "ann", good, client); err != nil {
			t.Fatal(err)
		}
		if p := stored(); !strings.HasPrefix(p, "$argon2id$v=19$m=128,t=2,p=1$") {
			t.Error(p)
		}
		w.signIn(t, "ann", good)
		if p := stored(); !strings.Contains(p, "m=128") {
			t.Error("it was made cheaper")
		}
	})
}

func TestChangePassword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const better = "another one, as long as it has to be"
		w.user(t, "ann", "UAE", "Lead", "All")
		w.user(t, "bob", "UAE", "Lead", "All")
		w.letIn(t, "ann")
		w.letIn(t, "bob")
		token, s := w.signIn(t, "ann", good)
		other, _ := w.signIn(t, "ann", good)
		bobs, bob := w.signIn(t, "bob", good)
		wantKind(t, "a wrong one", w.ChangePassword(t.Context(), s, "wrong", better), fault.Invalid)
		wantKind(t, "too short", w.ChangePassword(t.Context(), s, good, "short"), fault.Invalid)
		wantKind(t, "the same", w.ChangePassword(t.Context(), s, good, good), fault.Invalid)
		wantKind(t, "nobody", w.ChangePassword(t.Context(), nil, good, better), fault.Unauthenticated)
		wantKind(t, "somebody else's session", w.ChangePassword(t.Context(), &auth.Session{ID: s.ID, UserID: bob.UserID}, good, better), fault.Unauthenticated)
		l, err := w.MakeLink(t.Context(), directory.System("test"), "ann")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.ChangePassword(t.Context(), s, good, better); err != nil {
			t.Fatal(err)
		}
		wantLive(t, "this session", w.Service, token, true)
		wantLive(t, "another session", w.Service, other, false)
		wantLive(t, "somebody else's session", w.Service, bobs, true)
		_, err = w.LookAtLink(t.Context(), l.Token)
		wantKind(t, "the link", err, fault.NotFound)
		_, _, err = w.SignIn(t.Context(), "ann", good, client)
		wantKind(t, "the old one", err, fault.Unauthenticated)
		w.signIn(t, "ann", better)
		// Attempts are counted.
		for range 5 {
			wantKind(t, "a wrong one", w.ChangePassword(t.Context(), s, "wrong", good), fault.Invalid)
		}
		wantKind(t, "one too many", w.ChangePassword(t.Context(), s, better, good), fault.RateLimited)
		_, _, err = w.SignIn(t.Context(), "ann", better, client)
		wantKind(t, "they count together", err, fault.RateLimited)
	})
}

// Nothing secret is written where people read.
func TestSecrets(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann", "UAE", "Lead", "All")
		secrets := []string{good, "my lan id is secret", "typed a wrong secret"}
		var errs []string
		note := func(_ string, _ *auth.Session, err error) {
			if err != nil {
				errs = append(errs, err.Error())
			}
		}
		first, _, err := w.FirstLink(t.Context())
		note("", nil, err)
		link, err := w.MakeLink(t.Context(), directory.System("test"), "ann")
		note("", nil, err)
		note(w.Redeem(t.Context(), link.Token, "typed a wrong", client))
		token, s, err := w.Redeem(t.Context(), link.Token, good, client)
		note(token, s, err)
		note(w.Redeem(t.Context(), link.Token, good, client))
		note(w.SignIn(t.Context(), "my lan id is secret", "typed a wrong secret", client))
		note(w.SignIn(t.Context(), "ann", "typed a wrong secret", client))
		note("", nil, w.ChangePassword(t.Context(), s, "typed a wrong secret", good))
		note("", nil, w.ChangePassword(t.Context(), s, good, "typed a wrong secret"))
		note(w.CreateFirst(t.Context(), first, auth.First{LANID: "an admin", FirstName: "A", LastName: "B", Password: good}, client))
		_, err = w.Session(t.Context(), token+"x")
		note("", nil, err)
		w.exec(t, "UPDATE credentials SET password = '$argon2id$broken' || password")
		note(w.SignIn(t.Context(), "ann", good, client))
		stored, err := sqldb.All[string](t.Context(), w.dir.DB.Read(), "SELECT name || before || after || reason FROM audit")
		if err != nil {
			t.Fatal(err)
		}
		hashes, err := sqldb.All[string](t.Context(), w.dir.DB.Read(), "SELECT password FROM credentials")
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(append(secrets, first, link.Token, token), hashes...)
		all := strings.Join(append(append(stored, errs...), w.log.String()), "\n")
		for _, secret := range secrets {
			if secret == "" || strings.Contains(all, secret) {
				t.Errorf("%q is in\n%s", secret, all)
			}
		}
		if !strings.Contains(w.log.String(), "192.0.2.7") || len(errs) < 6 {
			t.Errorf("what was to be said is not:\n%s\n%q", w.log.String(), errs)
		}
	})
}
