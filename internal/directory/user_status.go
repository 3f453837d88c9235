package directory

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/fault"
)

// DeactivateUser makes the user inactive: they cannot sign in, nobody can be given to them as a supervisor, and what they
// hold stays. releasePBX gives up their PBX ID, so that it can be given to somebody else. It takes a reason. It needs
// users:edit, within scope; where somebody else changed the user since the version, or they are inactive already, and where
// they are the last administrator, it is Conflict.
//
// Their sessions and an open one-time link are over from that moment, also once they are active again.
func (h *Handle) DeactivateUser(ctx context.Context, id, version int64, reason string, releasePBX bool) error {
	if err := h.actor.Need("users:edit"); err != nil {
		return err
	}
	reason, err := cleanReason(reason, "deactivate a user")
	if err != nil {
		return err
	}
	return h.changing(ctx, id, func(c *userChange) error {
		if err := c.held.untouched(version); err != nil {
			return err
		}
		if c.held.Status == Inactive {
			return fault.New(fault.Conflict, "%s is inactive already; nothing was changed", c.held.LANID)
		}
		statement := "UPDATE users SET active = 0 WHERE id = $1"
		if releasePBX {
			statement = "UPDATE users SET active = 0, pbx_id = NULL WHERE id = $1"
		}
		if _, err := c.tx.ExecContext(ctx, statement, id); err != nil {
			return fmt.Errorf("deactivate the user: %w", err)
		}
		if _, err := c.tx.ExecContext(ctx, "UPDATE credentials SET barred_at = $2, link_hash = NULL, link_until = 0 WHERE user_id = $1", id, h.dir.micros()); err != nil {
			return fmt.Errorf("end the user's sessions: %w", err)
		}
		_, err := h.changed(ctx, c, AuditEntry{Action: "deactivate", Reason: reason})
		return err
	})
}

// ReactivateUser makes the user active again, with the PBX ID given; "" keeps the one that they have. Problems with the
// severity Error: nothing was changed. It needs what [Handle.DeactivateUser] needs, and is Conflict as that is.
func (h *Handle) ReactivateUser(ctx context.Context, id, version int64, pbxID string) (problems []Problem, err error) {
	if err := h.actor.Need("users:edit"); err != nil {
		return nil, err
	}
	err = h.changing(ctx, id, func(c *userChange) error {
		if err := c.held.untouched(version); err != nil {
			return err
		}
		if c.held.Status == Active {
			return fault.New(fault.Conflict, "%s is active already; nothing was changed", c.held.LANID)
		}
		in := c.held.User.Input()
		if pbxID != "" {
			in.PBXID = pbxID
		}
		j, err := h.judgeInput(ctx, c.tx, c.k, c.held, in)
		if err != nil {
			return err
		}
		if j.in.PBXID == "" && c.held.Profile != Administrator {
			j.c.missing(PBXID, "the user's number on the telephone switch")
		}
		if problems = slices.DeleteFunc(j.c.Problems, func(p Problem) bool { return p.Severity != Error }); len(problems) > 0 {
			return nil
		}
		if _, err := c.tx.ExecContext(ctx, "UPDATE users SET active = 1, pbx_id = nullif($2, '') WHERE id = $1", id, j.in.PBXID); err != nil {
			return fmt.Errorf("reactivate the user: %w", err)
		}
		_, err = h.changed(ctx, c, AuditEntry{Action: "reactivate"})
		return err
	})
	if err != nil {
		return nil, err
	}
	return problems, nil
}

// untouched makes sure that nobody changed the user since the version.
func (s *standing) untouched(version int64) error {
	if s.Version != version {
		return fault.New(fault.Conflict, "%s changed %s meanwhile (%s UTC); look at what they are now, and do it again", s.ChangedBy, s.LANID, s.ChangedAt.Format("2006-01-02 15:04"))
	}
	return nil
}
