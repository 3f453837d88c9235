package web

import (
	"slices"
	"strconv"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/userimport"
)

// takeSuggestion corrects a cell to what was suggested, or all cells with the same problem and value, or takes the
// correction back; and shows the rows again as they were shown.
func (s *Server) takeSuggestion(v *visit) error {
	b, err := v.batch()
	if err != nil {
		return err
	}
	f := s.frozen(v, b)
	row, err := strconv.ParseInt(v.PostFormValue("row"), 10, 64)
	if err != nil {
		return fault.New(fault.Invalid, "it is not clear which row is meant; load the page again")
	}
	c := userimport.Correction{Kind: userimport.Kind(v.PostFormValue("kind")), Row: row, Column: v.PostFormValue("column")}
	old, value := v.PostFormValue("old"), v.PostFormValue("value")
	switch v.PostFormValue("do") {
	case "all":
		_, err = f.CorrectAll(v.ctx(), c.Kind, c.Column, v.PostFormValue("code"), old, value)
	case "back":
		err = takeBackCell(v, f, c)
	default:
		c.Value, err = mendedCell(v, f, c, old, value)
		if err == nil {
			err = f.Correct(v.ctx(), []userimport.Correction{c})
		}
	}
	if err != nil {
		return err
	}
	asked := rowsAsked{Show: directory.Outcome(v.PostFormValue("show")), Code: v.PostFormValue("filter"), After: v.PostFormValue("after")}
	p, err := s.fillBatchPage(v, b, asked)
	if err != nil {
		return err
	}
	if v.fragment("result") && p.Result != nil {
		return v.part(resultInside(p))
	}
	return v.redirect(p.rowsPath(asked.Show, asked.Code, asked.After))
}

// takeBackCell makes a cell what it is in the file.
func takeBackCell(v *visit, f *userimport.Frozen, c userimport.Correction) error {
	cells, err := f.Corrections(v.ctx(), c.Kind, c.Row)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(cells, func(have userimport.CorrectedCell) bool { return have.Column == c.Column })
	if i < 0 {
		return nil
	}
	c.Value = cells[i].Old
	return f.Correct(v.ctx(), []userimport.Correction{c})
}

// mendedCell is what a cell becomes: the value, or, of a cell with several roles, the roles with the one replaced that
// is wrong.
func mendedCell(v *visit, f *userimport.Frozen, c userimport.Correction, old, value string) (string, error) {
	if c.Kind != userimport.UserDetails || c.Column != directory.RoleColumn.String() {
		return value, nil
	}
	cells, err := f.Corrections(v.ctx(), c.Kind, c.Row)
	if err != nil {
		return "", err
	}
	if i := slices.IndexFunc(cells, func(have userimport.CorrectedCell) bool { return have.Column == c.Column }); i >= 0 {
		return replaceRole(cells[i].New, old, value), nil
	}
	b := f.Batch
	for at, file := range b.Files {
		if file.Kind != string(c.Kind) {
			continue
		}
		rows, _, err := f.Page(v.ctx(), userimport.RowsQuery{Code: v.PostFormValue("code"), Outcome: directory.Outcome(v.PostFormValue("show")), After: batch.Place(at, c.Row) - 1, Limit: 1})
		if err != nil {
			return "", err
		}
		if len(rows) == 1 && rows[0].Number == c.Row && rows[0].Cells != nil {
			return replaceRole(rows[0].Cells[directory.RoleColumn], old, value), nil
		}
	}
	return value, nil
}

// replaceRole puts a role in the place of another among those of a cell.
func replaceRole(cell, old, with string) string {
	var out strings.Builder
	for cell != "" {
		end := strings.IndexAny(cell, ";,")
		part, rest := cell, ""
		if end >= 0 {
			part, rest = cell[:end], cell[end:]
		}
		if trimmed := strings.TrimSpace(part); trimmed == old {
			part = strings.Replace(part, trimmed, with, 1)
		}
		out.WriteString(part)
		if rest != "" {
			out.WriteByte(rest[0])
			rest = rest[1:]
		}
		cell = rest
	}
	return out.String()
}
