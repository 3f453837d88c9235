package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sheet"
	"muster/internal/useredit"
)

// edits tells whether the batch edits a set of users.
func edits(b *batch.Batch) bool { return useredit.IsEdit(b.Action) }

// changesUsers tells whether the batch changes users who are there, and has no spreadsheet whose rows it counts.
func changesUsers(b *batch.Batch) bool { return replaces(b) || edits(b) }

// editInWords says what is done to whom.
func editInWords(b *batch.Batch) string {
	o, err := useredit.EditOf(b)
	if err != nil {
		return ""
	}
	return o.Words() + ": " + o.Title + " (" + count(o.Users, "user") + ")"
}

// printUnknown says which of what was given the set does not have.
func (s *session) printUnknown(b *batch.Batch) {
	o, err := useredit.EditOf(b)
	if err != nil || o.Unknown == 0 {
		return
	}
	are := " of what was given is nobody among the users that you may change"
	if o.Unknown > 1 {
		are = " of what was given are nobody among the users that you may change"
	}
	s.printf("%s%s", number(o.Unknown), are)
	if len(o.UnknownLANIDs) > 0 {
		s.printf(": %s", strings.Join(o.UnknownLANIDs, ", "))
		if left := o.Unknown - int64(len(o.UnknownLANIDs)); left > 0 {
			s.printf(" and %s more", number(left))
		}
	}
	s.printf(".\n")
}

// editCounts are an edit's counts in words.
func editCounts(b *batch.Batch) []string {
	is := map[bool]string{true: " would change", false: " changed"}[b.State == batch.Ready || b.State == batch.Awaiting]
	return []string{number(b.Counts.Updated) + is, number(b.Counts.Unchanged) + " already so", number(b.Counts.Invalid) + " left out"}
}

// editSteps are what can be done with an edit now.
func editSteps(s *session, b *batch.Batch) [][2]string {
	id := fmt.Sprint(b.ID)
	switch {
	case b.State == batch.Ready && b.Counts.Updated > 0:
		return [][2]string{{"change them", s.command("batches", "apply", id)}, {"drop this", s.command("batches", "cancel", id)}}
	case b.State == batch.Ready:
		return [][2]string{{"drop this", s.command("batches", "cancel", id)}}
	case useredit.UndoableEdit(b):
		return [][2]string{{"take it back", s.command("batches", "undo", id)}}
	}
	return nil
}

// editJSON writes the set, the problems and the rows of an edit.
func editJSON(ctx context.Context, a *app, b *batch.Batch, v view, o *object) {
	if options, err := useredit.EditOf(b); err == nil {
		o.field("set", struct {
			Title         string   `json:"title"`
			Users         int64    `json:"users"`
			Unknown       int64    `json:"unknown"`
			UnknownLANIDs []string `json:"unknown_lan_ids"`
		}{options.Title, options.Users, options.Unknown, append([]string{}, options.UnknownLANIDs...)})
	}
	o.list("problems", func(item func(any)) error {
		for e, err := range a.engine.Entries(ctx, a.actor, b, v.filter()) {
			if err != nil {
				return err
			}
			for i := range e.Problems {
				if v.code == "" || e.Problems[i].Code == v.code {
					item(&e.Problems[i])
				}
			}
		}
		return nil
	})
	o.list("rows", func(item func(any)) error {
		outcomes := []directory.Outcome{directory.Updated, directory.Invalid, directory.Unchanged, directory.NotApplied}
		switch v.rows {
		case "none":
			return nil
		case "problems":
			outcomes = outcomes[1:2]
		}
		for _, outcome := range outcomes {
			if err := editRows(ctx, a, b, useredit.RowsQuery{Outcome: outcome, Code: v.code, Limit: 1000}, item); err != nil {
				return err
			}
		}
		return nil
	})
}

func editRows(ctx context.Context, a *app, b *batch.Batch, q useredit.RowsQuery, item func(any)) error {
	for {
		rows, next, err := useredit.EditPage(ctx, a.engine, a.actor, b, q)
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

// leftOutFile is what the users who were left out are written to.
const leftOutFile = "LeftOut.csv"

// writeLeftOut writes who was left out and why: LAN IDs that --lan-ids takes again.
func (s *session) writeLeftOut(ctx context.Context, a *app, b *batch.Batch, dir string, force bool) error {
	out, err := createFiles(dir, force, leftOutFile)
	if err != nil {
		return err
	}
	defer out.discard()
	w := sheet.NewWriter(out.files[0])
	if err := w.Write([]string{directory.LANID.String(), "Problems"}); err != nil {
		return err
	}
	rows := int64(0)
	for e, err := range a.engine.Entries(ctx, a.actor, b, batch.Filter{Outcome: string(directory.Invalid)}) {
		if err != nil {
			return err
		}
		if e.LANID == "" {
			continue // who is gone, or out of scope, is not named
		}
		var why []string
		for _, p := range e.Problems {
			why = append(why, p.Message)
		}
		if err := w.Write([]string{e.LANID, strings.Join(why, " ")}); err != nil {
			return err
		}
		rows++
	}
	if err := w.Flush(); err != nil {
		return err
	}
	path := filepath.Join(dir, leftOutFile)
	if rows > 0 {
		if err := out.commit(); err != nil {
			return err
		}
	}
	switch {
	case s.json:
		files := []writtenFile{}
		if rows > 0 {
			files = append(files, writtenFile{File: path, Rows: rows})
		}
		return writeJSON(s.out, writtenJSON{Total: int64(len(files)), Files: files})
	case rows == 0:
		s.printf("Batch %d left out nobody who can be named; nothing is written.\n", b.ID)
	default:
		s.printf("%s left out: %s\nThe column Problems says why. Once that is mended, --lan-ids takes the file.\n", wasOrWere(rows), path)
	}
	return nil
}

func wasOrWere(users int64) string {
	if users == 1 {
		return "1 user was"
	}
	return count(users, "user") + " were"
}

// printEditChanged says who came out differently from what the preview said, and why.
func (s *session) printEditChanged(ctx context.Context, a *app, b *batch.Batch) error {
	if b.State != batch.Done && b.State != batch.Cancelled {
		return nil
	}
	const most = 10
	n := 0
	for e, err := range a.engine.Entries(ctx, a.actor, b, batch.Filter{}) {
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
			s.printf("\nThe directory changed after the preview. These users came out differently:\n")
		}
		s.printf("  %s  %s instead of %s\n", e.LANID, e.Outcome, e.Was)
	}
	if n > most {
		s.printf("  and %s more\n", number(int64(n-most)))
	}
	return nil
}
