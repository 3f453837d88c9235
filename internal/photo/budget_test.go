package photo

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestBudgetIsNeverExceeded(t *testing.T) {
	t.Parallel()
	b := NewBudget(100)
	var taken, most atomic.Int64
	var group sync.WaitGroup
	for i := range 400 {
		group.Go(func() {
			n := int64(1 + i*37%100)
			release, err := b.acquire(context.Background(), n)
			if err != nil {
				t.Error(err)
				return
			}
			now := taken.Add(n)
			for {
				m := most.Load()
				if now <= m || most.CompareAndSwap(m, now) {
					break
				}
			}
			taken.Add(-n)
			release()
		})
	}
	group.Wait()
	if most.Load() > 100 || b.taken != 0 || b.waiting.Len() != 0 {
		t.Errorf("at most %d of 100 were taken; %d are", most.Load(), b.taken)
	}
}

// What alone needs more than there is comes through alone, and those who came after it wait.
func TestBudgetLetsTheLargeThroughInTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100)
		first, err := b.acquire(t.Context(), 60)
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		var mu sync.Mutex
		come := func(name string, n int64) {
			go func() {
				release, err := b.acquire(t.Context(), n)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
				release()
			}()
			synctest.Wait()
		}
		come("large", 1000)
		come("small", 10)
		if len(order) > 0 {
			t.Error(order, "overtook")
		}
		first()
		synctest.Wait()
		if len(order) != 2 || order[0] != "large" {
			t.Error(order)
		}
	})
}

func TestBudgetWaitsNoLongerThanTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100)
		data := asJPEG(t, portrait(300, 300, 1), 80)
		first, err := b.acquire(t.Context(), 60)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { _, err := Process(ctx, data, b, Options{}); done <- err }()
		synctest.Wait()
		small := make(chan struct{})
		go func() {
			release, err := b.acquire(t.Context(), 30)
			if err == nil {
				release()
			}
			close(small)
		}()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		<-small // let through as soon as who waited in front has gone
		first()
		if b.taken != 0 {
			t.Error(b.taken, "are never given back")
		}
	})
}

// What a picture costs is no less than what it borrows.
func TestCostCoversWhatIsUsed(t *testing.T) {
	t.Parallel()
	all := jpegs(t)
	for name, data := range pngs(t) {
		all[name] = data
	}
	all["turned"] = withSegment(asJPEG(t, portrait(1100, 1030, 4), 80), markAPP1, exifSegment(6))
	all["large"] = asJPEG(t, portrait(1100, 1100, 4), 80)
	for name, data := range all {
		l, err := lookAt(data)
		if err != nil {
			t.Fatal(err)
		}
		shown, err := Crop{}.in(l.Header)
		if err != nil {
			t.Fatal(err)
		}
		j := job{look: l, shown: shown.stored(l.Width, l.Height, l.Orientation)}
		if _, err := j.process(data); err != nil {
			t.Fatal(err)
		}
		if cost := j.cost(len(data)); int64(j.work.used) > cost {
			t.Errorf("%s: %d bytes are used, and %d reckoned", name, j.work.used, cost)
		}
	}
}
