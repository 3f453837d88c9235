package userimport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/extsort"
)

// repeated rejects the rows whose Agent ID or PBX ID a good row above has (step 4).
func (im *importing) repeated(ctx context.Context) error {
	w := im.entries.Writer()
	defer w.Close()
	if err := im.repeatedIn(im.agentRepeats, directory.AgentID, 1, w); err != nil {
		return err
	}
	if err := im.repeatedIn(im.pbxRepeats, directory.PBXID, 2, w); err != nil {
		return err
	}
	return errors.Join(im.agentRepeats.Close(), im.pbxRepeats.Close())
}

// repeatedRow is a row whose id may stand in another.
type repeatedRow struct {
	place, row int64
	id, value  string
}

func (im *importing) repeatedIn(sorted *extsort.Sorter, col directory.Column, step uint64, w *extsort.Writer) error {
	it, err := sorted.Sorted()
	if err != nil {
		return err
	}
	var key string
	var first repeatedRow
	for started := false; ; started = true {
		rec, ok, err := it.Next()
		if err != nil || !ok {
			return err
		}
		d := decoder{s: string(rec.Payload)}
		r := repeatedRow{place: int64(d.number()), id: d.text(), value: d.text(), row: int64(rec.Number)}
		if !started || key != string(rec.Key) {
			key, first = string(rec.Key), r
			continue
		}
		if im.applied != nil && im.applied.has(r.place) {
			// It is a user already, so it is the other one that cannot be.
			r, first = first, r
			if im.applied.has(r.place) {
				continue
			}
		}
		if im.good.has(r.place) {
			im.good.clear(r.place)
			im.counts.Inserted--
			im.counts.Invalid++
		}
		c := directory.Candidate{Row: r.row}
		c.Cells[directory.LANID], c.Cells[col] = r.id, r.value
		c.Taken(col, first.row)
		if err := im.say(w, step, im.entry(&c)); err != nil {
			return err
		}
	}
}

// leads are the rows that others of the file name as their supervisor, by the number of their LAN ID (see names).
type leads struct {
	place   []int64 // -1: none
	row     []int64
	offset  []int64 // in the candidates' file
	unit    []int64
	profile []directory.Profile
	pending []uint32 // the lead's own supervisor, where the directory does not have them
	state   []leadState
	depth   []int32 // how many leads are above it
	rings   map[uint32]string
}

type leadState uint8

const (
	unknown leadState = iota
	onPath            // being looked at
	usable
	notInserted
	inRing
)

func newLeads(n int) leads {
	l := leads{
		place: make([]int64, n+1), row: make([]int64, n+1), offset: make([]int64, n+1), unit: make([]int64, n+1),
		profile: make([]directory.Profile, n+1), pending: make([]uint32, n+1), state: make([]leadState, n+1), depth: make([]int32, n+1),
		rings: map[uint32]string{},
	}
	for i := range l.place {
		l.place[i] = -1
	}
	return l
}

func (l *leads) note(number uint32, c *directory.Candidate, place, offset int64) {
	l.place[number], l.row[number], l.offset[number] = place, c.Row, offset
	l.unit[number], l.profile[number], l.pending[number] = c.OrgUnitID, c.Profile, c.PendingSupervisor
}

// superviseRows judges supervisors whom only the file has (step 5): whether they are supervisors, whether their own
// rows are inserted, whether the rows supervise each other in a ring.
func (im *importing) superviseRows(ctx context.Context) error {
	if !im.options.InFileSupervisors || len(im.names.keys) == 0 {
		return nil
	}
	for n := uint32(1); int(n) <= len(im.names.keys); n++ {
		im.judgeLead(n)
		if place := im.leads.place[n]; place >= 0 && im.good.has(place) {
			im.isLead.set(place)
		}
	}
	w := im.entries.Writer()
	defer w.Close()
	return im.eachGood(ctx, func(place int64, c *directory.Candidate) error {
		if c.PendingSupervisor == 0 {
			return nil
		}
		im.judgeInFile(place, c)
		if c.Failed() {
			im.good.clear(place)
			im.counts.Inserted--
			im.counts.Invalid++
		}
		if len(c.Problems) == 0 {
			return nil
		}
		return im.say(w, 3, im.entry(c))
	})
}

// judgeLead follows the chain of supervisors upwards from a lead until it meets one whose state is known, then
// settles all on the way back. No recursion: a chain may be as long as the file.
func (im *importing) judgeLead(n uint32) {
	l := &im.leads
	var path []uint32
	for l.state[n] == unknown {
		if l.place[n] < 0 || !im.good.has(l.place[n]) {
			l.state[n] = notInserted
			break
		}
		l.state[n] = onPath
		path = append(path, n)
		up := l.pending[n]
		if up == 0 {
			break
		}
		if l.profile[up] != directory.Supervisor {
			// An agent above: the row itself is rejected for that, so those below have nobody.
			l.state[n] = notInserted
			break
		}
		n = up
	}
	if at := slices.Index(path, n); at >= 0 && l.state[n] == onPath && l.pending[n] != 0 {
		im.nameRing(path[at:])
	}
	for i := len(path) - 1; i >= 0; i-- {
		n := path[i]
		if l.state[n] != onPath {
			continue
		}
		up := l.pending[n]
		switch {
		case up == 0:
			l.state[n] = usable
		case l.state[up] == usable:
			l.state[n], l.depth[n] = usable, l.depth[up]+1
		default:
			l.state[n] = notInserted
		}
	}
}

func (im *importing) nameRing(ring []uint32) {
	const named = 10
	var b strings.Builder
	for i, n := range ring {
		im.leads.state[n] = inRing
		if i < named {
			fmt.Fprintf(&b, "%s (row %d) → ", im.names.keys[n-1], im.leads.row[n])
		}
	}
	if len(ring) > named {
		fmt.Fprintf(&b, "%d more → ", len(ring)-named)
	}
	b.WriteString(im.names.keys[ring[0]-1])
	for _, n := range ring {
		im.leads.rings[n] = b.String()
	}
}

// judgeInFile judges a good row whose supervisor only the file has. Applied rows had a good one.
func (im *importing) judgeInFile(place int64, c *directory.Candidate) {
	l, n := &im.leads, c.PendingSupervisor
	switch {
	case im.applied != nil && im.applied.has(place):
	case l.profile[n] == directory.Agent:
		c.NotASupervisor()
	case l.state[n] == inRing && im.ringOf(place, c) != "":
		c.InRing(im.ringOf(place, c))
	case l.state[n] != usable:
		c.SupervisorRowInvalid(l.row[n])
	}
	im.rules.JudgeBranch(c, l.unit[n])
}

// ringOf is the ring that the row itself is part of, in words.
func (im *importing) ringOf(place int64, c *directory.Candidate) string {
	n := im.names.number[c.Key]
	if n == 0 || im.leads.place[n] != place || im.leads.state[n] != inRing {
		return ""
	}
	return im.leads.rings[n]
}

// leadsInOrder are the leads to be inserted, those above before those below.
func (im *importing) leadsInOrder() []uint32 {
	var order []uint32
	for n := 1; n < len(im.leads.place); n++ {
		if place := im.leads.place[n]; place >= 0 && im.good.has(place) && im.isLead.has(place) {
			order = append(order, uint32(n))
		}
	}
	slices.SortFunc(order, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(im.leads.depth[a], im.leads.depth[b]), cmp.Compare(im.leads.place[a], im.leads.place[b]))
	})
	return order
}

// segmentBytes is how much of the candidates' file is read at once. The strings of its candidates lie in it.
const segmentBytes = 1 << 20

// eachGood reads the candidates' file and gives the good ones to fn. The candidate is fn's until it returns; its
// strings stay.
func (im *importing) eachGood(ctx context.Context, fn func(place int64, c *directory.Candidate) error) error {
	var c directory.Candidate
	var segment string
	buf := make([]byte, segmentBytes)
	offset, at := int64(0), 0 // where the segment begins in the file, where the next record begins in the segment
	for place := range im.counts.Rows {
		size := 0
		for {
			if rest := segment[at:]; len(rest) >= 4 {
				if size = int(uint32(rest[0]) | uint32(rest[1])<<8 | uint32(rest[2])<<16 | uint32(rest[3])<<24); len(rest) >= 4+size {
					break
				}
			}
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			offset += int64(at)
			if 4+size > len(buf) {
				buf = make([]byte, 4+size)
			}
			n, err := im.candidates.ReadAt(buf, offset)
			if n == 0 || err != nil && err != io.EOF || n == len(segment)-at {
				return fmt.Errorf("read a scratch file: %w", cmp.Or(err, io.ErrUnexpectedEOF))
			}
			segment, at = string(buf[:n]), 0
		}
		record := segment[at+4 : at+4+size]
		at += 4 + size
		if !im.good.has(place) {
			continue
		}
		d := decoder{s: record}
		if err := d.candidate(&c); err != nil {
			return err
		}
		if err := fn(place, &c); err != nil {
			return err
		}
	}
	return nil
}

// entry is what the report says of a row of UserDetails.
func (im *importing) entry(c *directory.Candidate) batch.Entry {
	e := batch.Entry{File: im.files.users.index, Row: c.Row, LANID: directory.Shorten(c.Cells[directory.LANID]), Outcome: directory.Inserted}
	switch {
	case c.Exists:
		e.Outcome = directory.Duplicate
	case c.Failed():
		e.Outcome = directory.Invalid
	}
	e.Problems = c.Problems
	for i := range e.Problems {
		if e.Problems[i].File == "" {
			e.Problems[i].File = im.files.users.name
		}
	}
	return e
}
