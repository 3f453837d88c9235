package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"muster/internal/directory"
)

// Kinds of requests, in the order of the document. A click on the grid brings a part of the page, and that page asks
// for the count by itself; pages about batches ask for themselves again and again while something runs.
const (
	wholeGrid  = "the whole grid page"
	nextOrPrev = "next or previous page"
	otherSort  = "another sort"
	beginsWith = "starts with"
	searchText = "search"
	unitBelow  = "org unit and below"
	counted    = "count, asked for by each page"
	listed     = "bulk actions list"
	listAgain  = "the list, again every 2 s"
	batchShown = "page of the batch"
	progressed = "progress, again every 0.7 s"
)

var kinds = []string{wholeGrid, nextOrPrev, otherSort, beginsWith, searchText, unitBelow, counted, listed, listAgain, batchShown, progressed}

// How often the pages about batches ask again; as their templates say.
const (
	listPause     = 2 * time.Second
	progressPause = 700 * time.Millisecond
)

// person clicks through the console.
type person struct {
	*crowd
	who  *browser
	ask  *gridAsker // with a die of their own
	rnd  *rand.Rand
	page string // the grid as it is on their screen, "" when they are somewhere else
}

func (c *crowd) newPerson(who *browser, seed uint64) *person {
	rnd := rand.New(rand.NewPCG(seed, 7))
	return &person{crowd: c, who: who, rnd: rnd, ask: &gridAsker{handle: c.users.handle, rnd: rnd, cfg: c.users.cfg, users: c.users.users}}
}

// live clicks at even intervals, from some moment of the first on, until everybody goes home. Who has to wait for longer
// than that clicks at once when the answer is there.
func (p *person) live(ctx context.Context) {
	at := p.began.Add(time.Duration(p.rnd.Int64N(int64(p.Click))))
	for p.wait(ctx, at) {
		at = at.Add(p.Click)
		p.click(ctx, at)
		if now := time.Now(); at.Before(now) {
			at = now
		}
	}
}

// wait returns false when it is time to go home.
func (p *person) wait(ctx context.Context, until time.Time) bool {
	select {
	case <-ctx.Done():
		return false
	case <-p.over:
		return false
	case <-time.After(time.Until(until)):
		return true
	}
}

// click does something; next is when they will click again.
func (p *person) click(ctx context.Context, next time.Time) {
	switch n := p.rnd.IntN(100); {
	case n < 6:
		p.look(ctx, listed, "/batches", next, listAgain, "batches", listPause)
	case n < 12 && p.batch.Load() != 0:
		path := fmt.Sprintf("/batches/%d", p.batch.Load())
		p.look(ctx, batchShown, path, next, progressed, "progress", progressPause)
	case p.page == "":
		p.page = p.grid(ctx, wholeGrid, "/users", "")
	case n < 48:
		p.turn(ctx)
	case n < 62:
		p.query(ctx, otherSort, directory.UserQuery{Sort: p.ask.anySort()})
	case n < 76:
		f := p.ask.where(one(p.ask, []string{"last_name", "first_name", "lan_id", "agent_id", "pbx_id"}), directory.OpStarts, p.ask.beginning(p.name()))
		p.query(ctx, beginsWith, directory.UserQuery{Filter: f})
	case n < 84:
		p.query(ctx, searchText, directory.UserQuery{Filter: directory.UserFilter{Search: p.ask.piece(p.name())}})
	default:
		p.query(ctx, unitBelow, directory.UserQuery{Filter: directory.UserFilter{OrgUnits: []string{one(p.ask, p.ask.cfg.OrgUnits).FullName}}})
	}
}

// name is one of the names and ids of some user.
func (p *person) name() string {
	u := one(p.ask, p.ask.users)
	return one(p.ask, []string{u.FirstName, u.LastName, u.LANID, u.AgentID})
}

// turn goes to the next page, or now and then back; from where there is neither it begins anew.
func (p *person) turn(ctx context.Context) {
	to := linked(p.page, nextPage)
	if back := linked(p.page, prevPage); back != "" && (to == "" || p.rnd.IntN(5) == 0) {
		to = back
	}
	if to == "" {
		to = "/users"
	}
	p.page = p.grid(ctx, nextOrPrev, to, "grid")
}

func (p *person) query(ctx context.Context, kind string, q directory.UserQuery) {
	p.page = p.grid(ctx, kind, "/users?"+q.Values().Encode(), "grid")
}

// grid asks for the grid, and for the count as the page does, and returns what is on the screen then.
func (p *person) grid(ctx context.Context, kind, path, target string) string {
	page, ok := p.get(ctx, kind, path, target)
	if count := linked(page, countOf); ok && count != "" {
		// A count that takes long is asked for again, as the page does.
		for answer, tries := "", 0; tries == 0 || linked(answer, countOf) != "" && tries < 3 && p.wait(ctx, time.Now().Add(time.Second)); tries++ {
			answer, _ = p.get(ctx, counted, count, "grid-total")
		}
	}
	return page
}

// look opens a page about batches, which asks for a part of itself until the next click or until nothing moves.
func (p *person) look(ctx context.Context, kind, path string, next time.Time, again, target string, every time.Duration) {
	p.page = ""
	page, ok := p.get(ctx, kind, path, "")
	if target == "progress" {
		path += "/progress"
	}
	for at := time.Now(); ok && strings.Contains(page, "data-poll"); {
		if at = at.Add(every); at.After(next) || !p.wait(ctx, at) {
			return
		}
		part, answered := p.get(ctx, again, path, target)
		if target == "batches" {
			page = part
		}
		ok = answered
	}
}

// get asks, and notes how long it took. Who leaves before the answer is there does not count.
func (p *person) get(ctx context.Context, kind, path, target string) (page string, ok bool) {
	k := click{kind: kind, at: time.Now()}
	a, err := p.who.get(ctx, path, target)
	k.took = a.took
	if err == nil {
		page, err = a.text()
	}
	if ctx.Err() != nil {
		return "", false
	}
	k.err = err
	p.note(k)
	// The batch has come to rest: the page, with nothing on it that asks again, is there in place of its progress.
	return page, err == nil && a.header.Get("HX-Retarget") == ""
}
