package bench

import "fmt"

// picturesMarkdown is how imports of pictures did on one engine.
func (r *Result) picturesMarkdown(f *Figures) string {
	p, w := f.Pictures, &page{}
	w.line("## Pictures on %s\n", titles[f.Engine])
	w.line("* Measured on %s with `%s`", r.Date, r.Command)
	w.line("* %s", r.Machine)
	w.line("* %s", p.Vips)
	for _, v := range f.Versions {
		w.line("* %s", v)
	}
	if p.Small.Pictures != aimedPictures {
		w.line("* The targets are meant for %s pictures; this was measured with %s.", thousands(aimedPictures), thousands(float64(p.Small.Pictures)))
	}
	w.line("\n| | measured | target | |")
	w.line("| --- | ---: | ---: | --- |")
	w.pictures(&p.Small, true)
	w.pictures(&p.Large, false)
	m := &p.Matching
	what := fmt.Sprintf("a ZIP of %s entries and %.1f GB", thousands(float64(m.Entries)), float64(m.Bytes)/1e9)
	w.picture(what+" stored, before anything else", seconds(m.Freeze), "", false)
	w.picture("**its names matched with users**", seconds(m.Match), "≤ "+seconds(matchingTime), m.Match <= matchingTime)
	w.picture("its whole preview, from start to exit", seconds(m.Preview.Seconds), "", false)
	if peak := max(p.Small.Import.Peak, p.Large.Import.Peak, m.Preview.Peak); peak > 0 {
		w.picture("**memory of Muster's process, the most of all these**", megabytes(float64(peak)), "≤ "+megabytes(pictureMemory), float64(peak) <= pictureMemory)
	}
	return w.String()
}

// pictures writes one import beside vipsthumbnail; without targets for those that have none.
func (w *page) pictures(t *PictureTurn, aimed bool) {
	what := fmt.Sprintf("%s pictures of %d × %d (%.0f kB each)", thousands(float64(t.Pictures)), t.Width, t.Height, float64(t.Bytes)/float64(t.Pictures)/1000)
	rate, ratio := "", ""
	if aimed {
		rate, ratio = fmt.Sprintf("≥ %.0f pictures/s", pictureRate), fmt.Sprintf("≥ %.2f", pictureRatio)
	}
	of := func(perSecond float64) string { return fmt.Sprintf("%.1f pictures/s", perSecond) }
	w.picture(what+", vipsthumbnail", fmt.Sprintf("%s, %s", seconds(t.Vips), of(t.vipsRate())), "", false)
	w.picture("**the same, imported**", fmt.Sprintf("%s, %s", seconds(t.Import.Seconds), of(t.rate())), rate, t.rate() >= pictureRate)
	w.picture("**import against vipsthumbnail (pictures/s)**", fmt.Sprintf("%.2f", t.rate()/t.vipsRate()), ratio, t.rate()/t.vipsRate() >= pictureRatio)
	w.picture("memory of Muster's process", megabytes(float64(t.Import.Peak)), "", false)
}

// picture writes a figure; without a target, met is not looked at.
func (w *page) picture(what, figure, target string, met bool) {
	verdict := ""
	switch {
	case target != "" && met:
		verdict = "reached"
	case target != "":
		verdict = "**missed**"
	}
	w.line("| %s | %s | %s | %s |", what, figure, target, verdict)
}
