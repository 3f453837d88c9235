package directory

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"muster/internal/sqldb"
)

// RestorePiece takes back what the batch's journal says of up to limit users, beginning after the id given, of those who are
// as the batch left them, within scope, and with no reason to stay. next is the last one that it looked at, 0 at the end.
// Where that may take somebody's powers, administrators, and who acts, are put off (see [BulkEditing.RestoreLast]). It must
// run in a [sqldb.DB.BulkTx], after Begin.
func (b *BulkEditing) RestorePiece(ctx context.Context, tx *sqldb.Tx, s Stamp, after int64, limit int) (restored int64, putOff []int64, next int64, err error) {
	type span struct{ First, Last, Users int64 }
	f, _, err := sqldb.One[span](ctx, tx, `SELECT coalesce(min(d.user_id), 0), coalesce(max(d.user_id), 0), count(*) FROM
		(SELECT DISTINCT user_id FROM user_changes WHERE batch_id = $1 AND undone = 0 AND user_id > $2 ORDER BY user_id LIMIT $3) AS d`, s.BatchID, after, limit)
	if err != nil || f.Users == 0 {
		return 0, nil, 0, err
	}
	p := rangeOf(b.handle.dir.DB, s.BatchID, f.First, f.Last)
	if putOff, err = b.lastOnes(ctx, tx, p, func(int64) bool { return true }); err != nil {
		return 0, nil, 0, err
	}
	if len(putOff) > 0 {
		if putOff, err = sqldb.All[int64](ctx, tx, fmt.Sprintf("SELECT DISTINCT j.user_id FROM user_changes j WHERE %s AND j.undone = 0 AND j.user_id IN (%s) ORDER BY j.user_id",
			p.journal("j"), idList(putOff)), p.args()...); err != nil {
			return 0, nil, 0, err
		}
	}
	who := always
	if len(putOff) > 0 {
		who = "users.id NOT IN (" + idList(putOff) + ")"
	}
	restored, err = b.restore(ctx, tx, s, p, who)
	return restored, putOff, f.Last, err
}

// RestoreLast is RestorePiece for those who were put off, unless the last administrator is among them
// ([ErrLastAdministrator]; the transaction is then to be rolled back).
func (b *BulkEditing) RestoreLast(ctx context.Context, tx *sqldb.Tx, s Stamp, ids []int64) (restored int64, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	err = b.keeping(ctx, tx, func() error {
		restored, err = b.restore(ctx, tx, s, pieceOf(b.handle.dir.DB, s.BatchID, ids), always)
		return err
	})
	return restored, err
}

// restorable is the condition on users whom nobody changed since, that they need not stay.
func (b *BulkEditing) restorable() string {
	return all(append([]string{b.within}, none(b.kind.stays())...)...)
}

// restore takes back what the journal says of users of the piece for whom the condition holds: first the journal is marked,
// so that what follows concerns the very same.
func (b *BulkEditing) restore(ctx context.Context, tx *sqldb.Tx, s Stamp, p *bulkPiece, who string) (int64, error) {
	if err := p.lockJournalled(ctx, tx); err != nil {
		return 0, err
	}
	res, err := tx.ExecContext(ctx, fmt.Sprintf(`UPDATE user_changes SET undone = 1 WHERE %s AND undone = 0 AND EXISTS (
		SELECT 1 FROM users WHERE users.id = user_changes.user_id AND users.version = user_changes.version AND %s)`,
		p.journal("user_changes"), all(p.in("users.id"), b.restorable(), who)), p.args()...)
	if err != nil {
		return 0, fmt.Errorf("write the journal: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return 0, err
	}
	if err := b.kind.restore(ctx, tx, s, p); err != nil {
		return 0, err
	}
	return p.touch(ctx, tx, s, "", "EXISTS (SELECT 1 FROM user_changes j WHERE "+p.journal("j")+" AND j.user_id = users.id AND j.undone = 1 AND j.version = users.version)")
}

// lockJournalled is [bulkPiece.lock] for those of the piece whom the journal tells of.
func (p *bulkPiece) lockJournalled(ctx context.Context, tx *sqldb.Tx) error {
	if p.db.Engine == sqldb.SQLite {
		return nil
	}
	_, err := tx.ExecContext(ctx, fmt.Sprintf("SELECT count(*) FROM (SELECT 1 FROM users WHERE %s AND EXISTS (SELECT 1 FROM user_changes j WHERE %s AND j.user_id = users.id AND j.undone = 0) ORDER BY id FOR NO KEY UPDATE) AS locked",
		p.in("users.id"), p.journal("j")), p.args()...)
	if err != nil {
		return fmt.Errorf("lock users: %w", err)
	}
	return nil
}

// BulkKept is a user whom the undo of a batch left as they are.
type BulkKept struct {
	ID         int64
	LANID      string // "" where the user is gone
	Changed    bool   // since the batch
	OutOfScope bool   // of whoever takes back
	Stays      int    // place from 1 in [BulkEditing.Stays], 0 for none
}

// Stays are the reasons why an undo leaves somebody whom nobody changed since.
func (b *BulkEditing) Stays() []LeftOut { return b.kind.stays() }

// Kept lists whom an undo left, by id: where no reason is given, it is that nobody else would be administrator.
func (b *BulkEditing) Kept(ctx context.Context, q sqldb.Querier, batchID int64) iter.Seq2[BulkKept, error] {
	type row struct {
		ID                      int64
		LANID                   string
		Changed, Outside, Stays int
	}
	var c strings.Builder
	for i, r := range b.kind.stays() {
		fmt.Fprintf(&c, " WHEN %s THEN %d", r.Condition, i+1)
	}
	stays := "0"
	if c.Len() > 0 {
		stays = "CASE WHEN users.id IS NULL THEN 0" + c.String() + " ELSE 0 END"
	}
	return func(yield func(BulkKept, error) bool) {
		query := fmt.Sprintf(`SELECT j.user_id, coalesce(users.lan_id, ''), CASE WHEN users.version = j.version THEN 0 ELSE 1 END, CASE WHEN %s THEN 0 ELSE 1 END, %s
			FROM (SELECT d.user_id, max(d.version) AS version FROM user_changes d WHERE d.batch_id = $1 AND d.undone = 0 GROUP BY d.user_id) AS j
			LEFT JOIN users ON users.id = j.user_id ORDER BY j.user_id`, b.within, stays)
		for r, err := range sqldb.Each[row](ctx, q, query, batchID) {
			k := BulkKept{ID: r.ID, LANID: r.LANID, Changed: r.Changed == 1, OutOfScope: r.Outside == 1, Stays: r.Stays}
			if !yield(k, err) || err != nil {
				return
			}
		}
	}
}

// BulkChange is a line of a batch's journal.
type BulkChange struct {
	What          string // the kind of value: "role", "status", …
	Before, After int64  // ids; 0 is none
	Was           string // what it took that is no id
}

// BulkChanged is a user in a batch's journal.
type BulkChanged struct {
	ID          int64
	LANID, Name string // as they are by now; "" where the user is gone
	Version     int64  // after the change
	Undone      bool
	Changes     []BulkChange
}

// BulkChangesOf returns up to limit users of a batch's journal, by id, after the one given. It is for code that has checked
// that whoever asks may look at the batch.
func BulkChangesOf(ctx context.Context, q sqldb.Querier, batchID, after int64, limit int) ([]BulkChanged, error) {
	type row struct {
		ID              int64
		LANID, Name     string
		Version, Undone int64
		BulkChange
	}
	var all []BulkChanged
	rows, err := q.QueryContext(ctx, `SELECT j.user_id, coalesce(u.lan_id, ''), coalesce(u.first_name || ' ' || u.last_name, ''), j.version, j.undone, j.what, j.before, j.after, coalesce(j.was, '')
		FROM (SELECT DISTINCT user_id FROM user_changes WHERE batch_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3) AS d
		JOIN user_changes j ON j.batch_id = $1 AND j.user_id = d.user_id LEFT JOIN users u ON u.id = j.user_id
		ORDER BY j.user_id, j.what, j.before, j.after`, batchID, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", sqldb.Explain(err))
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.ID, &r.LANID, &r.Name, &r.Version, &r.Undone, &r.What, &r.Before, &r.After, &r.Was); err != nil {
			return nil, err
		}
		if len(all) == 0 || all[len(all)-1].ID != r.ID {
			all = append(all, BulkChanged{ID: r.ID, LANID: r.LANID, Name: r.Name, Version: r.Version, Undone: r.Undone == 1})
		}
		last := &all[len(all)-1]
		last.Changes = append(last.Changes, r.BulkChange)
	}
	return slices.Clip(all), rows.Err()
}
