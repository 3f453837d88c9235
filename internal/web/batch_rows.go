package web

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/userimport"
)

// cellKey is the place of a cell in the files of an import.
type cellKey struct {
	kind   userimport.Kind
	row    int64
	column string
}

// fillRows reads the rows that a result shows, with what was corrected in them.
func (s *Server) fillRows(v *visit, f *userimport.Frozen, r *resultPart) error {
	after, _ := strconv.ParseInt(r.After, 10, 64)
	rows, next, err := f.Page(v.ctx(), userimport.RowsQuery{Outcome: r.Show, Code: r.Code, After: max(0, after), Limit: rowsPerPage, NoCells: r.Show != directory.Inserted})
	if err != nil {
		return err
	}
	if next > 0 {
		r.Next = strconv.FormatInt(next, 10)
	}
	var corrected map[cellKey]userimport.CorrectedCell
	if r.Show != directory.Inserted {
		if corrected, err = correctedCells(v.ctx(), f, rows); err != nil {
			return err
		}
		r.Correctable = v.mayAct(f.Batch) && !slices.ContainsFunc(f.Batch.Files, func(file batch.File) bool { return file.Hash == "" })
	}
	if r.Pending, err = f.ToRun(v.ctx()); err != nil {
		return err
	}
	same := map[sameProblem]int64{}
	for i := range rows {
		for _, p := range rows[i].Problems {
			if _, done := corrected[cellKey{userimport.ProblemKind(p.Code), p.Row, p.Column}]; !done {
				same[sameAs(&p)]++
			}
		}
	}
	for i := range rows {
		r.Lines = append(r.Lines, lineOf(&rows[i], corrected, same, r.Code))
	}
	return nil
}

// sameProblem is what several rows may have in common, so that one correction mends them all.
type sameProblem struct{ column, code, value, suggestion string }

func sameAs(p *directory.Problem) sameProblem {
	return sameProblem{p.Column, p.Code, p.Value, p.Suggestion}
}

func lineOf(row *userimport.Row, corrected map[cellKey]userimport.CorrectedCell, same map[sameProblem]int64, code string) rowLine {
	line := rowLine{Number: row.Number, LANID: row.LANID, Was: row.Was}
	if row.Kind == userimport.UserDetails && row.Cells != nil {
		line.Name = strings.TrimSpace(row.Cells[directory.FirstName] + " " + row.Cells[directory.LastName])
		line.Unit = row.Cells[directory.OrgUnitColumn]
	}
	for _, p := range row.Problems {
		if p.Severity == directory.Note && row.Outcome != directory.Inserted && p.Code != code {
			continue // what keeps the row out is the matter
		}
		kind := userimport.ProblemKind(p.Code)
		one := problemLine{Problem: p, Kind: string(kind), Same: same[sameAs(&p)]}
		if kind != userimport.UserDetails {
			one.Elsewhere = fileName(p.File)
			if p.Row != row.Number || row.Kind != kind {
				one.Elsewhere += ", row " + number(p.Row)
			}
		}
		if c, ok := corrected[cellKey{kind, p.Row, p.Column}]; ok {
			one.Corrected, one.New, one.RunIn = true, c.New, c.Batch
		}
		line.Problems = append(line.Problems, one)
	}
	return line
}

// correctedCells are the corrections of the cells that the rows' problems point at.
func correctedCells(ctx context.Context, f *userimport.Frozen, rows []userimport.Row) (map[cellKey]userimport.CorrectedCell, error) {
	wanted := map[userimport.Kind][]int64{}
	for i := range rows {
		wanted[rows[i].Kind] = append(wanted[rows[i].Kind], rows[i].Number)
		for _, p := range rows[i].Problems {
			kind := userimport.ProblemKind(p.Code)
			wanted[kind] = append(wanted[kind], p.Row)
		}
	}
	all := map[cellKey]userimport.CorrectedCell{}
	for kind, numbers := range wanted {
		cells, err := f.Corrections(ctx, kind, numbers...)
		if err != nil {
			return nil, err
		}
		for _, c := range cells {
			all[cellKey{kind, c.Row, c.Column}] = c
		}
	}
	return all, nil
}
