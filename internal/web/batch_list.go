package web

import (
	"strconv"

	"muster/internal/batch"
)

// batchesPerPage is how many batches the history shows at once.
const batchesPerPage = 25

// batchListPage is the history of bulk actions.
type batchListPage struct {
	Rows      []batchLine
	Total     int64
	Before    int64 // the page begins below this batch; 0 is the first page
	Next      int64 // what the next page begins below; 0: there is none
	Live      bool  // something on it still moves
	MayImport bool
	All       bool  // of everybody
	Awaiting  bool  // only those that await approval
	Pending   int64 // that this person may approve or reject
}

// batchLine is one batch of the history.
type batchLine struct {
	*batch.Batch
	Who    string
	MayAct bool
}

// batchList shows the history, and its table alone where that asks for itself.
func (s *Server) batchList(v *visit) error {
	p := batchListPage{MayImport: v.can("users:add"), All: v.can("batches:access") && v.actor().Scope().IsEverywhere()}
	p.Before, _ = strconv.ParseInt(v.URL.Query().Get("before"), 10, 64)
	query := batch.ListQuery{Before: max(0, p.Before), Limit: batchesPerPage + 1}
	if p.Awaiting = v.URL.Query().Get("state") == string(batch.Awaiting); p.Awaiting {
		query.States = []batch.State{batch.Awaiting}
	}
	all, total, err := s.Engine.List(v.ctx(), v.actor(), query)
	if err != nil {
		return err
	}
	if p.Pending, err = s.Engine.Pending(v.ctx(), v.actor()); err != nil {
		return err
	}
	p.Total = total
	if len(all) > batchesPerPage {
		all = all[:batchesPerPage]
		p.Next = all[len(all)-1].ID
	}
	for _, b := range all {
		p.Rows = append(p.Rows, batchLine{Batch: b, Who: ownerName(v, b), MayAct: v.mayAct(b)})
		p.Live = p.Live || b.State.Live()
	}
	if v.fragment("batches") {
		return v.part(batchTable(p))
	}
	return v.show("Bulk actions", batchListView(p))
}

// path is the address of a page of the history, with what it is filtered by.
func (p *batchListPage) path(before int64) string {
	state, from := "", ""
	if p.Awaiting {
		state = string(batch.Awaiting)
	}
	if before > 0 {
		from = strconv.FormatInt(before, 10)
	}
	return withQuery("/batches", "state", state, "before", from)
}

// domID makes the id of an element of a batch's line.
func domID(what string, id int64) string { return what + "-" + strconv.FormatInt(id, 10) }
