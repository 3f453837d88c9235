package directory

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// AuditChange is one field of an entry of the audit, before and after, in parts: a text is one part, a list has one for
// each member. Of a list whose members came and went only those are here that did; Same counts the others.
type AuditChange struct {
	Field         string // as it is stored: "pbx_id"
	Before, After []string
	Same          int
}

// Changes are the fields of which the entry tells, in the order of their names, without those that stayed as they were.
// Something that is no JSON object, as the state of a batch once was, is one field without a name.
func (e AuditEntry) Changes() []AuditChange {
	before, after := auditFields(e.Before), auditFields(e.After)
	names := map[string]any{}
	maps.Copy(names, before)
	maps.Copy(names, after)
	var all []AuditChange
	for _, name := range slices.Sorted(maps.Keys(names)) {
		old, now := auditParts(before[name]), auditParts(after[name])
		if slices.Equal(old, now) {
			continue
		}
		c := AuditChange{Field: name, Before: old, After: now}
		if len(old) > 1 || len(now) > 1 {
			c.leaveOutSame()
		}
		all = append(all, c)
	}
	return all
}

// leaveOutSame leaves members that both lists have to a number, unless it is their order that changed.
func (c *AuditChange) leaveOutSame() {
	gone := slices.DeleteFunc(slices.Clone(c.Before), func(s string) bool { return slices.Contains(c.After, s) })
	came := slices.DeleteFunc(slices.Clone(c.After), func(s string) bool { return slices.Contains(c.Before, s) })
	if len(gone)+len(came) == 0 {
		return
	}
	c.Same = len(c.After) - len(came)
	c.Before, c.After = gone, came
}

func auditFields(text string) map[string]any {
	var fields map[string]any
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	switch {
	case text == "":
		return nil
	case dec.Decode(&fields) != nil || fields == nil:
		return map[string]any{"": text}
	}
	return fields
}

// auditParts is a value for people.
func auditParts(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		if v == "" {
			return nil
		}
		return []string{v}
	case []any:
		var all []string
		for _, member := range v {
			all = append(all, strings.Join(auditParts(member), ", "))
		}
		return all
	case map[string]any:
		if r, ok := auditRule(v); ok {
			return []string{r}
		}
		var all []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			all = append(all, fmt.Sprintf("%s: %s", name, strings.Join(auditParts(v[name]), ", ")))
		}
		return all
	case bool:
		if v {
			return []string{"yes"}
		}
		return []string{"no"}
	}
	return []string{fmt.Sprint(v)}
}

// auditRule is a rule of a role in words.
func auditRule(v map[string]any) (string, bool) {
	rule, named := v["rule"].(string)
	action, acts := v["action"].(string)
	delay, err := strconv.Atoi(fmt.Sprint(v["delay_seconds"]))
	if !named || !acts || err != nil {
		return "", false
	}
	return rule + ": " + Rule{Action: action, DelaySeconds: delay}.inWords(), true
}
