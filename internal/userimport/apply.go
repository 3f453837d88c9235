package userimport

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/extsort"
	"muster/internal/sqldb"
)

// Chunks. A piece is what is written between two looks at whether somebody waits; a chunk is the transaction, of one
// piece at least. On SQLite others wait for a chunk at most, so it ends early when somebody does, and after chunkTime
// (of the users alone; what hangs on them takes a third more) for those who cannot be seen waiting. On PostgreSQL
// nobody waits, and two chunks are written side by side.
const (
	defaultPieceRows = 5_000
	defaultChunkRows = 50_000 // on SQLite
	copyChunkRows    = 30_000 // on PostgreSQL, where a chunk costs little by itself and two are in memory
	chunkTime        = 600 * time.Millisecond
)

// The parts of an import: leads go first, those above before those below, so that everybody's supervisor is there.
const (
	leadsPart = iota
	othersPart
)

// piece is some candidates in the order of their places (leads: of their depths), ready to be written.
type piece struct {
	part  int64
	users []directory.Candidate
	place []int64

	// What the users' slices lie in, one behind the other.
	roles    []int64
	channels []directory.ChannelCount
	features []directory.FeatureValue
}

// applying is the state of the writing half of an import.
type applying struct {
	*importing
	stamp    directory.Stamp
	inserted atomic.Int64
	mu       sync.Mutex // of what follows
	settled  bits       // places whose outcome is known
	late     *extsort.Writer
	lateDup  int64
	lateBad  int64
	lateAny  bool
	spent    chan piece // whose memory may be used again
}

// Apply inserts the good rows that no chunk has inserted yet.
func (im *importing) Apply(ctx context.Context, run *batch.Run) (batch.Counts, error) {
	if err := im.reserve(ctx); err != nil {
		return im.counts, err
	}
	a := &applying{importing: im, late: im.entries.Writer(), spent: make(chan piece, 3)}
	a.settled = newBits(im.work.Rows)
	copy(a.settled, im.applied)
	a.stamp = directory.Stamp{BatchID: run.Batch.ID, By: im.handle.Actor().Name(), At: run.Now()}
	a.inserted.Store(im.appliedSoFar())
	run.Progress("applying", a.inserted.Load(), a.counts.Inserted)
	err := a.part(ctx, leadsPart, 1)
	if err == nil {
		workers := 1
		if run.DB().Engine == sqldb.Postgres {
			workers = 2
		}
		err = a.part(ctx, othersPart, workers)
	}
	if err != nil && !errors.Is(err, batch.ErrCancelled) {
		return im.counts, err
	}
	counts, rerr := a.conclude(ctx, err)
	return counts, firstOf(rerr, err)
}

// reserve gives the import's rows their ids, once.
func (im *importing) reserve(ctx context.Context) error {
	if im.work.Rows != 0 {
		return nil
	}
	w := work{Rows: im.counts.Rows}
	err := im.run.Tx(ctx, func(tx *sqldb.Tx) error {
		ids, err := directory.ReserveUserIDs(ctx, tx, 2*max(1, w.Rows))
		if err != nil {
			return fmt.Errorf("reserve ids: %w", err)
		}
		w.FirstID = ids.First
		return im.run.SetWork(ctx, tx, w)
	})
	im.work = w
	return err
}

func (im *importing) appliedSoFar() int64 {
	n := int64(0)
	for place := range int64(len(im.applied)) * 64 {
		if im.applied.has(place) {
			n++
		}
	}
	return n
}

// part writes one part with some workers; each takes pieces off the reader and makes chunks of them.
//
// A cancel stops the reader alone: a chunk that another worker has under way ends as a whole, for nobody could tell
// whether a commit that was broken off took place.
func (a *applying) part(ctx context.Context, part int64, workers int) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	reading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	pieces := make(chan piece, 2)
	var wg sync.WaitGroup
	start := func(fn func() error) {
		wg.Go(func() {
			err := fn()
			if errors.Is(err, batch.ErrCancelled) {
				stop(err)
			} else if err != nil {
				fail(err)
			}
		})
	}
	start(func() error {
		defer close(pieces)
		if part == leadsPart {
			return a.readLeads(reading, pieces)
		}
		return a.readOthers(reading, pieces)
	})
	for range workers {
		start(func() error { return a.write(ctx, pieces) })
	}
	wg.Wait()
	return firstOf(context.Cause(ctx), context.Cause(reading))
}

func (a *applying) newPiece(part int64) piece {
	select {
	case p := <-a.spent:
		return piece{part: part, users: p.users[:0], place: p.place[:0], roles: p.roles[:0], channels: p.channels[:0], features: p.features[:0]}
	default:
		return piece{part: part, users: make([]directory.Candidate, 0, a.op.pieceRows()), place: make([]int64, 0, a.op.pieceRows())}
	}
}

// recycle takes pieces that are written.
func (a *applying) recycle(pieces []piece) {
	for _, p := range pieces {
		select {
		case a.spent <- p:
		default:
			return
		}
	}
}

// add completes the candidate's ids and puts a copy of it into the piece.
func (a *applying) add(p *piece, place int64, c *directory.Candidate) {
	p.users, p.place = append(p.users, *c), append(p.place, place)
	u := &p.users[len(p.users)-1]
	u.ID = a.work.id(place, p.part == leadsPart)
	if n := u.PendingSupervisor; n != 0 {
		u.SupervisorID = a.work.id(a.leads.place[n], true)
	}
	// The candidate's own slices are used again for the next.
	u.RoleIDs, u.Channels, u.Features, u.Problems = laid(&p.roles, c.RoleIDs), laid(&p.channels, c.Channels), laid(&p.features, c.Features), nil
	u.FoldNames()
}

// laid copies v to the end of all and returns the copy.
func laid[T any](all *[]T, v []T) []T {
	*all = append(*all, v...)
	return (*all)[len(*all)-len(v) : len(*all) : len(*all)]
}

func (a *applying) readLeads(ctx context.Context, pieces chan<- piece) error {
	p := a.newPiece(leadsPart)
	var c directory.Candidate
	for _, n := range a.leadsInOrder() {
		place := a.leads.place[n]
		if a.applied != nil && a.applied.has(place) {
			continue
		}
		if err := a.readAt(a.leads.offset[n], &c); err != nil {
			return err
		}
		a.add(&p, place, &c)
		if len(p.users) == a.op.pieceRows() {
			if err := send(ctx, pieces, p); err != nil {
				return err
			}
			p = a.newPiece(leadsPart)
		}
	}
	if len(p.users) == 0 {
		return nil
	}
	return send(ctx, pieces, p)
}

func (im *importing) readAt(offset int64, c *directory.Candidate) error {
	var size [4]byte
	if _, err := im.candidates.ReadAt(size[:], offset); err != nil {
		return fmt.Errorf("read a scratch file: %w", err)
	}
	raw := make([]byte, binary.LittleEndian.Uint32(size[:]))
	if _, err := im.candidates.ReadAt(raw, offset+4); err != nil {
		return fmt.Errorf("read a scratch file: %w", err)
	}
	d := decoder{s: string(raw)}
	return d.candidate(c)
}

func (a *applying) readOthers(ctx context.Context, pieces chan<- piece) error {
	p := a.newPiece(othersPart)
	err := a.eachGood(ctx, func(place int64, c *directory.Candidate) error {
		if a.isLead.has(place) || a.applied != nil && a.applied.has(place) {
			return nil
		}
		a.add(&p, place, c)
		if len(p.users) < a.op.pieceRows() {
			return nil
		}
		full := p
		p = a.newPiece(othersPart)
		return send(ctx, pieces, full)
	})
	if err != nil || len(p.users) == 0 {
		return err
	}
	return send(ctx, pieces, p)
}

// write takes pieces off the reader, as many as a chunk holds, and writes them chunk by chunk.
func (a *applying) write(ctx context.Context, pieces <-chan piece) error {
	var queue []piece
	for open := true; ; {
		for open && len(queue)*a.op.pieceRows() < a.op.chunkRows(a.run.DB().Engine) {
			select {
			case p, more := <-pieces:
				if open = more; more {
					queue = append(queue, p)
				}
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if err := context.Cause(ctx); err != nil || len(queue) == 0 {
			return err
		}
		took, err := a.chunk(ctx, queue)
		if err != nil {
			return err
		}
		a.recycle(queue[:took])
		queue = slices.Delete(queue, 0, took)
	}
}

// chunk writes some of the pieces, one at least, in one transaction, and returns how many. When the database refuses
// a row because somebody was quicker, it goes over all of them with a look at each row first.
func (a *applying) chunk(ctx context.Context, queue []piece) (took int, err error) {
	blocks := make([][]directory.Candidate, len(queue))
	for i := range queue {
		blocks[i] = queue[i].users
	}
	err = a.run.Chunk(ctx, func(tx *sqldb.Tx) (batch.Chunk, error) {
		if err := a.verify(ctx, tx, blocks); err != nil {
			return batch.Chunk{}, err
		}
		began := time.Now()
		n, err := a.handle.InsertUsers(ctx, tx, a.stamp, blocks, func() bool { return a.enough(began) })
		if err != nil {
			return batch.Chunk{}, err
		}
		took = n
		return checkpoint(queue[:n]), a.hold(ctx, tx, blocks[:n])
	})
	switch {
	case err == nil:
		a.count(queue[:took])
		return took, nil
	case errors.Is(err, errUnfit), sqldb.ErrorKind(err) == sqldb.Unique, sqldb.ErrorKind(err) == sqldb.ForeignKey:
		for _, p := range queue {
			if err := a.carefully(ctx, p); err != nil {
				return 0, err
			}
		}
		return len(queue), nil
	}
	return 0, err
}

// enough ends a chunk early on SQLite, where others wait for it.
func (a *applying) enough(began time.Time) bool {
	db := a.run.DB()
	return db.Engine == sqldb.SQLite && (time.Since(began) > chunkTime || db.Waiting())
}

// errUnfit says that a supervisor of the piece is no longer one.
var errUnfit = errors.New("a supervisor changed since the check")

// verify makes sure that what the rows were judged by still holds.
func (a *applying) verify(ctx context.Context, tx *sqldb.Tx, blocks [][]directory.Candidate) error {
	gone, err := a.rules.VerifyParents(ctx, a.run.DB(), tx, blocks, a.people)
	if errors.Is(err, directory.ErrConfigurationChanged) {
		return batch.ErrStale
	}
	if err == nil && len(gone) > 0 {
		return errUnfit
	}
	return err
}

// hold is verify after the rows are written. On PostgreSQL a unit may have been moved, or a supervisor made an agent, since
// verify looked: it is either seen here, or waits for this transaction, and then sees the rows.
func (a *applying) hold(ctx context.Context, tx *sqldb.Tx, blocks [][]directory.Candidate) error {
	if a.run.DB().Engine == sqldb.SQLite {
		return nil // one writes at a time
	}
	return a.verify(ctx, tx, blocks)
}

func checkpoint(pieces []piece) batch.Chunk {
	var places []int64
	for _, p := range pieces {
		places = append(places, p.place...)
	}
	slices.Sort(places)
	c := batch.Chunk{Part: pieces[0].part, First: pieces[0].place[0], Last: places[len(places)-1], Changed: int64(len(places)), Members: packRuns(places)}
	return c
}

// count notes what a committed chunk wrote.
func (a *applying) count(pieces []piece) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range pieces {
		a.inserted.Add(int64(len(p.place)))
		for _, place := range p.place {
			a.settled.set(place)
		}
	}
	a.run.Progress("applying", a.inserted.Load(), a.counts.Inserted)
}

// anyPeople is a count that [directory.People] never has: the supervisors are then looked at whatever happened.
const anyPeople = -1

// carefully writes one piece after looking up, in the same transaction, which of its rows the directory no longer
// takes. Somebody may be quicker still between the look and the write; then it looks again.
func (a *applying) carefully(ctx context.Context, p piece) error {
	const tries = 20
	for try := 1; ; try++ {
		var fit piece
		var late []batch.Entry
		err := a.run.Chunk(ctx, func(tx *sqldb.Tx) (batch.Chunk, error) {
			var err error
			if fit, late, err = a.judgeAgain(ctx, tx, p); err != nil {
				return batch.Chunk{}, err
			}
			var c batch.Chunk
			if len(fit.users) > 0 {
				c = checkpoint([]piece{fit})
			}
			blocks := [][]directory.Candidate{fit.users}
			if _, err = a.handle.InsertUsers(ctx, tx, a.stamp, blocks, func() bool { return false }); err == nil {
				err = a.hold(ctx, tx, blocks)
			}
			return c, err
		})
		if kind := sqldb.ErrorKind(err); (kind == sqldb.Unique || kind == sqldb.ForeignKey || errors.Is(err, errUnfit)) && try < tries {
			continue
		}
		if err != nil {
			return err
		}
		a.count([]piece{fit})
		if len(late) > 0 && p.part == leadsPart {
			// Nobody left the directory, yet supervisors are lacking: those below are to be looked at.
			a.people = anyPeople
		}
		return a.sayLate(p, late)
	}
}

// judgeAgain sorts a piece into the rows that still fit and an entry for each that does not.
func (a *applying) judgeAgain(ctx context.Context, tx *sqldb.Tx, p piece) (fit piece, late []batch.Entry, err error) {
	users := make([]directory.Candidate, len(p.users))
	for i := range users {
		users[i] = p.users[i]
		users[i].Problems = nil
	}
	gone, err := a.rules.VerifyParents(ctx, a.run.DB(), tx, [][]directory.Candidate{users}, anyPeople)
	if errors.Is(err, directory.ErrConfigurationChanged) {
		return fit, nil, batch.ErrStale
	}
	if err != nil {
		return fit, nil, err
	}
	unfit := map[int64]directory.SupervisorGone{}
	for _, g := range gone {
		unfit[g.ID] = g
	}
	// None of these rows is a user yet, so whoever has one of their ids is somebody else, if of this very batch.
	probe, err := a.rules.NewProbe(ctx, a.run.DB(), tx, directory.IDs{})
	if err != nil {
		return fit, nil, err
	}
	if err := probe.Taken(ctx, users); err != nil {
		return fit, nil, err
	}
	fit.part = p.part
	rejected := map[int64]bool{}
	for i := range users {
		u := &users[i]
		g, bad := unfit[u.SupervisorID]
		switch {
		case u.Exists:
		case u.PendingSupervisor != 0 && (bad || rejected[u.SupervisorID]):
			u.SupervisorRowInvalid(a.leads.row[u.PendingSupervisor])
		case bad:
			u.RejectSupervisor(g)
		}
		if !u.Failed() {
			fit.users, fit.place = append(fit.users, p.users[i]), append(fit.place, p.place[i])
			continue
		}
		rejected[u.ID] = true
		e := a.entry(u)
		e.Was = directory.Inserted
		late = append(late, e)
	}
	return fit, late, nil
}

// sayLate keeps what happened to the rows of a piece that the check had found good.
func (a *applying) sayLate(p piece, late []batch.Entry) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, place := range p.place {
		a.settled.set(place)
	}
	for _, e := range late {
		a.lateAny = true
		if e.Outcome == directory.Duplicate {
			a.lateDup++
		} else {
			a.lateBad++
		}
		if err := a.say(a.late, 4, e); err != nil {
			return err
		}
	}
	return nil
}

// conclude returns the counts as they came out, and brings the report up to date where it says something else.
func (a *applying) conclude(ctx context.Context, ended error) (batch.Counts, error) {
	c := a.counts
	c.Inserted = a.inserted.Load()
	c.Duplicate += a.lateDup
	c.Invalid += a.lateBad
	if ended != nil {
		err := a.eachGood(ctx, func(place int64, u *directory.Candidate) error {
			if a.settled.has(place) {
				return nil
			}
			e := a.entry(u)
			e.Outcome = directory.NotApplied
			return a.say(a.late, 4, e)
		})
		if err != nil {
			return c, err
		}
	}
	a.late.Close()
	if !a.lateAny && ended == nil {
		return c, nil
	}
	return c, a.writeReport(ctx, batch.ResultReport)
}
