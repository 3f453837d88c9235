package main

import (
	"context"
	"fmt"

	"muster/internal/batch"
)

type batchesCmd struct {
	List    batchesListCmd    `cmd:"" help:"List batches, newest first."`
	Show    batchesShowCmd    `cmd:"" help:"Show what a batch did, or would do, and every problem."`
	Rejects batchesRejectsCmd `cmd:"" help:"Write the rows that did not get in as spreadsheets that can be imported again."`
	Apply   batchesApplyCmd   `cmd:"" help:"Apply a batch that is in preview."`
	Wait    batchesWaitCmd    `cmd:"" help:"Run what an interrupted process left, until nothing is left to run. Previews are left alone."`
	Approve batchesApproveCmd `cmd:"" help:"Let a batch go on that awaits approval."`
	Reject  batchesRejectCmd  `cmd:"" help:"Drop a batch that awaits approval, and say why."`
	Undo    batchesUndoCmd    `cmd:"" help:"Take back what a batch did."`
	Cancel  batchesCancelCmd  `cmd:"" help:"Stop a batch, or drop a preview. What is applied stays, and can be undone."`
}

// batchArg is the batch that a command is about.
type batchArg struct {
	ID int64 `arg:"" name:"id" help:"Number of the batch."`
}

// rowsFlag says what a batch's JSON lists.
type rowsFlag struct {
	Rows string `help:"With --json: which rows to list (${enum})." enum:"problems,all,none" default:"problems"`
}

type batchesListCmd struct {
	Limit int   `help:"How many to list at most." default:"20"`
	After int64 `help:"Go on after the batch with this number." placeholder:"ID"`
}

// Run lists batches.
func (c *batchesListCmd) Run(ctx context.Context, s *session) error {
	if c.Limit < 1 {
		return &usage{message: "--limit must be 1 or more", command: []string{"batches", "list"}}
	}
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	all, total, err := a.engine.List(ctx, a.actor, batch.ListQuery{Before: c.After, Limit: c.Limit})
	if err != nil {
		return err
	}
	if s.json {
		return writeJSON(s.out, summariesOf(all, total))
	}
	return s.printBatches(all, total)
}

type batchesShowCmd struct {
	batchArg
	rowsFlag
	Code string `help:"Only the problems with this code, every row of them." placeholder:"CODE"`
}

// Run shows a batch.
func (c *batchesShowCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	b, err := a.engine.Get(ctx, a.actor, c.ID)
	if err != nil {
		return err
	}
	if !s.json {
		s.printAbout(b)
	}
	return s.show(ctx, a, b, view{rows: c.Rows, code: c.Code, past: true})
}

type batchesApplyCmd struct {
	batchArg
	rowsFlag
	Confirm int64 `help:"How many existing users the batch may change; one that would change very many needs this." placeholder:"N"`
}

// Run applies a preview.
func (c *batchesApplyCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	return s.apply(ctx, a, c.ID, c.Confirm, view{rows: c.Rows})
}

type batchesWaitCmd struct{}

// Run works until nothing is left to run.
func (c *batchesWaitCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	p := s.newProgress()
	all, err := a.engine.Wait(ctx, p.watch)
	p.end()
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("stopped; what is left can go on: %s", s.command("batches", "wait"))
		}
		return err
	}
	if s.json {
		if err := writeJSON(s.out, summariesOf(all, int64(len(all)))); err != nil {
			return err
		}
	} else if len(all) == 0 {
		s.printf("Nothing is left to run.\n")
	}
	var worst error
	for _, b := range all {
		if !s.json {
			if err := s.show(ctx, a, b, view{}); err != nil {
				return err
			}
		}
		if err := result(b); worst == nil || err == errSaid {
			worst = err
		}
	}
	return worst
}

type batchesUndoCmd struct{ batchArg }

// Run takes back what a batch did; its exit code says whether all of it went.
func (c *batchesUndoCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	if err := a.engine.Undo(ctx, a.actor, c.ID); err != nil {
		return err
	}
	b, err := s.execute(ctx, a, c.ID)
	if err != nil {
		return err
	}
	if err := s.show(ctx, a, b, view{rows: "none"}); err != nil {
		return err
	}
	if b.Undone < b.Counts.Inserted+b.Counts.Updated {
		return errRows
	}
	return result(b)
}

type batchesCancelCmd struct{ batchArg }

// Run stops a batch. One that another process runs stops after the chunk that is under way.
func (c *batchesCancelCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	if err := a.engine.Cancel(ctx, a.actor, c.ID); err != nil {
		return err
	}
	b, err := s.execute(ctx, a, c.ID)
	if err != nil {
		return err
	}
	if err := s.show(ctx, a, b, view{rows: "none"}); err != nil || b.State == batch.Cancelled {
		return err
	}
	return result(b)
}
