package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"muster/internal/sample"
	"muster/internal/web/browsertest"
)

// templates are the three links of the dialog, and what comes of each.
var templates = [][2]string{
	{"User detail template", "UserDetails.csv"},
	{"User channel template", "ChannelCountDetails.csv"},
	{"User feature template", "FeatureDetails.csv"},
}

// userRow is a row of UserDetails of the sample organisation; id also makes the PBX ID.
func userRow(lanID, pbx, profile, supervisor, unit string) []string {
	return []string{lanID, "Lena", "Holm", "", pbx, profile, supervisor, unit, "Agent", "", "", ""}
}

// fill adds rows to a template, as a spreadsheet program would, and saves it.
func fill(t *testing.T, dir, name string, template []byte, rows ...[]string) string {
	t.Helper()
	var b bytes.Buffer
	b.Write(template)
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// details saves a UserDetails.csv with these rows.
func details(t *testing.T, rows ...[]string) string {
	t.Helper()
	return fill(t, t.TempDir(), "UserDetails.csv", []byte(strings.Join([]string{"LAN ID", "First Name", "Last Name", "Agent ID", "PBX ID", "Profile",
		"Supervisor", "Org Unit", "Role", "Access Role", "CRM Name", "Text Chat Greeting Template Name"}, ",")+"\r\n"), rows...)
}

// counted waits for a result with these counts.
func counted(b *browsertest.Tab, inserted, duplicate, invalid int) {
	b.T.Helper()
	for outcome, n := range map[string]int{"inserted": inserted, "duplicate": duplicate, "invalid": invalid} {
		b.UntilWithin(90*time.Second, fmt.Sprintf(`document.querySelector('[data-outcome=%s] .num')?.innerText === %q`, outcome, thousands(n)))
	}
}

func thousands(n int) string { return number(int64(n)) }

// The procedure of the manual, word for word: the menu, the three links, a row per user, all three files together, the
// window with the numbers, and behind each blue number its records.
func TestConsoleProcedure(t *testing.T) {
	t.Parallel()
	eachConsole(t, func(t *testing.T, c *console) {
		b := browsertest.New(t, c.url)
		b.Open(strings.TrimPrefix(c.link, c.url))
		b.Type("LAN ID", adminID)
		b.Type("First name", "Amira")
		b.Type("Last name", "Haddad")
		b.Type("Password", adminPassword)
		b.Type("Password, again", adminPassword)
		b.Click("Make the administrator and sign in")
		b.See("User Onboarding")

		b.Click("Select actions…")
		b.ClickOn(`document.getElementById('action-import')`, "Import users in the menu")
		var paths []string
		for i, link := range templates {
			b.Click(link[0])
			template := b.Downloaded(link[1])
			if !bytes.HasPrefix(template, []byte("\uFEFFLAN ID,")) || !bytes.HasSuffix(template, []byte("\r\n")) {
				t.Errorf("%s is no template: %q", link[1], template)
			}
			if i == 0 {
				paths = append(paths, fill(t, b.Downloads, link[1], template,
					userRow("lholm15", "41001", "Supervisor", "", "Cards Team 1"),
					userRow("AHADDAD", "41002", "Supervisor", "", "Cards Team 1"),
					userRow("o farouk", "41003", "Supervisor", "", "Cards Team 1"),
					userRow("pnair14", "41004", "Agent", "nobody7", "Cards Team 1")))
				continue
			}
			paths = append(paths, filepath.Join(b.Downloads, link[1])) // as downloaded
		}
		b.Click("Preview first") // the manual knows none
		b.Click("Select files…")
		b.Choose(paths...)

		counted(b, 1, 1, 2)
		for _, label := range []string{"Inserted records", "Duplicate records", "Invalid records"} {
			b.See(label)
		}
		b.ClickOn(`document.querySelector('[data-outcome=invalid] .num')`, "the blue number of the invalid")
		b.See("o farouk")
		b.See("nobody7")
		b.ClickOn(`document.querySelector('[data-outcome=duplicate] .num')`, "the blue number of the duplicates")
		b.See("AHADDAD")
		b.ClickOn(`document.querySelector('[data-outcome=inserted] .num')`, "the blue number of the inserted")
		b.See("lholm15")
		b.Accessible("the result")
		b.Click("Open the new user")
		b.Until(`location.pathname === '/users' && document.body.innerText.includes('lholm15') && !document.body.innerText.includes('pnair14')`)
		b.Quiet()
	})
}

// tabTo moves the focus with the Tab key to what is called name.
func tabTo(b *browsertest.Tab, name string) {
	b.T.Helper()
	for range 150 {
		if browsertest.Eval[bool](b, fmt.Sprintf(`(() => {
			const e = document.activeElement, l = e.labels && e.labels[0];
			return (e.getAttribute('aria-label') || (l ? l.innerText : e.innerText) || '').replace(/\s+/g, ' ').trim().startsWith(%q);
		})()`, name)) {
			return
		}
		b.Press(kb.Tab)
	}
	b.T.Fatalf("the Tab key does not come to %q", name)
}

// The same without a mouse, and with a preview in between.
func TestConsoleKeyboard(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	c.administrator()
	b := browsertest.New(t, c.url)
	b.Open("/")
	b.Until(`document.activeElement.id === 'lan_id'`)
	b.Press(adminID + kb.Tab + adminPassword + kb.Enter)
	b.See("User Onboarding")
	b.Until(`document.readyState === 'complete'`)
	b.Press("a") // Select actions…, whose first entry is Import users
	b.Until(`document.activeElement.innerText.includes('Import users')`)
	b.Press(kb.Enter)
	b.Until(`document.activeElement.innerText === 'Select files…'`)
	b.Press(kb.Enter)
	b.Choose(details(t,
		userRow("lholm15", "41001", "Supervisor", "", "Cards Team 1"),
		userRow("pnair14", "41 004", "Supervisor", "", "Cards Team 1")))
	b.See("Records to insert")
	counted(b, 1, 0, 1)
	tabTo(b, "Import 1 user")
	b.Press(kb.Enter)
	b.See("Inserted records")
	counted(b, 1, 0, 1)
	tabTo(b, "1 Inserted records")
	b.Press(kb.Enter)
	b.Until(`document.activeElement.id === 'rows-title' && document.body.innerText.includes('lholm15')`)

	// The grid: arrows and space, "/" for the search, Escape.
	b.Press("gu")
	b.Until(`location.pathname === '/users'`)
	b.Until(`document.readyState === 'complete'`)
	b.Press("/")
	b.Until(`document.activeElement.type === 'search'`)
	b.Press(kb.Backspace) // the test's keyboard types the slash although the page has taken it
	b.Press("holm")
	b.Until(`new URLSearchParams(location.search).get('q') === 'holm' && document.querySelectorAll('#grid tbody tr').length === 1`)
	b.Press(kb.ArrowDown) // out of the search, into the rows
	b.Until(`document.activeElement.tagName === 'TR'`)
	b.Press(" ")
	b.Until(`new URLSearchParams(location.search).get('selected') !== null`)
	b.See("1 selected")
	b.Press("?")
	b.Until(`document.querySelector('#help').open`)
	b.Press(kb.Escape)
	b.Until(`!document.querySelector('dialog[open]')`)
	b.Quiet()
}

// Mistakes are mended on the page until everything is in: a suggestion is taken with a click, other cells are typed.
func TestConsoleCorrect(t *testing.T) {
	t.Parallel()
	eachConsole(t, func(t *testing.T, c *console) {
		b := c.signedIn()
		b.Open("/imports/new")
		b.Click("Preview first")
		b.Click("Select files…")
		b.Choose(details(t,
			userRow("lholm15", "41001", "Supervisor", "", "Cards Team 1"),
			userRow("pnair14", "41002", "Supervisor", "", "Cards Teem 1"),
			userRow("kdemir16", "41,003", "Supervisor", "", "Cards Team 1"),
			userRow("sokafor17", "41004", "Agent", "lholm", "Cards Team 1")))
		counted(b, 1, 0, 3)
		b.Click("Use “Cards Team 1”")
		b.See("1 row corrected")
		b.Click("Run these rows again")
		b.See("Corrects rows of")
		counted(b, 1, 0, 0)

		b.Open("/batches/1?show=invalid")
		b.Click("Correct here and run again")
		editCell(b, "kdemir16", "PBX ID", "41003")
		editCell(b, "sokafor17", "Supervisor", "lholm15")
		b.Click("Run the 2 corrected rows")
		b.See("Corrects rows of")
		counted(b, 2, 0, 0)
		if n := strings.Count(string(c.must("users", "list", "--json", "--limit", "100")), `"lan_id"`); n != 5 {
			t.Errorf("%d users, want the administrator and 4", n)
		}
		b.Quiet()
	})
}

// editCell types into a cell of the table in which rows are corrected.
func editCell(b *browsertest.Tab, lanID, column, value string) {
	b.T.Helper()
	cell := fmt.Sprintf(`(() => {
		const title = [...document.querySelectorAll('.tabulator-col')].find(c => c.innerText.trim().startsWith(%q));
		const row = [...document.querySelectorAll('.tabulator-row')].find(r => r.innerText.includes(%q));
		return title && row && row.querySelector('[tabulator-field="' + title.getAttribute('tabulator-field') + '"]');
	})()`, column, lanID)
	b.ClickOn(cell, column+" of "+lanID)
	b.Press(kb.Enter)
	b.Until(`document.querySelector('.tabulator-cell.tabulator-editing input')`)
	b.Press(kb.Control + "a")
	browsertest.Eval[bool](b, `(document.activeElement.select(), true)`)
	b.Press(value + kb.Enter)
	b.Until(fmt.Sprintf(`%s.innerText.includes(%q)`, cell, value))
}

// generate writes the three spreadsheets of an import of n users into a directory.
func generate(t *testing.T, n int) (paths []string, expected sample.Counts) {
	t.Helper()
	dir := t.TempDir()
	var files [3]*os.File
	for i, link := range templates {
		f, err := os.Create(filepath.Join(dir, link[1]))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
		paths = append(paths, f.Name())
	}
	expected, err := sample.Generate(sample.Spec{Users: n}, files[0], files[1], files[2])
	if err != nil {
		t.Fatal(err)
	}
	return paths, expected
}

// startLarge starts an import that takes a while, without a preview, and waits until it applies rows.
func startLarge(b *browsertest.Tab, paths []string) {
	b.T.Helper()
	b.Open("/imports/new")
	b.Click("Preview first")
	b.Click("Supervisors may be in the same file")
	b.Click("Select files…")
	b.Choose(paths...)
	b.Until(`location.pathname.startsWith('/batches/')`)
}

// Somebody closes the browser in the middle, comes back later, and finds everything done.
func TestConsoleClosed(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	paths, expected := generate(t, largeImport)
	startLarge(b, paths)
	at := b.Path()
	b.Close()

	b = browsertest.New(t, c.url)
	signIn(b, adminID, adminPassword)
	b.Open("/batches")
	b.ClickOn(fmt.Sprintf(`document.querySelector('a[href^=%q]')`, at), "the import in the history")
	counted(b, expected.Inserted, expected.Duplicate, expected.Invalid)
	b.Quiet()
}

// largeImport is how many users are still on their way when a test looks.
const largeImport = 100_000

// The server is killed while a browser watches: the page says so, finds it again, and sees the import to its end.
func TestConsoleKilled(t *testing.T) {
	t.Parallel()
	eachConsole(t, func(t *testing.T, c *console) {
		b := c.signedIn()
		paths, expected := generate(t, largeImport)
		startLarge(b, paths)
		// The page is there before its scripts are, and it is they who tell.
		b.Until(`document.readyState === 'complete' && document.querySelector('progress')`)
		c.kill()
		b.See("econnect")
		c.again()
		counted(b, expected.Inserted, expected.Duplicate, expected.Invalid)
	})
}

// Two tabs show the same preview. What one decides, the other is told, and nothing happens twice.
func TestConsoleTwoTabs(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	b.Open("/imports/new")
	b.Click("Select files…")
	b.Choose(details(t, userRow("lholm15", "41001", "Supervisor", "", "Cards Team 1")))
	b.See("Records to insert")
	other := b.Beside()
	other.Open(b.Path())
	other.See("Records to insert")
	b.Click("Import 1 user")
	counted(b, 1, 0, 0)
	b.See("Inserted records")
	other.Click("Import 1 user")
	other.See("somebody was quicker")
	other.See("Inserted records")
	counted(other, 1, 0, 0)
}

// A session ends while files are on their way. Nothing is imported, the files stay selected, and after signing in again
// in another tab it is one click.
func TestConsoleExpired(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	b.Open("/imports/new")
	b.Throttle(400_000)
	b.Click("Select files…")
	rows := make([][]string, 30_000)
	for i := range rows {
		rows[i] = userRow("user"+strconv.Itoa(i), strconv.Itoa(50_000+i), "Supervisor", "", "Cards Team 1")
	}
	b.Choose(details(t, rows...))
	b.Until(`document.querySelector('progress')?.value > 5`)
	c.signOutEverywhere()
	b.Throttle(0)
	b.See("Your files are still selected")
	other := b.Beside()
	signIn(other, adminID, adminPassword)
	if other.Open("/batches"); other.Sees("UserDetails.csv") {
		t.Error("an upload whose session ended made a batch")
	}
	b.Click("Try again")
	b.See("Records to insert")
	counted(b, len(rows), 0, 0)
}
