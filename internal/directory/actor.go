package directory

import (
	"slices"
	"strings"

	"muster/internal/fault"
)

// Right is one permission, a module and an action: "users:add".
type Right string

// Modules and Actions span the matrix of rights; roles are checked against it.
var (
	Modules = []string{"users", "pictures", "roles", "access-roles", "org-units", "catalogues", "batches", "audit", "settings", "api-tokens"}
	Actions = []string{"access", "add", "edit", "delete"}
)

// Valid tells whether the right is one of the matrix.
func (r Right) Valid() bool {
	module, action, _ := strings.Cut(string(r), ":")
	return slices.Contains(Modules, module) && slices.Contains(Actions, action)
}

// place is the right's position in the matrix.
func (r Right) place() int {
	module, action, _ := strings.Cut(string(r), ":")
	return slices.Index(Modules, module)*len(Actions) + slices.Index(Actions, action)
}

// Actor is who does something: a person with rights and a scope, or the system. The zero Actor may do nothing.
type Actor struct {
	name   string
	source string
	system bool
	rights map[Right]bool
	scope  Scope
}

// System acts for whoever holds the machine: the local command line. source says from where ("cli").
func System(source string) Actor {
	return Actor{name: "system", source: source, system: true, scope: Everywhere()}
}

// Person is an actor with exactly these rights within scope. name is the LAN ID, source the way in ("web").
func Person(name, source string, rights []Right, scope Scope) Actor {
	a := Actor{name: name, source: source, rights: map[Right]bool{}, scope: scope}
	for _, r := range rights {
		a.rights[r] = true
	}
	return a
}

// Name is what the audit and changed-by show.
func (a Actor) Name() string { return a.name }

// Source is the way in, for the audit.
func (a Actor) Source() string { return a.source }

// Scope is where the actor's rights apply.
func (a Actor) Scope() Scope { return a.scope }

// Can tells whether the actor holds the right (somewhere; see [Scope] for where).
func (a Actor) Can(r Right) bool { return a.system || a.rights[r] }

// MayGrant tells whether the actor holds every one of the rights: nobody gives what they do not have.
func (a Actor) MayGrant(rights []Right) bool {
	_, lacks := a.lacks(rights)
	return !lacks
}

// lacks returns the first of the rights that the actor does not hold.
func (a Actor) lacks(rights []Right) (right Right, lacks bool) {
	for _, r := range rights {
		if !a.Can(r) {
			return r, true
		}
	}
	return "", false
}

// Need returns a Forbidden error that names the first right the actor lacks.
func (a Actor) Need(rights ...Right) error {
	for _, r := range rights {
		if !a.Can(r) {
			return fault.New(fault.Forbidden, "this needs the right %s; ask somebody who manages roles", r)
		}
	}
	return nil
}

// Scope is where rights apply: everywhere, or some org units. The zero Scope is nowhere.
type Scope struct {
	everywhere bool
	below      []string // paths of units, each with everything below it
	exactly    []string // paths of units without what is below
}

// Everywhere is the scope without limits.
func Everywhere() Scope { return Scope{everywhere: true} }

// Below is the scope of these units, given by their paths, and everything below them.
func Below(paths ...string) Scope { return Scope{below: paths} }

// Exactly is the scope of one unit without what is below it.
func Exactly(path string) Scope { return Scope{exactly: []string{path}} }

// IsEverywhere tells whether the scope has no limits.
func (s Scope) IsEverywhere() bool { return s.everywhere }

// Contains tells whether the unit with this path is in scope; no unit ("") is only in scope everywhere.
func (s Scope) Contains(path string) bool {
	if s.everywhere {
		return true
	}
	if path == "" {
		return false
	}
	for _, p := range s.below {
		if strings.HasPrefix(path, p) {
			return true
		}
	}
	return slices.Contains(s.exactly, path)
}

// Covers tells whether everything in other is in s: only then may the actor give an access role with that scope.
func (s Scope) Covers(other Scope) bool {
	if s.everywhere {
		return true
	}
	if other.everywhere {
		return false
	}
	for _, p := range other.below {
		inside := false
		for _, mine := range s.below {
			inside = inside || strings.HasPrefix(p, mine)
		}
		if !inside {
			return false
		}
	}
	for _, p := range other.exactly {
		if !s.Contains(p) {
			return false
		}
	}
	return true
}
