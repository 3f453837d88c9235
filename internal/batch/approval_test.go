package batch

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// changing is a task that would change users who are there already.
type changing struct {
	task
	updated atomic.Int64
	actedAs atomic.Value // whom the last check acted for
}

func (o *changing) Prepare(ctx context.Context, run *Run) (Prepared, error) {
	h, err := run.Handle(ctx)
	if err != nil {
		return nil, err
	}
	o.actedAs.Store(h.Actor().Name())
	if err := run.WriteReport(ctx, ResultReport, sequence(nil, nil)); err != nil {
		return nil, err
	}
	return o, run.StoreCounts(ctx, Counts{Rows: o.updated.Load(), Updated: o.updated.Load()})
}

func (o *changing) Apply(ctx context.Context, run *Run) (Counts, error) {
	_, err := o.task.Apply(ctx, run)
	return Counts{Rows: o.updated.Load(), Updated: o.updated.Load()}, err
}

// Who takes part. Their rights are what the engine looks up, too.
var (
	decider  = []directory.Right{"users:add", "users:edit", "batches:access", "batches:edit"}
	maker    = person("ohassan3", decider...)
	second   = person("ahaddad", decider...)
	third    = person("pnair14", decider...)
	onlooker = person("sreyes6", "users:add", "users:edit", "batches:access")
)

func person(name string, rights ...directory.Right) directory.Actor {
	return directory.Person(name, "web", rights, directory.Everywhere())
}

// approving runs fn on both engines with 200 users, among them those above, and a batch that changes some.
func approving(t *testing.T, approval bool, fn func(t *testing.T, e *Engine, o *changing)) {
	worked(t, func(t *testing.T, e *Engine, _ *task) {
		o := &changing{task: task{chunks: 3}}
		o.updated.Store(7)
		e.Operations["task"] = o
		e.Actor = func(_ context.Context, owner, source string) (directory.Actor, error) {
			return directory.Person(owner, source, decider, directory.Everywhere()), nil
		}
		names := []string{"ohassan3", "ahaddad", "pnair14", "sreyes6"}
		for i := range 200 {
			name := fmt.Sprintf("user%d", i)
			if i < len(names) {
				name = names[i]
			}
			e.exec(t, `INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, profile, changed_by, changed_at, first_key, last_key)
				VALUES ($1, $2, $3, 'A', 'B', $2, $3, 3, 'x', 1, 'a', 'b')`, i+1, name, name)
		}
		if approval {
			e.exec(t, "INSERT INTO settings (name, value) VALUES ('approval', 'yes')")
		}
		fn(t, e, o)
	})
}

// runNew makes a batch and runs it as far as it goes.
func (e *Engine) runNew(t *testing.T, actor directory.Actor, preview bool) *Batch {
	t.Helper()
	b, err := e.Create(t.Context(), actor, Spec{Action: "task", Options: map[string]bool{"preview": preview}})
	if err != nil {
		t.Fatal(err)
	}
	return e.goOn(t, b.ID)
}

func (e *Engine) goOn(t *testing.T, id int64) *Batch {
	t.Helper()
	b, err := e.Execute(t.Context(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantKind(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Errorf("%s: %v; want %s", what, err, kind)
	}
}

// A batch that would change many of the users that there are rests until somebody types in how many.
func TestGuard(t *testing.T) {
	approving(t, false, func(t *testing.T, e *Engine, o *changing) {
		for _, c := range []struct {
			changes int64
			guarded bool
		}{{7, false}, {100, false}, {101, true}} {
			o.updated.Store(c.changes)
			b := e.runNew(t, maker, false)
			if guarded := b.State == Ready; guarded != c.guarded || !guarded && (b.State != Done || b.Guard != Guard{}) {
				t.Errorf("%d changes: %s, %+v", c.changes, b.State, b.Guard)
			}
		}
		o.updated.Store(150)
		o.applied.Store(0)
		b := e.runNew(t, boss, false) // the command line too
		if want := (Guard{Users: 150, Of: 200}); b.State != Ready || b.Guard != want || b.Guard.Percent() != 75 {
			t.Fatalf("%s, %+v", b.State, b.Guard)
		}
		err := e.Apply(t.Context(), boss, b.ID, 0)
		wantKind(t, "without the number", err, fault.Invalid)
		for _, word := range []string{"150", "200", "75 %"} {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("the message does not say %s: %v", word, err)
			}
		}
		wantKind(t, "with another number", e.Apply(t.Context(), boss, b.ID, 149), fault.Invalid)
		if o.applied.Load() != 0 {
			t.Error("something was applied")
		}
		if err := e.Apply(t.Context(), boss, b.ID, 150); err != nil {
			t.Fatal(err)
		}
		if b = e.goOn(t, b.ID); b.State != Done || b.Guard.Confirmed != 150 || o.applied.Load() != 3 {
			t.Errorf("%s, %+v, %d chunks", b.State, b.Guard, o.applied.Load())
		}
		e.exec(t, "INSERT INTO settings (name, value) VALUES ('guard_users', '5'), ('guard_percent', '4')")
		for changes, want := range map[int64]State{6: Done, 8: Done, 9: Ready} { // 4 % are 8 users
			o.updated.Store(changes)
			if b := e.runNew(t, maker, false); b.State != want {
				t.Errorf("%d changes under other settings: %s, want %s", changes, b.State, want)
			}
		}
	})
}

// What was confirmed is the most that is done: a batch that has grown since asks again, and applies nothing before.
func TestGuardOutgrown(t *testing.T) {
	for _, preview := range []bool{true, false} {
		t.Run(fmt.Sprint("preview ", preview), func(t *testing.T) {
			approving(t, false, func(t *testing.T, e *Engine, o *changing) {
				o.updated.Store(150)
				b := e.runNew(t, maker, preview)
				if err := e.Apply(t.Context(), maker, b.ID, 150); err != nil {
					t.Fatal(err)
				}
				o.updated.Store(180)
				if b = e.goOn(t, b.ID); b.State != Ready || b.Guard.Users != 180 || b.Guard.Confirmed != 0 || o.applied.Load() != 0 || !strings.Contains(b.Reason, "180") {
					t.Fatalf("%s, %+v, %d chunks, %q", b.State, b.Guard, o.applied.Load(), b.Reason)
				}
				wantKind(t, "with the old number", e.Apply(t.Context(), maker, b.ID, 150), fault.Invalid)
				if err := e.Apply(t.Context(), maker, b.ID, 180); err != nil {
					t.Fatal(err)
				}
				o.updated.Store(170) // fewer are fine
				if b = e.goOn(t, b.ID); b.State != Done || o.applied.Load() != 3 || b.Reason != "" {
					t.Errorf("%s, %d chunks, %q", b.State, o.applied.Load(), b.Reason)
				}
			})
		})
	}
}

// Under approval a batch waits for a second person, who approves it; it then acts for whoever made it.
func TestApproval(t *testing.T) {
	approving(t, true, func(t *testing.T, e *Engine, o *changing) {
		ctx := t.Context()
		for _, preview := range []bool{true, false} {
			o.applied.Store(0)
			b := e.runNew(t, maker, preview)
			if preview {
				if b.State != Ready {
					t.Fatalf("%s", b.State)
				}
				wantKind(t, "approved before anybody asked", e.Approve(ctx, second, b.ID, ""), fault.Conflict)
				if err := e.Apply(ctx, maker, b.ID, 0); err != nil {
					t.Fatal(err)
				}
				b = e.goOn(t, b.ID)
			}
			if b.State != Awaiting || b.Approval.AskedBy != "ohassan3" || b.Approval.AskedAt.IsZero() || o.applied.Load() != 0 {
				t.Fatalf("preview %v: %s, %+v, %d chunks", preview, b.State, b.Approval, o.applied.Load())
			}
			for who, a := range map[string]directory.Actor{"the maker": maker, "the maker in capitals": person("OHassan3", decider...), "who may not decide": onlooker,
				"who may not do it": person("pnair14", "batches:access", "batches:edit")} {
				wantKind(t, who+" approves", e.Approve(ctx, a, b.ID, "fine"), fault.Forbidden)
				wantKind(t, who+" rejects", e.Reject(ctx, a, b.ID, "no"), fault.Forbidden)
				if n, err := e.Pending(ctx, a); n != 0 || err != nil {
					t.Errorf("%s has %d pending, %v", who, n, err)
				}
			}
			wantKind(t, "somebody elsewhere", e.Approve(ctx, directory.Person("pnair14", "web", decider, directory.Below("1/")), b.ID, ""), fault.NotFound)
			wantKind(t, "apply", e.Apply(ctx, second, b.ID, 0), fault.Conflict)
			if n, err := e.Pending(ctx, second); n != 1 || err != nil {
				t.Errorf("the second person has %d pending, %v", n, err)
			}
			if err := e.Approve(ctx, second, b.ID, "Looked through it."); err != nil {
				t.Fatal(err)
			}
			wantKind(t, "twice", e.Approve(ctx, third, b.ID, ""), fault.Conflict)
			wantKind(t, "rejected after that", e.Reject(ctx, third, b.ID, "no"), fault.Conflict)
			b = e.goOn(t, b.ID)
			if b.State != Done || o.applied.Load() != 3 || o.actedAs.Load() != "ohassan3" ||
				b.Approval.Verdict != Approved || b.Approval.By != "ahaddad" || b.Approval.Comment != "Looked through it." {
				t.Errorf("%s, %d chunks as %s: %+v", b.State, o.applied.Load(), o.actedAs.Load(), b.Approval)
			}
			if n, _ := e.Pending(ctx, second); n != 0 {
				t.Errorf("%d are pending", n)
			}
			said, err := sqldb.All[string](ctx, e.DB.Read(), "SELECT actor || ' ' || action || ' ' || after || ' ' || reason FROM audit WHERE batch_id = $1 AND action IN ('ask-approval', 'approve') ORDER BY id", b.ID)
			if diff := cmp.Diff([]string{`ohassan3 ask-approval {"state":"awaiting"} `, `ahaddad approve {"state":"applying"} Looked through it.`}, said); diff != "" || err != nil {
				t.Errorf("%s %v", diff, err)
			}
		}
	})
}

// A rejected batch is dropped, for the reason that the second person gives; one that is withdrawn too.
func TestReject(t *testing.T) {
	approving(t, true, func(t *testing.T, e *Engine, o *changing) {
		ctx := t.Context()
		b := e.runNew(t, maker, false)
		wantKind(t, "without a comment", e.Reject(ctx, second, b.ID, ""), fault.Invalid)
		wantKind(t, "with a long comment", e.Reject(ctx, second, b.ID, strings.Repeat("x", MaxComment+1)), fault.Invalid)
		if err := e.Reject(ctx, second, b.ID, "The unit moves next week."); err != nil {
			t.Fatal(err)
		}
		b = e.goOn(t, b.ID)
		if b.State != Cancelled || b.Reason != "The unit moves next week." || b.Approval.Verdict != Rejected || b.FinishedAt.IsZero() || b.Counts.Updated != 0 || o.applied.Load() != 0 {
			t.Errorf("%s %q %+v %+v", b.State, b.Reason, b.Approval, b.Counts)
		}
		wantKind(t, "applied after that", e.Apply(ctx, maker, b.ID, 0), fault.Conflict)
		b = e.runNew(t, maker, false)
		if err := e.Cancel(ctx, maker, b.ID); err != nil {
			t.Fatal(err)
		}
		if b = e.goOn(t, b.ID); b.State != Cancelled || b.Reason != "" || o.applied.Load() != 0 {
			t.Errorf("%s %q", b.State, b.Reason)
		}
	})
}

// Nobody gets around it: not who asks for another's batch, not who has another LAN ID since, and a batch does not act for
// somebody else who has the maker's old one. The system needs nobody.
func TestApprovalByOneself(t *testing.T) {
	approving(t, true, func(t *testing.T, e *Engine, o *changing) {
		ctx := t.Context()
		b := e.runNew(t, maker, true)
		if err := e.Apply(ctx, second, b.ID, 0); err != nil { // another asks
			t.Fatal(err)
		}
		wantKind(t, "the maker", e.Approve(ctx, maker, b.ID, ""), fault.Forbidden)
		wantKind(t, "who asked", e.Approve(ctx, second, b.ID, ""), fault.Forbidden)
		e.exec(t, "UPDATE users SET lan_id = 'omar', lan_key = 'omar' WHERE lan_id = 'ohassan3'")
		e.exec(t, "UPDATE users SET lan_id = 'OHassan3', lan_key = 'ohassan3' WHERE lan_id = 'user9'")
		wantKind(t, "the maker by another name", e.Approve(ctx, person("omar", decider...), b.ID, ""), fault.Forbidden)
		e.exec(t, "UPDATE users SET lan_id = 'amira', lan_key = 'amira' WHERE lan_id = 'ahaddad'")
		wantKind(t, "who asked, by another name", e.Reject(ctx, person("amira", decider...), b.ID, "no"), fault.Forbidden)
		if err := e.Approve(ctx, third, b.ID, ""); err != nil {
			t.Fatal(err)
		}
		if b = e.goOn(t, b.ID); b.State != Done || o.actedAs.Load() != "omar" {
			t.Errorf("%s, as %s", b.State, o.actedAs.Load())
		}
		if b := e.runNew(t, boss, false); b.State != Done {
			t.Errorf("the system's: %s", b.State)
		}
		b = e.runNew(t, third, true)
		if err := e.Apply(ctx, boss, b.ID, 0); err != nil {
			t.Fatal(err)
		}
		if b = e.goOn(t, b.ID); b.State != Done {
			t.Errorf("the system applies: %s", b.State)
		}
		b = e.runNew(t, third, false)
		if err := e.Approve(ctx, boss, b.ID, ""); err != nil {
			t.Errorf("the system approves: %v", err)
		}
		o.updated.Store(0)
		if b := e.runNew(t, third, false); b.State != Ready {
			t.Errorf("what changes nothing: %s", b.State)
		}
	})
}

// A batch that would change many needs the number from whoever asks for approval, and one that has grown since it was
// approved is decided about anew.
func TestApprovalUnderGuard(t *testing.T) {
	approving(t, true, func(t *testing.T, e *Engine, o *changing) {
		ctx := t.Context()
		o.updated.Store(150)
		b := e.runNew(t, maker, false)
		if b.State != Ready {
			t.Fatalf("%s", b.State)
		}
		wantKind(t, "asked without the number", e.Apply(ctx, maker, b.ID, 0), fault.Invalid)
		for range 2 {
			if err := e.Apply(ctx, maker, b.ID, b.Guard.Users); err != nil {
				t.Fatal(err)
			}
			if err := e.Approve(ctx, second, b.ID, "yes"); err != nil {
				t.Fatal(err)
			}
			o.updated.Store(180)
			b = e.goOn(t, b.ID)
			if b.State == Ready && (b.Approval != Approval{} || o.applied.Load() != 0) {
				t.Errorf("it was approved as it was: %+v, %d chunks", b.Approval, o.applied.Load())
			}
		}
		if b.State != Done || b.Guard.Confirmed != 180 {
			t.Errorf("%s, %+v", b.State, b.Guard)
		}
	})
}

// A process that dies after the approval, before it has begun or between two chunks, loses nothing and does nothing twice.
func TestApprovedAndInterrupted(t *testing.T) {
	approving(t, true, func(t *testing.T, e *Engine, o *changing) {
		gone := exec.Command("true")
		if err := gone.Run(); err != nil {
			t.Fatal("a process that has ended: ", err)
		}
		host, _ := os.Hostname()
		for done := range 3 {
			o.applied.Store(0)
			b := e.runNew(t, maker, false)
			if err := e.Approve(t.Context(), second, b.ID, "yes"); err != nil {
				t.Fatal(err)
			}
			// As a process leaves it that was killed: its lease is held, and some chunks are there.
			e.exec(t, "UPDATE batches SET lease_token = lease_token + 1, lease_until = $2, lease_owner = $3 WHERE id = $1",
				b.ID, time.Now().Add(time.Hour).UnixMicro(), fmt.Sprintf("%s/%d", host, gone.Process.Pid))
			for n := range done {
				e.exec(t, "INSERT INTO batch_chunks (batch_id, run, part, first, last, changed) VALUES ($1, 'apply', 0, $2, $2, 1)", b.ID, n)
			}
			b = e.goOn(t, b.ID)
			chunks, _, err := sqldb.One[int](t.Context(), e.DB.Read(), "SELECT count(*) FROM batch_chunks WHERE batch_id = $1", b.ID)
			if b.State != Done || chunks != 3 || o.applied.Load() != int64(3-done) || b.Approval.By != "ahaddad" || err != nil {
				t.Errorf("after %d chunks: %s, %d chunks, %d applied, %+v, %v", done, b.State, chunks, o.applied.Load(), b.Approval, err)
			}
		}
		// Before the approval nobody runs it, whoever comes.
		b := e.runNew(t, maker, false)
		if _, err := e.Wait(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if b = e.goOn(t, b.ID); b.State != Awaiting {
			t.Errorf("%s", b.State)
		}
	})
}
