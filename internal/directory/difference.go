package directory

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Op is what a change does.
type Op string

const (
	OpCreate Op = "create"
	OpUpdate Op = "update"
	OpDelete Op = "delete"
	OpRename Op = "rename" // never of a setup file, which knows things by their names
)

// Change is one thing of the configuration that is made, changed or deleted.
type Change struct {
	Op      Op     `json:"op"`
	Subject string `json:"subject"` // role, access-role, org-unit, org-levels, crm-name, …
	Name    string `json:"name"`
	// Details of an update: "highest: 1 → 2", "rights: + users:add".
	Details []string `json:"details,omitempty"`
}

// Difference is what has to change so that the configuration is as wanted, in the order in which it is done.
type Difference []Change

// attribute is a part of a thing of the configuration, as the audit and a difference show it. Its value is an int,
// a string, a []string whose order counts, a setOf or a []Rule.
type attribute struct {
	name  string
	value any
}

// setOf is a list whose order does not count.
type setOf []string

// differing returns those attributes of before and after, which have the same names, whose values differ.
func differing(before, after []attribute) (old, changed []attribute) {
	for i, a := range after {
		if asJSON(before[i].value) != asJSON(a.value) {
			old, changed = append(old, before[i]), append(changed, a)
		}
	}
	return old, changed
}

// auditJSON is the JSON object of the attributes; the audit keeps it.
func auditJSON(attributes []attribute) string {
	if attributes == nil {
		return ""
	}
	object := map[string]any{}
	for _, a := range attributes {
		object[a.name] = a.value
	}
	return asJSON(object)
}

func asJSON(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // people read it
	if err := enc.Encode(v); err != nil {
		panic("directory: a configuration always marshals: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// MarshalJSON gives two sets with the same members the same text.
func (s setOf) MarshalJSON() ([]byte, error) {
	sorted := slices.Clone([]string(s))
	slices.Sort(sorted)
	if sorted == nil {
		sorted = []string{}
	}
	return json.Marshal(sorted)
}

// details says in words how the attributes changed.
func details(old, changed []attribute) []string {
	var all []string
	for i, a := range changed {
		switch after := a.value.(type) {
		case setOf:
			before := old[i].value.(setOf)
			all = appendMembers(all, a.name, "+", minus(after, before))
			all = appendMembers(all, a.name, "-", minus(before, after))
		case []Rule:
			all = append(all, ruleDetails(old[i].value.([]Rule), after)...)
		default:
			all = append(all, fmt.Sprintf("%s: %s → %s", a.name, shown(old[i].value), shown(after)))
		}
	}
	return all
}

func appendMembers(all []string, name, sign string, members []string) []string {
	if len(members) == 0 {
		return all
	}
	return append(all, fmt.Sprintf("%s: %s %s", name, sign, strings.Join(members, ", ")))
}

// minus returns the members of a that b lacks.
func minus(a, b setOf) []string {
	return slices.DeleteFunc(slices.Clone([]string(a)), func(s string) bool { return slices.Contains(b, s) })
}

func ruleDetails(before, after []Rule) []string {
	var all []string
	for _, name := range RuleNames {
		old, had := findRule(before, name)
		now, has := findRule(after, name)
		switch {
		case has && !had:
			all = append(all, fmt.Sprintf("rules: + %s (%s)", name, now.inWords()))
		case had && !has:
			all = append(all, "rules: - "+name)
		case old != now:
			all = append(all, fmt.Sprintf("rule %s: %s → %s", name, old.inWords(), now.inWords()))
		}
	}
	return all
}

func findRule(rules []Rule, name string) (Rule, bool) {
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Rule == name })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

func (r Rule) inWords() string { return fmt.Sprintf("%s after %d s", r.Action, r.DelaySeconds) }

func shown(v any) string {
	switch v := v.(type) {
	case string:
		plain := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" -_", r) }
		if v == "" || strings.ContainsFunc(v, func(r rune) bool { return !plain(r) }) {
			return strconv.Quote(v)
		}
		return v
	case []string:
		if len(v) == 0 {
			return "none"
		}
		return strings.Join(v, ", ")
	}
	return fmt.Sprint(v)
}
