package useredit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/useredit"
)

// person of a drawn organisation, as the naive way to edit knows them.
type known struct {
	member
	id int64
}

// staff makes users who keep to the rules: agents in teams, and whoever leads reports to somebody made before.
func (h *house) staff(t *rapid.T) (all []*known) {
	t.Helper()
	teams := []string{"UAE / Cards", "UAE / Loans", "India / Airline"}
	var leaders []int64
	for i := range rapid.IntRange(1, 12).Draw(t, "users") {
		m := member{
			profile: directory.Supervisor, unit: rapid.SampledFrom(units[1:]).Draw(t, "unit"), inactive: rapid.Bool().Draw(t, "inactive"),
			access: rapid.SampledFrom([]string{"", "Own unit", "Own unit and below", "UAE", "Everywhere"}).Draw(t, "access"),
			roles:  rapid.SliceOfNDistinct(rapid.SampledFrom(everyone[directory.RoleValue]), 0, 2, rapid.ID).Draw(t, "roles"), signsIn: rapid.Bool().Draw(t, "signs in"),
		}
		if len(leaders) > 0 && rapid.Bool().Draw(t, "reports") {
			m.supervisor = rapid.SampledFrom(leaders).Draw(t, "to")
			if rapid.Bool().Draw(t, "agent") {
				m.profile, m.unit = directory.Agent, rapid.SampledFrom(teams).Draw(t, "team")
			}
		}
		if !m.inactive || rapid.Bool().Draw(t, "PBX ID") {
			m.pbx = fmt.Sprint(100 + i)
		}
		id := h.member(t, m)
		if m.profile == directory.Supervisor {
			leaders = append(leaders, id)
		}
		all = append(all, &known{m, id})
	}
	return all
}

// drawColumnEdit draws an edit, and how the naive way makes it: changed tells what becomes of somebody, or the code of why not.
func (h *house) drawColumnEdit(t *rapid.T, a directory.Actor, all []*known) (e useredit.Edit, edit func(k *known) (same bool, code string)) {
	t.Helper()
	byID := map[int64]*known{}
	for _, k := range all {
		byID[k.id] = k
	}
	switch rapid.IntRange(0, 3).Draw(t, "edit") {
	case 0:
		e = useredit.Edit{Status: &directory.StatusEdit{ReleasePBX: rapid.Bool().Draw(t, "release")}, Reason: "because"}
		return e, func(k *known) (bool, string) {
			if k.inactive {
				return true, ""
			}
			k.inactive = true
			if e.Status.ReleasePBX {
				k.pbx = ""
			}
			return false, ""
		}
	case 1:
		return activate(true), func(k *known) (bool, string) {
			switch {
			case !k.inactive:
				return true, ""
			case k.pbx == "":
				return false, "pbx_id.missing"
			}
			k.inactive = false
			return false, ""
		}
	case 2:
		unit := rapid.SampledFrom(units[1:]).Draw(t, "to unit")
		return h.move(t, unit), func(k *known) (bool, string) {
			switch {
			case k.unit == unit:
				return true, ""
			case k.profile == directory.Agent && !strings.Contains(unit, " / "):
				return false, "org_unit.not_a_team"
			case h.grows(a, k, unit):
				return false, "org_unit.not_grantable"
			}
			k.unit = unit
			return false, ""
		}
	}
	to := int64(0)
	lanID := ""
	if fit := slices.DeleteFunc(slices.Clone(all), func(k *known) bool { return k.inactive || k.profile == directory.Agent }); len(fit) > 0 && rapid.Bool().Draw(t, "somebody") {
		to = rapid.SampledFrom(fit).Draw(t, "to").id
		lanID = fmt.Sprintf("u%d", to)
	}
	return supervise(lanID), func(k *known) (bool, string) {
		switch {
		case k.supervisor == to:
			return true, ""
		case to == 0 && k.profile == directory.Agent:
			return false, "supervisor.missing"
		case k.id == to:
			return false, "supervisor.self"
		}
		for at := to; at != 0; at = byID[at].supervisor {
			if at == k.id {
				return false, "supervisor.cycle"
			}
		}
		k.supervisor = to
		return false, ""
	}
}

// grows tells whether somebody would come, in the unit, to a right in a place where they did not have it and the actor has not.
func (h *house) grows(a directory.Actor, k *known, unit string) bool {
	if a.IsSystem() {
		return false
	}
	reach := func(from string) (places []string) {
		for _, u := range h.cfg.OrgUnits {
			if k.access == "Own unit" && u.FullName == from || k.access == "Own unit and below" && (u.FullName == from || strings.HasPrefix(u.FullName, from+" / ")) {
				places = append(places, u.FullName)
			}
		}
		return places
	}
	had := reach(k.unit)
	for _, r := range h.cfg.Roles {
		for _, right := range r.Rights {
			for _, place := range reach(unit) {
				if slices.Contains(k.roles, r.Name) && !slices.Contains(had, place) && !(a.Can(right) && a.Scope().Contains(h.path(panics{}, place))) {
					return true
				}
			}
		}
	}
	return false
}

// lines of who everybody is, as columns has them.
func describe(all []*known) (lines []string) {
	for _, k := range all {
		text := fmt.Sprintf("u%d", k.id)
		if k.inactive {
			text += " inactive"
		}
		dash := func(s string) string {
			if s == "" {
				return "-"
			}
			return s
		}
		under := ""
		if k.supervisor != 0 {
			under = fmt.Sprintf("u%d", k.supervisor)
		}
		lines = append(lines, fmt.Sprintf("%s pbx %s in %s under %s", text, dash(k.pbx), dash(k.unit), dash(under)))
	}
	slices.Sort(lines)
	return lines
}

// Any edit of any set, by anybody: the preview is the result, both are what the naive way comes to, user by user and code by
// code; each user is changed once, nobody becomes more than the actor could make them, and undo gives back what was.
func TestColumnEdits(t *testing.T) {
	sometimes(t, 60, func(t *rapid.T, h *house) {
		all := h.staff(t)
		actor := h.drawEditor(t)
		e, edit := h.drawColumnEdit(t, actor, all)
		set := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, len(all), func(k *known) int64 { return k.id }).Draw(t, "set")
		slices.SortFunc(set, func(a, b *known) int { return int(a.id - b.id) })
		before := h.columns(t)
		var ids []int64
		for _, k := range set {
			ids = append(ids, k.id)
		}
		e.Preview = true
		b, err := h.make(actor, e, ids...)
		if err != nil {
			if kind := fault.KindOf(err); kind != fault.Forbidden && kind != fault.NotFound {
				t.Fatal(err)
			}
			return // nobody of the set is theirs, or the unit is not
		}
		b = h.execute(t, b.ID)
		preview, previewed := b.Counts, h.entries(t, b)
		differs(t, "a preview changes nothing", before, h.columns(t))
		if err := h.engine.Apply(context.Background(), actor, b.ID, b.Guard.Users); err != nil {
			t.Fatal(err)
		}
		b = h.execute(t, b.ID)
		if b.State != batch.Done || b.Counts != preview {
			t.Fatalf("%s (%s): %+v, and the preview said %+v", b.State, b.Reason, b.Counts, preview)
		}
		differs(t, "preview and result", previewed, h.entries(t, b))

		want, row := []string{}, 0
		for _, k := range set {
			if !actor.Scope().Contains(h.path(t, k.unit)) {
				continue // was not selected
			}
			row++
			switch same, code := edit(k); {
			case same:
				want = append(want, fmt.Sprintf("%d u%d unchanged", row, k.id))
			case code != "":
				want = append(want, fmt.Sprintf("%d u%d invalid %s", row, k.id, code))
			}
		}
		got := slices.DeleteFunc(h.entries(t, b), func(line string) bool { return strings.Contains(line, " updated ") })
		if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, "user.last_administrator") }) {
			differs(t, "report", want, got)
			differs(t, "directory", describe(all), h.columns(t))
		}
		if twice := h.lines(t, "SELECT lan_id FROM users WHERE version > 2"); len(twice) > 0 {
			t.Fatalf("%v were changed twice", twice)
		}
		h.reportsAreTrue(t, b)
		h.noRing(t)
		h.sound(t)
		if b.Counts.Updated == 0 {
			return
		}
		b = h.undo(t, b.ID)
		if kept := h.kept(t, b); len(kept) == 0 {
			differs(t, "undone", before, h.columns(t))
		} else if !slices.Equal(kept, slices.DeleteFunc(slices.Clone(kept), func(k string) bool { return !strings.HasSuffix(k, "undo.last_administrator") })) {
			t.Fatalf("the undo left %v", kept)
		}
		h.sound(t)
	})
}

// drawEditor is the system, or somebody who may edit users, somewhere or everywhere.
func (h *house) drawEditor(t *rapid.T) directory.Actor {
	t.Helper()
	rights := []directory.Right{"users:access", "users:edit"}
	switch rapid.IntRange(0, 3).Draw(t, "who") {
	case 0:
		return system
	case 1:
		return h.person(t, "person", directory.AllRights(), rapid.SampledFrom(units[1:]).Draw(t, "scope"))
	case 2:
		return h.acts(directory.Person("person", "test", rights, directory.Exactly(h.path(t, rapid.SampledFrom(units[1:]).Draw(t, "exactly")))))
	}
	return h.person(t, "person", rights, rapid.SliceOfNDistinct(rapid.SampledFrom(units[1:]), 0, 2, rapid.ID).Draw(t, "scope")...)
}

// differs shows what two ways to the same end have in different.
func differs(t failer, what string, want, got []string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("%s -want +got:\n%s", what, d)
	}
}

// Others edit users while a batch goes on, and while it is taken back, and it is interrupted: what they did stays, each user
// is changed once, and whom an undo leaves is listed.
func TestColumnEditsWhileOthersEdit(t *testing.T) {
	sometimes(t, 40, func(t *rapid.T, h *house) {
		all := h.staff(t)
		e, _ := h.drawColumnEdit(t, system, all)
		var ids []int64
		for _, k := range all {
			ids = append(ids, k.id)
		}
		had, err := h.dir.HasAdministrator(context.Background(), h.db.Read())
		if err != nil {
			t.Fatal(err)
		}
		b, err := h.make(system, e, ids...)
		if err != nil {
			t.Fatal(err)
		}
		others := h.meddleBesides(t)
		h.interrupt(t, b.ID)
		b = h.execute(t, b.ID)
		others()
		h.reportsAreTrue(t, b)
		if has, err := h.dir.HasAdministrator(context.Background(), h.db.Read()); err != nil || had && !has {
			t.Fatalf("the last administrator is gone: %v", err)
		}
		h.noRing(t)
		if b.Counts.Updated == 0 {
			return
		}
		others = h.meddleBesides(t)
		b = h.undo(t, b.ID)
		others()
		if kept := h.kept(t, b); int(b.Undone)+len(kept) != int(b.Counts.Updated) {
			t.Fatalf("%d undone, kept %v: %+v", b.Undone, kept, b.Counts)
		}
		if lost := h.lines(t, "SELECT u.lan_id FROM users u WHERE u.last_name = 'Changed' AND u.changed_by NOT IN ('other', 'system')"); len(lost) > 0 {
			t.Fatalf("changes of others are lost: %v", lost)
		}
		h.noRing(t)
	})
}

// meddleBesides lets somebody change a few users before the batch gets to them: by hand, as who reports to whom is concerned.
func (h *house) meddleBesides(t *rapid.T) (end func()) {
	t.Helper()
	somebody := rapid.Int64Range(1, h.users)
	who, under := somebody.Draw(t, "who"), somebody.Draw(t, "under")
	done := make(chan struct{})
	others := rapid.SliceOfN(somebody, 0, 3).Draw(t, "meanwhile")
	go func() {
		defer close(done)
		for _, id := range others {
			h.meddleOnce(id, []string{"UPDATE users SET last_name = 'Changed', %s WHERE id = $1"})
		}
		h.tryReports(who, under)
	}()
	return func() { <-done }
}

// tryReports is reports, where somebody else may be quicker.
func (h *house) tryReports(who, to int64) {
	ctx := context.Background()
	u, err := h.dir.As(system).User(ctx, who)
	if err != nil {
		panic(err)
	}
	in := u.Input()
	in.Supervisor = fmt.Sprintf("u%d", to)
	if _, err := h.dir.As(system).EditUser(ctx, who, u.Version, in, ""); err != nil && fault.KindOf(err) != fault.Conflict {
		panic(err)
	}
}
