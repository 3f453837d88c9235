package useredit_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/useredit"
)

// meddleOnce is what somebody else does to a user: in one transaction, the user's row first.
func (h *house) meddleOnce(user int64, statements []string) {
	ctx := context.Background()
	err := h.db.Tx(ctx, func(tx *sqldb.Tx) error {
		// As every change of users that could take an administrator's rights.
		if _, err := tx.ExecContext(ctx, "UPDATE directory_revision SET people = people + 1"); err != nil {
			return err
		}
		for _, s := range statements {
			if strings.Contains(s, "%s") {
				s = fmt.Sprintf(s, "version = version + 1, changed_by = 'other', changed_at = 2")
			}
			if _, err := tx.ExecContext(ctx, s, user); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && sqldb.ErrorKind(err) != sqldb.ForeignKey {
		panic(err)
	}
}

// interrupt lets the batch be stopped a few times at any moment, and go on each time.
func (h *house) interrupt(t *rapid.T, id int64) {
	t.Helper()
	for range rapid.IntRange(1, 3).Draw(t, "interruptions") {
		if h.stopAt(t, id, rapid.Int64Range(1, 30).Draw(t, "at")) == nil {
			return
		}
	}
}

// A replacement that is interrupted anywhere, a few times, ends as one that is not; each user is changed once; so is its
// undo.
func TestInterrupted(t *testing.T) {
	property(t, func(t *rapid.T, h *house) {
		h.populate(t)
		o := h.drawOptions(t)
		before, values := h.held(t), h.values(t)
		b, err := useredit.Create(context.Background(), h.engine, system, o)
		if err != nil {
			return
		}
		if b = h.execute(t, b.ID); o.Preview {
			b = h.apply(t, b)
		}
		want, counts := h.held(t), b.Counts
		report := h.entries(t, b)
		if b = h.undo(t, b.ID); len(h.kept(t, b)) > 0 {
			return // it had made the only administrator, who stays one
		}
		versions := h.versions(t)

		id := h.create(t, system, o)
		h.interrupt(t, id)
		if b = h.execute(t, id); o.Preview {
			if err := h.engine.Apply(context.Background(), system, id, b.Guard.Users); err != nil {
				t.Fatal(err)
			}
			h.interrupt(t, id)
			b = h.execute(t, id)
		}
		if d := cmp.Diff(want, h.held(t)); d != "" || b.Counts != counts {
			t.Fatalf("%+v instead of %+v; -without +with interruptions:\n%s", b.Counts, counts, d)
		}
		if d := cmp.Diff(report, h.entries(t, b)); d != "" {
			t.Fatalf("report -without +with interruptions:\n%s", d)
		}
		h.outcome(t, b, nil)
		if n := h.number(t, "SELECT count(*) FROM users u JOIN user_changes j ON j.user_id = u.id WHERE j.batch_id = $1 AND j.version <> u.version", id); n > 0 {
			t.Fatalf("%d users were changed more than once", n)
		}
		if err := h.engine.Undo(context.Background(), system, id); err != nil {
			t.Fatal(err)
		}
		h.interrupt(t, id)
		b = h.execute(t, id)
		if d := cmp.Diff(before, h.held(t)); d != "" || b.Undone != counts.Updated {
			t.Fatalf("%d of %d undone; -before +after:\n%s", b.Undone, counts.Updated, d)
		}
		if d := cmp.Diff(values, h.values(t)); d != "" {
			t.Fatalf("values -before +after:\n%s", d)
		}
		// Two changes each, whom it concerns.
		for i, now := range h.versions(t) {
			var lan, by string
			var was, is int
			fmt.Sscan(versions[i], &lan, &was, &by)
			fmt.Sscan(now, &lan, &is, &by)
			if is != was && is != was+2 {
				t.Fatalf("%s: version %d, then %d", lan, was, is)
			}
		}
		h.sound(t)
	})
}

// A replacement is cancelled at any moment: what is applied stays and is counted, and undo takes back just that.
func TestCancelled(t *testing.T) {
	property(t, func(t *rapid.T, h *house) {
		h.populate(t)
		o := h.drawOptions(t)
		o.Preview = false
		before := h.held(t)
		b, err := useredit.Create(context.Background(), h.engine, system, o)
		if err != nil {
			return
		}
		n := rapid.IntRange(1, 30).Draw(t, "at")
		var wg sync.WaitGroup
		var mu sync.Mutex
		asked := 0
		tick := func() {
			mu.Lock()
			defer mu.Unlock()
			if asked++; asked == n {
				wg.Go(func() {
					if err := h.engine.Cancel(context.Background(), system, b.ID); err != nil && fault.KindOf(err) != fault.Conflict {
						panic(err)
					}
				})
			}
		}
		h.tick.Store(&tick)
		b = h.execute(t, b.ID)
		h.tick.Store(nil)
		wg.Wait()
		c := b.Counts
		journal := h.number(t, "SELECT count(*) FROM user_changes WHERE batch_id = $1", b.ID)
		if journal != c.Updated {
			t.Fatalf("%s: %d in the journal, %+v", b.State, journal, c)
		}
		if b.State == batch.Cancelled && c != (batch.Counts{}) {
			left := int64(0)
			for _, e := range h.entries(t, b) {
				if strings.Contains(e, "not-applied") {
					left++
				}
			}
			if c.Rows != c.Updated+c.Unchanged+c.Invalid+left {
				t.Fatalf("%d not applied, %+v", left, c)
			}
		}
		if b.State == batch.Cancelled && journal == 0 {
			if d := cmp.Diff(before, h.held(t)); d != "" {
				t.Fatalf("-before +after:\n%s", d)
			}
			return
		}
		h.takenBack(t, h.undo(t, b.ID), before)
	})
}

// The configuration changes while it goes on: what is left is judged again.
func TestConfigurationChanges(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for range 9 {
			h.add(t, somebody{unit: "UAE", roles: []string{"Agent"}})
		}
		a := h.person(t, "p", []directory.Right{"users:access", "users:edit"})
		id := h.create(t, a, h.options(t, directory.RoleValue, "Agent", "Agent Basic"))
		for n := int64(1); h.number(t, "SELECT count(*) FROM user_changes") == 0; n++ {
			if h.stopAt(t, id, n) == nil {
				t.Fatal("it was over at once")
			}
		}
		// The role is now one that they may not give.
		h.exec(t, "INSERT INTO role_rights (role_id, module, action) VALUES ($1, 'roles', 'edit')", h.id(t, directory.RoleValue, "Agent Basic"))
		h.exec(t, "UPDATE directory_revision SET revision = revision + 1")
		given := h.number(t, "SELECT count(*) FROM user_changes")
		if _, err := h.engine.Execute(context.Background(), id, nil); fault.KindOf(err) != fault.Forbidden {
			t.Fatalf("it went on: %v", err)
		}
		b, err := h.engine.Get(context.Background(), system, id)
		if err != nil || b.State != batch.Failed || h.number(t, "SELECT count(*) FROM user_changes") != given {
			t.Fatalf("%+v, %v", b, err)
		}
		if b = h.undo(t, id); b.Undone != given {
			t.Errorf("%d undone of %d", b.Undone, given)
		}
	})
}
