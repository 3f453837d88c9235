package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/userimport"
)

// correctTable is what the script of the page gets: rows with the cells that can be edited, by field. A field is a
// column of one of the three files.
type correctTable struct {
	Columns []correctColumn `json:"columns"`
	Rows    []correctRow    `json:"rows"`
	Pending int64           `json:"pending"`

	fields map[correctColumnKey]string
}

type correctColumnKey struct {
	kind   userimport.Kind
	column string
}

type correctColumn struct {
	Field string `json:"field"`
	Title string `json:"title"`
}

// correctRow is a row of the table. Original and At have an entry for each field that the row can be edited in.
type correctRow struct {
	ID       string                 `json:"id"`
	Row      int64                  `json:"row"`
	Original map[string]string      `json:"original"` // as the file says
	Now      map[string]string      `json:"now"`      // where it is corrected
	At       map[string]correctCell `json:"at"`
	Problems []correctProblem       `json:"problems"`
	RunIn    int64                  `json:"run_in,omitempty"` // the batch in which the row was run
}

// correctCell is a cell, and with a value what it is to become.
type correctCell struct {
	Kind   userimport.Kind `json:"kind"`
	Row    int64           `json:"row"`
	Column string          `json:"column"`
	Value  *string         `json:"value,omitempty"`
}

type correctProblem struct {
	Field      string             `json:"field"`
	Column     string             `json:"column"`
	Code       string             `json:"code"`
	Severity   directory.Severity `json:"severity"`
	Value      string             `json:"value"`
	Message    string             `json:"message"`
	Suggestion string             `json:"suggestion,omitempty"`
	Where      string             `json:"where,omitempty"` // the other file and its row
}

// correctRows answers the page's script with rows.
func (s *Server) correctRows(v *visit) error {
	f, err := s.correcting(v)
	if err != nil {
		return err
	}
	asked := askedRows(v)
	after, _ := strconv.ParseInt(asked.After, 10, 64)
	q := userimport.EditQuery{Outcome: asked.Show, Code: asked.Code, After: max(0, after), Limit: correctRowsPerPage}
	if asked.Show == directory.Stray {
		q.Outcome, q.Stray = "", true
	}
	rows, _, err := f.Editable(v.ctx(), q)
	if err != nil {
		return err
	}
	cfg, err := s.configuration(v.ctx())
	if err != nil {
		return err
	}
	t := &correctTable{Rows: []correctRow{}, fields: map[correctColumnKey]string{}}
	if !q.Stray {
		for _, column := range userimport.Columns(userimport.UserDetails, cfg) {
			t.field(userimport.UserDetails, column)
		}
	}
	for i := range rows {
		t.add(&rows[i], cfg)
	}
	if t.Pending, err = f.ToRun(v.ctx()); err != nil {
		return err
	}
	return v.writeJSON(http.StatusOK, t)
}

// field is the table's column for a column of a file; a column of the other two files says so where its name does not.
func (t *correctTable) field(kind userimport.Kind, column string) string {
	key := correctColumnKey{kind, column}
	if field, ok := t.fields[key]; ok {
		return field
	}
	field, title := fmt.Sprintf("c%d", len(t.Columns)), column
	if kind != userimport.UserDetails && column == directory.LANID.String() {
		title += " in " + string(kind)
	}
	t.fields[key] = field
	t.Columns = append(t.Columns, correctColumn{field, title})
	return field
}

func (t *correctTable) add(r *userimport.EditRow, cfg *directory.Configuration) {
	row := correctRow{ID: fmt.Sprintf("%s-%d", r.Kind, r.Number), Row: r.Number, Original: map[string]string{}, Now: map[string]string{}, At: map[string]correctCell{}, Problems: []correctProblem{}}
	if r.State == userimport.EditRun {
		row.RunIn = r.Batch
	}
	names := userimport.Columns(r.Kind, cfg)
	for i, cell := range r.Cells {
		t.put(&row, r.Kind, r.Number, names[i], cell, r.Corrected)
	}
	for _, p := range r.Problems {
		kind := userimport.ProblemKind(p.Code)
		one := correctProblem{Field: t.field(kind, p.Column), Column: p.Column, Code: p.Code, Severity: p.Severity, Value: p.Value, Message: p.Message, Suggestion: p.Suggestion}
		if kind != r.Kind {
			one.Where = fmt.Sprintf("%s, row %s", fileName(p.File), number(p.Row))
			t.putDetail(&row, r, kind, p, cfg)
		}
		row.Problems = append(row.Problems, one)
	}
	t.Rows = append(t.Rows, row)
}

// putDetail makes the cell of another file that a problem points at one of the row's.
func (t *correctTable) putDetail(row *correctRow, r *userimport.EditRow, kind userimport.Kind, p directory.Problem, cfg *directory.Configuration) {
	at := slices.IndexFunc(r.Details, func(d userimport.DetailRow) bool { return d.Kind == kind && d.Number == p.Row })
	column := slices.Index(userimport.Columns(kind, cfg), p.Column)
	if at < 0 || column < 0 {
		return
	}
	d := r.Details[at]
	t.put(row, kind, d.Number, p.Column, d.Cells[column], d.Corrected)
}

func (t *correctTable) put(row *correctRow, kind userimport.Kind, number int64, column, cell string, corrected map[string]string) {
	field := t.field(kind, column)
	if _, taken := row.At[field]; taken {
		return
	}
	row.Original[field] = cell
	row.At[field] = correctCell{Kind: kind, Row: number, Column: column}
	if now, ok := corrected[column]; ok {
		row.Now[field] = now
	}
}

// saveCorrection keeps what was typed into cells.
func (s *Server) saveCorrection(v *visit) error {
	f, err := s.correcting(v)
	if err != nil {
		return err
	}
	var asked struct {
		Cells []correctCell `json:"cells"`
	}
	if err := json.NewDecoder(v.Body).Decode(&asked); err != nil {
		return fault.Wrap(fault.Invalid, err, "these corrections cannot be read; load the page again")
	}
	var all []userimport.Correction
	for _, c := range asked.Cells {
		if c.Value == nil {
			return fault.New(fault.Invalid, "a correction of row %d has no value; load the page again", c.Row)
		}
		all = append(all, userimport.Correction{Kind: c.Kind, Row: c.Row, Column: c.Column, Value: *c.Value})
	}
	if err := f.Correct(v.ctx(), all); err != nil {
		return err
	}
	pending, err := f.ToRun(v.ctx())
	if err != nil {
		return err
	}
	return v.writeJSON(http.StatusOK, map[string]int64{"pending": pending})
}
