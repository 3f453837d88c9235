package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Begin takes the configuration's lock for a transaction that replaces values, and makes sure that all is as it was
// judged: [ErrConfigurationChanged] otherwise. The lock makes changes that could take an administrator's rights take
// turns (see keepAdministrator); on SQLite nobody else writes anyway.
func (p *Replacing) Begin(ctx context.Context, tx *sqldb.Tx) error {
	if p.Over {
		return fault.New(fault.Forbidden, "this replacement is over")
	}
	now, _, err := sqldb.One[int64](ctx, tx, lockConfiguration+" RETURNING revision")
	if err != nil {
		return err
	}
	if now != p.revision {
		return ErrConfigurationChanged
	}
	return nil
}

// Piece replaces the value of those of the users who still have it and whom the batch has not changed, and writes them
// into the journal. Administrators, and who acts, are put off: their own rights may hang on it, so they come last (see
// [Replacing.Finish]). ids ascend. It must run in a [sqldb.DB.BulkTx], after Begin.
func (p *Replacing) Piece(ctx context.Context, tx *sqldb.Tx, s Stamp, ids []int64) (changed, putOff []int64, err error) {
	todo, err := p.toChange(ctx, tx, s.BatchID, ids)
	if err != nil || len(todo) == 0 {
		return nil, nil, err
	}
	later, err := p.lastOnes(ctx, tx, todo)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range todo {
		if _, last := slices.BinarySearch(later, id); last {
			putOff = append(putOff, id)
		} else {
			changed = append(changed, id)
		}
	}
	return changed, putOff, p.write(ctx, tx, s, changed)
}

// toChange locks the users and returns those who are to be changed, ascending.
func (p *Replacing) toChange(ctx context.Context, tx *sqldb.Tx, batchID int64, ids []int64) ([]int64, error) {
	db := p.handle.dir.DB
	if err := lockUsers(ctx, tx, db, ids); err != nil {
		return nil, err
	}
	todo, err := sqldb.All[int64](ctx, tx, fmt.Sprintf(`SELECT users.id FROM users WHERE users.id IN %s AND %s AND %s AND NOT (%s)
		AND NOT EXISTS (SELECT 1 FROM user_changes j WHERE j.batch_id = $2 AND j.user_id = users.id) ORDER BY users.id`,
		idsOf(db), p.within, p.holds(p.From), p.tooMuch), keySet(db, ids), batchID)
	if err != nil {
		return nil, fmt.Errorf("look at users: %w", err)
	}
	return todo, nil
}

// lockUsers keeps others from changing the users until the transaction ends: what a statement then reads of them is
// what the next one changes. On SQLite nobody else writes meanwhile.
func lockUsers(ctx context.Context, tx *sqldb.Tx, db *sqldb.DB, ids []int64) error {
	if db.Engine == sqldb.SQLite {
		return nil
	}
	_, err := tx.ExecContext(ctx, "SELECT 1 FROM users WHERE id IN "+idsOf(db)+" ORDER BY id FOR NO KEY UPDATE", keySet(db, ids))
	if err != nil {
		return fmt.Errorf("lock users: %w", err)
	}
	return nil
}

// lastOnes are those of the users whose rights the batch itself, or the whole installation, hangs on.
func (p *Replacing) lastOnes(ctx context.Context, tx *sqldb.Tx, ids []int64) ([]int64, error) {
	if p.Kind != RoleValue && p.Kind != AccessRoleValue || len(ids) == 0 {
		return nil, nil
	}
	last, err := p.handle.dir.administratorsBetween(ctx, tx, IDs{First: ids[0], End: ids[len(ids)-1] + 1})
	if err != nil || p.handle.actor.system {
		return last, err
	}
	own, found, err := sqldb.One[int64](ctx, tx, "SELECT id FROM users WHERE lan_key = $1", Fold(p.handle.actor.name))
	if err != nil || !found {
		return last, err
	}
	last = append(last, own)
	slices.Sort(last)
	return last, nil
}

// write changes users who have From, and says so in the journal: a statement for each table.
func (p *Replacing) write(ctx context.Context, tx *sqldb.Tx, s Stamp, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	keys, these := keySet(p.handle.dir.DB, ids), idsOf(p.handle.dir.DB)
	after := fmt.Sprint(p.To)
	if p.table.column == "" && p.To != 0 {
		// Who has both loses the one: an undo then takes nothing away.
		after = "CASE WHEN " + p.holds(p.To) + " THEN 0 ELSE " + after + " END"
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO user_changes (batch_id, user_id, what, before, after, version)
		SELECT CAST($2 AS BIGINT), users.id, CAST($3 AS TEXT), %d, %s, users.version + 1 FROM users WHERE users.id IN %s`, p.From, after, these), keys, s.BatchID, string(p.Kind)); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return p.change(ctx, tx, s, ids)
}

// change is write without the journal.
func (p *Replacing) change(ctx context.Context, tx *sqldb.Tx, s Stamp, ids []int64) error {
	db, set := p.handle.dir.DB, ""
	if p.table.column != "" {
		set = fmt.Sprintf("%s = nullif(%d, 0), ", p.table.column, p.To)
	} else if err := p.moveRole(ctx, tx, idsOf(db), keySet(db, ids)); err != nil {
		return err
	}
	return touch(ctx, tx, db, set, ids, s)
}

// moveRole takes From from users and gives them To.
func (p *Replacing) moveRole(ctx context.Context, tx *sqldb.Tx, these string, keys any) error {
	if p.To != 0 {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO user_roles (user_id, role_id) SELECT users.id, %d FROM users WHERE users.id IN %s
			ON CONFLICT (user_id, role_id) DO NOTHING`, p.To, these), keys); err != nil {
			return fmt.Errorf("give the role: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("DELETE FROM user_roles WHERE role_id = %d AND user_id IN %s", p.From, these), keys); err != nil {
		return fmt.Errorf("take the role: %w", err)
	}
	return nil
}

// idsOf is the set of ids that keySet packed, as a subquery.
func idsOf(db *sqldb.DB) string { return "(SELECT CAST(k.key AS BIGINT) FROM " + db.Keys + " AS k)" }

// touch changes users by set, which may be empty and otherwise ends with a comma.
func touch(ctx context.Context, tx *sqldb.Tx, db *sqldb.DB, set string, ids []int64, s Stamp) error {
	_, err := tx.ExecContext(ctx, "UPDATE users SET "+set+"version = version + 1, changed_by = $2, changed_at = $3 WHERE id IN "+idsOf(db), keySet(db, ids), s.By, s.At)
	if err != nil {
		return fmt.Errorf("change users: %w", err)
	}
	return noteUsers(ctx, tx, ids...)
}

// ErrLastAdministrator says that nobody would be left who can sign in and manage users and roles everywhere.
var ErrLastAdministrator = errors.New("the last administrator stays")

// errTrial rolls back what was only tried.
var errTrial = errors.New("this was a trial")

// keeping runs a change that is refused with [ErrLastAdministrator] where it would take the last one's rights.
func (p *Replacing) keeping(ctx context.Context, tx *sqldb.Tx, change func() error) error {
	var failed error
	err := p.handle.dir.keepAdministrator(ctx, tx, func() error {
		failed = change()
		return failed
	})
	if failed == nil && fault.KindOf(err) == fault.Conflict {
		return fmt.Errorf("%w: %w", ErrLastAdministrator, err)
	}
	return err
}

// Finish replaces the value of those whom [Replacing.Piece] put off, unless the last administrator is among them
// ([ErrLastAdministrator]; the transaction is then to be rolled back). It must run in a [sqldb.DB.BulkTx], after Begin.
func (p *Replacing) Finish(ctx context.Context, tx *sqldb.Tx, s Stamp, ids []int64) (changed []int64, err error) {
	err = p.keeping(ctx, tx, func() error {
		if changed, err = p.toChange(ctx, tx, s.BatchID, ids); err != nil {
			return err
		}
		return p.write(ctx, tx, s, changed)
	})
	return changed, err
}

// Try tells, as an error of kind Conflict, that the replacement would leave no administrator. Nothing is changed by it.
func (p *Replacing) Try(ctx context.Context) error {
	if p.Kind != RoleValue && p.Kind != AccessRoleValue {
		return nil
	}
	d := p.handle.dir
	err := d.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		all, err := d.administratorsBetween(ctx, tx, IDs{First: 1, End: 1 << 62})
		if err != nil {
			return err
		}
		err = p.keeping(ctx, tx, func() error {
			todo, err := p.toChange(ctx, tx, 0, all)
			if err != nil || len(todo) == 0 {
				return err
			}
			return p.change(ctx, tx, Stamp{By: p.handle.actor.name, At: d.micros()}, todo)
		})
		if err != nil {
			return err
		}
		return errTrial
	})
	if errors.Is(err, errTrial) {
		return nil
	}
	return err
}
