package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"muster/internal/batch"
)

type batchesApproveCmd struct {
	batchArg
	rowsFlag
	Comment string `help:"What to tell whoever made the batch." placeholder:"TEXT"`
}

// Run approves a batch and runs it.
func (c *batchesApproveCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	if err := a.engine.Approve(ctx, a.actor, c.ID, strings.TrimSpace(c.Comment)); err != nil {
		return err
	}
	return s.finish(ctx, a, c.ID, view{rows: c.Rows})
}

type batchesRejectCmd struct {
	batchArg
	Comment string `help:"Why; whoever made the batch reads it." placeholder:"TEXT" required:""`
}

// Run drops a batch that awaits approval.
func (c *batchesRejectCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	if err := a.engine.Reject(ctx, a.actor, c.ID, strings.TrimSpace(c.Comment)); err != nil {
		return err
	}
	b, err := a.engine.Get(ctx, a.actor, c.ID)
	if err != nil {
		return err
	}
	return s.show(ctx, a, b, view{rows: "none"})
}

// printApproval says who asked for the batch to be approved, and what came of it.
func (s *session) printApproval(b *batch.Batch) {
	moment := func(at time.Time) string { return at.Local().Format("2006-01-02 15:04:05") }
	if b.Guard.Users > 0 {
		s.printf("  %s\n", guardInWords(b))
	}
	if b.Guard.Confirmed > 0 {
		s.printf("  confirmed with the number %d\n", b.Guard.Confirmed)
	}
	ap := b.Approval
	if ap.AskedBy != "" {
		s.printf("  approval asked for by %s, %s\n", ap.AskedBy, moment(ap.AskedAt))
	}
	if ap.Verdict != "" {
		s.printf("  %s by %s, %s\n", ap.Verdict, ap.By, moment(ap.At))
	}
	if ap.Comment != "" {
		s.printf("  comment: %s\n", ap.Comment)
	}
}

func guardInWords(b *batch.Batch) string {
	return fmt.Sprintf("It would change %s of the %s that there are (%d %%), more than go without asking.", number(b.Guard.Users), count(b.Guard.Of, "user"), b.Guard.Percent())
}

// approvalSteps are what can be done with a batch that awaits approval.
func approvalSteps(s *session, id string) [][2]string {
	return [][2]string{{"approve it", s.command("batches", "approve", id)}, {"reject it", s.command("batches", "reject", id, "--comment", "why")}, {"withdraw it", s.command("batches", "cancel", id)}}
}
