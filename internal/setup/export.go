package setup

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"muster/internal/directory"
)

// Export writes the setup file of a configuration. The same configuration always gives the same bytes; a section that
// is nil is left out.
func Export(c directory.Configuration) []byte {
	w := &writer{}
	if c.Levels != nil {
		w.line("levels: %s", flow(c.Levels))
	}
	section(w, "org_units", c.OrgUnits, func(u directory.OrgUnit) { w.line("  - %s", scalar(u.FullName)) })
	section(w, "roles", c.Roles, w.role)
	section(w, "access_roles", c.AccessRoles, w.accessRole)
	w.crmNames(c.AllCRMNames())
	section(w, "greeting_templates", c.AllGreetingTemplates(), func(g directory.GreetingTemplate) {
		w.line("  - {name: %s, text: %s%s}", scalar(g.Name), quote(g.Text), retired(g.Retired))
	})
	section(w, "channels", c.AllChannels(), func(ch directory.Channel) {
		w.line("  - {name: %s, default: %d, highest: %d%s}", scalar(ch.Name), ch.Default, ch.Highest, retired(ch.Retired))
	})
	section(w, "features", c.AllFeatures(), w.feature)
	if c.GivesSettings() {
		w.settings(c)
	}
	return w.Bytes()
}

type writer struct{ bytes.Buffer }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func section[T any](w *writer, name string, all []T, write func(T)) {
	switch {
	case all == nil:
	case len(all) == 0:
		w.line("%s: []", name)
	default:
		w.line("%s:", name)
		for _, v := range all {
			write(v)
		}
	}
}

// retired is the end of an entry that is.
func retired(is bool) string {
	if is {
		return ", retired: true"
	}
	return ""
}

func (w *writer) crmNames(all []directory.Named) {
	if all == nil {
		return
	}
	written := make([]string, len(all))
	for i, n := range all {
		if written[i] = scalar(n.Name); n.Retired {
			written[i] = "{name: " + written[i] + retired(true) + "}"
		}
	}
	w.line("crm_names: [%s]", strings.Join(written, ", "))
}

func (w *writer) settings(c directory.Configuration) {
	if c.SettingNames != nil && len(c.SettingNames) == 0 {
		w.line("settings: {}")
		return
	}
	w.line("settings:")
	for _, d := range directory.SettingList {
		if c.SettingNames != nil && !slices.Contains(c.SettingNames, d.Name) {
			continue
		}
		value := d.Value(c.Settings)
		switch d.Kind {
		case "number":
		case "choice":
			value = scalar(value)
		default:
			value = quote(value)
		}
		w.line("  %s: %s", d.Name, value)
	}
}

func (w *writer) role(r directory.Role) {
	var rights []string
	for _, right := range r.Rights {
		rights = append(rights, string(right))
	}
	w.line("  - name: %s", scalar(r.Name))
	w.line("    rights: %s", flow(rights))
	if len(r.Rules) == 0 {
		return
	}
	w.line("    rules:")
	for _, rule := range r.Rules {
		w.line("      - {rule: %s, action: %s, delay_seconds: %d}", scalar(rule.Rule), scalar(rule.Action), rule.DelaySeconds)
	}
}

func (w *writer) accessRole(a directory.AccessRole) {
	if len(a.Units) == 0 {
		w.line("  - {name: %s, scope: %s}", scalar(a.Name), scalar(a.Scope))
		return
	}
	w.line("  - {name: %s, scope: %s, org_units: %s}", scalar(a.Name), scalar(a.Scope), flow(a.Units))
}

func (w *writer) feature(f directory.Feature) {
	if f.Kind == "list" {
		values := flow(f.Values)
		if len(f.RetiredValues) > 0 {
			values += ", retired_values: " + flow(f.RetiredValues)
		}
		w.line("  - {name: %s, kind: list, values: %s, default: %s%s}", scalar(f.Name), values, scalar(f.Default), retired(f.Retired))
		return
	}
	// Other programs that read YAML take a bare yes for a truth value.
	w.line("  - {name: %s, kind: %s, default: %s%s}", scalar(f.Name), scalar(f.Kind), quote(f.Default), retired(f.Retired))
}

func flow(all []string) string {
	written := make([]string, len(all))
	for i, s := range all {
		written[i] = scalar(s)
	}
	return "[" + strings.Join(written, ", ") + "]"
}

// plain is what needs no quotes, in a list of one line neither: it begins with a letter, and a colon in it is followed
// by a letter, as in a right.
var plain = regexp.MustCompile(`^\p{L}([\p{L}\p{M}\p{N}_.&/()+-]|:\p{L}| [\p{L}\p{N}/&(+-])*$`)

// notText are words that YAML, in one version or another, takes for something else than text.
var notText = regexp.MustCompile(`(?i)^(y|n|yes|no|true|false|on|off|null|nan|inf)$`)

// scalar writes a text that reads back as the same text.
func scalar(s string) string {
	if plain.MatchString(s) && !notText.MatchString(s) {
		return s
	}
	return quote(s)
}

// quote writes a text in double quotes. Go's escapes are all YAML's too.
func quote(s string) string { return strconv.Quote(s) }
