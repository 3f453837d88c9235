package main

import (
	"bufio"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"muster/internal/sample"
	"muster/internal/web/browsertest"
)

// console is `muster serve`, a process of its own, on a place.
type console struct {
	*place
	url  string // where it is
	link string // where the first administrator is made; empty where there is one
	cmd  *exec.Cmd
	log  *said
}

// Who is the administrator in the tests.
const (
	adminID       = "ahaddad"
	adminPassword = "four green ladders sing"
)

var (
	addressLine = regexp.MustCompile(`^Muster is at (\S+)$`)
	linkLine    = regexp.MustCompile(`^\s+(\S+/link/\S+)$`)
)

// newConsole serves the sample's organisation, without users.
func newConsole(t *testing.T, engine string) *console {
	t.Helper()
	if testing.Short() {
		t.Skip("the server is a process of its own, without the race detector; one run of it is enough")
	}
	files := t.TempDir()
	if err := os.WriteFile(filepath.Join(files, "organisation.yaml"), sample.Organisation(), 0o666); err != nil {
		t.Fatal(err)
	}
	c := &console{place: newPlace(t, engine, files)}
	c.serve("127.0.0.1:0")
	return c
}

// eachConsole runs a test on a console of each engine.
func eachConsole(t *testing.T, fn func(t *testing.T, c *console)) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			fn(t, newConsole(t, engine))
		})
	}
}

// serve starts the process and waits until it has said everything that it says at its start.
func (c *console) serve(listen string) {
	c.t.Helper()
	c.cmd = c.command("serve", "--listen", listen, "--gallery")
	c.log = &said{}
	c.cmd.Stderr = c.log
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	cmd, log := c.cmd, c.log
	c.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if c.t.Failed() {
			c.t.Logf("the server said:\n%s", log)
		}
	})
	lines := bufio.NewScanner(out)
	for c.link = ""; lines.Scan() && !strings.HasPrefix(lines.Text(), "Ctrl-C"); {
		if m := addressLine.FindStringSubmatch(lines.Text()); m != nil {
			c.url = m[1]
		}
		if m := linkLine.FindStringSubmatch(lines.Text()); m != nil {
			c.link = m[1]
		}
	}
	if c.url == "" {
		c.t.Fatalf("muster serve did not start:\n%s", log)
	}
}

// kill ends the process as a power cut would; again serves at the same address.
func (c *console) kill() {
	_ = c.cmd.Process.Signal(syscall.SIGKILL)
	_ = c.cmd.Wait()
}

func (c *console) again() {
	c.t.Helper()
	u, err := url.Parse(c.url)
	if err != nil {
		c.t.Fatal(err)
	}
	c.serve(u.Host)
}

// administrator makes the first administrator, as the link's form would.
func (c *console) administrator() {
	c.t.Helper()
	c.fill(c.link, firstAdministrator())
}

func firstAdministrator() url.Values {
	return url.Values{"lan_id": {adminID}, "first_name": {"Amira"}, "last_name": {"Haddad"}, "password": {adminPassword}, "again": {adminPassword}}
}

// fill sends a form that is to be taken, and returns the cookies that came of it.
func (c *console) fill(address string, form url.Values) []*http.Cookie {
	c.t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := client.PostForm(address, form)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusSeeOther {
		c.t.Fatalf("POST %s: %s", address, r.Status)
	}
	return r.Cookies()
}

// signIn signs in with the browser.
func signIn(b *browsertest.Tab, lanID, password string) {
	b.T.Helper()
	b.Open("/sign-in")
	b.Type("LAN ID", lanID)
	b.Type("Password", password)
	b.Click("Sign in")
	b.See("User Onboarding")
}

// signedIn is a tab in which the administrator, who is made for it, is signed in.
func (c *console) signedIn() *browsertest.Tab {
	c.t.Helper()
	c.administrator()
	b := browsertest.New(c.t, c.url)
	signIn(b, adminID, adminPassword)
	return b
}

// said is what a process has said so far.
type said struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
