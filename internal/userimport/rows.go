package userimport

import (
	"context"
	"errors"
	"io"
	"iter"

	"muster/internal/batch"
	"muster/internal/blob"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sheet"
)

// Row is a row of UserDetails and what became of it, or will.
type Row struct {
	Kind     Kind   // the file that it is in
	File     string // that file's name
	Number   int64
	LANID    string
	Outcome  directory.Outcome
	Was      directory.Outcome // what the preview said, where that is something else
	Problems []directory.Problem
	// Cells are as they stand in the file, trimmed, in the order of [Columns]; of [Frozen.Rows] only until the next row.
	Cells []string
}

// Frozen reads the stored files of an import again.
type Frozen struct {
	Engine *batch.Engine
	Actor  directory.Actor
	Batch  *batch.Batch
	Limits sheet.Limits
}

// Rows yields all rows of UserDetails in their order. The report has only those that have something to say; a row
// that it does not have was inserted, or will be.
func (f *Frozen) Rows(ctx context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if err := f.walk(ctx, yield); err != nil {
			yield(Row{}, err)
		}
	}
}

// Reported tells whether the batch has a report: its files were read and judged.
func (f *Frozen) Reported() bool {
	switch f.Batch.State {
	case batch.Received, batch.Checking, batch.Failed:
		return false
	}
	return f.Batch.Files[0].Kind != ""
}

// Said yields the rows that have something to say, of all files in their order; none of a batch without a report.
func (f *Frozen) Said(ctx context.Context, filter batch.Filter) iter.Seq2[batch.Entry, error] {
	return func(yield func(batch.Entry, error) bool) {
		if !f.Reported() {
			return
		}
		for e, err := range f.Engine.Entries(ctx, f.Actor, f.Batch, filter) {
			e.Outcome = f.outcome(e.Outcome)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// outcome is what became of a row that the report says is, or will be, inserted.
func (f *Frozen) outcome(o directory.Outcome) directory.Outcome {
	if o == directory.Inserted && f.Batch.State == batch.Cancelled && len(f.Batch.Work) == 0 {
		return directory.NotApplied // cancelled before anything was applied
	}
	return o
}

// errStop ends a walk that nobody wants to go on.
var errStop = errors.New("stop")

func (f *Frozen) walk(ctx context.Context, yield func(Row, error) bool) error {
	return f.walkAfter(ctx, 0, yield)
}

// walkAfter walks over the rows behind the one with the number.
func (f *Frozen) walkAfter(ctx context.Context, after int64, yield func(Row, error) bool) error {
	index, err := f.file(UserDetails)
	if err != nil {
		return err
	}
	next, stop := iter.Pull2(f.Said(ctx, batch.Filter{After: batch.Place(index, after)}))
	defer stop()
	entry, err, more := next()
	err = f.read(ctx, index, UserDetails, nil, func(number int64, cells []string) error {
		if number <= after {
			return nil
		}
		r := Row{Kind: UserDetails, File: f.Batch.Files[index].Name, Number: number, LANID: directory.Shorten(cells[directory.LANID]),
			Outcome: f.outcome(directory.Inserted), Cells: cells}
		for more && err == nil && (entry.File < index || entry.File == index && entry.Row < number) {
			entry, err, more = next()
		}
		if err != nil {
			return err
		}
		if more && entry.File == index && entry.Row == number {
			r.Outcome, r.Was, r.Problems = entry.Outcome, entry.Was, entry.Problems
		}
		if !yield(r, nil) {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

// file returns the position of the batch's file of a kind.
func (f *Frozen) file(k Kind) (int, error) {
	for i, file := range f.Batch.Files {
		if file.Kind == string(k) {
			return i, nil
		}
	}
	return -1, fault.New(fault.NotFound, "batch %d has no %s that could be read", f.Batch.ID, k)
}

// read gives fn the cells of each row of a file by the kind's columns; fn has them until it returns.
func (f *Frozen) read(ctx context.Context, index int, k Kind, cfg *directory.Configuration, fn func(number int64, cells []string) error) error {
	if err := f.Engine.MayLook(ctx, f.Actor, f.Batch.ID); err != nil {
		return err
	}
	b, err := f.blob(ctx, index)
	if err != nil {
		return err
	}
	defer b.Close()
	r, err := f.openSheet(b, f.Batch.Files[index].Name)
	if err != nil {
		return err
	}
	defer r.Close()
	columns := Columns(k, cfg)
	chosen, err := ownChoices(ctx, f.Engine.DB.Read(), f.Batch.ID)
	if err != nil {
		return err
	}
	place := columnsOf(r.Header(), columns, byPlace(chosen[index]))
	cells := make([]string, len(columns))
	for n := 0; ; n++ {
		if n%blockRows == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		clear(cells)
		for i, cell := range row.Cells {
			if place[i] >= 0 {
				cells[place[i]] = cell
			}
		}
		if err := fn(int64(row.Number), cells); err != nil {
			return err
		}
	}
}

// blob opens one of the batch's stored files for somebody who may look at the batch.
func (f *Frozen) blob(ctx context.Context, index int) (*blob.File, error) {
	file := f.Batch.Files[index]
	if file.Hash == "" {
		return nil, fault.New(fault.NotFound, "the files of batch %d are kept no longer; its counts and problems still are", f.Batch.ID)
	}
	return f.Engine.Blobs.Open(ctx, file.Hash)
}

func (f *Frozen) openSheet(b *blob.File, name string) (*sheet.Reader, error) {
	return sheet.Open(b, b.Size, name, f.Limits, sheet.PreferSheet(string(UserDetails), string(ChannelCountDetails), string(FeatureDetails)))
}

// columnsOf finds the columns of a header that was recognised when the file was read first. The configuration may be
// another by now: what it does not have any more is passed over.
func columnsOf(header, names []string, chosen map[int]string) []int {
	known := map[string]int{}
	for i, name := range names {
		known[heading(name)] = i
	}
	place := make([]int, len(header))
	for i, h := range header {
		at, ok := known[heading(h)]
		if target, decided := chosen[i]; !ok && decided {
			at, ok = chosenColumn(target, names)
		}
		if !ok {
			at = ignored
		}
		place[i] = at
	}
	return place
}
