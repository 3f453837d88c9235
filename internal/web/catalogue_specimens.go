package web

import (
	"github.com/a-h/templ"

	"muster/internal/directory"
)

// catalogueSpecimens are the pages of the catalogues and the settings in their states.
func catalogueSpecimens() []specimen {
	c := &directory.Configuration{
		Channels: []directory.Channel{{ID: 1, Name: "Voice", Default: 1, Highest: 1}, {ID: 2, Name: "Text Chat", Default: 2, Highest: 5}},
		Features: []directory.Feature{
			{ID: 1, Name: "CRM Enabled", Kind: "switch", Default: "no"},
			{ID: 2, Name: "Manual In", Kind: "list", Values: []string{"Auto In", "Manual In"}, RetiredValues: []string{"Off"}, Default: "Auto In"},
		},
		CRMNames: []directory.Named{{ID: 1, Name: "Siebel"}, {ID: 2, Name: "Salesforce"}},
		Retired:  directory.Retired{Channels: []directory.Channel{{ID: 3, Name: "Fax", Highest: 3}}},
	}
	list := func(tab int, change func(*cataloguePage)) func() templ.Component {
		return func() templ.Component {
			p := cataloguePage{Tab: catalogueTabs[tab], MayAdd: true, MayEdit: true}
			p.Rows = entriesOf(p.Tab, c)
			change(&p)
			return catalogueView(p)
		}
	}
	entry := func(tab, row int, change func(*entryPage)) func() templ.Component {
		return func() templ.Component {
			p := entryPage{Tab: catalogueTabs[tab], MayEdit: true, MayDelete: true, MayReplace: true, Others: entriesOf(catalogueTabs[2], c)[1:]}
			p.Form = entriesOf(p.Tab, c)[row].withBlanks()
			p.Was = p.Form.Name
			change(&p)
			return entryView(p)
		}
	}
	return []specimen{
		{Name: "catalogue-channels", Title: "Channels", body: list(0, func(p *cataloguePage) { p.Said = "Saved." })},
		{Name: "catalogue-features", Title: "Features, by who may only look", body: list(1, func(p *cataloguePage) { p.MayAdd, p.MayEdit = false, false })},
		{Name: "catalogue-empty", Title: "No greeting template yet", body: list(3, func(*cataloguePage) {})},
		{Name: "catalogue-channel", Title: "A channel, before many change with its default", body: entry(0, 1, func(p *entryPage) {
			p.Use = directory.CatalogueUse{Users: 1204, Following: 18_204, Values: []directory.ValueUse{{Value: "4", Users: 1200}, {Value: "1", Users: 4}}}
			p.Form.Default, p.ConfirmFor = "3", "3"
			p.Confirm = "18,204 users follow the default: they have 2 now, and 3 from then on. 1,204 users have a setting of their own, and keep it."
		})},
		{Name: "catalogue-list", Title: "A list of values, changed meanwhile", body: entry(1, 1, func(p *entryPage) {
			p.Conflict = "Jdoe changed it meanwhile (default: Manual In → Auto In), so nothing was saved; look at it, and save again."
		})},
		{Name: "catalogue-crm-name", Title: "A CRM name in use", body: entry(2, 0, func(p *entryPage) {
			p.Use.Users = 500_000
			p.Problem = "The CRM name “Siebel” cannot be deleted: 500000 users have it; retire it, or change these users first."
		})},
		{Name: "settings", Title: "Settings", body: func() templ.Component { return settingsView(specimenSettings("90", "")) }},
		{Name: "settings-refused", Title: "Settings, refused", body: func() templ.Component {
			return settingsView(specimenSettings("0", "0 is not allowed; give a number from 1 to 36500."))
		}},
	}
}

// specimenSettings are the defaults, but for one.
func specimenSettings(days, problem string) settingsPage {
	p := settingsPage{MayEdit: true}
	err := p.fill(directory.DefaultSettings(), func(d directory.Setting) (string, string) {
		if d.Name == "retention_days" {
			return days, problem
		}
		return d.Default(), ""
	})
	if err != nil {
		panic(err)
	}
	return p
}
