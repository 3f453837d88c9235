package web

import (
	"fmt"
	"strings"

	"muster/internal/batch"
	"muster/internal/fault"
	"muster/internal/userimport"
)

// frozen reads the stored files of an import, for who looks.
func (s *Server) frozen(v *visit, b *batch.Batch) *userimport.Frozen {
	return &userimport.Frozen{Engine: s.Engine, Actor: v.actor(), Batch: b, Limits: s.Limits}
}

// columnsPart is what is wrong with files that could not be used, and, where it is only headings, how to go on.
type columnsPart struct {
	Problems []batch.FileProblem
	Unknown  []userimport.UnknownColumn
	Gone     bool              // the files are kept no longer
	Refused  string            // why what was chosen cannot be
	chosen   map[string]string // what was chosen then, by the name of the field
}

func (s *Server) columnsPart(v *visit, b *batch.Batch) (*columnsPart, error) {
	p := &columnsPart{Problems: b.FileProblems}
	for _, f := range b.Files {
		p.Gone = p.Gone || f.Hash == ""
	}
	if p.Gone || !v.mayAct(b) {
		return p, nil
	}
	var err error
	p.Unknown, err = s.frozen(v, b).UnknownColumns(v.ctx())
	if len(p.Unknown) > 0 {
		p.Problems = withoutColumns(p.Problems)
	}
	return p, err
}

// withoutColumns are the problems that choosing columns does not mend.
func withoutColumns(problems []batch.FileProblem) []batch.FileProblem {
	var rest []batch.FileProblem
	for _, p := range problems {
		if p.Code != "file.unknown_column" && p.Code != "file.missing_column" {
			rest = append(rest, p)
		}
	}
	return rest
}

// setAside is the value of a choice that gives a column to none: "" is no choice at all.
const setAside = "-"

// columnField is the name of the field in which a column is given to one of the template.
func columnField(u userimport.UnknownColumn) string {
	return fmt.Sprintf("column-%d-%d", u.File, u.Index)
}

// shows is what the field of a column shows at first: what was chosen before, or the nearest name.
func (p *columnsPart) shows(u userimport.UnknownColumn) string {
	if value, ok := p.chosen[columnField(u)]; ok {
		return value
	}
	switch {
	case u.Decided && u.Choice == "":
		return setAside
	case u.Decided:
		return u.Choice
	}
	return u.Suggestion
}

// mapColumns runs the files again, their columns read as chosen.
func (s *Server) mapColumns(v *visit) error {
	b, err := v.batch()
	if err != nil {
		return err
	}
	f := s.frozen(v, b)
	unknown, err := f.UnknownColumns(v.ctx())
	if err != nil {
		return err
	}
	var choices []userimport.ColumnChoice
	for _, u := range unknown {
		switch value := v.PostFormValue(columnField(u)); value {
		case "":
		case setAside:
			choices = append(choices, userimport.ColumnChoice{File: u.File, Index: u.Index})
		default:
			choices = append(choices, userimport.ColumnChoice{File: u.File, Index: u.Index, Column: value})
		}
	}
	again, err := f.Remap(v.ctx(), choices)
	if refusal, mend := refused(v, err); mend && fault.KindOf(err) == fault.Invalid && len(unknown) > 0 {
		return s.askColumnsAgain(v, b, unknown, refusal)
	}
	if err != nil {
		return err
	}
	return v.redirect(batchPath(again.ID))
}

// askedColumns is for who loads the page again on which choices were refused.
func (s *Server) askedColumns(v *visit) error {
	b, err := v.batch()
	if err != nil {
		return err
	}
	return v.redirect(batchPath(b.ID))
}

// askColumnsAgain shows the choices as they were made, and why they cannot be.
func (s *Server) askColumnsAgain(v *visit, b *batch.Batch, unknown []userimport.UnknownColumn, refusal failure) error {
	p, err := s.fillBatchPage(v, b, rowsAsked{})
	if err != nil || p.Columns == nil {
		return err
	}
	p.Columns.Refused, p.Columns.chosen = refusal.Message, map[string]string{}
	for _, u := range unknown {
		p.Columns.chosen[columnField(u)] = v.PostFormValue(columnField(u))
	}
	return v.showStatus(refusal.Status, batchTitle(b), batchPageView(p))
}

// whereWrong says where in a file something is wrong.
func whereWrong(p batch.FileProblem) string {
	var parts []string
	if p.Row > 0 {
		parts = append(parts, "row "+number(int64(p.Row)))
	}
	if p.Column != "" {
		parts = append(parts, "column "+p.Column)
	}
	return strings.Join(parts, ", ")
}
