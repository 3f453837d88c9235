package web

import (
	"cmp"
	"slices"
	"strings"

	"muster/internal/directory"
)

// unitPicker chooses the org units whose users are shown.
type unitPicker struct {
	usersAddress
	Typed string
	Found []string // full names
	More  int      // that fit as well
}

// mostUnits are offered at once: who wants another types more of its name.
const mostUnits = 50

// pickOrgUnit shows the picker, or only the units that fit what is typed.
func (s *Server) pickOrgUnit(v *visit) error {
	query := v.URL.Query()
	typed := query.Get("unit")
	query.Del("unit")
	a, err := parseUsersAddress(query)
	if err != nil {
		return err
	}
	cfg, err := configuration(v.ctx(), v.handle())
	if err != nil {
		return err
	}
	p := &unitPicker{usersAddress: a, Typed: typed}
	p.Found, p.More = findUnits(cfg.OrgUnits, v.actor().Scope(), typed)
	if v.fragment("unit-list") {
		return v.part(unitList(p))
	}
	return v.part(unitPickerView(p))
}

// findUnits returns the units in scope that fit best what is typed, and how many more do.
func findUnits(units []directory.OrgUnit, scope directory.Scope, typed string) (found []string, more int) {
	type fitting struct {
		unit *directory.OrgUnit
		rank int
	}
	words := strings.Fields(strings.ToLower(typed))
	var all []fitting
	for i := range units {
		u := &units[i]
		if !scope.Contains(u.Path) {
			continue
		}
		if rank := fits(u, words); rank >= 0 {
			all = append(all, fitting{u, rank})
		}
	}
	slices.SortFunc(all, func(a, b fitting) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.unit.Depth, b.unit.Depth), cmp.Compare(a.unit.FullName, b.unit.FullName))
	})
	for _, f := range all[:min(len(all), mostUnits)] {
		found = append(found, f.unit.FullName)
	}
	return found, len(all) - len(found)
}

// fits ranks a unit: its own name begins with what is typed, has it, or it is only in the names above; -1 where a word
// is nowhere.
func fits(u *directory.OrgUnit, words []string) int {
	if len(words) == 0 {
		return 0
	}
	full, own := strings.ToLower(u.FullName), strings.ToLower(u.Name)
	rank := 0
	for _, w := range words {
		switch {
		case strings.HasPrefix(own, w):
		case strings.Contains(own, w):
			rank = max(rank, 1)
		case strings.Contains(full, w):
			rank = max(rank, 2)
		default:
			return -1
		}
	}
	return rank
}

// only is the address with this unit alone.
func (p *unitPicker) only(unit string) string {
	return p.withFilter(func(f *directory.UserFilter) { f.OrgUnits = []string{unit} })
}

// toggled is the address with this unit as well, or without it.
func (p *unitPicker) toggled(unit string) string {
	return p.withFilter(func(f *directory.UserFilter) {
		if i := slices.Index(f.OrgUnits, unit); i >= 0 {
			f.OrgUnits = without(f.OrgUnits, i)
		} else {
			f.OrgUnits = append(f.OrgUnits, unit)
		}
	})
}

func (p *unitPicker) chosen(unit string) bool { return slices.Contains(p.query.Filter.OrgUnits, unit) }
