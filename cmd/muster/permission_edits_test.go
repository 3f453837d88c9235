package main

import (
	"context"
	"errors"
	"slices"

	"muster/internal/directory"
	"muster/internal/sqldb"
)

// editPermissions are of what edits sets of users. The subject holds the role Agent, which gives users:access.
func editPermissions() []permission {
	edit := rights{"users:edit", "users:access"}
	agent := func(w *ward) directory.RoleEdit {
		return directory.RoleEdit{Mode: directory.RemoveRoles, Roles: []int64{w.count("SELECT id FROM roles WHERE name = 'Agent'")}}
	}
	return append(free("Engine", "says what the settings ask for", "WouldAsk"), []permission{
		{method: "Handle.PrepareBulkEdit", needs: edit, call: func(w *ward, a directory.Actor) (bool, error) {
			id := w.userID(subjectID)
			p, err := w.app.dir.As(a).PrepareBulkEdit(w.Context(), w.app.db.Read(), agent(w), false)
			if err != nil {
				return false, err
			}
			err = w.tx(true, func(ctx context.Context, tx *sqldb.Tx) error {
				if err := p.Begin(ctx, tx); err != nil {
					return err
				}
				_, err := p.Piece(ctx, tx, directory.Stamp{BatchID: w.batches["done"], By: a.Name(), At: 1}, []int64{id}, 0)
				return err
			})
			return w.count("SELECT count(*) FROM user_roles WHERE user_id = $1", id) == 0, err
		}},
		{method: "Handle.PrepareBulkUndo", needs: edit, call: func(w *ward, a directory.Actor) (touched bool, err error) {
			id, e := w.userID(subjectID), agent(w)
			err = w.tx(true, func(ctx context.Context, tx *sqldb.Tx) error {
				if _, err := tx.ExecContext(ctx, `INSERT INTO user_changes (batch_id, user_id, what, before, after, version)
					SELECT $1, id, 'role', $2, 0, version FROM users WHERE id = $3`, w.batches["done"], e.Roles[0], id); err != nil {
					return err
				}
				p, err := w.app.dir.As(a).PrepareBulkUndo(ctx, tx, e, w.batches["done"])
				if err != nil {
					return err
				}
				restored, putOff, _, err := p.RestorePiece(ctx, tx, directory.Stamp{BatchID: w.batches["done"], By: a.Name(), At: 1}, 0, 10)
				touched = restored+int64(len(putOff)) > 0
				return errors.Join(err, errRolledBack)
			})
			if errors.Is(err, errRolledBack) {
				err = nil
			}
			return touched, err
		}},
		{method: "Handle.FreezeUsers", needs: edit, call: func(w *ward, a directory.Actor) (seen bool, err error) {
			id := w.userID(subjectID)
			err = w.app.dir.As(a).FreezeUsers(w.Context(), directory.UserFilter{}, func(u directory.UserVersion) error {
				seen = seen || u.ID == id
				return nil
			})
			return seen, err
		}},
		{method: "Handle.FindLANIDs", needs: edit, call: func(w *ward, a directory.Actor) (bool, error) {
			found, unknown, err := w.app.dir.As(a).FindLANIDs(w.Context(), w.app.db.Read(), []string{subjectID})
			return len(found) == 1 && !slices.Contains(unknown, subjectID), err
		}},
		{method: "Handle.UsersByID", needs: rights{"users:access"}, call: func(w *ward, a directory.Actor) (bool, error) {
			id := w.userID(subjectID)
			users, err := w.app.dir.As(a).UsersByID(w.Context(), []int64{id})
			_, there := users[id]
			return there, err
		}},
	}...)
}
