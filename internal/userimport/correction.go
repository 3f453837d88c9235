package userimport

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// AsItIs is the column of a correction that changes nothing: the row is run again as it is.
const AsItIs = ""

// Correction is another value for a cell of a row that did not get in.
type Correction struct {
	Kind   Kind
	Row    int64
	Column string // as in [Columns], or AsItIs
	Value  string
}

// CorrectedCell is a correction as it is kept.
type CorrectedCell struct {
	Kind     Kind
	Row      int64
	Column   string
	Old, New string
	By       string
	At       time.Time
	Batch    int64 // the batch that the row was run in, or 0
}

// What one call may correct.
const (
	maxCorrections    = 1000
	maxCellCharacters = 1000
)

// rejections are the outcomes of rows that can be corrected.
var rejections = []string{string(directory.Invalid), string(directory.Duplicate), string(directory.NotApplied)}

// unrun is true of corrections that are still to be run: those of no batch, or of one that did not insert its rows.
const unrun = `(run_batch = 0 OR run_batch IN (SELECT id FROM batches WHERE state IN ('failed', 'undone') OR state = 'cancelled' AND inserted = 0))`

// correctable returns nil where the actor may correct rows of the batch now.
func (f *Frozen) correctable(ctx context.Context) error {
	if err := f.Engine.MayAct(ctx, f.Actor, f.Batch.ID); err != nil {
		return err
	}
	if f.Batch.State.Live() || !f.Reported() {
		return fault.New(fault.Conflict, "batch %d is %s; rows can be corrected once it is checked and at rest", f.Batch.ID, f.Batch.State)
	}
	return nil
}

// Correct gives cells other values, 1,000 at most, all of them or none. What a cell says in the file takes its
// correction back. A row that was run before, and did not get in, is to be run once more.
func (f *Frozen) Correct(ctx context.Context, corrections []Correction) error {
	if err := f.correctable(ctx); err != nil {
		return err
	}
	if len(corrections) > maxCorrections {
		return fault.New(fault.TooLarge, "these are %d cells; correct %d at a time at most", len(corrections), maxCorrections)
	}
	cfg, err := f.configuration(ctx)
	if err != nil {
		return err
	}
	byKind := map[Kind][]Correction{}
	for _, c := range corrections {
		c.Value = strings.TrimSpace(c.Value)
		if err := c.valid(cfg); err != nil {
			return err
		}
		byKind[c.Kind] = append(byKind[c.Kind], c)
	}
	var all []CorrectedCell
	for kind, some := range byKind {
		cells, err := f.withOld(ctx, kind, cfg, some)
		if err != nil {
			return err
		}
		all = append(all, cells...)
	}
	return f.Engine.DB.Tx(ctx, func(tx *sqldb.Tx) error { return f.store(ctx, tx, all) })
}

func (c *Correction) valid(cfg *directory.Configuration) error {
	if !slices.Contains(Kinds, c.Kind) {
		return fault.New(fault.Invalid, "there is no file of the kind %q", c.Kind)
	}
	if c.Column != AsItIs && !slices.Contains(Columns(c.Kind, cfg), c.Column) {
		return fault.New(fault.Invalid, "%s has no column %q", c.Kind, c.Column)
	}
	if n := utf8.RuneCountInString(c.Value); n > maxCellCharacters {
		return fault.New(fault.Invalid, "%s of row %d has %d characters; a cell takes %d at most", c.Column, c.Row, n, maxCellCharacters)
	}
	if !utf8.ValidString(c.Value) || strings.ContainsRune(c.Value, 0) {
		return fault.New(fault.Invalid, "%s of row %d is no text", c.Column, c.Row)
	}
	return nil
}

// withOld completes corrections of one kind with what the file says, and makes sure that their rows can be corrected.
func (f *Frozen) withOld(ctx context.Context, kind Kind, cfg *directory.Configuration, some []Correction) ([]CorrectedCell, error) {
	rows := map[int64][]string{}
	for _, c := range some {
		rows[c.Row] = nil
	}
	err := f.readRows(ctx, kind, func(n int64) bool { _, ok := rows[n]; return ok }, len(rows), func(n int64, cells []string) { rows[n] = slices.Clone(cells) })
	if err != nil {
		return nil, err
	}
	for n, cells := range rows {
		if cells == nil {
			return nil, fault.New(fault.NotFound, "batch %d has no row %d of %s, or its files are kept no longer", f.Batch.ID, n, kind)
		}
		if err := f.rejectedRow(ctx, kind, n, cells[lanID]); err != nil {
			return nil, err
		}
	}
	names, now := Columns(kind, cfg), f.Engine.Directory.Now()
	var all []CorrectedCell
	for _, c := range some {
		cell := CorrectedCell{Kind: kind, Row: c.Row, Column: c.Column, New: c.Value, By: f.Actor.Name(), At: now}
		if at := slices.Index(names, c.Column); at >= 0 {
			cell.Old = rows[c.Row][at]
		}
		all = append(all, cell)
	}
	return all, nil
}

// rejectedRow returns nil where the row did not get in, in this batch or one that ran its corrections.
func (f *Frozen) rejectedRow(ctx context.Context, kind Kind, row int64, lan string) error {
	if kind == UserDetails {
		in, err := f.gotIn(ctx, row)
		if err == nil && in {
			err = fault.New(fault.Conflict, "row %d of %s got in; there is nothing to correct", row, kind)
		}
		return err
	}
	// A row of the other two files belongs to whoever has its LAN ID.
	n, _, err := sqldb.One[int](ctx, f.Engine.DB.Read(), "SELECT count(*) FROM users WHERE lan_key = $1 AND batch_id = $2", directory.Fold(lan), f.Batch.ID)
	if err == nil && n > 0 {
		err = fault.New(fault.Conflict, "row %d of %s belongs to %s, who got in; there is nothing to correct", row, kind, lan)
	}
	return err
}

// gotIn tells whether the row of UserDetails was, or in a preview would be, inserted: by the batch itself, or by one
// that ran its corrections, or the corrections of that one.
func (f *Frozen) gotIn(ctx context.Context, row int64) (bool, error) {
	at := f
	for range 100 {
		rejected, err := at.rejects(ctx, row)
		if err != nil || !rejected {
			return err == nil, err
		}
		id, _, err := sqldb.One[int64](ctx, f.Engine.DB.Read(), `SELECT coalesce(max(run_batch), 0) FROM import_corrections
			WHERE batch_id = $1 AND kind = $2 AND row_num = $3 AND NOT `+unrun, at.Batch.ID, string(UserDetails), row)
		if err != nil || id == 0 {
			return false, err
		}
		next, err := f.batch(ctx, id)
		if err != nil || !next.settled() {
			return false, err
		}
		at = next
	}
	return false, nil
}

// batch is another batch whose rows are this one's. Whoever may correct these may know what became of them.
func (f *Frozen) batch(ctx context.Context, id int64) (*Frozen, error) {
	system := directory.System(f.Actor.Source())
	b, err := f.Engine.Get(ctx, system, id)
	return &Frozen{Engine: f.Engine, Actor: system, Batch: b, Limits: f.Limits}, err
}

// settled tells whether it is known what became of the batch's rows.
func (f *Frozen) settled() bool {
	return f.Batch.State == batch.Done || f.Batch.State == batch.Cancelled
}

// rejects tells whether the batch's report has the row as one that did not get in.
func (f *Frozen) rejects(ctx context.Context, row int64) (bool, error) {
	index, err := f.file(UserDetails)
	if err != nil {
		return false, err
	}
	if f.neverApplied() {
		return true, nil
	}
	for e, err := range f.Engine.Entries(ctx, f.Actor, f.Batch, batch.Filter{Outcomes: rejections, After: batch.Place(index, row) - 1}) {
		return err == nil && e.File == index && e.Row == row, err
	}
	return false, nil
}

// store writes corrections; those that change nothing are taken back.
func (f *Frozen) store(ctx context.Context, tx *sqldb.Tx, all []CorrectedCell) error {
	for _, c := range all {
		if c.Old == c.New && c.Column != AsItIs {
			if _, err := tx.ExecContext(ctx, "DELETE FROM import_corrections WHERE batch_id = $1 AND kind = $2 AND row_num = $3 AND col = $4",
				f.Batch.ID, string(c.Kind), c.Row, c.Column); err != nil {
				return fmt.Errorf("take a correction back: %w", err)
			}
		} else if _, err := tx.ExecContext(ctx, `INSERT INTO import_corrections (batch_id, kind, row_num, col, old_value, new_value, by_whom, at, stamp)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (batch_id, kind, row_num, col)
			DO UPDATE SET new_value = excluded.new_value, by_whom = excluded.by_whom, at = excluded.at`,
			f.Batch.ID, string(c.Kind), c.Row, c.Column, c.Old, c.New, c.By, c.At.UnixMicro(), stamp()); err != nil {
			return fmt.Errorf("keep a correction: %w", err)
		}
		// The whole row is to be run, once more if it was before.
		if _, err := tx.ExecContext(ctx, "UPDATE import_corrections SET run_batch = 0, stamp = $4 WHERE batch_id = $1 AND kind = $2 AND row_num = $3",
			f.Batch.ID, string(c.Kind), c.Row, stamp()); err != nil {
			return fmt.Errorf("keep a correction: %w", err)
		}
	}
	return nil
}

// stamp is another number each time. The sum of a million of them fits a BIGINT.
func stamp() int64 { return int64(rand.Uint32()) }

// Corrections returns the corrections of these rows of a kind, or of all rows when none is given, in the order of rows.
func (f *Frozen) Corrections(ctx context.Context, kind Kind, rows ...int64) ([]CorrectedCell, error) {
	if err := f.Engine.MayLook(ctx, f.Actor, f.Batch.ID); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return f.corrections(ctx, kind, 0, 1<<40, false)
	}
	all, err := f.corrections(ctx, kind, slices.Min(rows), slices.Max(rows), false)
	return slices.DeleteFunc(all, func(c CorrectedCell) bool { return !slices.Contains(rows, c.Row) }), err
}

func (f *Frozen) corrections(ctx context.Context, kind Kind, first, last int64, toRun bool) ([]CorrectedCell, error) {
	var all []CorrectedCell
	for c, err := range f.eachCorrection(ctx, kind, first, last, toRun) {
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// eachCorrection yields the corrections of a kind's rows from first to last, in the order of rows; toRun leaves out those
// that were run.
func (f *Frozen) eachCorrection(ctx context.Context, kind Kind, first, last int64, toRun bool) func(func(CorrectedCell, error) bool) {
	type row struct {
		Row              int64
		Column, Old, New string
		By               string
		At, Batch        int64
	}
	// A batch that did not insert its rows does not count as having run them.
	query := `SELECT row_num, col, old_value, new_value, by_whom, at, CASE WHEN ` + unrun + ` THEN 0 ELSE run_batch END FROM import_corrections
		WHERE batch_id = $1 AND kind = $2 AND row_num BETWEEN $3 AND $4`
	if toRun {
		query += " AND " + unrun
	}
	return func(yield func(CorrectedCell, error) bool) {
		for r, err := range sqldb.Each[row](ctx, f.Engine.DB.Read(), query+" ORDER BY row_num, col", f.Batch.ID, string(kind), first, last) {
			if err != nil {
				err = fmt.Errorf("read corrections: %w", err)
			}
			if !yield(CorrectedCell{kind, r.Row, r.Column, r.Old, r.New, r.By, time.UnixMicro(r.At).UTC(), r.Batch}, err) || err != nil {
				return
			}
		}
	}
}

// ToRun counts the rows, of all three files, that have a correction which was not run yet.
func (f *Frozen) ToRun(ctx context.Context) (int64, error) {
	if err := f.Engine.MayLook(ctx, f.Actor, f.Batch.ID); err != nil {
		return 0, err
	}
	n, _, err := sqldb.One[int64](ctx, f.Engine.DB.Read(), "SELECT count(*) FROM (SELECT DISTINCT kind, row_num FROM import_corrections WHERE batch_id = $1 AND "+unrun+") AS r", f.Batch.ID)
	return n, err
}

// ProblemKind is the file that a problem with this code points at.
func ProblemKind(code string) Kind {
	switch about, _, _ := strings.Cut(code, "."); about {
	case "channel":
		return ChannelCountDetails
	case "feature":
		return FeatureDetails
	}
	return UserDetails
}
