package web

import (
	"encoding/json"
	"time"

	"github.com/a-h/templ"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/useredit"
)

// replaceSpecimens are the pages of a replacement in its states.
func replaceSpecimens() []specimen {
	page := func(change func(*batchPage)) func() templ.Component {
		return func() templ.Component {
			p := specimenReplacement()
			change(p)
			return batchView(p)
		}
	}
	return []specimen{
		{Name: "replace-preview", Title: "A value to be replaced", body: page(func(p *batchPage) {
			p.State, p.Edit.Preview = batch.Ready, true
			saysAgain(p)
		})},
		{Name: "replace-running", Title: "A value being replaced", body: page(func(p *batchPage) {
			p.State, p.Phase, p.Done, p.Total, p.still = batch.Applying, "applying", 212_000, 500_000, true
		})},
		{Name: "replace-done", Title: "A value replaced and deleted", body: page(func(p *batchPage) {
			p.Work = json.RawMessage(`{"deleted": {"id": 1, "name": "Siebel"}}`)
			saysAgain(p)
		})},
		{Name: "replace-left", Title: "Users left out of a replacement", body: page(func(p *batchPage) {
			p.Work = json.RawMessage(`{"still_held": true}`)
			saysAgain(p)
			p.Edit.Show = directory.Invalid
			p.Edit.Rows = []useredit.Row{{Number: 3, LANID: "ahaddad", Name: "Amira Haddad", Before: "Siebel", After: "Siebel", Outcome: directory.Invalid, Was: directory.Updated,
				Problems: []directory.Problem{{Code: "user.too_much", Message: "You may not give ahaddad this: with their other roles and their access role, they could do more than you."}}}}
		})},
		{Name: "replace-undone", Title: "A replacement undone", body: page(func(p *batchPage) {
			p.State, p.Undone, p.Work = batch.Undone, 499_999, json.RawMessage(`{"brought_back": 1}`)
			p.Kept = &keptPart{Users: []batch.Entry{{LANID: "pnair14", Problems: []directory.Problem{{Code: "undo.changed_since", Message: "pnair14 stays as they are: somebody changed this user since."}}}}}
			saysAgain(p)
			p.Edit.Rows[0].Undone = true
		})},
		{Name: "replace-undo", Title: "Undo a replacement", dialog: true, body: func() templ.Component { return undoDialog(specimenReplacement().Batch) }},
	}
}

// saysAgain puts a specimen into words once more, after it was changed.
func saysAgain(p *batchPage) {
	var err error
	if p.Edit.editSay, err = editSays(p, p.Edit.Preview); err != nil {
		panic("web: options made here can be read: " + err.Error())
	}
}

func specimenReplacement() *batchPage {
	o := useredit.Options{Kind: directory.CRMNameValue, From: 1, To: 2, Delete: true, FromName: "Siebel", ToName: "Zendesk", Frozen: 500_000}
	options, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	now := time.Now()
	row := func(lan, name string) useredit.Row {
		return useredit.Row{LANID: lan, Name: name, Before: "Siebel", After: "Zendesk", Outcome: directory.Updated}
	}
	p := &batchPage{
		Batch: &batch.Batch{ID: 14, Action: useredit.Action, State: batch.Done, Owner: "ahaddad", Options: options, Work: json.RawMessage("{}"), CreatedAt: now.Add(-time.Hour),
			Busy: 22 * time.Second, Counts: batch.Counts{Rows: 500_000, Updated: 499_999, Invalid: 1}},
		Who: "you", MayAct: true,
		Edit: &editPart{Show: directory.Updated, Next: 50, Rows: []useredit.Row{row("pnair14", "Priya Nair"), row("ohassan3", "Omar Hassan")}},
	}
	saysAgain(p)
	return p
}
