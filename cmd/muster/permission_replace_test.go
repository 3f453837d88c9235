package main

import (
	"context"
	"errors"

	"muster/internal/directory"
	"muster/internal/sqldb"
)

// errRolledBack ends a transaction whose work is only looked at.
var errRolledBack = errors.New("only looked at")

// replacePermissions are of what replaces values in bulk. The subject holds the role Agent, which gives users:access.
func replacePermissions() []permission {
	edit := rights{"users:edit", "users:access"}
	agent := func(w *ward) directory.Replacement {
		return directory.Replacement{Kind: directory.RoleValue, From: w.count("SELECT id FROM roles WHERE name = 'Agent'")}
	}
	return []permission{
		{method: "Handle.PrepareReplacement", needs: edit, call: func(w *ward, a directory.Actor) (bool, error) {
			id := w.userID(subjectID)
			p, err := w.app.dir.As(a).PrepareReplacement(w.Context(), w.app.db.Read(), agent(w))
			if err != nil {
				return false, err
			}
			err = w.tx(true, func(ctx context.Context, tx *sqldb.Tx) error {
				if err := p.Begin(ctx, tx); err != nil {
					return err
				}
				_, _, err := p.Piece(ctx, tx, directory.Stamp{BatchID: w.batches["done"], By: a.Name(), At: 1}, []int64{id})
				return err
			})
			return w.count("SELECT count(*) FROM user_roles WHERE user_id = $1", id) == 0, err
		}},
		{method: "Handle.PrepareRestoring", needs: edit, call: func(w *ward, a directory.Actor) (touched bool, err error) {
			id, r := w.userID(subjectID), agent(w)
			p, err := w.app.dir.As(a).PrepareRestoring(w.Context(), w.app.db.Read(), r)
			if err != nil {
				return false, err
			}
			err = w.tx(true, func(ctx context.Context, tx *sqldb.Tx) error {
				if _, err := tx.ExecContext(ctx, `INSERT INTO user_changes (batch_id, user_id, what, before, after, version)
					SELECT $1, id, 'role', $2, 0, version FROM users WHERE id = $3`, w.batches["done"], r.From, id); err != nil {
					return err
				}
				restored, putOff, _, err := p.RestorePiece(ctx, tx, directory.Stamp{BatchID: w.batches["done"], By: a.Name(), At: 1}, 0, 10)
				touched = len(restored)+len(putOff) > 0
				return errors.Join(err, errRolledBack)
			})
			if errors.Is(err, errRolledBack) {
				err = nil
			}
			return touched, err
		}},
		{method: "Handle.BringBack", reach: everywhere, needs: rights{"users:edit", "roles:delete"}, call: func(w *ward, a directory.Actor) (bool, error) {
			gone := directory.Definition{ID: 99, Name: "Night Lead", Parts: []directory.DefinitionTable{{Table: "roles", Columns: []string{"id", "name"}, Rows: [][]any{{int64(99), "Night Lead"}}}}}
			err := w.tx(false, func(ctx context.Context, tx *sqldb.Tx) error {
				_, err := w.app.dir.As(a).BringBack(ctx, tx, directory.Replacement{Kind: directory.RoleValue, From: 99, Delete: true}, &gone, w.batches["done"])
				return err
			})
			return w.count("SELECT count(*) FROM roles WHERE name = 'Night Lead'") == 1, err
		}},
	}
}
