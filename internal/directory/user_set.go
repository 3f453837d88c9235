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

// walkWithin is walk over so many entries of the order's index at most, and those that share the last one's key.
func (f *finder) walkWithin(ctx context.Context, entries int) (found []position, done bool, err error) {
	for _, g := range f.ahead() {
		end, passed, err := f.endOf(ctx, g, entries)
		if err != nil {
			return nil, false, err
		}
		got, err := f.walkUntil(ctx, g, f.need-len(found), end)
		if err != nil {
			return nil, false, err
		}
		if found = append(found, got...); len(found) == f.need {
			return found, true, nil
		}
		if entries -= passed; entries <= 0 {
			return found, false, nil
		}
	}
	return found, true, nil
}

// endOf is the key, or the id where all have the same key, that is so many entries down the stretch; nil where it has
// fewer. passed is how many they are.
func (f *finder) endOf(ctx context.Context, g stretch, entries int) (end any, passed int, err error) {
	s := f.statement()
	along := f.along(s, g)
	rest := fmt.Sprintf("FROM users u%s ORDER BY %s LIMIT 1 OFFSET %d", whereAll(along.where), along.order, entries-1)
	var there bool
	if f.order.number || g.key == "" {
		end, there, err = sqldb.One[int64](ctx, f.q, "SELECT "+g.by()+" "+rest, s.args...)
	} else {
		end, there, err = sqldb.One[string](ctx, f.q, "SELECT "+g.by()+" "+rest, s.args...)
	}
	if err != nil || there {
		return end, entries, err
	}
	s = f.statement()
	along = f.along(s, g)
	passed, _, err = sqldb.One[int](ctx, f.q, "SELECT count(*) FROM users u"+whereAll(along.where), s.args...)
	return nil, passed, err
}

// by is the column that orders the stretch.
func (g stretch) by() string {
	if g.key == "" {
		return "u.id"
	}
	return g.key
}

// walkUntil is walkSegment to an end, nil for that of the stretch.
func (f *finder) walkUntil(ctx context.Context, g stretch, need int, end any) ([]position, error) {
	s := f.statement()
	along := f.along(s, g)
	if end != nil {
		compare, _ := f.direction()
		until := map[string]string{">": "<=", "<": ">="}[compare]
		along.where = append(along.where, g.by()+" "+until+" "+s.arg(end))
	}
	key := g.key
	if key == "" {
		key = "0"
	}
	where := append(along.where, f.predicates(s, f.others)...)
	return f.positions(ctx, s, g.segment, fmt.Sprintf("SELECT %s, u.id FROM users u%s ORDER BY %s LIMIT %d", key, whereAll(where), along.order, need))
}
