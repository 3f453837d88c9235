package web

import (
	"time"

	"github.com/a-h/templ"

	"muster/internal/batch"
	"muster/internal/directory"
)

// auditSpecimens are the audit, and batches under guard and approval, in their states.
func auditSpecimens() []specimen {
	now := time.Now()
	entry := func(id int64, ago time.Duration, actor, action, subject, name, before, after, reason string) directory.AuditEntry {
		return directory.AuditEntry{ID: id, At: now.Add(-ago).UnixMicro(), Actor: actor, Source: "web", Action: action, Subject: subject, Name: name, Before: before, After: after, Reason: reason}
	}
	words := func(p *auditPage) *auditPage {
		p.Actions, p.Kinds, p.batches = []string{"create", "update", "delete", "import-users"}, []string{"batch", "org-unit", "role", "user"}, true
		return p
	}
	full := func() *auditPage {
		p := words(&auditPage{auditAsked: &auditAsked{Kind: "user", From: "2026-11-01"}, deletes: true})
		moved := entry(120, time.Hour, "ahaddad", "update", "user", "pnair14", `{"org_unit":"UAE / Retail / Cards / Cards Team 1","pbx_id":"41002","roles":["Agent","Night Shift"]}`,
			`{"org_unit":"UAE / Retail / Loans / Loans Team 1","pbx_id":"41077","roles":["Agent","Team Lead"]}`, "Moves to the new team on Monday.")
		moved.SubjectID, p.Users = 7, map[int64]bool{7: true}
		done := entry(118, 3*time.Hour, "system", "import-users done", "batch", "12", "", `{"rows":6,"inserted":3,"updated":0,"unchanged":0,"duplicate":1,"invalid":2,"stray":0}`, "")
		done.Source, done.BatchID = "cli", 12
		p.Entries = []directory.AuditEntry{moved,
			entry(119, 2*time.Hour, "ahaddad", "update", "role", "Team Lead", `{"rights":["users:access","batches:access"],"rules":[]}`,
				`{"rights":["users:access","batches:access","users:edit"],"rules":[{"rule":"no-face-in-view","action":"lock","delay_seconds":30}]}`, ""),
			done,
			entry(117, 26*time.Hour, "ohassan3", "create", "org-unit", "UAE / Retail / Cards / Cards Team 3", "", `{"name":"Cards Team 3"}`, ""),
			entry(116, 27*time.Hour, "ohassan3", "delete", "crm-name", "Vantive", `{"name":"Vantive"}`, "", "")}
		p.Next = 116
		return p
	}
	view := func(make func() *auditPage) func() templ.Component {
		return func() templ.Component { return auditView(make()) }
	}
	all := []specimen{
		{Name: "audit", Title: "The audit", body: view(full)},
		{Name: "audit-own", Title: "The audit of what one did oneself", body: view(func() *auditPage { p := full(); p.Own = true; return p })},
		{Name: "audit-empty", Title: "The audit, nothing there", body: view(func() *auditPage { return &auditPage{auditAsked: &auditAsked{}} })},
		{Name: "audit-nothing", Title: "The audit, nothing matches", body: view(func() *auditPage { return words(&auditPage{auditAsked: &auditAsked{Who: "nobody7"}}) })},
		{Name: "audit-wrong", Title: "The audit, asked wrongly", body: view(func() *auditPage {
			return words(&auditPage{auditAsked: &auditAsked{Batch: "twelve"}, Problem: "“twelve” is not the number of a batch; give it in digits."})
		})},
	}
	for _, state := range []struct {
		name, title string
		change      func(*batchPage)
	}{
		{"batch-guard", "A preview that needs a number", func(p *batchPage) { p.Guard = batch.Guard{Users: 1250, Of: 4000} }},
		{"batch-guard-wrong", "A preview, a wrong number", func(p *batchPage) {
			p.Guard, p.Deciding.Typed, p.Deciding.Problem = batch.Guard{Users: 1250, Of: 4000}, "125", "The number typed in is 125, and it must be 1250."
		}},
		{"batch-ask", "A preview that needs approval", func(p *batchPage) { p.Deciding.Asks = true }},
		{"batch-awaiting", "A batch to approve", func(p *batchPage) { specimenAwaiting(p); p.Deciding.MayJudge = true }},
		{"batch-awaiting-wrong", "A batch to approve, rejected without a word", func(p *batchPage) {
			specimenAwaiting(p)
			p.Deciding.MayJudge, p.Deciding.Problem = true, "Say why batch 12 is rejected; whoever made it reads that."
		}},
		{"batch-awaiting-own", "A batch that awaits approval", specimenAwaiting},
		{"batch-rejected", "A batch that was rejected", func(p *batchPage) {
			p.State, p.Result, p.Counts.Inserted = batch.Cancelled, nil, 0
			p.Approval = batch.Approval{AskedBy: "ohassan3", Verdict: batch.Rejected, By: "ahaddad", At: now, Comment: "The unit moves next week."}
		}},
	} {
		all = append(all, specimen{Name: state.name, Title: state.title, body: func() templ.Component {
			p := specimenBatch()
			p.State, p.Result.Preview, p.Counts.Updated = batch.Ready, true, 0
			state.change(p)
			return batchView(p)
		}})
	}
	return all
}

func specimenAwaiting(p *batchPage) {
	p.State, p.Approval = batch.Awaiting, batch.Approval{AskedBy: "ohassan3", AskedAt: time.Now().Add(-time.Hour)}
}
