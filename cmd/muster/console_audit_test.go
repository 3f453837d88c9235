package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"muster/internal/web/browsertest"
)

// Somebody looks for a change by mouse and by keyboard, sees before and after, follows it, and takes it away as a file.
func TestConsoleAudit(t *testing.T) {
	t.Parallel()
	eachConsole(t, func(t *testing.T, c *console) {
		b := c.signedIn()
		c.upload(b.Cookies(), details(t, userRow("lholm15", "41001", "Supervisor", "", "Cards Team 1")))
		b.Open("/batches/1")
		counted(b, 1, 0, 0)
		b.Click("Audit")
		b.See("Who changed what, and what it was before")
		b.See("Import users is done")
		b.Accessible("the audit")
		b.Fits("the audit")

		// The batch's own entries, and from there to the batch.
		b.Type("Batch", "1")
		b.Click("Filter")
		b.Until(`location.pathname + location.search === '/audit?batch=1'`)
		b.Until(`document.querySelectorAll('.audit-entry').length === 2`)
		b.ClickOn(`document.querySelector('.audit-name')`, "the batch's number")
		b.Until(`location.pathname === '/batches/1'`)

		// By keyboard: who and what kind.
		b.Open("/audit")
		tabTo(b, "Who")
		b.Press(strings.ToUpper(adminID) + kb.Tab + kb.Tab + kb.Tab)
		b.Until(`document.activeElement.id === 'name'`)
		b.Press("nobody7" + kb.Enter)
		b.See("Nothing matches")
		b.Accessible("an audit that found nothing")
		b.Until(`location.search === '?name=nobody7&who=AHADDAD'`)
		b.Open("/audit?kind=role&name=team+lead")
		b.See("Added role")
		b.See("users:edit")
		b.Open("/audit?from=2026-02-31")
		b.See("is not a day")
		b.Accessible("an audit asked wrongly")
		b.Open("/audit?kind=user&action=create&who=" + adminID)
		if b.Sees("lholm15") {
			t.Error("who came with an import has an entry of their own")
		}

		// What was renamed by hand has both names side by side.
		c.must("org", "rename", "Cards Team 2", "Cards Team Two")
		b.Open("/audit?kind=org-unit&who=system")
		b.See("Cards Team Two")
		b.Until(`[...document.querySelectorAll('.audit-changes tr')].some(r => r.querySelector('.audit-old')?.innerText.endsWith('Cards Team 2') && r.querySelector('.audit-new')?.innerText.endsWith('Cards Team Two'))`)

		b.Open("/audit?batch=1")
		b.Click("Export CSV")
		if csv := string(b.Downloaded("audit.csv")); strings.Count(csv, ",batch,1,") != 2 || !strings.Contains(csv, "import-users done") {
			t.Errorf("the export is %q", csv)
		}
		b.Click("JSON")
		var exported struct {
			Entries []struct {
				Batch int64
				After map[string]any
			}
		}
		if err := json.Unmarshal(b.Downloaded("audit.json"), &exported); err != nil || len(exported.Entries) != 2 || exported.Entries[0].Batch != 1 || exported.Entries[0].After["inserted"] != 1.0 {
			t.Errorf("%+v, %v", exported, err)
		}
		var listed struct {
			Total   int64
			Entries []struct{ Action string }
		}
		if err := json.Unmarshal(c.must("audit", "list", "--batch", "1", "--json"), &listed); err != nil || listed.Total != 2 || listed.Entries[1].Action != "import-users" {
			t.Errorf("%+v, %v", listed, err)
		}
		b.Quiet()
	})
}

// Somebody whose access role has limits sees what they did themselves.
func TestConsoleAuditOfOneself(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	c.administrator()
	lead := c.person("lholm15", "Lena", "Own unit", "Auditor: users:access, users:edit, audit:access")
	lead.Open("/audit")
	lead.See("What you changed yourself")
	lead.See("Set the password of user lholm15")
	if lead.Sees("system · ") || lead.Sees("Added role") || lead.Sees(adminID) {
		t.Error("others' changes are shown")
	}
	lead.Accessible("the audit of oneself")
	lead.Quiet()
}

// setUp applies a setup file.
func (c *console) setUp(yaml string) {
	c.t.Helper()
	path := filepath.Join(c.t.TempDir(), "setup.yaml")
	if err := os.WriteFile(path, []byte(yaml), 0o666); err != nil {
		c.t.Fatal(err)
	}
	c.must("setup", "apply", "--yes", path)
}

// person makes somebody with a role ("Name: its, rights") and an access role, and signs them in, in a browser of their own.
func (c *console) person(lanID, first, accessRole, role string) *browsertest.Tab {
	c.t.Helper()
	name, rights, _ := strings.Cut(role, ": ")
	c.setUp("roles:\n  - {name: " + name + ", rights: [" + rights + "]}\n")
	row := userRow(lanID, "5"+lanID[len(lanID)-2:], "Supervisor", "", "Cards Team 1")
	row[1], row[8], row[9] = first, name, accessRole
	c.must("import", "users", "--yes", details(c.t, row))
	out := string(c.must("admin", "reset-password", lanID, "--url", c.url))
	i := strings.Index(out, "/link/")
	if i < 0 {
		c.t.Fatalf("no link: %s", out)
	}
	b := browsertest.New(c.t, c.url)
	b.Open(strings.Fields(out[i:])[0])
	b.See("Welcome, " + first)
	b.Type("Password", "a quiet lake at night")
	b.Type("Password, again", "a quiet lake at night")
	b.Click("Set the password and sign in")
	b.See("User Onboarding")
	return b
}
