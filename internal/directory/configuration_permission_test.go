package directory_test

import (
	"slices"
	"testing"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

func allRights() []directory.Right {
	var all []directory.Right
	for _, m := range directory.Modules {
		for _, a := range directory.Actions {
			all = append(all, directory.Right(m+":"+a))
		}
	}
	return all
}

func without(rights ...directory.Right) []directory.Right {
	return slices.DeleteFunc(allRights(), func(r directory.Right) bool { return slices.Contains(rights, r) })
}

func TestConfigurationPermissions(t *testing.T) {
	t.Parallel()
	d := directory.New(sqldbtest.Open(t, sqldb.Config{Dir: t.TempDir()}))
	apply(t, system(d), full(), false)
	uae := load(t, d).OrgUnits[1].Path
	everywhere := directory.Everywhere()
	person := func(scope directory.Scope, rights ...directory.Right) *directory.Handle {
		return d.As(directory.Person("p", "test", rights, scope))
	}
	newRole := directory.Configuration{Roles: []directory.Role{{Name: "New", Rights: []directory.Right{"users:add", "audit:access"}}}}
	lessRole := directory.Configuration{Roles: []directory.Role{{Name: "Team Lead"}, {Name: "Agent"}}}
	moreRole := directory.Configuration{Roles: []directory.Role{{Name: "Team Lead", Rights: []directory.Right{"users:edit", "users:access", "audit:access"}}}}
	builtIn := directory.Configuration{Roles: []directory.Role{{Name: directory.AdministratorRole}}}
	newCRM := directory.Configuration{CRMNames: []directory.Named{{Name: "New"}}}
	noCRM := directory.Configuration{CRMNames: []directory.Named{}}
	unit := directory.Configuration{OrgUnits: units("UAE / New", "UAE / New / Team")}
	elsewhere := directory.Configuration{OrgUnits: units("India / New")}
	top := directory.Configuration{OrgUnits: units("Oman")}
	levels := directory.Configuration{Levels: []string{"Country", "Division", "Group"}}
	setting := directory.Configuration{Settings: withExtra("."), HasSettings: true}
	access := func(a directory.AccessRole) directory.Configuration {
		a.Name = "New"
		return directory.Configuration{AccessRoles: []directory.AccessRole{a}}
	}
	inUAE := access(directory.AccessRole{Scope: "units", Units: []string{"UAE / Retail"}})
	inIndia := access(directory.AccessRole{Scope: "units", Units: []string{"UAE", "India"}})
	for name, c := range map[string]struct {
		who   *directory.Handle
		want  directory.Configuration
		prune bool
		ok    bool
	}{
		"nobody":                          {d.As(directory.Actor{}), newCRM, false, false},
		"nobody, nothing":                 {d.As(directory.Actor{}), directory.Configuration{}, false, false},
		"no rights":                       {person(everywhere), newCRM, false, false},
		"no rights, no change":            {person(everywhere), directory.Configuration{}, false, false},
		"all rights":                      {person(everywhere, allRights()...), newCRM, true, true},
		"needs edit":                      {person(everywhere, without("catalogues:edit")...), newCRM, false, false},
		"needs edit, nothing to do":       {person(everywhere, without("catalogues:edit")...), noCRM, false, false},
		"needs add":                       {person(everywhere, without("catalogues:add")...), newCRM, false, false},
		"needs delete":                    {person(everywhere, without("catalogues:delete")...), noCRM, true, false},
		"deletes":                         {person(everywhere, without("catalogues:add")...), noCRM, true, true},
		"settings":                        {person(everywhere, without("settings:edit")...), setting, false, false},
		"levels":                          {person(everywhere, without("org-units:edit")...), levels, false, false},
		"rights that one holds":           {person(everywhere, allRights()...), newRole, false, true},
		"rights that one lacks":           {person(everywhere, without("audit:access")...), newRole, false, false},
		"more rights than one holds":      {person(everywhere, without("audit:access")...), moreRole, false, false},
		"takes rights that one holds":     {person(everywhere, allRights()...), lessRole, false, true},
		"takes rights that one lacks":     {person(everywhere, without("users:edit")...), lessRole, false, false},
		"the name of the built-in role":   {person(everywhere, without("audit:access")...), builtIn, false, false},
		"a role from a branch":            {person(directory.Below(uae), allRights()...), newRole, false, false},
		"a catalogue from a branch":       {person(directory.Below(uae), allRights()...), newCRM, false, false},
		"nowhere":                         {person(directory.Scope{}, allRights()...), newCRM, false, false},
		"levels from a branch":            {person(directory.Below(uae), allRights()...), levels, false, false},
		"settings from a branch":          {person(directory.Below(uae), allRights()...), setting, false, false},
		"a unit in the branch":            {person(directory.Below(uae), allRights()...), unit, false, true},
		"a unit elsewhere":                {person(directory.Below(uae), allRights()...), elsewhere, false, false},
		"a unit at the top":               {person(directory.Below(uae), allRights()...), top, false, false},
		"a unit below one's own":          {person(directory.Exactly(uae), allRights()...), unit, false, false},
		"deletes outside the branch":      {person(directory.Below(uae), allRights()...), directory.Configuration{OrgUnits: units("UAE", "UAE / Retail", "UAE / Retail / Team 1")}, true, false},
		"access role in the branch":       {person(directory.Below(uae), allRights()...), inUAE, false, true},
		"access role beyond the branch":   {person(directory.Below(uae), allRights()...), inIndia, false, false},
		"access role everywhere":          {person(directory.Below(uae), allRights()...), access(directory.AccessRole{Scope: "everywhere"}), false, false},
		"access role everywhere, by one":  {person(everywhere, allRights()...), access(directory.AccessRole{Scope: "everywhere"}), false, true},
		"access role that follows people": {person(directory.Below(uae), allRights()...), access(directory.AccessRole{Scope: "own-unit-and-below"}), false, false},
	} {
		before := load(t, d)
		err := applyOnly(c.who, c.want, c.prune)
		switch {
		case c.ok && err != nil:
			t.Errorf("%s: %v", name, err)
		case !c.ok && fault.KindOf(err) != fault.Forbidden:
			t.Errorf("%s: got %v, want Forbidden", name, err)
		case !c.ok && same(before, load(t, d)) != "":
			t.Errorf("%s: something was changed", name)
		}
		apply(t, system(d), full(), true)
	}
	for name, c := range map[string]struct {
		who          *directory.Handle
		compare, all bool // may compare CRM names, may see everything
	}{
		"nobody":               {d.As(directory.Actor{}), false, false},
		"no rights":            {person(everywhere), false, false},
		"the system":           {system(d), true, true},
		"all":                  {person(directory.Scope{}, allRights()...), true, true},
		"catalogues":           {person(everywhere, "catalogues:access"), true, false},
		"edit is not access":   {person(everywhere, "catalogues:edit"), false, false},
		"all without settings": {person(everywhere, without("settings:access")...), true, false},
		"all without roles":    {person(everywhere, without("roles:access")...), true, false},
	} {
		_, err := c.who.CompareConfiguration(t.Context(), newCRM, false)
		if (err == nil) != c.compare || err != nil && fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s compares: %v", name, err)
		}
		_, err = c.who.Configuration(t.Context())
		if (err == nil) != c.all || err != nil && fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s sees everything: %v", name, err)
		}
	}
}
