package web

import (
	"strings"
	"time"

	"github.com/a-h/templ"

	"muster/internal/directory"
)

// oneUserSpecimens are the pages of one user and their dialogs in their states.
func oneUserSpecimens() []specimen {
	page := func(change func(*userPage)) func() templ.Component {
		return func() templ.Component {
			p := specimenUser()
			change(p)
			return userPageView(p)
		}
	}
	form := func(id int64, change func(*userForm)) func() templ.Component {
		return func() templ.Component {
			f := specimenForm(id)
			change(f)
			return userFormView(f)
		}
	}
	dialog := func(view func(*userDialog) templ.Component, change func(*userDialog)) func() templ.Component {
		return func() templ.Component {
			d := &userDialog{User: specimenUser().User, MayMove: true}
			change(d)
			return view(d)
		}
	}
	const quicker = "Ahaddad changed pnair14 meanwhile (2026-03-01 10:12 UTC); look at what they are now, and do it again."
	return []specimen{
		{Name: "user", Title: "A user", body: page(func(*userPage) {})},
		{Name: "user-saved", Title: "A user, just saved", body: page(func(p *userPage) { p.Done = "saved" })},
		{Name: "user-bare", Title: "A user with nothing, by who may only look", body: page(func(p *userPage) {
			p.MayEdit, p.MayDelete, p.MayLink, p.Has, p.MayPicture, p.MayRemovePicture = false, false, false, false, false, false
			p.User = directory.User{ID: 9, LANID: "root", FirstName: "<script>alert(1)</script>", LastName: strings.Repeat("Featherstonehaugh", 4), Profile: directory.Agent, Status: directory.Inactive, ChangedBy: "system", ChangedAt: time.Now()}
			p.Rights, p.Reports, p.History, p.Channels, p.Features, p.Imported = directory.UserRights{}, userReportsPart{}, userHistoryPart{}, nil, nil, importedBy{}
		})},
		{Name: "user-new", Title: "Add user", body: form(0, func(*userForm) {})},
		{Name: "user-new-refused", Title: "Add user, with what is to be mended", body: form(0, func(f *userForm) {
			f.In = specimenInput()
			f.Found = specimenProblems()
		})},
		{Name: "user-new-summary", Title: "Add user, the summary", body: form(0, func(f *userForm) { f.In, f.Step = specimenInput(), "summary" })},
		{Name: "user-edit-channels", Title: "Edit, channel counts", body: form(5, func(f *userForm) { f.Step = "channels" })},
		{Name: "user-edit-features", Title: "Edit, features", body: form(5, func(f *userForm) { f.Step = "features" })},
		{Name: "user-edit-roles", Title: "Edit, roles", body: form(5, func(f *userForm) { f.Step = "roles" })},
		{Name: "user-edit-conflict", Title: "Edit, somebody was quicker", body: form(5, func(f *userForm) { f.Conflict = specimenConflict() })},
		{Name: "user-edit-failed", Title: "Edit, refused", body: form(5, func(f *userForm) {
			f.Failure = "Nobody would be left who can sign in with users:edit and roles:edit everywhere, so nothing was changed; make somebody else an administrator first."
		})},
		{Name: "user-deactivate", Title: "Deactivate", dialog: true, body: dialog(deactivateView, func(*userDialog) {})},
		{Name: "user-deactivate-refused", Title: "Deactivate, refused", dialog: true, body: dialog(deactivateView, func(d *userDialog) { d.Failure, d.Reason = quicker, "Left the company" })},
		{Name: "user-reactivate", Title: "Reactivate", dialog: true, body: dialog(reactivateView, func(*userDialog) {})},
		{Name: "user-reactivate-pbx", Title: "Reactivate, with a new PBX ID", dialog: true, body: dialog(reactivateView, func(d *userDialog) {
			d.PBXID, d.PBX = "", "41001"
			d.Problems = []directory.Problem{{Code: "pbx_id.taken", Severity: directory.Error, Message: "PBX ID 41001 is that of lholm15; give another."}}
		})},
		{Name: "user-delete", Title: "Delete", dialog: true, body: dialog(deleteView, func(*userDialog) {})},
		{Name: "user-delete-reports", Title: "Delete, with reports", dialog: true, body: dialog(deleteView, func(d *userDialog) { d.Reports, d.HasMoved, d.Moved, d.Left = 12, true, 3, 9 })},
		{Name: "user-deleted", Title: "A deleted user", body: func() templ.Component {
			return deletedView(&deletedPage{LANID: "pnair14", Audit: true, MayErase: true, Entries: specimenUser().History.Entries, Failure: "What was typed is not the LAN ID; type it exactly as it is shown, so that nobody is erased by mistake."})
		}},
		{Name: "user-deleted-nobody", Title: "A deleted user whom nobody knows", body: func() templ.Component { return deletedView(&deletedPage{LANID: "nobody1", Audit: true}) }},
		{Name: "user-erased", Title: "Personal data erased", body: func() templ.Component { return deletedView(&deletedPage{Audit: true, Erased: true}) }},
	}
}

func specimenUser() *userPage {
	u := specimenUsers().Users[0]
	u.ID, u.LANID, u.FirstName, u.LastName, u.Email, u.Profile, u.BatchID = 5, "pnair14", "Priya", "Nair", "priya.nair@example.com", directory.Supervisor, 12
	u.Supervisor, u.SupervisorName, u.Roles, u.AccessRole, u.GreetingTemplate = "ahaddad", "Amira Haddad", []string{"Agent", "Team Lead"}, "Own unit and below", "Standard"
	u.ChannelCounts, u.Features = map[string]int{"Voice": 1, "Text Chat": 4}, map[string]string{"CRM Enabled": "no", "Manual In": "Auto In"}
	cfg := specimenUserConfiguration()
	where := "in UAE / Retail and below"
	facts := directory.Picture{Format: "jpeg", Width: 800, Height: 1000, Bytes: 212_345}
	p := &userPage{User: u, Channels: cfg.Channels, Features: cfg.Features, Supervisor: 1, Imported: importedBy{12, true}, MayEdit: true, MayDelete: true, MayLink: true, Has: true, Facts: facts, MayPicture: true, MayRemovePicture: true}
	p.Rights.Rights = []directory.RightFrom{{Right: "users:access", Roles: []string{"Agent", "Team Lead"}, Where: where}, {Right: "users:edit", Roles: []string{"Team Lead"}, Where: where}, {Right: "batches:access", Roles: []string{"Team Lead"}, Where: where}}
	lock := directory.RuleFrom{Roles: []string{"Agent", "Team Lead"}, ActionFrom: []string{"Agent"}, DelayFrom: []string{"Team Lead"}}
	lock.Rule = directory.Rule{Rule: "no-face-in-view", Action: "lock", DelaySeconds: 30}
	usb := directory.RuleFrom{Roles: []string{"Agent"}, ActionFrom: []string{"Agent"}, DelayFrom: []string{"Agent"}}
	usb.Rule = directory.Rule{Rule: "usb-storage", Action: "warn"}
	p.Rights.Rules = []directory.RuleFrom{lock, usb}
	p.Reports = userReportsPart{ID: u.ID, Users: specimenUsers().Users[5:], Total: 12, Next: "user1"}
	now := time.Now()
	p.History = userHistoryPart{ID: u.ID, Next: 4, Look: map[int64]bool{12: true}, Entries: []directory.AuditEntry{
		{ID: 9, At: now.Add(-2 * time.Hour).UnixMicro(), Actor: "ahaddad", Source: "web", Action: "update", Subject: "user", Name: "pnair14", Reason: "New team",
			Before: `{"org_unit":"UAE / Retail / Cards / Cards Team 2","roles":["Agent"],"channel_counts.Voice":2}`, After: `{"org_unit":"UAE / Retail / Cards / Cards Team 1","roles":["Agent","Team Lead"],"channel_counts.Voice":null}`},
		{ID: 8, At: now.Add(-50 * time.Hour).UnixMicro(), Actor: "ahaddad", Source: "web", Action: "reactivate", Subject: "user", Name: "pnair14", Before: `{"status":"inactive"}`, After: `{"status":"active"}`},
		{ID: 4, At: now.Add(-900 * time.Hour).UnixMicro(), Actor: "ohassan3", Source: "cli", Action: "import-users", Subject: "user", Name: "pnair14", BatchID: 12, After: `{"lan_id":"pnair14","first_name":"Priya"}`},
	}}
	return p
}

func specimenUserConfiguration() *directory.Configuration {
	cfg := specimenConfiguration()
	cfg.Levels = []string{"Country", "Division", "Department", "Team"}
	cfg.Roles = []directory.Role{{Name: "Administrator", Rights: directory.AllRights()}, {Name: "Agent", Rights: rightsSpecimen("users:access")},
		{Name: "Team Lead", Rights: rightsSpecimen("users:access", "users:edit", "batches:access")}, {Name: "Site Manager", Rights: rightsSpecimen("settings:edit")}}
	cfg.AccessRoles = []directory.AccessRole{{Name: "Own unit and below", Scope: "own-unit-and-below"}, {Name: "Retail", Scope: "units", Units: []string{"UAE / Retail"}}}
	cfg.Channels = []directory.Channel{{ID: 1, Name: "Voice", Default: 1, Highest: 1}, {ID: 2, Name: "Text Chat", Default: 2, Highest: 5}}
	cfg.Features = []directory.Feature{{ID: 1, Name: "CRM Enabled", Kind: "switch", Default: "yes"}, {ID: 2, Name: "Manual In", Kind: "list", Values: []string{"Auto In", "Manual In"}, Default: "Auto In"}}
	return cfg
}

func rightsSpecimen(rights ...directory.Right) []directory.Right { return rights }

func specimenForm(id int64) *userForm {
	f := &userForm{ID: id, Step: "personal", cfg: specimenUserConfiguration(),
		actor: directory.Person("ahaddad", "web", rightsSpecimen("users:access", "users:edit", "batches:access"), directory.Everywhere())}
	if id != 0 {
		u := specimenUser().User
		f.Name, f.Version, f.Profile, f.Held, f.In, f.SupervisorIs = fullName(&u), 3, u.Profile, u.Roles, f.usual(u.Input()), "Amira Haddad"
	}
	return f
}

func specimenInput() directory.UserInput {
	return directory.UserInput{LANID: "p nair", FirstName: "Priya", LastName: "<script>alert(1)</script>", PBXID: "41001", Profile: "Agent", Supervisor: "lholm15", OrgUnit: "Cards Team", Roles: []string{"Agent"}}
}

func specimenProblems() []directory.Problem {
	return []directory.Problem{
		{Column: "LAN ID", Code: "lan_id.special_characters", Severity: directory.Error, Value: "p nair", Message: "LAN ID \"p nair\" has special characters; only A–Z, a–z and 0–9 may be used."},
		{Column: "Agent ID", Code: "agent_id.defaulted", Severity: directory.Note, Message: "Agent ID is blank: the LAN ID p nair is used."},
		{Column: "Org Unit", Code: "org_unit.unknown", Severity: directory.Error, Value: "Cards Team", Suggestion: "Cards Team 1", Message: "There is no org unit \"Cards Team\"; use a name exactly as it is in the org structure."},
		{Column: "Supervisor", Code: "supervisor.other_branch", Severity: directory.Warning, Message: "lholm15 is in another branch of the org structure."},
		{Column: "Text Chat", Code: "channel.too_high", Severity: directory.Error, Value: "9", Message: "Text Chat 9 is more than the highest count, 5; enter 0 to 5."},
	}
}

func specimenConflict() *directory.UserConflict {
	return &directory.UserConflict{By: "ohassan3", At: time.Now().Add(-2 * time.Minute), Now: specimenUser().User, Fields: []directory.FieldConflict{
		{Field: "last_name", Before: "Nair", Now: "Nair-Holm", Yours: "Nair-Khan"},
		{Field: "email", Before: "", Now: "p@example.com", Yours: ""},
		{Field: "roles", Before: "Agent", Now: "Agent, Team Lead", Yours: "Agent, Team Lead", Same: true},
		{Field: "channel_counts.Text Chat", Now: "4", Yours: "3", Unknown: true},
		{Field: "status", Before: "inactive", Now: "active", Yours: "active", Same: true},
	}}
}
