package auth

import (
	"context"
	"strings"
	"testing"
	"time"

	"muster/internal/fault"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	c := Cost{Memory: 64, Passes: 2, Threads: 1}
	encoded := c.encode("pässword")
	if again := c.encode("pässword"); again == encoded {
		t.Error("two hashes of one password are the same: no salt")
	}
	for password, want := range map[string]bool{"pässword": true, "pa\u0308ssword": true, "password": false, "": false, "pässword ": false} {
		if got, err := verify(encoded, password); err != nil || got != want {
			t.Errorf("%q: %v, %v", password, got, err)
		}
	}
	for more, want := range map[Cost]bool{c: false, {Memory: 65, Passes: 2, Threads: 1}: true, {Memory: 64, Passes: 3, Threads: 1}: true, {Memory: 32, Passes: 1, Threads: 1}: false} {
		if more.outdated(encoded) != want {
			t.Errorf("%+v: outdated is not %v", more, want)
		}
	}
	for _, bad := range []string{"", "x", "$argon2id$", strings.Replace(encoded, "v=19", "v=16", 1), strings.Replace(encoded, "t=2", "t=0", 1), strings.Replace(encoded, "p=1", "p=0", 1),
		strings.Replace(encoded, "argon2id", "argon2i", 1), encoded[:len(encoded)-30], encoded + "$x", encoded[:strings.LastIndex(encoded, "$")]} {
		if ok, err := verify(bad, "pässword"); ok || err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v, %v", bad, ok, err)
		}
	}
}

// A known answer, of the reference implementation: echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1 -l 32 would
// give it, so that what is stored can be read by others.
func TestVerifyKnown(t *testing.T) {
	t.Parallel()
	const known = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, err := verify(known, "password"); !ok || err != nil {
		t.Error(ok, err)
	}
}

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	for password, says := range map[string]string{
		"correct horse battery staple":                      "",
		"ünïcödé pässwörd, whatever":                        "",
		"密码可以是任何语言的任何文字只要够长":                                "",
		"               twelve spaces too":                  "",
		"fourteen chars":                                    "14 characters, and at least 15",
		"fifteen charact":                                   "",
		strings.Repeat("ab cdefg", 32):                      "one thing over and over",
		"a" + strings.Repeat("long words ", 23) + "xy":      "",
		strings.Repeat("many words are here, and more ", 9): "at most 256",
		"aaaaaaaaaaaaaaaaaaaa":                              "1 different characters",
		"abababababababababab":                              "2 different characters",
		"abcdefghijklmnopq":                                 "plain sequence",
		"ZYXWVUTSRQPONMLKJIHG":                              "plain sequence",
		"1234567890123456":                                  "one thing over and over|plain sequence",
		"qwertyuiopasdfghjkl":                               "plain sequence",
		"poiuytrewq0987654":                                 "plain sequence",
		"abcdefabcdefabcdefabc":                             "one thing over and over",
		"I am JANSEN2 and that is that":                     "your LAN ID",
		"Katharina likes her tea":                           "your first name",
		"the de Vries family at home":                       "your last name",
		"Musterpasswort für alle":                           "the word muster",
		"ｍｕｓｔｅｒ in full width letters":                      "the word muster",
		"not utf-8 \xff not utf-8 not utf-8":                "not text",
	} {
		err := CheckPassword(password, "jansen2", "Katharina", "de Vries")
		if says == "" {
			if err != nil {
				t.Errorf("%q: %v", password, err)
			}
			continue
		}
		found := false
		for _, s := range strings.Split(says, "|") {
			found = found || err != nil && strings.Contains(err.Error(), s)
		}
		if !found || fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), password) {
			t.Errorf("%q: %v, want %q", password, err, says)
		}
	}
	// A short name is in many words.
	if err := CheckPassword("cannot see a pattern here", "x", "Ann", "Lee"); err != nil {
		t.Error(err)
	}
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "192.0.2.1:80": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::/64",
		"2001:db8:1:2::": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "": "", "@": "@",
	} {
		if got := network(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

// No more hash at once than there is room for, and who waits goes away with their request.
func TestHashing(t *testing.T) {
	t.Parallel()
	s := New(nil, nil)
	s.hashing = make(chan struct{}, 1)
	entered, leave := make(chan struct{}), make(chan struct{})
	go s.hash(t.Context(), func() error {
		close(entered)
		<-leave
		return nil
	})
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.hash(ctx, func() error { t.Error("two at once"); return nil }) }()
	cancel()
	if err := <-done; err == nil {
		t.Error("it did not wait")
	}
	close(leave)
}

func TestWaits(t *testing.T) {
	t.Parallel()
	for wait, says := range map[time.Duration]string{
		time.Microsecond: "in a second", time.Second: "in a second", 1500 * time.Millisecond: "in 2 seconds", 2 * time.Minute: "in 120 seconds",
		121 * time.Second: "in 3 minutes", 15 * time.Minute: "in 15 minutes",
	} {
		if err := (attempts{FreeAt: 1000 + wait.Microseconds()}).limited(1000); err == nil || !strings.HasSuffix(err.Error(), says) {
			t.Errorf("%v: %v", wait, err)
		}
	}
	if err := (attempts{FreeAt: 1000}).limited(1000); err != nil {
		t.Error(err)
	}
}
