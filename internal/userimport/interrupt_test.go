package userimport_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/batch"
	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
	"muster/internal/userimport"
)

// outcome is what a batch leaves behind.
type outcome struct {
	State   batch.State
	Counts  batch.Counts
	Users   []string
	Entries []batch.Entry
}

func (h *house) outcome(t failer, b *batch.Batch) outcome {
	t.Helper()
	return outcome{b.State, b.Counts, h.users(t), h.entries(t, b)}
}

// interrupt lets the batch be stopped a few times at any moment, and another process go on each time.
func (h *house) interrupt(t *rapid.T, id int64) {
	t.Helper()
	for range rapid.IntRange(1, 3).Draw(t, "interruptions") {
		if h.stopAt(t, id, rapid.Int64Range(1, 25).Draw(t, "at")) == nil {
			return
		}
	}
}

// A batch that is interrupted anywhere, a few times, ends as one that is not; so does its undo.
func TestInterrupted(t *testing.T) {
	property(t, func(t *rapid.T, h *house) {
		s := h.prepare(t)
		f := trimmed(drawTables(t, 18))
		o := userimport.Options{Preview: rapid.Bool().Draw(t, "preview"), InFileSupervisors: s.world.inFile}
		before := h.dump(t)
		b := h.run(t, s.actor, o, h.files(f))
		if o.Preview {
			b = h.apply(t, b.ID)
		}
		want := h.outcome(t, b)
		h.undo(t, b.ID)

		id := h.create(t, s.actor, o, h.files(f))
		h.interrupt(t, id)
		if o.Preview {
			h.execute(t, id)
			if err := h.engine.Apply(context.Background(), system, id, 0); err != nil {
				t.Fatal(err)
			}
			h.interrupt(t, id)
		}
		b = h.execute(t, id)
		if d := cmp.Diff(want, h.outcome(t, b)); d != "" {
			t.Fatalf("-without +with interruptions:\n%s", d)
		}
		h.isTrue(t, b, f)

		if err := h.engine.Undo(context.Background(), system, id); err != nil {
			t.Fatal(err)
		}
		h.interrupt(t, id)
		b = h.execute(t, id)
		if d := cmp.Diff(before, h.dump(t)); d != "" || b.Undone != b.Counts.Inserted {
			t.Fatalf("%d of %d undone; -before +after:\n%s", b.Undone, b.Counts.Inserted, d)
		}
	})
}

// The directory changes while the batch is interrupted: no row is lost and the report is true.
func TestInterruptedAndChanged(t *testing.T) {
	property(t, func(t *rapid.T, h *house) {
		s := h.prepare(t)
		f := trimmed(drawTables(t, 18))
		o := userimport.Options{Preview: rapid.Bool().Draw(t, "preview"), InFileSupervisors: s.world.inFile}
		id := h.create(t, s.actor, o, h.files(f))
		defer h.restore(t)
		var preview []verdict
		if o.Preview {
			preview, _ = h.rows(t, h.execute(t, id), f)
			if err := h.engine.Apply(context.Background(), system, id, 0); err != nil {
				t.Fatal(err)
			}
		}
		if rapid.Bool().Draw(t, "when it is about to write") {
			h.op.beforeApply = func() { h.intrude(t, f) }
		}
		h.interrupt(t, id)
		h.op.beforeApply = nil
		h.intrude(t, f)
		b := h.execute(t, id)
		if b.State != batch.Done {
			t.Fatalf("%s: %s", b.State, b.Reason)
		}
		h.isTrue(t, b, f)
		if o.Preview {
			h.marks(t, b, preview)
		}
	})
}

// A batch is cancelled at any moment: what is applied stays and is counted, the other good rows are not applied, and
// undo takes back exactly what was applied.
func TestCancelled(t *testing.T) {
	property(t, func(t *rapid.T, h *house) {
		s := h.prepare(t)
		f := trimmed(drawTables(t, 18))
		before := h.dump(t)
		id := h.create(t, s.actor, userimport.Options{InFileSupervisors: s.world.inFile}, h.files(f))
		b := h.cancelAt(t, id, rapid.IntRange(1, 25).Draw(t, "at"))
		if b.State == batch.Cancelled && b.Counts == (batch.Counts{}) {
			// The check was cut short: there is nothing to tell.
			if d := cmp.Diff(before, h.dump(t)); d != "" || len(h.entries(t, b)) > 0 {
				t.Fatalf("-before +after:\n%s", d)
			}
			return
		}
		h.isTrue(t, b, f)
		rows, _ := h.rows(t, b, f)
		if b.State == batch.Cancelled {
			notApplied := slices.DeleteFunc(rows, func(v verdict) bool { return v.Outcome != "not-applied" })
			if c := b.Counts; c.Rows != c.Inserted+c.Duplicate+c.Invalid+int64(len(notApplied)) {
				t.Fatalf("%+v and %d not applied", c, len(notApplied))
			}
		}
		b = h.undo(t, id)
		if d := cmp.Diff(before, h.dump(t)); d != "" || b.Undone != b.Counts.Inserted {
			t.Fatalf("%d of %d undone; -before +after:\n%s", b.Undone, b.Counts.Inserted, d)
		}
	})
}

// cancelAt runs the batch and cancels it when the time has been asked for n times, if it still runs then.
func (h *house) cancelAt(t failer, id int64, n int) *batch.Batch {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	asked := 0
	tick := func() {
		mu.Lock()
		defer mu.Unlock()
		if asked++; asked == n {
			// Whoever asks for the time may hold the lock that the cancel needs.
			wg.Go(func() {
				if err := h.engine.Cancel(context.Background(), system, id); err != nil && fault.KindOf(err) != fault.Conflict {
					panic(err)
				}
			})
		}
	}
	h.tick.Store(&tick)
	b := h.execute(t, id)
	h.tick.Store(nil)
	wg.Wait()
	return b
}

// many is a file of n good rows with the LAN IDs prefix1, prefix2, …; every tenth leads the nine that follow.
func many(prefix string, first, n int) tables {
	var f tables
	lan := func(i int) string { return prefix + strings.Repeat("0", 4-len(itoa(i))) + itoa(i) }
	for i := first; i < first+n; i++ {
		row := []string{lan(i), "Ann", "Lee", "", itoa(10_000 + i), "Agent", lan(i - i%10), "Cards Team 1", "Agent"}
		if i%10 == 0 || i-i%10 < first {
			row[5], row[6] = "Supervisor", ""
		}
		f.users = append(f.users, row)
	}
	return f
}

// An engine whose lease was taken over while it was writing writes nothing more. Who takes over ends the batch as if
// nothing had happened.
func TestFenced(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		t.Parallel()
		h := newHouse(t, cfg)
		h.op.PieceRows, h.op.ChunkRows = 2, 3
		other := openHouse(t, cfg)
		f := many("u", 1, 400)
		id := h.create(t, system, userimport.Options{InFileSupervisors: true}, h.files(f))
		times := 0
		for ; times < 6; times++ {
			written, lost := h.fence(t, other, id, 4+3*times)
			if !lost {
				break // it was done before
			}
			if now := h.number(t, "SELECT count(*) FROM users"); now != written {
				t.Fatalf("%d users when the lease was lost, %d later", written, now)
			}
			h.exec(t, "UPDATE batches SET lease_until = 0 WHERE id = $1", id)
		}
		b := other.execute(t, id)
		if b.State != batch.Done || b.Counts.Inserted != 400 || times < 2 {
			t.Errorf("%s after %d times: %+v", b.State, times, b.Counts)
		}
		other.isTrue(t, b, f)
	})
}

// fence runs the batch; when the time has been asked for n times, another process takes the lease over, without
// letting go of it. It returns how many users there were at that instant; lost is false if the batch ended before.
func (h *house) fence(t *testing.T, other *house, id int64, n int) (users int64, lost bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	asked, taken := 0, int64(0)
	tick := func() {
		mu.Lock()
		defer mu.Unlock()
		if asked++; asked != n {
			return
		}
		wg.Go(func() {
			ctx, token := context.Background(), int64(0)
			err := other.db.Tx(ctx, func(tx *sqldb.Tx) (err error) {
				token, _, err = sqldb.One[int64](ctx, tx, "UPDATE batches SET lease_token = lease_token + 1, lease_until = $2 WHERE id = $1 RETURNING lease_token",
					id, time.Now().Add(time.Hour).UnixMicro())
				if err != nil {
					return err
				}
				users, _, err = sqldb.One[int64](ctx, tx, "SELECT count(*) FROM users")
				return err
			})
			if err != nil {
				panic(err)
			}
			mu.Lock()
			defer mu.Unlock()
			taken = token
		})
	}
	h.tick.Store(&tick)
	defer h.tick.Store(nil)
	// Having lost the lease, the engine waits for its end, and looks now and then.
	_, err := h.engine.Execute(ctx, id, func(b *batch.Batch) {
		mu.Lock()
		defer mu.Unlock()
		if taken != 0 && b.LeaseToken == taken {
			cancel()
		}
	})
	wg.Wait()
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return users, err != nil
}

// A process that is gone is replaced when its lease ends, not before, and that is within 15 seconds.
func TestTakeover(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		t.Parallel()
		h := newHouse(t, cfg)
		h.op.PieceRows, h.op.ChunkRows = 2, 3
		f := many("u", 1, 60)
		id := h.create(t, system, userimport.Options{InFileSupervisors: true}, h.files(f))
		h.stopWhen(t, id, hasChunk, nil)
		written := h.number(t, "SELECT count(*) FROM users")
		// As one that was killed leaves it.
		h.exec(t, "UPDATE batches SET lease_until = $2, lease_owner = 'elsewhere/1' WHERE id = $1", id, time.Now().Add(batch.Lease).UnixMicro())
		ctx, cancel := context.WithCancel(context.Background())
		looks := 0
		_, err := h.engine.Execute(ctx, id, func(*batch.Batch) {
			if looks++; looks == 3 {
				cancel()
			}
		})
		if now := h.number(t, "SELECT count(*) FROM users"); !errors.Is(err, context.Canceled) || now != written {
			t.Fatalf("%d users, then %d, before the lease had ended: %v", written, now, err)
		}
		h.ahead.Store(int64(batch.Lease + time.Second))
		if batch.Lease > 14*time.Second {
			t.Errorf("a lease of %s is too long", batch.Lease)
		}
		b := h.execute(t, id)
		if b.State != batch.Done || b.Counts.Inserted != 60 {
			t.Errorf("%s: %+v", b.State, b.Counts)
		}
		h.isTrue(t, b, f)
	})
}
