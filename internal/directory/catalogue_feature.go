package directory

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// SaveFeature is [Handle.SaveChannel] for a feature. renamed are the values of its list that are called otherwise now, by
// what they were: the users who have one have the other then. They are renamed in short transactions, which go on when the
// caller goes away; meanwhile the old name is a retired value. A value that users have cannot be left out: Conflict, with
// how many they are.
func (h *Handle) SaveFeature(ctx context.Context, seen *Feature, want Feature, renamed map[string]string) (Feature, error) {
	if seen == nil || len(renamed) == 0 {
		return saveEntry(ctx, h, features, seen, want)
	}
	for old, name := range renamed {
		switch {
		case !slices.Contains(seen.held(), old) || slices.Contains(want.held(), old):
			return Feature{}, fault.New(fault.Invalid, "feature %q: %q is no value that can be renamed; look at its values again", want.Name, Shorten(old))
		case !slices.Contains(want.held(), name) || slices.Contains(seen.held(), name):
			return Feature{}, fault.New(fault.Invalid, "feature %q: %q cannot be called %q, as another value is called so or none; choose another name", want.Name, Shorten(old), Shorten(name))
		}
	}
	during := want
	during.RetiredValues = slices.Clone(want.RetiredValues)
	for old, name := range renamed {
		if Fold(old) != Fold(name) { // otherwise only the spelling changes, which saving does
			during.RetiredValues = append(during.RetiredValues, old)
		}
	}
	slices.Sort(during.RetiredValues[len(want.RetiredValues):])
	now, err := saveEntry(ctx, h, features, seen, during)
	if err != nil || len(during.RetiredValues) == len(want.RetiredValues) {
		return now, err
	}
	if err := h.renameValues(ctx, now, renamed); err != nil {
		return now, err
	}
	want.ID = now.ID
	return saveEntry(context.WithoutCancel(ctx), h, features, &now, want)
}

// renameValues gives the users who have one value the other.
func (h *Handle) renameValues(ctx context.Context, f Feature, renamed map[string]string) error {
	for old, name := range renamed {
		err := h.dir.inChunks(ctx, func(ctx context.Context, tx *sqldb.Tx, ids IDs) error {
			_, err := tx.ExecContext(ctx, "UPDATE user_features SET value = $1 WHERE feature_id = $2 AND value = $3 AND user_id >= $4 AND user_id < $5",
				name, f.ID, old, ids.First, ids.End)
			return err
		})
		if err != nil {
			return fmt.Errorf("rename the value %q of the feature %q: %w", old, f.Name, err)
		}
	}
	return nil
}
