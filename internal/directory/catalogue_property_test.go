package directory_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// held is what a naive reading says that a user has: of a CRM name, a channel and a list, by the entries' ids.
type held struct {
	crm     int64
	count   map[int64]int    // where it is not the default
	value   map[int64]string // likewise
	version int64
}

// Whatever is done to the catalogues, in whatever order, nobody loses a value: renamed, it is the same one; retired, it is
// kept; the default's followers follow; what is in use is not deleted.
func TestCataloguesLoseNothing(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		apply(t, system(d), full(), false)
		addUsers(t, d, 1)
		c := load(t, d)
		has := held{crm: c.CRMNames[1].ID, count: map[int64]int{c.Channels[1].ID: 4}, value: map[int64]string{c.Features[0].ID: "Manual In"}, version: user(t, d).Version}
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			if d.DB.Engine == sqldb.Postgres && rapid.IntRange(0, 3).Draw(rt, "engine") > 0 {
				return
			}
			for range rapid.IntRange(1, 6).Draw(rt, "steps") {
				n++
				has.step(rt, d, n)
				has.check(rt, d)
			}
		})
	})
}

// step does something to an entry.
func (has *held) step(t *rapid.T, d *directory.Directory, n int) {
	h, c := system(d), load(t, d)
	refused := func(err error) bool {
		if kind := fault.KindOf(err); err != nil && kind != fault.Conflict && kind != fault.Invalid {
			t.Fatal(err)
		}
		return err != nil
	}
	what := rapid.SampledFrom([]string{"rename", "retire", "default", "values", "move", "add", "delete"}).Draw(t, "what")
	ch := rapid.SampledFrom(c.AllChannels()).Draw(t, "channel")
	f := rapid.SampledFrom(c.AllFeatures()).Draw(t, "feature")
	crm := rapid.SampledFrom(c.AllCRMNames()).Draw(t, "CRM name")
	wantCh, wantF, wantCRM := ch, f, crm
	switch what {
	case "rename":
		wantCh.Name, wantF.Name, wantCRM.Name = fmt.Sprint("C", n), fmt.Sprint("F", n), fmt.Sprint("N", n)
	case "retire":
		wantCh.Retired, wantF.Retired, wantCRM.Retired = !ch.Retired, !f.Retired, !crm.Retired
	case "default":
		wantCh.Default = rapid.IntRange(0, ch.Highest).Draw(t, "default")
		wantF.Default = rapid.SampledFrom(append(slices.Clone(f.Values), directory.SwitchValues...)).Draw(t, "value")
	case "values":
		has.changeValues(t, d, f, n)
		return
	case "move":
		if !ch.Retired {
			refused(h.MoveCatalogueEntry(t.Context(), directory.ChannelCatalogue, ch.ID, rapid.SampledFrom([]int{-1, 1}).Draw(t, "by")))
		}
		return
	case "add":
		_, err := h.SaveChannel(t.Context(), nil, directory.Channel{Name: fmt.Sprint("C", n), Highest: 9})
		refused(err)
		_, err = h.SaveCRMName(t.Context(), nil, directory.Named{Name: fmt.Sprint("N", n)})
		refused(err)
		return
	case "delete":
		if _, own := has.count[ch.ID]; len(c.AllChannels()) > 2 && !refused(h.DeleteCatalogueEntry(t.Context(), directory.ChannelCatalogue, ch.ID)) && own {
			t.Fatalf("deleted in use: %+v", ch)
		}
		if !refused(h.DeleteCatalogueEntry(t.Context(), directory.CRMNameCatalogue, crm.ID)) && has.crm == crm.ID {
			t.Fatalf("deleted in use: %+v", crm)
		}
		return
	}
	if _, err := h.SaveChannel(t.Context(), &ch, wantCh); !refused(err) && wantCh.Default != ch.Default && has.count[ch.ID] == wantCh.Default {
		delete(has.count, ch.ID)
	}
	if _, err := h.SaveFeature(t.Context(), &f, wantF, nil); !refused(err) && wantF.Default != f.Default && has.value[f.ID] == wantF.Default {
		delete(has.value, f.ID)
	}
	_, err := h.SaveCRMName(t.Context(), &crm, wantCRM)
	refused(err)
}

// changeValues renames a value of a list, retires another and adds one.
func (has *held) changeValues(t *rapid.T, d *directory.Directory, f directory.Feature, n int) {
	if f.Kind != "list" {
		return
	}
	want := f
	want.Values = append(slices.Clone(f.Values), fmt.Sprint("new ", n))
	renamed := map[string]string{}
	if rapid.Bool().Draw(t, "rename") {
		i := rapid.IntRange(0, len(f.Values)-1).Draw(t, "which")
		renamed[f.Values[i]] = fmt.Sprint("v", n)
		if want.Values[i] = renamed[f.Values[i]]; want.Default == f.Values[i] {
			want.Default = want.Values[i]
		}
	}
	if i := rapid.IntRange(0, len(want.Values)-1).Draw(t, "retired"); want.Values[i] != want.Default {
		want.RetiredValues = append(slices.Clone(f.RetiredValues), want.Values[i])
		want.Values = slices.Delete(want.Values, i, i+1)
	}
	if _, err := system(d).SaveFeature(t.Context(), &f, want, renamed); err != nil {
		t.Fatal(err)
	}
	if name, ok := renamed[has.value[f.ID]]; ok {
		has.value[f.ID] = name
	}
}

// check compares the user with what they should have.
func (has *held) check(t *rapid.T, d *directory.Directory) {
	c := load(t, d)
	page, err := system(d).UsersPage(t.Context(), directory.UserQuery{Filter: directory.UserFilter{IDs: []int64{1}}})
	if err != nil || len(page.Users) != 1 {
		t.Fatal(len(page.Users), err)
	}
	u := page.Users[0]
	for _, n := range c.AllCRMNames() {
		if n.ID == has.crm && n.Name != u.CRMName {
			t.Fatalf("CRM name %q, want %q", u.CRMName, n.Name)
		}
	}
	counts, values := map[string]int{}, map[string]string{}
	for _, ch := range c.Channels {
		counts[ch.Name] = ch.Default
		if n, own := has.count[ch.ID]; own {
			counts[ch.Name] = n
		}
	}
	for _, f := range c.Features {
		values[f.Name] = f.Default
		if v, own := has.value[f.ID]; own {
			values[f.Name] = v
		}
	}
	if u.CRMName == "" || u.Version != has.version || !maps.Equal(u.ChannelCounts, counts) || !maps.Equal(u.Features, values) {
		t.Fatalf("%+v, want %v, %v", u, counts, values)
	}
	rows, err := sqldb.All[string](t.Context(), d.DB.Read(), "SELECT value FROM user_features UNION ALL SELECT CAST(count AS TEXT) FROM user_channels")
	if err != nil || len(rows) != len(has.value)+len(has.count) {
		t.Fatalf("%q are kept, want %v and %v, %v", rows, has.value, has.count, err)
	}
}
