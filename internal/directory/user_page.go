package directory

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// UserQuery is one page of the grid.
type UserQuery struct {
	Filter UserFilter
	Sort   UserSort
	// After and Before are cursors of a [UserPage]: the page after or before it. At most one is set; none is the first
	// page.
	After, Before string
	Limit         int // users on a page, 1 to MostOnPage; 0 for DefaultOnPage
}

// Sizes of a page.
const (
	DefaultOnPage = 50
	MostOnPage    = 500
)

// UserPage is a page of users. Next and Previous are cursors, "" where nothing follows or precedes.
type UserPage struct {
	Users          []User
	Next, Previous string
}

// UsersPage returns a page of the users within the actor's scope. Pages that follow each other, forwards or backwards,
// show every user once, unless one is changed meanwhile; the thousandth takes no longer than the first. A cursor that
// is damaged or of another sort order is an error of kind Invalid.
func (h *Handle) UsersPage(ctx context.Context, q UserQuery) (page UserPage, err error) {
	if err := q.check(); err != nil {
		return UserPage{}, err
	}
	err = h.listing(ctx, q.Filter, q.Sort, func(l *listing) error {
		page, err = l.userPage(ctx, q)
		return err
	})
	return page, err
}

func (q UserQuery) check() error {
	if q.After != "" && q.Before != "" {
		return fault.New(fault.Invalid, "a page is either after or before another, not both; start from the first page")
	}
	return q.Sort.Check()
}

func (q UserQuery) limit() int {
	if q.Limit == 0 {
		return DefaultOnPage
	}
	return min(max(q.Limit, 1), MostOnPage)
}

func (l *listing) userPage(ctx context.Context, q UserQuery) (page UserPage, err error) {
	o := q.Sort.order(&l.cfg)
	f := finder{listing: l, order: o, descending: q.Sort.Descending != (q.Before != ""), need: q.limit() + 1}
	if text := q.After + q.Before; text != "" {
		at, err := o.position(q.Sort, text)
		if err != nil {
			return page, err
		}
		f.after = &at
	}
	found, err := f.find(ctx)
	if err != nil {
		return page, fmt.Errorf("find a page of users: %w", err)
	}
	more := len(found) == f.need
	if more {
		found = found[:f.need-1]
	}
	if q.Before != "" {
		slices.Reverse(found)
	}
	ids := make([]int64, len(found))
	for i, at := range found {
		ids[i] = at.id
	}
	if page.Users, err = l.users(ctx, ids); err != nil || len(found) == 0 {
		return page, err
	}
	if more && q.Before == "" || q.Before != "" {
		page.Next = o.cursor(q.Sort, found[len(found)-1])
	}
	if more && q.Before != "" || q.After != "" {
		page.Previous = o.cursor(q.Sort, found[0])
	}
	return page, nil
}

// finder finds the users of a page: the first so many in an order, after a place in it, that the filter picks.
type finder struct {
	*listing
	order      order
	descending bool
	after      *position
	need       int

	// own are the terms that are ranges of the order's column: to walk along its index is to walk along what they
	// find. others are all the others.
	own, others []term
}

func (f *finder) prepare() {
	for i := range f.terms {
		if t := &f.terms[i]; f.isOwn(t) {
			f.own = append(f.own, *t)
		} else {
			f.others = append(f.others, *t)
		}
	}
}

func (f *finder) isOwn(t *term) bool { return t.of != "" && t.of == f.order.column() }

// find returns the places of up to need users in the direction of reading.
//
// There are two ways. To walk along the index of the order and look at each user is quick where many match, wherever
// they are in the order. To fetch all that an index of a condition finds, and sort them, is quick where few do. Between
// the two, on SQLite, the ids that the index finds are gathered first, and the walk looks at no user but those. Where the
// texts in memory find many, or have the order, they go before all of these. Which
// it is the engines cannot know (a filter's value is a parameter, and their statistics may be missing), so that it is
// counted here, up to a bound, and tried out.
func (f *finder) find(ctx context.Context) ([]position, error) {
	f.prepare()
	if f.nobody {
		return nil, nil
	}
	if len(f.others) == 0 && f.order.segments != nil {
		found, _, err := f.walk(ctx, 0)
		return found, err
	}
	driver, count, err := f.driver(ctx, gridLimits.mostFetched)
	if err != nil || driver != nil && count == 0 {
		return nil, err
	}
	if f.texts != nil && (driver == nil || count > gridLimits.fewMatches) {
		if found, done, err := f.findInTexts(ctx, driver, count); err != nil || done {
			return found, err
		}
	}
	if driver != nil && count <= gridLimits.fewMatches || f.order.segments == nil {
		return f.fetch(ctx, driver)
	}
	set := f.withSet(driver)
	if set != nil && count <= gridLimits.mostFetched {
		if found, done, err := set.walkWithin(ctx, int(count)*gridLimits.setWindow); err != nil || done {
			return found, err
		}
		return f.fetch(ctx, driver)
	}
	found, done, err := f.walk(ctx, gridLimits.firstWindow)
	if err != nil || done {
		return found, err
	}
	// What was found so far tells how far the walk has to go, with a little to spare.
	far := gridLimits.lastWindow
	if len(found) > 0 {
		far = gridLimits.firstWindow * f.need / len(found) * 3 / 2
	}
	again := far <= gridLimits.lastWindow && (driver == nil || int64(far) <= count)
	if len(found) == 0 && (set != nil || len(f.order.segments) > gridLimits.segments) {
		again = false // there is a better way, or a second attempt would end at the same segment
	}
	if again {
		if found, done, err = f.walk(ctx, far); err != nil || done {
			return found, err
		}
	}
	if set != nil {
		found, _, err = set.walk(ctx, 0)
		return found, err
	}
	return f.fetch(ctx, driver)
}

// findOn is find for a walk over all that match: one way along the index from beginning to end, in however many pages,
// costs less than to look for a quicker way each time.
func (f *finder) findOn(ctx context.Context) ([]position, error) {
	f.prepare()
	if f.nobody {
		return nil, nil
	}
	driver, count, err := f.driver(ctx, gridLimits.fewMatches)
	if err != nil || driver != nil && count == 0 {
		return nil, err
	}
	if driver != nil && count <= gridLimits.fewMatches {
		return f.fetch(ctx, driver)
	}
	found, _, err := f.walk(ctx, 0)
	return found, err
}

// gridLimits decide between the ways; the tests make them small.
var gridLimits = struct {
	// So many users are always fetched rather than looked for, and more than mostFetched not before they were.
	fewMatches, mostFetched int64
	// The walk looks at so many users in a first attempt, and in a second.
	firstWindow, lastWindow int
	segments, groups        int // bound the statements for one page
	// To look up a user's row takes as long as to pass by so many entries of an index.
	setWindow int
}{fewMatches: 2000, mostFetched: 20000, firstWindow: 2000, lastWindow: 32000, segments: 50, groups: 20, setWindow: 10}

// driver returns the condition whose index finds the fewest users, and how many: exactly up to most, most+1 beyond.
// nil where no index finds any.
func (l *listing) driver(ctx context.Context, most int64) (driver *term, count int64, err error) {
	for i := range l.terms {
		t := &l.terms[i]
		if !t.index {
			continue
		}
		s, n := l.statement(), t.known
		if n > 0 {
			if driver == nil || n < count {
				driver, count, most = t, n, min(most, n)
			}
			continue
		}
		n, _, err := sqldb.One[int64](ctx, l.q, "SELECT count(*) FROM (SELECT 1 FROM "+t.counting(s)+fmt.Sprintf(" LIMIT %d) d", most+1), s.args...)
		if err != nil {
			return nil, 0, err
		}
		if driver == nil || n < count {
			driver, count, most = t, n, min(most, n)
		}
	}
	return driver, count, nil
}

// counting is what comes after FROM in a statement that counts what the term finds.
func (t *term) counting(s *statement) string {
	if t.from == nil {
		return "users u WHERE " + t.where(s, true)
	}
	from := t.from(s)
	return from + " WHERE " + t.count(s)
}
