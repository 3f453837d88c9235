package photo

import (
	"container/list"
	"context"
	"sync"
)

// Budget bounds the bytes that the pictures being decoded take, over a whole process. Whoever waits first is let through
// first, so that a large picture is not overtaken for ever by small ones.
type Budget struct {
	mu      sync.Mutex
	size    int64
	taken   int64
	waiting list.List // of *waiter
}

// waiter is a picture that waits; ready is closed when n bytes are its.
type waiter struct {
	n     int64
	ready chan struct{}
}

// DefaultBudget is a budget, in bytes, under which a process that imports pictures stays below 500 MB.
const DefaultBudget = 200_000_000

// maxCost is how many bytes one picture may take: more than any has that a camera or a phone makes (40 megapixels, all
// colours in full, progressive, to be turned: 360 MB), and less than a process may have.
const maxCost = 400_000_000

// NewBudget returns a budget of that many bytes. A picture that alone needs more than all of it is decoded alone.
func NewBudget(bytes int64) *Budget { return &Budget{size: max(1, bytes)} }

// acquire waits until n bytes are free, and takes them. What it returns gives them back.
func (b *Budget) acquire(ctx context.Context, n int64) (release func(), err error) {
	n = min(max(n, 1), b.size)
	b.mu.Lock()
	if b.waiting.Len() == 0 && b.taken+n <= b.size {
		b.taken += n
		b.mu.Unlock()
		return func() { b.release(n) }, nil
	}
	w := &waiter{n: n, ready: make(chan struct{})}
	place := b.waiting.PushBack(w)
	b.mu.Unlock()
	select {
	case <-w.ready:
		return func() { b.release(n) }, nil
	case <-ctx.Done():
		b.leave(place, w)
		return nil, ctx.Err()
	}
}

// leave takes a waiter out of the queue; it may have been let through meanwhile.
func (b *Budget) leave(place *list.Element, w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-w.ready:
		b.taken -= w.n
	default:
		b.waiting.Remove(place)
	}
	b.letThrough()
}

func (b *Budget) release(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken -= n
	b.letThrough()
}

// letThrough lets those through who wait and for whom there is room, in their order.
func (b *Budget) letThrough() {
	for first := b.waiting.Front(); first != nil; first = b.waiting.Front() {
		w := first.Value.(*waiter)
		if b.taken+w.n > b.size {
			return
		}
		b.taken += w.n
		b.waiting.Remove(first)
		close(w.ready)
	}
}
