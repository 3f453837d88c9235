package batch

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"

	"muster/internal/sqldb"
)

// Reports: what the preview said, what came of it, and what an undo left as it is.
const (
	PreviewReport = "preview"
	ResultReport  = "result"
	UndoReport    = "undo"
)

// A page holds this many entries, and a transaction this many pages: writing a long report holds nobody up.
const (
	entriesPerPage = 500
	pagesPerTx     = 64
)

type page struct {
	number      int
	first, last int64
	entries     int
	data        []byte
	codes       map[string]int
}

// place orders entries: by file, then row. Rows of a file stay far below 2^40.
func (e *Entry) place() int64 { return int64(e.File)<<40 | e.Row }

// WriteReport replaces a report by the entries, which come in the order of file and row.
func (r *Run) WriteReport(ctx context.Context, name string, entries iter.Seq2[Entry, error]) error {
	if err := r.Tx(ctx, func(tx *sqldb.Tx) error { return dropReport(ctx, tx, r.Batch.ID, name) }); err != nil {
		return err
	}
	var pages []page
	var pending []Entry
	number := 0
	flush := func(least int) error {
		if len(pending) >= least && len(pending) > 0 {
			p, err := pack(number, pending)
			if err != nil {
				return err
			}
			pages, pending = append(pages, p), pending[:0]
			number++
		}
		return nil
	}
	for entry, err := range entries {
		if err != nil {
			return err
		}
		pending = append(pending, entry)
		if err := flush(entriesPerPage); err != nil {
			return err
		}
		if len(pages) == pagesPerTx {
			if err := r.writePages(ctx, name, pages); err != nil {
				return err
			}
			pages = pages[:0]
		}
	}
	if err := flush(1); err != nil {
		return err
	}
	if number == 0 {
		// That there is nothing to say is a report too.
		pages = append(pages, page{data: []byte{}})
	}
	return r.writePages(ctx, name, pages)
}

func dropReport(ctx context.Context, tx *sqldb.Tx, id int64, name string) error {
	for _, table := range []string{"batch_page_codes", "batch_pages"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE batch_id = $1 AND run = $2", id, name); err != nil {
			return fmt.Errorf("drop the report: %w", err)
		}
	}
	return nil
}

func pack(number int, entries []Entry) (page, error) {
	var buf bytes.Buffer
	z, err := flate.NewWriter(&buf, flate.BestSpeed)
	if err != nil {
		return page{}, err
	}
	p := page{number: number, first: entries[0].place(), last: entries[len(entries)-1].place(), entries: len(entries), codes: map[string]int{}}
	enc := json.NewEncoder(z)
	enc.SetEscapeHTML(false)
	for i := range entries {
		if err := enc.Encode(&entries[i]); err != nil {
			return page{}, err
		}
		p.codes[""]++
		p.codes["="+string(entries[i].Outcome)]++
		for _, problem := range entries[i].Problems {
			p.codes[problem.Code]++
		}
	}
	err = z.Close()
	p.data = buf.Bytes()
	return p, err
}

func (r *Run) writePages(ctx context.Context, name string, pages []page) error {
	if len(pages) == 0 {
		return nil
	}
	return r.Tx(ctx, func(tx *sqldb.Tx) error {
		for _, p := range pages {
			if _, err := tx.ExecContext(ctx, "INSERT INTO batch_pages (batch_id, run, page, first_row, last_row, entries, data) VALUES ($1, $2, $3, $4, $5, $6, $7)",
				r.Batch.ID, name, p.number, p.first, p.last, p.entries, p.data); err != nil {
				return fmt.Errorf("write the report: %w", err)
			}
			for code, n := range p.codes {
				if _, err := tx.ExecContext(ctx, "INSERT INTO batch_page_codes (batch_id, run, code, page, problems) VALUES ($1, $2, $3, $4, $5)",
					r.Batch.ID, name, code, p.number, n); err != nil {
					return fmt.Errorf("write the report: %w", err)
				}
			}
		}
		return nil
	})
}

// Filter picks entries of a report. The zero Filter picks all.
type Filter struct {
	Code    string // entries that have this problem
	Outcome string // entries of this outcome
}

func (f Filter) key() string {
	switch {
	case f.Code != "":
		return f.Code
	case f.Outcome != "":
		return "=" + f.Outcome
	}
	return ""
}

// entries reads a report in order, one page in memory at a time.
func entries(ctx context.Context, q sqldb.Querier, id int64, name string, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		pages, err := sqldb.All[int](ctx, q, "SELECT page FROM batch_page_codes WHERE batch_id = $1 AND run = $2 AND code = $3 ORDER BY page", id, name, f.key())
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for _, number := range pages {
			data, _, err := sqldb.One[[]byte](ctx, q, "SELECT data FROM batch_pages WHERE batch_id = $1 AND run = $2 AND page = $3", id, name, number)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if !unpack(data, f, yield) {
				return
			}
		}
	}
}

func unpack(data []byte, f Filter, yield func(Entry, error) bool) bool {
	dec := json.NewDecoder(flate.NewReader(bytes.NewReader(data)))
	for {
		var e Entry
		if err := dec.Decode(&e); err == io.EOF {
			return true
		} else if err != nil {
			yield(e, fmt.Errorf("read the report: %w", err))
			return false
		}
		if f.matches(&e) && !yield(e, nil) {
			return false
		}
	}
}

func (f Filter) matches(e *Entry) bool {
	if f.Outcome != "" && string(e.Outcome) != f.Outcome {
		return false
	}
	if f.Code == "" {
		return true
	}
	for _, p := range e.Problems {
		if p.Code == f.Code {
			return true
		}
	}
	return false
}

// Previewed returns what the preview said, for an operation that applies it; nothing where there was no preview.
func (r *Run) Previewed(ctx context.Context) iter.Seq2[Entry, error] {
	return entries(ctx, r.engine.DB.Read(), r.Batch.ID, PreviewReport, Filter{})
}

// HasPreview tells whether somebody was shown a preview of the batch.
func (r *Run) HasPreview(ctx context.Context) (bool, error) {
	n, _, err := sqldb.One[int](ctx, r.engine.DB.Read(), "SELECT count(*) FROM batch_pages WHERE batch_id = $1 AND run = $2 AND page = 0", r.Batch.ID, PreviewReport)
	return n > 0, err
}
