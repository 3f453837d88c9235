package directory

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"muster/internal/sqldb"
)

// RestorePiece takes back what the batch's journal says of up to limit users, beginning after the id given, of those who
// are as the batch left them and within scope. next is the last one that it looked at, 0 at the end. Administrators, and
// who acts, are put off (see [Replacing.RestoreLast]). It must run in a [sqldb.DB.BulkTx], after Begin.
func (p *Replacing) RestorePiece(ctx context.Context, tx *sqldb.Tx, s Stamp, after int64, limit int) (restored, putOff []int64, next int64, err error) {
	ids, err := sqldb.All[int64](ctx, tx, `SELECT DISTINCT user_id FROM user_changes WHERE batch_id = $1 AND undone = 0 AND user_id > $2
		ORDER BY user_id LIMIT $3`, s.BatchID, after, limit)
	if err != nil || len(ids) == 0 {
		return nil, nil, 0, err
	}
	todo, err := p.toRestore(ctx, tx, s.BatchID, ids)
	if err != nil {
		return nil, nil, 0, err
	}
	later, err := p.lastOnes(ctx, tx, todo)
	if err != nil {
		return nil, nil, 0, err
	}
	for _, id := range todo {
		if _, last := slices.BinarySearch(later, id); last {
			putOff = append(putOff, id)
		} else {
			restored = append(restored, id)
		}
	}
	return restored, putOff, ids[len(ids)-1], p.restore(ctx, tx, s, restored)
}

// RestoreLast is RestorePiece for those who were put off, unless the last administrator is among them
// ([ErrLastAdministrator]; the transaction is then to be rolled back).
func (p *Replacing) RestoreLast(ctx context.Context, tx *sqldb.Tx, s Stamp, ids []int64) (restored []int64, err error) {
	err = p.keeping(ctx, tx, func() error {
		if restored, err = p.toRestore(ctx, tx, s.BatchID, ids); err != nil {
			return err
		}
		return p.restore(ctx, tx, s, restored)
	})
	return restored, err
}

// toRestore locks the users and returns those who are as the batch left them, ascending.
func (p *Replacing) toRestore(ctx context.Context, tx *sqldb.Tx, batchID int64, ids []int64) ([]int64, error) {
	db := p.handle.dir.DB
	if err := lockUsers(ctx, tx, db, ids); err != nil {
		return nil, err
	}
	all, err := sqldb.All[int64](ctx, tx, fmt.Sprintf(`SELECT users.id FROM user_changes j JOIN users ON users.id = j.user_id
		WHERE j.batch_id = $2 AND j.undone = 0 AND j.user_id IN %s AND users.version = j.version AND %s AND NOT (%s) ORDER BY users.id`,
		idsOf(db), p.within, p.tooMuch), keySet(db, ids), batchID)
	if err != nil {
		return nil, fmt.Errorf("look at users: %w", err)
	}
	return all, nil
}

// restore gives users back what the journal says that they had.
func (p *Replacing) restore(ctx context.Context, tx *sqldb.Tx, s Stamp, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	db := p.handle.dir.DB
	keys, these := keySet(db, ids), idsOf(db)
	set := ""
	if p.table.column != "" {
		set = fmt.Sprintf("%s = %d, ", p.table.column, p.From)
	} else if err := p.returnRole(ctx, tx, s.BatchID, keys, these); err != nil {
		return err
	}
	if err := touch(ctx, tx, db, set, ids, s); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE user_changes SET undone = 1 WHERE batch_id = $2 AND undone = 0 AND user_id IN "+these, keys, s.BatchID); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

func (p *Replacing) returnRole(ctx context.Context, tx *sqldb.Tx, batchID int64, keys any, these string) error {
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO user_roles (user_id, role_id) SELECT users.id, %d FROM users WHERE users.id IN %s
		ON CONFLICT (user_id, role_id) DO NOTHING`, p.From, these), keys); err != nil {
		return fmt.Errorf("give the role back: %w", err)
	}
	// Who had it before keeps it.
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`DELETE FROM user_roles WHERE role_id = %d AND user_id IN (
		SELECT j.user_id FROM user_changes j WHERE j.batch_id = $2 AND j.undone = 0 AND j.after = %d AND j.user_id IN %s)`, p.To, p.To, these), keys, batchID); err != nil {
		return fmt.Errorf("take the role back: %w", err)
	}
	return nil
}

// KeptChange is a user whom the undo of a batch left as they are.
type KeptChange struct {
	ID         int64
	LANID      string // "" where the user is gone
	OutOfScope bool   // of whoever takes back
	Changed    bool   // since the batch
	TooMuch    bool   // what they had is more than who takes back may give
}

// KeptChanges lists whom an undo left, by id: of those who were as the batch left them and could have been given back
// what they had, what remains is the last administrator.
func (p *Replacing) KeptChanges(ctx context.Context, q sqldb.Querier, batchID int64) iter.Seq2[KeptChange, error] {
	type row struct {
		ID                     int64
		LANID                  string
		Outside, Changed, Much int
	}
	return func(yield func(KeptChange, error) bool) {
		query := fmt.Sprintf(`SELECT j.user_id, coalesce(users.lan_id, ''), CASE WHEN %s THEN 0 ELSE 1 END,
			CASE WHEN users.version = j.version THEN 0 ELSE 1 END, CASE WHEN %s THEN 1 ELSE 0 END
			FROM user_changes j LEFT JOIN users ON users.id = j.user_id WHERE j.batch_id = $1 AND j.undone = 0 ORDER BY j.user_id`, p.within, p.tooMuch)
		for r, err := range sqldb.Each[row](ctx, q, query, batchID) {
			k := KeptChange{ID: r.ID, LANID: r.LANID, OutOfScope: r.Outside == 1, Changed: r.Changed == 1, TooMuch: r.Much == 1}
			if !yield(k, err) || err != nil {
				return
			}
		}
	}
}

// ChangedUser is a user in a batch's journal.
type ChangedUser struct {
	ID            int64
	LANID, Name   string // as they are by now; "" where the user is gone
	Before, After int64  // ids; 0 is none
	Undone        bool
}

// ChangesOf returns up to limit lines of a batch's journal, by user, after the one given. It is for code that has
// checked that whoever asks may look at the batch.
func ChangesOf(ctx context.Context, q sqldb.Querier, batchID, after int64, limit int) ([]ChangedUser, error) {
	type row struct {
		ID                    int64
		LANID, Name           string
		Before, After, Undone int64
	}
	var all []ChangedUser
	for r, err := range sqldb.Each[row](ctx, q, `SELECT j.user_id, coalesce(u.lan_id, ''), coalesce(u.first_name || ' ' || u.last_name, ''), j.before, j.after, j.undone
		FROM user_changes j LEFT JOIN users u ON u.id = j.user_id WHERE j.batch_id = $1 AND j.user_id > $2 ORDER BY j.user_id LIMIT $3`, batchID, after, limit) {
		if err != nil {
			return nil, fmt.Errorf("read the journal: %w", err)
		}
		all = append(all, ChangedUser{ID: r.ID, LANID: r.LANID, Name: r.Name, Before: r.Before, After: r.After, Undone: r.Undone == 1})
	}
	return all, nil
}

// CountChanges counts the users whom the batch's journal tells of.
func CountChanges(ctx context.Context, q sqldb.Querier, batchID int64) (int64, error) {
	n, _, err := sqldb.One[int64](ctx, q, "SELECT count(DISTINCT user_id) FROM user_changes WHERE batch_id = $1", batchID)
	return n, err
}
