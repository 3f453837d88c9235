package useredit

import (
	"context"

	"muster/internal/batch"
	"muster/internal/directory"
)

// Row is one user of a replacement, as its page and the command line show it.
type Row struct {
	Number   int64 // place in the frozen set, from 1; 0 where the journal tells of it
	LANID    string
	Name     string // as it is by now where the journal tells of it, as it was at the check otherwise
	Before   string // names; "" is none
	After    string
	Outcome  directory.Outcome
	Was      directory.Outcome // what the preview said, where it came out otherwise
	Undone   bool
	Problems []directory.Problem
}

// RowsQuery picks rows.
type RowsQuery struct {
	Outcome directory.Outcome
	Code    string // of an edit of a set: rows that have this problem; "" for all
	After   int64  // what an earlier Page returned as next; 0: from the beginning
	Limit   int
}

// Page returns up to Limit rows, and what to give as After for the next ones: 0 at the end. What was changed comes from
// the journal, everything else, and all of a preview, from the report.
func Page(ctx context.Context, e *batch.Engine, actor directory.Actor, b *batch.Batch, q RowsQuery) (rows []Row, next int64, err error) {
	if err := e.MayLook(ctx, actor, b.ID); err != nil {
		return nil, 0, err
	}
	o, err := OptionsOf(b)
	if err != nil {
		return nil, 0, err
	}
	if q.Outcome == directory.Updated && len(b.Work) > 0 {
		return o.journal(ctx, e, b, q)
	}
	for entry, err := range e.Entries(ctx, actor, b, batch.Filter{Outcome: string(q.Outcome), After: q.After}) {
		if err != nil {
			return nil, 0, err
		}
		if len(rows) == q.Limit {
			return rows, next, nil
		}
		rows, next = append(rows, o.row(&entry)), entry.Place()
	}
	return rows, 0, nil
}

func (o *Options) row(e *batch.Entry) Row {
	r := Row{Number: e.Row, LANID: e.LANID, Name: e.Name, Before: o.FromName, After: o.FromName, Outcome: e.Outcome, Was: e.Was, Problems: e.Problems}
	if e.Outcome == directory.Updated || e.Outcome == directory.NotApplied {
		r.After = o.ToName
	}
	return r
}

func (o *Options) journal(ctx context.Context, e *batch.Engine, b *batch.Batch, q RowsQuery) (rows []Row, next int64, err error) {
	changes, err := directory.ChangesOf(ctx, e.DB.Read(), b.ID, q.After, q.Limit+1)
	if err != nil {
		return nil, 0, err
	}
	if len(changes) > q.Limit {
		changes = changes[:q.Limit]
		next = changes[q.Limit-1].ID
	}
	for _, c := range changes {
		rows = append(rows, Row{LANID: c.LANID, Name: c.Name, Before: o.FromName, After: o.ToName, Outcome: directory.Updated, Undone: c.Undone})
	}
	return rows, next, nil
}

// Undoable tells whether a batch that is at rest did something that is still there, as far as it knows itself.
func Undoable(b *batch.Batch) bool {
	w, err := WorkOf(b)
	return err == nil && len(b.Work) > 0 && (b.Counts.Updated > b.Undone || w.Deleted != nil && w.BroughtBack == 0)
}
