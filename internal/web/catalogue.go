package web

import (
	"strconv"

	"muster/internal/directory"
	"muster/internal/fault"
)

var maySeeCatalogues = []directory.Right{"catalogues:access"}

func (s *Server) catalogueRoutes() []route {
	edit := []directory.Right{"catalogues:edit"}
	return []route{
		{pattern: "GET /catalogues", any: maySeeCatalogues, do: func(v *visit) error { return v.redirect("/catalogues/channels") }},
		{pattern: "GET /catalogues/{kind}", any: maySeeCatalogues, do: s.catalogue},
		{pattern: "GET /catalogues/{kind}/new", any: []directory.Right{"catalogues:add"}, do: s.newEntry},
		{pattern: "POST /catalogues/{kind}/new", any: []directory.Right{"catalogues:add"}, do: s.saveEntry},
		{pattern: "GET /catalogues/{kind}/{id}", any: maySeeCatalogues, do: s.entry},
		{pattern: "POST /catalogues/{kind}/{id}", any: edit, do: s.saveEntry},
		{pattern: "POST /catalogues/{kind}/{id}/retire", any: edit, do: s.retireEntry},
		{pattern: "POST /catalogues/{kind}/{id}/move", any: edit, do: s.moveEntry},
		{pattern: "POST /catalogues/{kind}/{id}/delete", any: []directory.Right{"catalogues:delete"}, do: s.deleteEntry},
		{pattern: "POST /catalogues/{kind}/{id}/replace", any: []directory.Right{"catalogues:delete"}, do: s.replaceEntry},
	}
}

// catalogueTab is one of the four catalogues, as its page has it.
type catalogueTab struct {
	Of              directory.Catalogue
	Path            string // the last part of its address
	Title, One, Add string
	Help            string
	Ordered         bool // its order is that of the template's columns
}

var catalogueTabs = []catalogueTab{
	{Of: directory.ChannelCatalogue, Path: "channels", Title: "Channels", One: "channel", Add: "Add channel", Ordered: true,
		Help: "How many sessions of each kind a user may hold at once. Each is a column of the user channel template, in this order."},
	{Of: directory.FeatureCatalogue, Path: "features", Title: "Features", One: "feature", Add: "Add feature", Ordered: true,
		Help: "What can be switched or chosen on a user's desktop. Each is a column of the user feature template, in this order."},
	{Of: directory.CRMNameCatalogue, Path: "crm-names", Title: "CRM names", One: "CRM name", Add: "Add CRM name",
		Help: "The customer systems that a user can work with; at most one each."},
	{Of: directory.GreetingCatalogue, Path: "greeting-templates", Title: "Greeting templates", One: "greeting template", Add: "Add greeting template",
		Help: "How a text chat begins; at most one for each user."},
}

func (t catalogueTab) path() string { return "/catalogues/" + t.Path }

func (t catalogueTab) entryPath(id int64) string { return t.path() + "/" + strconv.FormatInt(id, 10) }

func (v *visit) catalogueTab() (catalogueTab, error) {
	for _, t := range catalogueTabs {
		if t.Path == v.PathValue("kind") {
			return t, nil
		}
	}
	return catalogueTab{}, errNothingHere
}

// cataloguePage is the list of one catalogue.
type cataloguePage struct {
	Tab             catalogueTab
	Rows            []entryForm
	MayAdd, MayEdit bool
	Said            string // what has just been done
}

// mayChangeAll tells whether who is signed in may do what holds for the whole organization.
func (v *visit) mayChangeAll(r directory.Right) bool {
	return v.can(r) && v.actor().Scope().IsEverywhere()
}

// needAll refuses who may not: before a look at what was sent.
func (v *visit) needAll(r directory.Right) error {
	if err := v.actor().Need(r); err != nil {
		return err
	}
	if !v.mayChangeAll(r) {
		return fault.New(fault.Forbidden, "this concerns the whole organization, and your access role does not; ask somebody whose access role has the scope everywhere")
	}
	return nil
}

func (s *Server) catalogue(v *visit) error {
	t, err := v.catalogueTab()
	if err != nil {
		return err
	}
	p := cataloguePage{Tab: t, MayAdd: v.mayChangeAll("catalogues:add"), MayEdit: v.mayChangeAll("catalogues:edit")}
	c, err := v.handle().Catalogues(v.ctx())
	if err != nil {
		return err
	}
	p.Rows = entriesOf(t, &c)
	p.Said = map[string]string{"saved": "Saved.", "deleted": "Deleted.", "retired": "Retired: who has it keeps it.", "back": "Back in use."}[v.FormValue("done")]
	if v.fragment("catalogue") {
		return v.part(catalogueTable(p))
	}
	return v.show(t.Title, catalogueView(p))
}

func entriesOf(t catalogueTab, c *directory.Configuration) []entryForm {
	var rows []entryForm
	switch t.Of {
	case directory.ChannelCatalogue:
		for _, ch := range c.AllChannels() {
			rows = append(rows, channelForm(ch))
		}
	case directory.FeatureCatalogue:
		for _, f := range c.AllFeatures() {
			rows = append(rows, featureForm(f))
		}
	case directory.CRMNameCatalogue:
		for _, n := range c.AllCRMNames() {
			rows = append(rows, entryForm{ID: n.ID, Name: n.Name, Retired: n.Retired, seen: n})
		}
	case directory.GreetingCatalogue:
		for _, g := range c.AllGreetingTemplates() {
			rows = append(rows, entryForm{ID: g.ID, Name: g.Name, Text: g.Text, Retired: g.Retired, seen: g})
		}
	}
	return rows
}

// moveEntry puts a channel or a feature one place up or down.
func (s *Server) moveEntry(v *visit) error {
	t, id, err := v.entryAddress()
	if err != nil {
		return err
	}
	by, err := strconv.Atoi(v.FormValue("by"))
	if err != nil || by != 1 && by != -1 {
		return errNothingHere
	}
	if err := v.handle().MoveCatalogueEntry(v.ctx(), t.Of, id, by); err != nil {
		return err
	}
	if v.fragment("catalogue") {
		return s.catalogue(v)
	}
	return v.redirect(t.path())
}

func (v *visit) entryAddress() (catalogueTab, int64, error) {
	t, err := v.catalogueTab()
	if err != nil {
		return t, 0, err
	}
	id, err := strconv.ParseInt(v.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		return t, 0, errNothingHere
	}
	return t, id, nil
}
