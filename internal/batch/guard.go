package batch

import (
	"context"
	"fmt"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Guard is how far a batch reaches into the users that are there already. Users is 0 where it may go on as it is. Else it
// is how many it would change, more than the settings let pass, of Of that there were: then somebody has to type that
// number in, and Confirmed is what was typed in.
type Guard struct {
	Users, Of, Confirmed int64
}

// Percent is the share of the users that there are, rounded down.
func (g Guard) Percent() int64 {
	if g.Of == 0 {
		return 0
	}
	return 100 * g.Users / g.Of
}

// guard looks at how many existing users a batch would change.
func guard(ctx context.Context, q sqldb.Querier, s directory.Settings, changes int64) (Guard, error) {
	if changes <= int64(s.GuardUsers) {
		return Guard{}, nil
	}
	of, _, err := sqldb.One[int64](ctx, q, "SELECT count(*) FROM users")
	if err != nil {
		return Guard{}, fmt.Errorf("count the users: %w", err)
	}
	if changes*100 <= int64(s.GuardPercent)*of {
		return Guard{}, nil
	}
	return Guard{Users: changes, Of: of}, nil
}

// WouldAsk tells what a batch of the actor's that changes so many users would be asked for before it is applied.
func (e *Engine) WouldAsk(ctx context.Context, actor directory.Actor, changes int64) (g Guard, approval bool, err error) {
	settings, err := directory.LoadSettings(ctx, e.DB.Read())
	if err != nil {
		return g, false, err
	}
	g, err = guard(ctx, e.DB.Read(), settings, changes)
	return g, settings.Approval && !actor.IsSystem(), err
}

// confirm notes the number that somebody typed in, where the batch needs one.
func (b *Batch) confirm(ctx context.Context, tx *sqldb.Tx, number int64) error {
	g := b.Guard
	if g.Users == 0 {
		return nil
	}
	if number != g.Users {
		why := fmt.Sprintf("batch %d would change %d of the %d users that there are (%d %%), more than go without asking; nothing has changed", b.ID, g.Users, g.Of, g.Percent())
		if number != 0 {
			return fault.New(fault.Invalid, "%s: the number typed in is %d, and it must be %d", why, number, g.Users)
		}
		return fault.New(fault.Invalid, "%s: to go on, confirm it with the number %d", why, g.Users)
	}
	_, err := tx.ExecContext(ctx, "UPDATE batches SET confirmed = $2 WHERE id = $1", b.ID, number)
	return err
}

// decide says where a batch goes whose check is done, and brings it there: on, or to rest for somebody to look at it.
func (r *Run) decide(ctx context.Context, preview bool) (to State, err error) {
	q := r.engine.DB.Read()
	b, err := get(ctx, q, r.Batch.ID)
	if err != nil {
		return "", err
	}
	settings, err := directory.LoadSettings(ctx, q)
	if err != nil {
		return "", err
	}
	g, err := guard(ctx, q, settings, b.Counts.Updated)
	if err != nil {
		return "", err
	}
	approval := settings.Approval && !b.BySystem
	switch {
	case preview, g.Users > 0, approval && b.Counts.Inserted+b.Counts.Updated == 0:
		to = Ready // nobody is asked to approve what would change nothing
	case approval:
		to = Awaiting
	default:
		to = Applying
	}
	err = r.finish(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE batches SET state = $2, guard = $3, guard_of = $4, confirmed = 0 WHERE id = $1",
			b.ID, string(to), g.Users, g.Of); err != nil || to != Awaiting {
			return err
		}
		return r.engine.askAfterCheck(ctx, tx, b)
	})
	if err == nil {
		r.Batch.State, r.Batch.Guard = to, g
		r.show(true)
	}
	return to, err
}

// outgrown tells whether a batch that was let go on, and has changed nothing so far, would by now change more users than
// somebody confirmed: the directory changed since. It is then checked anew, and comes to rest for a new decision.
func (r *Run) outgrown(ctx context.Context) (bool, error) {
	q := r.engine.DB.Read()
	applied, _, err := sqldb.One[int](ctx, q, "SELECT CASE WHEN EXISTS (SELECT 1 FROM batch_chunks WHERE batch_id = $1) THEN 1 ELSE 0 END", r.Batch.ID)
	if err != nil || applied > 0 {
		return false, err
	}
	b, err := get(ctx, q, r.Batch.ID)
	if err != nil || b.Counts.Updated <= b.Guard.Confirmed {
		return false, err
	}
	settings, err := directory.LoadSettings(ctx, q)
	if err != nil {
		return false, err
	}
	g, err := guard(ctx, q, settings, b.Counts.Updated)
	if err != nil || g.Users == 0 {
		return false, err
	}
	err = r.finish(ctx, func(tx *sqldb.Tx) error {
		if err := dropReport(ctx, tx, b.ID, ResultReport); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE batches SET state = 'checking', reason = $2, asked_by = '', asked_id = 0, asked_at = 0,
			verdict = '', verdict_by = '', verdict_at = 0, comment = '' WHERE id = $1`,
			b.ID, fmt.Sprintf("it would change %d users by now, more than when it was let go on; decide again", g.Users))
		return err
	})
	if err == nil {
		r.Batch.State = Checking
	}
	return err == nil, err
}
