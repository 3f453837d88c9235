package useredit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/batch"
	"muster/internal/directory"
)

// sometimes is property for what takes its time: with so many worlds, and all that it takes to make a failure small.
func sometimes(t *testing.T, worlds int64, fn func(t *rapid.T, h *house)) {
	each(t, func(t *testing.T, h *house) {
		tried, failed := int64(0), false
		rapid.Check(t, func(t *rapid.T) {
			if tried++; tried > worlds && !failed {
				return
			}
			done := false
			defer func() { failed = failed || !done }()
			h.clear(t)
			fn(t, h)
			done = true
		})
	})
}

// atOnce runs batches that are made already side by side.
func (h *house) atOnce(t failer, batches ...*batch.Batch) []*batch.Batch {
	t.Helper()
	var wg sync.WaitGroup
	errs := make([]error, len(batches))
	for i, b := range batches {
		wg.Go(func() { batches[i], errs[i] = h.engine.Execute(context.Background(), b.ID, nil) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("batch %d: %v", i, err)
		}
		if batches[i].State != batch.Done {
			t.Fatalf("batch %d is %s: %s", batches[i].ID, batches[i].State, batches[i].Reason)
		}
	}
	return batches
}

// Two people give and take the same role at once, to and from sets that overlap: the result is that of the one after the
// other, in one of the two orders, and both reports are those of that order.
func TestAssignAndRemoveAtOnce(t *testing.T) {
	sometimes(t, 25, func(t *rapid.T, h *house) {
		users := rapid.IntRange(2, 24).Draw(t, "users")
		held := make([]bool, users+1)
		for i := 1; i <= users; i++ {
			var roles []string
			if held[i] = rapid.Bool().Draw(t, "holds"); held[i] {
				roles = []string{"Agent"}
			}
			h.add(t, somebody{unit: "UAE", roles: roles})
		}
		who := rapid.SliceOfNDistinct(rapid.Int64Range(1, int64(users)), 1, users, rapid.ID)
		given, taken := who.Draw(t, "given"), who.Draw(t, "taken")
		give, take := h.assign(t, h.person(t, "one", directory.AllRights()), directory.AddRoles, []string{"Agent"}, given...), h.assign(t, system, directory.RemoveRoles, []string{"Agent"}, taken...)
		done := h.atOnce(t, give, take)

		// The naive way, in both orders.
		run := func(giveFirst bool) (outcome string) {
			now := slices.Clone(held)
			var g, k batch.Counts
			giving := func() {
				for _, id := range given {
					count(&g, now[id])
					now[id] = true
				}
			}
			taking := func() {
				for _, id := range taken {
					count(&k, !now[id])
					now[id] = false
				}
			}
			if giveFirst {
				giving()
				taking()
			} else {
				taking()
				giving()
			}
			return fmt.Sprint(now[1:], g, k)
		}
		got := make([]bool, users)
		for i := range got {
			got[i] = h.number(t, "SELECT count(*) FROM user_roles WHERE user_id = $1", i+1) == 1
		}
		result := fmt.Sprint(got, done[0].Counts, done[1].Counts)
		if result != run(true) && result != run(false) {
			t.Fatalf("got %s\ngiven first %s\ntaken first %s", result, run(true), run(false))
		}
		h.reportsAreTrue(t, done...)
	})
}

// count adds a user to the counts.
func count(c *batch.Counts, already bool) {
	if c.Rows++; already {
		c.Unchanged++
	} else {
		c.Updated++
	}
}

// reportsAreTrue makes sure that each batch's report and journal have everybody once, and are what its counts say.
func (h *house) reportsAreTrue(t failer, all ...*batch.Batch) {
	t.Helper()
	for _, b := range all {
		c := b.Counts
		journal := h.number(t, "SELECT count(DISTINCT user_id) FROM user_changes WHERE batch_id = $1", b.ID)
		others := map[string]int64{}
		for e, err := range h.engine.Entries(context.Background(), system, b, batch.Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			others[string(e.Outcome)]++
		}
		if journal != c.Updated || others["unchanged"] != c.Unchanged || others["invalid"] != c.Invalid || c.Rows != c.Updated+c.Unchanged+c.Invalid {
			t.Fatalf("batch %d: %d in the journal, %v in the report, %+v", b.ID, journal, others, c)
		}
		wrong := h.lines(t, "SELECT u.lan_id FROM users u JOIN user_changes j ON j.user_id = u.id WHERE j.batch_id = $1 AND u.version < j.version", b.ID)
		if len(wrong) > 0 {
			t.Fatalf("batch %d: the journal is not true of %v", b.ID, wrong)
		}
	}
}

// While some are at work on overlapping sets, somebody takes back an edit from before: that, too, comes before or after.
func TestUndoAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var all []int64
		for range 20 {
			all = append(all, h.add(t, somebody{unit: "UAE"}))
		}
		first := h.execute(t, h.assign(t, system, directory.AddRoles, []string{"Agent"}, all[:12]...).ID)
		if err := h.engine.Undo(context.Background(), system, first.ID); err != nil {
			t.Fatal(err)
		}
		second := h.assign(t, system, directory.AddRoles, []string{"Agent"}, all[6:]...)
		var wg sync.WaitGroup
		wg.Go(func() { h.execute(t, first.ID) })
		wg.Go(func() { second = h.execute(t, second.ID) })
		wg.Wait()
		first, err := h.engine.Get(context.Background(), system, first.ID)
		if err != nil {
			t.Fatal(err)
		}
		// Either the undo took the role from all twelve, and then eight of them got it again and six more did; or the
		// second edit found the six that had it, and the undo, later, took it from everybody of the first.
		held := h.number(t, "SELECT count(*) FROM user_roles")
		undoFirst := held == 14 && second.Counts == batch.Counts{Rows: 14, Updated: 14}
		undoLast := held == 8 && second.Counts == batch.Counts{Rows: 14, Updated: 8, Unchanged: 6}
		if first.Undone != 12 || !undoFirst && !undoLast {
			t.Errorf("%d hold it, %d undone, %+v", held, first.Undone, second.Counts)
		}
	})
}

// Edits of the supervisor, by batches and by hand, at random and at once: nobody comes to supervise themselves, whichever way
// round; and neither does the undo of all of them bring that about.
func TestNoRing(t *testing.T) {
	sometimes(t, 25, func(t *rapid.T, h *house) {
		users := rapid.Int64Range(3, 9).Draw(t, "users")
		for id := int64(1); id <= users; id++ {
			h.member(t, member{profile: directory.Supervisor, unit: "UAE", pbx: fmt.Sprint(id), roles: []string{"Agent"}, supervisor: rapid.Int64Range(0, id-1).Draw(t, "under")})
		}
		somebody := rapid.Int64Range(1, users)
		var batches []*batch.Batch
		for range rapid.IntRange(1, 3).Draw(t, "batches") {
			set := rapid.SliceOfNDistinct(somebody, 1, int(users), rapid.ID).Draw(t, "set")
			b, err := h.make(system, supervise(fmt.Sprintf("u%d", somebody.Draw(t, "to"))), set...)
			if err != nil {
				t.Fatal(err)
			}
			batches = append(batches, b)
		}
		type pair struct{ who, to int64 }
		byHand := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) pair { return pair{somebody.Draw(t, "who"), somebody.Draw(t, "under")} }), 0, 4)
		atHand := func(pairs []pair) (wait func()) {
			var wg sync.WaitGroup
			wg.Go(func() {
				for _, p := range pairs {
					h.reports(p.who, p.to)
				}
			})
			return wg.Wait
		}
		wait := atHand(byHand.Draw(t, "by hand"))
		batches = h.atOnce(t, batches...)
		wait()
		h.noRing(t)
		h.reportsAreTrue(t, batches...)
		wait = atHand(byHand.Draw(t, "by hand meanwhile"))
		for _, b := range batches {
			if b.Counts.Updated > 0 {
				h.undo(t, b.ID)
			}
		}
		wait()
		h.noRing(t)
		h.sound(t)
	})
}

// reports lets somebody report to another, by hand, where the rules let them.
func (h *house) reports(who, to int64) {
	ctx := context.Background()
	u, err := h.dir.As(system).User(ctx, who)
	if err != nil {
		panic(err)
	}
	in := u.Input()
	in.Supervisor = fmt.Sprintf("u%d", to)
	if _, err := h.dir.As(system).EditUser(ctx, who, u.Version, in, ""); err != nil {
		panic(err)
	}
}

// Two people, at once, make each other, or all administrators, inactive: somebody stays one.
func TestLastAdministratorAtOnce(t *testing.T) {
	sometimes(t, 25, func(t *rapid.T, h *house) {
		n := rapid.Int64Range(1, 4).Draw(t, "administrators")
		for range n {
			h.member(t, member{profile: directory.Administrator, unit: "UAE", access: "Everywhere", roles: []string{"Chief"}, signsIn: true})
		}
		var batches []*batch.Batch
		set := rapid.SliceOfNDistinct(rapid.Int64Range(1, n), 1, int(n), rapid.ID)
		for range 2 {
			b, err := h.make(system, activate(false), set.Draw(t, "set")...)
			if err != nil {
				t.Fatal(err)
			}
			batches = append(batches, b)
		}
		role, err := h.make(system, h.roleEdit(t, directory.RemoveRoles, "Chief"), set.Draw(t, "loses the role")...)
		if err != nil {
			t.Fatal(err)
		}
		batches = h.atOnce(t, append(batches, role)...)
		if has, err := h.dir.HasAdministrator(context.Background(), h.db.Read()); err != nil || !has {
			t.Fatalf("nobody is administrator any more: %v", err)
		}
		kept := int64(0)
		for _, b := range batches {
			kept += b.Counts.Invalid
			for _, e := range h.entries(t, b) {
				if strings.Contains(e, "invalid") && !strings.Contains(e, "user.last_administrator") {
					t.Fatal(e)
				}
			}
		}
		if kept > 3 {
			t.Fatalf("%d were left out", kept)
		}
		h.reportsAreTrue(t, batches...)
	})
}
