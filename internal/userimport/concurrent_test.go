package userimport_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/batch"
	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
	"muster/internal/userimport"
)

func itoa(n int) string { return strconv.Itoa(n) }

// two runs fn a few times on two engines over one database, as two processes are, with a random source whose seed is
// told when the test fails.
func two(t *testing.T, fn func(t *testing.T, a, b *house, r *rand.Rand)) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		t.Parallel()
		a := newHouse(t, cfg)
		b := openHouse(t, cfg)
		b.configure(t, organisation)
		for range 6 {
			seed := rand.Uint64()
			r := rand.New(rand.NewPCG(seed, 1))
			for _, h := range []*house{a, b} {
				h.op.PieceRows = 1 + r.IntN(20)
				h.op.ChunkRows = h.op.PieceRows * (1 + r.IntN(4))
			}
			a.clear(t)
			fn(t, a, b, r)
			if t.Failed() {
				t.Fatalf("with the seed %d", seed)
			}
		}
	})
}

// shuffled puts the rows in a random order, and here and there gives one the Agent ID or PBX ID of another.
func shuffled(r *rand.Rand, f tables) tables {
	f.users = slices.Clone(f.users)
	r.Shuffle(len(f.users), func(i, j int) { f.users[i], f.users[j] = f.users[j], f.users[i] })
	for range 5 {
		i, j := r.IntN(len(f.users)), r.IntN(len(f.users))
		f.users[i] = slices.Clone(f.users[i])
		f.users[i][3+r.IntN(2)] = f.users[j][4]
	}
	return f
}

// Two engines import overlapping files into one database at once: no user twice, no row lost, and both reports true.
func TestAtOnce(t *testing.T) {
	two(t, func(t *testing.T, a, b *house, r *rand.Rand) {
		overlap := r.IntN(100)
		fa, fb := shuffled(r, many("u", 1, 100)), shuffled(r, many("u", 101-overlap, 100))
		ba, bb := atOnce(t, a, b, fa, fb, 0)
		for _, x := range []struct {
			h *house
			b *batch.Batch
			f tables
		}{{a, ba, fa}, {b, bb, fb}} {
			if x.b.State != batch.Done {
				t.Errorf("batch %d is %s: %s", x.b.ID, x.b.State, x.b.Reason)
			}
			x.h.isTrue(t, x.b, x.f)
		}
		if n := a.number(t, "SELECT count(*) FROM users"); n != ba.Counts.Inserted+bb.Counts.Inserted {
			t.Errorf("%d users, of %d and %d", n, ba.Counts.Inserted, bb.Counts.Inserted)
		}
		a.duplicatesAreThere(t, ba, fa)
		a.duplicatesAreThere(t, bb, fb)
	})
}

// The same, with one of them cancelled in the middle and undone: the other's users stay as they are.
func TestAtOnceCancelledUndone(t *testing.T) {
	two(t, func(t *testing.T, a, b *house, r *rand.Rand) {
		overlap := r.IntN(100)
		fa, fb := shuffled(r, many("u", 1, 100)), shuffled(r, many("u", 101-overlap, 100))
		ba, bb := atOnce(t, a, b, fa, fb, 5+r.IntN(20))
		a.isTrue(t, ba, fa)
		b.isTrue(t, bb, fb)
		ofB := b.members(t, bb.ID)
		undone := a.undo(t, ba.ID)
		a.sound(t)
		// Where the other has put people below this one's supervisors, those stay.
		if stay := a.members(t, ba.ID); len(stay) != len(a.kept(t, undone)) || undone.Undone != ba.Counts.Inserted-int64(len(stay)) {
			t.Errorf("%d of %d undone, %v stay", undone.Undone, ba.Counts.Inserted, stay)
		}
		if d := cmp.Diff(ofB, b.members(t, bb.ID)); d != "" {
			t.Errorf("the other's users:\n%s", d)
		}
	})
}

// atOnce runs both imports, and cancels the first when the time has been asked for n times, if n is not 0.
func atOnce(t *testing.T, a, b *house, fa, fb tables, n int) (ba, bb *batch.Batch) {
	t.Helper()
	o := userimport.Options{InFileSupervisors: true}
	ida, idb := a.create(t, system, o, a.files(fa)), b.create(t, system, o, b.files(fb))
	var wg sync.WaitGroup
	var erra, errb error
	if n > 0 {
		var mu sync.Mutex
		asked := 0
		tick := func() {
			mu.Lock()
			defer mu.Unlock()
			if asked++; asked == n {
				wg.Go(func() {
					if err := b.engine.Cancel(context.Background(), system, ida); err != nil && fault.KindOf(err) != fault.Conflict {
						t.Error(err)
					}
				})
			}
		}
		a.tick.Store(&tick)
		defer a.tick.Store(nil)
	}
	wg.Go(func() { ba, erra = a.engine.Execute(context.Background(), ida, nil) })
	wg.Go(func() { bb, errb = b.engine.Execute(context.Background(), idb, nil) })
	wg.Wait()
	if erra != nil || errb != nil {
		t.Fatal(erra, errb)
	}
	return ba, bb
}

// duplicatesAreThere makes sure that every duplicate of the report is a user.
func (h *house) duplicatesAreThere(t *testing.T, b *batch.Batch, f tables) {
	t.Helper()
	there := h.lines(t, "SELECT lan_key FROM users")
	rows, _ := h.rows(t, b, f)
	for _, r := range rows {
		if _, found := slices.BinarySearch(there, fold(r.LAN)); r.Outcome == "duplicate" && slices.Contains(r.Codes, "lan_id.exists") && !found {
			t.Errorf("batch %d: %s is no duplicate", b.ID, r.LAN)
		}
	}
}
