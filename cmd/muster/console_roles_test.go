package main

import (
	"strings"
	"testing"

	"muster/internal/web/browsertest"
)

// A role is added, with something wrong at first; two people change it at once; it is renamed, and deleted.
func TestConsoleRoles(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	checked := func(value string) bool {
		return browsertest.Eval[bool](b, `document.querySelector('input[value="`+value+`"]').checked`)
	}
	b.Click("Roles")
	b.See("Quality Coach")
	b.Accessible("roles")
	b.Click("Add a role")
	b.Type("Name", "Mentor")
	b.Click("Users: access")
	b.Click("All of Pictures")
	b.Click("No face in view")
	b.Pick("No face in view: action", "Lock the desktop")
	b.Type("No face in view: delay in seconds", "soon")
	b.Click("Add the role")
	b.See("Give whole seconds, 0 or more.")
	if !checked("users:access") || !checked("pictures:delete") || browsertest.Eval[string](b, `document.querySelector('#name').value`) != "Mentor" {
		t.Error("what was typed is gone")
	}
	b.Accessible("a role that is refused")
	b.Type("No face in view: delay in seconds", "45")
	b.Press("\r") // Enter
	b.See("The role is added.")
	b.See("Who holds it")
	b.Accessible("a role")
	page := b.Path()

	// By keyboard, and somebody else is quicker.
	browsertest.Eval[bool](b, `(document.querySelector('input[value="users:edit"]').focus(), true)`)
	b.Press(" ")
	if !checked("users:edit") {
		t.Error("the space bar does not give a right")
	}
	other := b.Beside()
	other.Open(strings.Split(page, "?")[0])
	other.Click("Audit: access")
	other.Click("Save")
	other.See("The role is saved.")
	b.Click("Save")
	b.See(adminID + " changed it meanwhile")
	b.See("rights: + audit:access")
	if !checked("users:edit") || checked("audit:access") {
		t.Error("what was chosen is gone")
	}
	b.Accessible("a role that was changed meanwhile")
	b.Click("Save")
	b.See("The role is saved.")
	if !checked("users:edit") || checked("audit:access") {
		t.Error("the second save did not hold")
	}

	b.Click("Rename…")
	b.Type("New name", "Agent")
	b.Click("Rename")
	b.See("choose another name")
	b.Accessible("a name that is taken")
	b.Type("New name", "Guide")
	b.Click("Rename")
	b.See("The role is renamed")
	b.Click("Copy")
	b.See("Begins as a copy of Guide")
	b.Click("Add the role")
	b.See("Copy of Guide")
	b.Click("Delete…")
	b.See("Nobody holds the role")
	b.Click("Delete the role")
	b.See("The role is deleted.")
	if b.Sees("Copy of Guide") {
		t.Error("it is still there")
	}
	other.Close()
	b.Quiet()
}

// A role that is held is deleted when it is said what its holders get instead: a batch.
func TestConsoleDeleteHeldRole(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	lead := userRow("lholm15", "41001", "Supervisor", "", "Cards Team 1")
	lead[8], lead[9] = "Team Lead", "Own unit"
	c.upload(b.Cookies(), details(t, lead))
	b.Open("/batches/1")
	counted(b, 1, 0, 0)
	b.Open("/roles")
	b.Click("Team Lead")
	b.See("lholm15")
	b.Click("1 user in all")
	b.See("Has role Team Lead")
	b.See("lholm15")
	b.Open("/roles")
	b.Click("Team Lead")
	b.Click("Delete…")
	b.See("1 user holds the role.")
	b.Accessible("deleting a role that is held")
	b.Pick("Give them instead", "Agent")
	b.Click("Go on")
	b.Until(`location.pathname === '/batches/2'`)
	b.Quiet()
}

// An access role of org units that are found by typing.
func TestConsoleAccessRoles(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	b.Click("Access roles")
	b.See("Cards and Loans")
	b.Accessible("access roles")
	b.Click("Add an access role")
	b.Type("Name", "Municipality")
	b.Click("Add the access role")
	b.See("names no org units")
	b.Type("Org units", "municip")
	b.Until(`document.querySelectorAll('#unit-choice input').length > 0 && ![...document.querySelectorAll('#unit-choice input')].some(i => i.value === 'UAE / Retail')`)
	b.ClickOn(`document.querySelector('input[value="UAE / Government Services / Municipality"]')`, "the unit")
	b.Accessible("the choice of units")
	b.Type("Org units", "cards team 1")
	b.See("Chosen")
	b.ClickOn(`document.querySelector('input[value="UAE / Retail / Cards / Cards Team 1"]')`, "another unit")
	b.Click("Add the access role")
	b.See("The access role is added.")
	if n := browsertest.Eval[int](b, `document.querySelectorAll('#unit-choice input:checked').length`); n != 2 {
		t.Errorf("%d units are chosen", n)
	}
	b.Click("Own unit and below")
	b.Click("Save")
	b.See("The access role is saved.")
	if browsertest.Eval[bool](b, `document.querySelector('#find-unit').checkVisibility()`) {
		t.Error("units are offered for what goes by the user's own")
	}
	b.Click("Delete…")
	b.Click("Delete the access role")
	b.See("The access role is deleted.")
	b.Quiet()
}
