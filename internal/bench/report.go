package bench

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/sqldb"
)

var titles = map[sqldb.Engine]string{sqldb.SQLite: "SQLite", sqldb.Postgres: "PostgreSQL"}

// importMarkdown is how imports did on one engine.
func (r *Result) importMarkdown(f *Figures) string {
	w := &page{}
	w.line("## %s\n", titles[f.Engine])
	w.circumstances(r, f, fmt.Sprintf("Runs: %d; times and ratios are medians, waits and memory the worst", r.Runs))
	aim := aims[f.Engine]
	for i := range f.Scenarios {
		s := &f.Scenarios[i]
		w.line("\n### %s rows, %s\n", thousands(float64(r.Users)), s.Name)
		w.line("Written by both: %s users, %s roles, %s channel counts and %s features of theirs.\n",
			thousands(float64(s.Rows[0])), thousands(float64(s.Rows[1])), thousands(float64(s.Rows[2])), thousands(float64(s.Rows[3])))
		w.scenario(s, aim)
	}
	w.line("\n### Memory\n")
	w.head()
	w.memory("Muster's process, the most of all runs above", f.peak(), aim)
	if f.Triple != nil {
		w.memory(fmt.Sprintf("one import of %s rows (%s)", thousands(float64(f.Triple.Rows)), seconds(f.Triple.Seconds)), float64(f.Triple.Peak), aim)
	}
	w.line("\n### Run by run\n")
	w.rounds(f)
	return w.String()
}

// page is a document in the making.
type page struct{ strings.Builder }

func (w *page) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

// circumstances are those of a section; how is one of them.
func (w *page) circumstances(r *Result, f *Figures, how string) {
	w.line("* Measured on %s with `%s`", r.Date, r.Command)
	w.line("* %s", r.Machine)
	w.line("* %s", how)
	for _, v := range f.Versions {
		w.line("* %s", v)
	}
	if r.Users != aimedRows {
		w.line("* The targets are meant for %s rows of UserDetails; this was measured with %s.", thousands(aimedRows), thousands(float64(r.Users)))
	}
}

func (w *page) head() {
	w.line("| | measured | lowest to highest | target | |")
	w.line("| --- | ---: | ---: | ---: | --- |")
}

// row writes a figure; without a target, met is not looked at.
func (w *page) row(what, figure, spread, target string, met bool) {
	verdict := ""
	switch {
	case target != "" && met:
		verdict = "reached"
	case target != "":
		verdict = "**missed**"
	}
	w.line("| %s | %s | %s | %s | %s |", what, figure, spread, target, verdict)
}

func (w *page) scenario(s *Scenario, aim targets) {
	w.head()
	w.times("raw loader", s.loader(), s.Users)
	others := []struct {
		name    string
		seconds []float64
	}{{"raw loader, references unchecked", s.unchecked()}, {"raw loader, bare", s.bare()}}
	if median(s.bare()) == 0 {
		others = nil // PostgreSQL's can all that is needed
	}
	for _, o := range others {
		w.times(o.name, o.seconds, s.Users)
	}
	w.times("import, check to done", s.imports(), s.Users)
	least := aim.ratio[s.Name]
	speed := divide(s.loader(), s.imports())
	w.ratio("**import against the raw loader (users/s)**", speed, fmt.Sprintf("≥ %.2f", least), speed.median >= least)
	for _, o := range others {
		w.ratio("import against the "+o.name, divide(o.seconds, s.imports()), "", false)
	}
	w.times("import while another user writes", s.disturbances(), s.Users)
	w.ratio("the same against the raw loader, which nobody disturbs", divide(s.loader(), s.disturbances()), "", false)
	w.times("preview alone", s.previews(), 0)
	part := divide(s.previews(), s.loader())
	w.ratio("**preview's time, of the raw loader's**", part, fmt.Sprintf("≤ %.2f", aim.preview), part.median <= aim.preview)
	w.times("undo", s.undos(), 0)
	part = divide(s.undos(), s.imports())
	w.ratio("**undo's time, of the import's**", part, fmt.Sprintf("≤ %.2f", aim.undo), part.median <= aim.undo)
	w.waits(s, aim)
}

// memory writes a peak; 0 is one that could not be found out.
func (w *page) memory(what string, peak float64, aim targets) {
	if peak == 0 {
		w.row(what, "unknown", "", "", false)
		return
	}
	w.row(what, megabytes(peak), "", "≤ "+megabytes(aim.memory), peak <= aim.memory)
}

// times writes seconds, and users a second where users is not 0.
func (w *page) times(what string, all []float64, users int64) {
	m := median(all)
	figure := seconds(m)
	if users > 0 {
		figure += ", " + thousands(float64(users)/m) + " users/s"
	}
	w.row(what, figure, seconds(slices.Min(all))+" to "+seconds(slices.Max(all)), "", false)
}

func (w *page) ratio(what string, r ratio, target string, met bool) {
	w.row(what, fmt.Sprintf("%.2f", r.median), fmt.Sprintf("%.2f to %.2f", slices.Min(r.pairs), slices.Max(r.pairs)), target, met)
}

// waits writes the longest of all runs: a median of maxima would say nothing.
func (w *page) waits(s *Scenario, aim targets) {
	longest := slices.Max(s.of(func(r *Round) float64 { return r.Waits.Max }))
	p99 := s.of(func(r *Round) float64 { return r.Waits.P99 })
	writes := 0
	for _, r := range s.Rounds {
		writes += r.Waits.Writes
	}
	w.row("another user's write, 99 of 100", milliseconds(median(p99)), milliseconds(slices.Min(p99))+" to "+milliseconds(slices.Max(p99)), "", false)
	w.row(fmt.Sprintf("**another user's write, the longest of %s**", thousands(float64(writes))), milliseconds(longest), "", "≤ "+milliseconds(aim.wait), longest <= aim.wait)
}

func (w *page) rounds(f *Figures) {
	w.line("Seconds; memory in MB, of the undisturbed import, the preview and the undo.\n")
	w.line("| | raw loader | unchecked | bare | import | ratio | disturbed import | longest wait | preview | undo | memory |")
	w.line("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, s := range f.Scenarios {
		for i, r := range s.Rounds {
			w.line("| %s, %d | %.2f | %s | %s | %.2f | %.2f | %.2f | %.3f | %.2f | %.2f | %.0f, %.0f, %.0f |", s.Name, i+1, r.Loader,
				orDash(r.Unchecked), orDash(r.Bare), r.Import.Seconds, r.Loader/r.Import.Seconds, r.Disturbed.Seconds, r.Waits.Max, r.Preview.Seconds, r.Undo.Seconds,
				float64(r.Import.Peak)/1e6, float64(r.Preview.Peak)/1e6, float64(r.Undo.Peak)/1e6)
		}
	}
}

func orDash(s float64) string {
	if s == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", s)
}

func (m Machine) String() string {
	parts := []string{fmt.Sprintf("%d cores", m.Cores)}
	if m.CPU != "" {
		parts[0] += " (" + m.CPU + ")"
	}
	if m.Memory > 0 {
		parts = append(parts, fmt.Sprintf("%.1f GB of memory", float64(m.Memory)/1e9))
	}
	if m.FileSystem != "" {
		parts = append(parts, "everything on "+m.FileSystem)
	}
	return strings.Join(append(parts, m.System, m.Go), ", ")
}

func seconds(s float64) string {
	if s >= 10 {
		return fmt.Sprintf("%.1f s", s)
	}
	return fmt.Sprintf("%.2f s", s)
}

func milliseconds(s float64) string { return fmt.Sprintf("%.0f ms", s*1000) }

// megabytes are a million bytes each.
func megabytes(b float64) string { return fmt.Sprintf("%.0f MB", b/1e6) }

// thousands writes a whole number with commas.
func thousands(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
