package web

import (
	"fmt"

	"muster/internal/batch"
	"muster/internal/directory"
)

// batchPage is one batch, whatever it is at: one address for its whole life.
type batchPage struct {
	*batch.Batch
	Who      string
	MayAct   bool
	Deciding approvalPart
	Columns  *columnsPart  // how to go on where a file has unknown columns
	Result   *resultPart   // what happened, or in a preview will
	Edit     *editPart     // likewise, where users who are there change
	Pictures *picturesPart // likewise, where pictures are imported
	Kept     *keptPart     // what an undo left
	Links    batchLinks
	still    bool // a specimen: it does not ask how far it is
	Quicker  bool // a decision came too late: somebody else had decided
}

// batchLinks are the batches that this one has to do with.
type batchLinks struct {
	CorrectsOf int64   // it runs corrected rows of that one
	RunIn      []int64 // corrected rows of this one, of those that the page shows, were run in those
	RemappedOf int64
}

// batchPage shows a batch. The part with the rows answers alone where that is what is asked for.
func (s *Server) batchPage(v *visit) error {
	b, err := v.batch()
	if err != nil {
		return err
	}
	p, err := s.fillBatchPage(v, b, askedRows(v))
	if err != nil {
		return err
	}
	if v.fragment("result") && p.Result != nil {
		return v.part(resultInside(p))
	}
	if v.fragment("result") && p.Pictures != nil {
		return v.showPictures(p)
	}
	if v.fragment("result") && p.Edit != nil {
		return v.part(editInside(p))
	}
	return v.show(batchTitle(b), batchPageView(p))
}

func (s *Server) fillBatchPage(v *visit, b *batch.Batch, asked rowsAsked) (*batchPage, error) {
	p := &batchPage{Batch: b, Who: ownerName(v, b), MayAct: v.mayAct(b), Quicker: v.FormValue("quicker") != ""}
	var err error
	if p.Deciding, err = s.approvalPart(v, b); err != nil {
		return nil, err
	}
	if importsPictures(b) {
		return p, s.fillPicturesPage(v, b, p, asked)
	}
	if edits(b) {
		return p, s.fillEditPage(v, b, p, asked)
	}
	if p.Links, err = s.batchLinks(v, b); err != nil {
		return nil, err
	}
	if b.State == batch.Failed && len(b.FileProblems) > 0 {
		p.Columns, err = s.columnsPart(v, b)
		return p, err
	}
	if b.State.Live() || !s.frozen(v, b).Reported() {
		return p, nil
	}
	if p.Result, err = s.resultPart(v, b, asked); err != nil {
		return nil, err
	}
	p.Links.RunIn = p.Result.runIn()
	if b.State == batch.Undone {
		p.Kept, err = s.keptPart(v, b)
	}
	return p, err
}

// batchTitle is the page's title: what one looks for among many tabs.
func batchTitle(b *batch.Batch) string {
	_, word := stateWords(b)
	return fmt.Sprintf("%s #%d: %s", actionName(b.Action), b.ID, word)
}

// batchUnder is the line below the heading, after who and when.
func batchUnder(b *batch.Batch) string {
	text := ""
	if b.Counts.Rows > 0 {
		text = " · " + count(b.Counts.Rows, rowNoun(b))
		if b.Busy > 0 && !b.State.Live() {
			text += " in " + duration(b.Busy)
		}
	}
	if b.UndoneBy != "" {
		text += " · undone by " + b.UndoneBy
	}
	return text
}

// rowNoun is what the batch counts.
func rowNoun(b *batch.Batch) string {
	if importsPictures(b) {
		return "picture"
	}
	if edits(b) {
		return "user"
	}
	return "row"
}

// keptPart is what an undo left as it is.
type keptPart struct {
	Users []batch.Entry
	More  bool
}

// keptShown is how many of them a page lists.
const keptShown = 200

func (s *Server) keptPart(v *visit, b *batch.Batch) (*keptPart, error) {
	p := &keptPart{}
	for e, err := range s.Engine.KeptByUndo(v.ctx(), v.actor(), b) {
		if err != nil {
			return nil, err
		}
		if len(p.Users) == keptShown {
			p.More = true
			break
		}
		p.Users = append(p.Users, e)
	}
	return p, nil
}

// notApplied is how many good rows a batch that was cancelled, or could not go on, never came to.
func notApplied(b *batch.Batch) int64 {
	if b.State != batch.Cancelled && b.State != batch.Undone && b.State != batch.Failed {
		return 0
	}
	c := b.Counts
	return max(0, c.Rows-c.Inserted-c.Updated-c.Unchanged-c.Duplicate-c.Invalid)
}

// outcomeWords is an outcome as the tables say it.
func outcomeWords(o directory.Outcome, preview bool) string {
	switch {
	case o == directory.NotApplied:
		return "not applied"
	case o == directory.Inserted && preview:
		return "will be inserted"
	case o == directory.Updated && preview:
		return "will be updated"
	}
	return string(o)
}
