package web

import (
	"context"
	"slices"
	"strconv"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/useredit"
)

// editPart is a batch that changes users who are there: what it does, in words, and the users of one outcome.
type editPart struct {
	editSay
	Preview bool
	Show    directory.Outcome
	Code    string // of a problem that they have; "" for all
	Codes   []batch.RowCount
	After   int64
	Next    int64 // where the next page goes on; 0 on the last
	Rows    []useredit.Row
	Since   int64 // of those who change or changed: whom somebody had changed after the set was frozen
}

// editSay is what the page says of one edit.
type editSay struct {
	Does      string // what it will do
	Proceed   string // the button that lets it go on; "" where there is nothing to do
	Over      *editOver
	Cancelled string
	Undone    string
	Columns   [3]string // the headings of what was, what is, and in a preview what will be
	Labels    map[directory.Outcome]string
}

// editOver is what there is to be said at the end, beside the counts.
type editOver struct{ Kind, Title, Text string }

// edits tells whether the batch changes users who are there.
func edits(b *batch.Batch) bool { return replaces(b) || useredit.IsEdit(b.Action) }

// editOutcomes are the counts of an edit in their order.
var editOutcomes = []directory.Outcome{directory.Updated, directory.Invalid, directory.Unchanged, directory.NotApplied}

// fillEditPage fills the page of a batch that changes users.
func (s *Server) fillEditPage(v *visit, b *batch.Batch, p *batchPage, asked rowsAsked) (err error) {
	e := &editPart{Preview: b.State == batch.Ready || b.State == batch.Awaiting, Show: asked.Show, Code: asked.Code}
	p.Edit = e
	if b.State == batch.Undone {
		if p.Kept, err = s.keptPart(v, b); err != nil {
			return err
		}
	}
	if e.editSay, err = editSays(p, e.Preview); err != nil || b.State.Live() {
		return err
	}
	if outcomeCount(b, e.Show) == 0 {
		e.Show, e.Code, asked.After = directory.Updated, "", ""
		if i := slices.IndexFunc(editOutcomes, func(o directory.Outcome) bool { return outcomeCount(b, o) > 0 }); i >= 0 {
			e.Show = editOutcomes[i]
		}
	}
	e.After, _ = strconv.ParseInt(asked.After, 10, 64)
	e.After = max(0, e.After)
	if err := s.fillEditCodes(v, b, e); err != nil {
		return err
	}
	e.Rows, e.Next, err = editRows(v.ctx(), s.Engine, v.actor(), b, useredit.RowsQuery{Outcome: e.Show, Code: e.Code, After: e.After, Limit: rowsPerPage})
	return err
}

// fillEditCodes counts why users are left out, what there is to say of those who change, and how many of them somebody had
// changed after the set was frozen.
func (s *Server) fillEditCodes(v *visit, b *batch.Batch, e *editPart) (err error) {
	if e.Show == directory.Invalid {
		if e.Codes, err = s.Engine.CodesOf(v.ctx(), v.actor(), b, e.Show); err != nil {
			return err
		}
	}
	if replaces(b) {
		return nil
	}
	changed, err := s.Engine.CodesOf(v.ctx(), v.actor(), b, directory.Updated)
	for _, c := range changed {
		if c.Code == changedSinceCode {
			e.Since = c.Rows
		}
	}
	if e.Show == directory.Updated {
		e.Codes = changed
	}
	return err
}

// editSays puts the edit into words.
func editSays(p *batchPage, preview bool) (editSay, error) {
	if replaces(p.Batch) {
		return replaceSays(p, preview)
	}
	return bulkSays(p, preview)
}

func editRows(ctx context.Context, e *batch.Engine, actor directory.Actor, b *batch.Batch, q useredit.RowsQuery) ([]useredit.Row, int64, error) {
	if replaces(b) {
		return useredit.Page(ctx, e, actor, b, q)
	}
	return useredit.EditPage(ctx, e, actor, b, q)
}

// editUndoable tells whether an edit that is at rest did something that is still there.
func editUndoable(b *batch.Batch) bool {
	if replaces(b) {
		return useredit.Undoable(b)
	}
	return useredit.UndoableEdit(b)
}

// editName says what the batch does to whom.
func editName(b *batch.Batch) string {
	if replaces(b) {
		return replaceName(b)
	}
	return bulkName(b)
}

// editUndoWords say what an undo would do.
func editUndoWords(b *batch.Batch) string {
	if replaces(b) {
		return replaceUndoWords(b)
	}
	return "This gives " + count(b.Counts.Updated-b.Undone, "user") + " back what they had before."
}

// heading is that of the column of what was, or of what is.
func (e *editPart) heading(after bool) string {
	switch {
	case !after:
		return e.Columns[0]
	case e.Preview:
		return e.Columns[2]
	}
	return e.Columns[1]
}

// cancelledWords say what became of an edit that was cancelled.
func cancelledWords(b *batch.Batch) string {
	if b.Counts.Updated == 0 {
		return "No user was changed."
	}
	return count(b.Counts.Updated, "user") + " had been changed and stay so; " + count(notApplied(b), "other") + " were not come to. Undo gives those who were changed back what they had."
}

// undoneEdit says what became of the undo.
func undoneEdit(p *batchPage, also string) string {
	text := count(p.Undone, "user") + " got back what they had." + also
	if p.Kept != nil && len(p.Kept.Users) > 0 {
		text += " Others stay as they are; they are listed below."
	}
	return text
}

// editProgress says what goes on.
func editProgress(b *batch.Batch) string {
	switch {
	case b.State == batch.Undoing:
		return "Giving users back what they had"
	case b.Phase == "checking" && b.State == batch.Applying:
		return "Putting together what came of it"
	case b.Phase == "checking" && replaces(b):
		return "Looking at everybody who has it"
	case b.Phase == "checking":
		return "Looking at each of them"
	case b.Phase == "applying":
		return "Changing users"
	}
	return "Starting"
}

// shows is which rows the page shows.
func (p *batchPage) shows() rowsAsked {
	if p.Edit != nil {
		return rowsAsked{Show: p.Edit.Show, Code: p.Edit.Code}
	}
	return p.Result.rowsAsked
}

// changedSinceCode is the note on users who changed between the freezing of the set and the edit.
const changedSinceCode = "user.changed_since"

func sinceWords(n int64, preview bool) string {
	switch {
	case preview && n == 1:
		return "1 of them changed since the window was opened."
	case preview:
		return number(n) + " of them changed since the window was opened."
	case n == 1:
		return "1 of them had changed since the window was opened."
	}
	return number(n) + " of them had changed since the window was opened."
}

// unchangedWord is what the history calls users whom an edit left as they were.
func unchangedWord(b *batch.Batch) string {
	if replaces(b) {
		return "no longer concerned"
	}
	return "as they were"
}
