package directory

import (
	"context"
	"fmt"
	"iter"

	"muster/internal/sqldb"
)

// goes is what an undo takes back of the users that a batch inserted: whom nobody changed since and nobody reports to.
const goes = `id >= $1 AND id < $2 AND batch_id = $3 AND version = 1
	AND NOT EXISTS (SELECT 1 FROM users r WHERE r.supervisor_id = users.id)`

// RemoveInserted takes back users of the id range that the batch inserted: those that nobody changed since and nobody
// reports to. Supervisors whose reports go in this call stay until the next: call it until it removes nobody, and
// what [Handle.KeptInserted] then lists is what stays. It must run in a [sqldb.DB.BulkTx].
func (h *Handle) RemoveInserted(ctx context.Context, tx *sqldb.Tx, batchID int64, ids IDs) (removed int64, err error) {
	if err := h.actor.Need("users:add"); err != nil {
		return 0, err
	}
	if tx.Engine() == sqldb.SQLite {
		// A load's connection does not cascade there; nobody else writes meanwhile, so both statements see the same.
		for _, table := range []string{"user_roles", "user_channels", "user_features"} {
			query := fmt.Sprintf("DELETE FROM %s WHERE user_id >= $1 AND user_id < $2 AND EXISTS (SELECT 1 FROM users WHERE id = user_id AND %s)", table, goes)
			if _, err := tx.ExecContext(ctx, query, ids.First, ids.End, batchID); err != nil {
				return 0, fmt.Errorf("take back from %s: %w", table, err)
			}
		}
		// PostgreSQL's foreign keys say so to whoever was just judged to have one of these as supervisor.
		if _, err := tx.ExecContext(ctx, "UPDATE directory_revision SET people = people + 1"); err != nil {
			return 0, err
		}
	}
	res, err := tx.ExecContext(ctx, "DELETE FROM users WHERE "+goes, ids.First, ids.End, batchID)
	if err != nil {
		return 0, fmt.Errorf("take back users: %w", err)
	}
	return res.RowsAffected()
}

// Kept is a user that an undo left as it is.
type Kept struct {
	ID      int64
	LANID   string
	Changed bool // since the batch; otherwise somebody reports to them
}

// KeptInserted lists the batch's users of the id range that are still there, by id.
func (h *Handle) KeptInserted(ctx context.Context, q sqldb.Querier, batchID int64, ids IDs) iter.Seq2[Kept, error] {
	type row struct {
		ID      int64
		LANID   string
		Version int64
	}
	return func(yield func(Kept, error) bool) {
		if err := h.actor.Need("users:add"); err != nil {
			yield(Kept{}, err)
			return
		}
		for r, err := range sqldb.Each[row](ctx, q, "SELECT id, lan_id, version FROM users WHERE id >= $1 AND id < $2 AND batch_id = $3 ORDER BY id", ids.First, ids.End, batchID) {
			if !yield(Kept{ID: r.ID, LANID: r.LANID, Changed: r.Version > 1}, err) || err != nil {
				return
			}
		}
	}
}
