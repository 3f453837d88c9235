package batch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/internal/blob"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

// task is an operation of a few chunks, each of which calls during inside its transaction.
type task struct {
	chunks  int64
	trouble func() error // of the check
	during  func(n int64)
	applied atomic.Int64
}

func (o *task) Prepare(ctx context.Context, run *Run) (Prepared, error) {
	if o.trouble != nil {
		if err := o.trouble(); err != nil {
			return nil, err
		}
	}
	return o, run.WriteReport(ctx, ResultReport, sequence(nil, nil))
}

func (o *task) Apply(ctx context.Context, run *Run) (Counts, error) {
	done, err := run.Chunks(ctx)
	if err != nil {
		return Counts{}, err
	}
	n := int64(len(done))
	for ; n < o.chunks; n++ {
		err := run.Chunk(ctx, func(*sqldb.Tx) (Chunk, error) {
			if o.during != nil {
				o.during(n)
			}
			return Chunk{First: n, Last: n, Changed: 1}, nil
		})
		if errors.Is(err, ErrCancelled) {
			return Counts{Rows: o.chunks, Inserted: n}, err
		}
		if err != nil {
			return Counts{}, err
		}
		run.Progress("applying", n+1, o.chunks)
		o.applied.Add(1)
	}
	return Counts{Rows: o.chunks, Inserted: n}, nil
}

func (o *task) Undo(context.Context, *Run) error { return nil }
func (o *task) Close() error                     { return nil }

var boss = directory.System("test")

// worked runs fn on both engines, with an engine whose one operation is the task.
func worked(t *testing.T, fn func(t *testing.T, e *Engine, o *task)) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		t.Parallel()
		o := &task{chunks: 3}
		fn(t, &Engine{DB: db, Directory: directory.New(db), Blobs: &blob.Disk{Dir: t.TempDir()}, Scratch: t.TempDir(), MaxUpload: 100,
			Operations: map[string]Operation{"task": o}}, o)
	})
}

func (e *Engine) make(t *testing.T) int64 {
	t.Helper()
	b, err := e.Create(context.Background(), boss, Spec{Action: "task", Options: struct{}{}})
	if err != nil {
		t.Fatal(err)
	}
	return b.ID
}

// work starts a worker; end ends it, and returns when it has.
func (e *Engine) work(t *testing.T, parallel int) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { e.Work(ctx, parallel) })
	end = func() { cancel(); wg.Wait() }
	t.Cleanup(end)
	return end
}

// until waits for the batch to be as wanted.
func (e *Engine) until(t *testing.T, id int64, wanted func(*Batch) bool) *Batch {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		b, err := e.Get(context.Background(), boss, id)
		if err != nil {
			t.Fatal(err)
		}
		if wanted(b) {
			return b
		}
		if time.Now().After(end) {
			t.Fatalf("batch %d is %s (%s)", id, b.State, b.Reason)
		}
	}
}

func is(s State) func(*Batch) bool { return func(b *Batch) bool { return b.State == s } }

func (e *Engine) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	err := e.DB.Tx(context.Background(), func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(context.Background(), query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A worker runs what is there, what is made later, and what a process left that is no more.
func TestWork(t *testing.T) {
	worked(t, func(t *testing.T, e *Engine, o *task) {
		first := e.make(t)
		gone := exec.Command("true")
		if err := gone.Run(); err != nil {
			t.Fatal("a process that has ended: ", err)
		}
		host, _ := os.Hostname()
		left := e.make(t)
		e.exec(t, "UPDATE batches SET state = 'applying', lease_token = 4, lease_until = $2, lease_owner = $3 WHERE id = $1",
			left, time.Now().Add(time.Hour).UnixMicro(), fmt.Sprintf("%s/%d", host, gone.Process.Pid))
		held := e.make(t)
		e.exec(t, "UPDATE batches SET state = 'applying', lease_token = 4, lease_until = $2, lease_owner = 'elsewhere/1' WHERE id = $1", held, time.Now().Add(time.Hour).UnixMicro())
		e.work(t, 2)
		e.until(t, first, is(Done))
		b := e.until(t, left, func(b *Batch) bool { return b.State == Done && b.LeaseUntil.IsZero() })
		if b.Counts.Inserted != 3 || b.LeaseToken != 5 || !b.LeaseUntil.IsZero() || b.Published.IsZero() || b.PhaseStarted.IsZero() {
			t.Errorf("%+v", b)
		}
		later := e.make(t)
		began := time.Now()
		e.until(t, later, is(Done))
		if took := time.Since(began); took > 10*workEvery {
			t.Errorf("it took %s", took)
		}
		if b := e.until(t, held, is(Applying)); b.LeaseToken != 4 {
			t.Errorf("a batch that another process runs was taken: %+v", b)
		}
	})
}

// A fault that can pass leaves the batch with its reason, and it is tried again.
func TestWorkTriesAgain(t *testing.T) {
	worked(t, func(t *testing.T, e *Engine, o *task) {
		var tries atomic.Int64
		o.trouble = func() error {
			if tries.Add(1) < 3 {
				return fault.New(fault.Unavailable, "the disk is full")
			}
			return nil
		}
		e.work(t, 1)
		id := e.make(t)
		e.until(t, id, func(b *Batch) bool { return b.State == Checking && b.Reason == "the disk is full" })
		if b := e.until(t, id, is(Done)); b.Reason != "" || tries.Load() != 3 {
			t.Errorf("%q after %d tries", b.Reason, tries.Load())
		}
		o.trouble = func() error { return errors.New("it cannot go on") }
		id = e.make(t)
		if b := e.until(t, id, is(Failed)); b.Reason != "it cannot go on" {
			t.Errorf("%q", b.Reason)
		}
	})
}

// Told to end, a worker lets the chunk under way end, lets go of the lease and returns; another goes on from there.
func TestWorkEnds(t *testing.T) {
	worked(t, func(t *testing.T, e *Engine, o *task) {
		entered, leave := make(chan struct{}), make(chan struct{})
		o.during = func(n int64) {
			if n == 1 {
				close(entered)
				<-leave
			}
		}
		id := e.make(t)
		end := e.work(t, 1)
		<-entered
		ended := make(chan struct{})
		go func() { end(); close(ended) }()
		select {
		case <-ended:
			t.Fatal("it ended before the chunk")
		case <-time.After(100 * time.Millisecond):
		}
		o.during = nil
		close(leave)
		<-ended
		b := e.until(t, id, is(Applying))
		if o.applied.Load() != 2 || !b.LeaseUntil.IsZero() || b.Reason != errHalted.Error() {
			t.Errorf("%d chunks applied, lease until %s, %q", o.applied.Load(), b.LeaseUntil, b.Reason)
		}
		e.work(t, 1)
		if b := e.until(t, id, is(Done)); b.Counts.Inserted != 3 || b.Reason != "" {
			t.Errorf("%+v %q", b.Counts, b.Reason)
		}
		if n := o.applied.Load(); n != 3 {
			t.Errorf("%d chunks were applied", n)
		}
	})
}

// A batch that nobody runs comes to rest when it is cancelled: at once where nothing is applied, by a worker otherwise.
func TestCancelWhatNobodyRuns(t *testing.T) {
	worked(t, func(t *testing.T, e *Engine, o *task) {
		ctx := context.Background()
		id := e.make(t)
		e.exec(t, "UPDATE batches SET state = 'checking', lease_token = 3, lease_until = 1 WHERE id = $1", id)
		if err := e.Cancel(ctx, boss, id); err != nil {
			t.Fatal(err)
		}
		if b := e.until(t, id, func(*Batch) bool { return true }); b.State != Cancelled || b.LeaseToken != 4 || b.FinishedAt.IsZero() {
			t.Errorf("%+v", b)
		}
		// The process that ran it comes back from a long pause.
		b, err := get(ctx, e.DB.Read(), id)
		if err != nil {
			t.Fatal(err)
		}
		r := &Run{Batch: b, engine: e, token: 3, watch: func(*Batch) {}}
		if err := r.enter(ctx, Applying); !errors.Is(err, errLost) {
			t.Errorf("it goes on: %v", err)
		}
		id = e.make(t)
		e.exec(t, "UPDATE batches SET state = 'applying', lease_token = 3, lease_until = 1 WHERE id = $1", id)
		if err := e.Cancel(ctx, boss, id); err != nil {
			t.Fatal(err)
		}
		e.work(t, 1)
		if b := e.until(t, id, is(Cancelled)); b.Counts.Inserted != 0 {
			t.Errorf("%+v", b.Counts)
		}
	})
}

// What can be said of the speed comes from the database alone.
func TestRate(t *testing.T) {
	t.Parallel()
	now := time.Now()
	b := &Batch{Done: 600, Total: 1000, PhaseFrom: 100, PhaseStarted: now, Published: now.Add(5 * time.Second)}
	if left, known := b.Left(); b.Rate() != 100 || !known || left != 4*time.Second {
		t.Errorf("%v a second, %s left", b.Rate(), left)
	}
	if left, known := (&Batch{Done: 1, Total: 2}).Left(); known {
		t.Errorf("%s left", left)
	}
}

// failing is an upload that breaks off.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Uploads are bounded while they stream in, wait for their batch through every sweep of a day, and go after it.
func TestFreeze(t *testing.T) {
	worked(t, func(t *testing.T, e *Engine, o *task) {
		ctx := context.Background()
		if _, err := e.Freeze(ctx, boss, "big.csv", strings.NewReader(strings.Repeat("x", 101))); fault.KindOf(err) != fault.TooLarge || !strings.Contains(err.Error(), "big.csv") || !strings.Contains(err.Error(), "100 bytes") {
			t.Errorf("too large: %v", err)
		}
		if _, err := e.Freeze(ctx, boss, "half.csv", failing{}); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "half.csv") {
			t.Errorf("broken off: %v", err)
		}
		if _, err := e.CreateFrozen(ctx, boss, Spec{Action: "task"}, make([]File, MaxFiles+1)); fault.KindOf(err) != fault.TooLarge {
			t.Errorf("too many: %v", err)
		}
		f, err := e.Freeze(ctx, boss, "a.csv", bytes.NewReader([]byte("a")))
		if err != nil || f.Name != "a.csv" || f.Size != 1 {
			t.Fatal(f, err)
		}
		there := func() bool {
			b, err := e.Blobs.Open(ctx, f.Hash)
			if err == nil {
				b.Close()
			}
			return err == nil
		}
		for _, step := range []struct {
			ahead time.Duration
			there bool
		}{{2 * time.Hour, true}, {23 * time.Hour, true}, {26 * time.Hour, false}} {
			e.Directory.Now = func() time.Time { return time.Now().Add(step.ahead) }
			if sweep(t, e); there() != step.there {
				t.Errorf("after %s it is there: %v", step.ahead, there())
			}
		}
	})
}

// A list is newest first, by pages and filters, with its files.
func TestList(t *testing.T) {
	worked(t, func(t *testing.T, e *Engine, o *task) {
		ctx := context.Background()
		var ids []int64
		for range 3 {
			f, err := e.Freeze(ctx, boss, "a.csv", strings.NewReader("a"))
			if err != nil {
				t.Fatal(err)
			}
			b, err := e.CreateFrozen(ctx, boss, Spec{Action: "task", Options: struct{}{}}, []File{f})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, b.ID)
		}
		if err := e.Cancel(ctx, boss, ids[1]); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			q     ListQuery
			want  []int64
			total int64
		}{
			{ListQuery{Limit: 2}, []int64{ids[2], ids[1]}, 3},
			{ListQuery{Limit: 2, Before: ids[1]}, []int64{ids[0]}, 3},
			{ListQuery{Limit: 5, States: []State{Received, Checking}}, []int64{ids[2], ids[0]}, 2},
			{ListQuery{Limit: 5, States: []State{Cancelled}, Owner: "system", Action: "task", Mine: true}, []int64{ids[1]}, 1},
			{ListQuery{Limit: 5, Owner: "ann"}, nil, 0},
			{ListQuery{Limit: 5, Action: "other"}, nil, 0},
		} {
			all, total, err := e.List(ctx, boss, c.q)
			var got []int64
			for _, b := range all {
				if got = append(got, b.ID); len(b.Files) != 1 || b.Files[0].Name != "a.csv" {
					t.Errorf("files of %d: %+v", b.ID, b.Files)
				}
			}
			if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) || total != c.total {
				t.Errorf("%+v: %v of %d, %v", c.q, got, total, err)
			}
		}
	})
}
