package directory

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Begin takes the configuration's lock for a transaction of a bulk edit, and makes sure that all is as it was judged:
// [ErrConfigurationChanged] otherwise. The lock makes changes that could take an administrator's rights take turns (see
// keepAdministrator); on SQLite nobody else writes anyway.
func (b *BulkEditing) Begin(ctx context.Context, tx *sqldb.Tx) error {
	if b.over {
		return fault.New(fault.Forbidden, "this edit is over")
	}
	now, _, err := sqldb.One[int64](ctx, tx, lockConfiguration+" RETURNING revision")
	if err != nil {
		return err
	}
	if now != b.revision {
		return ErrConfigurationChanged
	}
	return b.kind.begin(ctx, tx)
}

// BulkPart is what became of some users of a set.
type BulkPart struct {
	BulkWritten
	PutOff []int64 // who come last; see [BulkEditing.Finish]
	Quiet  bool    // all of them were changed, as they were frozen: there is nothing to say of any
}

// Piece changes those of the users who can be changed, and writes them into the journal. ids ascend; versions is the sum of
// the versions that the users had when they were frozen. Where the edit may take somebody's powers, administrators, and who
// acts, are put off: their own rights may hang on it. It must run in a [sqldb.DB.BulkTx], after Begin, once for each user.
func (b *BulkEditing) Piece(ctx context.Context, tx *sqldb.Tx, s Stamp, ids []int64, versions int64) (part BulkPart, err error) {
	if len(ids) == 0 {
		return part, nil
	}
	p := pieceOf(b.handle.dir.DB, s.BatchID, ids)
	if err := p.close(ctx, tx); err != nil {
		return part, err
	}
	versionsNow, err := p.lock(ctx, tx)
	if err != nil {
		return part, err
	}
	if part.PutOff, err = b.lastOnes(ctx, tx, p, func(id int64) bool { _, in := slices.BinarySearch(ids, id); return in }); err != nil {
		return part, err
	}
	who := b.who()
	if len(part.PutOff) > 0 {
		who = all(who, "users.id NOT IN ("+idList(part.PutOff)+")")
	}
	if part.BulkWritten, err = b.kind.write(ctx, tx, s, p, who); err != nil {
		return part, err
	}
	part.Quiet = p.users == int64(len(ids)) && versionsNow == versions && part.Users == p.users && len(b.kind.warnings()) == 0
	return part, nil
}

// lock keeps others from changing the users until the transaction ends: what a statement then reads of them is what the
// next one changes. On SQLite nobody else writes meanwhile. It counts them, and returns the sum of their versions.
func (p *bulkPiece) lock(ctx context.Context, tx *sqldb.Tx) (versions int64, err error) {
	them := "SELECT version FROM users WHERE " + p.in("users.id")
	if p.db.Engine == sqldb.Postgres {
		them += " ORDER BY id FOR NO KEY UPDATE"
	}
	type found struct{ Users, Versions int64 }
	f, _, err := sqldb.One[found](ctx, tx, "SELECT count(*), CAST(coalesce(sum(t.version), 0) AS BIGINT) FROM ("+them+") AS t", p.args()...)
	if err != nil {
		return 0, fmt.Errorf("lock users: %w", err)
	}
	p.users = f.Users
	return f.Versions, nil
}

// lastOnes are those of the piece whose powers the batch itself, or the whole installation, hangs on.
func (b *BulkEditing) lastOnes(ctx context.Context, tx *sqldb.Tx, p *bulkPiece, in func(id int64) bool) ([]int64, error) {
	if !b.kind.takesPower(b.undo) {
		return nil, nil
	}
	last, err := b.handle.dir.administratorsBetween(ctx, tx, IDs{First: p.first, End: p.last + 1})
	if err != nil {
		return nil, err
	}
	if b.own != 0 && !slices.Contains(last, b.own) {
		last = append(last, b.own)
		slices.Sort(last)
	}
	return slices.DeleteFunc(last, func(id int64) bool { return id < p.first || id > p.last || !in(id) }), nil
}

// touch raises the versions of those of the piece for whom the condition holds, and returns how many they are. set is what
// else it changes of them; it may be empty, and otherwise ends with a comma.
func (p *bulkPiece) touch(ctx context.Context, tx *sqldb.Tx, s Stamp, set, who string) (int64, error) {
	res, err := tx.ExecContext(ctx, "UPDATE users SET "+set+"version = version + 1, changed_by = $3, changed_at = $4 WHERE "+all(p.in("users.id"), who),
		p.args(s.By, s.At)...)
	if err != nil {
		return 0, fmt.Errorf("change users: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return n, err
	}
	if p.ids == nil {
		return n, noteWritten(ctx, tx, IDs{First: p.first, End: p.last + 1})
	}
	return n, noteUsers(ctx, tx, p.ids...)
}

// Finish changes those whom [BulkEditing.Piece] put off, unless the last administrator is among them
// ([ErrLastAdministrator]; the transaction is then to be rolled back). It must run in a [sqldb.DB.BulkTx], after Begin.
func (b *BulkEditing) Finish(ctx context.Context, tx *sqldb.Tx, s Stamp, ids []int64) (w BulkWritten, err error) {
	if len(ids) == 0 {
		return w, nil
	}
	// Who is done already, before a process died, is not done again.
	done, err := sqldb.All[int64](ctx, tx, "SELECT DISTINCT j.user_id FROM user_changes j WHERE j.batch_id = $1 AND j.user_id IN ("+idList(ids)+")", s.BatchID)
	if err != nil {
		return w, err
	}
	if ids = slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return slices.Contains(done, id) }); len(ids) == 0 {
		return w, nil
	}
	p := pieceOf(b.handle.dir.DB, s.BatchID, ids)
	err = b.keeping(ctx, tx, func() error {
		if _, err := p.lock(ctx, tx); err != nil {
			return err
		}
		w, err = b.kind.write(ctx, tx, s, p, b.who())
		return err
	})
	return w, err
}

// keeping runs a change that is refused with [ErrLastAdministrator] where it would take the last one's powers.
func (b *BulkEditing) keeping(ctx context.Context, tx *sqldb.Tx, change func() error) error {
	if !b.kind.takesPower(b.undo) {
		return change()
	}
	var failed error
	err := b.handle.dir.keepAdministrator(ctx, tx, func() error {
		failed = change()
		return failed
	})
	if failed == nil && fault.KindOf(err) == fault.Conflict {
		return fmt.Errorf("%w: %w", ErrLastAdministrator, err)
	}
	return err
}

// Administrators are those whose powers the edit may take, ascending; none where it takes none.
func (b *BulkEditing) Administrators(ctx context.Context, q sqldb.Querier) ([]int64, error) {
	if !b.kind.takesPower(b.undo) {
		return nil, nil
	}
	return b.handle.dir.administratorsBetween(ctx, q, IDs{First: 1, End: 1 << 62})
}

// LastAdministrator returns who of the set would be left out, as nobody else would be an administrator; 0 for nobody. every
// is who [BulkEditing.Administrators] returned, in those of them who are in the set.
func (b *BulkEditing) LastAdministrator(ctx context.Context, q sqldb.Querier, every, in []int64) (int64, error) {
	if len(every) == 0 || len(in) < len(every) {
		return 0, nil
	}
	// They are changed in the order of their ids, as long as somebody is left.
	lose, err := sqldb.All[int64](ctx, q, fmt.Sprintf("SELECT users.id FROM users WHERE users.id IN (%s) AND %s ORDER BY users.id",
		idList(every), all(b.who(), not(b.kind.same()), b.kind.losesPower())))
	if err != nil || len(lose) < len(every) {
		return 0, err
	}
	return lose[len(lose)-1], nil
}
