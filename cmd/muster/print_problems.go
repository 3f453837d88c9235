package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/userimport"
)

// firstRows is how many rows of each problem are shown.
const firstRows = 3

// problemGroup is what a batch says with one code.
type problemGroup struct {
	batch.CodeCount
	first []directory.Problem
}

// weight puts what must be mended before what must only be known.
func (g *problemGroup) weight() int {
	return slices.Index([]directory.Severity{directory.Error, directory.Warning, directory.Note}, g.first[0].Severity)
}

// printProblems writes the problems by code, with the first rows of each, or all rows of one code.
func (s *session) printProblems(ctx context.Context, a *app, b *batch.Batch, v view) error {
	codes, err := a.engine.Codes(ctx, a.actor, b)
	if err != nil {
		return err
	}
	var groups []problemGroup
	for _, c := range codes {
		if v.code != "" && c.Code != v.code {
			continue
		}
		g := problemGroup{CodeCount: c}
		if g.first, err = s.firstOf(ctx, a, b, c.Code); err != nil {
			return err
		}
		if len(g.first) > 0 {
			groups = append(groups, g)
		}
	}
	slices.SortStableFunc(groups, func(x, y problemGroup) int { return cmp.Compare(x.weight(), y.weight()) })
	for i, g := range groups {
		if i == 0 {
			s.printf("\nProblems\n")
		}
		s.printf("  %s × %s%s: %s\n", number(g.Problems), g.Code, severityInWords(g.first[0].Severity), g.first[0].Message)
		if v.code != "" {
			if err := s.printAll(ctx, a, b, v.code); err != nil {
				return err
			}
			continue
		}
		s.table(func(row func(...any)) {
			for i := range g.first {
				row(problemCells(b, &g.first[i])...)
			}
		})
		if more := g.Problems - int64(len(g.first)); more > 0 {
			s.printf("      %s more: %s\n", number(more), s.command("batches", "show", fmt.Sprint(b.ID), "--code", g.Code))
		}
	}
	return nil
}

func (s *session) firstOf(ctx context.Context, a *app, b *batch.Batch, code string) ([]directory.Problem, error) {
	var first []directory.Problem
	for e, err := range a.engine.Entries(ctx, a.actor, b, batch.Filter{Code: code}) {
		if err != nil {
			return nil, err
		}
		for _, p := range e.Problems {
			if p.Code == code {
				first = append(first, p)
			}
			if len(first) == firstRows {
				return first, nil
			}
		}
	}
	return first, nil
}

func severityInWords(sev directory.Severity) string {
	switch sev {
	case directory.Note:
		return " (note)"
	case directory.Warning:
		return " (warning)"
	}
	return ""
}

// problemCells is where a problem is: row, LAN ID, and what the cell says → what it should perhaps say.
func problemCells(b *batch.Batch, p *directory.Problem) []any {
	where := fmt.Sprintf("      row %d", p.Row)
	for _, f := range b.Files {
		if f.Name == p.File && f.Kind != "" && f.Kind != string(userimport.UserDetails) && !ofPictures(b) {
			where = fmt.Sprintf("      %s row %d", filepath.Base(p.File), p.Row)
		}
	}
	if edits(b) {
		return []any{"     ", p.LANID}
	}
	cells := []any{where, p.LANID}
	if p.Column == directory.LANID.String() {
		return cells
	}
	what := p.Column + ": " + excerpt(p.Value)
	if p.Value == "" {
		what = p.Column + ": (blank)"
	}
	if p.Suggestion != "" {
		what += " → " + p.Suggestion
	}
	return append(cells, what)
}

// excerpt is as much of a value as fits on a line.
func excerpt(s string) string {
	const most = 50 // characters
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "…"
		}
	}
	return s
}

// printAll writes every row that has the code; memory does not grow with them, so the columns are not aligned.
func (s *session) printAll(ctx context.Context, a *app, b *batch.Batch, code string) error {
	for e, err := range a.engine.Entries(ctx, a.actor, b, batch.Filter{Code: code}) {
		if err != nil {
			return err
		}
		for i := range e.Problems {
			if p := &e.Problems[i]; p.Code == code {
				s.printf("%s\n        %s\n", strings.TrimSuffix(fmt.Sprintln(problemCells(b, p)...), "\n"), p.Message)
			}
		}
	}
	return nil
}

// printChanged says which rows came out differently from what the preview said, and why.
func (s *session) printChanged(ctx context.Context, a *app, b *batch.Batch) error {
	if b.State != batch.Done && b.State != batch.Cancelled {
		return nil
	}
	const most = 10
	n := 0
	for e, err := range a.frozen(b).Said(ctx, batch.Filter{}) {
		if err != nil {
			return err
		}
		if e.Was == "" {
			continue
		}
		if n++; n > most {
			continue
		}
		if n == 1 {
			s.printf("\nThe directory changed after the preview. These rows came out differently:\n")
		}
		why := "what kept the row out is no longer so"
		if len(e.Problems) > 0 {
			why = e.Problems[len(e.Problems)-1].Message
		}
		s.printf("  row %d  %s  %s instead of %s: %s\n", e.Row, e.LANID, e.Outcome, e.Was, why)
	}
	if n > most {
		s.printf("  and %s more\n", number(int64(n-most)))
	}
	return nil
}

// stateInWords says what a batch that is at work is doing.
func stateInWords(b *batch.Batch) string {
	text := fmt.Sprintf("Batch %d is %s", b.ID, b.State)
	if b.Total > 0 {
		text += fmt.Sprintf(" (%s: %s of %s)", b.Phase, number(b.Done), number(b.Total))
	}
	if b.Reason != "" {
		text += "; it waits: " + b.Reason
	}
	return text + "."
}
