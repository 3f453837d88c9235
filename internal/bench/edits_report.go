package bench

import (
	"fmt"
	"slices"
)

// editsMarkdown is how bulk edits did on one engine.
func (r *Result) editsMarkdown(f *Figures) string {
	e, w := f.Edits, &page{}
	w.line("## Bulk edits on %s\n", titles[f.Engine])
	w.circumstances(r, f, fmt.Sprintf("%s users in the directory; runs: %d; times and ratios are medians, waits the worst", thousands(float64(e.Users)), len(e.Rounds)))
	w.line("")
	w.head()
	w.edit(e, "give everybody a role", e.turns(func(r *EditRound) EditTurn { return r.Assign }))
	w.edit(e, "take a role from everybody", e.turns(func(r *EditRound) EditTurn { return r.Remove }))
	w.within("**freeze everybody who is in the directory**", e.of(func(r *EditRound) float64 { return r.Freeze }), editFreeze)
	w.within("what giving everybody the role would do, counted", e.of(func(r *EditRound) float64 { return r.Consequences }), editWindow)
	w.within(fmt.Sprintf("**give %s users the role, from a file of LAN IDs to the last byte written**", thousands(float64(e.Few))),
		e.of(func(r *EditRound) float64 { return r.Few.whole() }), editFew)
	bare := e.of(func(r *EditRound) float64 { return r.Few.Bare })
	w.times("bare statements that give them the role, by their ids", bare, e.Few)
	w.ratio("the whole of it against these (users/s)", divide(bare, e.of(func(r *EditRound) float64 { return r.Few.whole() })), "", false)
	w.times("preview and apply of giving everybody the role, while another user writes", e.of(func(r *EditRound) float64 { return r.Disturbed }), e.Users)
	longest, writes := 0.0, 0
	for _, round := range e.Rounds {
		longest, writes = max(longest, round.Waits.Max), writes+round.Waits.Writes
	}
	w.row(fmt.Sprintf("**that user's write, the longest of %s**", thousands(float64(writes))), milliseconds(longest), "", "≤ "+milliseconds(editWait), longest <= editWait)
	w.line("\nRun by run, seconds:\n")
	w.line("| | bare | by the sqlite3 shell | preview | apply | ratio | undo |")
	w.line("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
	for i, round := range e.Rounds {
		for _, t := range []struct {
			what string
			EditTurn
		}{{"give", round.Assign}, {"take", round.Remove}} {
			w.line("| %s, %d | %.2f | %s | %.2f | %.2f | %.2f | %.2f |", t.what, i+1, t.Bare, orDash(t.Shell), t.Preview, t.Apply, t.Bare/t.muster(), t.Undo)
		}
	}
	return w.String()
}

// edit is one edit of everybody beside the bare statements.
func (w *page) edit(e *Edits, what string, turns []EditTurn) {
	of := func(figure func(EditTurn) float64) (all []float64) {
		for _, t := range turns {
			all = append(all, figure(t))
		}
		return all
	}
	bare, shell, muster := of(func(t EditTurn) float64 { return t.Bare }), of(func(t EditTurn) float64 { return t.Shell }), of(EditTurn.muster)
	w.times("bare statements that "+what, bare, e.Users)
	if median(shell) > 0 {
		w.times("the same by the sqlite3 shell", shell, e.Users)
	}
	w.times(what+", preview and apply", muster, e.Users)
	r := divide(bare, muster)
	w.ratio(fmt.Sprintf("**%s against the bare statements (users/s)**", what), r, fmt.Sprintf("≥ %.2f", editRatio), r.median >= editRatio)
	if median(shell) > 0 {
		w.ratio("against the sqlite3 shell", divide(shell, muster), "", false)
	}
	w.times("undo", of(func(t EditTurn) float64 { return t.Undo }), e.Users)
}

// within writes seconds beside the most that they may be.
func (w *page) within(what string, all []float64, most float64) {
	m := median(all)
	w.row(what, seconds(m), seconds(slices.Min(all))+" to "+seconds(slices.Max(all)), "≤ "+seconds(most), m <= most)
}

func (e *Edits) turns(turn func(*EditRound) EditTurn) (all []EditTurn) {
	for i := range e.Rounds {
		all = append(all, turn(&e.Rounds[i]))
	}
	return all
}

func (e *Edits) of(figure func(*EditRound) float64) (all []float64) {
	for i := range e.Rounds {
		all = append(all, figure(&e.Rounds[i]))
	}
	return all
}
