package directory

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// movedAtOnce is how many users change their supervisor in one transaction: some 20 ms.
const movedAtOnce = 100

// MoveReports gives those who report to the user another supervisor, by LAN ID, and returns how many it moved and how many
// are left: those out of the actor's scope, and those whom the new supervisor reports to, directly or through others. It
// moves some in each transaction, so that nobody waits for all; where it ends early, what is moved stays. It needs
// users:edit, and the user within scope. Invalid says why somebody cannot be the supervisor.
func (h *Handle) MoveReports(ctx context.Context, id int64, to string) (moved, left int64, err error) {
	if err := h.actor.Need("users:edit"); err != nil {
		return 0, 0, err
	}
	for after := int64(0); ; {
		n := 0
		last := after
		err := h.dir.DB.Tx(ctx, func(tx *sqldb.Tx) error {
			n, last, err = h.moveSome(ctx, tx, id, to, after)
			return err
		})
		if err != nil {
			return moved, left, err
		}
		moved += int64(n)
		if last == after {
			break
		}
		after = last
		h.dir.DB.GiveWay(ctx)
	}
	left, err = countReports(ctx, h.dir.DB.Read(), id)
	return moved, left, err
}

// reporting is somebody who reports to the user.
type reporting struct {
	ID    int64
	LANID string
	Path  string // of their unit
}

// moveSome moves some of those whose ids are above after; last is the highest id that it looked at.
func (h *Handle) moveSome(ctx context.Context, tx *sqldb.Tx, id int64, to string, after int64) (moved int, last int64, err error) {
	if _, err := tx.ExecContext(ctx, lockConfiguration); err != nil {
		return 0, after, err
	}
	k, err := h.dir.knownAt(ctx, tx)
	if err != nil {
		return 0, after, err
	}
	from, err := h.standingOf(ctx, tx, k, id, false)
	if err != nil {
		return 0, after, err
	}
	target, err := h.fitSupervisor(ctx, tx, from, to)
	if err != nil {
		return 0, after, err
	}
	above, err := supervisorsOf(ctx, tx, target.ID)
	if err != nil {
		return 0, after, err
	}
	some, err := sqldb.All[reporting](ctx, tx, `SELECT u.id, u.lan_id, coalesce(o.path, '') FROM users u LEFT JOIN org_units o ON o.id = u.org_unit_id
		WHERE u.supervisor_id = $1 AND u.id > $2 ORDER BY u.id LIMIT `+strconv.Itoa(movedAtOnce), id, after)
	if err != nil {
		return 0, after, fmt.Errorf("read who reports to the user: %w", err)
	}
	var written []int64
	last = after
	for _, u := range some {
		last = u.ID
		if !h.actor.scope.Contains(u.Path) || slices.ContainsFunc(above, func(s superior) bool { return s.ID == u.ID }) {
			continue
		}
		if err := h.moveReport(ctx, tx, u, from.LANID, target); err != nil {
			return 0, after, err
		}
		written = append(written, u.ID)
	}
	return len(written), last, noteUsers(ctx, tx, written...)
}

func (h *Handle) moveReport(ctx context.Context, tx *sqldb.Tx, u reporting, from string, to supervisor) error {
	version, _, err := sqldb.One[int64](ctx, tx, "UPDATE users SET supervisor_id = $2, version = version + 1, changed_by = $3, changed_at = $4 WHERE id = $1 RETURNING version",
		u.ID, to.ID, h.actor.name, h.dir.micros())
	if err != nil {
		return fmt.Errorf("move who reports to the user: %w", err)
	}
	return h.audit(ctx, tx, AuditEntry{Action: string(OpUpdate), Subject: "user", Name: u.LANID, SubjectID: u.ID, SubjectVersion: version,
		Before: auditJSON([]attribute{{"supervisor", from}}), After: auditJSON([]attribute{{"supervisor", to.LANID}})})
}

// fitSupervisor asks the rules whether somebody can be the supervisor of those who report to the user.
func (h *Handle) fitSupervisor(ctx context.Context, tx *sqldb.Tx, from *standing, to string) (supervisor, error) {
	c := Candidate{Key: from.LANID}
	c.Cells[SupervisorColumn] = cleanCell(to)
	key := Fold(c.Cells[SupervisorColumn])
	if key == Fold(from.LANID) {
		return supervisor{}, fault.New(fault.Invalid, "they report to %s already; enter somebody else's LAN ID", from.LANID)
	}
	s, found, err := sqldb.One[supervisor](ctx, tx, "SELECT lan_key, id, lan_id, profile, active, coalesce(org_unit_id, 0) FROM users WHERE lan_key = $1", key)
	if err != nil {
		return supervisor{}, fmt.Errorf("look up the supervisor: %w", err)
	}
	switch {
	case key == "":
		return supervisor{}, fault.New(fault.Invalid, "enter the LAN ID of the new supervisor")
	case !found:
		c.UnknownSupervisor(false, "")
	default:
		(&Rules{}).judgeSupervisorUser(&c, s)
	}
	if c.Failed() {
		return supervisor{}, fault.New(fault.Invalid, "%s", c.Problems[0].Message)
	}
	return s, nil
}
