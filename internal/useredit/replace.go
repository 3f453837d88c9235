// Package useredit is the bulk action "replace a value": everybody who holds a role, an access role, a CRM name or a
// greeting template gets another instead, or none, and the value itself may go with that.
//
// Who holds the value is frozen when the batch is made: a file of ids. The check looks at each of them; what is applied is
// written set by set with a journal, which tells who is done when the work goes on after a crash, what came of it, and what
// an undo has to give back. The directory owns the rules and the SQL.
package useredit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Action is the batches' name of this bulk action.
const Action = "replace-value"

// Options of a replacement. Those who make one leave the last four blank.
type Options struct {
	Kind    directory.ValueKind `json:"kind"`
	From    int64               `json:"from"`
	To      int64               `json:"to"` // 0: nothing instead
	Delete  bool                `json:"delete"`
	Preview bool                `json:"preview"` // stop before anything is applied, for somebody to decide
	Reason  string              `json:"reason,omitempty"`

	FromName string `json:"from_name"`
	ToName   string `json:"to_name,omitempty"`
	Frozen   int64  `json:"frozen"`            // how many had it, in the scope of whoever made the batch
	Outside  int64  `json:"outside,omitempty"` // and how many out of it
}

func (o *Options) replacement() directory.Replacement {
	return directory.Replacement{Kind: o.Kind, From: o.From, To: o.To, Delete: o.Delete}
}

// OptionsOf returns the options that a replacement was made with.
func OptionsOf(b *batch.Batch) (o Options, err error) {
	if err := json.Unmarshal(b.Options, &o); err != nil {
		return o, fmt.Errorf("read the replacement's options: %w", err)
	}
	return o, nil
}

// Work is what a replacement must know again after a crash, and what its page tells.
type Work struct {
	Deleted     *directory.Definition `json:"deleted,omitempty"`      // the value, once it is deleted
	BroughtBack int64                 `json:"brought_back,omitempty"` // its id, once an undo has made it again
	Over        bool                  `json:"over,omitempty"`         // everything is applied; what is left is to tell of it
	StillHeld   bool                  `json:"still_held,omitempty"`   // it was to be deleted, and somebody has it
	LastOnes    []int64               `json:"last_ones,omitempty"`    // who kept it, as nobody else would be administrator
}

// WorkOf returns how far a replacement has come.
func WorkOf(b *batch.Batch) (w Work, err error) {
	if len(b.Work) == 0 {
		return w, nil
	}
	if err := json.Unmarshal(b.Work, &w); err != nil {
		return w, fmt.Errorf("read the replacement's state: %w", err)
	}
	return w, nil
}

// Create freezes who holds the value now, within the actor's scope, and makes the batch, in state received. It is refused
// where the actor may not give or take the value, where nobody holds it (unless it is only to be deleted), and where nobody
// would be left who is an administrator.
func Create(ctx context.Context, e *batch.Engine, actor directory.Actor, o Options) (*batch.Batch, error) {
	r := o.replacement()
	q := e.DB.Read()
	p, err := e.Directory.As(actor).PrepareReplacement(ctx, q, r)
	if err != nil {
		return nil, err
	}
	if err := p.Try(ctx); err != nil {
		return nil, err
	}
	o.FromName, o.ToName, o.Frozen = p.FromName, p.ToName, 0
	if o.Outside, err = p.HoldersOutside(ctx, q); err != nil {
		return nil, err
	}
	return e.Create(ctx, actor, batch.Spec{Action: Action, Options: &o, Needs: r.Needs(),
		Inputs: []batch.Input{{Name: "users.ids", Open: func() (io.ReadCloser, error) { return freeze(p.Holders(ctx, q), &o.Frozen), nil }}},
		Also: func(context.Context, *sqldb.Tx, int64) error {
			if o.Frozen == 0 && !o.Delete {
				return fault.New(fault.Conflict, "nobody among the users that you may change has the %s %q, so there is nothing to replace", o.Kind.Noun(), o.FromName)
			}
			return nil
		}})
}

// Operation runs replacements. PieceUsers and ChunkUsers are how many are written between two looks at whether somebody
// waits, and in one transaction; 0 is the default, which suits all but tests.
type Operation struct{ PieceUsers, ChunkUsers int }

func (op *Operation) pieceUsers() int { return cmp.Or(op.PieceUsers, defaultPieceUsers) }
func (op *Operation) chunkUsers() int { return cmp.Or(op.ChunkUsers, defaultChunkUsers) }

// replacing is one replacement under way.
type replacing struct {
	op      *Operation
	run     *batch.Run
	options Options
	work    Work
	handle  *directory.Handle
	values  *directory.Replacing
	changed int64 // users, so far

	// What is left to do is to tell how it ended.
	ended, cancelled bool
}

// Prepare judges all who are frozen, and writes the report.
func (op *Operation) Prepare(ctx context.Context, run *batch.Run) (batch.Prepared, error) {
	r, err := op.load(ctx, run)
	if err != nil {
		return nil, err
	}
	if r.changed, err = directory.CountChanges(ctx, run.DB().Read(), run.Batch.ID); err != nil {
		return nil, err
	}
	if err := r.judge(ctx); err != nil {
		return nil, r.giveUp(ctx, err)
	}
	if run.Batch.State != batch.Checking && (r.changed > 0 || r.work.Over) {
		return r, nil // the report is written at the end
	}
	return r, r.check(ctx)
}

func (op *Operation) load(ctx context.Context, run *batch.Run) (r *replacing, err error) {
	r = &replacing{op: op, run: run}
	if r.options, err = OptionsOf(run.Batch); err != nil {
		return nil, err
	}
	r.work, err = WorkOf(run.Batch)
	return r, err
}

// judge looks whether whom the batch acts for may do this.
func (r *replacing) judge(ctx context.Context) (err error) {
	if r.handle, err = r.run.Handle(ctx); err == nil {
		err = r.prepare(ctx, r.work.Over)
	}
	switch {
	case fault.KindOf(err) == fault.Forbidden && r.work.Over:
		return r.tellOnly(ctx) // they were made inactive by then
	case err != nil || r.run.Batch.State != batch.Checking:
		return err
	}
	return r.values.Try(ctx)
}

func (r *replacing) prepare(ctx context.Context, over bool) (err error) {
	wanted := r.options.replacement()
	wanted.Over = over
	r.values, err = r.handle.PrepareReplacement(ctx, r.run.DB().Read(), wanted)
	return err
}

// tellOnly prepares for telling how it ended.
func (r *replacing) tellOnly(ctx context.Context) error {
	if r.handle == nil {
		r.handle = r.run.Nobody()
	}
	return r.prepare(ctx, true)
}

// giveUp sees to it that a replacement which cannot go on tells of what it did: its counts were those of the check. It
// returns the cause.
func (r *replacing) giveUp(ctx context.Context, cause error) error {
	if !final(cause) {
		return cause
	}
	counts := batch.Counts{}
	if r.run.Batch.State == batch.Applying {
		err := r.tellOnly(ctx)
		if err == nil {
			counts, err = r.conclude(ctx, true)
		}
		if err != nil {
			return errors.Join(cause, err)
		}
	}
	return errors.Join(cause, r.run.StoreCounts(ctx, counts))
}

// final tells that trying again would come to the same.
func final(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.Forbidden || kind == fault.NotFound || kind == fault.Invalid
}

// Close is there for the engine: a replacement keeps nothing open.
func (r *replacing) Close() error { return nil }
