package web

import (
	"encoding/json"
	"time"

	"github.com/a-h/templ"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/userimport"
)

// importSpecimens are the import dialog and the pages of one bulk action in their states.
func importSpecimens() []specimen {
	page := func(change func(*batchPage)) func() templ.Component {
		return func() templ.Component {
			p := specimenBatch()
			change(p)
			return batchView(p)
		}
	}
	limits := importPage{Limits: uploadLimits{Bytes: 2 << 30, Files: 10}}
	all := []specimen{
		{Name: "import", Title: "Import users", dialog: true, body: func() templ.Component { return importDialog(limits) }},
		{Name: "import-page", Title: "Import users, a page", body: func() templ.Component { return importPageView(limits) }},
		{Name: "batch-undo", Title: "Undo an import", dialog: true, body: func() templ.Component { return undoDialog(specimenBatch().Batch) }},
	}
	for _, state := range []struct {
		name, title string
		change      func(*batchPage)
	}{
		{"batch-done", "An import's result", func(*batchPage) {}},
		{"batch-corrected", "An import's result, rows corrected", func(p *batchPage) {
			p.Result.Pending = 1
			p.Result.Lines[0].Problems[0].Corrected, p.Result.Lines[0].Problems[0].New = true, "Cards Team 1"
		}},
		{"batch-inserted", "An import's inserted rows", func(p *batchPage) { specimenInserted(p.Result) }},
		{"batch-clean", "An import without a problem", func(p *batchPage) {
			p.Counts = batch.Counts{Rows: 17_931, Inserted: 17_931}
			specimenInserted(p.Result)
		}},
		{"batch-preview", "A preview", func(p *batchPage) { p.State, p.Result.Preview = batch.Ready, true }},
		{"batch-waiting", "An import that waits", func(p *batchPage) { specimenRuns(p, batch.Received, "", 0, 0) }},
		{"batch-reading", "An import that reads", func(p *batchPage) { specimenRuns(p, batch.Checking, "reading", 31_000_000, 84_000_000) }},
		{"batch-checking", "An import that checks", func(p *batchPage) { specimenRuns(p, batch.Checking, "checking", 640_000, 1_000_000) }},
		{"batch-applying", "An import that inserts", func(p *batchPage) { specimenRuns(p, batch.Applying, "applying", 410_000, 1_000_000) }},
		{"batch-trouble", "An import that waits for the database", func(p *batchPage) {
			specimenRuns(p, batch.Applying, "applying", 410_000, 1_000_000)
			p.Reason = "the disk is full; make room; trying again in 8s"
		}},
		{"batch-cancelled", "An import cancelled on the way", func(p *batchPage) { p.State, p.Counts.Inserted = batch.Cancelled, 9_000 }},
		{"batch-undone", "An import that is undone", specimenUndone},
		{"batch-columns", "Files with unknown columns", func(p *batchPage) { specimenColumns(p, true) }},
		{"batch-files", "Files that cannot be used", func(p *batchPage) { specimenColumns(p, false) }},
		{"batch-failed", "An import that cannot go on", func(p *batchPage) {
			p.State, p.Result, p.Reason = batch.Failed, nil, "the stored files are damaged; import them again"
		}},
		{"batch-by-others", "A result, by who may only look", func(p *batchPage) {
			p.Who, p.MayAct, p.Result.Correctable, p.Result.OpenUsers = "pnair14", false, false, false
		}},
	} {
		all = append(all, specimen{Name: state.name, Title: state.title, body: page(state.change)})
	}
	return all
}

// historySpecimens are the Bulk actions page in its states.
func historySpecimens() []specimen {
	history := batchListPage{Total: 4, MayImport: true, All: true}
	for i, state := range []batch.State{batch.Applying, batch.Ready, batch.Done, batch.Failed} {
		b := specimenBatch().Batch
		b.ID, b.State, b.Done, b.Total = int64(118-i), state, 410_000, 1_000_000
		history.Rows = append(history.Rows, batchLine{Batch: b, Who: "you", MayAct: true})
	}
	return []specimen{
		{Name: "batches", Title: "Bulk actions", body: func() templ.Component { return batchListView(history) }},
		{Name: "batches-none", Title: "Bulk actions, none yet", body: func() templ.Component { return batchListView(batchListPage{MayImport: true}) }},
	}
}

// specimenBatch is an import that is done, seen by who made it.
func specimenBatch() *batchPage {
	now := time.Now()
	b := &batch.Batch{
		ID: 118, Action: userimport.Action, State: batch.Done, Owner: "ahaddad", Source: "web", Options: json.RawMessage("{}"), CreatedAt: now.Add(-2 * time.Minute),
		Busy: 900 * time.Millisecond, Counts: batch.Counts{Rows: 18_000, Inserted: 17_931, Duplicate: 63, Invalid: 6, Stray: 2},
		Files: []batch.File{{Name: "UserDetails.csv", Kind: "UserDetails"}, {Name: "ChannelCountDetails.csv", Kind: "ChannelCountDetails"}, {Name: "FeatureDetails.csv", Kind: "FeatureDetails"}},
	}
	wrong := func(row int64, lan, column, code, value, message, suggestion string) rowLine {
		p := directory.Problem{Row: row, LANID: lan, Column: column, Code: code, Severity: directory.Error, Value: value, Message: message, Suggestion: suggestion}
		return rowLine{Number: row, LANID: lan, Problems: []problemLine{{Problem: p, Kind: "UserDetails", Same: 1}}}
	}
	lines := []rowLine{
		wrong(4, "mchen12", "Org Unit", "org_unit.unknown", "Cards Team", "There is no org unit \"Cards Team\"; use a name exactly as it is in the org structure.", "Cards Team 1"),
		wrong(9, "o farouk", "LAN ID", "lan_id.special_characters", "o farouk", "LAN ID \"o farouk\" has special characters; only A–Z, a–z and 0–9 may be used.", ""),
		wrong(17, "pnair14", "Role", "role.unknown", "Tem Lead", "There is no role \"Tem Lead\"; use a role that is defined.", "Team Lead"),
		wrong(38, "sobrien", "First Name", "first_name.missing", "", "First Name is blank; enter the first name as it should appear.", ""),
	}
	lines[0].Problems[0].Same = 12
	return &batchPage{Batch: b, Who: "you", MayAct: true, Result: &resultPart{
		rowsAsked: rowsAsked{Show: directory.Invalid}, Total: 6, Lines: lines, Rejects: 71, Correctable: true, OpenUsers: true,
		Codes: []batch.RowCount{{Code: "org_unit.unknown", Rows: 2}, {Code: "lan_id.special_characters", Rows: 1}, {Code: "role.unknown", Rows: 1}, {Code: "first_name.missing", Rows: 1}},
	}}
}

func specimenInserted(r *resultPart) {
	note := directory.Problem{Row: 2, Column: "Supervisor", Code: "supervisor.other_branch", Severity: directory.Warning, Message: "jsmith belongs to another branch; check that this is meant."}
	r.Show, r.Total, r.Codes, r.Correctable, r.Next = directory.Inserted, 17_931, nil, false, "51"
	r.Lines = []rowLine{
		{Number: 2, LANID: "johndoe22", Name: "John Doe", Unit: "Cards Team 1", Problems: []problemLine{{Problem: note}}},
		{Number: 3, LANID: "zkilic", Name: "Zeynep Kılıç", Unit: "Devices Team 2", Was: directory.Duplicate},
	}
}

func specimenRuns(p *batchPage, state batch.State, phase string, done, total int64) {
	now := time.Now()
	p.still = true
	p.State, p.Phase, p.Done, p.Total, p.Result, p.Counts = state, phase, done, total, nil, batch.Counts{}
	p.PhaseStarted, p.Published = now.Add(-5*time.Second), now
}

func specimenUndone(p *batchPage) {
	p.State, p.Undone, p.UndoneBy = batch.Undone, 17_930, "ahaddad"
	p.Kept = &keptPart{Users: []batch.Entry{{LANID: "johndoe22", Problems: []directory.Problem{{Code: "undo.changed_since", Message: "johndoe22 stays: somebody changed this user after the import."}}}}}
}

func specimenColumns(p *batchPage, mend bool) {
	p.State, p.Result, p.Counts = batch.Failed, nil, batch.Counts{}
	p.Columns = &columnsPart{Problems: []batch.FileProblem{
		{File: "people.xlsx", Row: 1, Column: "Boss", Code: "file.unknown_column", Value: "Boss", Message: "UserDetails has no column \"Boss\"; remove it, or name it as in the template."},
		{Code: "file.no_user_details", Message: "None of the files is UserDetails (its header begins with LAN ID, First Name, Last Name); add it."},
	}}
	if mend {
		p.Columns.Unknown = []userimport.UnknownColumn{
			{FileName: "people.xlsx", Index: 6, Column: "Boss", Kind: userimport.UserDetails, Choices: []string{"Supervisor"}},
			{FileName: "people.xlsx", Index: 12, Column: "Shoe size", Kind: userimport.UserDetails, Choices: []string{"Supervisor"}, Decided: true},
		}
	}
}
