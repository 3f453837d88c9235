package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"muster/internal/web/browsertest"
)

// onUnit waits until a unit is the one that the keyboard is on.
func onUnit(b *browsertest.Tab, name string) {
	b.T.Helper()
	b.Until(fmt.Sprintf(`document.activeElement.matches('tr.org-row[aria-selected=true]') && document.activeElement.querySelector('.org-name').textContent === %q`, name))
}

// unitRow is the expression for a unit's row.
func unitRow(name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('#org-tree .org-row')].find(r => r.querySelector('.org-name').textContent === %q)`, name)
}

// The structure by mouse and by keyboard: open, add, rename, move, delete, find; and what is refused.
func TestConsoleOrg(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	c.upload(b.Cookies(), details(t, userRow("lholm15", "41001", "Supervisor", "", "Cards Team 1"), userRow("pnair14", "41002", "Agent", "lholm15", "Cards Team 1")))
	b.Open("/batches/1")
	counted(b, 2, 0, 0)

	// By mouse: open, select, rename.
	b.Open("/")
	b.Click("Org structure")
	b.See("Government Services")
	b.Accessible("the structure")
	b.Fits("the structure")
	if b.Sees("Cards Team 1") {
		t.Error("everything is open at once")
	}
	toggle := unitRow("Retail") + `.querySelector('.org-toggle')`
	b.See("Loans")
	b.ClickOn(toggle, "Retail's arrow")
	b.Until(`!` + unitRow("Loans"))
	b.ClickOn(toggle, "Retail's arrow")
	b.See("Loans")
	b.ClickOn(unitRow("Loans"), "Loans")
	onUnit(b, "Loans")
	b.Click("Rename")
	b.See("Rename Loans")
	b.Accessible("the dialog that renames")
	b.Type("Name", "Cards")
	b.Press(kb.Enter)
	b.See("There is a unit called Cards in UAE / Retail already; choose another name.")
	b.Accessible("a refusal")
	b.Type("Name", "Lending")
	b.Press(kb.Enter)
	b.Until(`location.pathname === '/org' && !document.querySelector('dialog[open]')`)
	onUnit(b, "Lending")

	// By keyboard from here on.
	b.Press(kb.ArrowUp)
	onUnit(b, "Cards")
	b.Press(kb.ArrowRight)
	b.See("Cards Team 1")
	b.Press(kb.ArrowRight)
	onUnit(b, "Cards Team 1")
	b.Until(`document.activeElement.innerText.includes('2')`)
	b.Press(kb.Delete)
	b.See("UAE / Retail / Cards / Cards Team 1 has 2 users in it.")
	b.Press(kb.Escape)
	onUnit(b, "Cards Team 1")
	b.Press(kb.ArrowLeft)
	onUnit(b, "Cards")
	b.Press("n")
	b.See("Add a unit below Cards")
	b.Type("Name", "Cards Team 99")
	b.Press(kb.Enter)
	onUnit(b, "Cards Team 99")
	b.Press("m")
	b.See("Move Cards Team 99")
	b.Accessible("the dialog that moves")
	b.Press("lending")
	b.Until(`document.querySelectorAll('.move-place').length === 1`)
	b.Press(kb.Enter)
	b.Until(`document.querySelector('#u' + new URLSearchParams(location.search).get('unit'))?.previousElementSibling.innerText.includes('Lending')`)
	onUnit(b, "Cards Team 99")
	b.Press(kb.Delete)
	b.See("is empty")
	b.Press(kb.Enter)
	onUnit(b, "Lending")
	if b.Sees("Cards Team 99") {
		t.Error("the unit is still there")
	}

	// Agents stay in teams.
	b.Open("/org?q=cards")
	b.See("Cards Team 8")
	b.ClickOn(unitRow("Cards"), "Cards")
	b.Press("m")
	b.See("Move Cards")
	b.ClickOn(`[...document.querySelectorAll('.move-place')].find(l => l.innerText.trim() === 'UAE')`, "UAE")
	b.ClickOn(`document.querySelector('#dialog .btn-primary')`, "Move")
	b.See("there 1 agent would not be: 1 in UAE / Cards / Cards Team 1")
	b.Press(kb.Escape)

	// Found as one types; what was open is open again.
	b.Open("/org")
	b.Press("/")
	b.Until(`document.activeElement.type === 'search'`)
	b.Press(kb.Backspace) // the test's keyboard types the slash although the page has taken it
	b.Press("night cards")
	b.See("1 unit found.")
	b.Accessible("what is found")
	b.Press(kb.ArrowDown)
	onUnit(b, "Night Shift")
	b.Press("u")
	b.Until(`location.pathname === '/users' && new URLSearchParams(location.search).get('org_unit') === 'UAE / Retail / Cards / Night Shift'`)
	b.Quiet()
}

// Two people rename one unit: the second learns what the first did, and keeps what was typed.
func TestConsoleOrgAtOnce(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	other := b.Beside()
	for _, tab := range []*browsertest.Tab{b, other} {
		tab.Open("/org?q=night+cards")
		tab.ClickOn(unitRow("Night Shift"), "Night Shift")
		tab.Press(kb.F2)
		tab.See("Rename Night Shift")
	}
	b.Type("Name", "Evening Shift")
	b.Press(kb.Enter)
	onUnit(b, "Evening Shift")
	other.Type("Name", "Late Shift")
	other.Press(kb.Enter)
	other.See(`has renamed the unit "Night Shift" meanwhile, and it is UAE / Retail / Cards / Evening Shift now`)
	if typed := browsertest.Eval[string](other, `document.querySelector('#name').value`); typed != "Late Shift" {
		t.Errorf("what was typed is %q", typed)
	}
	other.Until(`document.activeElement.id === 'name'`)
	other.Press(kb.Enter)
	onUnit(other, "Late Shift")
	b.Quiet()
}

// Levels and a spreadsheet of units, from the page's menu.
func TestConsoleOrgLevelsAndImport(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	b.Open("/org")
	b.Click("More")
	b.Click("Levels…")
	b.See("One more below")
	b.Accessible("the levels")
	b.Type("Level 2", "Business line")
	b.Type("One more below", "Desk")
	b.Click("Save")
	b.Until(`!document.querySelector('dialog[open]')`)
	b.See("Business line")
	b.Click("More")
	b.Click("Levels…")
	b.Until(`document.querySelector('#level-4')?.value === 'Desk'`)
	b.Click("Remove the level Desk")
	b.Until(`!document.querySelector('dialog[open]')`)

	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "units.csv")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	choose := func(text string) {
		b.ClickOn(`document.querySelector('#org-file')`, "the file")
		b.Choose(write(text))
		b.Click("Look at it first")
	}
	b.Click("More")
	b.Click("Import units…")
	b.See("A spreadsheet, CSV or XLSX")
	b.Accessible("the import of units")
	choose("Org Unit\nUAE / Retail / Cards\nA / B / C / D / E\n")
	b.See("it is 5 deep, and there are 4 levels")
	choose("Org Unit\nUAE / Retail / Cards\nQatar / Retail / Cards\n")
	b.See("3 new units")
	b.Click("Add 3 units")
	onUnit(b, "Qatar")
	b.Click("More")
	b.Click("Export")
	if text := string(b.Downloaded("OrgUnits.csv")); !strings.Contains(text, "\r\nQatar / Retail / Cards\r\n") {
		t.Errorf("the export: %.200s", text)
	}
	b.Quiet()
}
