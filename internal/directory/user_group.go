package directory

import (
	"context"
	"fmt"
	"strings"

	"muster/internal/sqldb"
)

// walkGroups is for an order in which many users share a key because one bulk action wrote it: a million users imported
// at once were all changed at one time, and among them are those that a condition picks anywhere. It goes from one such
// group to the next, and within a group along the condition's own index, which is by id too, between the first and the
// last id of the group. done is false where the groups are too many, or too much of the index is others' users.
func (f *finder) walkGroups(ctx context.Context, driver *term) (found []position, done bool, err error) {
	compare, desc := f.direction()
	key := f.order.column()
	at := f.after
	for range gridLimits.groups {
		var group int64
		within := at != nil && at.id != 0 // the page begins inside a group
		if within {
			group = at.key.(int64)
		} else {
			s := f.statement()
			where := ""
			if at != nil {
				where = " WHERE " + key + " " + compare + " " + s.arg(at.key)
			}
			var there bool
			group, there, err = sqldb.One[int64](ctx, f.q, fmt.Sprintf("SELECT %s FROM users u%s ORDER BY %s%s LIMIT 1", key, where, key, desc), s.args...)
			if err != nil || !there {
				return found, err == nil, err
			}
		}
		stretch := stretch{segment: segment{same: group, tie: key}}
		if within {
			stretch.after = at
		}
		got, done, err := f.walkDriver(ctx, driver, stretch, f.need-len(found))
		if err != nil || !done {
			return found, false, err
		}
		if found = append(found, got...); len(found) == f.need {
			return found, true, nil
		}
		at = &position{key: group}
	}
	return found, false, nil
}

// walkDriver is walkSegment along the index of a condition, for a segment that is by id.
func (f *finder) walkDriver(ctx context.Context, driver *term, g stretch, need int) (found []position, done bool, err error) {
	low, high, err := f.idRange(ctx, g)
	if err != nil || low > high {
		return nil, err == nil, err
	}
	for _, window := range []int{gridLimits.firstWindow, gridLimits.lastWindow} {
		if found, done, err = f.walkDriverFor(ctx, driver, g, low, high, need, window); err != nil || done {
			return found, done, err
		}
	}
	return found, false, nil
}

func (f *finder) walkDriverFor(ctx context.Context, driver *term, g stretch, low, high int64, need, window int) (found []position, done bool, err error) {
	_, desc := f.direction()
	s := f.statement()
	id, from, where := "u.id", "users u", ""
	if driver.from != nil {
		id, from, where = "d.user_id", driver.from(s), driver.count(s)
	} else {
		where = driver.where(s, true)
	}
	inner := fmt.Sprintf("SELECT %s AS id FROM %s WHERE %s AND %s >= %s AND %s <= %s ORDER BY %s%s LIMIT %d",
		id, from, where, id, s.arg(low), id, s.arg(high), id, desc, window)
	count := *s
	predicates := []string{"u.id = w.id", s.column(strings.TrimPrefix(g.tie, "u."), false) + " = " + s.arg(g.same)}
	for i := range f.terms {
		if t := &f.terms[i]; t != driver {
			predicates = append(predicates, t.where(s, false))
		}
	}
	query := fmt.Sprintf("SELECT 0, w.id FROM (%s) w CROSS JOIN users u%s ORDER BY w.id%s LIMIT %d", inner, whereAll(predicates), desc, need)
	if found, err = f.positions(ctx, s, g.segment, query); err != nil || len(found) == need {
		return found, err == nil, err
	}
	n, _, err := sqldb.One[int](ctx, f.q, "SELECT count(*) FROM ("+inner+") w", count.args...)
	return found, n < window, err
}

// idRange is between which ids the users of a tie are that are still ahead; empty where low is above high.
func (f *finder) idRange(ctx context.Context, g stretch) (low, high int64, err error) {
	s := f.statement()
	of := g.tie + " = " + s.arg(g.same)
	end := func(desc string) string {
		return "coalesce((SELECT u.id FROM users u WHERE " + of + " ORDER BY u.id" + desc + " LIMIT 1), 0)"
	}
	type ids struct{ Low, High int64 }
	r, _, err := sqldb.One[ids](ctx, f.q, "SELECT "+end("")+", "+end(" DESC"), s.args...)
	if err != nil {
		return 0, 0, err
	}
	switch {
	case g.after == nil:
	case f.descending:
		r.High = min(r.High, g.after.id-1)
	default:
		r.Low = max(r.Low, g.after.id+1)
	}
	return r.Low, r.High, nil
}
