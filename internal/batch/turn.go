package batch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"muster/internal/blob"
	"muster/internal/sqldb"
)

// turnPause is between two looks at whether it is a run's turn: short beside a chunk.
const turnPause = 20 * time.Millisecond

// errNotYet says that somebody else was quicker.
var errNotYet = errors.New("it is not this batch's turn yet")

// Turn is how a run of an operation waits for others of the same action, so that of two that are at the same things one
// comes wholly after the other.
type Turn struct {
	// Clashes tells whether the other batch is at some of the same things; open opens the first of its files.
	Clashes func(other *Batch, open func() (*blob.File, error)) (bool, error)
	// Lock takes, in the transaction that says that it is this batch's turn, a lock that all of them take: the last look at
	// the others comes after it. Begin then sets the batch's work, by which others see that it has begun.
	Lock, Begin func(ctx context.Context, tx *sqldb.Tx) error
}

// TakeTurn returns when it is the run's turn: no other batch of its action that it clashes with has begun to change
// something, or to take it back, and is being run. One whose process has died is not waited for. It returns [ErrCancelled]
// when somebody cancelled meanwhile.
func (r *Run) TakeTurn(ctx context.Context, t Turn) error {
	known := map[int64]bool{}
	for {
		if r.cancel.Load() && r.Batch.State != Undoing {
			return ErrCancelled
		}
		waits, err := r.waits(ctx, r.engine.DB.Read(), t, known)
		if err != nil {
			return err
		}
		if !waits {
			err := r.Tx(ctx, func(tx *sqldb.Tx) error {
				if err := t.Lock(ctx, tx); err != nil {
					return err
				}
				waits, err := r.waits(ctx, tx, t, known)
				switch {
				case err != nil:
					return err
				case waits:
					return errNotYet
				}
				return t.Begin(ctx, tx)
			})
			if !errors.Is(err, errNotYet) {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(turnPause):
		}
	}
}

// waits tells whether one of the others goes first. known is what is known of them by their numbers.
func (r *Run) waits(ctx context.Context, q sqldb.Querier, t Turn, known map[int64]bool) (bool, error) {
	// Of two that take back, the older one goes first.
	others, err := sqldb.All[row](ctx, q, "SELECT "+columns+` FROM batches WHERE state IN ('applying', 'undoing') AND action = $1 AND lease_until > $3
		AND (state = 'applying' AND id <> $2 AND work <> '' OR state = 'undoing' AND id < $2 OR state = 'undoing' AND id > $2 AND $4 = 0) ORDER BY id`,
		r.Batch.Action, r.Batch.ID, r.engine.now(), one(r.Batch.State == Undoing))
	if err != nil {
		return false, fmt.Errorf("look who goes first: %w", err)
	}
	for _, o := range others {
		if dead(o.LeaseOwner) {
			continue
		}
		clashes, seen := known[o.ID]
		if !seen {
			other, err := get(ctx, q, o.ID)
			if err == nil {
				clashes, err = t.Clashes(other, func() (*blob.File, error) { return r.engine.Blobs.Open(ctx, other.Files[0].Hash) })
			}
			if err != nil {
				return false, err
			}
			known[o.ID] = clashes
		}
		if clashes {
			return true, nil
		}
	}
	return false, nil
}
