package batch

import (
	"context"
	"fmt"

	"muster/internal/sqldb"
)

// Chunk is what one transaction of a run did: part and the places first to last are the operation's own numbering.
type Chunk struct {
	Part, First, Last int64
	Changed           int64
	Members           []byte
}

// runName is the kind of run that the batch is in: what applies is kept apart from what takes back.
func (r *Run) runName() string {
	if r.Batch.State == Undoing {
		return "undo"
	}
	return "apply"
}

// Chunk runs fn in one transaction made for loads, together with the checkpoint that fn returns, if anything changed.
// It returns [ErrCancelled] before a chunk when somebody cancelled. Chunks that do not overlap may run side by side on
// PostgreSQL.
func (r *Run) Chunk(ctx context.Context, fn func(*sqldb.Tx) (Chunk, error)) error {
	if r.cancel.Load() && r.Batch.State != Undoing {
		return ErrCancelled
	}
	if err := r.begin(ctx); err != nil {
		return err
	}
	defer r.end()
	err := r.engine.DB.BulkTx(ctx, func(tx *sqldb.Tx) error {
		if tx.Engine() == sqldb.Postgres {
			if _, err := tx.ExecContext(ctx, fmt.Sprintf("SET LOCAL application_name = '%s'", sessionName(r.Batch.ID, r.token))); err != nil {
				return err
			}
		}
		c, err := fn(tx)
		if err != nil {
			return err
		}
		if c.Changed == 0 {
			return r.fence(ctx, tx) // nothing that a checkpoint would have to tell of
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO batch_chunks (batch_id, run, part, first, last, changed, members) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			r.Batch.ID, r.runName(), c.Part, c.First, c.Last, c.Changed, c.Members); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
		return r.fence(ctx, tx)
	})
	if err == nil {
		r.engine.DB.GiveWay(ctx)
	}
	return err
}

// Chunks returns the checkpoints of what is applied, by part and place.
func (r *Run) Chunks(ctx context.Context) ([]Chunk, error) { return r.chunks(ctx, "apply") }

// Undone returns the checkpoints of what is taken back.
func (r *Run) Undone(ctx context.Context) ([]Chunk, error) { return r.chunks(ctx, "undo") }

func (r *Run) chunks(ctx context.Context, run string) ([]Chunk, error) {
	return sqldb.All[Chunk](ctx, r.engine.DB.Read(), `SELECT part, first, last, changed, members FROM batch_chunks
		WHERE batch_id = $1 AND run = $2 ORDER BY part, first`, r.Batch.ID, run)
}
