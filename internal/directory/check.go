package directory

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"muster/internal/fault"
)

// Limits of what a configuration may hold.
const (
	longestName     = 200  // characters
	longestText     = 4000 // characters of a greeting
	longestFullName = 2400 // bytes: an index entry of PostgreSQL takes 2,700
	mostLevels      = 20
	highestNumber   = 1_000_000_000 // counts and seconds: fits any integer
	mostFaults      = 20            // shown at once
)

// faults collects everything that is wrong, so that it can be mended in one go.
type faults []string

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

// err is nil when nothing is wrong.
func (f faults) err() error {
	switch {
	case len(f) == 0:
		return nil
	case len(f) == 1:
		return fault.New(fault.Invalid, "%s", f[0])
	}
	shown := f[:min(len(f), mostFaults)]
	text := fmt.Sprintf("%d things are wrong:\n- %s", len(f), strings.Join(shown, "\n- "))
	if len(f) > len(shown) {
		text += fmt.Sprintf("\n- and %d more", len(f)-len(shown))
	}
	return fault.New(fault.Invalid, "%s", text)
}

// check looks at the sections that are wanted, and at how all of them, as they would then be, go together.
func (p *changePlan) check(want Configuration) {
	if want.Levels != nil {
		p.checkLevels()
	}
	if want.Levels != nil || want.OrgUnits != nil {
		p.checkDepths()
	}
	if want.Roles != nil {
		for _, r := range p.after.Roles {
			p.checkRole(r)
		}
	}
	if want.AccessRoles != nil || want.OrgUnits != nil {
		p.checkAccessRoles()
	}
	if want.AllCRMNames() != nil {
		for _, c := range p.after.AllCRMNames() {
			p.checkName("crm-name", c.Name)
		}
	}
	if want.AllGreetingTemplates() != nil {
		for _, g := range p.after.AllGreetingTemplates() {
			p.checkGreetingTemplate(g)
		}
	}
	if want.AllChannels() != nil {
		for _, c := range p.after.AllChannels() {
			p.checkChannel(c)
		}
	}
	if want.AllFeatures() != nil {
		for _, f := range p.after.AllFeatures() {
			p.checkFeature(f)
		}
	}
	if want.AllChannels() != nil || want.AllFeatures() != nil {
		p.checkColumns()
	}
}

func (p *changePlan) checkName(subject, name string) {
	if what := badName(name); what != "" {
		p.faults.add("%s %q: the name %s", subject, Shorten(name), what)
	}
}

// badName says what is wrong with a name and what to do; "" when nothing is.
func badName(name string) string {
	switch {
	case strings.TrimSpace(name) == "":
		return "is empty; give one"
	case !utf8.ValidString(name):
		return "is not UTF-8 text; save the file as UTF-8"
	case strings.TrimSpace(name) != name:
		return "begins or ends with white space; take it away"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "holds control characters, such as a line break; take them out"
	case utf8.RuneCountInString(name) > longestName:
		return fmt.Sprintf("has more than %d characters; shorten it", longestName)
	case name == "(clear)":
		return "is the word that empties a cell in an import; choose another"
	}
	return ""
}

func (p *changePlan) checkNumber(subject, name, what string, n int) bool {
	if n < 0 || n > highestNumber {
		p.faults.add("%s %q: %s is %d; give a number from 0 to %d", subject, name, what, n, highestNumber)
		return false
	}
	return true
}

// checkColumns makes sure that each channel and feature can be a column of its template: headers match without
// regard to case, spaces and underscores, and tell the three files apart.
func (p *changePlan) checkColumns() {
	taken := map[string]string{}
	for _, c := range append(Columns(), "Problems") {
		taken[columnKey(c)] = fmt.Sprintf("the column %q of the import's files", c)
	}
	take := func(subject, name string) {
		this := fmt.Sprintf("%s %q", subject, name)
		if other, there := taken[columnKey(name)]; there {
			p.faults.add("%s is called like %s (case, spaces and underscores do not count in a header); rename one of them", this, other)
			return
		}
		taken[columnKey(name)] = this
	}
	for _, c := range p.after.Channels {
		take("channel", c.Name)
	}
	for _, f := range p.after.Features {
		take("feature", f.Name)
	}
}

func columnKey(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || unicode.IsSpace(r) {
			return -1
		}
		return r
	}, Fold(name))
}

func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// firstRepeated returns the first value whose key was there before.
func firstRepeated[T any, K comparable](all []T, key func(T) K) (repeated T, found bool) {
	var seen []K
	for _, v := range all {
		k := key(v)
		if slices.Contains(seen, k) {
			return v, true
		}
		seen = append(seen, k)
	}
	return repeated, false
}
