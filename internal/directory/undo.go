package directory

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"muster/internal/sqldb"
)

// goes is what an undo takes back of the users that a batch inserted: whom nobody changed since and nobody reports to.
const goes = `id >= $1 AND id < $2 AND batch_id = $3 AND version = 1
	AND NOT EXISTS (SELECT 1 FROM users r WHERE r.supervisor_id = users.id)`

// withinScope is a condition that is true of users in the actor's scope. Who has no org unit is in scope only
// everywhere.
func (h *Handle) withinScope(ctx context.Context, q sqldb.Querier) (string, error) {
	if h.actor.scope.IsEverywhere() {
		return "1 = 1", nil
	}
	type unit struct {
		ID   int64
		Path string
	}
	// Numbers of our own, so that they may stand in the statement.
	ids := []string{"-1"}
	for u, err := range sqldb.Each[unit](ctx, q, "SELECT id, path FROM org_units") {
		if err != nil {
			return "", fmt.Errorf("read the org units: %w", err)
		}
		if h.actor.scope.Contains(u.Path) {
			ids = append(ids, strconv.FormatInt(u.ID, 10))
		}
	}
	return "coalesce(users.org_unit_id, 0) IN (" + strings.Join(ids, ", ") + ")", nil
}

// RemoveInserted takes back users of the id range that the batch inserted: those in the actor's scope that nobody
// changed since and nobody reports to. Supervisors whose reports go in this call stay until the next: call it until it removes nobody, and
// what [Handle.KeptInserted] then lists is what stays. It must run in a [sqldb.DB.BulkTx].
func (h *Handle) RemoveInserted(ctx context.Context, tx *sqldb.Tx, batchID int64, ids IDs) (removed int64, err error) {
	if err := h.actor.Need("users:add"); err != nil {
		return 0, err
	}
	within, err := h.withinScope(ctx, tx)
	if err != nil {
		return 0, err
	}
	if removed, err = takeBack(ctx, tx, batchID, ids, within); err == nil && removed > 0 {
		err = noteWritten(ctx, tx, ids)
	}
	return removed, err
}

func takeBack(ctx context.Context, tx *sqldb.Tx, batchID int64, ids IDs, within string) (removed int64, err error) {
	if tx.Engine() == sqldb.SQLite {
		return removeBetween(ctx, tx, batchID, ids, within)
	}
	// What hangs on a user goes with it by the foreign keys, and they speak up where somebody refers to one by now.
	res, err := tx.ExecContext(ctx, "DELETE FROM users WHERE "+goes+" AND "+within, ids.First, ids.End, batchID)
	if err != nil {
		return 0, fmt.Errorf("take back users: %w", err)
	}
	return res.RowsAffected()
}

// removeBetween is RemoveInserted on SQLite, where nobody else writes meanwhile and a load's connection does not
// cascade: it finds who stays, few as a rule, and deletes the ranges between them from all tables.
func removeBetween(ctx context.Context, tx *sqldb.Tx, batchID int64, ids IDs, within string) (removed int64, err error) {
	// Whoever was just judged to have one of these as supervisor must look again.
	if _, err := tx.ExecContext(ctx, "UPDATE directory_revision SET people = people + 1"); err != nil {
		return 0, err
	}
	stay, err := sqldb.All[int64](ctx, tx, `SELECT id FROM users WHERE id >= $1 AND id < $2
		AND (batch_id IS NOT $3 OR version <> 1 OR NOT `+within+` OR EXISTS (SELECT 1 FROM users r WHERE r.supervisor_id = users.id)) ORDER BY id`,
		ids.First, ids.End, batchID)
	if err != nil {
		return 0, fmt.Errorf("find who stays: %w", err)
	}
	from := ids.First
	for _, id := range append(stay, ids.End) {
		if id > from {
			n, err := removeRange(ctx, tx, IDs{First: from, End: id})
			if err != nil {
				return 0, err
			}
			removed += n
		}
		from = id + 1
	}
	return removed, nil
}

func removeRange(ctx context.Context, tx *sqldb.Tx, ids IDs) (int64, error) {
	res, err := tx.ExecContext(ctx, "DELETE FROM users WHERE id >= $1 AND id < $2", ids.First, ids.End)
	if err != nil {
		return 0, fmt.Errorf("take back users: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return n, err
	}
	for _, table := range []string{"user_roles", "user_channels", "user_features"} {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("DELETE FROM %s WHERE user_id >= $1 AND user_id < $2", table), ids.First, ids.End); err != nil {
			return 0, fmt.Errorf("take back from %s: %w", table, err)
		}
	}
	return n, nil
}

// Kept is a user that an undo left as it is.
type Kept struct {
	ID         int64
	LANID      string
	OutOfScope bool // of whoever takes back
	Changed    bool // since the batch; otherwise somebody reports to them
}

// KeptInserted lists the batch's users of the id range that are still there, by id.
func (h *Handle) KeptInserted(ctx context.Context, q sqldb.Querier, batchID int64, ids IDs) iter.Seq2[Kept, error] {
	type row struct {
		ID      int64
		LANID   string
		Version int64
		Within  int
	}
	return func(yield func(Kept, error) bool) {
		if err := h.actor.Need("users:add"); err != nil {
			yield(Kept{}, err)
			return
		}
		within, err := h.withinScope(ctx, q)
		if err != nil {
			yield(Kept{}, err)
			return
		}
		for r, err := range sqldb.Each[row](ctx, q, "SELECT id, lan_id, version, CASE WHEN "+within+" THEN 1 ELSE 0 END FROM users WHERE id >= $1 AND id < $2 AND batch_id = $3 ORDER BY id", ids.First, ids.End, batchID) {
			if !yield(Kept{ID: r.ID, LANID: r.LANID, OutOfScope: r.Within == 0, Changed: r.Version > 1}, err) || err != nil {
				return
			}
		}
	}
}
