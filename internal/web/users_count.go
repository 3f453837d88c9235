package web

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"muster/internal/fault"
)

// countUsers answers how many match the filter: apart from the page, so that the rows never wait for the count.
func (s *Server) countUsers(v *visit) error {
	a, err := parseUsersAddress(v.URL.Query())
	if err != nil {
		return err
	}
	n, err := s.countOf(v, &a, countPatience)
	if errors.Is(err, errStillCounting) {
		return v.part(usersCounting(&a))
	}
	if err != nil {
		return err
	}
	return v.part(usersTotal(n))
}

// countOf counts what the filter of the address matches, and gives up waiting after patience with errStillCounting.
func (s *Server) countOf(v *visit, a *usersAddress, patience time.Duration) (int64, error) {
	// A count that is shared was asked for by somebody else, with the same scope.
	if err := v.actor().Need(maySeeUsers...); err != nil {
		return 0, err
	}
	key := fmt.Sprintf("%q %+v", a.filter().Encode(), v.actor().Scope())
	h := v.handle()
	return s.counts.count(v.ctx(), key, patience, s.Directory.Now, func(ctx context.Context) (int64, error) {
		return h.CountUsers(ctx, a.query.Filter)
	})
}

const (
	// countLife is how long a count is as good as a new one: while an import runs, the number has changed by the time
	// that it is read anyway.
	countLife = 3 * time.Second
	// countTime is what one count may take.
	countTime = 30 * time.Second
	// countPatience is how long the page's request waits for a count. The page then asks again: a number that takes long keeps
	// nobody's connection.
	countPatience = 500 * time.Millisecond
	// countWanted is how long a count is still wanted after somebody asked for it: somewhat longer than the pause after
	// which a page asks again. Whoever went on to another page asks no more.
	countWanted = 3 * time.Second
)

// errStillCounting says that the count goes on, and will be there when somebody asks again.
var errStillCounting = fault.New(fault.Unavailable, "the users are still being counted; ask again")

// counter counts a thing once for all who ask at the same time, or shortly after each other: many people who page
// through a large directory would otherwise keep the database counting. For the same reason one is counted at a time:
// some counts read all users, and pages are more urgent.
type counter struct {
	mu     sync.Mutex
	turn   sync.Mutex // held by the count that is at work
	counts map[string]*counting
}

// counting is a count under way, and then its result.
type counting struct {
	waiting int                // requests that want it; guarded by counter.mu
	asked   time.Time          // when one did last; likewise
	cancel  context.CancelFunc // when nobody does any more
	done    chan struct{}      // closed when the rest is set
	n       int64
	err     error
	until   time.Time // it may be used
}

// count returns the count under the key, or has it counted by ask. Where that takes longer than patience it goes on,
// and the error is errStillCounting. A count that nobody waits for any more, because they all went away, ends.
func (c *counter) count(ctx context.Context, key string, patience time.Duration, now func() time.Time, ask func(context.Context) (int64, error)) (int64, error) {
	c.mu.Lock()
	k := c.counts[key]
	if k == nil || k.over(now()) {
		c.sweep(now())
		k = &counting{done: make(chan struct{})}
		c.counts[key] = k
		// A context of its own: who asked first may go away without harm to the others.
		var own context.Context
		own, k.cancel = context.WithCancel(context.WithoutCancel(ctx))
		go c.run(own, k, now, ask)
	}
	k.waiting++
	k.asked = now()
	c.mu.Unlock()
	select {
	case <-k.done:
		return k.n, k.err
	case <-time.After(patience):
		// They will ask again, and are not taken for gone.
		return 0, errStillCounting
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		if k.waiting--; k.waiting == 0 {
			k.cancel()
			if c.counts[key] == k {
				delete(c.counts, key) // whoever comes next begins anew
			}
		}
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

// run counts when it is its turn. The next has its turn after a rest as long as the count took, so that counts take half a
// processor at the most.
func (c *counter) run(ctx context.Context, k *counting, now func() time.Time, ask func(context.Context) (int64, error)) {
	defer k.cancel()
	c.turn.Lock()
	defer c.turn.Unlock()
	if !c.wanted(k, now()) {
		k.err = errStillCounting
		close(k.done)
		return
	}
	began := time.Now()
	k.run(ctx, now, ask)
	time.Sleep(time.Since(began))
}

func (k *counting) run(ctx context.Context, now func() time.Time, ask func(context.Context) (int64, error)) {
	defer close(k.done)
	defer func() {
		// No request's handler is above this, which would catch it.
		if p := recover(); p != nil {
			k.err = fmt.Errorf("count: panic: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	k.n, k.err = ask(ctx)
	k.until = now().Add(countLife)
}

// wanted tells whether somebody still waits for the count, or will ask for it again.
func (c *counter) wanted(k *counting, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return k.waiting > 0 && now.Sub(k.asked) < countWanted
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
