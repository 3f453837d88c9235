package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"muster/internal/sqldb"
)

// SwitchValues are those of a feature of the kind switch.
var SwitchValues = []string{"yes", "no"}

var featureEntity = entity[Feature]{
	subject: "feature", module: "catalogues",
	key: func(f *Feature) (*int64, *string) { return &f.ID, &f.Name },
	attributes: func(f Feature) []attribute {
		return []attribute{{"kind", f.Kind}, {"values", append([]string{}, f.Values...)}, {"default", f.Default}}
	},
	refused: valueInUse,
	save:    saveFeature,
	users:   "SELECT count(*) FROM user_features WHERE feature_id = $1",
	erase:   "DELETE FROM features WHERE id = $1",
}

func (p *changePlan) compareFeatures(want []Feature, prune bool) {
	p.after.Features = compare(p, featureEntity, p.have.Features, want, prune)
	name := func(f Feature) string { return f.Name }
	p.compareOrder("feature-order", "features", each(p.have.Features, name), each(p.after.Features, name))
}

// choices are the values that a user can have.
func (f Feature) choices() []string {
	if f.Kind == "switch" {
		return SwitchValues
	}
	return f.Values
}

func (p *changePlan) checkFeature(f Feature) {
	p.checkName("feature", f.Name)
	switch {
	case f.Kind != "switch" && f.Kind != "list":
		p.faults.add("feature %q: there is no kind %q; use switch or list", f.Name, f.Kind)
		return
	case f.Kind == "switch" && len(f.Values) > 0:
		p.faults.add("feature %q: a switch has no values but yes and no; leave them out, or give the kind list", f.Name)
		return
	case f.Kind == "list" && len(f.Values) == 0:
		p.faults.add("feature %q: the list has no values; give some, or the kind switch", f.Name)
		return
	}
	for _, v := range f.Values {
		if what := badName(v); what != "" {
			p.faults.add("feature %q: the value %q %s", f.Name, Shorten(v), what)
		}
	}
	if v, found := firstRepeated(f.Values, Fold); found {
		p.faults.add("feature %q: the value %q is there twice (case does not count); leave one of them out", f.Name, v)
	}
	if !slices.Contains(f.choices(), f.Default) {
		p.faults.add("feature %q: the default %q is none of its values; use %s", f.Name, f.Default, oneOf(f.choices()))
	}
}

// valueInUse keeps the values that users have among a feature's values; case does not count.
func valueInUse(ctx context.Context, q sqldb.Querier, _, after *Feature) (string, error) {
	used, err := usedValues(ctx, q, after.ID)
	if err != nil {
		return "", err
	}
	var lost []string
	for _, u := range used {
		if !slices.ContainsFunc(after.choices(), func(v string) bool { return Fold(v) == Fold(u.Value) }) {
			lost = append(lost, fmt.Sprintf("%q (%s)", u.Value, people(u.Users)))
		}
	}
	if lost == nil {
		return "", nil
	}
	return fmt.Sprintf("feature %q: in use are also %s; change these users first, or keep the values", after.Name, strings.Join(lost, ", ")), nil
}

type usedValue struct {
	Value string
	Users int64
}

func usedValues(ctx context.Context, q sqldb.Querier, feature int64) ([]usedValue, error) {
	return sqldb.All[usedValue](ctx, q, "SELECT value, count(*) FROM user_features WHERE feature_id = $1 GROUP BY value", feature)
}

func saveFeature(ctx context.Context, tx *sqldb.Tx, f Feature) (err error) {
	if f.ID == 0 {
		f.ID, _, err = sqldb.One[int64](ctx, tx, "INSERT INTO features (position, name, kind, default_value) VALUES (0, $1, $2, $3) RETURNING id", f.Name, f.Kind, f.Default)
	} else {
		_, err = tx.ExecContext(ctx, "UPDATE features SET kind = $1, default_value = $2 WHERE id = $3", f.Kind, f.Default, f.ID)
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM feature_values WHERE feature_id = $1", f.ID); err != nil {
		return err
	}
	for i, v := range f.Values {
		if _, err := tx.ExecContext(ctx, "INSERT INTO feature_values (feature_id, position, value) VALUES ($1, $2, $3)", f.ID, i+1, v); err != nil {
			return err
		}
	}
	return respell(ctx, tx, f)
}

// respell gives the values that users have the spelling that they now have in the feature, and lets go those that
// are its default now: only what differs from it is kept.
func respell(ctx context.Context, tx *sqldb.Tx, f Feature) error {
	used, err := usedValues(ctx, tx, f.ID)
	if err != nil {
		return err
	}
	for _, u := range used {
		i := slices.IndexFunc(f.choices(), func(v string) bool { return Fold(v) == Fold(u.Value) })
		if i < 0 || f.choices()[i] == u.Value {
			continue
		}
		if _, err := tx.ExecContext(ctx, "UPDATE user_features SET value = $1 WHERE feature_id = $2 AND value = $3", f.choices()[i], f.ID, u.Value); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM user_features WHERE feature_id = $1 AND value = $2", f.ID, f.Default)
	return err
}
