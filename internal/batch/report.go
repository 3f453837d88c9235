package batch

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"muster/internal/directory"
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

// Place orders entries: by file, then row.
func (e *Entry) Place() int64 { return Place(e.File, e.Row) }

// Place is where a row of a file stands in a report's order. Rows of a file stay far below 2^40.
func Place(file int, row int64) int64 { return int64(file)<<40 | row }

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

// dropReports drops what a check that was cut short may have said.
func dropReports(ctx context.Context, tx *sqldb.Tx, id int64) error {
	if err := dropReport(ctx, tx, id, PreviewReport); err != nil {
		return err
	}
	return dropReport(ctx, tx, id, ResultReport)
}

// codes yields the codes of the entry's problems, each once.
func (e *Entry) codes() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range e.Problems {
			code := e.Problems[i].Code
			if !slices.ContainsFunc(e.Problems[:i], func(p directory.Problem) bool { return p.Code == code }) && !yield(code) {
				return
			}
		}
	}
}

func pack(number int, entries []Entry) (page, error) {
	var buf bytes.Buffer
	z, err := flate.NewWriter(&buf, flate.BestSpeed)
	if err != nil {
		return page{}, err
	}
	p := page{number: number, first: entries[0].Place(), last: entries[len(entries)-1].Place(), entries: len(entries), codes: map[string]int{}}
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
		for code := range entries[i].codes() {
			p.codes[bothKey(string(entries[i].Outcome), code)]++
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
	Code     string   // entries that have this problem
	Outcome  string   // entries of this outcome
	Outcomes []string // entries of one of these outcomes
	After    int64    // entries behind this place (see [Entry.Place])
}

// A page is found by what is on it: "" for any entry, a problem's code for how many such problems, "=" and an outcome
// for how many entries, "=", an outcome, a space and a code for how many entries of the outcome have that problem.
func (f Filter) keys(both bool) []any {
	outcomes := f.Outcomes
	if f.Outcome != "" {
		outcomes = append([]string{f.Outcome}, outcomes...)
	}
	var keys []any
	for _, o := range outcomes {
		switch {
		case f.Code == "":
			keys = append(keys, "="+o)
		case both:
			keys = append(keys, bothKey(o, f.Code))
		}
	}
	if len(keys) == 0 {
		keys = append(keys, f.Code)
	}
	return keys
}

func bothKey(outcome, code string) string { return "=" + outcome + " " + code }

// keyedByBoth tells whether the report's pages can be found by outcome and code; those of an earlier Muster cannot.
func keyedByBoth(ctx context.Context, q sqldb.Querier, id int64, name string) (bool, error) {
	n, _, err := sqldb.One[int](ctx, q, `SELECT CASE WHEN EXISTS (SELECT 1 FROM batch_page_codes WHERE batch_id = $1 AND run = $2 AND code LIKE '=% %')
		THEN 1 ELSE 0 END`, id, name)
	return n == 1, err
}

// entries reads a report in order, one page in memory at a time, and only pages that have what the filter picks.
func entries(ctx context.Context, q sqldb.Querier, id int64, name string, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := eachPage(ctx, q, id, name, f, func(data []byte) bool { return unpack(data, f, yield) }); err != nil {
			yield(Entry{}, err)
		}
	}
}

func eachPage(ctx context.Context, q sqldb.Querier, id int64, name string, f Filter, fn func(data []byte) bool) error {
	both := false
	if f.Code != "" && (f.Outcome != "" || len(f.Outcomes) > 0) {
		var err error
		if both, err = keyedByBoth(ctx, q, id, name); err != nil {
			return err
		}
	}
	next := int64(0)
	if f.After > 0 {
		first, found, err := sqldb.One[int64](ctx, q, `SELECT page FROM batch_pages WHERE batch_id = $1 AND run = $2 AND last_row > $3
			ORDER BY last_row LIMIT 1`, id, name, f.After)
		if err != nil || !found {
			return err
		}
		next = first
	}
	type page struct {
		Number int64
		Data   []byte
	}
	keys := f.keys(both)
	places := make([]string, len(keys))
	for i := range keys {
		places[i] = fmt.Sprintf("$%d", i+4)
	}
	query := `SELECT page, data FROM batch_pages WHERE batch_id = $1 AND run = $2 AND page = (
		SELECT min(page) FROM batch_page_codes WHERE batch_id = $1 AND run = $2 AND page >= $3 AND code IN (` + strings.Join(places, ", ") + `))`
	for {
		p, found, err := sqldb.One[page](ctx, q, query, append([]any{id, name, next}, keys...)...)
		if err != nil || !found || !fn(p.Data) {
			return err
		}
		next = p.Number + 1
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
	if e.Place() <= f.After && f.After > 0 {
		return false
	}
	if (f.Outcome != "" || len(f.Outcomes) > 0) && string(e.Outcome) != f.Outcome && !slices.Contains(f.Outcomes, string(e.Outcome)) {
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
