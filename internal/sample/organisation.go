package sample

import (
	_ "embed"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed organisation.yaml
var organisationYAML []byte

// Organisation returns the demo's setup file: everything that the users of Demo and Generate
// refer to. The caller may keep and change the bytes.
func Organisation() []byte { return slices.Clone(organisationYAML) }

// pathSeparator stands between the names of a unit's path.
const pathSeparator = " / "

// organisation is what the generators need to know of the setup file.
type organisation struct {
	units       []string // full paths, in the file's order
	teams       []team   // the units on the lowest level, in the file's order
	roles       []string
	accessRoles []string
	crmNames    []string
	greetings   []string
	channels    []channel
	features    []feature
}

type team struct {
	path    string
	name    string // as an import gives it: the path where the name alone is ambiguous
	country string
}

func (t team) department() string { return t.path[:strings.LastIndex(t.path, pathSeparator)] }

type channel struct {
	name              string
	standard, highest int
}

type feature struct {
	name     string
	standard string
	values   []string // none: a switch
}

// theOrganisation reads the embedded file, once.
var theOrganisation = sync.OnceValue(func() *organisation { return readOrganisation(string(organisationYAML)) })

// The embedded file is ours, and written so that a pattern finds what is needed: one entry per
// line. A YAML library would be the only dependency of this package; a test compares with one.
var (
	entryName     = regexp.MustCompile(`\bname: ([^,}]+)`)
	entryDefault  = regexp.MustCompile(`\bdefault: "?([^",}]+)"?`)
	entryHighest  = regexp.MustCompile(`\bhighest: (\d+)`)
	entryValues   = regexp.MustCompile(`\bvalues: \[([^\]]+)\]`)
	flowList      = regexp.MustCompile(`^crm_names: \[(.+)\]$`)
	sectionHeader = regexp.MustCompile(`^([a-z_]+):`)
)

func readOrganisation(text string) *organisation {
	o := &organisation{}
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if m := sectionHeader.FindStringSubmatch(line); m != nil {
			section = m[1]
		}
		if list := first(flowList, line); list != "" {
			o.crmNames = strings.Split(list, ", ")
		}
		if entry, ok := strings.CutPrefix(line, "  - "); ok {
			o.addEntry(section, entry)
		}
	}
	o.findTeams()
	return o
}

func (o *organisation) addEntry(section, entry string) {
	name := first(entryName, entry)
	switch section {
	case "org_units":
		o.units = append(o.units, entry)
	case "roles":
		o.roles = append(o.roles, name)
	case "access_roles":
		o.accessRoles = append(o.accessRoles, name)
	case "greeting_templates":
		o.greetings = append(o.greetings, name)
	case "channels":
		o.channels = append(o.channels, channel{
			name: name, standard: number(first(entryDefault, entry)), highest: number(first(entryHighest, entry)),
		})
	case "features":
		f := feature{name: name, standard: first(entryDefault, entry)}
		if values := first(entryValues, entry); values != "" {
			f.values = strings.Split(values, ", ")
		}
		o.features = append(o.features, f)
	}
}

// findTeams needs all units: only then is it known which names are used twice.
func (o *organisation) findTeams() {
	used := map[string]int{}
	for _, path := range o.units {
		used[lastName(path)]++
	}
	for _, path := range o.units {
		if strings.Count(path, pathSeparator) != 3 {
			continue
		}
		t := team{path: path, name: lastName(path)}
		t.country, _, _ = strings.Cut(path, pathSeparator)
		if used[t.name] > 1 {
			t.name = path
		}
		o.teams = append(o.teams, t)
	}
}

// countries returns the top-level units, in the file's order.
func (o *organisation) countries() []string {
	var all []string
	for _, path := range o.units {
		if !strings.Contains(path, pathSeparator) {
			all = append(all, path)
		}
	}
	return all
}

// lastName is the unit's own name: the last of its path.
func lastName(path string) string {
	if i := strings.LastIndex(path, pathSeparator); i >= 0 {
		return path[i+len(pathSeparator):]
	}
	return path
}

func first(pattern *regexp.Regexp, text string) string {
	if m := pattern.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits) // the test against a YAML library would see a wrong one
	return n
}
