package userimport

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
)

// CorrectAll gives New to the cells of a column that say Old, in all rows that did not get in and have the problem
// there, and returns how many cells that were. Of several roles in one cell only the one that is Old is replaced. A cell
// that was corrected to something else stays as it is, and so does a row that was run already. It works in pieces: one that fails half-way has done some, and
// can be called again.
func (f *Frozen) CorrectAll(ctx context.Context, kind Kind, column, code, old, with string) (int64, error) {
	if err := f.correctable(ctx); err != nil {
		return 0, err
	}
	cfg, err := f.configuration(ctx)
	if err != nil {
		return 0, err
	}
	with = strings.TrimSpace(with)
	if err := (&Correction{Kind: kind, Column: column, Value: with}).valid(cfg); err != nil || column == AsItIs {
		return 0, err
	}
	index, err := f.file(kind)
	if err != nil {
		return 0, err
	}
	a := &correctingAll{Frozen: f, kind: kind, column: column, old: old, with: with}
	if err := a.find(ctx, code); err != nil {
		return 0, err
	}
	at := 0
	for i, name := range Columns(kind, cfg) {
		if name == column {
			at = i
		}
	}
	err = f.read(ctx, index, kind, cfg, func(number int64, cells []string) error {
		if !a.has.hasRow(number) {
			return nil
		}
		return a.add(ctx, number, cells[at])
	})
	if err == nil {
		err = a.flush(ctx)
	}
	return a.changed, err
}

// correctingAll is the state of one call. What grows with the file is two bits a row.
type correctingAll struct {
	*Frozen
	kind      Kind
	column    string
	old, with string
	has       rowSet // rows that have the problem in the column
	says      rowSet // of those, the ones whose problem says old
	block     []CorrectedCell
	changed   int64
}

// rowSet is a set of row numbers.
type rowSet struct{ bits }

func (s *rowSet) add(row int64) {
	for int(row>>6) >= len(s.bits) {
		s.bits = append(s.bits, make(bits, len(s.bits)+64)...)
	}
	s.set(row)
}

func (s *rowSet) hasRow(row int64) bool { return int(row>>6) < len(s.bits) && s.has(row) }

// all yields the rows in their order.
func (s *rowSet) all() iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for row := range int64(len(s.bits)) << 6 {
			if s.has(row) && !yield(row) {
				return
			}
		}
	}
}

// find collects the rows that have the problem.
func (a *correctingAll) find(ctx context.Context, code string) error {
	filter := batch.Filter{Code: code, Outcomes: append([]string{string(directory.Stray)}, rejections...)}
	if a.neverApplied() {
		filter.Outcomes = nil
	}
	for e, err := range a.Engine.Entries(ctx, a.Actor, a.Batch, filter) {
		if err != nil {
			return err
		}
		for i := range e.Problems {
			p := &e.Problems[i]
			if p.Code != code || p.Column != a.column || ProblemKind(code) != a.kind {
				continue
			}
			a.has.add(p.Row)
			if p.Value == a.old {
				a.says.add(p.Row)
			}
		}
	}
	return nil
}

// add corrects a row's cell; what it says by now is looked up for a block of rows at once.
func (a *correctingAll) add(ctx context.Context, row int64, cell string) error {
	a.block = append(a.block, CorrectedCell{Kind: a.kind, Row: row, Column: a.column, Old: cell, New: cell, By: a.Actor.Name()})
	if len(a.block) < blockRows {
		return nil
	}
	return a.flush(ctx)
}

func (a *correctingAll) flush(ctx context.Context) error {
	if len(a.block) == 0 {
		return nil
	}
	now, changed := a.Engine.Directory.Now(), 0
	err := a.Engine.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		type have struct {
			Row           int64
			Column, Value string
			Ran           int
		}
		corrected, ran := map[int64]string{}, map[int64]bool{}
		for h, err := range sqldb.Each[have](ctx, tx, `SELECT row_num, col, new_value, CASE WHEN `+unrun+` THEN 0 ELSE 1 END FROM import_corrections
			WHERE batch_id = $1 AND kind = $2 AND row_num BETWEEN $3 AND $4`,
			a.Batch.ID, string(a.kind), a.block[0].Row, a.block[len(a.block)-1].Row) {
			if err != nil {
				return fmt.Errorf("read corrections: %w", err)
			}
			if h.Column == a.column {
				corrected[h.Row] = h.Value
			}
			ran[h.Row] = ran[h.Row] || h.Ran != 0
		}
		var changes []CorrectedCell
		for _, c := range a.block {
			was, before := corrected[c.Row]
			if before {
				c.New = was
			}
			value, ok := a.mend(c.New, !before && a.says.hasRow(c.Row))
			if !ok || value == c.New || ran[c.Row] {
				continue
			}
			c.New, c.At = value, now
			changes = append(changes, c)
		}
		if err := a.storeMany(ctx, tx, changes); err != nil {
			return err
		}
		changed = len(changes)
		return nil
	})
	if err == nil {
		a.changed += int64(changed)
	}
	a.block = a.block[:0]
	return err
}

// mend returns what a cell becomes. says is set where the problem of an uncorrected cell says old in other words, as an
// Agent ID does that is blank and so the LAN ID.
func (a *correctingAll) mend(cell string, says bool) (string, bool) {
	if cell == a.old || directory.Shorten(cell) == a.old {
		return a.with, true
	}
	if a.column != directory.RoleColumn.String() {
		return a.with, says
	}
	var b strings.Builder
	found := false
	for rest, more := cell, true; more; {
		end := strings.IndexAny(rest, ";,")
		part := rest
		if more = end >= 0; more {
			part = rest[:end]
		}
		if name := strings.TrimSpace(part); name == a.old {
			part, found = strings.Replace(part, name, a.with, 1), true
		}
		b.WriteString(part)
		if more {
			b.WriteByte(rest[end])
			rest = rest[end+1:]
		}
	}
	return b.String(), found
}

// storeMany is store for many corrections of one column.
func (a *correctingAll) storeMany(ctx context.Context, tx *sqldb.Tx, all []CorrectedCell) error {
	if len(all) == 0 {
		return nil
	}
	var keys []string
	rows := make(correctionRows, 0, len(all))
	for _, c := range all {
		keys = append(keys, strconv.FormatInt(c.Row, 10))
		if c.Old != c.New {
			rows = append(rows, correctionRow{batch: a.Batch.ID, CorrectedCell: c})
		}
	}
	db := a.Engine.DB
	which := " AND row_num IN (SELECT CAST(k.key AS BIGINT) FROM " + db.Keys + " AS k)"
	if _, err := tx.ExecContext(ctx, "DELETE FROM import_corrections WHERE batch_id = $2 AND kind = $3 AND col = $4"+which, db.KeySet(keys), a.Batch.ID, string(a.kind), a.column); err != nil {
		return fmt.Errorf("keep corrections: %w", err)
	}
	if err := rows.insert(ctx, tx); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE import_corrections SET run_batch = 0, stamp = $4 WHERE batch_id = $2 AND kind = $3"+which, db.KeySet(keys), a.Batch.ID, string(a.kind), stamp())
	return err
}

// correctionRow is a row of import_corrections.
type correctionRow struct {
	batch int64
	CorrectedCell
}

type correctionRows []correctionRow

func (rows correctionRows) insert(ctx context.Context, tx *sqldb.Tx) error {
	columns := []string{"batch_id", "kind", "row_num", "col", "old_value", "new_value", "by_whom", "at", "stamp", "run_batch"}
	_, err := tx.Bulk(ctx, "import_corrections", columns, &correctionSource{rows: rows, at: -1})
	return err
}

type correctionSource struct {
	rows correctionRows
	at   int
}

func (s *correctionSource) Next() (bool, error) {
	s.at++
	return s.at < len(s.rows), nil
}

func (s *correctionSource) Value(column int) any {
	r := &s.rows[s.at]
	return [...]any{r.batch, string(r.Kind), r.Row, r.Column, r.Old, r.New, r.By, r.At.UnixMicro(), stamp(), r.Batch}[column]
}
