package main

import (
	"context"
	"strings"

	"muster/internal/directory"
	"muster/internal/sqldb"
)

// pictureCalled is a picture that is told from others by a digit.
func pictureCalled(digit string) directory.Picture {
	hash := strings.Repeat(digit, 64)
	return directory.Picture{Hash: hash, SourceHash: hash, Format: "jpeg", Width: 800, Height: 800, Bytes: 1, Large: hash, Small: hash}
}

// pictures gives the subject one.
func (m *maker) pictures() {
	m.Helper()
	m.must(m.app.db.Tx(m.Context(), func(tx *sqldb.Tx) error {
		p := pictureCalled("0")
		if _, err := tx.ExecContext(m.Context(), `INSERT INTO pictures (hash, source_hash, format, width, height, bytes, large_hash, small_hash, given_at)
			VALUES ($1, $1, 'jpeg', 800, 800, 1, $1, $1, 1)`, p.Hash); err != nil {
			return err
		}
		_, err := tx.ExecContext(m.Context(), "UPDATE users SET picture = $1 WHERE lan_id = $2", p.Hash, subjectID)
		return err
	}))
}

// picturePermissions are of the pictures of users.
func picturePermissions() []permission {
	add := rights{"pictures:add"}
	subject := func(w *ward) (id, version int64) {
		return w.userID(subjectID), w.count("SELECT version FROM users WHERE lan_id = $1", subjectID)
	}
	has := func(w *ward, digit string) bool {
		return w.count("SELECT count(*) FROM users WHERE lan_id = $1 AND coalesce(picture, '') = $2", subjectID, strings.Repeat(digit, 64)) == 1
	}
	return []permission{
		{method: "Handle.SetPicture", needs: rights{"users:edit", "pictures:add"}, call: func(w *ward, a directory.Actor) (bool, error) {
			id, version := subject(w)
			_, err := w.app.dir.As(a).SetPicture(w.Context(), id, version, pictureCalled("1"), "")
			return has(w, "1"), err
		}},
		{method: "Handle.RemovePicture", needs: rights{"users:edit", "pictures:delete"}, call: func(w *ward, a directory.Actor) (bool, error) {
			id, version := subject(w)
			_, err := w.app.dir.As(a).RemovePicture(w.Context(), id, version, "")
			return w.count("SELECT count(*) FROM users WHERE lan_id = $1 AND picture IS NULL", subjectID) == 1, err
		}},
		{method: "Handle.PictureOf", needs: rights{"users:access"}, call: func(w *ward, a directory.Actor) (bool, error) {
			p, found, err := w.app.dir.As(a).PictureOf(w.Context(), w.userID(subjectID))
			return found && p == pictureCalled("0"), err
		}},
		{method: "Handle.MatchPictures", needs: add, call: func(w *ward, a directory.Actor) (bool, error) {
			found, err := w.app.dir.As(a).MatchPictures(w.Context(), directory.ByLANID, []string{subjectID})
			return len(found) == 1 && found[0].LANID == subjectID, err
		}},
		{method: "Handle.PictureUsers", needs: add, call: func(w *ward, a directory.Actor) (bool, error) {
			id := w.userID(subjectID)
			found, err := w.app.dir.As(a).PictureUsers(w.Context(), []int64{id})
			return found[id].LANID == subjectID, err
		}},
		{method: "Handle.PreparePictures", needs: add, call: func(w *ward, a directory.Actor) (bool, error) {
			id := w.userID(subjectID)
			p, err := w.app.dir.As(a).PreparePictures(w.Context(), w.app.db.Read())
			if err != nil {
				return false, err
			}
			err = w.tx(true, func(ctx context.Context, tx *sqldb.Tx) error {
				if err := p.Begin(ctx, tx); err != nil {
					return err
				}
				_, err := p.Piece(ctx, tx, directory.Stamp{BatchID: w.batches["done"], By: a.Name(), At: 1}, []directory.PictureGift{{UserID: id, Picture: pictureCalled("2")}})
				return err
			})
			return has(w, "2"), err
		}},
	}
}
