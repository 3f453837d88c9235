package web

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// countUsers answers how many match the filter: apart from the page, so that the rows never wait for the count.
func (s *Server) countUsers(v *visit) error {
	a, err := parseUsersAddress(v.URL.Query())
	if err != nil {
		return err
	}
	n, err := s.countOf(v, &a)
	if err != nil {
		return err
	}
	return v.part(usersTotal(n))
}

// countOf counts what the filter of the address matches.
func (s *Server) countOf(v *visit, a *usersAddress) (int64, error) {
	// A count that is shared was asked for by somebody else, with the same scope.
	if err := v.actor().Need(maySeeUsers...); err != nil {
		return 0, err
	}
	key := fmt.Sprintf("%q %+v", a.filter().Encode(), v.actor().Scope())
	h := v.handle()
	return s.counts.count(v.ctx(), key, s.Directory.Now, func(ctx context.Context) (int64, error) {
		return h.CountUsers(ctx, a.query.Filter)
	})
}

const (
	// countLife is how long a count is as good as a new one: while an import runs, the number has changed by the time
	// that it is read anyway.
	countLife = 3 * time.Second
	// countTime is what one count may take.
	countTime = 30 * time.Second
)

// counter counts a thing once for all who ask at the same time, or shortly after each other: many people who page
// through a large directory would otherwise keep the database counting.
type counter struct {
	mu     sync.Mutex
	counts map[string]*counting
}

// counting is a count under way, and then its result.
type counting struct {
	done  chan struct{} // closed when the rest is set
	n     int64
	err   error
	until time.Time // it may be used
}

// count returns the count under the key, or has it counted by ask. Who asked first may go away without harm to the
// others: ask gets a context of its own.
func (c *counter) count(ctx context.Context, key string, now func() time.Time, ask func(context.Context) (int64, error)) (int64, error) {
	c.mu.Lock()
	k := c.counts[key]
	if k == nil || k.over(now()) {
		c.sweep(now())
		k = &counting{done: make(chan struct{})}
		c.counts[key] = k
		go k.run(context.WithoutCancel(ctx), now, ask)
	}
	c.mu.Unlock()
	select {
	case <-k.done:
		return k.n, k.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// sweep forgets what is over, so that the map holds no more than what was counted lately.
func (c *counter) sweep(now time.Time) {
	if c.counts == nil {
		c.counts = map[string]*counting{}
	}
	for key, k := range c.counts {
		if k.over(now) {
			delete(c.counts, key)
		}
	}
}

func (k *counting) run(ctx context.Context, now func() time.Time, ask func(context.Context) (int64, error)) {
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	defer close(k.done)
	defer func() {
		// No request's handler is above this, which would catch it.
		if p := recover(); p != nil {
			k.err = fmt.Errorf("count: panic: %v", p)
		}
	}()
	k.n, k.err = ask(ctx)
	k.until = now().Add(countLife)
}

// over tells that it was counted and may not be used any more; an error is for those who waited for it only.
func (k *counting) over(now time.Time) bool {
	select {
	case <-k.done:
		return k.err != nil || now.After(k.until)
	default:
		return false
	}
}
