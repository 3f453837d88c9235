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
		return []attribute{
			{"kind", f.Kind}, {"values", append([]string{}, f.Values...)}, {"retired_values", append([]string{}, f.RetiredValues...)},
			{"default", f.Default}, {"retired", f.Retired},
		}
	},
	refused: valueInUse,
	save:    saveFeature,
	users:   "SELECT count(*) FROM user_features WHERE feature_id = $1",
	erase:   "DELETE FROM features WHERE id = $1",
}

func (p *changePlan) compareFeatures(want []Feature, prune bool) {
	all := compare(p, featureEntity, p.have.AllFeatures(), want, prune)
	p.after.Features, p.after.Retired.Features = apart(all, func(f Feature) bool { return f.Retired })
	name := func(f Feature) string { return f.Name }
	p.compareOrder("feature-order", "features", each(p.have.Features, name), each(p.after.Features, name))
}

// held are the values that a user can have, those among them that are given to nobody else too.
func (f Feature) held() []string {
	return append(slices.Clone(f.choices()), f.RetiredValues...)
}

// choices are the values that a user can be given.
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
	case f.Kind == "switch" && len(f.Values)+len(f.RetiredValues) > 0:
		p.faults.add("feature %q: a switch has no values but yes and no; leave them out, or give the kind list", f.Name)
		return
	case f.Kind == "list" && len(f.Values) == 0:
		p.faults.add("feature %q: the list has no values; give some, or the kind switch", f.Name)
		return
	}
	for _, v := range append(slices.Clone(f.Values), f.RetiredValues...) {
		if what := badName(v); what != "" {
			p.faults.add("feature %q: the value %q %s", f.Name, Shorten(v), what)
		}
	}
	if v, found := firstRepeated(append(slices.Clone(f.Values), f.RetiredValues...), Fold); found {
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
		if !slices.ContainsFunc(after.held(), func(v string) bool { return Fold(v) == Fold(u.Value) }) {
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
		f.ID, _, err = sqldb.One[int64](ctx, tx, "INSERT INTO features (position, name, kind, default_value, retired) VALUES (0, $1, $2, $3, $4) RETURNING id", f.Name, f.Kind, f.Default, bit(f.Retired))
	} else {
		_, err = tx.ExecContext(ctx, "UPDATE features SET kind = $1, default_value = $2, retired = $4 WHERE id = $3", f.Kind, f.Default, f.ID, bit(f.Retired))
	}
	if err != nil {
		return err
	}
	had, err := sqldb.All[string](ctx, tx, "SELECT value FROM feature_values WHERE feature_id = $1", f.ID)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM feature_values WHERE feature_id = $1", f.ID); err != nil {
		return err
	}
	for i, v := range append(slices.Clone(f.Values), f.RetiredValues...) {
		retired := bit(i >= len(f.Values))
		if _, err := tx.ExecContext(ctx, "INSERT INTO feature_values (feature_id, position, value, retired) VALUES ($1, $2, $3, $4)", f.ID, i+1, v, retired); err != nil {
			return err
		}
	}
	if len(minus(had, f.held())) == 0 {
		return nil // no value is spelled otherwise than before
	}
	return respell(ctx, tx, f)
}

// respell gives the values that users have the spelling that they now have in the feature.
func respell(ctx context.Context, tx *sqldb.Tx, f Feature) error {
	used, err := usedValues(ctx, tx, f.ID)
	if err != nil {
		return err
	}
	held := f.held()
	for _, u := range used {
		i := slices.IndexFunc(held, func(v string) bool { return Fold(v) == Fold(u.Value) })
		if i < 0 || held[i] == u.Value {
			continue
		}
		if _, err := tx.ExecContext(ctx, "UPDATE user_features SET value = $1 WHERE feature_id = $2 AND value = $3", held[i], f.ID, u.Value); err != nil {
			return err
		}
	}
	return nil
}
