package directory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"muster/internal/sqldb"
)

const changedByColumn = "changed_by"

// mostChangers is how many people the conditions on Changed by name one by one; beyond, all users are looked at.
const mostChangers = 1000

// readChangers goes from one to the next along the index, so that a million users who were changed by ten people are
// ten steps. The result is not nil but where they are more than mostChangers.
func readChangers(ctx context.Context, q sqldb.Querier) ([]string, error) {
	all, err := sqldb.All[string](ctx, q, fmt.Sprintf(`
		WITH RECURSIVE c (name) AS (
			SELECT min(changed_by) FROM users
			UNION ALL
			SELECT (SELECT min(u.changed_by) FROM users u WHERE u.changed_by > c.name) FROM c WHERE c.name IS NOT NULL
		)
		SELECT name FROM c WHERE name IS NOT NULL LIMIT %d`, mostChangers+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read who changed users: %w", err)
	case len(all) > mostChangers:
		return nil, nil
	case all == nil:
		return []string{}, nil
	}
	return all, nil
}

func (f UserFilter) asks(column string) bool {
	return slices.ContainsFunc(f.Where, func(w Condition) bool { return w.Column == column && !w.none() })
}

// changedBy is a condition on who changed a user; value is folded.
func (c *termCompiler) changedBy(op, value string) {
	if c.changers == nil {
		c.add(false, func(s *statement, _ bool) string { return s.compare("lower(u.changed_by)", op, value) })
		return
	}
	var names []string
	for _, name := range c.changers {
		if fulfilled(op, Fold(name), value) {
			names = append(names, name)
		}
	}
	switch len(names) {
	case 0:
		c.nobody = true
	case len(c.changers):
	default:
		c.add(true, func(s *statement, driving bool) string {
			return s.column(changedByColumn, driving) + " IN (" + s.list(names) + ")"
		})
		c.all[len(c.all)-1].byID = len(names) == 1
	}
}

// changerSegments are the users of one changer after those of the other; changers who differ in case are one.
func changerSegments(changers []string) (all []segment) {
	byKey := map[string][]string{}
	for _, name := range changers {
		byKey[Fold(name)] = append(byKey[Fold(name)], name)
	}
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		all = append(all, segment{same: key, tie: "u." + changedByColumn, ties: byKey[key]})
	}
	return all
}

// list are texts as parameters.
func (s *statement) list(texts []string) string {
	args := make([]string, len(texts))
	for i, text := range texts {
		args[i] = s.arg(text)
	}
	return strings.Join(args, ", ")
}
