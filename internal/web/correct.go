package web

import (
	"slices"
	"strconv"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/userimport"
)

// correctRowsPerPage is how many rows the table of corrections shows at once.
const correctRowsPerPage = 200

// correctPage is where cells of rejected rows are corrected, like in a spreadsheet. Its rows are asked for by a script.
type correctPage struct {
	rowsAsked
	Batch   *batch.Batch
	Codes   []batch.RowCount
	Pending int64
	Next    string
}

// path is the address of other rows of the page.
func (p *correctPage) path(show directory.Outcome, code, after string) string {
	return withQuery(batchPath(p.Batch.ID)+"/correct", "show", string(show), "code", code, "after", after)
}

// dataPath is where the rows themselves are.
func (p *correctPage) dataPath() string {
	return withQuery(batchPath(p.Batch.ID)+"/correct/rows", "show", string(p.Show), "code", p.Code, "after", p.After)
}

// correctOutcomes are the outcomes of a batch whose rows can be corrected.
func correctOutcomes(b *batch.Batch) []directory.Outcome {
	var all []directory.Outcome
	for _, o := range []directory.Outcome{directory.Invalid, directory.Duplicate, directory.NotApplied, directory.Stray} {
		if outcomeCount(b, o) > 0 {
			all = append(all, o)
		}
	}
	return all
}

// correcting is the import whose rows somebody may correct.
func (s *Server) correcting(v *visit) (*userimport.Frozen, error) {
	b, err := v.batch()
	if err != nil {
		return nil, err
	}
	if err := s.Engine.MayAct(v.ctx(), v.actor(), b.ID); err != nil {
		return nil, err
	}
	f := s.frozen(v, b)
	if b.State.Live() || !f.Reported() {
		return nil, fault.New(fault.Conflict, "rows of import #%d can be corrected once it is checked and at rest", b.ID)
	}
	return f, nil
}

// correctPage shows the page, without its rows.
func (s *Server) correctPage(v *visit) error {
	f, err := s.correcting(v)
	if err != nil {
		return err
	}
	p := &correctPage{Batch: f.Batch, rowsAsked: askedRows(v)}
	if all := correctOutcomes(f.Batch); !slices.Contains(all, p.Show) {
		p.rowsAsked = rowsAsked{Show: directory.Invalid}
		if len(all) > 0 {
			p.Show = all[0]
		}
	}
	if p.Codes, err = f.Codes(v.ctx(), p.Show); err != nil {
		return err
	}
	if p.Pending, err = f.ToRun(v.ctx()); err != nil {
		return err
	}
	if p.Next, err = s.correctNext(v, f, p.rowsAsked); err != nil {
		return err
	}
	return v.show("Correct rows of import #"+number(f.Batch.ID), correctView(p))
}

// correctNext is where the rows go on behind the page; it looks at the report alone.
func (s *Server) correctNext(v *visit, f *userimport.Frozen, asked rowsAsked) (string, error) {
	after, _ := strconv.ParseInt(asked.After, 10, 64)
	_, next, err := f.Page(v.ctx(), userimport.RowsQuery{Outcome: asked.Show, Code: asked.Code, After: max(0, after), Limit: correctRowsPerPage, NoCells: true})
	if err != nil || next == 0 {
		return "", err
	}
	return strconv.FormatInt(next, 10), nil
}

// runCorrected makes a batch of the corrected rows and shows it.
func (s *Server) runCorrected(v *visit) error {
	f, err := s.correcting(v)
	if err != nil {
		return err
	}
	options, err := userimport.OptionsOf(f.Batch)
	if err != nil {
		return err
	}
	b, err := f.RunCorrected(v.ctx(), userimport.RunOptions{Preview: options.Preview})
	if err != nil {
		return err
	}
	return v.redirect(batchPath(b.ID))
}

// batchLinks finds the batches that this one has to do with.
func (s *Server) batchLinks(v *visit, b *batch.Batch) (batchLinks, error) {
	if b.Action != userimport.Action {
		return batchLinks{}, nil
	}
	o, err := userimport.OptionsOf(b)
	return batchLinks{CorrectsOf: o.Corrects, RemappedOf: o.Again}, err
}
