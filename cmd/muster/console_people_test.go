package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/web/browsertest"
)

// A supervisor is imported, gets a sign-in link from the administrator, and sees their own unit and nothing that they may
// not do. When they lose their place, they are out at the next click.
func TestConsoleSecondPerson(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	lead := userRow("lholm15", "41001", "Supervisor", "", "Cards Team 1")
	lead[8], lead[9] = "Team Lead", "Own unit"
	elsewhere := userRow("pnair14", "41002", "Supervisor", "", "Loans Team 1")
	elsewhere[1], elsewhere[2] = "Priya", "Nair"
	c.upload(b.Cookies(), details(t, lead, elsewhere))
	b.Open("/batches/1")
	counted(b, 2, 0, 0)

	b.Open("/users?q=lholm15")
	b.ClickOn(`document.querySelector('tr[data-lan=lholm15] input[type=checkbox]')`, "the row")
	b.Click("Select actions…")
	b.Click("Make a sign-in link")
	b.See("Sign-in link for Lena Holm")
	link := browsertest.Eval[string](b, `document.querySelector('#made-link').value`)

	other := browsertest.New(t, c.url)
	other.Open(strings.TrimPrefix(link, c.url))
	other.See("Welcome, Lena Holm")
	other.Type("Password", "a quiet lake at night")
	other.Type("Password, again", "a quiet lake at night")
	other.Click("Set the password and sign in")
	other.See("User Onboarding")
	other.See("lholm15")
	if other.Sees("Priya") || other.Sees("ahaddad") {
		t.Error("somebody of another unit is shown")
	}
	other.Click("Select actions…")
	other.See("Export")
	if other.Sees("Import users") {
		t.Error("an import is offered to who may not")
	}
	other.Open("/imports/new")
	other.See("You may not do this")
	other.Open("/batches/1")
	other.See("Not found")
	other.Accessible("not found")

	b.Open(strings.TrimPrefix(link, c.url))
	b.See("This link does not work") // it was good once

	b.Open("/batches/1")
	b.Click("Undo this import")
	b.Click("Remove 2 users")
	b.See("What the undo left as it is") // who can sign in has been touched since
	other.Click("User Onboarding")
	other.See("lholm15")
	b.Quiet()
	other.Quiet()
}

// A column that no template has is given to one that it stands for, another is set aside; next time nobody is asked.
func TestConsoleColumns(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	odd := func(lanID, pbx string) string {
		good, err := os.ReadFile(details(t, userRow(lanID, pbx, "Supervisor", "", "Cards Team 1")))
		if err != nil {
			t.Fatal(err)
		}
		header, rows, _ := bytes.Cut(good, []byte("\r\n"))
		header = bytes.Replace(header, []byte("PBX ID"), []byte("Extension"), 1)
		text := string(header) + ",Shoe Size\r\n" + strings.TrimSuffix(string(rows), "\r\n") + ",44\r\n"
		path := filepath.Join(t.TempDir(), "UserDetails.csv")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	b.Open("/imports/new")
	b.Click("Select files…")
	b.Choose(odd("lholm15", "41001"))
	b.See("Which columns are these?")
	b.Accessible("the choice of columns")
	b.Pick("Extension", "PBX ID")
	b.Pick("Shoe Size", "Set aside: do not import it")
	b.Click("Go on")
	b.See("Records to insert")
	counted(b, 1, 0, 0)
	b.Open("/imports/new")
	b.Click("Select files…")
	b.Choose(odd("pnair14", "41002"))
	b.See("Records to insert")
	counted(b, 1, 0, 0)
	b.See("2 columns matched by hand")
	b.Quiet()
}

// What is wrong with the files as a whole is said at once, and names the file.
func TestConsoleFileProblems(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	nonsense := filepath.Join(t.TempDir(), "holidays.csv")
	if err := os.WriteFile(nonsense, []byte("Day,Place\nMonday,Oslo\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	b.Open("/users")
	b.Click("Select actions…")
	b.Click("Import users")
	b.Click("Select files…")
	b.Choose(nonsense)
	b.See("These files cannot be imported as they are")
	b.See("holidays.csv")
	b.See("The header fits none of the three templates")
	b.Click("Select other files")
	b.See("User detail template")
	b.Click("Select files…")
	b.Choose(details(t, userRow("lholm15", "41001", "Supervisor", "", "Cards Team 1")))
	b.See("Records to insert")
	b.Quiet()
}
