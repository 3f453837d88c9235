package useredit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/useredit"
)

var (
	units    = []string{"", "UAE", "UAE / Cards", "UAE / Loans", "India", "India / Airline"}
	kinds    = []directory.ValueKind{directory.RoleValue, directory.RoleValue, directory.AccessRoleValue, directory.CRMNameValue, directory.GreetingTemplateValue}
	everyone = map[directory.ValueKind][]string{
		directory.RoleValue:             {"Agent", "Agent Basic", "Team Lead", "Chief", "Nothing"},
		directory.AccessRoleValue:       {"Own unit", "Own unit and below", "UAE", "Cards", "Everywhere"},
		directory.CRMNameValue:          {"Siebel", "Salesforce", "Zendesk"},
		directory.GreetingTemplateValue: {"Standard", "Evening"},
	}
)

// populate makes some users.
func (h *house) populate(t *rapid.T) {
	t.Helper()
	orNone := func(k directory.ValueKind) *rapid.Generator[string] {
		return rapid.SampledFrom(append([]string{""}, everyone[k]...))
	}
	for range rapid.IntRange(1, 14).Draw(t, "users") {
		h.add(t, somebody{
			unit: rapid.SampledFrom(units).Draw(t, "unit"), access: orNone(directory.AccessRoleValue).Draw(t, "access"),
			crm: orNone(directory.CRMNameValue).Draw(t, "crm"), greeting: orNone(directory.GreetingTemplateValue).Draw(t, "greeting"),
			roles: rapid.SliceOfNDistinct(rapid.SampledFrom(everyone[directory.RoleValue]), 0, 3, rapid.ID).Draw(t, "roles"), signsIn: rapid.Bool().Draw(t, "signs in"),
		})
	}
}

// drawActor is the system, a person who may do all of it somewhere, or one with any rights.
func (h *house) drawActor(t *rapid.T) directory.Actor {
	t.Helper()
	scope := rapid.SliceOfNDistinct(rapid.SampledFrom(units[1:]), 0, 2, rapid.ID).Draw(t, "scope")
	switch rapid.IntRange(0, 3).Draw(t, "who") {
	case 0:
		return system
	case 1:
		return h.person(t, "person", []directory.Right{"users:access", "users:edit"}, scope...)
	case 2:
		return h.person(t, "person", directory.AllRights(), scope...)
	}
	// One of the users.
	holder, _, err := directory.HolderByID(context.Background(), h.db.Read(), rapid.Int64Range(1, h.users).Draw(t, "user"))
	if err != nil {
		t.Fatal(err)
	}
	return h.acts(holder.Actor("test"))
}

func (h *house) drawOptions(t *rapid.T) useredit.Options {
	t.Helper()
	k := rapid.SampledFrom(kinds).Draw(t, "kind")
	o := h.options(t, k, rapid.SampledFrom(everyone[k]).Draw(t, "from"), rapid.SampledFrom(append([]string{""}, everyone[k]...)).Draw(t, "to"))
	o.Delete, o.Preview = rapid.Bool().Draw(t, "delete"), rapid.Bool().Draw(t, "preview")
	return o
}

// place is what somebody may do somewhere.
type place struct {
	user  int64
	right directory.Right
	unit  string
}

// power is everything that everybody may do, right by right and unit by unit; "" is where there is no unit.
func (h *house) power(t failer) map[place]bool {
	t.Helper()
	all := map[place]bool{}
	for id := int64(1); id <= h.users; id++ {
		who, found, err := directory.HolderByID(context.Background(), h.db.Read(), id)
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			continue
		}
		for _, right := range who.Rights {
			for _, u := range h.places() {
				if who.Scope.Contains(u) {
					all[place{id, right, u}] = true
				}
			}
		}
	}
	return all
}

func (h *house) places() []string {
	all := []string{""}
	for _, u := range h.cfg.OrgUnits {
		all = append(all, u.Path)
	}
	return all
}

// stronger is what somebody may do now that neither they could before nor the actor can.
func (h *house) stronger(t failer, a directory.Actor, before map[place]bool) []place {
	t.Helper()
	var all []place
	for p := range h.power(t) {
		if !before[p] && !(a.Can(p.right) && a.Scope().Contains(p.unit)) {
			all = append(all, p)
		}
	}
	return all
}

// oracle is what a replacement should make of everybody, line by line as held has it, of whom it touches.
func (h *house) oracle(t failer, a directory.Actor, k directory.ValueKind, from, to string) (want []string, changed int) {
	t.Helper()
	before := h.held(t)
	column := map[directory.ValueKind]int{directory.AccessRoleValue: 1, directory.CRMNameValue: 2, directory.GreetingTemplateValue: 3, directory.RoleValue: 4}[k]
	if to == "" {
		to = "-"
	}
	for _, l := range before {
		cells := strings.Split(l, " | ")
		unit := h.lines(t, "SELECT coalesce((SELECT o.path FROM org_units o WHERE o.id = u.org_unit_id), '') FROM users u WHERE u.lan_id = $1", cells[0])[0]
		held := strings.Split(cells[column], ", ")
		if !slices.Contains(held, from) || !a.Scope().Contains(unit) {
			want = append(want, l)
			continue
		}
		held = slices.DeleteFunc(held, func(s string) bool { return s == from || s == to })
		if to != "-" || len(held) == 0 {
			held = append(held, to)
		}
		slices.Sort(held)
		cells[column] = strings.Join(held, ", ")
		want = append(want, strings.Join(cells, " | "))
		changed++
	}
	return want, changed
}

func name(all []string, ids func(string) int64, id int64) string {
	for _, n := range all {
		if ids(n) == id {
			return n
		}
	}
	return ""
}

// Whatever is replaced by whom: counts are true, nobody ends with more than the actor may give, an administrator stays,
// and undo is the identity.
func TestReplaceAnything(t *testing.T) {
	property(t, func(t *rapid.T, h *house) {
		ctx := context.Background()
		h.populate(t)
		a, o := h.drawActor(t), h.drawOptions(t)
		before, values, power := h.held(t), h.values(t), h.power(t)
		ids := func(n string) int64 { return h.id(t, o.Kind, n) }
		from, to := name(everyone[o.Kind], ids, o.From), name(everyone[o.Kind], ids, o.To)
		had, err := h.dir.HasAdministrator(ctx, h.db.Read())
		if err != nil {
			t.Fatal(err)
		}
		want, changed := h.oracle(t, a, o.Kind, from, to)
		b, err := useredit.Create(ctx, h.engine, a, o)
		if err != nil {
			if fault.KindOf(err) == fault.Internal {
				t.Fatal(err)
			}
			if a.IsSystem() && o.From != o.To && (changed > 0 || o.Delete) && !strings.Contains(err.Error(), "nobody would be left") {
				t.Fatalf("the system may not: %v", err)
			}
			return
		}
		if b = h.execute(t, b.ID); o.Preview {
			if d := cmp.Diff(before, h.held(t)); d != "" || b.State != batch.Ready {
				t.Fatalf("%s, and a preview changed something:\n%s", b.State, d)
			}
			preview := b.Counts
			if b = h.apply(t, b); b.Counts != preview {
				t.Fatalf("previewed %+v, came out %+v", preview, b.Counts)
			}
		}
		h.outcome(t, b, before)
		if a.IsSystem() {
			if d := cmp.Diff(want, h.held(t)); d != "" || b.Counts.Updated != int64(changed) {
				t.Fatalf("%d instead of %d changed; -want +got:\n%s", b.Counts.Updated, changed, d)
			}
		}
		if more := h.stronger(t, a, power); len(more) > 0 && !a.IsSystem() {
			t.Fatalf("somebody became stronger than the actor may make them: %v", more)
		}
		if has, err := h.dir.HasAdministrator(ctx, h.db.Read()); err != nil || had && !has {
			t.Fatalf("the last administrator is gone: %v", err)
		}
		w, err := useredit.WorkOf(b)
		if err != nil || (w.Deleted != nil) != (o.Delete && b.Counts.Invalid+b.Counts.Unchanged == 0) {
			t.Fatalf("deleted %v of %+v, %v", w.Deleted, b.Counts, err)
		}
		h.sound(t)
		h.takenBack(t, h.undo(t, b.ID), before)
		if d := cmp.Diff(values, h.values(t)); d != "" {
			t.Fatalf("values -before +after:\n%s", d)
		}
		h.sound(t)
	})
}

// outcome makes sure that counts, report and journal say the same, and that those are changed whom the journal names.
func (h *house) outcome(t failer, b *batch.Batch, before []string) {
	t.Helper()
	c := b.Counts
	if b.State != batch.Done || c.Rows != c.Updated+c.Unchanged+c.Invalid {
		t.Fatalf("%s (%s): %+v", b.State, b.Reason, c)
	}
	o, err := useredit.OptionsOf(b)
	if err != nil {
		t.Fatal(err)
	}
	unchanged, invalid := int64(0), int64(0)
	for e, err := range h.engine.Entries(context.Background(), system, b, batch.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		switch e.Outcome {
		case directory.Unchanged:
			unchanged++
		case directory.Invalid:
			invalid++
		}
	}
	if o.Outside > 0 {
		invalid += o.Outside - 1 // one entry tells of them all
	}
	if unchanged != c.Unchanged || invalid != c.Invalid {
		t.Fatalf("the report has %d unchanged, %d invalid: %+v", unchanged, invalid, c)
	}
	if n := h.number(t, "SELECT count(*) FROM user_changes WHERE batch_id = $1", b.ID); n != c.Updated {
		t.Fatalf("the journal has %d: %+v", n, c)
	}
}

// Others change users all the while: nothing of theirs is lost, each user is changed once, the counts are exact, and undo
// gives back to exactly those whom nobody changed since.
func TestReplaceWhileOthersEdit(t *testing.T) {
	property(t, func(t *rapid.T, h *house) {
		h.populate(t)
		o := h.drawOptions(t)
		had, err := h.dir.HasAdministrator(context.Background(), h.db.Read())
		if err != nil {
			t.Fatal(err)
		}
		b, err := useredit.Create(context.Background(), h.engine, system, o)
		if err != nil {
			return
		}
		others := h.meddle(t)
		if b = h.execute(t, b.ID); b.State == batch.Ready {
			b = h.apply(t, b)
		}
		others()
		h.outcome(t, b, nil)
		if twice := h.number(t, "SELECT count(*) FROM (SELECT 1 FROM user_changes GROUP BY batch_id, user_id HAVING count(*) > 1) AS found"); twice > 0 {
			t.Fatalf("%d users were changed twice", twice)
		}
		if odd := h.lines(t, `SELECT u.lan_id FROM users u JOIN user_changes j ON j.user_id = u.id WHERE u.version < j.version OR u.version = j.version AND u.changed_by <> 'system'`); len(odd) > 0 {
			t.Fatalf("the journal is not true of %v", odd)
		}
		if has, err := h.dir.HasAdministrator(context.Background(), h.db.Read()); err != nil || had && !has {
			t.Fatalf("the last administrator is gone: %v", err)
		}
		h.sound(t)
		still := h.lines(t, "SELECT u.lan_id FROM users u JOIN user_changes j ON j.user_id = u.id AND j.version = u.version")
		others = h.meddle(t)
		b = h.undo(t, b.ID)
		others()
		h.sound(t)
		kept := h.kept(t, b)
		if int(b.Undone)+len(kept) != int(b.Counts.Updated) || int(b.Undone) > len(still) {
			t.Fatalf("%d undone of %d that were as left, kept %v: %+v", b.Undone, len(still), kept, b.Counts)
		}
		if lost := h.lines(t, "SELECT u.lan_id FROM users u WHERE u.last_name = 'Changed' AND u.changed_by NOT IN ('other', 'system')"); len(lost) > 0 {
			t.Fatalf("changes of others are lost: %v", lost)
		}
	})
}

// meddle lets somebody else change users, while a batch runs, whenever the time is asked for a drawn number of times. The
// function that it returns ends that.
func (h *house) meddle(t *rapid.T) (end func()) {
	t.Helper()
	type move struct {
		at, user int64
		what     int
	}
	moves := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) move {
		return move{rapid.Int64Range(1, 30).Draw(t, "at"), rapid.Int64Range(1, h.users).Draw(t, "user"), rapid.IntRange(0, 3).Draw(t, "what")}
	}), 0, 3).Draw(t, "meanwhile")
	statements := [][]string{
		{"UPDATE users SET last_name = 'Changed', %s WHERE id = $1"},
		{"UPDATE users SET crm_name_id = NULL, access_role_id = NULL, greeting_template_id = NULL, %s WHERE id = $1", "DELETE FROM user_roles WHERE user_id = $1"},
		{"DELETE FROM user_roles WHERE user_id = $1", "DELETE FROM credentials WHERE user_id = $1", "DELETE FROM users WHERE id = $1"},
		{"UPDATE users SET %s WHERE id = $1", "UPDATE directory_revision SET revision = revision + 1 WHERE $1 > 0"},
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	asked := int64(0)
	tick := func() {
		mu.Lock()
		defer mu.Unlock()
		asked++
		for _, m := range moves {
			if m.at != asked {
				continue
			}
			// Whoever asks for the time may hold the lock that this needs.
			wg.Go(func() {
				if h.number(panics{}, "SELECT count(*) FROM credentials WHERE user_id = $1", m.user) > 0 {
					m.what = 0 // it is not this that may take the last administrator
				}
				h.meddleOnce(m.user, statements[m.what])
			})
		}
	}
	h.tick.Store(&tick)
	return func() {
		h.tick.Store(nil)
		wg.Wait()
	}
}

// panics is for what fails beside the test.
type panics struct{}

func (panics) Helper()                           {}
func (panics) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }
func (panics) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// takenBack makes sure that an undo gave back everything, but for somebody whom the batch made the only administrator.
func (h *house) takenBack(t failer, b *batch.Batch, before []string) {
	t.Helper()
	kept := h.kept(t, b)
	for _, k := range kept {
		if !strings.HasSuffix(k, " undo.last_administrator") {
			t.Fatalf("the undo left %v", kept)
		}
	}
	if b.Undone+int64(len(kept)) != b.Counts.Updated {
		t.Fatalf("%d of %d undone, kept %v", b.Undone, b.Counts.Updated, kept)
	}
	if d := cmp.Diff(before, h.held(t)); d != "" && len(kept) == 0 {
		t.Fatalf("-before +after the undo:\n%s", d)
	}
}
