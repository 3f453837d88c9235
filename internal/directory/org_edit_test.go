package directory_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// orgUnits is a small structure of three levels, with two agents in each team of Cards, a supervisor in Cards and one access role.
var orgUnits = []string{"Oman", "Oman / Retail", "Oman / Retail / Team 1", "UAE", "UAE / Cards", "UAE / Cards / Team 1", "UAE / Cards / Team 2", "UAE / Cards / Team 10",
	"UAE / Loans", "UAE / Loans / Team 3", "UAE / Empty"}

func newOrg(t *testing.T, d *directory.Directory) {
	t.Helper()
	apply(t, system(d), directory.Configuration{
		Levels: []string{"Country", "Department", "Team"}, OrgUnits: units(orgUnits...),
		AccessRoles: []directory.AccessRole{{Name: "Loans", Scope: "units", Units: []string{"UAE / Loans / Team 3"}}},
	}, false)
	for i, where := range []string{"UAE / Cards / Team 1", "UAE / Cards / Team 1", "UAE / Cards / Team 2", "UAE / Cards"} {
		profile := directory.Agent
		if where == "UAE / Cards" {
			profile = directory.Supervisor
		}
		putUser(t, d, i+1, profile, where)
	}
}

func putUser(t *testing.T, d *directory.Directory, id int, profile directory.Profile, unit string) {
	t.Helper()
	execute(t, d, `INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, profile, changed_by, changed_at, org_unit_id)
		VALUES ($1, $2, $2, 'A', 'B', $2, $2, $3, 'x', 1, (SELECT id FROM org_units WHERE full_name = $4))`, id, fmt.Sprint("user", id), int64(profile), unit)
}

// unitNamed is the unit as it is now.
func unitNamed(t *testing.T, d *directory.Directory, full string) directory.OrgUnit {
	t.Helper()
	for _, u := range load(t, d).OrgUnits {
		if u.FullName == full {
			return u
		}
	}
	t.Fatalf("there is no unit %s", full)
	return directory.OrgUnit{}
}

// drawn is the tree as text: full name, own and total number of users, and units below.
func drawn(t *testing.T, h *directory.Handle) string {
	t.Helper()
	tree, err := h.OrgTree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, u := range tree.Units {
		fmt.Fprintf(&b, "%s %d %d %d", u.FullName, u.Users, u.Total, u.Below)
		if !u.InScope {
			b.WriteString(" out")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestOrgTree(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		newOrg(t, d)
		cards, team2 := unitNamed(t, d, "UAE / Cards"), unitNamed(t, d, "UAE / Cards / Team 2")
		see := []directory.Right{"org-units:access"}
		for name, c := range map[string]struct {
			actor directory.Actor
			want  string
		}{
			"everywhere": {directory.System("test"), "Oman 0 0 2\nOman / Retail 0 0 1\nOman / Retail / Team 1 0 0 0\nUAE 0 4 7\nUAE / Cards 1 4 3\n" +
				"UAE / Cards / Team 1 2 2 0\nUAE / Cards / Team 2 1 1 0\nUAE / Cards / Team 10 0 0 0\nUAE / Empty 0 0 0\nUAE / Loans 0 0 1\nUAE / Loans / Team 3 0 0 0\n"},
			"below": {directory.Person("p", "web", see, directory.Below(cards.Path)),
				"UAE 0 0 4 out\nUAE / Cards 1 4 3\nUAE / Cards / Team 1 2 2 0\nUAE / Cards / Team 2 1 1 0\nUAE / Cards / Team 10 0 0 0\n"},
			"overlapping": {directory.Person("p", "web", see, directory.Below(team2.Path, cards.Path)),
				"UAE 0 0 4 out\nUAE / Cards 1 4 3\nUAE / Cards / Team 1 2 2 0\nUAE / Cards / Team 2 1 1 0\nUAE / Cards / Team 10 0 0 0\n"},
			"own unit": {directory.Person("p", "web", see, directory.Exactly(cards.Path)), "UAE 0 0 1 out\nUAE / Cards 1 1 0\n"},
			"nowhere":  {directory.Person("p", "web", see, directory.Scope{}), ""},
		} {
			if diff := cmp.Diff(c.want, drawn(t, d.As(c.actor))); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		branch, err := system(d).OrgBranch(t.Context(), cards.ID)
		if err != nil || len(branch.Units) != 4 || branch.Units[0].Total != 4 || branch.Units[0].Inner != 3 || branch.Level(branch.Units[1].OrgUnit) != "Team" {
			t.Errorf("the branch: %+v, %v", branch, err)
		}
		if _, err := d.As(directory.Person("p", "web", see, directory.Exactly(team2.Path))).OrgBranch(t.Context(), unitNamed(t, d, "Oman").ID); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a branch out of scope: %v", err)
		}
	})
}

// Siblings stand by name, and what is below one is never below another that is called alike.
func TestOrgTreeOrder(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		want := []string{"a", "a / x", "A b", "A b / x", "A-b", "é", "Team 2", "Team 2 / x", "Team 02", "Team 02 / x", "team 2", "team 2 / x", "Team 10", "Team 10 / 9", "Team 10 / 10", "Team x"}
		apply(t, system(d), directory.Configuration{Levels: []string{"a", "b"}, OrgUnits: units(want...)}, false)
		tree, err := system(d).OrgTree(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, u := range tree.Units {
			got = append(got, u.FullName)
			if below := strings.Count(strings.Join(want, "\n")+"\n", "\n"+u.FullName+" / "); u.Below != below && u.FullName != "a" {
				t.Errorf("%s: %d below, want %d", u.FullName, u.Below, below)
			}
		}
		for i, full := range got {
			if top, _, below := strings.Cut(full, " / "); below && strings.Split(got[i-1], " / ")[0] != top {
				t.Errorf("%s stands behind %s", full, got[i-1])
			}
		}
		if diff := cmp.Diff([]string{"a", "A b", "A-b", "Team 02", "Team 2", "team 2", "Team 10", "Team x", "é"}, slices.DeleteFunc(got, func(s string) bool { return strings.Contains(s, " / ") })); diff != "" {
			t.Error(diff)
		}
	})
}

// What cannot be is refused in words, and leaves everything as it was.
func TestOrgRefusals(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		newOrg(t, d)
		ctx, h := t.Context(), system(d)
		id := func(full string) int64 { return unitNamed(t, d, full).ID }
		seen := func(full string) directory.UnitSeen { return unitNamed(t, d, full).Seen() }
		none := directory.UnitSeen{}
		add := func(parent int64, name string) error { _, err := h.AddUnit(ctx, parent, name); return err }
		rename := func(full, name string) error { _, err := h.RenameUnit(ctx, id(full), seen(full), name); return err }
		move := func(full string, to int64) error { _, err := h.MoveUnit(ctx, id(full), seen(full), to); return err }
		remove := func(full string) error { return h.DeleteUnit(ctx, id(full), seen(full)) }
		before := load(t, d)
		long := strings.Repeat("é", 200)
		for name, c := range map[string]struct {
			err  error
			kind fault.Kind
			says string
		}{
			"add: no name":           {add(id("UAE"), " "), fault.Invalid, "the name is empty"},
			"add: a path":            {add(id("UAE"), "A / B"), fault.Invalid, "stands between the names of a path"},
			"add: a slash":           {add(0, "/ A"), fault.Invalid, "stands between the names of a path"},
			"add: taken":             {add(id("UAE"), "Cards"), fault.Conflict, "there is a unit called Cards in UAE already"},
			"add: taken at the top":  {add(0, "UAE"), fault.Conflict, "there is a unit called UAE at the top already"},
			"add: too deep":          {add(id("UAE / Cards / Team 1"), "Desk"), fault.Invalid, "there are 3 levels (Country, Department, Team), and it is on the lowest"},
			"add: gone":              {add(999, "X"), fault.NotFound, "there is no such org unit"},
			"rename: taken":          {rename("UAE / Cards", "Loans"), fault.Conflict, "there is a unit called Loans in UAE already"},
			"rename: too long":       {rename("UAE", long+"x"), fault.Invalid, "has more than 200 characters"},
			"rename: gone":           {func() error { _, err := h.RenameUnit(ctx, 999, none, "X"); return err }(), fault.NotFound, "no such org unit"},
			"move: onto itself":      {move("UAE", id("UAE")), fault.Invalid, "cannot be moved below itself"},
			"move: below itself":     {move("UAE", id("UAE / Cards")), fault.Invalid, "UAE / Cards is itself below UAE"},
			"move: too deep":         {move("UAE / Cards", id("Oman / Retail")), fault.Invalid, "would be 4 deep there, and there are 3 levels"},
			"move: name taken":       {move("Oman / Retail / Team 1", id("UAE / Cards")), fault.Conflict, "there is a unit called Team 1 in UAE / Cards already"},
			"move: agents":           {move("UAE / Cards", 0), fault.Invalid, "agents are in teams, the units on the level Team, and there 3 agents would not be: 2 in Cards / Team 1, 1 in Cards / Team 2;"},
			"move: to nowhere":       {move("UAE / Cards", 999), fault.NotFound, "no such org unit"},
			"delete: units and user": {remove("UAE / Cards"), fault.Conflict, "UAE / Cards cannot be deleted: it has 3 units below it (Team 1, Team 10, Team 2), and 1 user in it; move or change these first"},
			"delete: users":          {remove("UAE / Cards / Team 1"), fault.Conflict, "UAE / Cards / Team 1 cannot be deleted: there are 2 users in it"},
			"delete: access role":    {remove("UAE / Loans / Team 3"), fault.Conflict, "there is 1 access role (Loans) naming it"},
			"levels: none":           {h.SetLevels(ctx, before.Levels, nil), fault.Invalid, "there are 0 levels"},
			"levels: twice":          {h.SetLevels(ctx, before.Levels, []string{"A", "B", "A"}), fault.Invalid, `level "A" is there twice`},
			"levels: too few":        {h.SetLevels(ctx, before.Levels, []string{"A", "B"}), fault.Invalid, "the level Team cannot go: 5 units are on it or below (Oman / Retail / Team 1, "},
			"levels: agents":         {h.SetLevels(ctx, before.Levels, append(before.Levels[:3:3], "Desk")), fault.Invalid, "with 4 levels, agents would no longer be in teams, the units on the lowest level: 2 in UAE / Cards / Team 1, 1 in UAE / Cards / Team 2"},
			"levels: changed":        {h.SetLevels(ctx, []string{"A"}, []string{"B"}), fault.Conflict, "has changed the levels meanwhile, and they are Country, Department, Team now"},
			"setup: agents":          {applyOnly(h, directory.Configuration{Levels: append(before.Levels[:3:3], "Desk")}, false), fault.Invalid, "agents would no longer be in teams"},
		} {
			if fault.KindOf(c.err) != c.kind || !strings.Contains(fmt.Sprint(c.err), c.says) {
				t.Errorf("%s: got %v (%v)", name, c.err, fault.KindOf(c.err))
			}
		}
		if diff := cmp.Diff(before, load(t, d)); diff != "" {
			t.Errorf("something was changed\n%s", diff)
		}
	})
}

// A full name that would be too long is refused, though it is below the unit that is renamed.
func TestOrgLongNames(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		levels := strings.Split("a b c d e f g h", " ")
		apply(t, system(d), directory.Configuration{Levels: levels}, false)
		top, err := system(d).AddUnit(t.Context(), 0, "top")
		parent := top
		for range 5 {
			if err == nil {
				parent, err = system(d).AddUnit(t.Context(), parent.ID, strings.Repeat("é", 200))
			}
		}
		if err == nil {
			_, err = system(d).RenameUnit(t.Context(), top.ID, top.Seen(), strings.Repeat("é", 150))
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := system(d).AddUnit(t.Context(), parent.ID, strings.Repeat("é", 200)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("too long: %v", err)
		}
		if _, err := system(d).RenameUnit(t.Context(), top.ID, directory.UnitSeen{}, strings.Repeat("€", 200)); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "below the unit") {
			t.Errorf("too long below: %v", err)
		}
		checkTree(t, d)
	})
}

// checkTree looks whether the tree is one: chain of parents, path, full name and depth all agree, names are unique among
// siblings, and no agent is outside a team.
func checkTree(t failer, d *directory.Directory) {
	t.Helper()
	c := load(t, d)
	byID := map[int64]directory.OrgUnit{}
	siblings := map[string]bool{}
	for _, u := range c.OrgUnits {
		byID[u.ID] = u
		key := fmt.Sprint(u.ParentID, " ", u.Name)
		if siblings[key] {
			t.Fatal("twice among siblings:", u.FullName)
		}
		siblings[key] = true
	}
	for _, u := range c.OrgUnits {
		full, path, depth := "", "", 0
		for at := u; ; at = byID[at.ParentID] {
			if at.ID == 0 {
				t.Fatal("a parent is missing:", u)
			}
			full, path, depth = at.Name+" / "+full, fmt.Sprint(at.ID, "/", path), depth+1
			if at.ParentID == 0 || depth > len(c.OrgUnits) {
				break
			}
		}
		if full = strings.TrimSuffix(full, " / "); u.FullName != full || u.Path != path || u.Depth != depth || depth > len(c.Levels) {
			t.Fatal(fmt.Sprintf("%+v is %s, %s, %d deep by its parents", u, full, path, depth))
		}
	}
	n, _, err := sqldb.One[int](context.Background(), d.DB.Read(), `SELECT count(*) FROM users u JOIN org_units o ON o.id = u.org_unit_id WHERE u.profile = 3 AND o.depth <> $1`, len(c.Levels))
	if err != nil || n > 0 {
		t.Fatal(n, "agents are in no team", err)
	}
}

func TestOrgChanges(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		newOrg(t, d)
		ctx, h := t.Context(), d.As(directory.Person("ahaddad", "web", allRights(), directory.Everywhere()))
		revision := load(t, d).Revision
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			now := load(t, d).Revision
			if now <= revision {
				t.Error("the revision did not rise")
			}
			revision = now
			checkTree(t, d)
		}
		cards := unitNamed(t, d, "UAE / Cards")
		oman := unitNamed(t, d, "Oman")
		made, err := h.AddUnit(ctx, cards.ID, "Team 4")
		must(err)
		if diff := cmp.Diff(unitNamed(t, d, "UAE / Cards / Team 4"), made); diff != "" {
			t.Error(diff)
		}
		now, err := h.RenameUnit(ctx, cards.ID, cards.Seen(), "Chèques & Cards")
		must(err)
		if diff := cmp.Diff(unitNamed(t, d, "UAE / Chèques & Cards"), now); diff != "" {
			t.Error(diff)
		}
		now, err = h.MoveUnit(ctx, cards.ID, now.Seen(), oman.ID)
		must(err)
		if diff := cmp.Diff(unitNamed(t, d, "Oman / Chèques & Cards"), now); diff != "" {
			t.Error(diff)
		}
		unitNamed(t, d, "Oman / Chèques & Cards / Team 10")
		must(h.DeleteUnit(ctx, made.ID, made.Seen()))
		empty := unitNamed(t, d, "UAE / Empty")
		_, err = h.MoveUnit(ctx, empty.ID, empty.Seen(), 0)
		must(err)
		must(h.SetLevels(ctx, []string{"Country", "Department", "Team"}, []string{"Land", "Department", "Team"}))
		// Somebody goes by what they saw before.
		_, err = h.MoveUnit(ctx, cards.ID, cards.Seen(), 0)
		if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), `ahaddad has moved and renamed the unit "Cards" meanwhile, and it is Oman / Chèques & Cards now`) {
			t.Errorf("a stale move: %v", err)
		}
		err = h.DeleteUnit(ctx, made.ID, made.Seen())
		if fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), `"Team 4" is not there any more`) {
			t.Errorf("a second deletion: %v", err)
		}
		// What changes nothing leaves no trace.
		_, err = h.RenameUnit(ctx, cards.ID, now.Seen(), now.Name)
		if err == nil {
			_, err = h.MoveUnit(ctx, cards.ID, now.Seen(), oman.ID)
		}
		if err != nil || load(t, d).Revision != revision {
			t.Errorf("nothing to do: %v", err)
		}
		type line struct{ Actor, Action, Subject, Name, Before, After string }
		got, err := sqldb.All[line](ctx, d.DB.Read(), "SELECT actor, action, subject, name, before, after FROM audit WHERE actor = 'ahaddad' ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		want := []line{
			{"ahaddad", "create", "org-unit", "UAE / Cards / Team 4", "", `{"name":"UAE / Cards / Team 4"}`},
			{"ahaddad", "rename", "org-unit", "UAE / Chèques & Cards", `{"name":"UAE / Cards"}`, `{"name":"UAE / Chèques & Cards"}`},
			{"ahaddad", "move", "org-unit", "Oman / Chèques & Cards", `{"name":"UAE / Chèques & Cards"}`, `{"name":"Oman / Chèques & Cards"}`},
			{"ahaddad", "delete", "org-unit", "Oman / Chèques & Cards / Team 4", `{"name":"Oman / Chèques & Cards / Team 4"}`, ""},
			{"ahaddad", "move", "org-unit", "Empty", `{"name":"UAE / Empty"}`, `{"name":"Empty"}`},
			{"ahaddad", "update", "org-levels", "", `{"levels":["Country","Department","Team"]}`, `{"levels":["Land","Department","Team"]}`},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOrgImport(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		newOrg(t, d)
		h := system(d)
		names := []string{"/ UAE", "Qatar / Retail / Team 1", "Qatar", "Qatar / Retail / Team 1", "UAE / Cards / Team 11"}
		plan, err := h.PlanUnits(t.Context(), names)
		if err != nil {
			t.Fatal(err)
		}
		want := &directory.UnitPlan{New: []string{"Qatar", "Qatar / Retail", "Qatar / Retail / Team 1", "UAE / Cards / Team 11"}, Already: 1}
		if diff := cmp.Diff(want, plan); diff != "" {
			t.Error(diff)
		}
		made, err := h.AddUnits(t.Context(), names)
		if diff := cmp.Diff(want.New, made); diff != "" || err != nil {
			t.Error(err, diff)
		}
		checkTree(t, d)
		if plan, err = h.PlanUnits(t.Context(), names); err != nil || len(plan.New) > 0 || plan.Already != 5 {
			t.Errorf("again: %+v, %v", plan, err)
		}
		before := load(t, d)
		_, err = h.AddUnits(t.Context(), []string{"A / B / C / D", "Fine", "X / / Y", ""})
		for _, says := range []string{"it is 4 deep, and there are 3 levels", `the name "/ Y" begins`, "3 things are wrong", `is empty`} {
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: got %v", says, err)
			}
		}
		if diff := cmp.Diff(before, load(t, d)); diff != "" {
			t.Errorf("something was changed\n%s", diff)
		}
	})
}

// Many units come in several transactions, and all of them come.
func TestOrgImportOfMany(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		apply(t, system(d), directory.Configuration{Levels: []string{"a", "b", "c"}}, false)
		var names []string
		for i := range 1300 {
			names = append(names, fmt.Sprintf("Land %d / Division %d / Team %d", i%3, i%40, i))
		}
		made, err := system(d).AddUnits(t.Context(), names)
		if err != nil || len(made) < 1300 {
			t.Fatal(len(made), err)
		}
		checkTree(t, d)
		if n := len(load(t, d).OrgUnits); n != len(made) {
			t.Errorf("%d units, and %d were made", n, len(made))
		}
	})
}
