package directory

import (
	"context"
	"fmt"
	"iter"

	"muster/internal/sqldb"
)

// RestorePiece gives up to limit users of the batch's journal, beginning after the id given, the picture back that they
// had, of those who are as the batch left them and within scope; next is the last one that it looked at, 0 at the end. It
// must run in a [sqldb.DB.BulkTx], after Begin.
func (w *PictureWriting) RestorePiece(ctx context.Context, tx *sqldb.Tx, s Stamp, after int64, limit int) (restored []int64, next int64, err error) {
	ids, err := sqldb.All[int64](ctx, tx, `SELECT user_id FROM picture_changes WHERE batch_id = $1 AND undone = 0 AND user_id > $2
		ORDER BY user_id LIMIT $3`, s.BatchID, after, limit)
	if err != nil || len(ids) == 0 {
		return nil, 0, err
	}
	next = ids[len(ids)-1]
	db := w.handle.dir.DB
	if err := lockUsers(ctx, tx, db, ids); err != nil {
		return nil, 0, err
	}
	todo, err := sqldb.All[int64](ctx, tx, fmt.Sprintf(`SELECT users.id FROM picture_changes j JOIN users ON users.id = j.user_id
		WHERE j.batch_id = $2 AND j.undone = 0 AND j.user_id IN %s AND users.version = j.version AND %s ORDER BY users.id`, idsOf(db), w.within), keySet(db, ids), s.BatchID)
	if err != nil {
		return nil, 0, fmt.Errorf("look at users: %w", err)
	}
	if len(todo) == 0 {
		return nil, next, nil
	}
	keys, these := keySet(db, todo), idsOf(db)
	if _, err := tx.ExecContext(ctx, `UPDATE users SET picture = nullif(j.before, ''), version = users.version + 1, changed_by = $2, changed_at = $3
		FROM picture_changes j WHERE j.batch_id = $4 AND j.user_id = users.id AND users.id IN `+these, keys, s.By, s.At, s.BatchID); err != nil {
		return nil, 0, fmt.Errorf("give users their pictures back: %w", err)
	}
	if err := noteUsers(ctx, tx, todo...); err != nil {
		return nil, 0, err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE picture_changes SET undone = 1 WHERE batch_id = $2 AND user_id IN "+these, keys, s.BatchID); err != nil {
		return nil, 0, fmt.Errorf("write the journal of pictures: %w", err)
	}
	return todo, next, nil
}

// KeptPictures lists whom an undo left as they are, by id.
func (w *PictureWriting) KeptPictures(ctx context.Context, q sqldb.Querier, batchID int64) iter.Seq2[KeptChange, error] {
	type row struct {
		ID               int64
		LANID            string
		Outside, Changed int
	}
	return func(yield func(KeptChange, error) bool) {
		query := fmt.Sprintf(`SELECT j.user_id, coalesce(users.lan_id, ''), CASE WHEN %s THEN 0 ELSE 1 END, CASE WHEN users.version = j.version THEN 0 ELSE 1 END
			FROM picture_changes j LEFT JOIN users ON users.id = j.user_id WHERE j.batch_id = $1 AND j.undone = 0 ORDER BY j.user_id`, w.within)
		for r, err := range sqldb.Each[row](ctx, q, query, batchID) {
			if !yield(KeptChange{ID: r.ID, LANID: r.LANID, OutOfScope: r.Outside == 1, Changed: r.Changed == 1}, err) || err != nil {
				return
			}
		}
	}
}

// PictureChange is a user in a batch's journal of pictures.
type PictureChange struct {
	ID            int64
	LANID, Name   string // as they are by now; "" where the user is gone
	Before, After string // hashes; "" is none
	Undone        bool
}

// PictureChangesOf returns up to limit lines of a batch's journal of pictures, by user, after the one given. It is for
// code that has checked that whoever asks may look at the batch.
func PictureChangesOf(ctx context.Context, q sqldb.Querier, batchID, after int64, limit int) ([]PictureChange, error) {
	type row struct {
		ID                         int64
		LANID, Name, Before, After string
		Undone                     int64
	}
	var all []PictureChange
	for r, err := range sqldb.Each[row](ctx, q, `SELECT j.user_id, coalesce(u.lan_id, ''), coalesce(u.first_name || ' ' || u.last_name, ''), j.before, j.after, j.undone
		FROM picture_changes j LEFT JOIN users u ON u.id = j.user_id WHERE j.batch_id = $1 AND j.user_id > $2 ORDER BY j.user_id LIMIT $3`, batchID, after, limit) {
		if err != nil {
			return nil, fmt.Errorf("read the journal of pictures: %w", err)
		}
		all = append(all, PictureChange{ID: r.ID, LANID: r.LANID, Name: r.Name, Before: r.Before, After: r.After, Undone: r.Undone == 1})
	}
	return all, nil
}

// CountPictureChanges counts the users whom the batch's journal of pictures tells of.
func CountPictureChanges(ctx context.Context, q sqldb.Querier, batchID int64) (int64, error) {
	n, _, err := sqldb.One[int64](ctx, q, "SELECT count(*) FROM picture_changes WHERE batch_id = $1", batchID)
	return n, err
}
