package useredit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/useredit"
)

// member is a user to be in an organisation that keeps to the rules.
type member struct {
	profile    directory.Profile // 0 is Agent
	unit       string
	supervisor int64
	access     string
	roles      []string
	pbx        string
	inactive   bool
	signsIn    bool
}

func (h *house) member(t failer, m member) int64 {
	t.Helper()
	id := h.add(t, somebody{unit: m.unit, access: m.access, roles: m.roles, signsIn: m.signsIn})
	if m.profile == 0 {
		m.profile = directory.Agent
	}
	active := 1
	if m.inactive {
		active = 0
	}
	h.exec(t, "UPDATE users SET profile = $2, supervisor_id = nullif($3, 0), pbx_id = nullif($4, ''), active = $5 WHERE id = $1", id, int64(m.profile), m.supervisor, m.pbx, active)
	return id
}

// make freezes the users and makes the batch.
func (h *house) make(a directory.Actor, e useredit.Edit, ids ...int64) (*batch.Batch, error) {
	ctx := context.Background()
	set, err := useredit.Freeze(ctx, h.engine, a, useredit.Source{IDs: ids})
	if err != nil {
		return nil, err
	}
	return useredit.CreateEdit(ctx, h.engine, a, set.ID, e)
}

func (h *house) must(t failer, a directory.Actor, e useredit.Edit, ids ...int64) *batch.Batch {
	t.Helper()
	b, err := h.make(a, e, ids...)
	if err != nil {
		t.Fatal(err)
	}
	if b = h.execute(t, b.ID); b.State != batch.Done && b.State != batch.Ready {
		t.Fatalf("batch %d is %s: %s", b.ID, b.State, b.Reason)
	}
	return b
}

func activate(active bool) useredit.Edit {
	return useredit.Edit{Status: &directory.StatusEdit{Active: active}, Reason: "because"}
}

func release() useredit.Edit {
	return useredit.Edit{Status: &directory.StatusEdit{ReleasePBX: true}, Reason: "they left"}
}

func (h *house) unitID(t failer, name string) int64 {
	t.Helper()
	i := slices.IndexFunc(h.cfg.OrgUnits, func(u directory.OrgUnit) bool { return u.FullName == name })
	if i < 0 {
		t.Fatalf("no unit %q", name)
	}
	return h.cfg.OrgUnits[i].ID
}

func (h *house) move(t failer, unit string) useredit.Edit {
	t.Helper()
	return useredit.Edit{Move: &directory.MoveEdit{Unit: h.unitID(t, unit)}}
}

func supervise(lanID string) useredit.Edit {
	return useredit.Edit{Supervisor: &directory.SupervisorEdit{LANID: lanID}}
}

// columns are what these edits change of everybody.
func (h *house) columns(t failer) []string {
	t.Helper()
	return h.lines(t, `SELECT u.lan_id || CASE u.active WHEN 1 THEN '' ELSE ' inactive' END || ' pbx ' || coalesce(u.pbx_id, '-')
		|| ' in ' || coalesce((SELECT o.full_name FROM org_units o WHERE o.id = u.org_unit_id), '-')
		|| ' under ' || coalesce((SELECT s.lan_id FROM users s WHERE s.id = u.supervisor_id), '-') FROM users u`)
}

func TestSetStatus(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		boss := h.member(t, member{profile: directory.Supervisor, unit: "UAE", pbx: "1"})
		ann := h.member(t, member{unit: "UAE / Cards", supervisor: boss, pbx: "007", signsIn: true})
		bob := h.member(t, member{unit: "UAE / Cards", supervisor: boss, inactive: true})
		cat := h.member(t, member{unit: "UAE / Loans", supervisor: boss, pbx: "3", inactive: true})
		adm := h.member(t, member{profile: directory.Administrator, inactive: true, signsIn: true})
		h.exec(t, "UPDATE credentials SET link_hash = $2, link_until = 99 WHERE user_id = $1", ann, []byte("x"))
		before, everybody := h.columns(t), []int64{boss, ann, bob, cat, adm}

		for reason, words := range map[string]string{" ": "takes a reason", strings.Repeat("x", 1001): "shorten"} {
			_, err := h.make(system, useredit.Edit{Status: &directory.StatusEdit{}, Reason: reason}, ann)
			isKind(t, err, fault.Invalid, words)
		}
		_, err := h.make(system, useredit.Edit{Roles: &directory.RoleEdit{Mode: directory.SetRoles}, Reason: strings.Repeat("x", 1001)}, ann)
		isKind(t, err, fault.Invalid, "shorten")
		people, written := h.number(t, "SELECT people FROM directory_revision"), h.number(t, "SELECT count(*) FROM user_writes WHERE first_id <= $1 AND last_id >= $1", ann)
		b := h.must(t, system, release(), everybody...)
		same(t, "counts", batch.Counts{Rows: 5, Updated: 2, Unchanged: 3}, b.Counts)
		same(t, "deactivated", []string{"u1 inactive pbx - in UAE under -", "u2 inactive pbx - in UAE / Cards under u1", before[2], before[3], before[4]}, h.columns(t))
		same(t, "versions", []string{"u1 2 system", "u2 2 system", "u3 1 somebody", "u4 1 somebody", "u5 1 somebody"}, h.versions(t))
		if n := h.number(t, "SELECT people FROM directory_revision"); n <= people {
			t.Error("whoever was judged to have one of them as supervisor does not look again")
		}
		if n := h.number(t, "SELECT count(*) FROM user_writes WHERE first_id <= $1 AND last_id >= $1", ann); n <= written {
			t.Error("the search does not learn of the released PBX IDs")
		}
		if n := h.number(t, "SELECT count(*) FROM credentials WHERE user_id = $1 AND barred_at > 1 AND link_hash IS NULL AND link_until = 0", ann); n != 1 {
			t.Error("their session goes on")
		}
		if n := h.number(t, "SELECT count(*) FROM credentials WHERE barred_at > 0"); n != 1 {
			t.Errorf("%d are barred", n)
		}
		// Somebody gets the PBX ID meanwhile.
		h.member(t, member{profile: directory.Supervisor, unit: "UAE", pbx: "1"})
		b = h.undo(t, b.ID)
		same(t, "kept", []string{"u1 undo.pbx_id_taken"}, h.kept(t, b))
		same(t, "undone", before[1:], h.columns(t)[1:5])
		if b.Undone != 1 {
			t.Errorf("%d undone", b.Undone)
		}
		h.exec(t, "UPDATE users SET pbx_id = '6' WHERE id = 6")
		if b = h.undo(t, b.ID); b.Undone != 2 {
			t.Errorf("%d undone", b.Undone)
		}
		same(t, "undone", before, h.columns(t)[:5])

		h.exec(t, "UPDATE credentials SET barred_at = 1")
		b = h.must(t, system, activate(true), everybody...)
		same(t, "counts", batch.Counts{Rows: 5, Updated: 2, Unchanged: 2, Invalid: 1}, b.Counts)
		same(t, "entries", []string{"1 u1 unchanged", "2 u2 unchanged", "3 u3 invalid pbx_id.missing"}, h.entries(t, b))
		same(t, "activated", []string{before[0], before[1], before[2], "u4 pbx 3 in UAE / Loans under u1", "u5 pbx - in - under -"}, h.columns(t)[:5])
		h.undo(t, b.ID)
		same(t, "undone", before, h.columns(t)[:5])
		if n := h.number(t, "SELECT count(*) FROM credentials WHERE user_id = $1 AND barred_at > 1", adm); n != 1 {
			t.Error("who is inactive again is not barred")
		}
		if n := h.number(t, "SELECT count(*) FROM credentials WHERE user_id = $1 AND barred_at > 1", ann); n != 0 {
			t.Error("who was never inactive is barred")
		}
		h.sound(t)
	})
}

func TestSetStatusScope(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ann, bob := h.member(t, member{unit: "UAE / Cards", pbx: "1"}), h.member(t, member{unit: "UAE / Loans", pbx: "2"})
		cards := h.person(t, "cards", []directory.Right{"users:access", "users:edit"}, "UAE / Cards")
		_, err := h.make(h.person(t, "reader", []directory.Right{"users:access"}), activate(false), ann)
		isKind(t, err, fault.Forbidden, "users:edit")
		_, err = h.make(cards, activate(false), bob)
		isKind(t, err, fault.NotFound, "")
		b, err := h.make(cards, activate(false), ann, bob)
		if err != nil || b == nil {
			t.Fatal(err)
		}
		h.exec(t, "UPDATE users SET org_unit_id = $2 WHERE id = $1", ann, h.unitID(t, "UAE / Loans"))
		b = h.execute(t, b.ID)
		same(t, "entries", []string{"1  invalid user.out_of_scope"}, h.entries(t, b))
	})
}

// The last administrator stays: where all are in the set, all but one are changed. Who acts comes last, and may take their
// own powers.
func TestLastAdministratorStaysActive(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var all []int64
		for range 3 {
			all = append(all, h.member(t, member{profile: directory.Administrator, unit: "UAE", access: "Everywhere", roles: []string{"Chief"}, signsIn: true}))
		}
		all = append(all, h.member(t, member{unit: "UAE / Cards", pbx: "1"}))
		chief := h.person(t, "u1", []directory.Right{"users:access", "users:edit", "roles:edit", "roles:delete"})
		ctx := context.Background()
		set, err := useredit.Freeze(ctx, h.engine, chief, useredit.Source{IDs: all})
		if err != nil {
			t.Fatal(err)
		}
		c, err := useredit.Consequence(ctx, h.engine, chief, set.ID, activate(false))
		if err != nil || c.Changes != 3 || len(c.Left) != 1 || c.Left[0].Code != "user.last_administrator" || c.Left[0].Users != 1 {
			t.Fatalf("%+v, %v", c, err)
		}
		preview := activate(false)
		preview.Preview = true
		b, err := useredit.CreateEdit(ctx, h.engine, chief, set.ID, preview)
		if err != nil {
			t.Fatal(err)
		}
		b = h.execute(t, b.ID)
		same(t, "preview", batch.Counts{Rows: 4, Updated: 3, Invalid: 1}, b.Counts)
		if err := h.engine.Apply(ctx, chief, b.ID, b.Guard.Users); err != nil {
			t.Fatal(err)
		}
		b = h.execute(t, b.ID)
		same(t, "counts", batch.Counts{Rows: 4, Updated: 3, Invalid: 1}, b.Counts)
		same(t, "entries", []string{"3 u3 invalid user.last_administrator"}, h.entries(t, b))
		if has, err := h.dir.HasAdministrator(ctx, h.db.Read()); err != nil || !has {
			t.Errorf("the last administrator is gone: %v", err)
		}
		h.undo(t, b.ID)
		if n := h.number(t, "SELECT count(*) FROM users WHERE active = 0"); n != 0 {
			t.Errorf("%d are inactive", n)
		}
		// And the other way round: the undo of an activation does not take the last one either.
		h.exec(t, "UPDATE users SET active = 0 WHERE id IN (1, 2)")
		b = h.must(t, system, activate(true), 1, 2)
		h.exec(t, "UPDATE users SET active = 0, version = version + 1 WHERE id = 3")
		b = h.undo(t, b.ID)
		same(t, "kept", []string{"u2 undo.last_administrator"}, h.kept(t, b))
	})
}

func TestMove(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		boss := h.member(t, member{profile: directory.Supervisor, unit: "UAE"})
		lead := h.member(t, member{profile: directory.Supervisor, unit: "UAE / Cards", supervisor: boss})
		ann := h.member(t, member{unit: "UAE / Cards", supervisor: lead})
		bob := h.member(t, member{unit: "UAE / Cards", supervisor: boss})
		cat := h.member(t, member{unit: "India / Airline", supervisor: lead})
		before := h.columns(t)

		_, err := h.make(system, useredit.Edit{Move: &directory.MoveEdit{Unit: 99}}, ann)
		isKind(t, err, fault.NotFound, "not there any more")
		uae := h.person(t, "uae", []directory.Right{"users:access", "users:edit"}, "UAE")
		_, err = h.make(uae, h.move(t, "India / Airline"), ann)
		isKind(t, err, fault.Forbidden, "outside the units that you may change")

		b := h.must(t, system, h.move(t, "UAE"), boss, lead, ann, bob)
		same(t, "to a country", []string{"1 u1 unchanged", "3 u3 invalid org_unit.not_a_team", "4 u4 invalid org_unit.not_a_team"}, h.entries(t, b))
		h.undo(t, b.ID)
		same(t, "undone", before, h.columns(t))

		b = h.must(t, uae, h.move(t, "UAE / Loans"), lead, ann, bob)
		same(t, "counts", batch.Counts{Rows: 3, Updated: 3}, b.Counts)
		same(t, "the supervisor came along", []string{}, h.entries(t, b))
		same(t, "moved", []string{before[0], "u2 pbx - in UAE / Loans under u1", "u3 pbx - in UAE / Loans under u2", "u4 pbx - in UAE / Loans under u1", before[4]}, h.columns(t))
		b = h.must(t, system, h.move(t, "UAE / Cards"), ann, bob, cat)
		same(t, "the supervisor stays", []string{"1 u3 updated supervisor.other_branch", "3 u5 updated supervisor.other_branch"}, h.entries(t, b))
		h.undo(t, b.ID)
		same(t, "undone", []string{before[0], "u2 pbx - in UAE / Loans under u1", "u3 pbx - in UAE / Loans under u2", "u4 pbx - in UAE / Loans under u1", before[4]}, h.columns(t))
		h.sound(t)
	})
}

// What a preview says of supervisors counts those as moved who are moved with their people.
func TestMoveTogether(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lead := h.member(t, member{profile: directory.Supervisor, unit: "UAE / Cards"})
		ann, bob := h.member(t, member{unit: "UAE / Cards", supervisor: lead}), h.member(t, member{unit: "UAE / Cards", supervisor: lead})
		ctx := context.Background()
		for want, ids := range map[int64][]int64{2: {ann, bob}, 0: {lead, ann, bob}} {
			set, err := useredit.Freeze(ctx, h.engine, system, useredit.Source{IDs: ids})
			if err != nil {
				t.Fatal(err)
			}
			c, err := useredit.Consequence(ctx, h.engine, system, set.ID, h.move(t, "UAE / Loans"))
			if err != nil {
				t.Fatal(err)
			}
			warned := int64(0)
			for _, n := range c.Notes {
				warned += n.Users
			}
			e := h.move(t, "UAE / Loans")
			e.Preview = true
			b := h.must(t, system, e, ids...)
			if warned != want || len(h.entries(t, b)) != int(want) {
				t.Errorf("%d of %d warned, preview %v: %+v", warned, want, h.entries(t, b), c)
			}
		}
	})
}

func TestMoveStronger(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		edit := []directory.Right{"users:access", "users:edit"}
		own := h.member(t, member{profile: directory.Supervisor, unit: "UAE / Cards", access: "Own unit", roles: []string{"Chief"}})
		below := h.member(t, member{profile: directory.Supervisor, unit: "UAE / Cards", access: "Own unit and below", roles: []string{"Team Lead"}})
		wide := h.member(t, member{profile: directory.Supervisor, unit: "UAE", access: "Own unit and below", roles: []string{"Chief"}})
		plain := h.member(t, member{profile: directory.Supervisor, unit: "UAE / Cards", access: "Own unit", roles: []string{"Nothing"}})
		ids := []int64{own, below, wide, plain}
		// wide goes further down, where it was before; own would be chief of another unit.
		b := h.must(t, h.person(t, "uae", edit, "UAE"), h.move(t, "UAE / Loans"), ids...)
		same(t, "entries", []string{"1 u1 invalid org_unit.not_grantable"}, h.entries(t, b))
		// To take it back is to give wide all of UAE again.
		if err := h.engine.Undo(context.Background(), h.person(t, "uae", edit, "UAE"), b.ID); err != nil {
			t.Fatal(err)
		}
		b = h.execute(t, b.ID)
		same(t, "kept", []string{"u3 undo.too_much"}, h.kept(t, b))
		if b.Undone != 2 {
			t.Errorf("%d undone", b.Undone)
		}
		h.undo(t, b.ID)
		if got := h.columns(t)[2]; got != "u3 pbx - in UAE under -" {
			t.Error(got)
		}
		// Who may act in their own unit only gives nobody what is below it.
		exactly := h.acts(directory.Person("exactly", "test", edit, directory.Exactly(h.path(t, "UAE"))))
		h.exec(t, "UPDATE users SET org_unit_id = $1 WHERE id IN (2, 4)", h.unitID(t, "UAE"))
		b = h.must(t, h.acts(directory.Person("two", "test", edit, directory.Below(h.path(t, "UAE / Cards"), h.path(t, "UAE / Loans")))), h.move(t, "UAE / Loans"), own)
		same(t, "own", []string{"1 u1 invalid org_unit.not_grantable"}, h.entries(t, b))
		if b, err := h.make(exactly, h.move(t, "UAE"), below, plain); err != nil {
			t.Fatal(err)
		} else {
			same(t, "already", batch.Counts{Rows: 2, Unchanged: 2}, h.execute(t, b.ID).Counts)
		}
	})
}

func (h *house) path(t failer, unit string) string {
	t.Helper()
	id := h.unitID(t, unit)
	i := slices.IndexFunc(h.cfg.OrgUnits, func(u directory.OrgUnit) bool { return u.ID == id })
	return h.cfg.OrgUnits[i].Path
}

func TestUndoMove(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ann, bob := h.member(t, member{unit: "UAE / Cards"}), h.member(t, member{unit: "India / Airline"})
		lead := h.member(t, member{profile: directory.Supervisor, unit: "India"})
		none := h.member(t, member{profile: directory.Administrator})
		edit := []directory.Right{"users:access", "users:edit"}
		b := h.must(t, h.person(t, "uae", edit), h.move(t, "UAE / Loans"), ann, bob, lead, none)
		// Whoever made it sees a part by now.
		uae := h.person(t, "uae", edit, "UAE")
		if err := h.engine.Undo(context.Background(), uae, b.ID); err != nil {
			t.Fatal(err)
		}
		b = h.execute(t, b.ID)
		same(t, "kept by who is elsewhere", []string{"u2 undo.unit_out_of_scope", "u3 undo.unit_out_of_scope", "u4 undo.unit_out_of_scope"}, h.kept(t, b))
		// The unit goes, as it is empty, and another is no team any more.
		airline := h.unitID(t, "India / Airline")
		h.exec(t, "DELETE FROM access_role_units WHERE org_unit_id = $1", airline)
		h.exec(t, "DELETE FROM org_units WHERE id = $1", airline)
		b = h.undo(t, b.ID)
		same(t, "kept", []string{"u2 undo.unit_gone"}, h.kept(t, b))
		same(t, "undone", []string{"u1 pbx - in UAE / Cards under -", "u2 pbx - in UAE / Loans under -", "u3 pbx - in India under -", "u4 pbx - in - under -"}, h.columns(t))
		b = h.must(t, system, h.move(t, "UAE / Loans"), ann)
		h.exec(t, "UPDATE org_units SET depth = 1 WHERE full_name = 'UAE / Cards'")
		h.exec(t, "UPDATE directory_revision SET revision = revision + 1")
		b = h.undo(t, b.ID)
		same(t, "kept", []string{"u1 undo.not_a_team"}, h.kept(t, b))
		h.sound(t)
	})
}

func TestChangeSupervisor(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		boss := h.member(t, member{profile: directory.Supervisor, unit: "UAE"})
		lead := h.member(t, member{profile: directory.Supervisor, unit: "UAE / Cards", supervisor: boss})
		ann := h.member(t, member{unit: "UAE / Cards", supervisor: lead})
		bob := h.member(t, member{unit: "UAE / Loans", supervisor: boss})
		gone := h.member(t, member{profile: directory.Supervisor, unit: "UAE", inactive: true})
		before, everybody := h.columns(t), []int64{boss, lead, ann, bob}
		for lan, words := range map[string]string{"nobody": "There is no user nobody", "U3": "is an agent", "u5": "is inactive"} {
			_, err := h.make(system, supervise(lan), ann)
			isKind(t, err, fault.Invalid, words)
		}
		b := h.must(t, system, supervise("U2"), everybody...)
		same(t, "counts", batch.Counts{Rows: 4, Updated: 1, Unchanged: 1, Invalid: 2}, b.Counts)
		same(t, "entries", []string{"1 u1 invalid supervisor.cycle", "2 u2 invalid supervisor.self", "3 u3 unchanged", "4 u4 updated supervisor.other_branch"}, h.entries(t, b))
		same(t, "changed", []string{before[0], before[1], before[2], "u4 pbx - in UAE / Loans under u2", before[4]}, h.columns(t))
		h.undo(t, b.ID)
		same(t, "undone", before, h.columns(t))

		b = h.must(t, system, supervise(""), everybody...)
		same(t, "taken", []string{"1 u1 unchanged", "3 u3 invalid supervisor.missing", "4 u4 invalid supervisor.missing"}, h.entries(t, b))
		same(t, "changed", []string{before[0], "u2 pbx - in UAE / Cards under -", before[2], before[3], before[4]}, h.columns(t))
		h.undo(t, b.ID)
		same(t, "undone", before, h.columns(t))

		// The supervisor becomes unfit between the preview and its being applied; their LAN ID is another one's by now.
		e := supervise("u2")
		e.Preview = true
		b = h.must(t, system, e, bob)
		h.exec(t, "UPDATE users SET lan_id = 'x', lan_key = 'x', active = 0 WHERE id = $1", lead)
		h.exec(t, "UPDATE users SET lan_id = 'u2', lan_key = 'u2', active = 1 WHERE id = $1", gone)
		b = h.apply(t, b)
		same(t, "unfit", []string{"1 u4 invalid (was updated) supervisor.inactive"}, h.entries(t, b))
		h.sound(t)
	})
}

func TestUndoSupervisor(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		leader := func(supervisor int64) int64 {
			return h.member(t, member{profile: directory.Supervisor, unit: "UAE", supervisor: supervisor})
		}
		top, gone, unfit, inactive, low := leader(0), leader(0), leader(0), leader(0), leader(0)
		var ids []int64
		for _, s := range []int64{gone, unfit, inactive} {
			ids = append(ids, h.member(t, member{unit: "UAE / Cards", supervisor: s}))
		}
		second := leader(low)
		third := leader(second)
		ids = append(ids, second, third)
		b := h.must(t, system, supervise("u1"), ids...)
		same(t, "counts", batch.Counts{Rows: 5, Updated: 5}, b.Counts)
		h.exec(t, "DELETE FROM users WHERE id = $1", gone)
		h.exec(t, "UPDATE users SET profile = 3 WHERE id = $1", unfit)
		h.exec(t, "UPDATE users SET active = 0 WHERE id = $1", inactive)
		// Whom second reported to now reports to third, who reported to second.
		h.exec(t, "UPDATE users SET supervisor_id = $2, version = version + 1 WHERE id = $1", low, third)
		b = h.undo(t, b.ID)
		kept := h.kept(t, b)
		if !slices.Contains(kept, "u6 undo.supervisor_gone") || !slices.Contains(kept, "u7 undo.not_a_supervisor") || slices.Contains(kept, "u8 undo.cycle") || !strings.Contains(fmt.Sprint(kept), "cycle") {
			t.Errorf("kept %v", kept)
		}
		h.noRing(t)
		if got := h.columns(t); !slices.Contains(got, fmt.Sprintf("u8 pbx - in UAE / Cards under u%d", inactive)) {
			t.Errorf("%v, top %d", got, top)
		}
		h.sound(t)
	})
}

// noRing makes sure that everybody's supervisors end at somebody without one.
func (h *house) noRing(t failer) {
	t.Helper()
	type pair struct{ User, Supervisor int64 }
	all, err := sqldb.All[pair](context.Background(), h.db.Read(), "SELECT id, supervisor_id FROM users WHERE supervisor_id IS NOT NULL")
	if err != nil {
		t.Fatal(err)
	}
	above := map[int64]int64{}
	for _, p := range all {
		above[p.User] = p.Supervisor
	}
	for id := range above {
		steps := 0
		for at := id; at != 0; at = above[at] {
			if steps++; steps > len(above)+1 {
				t.Fatalf("user %d is in a ring, or below one: %v", id, all)
			}
		}
	}
}

// What a page says of each row, before and after.
func TestColumnPages(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		boss := h.member(t, member{profile: directory.Supervisor, unit: "UAE"})
		lead := h.member(t, member{profile: directory.Supervisor, unit: "UAE", supervisor: boss, pbx: "7"})
		ctx := context.Background()
		for _, c := range []struct {
			edit                 useredit.Edit
			words, before, after string
		}{
			{release(), "Deactivate and release the PBX ID of", "active, PBX ID 7", "inactive"},
			{activate(false), "Deactivate", "active", "inactive"},
			{h.move(t, "UAE / Cards"), "Move to UAE / Cards", "UAE", "UAE / Cards"},
			{supervise("U1"), "", "", ""}, // has that one already
			{supervise(""), "Take the supervisor of", "u1", ""},
		} {
			c.edit.Preview = true
			b := h.must(t, system, c.edit, lead)
			o, err := useredit.EditOf(b)
			if err != nil || c.words != "" && o.Words() != c.words {
				t.Errorf("%q, not %q: %v", o.Words(), c.words, err)
			}
			if c.words == "" {
				same(t, "already", batch.Counts{Rows: 1, Unchanged: 1}, b.Counts)
				continue
			}
			row := func() string {
				rows, _, err := useredit.EditPage(ctx, h.engine, system, b, useredit.RowsQuery{Outcome: directory.Updated, Limit: 9})
				if err != nil || len(rows) != 1 {
					t.Fatalf("%+v, %v", rows, err)
				}
				return fmt.Sprintf("%s: %s -> %s", rows[0].LANID, rows[0].Before, rows[0].After)
			}
			want := fmt.Sprintf("u2: %s -> %s", c.before, c.after)
			if got := row(); got != want {
				t.Errorf("preview: %q, not %q", got, want)
			}
			b = h.apply(t, b)
			if got := row(); got != want {
				t.Errorf("result: %q, not %q", got, want)
			}
			h.undo(t, b.ID)
		}
		if n := h.number(t, "SELECT count(*) FROM audit WHERE action = 'set-status' AND after LIKE '%they left%'"); n == 0 {
			t.Error("the audit does not have the reason")
		}
	})
}

// Of somebody who is erased, the journal does not keep the PBX ID that an edit released.
func TestReleasedIsErased(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		boss := h.member(t, member{profile: directory.Supervisor, unit: "UAE", pbx: "1"})
		ann := h.member(t, member{unit: "UAE / Cards", supervisor: boss, pbx: "7"})
		h.must(t, system, release(), boss, ann)
		ctx, as := context.Background(), h.dir.As(system)
		if err := errors.Join(as.DeleteUser(ctx, ann, 2, "left"), as.EraseUser(ctx, "u2", "asked for")); err != nil {
			t.Fatal(err)
		}
		same(t, "kept", []string{"1"}, h.lines(t, "SELECT was FROM user_changes WHERE was IS NOT NULL"))
	})
}
