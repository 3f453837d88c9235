package bench

import (
	"fmt"
	"slices"
	"strings"
)

// What is aimed at under load, and how much slower than the first a page far down may be before it is more than noise.
const (
	loadWait  = 1.5 // seconds, for 99 of 100
	deepNoise = 1.25
)

// consoleMarkdown is how the console did on one engine.
func (r *Result) consoleMarkdown(f *Figures) string {
	c, w := f.Console, &page{}
	w.line("## The console on %s\n", titles[f.Engine])
	w.circumstances(r, f, fmt.Sprintf("%s users in the directory before; measured once", thousands(float64(c.Users))))
	w.line("\n### The grid, at the handler\n")
	w.promises(c.Grid)
	w.line("\nEach kind of request by itself, milliseconds; pages have 50 users:\n")
	w.times50(c.Grid)
	if len(c.Scoped) > 0 {
		w.line("\nThe same for somebody who sees %s and what is below it, with several kinds in each line:\n", c.Scope)
		w.times50(c.Scoped)
	}
	w.slowest(slices.Concat(c.Grid, c.Scoped))
	w.line("\n### A page far down\n")
	w.deep(c.Deep)
	w.line("\n### What is sent\n")
	w.weights(c.Weights)
	w.line("\n### One user, and changes that many see\n")
	w.times50(c.Managing.Pages)
	w.line("")
	w.broad(c.Managing.Changes)
	w.line("\n### Many people while an import runs\n")
	w.load(c.Load)
	return w.String()
}

// promises are one line for each target: the worst of all kinds that it is for.
func (w *page) promises(all []PageTime) {
	w.line("| the worst of all kinds with this target | kinds | the worst | p50 | p95 | longest | target p95 | |")
	w.line("| --- | ---: | --- | ---: | ---: | ---: | ---: | --- |")
	for _, p := range []struct {
		what  string
		limit float64
	}{
		{"hot sorts, unfiltered or by one common filter", hotGrid.Seconds()},
		{"any other combination", otherGrid.Seconds()},
		{"search in names and ids", searchGrid.Seconds()},
		{"count, which the page asks for after its rows", 0},
	} {
		var worst PageTime
		kinds, longest := 0, 0.0
		for _, t := range all {
			if t.Limit != p.limit {
				continue
			}
			kinds++
			longest = max(longest, t.Max)
			if t.P95 >= worst.P95 {
				worst = t
			}
		}
		if kinds > 0 {
			w.line("| **%s** | %d | %s | %s | %s | %s | %s |", p.what, kinds, worst.Group, milliseconds(worst.P50), milliseconds(worst.P95),
				milliseconds(longest), verdict(worst.P95, p.limit, milliseconds))
		}
	}
}

// verdict is two cells: the target, and whether it is reached; 0 is no target.
func verdict(measured, limit float64, format func(float64) string) string {
	switch {
	case limit == 0:
		return "|"
	case measured <= limit:
		return "≤ " + format(limit) + " | reached"
	}
	return "≤ " + format(limit) + " | **missed**"
}

func (w *page) times50(all []PageTime) {
	w.line("| | requests | p50 | p95 | longest | target p95 | |")
	w.line("| --- | ---: | ---: | ---: | ---: | ---: | --- |")
	for _, t := range all {
		w.line("| %s | %d | %.1f | %.1f | %.1f | %s |", t.Group, t.Samples, t.P50*1000, t.P95*1000, t.Max*1000,
			verdict(t.P95, t.Limit, func(s float64) string { return fmt.Sprintf("%.0f", s*1000) }))
	}
}

// slowest names the request that took longest, of each kind that missed its target.
func (w *page) slowest(all []PageTime) {
	said := false
	for _, t := range all {
		if t.Limit == 0 || t.P95 <= t.Limit {
			continue
		}
		if !said {
			w.line("\nThe slowest request of each kind that missed its target:\n")
			said = true
		}
		w.line("* %s: `%s` (%s)", t.Group, shortened(t.Slowest), milliseconds(t.Max))
	}
}

// shortened is an address without what is long in it and says nothing.
func shortened(path string) string {
	base, query, filtered := strings.Cut(path, "?")
	if !filtered {
		return base
	}
	var kept []string
	for part := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(part, "="); name == "after" || name == "before" {
			part = name + "=…"
		}
		kept = append(kept, part)
	}
	return base + "?" + strings.Join(kept, "&")
}

func (w *page) deep(all []DeepPage) {
	w.line("| sorted by | page 1 | the page far down | its number | the walk there | of page 1's time | target | |")
	w.line("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
	for _, d := range all {
		first, deep := median(d.First), median(d.Deep)
		w.line("| %s | %.1f ms | %.1f ms | %s | %s | %.2f | %s |", d.Sort, first*1000, deep*1000, thousands(float64(d.Page)), seconds(d.Walked), deep/first,
			verdict(deep/first, deepNoise, func(r float64) string { return fmt.Sprintf("%.2f", r) }))
	}
}

func (w *page) weights(all []Weight) {
	w.line("| | compressed | target | |")
	w.line("| --- | ---: | ---: | --- |")
	for _, x := range all {
		what := x.What
		if x.Of != "" {
			what += " (" + x.Of + ")"
		}
		w.line("| %s | %s | %s |", what, kilobytes(x.Bytes), verdict(float64(x.Bytes), float64(x.Limit), func(b float64) string { return kilobytes(int(b)) }))
	}
}

// broadWait is how long, in seconds, whoever writes may be held up by a change that reaches many users: about as long as a
// chunk takes on SQLite.
const broadWait = 1.0

// broad are changes that reach many users.
func (w *page) broad(all []BroadChange) {
	w.line("| | users who see it | | undo, or back again | another user's write, 99 of 100 | the longest | target | |")
	w.line("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
	for _, c := range all {
		w.line("| %s | %s | %s | %s | %s | %s | %s |", c.What, thousands(float64(c.Users)), seconds(c.Took), seconds(c.Undo), milliseconds(c.Waits.P99), milliseconds(c.Waits.Max),
			verdict(c.Waits.Max, broadWait, milliseconds))
	}
}

func (w *page) load(l *Load) {
	w.line("%d people, each with a click every %s, for %s; for %s of them %s rows were uploaded (%s) and imported: %s, %s rows/s.\n",
		l.People, seconds(l.Every), seconds(l.Took), seconds(l.Upload+l.Import), thousands(float64(l.Rows)), seconds(l.Upload), seconds(l.Import),
		thousands(float64(l.Rows)/l.Import))
	w.clicks("while the import ran", l.During, loadWait)
	w.line("")
	w.clicks("before and after the import", l.Calm, 0)
	w.line("\n| errors | target | |\n| ---: | ---: | --- |")
	met := "reached"
	if l.Errors > 0 {
		met = "**missed**"
	}
	w.line("| %d | 0 | %s |", l.Errors, met)
	if len(l.Said) > 0 {
		w.line("\nThe first of them:\n")
	}
	for _, said := range l.Said {
		w.line("* %s", said)
	}
	w.line("\nThe most memory that the process held: %s.", orUnknown(float64(l.Peak)))
}

// clicks are by kind; the target is for all of them together.
func (w *page) clicks(when string, all []ClickTime, limit float64) {
	w.line("| %s | answers | p50 | p95 | p99 | longest | target p99 | |", when)
	w.line("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
	for _, t := range all {
		kind, limit := t.Kind, limit
		if kind == allKinds {
			kind = "**" + kind + "**"
		} else {
			limit = 0
		}
		w.line("| %s | %s | %s | %s | %s | %s | %s |", kind, thousands(float64(t.Answers)), milliseconds(t.P50), milliseconds(t.P95), milliseconds(t.P99),
			milliseconds(t.Max), verdict(t.P99, limit, seconds))
	}
}

func orUnknown(bytes float64) string {
	if bytes == 0 {
		return "unknown"
	}
	return megabytes(bytes)
}

// kilobytes are a thousand bytes each.
func kilobytes(b int) string { return fmt.Sprintf("%.1f kB", float64(b)/1000) }
