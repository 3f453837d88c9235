package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"muster/internal/sqldb"
)

// directions of a walk: how a key compares with the place that it begins after, and the order.
func (f *finder) direction() (compare, order string) {
	if f.descending {
		return "<", " DESC"
	}
	return ">", ""
}

// walk goes along the segments. window is how many users it may look at in each, 0 for as many as it takes; done tells
// that it got all that there are, or all that are needed.
func (f *finder) walk(ctx context.Context, window int) (found []position, done bool, err error) {
	for i, g := range f.ahead() {
		got, done, err := f.walkSegment(ctx, g, f.need-len(found), window)
		if err != nil {
			return nil, false, err
		}
		found = append(found, got...)
		if !done || len(found) == f.need {
			return found, done, nil
		}
		if window > 0 && i > gridLimits.segments {
			return found, false, nil
		}
	}
	return found, true, nil
}

// stretch is a segment from where the page begins.
type stretch struct {
	segment
	after *position // nil where all of it is ahead
}

// ahead are the segments that are not yet passed, in the direction of reading.
func (f *finder) ahead() []stretch {
	segments := slices.Clone(f.order.segments)
	if f.descending {
		slices.Reverse(segments)
	}
	var all []stretch
	for _, g := range segments {
		after := f.after
		if after != nil && g.key == "" {
			c := compareKeys(g.same, after.key)
			if f.descending {
				c = -c
			}
			if c < 0 {
				continue
			}
			if c > 0 {
				after = nil
			}
		}
		for _, part := range g.from(after) {
			all = append(all, stretch{part, after})
		}
	}
	return all
}

func (f *finder) walkSegment(ctx context.Context, g stretch, need, window int) (found []position, done bool, err error) {
	s := f.statement()
	along := f.along(s, g)
	if window == 0 {
		found, err = f.walkUntil(ctx, part{stretch: g}, need)
		return found, true, err
	}
	inner := fmt.Sprintf("SELECT %s FROM users u%s ORDER BY %s LIMIT %d", strings.Join(filterColumns, ", "), whereAll(along.where), along.order, window)
	query := fmt.Sprintf("SELECT %s, u.id FROM (%s) u%s ORDER BY %s LIMIT %d", g.selected(), inner, whereAll(f.predicates(s, f.others)), along.order, need)
	if found, err = f.positions(ctx, s, g.segment, query); err != nil || len(found) == need {
		return found, err == nil, err
	}
	s = f.statement()
	along = f.along(s, g)
	n, _, err := sqldb.One[int](ctx, f.q, fmt.Sprintf("SELECT count(*) FROM (SELECT 1 FROM users u%s ORDER BY %s LIMIT %d) d", whereAll(along.where), along.order, window), s.args...)
	return found, n < window, err
}

// filterColumns are those that terms look at.
var filterColumns = []string{"u.id", "u.lan_key", "u.first_key", "u.last_key", "u.agent_key", "u.pbx_id", "u.profile", "u.supervisor_id",
	"u.org_unit_id", "u.access_role_id", "u.crm_name_id", "u.greeting_template_id", "u.picture", "u.active", "u.changed_by", "u.changed_at", "u.batch_id"}

// alongIndex is the way along a segment.
type alongIndex struct {
	where []string
	order string
}

func (f *finder) along(s *statement, g stretch) (a alongIndex) {
	compare, desc := f.direction()
	if g.where != "" {
		a.where = append(a.where, g.where)
	}
	for _, t := range f.own {
		a.where = append(a.where, t.where(s, true))
	}
	switch {
	case g.key == "":
		a.order = "u.id" + desc
		if g.tie != "" {
			a.where = append(a.where, g.tie+" = "+s.arg(g.same))
		}
		if g.after != nil {
			a.where = append(a.where, "u.id "+compare+" "+s.arg(g.after.id))
		}
	default:
		a.order = g.key + desc
		if !g.unique {
			a.order += ", u.id" + desc
		}
		if g.after != nil {
			a.where = append(a.where, g.key+" "+compare+" "+s.arg(g.after.key))
		}
	}
	return a
}

// fetch looks at all that the driving condition finds, or at all users, and keeps the first in the order.
func (f *finder) fetch(ctx context.Context, driver *term) ([]position, error) {
	compare, desc := f.direction()
	s := f.statement()
	from, where := f.driven(s, driver)
	// Not the bare column: no index is to be walked along.
	key, id := f.order.key, "u.id + 0"
	switch {
	case f.order.column() == "":
	case f.order.number:
		key += " + 0"
	default:
		key += " || ''"
	}
	if f.after != nil {
		where = append(where, fmt.Sprintf("(%s, %s) %s (%s, %s)", key, id, compare, s.arg(f.after.key), s.arg(f.after.id)))
	}
	query := fmt.Sprintf("SELECT %s, u.id FROM %s%s%s ORDER BY %s%s, %s%s LIMIT %d", key, from, f.order.join, whereAll(where), key, desc, id, desc, f.need)
	return f.positions(ctx, s, segment{key: key}, query)
}

// driven begins a statement with what the driving condition finds, nil for all users.
func (l *listing) driven(s *statement, driver *term) (from string, where []string) {
	from = "users u"
	switch {
	case driver == nil:
	case driver.from != nil:
		from = driver.from(s) + " CROSS JOIN users u"
		where = append(where, driver.link(s))
	default:
		where = append(where, driver.where(s, true))
	}
	for i := range l.terms {
		if t := &l.terms[i]; t != driver {
			where = append(where, t.where(s, false))
		}
	}
	return from, where
}

// predicates are those of the terms, for a statement that goes by something else.
func (l *listing) predicates(s *statement, terms []term) []string {
	var all []string
	for _, t := range terms {
		all = append(all, t.where(s, false))
	}
	return all
}

func whereAll(predicates []string) string {
	if len(predicates) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(predicates, " AND ")
}

// positions runs a statement that returns keys and ids.
func (f *finder) positions(ctx context.Context, s *statement, g segment, query string) ([]position, error) {
	var all []position
	if f.order.number || g.key == "" {
		for r, err := range sqldb.Each[struct{ Key, ID int64 }](ctx, f.q, query, s.args...) {
			if err != nil {
				return nil, err
			}
			p := position{r.Key, r.ID}
			if g.key == "" {
				p.key = g.same
			}
			all = append(all, p)
		}
		return all, nil
	}
	for r, err := range sqldb.Each[struct {
		Key string
		ID  int64
	}](ctx, f.q, query, s.args...) {
		if err != nil {
			return nil, err
		}
		all = append(all, position{r.Key, r.ID})
	}
	return all, nil
}
