package directory

import (
	"context"
	"fmt"

	"muster/internal/sqldb"
)

// write writes the journal first: what is given and taken, and who changes, is then read off it.
func (k *roleKind) write(ctx context.Context, tx *sqldb.Tx, s Stamp, p *bulkPiece, who string) (w BulkWritten, err error) {
	rows, err := k.journalEach(ctx, tx, p, who)
	if err != nil {
		return w, err
	}
	if k.mode == RemoveRoles {
		w.Lost = rows
	} else {
		w.Gained = rows
	}
	if k.mode == SetRoles {
		if w.Lost, err = k.journalOthers(ctx, tx, p, who); err != nil {
			return w, err
		}
	}
	if w.Gained+w.Lost == 0 {
		return w, nil
	}
	if w.Gained > 0 {
		if _, err := tx.ExecContext(ctx, "INSERT INTO user_roles (user_id, role_id) SELECT j.user_id, j.after FROM user_changes j WHERE "+p.journal("j")+" AND j.after <> 0", p.args()...); err != nil {
			return w, fmt.Errorf("give roles: %w", err)
		}
	}
	if w.Lost > 0 {
		if err := k.take(ctx, tx, p, who); err != nil {
			return w, err
		}
	}
	who = p.written("users.id")
	if k.mode != SetRoles && w.Gained+w.Lost == p.users*int64(len(k.roles)) {
		who = always // everybody, with each of the roles: that need not be looked up
	}
	w.Users, err = p.touch(ctx, tx, s, "", who)
	return w, err
}

// journalEach notes, role by role, who gets it, or loses it: those who do not hold it, or do.
func (k *roleKind) journalEach(ctx context.Context, tx *sqldb.Tx, p *bulkPiece, who string) (rows int64, err error) {
	for _, id := range k.roles {
		// Where nobody holds it, or everybody, that need not be asked of each.
		held, err := p.holders(ctx, tx, id)
		if err != nil {
			return 0, err
		}
		before, after, condition := int64(0), id, not(holdsOneOf([]int64{id}))
		switch {
		case k.mode == RemoveRoles && held == 0:
			continue
		case k.mode == RemoveRoles && held == p.users:
			before, after, condition = id, 0, always
		case k.mode == RemoveRoles:
			before, after, condition = id, 0, holdsOneOf([]int64{id})
		case held == 0:
			condition = always
		}
		n, err := changed(tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO user_changes (batch_id, user_id, what, before, after, version)
			SELECT CAST($3 AS BIGINT), users.id, 'role', %d, %d, users.version + 1 FROM users WHERE %s`, before, after, all(p.in("users.id"), who, condition)), p.args(p.batch)...))
		if err != nil {
			return 0, fmt.Errorf("write the journal: %w", err)
		}
		rows += n
	}
	return rows, nil
}

// journalOthers notes who loses a role that is none of those that they are to hold.
func (k *roleKind) journalOthers(ctx context.Context, tx *sqldb.Tx, p *bulkPiece, who string) (int64, error) {
	n, err := changed(tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO user_changes (batch_id, user_id, what, before, after, version)
		SELECT CAST($3 AS BIGINT), users.id, 'role', h.role_id, 0, users.version + 1 FROM users JOIN user_roles h ON h.user_id = users.id WHERE %s`,
		all(p.in("users.id"), k.taken("h.role_id"), who)), p.args(p.batch)...))
	if err != nil {
		return 0, fmt.Errorf("write the journal: %w", err)
	}
	return n, nil
}

// take takes what the journal says. Where nobody is left out, that is the roles of all the piece.
func (k *roleKind) take(ctx context.Context, tx *sqldb.Tx, p *bulkPiece, who string) error {
	these := always
	if who != always {
		these = "EXISTS (SELECT 1 FROM user_changes j WHERE " + p.journal("j") + " AND j.user_id = user_roles.user_id AND j.before = user_roles.role_id)"
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM user_roles WHERE "+all(p.in("user_id"), k.taken("role_id"), these), p.args()...); err != nil {
		return fmt.Errorf("take roles: %w", err)
	}
	return nil
}

// restore gives back what was taken, and takes what was given.
func (k *roleKind) restore(ctx context.Context, tx *sqldb.Tx, s Stamp, p *bulkPiece) error {
	if _, err := tx.ExecContext(ctx, "INSERT INTO user_roles (user_id, role_id) SELECT m.user_id, m.before FROM "+p.marked()+" WHERE m.before <> 0 ON CONFLICT (user_id, role_id) DO NOTHING", p.args()...); err != nil {
		return fmt.Errorf("give roles back: %w", err)
	}
	if k.mode == RemoveRoles || len(k.roles) == 0 {
		return nil // it gave nothing
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`DELETE FROM user_roles WHERE %s AND role_id IN (%s) AND EXISTS (SELECT 1 FROM user_changes j JOIN users v ON v.id = j.user_id AND v.version = j.version
		WHERE %s AND %s AND j.user_id = user_roles.user_id AND j.after = user_roles.role_id AND j.undone = 1)`, p.in("user_id"), idList(k.roles), p.journal("j"), p.in("v.id")), p.args()...); err != nil {
		return fmt.Errorf("take roles back: %w", err)
	}
	return nil
}

// changed is how many rows a statement changed.
func changed(res interface{ RowsAffected() (int64, error) }, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
