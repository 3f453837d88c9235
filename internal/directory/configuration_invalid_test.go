package directory_test

import (
	"context"
	"strings"
	"testing"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

func TestInvalid(t *testing.T) {
	t.Parallel()
	d := directory.New(sqldbtest.Open(t, sqldb.Config{Dir: t.TempDir()}))
	apply(t, system(d), full(), false)
	long := strings.Repeat("é", 201)
	feature := func(f directory.Feature) directory.Configuration {
		f.Name = "F"
		return directory.Configuration{Features: []directory.Feature{f}}
	}
	role := func(r directory.Role) directory.Configuration {
		if r.Name == "" {
			r.Name = "R"
		}
		return directory.Configuration{Roles: []directory.Role{r}}
	}
	access := func(a directory.AccessRole) directory.Configuration {
		a.Name = "A"
		return directory.Configuration{AccessRoles: []directory.AccessRole{a}}
	}
	channels := func(all ...directory.Channel) directory.Configuration {
		return directory.Configuration{Channels: all}
	}
	crm := func(name string) directory.Configuration {
		return directory.Configuration{CRMNames: []directory.Named{{Name: name}}}
	}
	greeting := func(text string) directory.Configuration {
		return directory.Configuration{GreetingTemplates: []directory.GreetingTemplate{{Name: "G", Text: text}}}
	}
	of := func(names ...string) directory.Configuration {
		return directory.Configuration{OrgUnits: units(names...)}
	}
	for _, c := range []struct {
		want  directory.Configuration
		prune bool
		says  []string
	}{
		{of("UAE / Wholesale / Team 1"), false, []string{`"UAE / Wholesale"`, "neither in the file nor"}},
		{of("UAE / Retail / Team 2"), true, []string{`"UAE / Retail"`, "once it is pruned"}},
		{of("UAE / Retail / Team 1 / Desk"), false, []string{"4 deep", "3 levels", "Country, Division, Team"}},
		{of(""), false, []string{"is empty"}},
		{of("UAE /  / Team"), false, []string{"is empty"}},
		{of("UAE / "), false, []string{"is empty"}},
		{of(" Oman"), false, []string{"white space"}},
		{of("/ Oman"), false, []string{`begins with "/ "`}},
		{of("Oman /"), false, []string{`ends with " /"`}},
		{of("/"), false, []string{`begins with "/ "`}},
		{of("UAE / / / Oman"), false, []string{`begins with "/ "`}},
		{of("Om\nan"), false, []string{"control characters"}},
		{of("Om\xffan"), false, []string{"UTF-8"}},
		{of(long), false, []string{"200 characters"}},
		{of(strings.Repeat("x", 2500)), false, []string{"bytes"}},
		{of("Oman", "Oman"), false, []string{`"Oman" is there twice`}},
		{of("UAE"), true, []string{`access-role "Retail"`, `no org unit "UAE / Retail" once it is pruned`}},
		{directory.Configuration{Levels: []string{"Country", "Team"}}, false, []string{`"UAE / Retail / Team 1" is 3 deep`, "2 levels"}},
		{directory.Configuration{Levels: []string{}}, false, []string{"0 levels", "1 to 20"}},
		{directory.Configuration{Levels: []string{"A", "B", "A"}}, false, []string{`level "A" is there twice`}},
		{directory.Configuration{Levels: []string{"A", "B", ""}}, false, []string{"level", "is empty"}},
		{directory.Configuration{Levels: strings.Split("abcdefghijklmnopqrstu", "")}, false, []string{"21 levels"}},
		{role(directory.Role{Name: "A;B"}), false, []string{"; or ,"}},
		{role(directory.Role{Name: "A,B"}), false, []string{"; or ,"}},
		{role(directory.Role{Name: long}), false, []string{"200 characters"}},
		{role(directory.Role{Rights: []directory.Right{"users:fly"}}), false, []string{`role "R"`, `"users:fly"`, "api-tokens", "access, add, edit or delete"}},
		{role(directory.Role{Rights: []directory.Right{"users"}}), false, []string{`"users"`}},
		{role(directory.Role{Rights: []directory.Right{"users:add", "users:add"}}), false, []string{"twice"}},
		{role(directory.Role{Rules: []directory.Rule{{Rule: "sleep", Action: "warn"}}}), false, []string{`"sleep"`, "no-face-in-view"}},
		{role(directory.Role{Rules: []directory.Rule{{Rule: "usb-storage", Action: "shout"}}}), false, []string{`"shout"`, "blur"}},
		{role(directory.Role{Rules: []directory.Rule{{Rule: "usb-storage", Action: "warn", DelaySeconds: -1}}}), false, []string{"delay", "-1"}},
		{role(directory.Role{Rules: []directory.Rule{{Rule: "usb-storage", Action: "warn"}, {Rule: "usb-storage", Action: "lock"}}}), false, []string{"twice"}},
		{access(directory.AccessRole{Scope: "all"}), false, []string{`"all"`, "own-unit-and-below"}},
		{access(directory.AccessRole{Scope: "units"}), false, []string{"names no org units"}},
		{access(directory.AccessRole{Scope: "own-unit", Units: []string{"UAE"}}), false, []string{"only the scope units"}},
		{access(directory.AccessRole{Scope: "units", Units: []string{"UAE", "UAE"}}), false, []string{"twice"}},
		{access(directory.AccessRole{Scope: "units", Units: []string{"Oman"}}), false, []string{`"Oman"`}},
		{crm(""), false, []string{"is empty"}},
		{crm("(clear)"), false, []string{"(clear)", "choose another"}},
		{crm("a\u0085b"), false, []string{"control"}},
		{greeting(" "), false, []string{"text is empty"}},
		{greeting("a\rb"), false, []string{"control"}},
		{greeting(strings.Repeat("x", 4001)), false, []string{"4000"}},
		{channels(directory.Channel{Name: "C", Default: 3, Highest: 2}), false, []string{"the default 3 is above the highest 2"}},
		{channels(directory.Channel{Name: "C", Default: -1, Highest: 2}), false, []string{"default is -1"}},
		{channels(directory.Channel{Name: "C", Highest: 1 << 40}), false, []string{"highest is 1099511627776"}},
		{channels(directory.Channel{Name: "V_oice"}), false, []string{`channel "Voice" is called like channel "V_oice"`}},
		{channels(directory.Channel{Name: "crm enabled"}), false, []string{"is called like", "CRM"}},
		{channels(directory.Channel{Name: "lanid"}), false, []string{`the column "LAN ID"`}},
		{channels(directory.Channel{Name: "Problems"}), false, []string{`the column "Problems"`}},
		{feature(directory.Feature{Kind: "text"}), false, []string{`"text"`, "switch or list"}},
		{feature(directory.Feature{Kind: "switch", Default: "true"}), false, []string{`"true"`, "yes or no"}},
		{feature(directory.Feature{Kind: "switch", Default: "yes", Values: []string{"a"}}), false, []string{"no values but yes and no"}},
		{feature(directory.Feature{Kind: "list"}), false, []string{"has no values"}},
		{feature(directory.Feature{Kind: "list", Values: []string{"A", "B"}, Default: "C"}), false, []string{`"C"`, "A or B"}},
		{feature(directory.Feature{Kind: "list", Values: []string{"A", "a"}, Default: "A"}), false, []string{"twice"}},
		{feature(directory.Feature{Kind: "list", Values: []string{"A", " B"}, Default: "A"}), false, []string{"white space"}},
		{directory.Configuration{Settings: withExtra(".%")}, false, []string{"'%'", ".-_@"}},
		{directory.Configuration{CRMNames: []directory.Named{{}}, Levels: []string{}}, false, []string{"2 things are wrong", "\n- "}},
	} {
		for _, err := range []error{compareOnly(d, c.want, c.prune), applyOnly(system(d), c.want, c.prune)} {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%+v: got %v", c.want, err)
				continue
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in: %v", part, err)
				}
			}
		}
	}
	if diff := same(full(), load(t, d)); diff != "" {
		t.Errorf("something was changed\n%s", diff)
	}
}

func compareOnly(d *directory.Directory, want directory.Configuration, prune bool) error {
	_, err := system(d).CompareConfiguration(context.Background(), want, prune)
	return err
}

func applyOnly(h *directory.Handle, want directory.Configuration, prune bool) error {
	_, err := h.ApplyConfiguration(context.Background(), want, directory.ApplyOptions{Prune: prune})
	return err
}
