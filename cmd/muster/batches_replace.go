package main

import (
	"context"
	"fmt"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/useredit"
)

// replaces tells whether the batch replaces a value.
func replaces(b *batch.Batch) bool { return b.Action == useredit.Action }

// replacedInWords says what is replaced by what.
func replacedInWords(b *batch.Batch) string {
	o, err := useredit.OptionsOf(b)
	if err != nil {
		return ""
	}
	text := fmt.Sprintf("the %s %q is replaced by %q", o.Kind.Noun(), o.FromName, o.ToName)
	if o.To == 0 {
		text = fmt.Sprintf("the %s %q is taken away", o.Kind.Noun(), o.FromName)
	}
	if o.Delete {
		text += " and deleted"
	}
	return text
}

// replaceCounts are a replacement's counts in words.
func replaceCounts(b *batch.Batch) []string {
	is := map[bool]string{true: " would change", false: " changed"}[b.State == batch.Ready || b.State == batch.Awaiting]
	parts := []string{number(b.Counts.Updated) + is}
	if b.Counts.Unchanged > 0 {
		parts = append(parts, number(b.Counts.Unchanged)+" no longer concerned")
	}
	return append(parts, number(b.Counts.Invalid)+" left out")
}

// printDeleted says what became of the value.
func (s *session) printDeleted(b *batch.Batch) {
	o, err := useredit.OptionsOf(b)
	w, werr := useredit.WorkOf(b)
	if err != nil || werr != nil || b.State != batch.Done {
		return
	}
	switch {
	case w.Deleted != nil:
		s.printf("The %s %q is deleted.\n", o.Kind.Noun(), o.FromName)
	case w.StillHeld:
		s.printf("The %s %q stays: somebody still has it.\n", o.Kind.Noun(), o.FromName)
	}
}

// replaceSteps are what can be done with a replacement now.
func replaceSteps(s *session, b *batch.Batch) [][2]string {
	id := fmt.Sprint(b.ID)
	switch {
	case b.State == batch.Ready:
		return [][2]string{{"change them", s.command("batches", "apply", id)}, {"drop this", s.command("batches", "cancel", id)}}
	case useredit.Undoable(b):
		return [][2]string{{"take it back", s.command("batches", "undo", id)}}
	}
	return nil
}

// replaceRow is a user of a replacement in a batch's JSON.
type replaceRow struct {
	LANID   string            `json:"lan_id"`
	Outcome directory.Outcome `json:"outcome"`
	Was     directory.Outcome `json:"was,omitempty"` // in the preview, where it said something else
	Before  string            `json:"before"`
	After   string            `json:"after"`
}

// replaceJSON writes the problems and the rows of a replacement.
func replaceJSON(ctx context.Context, a *app, b *batch.Batch, v view, o *object) {
	o.list("problems", func(item func(any)) error {
		for e, err := range a.engine.Entries(ctx, a.actor, b, v.filter()) {
			if err != nil {
				return err
			}
			for i := range e.Problems {
				item(&e.Problems[i])
			}
		}
		return nil
	})
	o.list("rows", func(item func(any)) error {
		outcomes := []directory.Outcome{directory.Invalid, directory.Unchanged, directory.NotApplied}
		switch v.rows {
		case "none":
			return nil
		case "all":
			outcomes = append([]directory.Outcome{directory.Updated}, outcomes...)
		}
		for _, outcome := range outcomes {
			if err := replaceRows(ctx, a, b, outcome, item); err != nil {
				return err
			}
		}
		return nil
	})
}

func replaceRows(ctx context.Context, a *app, b *batch.Batch, outcome directory.Outcome, item func(any)) error {
	for q := (useredit.RowsQuery{Outcome: outcome, Limit: 1000}); ; {
		rows, next, err := useredit.Page(ctx, a.engine, a.actor, b, q)
		if err != nil {
			return err
		}
		for _, r := range rows {
			item(replaceRow{r.LANID, r.Outcome, r.Was, r.Before, r.After})
		}
		if q.After = next; next == 0 {
			return nil
		}
	}
}

// noFiles refuses what is for imports alone.
func noFiles(b *batch.Batch) error {
	if replaces(b) {
		return fault.New(fault.Conflict, "batch %d is a %s, which has no files whose rows could be written", b.ID, strings.ReplaceAll(b.Action, "-", " "))
	}
	return nil
}
