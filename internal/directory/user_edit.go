package directory

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// UserEdit is what became of an edit: the user as they are now, and why nothing was changed, where nothing was.
type UserEdit struct {
	User User
	// Problems are those of the rules. One of the severity Error: nothing was changed.
	Problems []Problem
	// Conflict is set where somebody else was quicker: nothing was changed.
	Conflict *UserConflict
}

// longestReason is in characters.
const longestReason = 1000

// CheckUser judges a user as typed, a new one (id 0) or one who is there, by the rules of the import: the same codes and
// messages. It needs users:add or users:edit; who is not within the actor's scope is NotFound.
func (h *Handle) CheckUser(ctx context.Context, id int64, in UserInput) (problems []Problem, err error) {
	need := Right("users:edit")
	if id == 0 {
		need = "users:add"
	}
	if err := h.actor.Need(need); err != nil {
		return nil, err
	}
	err = h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		k, err := h.dir.knownAt(ctx, q)
		if err != nil {
			return err
		}
		var held *standing
		if id != 0 {
			if held, err = h.standingOf(ctx, q, k, id, false); err != nil {
				return err
			}
		}
		j, err := h.judgeInput(ctx, q, k, held, in)
		if err != nil {
			return err
		}
		problems = j.c.Problems
		return nil
	})
	return problems, err
}

// EditUser makes the user as typed, if nobody else changed them since the version that the form began with. A value that
// stays as it was may stay, even one that could not be given any more. It needs users:edit, and both the unit that the user
// is in and the one that they come to within the actor's scope; otherwise they are NotFound, or the unit is a problem.
// Roles and access roles are given and taken only by who holds what they carry. The last administrator stays one: Conflict.
//
// Where nothing differs, nothing is written. reason is for the audit and may be blank.
func (h *Handle) EditUser(ctx context.Context, id, version int64, in UserInput, reason string) (edit UserEdit, err error) {
	if err := h.actor.Need("users:edit"); err != nil {
		return UserEdit{}, err
	}
	if reason, err = cleanReason(reason, ""); err != nil {
		return UserEdit{}, err
	}
	err = h.changing(ctx, id, func(c *userChange) error {
		edit = UserEdit{User: c.held.User}
		if c.held.Version != version {
			edit.Conflict, err = h.conflict(ctx, c, version, in)
			return err
		}
		j, err := h.judgeInput(ctx, c.tx, c.k, c.held, in)
		if err != nil {
			return err
		}
		edit.Problems = j.c.Problems
		if j.c.Failed() {
			return nil
		}
		if err := h.writeUser(ctx, c, j); err != nil {
			return err
		}
		now, err := h.changed(ctx, c, AuditEntry{Action: string(OpUpdate), Reason: reason})
		if err == nil {
			edit.User = now.User
		}
		return err
	})
	if err != nil {
		return UserEdit{}, err
	}
	return edit, nil
}

// userChange is a user being changed, in a transaction of the user's own.
type userChange struct {
	tx   *sqldb.Tx
	k    *known
	held *standing // as they were before
}

// changing runs a change of a user within the actor's scope. Changes of users by hand take turns with each other and with
// those of the configuration: what one of them relies on (supervisors, roles, the last administrator) stays until it has
// ended.
func (h *Handle) changing(ctx context.Context, id int64, do func(*userChange) error) error {
	once := func() error {
		return h.dir.DB.Tx(ctx, func(tx *sqldb.Tx) error {
			return h.dir.keepAdministrator(ctx, tx, func() error {
				k, err := h.dir.knownAt(ctx, tx)
				if err != nil {
					return err
				}
				held, err := h.standingOf(ctx, tx, k, id, true)
				if err != nil {
					return err
				}
				return do(&userChange{tx: tx, k: k, held: held})
			})
		})
	}
	return quicker(once)
}

// quicker does it again where an import was quicker with one of the ids: the rules then find out which.
func quicker(once func() error) error {
	err := once()
	if sqldb.ErrorKind(err) != sqldb.Unique {
		return err
	}
	if err = once(); sqldb.ErrorKind(err) == sqldb.Unique {
		err = fault.Wrap(fault.Conflict, err, "somebody was quicker with one of the ids; save again to see with which")
	}
	return err
}

// changed ends a change that was written: it compares the user with who they were, and where something differs raises the
// version, tells whoever must know, and writes the audit. It returns the user as they are now.
func (h *Handle) changed(ctx context.Context, c *userChange, e AuditEntry) (*standing, error) {
	now, err := h.standingOf(ctx, c.tx, c.k, c.held.ID, false)
	if err != nil {
		return nil, err
	}
	before, after := differing(c.held.attributes(c.k), now.attributes(c.k))
	if len(after) == 0 {
		return now, nil
	}
	if _, err := c.tx.ExecContext(ctx, "UPDATE users SET version = version + 1, changed_by = $2, changed_at = $3 WHERE id = $1", now.ID, h.actor.name, h.dir.micros()); err != nil {
		return nil, fmt.Errorf("change the user: %w", err)
	}
	if err := noteUsers(ctx, c.tx, now.ID); err != nil {
		return nil, err
	}
	if err := noteChange(ctx, c.tx, c.held, now); err != nil {
		return nil, err
	}
	e.Subject, e.Name, e.SubjectID, e.SubjectVersion = "user", now.LANID, now.ID, c.held.Version+1
	e.Before, e.After = auditJSON(before), auditJSON(after)
	if err := h.audit(ctx, c.tx, e); err != nil {
		return nil, err
	}
	return h.standingOf(ctx, c.tx, c.k, now.ID, false)
}

// noteChange tells those who go by who is fit to be a supervisor.
func noteChange(ctx context.Context, tx *sqldb.Tx, before, after *standing) error {
	if before.Profile != after.Profile && after.Profile == Agent || before.Status == Active && after.Status == Inactive {
		return raisePeople(ctx, tx)
	}
	return nil
}

// raisePeople tells that somebody is gone, or not fit to be a supervisor any more.
func raisePeople(ctx context.Context, tx *sqldb.Tx) error {
	_, err := tx.ExecContext(ctx, "UPDATE directory_revision SET people = people + 1")
	return err
}

// cleanReason is the reason as it is kept. action is what must have one ("deactivate somebody"), "" where it may be blank.
func cleanReason(reason, action string) (string, error) {
	reason = cleanCell(reason)
	switch {
	case reason == "" && action != "":
		return "", fault.New(fault.Invalid, "to %s takes a reason; enter one, for those who read it later", action)
	case utf8.RuneCountInString(reason) > longestReason:
		return "", fault.New(fault.Invalid, "the reason has more than %d characters; shorten it", longestReason)
	}
	return strings.ReplaceAll(reason, "\x01", "\uFFFD"), nil
}
