package directory

import (
	"context"
	"fmt"

	"muster/internal/sqldb"
)

// withSet is the finder that tests the driving condition as a predicate on nothing but the id: the ids that its index
// finds are gathered once, and a walk along the order's index then looks up the rows of those alone. nil where that
// does not pay: an order that is not by an index on a column of its own looks up rows anyway, and PostgreSQL, which
// fetches by bitmap, does as much by itself.
func (f *finder) withSet(driver *term) *finder {
	if driver == nil || f.db.Engine != sqldb.SQLite || f.order.column() == "" || f.isOwn(driver) {
		return nil
	}
	set := *driver
	set.where = func(s *statement, _ bool) string {
		if driver.from == nil {
			return "+u.id IN (SELECT u.id FROM users u WHERE " + driver.where(s, true) + ")"
		}
		return "+u.id IN (SELECT d.user_id FROM " + driver.from(s) + " WHERE " + driver.count(s) + ")"
	}
	g := *f
	g.others = []term{set}
	for i := range f.terms {
		if t := &f.terms[i]; t != driver && !f.isOwn(t) {
			g.others = append(g.others, *t)
		}
	}
	return &g
}

// walkWithin is walk over so many entries of the order's index at most.
func (f *finder) walkWithin(ctx context.Context, entries int) (found []position, done bool, err error) {
	for _, g := range f.ahead() {
		end, passed, err := f.endOf(ctx, g, entries)
		if err != nil {
			return nil, false, err
		}
		for _, part := range g.upTo(end) {
			got, err := f.walkUntil(ctx, part, f.need-len(found))
			if err != nil {
				return nil, false, err
			}
			if found = append(found, got...); len(found) == f.need {
				return found, true, nil
			}
		}
		if entries -= passed; entries <= 0 {
			return found, false, nil
		}
	}
	return found, true, nil
}

// endOf is the place that is so many entries down the stretch; nil where it has fewer. passed is how many they are.
func (f *finder) endOf(ctx context.Context, g stretch, entries int) (end *position, passed int, err error) {
	s := f.statement()
	along := f.along(s, g)
	rest := fmt.Sprintf("FROM users u%s ORDER BY %s LIMIT 1 OFFSET %d", whereAll(along.where), along.order, entries-1)
	at, err := f.positions(ctx, s, g.segment, "SELECT "+g.selected()+", u.id "+rest)
	if err != nil || len(at) > 0 {
		return first(at), entries, err
	}
	s = f.statement()
	along = f.along(s, g)
	passed, _, err = sqldb.One[int](ctx, f.q, "SELECT count(*) FROM users u"+whereAll(along.where), s.args...)
	return nil, passed, err
}

func first(all []position) *position {
	if len(all) == 0 {
		return nil
	}
	return &all[0]
}

// selected is the column that orders the stretch, for a statement to return.
func (g stretch) selected() string {
	if g.key == "" {
		return "0"
	}
	return g.key
}

// part is a stretch to an end: by is the column that says so, "" where it is that of the stretch.
type part struct {
	stretch
	by      string
	end     any
	without bool // the end itself
}

// upTo is the stretch up to a place in it, nil for its end: first whose key is before that place's, then who shares it.
// As in [segment.from], one comparison of both would not be looked up in an index.
func (g stretch) upTo(end *position) []part {
	switch {
	case end == nil:
		return []part{{stretch: g}}
	case g.key == "":
		return []part{{stretch: g, by: "u.id", end: end.id}}
	case g.unique:
		return []part{{stretch: g, by: g.key, end: end.key}}
	}
	same := stretch{segment: segment{where: g.where, same: end.key, tie: g.key}}
	return []part{{stretch: g, by: g.key, end: end.key, without: true}, {stretch: same, by: "u.id", end: end.id}}
}

// walkUntil is walkSegment to the end of the part.
func (f *finder) walkUntil(ctx context.Context, p part, need int) ([]position, error) {
	s := f.statement()
	along := f.along(s, p.stretch)
	if p.by != "" {
		compare, _ := f.direction()
		until := map[string]string{">": "<", "<": ">"}[compare]
		if !p.without {
			until += "="
		}
		along.where = append(along.where, p.by+" "+until+" "+s.arg(p.end))
	}
	where := append(along.where, f.predicates(s, f.others)...)
	return f.positions(ctx, s, p.segment, fmt.Sprintf("SELECT %s, u.id FROM users u%s ORDER BY %s LIMIT %d", p.selected(), whereAll(where), along.order, need))
}
