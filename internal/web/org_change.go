package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"muster/internal/directory"
	"muster/internal/fault"
)

// unitDialog is a dialog about one unit: what is typed stays when the service says no.
type unitDialog struct {
	Unit    directory.OrgUnit // the zero one where a unit is added at the top
	Seen    directory.UnitSeen
	Name    string
	Level   string
	Problem string

	// Moving
	Choices []unitChoice
	Find    string
	More    int
	To      string

	// Deleting
	Below int
	Users int64
	Total int64
}

// unitChoice is a place that a unit may be moved to.
type unitChoice struct {
	ID       int64
	FullName string
}

// orgDialog answers with a dialog, or with a page that has the same in it.
func (v *visit) orgDialog(status int, title string, body templ.Component) error {
	if v.Header.Get("HX-Request") == "true" {
		return v.write(status, body)
	}
	return v.showStatus(status, title, orgDialogPage(body))
}

// orgAgain shows the dialog once more with what is wrong, as far as that is for who typed to mend.
func (v *visit) orgAgain(err error, show func(status int, problem string) error) error {
	f, ok := refused(v, err)
	if fault.KindOf(err) == fault.NotFound {
		f, ok = failureOf(err), true
	}
	if !ok || f.Status == http.StatusForbidden {
		return err
	}
	return show(f.Status, f.Message)
}

// unitOf is the unit of the address, for who may do this with it.
func (v *visit) unitOf(needs directory.Right) (directory.OrgUnit, error) {
	if err := v.actor().Need(needs); err != nil {
		return directory.OrgUnit{}, err
	}
	id, err := unitID(v.PathValue("id"))
	if err != nil {
		return directory.OrgUnit{}, err
	}
	return v.handle().OrgUnit(v.ctx(), id)
}

// unitSeen is the unit as it was when the dialog was opened.
func (v *visit) unitSeen() directory.UnitSeen {
	parent, _ := strconv.ParseInt(v.FormValue("seen_parent"), 10, 64)
	return directory.UnitSeen{Name: v.FormValue("seen_name"), ParentID: parent}
}

// parentOf is the unit below which one is added, by the parameter; none for the top.
func (v *visit) parentOf(text string) (u directory.OrgUnit, err error) {
	if text == "" || text == "0" {
		if !v.actor().Scope().IsEverywhere() {
			return u, fault.New(fault.Forbidden, "the top of the structure is outside your access role; choose a unit below which to add")
		}
		return u, v.actor().Need(seeOrg, addOrg)
	}
	if err := v.actor().Need(addOrg); err != nil {
		return u, err
	}
	id, err := unitID(text)
	if err != nil {
		return u, err
	}
	return v.handle().OrgUnit(v.ctx(), id)
}

func (s *Server) addUnitDialog(v *visit) error {
	parent, err := v.parentOf(v.URL.Query().Get("below"))
	if err != nil {
		return err
	}
	return v.showAddUnit(http.StatusOK, &unitDialog{Unit: parent})
}

func (v *visit) showAddUnit(status int, d *unitDialog) error {
	levels, err := v.handle().OrgLevels(v.ctx())
	if err != nil {
		return err
	}
	if d.Unit.Depth < len(levels) {
		d.Level = levels[d.Unit.Depth]
	}
	return v.orgDialog(status, "Add a unit", addUnitView(d))
}

func (s *Server) addUnit(v *visit) error {
	parent, err := v.parentOf(v.FormValue("below"))
	if err != nil {
		return err
	}
	name := strings.TrimSpace(v.FormValue("name"))
	u, err := v.handle().AddUnit(v.ctx(), parent.ID, name)
	if err != nil {
		return v.orgAgain(err, func(status int, problem string) error {
			return v.showAddUnit(status, &unitDialog{Unit: parent, Name: name, Problem: problem})
		})
	}
	return v.redirect(v.orgAddress(u.ID))
}

func (s *Server) renameUnitDialog(v *visit) error {
	u, err := v.unitOf(editOrg)
	if err != nil {
		return err
	}
	return v.orgDialog(http.StatusOK, "Rename a unit", renameUnitView(&unitDialog{Unit: u, Seen: u.Seen(), Name: u.Name}))
}

func (s *Server) renameUnit(v *visit) error {
	u, err := v.unitOf(editOrg)
	if err != nil {
		return err
	}
	name := strings.TrimSpace(v.FormValue("name"))
	if _, err := v.handle().RenameUnit(v.ctx(), u.ID, v.unitSeen(), name); err != nil {
		return v.orgAgain(err, func(status int, problem string) error {
			// Whoever sends it again has read what happened meanwhile.
			return v.orgDialog(status, "Rename a unit", renameUnitView(&unitDialog{Unit: u, Seen: u.Seen(), Name: name, Problem: problem}))
		})
	}
	return v.redirect(v.orgAddress(u.ID))
}

// moveUnitDialog shows the places that a unit may be moved to, or only those that fit what is typed.
func (s *Server) moveUnitDialog(v *visit) error {
	u, err := v.unitOf(editOrg)
	if err != nil {
		return err
	}
	d := &unitDialog{Unit: u, Seen: u.Seen(), Find: v.URL.Query().Get("find"), To: v.URL.Query().Get("to")}
	if v.fragment("move-places") {
		if err := d.places(v); err != nil {
			return err
		}
		return v.part(movePlaces(d))
	}
	return v.showMoveUnit(http.StatusOK, d)
}

func (v *visit) showMoveUnit(status int, d *unitDialog) error {
	if err := d.places(v); err != nil {
		return err
	}
	return v.orgDialog(status, "Move a unit", moveUnitView(d))
}

// places finds where the unit may be moved: within the scope, not below itself, and so that what is below it keeps within
// the levels. Places on the level of the present one come first: only there agents stay in teams.
func (d *unitDialog) places(v *visit) error {
	t, err := v.handle().OrgTree(v.ctx())
	if err != nil {
		return err
	}
	scope, deepest := v.actor().Scope(), d.Unit.Depth
	for _, u := range t.Units {
		if strings.HasPrefix(u.Path, d.Unit.Path) {
			deepest = max(deepest, u.Depth)
		}
	}
	type fitting struct {
		unit      *directory.OrgNode
		far, rank int
	}
	words := strings.Fields(strings.ToLower(d.Find))
	var all []fitting
	room := len(t.Levels) - (deepest - d.Unit.Depth + 1) // the depth that the place may have
	for i := range t.Units {
		u := &t.Units[i]
		rank := fits(&u.OrgUnit, words)
		if rank < 0 || u.Depth > room || u.ID == d.Unit.ParentID || strings.HasPrefix(u.Path, d.Unit.Path) || !scope.Covers(directory.Below(u.Path)) {
			continue
		}
		far := u.Depth + 1 - d.Unit.Depth
		all = append(all, fitting{u, max(far, -far), rank})
	}
	slices.SortStableFunc(all, func(a, b fitting) int { return cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(a.rank, b.rank)) })
	if len(words) == 0 && d.Unit.ParentID != 0 && scope.IsEverywhere() {
		d.Choices = append(d.Choices, unitChoice{})
	}
	for _, f := range all[:min(len(all), mostUnits)] {
		d.Choices = append(d.Choices, unitChoice{ID: f.unit.ID, FullName: f.unit.FullName})
	}
	d.More = len(all) - min(len(all), mostUnits)
	return nil
}

func (s *Server) moveUnit(v *visit) error {
	u, err := v.unitOf(editOrg)
	if err != nil {
		return err
	}
	d := &unitDialog{Unit: u, Seen: u.Seen(), Find: v.FormValue("find"), To: v.FormValue("to")}
	to, err := strconv.ParseInt(d.To, 10, 64)
	if err != nil {
		err = fault.New(fault.Invalid, "choose where the unit is to go")
	} else {
		_, err = v.handle().MoveUnit(v.ctx(), u.ID, v.unitSeen(), to)
	}
	if err != nil {
		return v.orgAgain(err, func(status int, problem string) error {
			d.Problem = problem
			return v.showMoveUnit(status, d)
		})
	}
	return v.redirect(v.orgAddress(u.ID))
}

func (s *Server) deleteUnitDialog(v *visit) error {
	u, err := v.unitOf(deleteOrg)
	if err != nil {
		return err
	}
	return v.showDeleteUnit(http.StatusOK, &unitDialog{Unit: u, Seen: u.Seen()})
}

// showDeleteUnit asks, or says what is in the way where that is known.
func (v *visit) showDeleteUnit(status int, d *unitDialog) error {
	t, err := v.handle().OrgBranch(v.ctx(), d.Unit.ID)
	if err != nil {
		return err
	}
	d.Below, d.Users, d.Total = t.Units[0].Below, t.Units[0].Users, t.Units[0].Total
	return v.orgDialog(status, "Delete a unit", deleteUnitView(d, v.can("users:access")))
}

func (s *Server) deleteUnit(v *visit) error {
	u, err := v.unitOf(deleteOrg)
	if err != nil {
		return err
	}
	if err := v.handle().DeleteUnit(v.ctx(), u.ID, v.unitSeen()); err != nil {
		return v.orgAgain(err, func(status int, problem string) error {
			return v.showDeleteUnit(status, &unitDialog{Unit: u, Seen: u.Seen(), Problem: problem})
		})
	}
	return v.redirect(v.orgAddress(u.ParentID))
}

// place is where a unit is, in words.
func (d *unitDialog) place() string {
	if above, _ := unitParts(d.Unit.FullName); above != "" {
		return strings.TrimSuffix(above, " / ")
	}
	return "the top"
}

func orgNodeOf(d *unitDialog) directory.OrgNode { return directory.OrgNode{OrgUnit: d.Unit} }
