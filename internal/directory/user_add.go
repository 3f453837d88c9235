package directory

import (
	"context"
	"errors"

	"muster/internal/sqldb"
)

// errJudged ends a transaction in which nothing is to be written.
var errJudged = errors.New("the rules let it not pass")

// AddUser adds a user as typed. Problems with the severity Error: nothing was written. It needs users:add, and the unit
// within the actor's scope.
func (h *Handle) AddUser(ctx context.Context, in UserInput) (u User, problems []Problem, err error) {
	if err := h.actor.Need("users:add"); err != nil {
		return User{}, nil, err
	}
	err = quicker(func() error {
		return h.dir.DB.Tx(ctx, func(tx *sqldb.Tx) error {
			u, problems, err = h.addUser(ctx, tx, in)
			return err
		})
	})
	if errors.Is(err, errJudged) {
		return User{}, problems, nil
	}
	if err != nil {
		return User{}, nil, err
	}
	return u, problems, nil
}

func (h *Handle) addUser(ctx context.Context, tx *sqldb.Tx, in UserInput) (User, []Problem, error) {
	if _, err := tx.ExecContext(ctx, lockConfiguration); err != nil {
		return User{}, nil, err
	}
	k, err := h.dir.knownAt(ctx, tx)
	if err != nil {
		return User{}, nil, err
	}
	j, err := h.judgeInput(ctx, tx, k, nil, in)
	if err != nil {
		return User{}, nil, err
	}
	if j.c.Failed() {
		return User{}, j.c.Problems, errJudged
	}
	ids, err := ReserveUserIDs(ctx, tx, 1)
	if err != nil {
		return User{}, nil, err
	}
	j.c.ID = ids.First
	if err := h.insertUser(ctx, tx, &j.c, j.in.Email); err != nil {
		return User{}, nil, err
	}
	now, err := h.standingOf(ctx, tx, k, j.c.ID, false)
	if err != nil {
		return User{}, nil, err
	}
	return now.User, j.c.Problems, h.audit(ctx, tx, AuditEntry{Action: string(OpCreate), Subject: "user", Name: now.LANID, After: auditJSON(saying(now.attributes(k))),
		SubjectID: now.ID, SubjectVersion: now.Version})
}
