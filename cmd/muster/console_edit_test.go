package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"muster/internal/web/browsertest"
)

// staffed imports so many agents of Cards Team 1, agent001 and on, who report to lholm15; every third is called Kaya.
func (c *console) staffed(b *browsertest.Tab, n int) {
	c.t.Helper()
	rows := [][]string{userRow("lholm15", "41000", "Supervisor", "", "Cards Team 1"), userRow("pnair14", "41001", "Supervisor", "", "Cards Team 2")}
	for i := 1; i <= n; i++ {
		row := userRow(fmt.Sprintf("agent%03d", i), fmt.Sprint(50_000+i), "Agent", "lholm15", "Cards Team 1")
		if i%3 == 0 {
			row[1], row[2] = "Deniz", "Kaya"
		}
		rows = append(rows, row)
	}
	c.upload(b.Cookies(), details(c.t, rows...))
	b.Open("/batches/1")
	counted(b, n+2, 0, 0)
}

// listedUser is a user as the command line lists them.
type listedUser struct {
	LANID      string   `json:"lan_id"`
	LastName   string   `json:"last_name"`
	PBXID      string   `json:"pbx_id"`
	Supervisor string   `json:"supervisor"`
	OrgUnit    string   `json:"org_unit"`
	Roles      []string `json:"roles"`
	Status     string   `json:"status"`
}

// who are the LAN IDs of those who are so.
func (c *console) who(so func(*listedUser) bool) []string {
	c.t.Helper()
	var list struct{ Users []listedUser }
	if err := json.Unmarshal(c.must("users", "list", "--json", "--limit", "1000"), &list); err != nil {
		c.t.Fatal(err)
	}
	all := []string{}
	for i := range list.Users {
		if so(&list.Users[i]) {
			all = append(all, list.Users[i].LANID)
		}
	}
	return all
}

func holds(role string) func(*listedUser) bool {
	return func(u *listedUser) bool { return slices.Contains(u.Roles, role) }
}

func (c *console) wantWho(what string, so func(*listedUser) bool, want ...string) {
	c.t.Helper()
	if got := c.who(so); !slices.Equal(got, want) {
		c.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// edited waits for the result of an edit with these counts.
func edited(b *browsertest.Tab, updated, invalid, unchanged int) {
	b.T.Helper()
	for outcome, n := range map[string]int{"updated": updated, "invalid": invalid, "unchanged": unchanged} {
		if n > 0 || outcome == "updated" {
			b.UntilWithin(90*time.Second, fmt.Sprintf(`document.querySelector('[data-state=done]') && document.querySelector('[data-outcome=%s] .num')?.innerText === %q`, outcome, thousands(n)))
		}
	}
}

// foretold waits until the window says how many change, are so already and are left out.
func foretold(b *browsertest.Tab, changes, same, left int) {
	b.T.Helper()
	for name, n := range map[string]int{"changes": changes, "same": same, "left": left} {
		b.UntilWithin(20*time.Second, fmt.Sprintf(`document.querySelector('#edit-effects:not([aria-busy]) [data-count=%s] dd')?.innerText === %q`, name, thousands(n)))
	}
}

// settled waits until htmx is done with what it has put on the page, the focus included: nobody types as quickly as a test.
func settled(b *browsertest.Tab) {
	b.T.Helper()
	b.Until(`!document.querySelector('.htmx-swapping, .htmx-settling, .htmx-added')`)
}

// tick clicks the checkbox of a user's row.
func tick(b *browsertest.Tab, lanIDs ...string) {
	b.T.Helper()
	for _, id := range lanIDs {
		b.ClickOn(fmt.Sprintf(`document.querySelector('tr[data-lan=%s] input[type=checkbox]')`, id), "the row of "+id)
	}
}

// The procedure of the manual, word for word: filter and select the users, Assign role from Select actions, the roles,
// Apply; and to remove, the checkbox Remove existing role. For picked users, and for all that match over several pages.
func TestConsoleAssignRole(t *testing.T) {
	t.Parallel()
	eachConsole(t, func(t *testing.T, c *console) {
		b := c.signedIn()
		c.staffed(b, 90)

		// Nobody is selected: the menu says so.
		b.Open("/users")
		b.Click("Select actions…")
		b.See("Select users first")
		if !browsertest.Eval[bool](b, `document.querySelector('#action-assign-role').disabled`) {
			t.Error("a role can be assigned to nobody")
		}
		b.Accessible("the menu of actions")
		b.Press(kb.Escape)

		// Filter, and pick three of them.
		b.Click("Filters")
		b.Until(`document.querySelector('#dialog').open`)
		b.Type("Value", "Kaya")
		b.Click("Apply")
		b.See("Last name starts with “Kaya”")
		tick(b, "agent003", "agent006", "agent009")
		b.Click("Select actions…")
		b.See("With 3 selected users")
		b.Click("Assign role")
		b.See("3 picked users")
		b.Accessible("the window Assign role")
		b.Click("Quality Coach")
		foretold(b, 3, 0, 0)
		b.See("Rights and rules that come")
		b.See("Audit: access")
		b.See("Copy to the clipboard: record it at once")
		b.See("3 gain it")
		b.Accessible("what assigning a role would do")
		b.Click("Apply")
		edited(b, 3, 0, 0)
		b.See("Gained a role")
		b.See("agent006")
		b.See("Assign Quality Coach to 3 picked users")
		b.Accessible("the result of assigning a role")
		c.wantWho("holders after the first", holds("Quality Coach"), "agent003", "agent006", "agent009")

		// All 30 that match, over several pages of 25; three have it already.
		b.Open("/users?last_name.starts=Kaya&size=25")
		b.Click("Select all 30 that match")
		b.Click("Select actions…")
		b.See("With all 30 that match")
		b.Click("Assign role")
		b.See("All 30 users that match last name starts with “Kaya”")
		b.Click("Quality Coach")
		foretold(b, 27, 3, 0)
		b.Click("Apply")
		edited(b, 27, 0, 3)
		b.ClickOn(`document.querySelector('[data-outcome=unchanged] .num')`, "those who had it already")
		b.See("agent009")
		if got := c.who(holds("Quality Coach")); len(got) != 30 || slices.Contains(got, "agent001") {
			t.Errorf("holders after the second: %q", got)
		}

		// Remove it from picked ones.
		b.Open("/users?last_name.starts=Kaya&size=25")
		tick(b, "agent003", "agent012")
		b.Click("Select actions…")
		b.Click("Assign role")
		b.See("exactly these 2 users")
		b.Click("Quality Coach")
		foretold(b, 0, 2, 0)
		b.See("Nobody would change")
		b.Click("Remove existing role")
		foretold(b, 2, 0, 0)
		b.See("Rights and rules that go")
		b.Click("Apply")
		edited(b, 2, 0, 0)
		b.See("Lost a role")
		if got := c.who(holds("Quality Coach")); len(got) != 28 || slices.Contains(got, "agent012") {
			t.Errorf("holders after the third: %q", got)
		}

		// The undo gives it back.
		b.Click("Undo this")
		b.See("This gives 2 users back what they had before.")
		b.Click("Undo")
		b.See("2 users got back what they had.")
		b.Accessible("an edit that was undone")
		if got := c.who(holds("Quality Coach")); len(got) != 30 {
			t.Errorf("holders after the undo: %q", got)
		}

		// The history and the audit name it.
		b.Open("/batches")
		b.See("Remove Quality Coach from 2 picked users")
		b.Open("/audit")
		b.See("Assign role")
		b.Open("/users?q=agent012")
		b.ClickOn(`document.querySelector('tr[data-lan=agent012] a[data-user]')`, "the user")
		b.See("Role assigned")
		b.Quiet()
	})
}

// The same without a mouse: everything from the selection to the undo.
func TestConsoleAssignRoleKeyboard(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	c.staffed(b, 6)
	b.Open("/users?q=agent")
	b.Until(`document.readyState === 'complete' && document.querySelectorAll('#grid tbody tr').length === 6`)
	b.Press(kb.ArrowDown)
	b.Until(`document.activeElement.tagName === 'TR'`)
	b.Press(" ")
	b.Press(kb.ArrowDown + " ")
	b.See("2 users are selected")
	b.Press("a")
	b.Until(`document.querySelector('#actions').getAttribute('aria-expanded') === 'true'`)
	b.Press("r")
	b.Until(`document.activeElement.id === 'edit-find'`)
	settled(b)
	b.Press("lead" + kb.ArrowDown)
	b.Until(`document.activeElement.name === 'role' && document.activeElement.closest('label').innerText.includes('Team Lead')`)
	b.Press(" ")
	foretold(b, 2, 0, 0)
	b.See("Chosen: Team Lead")
	tabTo(b, "Remove existing role")
	b.Press(" ")
	foretold(b, 0, 2, 0)
	tabTo(b, "Set exactly these") // which takes the place of the other
	b.Press(" ")
	b.See("Rights and rules that go")
	foretold(b, 2, 0, 0)
	tabTo(b, "Preview first")
	b.Press(kb.Enter)
	b.See("Nothing has changed yet.")
	c.wantWho("before the preview is applied", holds("Team Lead"))
	b.UntilWithin(30*time.Second, `document.querySelector('#apply')`)
	b.Accessible("the preview of an edit")
	settled(b)
	tabTo(b, "Change 2 users")
	b.Press(kb.Enter)
	edited(b, 2, 0, 0)
	c.wantWho("after it", holds("Team Lead"), "agent001", "agent002")
	if got := c.who(holds("Agent")); slices.Contains(got, "agent001") || slices.Contains(got, "agent002") {
		t.Errorf("they have more than exactly that role: %q", got)
	}
	settled(b)
	tabTo(b, "Undo this")
	b.Press(kb.Enter)
	b.Until(`document.querySelector('dialog[open]')`)
	settled(b)
	tabTo(b, "Undo")
	b.Press(kb.Enter)
	b.See("2 users got back what they had.")
	c.wantWho("after the undo", holds("Team Lead"))

	// Escape closes the window, and the focus is where it was.
	b.Open("/users?q=agent001")
	b.Until(`document.readyState === 'complete' && document.querySelectorAll('#grid tbody tr').length === 1`)
	b.Press(kb.ArrowDown + " ")
	b.See("1 user is selected")
	b.Press("a")
	b.Press("m")
	b.Until(`document.activeElement.id === 'edit-find'`)
	settled(b)
	b.Press(kb.Escape)
	b.Until(`!document.querySelector('dialog[open]') && document.activeElement.id === 'actions'`)
	b.Quiet()
}

// Status, org unit and supervisor of several at once; what is refused keeps what was chosen.
func TestConsoleOtherEdits(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	c.staffed(b, 4)
	c.must("users", "add", "spare", "--first-name", "Sam", "--last-name", "Pare", "--pbx-id", "41999", "--profile", "Agent", "--supervisor", "pnair14", "--org-unit", "Cards Team 2", "--role", "Agent")

	open := func(action string, users ...string) {
		b.Open("/users?size=50")
		tick(b, users...)
		b.Click("Select actions…")
		b.Click(action)
		b.Until(`document.querySelector('dialog[open] #edit-form')`)
	}
	open("Move to org unit", "agent001", "agent002", "spare")
	b.See("3 picked users")
	b.Accessible("the window Move to org unit")
	b.Type("Find an org unit", "cards team 2")
	b.Click("UAE / Retail / Cards / Cards Team 2")
	foretold(b, 2, 1, 0)
	b.Click("Apply")
	edited(b, 2, 0, 1)
	in := func(u *listedUser) bool { return strings.HasSuffix(u.OrgUnit, "Cards Team 2") }
	c.wantWho("in the team", in, "agent001", "agent002", "pnair14", "spare")

	open("Change supervisor", "agent001", "agent002", "spare")
	b.Accessible("the window Change supervisor")
	b.Type("New supervisor", "nair")
	b.Until(`document.querySelector('#list-edit-supervisor option[value=pnair14]')`)
	b.Type("New supervisor", "agent003")
	b.Click("Apply")
	b.Until(`document.querySelector('#edit-form [role=alert]')`)
	if v := browsertest.Eval[string](b, `document.querySelector('#edit-supervisor').value`); v != "agent003" {
		t.Errorf("what was typed is %q by now", v)
	}
	b.Accessible("a supervisor who is refused")
	b.Type("New supervisor", "pnair14")
	foretold(b, 2, 1, 0)
	b.Click("Apply")
	edited(b, 2, 0, 1)
	c.wantWho("who report to pnair14", func(u *listedUser) bool { return u.Supervisor == "pnair14" }, "agent001", "agent002", "spare")

	open("Set status", "agent001", "agent002", adminID)
	b.Accessible("the window Set status")
	b.Click("Inactive")
	foretold(b, 2, 0, 1)
	b.Click("Apply")
	b.Until(`document.querySelector('#edit-form [role=alert]')`) // a reason is needed
	b.Type("Reason", "The site closes")
	b.Click("Release their PBX IDs")
	foretold(b, 2, 0, 1)
	b.Click("Apply")
	edited(b, 2, 1, 0)
	inactive := func(u *listedUser) bool { return u.Status == "inactive" && u.PBXID == "" }
	c.wantWho("inactive", inactive, "agent001", "agent002")
	b.ClickOn(`document.querySelector('[data-outcome=invalid] .num')`, "who is left out")
	b.See(adminID)
	b.Click("Undo this")
	b.See("what they had before")
	b.Click("Undo")
	b.See("2 users got back what they had.")
	c.wantWho("inactive after the undo", func(u *listedUser) bool { return u.LANID != adminID && (u.Status == "inactive" || u.PBXID == "") })
	b.Quiet()
}

// From an import's result, and from a list of LAN IDs.
func TestConsoleEditSources(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	c.staffed(b, 4)
	b.Open("/batches/1")
	b.Click("Assign them a role")
	b.See("6 users inserted by batch 1")
	b.Click("Quality Coach")
	foretold(b, 6, 0, 0)
	b.Click("Apply")
	edited(b, 6, 0, 0)

	list := filepath.Join(t.TempDir(), "leavers.txt")
	if err := os.WriteFile(list, []byte("agent001\nnobody9\nAGENT003\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	b.Open("/users")
	b.Click("Select actions…")
	b.Click("Users from a file…")
	b.See("One LAN ID a line")
	b.Accessible("users from a file")
	b.Click("Go on")
	b.See("No file is selected and nothing is typed")
	b.Type("Or type or paste LAN IDs", "nobody9")
	b.Click("Go on")
	b.See("None of these users is among those that you may change")
	if v := browsertest.Eval[string](b, `document.querySelector('#edit-typed').value`); v != "nobody9" {
		t.Errorf("what was typed is %q by now", v)
	}
	b.Type("Or type or paste LAN IDs", "agent001, agent003 nobody9")
	b.Click("Go on")
	b.See("1 LAN ID belongs to nobody whom you may see")
	b.Press(kb.Escape)
	b.Click("Select actions…")
	b.Click("Users from a file…")
	b.See("One LAN ID a line")
	b.Click("File")
	b.Choose(list)
	b.Click("Go on")
	b.See("2 users of leavers.txt")
	b.See("exactly these 2 users")
	b.Click("1 LAN ID belongs to nobody")
	b.See("nobody9")
	b.Click("Quality Coach")
	b.Click("Remove existing role")
	foretold(b, 2, 0, 0)
	b.Click("Apply")
	edited(b, 2, 0, 0)
	c.wantWho("holders", holds("Quality Coach"), "agent002", "agent004", "lholm15", "pnair14")
	b.Quiet()
}

// The set is the one that was there when the window opened: who comes to match later is not touched, who changed meanwhile
// is, and both windows say so. Where more change than may without asking, the number is typed in.
func TestConsoleEditFrozen(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	c.staffed(b, 6)
	c.setUp("settings: {guard_users: 1, guard_percent: 10}\n")
	b.Open("/users?last_name.starts=Kaya")
	b.Click("Select all 2 that match")
	b.Click("Select actions…")
	b.Click("Assign role")
	b.See("All 2 users that match")
	c.must("users", "set", "agent001", "--last-name", "Kaya")
	c.must("users", "set", "agent003", "--first-name", "Duygu")
	b.Click("Senior Agent")
	foretold(b, 2, 0, 0)
	b.See("1 of them changed since this window was opened")
	b.See("the next page asks for their number, 2")
	b.Accessible("a window with a changed set and a guard")
	b.Click("Apply")
	b.UntilWithin(30*time.Second, `document.querySelector('#confirm')`)
	b.Type("Type the number of users that change", "2")
	b.Click("Apply to 2 users")
	edited(b, 2, 0, 0)
	b.See("1 of them had changed since the window was opened")
	b.Click("Show them")
	b.Until(`document.querySelectorAll('#rows tbody tr').length === 1 && document.querySelector('#rows tbody').innerText.includes('agent003')`)
	c.wantWho("holders", holds("Senior Agent"), "agent003", "agent006")
	b.Quiet()
}
