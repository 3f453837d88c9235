package directory

import (
	"fmt"
	"strings"
)

// Rules are the rules of a user against one state of the configuration, for one actor. They may be used by several
// goroutines.
type Rules struct {
	Configuration Configuration
	actor         Actor

	lanIDChars  [256]bool
	lanIDExtra  string
	units       map[string]int // as written: unit's index, or ambiguous
	unitByID    map[int64]*OrgUnit
	roles       map[string]int
	accessRoles map[string]int
	crmNames    map[string]int64
	greetings   map[string]int64
	grantable   []bool // by index of Configuration.Roles
	assignable  []bool // by index of Configuration.AccessRoles

	retiredCRMNames, retiredGreetings map[string]bool

	nearUnit, nearRole, nearAccessRole, nearCRMName, nearGreeting *nearest
}

const ambiguous = -1

// NewRules prepares the rules. cfg is not changed.
func NewRules(cfg Configuration, actor Actor) *Rules {
	r := &Rules{
		Configuration: cfg, actor: actor, lanIDExtra: cfg.Settings.LANIDExtraCharacters,
		units: map[string]int{}, unitByID: map[int64]*OrgUnit{}, roles: map[string]int{}, accessRoles: map[string]int{},
		crmNames: map[string]int64{}, greetings: map[string]int64{},
	}
	for c := range 256 {
		b := byte(c)
		r.lanIDChars[c] = '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || b != 0 && strings.IndexByte(r.lanIDExtra, b) >= 0
	}
	r.prepareUnits()
	var names []string
	for i, role := range cfg.Roles {
		r.roles[role.Name] = i
		r.grantable = append(r.grantable, actor.MayGrant(role.Rights))
		names = append(names, role.Name)
	}
	r.nearRole, names = newNearest(names), nil
	for i, a := range cfg.AccessRoles {
		r.accessRoles[a.Name] = i
		r.assignable = append(r.assignable, r.mayAssign(a))
		names = append(names, a.Name)
	}
	r.nearAccessRole, names = newNearest(names), nil
	for _, c := range cfg.CRMNames {
		r.crmNames[c.Name] = c.ID
		names = append(names, c.Name)
	}
	r.nearCRMName, names = newNearest(names), nil
	for _, g := range cfg.GreetingTemplates {
		r.greetings[g.Name] = g.ID
		names = append(names, g.Name)
	}
	r.nearGreeting = newNearest(names)
	r.retiredCRMNames, r.retiredGreetings = map[string]bool{}, map[string]bool{}
	for _, c := range cfg.Retired.CRMNames {
		r.retiredCRMNames[c.Name] = true
	}
	for _, g := range cfg.Retired.GreetingTemplates {
		r.retiredGreetings[g.Name] = true
	}
	return r
}

func (r *Rules) prepareUnits() {
	var names []string
	for i := range r.Configuration.OrgUnits {
		u := &r.Configuration.OrgUnits[i]
		r.unitByID[u.ID] = u
		names = append(names, u.Name)
		if _, twice := r.units[u.Name]; twice {
			r.units[u.Name] = ambiguous
		} else {
			r.units[u.Name] = i
		}
	}
	// Full paths cannot clash with names, which hold no " / "; a top-level unit's path is marked by a leading slash.
	for i, u := range r.Configuration.OrgUnits {
		if u.ParentID == 0 {
			r.units["/ "+u.Name] = i
		} else {
			r.units[u.FullName] = i
			r.units["/ "+u.FullName] = i
			names = append(names, u.FullName)
		}
	}
	r.nearUnit = newNearest(names)
}

// mayAssign tells whether the actor may give the access role: its reach must lie within their own. What "own unit"
// reaches depends on the holder, whose unit is in the actor's scope, so one with less than everything below in scope
// could still give away more than they have; only who acts everywhere or below is let.
func (r *Rules) mayAssign(a AccessRole) bool {
	scope := r.actor.Scope()
	switch a.Scope {
	case "everywhere":
		return scope.IsEverywhere()
	case "units":
		for _, name := range a.Units {
			i, ok := r.units["/ "+name]
			if !ok || i == ambiguous || !scope.Covers(Below(r.Configuration.OrgUnits[i].Path)) {
				return false
			}
		}
		return true
	case "own-unit-and-below":
		return scope.IsEverywhere() || len(scope.below) > 0 && len(scope.exactly) == 0
	}
	return scope.IsEverywhere() || len(scope.below)+len(scope.exactly) > 0
}

// Levels is the depth of a team.
func (r *Rules) levels() int { return len(r.Configuration.Levels) }

// UnitPath is the path of a unit by its id, "" for none.
func (r *Rules) UnitPath(id int64) string {
	if u := r.unitByID[id]; u != nil {
		return u.Path
	}
	return ""
}

// pathsOf names every unit called name, for the message that asks which.
func (r *Rules) pathsOf(name string) string {
	var all []string
	for _, u := range r.Configuration.OrgUnits {
		if u.Name == name {
			full := u.FullName
			if u.ParentID == 0 {
				full = "/ " + full
			}
			all = append(all, fmt.Sprintf("%q", full))
		}
	}
	if len(all) > 4 {
		all = append(all[:3], fmt.Sprintf("%d more", len(all)-3))
	}
	return strings.Join(all, ", ")
}
