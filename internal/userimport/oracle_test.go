package userimport_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"muster/internal/directory"
)

// The rules written a second time, the slow way: maps and loops, row by row, in the order of judgement. It shares
// nothing with the program but the configuration's types. Hints at lost zeros are left to the cases.

// world is what an import is judged against.
type world struct {
	cfg    directory.Configuration
	people []person
	// Who imports. Nobody's rights are looked at when everything is allowed.
	everything bool
	rights     []string
	below      []string // full names of units
	inFile     bool     // the option
}

// person is a user of the directory.
type person struct {
	LAN, Agent, PBX, Profile, Unit string
	Active                         int
}

// tables are the three files without their headers, whose columns are the template's; nil is a file left out.
type tables struct{ users, channels, features [][]string }

// verdict is what is to be said of a row.
type verdict struct {
	Row     int64
	LAN     string
	Outcome string
	Codes   []string // sorted
}

type line struct {
	verdict
	key     string
	cells   []string
	agent   string // folded, the LAN ID where blank
	profile string // Agent, Supervisor or ""
	unit    string // full name, "" unless it is known
	pending string // folded LAN ID of a supervisor whom only the file has
	errors  int
}

func (l *line) say(code string) {
	l.Codes = append(l.Codes, code)
	switch {
	case code == "lan_id.exists", code == "lan_id.repeated":
		l.Outcome = "duplicate"
	case code == "agent_id.defaulted", code == "supervisor.other_branch":
	default:
		l.errors++
		l.Outcome = "invalid"
	}
}

// fold is how ids are compared.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func blank(cells []string) bool { return strings.Join(cells, "") == "" }

// judge returns what is to be said of each row of UserDetails, and the strays of the other two files.
func (w *world) judge(f tables) (rows []verdict, strays []verdict) {
	var lines []*line
	inFile := map[string]bool{}
	for i, cells := range f.users {
		if blank(cells) {
			continue
		}
		for len(cells) < 12 {
			cells = append(cells, "")
		}
		l := &line{verdict: verdict{Row: int64(i + 2), LAN: cells[0], Outcome: "inserted"}, cells: cells, key: fold(cells[0])}
		lines = append(lines, l)
		inFile[l.key] = true
	}
	details := map[string][]string{}
	strays = append(strays, w.details("channel", f.channels, inFile, details, w.channelCode)...)
	strays = append(strays, w.details("feature", f.features, inFile, details, w.featureCode)...)

	for _, l := range lines { // steps 1 and 2
		if w.wellFormed(l.cells[0]) && w.find(func(p person) string { return fold(p.LAN) }, l.key) != nil {
			l.say("lan_id.exists")
			continue
		}
		w.alone(l, inFile)
		for _, code := range details[l.key] {
			l.say(code)
		}
	}
	good := func(l *line) bool { return l.Outcome == "inserted" }
	firstGood := map[string]*line{}
	for _, l := range lines { // step 3
		if l.Codes != nil && l.Codes[0] == "lan_id.exists" {
			continue
		}
		if firstGood[l.key] != nil {
			l.Codes, l.errors = nil, 0
			l.say("lan_id.repeated")
		} else if good(l) {
			firstGood[l.key] = l
		}
	}
	var left []*line // step 4
	for _, l := range lines {
		if good(l) {
			left = append(left, l)
		}
	}
	agents, pbxs := map[string]bool{}, map[string]bool{}
	for _, l := range left {
		if agents[l.agent] {
			l.say("agent_id.repeated")
		}
		if pbxs[l.cells[4]] {
			l.say("pbx_id.repeated")
		}
		agents[l.agent], pbxs[l.cells[4]] = true, true
	}
	w.supervise(lines, firstGood)
	for _, l := range lines {
		slices.Sort(l.Codes)
		rows = append(rows, l.verdict)
	}
	return rows, strays
}

// supervise is step 5.
func (w *world) supervise(lines []*line, firstGood map[string]*line) {
	lead := map[string]*line{}
	for _, l := range lines {
		if lead[l.key] == nil {
			lead[l.key] = l
		}
		if l == firstGood[l.key] {
			lead[l.key] = l // the first one that has no errors of its own
		}
	}
	var judged []*line
	for _, l := range lines {
		if l.Outcome == "inserted" && l.pending != "" {
			judged = append(judged, l)
		}
	}
	stillGood := map[*line]bool{}
	for _, l := range lines {
		stillGood[l] = l.Outcome == "inserted"
	}
	above := func(l *line) *line {
		if l.pending == "" || !stillGood[l] {
			return nil
		}
		return lead[l.pending]
	}
	inRing := func(l *line) bool {
		at := l
		for range lines {
			at = above(at)
			if at == nil || at.profile != "Supervisor" {
				return false
			}
			if at == l {
				return true
			}
		}
		return false
	}
	ring := map[*line]bool{}
	for _, l := range judged {
		ring[l] = inRing(l)
	}
	for again := true; again; {
		again = false
		for _, l := range judged {
			if l.Outcome != "inserted" {
				continue
			}
			switch up := lead[l.pending]; {
			case up.profile == "Agent":
				l.say("supervisor.not_a_supervisor")
			case ring[l]:
				l.say("supervisor.cycle")
			case up.Outcome != "inserted":
				l.say("supervisor.row_invalid")
			}
			again = again || l.Outcome != "inserted"
		}
	}
	for _, l := range judged {
		w.branch(l, lead[l.pending].unit)
	}
}

func (w *world) branch(l *line, unit string) {
	if l.unit != "" && unit != "" && l.unit != unit && !strings.HasPrefix(l.unit, unit+" / ") {
		l.say("supervisor.other_branch")
	}
}

func (w *world) find(id func(person) string, key string) *person {
	for i := range w.people {
		if id(w.people[i]) == key {
			return &w.people[i]
		}
	}
	return nil
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9]*$`)

func (w *world) wellFormed(id string) bool {
	return id != "" && plainID.MatchString(id) && len(id) <= 64
}

var errorValues = []string{"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"}

var rounded = regexp.MustCompile(`^[0-9]([.,][0-9]+)?E\+[0-9]+$`)

func damagedCell(cell string, id bool) bool {
	return slices.Contains(errorValues, cell) || id && rounded.MatchString(cell)
}

// text says what is wrong with a cell of text as such; then nothing else is asked of it.
func (l *line) text(column int, code string, longest int) bool {
	cell := l.cells[column]
	switch {
	case damagedCell(cell, false):
		l.say(code + ".spreadsheet_damage")
	case utf8.RuneCountInString(cell) > longest:
		l.say(code + ".too_long")
	case strings.ContainsFunc(cell, unicode.IsControl) && column != 5:
		l.say(code + ".control_characters")
	default:
		return false
	}
	return true
}

func (w *world) alone(l *line, inFile map[string]bool) {
	for column, code := range map[int]string{0: "lan_id", 1: "first_name", 2: "last_name", 4: "pbx_id", 5: "profile", 7: "org_unit", 8: "role"} {
		if l.cells[column] == "" {
			l.say(code + ".missing")
		}
	}
	l.agent = fold(l.cells[3])
	if l.cells[3] == "" && l.cells[0] != "" {
		l.agent = l.key
		l.say("agent_id.defaulted")
	}
	for column, code := range map[int]string{0: "lan_id", 3: "agent_id"} {
		id := l.cells[column]
		if damagedCell(id, true) {
			l.say(code + ".spreadsheet_damage")
			continue
		}
		if utf8.RuneCountInString(id) > 64 {
			l.say(code + ".too_long")
		}
		if !plainID.MatchString(id) {
			l.say(code + ".special_characters")
		}
	}
	l.text(1, "first_name", 100)
	l.text(2, "last_name", 100)
	w.pbx(l)
	if p := l.cells[5]; p != "" && !l.text(5, "profile", 200) {
		switch fold(p) {
		case "agent":
			l.profile = "Agent"
		case "supervisor":
			l.profile = "Supervisor"
		default:
			l.say("profile.unknown")
		}
	}
	w.orgUnit(l)
	w.supervisor(l, inFile)
	w.catalogues(l)
	if l.agent != "" && w.find(func(p person) string { return fold(p.Agent) }, l.agent) != nil {
		l.say("agent_id.taken")
	}
	if l.cells[4] != "" && w.find(func(p person) string { return p.PBX }, l.cells[4]) != nil {
		l.say("pbx_id.taken")
	}
}

func (w *world) pbx(l *line) {
	pbx := l.cells[4]
	if pbx == "" {
		return
	}
	if damagedCell(pbx, true) {
		l.say("pbx_id.spreadsheet_damage")
		return
	}
	if utf8.RuneCountInString(pbx) > 20 {
		l.say("pbx_id.too_long")
	}
	if strings.Trim(pbx, "0123456789") != "" {
		l.say("pbx_id.not_a_number")
	}
}

func (w *world) orgUnit(l *line) {
	name := l.cells[7]
	if name == "" || l.text(7, "org_unit", 200) {
		return
	}
	var found []directory.OrgUnit
	for _, u := range w.cfg.OrgUnits {
		if u.Name == name || u.FullName == name && u.Depth > 1 || "/ "+u.FullName == name {
			found = append(found, u)
		}
	}
	switch len(found) {
	case 0:
		l.say("org_unit.unknown")
		return
	case 1:
	default:
		l.say("org_unit.ambiguous")
		return
	}
	l.unit = found[0].FullName
	if l.profile == "Agent" && found[0].Depth != len(w.cfg.Levels) {
		l.say("org_unit.not_a_team")
	}
	if !w.inScope(l.unit) {
		l.say("org_unit.out_of_scope")
	}
}

func (w *world) inScope(unit string) bool {
	return w.everything || slices.ContainsFunc(w.below, func(mine string) bool { return unit == mine || strings.HasPrefix(unit, mine+" / ") })
}

func (w *world) supervisor(l *line, inFile map[string]bool) {
	cell := l.cells[6]
	key := fold(cell)
	switch {
	case cell == "":
		if l.profile == "Agent" {
			l.say("supervisor.missing")
		}
		return
	case damagedCell(cell, true):
		l.say("supervisor.spreadsheet_damage")
		return
	case utf8.RuneCountInString(cell) > 200:
		l.say("supervisor.too_long")
		return
	case key == l.key:
		l.say("supervisor.self")
		return
	}
	p := w.find(func(p person) string { return fold(p.LAN) }, key)
	switch {
	case p == nil && w.inFile && inFile[key]:
		l.pending = key
	case p == nil:
		l.say("supervisor.unknown")
	default:
		if p.Profile == "Agent" {
			l.say("supervisor.not_a_supervisor")
		} else if p.Active == 0 {
			l.say("supervisor.inactive")
		}
		w.branch(l, p.Unit)
	}
}

func (w *world) catalogues(l *line) {
	if cell := l.cells[8]; cell != "" && !l.text(8, "role", 200) {
		named := false
		for _, name := range strings.FieldsFunc(cell, func(r rune) bool { return r == ';' || r == ',' }) {
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			named = true
			i := slices.IndexFunc(w.cfg.Roles, func(r directory.Role) bool { return r.Name == name })
			if i < 0 {
				l.say("role.unknown")
			} else if slices.ContainsFunc(w.cfg.Roles[i].Rights, func(r directory.Right) bool { return !w.everything && !slices.Contains(w.rights, string(r)) }) {
				l.say("role.not_grantable")
			}
		}
		if !named {
			l.say("role.missing")
		}
	}
	if cell := l.cells[9]; cell != "" && !l.text(9, "access_role", 200) {
		i := slices.IndexFunc(w.cfg.AccessRoles, func(a directory.AccessRole) bool { return a.Name == cell })
		if i < 0 {
			l.say("access_role.unknown")
		} else if !w.mayGive(w.cfg.AccessRoles[i]) {
			l.say("access_role.not_grantable")
		}
	}
	if cell := l.cells[10]; cell != "" && !l.text(10, "crm_name", 200) && !slices.ContainsFunc(w.cfg.CRMNames, func(n directory.Named) bool { return n.Name == cell }) {
		l.say("crm_name.unknown")
	}
	if cell := l.cells[11]; cell != "" && !l.text(11, "greeting_template", 200) && !slices.ContainsFunc(w.cfg.GreetingTemplates, func(g directory.GreetingTemplate) bool { return g.Name == cell }) {
		l.say("greeting_template.unknown")
	}
}

// mayGive: the new user's unit is in scope, and so is everything below it.
func (w *world) mayGive(a directory.AccessRole) bool {
	switch {
	case w.everything:
		return true
	case a.Scope == "everywhere":
		return false
	case a.Scope == "units":
		return !slices.ContainsFunc(a.Units, func(u string) bool { return !w.inScope(u) })
	}
	return len(w.below) > 0
}

// details judges one of the other two files: codes by LAN ID, and the strays.
func (w *world) details(kind string, rows [][]string, inFile map[string]bool, into map[string][]string, code func(column int, cell string) string) (strays []verdict) {
	seen := map[string]bool{}
	for i, cells := range rows {
		if blank(cells) {
			continue
		}
		key := fold(cells[0])
		if !inFile[key] {
			strays = append(strays, verdict{int64(i + 2), cells[0], "stray", []string{kind + ".unknown_user"}})
			continue
		}
		if seen[key] {
			into[key] = append(into[key], kind+".repeated_user")
		}
		seen[key] = true
		for column, cell := range cells[1:] {
			if cell == "" {
				continue
			}
			if c := code(column, cell); c != "" {
				into[key] = append(into[key], kind+"."+c)
			}
		}
	}
	return strays
}

func (w *world) channelCode(column int, cell string) string {
	if damagedCell(cell, true) {
		return "spreadsheet_damage"
	}
	if strings.Trim(cell, "0123456789") != "" {
		return "not_a_count"
	}
	if n, err := strconv.Atoi(cell); err != nil || n > w.cfg.Channels[column].Highest {
		return "too_high"
	}
	return ""
}

func (w *world) featureCode(column int, cell string) string {
	if damagedCell(cell, false) {
		return "spreadsheet_damage"
	}
	values := []string{"yes", "no", "true", "false", "1", "0"}
	if f := w.cfg.Features[column]; f.Kind == "list" {
		values = f.Values
	}
	if slices.ContainsFunc(values, func(v string) bool { return fold(v) == fold(cell) }) {
		return ""
	}
	return "not_a_value"
}
