package batch

import (
	"context"
	"errors"
	"sync"
	"time"

	"muster/internal/sqldb"
)

// How often a worker looks for batches that nobody runs, how its pauses grow after a fault that can pass, how often it
// sweeps, and how long it lets a chunk go on that is under way when it is told to end.
const (
	workEvery   = time.Second
	longestWait = time.Minute
	sweepEvery  = time.Hour
	grace       = 20 * time.Second
)

// wake is what workers of this process are woken by.
type wake struct {
	once sync.Once
	c    chan struct{}
}

func (w *wake) channel() chan struct{} {
	w.once.Do(func() { w.c = make(chan struct{}, 1) })
	return w.c
}

// Nudge makes a worker of this process look for batches at once. Whatever gives a batch work to do calls it.
func (e *Engine) Nudge() {
	select {
	case e.wake.channel() <- struct{}{}:
	default:
	}
}

// Work is what a serving process does beside serving: it runs every live batch whose lease is free, up to parallel at
// once, and sweeps once an hour. A fault that can pass, of the database too, is tried again with growing pauses; a
// batch keeps its reason meanwhile. When ctx ends, Work lets the chunks under way end, lets go of their leases and
// returns.
func (e *Engine) Work(ctx context.Context, parallel int) {
	w := &worker{engine: e, parallel: max(1, parallel), running: map[int64]bool{}, waits: map[int64]wait{}, ended: make(chan struct{}, 1)}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { e.sweepNowAndThen(ctx) })
	pause := workEvery
	for troubled := false; ctx.Err() == nil; {
		err := w.look(ctx, &wg)
		switch {
		case err == nil && troubled:
			e.log().Info("batches can be looked for again")
			pause, troubled = workEvery, false
		case err != nil && ctx.Err() == nil:
			if !troubled {
				e.log().Error("batches cannot be looked for; trying again", "error", err)
			} else {
				pause = min(2*pause, longestWait/2)
			}
			troubled = true
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-e.wake.channel():
			w.impatient()
		case <-w.ended:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (e *Engine) sweepNowAndThen(ctx context.Context) {
	for tick := time.NewTicker(sweepEvery); ; {
		if err := e.Sweep(ctx); err != nil && ctx.Err() == nil {
			e.log().Warn("files that are kept no longer could not be cleared up", "error", err)
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
	}
}

type worker struct {
	engine   *Engine
	parallel int
	ended    chan struct{} // a run did

	mu      sync.Mutex
	running map[int64]bool
	waits   map[int64]wait
}

// impatient lets every batch be tried at once: somebody has just decided something.
func (w *worker) impatient() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, wait := range w.waits {
		wait.until = time.Time{}
		w.waits[id] = wait
	}
}

// wait is until when a batch is left alone, and how long the pause was.
type wait struct {
	until time.Time
	pause time.Duration
}

// look starts what can be run.
func (w *worker) look(ctx context.Context, wg *sync.WaitGroup) error {
	type candidate struct {
		ID, Until int64
		Owner     string
	}
	live, err := sqldb.All[candidate](ctx, w.engine.DB.Read(), "SELECT id, lease_until, lease_owner FROM batches WHERE "+live+" ORDER BY id")
	if err != nil {
		return err
	}
	now := w.engine.now()
	w.mu.Lock()
	defer w.mu.Unlock()
	there := map[int64]bool{}
	for _, c := range live {
		there[c.ID] = true
		if len(w.running) >= w.parallel || w.running[c.ID] || time.Now().Before(w.waits[c.ID].until) || c.Until >= now && !dead(c.Owner) {
			continue
		}
		w.running[c.ID] = true
		wg.Go(func() { w.run(ctx, c.ID) })
	}
	for id := range w.waits {
		if !there[id] {
			delete(w.waits, id)
		}
	}
	return nil
}

// run runs one batch as far as it goes now.
func (w *worker) run(ctx context.Context, id int64) {
	// What ends ctx must not break off a chunk: the run is halted instead.
	_, err := w.engine.step(withHalter(context.WithoutCancel(ctx), ctx), id, func(*Batch) {})
	w.mu.Lock()
	delete(w.running, id)
	switch {
	case err == nil:
		delete(w.waits, id)
	case !errors.Is(err, errHalted):
		pause := min(max(workEvery, 2*w.waits[id].pause), longestWait)
		w.waits[id] = wait{time.Now().Add(pause), pause}
		w.engine.log().Warn("a batch could not go on", "batch", id, "again_in", pause, "error", err)
	}
	w.mu.Unlock()
	select {
	case w.ended <- struct{}{}:
	default:
	}
}

// errHalted says that the process was told to end.
var errHalted = errors.New("the process that ran it was stopped")

type haltKey struct{}

// withHalter makes a run in ctx halt, between two chunks, when leave ends.
func withHalter(ctx, leave context.Context) context.Context {
	return context.WithValue(ctx, haltKey{}, leave)
}

func halter(ctx context.Context) context.Context {
	leave, _ := ctx.Value(haltKey{}).(context.Context)
	return leave
}

// halt ends the run as soon as no chunk is under way, and after the grace period in any case.
func (r *Run) halt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.halted = true
	if r.underWay == 0 {
		r.stop(errHalted)
		return
	}
	time.AfterFunc(grace, func() { r.stop(errHalted) })
}

// begin counts a chunk that is about to be written. When the run is halted it waits until the others have ended:
// whoever returned with an error at once would break them off.
func (r *Run) begin(ctx context.Context) error {
	r.mu.Lock()
	if !r.halted {
		r.underWay++
		r.mu.Unlock()
		return nil
	}
	r.mu.Unlock()
	<-ctx.Done()
	return context.Cause(ctx)
}

func (r *Run) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.underWay--
	if r.halted && r.underWay == 0 {
		r.stop(errHalted)
	}
}

func (r *Run) inChunk() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.underWay > 0
}
