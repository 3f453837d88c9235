package directory

import (
	"context"
	"fmt"

	"muster/internal/sqldb"
)

// StatusEdit makes users active or inactive, as [Handle.ReactivateUser] and [Handle.DeactivateUser] do one.
type StatusEdit struct {
	Active bool `json:"active"`
	// ReleasePBX gives up the PBX IDs of those who become inactive, so that they can be given to others.
	ReleasePBX bool `json:"release_pbx,omitempty"`
}

// CleanReason is the reason for the edit as it is kept; to make users inactive takes one.
func CleanReason(edit BulkEdit, reason string) (string, error) {
	if e, is := edit.(StatusEdit); is && !e.Active {
		return cleanReason(reason, "deactivate users")
	}
	return cleanReason(reason, "")
}

// statusKind is a status edit, or the undo of one.
type statusKind struct {
	StatusEdit
	batch int64   // that is taken back; 0 for none
	later []int64 // users of whom another one of the batch had the released PBX ID before
}

func (e StatusEdit) prepare(ctx context.Context, q sqldb.Querier, _ *Handle, _ *Configuration, batchID int64) (bulkKind, error) {
	k := &statusKind{StatusEdit: e, batch: batchID}
	if batchID == 0 || e.Active || !e.ReleasePBX {
		return k, nil
	}
	// A PBX ID that the batch released may have been given, before it came to them, to somebody who released it in turn.
	var err error
	k.later, err = sqldb.All[int64](ctx, q, `SELECT t.user_id FROM (SELECT j.user_id, row_number() OVER (PARTITION BY j.was ORDER BY j.user_id) AS place
		FROM user_changes j JOIN users v ON v.id = j.user_id AND v.version = j.version WHERE j.batch_id = $1 AND j.undone = 0 AND j.was IS NOT NULL) AS t
		WHERE t.place > 1 ORDER BY t.user_id`, batchID)
	if err != nil {
		return nil, fmt.Errorf("look who released the same PBX ID: %w", err)
	}
	return k, nil
}

func (k *statusKind) number() int {
	if k.Active {
		return 1
	}
	return 0
}

func (k *statusKind) same() string { return fmt.Sprintf("users.active = %d", k.number()) }

// leftOut: of those who are to be active, all but administrators must have a PBX ID.
func (k *statusKind) leftOut() []LeftOut {
	if !k.Active {
		return nil
	}
	return []LeftOut{{Code: "pbx_id.missing", Column: PBXID.String(), Condition: "users.pbx_id IS NULL AND users.profile <> 1",
		Many: "stay inactive: they have no PBX ID; reactivate each on the user's own page, with a new one",
		Message: func(lanID string) string {
			return lanID + " stays inactive: this user has no PBX ID. Reactivate them on their own page, with a new one."
		}}}
}

func (k *statusKind) warnings() []LeftOut { return nil }

func (k *statusKind) takesPower(undo bool) bool { return k.Active == undo }

func (k *statusKind) losesPower() string {
	if k.Active {
		return never
	}
	return always
}

func (k *statusKind) begin(context.Context, *sqldb.Tx) error { return nil }

func (k *statusKind) write(ctx context.Context, tx *sqldb.Tx, s Stamp, p *bulkPiece, who string) (w BulkWritten, err error) {
	set, was := fmt.Sprintf("active = %d, ", k.number()), "NULL"
	if !k.Active && k.ReleasePBX {
		set, was = set+"pbx_id = NULL, ", "users.pbx_id"
	}
	n, err := changed(tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO user_changes (batch_id, user_id, what, before, after, was, version)
		SELECT CAST($3 AS BIGINT), users.id, 'status', users.active, %d, %s, users.version + 1 FROM users WHERE %s`,
		k.number(), was, all(p.in("users.id"), who, not(k.same()))), p.args(p.batch)...))
	if err != nil {
		return w, fmt.Errorf("write the journal: %w", err)
	}
	if n == 0 {
		return w, nil
	}
	if !k.Active {
		if err := bar(ctx, tx, s, p, 0); err != nil {
			return w, err
		}
	}
	w.Users, err = p.touch(ctx, tx, s, set, p.written("users.id"))
	return w, err
}

// bar ends the sessions of those of the piece whom the journal tells of, and lets nobody rely on them as supervisors.
// undone is what the journal says of whether they were given back.
func bar(ctx context.Context, tx *sqldb.Tx, s Stamp, p *bulkPiece, undone int) error {
	_, err := tx.ExecContext(ctx, fmt.Sprintf(`UPDATE credentials SET barred_at = $3, link_hash = NULL, link_until = 0 WHERE %s AND user_id IN (
		SELECT j.user_id FROM user_changes j JOIN users v ON v.id = j.user_id WHERE %s AND j.undone = %d AND v.version = j.version - %d)`,
		p.in("user_id"), p.journal("j"), undone, 1-undone), p.args(s.At)...)
	if err != nil {
		return fmt.Errorf("end the users' sessions: %w", err)
	}
	return raisePeople(ctx, tx)
}

// stays: a PBX ID that was released may be somebody else's by now, or go back to the first who released it.
func (k *statusKind) stays() []LeftOut {
	if k.Active || !k.ReleasePBX {
		return nil
	}
	taken := journalOf(k.batch, "EXISTS (SELECT 1 FROM users o WHERE o.pbx_id = x.was)")
	if len(k.later) > 0 {
		taken = "(" + taken + " OR users.id IN (" + idList(k.later) + "))"
	}
	return []LeftOut{{Code: "undo.pbx_id_taken", Column: PBXID.String(), Condition: taken,
		Many: "stay inactive: their PBX IDs are other users' by now",
		Message: func(lanID string) string {
			return lanID + " stays inactive: their PBX ID is another user's by now. Reactivate them on their own page, with a new one."
		}}}
}

// journalOf is the condition that x, the batch's line of the journal on the user, is as the condition has it.
func journalOf(batch int64, condition string) string {
	return fmt.Sprintf("EXISTS (SELECT 1 FROM user_changes x WHERE x.batch_id = %d AND x.user_id = users.id AND %s)", batch, condition)
}

func (k *statusKind) restore(ctx context.Context, tx *sqldb.Tx, s Stamp, p *bulkPiece) error {
	if k.Active {
		if err := bar(ctx, tx, s, p, 1); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "UPDATE users SET active = m.before, pbx_id = coalesce(m.was, users.pbx_id) FROM "+p.marked()+" WHERE users.id = m.user_id", p.args()...)
	return judgeAgain(err, "give the status back")
}

// judgeAgain says of an error that somebody was quicker with what the statement relied on that all is to be judged again.
func judgeAgain(err error, doing string) error {
	switch kind := sqldb.ErrorKind(err); {
	case err == nil:
		return nil
	case kind == sqldb.Unique, kind == sqldb.ForeignKey:
		return fmt.Errorf("%s: %w: %w", doing, ErrConfigurationChanged, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
