package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
)

// approvalPart is what a batch's page says and asks about approval and guard.
type approvalPart struct {
	Asks     bool   // applying it means asking a second person
	MayJudge bool   // this person may be the second
	Typed    string // the number typed in that was not the right one
	Comment  string // likewise, what was typed
	Problem  string // with what was typed
}

// needsMore tells whether more than a click lets the preview go on: a number typed in, or somebody else.
func (p *batchPage) needsMore() bool {
	return (p.Deciding.Asks || p.Guard.Users > 0) && p.Counts.Inserted+p.Counts.Updated > 0
}

func (s *Server) approvalPart(v *visit, b *batch.Batch) (p approvalPart, err error) {
	switch b.State {
	case batch.Ready:
		settings, err := directory.LoadSettings(v.ctx(), s.Directory.DB.Read())
		p.Asks = settings.Approval
		return p, err
	case batch.Awaiting:
		err = s.Engine.MayApprove(v.ctx(), v.actor(), b)
		p.MayJudge = err == nil
		if kind := fault.KindOf(err); kind == fault.Forbidden || kind == fault.NotFound {
			err = nil
		}
	}
	return p, err
}

// typedNumber is what somebody typed in to confirm how many users change; 0 for nothing. Spaces, commas and points that
// group digits are passed over.
func typedNumber(text string) (int64, error) {
	text = strings.NewReplacer(" ", "", ",", "", ".", "", "\u00a0", "", "\u202f", "").Replace(strings.TrimSpace(text))
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.New(fault.Invalid, "%q is not a number; type it in digits", text)
	}
	return n, nil
}

// decideAgain shows the batch with what was wrong with what was typed, and what was typed.
func (s *Server) decideAgain(v *visit, err error) error {
	b, failed := v.batch()
	if failed != nil {
		return failed
	}
	if fault.KindOf(err) != fault.Invalid {
		return err
	}
	p, failed := s.fillBatchPage(v, b, rowsAsked{})
	if failed != nil {
		return failed
	}
	p.Deciding.Typed, p.Deciding.Comment, p.Deciding.Problem = v.FormValue("confirm"), v.FormValue("comment"), sentence(failureOf(err).Message)
	return v.showStatus(http.StatusUnprocessableEntity, batchTitle(b), batchPageView(p))
}

// approveBatch lets a batch go on that awaits approval.
func (s *Server) approveBatch(v *visit) error { return v.judge(s.Engine.Approve) }

// rejectBatch drops it.
func (s *Server) rejectBatch(v *visit) error { return v.judge(s.Engine.Reject) }

func (v *visit) judge(do func(context.Context, directory.Actor, int64, string) error) error {
	comment := strings.TrimSpace(strings.ReplaceAll(v.FormValue("comment"), "\r\n", "\n"))
	return v.decide(func(ctx context.Context, a directory.Actor, id int64) error { return do(ctx, a, id, comment) })
}
