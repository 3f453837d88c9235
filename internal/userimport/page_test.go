package userimport_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/userimport"
)

// pages collects all rows of a query, a few at a time.
func (h *house) pages(t failer, f *userimport.Frozen, q userimport.RowsQuery) []userimport.Row {
	t.Helper()
	var all []userimport.Row
	for {
		rows, next, err := f.Page(context.Background(), q)
		if err != nil || len(rows) > q.Limit {
			t.Fatal(len(rows), err)
		}
		all = append(all, rows...)
		if next == 0 {
			return all
		}
		if next <= q.After || len(rows) == 0 {
			t.Fatalf("after %d comes %d", q.After, next)
		}
		q.After = next
	}
}

// Page by page, by outcome or problem, the rows are those of the whole report, with the cells of the file; the counts
// of codes are those of the rows found by them.
func TestPages(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		f := tables{channels: [][]string{{"nobody", "1"}, {"u3", "7"}, {"no one", "1"}}}
		for i := range 1700 {
			row := []string{"u" + itoa(i), "A", "A", [...]string{"", "x" + itoa(i)}[i%2], itoa(1000 + i), "Agent", "boss", "Cards Team 1", "Agent"}
			switch i % 5 {
			case 1:
				row[7] = "Mars"
			case 2:
				row[0] = "u0"
			case 4:
				row[7], row[8] = "Mars", "Nix;Nax"
			}
			f.users = append(f.users, row)
		}
		h.op.PieceRows, h.op.ChunkRows = 0, 0
		b := h.run(t, system, userimport.Options{}, h.files(f))
		z := h.frozen(t, system, b.ID)
		var all []userimport.Row
		for r, err := range z.Rows(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			r.Cells = slices.Clone(r.Cells)
			all = append(all, r)
		}
		if d := cmp.Diff(all, h.pages(t, z, userimport.RowsQuery{Limit: 333})); d != "" {
			t.Fatal(d)
		}
		for _, outcome := range []directory.Outcome{directory.Inserted, directory.Duplicate, directory.Invalid, directory.NotApplied} {
			of := slices.DeleteFunc(slices.Clone(all), func(r userimport.Row) bool { return r.Outcome != outcome })
			if d := cmp.Diff(of, h.pages(t, z, userimport.RowsQuery{Outcome: outcome, Limit: 97}), cmpopts.EquateEmpty()); d != "" {
				t.Fatalf("%s: %s", outcome, d)
			}
			codes, err := z.Codes(context.Background(), outcome)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]int64{}
			for _, r := range of {
				seen := map[string]bool{}
				for _, p := range r.Problems {
					if !seen[p.Code] {
						want[p.Code]++
					}
					seen[p.Code] = true
				}
			}
			got := map[string]int64{}
			for _, c := range codes {
				got[c.Code] = c.Rows
				if rows := h.pages(t, z, userimport.RowsQuery{Outcome: outcome, Code: c.Code, Limit: 200}); int64(len(rows)) != c.Rows || rows[0].Outcome != outcome || rows[0].Cells == nil {
					t.Errorf("%s %s: %d rows, counted %d", outcome, c.Code, len(rows), c.Rows)
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: %s", outcome, d)
			}
			// A report of an earlier Muster has no counts by outcome.
			if outcome == directory.Invalid {
				h.exec(t, "DELETE FROM batch_page_codes WHERE code LIKE '=% %'")
				old, err := z.Codes(context.Background(), outcome)
				if d := cmp.Diff(codes, old); d != "" || err != nil {
					t.Errorf("of an old report: %s, %v", d, err)
				}
				if n := len(h.pages(t, z, userimport.RowsQuery{Outcome: outcome, Code: "role.unknown", Limit: 50})); n != 340 {
					t.Errorf("%d rows of an old report", n)
				}
			}
			if outcome == directory.Invalid {
				h.rewriteCodes(t, b, all)
			}
		}
		strays := h.pages(t, z, userimport.RowsQuery{Outcome: directory.Stray, Limit: 1})
		if len(strays) != 2 || strays[0].Number != 2 || strays[1].Number != 4 || strays[1].Kind != userimport.ChannelCountDetails || strays[1].Cells[0] != "no one" {
			t.Errorf("%+v", strays)
		}
		if rows := h.pages(t, z, userimport.RowsQuery{Outcome: directory.Invalid, Search: "NAX", Limit: 100}); len(rows) != 340 {
			t.Errorf("%d rows found", len(rows))
		}
		if rows := h.pages(t, z, userimport.RowsQuery{Outcome: directory.Inserted, Search: "U1000", Limit: 100}); len(rows) != 1 {
			t.Errorf("%d rows found", len(rows))
		}
	})
}

// rewriteCodes puts back the counts by outcome and code that a test took away; it only looks at rows of UserDetails.
func (h *house) rewriteCodes(t *testing.T, b *batch.Batch, all []userimport.Row) {
	t.Helper()
	pages := allOf[struct{ Page, First, Last int64 }](t, h, "SELECT page, first_row, last_row FROM batch_pages WHERE batch_id = $1", b.ID)
	for _, p := range pages {
		counts := map[string]int{}
		for _, r := range all {
			if r.Number < p.First || r.Number > p.Last {
				continue
			}
			seen := map[string]bool{}
			for _, problem := range r.Problems {
				if !seen[problem.Code] {
					counts["="+string(r.Outcome)+" "+problem.Code]++
				}
				seen[problem.Code] = true
			}
		}
		for code, n := range counts {
			h.exec(t, "INSERT INTO batch_page_codes (batch_id, run, code, page, problems) VALUES ($1, 'result', $2, $3, $4)", b.ID, code, p.Page, n)
		}
	}
}

// A preview that was cancelled inserted nobody: its good rows are found as not applied.
func TestPagesOfACancelledPreview(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		f := tables{users: userRows(`a1,A,A,,1,Agent,boss,Cards Team 1,Agent
			a2,A,A,a2,2,Agent,boss,Cards Team 1,Agent
			a3,A,A,,3,Agent,boss,Mars,Agent`)}
		b := h.run(t, system, userimport.Options{Preview: true}, h.files(f))
		if err := h.engine.Cancel(context.Background(), system, b.ID); err != nil {
			t.Fatal(err)
		}
		z := h.frozen(t, system, b.ID)
		for outcome, want := range map[directory.Outcome]int{directory.Inserted: 0, directory.NotApplied: 2, directory.Invalid: 1} {
			if rows := h.pages(t, z, userimport.RowsQuery{Outcome: outcome, Limit: 10}); len(rows) != want {
				t.Errorf("%s: %d rows, want %d", outcome, len(rows), want)
			}
		}
	})
}
