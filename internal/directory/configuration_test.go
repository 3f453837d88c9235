package directory_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

// eachDirectory runs fn on each engine, on a directory without any configuration.
func eachDirectory(t *testing.T, fn func(t *testing.T, d *directory.Directory)) {
	t.Helper()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		d := directory.New(db)
		d.Now = func() time.Time { return time.UnixMicro(1_700_000_000_123_456) }
		fn(t, d)
	})
}

func system(d *directory.Directory) *directory.Handle { return d.As(directory.System("test")) }

// failer is a test or a check of a property.
type failer interface {
	Helper()
	Fatal(...any)
}

func apply(t failer, h *directory.Handle, want directory.Configuration, prune bool) directory.Difference {
	t.Helper()
	d, err := h.ApplyConfiguration(context.Background(), want, directory.ApplyOptions{Prune: prune})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func load(t failer, d *directory.Directory) directory.Configuration {
	t.Helper()
	c, err := system(d).Configuration(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func units(names ...string) []directory.OrgUnit {
	all := []directory.OrgUnit{}
	for _, n := range names {
		all = append(all, directory.OrgUnit{FullName: n})
	}
	return all
}

// withExtra are the default settings, with extra characters in LAN IDs.
func withExtra(characters string) directory.Settings {
	s := directory.DefaultSettings()
	s.LANIDExtraCharacters = characters
	return s
}

func full() directory.Configuration {
	return directory.Configuration{
		Levels:   []string{"Country", "Division", "Team"},
		OrgUnits: units("UAE / Retail / Team 1", "UAE", "India", "UAE / Retail"),
		Roles: []directory.Role{
			{Name: "Team Lead", Rights: []directory.Right{"users:edit", "users:access"}, Rules: []directory.Rule{
				{Rule: "screenshot-attempt", Action: "warn"}, {Rule: "no-face-in-view", Action: "lock", DelaySeconds: 30},
			}},
			{Name: "Agent"},
		},
		AccessRoles: []directory.AccessRole{
			{Name: "Retail", Scope: "units", Units: []string{"UAE / Retail"}},
			{Name: "Everywhere", Scope: "everywhere"},
		},
		CRMNames:          []directory.Named{{Name: "Siebel"}, {Name: "Salesforce"}},
		GreetingTemplates: []directory.GreetingTemplate{{Name: "Standard", Text: "Welcome,\nhow can I help?"}},
		Channels:          []directory.Channel{{Name: "Voice", Default: 1, Highest: 1}, {Name: "Chat", Default: 2, Highest: 5}},
		Features: []directory.Feature{
			{Name: "Manual In", Kind: "list", Values: []string{"Manual In", "Auto In"}, Default: "Auto In"},
			{Name: "CRM Enabled", Kind: "switch", Default: "no"},
		},
		Settings: withExtra(".-"), HasSettings: true,
	}
}

// sameAs compares by what a setup file says: not by ids, nor by the order of what has none.
var sameAs = cmp.Options{
	cmpopts.IgnoreFields(directory.Configuration{}, "Revision"),
	cmpopts.IgnoreFields(directory.Role{}, "ID"), cmpopts.IgnoreFields(directory.AccessRole{}, "ID"),
	cmpopts.IgnoreFields(directory.Named{}, "ID"), cmpopts.IgnoreFields(directory.GreetingTemplate{}, "ID"),
	cmpopts.IgnoreFields(directory.Channel{}, "ID"), cmpopts.IgnoreFields(directory.Feature{}, "ID"),
	cmp.Transformer("FullName", func(u directory.OrgUnit) string { return u.FullName }),
	cmpopts.EquateEmpty(),
	cmpopts.SortSlices(func(a, b string) bool { return a < b }),
	cmpopts.SortSlices(func(a, b directory.OrgUnit) bool { return a.FullName < b.FullName }),
	cmpopts.SortSlices(func(a, b directory.Right) bool { return a < b }),
	cmpopts.SortSlices(func(a, b directory.Rule) bool { return a.Rule < b.Rule }),
	cmpopts.SortSlices(func(a, b directory.Role) bool { return a.Name < b.Name }),
	cmpopts.SortSlices(func(a, b directory.AccessRole) bool { return a.Name < b.Name }),
	cmpopts.SortSlices(func(a, b directory.Named) bool { return a.Name < b.Name }),
	cmpopts.SortSlices(func(a, b directory.GreetingTemplate) bool { return a.Name < b.Name }),
}

// listed returns the lists whose order counts, which sameAs does not look at.
func listed(c directory.Configuration) string {
	s := strings.Join(c.Levels, ",")
	for _, f := range c.Features {
		s += "|" + f.Name + strings.Join(f.Values, ",")
	}
	return s
}

func same(a, b directory.Configuration) string {
	return cmp.Diff(a, b, sameAs) + cmp.Diff(listed(a), listed(b))
}

func TestApplyAndLoad(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		want := full()
		made := apply(t, system(d), want, false)
		got := load(t, d)
		if diff := same(want, got); diff != "" {
			t.Error(diff)
		}
		if got.Revision != 2 {
			t.Errorf("revision %d", got.Revision)
		}
		// One change each: levels, 4 units, 2 roles, 2 access roles, 2 CRM names, a greeting, 2 channels, 2 features, a setting.
		if len(made) != 17 {
			t.Errorf("%d changes: %v", len(made), made)
		}
		var paths []string
		for _, u := range got.OrgUnits {
			paths = append(paths, fmt.Sprintf("%s %s %d", u.FullName, u.Name, u.Depth))
			parent := slices.IndexFunc(got.OrgUnits, func(p directory.OrgUnit) bool { return p.ID == u.ParentID })
			above := ""
			if parent >= 0 {
				above = got.OrgUnits[parent].Path
			}
			if want := fmt.Sprintf("%s%d/", above, u.ID); u.Path != want || (parent < 0) != (u.Depth == 1) {
				t.Errorf("%s: path %s, want %s", u.FullName, u.Path, want)
			}
		}
		if want := []string{"India India 1", "UAE UAE 1", "UAE / Retail Retail 2", "UAE / Retail / Team 1 Team 1 3"}; !slices.Equal(paths, want) {
			t.Errorf("units %q", paths)
		}
		if r := got.Roles[1]; r.Name != "Team Lead" || !slices.Equal(r.Rights, []directory.Right{"users:access", "users:edit"}) || r.Rules[0].Rule != "no-face-in-view" {
			t.Errorf("the order of the matrix: %+v", r)
		}
		if again := apply(t, system(d), want, true); len(again) != 0 || load(t, d).Revision != 2 {
			t.Errorf("again: %v", again)
		}
		checkAudit(t, d, made)
	})
}

// checkAudit compares the audit's entries with the changes that they tell of.
func checkAudit(t *testing.T, d *directory.Directory, made directory.Difference) {
	t.Helper()
	type entry struct {
		At                                                  int64
		Actor, Source, Action, Subject, Name, Before, After string
	}
	entries, err := sqldb.All[entry](t.Context(), d.DB.Read(), "SELECT at, actor, source, action, subject, name, before, after FROM audit ORDER BY id")
	if err != nil || len(entries) != len(made) {
		t.Fatalf("%d entries for %d changes, %v", len(entries), len(made), err)
	}
	for i, e := range entries {
		c := made[i]
		if e.At != 1_700_000_000_123_456 || e.Actor != "system" || e.Source != "test" || e.Action != string(c.Op) || e.Subject != c.Subject || e.Name != c.Name {
			t.Errorf("entry %+v for %+v", e, c)
		}
		if (e.Before == "") != (c.Op == directory.OpCreate) || (e.After == "") != (c.Op == directory.OpDelete) {
			t.Errorf("%s: before %q, after %q", c.Op, e.Before, e.After)
		}
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		apply(t, system(d), full(), false)
		for name, c := range map[string]struct {
			change func(*directory.Configuration)
			prune  bool
			want   []string // in words
			before string   // of the last audit entry
			after  string
		}{
			"rights": {func(c *directory.Configuration) {
				c.Roles[0].Rights = []directory.Right{"users:access", "users:add"}
				c.Roles[0].Rules = []directory.Rule{{Rule: "no-face-in-view", Action: "blur", DelaySeconds: 5}, {Rule: "usb-storage", Action: "lock"}}
			}, false, []string{"update role Team Lead [rights: + users:add rights: - users:edit rule no-face-in-view: lock after 30 s → blur after 5 s rules: - screenshot-attempt rules: + usb-storage (lock after 0 s)]"},
				`{"rights":["users:access","users:edit"],"rules":[{"rule":"no-face-in-view","action":"lock","delay_seconds":30},{"rule":"screenshot-attempt","action":"warn","delay_seconds":0}]}`, ""},
			"channel":  {func(c *directory.Configuration) { c.Channels[1].Highest = 6 }, false, []string{"update channel Chat [highest: 5 → 6]"}, `{"highest":5}`, `{"highest":6}`},
			"greeting": {func(c *directory.Configuration) { c.GreetingTemplates[0].Text = "Hi <you>!" }, false, []string{`update greeting-template Standard [text: "Welcome,\nhow can I help?" → "Hi <you>!"]`}, `{"text":"Welcome,\nhow can I help?"}`, `{"text":"Hi <you>!"}`},
			"feature":  {func(c *directory.Configuration) { c.Features[0].Values = []string{"Auto In", "Manual In", "Off"} }, false, []string{"update feature Manual In [values: Manual In, Auto In → Auto In, Manual In, Off]"}, `{"values":["Manual In","Auto In"]}`, `{"values":["Auto In","Manual In","Off"]}`},
			"kind": {func(c *directory.Configuration) {
				c.Features[0] = directory.Feature{Name: "Manual In", Kind: "switch", Default: "yes"}
			}, false, []string{"update feature Manual In [kind: list → switch values: Manual In, Auto In → none default: Auto In → yes]"}, "", `{"default":"yes","kind":"switch","values":[]}`},
			"access role": {func(c *directory.Configuration) {
				c.AccessRoles[0] = directory.AccessRole{Name: "Retail", Scope: "own-unit"}
			}, false, []string{"update access-role Retail [scope: units → own-unit org_units: - UAE / Retail]"}, `{"org_units":["UAE / Retail"],"scope":"units"}`, `{"org_units":[],"scope":"own-unit"}`},
			"order":   {func(c *directory.Configuration) { slices.Reverse(c.Channels) }, false, []string{"update channel-order  [order: Voice, Chat → Chat, Voice]"}, `{"order":["Voice","Chat"]}`, ""},
			"setting": {func(c *directory.Configuration) { c.Settings = directory.DefaultSettings() }, false, []string{`update setting lan_id_extra_characters [value: ".-" → ""]`}, `{"value":".-"}`, `{"value":""}`},
			"levels":  {func(c *directory.Configuration) { c.Levels = append(c.Levels, "Desk") }, false, []string{"update org-levels  [levels: Country, Division, Team → Country, Division, Team, Desk]"}, "", ""},
			"a channel in the middle": {func(c *directory.Configuration) {
				c.Channels = slices.Insert(c.Channels, 1, directory.Channel{Name: "Fax"})
			}, false, []string{"create channel Fax []"}, "", `{"default":0,"highest":0,"name":"Fax"}`},
			"nothing is deleted without prune": {func(c *directory.Configuration) { c.CRMNames = c.CRMNames[:0]; c.OrgUnits = c.OrgUnits[:0] }, false, nil, "", ""},
			"prune": {func(c *directory.Configuration) {
				c.CRMNames, c.OrgUnits, c.AccessRoles, c.Features = []directory.Named{}, units("India"), c.AccessRoles[1:], c.Features[1:]
				c.GreetingTemplates, c.Roles, c.Channels = []directory.GreetingTemplate{}, c.Roles[1:], c.Channels[1:]
			}, true, []string{
				"delete feature Manual In []", "delete channel Voice []", "delete greeting-template Standard []", "delete crm-name Salesforce []", "delete crm-name Siebel []",
				"delete access-role Retail []", "delete role Team Lead []", "delete org-unit UAE / Retail / Team 1 []", "delete org-unit UAE / Retail []", "delete org-unit UAE []",
			}, `{"name":"UAE"}`, ""},
			"sections that are not there": {func(c *directory.Configuration) { *c = directory.Configuration{} }, true, nil, "", ""},
		} {
			before := load(t, d)
			want := full()
			c.change(&want)
			planned, err := system(d).CompareConfiguration(t.Context(), want, c.prune)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if diff := same(before, load(t, d)); diff != "" {
				t.Errorf("%s: comparing changed something\n%s", name, diff)
			}
			made := apply(t, system(d), want, c.prune)
			if diff := cmp.Diff(planned, made, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: planned, made\n%s", name, diff)
			}
			if diff := cmp.Diff(c.want, inWords(made)); diff != "" {
				t.Errorf("%s:\n%s", name, diff)
			}
			last, _, err := sqldb.One[struct{ Before, After string }](t.Context(), d.DB.Read(), "SELECT before, after FROM audit ORDER BY id DESC LIMIT 1")
			if err != nil || c.before != "" && last.Before != c.before || c.after != "" && last.After != c.after {
				t.Errorf("%s: audited as %+v, %v", name, last, err)
			}
			after := load(t, d)
			if raised := after.Revision - before.Revision; raised != int64(min(len(made), 1)) {
				t.Errorf("%s: the revision was raised by %d", name, raised)
			}
			if again := apply(t, system(d), want, c.prune); len(again) != 0 {
				t.Errorf("%s: the second time %v", name, again)
			}
			apply(t, system(d), full(), true)
			if diff := same(full(), load(t, d)); diff != "" {
				t.Errorf("%s: back\n%s", name, diff)
			}
		}
	})
}

func inWords(d directory.Difference) []string {
	var all []string
	for _, c := range d {
		all = append(all, fmt.Sprintf("%s %s %s %s", c.Op, c.Subject, c.Name, c.Details))
	}
	return all
}

func TestOrderFollowsTheFile(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		channels := func(names ...string) directory.Configuration {
			c := directory.Configuration{}
			for _, n := range names {
				c.Channels = append(c.Channels, directory.Channel{Name: n, Default: 1, Highest: 2})
			}
			return c
		}
		apply(t, system(d), channels("A", "B", "C"), false)
		apply(t, system(d), channels("C", "N", "A"), false)
		var got []string
		for _, c := range load(t, d).Channels {
			got = append(got, c.Name)
		}
		if want := []string{"C", "N", "A", "B"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want those of the file, then the others", got)
		}
	})
}

func TestPrepare(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		db := sqldbtest.Open(t, cfg)
		var wg sync.WaitGroup
		for range 3 {
			d := directory.New(sqldbtest.Open(t, cfg))
			wg.Go(func() {
				if err := d.Prepare(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		d := directory.New(db)
		got := load(t, d)
		want := directory.Default()
		want.Settings, want.HasSettings = directory.DefaultSettings(), true
		if diff := same(want, got); diff != "" || len(got.Channels) != 7 || len(got.Features) != 9 || got.Revision != 2 {
			t.Errorf("%+v\n%s", got, diff)
		}
		n, _, err := sqldb.One[int](t.Context(), db.Read(), "SELECT count(*) FROM audit WHERE actor = 'system'")
		if err != nil || n != 17 {
			t.Errorf("%d entries in the audit, %v", n, err)
		}
		// Who emptied the catalogues meant it.
		empty := directory.Configuration{Channels: []directory.Channel{}, Features: []directory.Feature{}}
		apply(t, system(d), empty, true)
		if err := d.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := load(t, d); len(got.Channels) != 0 {
			t.Error("prepared again")
		}
	})
}

// Two who apply at once take turns: neither fails, and both are in.
func TestApplyAtOnce(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				c := full()
				c.Roles = append(c.Roles, directory.Role{Name: fmt.Sprint("Role ", i)})
				if _, err := system(d).ApplyConfiguration(t.Context(), c, directory.ApplyOptions{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if c := load(t, d); len(c.Roles) != 6 || c.Revision != 5 {
			t.Errorf("%d roles, revision %d", len(c.Roles), c.Revision)
		}
	})
}

func TestLoadManyUnits(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		c := directory.Configuration{Levels: []string{"A", "B", "C"}, OrgUnits: units()}
		for i := range 10 {
			c.OrgUnits = append(c.OrgUnits, units(fmt.Sprint(i))...)
			for j := range 10 {
				c.OrgUnits = append(c.OrgUnits, units(fmt.Sprintf("%d / %d", i, j))...)
				for k := range 5 {
					c.OrgUnits = append(c.OrgUnits, units(fmt.Sprintf("%d / %d / %d", i, j, k))...)
				}
			}
		}
		apply(t, system(d), c, false)
		if got := load(t, d); len(got.OrgUnits) != 610 {
			t.Errorf("%d units", len(got.OrgUnits))
		}
		if made := apply(t, system(d), directory.Configuration{OrgUnits: units()}, true); len(made) != 610 {
			t.Errorf("%d deleted", len(made))
		}
	})
}

func TestRevisionMissing(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		err := d.DB.Tx(t.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.ExecContext(t.Context(), "DELETE FROM directory_revision")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := directory.Revision(t.Context(), d.DB.Read()); fault.KindOf(err) != fault.Internal {
			t.Errorf("got %v", err)
		}
	})
}
