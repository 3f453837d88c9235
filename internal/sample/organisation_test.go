package sample

import (
	"slices"
	"strings"
	"testing"
)

// What the generators read with patterns is what a YAML library reads.
func TestReadOrganisation(t *testing.T) {
	t.Parallel()
	s, o := readSetup(t), theOrganisation()
	want := func(what string, ok bool) {
		if !ok {
			t.Errorf("%s: read %+v\nfile %+v", what, o, s)
		}
	}
	want("levels", slices.Equal(s.Levels, []string{"Country", "Division", "Department", "Team"}))
	want("units", slices.Equal(s.OrgUnits, o.units))
	want("CRM names", slices.Equal(s.CRMNames, o.crmNames) && len(o.crmNames) == 3)
	want("roles", len(s.Roles) == 6 && len(o.roles) == 6)
	for i, r := range s.Roles {
		want("role "+r.Name, r.Name == o.roles[i] && len(r.Rights) > 0 && len(r.Rules) > 0)
	}
	want("access roles", len(s.AccessRoles) == 4 && len(o.accessRoles) == 4)
	for i, a := range s.AccessRoles {
		want("access role "+a.Name, a.Name == o.accessRoles[i])
	}
	want("greetings", len(s.GreetingTemplates) == 3 && len(o.greetings) == 3)
	for i, g := range s.GreetingTemplates {
		want("greeting "+g.Name, g.Name == o.greetings[i] && g.Text != "")
	}
	want("channels", len(s.Channels) == 7 && len(o.channels) == 7)
	for i, c := range s.Channels {
		want("channel "+c.Name, o.channels[i] == channel{c.Name, c.Default, c.Highest} && c.Default <= c.Highest)
	}
	want("features", len(s.Features) == 9 && len(o.features) == 9)
	for i, f := range s.Features {
		got := o.features[i]
		want("feature "+f.Name, f.Name == got.name && f.Default == got.standard && slices.Equal(f.Values, got.values))
		want("kind of "+f.Name, (f.Kind == "list") == (got.values != nil))
	}
}

func TestOrganisationHoldsTogether(t *testing.T) {
	t.Parallel()
	s := readSetup(t)
	rights := strings.Fields("users pictures roles access-roles org-units catalogues batches audit settings api-tokens")
	rules := strings.Fields("face-not-recognised no-face-in-view more-than-one-face phone-or-camera-in-view " +
		"screenshot-attempt clipboard-copy usb-storage unapproved-network")
	for _, r := range s.Roles {
		for _, right := range r.Rights {
			module, verb, _ := strings.Cut(right, ":")
			if !slices.Contains(rights, module) || !slices.Contains(strings.Fields("access add edit delete"), verb) {
				t.Errorf("%s: no right %s", r.Name, right)
			}
		}
		for _, rule := range r.Rules {
			if !slices.Contains(rules, rule.Rule) || rule.Delay == nil ||
				!slices.Contains(strings.Fields("record warn blur lock sign-out"), rule.Action) {
				t.Errorf("%s: no rule %+v", r.Name, rule)
			}
		}
	}
	scopes := map[string]bool{}
	for _, a := range s.AccessRoles {
		scopes[a.Scope] = true
		for _, u := range a.OrgUnits {
			if !slices.Contains(s.OrgUnits, u) {
				t.Errorf("%s: no unit %s", a.Name, u)
			}
		}
	}
	if len(scopes) != 4 {
		t.Errorf("scopes: %v", scopes)
	}
	names, teams, twice := map[string]int{}, 0, 0
	for _, path := range s.OrgUnits {
		names[lastName(path)]++
		if names[lastName(path)] > 1 {
			twice++
		}
		if i := strings.LastIndex(path, pathSeparator); i >= 0 && !slices.Contains(s.OrgUnits, path[:i]) {
			t.Errorf("%s: no unit above it", path)
		}
		if strings.Count(path, pathSeparator) == 3 {
			teams++
		}
	}
	if teams != 50 || twice != 1 || names["Night Shift"] != 2 {
		t.Errorf("%d teams, %d names used twice", teams, twice)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, c := range allCultures() {
		for _, n := range slices.Concat(c.first, c.last) {
			if n.ascii == "" || onlyLetters(n.ascii) != n.ascii || len(n.ascii) > 30 || strings.ContainsAny(n.text, `",;`) {
				t.Errorf("%q: %q", n.text, n.ascii)
			}
		}
		for _, n := range c.last {
			if len(n.ascii) < 2 {
				t.Errorf("%q: a LAN ID needs three letters", n.text)
			}
		}
		if len(c.first) < 5 || len(c.last) < 5 {
			t.Errorf("too few names: %v", c)
		}
	}
}
