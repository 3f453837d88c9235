package web

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/pictureimport"
	"muster/internal/useredit"
	"muster/internal/userimport"
)

// mayLook are the rights of which one lets somebody look at batches: at their own, or with the first one everywhere at
// everybody's, which the engine sees to.
var mayLook = []directory.Right{"batches:access", "users:add", "users:edit", "pictures:add"}

func (s *Server) batchRoutes() []route {
	return []route{
		{pattern: "GET /batches", any: mayLook, do: s.batchList},
		{pattern: "GET /batches/{id}", any: mayLook, do: s.batchPage},
		{pattern: "GET /batches/{id}/progress", any: mayLook, do: s.batchProgress},
		{pattern: "GET /batches/{id}/rejects/{file}", any: mayLook, long: true, do: s.rejects},
		{pattern: "POST /batches/{id}/apply", any: mayDecide, do: s.applyBatch},
		{pattern: "POST /batches/{id}/cancel", any: mayDecide, do: s.cancelBatch},
		{pattern: "POST /batches/{id}/approve", any: []directory.Right{"batches:edit"}, do: s.approveBatch},
		{pattern: "POST /batches/{id}/reject", any: []directory.Right{"batches:edit"}, do: s.rejectBatch},
		{pattern: "GET /batches/{id}/undo", any: mayDecide, do: s.askUndo},
		{pattern: "POST /batches/{id}/undo", any: mayDecide, do: s.undoBatch},
		{pattern: "GET /batches/{id}/columns", any: mayLook, do: s.askedColumns},
		{pattern: "POST /batches/{id}/columns", any: mayImport, do: s.mapColumns},
		{pattern: "GET /batches/{id}/correct", any: mayImport, do: s.correctPage},
		{pattern: "GET /batches/{id}/correct/rows", any: mayImport, do: s.correctRows},
		{pattern: "POST /batches/{id}/suggestion", any: mayImport, do: s.takeSuggestion},
		{pattern: "POST /batches/{id}/corrections", any: mayImport, do: s.saveCorrection},
		{pattern: "POST /batches/{id}/run", any: mayImport, do: s.runCorrected},
	}
}

// batch is the one that the address names, if the person may look at it.
func (v *visit) batch() (*batch.Batch, error) {
	id, err := strconv.ParseInt(v.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		return nil, errNothingHere
	}
	return v.server.Engine.Get(v.ctx(), v.actor(), id)
}

// mayAct tells whether the person is shown what can be done with the batch; the engine decides once more when it is.
func (v *visit) mayAct(b *batch.Batch) bool {
	return v.mayDo(b) && (v.owns(b) || v.can("batches:edit"))
}

func (v *visit) owns(b *batch.Batch) bool { return !b.BySystem && b.Owner == v.actor().Name() }

// applyBatch lets a preview go on.
func (s *Server) applyBatch(v *visit) error {
	confirm, err := typedNumber(v.FormValue("confirm"))
	if err != nil {
		return s.decideAgain(v, err)
	}
	return v.decide(func(ctx context.Context, a directory.Actor, id int64) error {
		return s.Engine.Apply(ctx, a, id, confirm)
	})
}

// cancelBatch stops what runs, or drops a preview.
func (s *Server) cancelBatch(v *visit) error { return v.decide(s.Engine.Cancel) }

// undoBatch takes back what the batch did.
func (s *Server) undoBatch(v *visit) error { return v.decide(s.Engine.Undo) }

// askUndo says what an undo would do, before it does.
func (s *Server) askUndo(v *visit) error {
	b, err := v.batch()
	if err != nil {
		return err
	}
	if !undoable(b) || !v.mayAct(b) {
		return fault.New(fault.Conflict, "there is nothing in %s #%d that could be undone", actionName(b.Action), b.ID)
	}
	if v.fragment("dialog") {
		return v.part(undoDialog(b))
	}
	return v.show(undoTitle(b), undoPage(b))
}

// undoable tells whether the batch did something that is still there, as far as the batch itself knows.
func undoable(b *batch.Batch) bool {
	if edits(b) && !b.State.Live() {
		return editUndoable(b)
	}
	if b.Counts.Inserted+b.Counts.Updated <= b.Undone {
		return false
	}
	switch b.State {
	case batch.Done, batch.Cancelled, batch.Undone:
		return true
	case batch.Failed:
		return len(b.Work) > 0
	}
	return false
}

// cancellable tells whether the batch can still be stopped.
func cancellable(b *batch.Batch) bool {
	return (b.State.Live() && b.State != batch.Undoing && !b.Cancel) || b.State == batch.Ready || b.State == batch.Awaiting
}

// actionName is a bulk action as people call it.
func actionName(action string) string {
	if action == userimport.Action {
		return "Import users"
	}
	if action == pictureimport.Action {
		return "Import user profile pictures"
	}
	if action == useredit.Action {
		return "Replace a value"
	}
	if edit, known := editActionOf(action); known {
		return edit.Title
	}
	return action
}

// filesName names a batch by its files: "UserDetails.csv and 2 more".
func filesName(b *batch.Batch) string {
	if edits(b) {
		return editName(b)
	}
	if len(b.Files) == 0 {
		return actionName(b.Action)
	}
	first := fileName(b.Files[0].Name)
	for _, f := range b.Files {
		if f.Kind == string(userimport.UserDetails) {
			first = fileName(f.Name)
		}
	}
	if n := len(b.Files) - 1; n > 0 {
		return fmt.Sprintf("%s and %d more", first, n)
	}
	return first
}

// ownerName is who started a batch, for the reader.
func ownerName(v *visit, b *batch.Batch) string {
	switch {
	case b.BySystem:
		return "the command line"
	case v.owns(b):
		return "you"
	}
	return b.Owner
}

// stateWords is a batch's state in a word, and the tone of its badge.
func stateWords(b *batch.Batch) (tone, word string) {
	switch b.State {
	case batch.Received:
		return "grey", "Waiting"
	case batch.Checking:
		return "blue", "Checking"
	case batch.Ready:
		return "amber", "Preview"
	case batch.Awaiting:
		return "purple", "Awaiting approval"
	case batch.Applying:
		if b.Cancel {
			return "amber", "Cancelling"
		}
		if edits(b) {
			return "blue", "Applying"
		}
		return "blue", "Importing"
	case batch.Done:
		return "green", "Done"
	case batch.Cancelled:
		return "grey", "Cancelled"
	case batch.Failed:
		return "red", "Failed"
	case batch.Undoing:
		return "blue", "Undoing"
	case batch.Undone:
		return "purple", "Undone"
	}
	return "grey", string(b.State)
}

// withQuery is a path with parameters; empty ones are left out.
func withQuery(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
