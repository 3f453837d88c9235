package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"muster/internal/directory"
	"muster/internal/useredit"
)

// editWindow is the window of a bulk edit: about whom it is, what was chosen in it, and what would come of that.
type editWindow struct {
	Action  editAction
	Set     *useredit.Set
	Chosen  editChosen
	Effects *editEffects
	Problem string // why it was not done
	Over    bool   // it lies over a page

	Roles     []editRole
	Units     []directory.OrgUnit // that fit what is typed
	MoreUnits int                 // that fit as well
	TeamsOnly bool
}

func (w *editWindow) path() string { return "/edits/" + w.Set.ID + "/" + w.Action.Name }

// editChosen is what the form says; what does not belong to the action is blank.
type editChosen struct {
	Roles           []int64
	Remove, Exactly bool
	Status          string // "active", "inactive" or "" for none chosen
	Release         bool   // the PBX IDs
	Reason          string
	Unit            int64
	Find            string // what is typed to find a unit
	Supervisor      string // LAN ID
	None            bool   // no supervisor
	Preview         bool
}

func (c *editChosen) read(v *visit) {
	for _, text := range v.Form["role"] {
		if id, err := strconv.ParseInt(text, 10, 64); err == nil {
			c.Roles = append(c.Roles, id)
		}
	}
	c.Remove, c.Exactly, c.Release = v.FormValue("remove") != "", v.FormValue("exactly") != "", v.FormValue("release") != ""
	c.Status, c.Reason = v.FormValue("status"), strings.TrimSpace(v.FormValue("reason"))
	c.Unit, _ = strconv.ParseInt(v.FormValue("unit"), 10, 64)
	c.Find, c.Supervisor, c.None = v.FormValue("find"), strings.TrimSpace(v.FormValue("supervisor")), v.FormValue("none") != ""
	c.Preview = v.FormValue("preview") != ""
}

// editRole is a role to choose, with what it brings.
type editRole struct {
	ID            int64
	Name, Brings  string
	Chosen, Given bool // Given: who acts may give and take it
}

// fillEdit looks up what there is to choose from.
func (s *Server) fillEdit(v *visit, w *editWindow) error {
	switch w.Action.Name {
	case useredit.AssignRole:
		cfg, err := configuration(v.ctx(), v.handle())
		if err != nil {
			return err
		}
		w.Roles = editRolesOf(cfg, v.actor(), w.Chosen.Roles)
	case useredit.MoveUsers:
		cfg, err := configuration(v.ctx(), v.handle())
		if err != nil {
			return err
		}
		w.takeUnits(cfg, v.actor().Scope())
	}
	return nil
}

// editRolesOf are all roles: those that may be given and taken first, by name.
func editRolesOf(cfg *directory.Configuration, actor directory.Actor, chosen []int64) []editRole {
	var all []editRole
	for _, r := range cfg.Roles {
		brings := rightsWords(r.Rights)
		if n := int64(len(r.Rules)); n > 0 {
			brings += " · " + count(n, "rule")
		}
		given := actor.MayGrant(r.Rights)
		all = append(all, editRole{ID: r.ID, Name: r.Name, Brings: brings, Given: given, Chosen: given && slices.Contains(chosen, r.ID)})
	}
	slices.SortStableFunc(all, func(a, b editRole) int {
		if a.Given != b.Given {
			return map[bool]int{true: -1, false: 1}[a.Given]
		}
		return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return all
}

// chosenRoles names the roles that are chosen, as the page's script does when that changes.
func (w *editWindow) chosenRoles() string {
	var names []string
	for _, r := range w.Roles {
		if r.Chosen {
			names = append(names, r.Name)
		}
	}
	if len(names) == 0 {
		return "None is chosen yet."
	}
	return "Chosen: " + strings.Join(names, ", ")
}

// takeUnits takes the units that fit what is typed, and first the one that is chosen.
func (w *editWindow) takeUnits(cfg *directory.Configuration, scope directory.Scope) {
	offered := cfg.OrgUnits
	if w.TeamsOnly = w.Set.Agents > 0; w.TeamsOnly {
		offered = slices.DeleteFunc(slices.Clone(offered), func(u directory.OrgUnit) bool { return u.Depth != len(cfg.Levels) })
	}
	found, more := findUnits(offered, scope, w.Chosen.Find)
	w.Units, w.MoreUnits = nil, more
	for _, u := range offered {
		if u.ID == w.Chosen.Unit && scope.Contains(u.Path) && !slices.Contains(found, u.FullName) {
			w.Units = append(w.Units, u)
		}
	}
	for _, name := range found {
		if i := slices.IndexFunc(offered, func(u directory.OrgUnit) bool { return u.FullName == name }); i >= 0 {
			w.Units = append(w.Units, offered[i])
		}
	}
}
