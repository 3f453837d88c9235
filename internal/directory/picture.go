package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Picture is a stored picture with its derivatives: what they are, not the bytes, which are blobs by their hashes.
type Picture struct {
	Hash          string // of the stored bytes; a user's picture is known by it
	SourceHash    string // of the bytes as they were given
	Format        string // "jpeg" or "png"
	Width, Height int    // in pixels, upright
	Bytes         int64  // of the stored ones
	Large, Small  string // hashes of the square derivatives
}

const pictureColumns = "hash, source_hash, format, width, height, bytes, large_hash, small_hash"

// shortHash is how the audit calls a picture: enough to tell it from any other.
func shortHash(hash string) string { return hash[:min(len(hash), 16)] }

// sound refuses what is no picture that was stored: a mistake of the program's.
func (p *Picture) sound() error {
	for _, hash := range []string{p.Hash, p.SourceHash, p.Large, p.Small} {
		if len(hash) != 64 {
			return fmt.Errorf("%q is not the hash of a stored picture", Shorten(hash))
		}
	}
	return nil
}

// SetPicture gives the user a picture that is stored, if nobody else changed them since the version, and returns the
// hash of the one they had, "" for none. It needs users:edit and pictures:add, within scope. The same picture again
// writes nothing. reason is for the audit and may be blank.
func (h *Handle) SetPicture(ctx context.Context, userID, version int64, p Picture, reason string) (old string, err error) {
	if err := h.actor.Need("users:edit", "pictures:add"); err != nil {
		return "", err
	}
	if err := p.sound(); err != nil {
		return "", err
	}
	return h.changePicture(ctx, userID, version, &p, reason)
}

// RemovePicture takes the user's picture from them, if nobody else changed them since the version, and returns its hash.
// It needs users:edit and pictures:delete, within scope. Of somebody who has none it writes nothing.
func (h *Handle) RemovePicture(ctx context.Context, userID, version int64, reason string) (old string, err error) {
	if err := h.actor.Need("users:edit", "pictures:delete"); err != nil {
		return "", err
	}
	return h.changePicture(ctx, userID, version, nil, reason)
}

func (h *Handle) changePicture(ctx context.Context, userID, version int64, p *Picture, reason string) (old string, err error) {
	if reason, err = cleanReason(reason, ""); err != nil {
		return "", err
	}
	err = h.changing(ctx, userID, func(c *userChange) error {
		old = c.held.Picture
		if err := c.held.untouched(version); err != nil {
			return err
		}
		hash := ""
		if p != nil {
			hash = p.Hash
		}
		if hash == old {
			return nil
		}
		if p != nil {
			if err := keepPictures(ctx, c.tx, h.dir.micros(), []Picture{*p}); err != nil {
				return err
			}
		}
		if _, err := c.tx.ExecContext(ctx, "UPDATE users SET picture = nullif($2, '') WHERE id = $1", userID, hash); err != nil {
			return fmt.Errorf("change the user's picture: %w", err)
		}
		_, err := h.changed(ctx, c, AuditEntry{Action: string(OpUpdate), Reason: reason})
		return err
	})
	return old, err
}

// PictureOf returns the picture that the user has; found is false where they have none. It needs users:access; who is
// not within the actor's scope is NotFound.
func (h *Handle) PictureOf(ctx context.Context, userID int64) (p Picture, found bool, err error) {
	if err := h.actor.Need("users:access"); err != nil {
		return p, false, err
	}
	type row struct {
		Path string
		Hash string
	}
	q := h.dir.DB.Read()
	r, there, err := sqldb.One[row](ctx, q, `SELECT coalesce(o.path, ''), coalesce(u.picture, '') FROM users u
		LEFT JOIN org_units o ON o.id = u.org_unit_id WHERE u.id = $1`, userID)
	switch {
	case err != nil:
		return p, false, fmt.Errorf("read the user's picture: %w", err)
	case !there || !h.actor.scope.Contains(r.Path):
		return p, false, noSuchUser("")
	case r.Hash == "":
		return p, false, nil
	}
	p, found, err = sqldb.One[Picture](ctx, q, "SELECT "+pictureColumns+" FROM pictures WHERE hash = $1", r.Hash)
	return p, found, err
}

// FindPictures returns the pictures of these hashes that are stored, by hash. It is for code that has checked that
// whoever asks may see them.
func FindPictures(ctx context.Context, db *sqldb.DB, q sqldb.Querier, hashes []string) (map[string]Picture, error) {
	found := map[string]Picture{}
	for p, err := range sqldb.Each[Picture](ctx, q, "SELECT "+pictureColumns+" FROM "+db.Keys+" AS k CROSS JOIN pictures p WHERE p.hash = k.key", db.KeySet(hashes)) {
		if err != nil {
			return nil, fmt.Errorf("read pictures: %w", err)
		}
		found[p.Hash] = p
	}
	return found, nil
}

// picturesAtOnce bounds the parameters of a statement.
const picturesAtOnce = 500

// keepPictures writes down that the pictures are stored. One that is there already keeps the derivatives that it has; a
// sweep that would remove it waits, or has to make way.
func keepPictures(ctx context.Context, tx *sqldb.Tx, at int64, all []Picture) error {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Picture) int { return strings.Compare(a.Hash, b.Hash) })
	all = slices.CompactFunc(all, func(a, b Picture) bool { return a.Hash == b.Hash })
	for some := range slices.Chunk(all, picturesAtOnce) {
		var v rowValues
		for _, p := range some {
			v.add(p.Hash, p.SourceHash, p.Format, p.Width, p.Height, p.Bytes, p.Large, p.Small, at)
		}
		// The greater of the two: a clock behind must not make a picture old.
		if _, err := tx.ExecContext(ctx, "INSERT INTO pictures ("+pictureColumns+", given_at) VALUES "+v.text()+`
			ON CONFLICT (hash) DO UPDATE SET given_at = CASE WHEN pictures.given_at > excluded.given_at THEN pictures.given_at ELSE excluded.given_at END`, v.args...); err != nil {
			return fmt.Errorf("keep pictures: %w", err)
		}
	}
	return nil
}

// HoldPictures keeps stored pictures for what the batch shows, and for who is given them later, until the batch's
// reports are let go; see [ReleasePictures]. It must run within an hour of their being stored, in a transaction of the
// batch's. at is in microseconds.
func HoldPictures(ctx context.Context, tx *sqldb.Tx, batchID, at int64, all []Picture) error {
	for i := range all {
		if err := all[i].sound(); err != nil {
			return err
		}
	}
	if err := keepPictures(ctx, tx, at, all); err != nil {
		return err
	}
	for some := range slices.Chunk(all, picturesAtOnce) {
		var v rowValues
		for _, p := range some {
			v.add(batchID, p.Hash)
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO picture_holds (batch_id, hash) VALUES "+v.text()+" ON CONFLICT (batch_id, hash) DO NOTHING", v.args...); err != nil {
			return fmt.Errorf("keep pictures for the batch: %w", err)
		}
	}
	return nil
}

// ReleasePictures ends what [HoldPictures] began, for so many pictures of the batch at most, and returns for how many: those
// that no user has, and no undo could give back, go with the next sweep.
func ReleasePictures(ctx context.Context, tx *sqldb.Tx, batchID int64, most int) (int64, error) {
	n, err := changed(tx.ExecContext(ctx, "DELETE FROM picture_holds WHERE batch_id = $1 AND hash IN (SELECT h.hash FROM picture_holds h WHERE h.batch_id = $1 ORDER BY h.hash LIMIT $2)", batchID, most))
	if err != nil {
		return 0, fmt.Errorf("let the batch's pictures go: %w", err)
	}
	return n, nil
}

// unknownAttribute refuses an attribute that pictures cannot be matched by.
func unknownAttribute(a PictureAttribute) error {
	return fault.New(fault.Invalid, "pictures cannot be matched by %q; use agent-id, lan-id or pbx-id", Shorten(string(a)))
}
