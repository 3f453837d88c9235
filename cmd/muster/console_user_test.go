package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"muster/internal/web/browsertest"
)

// withLeads is a console with two supervisors: lholm15, whose PBX ID is 41001, and pnair14 (41002), both in Cards Team 1.
func withLeads(t *testing.T, c *console) *browsertest.Tab {
	t.Helper()
	b := c.signedIn()
	lead := userRow("lholm15", "41001", "Supervisor", "", "Cards Team 1")
	lead[8], lead[9] = "Team Lead", "Own unit"
	other := userRow("pnair14", "41002", "Supervisor", "", "Cards Team 1")
	other[1], other[2] = "Priya", "Nair"
	c.upload(b.Cookies(), details(t, lead, other))
	b.Open("/batches/1")
	counted(b, 2, 0, 0)
	return b
}

// openUser goes to a user's page by the grid.
func openUser(b *browsertest.Tab, lanID, name string) {
	b.T.Helper()
	b.Open("/users?q=" + lanID)
	b.See(lanID)
	b.Click(name)
	b.Until(`/^\/users\/\d+$/.test(location.pathname) && document.readyState === 'complete'`)
	b.See("Personal info")
}

// value waits until a field has a value.
func value(b *browsertest.Tab, id, want string) {
	b.T.Helper()
	b.Until(fmt.Sprintf("document.getElementById(%q).value === %q", id, want))
}

// noted waits for what is said below a field.
func noted(b *browsertest.Tab, id, words string) {
	b.T.Helper()
	b.Until(fmt.Sprintf("document.getElementById('note-' + %q).innerText.includes(%q)", id, words))
}

// at waits until a step is shown.
func at(b *browsertest.Tab, step string) {
	b.T.Helper()
	b.Until(fmt.Sprintf("document.querySelector('#user-form').dataset.at === %q", step))
}

// Somebody is added with the mouse: what is wrong is said while typing, by the rules of the import, and nothing moves.
func TestConsoleUserAdd(t *testing.T) {
	t.Parallel()
	eachConsole(t, func(t *testing.T, c *console) {
		b := withLeads(t, c)
		b.Open("/users")
		b.Click("Add user")
		b.See("Who it is, and where they belong.")
		where := `Math.round(document.getElementById('supervisor').getBoundingClientRect().top)`
		before := browsertest.Eval[int](b, where)
		b.Type("LAN ID", "LHOLM15")
		noted(b, "lan_id", "in the directory")
		if !browsertest.Eval[bool](b, `document.activeElement.id === 'lan_id' && document.activeElement.value === 'LHOLM15' && document.activeElement.getAttribute('aria-invalid') === 'true'`) {
			t.Error("the check took the focus or what was typed, or does not mark the field")
		}
		if after := browsertest.Eval[int](b, where); after != before {
			t.Errorf("the form moved by %d pixels", after-before)
		}
		if b.Sees("First Name is blank") {
			t.Error("a field is complained about that nobody has been in")
		}
		b.Type("LAN ID", "msmith2")
		noted(b, "lan_id", "The unique name")
		b.Type("PBX ID", "41001")
		noted(b, "pbx_id", "lholm15")
		b.Type("PBX ID", "41003")
		b.Type("E-mail", "nonsense")
		noted(b, "email", "is no address")
		b.Type("E-mail", "m@example.com")
		b.Pick("Profile", "Agent")
		b.Type("Supervisor", "Lena")
		b.Until(`[...document.querySelectorAll('#list-supervisor option')].some(o => o.value === 'lholm15' && o.label.includes('Lena Holm'))`)
		noted(b, "supervisor", "Lena")
		b.Type("Supervisor", "lholm15")
		noted(b, "supervisor", "Lena Holm, UAE / Retail / Cards / Cards Team 1")
		b.Type("Org unit", "UAE / Retail / Cards")
		b.Until(`document.querySelectorAll('#list-org_unit option').length > 5`)
		noted(b, "org_unit", "an agent belongs to a Team")
		b.Type("Org unit", "Cards Team 99")
		b.Click("Use “Cards Team")
		noted(b, "org_unit", "Agents belong")
		b.Click("Next: Profile picture")
		noted(b, "first_name", "First Name is blank")
		b.Until(`document.activeElement.id === 'first_name'`)
		b.Accessible("a step with something to mend")
		b.Type("First name", "Mary")
		b.Type("Last name", "<script>document.title='bad'</script>")
		b.Click("Next: Profile picture")
		at(b, "picture")
		b.Click("Next: Channel counts")
		at(b, "channels")
		b.Type("Text Chat", "9")
		b.Click("Next: Features")
		b.See("is more than the highest count")
		b.Type("Text Chat", "3")
		b.Click("Next: Features")
		at(b, "features")
		b.Pick("CRM Enabled", "no")
		b.Click("Next: Roles")
		at(b, "roles")
		b.Click("Next: Summary")
		noted(b, "role", "Role is blank")
		b.Click("Agent users")
		b.Click("Next: Summary")
		at(b, "summary")
		b.Until(`document.querySelector('#user-summary').innerText.includes('msmith2') && document.querySelector('#user-summary').innerText.includes('CRM Enabled')`)
		b.Accessible("the summary")
		b.Click("Add user")
		b.See("They are in the directory now")
		b.See("m@example.com")
		b.See("<script>document.title='bad'</script>")
		b.See("usual: 2")
		b.See("Agent gives users:access nowhere")
		b.See("lock the desktop after 60 s")
		b.Accessible("the user's page")
		id := strings.TrimPrefix(b.Path(), "/users/")
		b.Reload()
		if b.Sees("They are in the directory now") {
			t.Error("it is said again")
		}
		openUser(b, "lholm15", "Lena Holm")
		b.See("People who report to Lena 1")
		b.ClickOn(`document.querySelector('#user-reports a')`, "who reports to her")
		b.Until(`location.pathname === '/users/` + id + `'`)
		b.Quiet()
	})
}

// The same by the keyboard alone, and back and forth between the steps without losing anything.
func TestConsoleUserKeyboard(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := withLeads(t, c)
	b.Open("/users")
	tabTo(b, "Add user")
	b.Press(kb.Enter)
	b.See("Who it is, and where they belong.")
	b.Until(`document.readyState === 'complete'`)
	for _, f := range [][2]string{{"First name", "Mary"}, {"Last name", "Smith"}, {"LAN ID", "msmith2"}, {"PBX ID", "41003"}, {"Profile", "Ag"}, {"Supervisor", "lholm15"}, {"Org unit", "Cards Team 1"}} {
		tabTo(b, f[0])
		b.Press(f[1])
	}
	value(b, "profile", "Agent")
	b.Press(kb.Escape) // the list of suggestions
	b.Press(kb.Enter)
	at(b, "picture")
	b.Until(`document.activeElement.id === 'title-picture'`)
	tabTo(b, "Next: Channel counts")
	b.Press(kb.Enter)
	at(b, "channels")
	b.Until(`document.activeElement.id === 'title-channels'`)
	tabTo(b, "Text Chat")
	b.Press("4" + kb.Enter)
	at(b, "features")
	tabTo(b, "Next: Roles")
	b.Press(kb.Enter)
	at(b, "roles")
	tabTo(b, "Agent users")
	b.Press(" ")
	browsertest.Eval[bool](b, "(history.back(), true)")
	at(b, "features")
	tabTo(b, "Back")
	b.Press(kb.Enter)
	at(b, "channels")
	value(b, browsertest.Eval[string](b, `[...document.querySelectorAll('label')].find(l => l.innerText === 'Text Chat').htmlFor`), "4")
	for _, next := range []string{"features", "roles", "summary"} {
		tabTo(b, "Next: "+strings.ToUpper(next[:1])+next[1:])
		b.Press(kb.Enter)
		at(b, next)
	}
	tabTo(b, "Add user")
	b.Press(kb.Enter)
	b.See("They are in the directory now")
	b.See("Smith")

	// From the grid to the user and into the dialogs.
	b.Open("/users?q=msmith2")
	b.See("msmith2")
	b.Press(kb.ArrowDown + kb.Enter)
	b.Until(`/^\/users\/\d+$/.test(location.pathname) && document.readyState === 'complete'`)
	tabTo(b, "More")
	b.Press(kb.Enter + kb.ArrowDown + kb.Enter)
	b.See("Deactivate Mary Smith")
	b.Until(`document.activeElement.id === 'reason'`)
	b.Press("Left" + kb.Enter)
	b.See("Their sessions have ended")
	b.Quiet()
}

// Two edit one user. The second sees what the first did, field by field, and nothing of either is lost.
func TestConsoleUserTwoEditors(t *testing.T) {
	t.Parallel()
	eachConsole(t, func(t *testing.T, c *console) {
		b := withLeads(t, c)
		openUser(b, "pnair14", "Priya Nair")
		path := b.Path()
		other := browsertest.New(t, c.url)
		signIn(other, adminID, adminPassword)
		for _, tab := range []*browsertest.Tab{b, other} {
			tab.Open(path + "/edit")
			tab.See("Edit Priya Nair")
		}
		other.Type("First name", "Priyanka")
		other.Type("Last name", "Nair-Holm")
		other.Type("Reason", "Married")
		other.Click("Save")
		other.See("Saved")
		b.Type("Last name", "Nair-Khan")
		b.Type("E-mail", "priya@example.com")
		b.Click("5 Roles")
		b.Click("Quality Coach")
		b.Click("Save")
		b.See("Not saved yet: " + adminID + " changed Priyanka Nair-Holm meanwhile")
		b.See("You had not changed it: it stays as it is now.")
		b.Accessible("the conflict")
		b.Resize(375, 800, 1)
		b.Fits("the conflict at 375 pixels")
		b.Resize(1440, 900, 1)
		b.Click("1 Personal info")
		value(b, "first_name", "Priyanka")
		value(b, "last_name", "Nair-Khan")
		value(b, "email", "priya@example.com")
		b.Click("Last name, as it is now: Nair-Holm")
		value(b, "last_name", "Nair-Holm")
		b.Click("Last name, yours: Nair-Khan")
		value(b, "last_name", "Nair-Khan")
		b.Click("Last name, as it is now: Nair-Holm")
		b.Click("Save")
		b.See("Saved")
		for _, words := range []string{"Priyanka Nair-Holm", "priya@example.com", "Quality Coach", "Married"} {
			b.See(words)
		}
		b.Until(`[...document.querySelectorAll('.user-changes tr')].some(r => r.innerText.replace(/\s+/g, ' ') === 'Last name Nair Nair-Holm')`)

		// Overwriting knowingly.
		for _, tab := range []*browsertest.Tab{b, other} {
			tab.Open(path + "/edit")
		}
		other.Type("Last name", "Holm")
		other.Click("Save")
		other.See("Saved")
		b.Type("Last name", "Khan")
		b.Click("Save")
		b.See("meanwhile")
		b.Click("Save")
		b.See("Saved")
		b.See("Priyanka Khan")
		b.Quiet()
		other.Quiet()
	})
}

// Who is signed out while typing keeps what was typed.
func TestConsoleUserSignedOut(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := withLeads(t, c)
	openUser(b, "pnair14", "Priya Nair")
	b.Open(b.Path() + "/edit")
	beside := b.Beside()
	beside.Open("/account")
	beside.Click("Sign out everywhere")
	beside.See("Sign in")
	b.Type("First name", "Priyanka")
	b.See("You are signed out")
	b.Click("Save")
	b.Until(`!document.querySelector('#user-save').disabled`)
	value(b, "first_name", "Priyanka")
	signIn(beside, adminID, adminPassword)
	b.Click("Save")
	b.See("Saved")
	b.See("Priyanka Nair")
}

// Who is deactivated is out at the next click; reactivated with another PBX ID, they are back.
func TestConsoleUserDeactivate(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := withLeads(t, c)
	openUser(b, "lholm15", "Lena Holm")
	path := b.Path()
	b.Click("More")
	b.Click("Make a sign-in link")
	b.See("Sign-in link for Lena Holm")
	lead := browsertest.New(t, c.url)
	lead.Open(strings.TrimPrefix(browsertest.Eval[string](b, `document.querySelector('#made-link').value`), c.url))
	lead.Type("Password", "a quiet lake at night")
	lead.Type("Password, again", "a quiet lake at night")
	lead.Click("Set the password and sign in")
	lead.See("User Onboarding")
	b.Click("Close")

	b.Click("More")
	b.Click("Deactivate…")
	b.See("Deactivate Lena Holm")
	b.Accessible("the Deactivate dialog")
	b.ClickOn(`document.querySelector('#dialog .btn-go')`, "Deactivate")
	b.See("takes a reason")
	b.Accessible("the Deactivate dialog without a reason")
	b.Type("Reason", "Left <b>the</b> company")
	b.Click("Release the PBX ID 41001")
	b.ClickOn(`document.querySelector('#dialog .btn-go')`, "Deactivate")
	b.See("Their sessions have ended")
	b.See("Reason: Left <b>the</b> company")
	lead.Click("User Onboarding")
	lead.Until(`location.pathname === '/sign-in'`)

	b.Open(path + "/reactivate") // without a script it is a page of its own
	b.See("The old one was released")
	b.Accessible("Reactivate as a page")
	b.Open(path)
	b.Click("More")
	b.Click("Reactivate…")
	b.Type("New PBX ID", "41002")
	b.ClickOn(`document.querySelector('#dialog .btn-go')`, "Reactivate")
	b.See("pnair14")
	b.Type("New PBX ID", "41009")
	b.ClickOn(`document.querySelector('#dialog .btn-go')`, "Reactivate")
	b.See("They can be used again")
	b.See("41009")
	b.Quiet()
}

// Deleting somebody with reports: these are moved first, in place. Afterwards the personal data can be erased.
func TestConsoleUserDelete(t *testing.T) {
	t.Parallel()
	eachConsole(t, func(t *testing.T, c *console) {
		b := withLeads(t, c)
		c.upload(b.Cookies(), details(t, userRow("agent1", "42001", "Agent", "lholm15", "Cards Team 1"), userRow("agent2", "42002", "Agent", "lholm15", "Cards Team 1")))
		b.Open("/batches/2")
		counted(b, 2, 0, 0)
		openUser(b, "lholm15", "Lena Holm")
		b.Click("More")
		b.Click("Delete…")
		b.See("2 people report to them")
		b.Accessible("the Delete dialog with reports")
		b.Type("Move them to", "agent1")
		b.Click("Move 2 people")
		b.See("Not done")
		b.Type("Move them to", "pnair14")
		b.Click("Move 2 people")
		b.See("2 people moved to pnair14")
		b.Accessible("the Delete dialog")
		b.Type("Reason", "Left")
		b.ClickOn(`document.querySelector('#dialog .btn-go')`, "Delete")
		b.See("Deleted user lholm15")
		b.See("Reason: Left")
		b.Accessible("a deleted user")
		b.Type("LAN ID, once more", "somebody")
		b.Click("Erase for good")
		b.See("is not the LAN ID")
		b.Type("LAN ID, once more", "lholm15")
		b.Click("Erase for good")
		b.See("Personal data erased")
		b.Open("/users/deleted?lan_id=lholm15")
		b.See("The audit says nothing of lholm15")
		openUser(b, "pnair14", "Priya Nair")
		b.See("People who report to Priya 2")
		b.Quiet()
	})
}

// The pages of a user as they come out of the directory: light and dark, narrow, at 200 %.
func TestConsoleUserLook(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := withLeads(t, c)
	openUser(b, "lholm15", "Lena Holm")
	user := b.Path()
	for _, path := range []string{"/users/new", "/users/new#step-roles", user, user + "/edit", user + "/edit#step-channels", user + "/edit#step-features", user + "/edit#step-roles",
		user + "/deactivate", user + "/delete", "/users/deleted", "/users/999999"} {
		look(b, path)
	}
	b.Quiet()
}
