package directory

import (
	"context"
	"fmt"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// DeleteUser deletes the user with all that hangs on them; the audit keeps what was. It needs users:delete, within scope.
// It is Conflict while others report to them, where somebody else changed the user since the version, and for the last
// administrator. reason may be blank.
func (h *Handle) DeleteUser(ctx context.Context, id, version int64, reason string) error {
	if err := h.actor.Need("users:delete"); err != nil {
		return err
	}
	reason, err := cleanReason(reason, "")
	if err != nil {
		return err
	}
	return h.changing(ctx, id, func(c *userChange) error {
		if err := c.held.untouched(version); err != nil {
			return err
		}
		n, err := countReports(ctx, c.tx, id)
		if err != nil {
			return err
		}
		if n > 0 {
			return fault.New(fault.Conflict, "%s to %s; move them to another supervisor first", report(n), c.held.LANID)
		}
		if err := c.erase(ctx); err != nil {
			return err
		}
		return h.audit(ctx, c.tx, AuditEntry{Action: string(OpDelete), Subject: "user", Name: c.held.LANID, Before: auditJSON(saying(c.held.attributes(c.k))), Reason: reason,
			SubjectID: id, SubjectVersion: c.held.Version + 1})
	})
}

// erase removes the user's row, and by the foreign keys what hangs on it.
func (c *userChange) erase(ctx context.Context) error {
	_, err := c.tx.ExecContext(ctx, "DELETE FROM users WHERE id = $1", c.held.ID)
	if sqldb.ErrorKind(err) == sqldb.ForeignKey {
		return fault.Wrap(fault.Conflict, err, "somebody has just come to report to %s; move them first", c.held.LANID)
	}
	if err != nil {
		return fmt.Errorf("delete the user: %w", err)
	}
	if err := noteUsers(ctx, c.tx, c.held.ID); err != nil {
		return err
	}
	return raisePeople(ctx, c.tx)
}
