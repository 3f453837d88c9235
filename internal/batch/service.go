package batch

import (
	"context"
	"fmt"
	"iter"
	"time"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Get returns a batch.
func (e *Engine) Get(ctx context.Context, actor directory.Actor, id int64) (*Batch, error) {
	if err := actor.Need("batches:access"); err != nil {
		return nil, err
	}
	return get(ctx, e.DB.Read(), id)
}

// List returns up to limit batches, newest first, older than the batch before (0: from the newest), and how many
// there are in all.
func (e *Engine) List(ctx context.Context, actor directory.Actor, before int64, limit int) (all []*Batch, total int64, err error) {
	if err := actor.Need("batches:access"); err != nil {
		return nil, 0, err
	}
	if total, _, err = sqldb.One[int64](ctx, e.DB.Read(), "SELECT count(*) FROM batches"); err != nil {
		return nil, 0, err
	}
	all, err = list(ctx, e.DB.Read(), before, limit)
	return all, total, err
}

// Entries returns the rows of a batch that have something to say, in order of file and row: of the result where there
// is one by now, of the preview before.
func (e *Engine) Entries(ctx context.Context, actor directory.Actor, b *Batch, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		name, err := e.reportOf(ctx, actor, b.ID)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		entries(ctx, e.DB.Read(), b.ID, name, f)(yield)
	}
}

// KeptByUndo returns what the batch's undo left as it is.
func (e *Engine) KeptByUndo(ctx context.Context, actor directory.Actor, b *Batch) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := actor.Need("batches:access"); err != nil {
			yield(Entry{}, err)
			return
		}
		entries(ctx, e.DB.Read(), b.ID, UndoReport, Filter{})(yield)
	}
}

func (e *Engine) reportOf(ctx context.Context, actor directory.Actor, id int64) (string, error) {
	if err := actor.Need("batches:access"); err != nil {
		return "", err
	}
	n, _, err := sqldb.One[int](ctx, e.DB.Read(), "SELECT count(*) FROM batch_pages WHERE batch_id = $1 AND run = $2 AND page = 0", id, ResultReport)
	if n > 0 {
		return ResultReport, err
	}
	return PreviewReport, err
}

// CodeCount is how often a problem occurs in a report.
type CodeCount struct {
	Code     string
	Problems int64
}

// Codes counts the problems of the batch's report by code, most frequent first.
func (e *Engine) Codes(ctx context.Context, actor directory.Actor, b *Batch) ([]CodeCount, error) {
	name, err := e.reportOf(ctx, actor, b.ID)
	if err != nil {
		return nil, err
	}
	return sqldb.All[CodeCount](ctx, e.DB.Read(), `SELECT code, CAST(sum(problems) AS BIGINT) FROM batch_page_codes
		WHERE batch_id = $1 AND run = $2 AND code <> '' AND code NOT LIKE '=%' GROUP BY code ORDER BY 2 DESC, 1`, b.ID, name)
}

// Apply lets a batch in preview go on. Execute then runs it.
func (e *Engine) Apply(ctx context.Context, actor directory.Actor, id int64) error {
	return e.move(ctx, actor, id, "apply", func(b *Batch) (State, error) {
		if b.State != Ready {
			return "", fault.New(fault.Conflict, "batch %d is %s; only one in preview (ready) can be applied", id, b.State)
		}
		return Applying, nil
	})
}

// Undo makes the batch take back what it did, or what an earlier undo had to leave. Execute then runs it.
func (e *Engine) Undo(ctx context.Context, actor directory.Actor, id int64) error {
	kept, _, err := sqldb.One[int](ctx, e.DB.Read(), "SELECT count(*) FROM batch_page_codes WHERE batch_id = $1 AND run = $2 AND code = ''", id, UndoReport)
	if err != nil {
		return err
	}
	return e.move(ctx, actor, id, "undo", func(b *Batch) (State, error) {
		switch {
		case b.State == Done, b.State == Cancelled, b.State == Failed && len(b.Work) > 0, b.State == Undone && kept > 0:
			return Undoing, nil
		}
		return "", fault.New(fault.Conflict, "batch %d is %s; only one that is done or cancelled can be undone", id, b.State)
	})
}

// Cancel stops a batch: at once where nothing is applied yet, otherwise after the chunk that is under way. What is
// applied stays, and can be undone.
func (e *Engine) Cancel(ctx context.Context, actor directory.Actor, id int64) error {
	return e.move(ctx, actor, id, "cancel", func(b *Batch) (State, error) {
		switch {
		case b.State == Ready || b.State == Received && b.LeaseToken == 0:
			return Cancelled, nil
		case b.State.Live() && b.State != Undoing:
			return b.State, nil
		}
		return "", fault.New(fault.Conflict, "batch %d is %s and cannot be cancelled", id, b.State)
	})
}

// move changes a batch's state on somebody's word; next says to which, or why not.
func (e *Engine) move(ctx context.Context, actor directory.Actor, id int64, action string, next func(*Batch) (State, error)) error {
	if err := actor.Need("users:add"); err != nil {
		return err
	}
	return e.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		b, err := get(ctx, tx, id)
		if err != nil {
			return err
		}
		if b.Owner != actor.Name() {
			if err := actor.Need("batches:edit"); err != nil {
				return err
			}
		}
		to, err := next(b)
		if err != nil {
			return err
		}
		cancel, finished := 0, any(nil)
		if action == "cancel" {
			cancel = 1
		}
		if to == Cancelled {
			finished = e.now()
		}
		if to == Cancelled {
			// What the preview said will not be.
			b.Counts.Inserted, b.Counts.Updated = 0, 0
		}
		res, err := tx.ExecContext(ctx, `UPDATE batches SET state = $3, cancel = $4, finished_at = $5, reason = '', inserted = $6, updated = $7
			WHERE id = $1 AND state = $2`, id, string(b.State), string(to), cancel, finished, b.Counts.Inserted, b.Counts.Updated)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return fault.New(fault.Conflict, "batch %d changed its state just now; look again", id)
		}
		return directory.WriteAudit(ctx, tx, directory.AuditEntry{At: e.now(), Actor: actor.Name(), Source: actor.Source(), Action: action,
			Subject: "batch", Name: fmt.Sprint(id), Before: string(b.State), After: string(to), BatchID: id})
	})
}

// Retention is how long the files of a batch are kept after it came to rest.
const Retention = 90 * 24 * time.Hour

// Sweep lets go of the files of batches whose retention period has ended, and of uploads that no batch has. Reports
// and counts stay.
func (e *Engine) Sweep(ctx context.Context) error {
	before := e.Directory.Now().Add(-Retention).UnixMicro()
	err := e.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE batch_files SET hash = '' WHERE hash <> '' AND batch_id IN (
			SELECT id FROM batches WHERE finished_at < $1 AND NOT (`+live+`))`, before)
		return err
	})
	if err != nil {
		return fmt.Errorf("let old files go: %w", err)
	}
	_, err = e.Blobs.Sweep(ctx, e.Directory.Now(), func(hash string) (bool, error) {
		n, _, err := sqldb.One[int](ctx, e.DB.Read(), "SELECT count(*) FROM batch_files WHERE hash = $1", hash)
		return n > 0, err
	})
	return err
}
