package userimport

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/extsort"
)

// merge walks through the three sorted files at once, while another goroutine reads the largest. It judges the candidates against the directory's users, joins
// the channel and feature rows, finds repeated LAN IDs, and writes the candidates' file. A row's number in that order
// is its place.
func (im *importing) merge(ctx context.Context) (err error) {
	if im.candidates, err = os.Create(filepath.Join(im.dir, "candidates")); err != nil {
		return fmt.Errorf("make a scratch file: %w", err)
	}
	im.out = bufio.NewWriterSize(im.candidates, 256<<10)
	im.good, im.isLead = newBits(im.rows.Load()), newBits(im.rows.Load())
	im.leads = newLeads(len(im.names.keys))
	im.pbxWidths.settle()
	im.lanWidths.settle()
	m := &merger{importing: im, groups: make([]*group, 0, blockRows)}
	m.agents, m.pbxs = im.agentRepeats.Writer(), im.pbxRepeats.Writer()
	if m.probe, err = im.rules.NewProbe(ctx, im.run.DB(), im.run.DB().Read(), im.work.ids()); err != nil {
		return err
	}
	if m.channels, err = newDetailStream(im.files.channels, im.staging.channels, "channel"); err != nil {
		return err
	}
	if m.features, err = newDetailStream(im.files.features, im.staging.features, "feature"); err != nil {
		return err
	}
	if err := m.run(ctx); err != nil {
		return err
	}
	m.agents.Close()
	m.pbxs.Close()
	if err := im.out.Flush(); err != nil {
		return fmt.Errorf("write a scratch file: %w", err)
	}
	// What is merged is not needed again: applying has better use for the memory.
	im.agentSketch, im.pbxSketch, im.out = nil, nil, nil
	return errors.Join(im.users.Close(), im.staging.channels.Close(), im.staging.features.Close())
}

// merger is the state of the walk.
type merger struct {
	*importing
	probe              *directory.Probe
	channels, features *detailStream
	agents, pbxs       *extsort.Writer

	groups []*group // of each candidate in the block
	place  int64    // of the next candidate
	buf    []byte
}

// group is what the rows with one LAN ID share. It outlives its block when it is long.
type group struct {
	key      string
	number   uint32 // the LAN ID's number among the pending supervisors, or 0
	channels []directory.ChannelCount
	features []directory.FeatureValue
	problems []directory.Problem // of the channel and feature rows
	firstRow int64               // the first row without own errors, or 0
	led      bool                // a row was noted as the lead
	ledGood  bool
}

// run goes through the blocks that another goroutine reads.
func (m *merger) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	blocks, empty := make(chan []directory.Candidate, 2), make(chan []directory.Candidate, 4)
	for range 4 {
		empty <- make([]directory.Candidate, 0, blockRows)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel(nil)
	wg.Go(func() {
		defer close(blocks)
		if err := m.readSorted(ctx, blocks, empty); err != nil {
			cancel(err)
		}
	})
	var g *group
	for block := range blocks {
		if err := m.takeBlock(ctx, block, &g); err != nil {
			return err
		}
		empty <- block
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	// What is left of the other two files belongs to nobody.
	for _, s := range []*detailStream{m.channels, m.features} {
		if err := s.strays(m.importing, nil); err != nil {
			return err
		}
	}
	return nil
}

// readSorted cuts the users' sorted rows into blocks.
func (m *merger) readSorted(ctx context.Context, blocks, empty chan []directory.Candidate) error {
	users, err := m.users.Sorted()
	if err != nil {
		return err
	}
	for more := true; more; {
		block, err := receive(ctx, empty)
		if err != nil {
			return err
		}
		block = block[:0]
		for len(block) < blockRows {
			var rec extsort.Record
			if rec, more, err = users.Next(); err != nil {
				return err
			}
			if !more {
				break
			}
			block = block[:len(block)+1]
			d := decoder{s: string(rec.Payload)}
			if err := d.candidate(&block[len(block)-1]); err != nil {
				return err
			}
		}
		if err := send(ctx, blocks, block); err != nil {
			return err
		}
	}
	return nil
}

// takeBlock finds out which rows have their LAN ID in common, judges the block, and writes it out. g is the group of the row before.
func (m *merger) takeBlock(ctx context.Context, block []directory.Candidate, g **group) (err error) {
	m.groups = m.groups[:0]
	for i := range block {
		if *g == nil || (*g).key != block[i].Key {
			if *g, err = m.newGroup(block[i].Key); err != nil {
				return err
			}
		}
		m.groups = append(m.groups, *g)
	}
	if err := m.probe.Taken(ctx, block); err != nil {
		return err
	}
	for i := range block {
		if err := m.settle(&block[i], m.groups[i]); err != nil {
			return err
		}
		m.place++
	}
	m.importing.run.Progress("checking", m.place, m.rows.Load())
	return context.Cause(ctx)
}

func (m *merger) newGroup(key string) (*group, error) {
	g := &group{key: key}
	if m.options.InFileSupervisors {
		g.number = m.names.number[key]
	}
	for _, s := range []*detailStream{m.channels, m.features} {
		if err := s.strays(m.importing, &key); err != nil {
			return nil, err
		}
		if err := s.join(g); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// settle ends the judgement of a row by itself (steps 1 to 3) and hands it on to what follows.
func (m *merger) settle(c *directory.Candidate, g *group) error {
	c.Channels, c.Features = append(c.Channels, g.channels...), append(c.Features, g.features...)
	if !c.Exists {
		for _, p := range g.problems {
			c.Reject(p)
		}
		m.judgePending(c)
		m.noteWidths(c)
	}
	applied := m.applied != nil && m.applied.has(m.place)
	if applied {
		c.Forgive()
	}
	switch {
	case c.Exists:
		m.counts.Duplicate++
	case g.firstRow != 0 && !applied:
		c.Repeats(g.firstRow)
		m.counts.Duplicate++
	case c.Failed():
		m.counts.Invalid++
	default:
		g.firstRow = c.Row
		m.counts.Inserted++
		m.good.set(m.place)
		if err := m.suspect(c); err != nil {
			return err
		}
	}
	m.counts.Rows++
	if g.number != 0 && (!g.led || !g.ledGood && !c.Failed()) {
		g.led, g.ledGood = true, !c.Failed()
		m.leads.note(g.number, c, m.place, m.candidatesSize)
	}
	if len(c.Problems) > 0 {
		if err := m.say(m.entryWriter, 0, m.entry(c)); err != nil {
			return err
		}
	}
	return m.write(c)
}

// judgePending judges a supervisor whom the directory does not have.
func (m *merger) judgePending(c *directory.Candidate) {
	n := c.PendingSupervisor
	if n == 0 || m.options.InFileSupervisors && m.names.inFile[n] {
		return
	}
	c.UnknownSupervisor(m.names.inFile[n], m.suggestions[n])
	c.PendingSupervisor = 0
}

// noteWidths hints at ids that may have lost their leading zeros in a spreadsheet program.
func (m *merger) noteWidths(c *directory.Candidate) {
	if usual := m.pbxWidths.usualWidth; usual > 0 {
		c.NoteWidth(directory.PBXID, usual)
	}
	if usual := m.lanWidths.usualWidth; usual > 0 {
		c.NoteWidth(directory.LANID, usual)
	}
}

// suspect keeps a good row whose Agent ID or PBX ID may be there twice for an exact look.
func (m *merger) suspect(c *directory.Candidate) error {
	for _, s := range []struct {
		sketch *sketch
		into   *extsort.Writer
		key    string
		value  string
	}{{m.agentSketch, m.agents, c.AgentKey, c.AgentID}, {m.pbxSketch, m.pbxs, c.Cells[directory.PBXID], c.Cells[directory.PBXID]}} {
		if !s.sketch.maybeRepeated(s.key) {
			continue
		}
		m.buf = binary.AppendUvarint(m.buf[:0], uint64(m.place))
		m.buf = appendString(m.buf, c.Cells[directory.LANID])
		m.buf = appendString(m.buf, s.value)
		if err := s.into.Add(extsort.Record{Key: []byte(s.key), Number: uint64(c.Row), Payload: m.buf}); err != nil {
			return err
		}
	}
	return nil
}

// write appends the candidate to the scratch file; its problems are in the report already.
func (m *merger) write(c *directory.Candidate) error {
	c.Problems = c.Problems[:0]
	m.buf = append(m.buf[:0], 0, 0, 0, 0)
	m.buf = appendCandidate(m.buf, c)
	binary.LittleEndian.PutUint32(m.buf, uint32(len(m.buf)-4))
	m.candidatesSize += int64(len(m.buf))
	if _, err := m.out.Write(m.buf); err != nil {
		return fmt.Errorf("write a scratch file: %w", err)
	}
	return nil
}

// detailStream is one of the other two files, sorted.
type detailStream struct {
	code string // channel or feature
	file int
	name string
	it   *extsort.Iterator
	rec  extsort.Record
	more bool
}

func newDetailStream(src *source, sorted *extsort.Sorter, code string) (*detailStream, error) {
	s := &detailStream{code: code}
	if src == nil {
		return s, nil
	}
	s.file, s.name = src.index, src.name
	var err error
	if s.it, err = sorted.Sorted(); err != nil {
		return nil, err
	}
	return s, s.next()
}

func (s *detailStream) next() (err error) {
	s.rec, s.more, err = s.it.Next()
	return err
}

// strays reports the rows before key, or all that are left: UserDetails has nobody of their LAN ID.
func (s *detailStream) strays(im *importing, key *string) error {
	for s.more && (key == nil || string(s.rec.Key) < *key) {
		d := decoder{s: string(s.rec.Payload)}
		id := directory.Shorten(d.text())
		p := directory.Problem{File: s.name, Row: int64(s.rec.Number), LANID: id, Column: directory.LANID.String(), Code: s.code + ".unknown_user",
			Severity: directory.Error, Value: id, Message: fmt.Sprintf("UserDetails has no row with the LAN ID %s; add one, correct the LAN ID, or remove this row.", id)}
		if id == "" {
			p.Message = "LAN ID is blank; enter one that UserDetails has, or remove this row."
		}
		im.counts.Stray++
		err := im.say(im.entryWriter, 0, batch.Entry{File: s.file, Row: p.Row, LANID: id, Outcome: directory.Stray, Problems: []directory.Problem{p}})
		if err != nil {
			return err
		}
		if err := s.next(); err != nil {
			return err
		}
	}
	return nil
}

// problemsPerLANID bounds what a LAN ID that stands in a file a million times says.
const problemsPerLANID = 100

// join gives the group the file's row for its LAN ID. A second one is a problem.
func (s *detailStream) join(g *group) error {
	first := uint64(0)
	for s.more && string(s.rec.Key) == g.key {
		d := decoder{s: string(s.rec.Payload)}
		id := d.text()
		var row details
		d.details(&row.channels, &row.features)
		d.problems(&row.problems)
		if first == 0 {
			first = s.rec.Number
			g.channels, g.features = append(g.channels, row.channels...), append(g.features, row.features...)
		} else if len(g.problems) < problemsPerLANID {
			row.problems = append(row.problems, directory.Problem{File: s.name, Row: int64(s.rec.Number), LANID: directory.Shorten(id),
				Column: directory.LANID.String(), Code: s.code + ".repeated_user", Severity: directory.Error, Value: directory.Shorten(id),
				Message: fmt.Sprintf("%s is in row %d of this file already; keep one of the rows.", directory.Shorten(id), first)})
		}
		if len(g.problems) < problemsPerLANID {
			g.problems = append(g.problems, row.problems...)
		}
		if err := s.next(); err != nil {
			return err
		}
	}
	return nil
}
