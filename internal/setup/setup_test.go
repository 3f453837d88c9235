package setup_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/setup"
)

// everything is the form of the file: exporting it gives the same bytes.
const everything = `levels: [Country, Division, Department, Team]
org_units:
  - UAE
  - UAE / Retail
  - UAE / Retail / Cards
  - UAE / Retail / Cards / Cards Team 1
roles:
  - name: Team Lead
    rights: [users:access, users:edit, batches:access]
    rules:
      - {rule: no-face-in-view, action: lock, delay_seconds: 30}
  - name: "No"
    rights: []
access_roles:
  - {name: Own unit, scope: own-unit}
  - {name: Cards, scope: units, org_units: [UAE / Retail / Cards]}
crm_names: [Siebel, Salesforce, {name: Vantive, retired: true}]
greeting_templates:
  - {name: Standard, text: "Welcome, how can I help?"}
  - {name: Christmas, text: "Merry Christmas", retired: true}
channels:
  - {name: Voice, default: 1, highest: 1}
  - {name: Telex, default: 0, highest: 1, retired: true}
features:
  - {name: CRM Enabled, kind: switch, default: "yes"}
  - {name: Manual In, kind: list, values: [Auto In, Manual In], retired_values: [Park], default: Auto In}
  - {name: Ringer, kind: switch, default: "no", retired: true}
settings:
  lan_id_extra_characters: ""
  upload_megabytes: 2048
  upload_rows: 16777216
  picture_megabytes: 8192
  picture_dark: warning
  picture_bright: error
  picture_blurred: warning
  retention_days: 30
  guard_users: 100
  guard_percent: 20
  approval: "yes"
  session_idle_minutes: 60
  session_lifetime_hours: 12
`

func parse(t testing.TB, text string) directory.Configuration {
	t.Helper()
	c, err := setup.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return c
}

func TestForm(t *testing.T) {
	t.Parallel()
	c := parse(t, everything)
	if got := string(setup.Export(c)); got != everything {
		t.Error(cmp.Diff(everything, got))
	}
	if d := cmp.Diff([]directory.Rule{{Rule: "no-face-in-view", Action: "lock", DelaySeconds: 30}}, c.Roles[0].Rules); d != "" {
		t.Error(d)
	}
	if f := c.Features[0]; f.Default != "yes" || !c.HasSettings {
		t.Errorf("%+v", c)
	}
}

func TestSections(t *testing.T) {
	t.Parallel()
	c := parse(t, "crm_names: []\n")
	if c.CRMNames == nil || c.Roles != nil || c.HasSettings {
		t.Errorf("a section that is empty, and some that are not there: %+v", c)
	}
	if got := string(setup.Export(c)); got != "crm_names: []\n" {
		t.Errorf("exported %q", got)
	}
	if c := parse(t, "settings: {}\n"); !c.HasSettings {
		t.Error("settings without any")
	}
}

// Words that stand for something else in YAML stay text, quoted or not, where only text can be meant.
func TestText(t *testing.T) {
	t.Parallel()
	c := parse(t, `
org_units: [42, "yes", no, 2024-05-01, 007]
crm_names: &names [A, B]
features:
  - {name: X, kind: switch, default: yes}
levels: *names
`)
	var units []string
	for _, u := range c.OrgUnits {
		units = append(units, u.FullName)
	}
	if want := []string{"42", "yes", "no", "2024-05-01", "007"}; !slices.Equal(units, want) {
		t.Errorf("got %q", units)
	}
	if c.Features[0].Default != "yes" || !slices.Equal(c.Levels, []string{"A", "B"}) {
		t.Errorf("got %+v", c)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		says []string
	}{
		"empty":            {"", []string{"is empty", "levels, org_units"}},
		"only a comment":   {"# nothing\n", []string{"is empty"}},
		"not YAML":         {"levels: [a\nroles: ]", []string{"not YAML", "line"}},
		"a list":           {"- a\n", []string{"line 1", "levels, org_units", "a list"}},
		"two documents":    {"levels: [a]\n---\nlevels: [b]\n", []string{"line 2", "second document"}},
		"unknown section":  {"levels: [A]\nlevel: [B]\n", []string{"line 2", `"level"`, "it can have levels, org_units"}},
		"section twice":    {"levels: [A]\nlevels: [B]\n", []string{"line 2", "levels twice"}},
		"unknown key":      {"roles:\n  - name: A\n    right: [users:add]\n", []string{"line 3", `"right"`, "name, rights, rules"}},
		"missing key":      {"roles:\n  - rights: [users:add]\n", []string{"line 2", "lacks the key name"}},
		"not a list":       {"levels: Country\n", []string{"line 1", "a list is wanted", "Country"}},
		"nothing":          {"crm_names:\n", []string{"line 1", "a list is wanted", "empty"}},
		"not a text":       {"crm_names: [[A]]\n", []string{"line 1", "a text is wanted", "a list"}},
		"a truth value":    {"features:\n  - {name: X, kind: switch, default: true}\n", []string{"line 2", "quotes"}},
		"null":             {"crm_names: [~]\n", []string{"line 1", "a text is wanted", "empty"}},
		"not a number":     {"channels:\n  - {name: V, default: one, highest: 1.5}\n", []string{"line 2", "whole number", `"one"`, `"1.5"`}},
		"huge number":      {"channels:\n  - {name: V, default: 1, highest: 99999999999999999999}\n", []string{"line 2", "whole number"}},
		"quoted number":    {"channels:\n  - {name: V, default: \"1\", highest: 1}\n", []string{"line 2", "whole number"}},
		"scope":            {"access_roles:\n  - {name: A, scope: all}\n", []string{"line 2", `"all"`, "own-unit, own-unit-and-below, units, everywhere"}},
		"kind":             {"features:\n  - {name: A, kind: text, default: a}\n", []string{"line 2", "switch, list"}},
		"rule":             {"roles:\n  - name: A\n    rules: [{rule: sleep, action: shout}]\n", []string{"line 3", "no-face-in-view", "sign-out"}},
		"role twice":       {"roles:\n  - name: A\n  - name: B\n  - name: A\n", []string{"line 4", `role "A"`, "first in line 2"}},
		"unit twice":       {"org_units: [A, B,\n A]\n", []string{"line 2", `org unit "A"`}},
		"level twice":      {"levels: [A, A]\n", []string{"line 1", `level "A"`}},
		"setting":          {"settings: {lan_id_extra: x}\n", []string{"line 1", "lan_id_extra_characters"}},
		"itself":           {"levels: &l [*l]\n", []string{"a text is wanted"}},
		"several at once":  {"level: 1\nroles: 2\nchannels: {}\n", []string{"3 things", "line 1", "line 2", "line 3"}},
		"more than a page": {"crm_names: [" + strings.Repeat("[],", 50) + "]\n", []string{"50 things", "and 30 more"}},
	} {
		_, err := setup.Parse([]byte(c.text))
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		for _, part := range c.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q is not in: %v", name, part, err)
			}
		}
	}
}

// What Export writes, Parse reads as it was, whatever the texts.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(
			rapid.String(),
			rapid.SampledFrom([]string{"yes", "No", "null", "~", "1", "1e3", "0x1f", "a: b", "a #b", "#a", "- a", "a, b", "[a]", "{a}", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a", `"a"`, "'a'", " a ", "a\nb", "a\t", "\u0085", "\ufeffa", "é", "e\u0301", "a:b", "a:", "? a", "---", "a / b", "<<", "=", ".inf", "🎧"}),
			rapid.StringMatching(`[A-Za-z0-9 .:,#&*/()+-]{1,12}`),
		).Filter(func(s string) bool { return s == strings.ToValidUTF8(s, "") })
		texts := rapid.SliceOfNDistinct(text, 0, 6, rapid.ID[string])
		number := rapid.IntRange(-5, 1<<40)
		c := directory.Configuration{HasSettings: true, Levels: texts.Draw(rt, "levels")}
		c.OrgUnits = of(texts.Draw(rt, "units"), func(s string) directory.OrgUnit { return directory.OrgUnit{FullName: s} })
		c.CRMNames = of(texts.Draw(rt, "crm"), func(s string) directory.Named { return directory.Named{Name: s} })
		c.Roles = of(texts.Draw(rt, "roles"), func(s string) directory.Role {
			r := directory.Role{Name: s, Rights: []directory.Right{"users:add"}}
			for _, rule := range directory.RuleNames[:rapid.IntRange(0, 2).Draw(rt, "rules")] {
				r.Rules = append(r.Rules, directory.Rule{Rule: rule, Action: "warn", DelaySeconds: number.Draw(rt, "delay")})
			}
			return r
		})
		c.AccessRoles = of(texts.Draw(rt, "access roles"), func(s string) directory.AccessRole {
			if units := texts.Draw(rt, "units"); len(units) > 0 {
				return directory.AccessRole{Name: s, Scope: "units", Units: units}
			}
			return directory.AccessRole{Name: s, Scope: "everywhere"}
		})
		c.GreetingTemplates = of(texts.Draw(rt, "greetings"), func(s string) directory.GreetingTemplate {
			return directory.GreetingTemplate{Name: s, Text: text.Draw(rt, "text")}
		})
		c.Channels = of(texts.Draw(rt, "channels"), func(s string) directory.Channel {
			return directory.Channel{Name: s, Default: number.Draw(rt, "default"), Highest: number.Draw(rt, "highest")}
		})
		c.Features = of(texts.Draw(rt, "features"), func(s string) directory.Feature {
			if values := texts.Draw(rt, "values"); len(values) > 0 {
				return directory.Feature{Name: s, Kind: "list", Values: values, Default: text.Draw(rt, "default")}
			}
			return directory.Feature{Name: s, Kind: "switch", Default: text.Draw(rt, "default")}
		})
		c.Settings = directory.DefaultSettings()
		c.Settings.LANIDExtraCharacters = rapid.SampledFrom([]string{"", "-", "._@"}).Draw(rt, "setting")
		c.Settings.PictureDark = rapid.SampledFrom([]string{"warning", "error"}).Draw(rt, "dark")
		c.Settings.GuardPercent, c.Settings.Approval = rapid.IntRange(0, 100).Draw(rt, "share"), rapid.Bool().Draw(rt, "approval")
		file := setup.Export(c)
		got, err := setup.Parse(file)
		if err != nil {
			rt.Fatalf("%v in\n%s", err, file)
		}
		if d := cmp.Diff(c, got); d != "" {
			rt.Fatalf("%s\n%s", d, file)
		}
	})
}

func of[T any](names []string, make func(string) T) []T {
	all := []T{}
	for _, s := range names {
		all = append(all, make(s))
	}
	return all
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte("levels: &a [*a]\n"))
	f.Add([]byte("? {a: b}\n: - c\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := setup.Parse(text)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatal(err)
			}
			return
		}
		again, err := setup.Parse(setup.Export(c))
		if err != nil {
			t.Fatalf("%v in\n%s", err, setup.Export(c))
		}
		if d := cmp.Diff(c, again, cmp.Comparer(func(a, b []directory.Right) bool { return slices.Equal(a, b) }),
			cmp.Comparer(func(a, b []directory.Rule) bool { return slices.Equal(a, b) })); d != "" {
			t.Error(d)
		}
	})
}

func TestPrint(t *testing.T) {
	t.Parallel()
	d := directory.Difference{
		{Op: directory.OpCreate, Subject: "role", Name: "Team Lead"},
		{Op: directory.OpUpdate, Subject: "channel", Name: "Voice", Details: []string{"default: 0 → 1", "highest: 1 → 2"}},
		{Op: directory.OpUpdate, Subject: "org-levels", Details: []string{"levels: A → A, B"}},
		{Op: directory.OpDelete, Subject: "crm-name", Name: "Siebel"},
	}
	for _, c := range []struct {
		print func(*strings.Builder) error
		want  string
	}{
		{func(b *strings.Builder) error { return setup.Print(b, d) }, `+ role Team Lead
~ channel Voice: default 0 → 1; highest 1 → 2
~ org levels: levels A → A, B
- crm name Siebel
1 new, 2 changed, 1 deleted.
`},
		{func(b *strings.Builder) error { return setup.Print(b, nil) }, "No difference.\n"},
		{func(b *strings.Builder) error { return setup.PrintJSON(b, nil) }, "{\n  \"total\": 0,\n  \"changes\": []\n}\n"},
		{func(b *strings.Builder) error { return setup.PrintJSON(b, d[3:]) }, `{
  "total": 1,
  "changes": [
    {
      "op": "delete",
      "subject": "crm-name",
      "name": "Siebel"
    }
  ]
}
`},
	} {
		var b strings.Builder
		if err := c.print(&b); err != nil || b.String() != c.want {
			t.Errorf("%v\n%s", err, cmp.Diff(c.want, b.String()))
		}
	}
	if err := setup.Print(broken{}, d); err == nil {
		t.Error("no error")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the pipe is closed") }
