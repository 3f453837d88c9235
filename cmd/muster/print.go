package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"muster/internal/batch"
	"muster/internal/userimport"
)

// view says what of a batch is shown.
type view struct {
	rows string // in JSON: problems, all or none
	code string // only problems with this code
	past bool   // an old batch is looked at, so what to do next is not said
	demo bool
}

func (v view) filter() batch.Filter { return batch.Filter{Code: v.code} }

// show writes a batch that is at rest: as JSON, or in words with the problems and what can be done next.
func (s *session) show(ctx context.Context, a *app, b *batch.Batch, v view) error {
	switch {
	case s.json:
		return s.batchJSON(ctx, a, b, v)
	case b.State == batch.Failed:
		s.printFailed(b)
		return nil
	case b.State.Live():
		s.printf("%s\n", stateInWords(b))
		if !b.LeaseUntil.After(time.Now()) {
			s.printf("No process is at work on it: %s\n", s.command("batches", "wait"))
		}
		return nil
	case b.State == batch.Cancelled && b.Counts.Rows == 0:
		s.printf("Batch %d was cancelled before its files were checked; nothing is changed.\n", b.ID)
		return nil
	case b.State == batch.Undone && !v.past:
		return s.printUndone(ctx, a, b)
	}
	s.printf("%s\n", countsInWords(b))
	if replaces(b) {
		s.printDeleted(b)
	}
	if edits(b) {
		if err := s.printEditChanged(ctx, a, b); err != nil {
			return err
		}
	}
	if !changesUsers(b) {
		if err := s.printChanged(ctx, a, b); err != nil {
			return err
		}
	}
	if err := s.printProblems(ctx, a, b, v); err != nil {
		return err
	}
	if b.State == batch.Undone {
		return s.printUndone(ctx, a, b)
	}
	if !v.demo {
		s.printNext(b)
	}
	return nil
}

// countsInWords is a batch's result, or what its preview says.
func countsInWords(b *batch.Batch) string {
	c := b.Counts
	is := map[bool]string{true: " would be inserted", false: " inserted"}[b.State == batch.Ready || b.State == batch.Awaiting]
	parts := []string{number(c.Inserted) + is}
	for _, p := range []struct {
		n    int64
		what string
	}{{c.Updated, " updated"}, {c.Unchanged, " unchanged"}} {
		if p.n > 0 {
			parts = append(parts, number(p.n)+p.what)
		}
	}
	parts = append(parts, number(c.Duplicate)+" duplicate", number(c.Invalid)+" invalid")
	noun := "row"
	if replaces(b) {
		parts, noun = replaceCounts(b), "user"
	}
	if edits(b) {
		parts, noun = editCounts(b), "user"
	}
	if ofPictures(b) {
		parts, noun = pictureCountsInWords(b), "picture"
	}
	if left := c.Rows - c.Inserted - c.Updated - c.Unchanged - c.Duplicate - c.Invalid; b.State == batch.Cancelled && left > 0 {
		parts = append(parts, number(left)+" not applied")
	}
	head := fmt.Sprintf("Batch %d", b.ID)
	switch b.State {
	case batch.Ready:
		head += ", preview"
	case batch.Awaiting:
		head += ", awaiting approval"
	case batch.Cancelled:
		head += ", cancelled"
	case batch.Undone:
		head += ", before it was undone"
	}
	text := fmt.Sprintf("%s: %s: %s.", head, count(c.Rows, noun), strings.Join(parts, ", "))
	if c.Stray > 0 {
		text += fmt.Sprintf(" %s of the other files belong to nobody (stray).", count(c.Stray, "row"))
		if c.Stray == 1 {
			text = strings.Replace(text, "belong to", "belongs to", 1)
		}
	}
	if c.PassedOver > 0 {
		text += fmt.Sprintf(" %s of the ZIP passed over.", count(c.PassedOver, "other file"))
	}
	return text
}

func (s *session) printFailed(b *batch.Batch) {
	if len(b.FileProblems) == 0 {
		s.notef("muster: batch %d failed: %s\n", b.ID, b.Reason)
		return
	}
	s.notef("muster: nothing is imported: the files cannot be used as they are.\n")
	for _, p := range b.FileProblems {
		where := p.File
		if p.Row > 1 {
			where += ", row " + strconv.Itoa(p.Row)
		}
		if where != "" {
			where += ": "
		}
		s.notef("  %s%s [%s]\n", where, p.Message, p.Code)
		if p.Suggestion != "" {
			s.notef("    Did you mean %q?\n", p.Suggestion)
		}
	}
}

// printUndone says what an undo took back, and who stays and why.
func (s *session) printUndone(ctx context.Context, a *app, b *batch.Batch) error {
	what := "taken back"
	if changesUsers(b) {
		what = "changed back"
	}
	if ofPictures(b) {
		what = "given back what they had"
	}
	s.printf("Batch %d is undone: %s %s.\n", b.ID, count(b.Undone, "user"), what)
	const most = 10
	n := 0
	for e, err := range a.engine.KeptByUndo(ctx, a.actor, b) {
		if err != nil {
			return err
		}
		if n++; n > most {
			continue
		}
		if n == 1 {
			s.printf("Left as they are:\n")
		}
		s.printf("  %s\n", e.Problems[0].Message)
	}
	if n > most {
		s.printf("  and %s more: %s\n", number(int64(n-most)), s.command("users", "list", "--batch", fmt.Sprint(b.ID)))
	}
	return nil
}

// printNext says what can be done with the batch now.
func (s *session) printNext(b *batch.Batch) {
	id := fmt.Sprint(b.ID)
	var steps [][2]string
	switch {
	case b.State == batch.Awaiting:
		steps = approvalSteps(s, id)
	case b.State == batch.Ready && b.Guard.Users > 0:
		s.printf("\n%s\n", guardInWords(b))
		steps = [][2]string{{"go on", s.command("batches", "apply", id, "--confirm", fmt.Sprint(b.Guard.Users))}, {"drop this", s.command("batches", "cancel", id)}}
	case replaces(b):
		steps = replaceSteps(s, b)
	case ofPictures(b):
		steps = pictureSteps(s, b)
	case edits(b):
		steps = editSteps(s, b)
	case b.State == batch.Ready && b.Counts.Inserted > 0:
		steps = [][2]string{{"import them", s.command("batches", "apply", id)}, {"drop this", s.command("batches", "cancel", id)}}
	case b.State == batch.Ready:
		steps = [][2]string{{"drop this", s.command("batches", "cancel", id)}}
	case b.Counts.Inserted > 0:
		steps = [][2]string{{"see who came in", s.command("users", "list", "--batch", id)}, {"take it back", s.command("batches", "undo", id)}}
	}
	waits := b.State == batch.Ready || b.State == batch.Awaiting
	if !waits && !changesUsers(b) && !ofPictures(b) && (!b.Counts.Clean() || b.State == batch.Cancelled) {
		steps = append(steps, [2]string{"mend the others", s.command("batches", "rejects", id, "rejects-"+id)})
	}
	if waits {
		s.printf("\nNothing is changed so far.\n")
	} else if len(steps) > 0 {
		s.printf("\n")
	}
	s.table(func(row func(...any)) {
		for _, step := range steps {
			row("  "+step[0]+":", step[1])
		}
	})
}

// printAbout says what a batch is.
func (s *session) printAbout(b *batch.Batch) {
	s.printf("Batch %d: %s, %s\n", b.ID, strings.ReplaceAll(b.Action, "-", " "), b.State)
	s.printf("  started %s by %s (%s), %s of work\n", b.CreatedAt.Local().Format("2006-01-02 15:04:05"), b.Owner, b.Source, duration(b.Busy))
	if replaces(b) {
		s.printf("  %s\n", replacedInWords(b))
	}
	if edits(b) {
		s.printf("  %s\n", editInWords(b))
		s.printUnknown(b)
	}
	for _, f := range b.Files {
		if changesUsers(b) {
			break // ids, which say nothing to anybody
		}
		kind := f.Kind
		if kind == "" {
			kind = "not recognised"
		}
		s.printf("  %s (%s, %s bytes)\n", f.Name, kind, number(f.Size))
	}
	if b.Cleared() {
		s.printf("  files and reports were removed %s, as their retention had ended\n", b.ClearedAt.Local().Format("2006-01-02"))
	}
	if ofPictures(b) {
		s.printf("  %s\n", matchedInWords(b))
	}
	if inFile(b) {
		s.printf("  supervisors may be in the same file\n")
	}
	s.printApproval(b)
	s.printf("\n")
}

// inFile tells whether the batch was started with --in-file-supervisors.
func inFile(b *batch.Batch) bool {
	var o userimport.Options
	return json.Unmarshal(b.Options, &o) == nil && o.InFileSupervisors
}
