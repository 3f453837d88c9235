package directory

import (
	"context"
	"fmt"
	"iter"

	"muster/internal/sqldb"
)

// HolderState is how somebody of a frozen set stands to a replacement.
type HolderState string

const (
	HolderChanges HolderState = "changes"  // has From, and would get To
	HolderDone    HolderState = "done"     // the batch changed them
	HolderOther   HolderState = "other"    // has From no longer
	HolderOutside HolderState = "outside"  // out of the actor's scope by now
	HolderGone    HolderState = "gone"     // no such user any more
	HolderTooMuch HolderState = "too-much" // would get more than the actor may give
)

// HolderLook is somebody of a frozen set. LANID and Name are of who may be named to the actor alone.
type HolderLook struct {
	ID    int64
	State HolderState
	LANID string
	Name  string
}

// holds is a condition on users: they have the value.
func (p *Replacing) holds(id int64) string {
	if p.table.column == "" {
		return fmt.Sprintf("EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = users.id AND r.role_id = %d)", id)
	}
	return fmt.Sprintf("coalesce(users.%s, 0) = %d", p.table.column, id)
}

// Holders yields the ids of all in scope who have From, ascending.
func (p *Replacing) Holders(ctx context.Context, q sqldb.Querier) iter.Seq2[int64, error] {
	query := "SELECT users.id FROM users WHERE users." + p.table.column + " = $1 AND " + p.within + " ORDER BY users.id"
	switch {
	case p.table.column == "" && p.handle.actor.scope.IsEverywhere():
		query = "SELECT user_id FROM user_roles WHERE role_id = $1 ORDER BY user_id"
	case p.table.column == "":
		query = "SELECT users.id FROM user_roles r JOIN users ON users.id = r.user_id WHERE r.role_id = $1 AND " + p.within + " ORDER BY r.user_id"
	}
	return sqldb.Each[int64](ctx, q, query, p.From)
}

// HoldersOutside counts who have From and are out of the actor's scope.
func (p *Replacing) HoldersOutside(ctx context.Context, q sqldb.Querier) (int64, error) {
	if p.handle.actor.scope.IsEverywhere() {
		return 0, nil
	}
	query := "SELECT count(*) FROM users WHERE users." + p.table.column + " = $1 AND NOT " + p.within
	if p.table.column == "" {
		query = "SELECT count(*) FROM user_roles r JOIN users ON users.id = r.user_id WHERE r.role_id = $1 AND NOT " + p.within
	}
	n, _, err := sqldb.One[int64](ctx, q, query, p.From)
	return n, err
}

// Look returns how each of the users stands, in the order of their ids. batchID is the batch whose journal says who is
// done.
func (p *Replacing) Look(ctx context.Context, q sqldb.Querier, batchID int64, ids []int64) ([]HolderLook, error) {
	query := fmt.Sprintf(`SELECT CAST(k.key AS BIGINT) AS id, CASE
			WHEN EXISTS (SELECT 1 FROM user_changes j WHERE j.batch_id = $2 AND j.user_id = CAST(k.key AS BIGINT)) THEN 'done'
			WHEN users.id IS NULL THEN 'gone' WHEN NOT (%s) THEN 'outside' WHEN NOT (%s) THEN 'other' WHEN %s THEN 'too-much' ELSE 'changes' END,
			CASE WHEN users.id IS NULL OR NOT (%s) THEN '' ELSE users.lan_id END,
			CASE WHEN users.id IS NULL OR NOT (%s) THEN '' ELSE users.first_name || ' ' || users.last_name END
		FROM %s AS k LEFT JOIN users ON users.id = CAST(k.key AS BIGINT) ORDER BY 1`,
		p.within, p.holds(p.From), p.tooMuch, p.named, p.named, p.handle.dir.DB.Keys)
	all, err := sqldb.All[HolderLook](ctx, q, query, keySet(p.handle.dir.DB, ids), batchID)
	if err != nil {
		return nil, fmt.Errorf("look at users: %w", err)
	}
	return all, nil
}
