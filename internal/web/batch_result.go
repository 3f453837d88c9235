package web

import (
	"slices"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/userimport"
)

// rowsPerPage is how many rows a page of a result shows.
const rowsPerPage = 50

// rowsAsked is which rows the address asks for.
type rowsAsked struct {
	Show  directory.Outcome // "": those one most likely wants to see
	Code  string
	After string
}

func askedRows(v *visit) rowsAsked {
	q := v.URL.Query()
	return rowsAsked{Show: directory.Outcome(q.Get("show")), Code: q.Get("code"), After: q.Get("after")}
}

// resultPart is what became of the rows, or in a preview will: the rows of one outcome.
type resultPart struct {
	rowsAsked
	Preview     bool
	Total       int64 // rows of the outcome
	Codes       []batch.RowCount
	Lines       []rowLine
	Next        string // where the next page goes on; "" on the last
	Rejects     int64  // rows that can be downloaded
	Correctable bool   // the rows shown can be corrected here
	Pending     int64  // corrected rows that wait to be run
	OpenUsers   bool   // the person may look at users
	MayAssign   bool   // and may change them
	Mapped      []userimport.MappedColumn
}

// rowLine is a row as the tables show it.
type rowLine struct {
	Number     int64
	LANID      string
	Name, Unit string
	Was        directory.Outcome
	Problems   []problemLine
}

// problemLine is a problem of a row, and what somebody did about it.
type problemLine struct {
	directory.Problem
	Kind      string // the file that has the cell
	Elsewhere string // that file's name where it is not UserDetails
	Same      int64  // how many rows have the same problem with the same value, as far as this page shows
	Corrected bool
	New       string
	RunIn     int64 // the batch in which the corrected row was run, or 0
}

// outcomes are the tabs of a result in their order.
var outcomes = []directory.Outcome{directory.Inserted, directory.Duplicate, directory.Invalid, directory.NotApplied, directory.Stray}

// outcomeCount is how many rows came out so.
func outcomeCount(b *batch.Batch, o directory.Outcome) int64 {
	switch o {
	case directory.Inserted:
		return b.Counts.Inserted
	case directory.Updated:
		return b.Counts.Updated
	case directory.Unchanged:
		return b.Counts.Unchanged
	case directory.Duplicate:
		return b.Counts.Duplicate
	case directory.Invalid:
		return b.Counts.Invalid
	case directory.NotApplied:
		return notApplied(b)
	case directory.Stray:
		return b.Counts.Stray
	}
	return 0
}

// mostWanted is what a page shows when nobody said what: what went wrong first.
func mostWanted(b *batch.Batch) directory.Outcome {
	for _, o := range []directory.Outcome{directory.Invalid, directory.Duplicate, directory.Stray, directory.Inserted, directory.NotApplied} {
		if outcomeCount(b, o) > 0 {
			return o
		}
	}
	return directory.Inserted
}

func (s *Server) resultPart(v *visit, b *batch.Batch, asked rowsAsked) (*resultPart, error) {
	if !slices.Contains(outcomes, asked.Show) {
		asked = rowsAsked{Show: mostWanted(b)}
	}
	r := &resultPart{rowsAsked: asked, Preview: b.State == batch.Ready || b.State == batch.Awaiting, Total: outcomeCount(b, asked.Show), OpenUsers: v.can("users:access"), MayAssign: v.can("users:access") && v.can("users:edit"),
		Rejects: b.Counts.Duplicate + b.Counts.Invalid + b.Counts.Stray + notApplied(b)}
	f := s.frozen(v, b)
	var err error
	if r.Mapped, err = f.Mapped(v.ctx()); err != nil {
		return nil, err
	}
	if r.Codes, err = f.Codes(v.ctx(), asked.Show); err != nil {
		return nil, err
	}
	return r, s.fillRows(v, f, r)
}

// title is the heading of the rows.
func (r *resultPart) title() string {
	switch r.Show {
	case directory.Inserted:
		if r.Preview {
			return "Records to insert"
		}
		return "Inserted records"
	case directory.Duplicate:
		return "Duplicate records"
	case directory.NotApplied:
		return "Records not come to"
	case directory.Stray:
		return "Stray records"
	}
	return "Invalid records"
}

// nothing is said where there are no rows to show.
func (r *resultPart) nothing() string {
	if r.Total == 0 {
		return "There are none."
	}
	return "No row of these has that problem."
}

// rowsPath is the address of rows of this batch.
func (p *batchPage) rowsPath(show directory.Outcome, code, after string) string {
	return withQuery(batchPath(p.ID), "show", string(show), "code", code, "after", after)
}

// correctPath is the address of the page on which cells are corrected.
func (p *batchPage) correctPath(code, after string) string { return correctPath(p.ID, code, after) }

func correctPath(id int64, code, after string) string {
	return withQuery(batchPath(id)+"/correct", "code", code, "after", after)
}

// runIn are the batches in which corrected rows of the page were run again.
func (r *resultPart) runIn() []int64 {
	var all []int64
	for _, line := range r.Lines {
		for _, p := range line.Problems {
			if p.RunIn > 0 && !slices.Contains(all, p.RunIn) {
				all = append(all, p.RunIn)
			}
		}
	}
	slices.Sort(all)
	return all
}
