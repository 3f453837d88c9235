package directory

import (
	"context"
	"fmt"

	"muster/internal/sqldb"
)

// walkGroups is for the order of changes, in which many users share a key because one bulk action wrote it: a million users
// imported at once were changed at a few times, and among them are those that a condition picks anywhere. It goes from one such
// group to the next, and within a group along the condition's own index, which is by id too, between the first and the
// last id of the group. done is false where the groups are too many, or too much of the index is others' users.
func (f *finder) walkGroups(ctx context.Context, driver *term) (found []position, done bool, err error) {
	at := f.after
	for range gridLimits.groups {
		g, there := f.texts.group(at, f.descending)
		if !there {
			return found, true, nil
		}
		got, done, err := f.walkDriver(ctx, driver, g, f.need-len(found))
		if err != nil || !done {
			return nil, false, err
		}
		if found = append(found, got...); len(found) == f.need {
			return found, true, nil
		}
		at = &position{g.at, g.end(f.descending)}
	}
	return nil, false, nil
}

// stampGroup are the users who were changed at one time, by their first id and their last.
type stampGroup struct{ at, first, last int64 }

// end is the id after which nobody of the group follows.
func (g stampGroup) end(descending bool) int64 {
	if descending {
		return g.first
	}
	return g.last
}

// group is the group of whoever follows a place in the order of changes, as far as it follows; nil is before everybody.
func (t *texts) group(after *position, descending bool) (g stampGroup, there bool) {
	sign := int64(1)
	if descending {
		sign = -1
	}
	var from, place int64
	if after != nil {
		from, place = after.key.(int64), after.id
	}
	for _, b := range t.blocks {
		for i, at := range b.at {
			id := b.ids[i]
			switch {
			case after != nil && (sign*at < sign*from || at == from && sign*id <= sign*place):
			case !there || sign*at < sign*g.at:
				g, there = stampGroup{at, id, id}, true
			case at == g.at:
				g.last = id
			}
		}
	}
	return g, there
}

// walkDriver goes along the index of a condition, within a group.
func (f *finder) walkDriver(ctx context.Context, driver *term, g stampGroup, need int) (found []position, done bool, err error) {
	for _, window := range []int{gridLimits.firstWindow, gridLimits.lastWindow} {
		if found, done, err = f.walkDriverFor(ctx, driver, g, need, window); err != nil || done {
			return found, done, err
		}
	}
	return nil, false, nil
}

func (f *finder) walkDriverFor(ctx context.Context, driver *term, g stampGroup, need, window int) (found []position, done bool, err error) {
	_, desc := f.direction()
	s := f.statement()
	id, from, where := "u.id", "users u", ""
	if driver.from != nil {
		id, from, where = "d.user_id", driver.from(s), driver.count(s)
	} else {
		where = driver.where(s, true)
	}
	inner := fmt.Sprintf("SELECT %s AS id FROM %s WHERE %s AND %s >= %s AND %s <= %s ORDER BY %s%s LIMIT %d",
		id, from, where, id, s.arg(g.first), id, s.arg(g.last), id, desc, window)
	count := *s
	predicates := []string{"u.id = w.id", "u.changed_at = " + s.arg(g.at)}
	for i := range f.terms {
		if t := &f.terms[i]; t != driver {
			predicates = append(predicates, t.where(s, false))
		}
	}
	query := fmt.Sprintf("SELECT 0, w.id FROM (%s) w CROSS JOIN users u%s ORDER BY w.id%s LIMIT %d", inner, whereAll(predicates), desc, need)
	if found, err = f.positions(ctx, s, segment{same: g.at}, query); err != nil || len(found) == need {
		return found, err == nil, err
	}
	n, _, err := sqldb.One[int](ctx, f.q, "SELECT count(*) FROM ("+inner+") w", count.args...)
	return found, n < window, err
}
