package directory_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/directory"
	"muster/internal/sqldb"
)

// drawConfiguration makes any configuration that is valid, in all its sections.
func drawConfiguration(t *rapid.T) directory.Configuration {
	name := rapid.OneOf(rapid.StringMatching(`[A-Za-z0-9é/.'-]{1,3}`), rapid.StringMatching(`[A-Z][a-z]{0,2} [a-z&!]`)).Filter(func(s string) bool {
		return !strings.HasSuffix(s, " /") && s != "/"
	})
	names := func(label string, most int) []string {
		return rapid.SliceOfNDistinct(name, 0, most, strings.ToLower).Draw(t, label)
	}
	c := directory.Configuration{HasSettings: true, Levels: []string{"Country", "Division", "Team"}}
	c.OrgUnits = units()
	for _, country := range names("countries", 3) {
		c.OrgUnits = append(c.OrgUnits, units(country)...)
		for _, division := range names("divisions", 3) {
			c.OrgUnits = append(c.OrgUnits, units(country+" / "+division)...)
		}
	}
	c.Roles = of(names("roles", 4), func(s string) directory.Role {
		r := directory.Role{Name: s, Rights: rapid.SliceOfNDistinct(rapid.SampledFrom(allRights()), 0, 5, rapid.ID[directory.Right]).Draw(t, "rights")}
		for _, rule := range rapid.SliceOfNDistinct(rapid.SampledFrom(directory.RuleNames), 0, 3, rapid.ID[string]).Draw(t, "rules") {
			r.Rules = append(r.Rules, directory.Rule{Rule: rule, Action: rapid.SampledFrom(directory.RuleActions).Draw(t, "action"), DelaySeconds: rapid.IntRange(0, 3).Draw(t, "delay")})
		}
		return r
	})
	c.AccessRoles = of(names("access roles", 3), func(s string) directory.AccessRole {
		if len(c.OrgUnits) > 0 && rapid.Bool().Draw(t, "by units") {
			u := rapid.SliceOfNDistinct(rapid.SampledFrom(c.OrgUnits), 1, 2, func(u directory.OrgUnit) string { return u.FullName }).Draw(t, "units")
			return directory.AccessRole{Name: s, Scope: "units", Units: of(u, func(u directory.OrgUnit) string { return u.FullName })}
		}
		return directory.AccessRole{Name: s, Scope: rapid.SampledFrom([]string{"own-unit", "own-unit-and-below", "everywhere"}).Draw(t, "scope")}
	})
	c.CRMNames = of(names("CRM names", 3), func(s string) directory.Named { return directory.Named{Name: s} })
	c.GreetingTemplates = of(names("greetings", 3), func(s string) directory.GreetingTemplate {
		return directory.GreetingTemplate{Name: s, Text: rapid.SampledFrom([]string{"Hi", "Hello,\nyou"}).Draw(t, "text")}
	})
	c.Channels = of(names("channels", 4), func(s string) directory.Channel {
		n := rapid.IntRange(0, 3).Draw(t, "default")
		return directory.Channel{Name: "C" + s, Default: n, Highest: n + rapid.IntRange(0, 3).Draw(t, "more")}
	})
	c.Features = of(names("features", 4), func(s string) directory.Feature {
		values := names("values", 3)
		if len(values) == 0 {
			return directory.Feature{Name: "F" + s, Kind: "switch", Default: rapid.SampledFrom(directory.SwitchValues).Draw(t, "default")}
		}
		return directory.Feature{Name: "F" + s, Kind: "list", Values: values, Default: rapid.SampledFrom(values).Draw(t, "default")}
	})
	c.Settings = withExtra(rapid.SampledFrom([]string{"", ".", "-_@"}).Draw(t, "setting"))
	c.Settings.RetentionDays, c.Settings.Approval = rapid.IntRange(1, 3).Draw(t, "days"), rapid.Bool().Draw(t, "approval")
	return c
}

func of[A, B any](all []A, fn func(A) B) []B {
	made := []B{}
	for _, v := range all {
		made = append(made, fn(v))
	}
	return made
}

// However the directory stands, applying with prune makes it as wanted, comparing has said what that does, and then
// there is no difference; without prune everything of both is there.
func TestApplyProperties(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		rapid.Check(t, func(rt *rapid.T) {
			want := drawConfiguration(rt)
			if d.DB.Engine == sqldb.Postgres && rapid.IntRange(0, 3).Draw(rt, "engine") > 0 {
				return // a quarter as many will do where each takes ten times as long
			}
			prune := rapid.Bool().Draw(rt, "prune")
			h := system(d)
			if !prune {
				// What would have two names for one column is refused; start afresh.
				apply(rt, h, directory.Configuration{Channels: []directory.Channel{}, Features: []directory.Feature{}}, true)
			}
			planned, err := h.CompareConfiguration(context.Background(), want, prune)
			if err != nil {
				rt.Fatal(err)
			}
			made := apply(rt, h, want, prune)
			if a, b := fmt.Sprint(planned), fmt.Sprint(made); a != b {
				rt.Fatalf("planned %s\nmade %s", a, b)
			}
			got := load(rt, d)
			if diff := same(want, got); prune && diff != "" {
				rt.Fatal(diff)
			}
			if again := apply(rt, h, want, prune); len(again) != 0 {
				rt.Fatalf("again %v", again)
			}
			if again := apply(rt, h, got, true); len(again) != 0 {
				rt.Fatalf("what was loaded is different: %v", again)
			}
		})
	})
}
