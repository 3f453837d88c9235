package web

import (
	"encoding/json"
	"time"

	"github.com/a-h/templ"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/useredit"
)

// editSpecimens are the windows of bulk edits and the pages of their batches, in their states.
func editSpecimens() []specimen {
	window := func(action int, change func(*editWindow)) func() templ.Component {
		return func() templ.Component {
			w := specimenWindow(action)
			change(w)
			return editView(w)
		}
	}
	page := func(change func(*batchPage)) func() templ.Component {
		return func() templ.Component {
			p := specimenEdit()
			change(p)
			return batchView(p)
		}
	}
	return []specimen{
		{Name: "edit-roles", Title: "Assign role", dialog: true, body: window(0, func(*editWindow) {})},
		{Name: "edit-roles-chosen", Title: "Assign role: what will change", dialog: true, body: window(0, specimenEffects)},
		{Name: "edit-roles-many", Title: "Assign role, to very many", dialog: true, body: window(0, func(w *editWindow) {
			specimenEffects(w)
			w.Set.Title, w.Set.Users = "all 812,345 users that match last name starts with “Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh-Cholmondeley”", 812_345
			w.Effects.Guard, w.Effects.Asks = batch.Guard{Users: 812_000, Of: 1_000_000}, true
		})},
		{Name: "edit-roles-nobody", Title: "Assign role: nobody would change", dialog: true, body: window(0, func(w *editWindow) {
			specimenEffects(w)
			w.Effects.Changes, w.Effects.Counts[0].Users, w.Effects.Left, w.Effects.Powers, w.Effects.ChangedSince, w.Effects.Nobody = 0, 0, nil, nil, 0, "They are all as you want them."
		})},
		{Name: "edit-roles-refused", Title: "Assign role, refused", dialog: true, body: window(0, func(w *editWindow) {
			w.Problem = "No role is chosen; choose one or more."
		})},
		{Name: "edit-roles-impossible", Title: "Assign role, impossible", dialog: true, body: window(0, func(w *editWindow) {
			w.Chosen.Remove, w.Chosen.Exactly = true, true
			w.Effects.Waits, w.Effects.Problem = "", "“Remove existing role” and “Set exactly these” exclude each other; choose one of them."
		})},
		{Name: "edit-roles-none", Title: "Assign role, without roles", dialog: true, body: window(0, func(w *editWindow) { w.Roles = nil })},
		{Name: "edit-status", Title: "Set status", dialog: true, body: window(1, func(w *editWindow) {
			w.Chosen.Status, w.Chosen.Release, w.Chosen.Reason = "inactive", true, "The site closes"
			w.Effects = &editEffects{Changes: 11, Counts: []editCount{{"changes", "Change", "green", 11}, {"same", "Already so", "grey", 0}, {"left", "Left out", "red", 1}}, LeftOut: 1,
				Left: []editLeft{{Code: "user.last_administrator", Why: "stays as they are: nobody else would be left who can sign in and manage users and roles everywhere (ahaddad)", Users: 1}}}
		})},
		{Name: "edit-unit", Title: "Move to org unit", dialog: true, body: window(2, func(w *editWindow) {
			w.Units, w.MoreUnits, w.TeamsOnly, w.Chosen.Unit = []directory.OrgUnit{{ID: 3, FullName: "UAE / Retail / Cards / Cards Team 1"}, {ID: 4, FullName: "UAE / Retail / Cards / Cards Team 2"}}, 120, true, 3
		})},
		{Name: "edit-unit-none", Title: "Move to org unit: none is called that", dialog: true, body: window(2, func(w *editWindow) { w.TeamsOnly, w.Chosen.Find = true, "Kards" })},
		{Name: "edit-supervisor", Title: "Change supervisor", dialog: true, body: window(3, func(w *editWindow) { w.Chosen.Supervisor = "pnair14" })},
		{Name: "edit-unknown", Title: "Users from a file, some unknown", dialog: true, body: window(3, func(w *editWindow) {
			w.Set.Title, w.Set.Unknown, w.Set.UnknownLANIDs = "leavers.csv: 12 users", 7, []string{"jdoe1", "jdoe2", "<script>"}
		})},
		{Name: "edit-page", Title: "Assign role, without a script", body: func() templ.Component {
			w := specimenWindow(0)
			w.Over = false
			return editPageView(w)
		}},
		{Name: "edit-file", Title: "Users from a file", dialog: true, body: func() templ.Component { return editFileView(&editFile{Action: useredit.AssignRole}) }},
		{Name: "edit-file-refused", Title: "Users from a file, refused", dialog: true, body: func() templ.Component {
			return editFileView(&editFile{Action: useredit.SetStatus, Typed: "jdoe1\njdoe2", Problem: "None of the LAN IDs belongs to a user whom you may see; look at the list again."})
		}},
		{Name: "edit-preview", Title: "Assign role: the preview", body: page(func(p *batchPage) {
			p.State, p.Edit.Preview = batch.Ready, true
			saysAgain(p)
			p.Edit.Rows[0].Before, p.Edit.Rows[0].After = "Agent Basic", "Agent Basic; Quality Coach"
		})},
		{Name: "edit-running", Title: "A bulk edit that runs", body: page(func(p *batchPage) {
			p.State, p.Phase, p.Done, p.Total, p.still = batch.Applying, "applying", 212_000, 812_000, true
		})},
		{Name: "edit-done", Title: "Assign role: the result", body: page(func(*batchPage) {})},
		{Name: "edit-left", Title: "Assign role: left out", body: page(func(p *batchPage) {
			p.Edit.Show, p.Edit.Codes = directory.Invalid, []batch.RowCount{{Code: "user.too_much", Rows: 1}, {Code: "user.gone", Rows: 1}}
			p.Edit.Rows = []useredit.Row{{LANID: "ahaddad", Name: "Amira Haddad", Before: "Agent Basic", After: "Agent Basic", Outcome: directory.Invalid, Was: directory.Updated,
				Problems: []directory.Problem{{Code: "user.too_much", Message: "With their other roles and their access role, ahaddad could do more than you."}}}}
		})},
		{Name: "edit-undone", Title: "Assign role, undone", body: page(func(p *batchPage) {
			p.State, p.Undone, p.Edit.Undone = batch.Undone, 8, "8 users got back what they had. Others stay as they are; they are listed below."
			p.Edit.Rows[0].Undone = true
			p.Kept = &keptPart{Users: []batch.Entry{{LANID: "ohassan3", Problems: []directory.Problem{{Code: "undo.changed_since", Message: "ohassan3 stays as they are: somebody changed this user since."}}}}}
		})},
	}
}

func specimenWindow(action int) *editWindow {
	a := editActions[action]
	brings := rightsWords([]directory.Right{"users:access", "users:edit", "batches:access"})
	return &editWindow{
		Action: a, Over: true, Set: &useredit.Set{ID: "specimen", Users: 12, At: time.Now(), Title: "12 picked users"}, Effects: &editEffects{Waits: waitsWords(a.Name)},
		Roles: []editRole{
			{ID: 1, Name: "Agent Basic", Brings: "no rights · 1 rule", Given: true}, {ID: 2, Name: "Quality Coach", Brings: brings, Given: true},
			{ID: 3, Name: "Team Lead", Brings: brings, Given: true}, {ID: 4, Name: "Administrator", Brings: "all rights"},
		},
	}
}

// specimenEffects are the consequences of a choice in the window.
func specimenEffects(w *editWindow) {
	w.Roles[1].Chosen = true
	w.Effects = &editEffects{
		Changes: 9, ChangedSince: 2, LeftOut: 1, Notes: []string{"1 user is left without any role. That is allowed; they can do nothing then."},
		Counts: []editCount{{"changes", "Gain a role", "green", 9}, {"same", "Have it already", "grey", 2}, {"left", "Left out", "red", 1}},
		Left:   []editLeft{{Code: "user.too_much", Why: "could do more than you, with their other roles and their access role (ahaddad)", Users: 1}},
		Powers: []editPowers{{Title: "Rights and rules that come", Rights: []string{"Users: access, edit", "Bulk actions of others: access"}, Rules: []string{"No face in view: lock the desktop after 30 s"}}},
		Roles:  []editRoleEffect{{Name: "Quality Coach", Counts: "9 gain it · 2 have it already", Rights: "users: access, edit · batches: access", Rules: "No face in view: lock the desktop after 30 s"}},
	}
}

// specimenEdit is an edit that is done, seen by who made it.
func specimenEdit() *batchPage {
	now := time.Now()
	options, err := json.Marshal(useredit.EditOptions{Edit: useredit.Edit{Roles: &directory.RoleEdit{Mode: directory.AddRoles, Roles: []int64{2}}}, Names: []string{"Quality Coach"}, Title: "12 picked users", Users: 12})
	if err != nil {
		panic("web: options always marshal: " + err.Error())
	}
	row := func(lan, name string) useredit.Row {
		return useredit.Row{LANID: lan, Name: name, After: "Quality Coach", Outcome: directory.Updated}
	}
	changed := row("ohassan3", "Omar Hassan")
	changed.Problems = []directory.Problem{{Code: changedSinceCode, Severity: directory.Note, Message: "ohassan3 had changed since the window was opened."}}
	p := &batchPage{
		Batch: &batch.Batch{ID: 15, Action: useredit.AssignRole, State: batch.Done, Owner: "ahaddad", Options: options, Work: json.RawMessage("{}"), CreatedAt: now.Add(-time.Hour),
			Busy: 2 * time.Second, Counts: batch.Counts{Rows: 12, Updated: 9, Unchanged: 2, Invalid: 1}},
		Who: "you", MayAct: true,
		Edit: &editPart{Show: directory.Updated, Rows: []useredit.Row{row("pnair14", "Priya Nair"), changed}},
	}
	saysAgain(p)
	p.Edit.Since = 1
	return p
}
