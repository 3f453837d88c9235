package batch

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

const columns = `id, action, state, phase, owner, source, options, created_at, coalesce(started_at, 0), coalesce(finished_at, 0),
	busy_micros, done, total, rows_count, inserted, updated, unchanged, duplicate, invalid, stray, undone,
	file_problems, reason, work, cancel, lease_token, lease_until, lease_owner`

// row is a batch as it is stored, in the order of columns.
type row struct {
	ID                             int64
	Action                         string
	State                          State
	Phase, Owner, Source, Options  string
	CreatedAt, StartedAt, Finished int64
	BusyMicros, Done, Total        int64
	Rows, Inserted, Updated        int64
	Unchanged, Duplicate, Invalid  int64
	Stray, Undone                  int64
	FileProblems, Reason, Work     string
	Cancel, Token, Until           int64
	LeaseOwner                     string
}

func (r row) batch() (*Batch, error) {
	b := &Batch{
		ID: r.ID, Action: r.Action, State: r.State, Phase: r.Phase, Owner: r.Owner, Source: r.Source, Options: json.RawMessage(r.Options),
		CreatedAt: at(r.CreatedAt), StartedAt: at(r.StartedAt), FinishedAt: at(r.Finished), Busy: time.Duration(r.BusyMicros) * time.Microsecond,
		Done: r.Done, Total: r.Total, Undone: r.Undone, Reason: r.Reason, Work: json.RawMessage(r.Work), Cancel: r.Cancel != 0,
		LeaseToken: r.Token, LeaseUntil: at(r.Until), LeaseOwner: r.LeaseOwner,
		Counts: Counts{Rows: r.Rows, Inserted: r.Inserted, Updated: r.Updated, Unchanged: r.Unchanged, Duplicate: r.Duplicate, Invalid: r.Invalid, Stray: r.Stray},
	}
	return b, json.Unmarshal([]byte(r.FileProblems), &b.FileProblems)
}

func at(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

func get(ctx context.Context, q sqldb.Querier, id int64) (*Batch, error) {
	r, found, err := sqldb.One[row](ctx, q, "SELECT "+columns+" FROM batches WHERE id = $1", id)
	if err != nil {
		return nil, fmt.Errorf("read batch %d: %w", id, err)
	}
	if !found {
		return nil, fault.New(fault.NotFound, "there is no batch %d; `muster batches list` shows those there are", id)
	}
	b, err := r.batch()
	if err != nil {
		return nil, err
	}
	b.Files, err = sqldb.All[File](ctx, q, "SELECT name, kind, hash, size FROM batch_files WHERE batch_id = $1 ORDER BY position", id)
	return b, err
}

// list returns batches, newest first, with ids below before where that is not 0.
func list(ctx context.Context, q sqldb.Querier, before int64, limit int) ([]*Batch, error) {
	var all []*Batch
	for r, err := range sqldb.Each[row](ctx, q, "SELECT "+columns+" FROM batches WHERE $1 = 0 OR id < $1 ORDER BY id DESC LIMIT $2", before, limit) {
		if err != nil {
			return nil, fmt.Errorf("list batches: %w", err)
		}
		b, err := r.batch()
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}
