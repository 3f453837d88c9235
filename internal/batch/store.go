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
	file_problems, reason, work, cancel, lease_token, lease_until, lease_owner, by_system, undo_by, undo_source, undo_by_system,
	phase_started_at, phase_from, published_at, owner_id, guard, guard_of, confirmed,
	asked_by, asked_id, asked_at, verdict, verdict_by, verdict_at, comment, needs, cleared_at, passed_over`

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
	BySystem                       int
	UndoBy, UndoSource             string
	UndoBySystem                   int
	PhaseStarted, PhaseFrom        int64
	Published                      int64
	OwnerID                        int64
	Guard, GuardOf, Confirmed      int64
	AskedBy                        string
	AskedID, AskedAt               int64
	Verdict, VerdictBy             string
	VerdictAt                      int64
	Comment                        string
	Needs                          string
	Cleared                        int64
	PassedOver                     int64
}

func (r row) batch() (*Batch, error) {
	b := &Batch{
		ID: r.ID, Action: r.Action, State: r.State, Phase: r.Phase, Owner: r.Owner, Source: r.Source, Options: json.RawMessage(r.Options),
		CreatedAt: at(r.CreatedAt), StartedAt: at(r.StartedAt), FinishedAt: at(r.Finished), Busy: time.Duration(r.BusyMicros) * time.Microsecond,
		Done: r.Done, Total: r.Total, Undone: r.Undone, Reason: r.Reason, Work: json.RawMessage(r.Work), Cancel: r.Cancel != 0,
		LeaseToken: r.Token, LeaseUntil: at(r.Until), LeaseOwner: r.LeaseOwner, BySystem: r.BySystem != 0,
		UndoneBy: r.UndoBy, undoSource: r.UndoSource, undoBySystem: r.UndoBySystem != 0,
		PhaseStarted: at(r.PhaseStarted), PhaseFrom: r.PhaseFrom, Published: at(r.Published), ownerID: r.OwnerID,
		Guard:    Guard{Users: r.Guard, Of: r.GuardOf, Confirmed: r.Confirmed},
		Approval: Approval{AskedBy: r.AskedBy, askedID: r.AskedID, AskedAt: at(r.AskedAt), Verdict: r.Verdict, By: r.VerdictBy, At: at(r.VerdictAt), Comment: r.Comment}, Needs: rightsOf(r.Needs), ClearedAt: at(r.Cleared),
		Counts: Counts{Rows: r.Rows, Inserted: r.Inserted, Updated: r.Updated, Unchanged: r.Unchanged, Duplicate: r.Duplicate, Invalid: r.Invalid, Stray: r.Stray,
			PassedOver: r.PassedOver},
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
		return nil, notThere(id)
	}
	b, err := r.batch()
	if err != nil {
		return nil, err
	}
	b.Files, err = sqldb.All[File](ctx, q, "SELECT name, kind, hash, size FROM batch_files WHERE batch_id = $1 ORDER BY position", id)
	return b, err
}

// notThere is what whoever may not know of a batch is told too.
func notThere(id int64) error {
	return fault.New(fault.NotFound, "there is no batch %d; look at the list of batches for those there are", id)
}

// list returns batches with their files, newest first, of those that the condition picks; its parameters begin at $2.
func list(ctx context.Context, q sqldb.Querier, limit int, where string, args ...any) ([]*Batch, error) {
	var all []*Batch
	byID := map[int64]*Batch{}
	query := "SELECT " + columns + " FROM batches WHERE " + where + " ORDER BY id DESC LIMIT $1"
	for r, err := range sqldb.Each[row](ctx, q, query, append([]any{limit}, args...)...) {
		if err != nil {
			return nil, fmt.Errorf("list batches: %w", err)
		}
		b, err := r.batch()
		if err != nil {
			return nil, err
		}
		all, byID[b.ID] = append(all, b), b
	}
	if len(all) == 0 {
		return nil, nil
	}
	type file struct {
		Batch            int64
		Name, Kind, Hash string
		Size             int64
	}
	newest, oldest := all[0].ID, all[len(all)-1].ID
	for f, err := range sqldb.Each[file](ctx, q, `SELECT batch_id, name, kind, hash, size FROM batch_files
		WHERE batch_id BETWEEN $1 AND $2 ORDER BY batch_id, position`, oldest, newest) {
		if err != nil {
			return nil, fmt.Errorf("list batches: %w", err)
		}
		if b := byID[f.Batch]; b != nil {
			b.Files = append(b.Files, File{Name: f.Name, Kind: f.Kind, Hash: f.Hash, Size: f.Size})
		}
	}
	return all, nil
}
