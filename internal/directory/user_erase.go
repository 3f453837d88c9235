package directory

import (
	"context"
	"fmt"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Erased stands in the audit where a name was.
const Erased = "erased"

// EraseUser takes the personal data of a deleted user out of the audit: their name, what they were before and after each
// change, and the reasons. That something was done with somebody, by whom and when stays, under the same number. All who
// were deleted under the LAN ID (in any case) are erased. It needs users:delete and audit:edit, everywhere.
// Which pictures batches gave them goes with it, and the pictures themselves with the next sweeps, but for those that a
// batch's files or reports still have: these end with the batch's retention.
//
// It is NotFound where nobody was deleted under the LAN ID, Conflict where the only one is still there. The database lets
// nothing else of the audit be changed, and this of nobody else.
func (h *Handle) EraseUser(ctx context.Context, lanID, reason string) error {
	if err := h.actor.Need("users:delete", "audit:edit"); err != nil {
		return err
	}
	if err := everywhereOnly(h.actor); err != nil {
		return err
	}
	reason, err := cleanReason(reason, "")
	if err != nil {
		return err
	}
	return h.dir.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		gone, err := deletedUsers(ctx, tx, lanID)
		if err != nil {
			return err
		}
		for _, id := range gone {
			if err := h.erase(ctx, tx, id, reason); err != nil {
				return err
			}
		}
		return nil
	})
}

// deletedUsers are the ids of those who had the LAN ID once and are gone.
func deletedUsers(ctx context.Context, q sqldb.Querier, lanID string) (gone []int64, err error) {
	key := Fold(cleanCell(lanID))
	type subject struct {
		ID    int64
		There int
	}
	there := 0
	for s, err := range sqldb.Each[subject](ctx, q, `
		SELECT a.subject_id, CASE WHEN EXISTS (SELECT 1 FROM users u WHERE u.id = a.subject_id) THEN 1 ELSE 0 END
		FROM audit a WHERE a.subject = 'user' AND lower(a.name) = $1 AND a.subject_id IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.user_id = a.subject_id)
		GROUP BY a.subject_id ORDER BY a.subject_id`, key) {
		switch {
		case err != nil:
			return nil, fmt.Errorf("look for the deleted user: %w", err)
		case s.There == 1:
			there++
		default:
			gone = append(gone, s.ID)
		}
	}
	if len(gone) > 0 {
		return gone, nil
	}
	if there > 0 {
		return nil, fault.New(fault.Conflict, "%s is still a user; delete them first", Shorten(lanID))
	}
	return nil, fault.New(fault.NotFound, "the audit knows of no deleted user %s; give the LAN ID that they had", Shorten(lanID))
}

// erase notes that the user is to be erased, without which the database refuses it, and does it.
func (h *Handle) erase(ctx context.Context, tx *sqldb.Tx, id int64, reason string) error {
	if _, err := tx.ExecContext(ctx, "INSERT INTO erasures (user_id, at) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING", id, h.dir.micros()); err != nil {
		return fmt.Errorf("erase the user: %w", err)
	}
	_, err := tx.ExecContext(ctx, `
		UPDATE audit SET name = 'erased', before = CASE before WHEN '' THEN '' ELSE '{"erased":true}' END,
			after = CASE after WHEN '' THEN '' ELSE '{"erased":true}' END, reason = CASE reason WHEN '' THEN '' ELSE 'erased' END
		WHERE subject_id = $1 AND subject = 'user' AND action <> 'erase'`, id)
	if err != nil {
		return fmt.Errorf("erase the user: %w", err)
	}
	if _, err := tx.ExecContext(ctx, "UPDATE picture_changes SET before = '', after = '' WHERE user_id = $1", id); err != nil {
		return fmt.Errorf("erase the user's pictures: %w", err)
	}
	if _, err := tx.ExecContext(ctx, "UPDATE user_changes SET was = NULL WHERE user_id = $1 AND was IS NOT NULL", id); err != nil {
		return fmt.Errorf("erase the user's PBX IDs: %w", err)
	}
	return h.audit(ctx, tx, AuditEntry{Action: "erase", Subject: "user", Name: Erased, Reason: reason, SubjectID: id})
}
