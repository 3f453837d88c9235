package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/setup"
)

// The rights that the Org structure page and what is done there need.
const (
	seeOrg    directory.Right = "org-units:access"
	addOrg    directory.Right = "org-units:add"
	editOrg   directory.Right = "org-units:edit"
	deleteOrg directory.Right = "org-units:delete"
)

func (s *Server) orgRoutes() []route {
	holds := func(r directory.Right) []directory.Right { return []directory.Right{r} }
	return []route{
		{pattern: "GET /org", any: holds(seeOrg), do: s.org},
		{pattern: "GET /org/below", any: holds(seeOrg), do: s.orgBelow},
		{pattern: "GET /org/export", any: holds(seeOrg), long: true, do: s.exportOrg},
		{pattern: "GET /org/add", any: holds(addOrg), do: s.addUnitDialog},
		{pattern: "POST /org/add", any: holds(addOrg), do: s.addUnit},
		{pattern: "GET /org/units/{id}/rename", any: holds(editOrg), do: s.renameUnitDialog},
		{pattern: "POST /org/units/{id}/rename", any: holds(editOrg), do: s.renameUnit},
		{pattern: "GET /org/units/{id}/move", any: holds(editOrg), do: s.moveUnitDialog},
		{pattern: "POST /org/units/{id}/move", any: holds(editOrg), do: s.moveUnit},
		{pattern: "GET /org/units/{id}/delete", any: holds(deleteOrg), do: s.deleteUnitDialog},
		{pattern: "POST /org/units/{id}/delete", any: holds(deleteOrg), do: s.deleteUnit},
		{pattern: "GET /org/levels", any: holds(editOrg), do: s.levelsDialog},
		{pattern: "POST /org/levels", any: holds(editOrg), do: s.saveLevels},
		{pattern: "GET /org/import", any: holds(addOrg), do: s.importOrgDialog},
		{pattern: "POST /org/import", any: holds(addOrg), do: s.previewOrg},
		{pattern: "POST /org/import/add", any: holds(addOrg), do: s.addUnits},
	}
}

// orgPage is the tree, as far as it is open or found. Its address says what is open, selected and looked for.
type orgPage struct {
	Levels             []string
	Rows               []orgRow
	Selected           int64
	Find               string
	Found, More        int    // units that fit what is looked for; how many of them are not shown
	Units              int    // that may be seen
	Users              int64  // in them
	Open               string // as in the address
	MayAdd, MayAddTop  bool
	MayEdit, MayDelete bool
	MayLevels          bool
	MaySeeUsers        bool
}

// orgRow is a unit as the page shows it.
type orgRow struct {
	directory.OrgNode
	Level    string
	Position int // among its siblings, counted from 1
	Siblings int
	Open     bool
	Selected bool
	Hit      bool   // of what is looked for
	May      string // what may be done with it: a letter each for add, rename, move, delete
	Hidden   int    // units below the parent that follow and are not shown
	SeeUsers bool
}

const (
	// mostFound are the units that a search shows: who looks for another types more of its name.
	mostFound = 100
	// mostSiblings are shown of what is right below one unit; the others are found by name.
	mostSiblings = 500
	// mostOrgRows bounds a page.
	mostOrgRows = 2000
	// opened is how many rows a page may have that nobody opened: a small structure is shown whole.
	openedRows = 60
)

// org shows the tree, or only the part of the page that a search changes.
func (s *Server) org(v *visit) error {
	t, err := v.handle().OrgTree(v.ctx())
	if err != nil {
		return err
	}
	p := newOrgPage(v, t)
	if v.fragment("org-part") {
		return v.part(orgPart(p))
	}
	return v.show("Org structure", orgView(p))
}

// newOrgPage is the page of the tree at the address.
func newOrgPage(v *visit, t *directory.OrgTree) *orgPage {
	query := v.URL.Query()
	everywhere := v.actor().Scope().IsEverywhere()
	p := &orgPage{
		Levels: t.Levels, Find: strings.TrimSpace(query.Get("q")), MaySeeUsers: v.can("users:access"),
		MayAdd: v.can(addOrg), MayAddTop: v.can(addOrg) && everywhere, MayEdit: v.can(editOrg), MayDelete: v.can(deleteOrg), MayLevels: v.can(editOrg) && everywhere,
	}
	p.Selected, _ = strconv.ParseInt(query.Get("unit"), 10, 64)
	for _, u := range t.Units {
		if u.InScope {
			p.Units++
			p.Users += u.Users
		}
	}
	b := &orgRows{tree: t, actor: v.actor(), selected: p.Selected}
	if p.Find != "" {
		p.Rows, p.Found = b.find(p.Find)
		p.More = max(0, p.Found-mostFound)
	} else {
		p.Rows = b.opened(query)
	}
	p.Open = b.written()
	p.tabStop()
	return p
}

// tabStop makes sure that one row is selected, so that the keyboard gets into the tree.
func (p *orgPage) tabStop() {
	if len(p.Rows) == 0 {
		return
	}
	at := slices.IndexFunc(p.Rows, func(r orgRow) bool { return r.ID == p.Selected })
	if at < 0 {
		at = max(0, slices.IndexFunc(p.Rows, func(r orgRow) bool { return r.Hit }))
	}
	p.Selected, p.Rows[at].Selected = p.Rows[at].ID, true
}

// orgBelow is what is right below a unit, for a row that is opened.
func (s *Server) orgBelow(v *visit) error {
	id, err := unitID(v.URL.Query().Get("unit"))
	if err != nil {
		return err
	}
	t, err := v.handle().OrgBranch(v.ctx(), id)
	if err != nil {
		return err
	}
	b := &orgRows{tree: t, actor: v.actor()}
	return v.part(orgRowsView(b.below(0, 1)))
}

func unitID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, fault.New(fault.NotFound, "there is no such org unit")
	}
	return id, nil
}

// exportOrg sends the structure as a spreadsheet.
func (s *Server) exportOrg(v *visit) error {
	t, err := v.handle().OrgTree(v.ctx())
	if err != nil {
		return err
	}
	attach(v.w, "OrgUnits.csv", "text/csv; charset=utf-8")
	return setup.WriteUnits(v.w, t)
}

// orgAddress is the page with a unit selected, what is open as it was.
func (v *visit) orgAddress(unit int64) string {
	values := url.Values{}
	if now, err := url.Parse(v.Header.Get("HX-Current-URL")); err == nil && now.Path == "/org" {
		if open, there := now.Query()["open"]; there {
			values["open"] = open[:1]
		}
	}
	if unit != 0 {
		values.Set("unit", strconv.FormatInt(unit, 10))
	}
	return pathWith("/org", values)
}
