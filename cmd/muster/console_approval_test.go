package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"muster/internal/directory"
	"muster/internal/useredit"
	"muster/internal/web/browsertest"
)

const (
	importerRole = "Importer: users:access, users:add, batches:access"
	checkerRole  = "Checker: users:access, users:add, batches:access, batches:edit, audit:access"
)

// importing uploads a row and goes to its batch.
func importing(b *browsertest.Tab, preview bool, rows ...[]string) {
	b.T.Helper()
	b.Open("/imports/new")
	if !preview {
		b.Click("Preview first")
	}
	b.Click("Select files…")
	b.Choose(details(b.T, rows...))
	b.Until(`location.pathname.startsWith('/batches/')`)
}

// Two people: one asks, the other looks at the preview, rejects with a reason, and approves the next one.
func TestConsoleApproval(t *testing.T) {
	t.Parallel()
	eachConsole(t, func(t *testing.T, c *console) {
		c.administrator()
		maker := c.person("ohassan31", "Omar", "Everywhere", importerRole)
		checker := c.person("pnair14", "Priya", "Everywhere", checkerRole)
		c.setUp("settings: {approval: \"yes\"}\n")

		importing(maker, true, userRow("lholm15", "41001", "Supervisor", "", "Cards Team 1"), userRow("kdemir16", "41002", "Supervisor", "", "Cards Teem 1"))
		maker.See("Ready to import 1 user")
		maker.Accessible("a preview that needs approval")
		maker.Click("Ask for approval")
		maker.See("Somebody else with the right batches:edit approves or rejects it")
		if maker.Sees("Approve and apply") {
			t.Error("who made it may approve it")
		}
		maker.Accessible("a batch that awaits approval, for its maker")
		path := maker.Path()

		checker.Open("/users")
		checker.Until(`document.querySelector('#nav a[href="/batches"] .nav-count')?.innerText.endsWith('1')`)
		checker.Click("Bulk actions")
		checker.Click("Awaiting approval")
		checker.Until(`location.search === '?state=awaiting' && document.querySelectorAll('tr[data-state=awaiting]').length === 1`)
		checker.Accessible("the batches that await approval")
		checker.ClickOn(`document.querySelector('tr[data-state=awaiting] a')`, "the batch")
		checker.See("ohassan31 asks you to approve this")
		checker.See("Cards Teem 1") // what it would not do
		checker.ClickOn(`document.querySelector('[data-outcome=inserted] .num')`, "what it would insert")
		checker.See("lholm15")
		checker.Click("Reject")
		checker.See("Say why batch")
		checker.Until(`document.activeElement.id === 'comment'`)
		checker.Accessible("a batch rejected without a word")
		checker.Press("Mend row 3 first.")
		checker.Click("Reject")
		checker.See("Rejected by pnair14")
		maker.Open(path)
		maker.See("Mend row 3 first.")
		maker.Accessible("a batch that was rejected")

		// Without a preview it asks by itself; the other approves by keyboard.
		importing(maker, false, userRow("lholm15", "41001", "Supervisor", "", "Cards Team 1"))
		maker.See("Somebody else with the right batches:edit")
		path = maker.Path()
		checker.Open(path)
		checker.See("It would insert 1 user")
		tabTo(checker, "Comment")
		checker.Press("Looks right." + kb.Tab + kb.Enter)
		counted(checker, 1, 0, 0)
		checker.See("Looks right.")
		checker.Until(`!document.querySelector('.nav-count')`)
		maker.Open(path)
		counted(maker, 1, 0, 0)
		checker.Open("/audit?action=approve")
		checker.See("Reason: Looks right.")
		if n := strings.Count(string(c.must("users", "list", "--json")), `"lan_id": "lholm15"`); n != 1 {
			t.Errorf("%d users lholm15", n)
		}
		maker.Quiet()
	})
}

// The process is killed right after the approval: the next one applies it, all of it and once.
func TestApprovalSurvivesKill(t *testing.T) {
	t.Parallel()
	eachConsole(t, func(t *testing.T, c *console) {
		c.administrator()
		maker := c.person("ohassan31", "Omar", "Everywhere", importerRole)
		checker := c.person("pnair14", "Priya", "Everywhere", checkerRole)
		c.setUp("settings: {approval: \"yes\"}\n")
		const n = 3000
		var rows [][]string
		for i := range n {
			rows = append(rows, userRow(fmt.Sprintf("agent%05d", i), fmt.Sprint(600_000+i), "Agent", "ohassan31", "Cards Team 1"))
		}
		importing(maker, false, rows...)
		maker.See("Awaiting approval")
		path := maker.Path()
		c.kill() // while it waits
		c.again()
		if code := c.post(checker.Cookies(), path+"/approve", url.Values{"comment": {"yes"}}); code != http.StatusSeeOther {
			t.Fatalf("the approval: %d", code)
		}
		c.kill() // before, or while, it is applied
		c.again()
		checker.Open(path)
		checker.UntilWithin(90*time.Second, `document.querySelector('[data-state=done]')`)
		counted(checker, n, 0, 0)
		if code := c.post(checker.Cookies(), path+"/approve", nil); code != http.StatusSeeOther {
			t.Errorf("approved twice: %d", code)
		}
		if !strings.Contains(string(c.must("users", "list", "--json", "--limit", "1")), fmt.Sprintf(`"total": %d`, n+3)) {
			t.Errorf("not %d users: %.200s", n+3, c.must("users", "list", "--json", "--limit", "1"))
		}
	})
}

// post sends a form as the page would, and returns the status.
func (c *console) post(cookies []*http.Cookie, path string, form url.Values) int {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", c.url)
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

// A batch that would change most users asks for the number, on the page and on the command line.
func TestConsoleGuard(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	c.setUp("settings: {guard_users: 1, guard_percent: 10}\n")
	c.upload(b.Cookies(), details(t, userRow("lholm15", "41001", "Supervisor", "", "Cards Team 1"), userRow("pnair14", "41002", "Supervisor", "", "Cards Team 1")))
	b.Open("/batches/1")
	counted(b, 2, 0, 0)
	c.replaceRole("Agent", "Team Lead")
	b.Open("/batches/2")
	b.UntilWithin(30*time.Second, `document.querySelector('#confirm')`)
	b.See("66 %")
	b.Accessible("a preview that needs a number")
	b.Type("Type the number of users that change", "3")
	b.Click("Apply to 2 users")
	b.See("the number typed in is 3, and it must be 2")
	b.Accessible("a preview with a wrong number")
	b.Until(`document.activeElement.id === 'confirm' && document.activeElement.value === '3'`)
	cmd := c.command("batches", "apply", "2")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "confirm it with the number 2") {
		t.Errorf("the command line: %v, %s", err, out)
	}
	browsertest.Eval[bool](b, `(document.activeElement.select(), true)`)
	b.Press("2" + kb.Enter)
	b.Until(`document.querySelector('[data-state=done]')`)
	b.See("Confirmed with the number 2")
	c.replaceRole("Team Lead", "Agent")
	b.Open("/batches/3")
	b.UntilWithin(30*time.Second, `document.querySelector('#confirm')`)
	if out := string(c.must("batches", "apply", "3", "--confirm", "2", "--json")); !strings.Contains(out, `"state": "done"`) {
		t.Errorf("%s", out)
	}
}

// replaceRole gives everybody who holds one role another one, as a batch of the administrator's.
func (c *console) replaceRole(from, to string) {
	c.t.Helper()
	a := openApp(c.t, config{DataDir: c.dir})
	defer a.close()
	cfg, err := directory.LoadConfiguration(c.t.Context(), a.db.Read())
	if err != nil {
		c.t.Fatal(err)
	}
	ids := map[string]int64{}
	for _, r := range cfg.Roles {
		ids[r.Name] = r.ID
	}
	actor, err := a.auth.Actor(c.t.Context(), adminID, "web")
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := useredit.Create(c.t.Context(), a.engine, actor, useredit.Options{Kind: directory.RoleValue, From: ids[from], To: ids[to]}); err != nil {
		c.t.Fatal(err)
	}
}
