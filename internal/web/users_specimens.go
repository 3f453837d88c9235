package web

import (
	"time"

	"github.com/a-h/templ"

	"muster/internal/directory"
)

// userSpecimens are the User Onboarding page and its dialogs in their states.
func userSpecimens() []specimen {
	in := func(change func(*usersPage)) func() templ.Component {
		return func() templ.Component {
			p := specimenUsers()
			change(p)
			return usersView(p)
		}
	}
	nobody := func(p *usersPage) { p.Users, p.Next, p.Total = nil, "", 0 }
	return []specimen{
		{Name: "users", Title: "Users", body: in(func(*usersPage) {})},
		{Name: "users-filtered", Title: "Users, filtered", body: in(func(p *usersPage) { p.query.Filter = specimenFilter() })},
		{Name: "users-all", Title: "Users, all columns", body: in(func(p *usersPage) {
			p.columns = nil
			for _, c := range userColumns {
				p.columns = append(p.columns, c.Name)
			}
		})},
		{Name: "users-few-rights", Title: "Users, by who may only look", body: in(func(p *usersPage) { p.MayAdd, p.MayEdit, p.MayPictures = false, false, false })},
		{Name: "users-nobody", Title: "Nobody is here yet", body: in(nobody)},
		{Name: "users-no-match", Title: "Nobody matches", body: in(func(p *usersPage) {
			nobody(p)
			p.query.Filter = specimenFilter()
		})},
		{Name: "users-bad", Title: "An address that does not work", body: in(func(p *usersPage) {
			nobody(p)
			p.Problem = "Users cannot be sorted by “roles”; use another column."
		})},
		{Name: "users-filters", Title: "Filters", dialog: true, body: func() templ.Component {
			return filtersView(newFilterDialog(&usersAddress{query: directory.UserQuery{Filter: specimenFilter()}}, specimenConfiguration()))
		}},
		{Name: "users-filters-refused", Title: "Filters, refused", dialog: true, body: func() templ.Component {
			d := newFilterDialog(&usersAddress{query: directory.UserQuery{Filter: specimenFilter()}}, specimenConfiguration())
			d.Problem = "“yesterday” is not a day; write it as 2026-01-31."
			return filtersView(d)
		}},
		{Name: "users-units", Title: "The choice of an org unit", dialog: true, body: func() templ.Component {
			p := &unitPicker{Found: []string{"UAE / Retail", "UAE / Retail / Cards", "UAE / Retail / Cards / Cards Team 1"}, More: 120}
			p.query.Filter = specimenFilter()
			return unitPickerView(p)
		}},
		{Name: "users-export", Title: "Export", dialog: true, body: func() templ.Component {
			return exportView(&exportPage{usersAddress: usersAddress{selected: selection{ids: []int64{1, 2, 3}}}, Count: 3})
		}},
	}
}

func specimenFilter() directory.UserFilter {
	return directory.UserFilter{
		Search: "am", OrgUnits: []string{"UAE / Retail"}, Roles: []string{"Agent Basic"}, NotRoles: []string{"Team Lead"}, BatchID: 12,
		Where: []directory.Condition{{Column: "last_name", Op: directory.OpStarts, Value: "H"}, {Column: "pbx_id", Op: directory.OpNotEmpty}, {Column: "status", Op: directory.OpEqual, Value: "active"}},
	}
}

func specimenConfiguration() *directory.Configuration {
	return &directory.Configuration{
		Roles:       []directory.Role{{Name: "Agent Basic"}, {Name: "Quality Coach"}, {Name: "Team Lead"}},
		AccessRoles: []directory.AccessRole{{Name: "Everywhere"}}, CRMNames: []directory.Named{{Name: "Siebel"}},
	}
}

func specimenUsers() *usersPage {
	p := &usersPage{usersAddress: usersAddress{columns: defaultColumns, page: 1, selected: selection{ids: []int64{2, 3}}}, Next: "next", Total: 18204, MayAdd: true, MayEdit: true, MayPictures: true}
	p.query.Limit = 50
	for i, name := range [][2]string{
		{"Amira", "Haddad"}, {"João", "Holm"}, {"Mei", "Petrova"}, {"Omar", "Farouk"}, {"Priya", "Nair"}, {"Chloé", "Dubois"},
		{"Wolfeschlegelsteinhausenbergerdorff", "Featherstonehaugh-Cholmondeley"}, {"<script>alert(1)</script>", "'t Hooft"},
	} {
		u := directory.User{
			ID: int64(i + 1), LANID: "user" + number(int64(i+10)), AgentID: "AG20" + number(int64(i+10)), FirstName: name[0], LastName: name[1],
			PBXID: number(int64(410 + 7*i)), Profile: directory.Agent, SupervisorName: "Priya Nair", OrgUnit: "UAE / Retail / Cards / Cards Team 1",
			Roles: []string{"Agent Basic"}, CRMName: "Siebel", Status: directory.Active, ChangedBy: "ahaddad", ChangedAt: time.Now().Add(-time.Duration(i*i*200) * time.Minute),
		}
		if i%3 != 2 {
			u.Picture = specimenPicture
		}
		switch i {
		case 3:
			u.Profile, u.SupervisorName, u.Roles = directory.Supervisor, "", []string{"Team Lead", "Quality Coach", "Agent Basic"}
		case 4:
			u.Profile, u.OrgUnit, u.PBXID = directory.Administrator, "", ""
		case 5:
			u.Status, u.Roles = directory.Inactive, nil
		}
		p.Users = append(p.Users, u)
	}
	return p
}
