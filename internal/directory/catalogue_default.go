package directory

import (
	"context"
	"slices"
	"strings"

	"muster/internal/sqldb"
)

// perChunk is how many ids of users one short transaction goes over, so that nobody is held up for long.
const perChunk = 20_000

// inChunks calls fn, each time in a transaction of its own, with one range of users' ids after the other. The caller going
// away does not end it half way.
func (d *Directory) inChunks(ctx context.Context, fn func(ctx context.Context, tx *sqldb.Tx, ids IDs) error) error {
	ctx = context.WithoutCancel(ctx)
	end, _, err := sqldb.One[int64](ctx, d.DB.Read(), "SELECT coalesce(max(id), 0) + 1 FROM users")
	if err != nil {
		return err
	}
	for first := int64(0); first < end; first += perChunk {
		if err := d.DB.Tx(ctx, func(tx *sqldb.Tx) error { return fn(ctx, tx, IDs{First: first, End: first + perChunk}) }); err != nil {
			return err
		}
		d.DB.GiveWay(ctx)
	}
	return nil
}

// changesDefault tells whether a channel's or a feature's default is among what changes.
func (d Difference) changesDefault() bool {
	return slices.ContainsFunc(d, func(c Change) bool {
		return (c.Subject == "channel" || c.Subject == "feature") && c.Op == OpUpdate &&
			slices.ContainsFunc(c.Details, func(s string) bool { return strings.HasPrefix(s, "default: ") })
	})
}

// followDefaults lets go of counts and values that are the default: only what differs from it is kept, and who has just
// that follows it from now on. It changes what nobody has, so that a part of it left undone does no harm.
func (d *Directory) followDefaults(ctx context.Context) {
	_ = d.inChunks(ctx, func(ctx context.Context, tx *sqldb.Tx, ids IDs) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM user_channels WHERE user_id >= $1 AND user_id < $2
			AND count = (SELECT c.default_count FROM channels c WHERE c.id = channel_id)`, ids.First, ids.End)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM user_features WHERE user_id >= $1 AND user_id < $2
			AND value = (SELECT f.default_value FROM features f WHERE f.id = feature_id)`, ids.First, ids.End)
		return err
	})
}
