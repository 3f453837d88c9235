package directory_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// user is user 1 as lists show it.
func user(t *testing.T, d *directory.Directory) directory.User {
	t.Helper()
	page, err := system(d).UsersPage(t.Context(), directory.UserQuery{Filter: directory.UserFilter{IDs: []int64{1}}})
	if err != nil || len(page.Users) != 1 {
		t.Fatal(len(page.Users), err)
	}
	return page.Users[0]
}

// stocked is a directory of the full configuration, with two users.
func stocked(t *testing.T, fn func(t *testing.T, d *directory.Directory, h *directory.Handle)) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		apply(t, system(d), full(), false)
		addUsers(t, d, 2)
		fn(t, d, system(d))
	})
}

func wantFault(t *testing.T, what string, err error, kind fault.Kind, says string) {
	t.Helper()
	if fault.KindOf(err) != kind || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: got %v, want %v with %q", what, err, kind, says)
	}
}

// A new name holds at once: for users, lists and the rules of an import; nothing of the users is written.
func TestRenameEntries(t *testing.T) {
	stocked(t, func(t *testing.T, d *directory.Directory, h *directory.Handle) {
		c := load(t, d)
		chat := c.Channels[1]
		renamed := chat
		renamed.Name = "Web Chat"
		now, err := h.SaveChannel(t.Context(), &chat, renamed)
		if err != nil || now != renamed {
			t.Fatalf("%+v, %v", now, err)
		}
		siebel := c.CRMNames[1]
		if _, err := h.SaveCRMName(t.Context(), &siebel, directory.Named{Name: "Siebel 8"}); err != nil {
			t.Fatal(err)
		}
		greeting := c.GreetingTemplates[0]
		if _, err := h.SaveGreetingTemplate(t.Context(), &greeting, directory.GreetingTemplate{Name: "Plain", Text: "Hi"}); err != nil {
			t.Fatal(err)
		}
		feature := c.Features[0]
		want := feature
		want.Name = "Mode"
		if _, err := h.SaveFeature(t.Context(), &feature, want, nil); err != nil {
			t.Fatal(err)
		}
		u := user(t, d)
		if u.ChannelCounts["Web Chat"] != 4 || u.CRMName != "Siebel 8" || u.GreetingTemplate != "Plain" || u.Features["Mode"] != "Manual In" || u.Version != 1 {
			t.Errorf("%+v", u)
		}
		after := load(t, d)
		if got := after.Channels[1]; got != renamed || after.Revision != c.Revision+4 {
			t.Errorf("%+v, revision %d", got, after.Revision)
		}
		r := directory.NewRules(after, directory.System("test"))
		cand := &directory.Candidate{}
		cand.Cells[directory.CRMNameColumn] = "Siebel"
		r.JudgeRow(cand)
		if !strings.Contains(problemsOf(cand), "crm_name.unknown") {
			t.Errorf("the old name is still known: %s", problemsOf(cand))
		}
		entries, err := sqldb.All[struct{ Action, Name, Before, After string }](t.Context(), d.DB.Read(), "SELECT action, name, before, after FROM audit WHERE action = 'rename' ORDER BY id LIMIT 1")
		if err != nil || len(entries) != 1 || entries[0].Name != "Chat" || entries[0].Before != `{"name":"Chat"}` || entries[0].After != `{"name":"Web Chat"}` {
			t.Errorf("%+v, %v", entries, err)
		}
	})
}

func problemsOf(c *directory.Candidate) string {
	var all []string
	for _, p := range c.Problems {
		all = append(all, p.Code+" "+p.Message)
	}
	return strings.Join(all, "; ")
}

func TestEditEntryRefused(t *testing.T) {
	stocked(t, func(t *testing.T, d *directory.Directory, h *directory.Handle) {
		c := load(t, d)
		chat, other := c.Channels[1], c.Channels[1]
		other.Highest = 9
		if _, err := h.SaveChannel(t.Context(), &chat, other); err != nil {
			t.Fatal(err)
		}
		mine := chat
		mine.Default = 3
		_, err := h.SaveChannel(t.Context(), &chat, mine)
		var changed *directory.Changed[directory.Channel]
		if !errors.As(err, &changed) || changed.Now != other || changed.By != "system" || !slices.Equal(changed.Details, []string{"highest: 5 → 9"}) {
			t.Errorf("as seen by somebody else: %v", err)
		}
		mine.Highest = 9
		if _, err := h.SaveChannel(t.Context(), &changed.Now, mine); err != nil {
			t.Errorf("knowingly: %v", err)
		}
		low := mine
		low.Highest = 3
		_, err = h.SaveChannel(t.Context(), &mine, low)
		wantFault(t, "highest", err, fault.Conflict, "2 users may hold more than 3 sessions")
		_, err = h.SaveChannel(t.Context(), nil, directory.Channel{Name: "Chat", Highest: 1})
		wantFault(t, "taken", err, fault.Conflict, `another channel called "Chat"`)
		_, err = h.SaveChannel(t.Context(), nil, directory.Channel{Name: "CRM_enabled", Highest: 1})
		wantFault(t, "like a feature's column", err, fault.Invalid, "rename one of them")
		_, err = h.SaveChannel(t.Context(), nil, directory.Channel{Name: "", Default: 2, Highest: 1})
		wantFault(t, "all that is wrong", err, fault.Invalid, "above the highest")
		gone := directory.Named{ID: 99, Name: "x"}
		_, err = h.SaveCRMName(t.Context(), &gone, directory.Named{Name: "y"})
		wantFault(t, "gone", err, fault.NotFound, "no such CRM name")
		for _, k := range []struct {
			of directory.Catalogue
			id int64
		}{{directory.ChannelCatalogue, chat.ID}, {directory.FeatureCatalogue, c.Features[0].ID}, {directory.CRMNameCatalogue, c.CRMNames[1].ID}, {directory.GreetingCatalogue, c.GreetingTemplates[0].ID}} {
			wantFault(t, "in use", h.DeleteCatalogueEntry(t.Context(), k.of, k.id), fault.Conflict, "2 users have it; retire it")
			u, err := h.CatalogueUse(t.Context(), k.of, k.id)
			if err != nil || u.Users != 2 || u.Following != 0 {
				t.Errorf("%s: %+v, %v", k.of, u, err)
			}
		}
		if err := h.DeleteCatalogueEntry(t.Context(), directory.CRMNameCatalogue, c.CRMNames[0].ID); err != nil || len(load(t, d).CRMNames) != 1 {
			t.Errorf("unused: %v", err)
		}
		wantFault(t, "no such", h.DeleteCatalogueEntry(t.Context(), directory.CRMNameCatalogue, c.CRMNames[0].ID), fault.NotFound, "somebody may have deleted it")
		if u := user(t, d); u.ChannelCounts["Chat"] != 4 || u.CRMName != "Siebel" {
			t.Errorf("%+v", u)
		}
	})
}

// What is retired stays with who has it, is given to nobody else, and comes back as it was.
func TestRetire(t *testing.T) {
	stocked(t, func(t *testing.T, d *directory.Directory, h *directory.Handle) {
		c := load(t, d)
		siebel, chat, feature := c.CRMNames[1], c.Channels[1], c.Features[0]
		retired := siebel
		retired.Retired = true
		if _, err := h.SaveCRMName(t.Context(), &siebel, retired); err != nil {
			t.Fatal(err)
		}
		noChat := chat
		noChat.Retired = true
		if _, err := h.SaveChannel(t.Context(), &chat, noChat); err != nil {
			t.Fatal(err)
		}
		noValue := feature
		noValue.Values, noValue.RetiredValues = []string{"Auto In"}, []string{"Manual In"}
		if _, err := h.SaveFeature(t.Context(), &feature, noValue, nil); err != nil {
			t.Fatal(err)
		}
		u := user(t, d)
		if _, shown := u.ChannelCounts["Chat"]; shown || u.CRMName != "Siebel" || u.Features["Manual In"] != "Manual In" {
			t.Errorf("%+v", u)
		}
		c = load(t, d)
		if len(c.Channels) != 1 || len(c.CRMNames) != 1 || !cmp.Equal(c.Retired.Channels, []directory.Channel{noChat}) {
			t.Errorf("%+v", c.Retired)
		}
		r := directory.NewRules(c, directory.System("test"))
		cand := &directory.Candidate{}
		cand.Cells[directory.CRMNameColumn] = "Siebel"
		r.JudgeRow(cand)
		if !strings.Contains(problemsOf(cand), `crm_name.unknown The CRM name "Siebel" is retired`) {
			t.Error(problemsOf(cand))
		}
		if _, _, p := r.JudgeFeatureValue(0, "manual in"); p == nil || p.Code != "feature.not_a_value" || !strings.Contains(p.Message, "is retired") {
			t.Errorf("%+v", p)
		}
		// The list finds who has it.
		page, err := h.UsersPage(t.Context(), directory.UserQuery{Filter: directory.UserFilter{Where: []directory.Condition{{Column: "crm_name", Op: directory.OpEqual, Value: "Siebel"}}}})
		if err != nil || len(page.Users) != 2 {
			t.Errorf("%d found, %v", len(page.Users), err)
		}
		_, err = h.SaveCRMName(t.Context(), nil, directory.Named{Name: "Siebel"})
		wantFault(t, "its name", err, fault.Conflict, `a retired CRM name called "Siebel"; bring that one back`)
		if _, err := h.SaveChannel(t.Context(), &noChat, chat); err != nil {
			t.Fatal(err)
		}
		if u := user(t, d); u.ChannelCounts["Chat"] != 4 {
			t.Errorf("brought back: %+v", u.ChannelCounts)
		}
	})
}

// The default's followers change with it; who has something else keeps it; rows that say nothing go.
func TestChangeDefault(t *testing.T) {
	stocked(t, func(t *testing.T, d *directory.Directory, h *directory.Handle) {
		c := load(t, d)
		voice, chat := c.Channels[0], c.Channels[1]
		u, err := h.CatalogueUse(t.Context(), directory.ChannelCatalogue, voice.ID)
		if err != nil || u.Following != 2 || u.Users != 0 {
			t.Fatalf("%+v, %v", u, err)
		}
		want := voice
		want.Default = 0
		if _, err := h.SaveChannel(t.Context(), &voice, want); err != nil {
			t.Fatal(err)
		}
		if got := user(t, d).ChannelCounts; got["Voice"] != 0 || got["Chat"] != 4 {
			t.Errorf("%v", got)
		}
		want = chat
		want.Default = 4
		if _, err := h.SaveChannel(t.Context(), &chat, want); err != nil {
			t.Fatal(err)
		}
		if u, err := h.CatalogueUse(t.Context(), directory.ChannelCatalogue, chat.ID); err != nil || u.Following != 2 || user(t, d).ChannelCounts["Chat"] != 4 {
			t.Errorf("%+v, %v", u, err)
		}
	})
}

func TestRenameValues(t *testing.T) {
	stocked(t, func(t *testing.T, d *directory.Directory, h *directory.Handle) {
		f := load(t, d).Features[0]
		want := f
		want.Values, want.Default = []string{"By hand", "Automatic"}, "Automatic"
		names := map[string]string{"Manual In": "By hand", "Auto In": "Automatic"}
		now, err := h.SaveFeature(t.Context(), &f, want, names)
		if err != nil || !cmp.Equal(now, want) {
			t.Fatalf("%+v, %v", now, err)
		}
		if u := user(t, d); u.Features["Manual In"] != "By hand" || !cmp.Equal(load(t, d).Features[0], want) {
			t.Errorf("%v", u.Features)
		}
		// Two values cannot become one, and what users have cannot be left out.
		both := now
		both.Values = []string{"Automatic"}
		_, err = h.SaveFeature(t.Context(), &now, both, map[string]string{"By hand": "Automatic"})
		wantFault(t, "two into one", err, fault.Invalid, "choose another name")
		_, err = h.SaveFeature(t.Context(), &now, both, nil)
		wantFault(t, "left out", err, fault.Conflict, `"By hand" (2 users)`)
		spelled := now
		spelled.Values = []string{"BY HAND", "Automatic"}
		if _, err := h.SaveFeature(t.Context(), &now, spelled, map[string]string{"By hand": "BY HAND"}); err != nil || user(t, d).Features["Manual In"] != "BY HAND" {
			t.Errorf("spelled otherwise: %v, %v", user(t, d).Features, err)
		}
	})
}

func TestMoveEntries(t *testing.T) {
	stocked(t, func(t *testing.T, d *directory.Directory, h *directory.Handle) {
		c := load(t, d)
		order := func() string {
			var names []string
			for _, ch := range load(t, d).Channels {
				names = append(names, ch.Name)
			}
			return strings.Join(names, " ")
		}
		for _, step := range []struct {
			id   int64
			by   int
			want string
		}{{c.Channels[1].ID, -1, "Chat Voice"}, {c.Channels[1].ID, -1, "Chat Voice"}, {c.Channels[1].ID, 1, "Voice Chat"}, {c.Channels[1].ID, 1, "Voice Chat"}} {
			if err := h.MoveCatalogueEntry(t.Context(), directory.ChannelCatalogue, step.id, step.by); err != nil || order() != step.want {
				t.Errorf("%+v: %s, %v", step, order(), err)
			}
		}
		if _, err := h.SaveChannel(t.Context(), nil, directory.Channel{Name: "Fax", Highest: 1}); err != nil || order() != "Voice Chat Fax" {
			t.Errorf("a new one: %s, %v", order(), err)
		}
		wantFault(t, "no order", h.MoveCatalogueEntry(t.Context(), directory.CRMNameCatalogue, 1, 1), fault.Invalid, "only channels and features")
		wantFault(t, "gone", h.MoveCatalogueEntry(t.Context(), directory.FeatureCatalogue, 99, 1), fault.NotFound, "no such feature")
	})
}
