package setup

import (
	"bytes"
	"fmt"
	"regexp"
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
	if c.CRMNames != nil {
		var names []string
		for _, n := range c.CRMNames {
			names = append(names, n.Name)
		}
		w.line("crm_names: %s", flow(names))
	}
	section(w, "greeting_templates", c.GreetingTemplates, func(g directory.GreetingTemplate) {
		w.line("  - {name: %s, text: %s}", scalar(g.Name), quote(g.Text))
	})
	section(w, "channels", c.Channels, func(ch directory.Channel) {
		w.line("  - {name: %s, default: %d, highest: %d}", scalar(ch.Name), ch.Default, ch.Highest)
	})
	section(w, "features", c.Features, w.feature)
	if c.GivesSettings() {
		w.line("settings: {lan_id_extra_characters: %s}", quote(c.Settings.LANIDExtraCharacters))
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
		w.line("  - {name: %s, kind: list, values: %s, default: %s}", scalar(f.Name), flow(f.Values), scalar(f.Default))
		return
	}
	// Other programs that read YAML take a bare yes for a truth value.
	w.line("  - {name: %s, kind: %s, default: %s}", scalar(f.Name), scalar(f.Kind), quote(f.Default))
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
