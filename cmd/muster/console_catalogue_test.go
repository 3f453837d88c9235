package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"muster/internal/web/browsertest"
)

// A channel is renamed and gets another default: who follows it is told of first, and the template has the new name at
// once. Then it is moved with the keyboard, retired, and brought back.
func TestConsoleChannels(t *testing.T) {
	t.Parallel()
	eachConsole(t, func(t *testing.T, c *console) {
		b := c.signedIn()
		b.Click("Catalogues")
		b.See("How many sessions of each kind")
		b.Accessible("the channels")
		b.Fits("the channels")
		b.Click("Text Chat")
		b.See("Who has it")
		b.Accessible("a channel")
		b.Type("Name", "Web Chat")
		b.Type("Default count", "9")
		b.Click("Save")
		b.See("the default 9 is above the highest 5")
		if got := browsertest.Eval[string](b, `document.querySelector('#name').value`); got != "Web Chat" {
			t.Errorf("what was typed is lost: %q", got)
		}
		b.Type("Default count", "3")
		b.Click("Save")
		b.See("1 user follows the default: they have 2 now, and 3 from then on.")
		b.Accessible("what saving does to users")
		b.Click("Save, and change 1 user")
		b.See("Saved.")
		if template := c.fetched(b.Cookies(), "/templates/ChannelCountDetails.csv"); !strings.Contains(template, "Voice,Web Chat,Audio Chat") {
			t.Errorf("the template: %s", template)
		}

		b.ClickOn(`document.querySelector('[aria-label="Move Web Chat up"]')`, "the arrow")
		b.Until(`document.querySelector('#catalogue tbody tr th a').textContent === 'Web Chat'`)
		b.Press("\t\r") // the arrow that leads down is the next stop
		b.Until(`document.querySelector('#catalogue tbody tr th a').textContent === 'Voice'`)

		b.Click("Fax")
		b.Click("Retire")
		b.See("Retired: who has it keeps it.")
		if template := c.fetched(b.Cookies(), "/templates/ChannelCountDetails.csv"); strings.Contains(template, "Fax") {
			t.Errorf("the template has a retired channel: %s", template)
		}
		b.Click("Fax")
		b.Click("Bring back")
		b.See("Back in use.")
		b.Quiet()
	})
}

// A CRM name that somebody has is replaced and deleted as a bulk action; one that nobody has goes at once. A list's value
// is renamed, and two people who change one entry do not lose each other's change.
func TestConsoleCatalogueEntries(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	lead := userRow("lholm15", "41001", "Supervisor", "", "Cards Team 1")
	lead[10] = "Siebel"
	c.upload(b.Cookies(), details(t, lead))
	b.Open("/batches/1")
	counted(b, 1, 0, 0)

	b.Open("/catalogues/crm-names")
	b.Click("Add CRM name")
	b.Type("Name", "Onyx")
	b.Press("\r")
	b.See("Saved.")
	b.Click("Onyx")
	b.Click("Delete Onyx")
	b.See("Deleted.")
	b.Click("Siebel")
	b.See("1 user has it.")
	b.Accessible("a CRM name in use")
	b.Pick("Its users get instead", "Salesforce")
	b.Click("Replace and delete…")
	b.Until(`location.pathname === '/batches/2'`)
	b.See("Preview")
	b.Accessible("the preview of a replacement")
	b.ClickOn(`document.querySelector('#apply')`, "the button that applies it")
	b.See("Nobody has the CRM name “Siebel” any more, and it is deleted.")
	b.Accessible("a replacement's result")
	b.See("lholm15")
	b.Click("Undo this")
	b.ClickOn(`document.querySelector('dialog .btn-danger')`, "the button that undoes it")
	b.See("Undone")
	b.Open("/catalogues/crm-names")
	b.Click("Siebel")
	b.See("1 user has it.")

	b.Open("/catalogues/features")
	b.Click("Manual In")
	b.Accessible("a list")
	other := b.Beside()
	other.Open(b.Path())
	other.Type("Value 2", "By hand")
	other.Click("Save")
	other.See("Saved.")
	b.Type("Name", "Manual mode")
	b.Click("Save")
	b.See("Somebody else changed it")
	b.See("changed it meanwhile (values")
	if got := browsertest.Eval[string](b, `document.querySelector('#name').value`); got != "Manual mode" {
		t.Errorf("what was typed is lost: %q", got)
	}
	b.Resize(375, 800, 1)
	b.Fits("a list on a telephone")
	b.Quiet()
}

// A setting holds from the next click on; what cannot be is said beside it.
func TestConsoleSettings(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	b.Click("Settings")
	b.See("Default: 90 days.")
	b.Accessible("the settings")
	b.Type("Keep files and reports", "0")
	b.Type("Largest file", "1")
	b.Click("Save settings")
	b.See("0 is not allowed; give a number from 1 to 36500")
	b.Accessible("a setting that cannot be")
	b.Type("Keep files and reports", "30")
	b.Click("Save settings")
	b.See("The settings hold from now on.")
	b.See("Not the default")
	if limits := c.fetched(b.Cookies(), "/imports/limits"); !strings.Contains(limits, `"bytes":1048576`) {
		t.Errorf("the limits: %s", limits)
	}
	b.Resize(375, 800, 1)
	b.Fits("the settings on a telephone")
	b.Type("End a session without use", "1")
	b.Click("Save settings")
	b.See("The settings hold from now on.")
	b.Quiet()
}

// fetched is what the address answers to who has the cookies.
func (c *console) fetched(cookies []*http.Cookie, path string) string {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.url+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		c.t.Fatalf("%s: %s, %v", path, answer.Status, err)
	}
	return string(body)
}
