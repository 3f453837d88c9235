package web

import (
	"github.com/a-h/templ"

	"muster/internal/directory"
)

// orgSpecimens are the Org structure page and its dialogs in their states.
func orgSpecimens() []specimen {
	page := func(change func(*orgPage)) func() templ.Component {
		return func() templ.Component {
			p := specimenOrg()
			change(p)
			return orgView(p)
		}
	}
	cards := directory.OrgUnit{ID: 3, ParentID: 2, Name: "Cards", FullName: "UAE / Retail / Cards", Depth: 3}
	dialog := func(name, title string, body func() templ.Component) specimen {
		return specimen{Name: name, Title: title, dialog: true, body: body}
	}
	levels := []string{"Country", "Division", "Department", "Team"}
	return []specimen{
		{Name: "org", Title: "Org structure", body: page(func(*orgPage) {})},
		{Name: "org-found", Title: "Org structure, a unit found", body: page(func(p *orgPage) {
			p.Find, p.Found, p.Rows = "team", 2, p.Rows[:5]
			p.Rows[3].Hit, p.Rows[4].Hit = true, true
		})},
		{Name: "org-not-found", Title: "Org structure, no unit found", body: page(func(p *orgPage) { p.Find, p.Rows = "nothing", nil })},
		{Name: "org-look", Title: "Org structure, by who may only look", body: page(func(p *orgPage) {
			p.MayAdd, p.MayAddTop, p.MayEdit, p.MayDelete, p.MayLevels = false, false, false, false, false
		})},
		{Name: "org-none", Title: "No units yet", body: page(func(p *orgPage) { p.Rows, p.Units, p.Users = nil, 0, 0 })},
		dialog("org-add", "Add a unit", func() templ.Component {
			return addUnitView(&unitDialog{Unit: cards, Level: "Team", Name: "Cards Team 1", Problem: "There is a unit called Cards Team 1 in UAE / Retail / Cards already; choose another name."})
		}),
		dialog("org-rename", "Rename a unit", func() templ.Component { return renameUnitView(&unitDialog{Unit: cards, Name: "Cards"}) }),
		dialog("org-move", "Move a unit", func() templ.Component {
			return moveUnitView(&unitDialog{Unit: cards, To: "9", More: 12, Choices: []unitChoice{{}, {ID: 9, FullName: "Oman / Retail"}, {ID: 10, FullName: "Qatar / Retail"}}})
		}),
		dialog("org-delete", "Delete a unit", func() templ.Component { return deleteUnitView(&unitDialog{Unit: cards}, true) }),
		dialog("org-delete-refused", "Delete a unit that is not empty", func() templ.Component {
			return deleteUnitView(&unitDialog{Unit: cards, Below: 12, Users: 3, Total: 420}, true)
		}),
		dialog("org-levels", "Levels", func() templ.Component { return levelsView(&levelsEditor{Levels: levels, Seen: levels}) }),
		dialog("org-import", "Import org units", func() templ.Component { return importUnitsView(&unitImport{}) }),
		dialog("org-import-preview", "Import org units, what is new", func() templ.Component {
			return importUnitsView(&unitImport{File: "units.xlsx", Plan: &directory.UnitPlan{New: []string{"Qatar", "Qatar / Retail", "Qatar / Retail / Cards"}, Already: 120}})
		}),
		dialog("org-import-refused", "Import org units, refused", func() templ.Component {
			return importUnitsView(&unitImport{File: "units.xlsx", Plan: &directory.UnitPlan{}, Problems: []string{`row 7, "A / B / C / D / E": it is 5 deep, and there are 4 levels (Country, Division, Department, Team); write it with fewer names, or add levels`}})
		}),
	}
}

func specimenOrg() *orgPage {
	p := &orgPage{
		Levels: []string{"Country", "Division", "Department", "Team"}, Units: 1_204, Users: 18_204, Selected: 3,
		MayAdd: true, MayAddTop: true, MayEdit: true, MayDelete: true, MayLevels: true, MaySeeUsers: true,
	}
	add := func(id int64, full string, depth, inner int, users, total int64) {
		_, name := unitParts(full)
		p.Rows = append(p.Rows, orgRow{
			OrgNode: directory.OrgNode{OrgUnit: directory.OrgUnit{ID: id, Name: name, FullName: full, Depth: depth}, InScope: true, Users: users, Total: total, Inner: inner, Below: inner},
			Level:   p.Levels[depth-1], Position: 1, Siblings: 1, Open: inner > 0 && id < 4, Selected: id == 3, May: "armd", SeeUsers: true,
		})
	}
	add(1, "UAE", 1, 1, 4, 18_200)
	add(2, "UAE / Retail", 2, 2, 12, 18_196)
	add(3, "UAE / Retail / Cards", 3, 2, 3, 2_420)
	add(4, "UAE / Retail / Cards / Cards Team 1", 4, 0, 1_210, 1_210)
	add(5, "UAE / Retail / Cards / Cards Team 2 with a name that goes on and on, as names of teams sometimes do", 4, 0, 1_207, 1_207)
	add(6, "UAE / Retail / Loans", 3, 14, 0, 15_764)
	add(7, "Oman", 1, 3, 0, 4)
	return p
}
