package main

import (
	"context"
	"fmt"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/pictureimport"
)

// ofPictures tells whether the batch imports pictures.
func ofPictures(b *batch.Batch) bool { return b.Action == pictureimport.Action }

// pictureCountsInWords are the counts of an import of pictures in words.
func pictureCountsInWords(b *batch.Batch) []string {
	c := b.Counts
	is := map[bool]string{true: " would be inserted", false: " inserted"}[b.State == batch.Ready || b.State == batch.Awaiting]
	return []string{number(c.Inserted) + is, number(c.Updated) + " updated", number(c.Unchanged) + " unchanged", number(c.Invalid) + " invalid"}
}

// matchedInWords says what the pictures are named by.
func matchedInWords(b *batch.Batch) string {
	o, err := pictureimport.OptionsOf(b)
	if err != nil {
		return ""
	}
	return "pictures are named by the " + map[directory.PictureAttribute]directory.Column{directory.ByAgentID: directory.AgentID,
		directory.ByLANID: directory.LANID, directory.ByPBXID: directory.PBXID}[o.Match].String()
}

// pictureSteps are what can be done with an import of pictures now.
func pictureSteps(s *session, b *batch.Batch) [][2]string {
	id, some := fmt.Sprint(b.ID), b.Counts.Inserted+b.Counts.Updated
	switch {
	case b.State == batch.Ready && some > 0:
		return [][2]string{{"import them", s.command("batches", "apply", id)}, {"drop this", s.command("batches", "cancel", id)}}
	case b.State == batch.Ready:
		return [][2]string{{"drop this", s.command("batches", "cancel", id)}}
	case some > b.Undone:
		return [][2]string{{"take it back", s.command("batches", "undo", id)}}
	}
	return nil
}

// pictureCounts are the counts in the JSON of an import of pictures: what was passed over is always told.
type pictureCounts struct {
	Rows       int64 `json:"rows"`
	Inserted   int64 `json:"inserted"`
	Updated    int64 `json:"updated"`
	Unchanged  int64 `json:"unchanged"`
	Invalid    int64 `json:"invalid"`
	PassedOver int64 `json:"passed_over"`
}

// jsonCounts are a batch's counts for its JSON.
func jsonCounts(b *batch.Batch) any {
	if c := b.Counts; ofPictures(b) {
		return pictureCounts{c.Rows, c.Inserted, c.Updated, c.Unchanged, c.Invalid, c.PassedOver}
	}
	return b.Counts
}

// pictureRow is a picture in a batch's JSON.
type pictureRow struct {
	Row     int64             `json:"row"`
	Picture string            `json:"picture"`
	LANID   string            `json:"lan_id"`
	Outcome directory.Outcome `json:"outcome"`
	Was     directory.Outcome `json:"was,omitempty"` // in the preview, where it said something else
}

// pictureRows are the rows of an import of pictures: all, those that have something to say, or none.
func pictureRows(ctx context.Context, a *app, b *batch.Batch, v view, item func(any)) error {
	if v.rows == "none" || !reported(b) {
		return nil
	}
	for q := (pictureimport.RowsQuery{Code: v.code, Limit: 1000}); ; {
		rows, next, err := pictureimport.Page(ctx, a.engine, a.actor, b, q)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if v.rows == "all" || len(r.Problems) > 0 || r.Was != "" || r.Outcome == directory.NotApplied {
				item(pictureRow{r.Number, r.File, r.LANID, r.Outcome, r.Was})
			}
		}
		if q.After = next; next == 0 {
			return nil
		}
	}
}

// reported tells whether the batch has come as far as to have a report.
func reported(b *batch.Batch) bool {
	return b.State != batch.Received && b.State != batch.Checking && b.State != batch.Failed
}

// noSpreadsheet refuses what is for spreadsheets alone.
func noSpreadsheet(s *session, b *batch.Batch) error {
	if ofPictures(b) {
		return fault.New(fault.Conflict, "batch %d is an import of pictures, which has no rows that could be written as a spreadsheet; see what is wrong with each: %s",
			b.ID, s.command("batches", "show", fmt.Sprint(b.ID)))
	}
	return nil
}
