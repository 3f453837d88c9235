package userimport

import (
	"context"
	"errors"
	"slices"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
)

// RowsQuery picks rows of an import.
type RowsQuery struct {
	Outcome directory.Outcome // "": every row of UserDetails; Stray rows are of the other two files
	Code    string            // only rows that have this problem
	After   int64             // what an earlier Page returned as next; 0: from the beginning
	Limit   int               // 1 to 1,000; 0 is 100
	// Search picks rows with the text, in any case, in their LAN ID or in the value of a problem; of inserted rows in
	// any cell.
	Search string
	// NoCells leaves Row.Cells nil, which spares a look into the files.
	NoCells bool
}

const maxPageRows = 1000

func (q *RowsQuery) limit() int {
	if q.Limit <= 0 {
		return 100
	}
	return min(q.Limit, maxPageRows)
}

// Page returns up to Limit rows in the order of the files, and what to give as After for the next ones: 0 at the end.
// Rows that have something to say come from the report, wherever they are in it; inserted ones without a word are found
// by reading the file. Cells are nil where the batch's files are kept no longer.
func (f *Frozen) Page(ctx context.Context, q RowsQuery) (rows []Row, next int64, err error) {
	if err := f.Engine.MayLook(ctx, f.Actor, f.Batch.ID); err != nil || !f.Reported() {
		return nil, 0, err
	}
	inReport := q.Code != "" || q.Outcome == directory.Duplicate || q.Outcome == directory.Invalid || q.Outcome == directory.Stray ||
		q.Outcome == directory.NotApplied && !f.neverApplied()
	if inReport {
		rows, next, err = f.pageOfReport(ctx, q)
	} else {
		rows, next, err = f.pageOfFile(ctx, q)
	}
	if err == nil && inReport && !q.NoCells {
		err = f.fillCells(ctx, rows)
	}
	return rows, next, err
}

// neverApplied tells whether the batch was cancelled before anything was applied: what its report says is to be
// inserted was not.
func (f *Frozen) neverApplied() bool {
	return f.Batch.State == batch.Cancelled && len(f.Batch.Work) == 0
}

// reported is the outcome as the report has it.
func (f *Frozen) reported(o directory.Outcome) (in directory.Outcome, any bool) {
	if f.neverApplied() {
		switch o {
		case directory.Inserted:
			return "", false
		case directory.NotApplied:
			return directory.Inserted, true
		}
	}
	return o, true
}

// Codes counts the rows of an outcome by the problems that they have, most frequent first: what [Frozen.Page] finds
// with that Outcome and Code.
func (f *Frozen) Codes(ctx context.Context, outcome directory.Outcome) ([]batch.RowCount, error) {
	o, any := f.reported(outcome)
	if !any || !f.Reported() {
		return nil, f.Engine.MayLook(ctx, f.Actor, f.Batch.ID)
	}
	return f.Engine.CodesOf(ctx, f.Actor, f.Batch, o)
}

func (f *Frozen) pageOfReport(ctx context.Context, q RowsQuery) (rows []Row, next int64, err error) {
	outcome, any := f.reported(q.Outcome)
	if !any {
		return nil, 0, nil
	}
	for e, err := range f.Engine.Entries(ctx, f.Actor, f.Batch, batch.Filter{Code: q.Code, Outcome: string(outcome), After: q.After}) {
		if err != nil {
			return nil, 0, err
		}
		r := f.rowOf(&e)
		if q.Outcome == "" && r.Kind != UserDetails || !q.finds(&r) {
			continue
		}
		if len(rows) == q.limit() {
			return rows, next, nil
		}
		rows, next = append(rows, r), e.Place()
	}
	return rows, 0, nil
}

func (f *Frozen) rowOf(e *batch.Entry) Row {
	file := f.Batch.Files[e.File]
	return Row{Kind: Kind(file.Kind), File: file.Name, Number: e.Row, LANID: e.LANID, Outcome: f.outcome(e.Outcome), Was: e.Was, Problems: e.Problems}
}

func (q *RowsQuery) finds(r *Row) bool {
	if q.Search == "" || holds(r.LANID, q.Search) {
		return true
	}
	return slices.ContainsFunc(r.Cells, func(cell string) bool { return holds(cell, q.Search) }) ||
		slices.ContainsFunc(r.Problems, func(p directory.Problem) bool { return holds(p.Value, q.Search) })
}

func holds(s, part string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(part)) }

func (f *Frozen) pageOfFile(ctx context.Context, q RowsQuery) (rows []Row, next int64, err error) {
	index, err := f.file(UserDetails)
	if err != nil {
		return nil, 0, err
	}
	more := false
	err = f.walkAfter(ctx, max(0, q.After-batch.Place(index, 0)), func(r Row, err error) bool {
		if q.Outcome != "" && r.Outcome != q.Outcome || !q.finds(&r) {
			return true
		}
		if len(rows) == q.limit() {
			more = true
			return false
		}
		r.Cells = slices.Clone(r.Cells)
		rows, next = append(rows, r), batch.Place(index, r.Number)
		return true
	})
	if !more {
		next = 0
	}
	return rows, next, err
}

// fillCells reads the rows' cells from the files, each as far as the last of its rows.
func (f *Frozen) fillCells(ctx context.Context, rows []Row) error {
	byKind := map[Kind]map[int64]*Row{}
	for i := range rows {
		r := &rows[i]
		if byKind[r.Kind] == nil {
			byKind[r.Kind] = map[int64]*Row{}
		}
		byKind[r.Kind][r.Number] = r
	}
	for kind, wanted := range byKind {
		err := f.readRows(ctx, kind, func(number int64) bool { return wanted[number] != nil }, len(wanted), func(number int64, cells []string) {
			wanted[number].Cells = slices.Clone(cells)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readRows gives fn the cells of the n rows of a kind that are wanted. It finds none where the files are kept no longer.
func (f *Frozen) readRows(ctx context.Context, kind Kind, wanted func(number int64) bool, n int, fn func(number int64, cells []string)) error {
	index, err := f.file(kind)
	if err != nil || f.Batch.Files[index].Hash == "" || n == 0 {
		return nil
	}
	cfg, err := f.configuration(ctx)
	if err != nil {
		return err
	}
	err = f.read(ctx, index, kind, cfg, func(number int64, cells []string) error {
		if !wanted(number) {
			return nil
		}
		fn(number, cells)
		if n--; n == 0 {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

func (f *Frozen) configuration(ctx context.Context) (*directory.Configuration, error) {
	cfg, err := directory.LoadConfiguration(ctx, f.Engine.DB.Read())
	return &cfg, err
}
