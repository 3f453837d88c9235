package userimport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/extsort"
)

// blockRows is how many rows are judged, looked up and handed on at once.
const blockRows = 2048

// read streams the three files, side by side, into the sorters. Two goroutines judge the users' rows while one reads.
func (im *importing) read(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	start := func(fn func(context.Context) error) {
		wg.Go(func() {
			if err := fn(ctx); err != nil {
				cancel(err)
			}
		})
	}
	blocks, empty := make(chan []directory.Candidate, 4), make(chan []directory.Candidate, 8)
	for range 6 {
		empty <- make([]directory.Candidate, 0, blockRows)
	}
	start(func(ctx context.Context) error {
		defer close(blocks)
		return im.readUsers(ctx, blocks, empty)
	})
	for range 2 {
		start(func(ctx context.Context) error { return im.judgeBlocks(ctx, blocks, empty) })
	}
	if src := im.files.channels; src != nil {
		start(func(ctx context.Context) error { return im.readDetails(ctx, src, im.channels, im.judgeChannels) })
	}
	if src := im.files.features; src != nil {
		start(func(ctx context.Context) error { return im.readDetails(ctx, src, im.features, im.judgeFeatures) })
	}
	stop := im.watchReading(ctx)
	wg.Wait()
	stop()
	return context.Cause(ctx)
}

// watchReading publishes how much of the files is read, in thousandths: rows are not known yet.
func (im *importing) watchReading(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			var read, total int64
			for _, src := range im.files.all {
				r, t := src.reader.Progress()
				read, total = read+r, total+t
			}
			im.run.Progress("reading", read, total)
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

// readUsers cuts UserDetails into blocks of candidates with their cells filled in.
func (im *importing) readUsers(ctx context.Context, blocks, empty chan []directory.Candidate) error {
	src := im.files.users
	for {
		block, err := receive(ctx, empty)
		if err != nil {
			return err
		}
		block = block[:0]
		for len(block) < blockRows {
			row, err := src.reader.Next()
			if errors.Is(err, io.EOF) {
				if len(block) > 0 {
					return send(ctx, blocks, block)
				}
				return nil
			}
			if err != nil {
				return src.problem(err)
			}
			block = block[:len(block)+1]
			c := &block[len(block)-1]
			c.Reset(int64(row.Number))
			for i, cell := range row.Cells {
				if col := src.layout.columns[i]; col >= 0 {
					c.Cells[col] = cell
				}
			}
		}
		if err := send(ctx, blocks, block); err != nil {
			return err
		}
	}
}

func receive[T any](ctx context.Context, from <-chan T) (v T, err error) {
	select {
	case v = <-from:
		return v, nil
	case <-ctx.Done():
		return v, context.Cause(ctx)
	}
}

func send[T any](ctx context.Context, to chan<- T, v T) error {
	select {
	case to <- v:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// judgeBlocks judges rows by themselves and their supervisors against the directory, and hands them to the sorter.
func (im *importing) judgeBlocks(ctx context.Context, blocks <-chan []directory.Candidate, empty chan<- []directory.Candidate) error {
	probe, err := im.rules.NewProbe(ctx, im.run.DB(), im.run.DB().Read(), im.work.ids())
	if err != nil {
		return err
	}
	w := im.users.Writer()
	defer w.Close()
	var pbx, lan [24]int64
	defer func() { im.pbxWidths.add(&pbx); im.lanWidths.add(&lan) }()
	var buf []byte
	for {
		var block []directory.Candidate
		var more bool
		select {
		case block, more = <-blocks:
			if !more {
				return nil
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		for i := range block {
			im.rules.JudgeRow(&block[i])
		}
		if err := probe.Supervisors(ctx, block); err != nil {
			return err
		}
		if err := im.names.add(block); err != nil {
			return err
		}
		for i := range block {
			c := &block[i]
			im.agentSketch.add(c.AgentKey)
			im.pbxSketch.add(c.Cells[directory.PBXID])
			pbx[digits(c.Cells[directory.PBXID])]++
			lan[digits(c.Key)]++
			buf = appendCandidate(buf[:0], c)
			if err := w.Add(extsort.Record{Key: []byte(c.Key), Number: uint64(c.Row), Payload: buf}); err != nil {
				return err
			}
		}
		im.rows.Add(int64(len(block)))
		empty <- block
	}
}

// details is a row of one of the other two files.
type details struct {
	channels []directory.ChannelCount
	features []directory.FeatureValue
	problems []directory.Problem
}

func (d *details) reset() {
	d.channels, d.features, d.problems = d.channels[:0], d.features[:0], d.problems[:0]
}

func (im *importing) judgeChannels(d *details, col int, cell string) *directory.Problem {
	v, differs, p := im.rules.JudgeChannelCount(col-1, cell)
	if differs {
		d.channels = append(d.channels, v)
	}
	return p
}

func (im *importing) judgeFeatures(d *details, col int, cell string) *directory.Problem {
	v, differs, p := im.rules.JudgeFeatureValue(col-1, cell)
	if differs {
		d.features = append(d.features, v)
	}
	return p
}

// readDetails judges the rows of one of the other two files and sorts them by LAN ID.
func (im *importing) readDetails(ctx context.Context, src *source, into *extsort.Sorter, judge func(d *details, col int, cell string) *directory.Problem) error {
	w := into.Writer()
	defer w.Close()
	var d details
	var buf []byte
	for n := 0; ; n++ {
		if n%blockRows == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		row, err := src.reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return src.problem(err)
		}
		id := ""
		d.reset()
		for i, cell := range row.Cells {
			switch col := src.layout.columns[i]; {
			case col == lanID:
				id = cell
			case col > lanID && cell != "":
				if p := judge(&d, col, cell); p != nil {
					d.problems = append(d.problems, *p)
				}
			}
		}
		for i := range d.problems {
			d.problems[i].Row, d.problems[i].LANID, d.problems[i].File = int64(row.Number), directory.Shorten(id), src.name
		}
		buf = appendString(buf[:0], id)
		buf = appendDetails(buf, d.channels, d.features)
		buf = appendProblems(buf, d.problems)
		if err := w.Add(extsort.Record{Key: []byte(directory.Fold(id)), Number: uint64(row.Number), Payload: buf}); err != nil {
			return err
		}
	}
}

// findNames finds out which of the supervisors that the directory does not have the file does have, and what to
// suggest for those that nobody has.
func (im *importing) findNames(ctx context.Context) error {
	n := im.names
	n.inFile = make([]bool, len(n.keys)+1)
	if len(n.keys) == 0 {
		return nil
	}
	err := im.users.Scan(func(r extsort.Record) error {
		if number, ok := n.number[string(r.Key)]; ok {
			n.inFile[number] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	return im.suggestSupervisors(ctx)
}

// maxSuggestions bounds the work that a file full of unknown supervisors can cause.
const maxSuggestions = 500

func (im *importing) suggestSupervisors(ctx context.Context) error {
	im.suggestions = map[uint32]string{}
	probe, err := im.rules.NewProbe(ctx, im.run.DB(), im.run.DB().Read(), im.work.ids())
	if err != nil {
		return err
	}
	var inFile []string // sorted, for those that begin alike
	for i, key := range im.names.keys {
		if im.names.inFile[i+1] && im.options.InFileSupervisors {
			inFile = append(inFile, key)
		}
	}
	slices.Sort(inFile)
	asked := 0
	for i, key := range im.names.keys {
		if im.names.inFile[i+1] {
			continue
		}
		if asked++; asked > maxSuggestions {
			return nil
		}
		near, err := probe.SuggestUser(ctx, key)
		if err != nil {
			return fmt.Errorf("look for a supervisor like %s: %w", key, err)
		}
		if near == "" {
			at, _ := slices.BinarySearch(inFile, key)
			near = directory.Nearest(key, inFile[max(0, at-250):min(len(inFile), at+250)])
		}
		im.suggestions[uint32(i+1)] = near
	}
	return nil
}

var _ batch.Operation = (*Operation)(nil)
