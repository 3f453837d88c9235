package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Get returns a batch that the actor may look at (see [Engine.MayLook]).
func (e *Engine) Get(ctx context.Context, actor directory.Actor, id int64) (*Batch, error) {
	if err := e.MayLook(ctx, actor, id); err != nil {
		return nil, err
	}
	return get(ctx, e.DB.Read(), id)
}

// ListQuery picks batches. The zero query but for Limit picks all that the actor may look at.
type ListQuery struct {
	Before int64 // batches older than this one; 0: from the newest
	Limit  int
	States []State
	Action string
	Owner  string
	Mine   bool // the actor's own alone
}

// List returns up to Limit batches, newest first, and how many the query picks in all. Those who may not look at
// others' batches get their own.
func (e *Engine) List(ctx context.Context, actor directory.Actor, l ListQuery) (all []*Batch, total int64, err error) {
	where, args := l.where(actor)
	if total, _, err = sqldb.One[int64](ctx, e.DB.Read(), "SELECT count(*) FROM batches WHERE CAST($1 AS BIGINT) = 0 AND "+where, append([]any{int64(0)}, args...)...); err != nil {
		return nil, 0, err
	}
	if l.Before > 0 {
		args = append(args, l.Before)
		where += fmt.Sprintf(" AND id < $%d", len(args)+1)
	}
	all, err = list(ctx, e.DB.Read(), l.Limit, where, args...)
	return all, total, err
}

// where is the query as a condition, whose parameters begin at $2.
func (l ListQuery) where(actor directory.Actor) (where string, args []any) {
	conditions := []string{"1 = 1"}
	add := func(condition string, values ...any) {
		places := make([]string, len(values))
		for i := range values {
			places[i] = fmt.Sprintf("$%d", len(args)+i+2)
		}
		conditions, args = append(conditions, fmt.Sprintf(condition, strings.Join(places, ", "))), append(args, values...)
	}
	switch {
	case actor.IsSystem() && l.Mine:
		conditions = append(conditions, "by_system = 1")
	case l.Mine || !seesAll(actor):
		// Nobody, the actor without a name, owns nothing.
		add("by_system = 0 AND owner <> '' AND "+ownerNow+" = %s", actor.Name())
	}
	if l.Action != "" {
		add("action = %s", l.Action)
	}
	if l.Owner != "" {
		add("owner = %s", l.Owner)
	}
	if len(l.States) > 0 {
		var states []any
		for _, s := range l.States {
			states = append(states, string(s))
		}
		add("state IN (%s)", states...)
	}
	return strings.Join(conditions, " AND "), args
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
		if err := e.MayLook(ctx, actor, b.ID); err != nil {
			yield(Entry{}, err)
			return
		}
		entries(ctx, e.DB.Read(), b.ID, UndoReport, Filter{})(yield)
	}
}

func (e *Engine) reportOf(ctx context.Context, actor directory.Actor, id int64) (string, error) {
	if err := e.MayLook(ctx, actor, id); err != nil {
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

// RowCount is how many rows have a problem.
type RowCount struct {
	Code string
	Rows int64
}

// CodesOf counts the rows of an outcome by the problems that they have, most frequent first. A row with several
// problems counts for each.
func (e *Engine) CodesOf(ctx context.Context, actor directory.Actor, b *Batch, outcome directory.Outcome) ([]RowCount, error) {
	name, err := e.reportOf(ctx, actor, b.ID)
	if err != nil {
		return nil, err
	}
	keyed, err := keyedByBoth(ctx, e.DB.Read(), b.ID, name)
	if err != nil {
		return nil, err
	}
	if !keyed {
		return e.countCodes(ctx, b.ID, name, outcome)
	}
	prefix := bothKey(string(outcome), "")
	return sqldb.All[RowCount](ctx, e.DB.Read(), `SELECT substr(code, $4), CAST(sum(problems) AS BIGINT) FROM batch_page_codes
		WHERE batch_id = $1 AND run = $2 AND code > $3 AND code LIKE $5 GROUP BY code ORDER BY 2 DESC, 1`,
		b.ID, name, prefix, len(prefix)+1, prefix+"%")
}

// countCodes is CodesOf for a report of an earlier Muster, which did not count by outcome and code.
func (e *Engine) countCodes(ctx context.Context, id int64, name string, outcome directory.Outcome) ([]RowCount, error) {
	counts := map[string]int64{}
	for entry, err := range entries(ctx, e.DB.Read(), id, name, Filter{Outcome: string(outcome)}) {
		if err != nil {
			return nil, err
		}
		for code := range entry.codes() {
			counts[code]++
		}
	}
	all := []RowCount{}
	for code, n := range counts {
		all = append(all, RowCount{code, n})
	}
	slices.SortFunc(all, func(a, b RowCount) int { return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Code, b.Code)) })
	return all, nil
}

// Apply lets a batch in preview go on. Execute, or a worker, then runs it; under approval it first waits for a second
// person (see [Engine.Approve]), unless the system says so. confirm is the number that somebody typed in, or 0: where the
// batch would change so many users that it needs one (see [Guard]), any other is Invalid.
func (e *Engine) Apply(ctx context.Context, actor directory.Actor, id, confirm int64) error {
	return e.move(ctx, actor, id, "apply", "", func(tx *sqldb.Tx, b *Batch) (State, error) {
		switch {
		case b.State == Awaiting:
			return "", fault.New(fault.Conflict, "batch %d awaits approval; somebody other than %s approves or rejects it", id, b.Approval.AskedBy)
		case b.State != Ready:
			return "", fault.New(fault.Conflict, "batch %d is %s; only one in preview (ready) can be applied", id, b.State)
		}
		if err := b.confirm(ctx, tx, confirm); err != nil {
			return "", err
		}
		return e.askOrApply(ctx, tx, actor, b)
	})
}

// Recheck lets a batch in preview be checked once more, as also has just changed what it is checked by; comment says what
// that was. Execute, or a worker, then runs it, and it comes to rest in preview again.
func (e *Engine) Recheck(ctx context.Context, actor directory.Actor, id int64, action, comment string, also func(*sqldb.Tx) error) error {
	return e.move(ctx, actor, id, action, comment, func(tx *sqldb.Tx, b *Batch) (State, error) {
		if b.State != Ready {
			return "", fault.New(fault.Conflict, "batch %d is %s; only one in preview (ready) can be changed", id, b.State)
		}
		return Checking, also(tx)
	})
}

// Undo makes the batch take back what it did, or what an earlier undo had to leave, as far as the actor's scope
// reaches. Execute, or a worker, then runs it.
func (e *Engine) Undo(ctx context.Context, actor directory.Actor, id int64) error {
	return e.move(ctx, actor, id, "undo", "", func(tx *sqldb.Tx, b *Batch) (State, error) {
		kept, _, err := sqldb.One[int](ctx, tx, "SELECT count(*) FROM batch_page_codes WHERE batch_id = $1 AND run = $2 AND code = ''", id, UndoReport)
		switch {
		case err != nil:
			return "", err
		case b.State == Done, b.State == Cancelled, b.State == Failed && len(b.Work) > 0, b.State == Undone && kept > 0:
			return Undoing, nil
		}
		return "", fault.New(fault.Conflict, "batch %d is %s; only one that is done or cancelled can be undone", id, b.State)
	})
}

// Cancel stops a batch: at once where nothing is applied yet and nobody runs it, otherwise after the chunk that is under
// way. What is applied stays, and can be undone.
func (e *Engine) Cancel(ctx context.Context, actor directory.Actor, id int64) error {
	return e.move(ctx, actor, id, "cancel", "", func(_ *sqldb.Tx, b *Batch) (State, error) {
		switch {
		case b.State == Ready, b.State == Awaiting, (b.State == Received || b.State == Checking) && e.free(b):
			return Cancelled, nil
		case b.State.Live() && b.State != Undoing:
			return b.State, nil
		}
		return "", fault.New(fault.Conflict, "batch %d is %s and cannot be cancelled", id, b.State)
	})
}

// free tells whether nobody holds the batch's lease.
func (e *Engine) free(b *Batch) bool {
	return b.LeaseUntil.Before(e.Directory.Now()) || dead(b.LeaseOwner)
}

// errMoved says that a batch changed between the look at it and the write.
var errMoved = errors.New("the batch changed meanwhile")

// move changes a batch's state on somebody's word; next says to which, or why not. comment is why they want it so.
func (e *Engine) move(ctx context.Context, actor directory.Actor, id int64, action, comment string, next func(*sqldb.Tx, *Batch) (State, error)) error {
	for try := 1; ; try++ {
		err := e.DB.Tx(ctx, func(tx *sqldb.Tx) error {
			if err := act(ctx, tx, actor, id); err != nil {
				return err
			}
			b, err := get(ctx, tx, id)
			if err != nil {
				return err
			}
			to, err := next(tx, b)
			if err != nil {
				return err
			}
			return e.moveTo(ctx, tx, actor, b, action, comment, to)
		})
		if errors.Is(err, errMoved) && try < 5 {
			continue
		}
		if errors.Is(err, errMoved) {
			return fault.New(fault.Conflict, "batch %d changed its state just now; look again", id)
		}
		if err == nil {
			e.Nudge()
		}
		return err
	}
}

func (e *Engine) moveTo(ctx context.Context, tx *sqldb.Tx, actor directory.Actor, b *Batch, action, comment string, to State) error {
	cancel, finished, token := 0, any(nil), b.LeaseToken
	counts := b.Counts
	switch {
	case to == Cancelled && (b.State == Ready || b.State == Awaiting):
		counts.Inserted, counts.Updated = 0, 0 // what the preview said will not be
	case to == Cancelled:
		// A check was cut short, or never began. Should its process come back, its token is of the past.
		counts = Counts{}
		token++
		if err := dropReports(ctx, tx, b.ID); err != nil {
			return err
		}
	}
	if action == "cancel" {
		cancel = 1
	}
	reason := ""
	if to == Cancelled {
		finished, reason = e.now(), comment
	}
	if to == Awaiting {
		action = askAction
	}
	undoBy, undoSource, undoBySystem := b.UndoneBy, b.undoSource, b.undoBySystem
	if action == "undo" {
		undoBy, undoSource, undoBySystem = actor.Name(), actor.Source(), actor.IsSystem()
	}
	res, err := tx.ExecContext(ctx, `UPDATE batches SET state = $4, cancel = $5, finished_at = $6, reason = $11, lease_token = $7,
		undo_by = $8, undo_source = $9, undo_by_system = $10,
		phase = CASE WHEN state = $4 THEN phase ELSE '' END, done = CASE WHEN state = $4 THEN done ELSE 0 END
		WHERE id = $1 AND state = $2 AND lease_token = $3`,
		b.ID, string(b.State), b.LeaseToken, string(to), cancel, finished, token, undoBy, undoSource, one(undoBySystem), reason)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errMoved)
	}
	if counts != b.Counts {
		if err := storeCounts(ctx, tx, b.ID, counts); err != nil {
			return err
		}
	}
	return directory.WriteAudit(ctx, tx, directory.AuditEntry{At: e.now(), Actor: actor.Name(), Source: actor.Source(), Action: action,
		Subject: "batch", Name: fmt.Sprint(b.ID), Before: stateJSON(b.State), After: stateJSON(to), Reason: comment, BatchID: b.ID})
}
