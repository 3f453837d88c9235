package web

import (
	"time"

	"github.com/a-h/templ"

	"muster/internal/directory"
)

// roleSpecimens are the pages of roles and access roles, and their dialogs, in their states.
func roleSpecimens() []specimen {
	page := func(change func(*rolePage)) func() templ.Component {
		return func() templ.Component {
			p := specimenRole()
			change(p)
			return roleView(p)
		}
	}
	access := func(change func(*accessRolePage)) func() templ.Component {
		return func() templ.Component {
			p := specimenAccessRole()
			change(p)
			return accessRoleView(p)
		}
	}
	return []specimen{
		{Name: "roles", Title: "Roles", body: func() templ.Component {
			return rolesView(rolesPage{MayAdd: true, SeeUsers: true, Said: "The role is deleted.", Rows: []directory.HeldRole{
				{Role: directory.Role{ID: 1, Name: "Administrator", Rights: directory.AllRights()}, Holders: 2},
				{Role: directory.Role{ID: 2, Name: "Agent Basic"}, Holders: 18204},
				{Role: specimenTeamLead(), Holders: 1},
				{Role: directory.Role{ID: 4, Name: "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh-Cholmondeley <b>"}},
			}})
		}},
		{Name: "roles-none", Title: "No roles", body: func() templ.Component { return rolesView(rolesPage{MayAdd: true}) }},
		{Name: "role", Title: "Role", body: page(func(*rolePage) {})},
		{Name: "role-new", Title: "Role, new", body: page(func(p *rolePage) { p.ID, p.CopyOf, p.Name = 0, "Team Lead", "Copy of Team Lead" })},
		{Name: "role-refused", Title: "Role, refused", body: page(func(p *rolePage) {
			p.Problem = "The delay of the rule “No face in view” is not a number of seconds; give whole seconds, 0 or more."
			p.Rules[1].Delay, p.Rules[1].Problem = "soon", "Give whole seconds, 0 or more."
		})},
		{Name: "role-conflict", Title: "Role, changed meanwhile", body: page(func(p *rolePage) {
			p.Conflict = &directory.Changed[directory.Role]{By: "pnair14", At: time.Now().Add(-3 * time.Minute), Details: []string{"rights: + users:delete", "rule no-face-in-view: lock after 30 s → warn after 0 s"}}
		})},
		{Name: "role-look", Title: "Role, by who may only look", body: page(func(p *rolePage) {
			p.MayEdit, p.MayDelete, p.MayCopy = false, false, false
			p.Why = "You do not hold the right users:edit, so you cannot change a role that has it, or give it to one; ask somebody who holds it."
			p.Holders = holdersCard{Total: 3}
		})},
		{Name: "role-rename", Title: "Rename a role", dialog: true, body: func() templ.Component {
			return renameRoleView(&roleDialog{What: "role", Path: "/roles/3", Called: "Team Lead", Name: "Agent Basic", Holders: 1204, Over: true, Failure: "There is another role called “Agent Basic”; choose another name."})
		}},
		{Name: "role-delete", Title: "Delete a role", dialog: true, body: func() templ.Component {
			return deleteRoleView(&roleDialog{What: "role", Path: "/roles/3", Called: "Team Lead", Over: true})
		}},
		{Name: "role-delete-held", Title: "Delete a role that is held", dialog: true, body: func() templ.Component {
			return deleteRoleView(&roleDialog{What: "role", Path: "/roles/3", Called: "Team Lead", Holders: 1204, MayMove: true, Over: true, Others: []directory.Named{{ID: 2, Name: "Agent Basic"}}})
		}},
		{Name: "access-roles", Title: "Access roles", body: func() templ.Component {
			return accessRolesView(accessRolesPage{MayAdd: true, SeeUsers: true, Rows: []directory.HeldAccessRole{
				{AccessRole: directory.AccessRole{ID: 1, Name: "Everywhere", Scope: "everywhere"}, Holders: 2},
				{AccessRole: directory.AccessRole{ID: 2, Name: "Cards", Scope: "units", Units: []string{"UAE / Retail / Cards", "India / Retail / Cards", "Oman", "Qatar"}}},
			}})
		}},
		{Name: "access-roles-none", Title: "No access roles", body: func() templ.Component { return accessRolesView(accessRolesPage{MayAdd: true}) }},
		{Name: "access-role", Title: "Access role", body: access(func(*accessRolePage) {})},
		{Name: "access-role-new", Title: "Access role, new, by who has limits", body: access(func(p *accessRolePage) { p.ID, p.Everywhere, p.Units.Found = 0, false, nil })},
		{Name: "access-role-look", Title: "Access role, by who may only look", body: access(func(p *accessRolePage) {
			p.MayEdit, p.Why = false, "It reaches further than your own access role; ask somebody whose access role covers it."
		})},
	}
}

func specimenTeamLead() directory.Role {
	return directory.Role{ID: 3, Name: "Team Lead", Rights: []directory.Right{"users:access", "users:edit", "batches:access"}, Rules: []directory.Rule{
		{Rule: "no-face-in-view", Action: "lock", DelaySeconds: 30}, {Rule: "usb-storage", Action: "sign-out"},
	}}
}

func specimenRole() *rolePage {
	p := &rolePage{ID: 3, Name: "Team Lead", MayEdit: true, MayDelete: true, MayCopy: true, Lacks: map[directory.Right]bool{"settings:edit": true, "api-tokens:add": true},
		Holders: holdersCard{Total: 1204, SeeUsers: true, Grid: "/users?role=Team+Lead", First: specimenUsers().Users[:4]}}
	p.take(specimenTeamLead())
	return p
}

func specimenAccessRole() *accessRolePage {
	p := &accessRolePage{ID: 2, Name: "Cards", MayEdit: true, MayDelete: true, MayCopy: true, Everywhere: true, Holders: holdersCard{Total: 0}}
	p.take(directory.AccessRole{ID: 2, Name: "Cards", Scope: "units", Units: []string{"UAE / Retail / Cards"}})
	p.Units.Typed, p.Units.Found, p.Units.More = "car", []string{"India / Retail / Cards", "UAE / Wholesale / Cards"}, 12
	return p
}
