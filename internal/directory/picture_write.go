package directory

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/sqldb"
)

// PictureGift is a picture for a user.
type PictureGift struct {
	UserID  int64
	Version int64 // that the user must have; 0 for whichever
	Picture Picture
}

// PictureGiven is what became of a gift. Outcome is Inserted, Updated or Unchanged, or "" where one of Gone, OutOfScope
// and Changed says why nothing was done.
type PictureGiven struct {
	UserID  int64
	Outcome Outcome
	Before  string // hash of the picture that they had
	// Gone: the user is not there. Changed: since the version of the gift.
	Gone, OutOfScope, Changed bool
}

// PictureWriting gives users pictures for a batch, and takes them back, in the hands of who may.
type PictureWriting struct {
	handle   *Handle
	revision int64
	within   string // condition on users: in the actor's scope
}

// PreparePictures is for who may give pictures: it needs pictures:add. The scope is as it is now; see
// [PictureWriting.Begin].
func (h *Handle) PreparePictures(ctx context.Context, q sqldb.Querier) (*PictureWriting, error) {
	if err := h.actor.Need("pictures:add"); err != nil {
		return nil, err
	}
	w := &PictureWriting{handle: h}
	var err error
	if w.revision, err = configurationRevision(ctx, q, false); err != nil {
		return nil, err
	}
	w.within, err = h.withinScope(ctx, q)
	return w, err
}

// configurationRevision reads the revision; with lock, the configuration stays as it is until the transaction ends.
func configurationRevision(ctx context.Context, q sqldb.Querier, lock bool) (int64, error) {
	query := "SELECT revision FROM directory_revision"
	if lock {
		query += " FOR SHARE"
	}
	n, _, err := sqldb.One[int64](ctx, q, query)
	return n, err
}

// Begin makes sure that units are where they were when the scope was read, and keeps them there until the transaction
// ends: [ErrConfigurationChanged] otherwise. Each transaction of the batch's begins with it.
func (w *PictureWriting) Begin(ctx context.Context, tx *sqldb.Tx) error {
	now, err := configurationRevision(ctx, tx, tx.Engine() == sqldb.Postgres)
	if err == nil && now != w.revision {
		return ErrConfigurationChanged
	}
	return err
}

// Piece gives users pictures that are stored and writes them into the journal: a statement for each table. What it returns
// is in the order of the gifts. Whom the batch has given a picture before keeps it, with the outcome that it had then;
// no user may be in one piece twice. It must run in a [sqldb.DB.BulkTx], after Begin.
func (w *PictureWriting) Piece(ctx context.Context, tx *sqldb.Tx, s Stamp, gifts []PictureGift) ([]PictureGiven, error) {
	all := make([]PictureGiven, 0, len(gifts))
	for some := range slices.Chunk(gifts, picturesAtOnce) {
		given, err := w.piece(ctx, tx, s, some)
		if err != nil {
			return nil, err
		}
		all = append(all, given...)
	}
	return all, nil
}

// pictureHolder is a user who is to be given a picture.
type pictureHolder struct {
	ID, Version    int64
	Picture        string
	Source         string // SourceHash of that
	Within         int
	Given          int    // by the batch, before
	Before, Former string // what they had before that
}

func (w *PictureWriting) piece(ctx context.Context, tx *sqldb.Tx, s Stamp, gifts []PictureGift) ([]PictureGiven, error) {
	holders, err := w.holders(ctx, tx, s.BatchID, gifts)
	if err != nil {
		return nil, err
	}
	given := make([]PictureGiven, len(gifts))
	var journal rowValues
	var pictures []Picture
	var ids []int64
	for i, g := range gifts {
		if err := g.Picture.sound(); err != nil {
			return nil, err
		}
		if given[i] = g.judge(holders[g.UserID]); given[i].Outcome != Inserted && given[i].Outcome != Updated || holders[g.UserID].Given == 1 {
			continue
		}
		if slices.Contains(ids, g.UserID) {
			return nil, fmt.Errorf("two pictures for the user %d", g.UserID)
		}
		ids, pictures = append(ids, g.UserID), append(pictures, g.Picture)
		journal.add(s.BatchID, g.UserID, given[i].Before, g.Picture.Hash, holders[g.UserID].Version+1)
	}
	return given, w.write(ctx, tx, s, ids, pictures, &journal)
}

// holders locks the users of the gifts and reads them.
func (w *PictureWriting) holders(ctx context.Context, tx *sqldb.Tx, batchID int64, gifts []PictureGift) (map[int64]*pictureHolder, error) {
	db := w.handle.dir.DB
	ids := make([]int64, len(gifts))
	for i, g := range gifts {
		ids[i] = g.UserID
	}
	slices.Sort(ids)
	if err := lockUsers(ctx, tx, db, ids); err != nil {
		return nil, err
	}
	holders := make(map[int64]*pictureHolder, len(ids))
	for r, err := range sqldb.Each[pictureHolder](ctx, tx, fmt.Sprintf(`SELECT users.id, users.version, coalesce(users.picture, ''), coalesce(p.source_hash, ''), CASE WHEN %s THEN 1 ELSE 0 END,
		CASE WHEN j.batch_id IS NULL THEN 0 ELSE 1 END, coalesce(j.before, ''), coalesce(j.after, '')
		FROM users LEFT JOIN pictures p ON p.hash = users.picture LEFT JOIN picture_changes j ON j.batch_id = $2 AND j.user_id = users.id WHERE users.id IN %s`, w.within, idsOf(db)), keySet(db, ids), batchID) {
		if err != nil {
			return nil, fmt.Errorf("look at users: %w", err)
		}
		holders[r.ID] = &r
	}
	return holders, nil
}

// judge says what becomes of the gift.
func (g *PictureGift) judge(u *pictureHolder) PictureGiven {
	to := PictureGiven{UserID: g.UserID}
	switch {
	case u == nil:
		to.Gone = true
	case u.Within == 0:
		to.OutOfScope = true
	case u.Given == 1:
		to.Before, to.Outcome = u.Before, outcomeOfPicture(u.Before, u.Former)
	case g.Version != 0 && g.Version != u.Version:
		to.Before, to.Changed = u.Picture, true
	case u.Picture != "" && u.Source == g.Picture.SourceHash: // also where it was cropped
		to.Before, to.Outcome = u.Picture, Unchanged
	default:
		to.Before, to.Outcome = u.Picture, outcomeOfPicture(u.Picture, g.Picture.Hash)
	}
	return to
}

func outcomeOfPicture(before, after string) Outcome {
	switch before {
	case "":
		return Inserted
	case after:
		return Unchanged
	}
	return Updated
}

// write changes the users by the journal that it writes.
func (w *PictureWriting) write(ctx context.Context, tx *sqldb.Tx, s Stamp, ids []int64, pictures []Picture, journal *rowValues) error {
	if len(ids) == 0 {
		return nil
	}
	if err := keepPictures(ctx, tx, s.At, pictures); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO picture_changes (batch_id, user_id, before, after, version) VALUES "+journal.text(), journal.args...); err != nil {
		return fmt.Errorf("write the journal of pictures: %w", err)
	}
	db := w.handle.dir.DB
	if _, err := tx.ExecContext(ctx, `UPDATE users SET picture = j.after, version = users.version + 1, changed_by = $2, changed_at = $3
		FROM picture_changes j WHERE j.batch_id = $4 AND j.user_id = users.id AND users.id IN `+idsOf(db), keySet(db, ids), s.By, s.At, s.BatchID); err != nil {
		return fmt.Errorf("give users their pictures: %w", err)
	}
	return noteUsers(ctx, tx, ids...)
}
