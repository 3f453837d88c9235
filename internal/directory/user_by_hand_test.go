package directory_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// office is a directory with a few people who were added one by one.
type office struct {
	*testing.T
	d   *directory.Directory
	ids map[string]int64
}

func officeConfiguration() directory.Configuration {
	c := full()
	c.OrgUnits = units("UAE", "UAE / Retail", "UAE / Retail / Team 1", "UAE / Retail / Team 2", "UAE / Loans", "UAE / Loans / Team 1", "India")
	c.Roles = append(c.Roles, directory.Role{Name: "Chief", Rights: directory.AllRights(), Rules: []directory.Rule{{Rule: "no-face-in-view", Action: "warn", DelaySeconds: 5}}})
	c.AccessRoles = append(c.AccessRoles, directory.AccessRole{Name: "Own unit", Scope: "own-unit"}, directory.AccessRole{Name: "Own and below", Scope: "own-unit-and-below"})
	return c
}

// eachOffice has boss over lead over ann and bob in Retail, and far in India.
func eachOffice(t *testing.T, fn func(o *office)) {
	t.Helper()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		apply(t, system(d), officeConfiguration(), false)
		o := &office{T: t, d: d, ids: map[string]int64{}}
		o.add("boss", "1", "Supervisor", "", "UAE", "Chief")
		o.add("lead", "2", "Supervisor", "boss", "UAE / Retail", "Team Lead")
		o.add("ann", "3", "Agent", "lead", "UAE / Retail / Team 1", "Agent")
		o.add("bob", "4", "Agent", "lead", "UAE / Retail / Team 2", "Agent")
		o.add("far", "5", "Supervisor", "", "India", "Agent")
		fn(o)
	})
}

func (o *office) input(lanID, pbx, profile, supervisor, unit string, roles ...string) directory.UserInput {
	return directory.UserInput{LANID: lanID, FirstName: "First " + lanID, LastName: "Last", PBXID: pbx, Profile: profile, Supervisor: supervisor, OrgUnit: unit, Roles: roles}
}

func (o *office) add(lanID, pbx, profile, supervisor, unit string, roles ...string) {
	o.Helper()
	u, problems, err := system(o.d).AddUser(o.Context(), o.input(lanID, pbx, profile, supervisor, unit, roles...))
	if err != nil || errorCodes(problems) != "" {
		o.Fatalf("%s: %v, %v", lanID, problems, err)
	}
	o.ids[lanID] = u.ID
}

func (o *office) user(lanID string) directory.User {
	o.Helper()
	u, err := system(o.d).User(o.Context(), o.ids[lanID])
	if err != nil {
		o.Fatal(err)
	}
	return u
}

// as is a person with the rights, or all, in the units of these names and below, or everywhere.
func (o *office) as(rights []directory.Right, names ...string) *directory.Handle {
	o.Helper()
	if rights == nil {
		rights = directory.AllRights()
	}
	scope := directory.Everywhere()
	if names != nil {
		var paths []string
		for _, u := range load(o, o.d).OrgUnits {
			if slices.Contains(names, u.FullName) {
				paths = append(paths, u.Path)
			}
		}
		scope = directory.Below(paths...)
	}
	return o.d.As(directory.Person("chief", "test", rights, scope))
}

func (o *office) lastAudit() (e struct{ Action, Name, Before, After, Reason string }) {
	o.Helper()
	e, _, err := sqldb.One[struct{ Action, Name, Before, After, Reason string }](o.Context(), o.d.DB.Read(), "SELECT action, name, before, after, reason FROM audit ORDER BY id DESC LIMIT 1")
	if err != nil {
		o.Fatal(err)
	}
	return e
}

func (o *office) count(query string, args ...any) int64 {
	o.Helper()
	n, _, err := sqldb.One[int64](o.Context(), o.d.DB.Read(), query, args...)
	if err != nil {
		o.Fatal(err)
	}
	return n
}

// errorCodes are the codes of the problems that keep somebody out, in order.
func errorCodes(problems []directory.Problem) string {
	var codes []string
	for _, p := range problems {
		if p.Severity == directory.Error {
			codes = append(codes, p.Code)
		}
	}
	slices.Sort(codes)
	return strings.Join(codes, " ")
}

func TestAddUser(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		in := o.input(" New.One ", "0077", "agent", "LEAD", "Team 2", " Agent", "Team Lead", "Agent")
		in.AccessRole, in.CRMName, in.GreetingTemplate, in.Email = "Retail", "Siebel", "Standard", "new@example.com"
		in.ChannelCounts, in.Features = map[string]string{"Voice": "0", "Chat": "2"}, map[string]string{"CRM Enabled": "TRUE", "Manual In": ""}
		u, problems, err := system(o.d).AddUser(o.Context(), in)
		if err != nil || len(problems) != 1 || problems[0].Code != "agent_id.defaulted" {
			o.Fatal(problems, err)
		}
		want := directory.User{LANID: "New.One", FirstName: "First  New.One", LastName: "Last", AgentID: "New.One", PBXID: "0077", Profile: directory.Agent,
			Supervisor: "lead", SupervisorName: "First lead Last", OrgUnit: "UAE / Retail / Team 2", Roles: []string{"Agent", "Team Lead"}, AccessRole: "Retail",
			CRMName: "Siebel", GreetingTemplate: "Standard", Email: "new@example.com", Status: directory.Active, Version: 1, ChangedBy: "system",
			ChannelCounts: map[string]int{"Voice": 0, "Chat": 2}, Features: map[string]string{"CRM Enabled": "yes", "Manual In": "Auto In"}}
		want.ID, want.ChangedAt = u.ID, o.d.Now().UTC()
		if diff := cmp.Diff(want, u); diff != "" {
			o.Error(diff)
		}
		// Only what differs from the defaults is kept.
		if n := o.count("SELECT (SELECT count(*) FROM user_channels) * 10 + (SELECT count(*) FROM user_features)"); n != 11 {
			o.Errorf("%d details are kept", n)
		}
		if e := o.lastAudit(); e.Action != "create" || e.Name != "New.One" || e.Before != "" ||
			e.After != `{"access_role":"Retail","agent_id":"New.One","channel_counts.Voice":0,"crm_name":"Siebel","email":"new@example.com","features.CRM Enabled":"yes","first_name":"First  New.One","greeting_template":"Standard","lan_id":"New.One","last_name":"Last","org_unit":"UAE / Retail / Team 2","pbx_id":"0077","profile":"Agent","roles":["Agent","Team Lead"],"status":"active","supervisor":"lead"}` {
			o.Errorf("%+v", e)
		}
		// Others find them at once.
		for _, name := range []string{"new.one", "NEW.ONE"} {
			if again, err := system(o.d).UserByLANID(o.Context(), name); err != nil || again.ID != u.ID {
				o.Error(again, err)
			}
		}
		if _, err := system(o.d).UserByLANID(o.Context(), "no\x00body"); fault.KindOf(err) != fault.NotFound {
			o.Error(err)
		}
	})
}

// The rules of the import hold for one user, and some that only a form can break.
func TestRulesOfOneUser(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		retail := []string{"UAE / Retail"}
		lead := []directory.Right{"users:access", "users:add", "users:edit"}
		execute(o.T, o.d, "UPDATE users SET active = 0 WHERE lan_id = 'far'")
		for _, c := range []struct {
			name string
			of   string // "" for a new one
			with func(*directory.UserInput)
			as   *directory.Handle
			want string
		}{
			{name: "nothing wrong", with: func(in *directory.UserInput) {}},
			{name: "blank", with: func(in *directory.UserInput) { *in = directory.UserInput{} },
				want: "first_name.missing lan_id.missing last_name.missing org_unit.missing pbx_id.missing profile.missing role.missing"},
			{name: "taken", with: func(in *directory.UserInput) { in.LANID, in.PBXID, in.AgentID = "ANN", "4", "LEAD" }, want: "agent_id.taken lan_id.exists pbx_id.taken"},
			{name: "a zero byte", with: func(in *directory.UserInput) {
				in.LANID, in.PBXID, in.FirstName, in.Supervisor, in.OrgUnit = "a\x00", "\x001", "\x00", "\x00", "\x00"
				in.Roles, in.Email = []string{"\x00"}, "\x00@b.c"
			}, want: "email.not_an_address first_name.control_characters lan_id.special_characters org_unit.control_characters pbx_id.not_a_number role.unknown supervisor.unknown"},
			{name: "a unit of a name that is there twice", with: func(in *directory.UserInput) { in.OrgUnit = "Team 1" }, want: "org_unit.ambiguous"},
			{name: "an agent on a higher level", with: func(in *directory.UserInput) { in.OrgUnit = "Retail" }, want: "org_unit.not_a_team"},
			{name: "an agent as supervisor", with: func(in *directory.UserInput) { in.Supervisor = "bob" }, want: "supervisor.not_a_supervisor"},
			{name: "an inactive supervisor", with: func(in *directory.UserInput) { in.Supervisor = "far" }, want: "supervisor.inactive"},
			{name: "their own supervisor", with: func(in *directory.UserInput) { in.Supervisor = "NEW" }, want: "supervisor.self"},
			{name: "no supervisor", with: func(in *directory.UserInput) { in.Supervisor = "" }, want: "supervisor.missing"},
			{name: "unknown names", with: func(in *directory.UserInput) {
				in.Roles, in.AccessRole, in.CRMName, in.GreetingTemplate = []string{"Agnet", "Agent"}, "x", "y", "z"
			}, want: "access_role.unknown crm_name.unknown greeting_template.unknown role.unknown"},
			{name: "counts and values", with: func(in *directory.UserInput) {
				in.ChannelCounts = map[string]string{"Voice": "2", "Chat": "-1", "Fax": "1", "Telex": ""}
				in.Features = map[string]string{"CRM Enabled": "perhaps", "Other": "yes"}
			}, want: "channel.not_a_count channel.too_high channel.unknown feature.not_a_value feature.unknown"},
			{name: "e-mail", with: func(in *directory.UserInput) { in.Email = "Ann <ann@example.com>" }, want: "email.not_an_address"},
			{name: "long e-mail", with: func(in *directory.UserInput) { in.Email = strings.Repeat("a", 250) + "@b.cd" }, want: "email.too_long"},
			{name: "an administrator by the system", with: func(in *directory.UserInput) {
				in.Profile, in.PBXID, in.OrgUnit, in.Supervisor, in.Roles = "ADMINISTRATOR", "", "", "", []string{"Chief"}
			}},
			{name: "an administrator by somebody with less", as: o.as(lead), with: func(in *directory.UserInput) { in.Profile = "Administrator" }, want: "profile.not_grantable"},
			{name: "an administrator by somebody in less", as: o.as(nil, retail...), with: func(in *directory.UserInput) { in.Profile = "Administrator" }, want: "profile.not_grantable"},
			{name: "a role with more", as: o.as(lead), with: func(in *directory.UserInput) { in.Roles = []string{"Chief", "Agent"} }, want: "role.not_grantable"},
			{name: "an access role that reaches further", as: o.as(nil, retail...), with: func(in *directory.UserInput) { in.AccessRole = "Everywhere" }, want: "access_role.not_grantable"},
			{name: "a unit out of scope", as: o.as(nil, retail...), with: func(in *directory.UserInput) { in.OrgUnit = "UAE / Loans / Team 1" }, want: "org_unit.out_of_scope"},

			{name: "an edit of nothing", of: "ann", with: func(in *directory.UserInput) {}},
			{name: "an edit of the own ids' case", of: "ann", with: func(in *directory.UserInput) { in.LANID, in.AgentID = "ANN", "Ann" }},
			{name: "an edit of the own supervisor by the old LAN ID", of: "lead", with: func(in *directory.UserInput) { in.LANID, in.Supervisor = "leader", "lead" }, want: "supervisor.unknown"},
			{name: "a ring", of: "boss", with: func(in *directory.UserInput) { in.Supervisor = "lead" }, want: "supervisor.cycle"},
			{name: "an agent with reports", of: "lead", with: func(in *directory.UserInput) { in.Profile, in.OrgUnit = "Agent", "UAE / Retail / Team 1" }, want: "profile.has_reports"},
			{name: "an agent who was none", of: "far", with: func(in *directory.UserInput) { in.Profile = "Agent" }, want: "org_unit.not_a_team supervisor.missing"},
			{name: "a blank cell that was not", of: "ann", with: func(in *directory.UserInput) { in.PBXID, in.Roles = "", nil }, want: "pbx_id.missing role.missing"},
			{name: "a stronger role stays", of: "boss", as: o.as(lead), with: func(in *directory.UserInput) { in.FirstName = "Other" }},
			{name: "a stronger role goes", of: "boss", as: o.as(lead), with: func(in *directory.UserInput) { in.Roles = []string{"Agent"} }, want: "role.not_removable"},
			{name: "a stronger person reaches further", of: "boss", as: o.as(lead), with: func(in *directory.UserInput) { in.AccessRole = "Everywhere" }, want: "access_role.not_grantable"},
			{name: "out of scope", of: "ann", as: o.as(lead, retail...), with: func(in *directory.UserInput) { in.OrgUnit = "UAE / Loans / Team 1" }, want: "org_unit.out_of_scope"},
		} {
			in, h := o.input("new", "99", "Agent", "lead", "UAE / Retail / Team 1", "Agent"), c.as
			if h == nil {
				h = system(o.d)
			}
			if c.of != "" {
				in = o.user(c.of).Input()
			}
			c.with(&in)
			problems, err := h.CheckUser(o.Context(), o.ids[c.of], in)
			if got := errorCodes(problems); err != nil || got != c.want {
				o.Errorf("%s: %q, %v; want %q\n%v", c.name, got, err, c.want, problems)
			}
			for _, p := range problems {
				if p.Message == "" || p.Column == "" || p.Severity == directory.Error && !strings.HasSuffix(p.Message, ".") {
					o.Errorf("%s: %+v", c.name, p)
				}
			}
			if c.want == "" {
				continue
			}
			// What does not pass is not written.
			if before := o.count("SELECT sum(version) + count(*) FROM users"); c.of == "" {
				if _, problems, err := h.AddUser(o.Context(), in); err != nil || errorCodes(problems) != c.want || o.count("SELECT sum(version) + count(*) FROM users") != before {
					o.Errorf("%s: added? %v, %v", c.name, problems, err)
				}
			} else if e, err := h.EditUser(o.Context(), o.ids[c.of], 1, in, ""); err != nil || errorCodes(e.Problems) != c.want || o.count("SELECT sum(version) + count(*) FROM users") != before {
				o.Errorf("%s: edited? %v, %v", c.name, e.Problems, err)
			}
		}
	})
}

// What stays as it was may stay, even where it could not be given any more.
func TestWhatStaysMayStay(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		in := o.user("ann").Input()
		in.AccessRole, in.CRMName, in.GreetingTemplate = "Everywhere", "Siebel", "Standard"
		e, err := system(o.d).EditUser(o.Context(), o.ids["ann"], 1, in, "")
		if err != nil || e.User.Version != 2 {
			o.Fatal(e, err)
		}
		execute(o.T, o.d, "UPDATE users SET active = 0 WHERE lan_id = 'lead'")
		execute(o.T, o.d, "UPDATE users SET lan_id = 'a nn', pbx_id = NULL, agent_id = 'x y', agent_key = 'x y' WHERE lan_id = 'ann'")
		execute(o.T, o.d, "UPDATE users SET lan_key = 'a nn' WHERE lan_id = 'a nn'")
		// India is the name of two units now, and teams are a level further down.
		execute(o.T, o.d, "INSERT INTO org_levels (position, name) VALUES (4, 'Desk')")
		c := load(o, o.d)
		c.OrgUnits = append(c.OrgUnits, directory.OrgUnit{FullName: "UAE / India"})
		apply(o, system(o.d), c, false)
		h := o.as([]directory.Right{"users:access", "users:edit"}, "UAE / Retail")
		in = e.User.Input()
		in.LANID, in.PBXID, in.AgentID, in.FirstName = "a nn", "", "x y", "Anna"
		if e, err = h.EditUser(o.Context(), o.ids["ann"], 2, in, "married"); err != nil || errorCodes(e.Problems) != "" || e.User.FirstName != "Anna" || e.User.AccessRole != "Everywhere" {
			o.Error(e, err)
		}
		if a := o.lastAudit(); a.Before != `{"first_name":"First ann"}` || a.After != `{"first_name":"Anna"}` || a.Reason != "married" {
			o.Errorf("%+v", a)
		}
		in = o.user("far").Input()
		in.LastName = "Away"
		if e, err = system(o.d).EditUser(o.Context(), o.ids["far"], 1, in, ""); err != nil || e.User.OrgUnit != "India" || e.User.LastName != "Away" {
			o.Error(e, err)
		}
	})
}
