package sample

import (
	"bytes"
	"encoding/csv"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// setupFile is what the oracle reads of the organisation, with a real YAML library.
type setupFile struct {
	Levels   []string
	OrgUnits []string `yaml:"org_units"`
	Roles    []struct {
		Name   string
		Rights []string
		Rules  []struct {
			Rule, Action string
			Delay        *int `yaml:"delay_seconds"`
		}
	}
	AccessRoles []struct {
		Name, Scope string
		OrgUnits    []string `yaml:"org_units"`
	} `yaml:"access_roles"`
	CRMNames          []string                      `yaml:"crm_names"`
	GreetingTemplates []struct{ Name, Text string } `yaml:"greeting_templates"`
	Channels          []struct {
		Name             string
		Default, Highest int
	}
	Features []struct {
		Name, Kind, Default string
		Values              []string
	}
	Settings map[string]string
}

func readSetup(t testing.TB) setupFile {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(Organisation()))
	decoder.KnownFields(true)
	var s setupFile
	if err := decoder.Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// oracle judges files by the rules, written a second time and the slow way: everything in maps, in
// the order of judgement, with the option "Supervisors may be in the same file" on.
type oracle struct {
	setup    setupFile
	existing map[string]bool // supervisors of the directory, on top of everybody; lower case
	details  map[string][]string
	rows     []*judged
	byLAN    map[string][]*judged
	counts   Counts
}

type judged struct {
	lan, first, last, agent, pbx, profile, supervisor, unit, role, access, crm, greeting string

	path    string // the unit's, if it is known
	codes   []string
	outcome outcome
}

func judge(t testing.TB, users, channels, features []byte, existing ...string) Counts {
	t.Helper()
	o := &oracle{setup: readSetup(t), existing: map[string]bool{}, details: map[string][]string{}, byLAN: map[string][]*judged{}}
	for _, lan := range existing {
		o.existing[strings.ToLower(lan)] = true
	}
	for _, c := range parse(t, users)[1:] {
		r := &judged{c[0], c[1], c[2], c[3], c[4], strings.ToLower(c[5]), strings.ToLower(c[6]), c[7], c[8], c[9], c[10], c[11], "", nil, inserted}
		o.rows = append(o.rows, r)
		key := strings.ToLower(r.lan)
		o.byLAN[key] = append(o.byLAN[key], r)
	}
	o.readDetails("channel", parse(t, channels), o.channelCode)
	o.readDetails("feature", parse(t, features), o.featureCode)
	for _, r := range o.rows {
		o.judgeAlone(r)
	}
	o.judgeRepeats()
	o.judgeSupervisors()
	for _, r := range o.rows {
		o.counts.add(1, r.outcome, r.codes...)
	}
	return o.counts
}

func parse(t testing.TB, file []byte) [][]string {
	t.Helper()
	rest, ok := bytes.CutPrefix(file, []byte(bom))
	if !ok || bytes.Count(rest, []byte("\n")) != bytes.Count(rest, []byte("\r\n")) {
		t.Fatal("no BOM, or a line without CRLF")
	}
	rows, err := csv.NewReader(bytes.NewReader(rest)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func (o *oracle) readDetails(kind string, rows [][]string, code func(column, cell string) string) {
	seen := map[string]bool{}
	for _, cells := range rows[1:] {
		key := strings.ToLower(cells[0])
		if len(o.byLAN[key]) == 0 {
			o.counts.Stray++
			o.counts.note(1, kind+".unknown_user")
			continue
		}
		if seen[key] {
			o.details[key] = append(o.details[key], kind+".repeated_user")
		}
		seen[key] = true
		for c, cell := range cells[1:] {
			if cell != "" {
				if found := code(rows[0][c+1], cell); found != "" {
					o.details[key] = append(o.details[key], found)
				}
			}
		}
	}
}

func (o *oracle) channelCode(column, cell string) string {
	n, err := strconv.ParseUint(cell, 10, 31)
	for _, c := range o.setup.Channels {
		switch {
		case c.Name != column:
		case err != nil:
			return "channel.not_a_count"
		case int(n) > c.Highest:
			return "channel.too_high"
		default:
			return ""
		}
	}
	return "file.unknown_column"
}

func (o *oracle) featureCode(column, cell string) string {
	for _, f := range o.setup.Features {
		if f.Name == column {
			if slices.Contains(append([]string{"yes", "no", "true", "false", "1", "0"}, f.Values...), cell) {
				return ""
			}
			return "feature.not_a_value"
		}
	}
	return "file.unknown_column"
}

var (
	wellFormed = regexp.MustCompile(`^[A-Za-z0-9]*$`)
	digits     = regexp.MustCompile(`^[0-9]*$`)
	scientific = regexp.MustCompile(`^[0-9]\.[0-9]+E\+[0-9]+$`)
)
