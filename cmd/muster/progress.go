package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"muster/internal/batch"
)

// linePause is how often progress is written where there is no terminal.
const linePause = 5 * time.Second

// progress shows how far a batch is, on standard error: a bar on a terminal, otherwise a line for each phase and one
// now and then.
type progress struct {
	w   io.Writer
	bar bool

	mu     sync.Mutex
	batch  int64
	phase  string
	reason string
	began  time.Time // of the phase
	first  int64     // what was done when it began here
	shown  time.Time
	drawn  *progressbar.ProgressBar
}

func (s *session) newProgress() *progress { return &progress{w: s.err, bar: isTerminal(s.err)} }

// watch is told of progress by the engine, from several goroutines.
func (p *progress) watch(b *batch.Batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.batch != b.ID {
		p.reason = b.Reason // of an earlier try, which this one may make good
	}
	if b.Reason != p.reason {
		if p.reason = b.Reason; b.Reason != "" {
			p.clear()
			fmt.Fprintf(p.w, "batch %d waits: %s\n", b.ID, b.Reason)
		}
	}
	fresh := b.ID != p.batch || b.Phase != p.phase
	p.batch = b.ID
	if !b.State.Live() || b.Phase == "" || b.Total == 0 {
		return
	}
	if fresh {
		p.clear()
		p.phase, p.began, p.first, p.shown = b.Phase, time.Now(), b.Done, time.Time{}
	}
	if p.bar {
		p.draw(b)
		return
	}
	if time.Since(p.shown) >= linePause {
		p.shown = time.Now()
		fmt.Fprintf(p.w, "batch %d: %s\n", b.ID, p.line(b))
	}
}

// line is a phase's progress in words. Reading is measured in bytes, everything else in rows.
func (p *progress) line(b *batch.Batch) string {
	elapsed := time.Since(p.began).Seconds()
	rate := 0.0
	if elapsed > 0.5 {
		rate = float64(b.Done-p.first) / elapsed
	}
	text := ""
	if b.Phase == "reading" {
		text = fmt.Sprintf("reading, %d %%", 100*b.Done/b.Total)
	} else {
		text = fmt.Sprintf("%s, %s of %s", b.Phase, number(b.Done), count(b.Total, "row"))
		if rate > 0 {
			text += fmt.Sprintf(", %s rows/s", number(int64(rate)))
		}
	}
	if rate > 0 && b.Done < b.Total {
		text += fmt.Sprintf(", %s left", duration(time.Duration(float64(b.Total-b.Done)/rate*float64(time.Second))))
	}
	return text
}

func (p *progress) draw(b *batch.Batch) {
	if p.drawn == nil {
		options := []progressbar.Option{
			progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(fmt.Sprintf("%-9s", b.Phase)), progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(80 * time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionSetTheme(progressbar.ThemeUnicode),
		}
		if b.Phase == "reading" {
			options = append(options, progressbar.OptionShowBytes(true))
		} else {
			options = append(options, progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("rows"))
		}
		p.drawn = progressbar.NewOptions64(b.Total, options...)
	}
	p.drawn.ChangeMax64(b.Total)
	// At the very end the bar would draw itself as finished while the phase goes on.
	_ = p.drawn.Set64(min(b.Done, b.Total-1))
}

func (p *progress) clear() {
	if p.drawn != nil {
		_ = p.drawn.Clear()
		p.drawn = nil
	}
}

// end takes the bar away.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}
