package directory

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/sqldb"
)

// CountUsers returns how many users within the actor's scope the filter picks.
func (h *Handle) CountUsers(ctx context.Context, f UserFilter) (n int64, err error) {
	err = h.listing(ctx, f, UserSort{}, func(l *listing) error {
		n, err = l.count(ctx)
		return err
	})
	return n, err
}

// count asks the index of the only condition where there is but one, and no user then.
func (l *listing) count(ctx context.Context) (int64, error) {
	if l.nobody {
		return 0, nil
	}
	if !l.tests.none() && !slices.ContainsFunc(l.terms, func(t term) bool { return !t.text }) {
		for _, t := range l.terms {
			if t.known > 0 {
				return t.known, nil
			}
		}
		return l.texts.count(l.tests), nil
	}
	s := l.statement()
	if len(l.terms) == 1 && l.terms[0].index {
		n, _, err := sqldb.One[int64](ctx, l.q, "SELECT count(*) FROM "+l.terms[0].counting(s), s.args...)
		return n, err
	}
	driver, count, err := l.driver(ctx, gridLimits.mostFetched)
	if err != nil || driver != nil && count == 0 {
		return 0, err
	}
	if driver != nil && count > gridLimits.mostFetched {
		driver = nil
	}
	from, where := l.driven(s, driver)
	n, _, err := sqldb.One[int64](ctx, l.q, fmt.Sprintf("SELECT count(*) FROM %s%s", from, whereAll(where)), s.args...)
	return n, err
}
