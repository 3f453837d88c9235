package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/directory"
)

// PageTime is how long the console took for one kind of request, at the handler. Times are seconds.
type PageTime struct {
	Group   string  `json:"group"`
	Limit   float64 `json:"limit_seconds,omitempty"` // what is aimed at for the 95th of a hundred; 0: nothing
	Samples int     `json:"samples"`
	P50     float64 `json:"p50_seconds"`
	P95     float64 `json:"p95_seconds"`
	Max     float64 `json:"max_seconds"`
	Slowest string  `json:"slowest"` // the address that took longest
}

// DeepPage is how long a page far down takes, and the first of the same list. Times are seconds.
type DeepPage struct {
	Sort   string    `json:"sort"`
	Page   int       `json:"page"`
	First  []float64 `json:"first_seconds"`
	Deep   []float64 `json:"deep_seconds"`
	Walked float64   `json:"walked_seconds"` // from the first page to the deep one, by the links
}

// Each kind is asked for so many times, or for gridTime if that takes longer, but leastSamples times anyway.
const (
	gridSamples  = 100
	leastSamples = 30
	gridTime     = 8 * time.Second
)

// deepPage is the number of the page that is deep.
const deepPage = 1000

// deepSorts are the orders in which pages are walked through: each user's own value, many with the same, and a number.
var deepSorts = []string{"lan_id", "last_name", "-changed_at"}

// grid asks the console every kind of question, and walks deep into it.
func (h *hosted) grid(ctx context.Context, g *gridAsker, who *browser, c *Console) (err error) {
	questions := g.questions()
	for _, q := range questions {
		if _, err := h.ask(ctx, who, q); err != nil { // whoever comes first would wait for the disk
			return fmt.Errorf("%s: %w", q.group, err)
		}
	}
	if c.Grid, err = h.times(ctx, who, questions); err != nil {
		return err
	}
	for _, sort := range deepSorts {
		d, err := deep(ctx, who, sort, h.samples)
		if err != nil {
			return fmt.Errorf("deep in %s: %w", sort, err)
		}
		c.Deep = append(c.Deep, d)
	}
	somebody, found, err := g.scoped(ctx)
	if err != nil || !found {
		return err
	}
	c.Scope = somebody.OrgUnit
	if who, err = h.user(ctx, somebody.LANID); err != nil {
		return err
	}
	c.Scoped, err = h.times(ctx, who, g.scopedQuestions(questions))
	return err
}

func (h *hosted) times(ctx context.Context, who *browser, questions []gridQuestion) ([]PageTime, error) {
	var all []PageTime
	for _, q := range questions {
		t, err := h.time(ctx, who, q)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.group, err)
		}
		all = append(all, t)
	}
	return all, nil
}

// asked is one request and how long it took.
type asked struct {
	seconds float64
	path    string
}

func (h *hosted) time(ctx context.Context, who *browser, q gridQuestion) (PageTime, error) {
	return h.timed(q.group, q.limit, func() (asked, error) { return h.ask(ctx, who, q) })
}

func (h *hosted) timed(group string, limit time.Duration, ask func() (asked, error)) (PageTime, error) {
	var all []asked
	for began := time.Now(); len(all) < min(leastSamples, h.samples) || len(all) < h.samples && time.Since(began) < gridTime; {
		a, err := ask()
		if err != nil {
			return PageTime{}, err
		}
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b asked) int { return cmp.Compare(a.seconds, b.seconds) })
	slowest := all[len(all)-1]
	return PageTime{Group: group, Limit: limit.Seconds(), Samples: len(all), P50: all[len(all)/2].seconds,
		P95: all[len(all)*95/100].seconds, Max: slowest.seconds, Slowest: slowest.path}, nil
}

// ask asks one question of a kind, as the page does when something on it is clicked.
func (h *hosted) ask(ctx context.Context, who *browser, q gridQuestion) (asked, error) {
	query, path, target := q.draw(), "/users", "grid"
	if q.count {
		query, path, target = directory.UserQuery{Filter: query.Filter}, "/users/count", "grid-total"
		// The console keeps a count for a moment; what is measured is a new one.
		who = &browser{base: who.base, through: inProcess{h.newHandler()}, cookies: who.cookies}
	}
	if v := query.Values(); len(v) > 0 {
		path += "?" + v.Encode()
	}
	a, err := who.get(ctx, path, target)
	return asked{a.took.Seconds(), path}, err
}

// deep walks to a page far down by the links, and then fetches that page and the first by turns.
func deep(ctx context.Context, who *browser, sort string, fetches int) (DeepPage, error) {
	first := "/users?sort=" + sort
	at, d, began := first, DeepPage{Sort: sort, Page: 1}, time.Now()
	for d.Page < deepPage {
		a, err := who.get(ctx, at, "grid")
		if err != nil {
			return d, err
		}
		page, err := a.text()
		if err != nil {
			return d, err
		}
		next := linked(page, nextPage)
		if next == "" {
			break
		}
		at = next
		d.Page++
	}
	d.Walked = time.Since(began).Seconds()
	for range fetches {
		a, err := who.get(ctx, first, "grid")
		if err != nil {
			return d, err
		}
		d.First = append(d.First, a.took.Seconds())
		if a, err = who.get(ctx, at, "grid"); err != nil {
			return d, err
		}
		d.Deep = append(d.Deep, a.took.Seconds())
	}
	return d, nil
}

// scoped finds somebody who may see one unit and what is below it: the highest unit in which there is such a person.
func (g *gridAsker) scoped(ctx context.Context) (directory.User, bool, error) {
	units := slices.Clone(g.cfg.OrgUnits)
	slices.SortStableFunc(units, func(a, b directory.OrgUnit) int {
		return cmp.Compare(strings.Count(a.FullName, " / "), strings.Count(b.FullName, " / "))
	})
	for _, role := range g.cfg.AccessRoles {
		if role.Scope != "own-unit-and-below" {
			continue
		}
		for _, u := range units {
			page, err := g.handle.UsersPage(ctx, directory.UserQuery{Limit: 1, Filter: directory.UserFilter{Where: []directory.Condition{
				{Column: "access_role", Op: directory.OpEqual, Value: role.Name}, {Column: "org_unit", Op: directory.OpEqual, Value: u.FullName}}}})
			if err != nil {
				return directory.User{}, false, err
			}
			if len(page.Users) > 0 {
				return page.Users[0], true, nil
			}
		}
	}
	return directory.User{}, false, nil
}

// scopedQuestions are a few kinds, each drawn from several.
func (g *gridAsker) scopedQuestions(all []gridQuestion) []gridQuestion {
	some := func(group string, limit time.Duration, which func(gridQuestion) bool) gridQuestion {
		from := slices.DeleteFunc(slices.Clone(all), func(q gridQuestion) bool { return !which(q) })
		return gridQuestion{group: group, limit: limit, count: from[0].count, draw: func() directory.UserQuery { return one(g, from).draw() }}
	}
	unfiltered := func(q gridQuestion) bool { return strings.HasPrefix(q.group, "unfiltered") }
	return []gridQuestion{
		some("unfiltered, any hot sort", hotGrid, func(q gridQuestion) bool { return !q.count && unfiltered(q) }),
		some("one common filter, any hot sort", otherGrid, func(q gridQuestion) bool { return !q.count && q.limit == hotGrid && !unfiltered(q) }),
		some("any other combination", otherGrid, func(q gridQuestion) bool { return !q.count && q.limit == otherGrid }),
		some("search", searchGrid, func(q gridQuestion) bool { return !q.count && q.limit == searchGrid }),
		some("count: all", 0, func(q gridQuestion) bool { return q.count && q.group == "count: all" }),
		some("count: any filter", 0, func(q gridQuestion) bool { return q.count && q.group != "count: all" }),
	}
}
