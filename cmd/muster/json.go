package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/userimport"
)

// writeJSON writes v on one line, or indented where it is short enough to be read.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// summary is what a list says of a batch.
type summary struct {
	Batch      int64               `json:"batch"`
	Action     string              `json:"action"`
	State      batch.State         `json:"state"`
	Seconds    float64             `json:"seconds"`
	Counts     batch.Counts        `json:"counts"`
	Undone     int64               `json:"undone"`
	Files      []string            `json:"files"`
	Problems   []batch.FileProblem `json:"file_problems"`
	Reason     string              `json:"reason,omitempty"`
	By         string              `json:"by"`
	CreatedAt  time.Time           `json:"created_at"`
	FinishedAt *time.Time          `json:"finished_at,omitempty"`
}

type summaries struct {
	Total   int64     `json:"total"`
	Batches []summary `json:"batches"`
}

func summariesOf(all []*batch.Batch, total int64) summaries {
	list := summaries{Total: total, Batches: []summary{}}
	for _, b := range all {
		v := summary{Batch: b.ID, Action: b.Action, State: b.State, Seconds: seconds(b), Counts: b.Counts, Undone: b.Undone, Files: []string{},
			Problems: fileProblems(b), Reason: b.Reason, By: b.Owner, CreatedAt: b.CreatedAt}
		for _, f := range b.Files {
			v.Files = append(v.Files, f.Name)
		}
		if !b.FinishedAt.IsZero() {
			v.FinishedAt = &b.FinishedAt
		}
		list.Batches = append(list.Batches, v)
	}
	return list
}

func seconds(b *batch.Batch) float64 { return math.Round(b.Busy.Seconds()*1000) / 1000 }

func fileProblems(b *batch.Batch) []batch.FileProblem {
	if b.FileProblems == nil {
		return []batch.FileProblem{}
	}
	return b.FileProblems
}

// jsonRow is a row of UserDetails in a batch's JSON.
type jsonRow struct {
	Row     int64             `json:"row"`
	LANID   string            `json:"lan_id"`
	Outcome directory.Outcome `json:"outcome"`
	Was     directory.Outcome `json:"was,omitempty"` // in the preview, where it said something else
}

// object writes a JSON object key by key, and long lists item by item, so that none is ever whole in memory.
type object struct {
	w     *bufio.Writer
	begun bool
	err   error
}

func (o *object) value(v any) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil && o.err == nil {
		o.err = err
	}
	o.w.Write(bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

func (o *object) key(name string) {
	if o.begun {
		o.w.WriteString(",\n ")
	} else {
		o.w.WriteString("{")
	}
	o.begun = true
	fmt.Fprintf(o.w, "%q: ", name)
}

func (o *object) field(name string, v any) {
	o.key(name)
	o.value(v)
}

// list writes what each yields.
func (o *object) list(name string, each func(item func(any)) error) {
	o.key(name)
	o.w.WriteString("[")
	first := true
	err := each(func(v any) {
		if !first {
			o.w.WriteString(",")
		}
		first = false
		o.w.WriteString("\n  ")
		o.value(v)
	})
	if o.err == nil {
		o.err = err
	}
	o.w.WriteString("]")
}

// batchJSON writes a batch with its problems and rows. This is the object that scripts read.
func (s *session) batchJSON(ctx context.Context, a *app, b *batch.Batch, v view) error {
	o := &object{w: bufio.NewWriterSize(s.out, 64<<10)}
	o.field("batch", b.ID)
	o.field("action", b.Action)
	o.field("state", b.State)
	o.field("seconds", seconds(b))
	o.field("counts", jsonCounts(b))
	o.field("file_problems", fileProblems(b))
	if replaces(b) {
		replaceJSON(ctx, a, b, v, o)
		return s.endJSON(ctx, a, b, o)
	}
	if edits(b) {
		editJSON(ctx, a, b, v, o)
		return s.endJSON(ctx, a, b, o)
	}
	frozen := a.frozen(b)
	o.list("problems", func(item func(any)) error {
		for e, err := range frozen.Said(ctx, v.filter()) {
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
		if ofPictures(b) {
			return pictureRows(ctx, a, b, v, item)
		}
		return jsonRows(ctx, frozen, v, item)
	})
	return s.endJSON(ctx, a, b, o)
}

// endJSON writes what all batches have in common at the end.
func (s *session) endJSON(ctx context.Context, a *app, b *batch.Batch, o *object) error {
	if b.State == batch.Undone {
		o.field("undone", b.Undone)
		o.list("kept", func(item func(any)) error {
			for e, err := range a.engine.KeptByUndo(ctx, a.actor, b) {
				if err != nil {
					return err
				}
				item(keptUser{e.LANID, e.Problems[0].Code, e.Problems[0].Message})
			}
			return nil
		})
	}
	if b.State == batch.Failed && len(b.FileProblems) == 0 {
		o.field("error", b.Reason)
	}
	o.w.WriteString("}\n")
	if o.err != nil {
		return o.err
	}
	return o.w.Flush()
}

// keptUser is one whom an undo leaves.
type keptUser struct {
	LANID   string `json:"lan_id"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func jsonRows(ctx context.Context, frozen *userimport.Frozen, v view, item func(any)) error {
	switch v.rows {
	case "none":
		return nil
	case "all":
		if !frozen.Reported() {
			return nil
		}
		for r, err := range frozen.Rows(ctx) {
			if err != nil {
				return err
			}
			item(jsonRow{r.Number, r.LANID, r.Outcome, r.Was})
		}
		return nil
	}
	for e, err := range frozen.Said(ctx, v.filter()) {
		if err != nil {
			return err
		}
		if e.Outcome != directory.Stray {
			item(jsonRow{e.Row, e.LANID, e.Outcome, e.Was})
		}
	}
	return nil
}
