package pictureimport

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Give gives a picture of a preview to a user by hand, whom its name does not tell: one that nobody has, or one that was
// given by hand before. userID 0 takes it back. The batch is then checked again, with all its rules; its pictures need not
// be looked at again, so that takes no time to speak of. Applied is what the preview says afterwards.
func Give(ctx context.Context, e *batch.Engine, actor directory.Actor, batchID, number, userID int64) error {
	if err := e.MayAct(ctx, actor, batchID); err != nil {
		return err
	}
	b, err := e.Get(ctx, actor, batchID)
	if err != nil {
		return err
	}
	o, err := OptionsOf(b)
	switch {
	case err != nil:
		return err
	case b.Action != Action:
		return fault.New(fault.Conflict, "batch %d is no import of pictures", b.ID)
	case b.State != batch.Ready || !o.Preview:
		return fault.New(fault.Conflict, "batch %d is %s; a picture can be given to somebody as long as the preview is there", b.ID, b.State)
	}
	r, err := RowOf(ctx, e, actor, b, number)
	if err != nil {
		return err
	}
	if !r.Given && !slices.ContainsFunc(r.Problems, func(p directory.Problem) bool { return p.Code == "picture.no_user" }) {
		return fault.New(fault.Conflict, "%q has a user by its name; rename the file in the ZIP if that is the wrong one", r.File)
	}
	comment := fmt.Sprintf("row %d, %s: to nobody", number, r.File)
	if userID != 0 {
		found, err := e.Directory.As(actor).PictureUsers(ctx, []int64{userID})
		if err != nil {
			return err
		}
		m, there := found[userID]
		if !there || m.OutOfScope {
			return fault.New(fault.NotFound, "there is no such user among those whom you may give a picture; look for another")
		}
		comment = fmt.Sprintf("row %d, %s: to %s", number, r.File, m.LANID)
	}
	return e.Recheck(ctx, actor, batchID, "give a picture", comment, func(tx *sqldb.Tx) error {
		return choose(ctx, tx, batchID, number, userID, actor.Name(), e.Directory.Now().UnixMicro())
	})
}

func choose(ctx context.Context, tx *sqldb.Tx, batchID, number, userID int64, by string, at int64) error {
	query, args := "DELETE FROM picture_choices WHERE batch_id = $1 AND row_num = $2", []any{batchID, number}
	if userID != 0 {
		query = `INSERT INTO picture_choices (batch_id, row_num, user_id, by_whom, at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (batch_id, row_num) DO UPDATE SET user_id = excluded.user_id, by_whom = excluded.by_whom, at = excluded.at`
		args = append(args, userID, by, at)
	}
	if _, err := tx.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("keep who is given which picture: %w", err)
	}
	return nil
}
