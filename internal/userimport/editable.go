package userimport

import (
	"context"
	"slices"

	"muster/internal/batch"
	"muster/internal/directory"
)

// EditState is where a row that did not get in is on its way.
type EditState string

const (
	EditOpen      EditState = "open"
	EditCorrected EditState = "corrected" // to be run
	EditRun       EditState = "run"       // in EditRow.Batch, which is not at rest, or where it did not get in either
)

// EditRow is a row that did not get in, to be corrected. Its Cells are as they stand in the file.
type EditRow struct {
	Row
	Corrected map[string]string // by column: what the cell says by now
	Details   []DetailRow       // rows of the other two files that its problems point at
	State     EditState
	Batch     int64
}

// DetailRow is a row of one of the other two files.
type DetailRow struct {
	Kind      Kind
	File      string
	Number    int64
	Cells     []string // in the order of [Columns]
	Corrected map[string]string
}

// EditQuery picks rows to be corrected.
type EditQuery struct {
	Stray   bool              // rows of the other two files that belong to nobody, instead of those of UserDetails
	Outcome directory.Outcome // "": all that did not get in
	Code    string
	After   int64
	Limit   int // 1 to 1,000; 0 is 100
	Search  string
}

// Editable returns up to Limit rows that did not get in, with their corrections, and what to give as After for the next
// ones: 0 at the end. Rows that got in meanwhile, by a batch that ran their corrections, are left out.
func (f *Frozen) Editable(ctx context.Context, q EditQuery) (rows []EditRow, next int64, err error) {
	if err := f.Engine.MayLook(ctx, f.Actor, f.Batch.ID); err != nil || !f.Reported() {
		return nil, 0, err
	}
	later, err := f.gotInLater(ctx)
	if err != nil {
		return nil, 0, err
	}
	search := RowsQuery{Limit: q.Limit, Search: q.Search}
	for e, err := range f.Engine.Entries(ctx, f.Actor, f.Batch, f.editFilter(q)) {
		if err != nil {
			return nil, 0, err
		}
		r := EditRow{Row: f.rowOf(&e), State: EditOpen}
		if (r.Kind == UserDetails) == q.Stray || r.Kind == UserDetails && later.hasRow(r.Number) || !search.finds(&r.Row) {
			continue
		}
		if len(rows) == search.limit() {
			return rows, next, f.complete(ctx, rows)
		}
		rows, next = append(rows, r), e.Place()
	}
	return rows, 0, f.complete(ctx, rows)
}

func (f *Frozen) editFilter(q EditQuery) batch.Filter {
	filter := batch.Filter{Code: q.Code, After: q.After}
	switch outcome, _ := f.reported(q.Outcome); {
	case q.Stray:
		filter.Outcome = string(directory.Stray)
	case q.Outcome != "":
		filter.Outcome = string(outcome)
	case f.neverApplied():
		filter.Outcomes = append([]string{string(directory.Inserted)}, rejections...)
	default:
		filter.Outcomes = rejections
	}
	return filter
}

// gotInLater are the rows of UserDetails that this batch rejected and that got in by one that ran their corrections, or
// the corrections of that one.
func (f *Frozen) gotInLater(ctx context.Context) (rowSet, error) {
	var in rowSet
	ran := map[int64]*rowSet{} // by the batch that ran them
	for c, err := range f.eachCorrection(ctx, UserDetails, 0, 1<<40, false) {
		if err != nil {
			return in, err
		}
		if c.Batch == 0 {
			continue
		}
		if ran[c.Batch] == nil {
			ran[c.Batch] = &rowSet{}
		}
		ran[c.Batch].add(c.Row)
	}
	for id, rows := range ran {
		next, err := f.batch(ctx, id)
		if err != nil {
			return in, err
		}
		if !next.settled() {
			continue
		}
		out, err := next.rejectedRows(ctx)
		if err != nil {
			return in, err
		}
		for row := range rows.all() {
			if !out.hasRow(row) {
				in.add(row)
			}
		}
	}
	return in, nil
}

// rejectedRows are the rows of UserDetails that did not get in, not later either.
func (f *Frozen) rejectedRows(ctx context.Context) (rowSet, error) {
	var out rowSet
	later, err := f.gotInLater(ctx)
	if err != nil {
		return out, err
	}
	for e, err := range f.Engine.Entries(ctx, f.Actor, f.Batch, batch.Filter{Outcomes: rejections}) {
		if err != nil {
			return out, err
		}
		if Kind(f.Batch.Files[e.File].Kind) == UserDetails && !later.hasRow(e.Row) {
			out.add(e.Row)
		}
	}
	return out, nil
}

// complete adds cells, corrections and states.
func (f *Frozen) complete(ctx context.Context, rows []EditRow) error {
	plain := make([]Row, len(rows))
	for i := range rows {
		plain[i] = rows[i].Row
	}
	if err := f.fillCells(ctx, plain); err != nil {
		return err
	}
	pointed := map[Kind]map[int64]bool{}
	for i := range rows {
		rows[i].Cells = plain[i].Cells
		for _, p := range rows[i].Problems {
			if kind := ProblemKind(p.Code); kind != rows[i].Kind {
				if pointed[kind] == nil {
					pointed[kind] = map[int64]bool{}
				}
				pointed[kind][p.Row] = true
			}
		}
	}
	details := map[Kind]map[int64]DetailRow{}
	for kind, numbers := range pointed {
		var err error
		if details[kind], err = f.details(ctx, kind, numbers); err != nil {
			return err
		}
	}
	return f.applyCorrections(ctx, rows, details)
}

// details reads rows of one of the other two files.
func (f *Frozen) details(ctx context.Context, kind Kind, numbers map[int64]bool) (map[int64]DetailRow, error) {
	index, err := f.file(kind)
	if err != nil {
		return nil, err
	}
	found := map[int64]DetailRow{}
	err = f.readRows(ctx, kind, func(n int64) bool { return numbers[n] }, len(numbers), func(n int64, cells []string) {
		found[n] = DetailRow{Kind: kind, File: f.Batch.Files[index].Name, Number: n, Cells: slices.Clone(cells)}
	})
	return found, err
}

func (f *Frozen) applyCorrections(ctx context.Context, rows []EditRow, details map[Kind]map[int64]DetailRow) error {
	type place struct {
		kind Kind
		row  int64
	}
	numbers := map[Kind][]int64{}
	for i := range rows {
		numbers[rows[i].Kind] = append(numbers[rows[i].Kind], rows[i].Number)
	}
	for kind, found := range details {
		for n := range found {
			numbers[kind] = append(numbers[kind], n)
		}
	}
	corrected, ran := map[place]map[string]string{}, map[place]int64{}
	for kind, of := range numbers {
		for c, err := range f.eachCorrection(ctx, kind, slices.Min(of), slices.Max(of), false) {
			if err != nil {
				return err
			}
			at := place{kind, c.Row}
			if corrected[at] == nil {
				corrected[at] = map[string]string{}
			}
			if c.Column != AsItIs {
				corrected[at][c.Column] = c.New
			}
			ran[at] = max(ran[at], c.Batch)
		}
	}
	for i := range rows {
		r := &rows[i]
		at := place{r.Kind, r.Number}
		r.note(corrected[at], ran[at])
		r.Corrected = corrected[at]
		for _, p := range r.Problems {
			d, ok := details[ProblemKind(p.Code)][p.Row]
			if !ok || slices.ContainsFunc(r.Details, func(have DetailRow) bool { return have.Kind == d.Kind && have.Number == d.Number }) {
				continue
			}
			at := place{d.Kind, d.Number}
			d.Corrected = corrected[at]
			r.note(corrected[at], ran[at])
			r.Details = append(r.Details, d)
		}
	}
	return nil
}

// note lets the row's state follow corrections of it or of one of its details: what is still to be run goes first.
func (r *EditRow) note(corrected map[string]string, ran int64) {
	switch {
	case corrected == nil:
	case ran == 0:
		r.State, r.Batch = EditCorrected, 0
	case r.State != EditCorrected:
		r.State, r.Batch = EditRun, max(r.Batch, ran)
	}
}
