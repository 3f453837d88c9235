package userimport

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"slices"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sheet"
	"muster/internal/sqldb"
)

// RunOptions are of a batch that runs corrected rows.
type RunOptions struct {
	Preview bool
}

// RunCorrected makes a batch, which the actor owns, of the rows with corrections that were not run yet: those of
// UserDetails with what the other two files have for the same users, and rows that were kept out by nothing but the row of
// a supervisor who is among them. Each row has the number that it has in this batch's files, so that its problems name
// the row that people know. A row of the other two files follows its user to another LAN ID, unless it was given one of
// its own, or the user was a repetition of a row above, whose it then is.
//
// Where nothing is left to run, or corrections changed while it was at work, the error is of kind Conflict.
func (f *Frozen) RunCorrected(ctx context.Context, o RunOptions) (*batch.Batch, error) {
	if err := f.correctable(ctx); err != nil {
		return nil, err
	}
	options, err := OptionsOf(f.Batch)
	if err != nil {
		return nil, err
	}
	cfg, err := f.configuration(ctx)
	if err != nil {
		return nil, err
	}
	before, err := f.correctionState(ctx, f.Engine.DB.Read())
	if err != nil {
		return nil, err
	}
	if before.Cells == 0 {
		return nil, fault.New(fault.Conflict, "no corrected row of batch %d is left to run", f.Batch.ID)
	}
	r := &rerun{Frozen: f, cfg: cfg, seed: maphash.MakeSeed(), moved: map[uint64]string{}, taken: map[uint64]bool{}, wanted: map[uint64]bool{}}
	files, err := r.files(ctx)
	if err != nil {
		return nil, err
	}
	spec := batch.Spec{Action: Action, Options: Options{Preview: o.Preview, InFileSupervisors: options.InFileSupervisors, Corrects: f.Batch.ID}}
	spec.Also = func(ctx context.Context, tx *sqldb.Tx, id int64) error { return r.mark(ctx, tx, before, id) }
	return f.Engine.CreateFrozen(ctx, f.Actor, spec, files)
}

// correctionState changes with every change of the corrections that are to be run.
type correctionState struct{ Cells, Stamps int64 }

func (f *Frozen) correctionState(ctx context.Context, q sqldb.Querier) (correctionState, error) {
	s, _, err := sqldb.One[correctionState](ctx, q, "SELECT count(*), CAST(coalesce(sum(stamp), 0) AS BIGINT) FROM import_corrections WHERE batch_id = $1 AND "+unrun, f.Batch.ID)
	if err != nil {
		return s, fmt.Errorf("read corrections: %w", err)
	}
	return s, nil
}

// mark notes in which batch the corrections were run, if they are still those that its files were made of.
func (r *rerun) mark(ctx context.Context, tx *sqldb.Tx, before correctionState, id int64) error {
	changed := fault.New(fault.Conflict, "the corrections of batch %d changed just now, or are being run by somebody else; look again", r.Batch.ID)
	now, err := r.correctionState(ctx, tx)
	if err != nil {
		return err
	}
	res, err := tx.ExecContext(ctx, "UPDATE import_corrections SET run_batch = $2 WHERE batch_id = $1 AND "+unrun, r.Batch.ID, id)
	if err != nil {
		return fmt.Errorf("mark corrections as run: %w", err)
	}
	// Of two who do this at once, the second finds no row any more that it could mark.
	if n, err := res.RowsAffected(); err != nil || now != before || n != before.Cells {
		return errors.Join(err, changed)
	}
	return r.markPlain(ctx, tx, id)
}

// markPlain notes the rows that came along without a correction of their own.
func (r *rerun) markPlain(ctx context.Context, tx *sqldb.Tx, id int64) error {
	at := r.Engine.Directory.Now()
	var rows correctionRows
	for word := range r.plain.bits {
		if r.plain.bits[word] == 0 {
			continue
		}
		first := int64(word) << 6
		// One that came along before did not get in then.
		if _, err := tx.ExecContext(ctx, "DELETE FROM import_corrections WHERE batch_id = $1 AND kind = $2 AND col = $3 AND row_num BETWEEN $4 AND $5 AND run_batch <> $6",
			r.Batch.ID, string(UserDetails), AsItIs, first, first+63, id); err != nil {
			return err
		}
		for n := first; n < first+64; n++ {
			if r.plain.has(n) {
				rows = append(rows, correctionRow{r.Batch.ID, CorrectedCell{Kind: UserDetails, Row: n, By: r.Actor.Name(), At: at, Batch: id}})
			}
		}
		if len(rows) > blockRows {
			if err := rows.insert(ctx, tx); err != nil {
				return err
			}
			rows = rows[:0]
		}
	}
	return rows.insert(ctx, tx)
}

// rerun is the state of making the files. What it keeps in memory is a number for each row that is run, and the new LAN
// IDs of those that were given one.
type rerun struct {
	*Frozen
	cfg    *directory.Configuration
	seed   maphash.Seed
	wanted map[uint64]bool   // LAN IDs whose row of another file is corrected, or who is a supervisor's follower
	taken  map[uint64]bool   // LAN IDs, old and new, of the rows that are run
	moved  map[uint64]string // old LAN ID: the new one
	follow rowSet            // rows that a supervisor's row alone kept out
	plain  rowSet            // rows that are run without a correction
	users  int64
}

func (r *rerun) hash(lan string) uint64 { return maphash.String(r.seed, directory.Fold(lan)) }

// files makes the spreadsheets, and stores them.
func (r *rerun) files(ctx context.Context) ([]batch.File, error) {
	for _, kind := range Kinds[1:] {
		if err := r.findWanted(ctx, kind); err != nil {
			return nil, err
		}
	}
	if err := r.findFollowers(ctx); err != nil {
		return nil, err
	}
	var files []batch.File
	for _, kind := range Kinds {
		index, err := r.file(kind)
		if err != nil {
			continue // the batch has no such file
		}
		write := r.writeUsers
		if kind != UserDetails {
			write = func(ctx context.Context, out *numbered) error { return r.writeOther(ctx, kind, out) }
		}
		file, err := r.freeze(ctx, r.Batch.Files[index].Name, kind, write)
		if err != nil {
			return nil, err
		}
		if kind == UserDetails && r.users == 0 {
			return nil, fault.New(fault.Conflict, "the corrected rows belong to nobody in UserDetails who did not get in; there is nothing to run")
		}
		files = append(files, file)
	}
	return files, nil
}

// freeze streams what write writes into the store.
func (r *rerun) freeze(ctx context.Context, name string, kind Kind, write func(context.Context, *numbered) error) (batch.File, error) {
	in, into := io.Pipe()
	made := make(chan error, 1)
	go func() {
		out := &numbered{w: sheet.NewWriter(into)}
		err := out.write(1, Columns(kind, r.cfg))
		if err == nil {
			err = write(ctx, out)
		}
		if err == nil {
			err = out.w.Flush()
		}
		into.CloseWithError(err)
		made <- err
	}()
	file, err := r.Engine.Freeze(ctx, r.Actor, name, in)
	in.CloseWithError(errStop)
	if madeErr := <-made; madeErr != nil && !errors.Is(madeErr, errStop) {
		return file, madeErr
	}
	return file, err
}

// numbered writes rows where their numbers say: the rows between them are left blank, and reading passes over those.
type numbered struct {
	w    *sheet.Writer
	last int64
}

func (n *numbered) write(number int64, cells []string) error {
	for n.last++; n.last < number; n.last++ {
		if err := n.w.Write(nil); err != nil {
			return err
		}
	}
	return n.w.Write(cells)
}

// pending walks over corrections that are to be run, along with a file.
type pending struct {
	next    func() (CorrectedCell, error, bool)
	stop    func()
	current CorrectedCell
	more    bool
	err     error
}

func (r *rerun) pending(ctx context.Context, kind Kind) *pending {
	p := &pending{}
	p.next, p.stop = iter.Pull2(iter.Seq2[CorrectedCell, error](r.eachCorrection(ctx, kind, 0, 1<<40, true)))
	p.step()
	return p
}

func (p *pending) step() {
	if p.current, p.err, p.more = p.next(); p.err != nil {
		p.more = false
	}
}

// apply corrects the cells of a row, and tells whether it has any correction.
func (p *pending) apply(number int64, names, cells []string) (corrected bool, err error) {
	for p.more && p.current.Row < number {
		p.step()
	}
	for p.more && p.current.Row == number {
		if at := slices.Index(names, p.current.Column); at >= 0 {
			cells[at] = p.current.New
		}
		corrected = true
		p.step()
	}
	return corrected, p.err
}

// findWanted finds out whose rows of UserDetails corrections in another file are about.
func (r *rerun) findWanted(ctx context.Context, kind Kind) error {
	index, err := r.file(kind)
	if err != nil {
		return nil
	}
	p := r.pending(ctx, kind)
	defer p.stop()
	if !p.more {
		return p.err
	}
	names := Columns(kind, r.cfg)
	err = r.read(ctx, index, kind, r.cfg, func(number int64, cells []string) error {
		was := r.hash(cells[lanID])
		if corrected, err := p.apply(number, names, cells); err != nil || !corrected {
			return err
		}
		r.wanted[was], r.wanted[r.hash(cells[lanID])] = true, true
		if !p.more {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

// findFollowers finds the rows that nothing keeps out but the row of a supervisor who is run now, whoever is below them
// included.
func (r *rerun) findFollowers(ctx context.Context) error {
	leads := map[uint64]bool{}
	for c, err := range r.eachCorrection(ctx, UserDetails, 0, 1<<40, true) {
		if err != nil {
			return err
		}
		// Those whose LAN ID is as it was are found by their entry below.
		if c.Column == directory.LANID.String() {
			leads[r.hash(c.New)], leads[r.hash(c.Old)] = true, true
		}
	}
	p := r.pending(ctx, UserDetails)
	defer p.stop()
	for e, err := range r.Said(ctx, batch.Filter{Outcomes: rejections}) {
		if err != nil {
			return err
		}
		if Kind(r.Batch.Files[e.File].Kind) != UserDetails {
			continue
		}
		if corrected, err := p.apply(e.Row, nil, nil); err != nil {
			return err
		} else if corrected || r.wanted[r.hash(e.LANID)] {
			leads[r.hash(e.LANID)] = true
		}
	}
	for again := true; again; {
		again = false
		for _, code := range []string{"supervisor.row_invalid", "supervisor.cycle"} {
			for e, err := range r.Said(ctx, batch.Filter{Code: code, Outcomes: rejections}) {
				if err != nil {
					return err
				}
				if !r.follow.hasRow(e.Row) && r.follows(&e, leads) {
					r.follow.add(e.Row)
					leads[r.hash(e.LANID)] = true
					again = true
				}
			}
		}
	}
	return nil
}

// follows tells whether a supervisor who is run now is all that the row lacks.
func (r *rerun) follows(e *batch.Entry, leads map[uint64]bool) bool {
	led := false
	for i := range e.Problems {
		p := &e.Problems[i]
		switch {
		case p.Code == "supervisor.row_invalid", p.Code == "supervisor.cycle":
			led = led || leads[r.hash(p.Value)]
		case p.Severity == directory.Error:
			return false
		}
	}
	return led
}

func (r *rerun) writeUsers(ctx context.Context, out *numbered) error {
	p := r.pending(ctx, UserDetails)
	defer p.stop()
	names := Columns(UserDetails, r.cfg)
	later, err := r.gotInLater(ctx)
	if err != nil {
		return err
	}
	for row, err := range r.Rows(ctx) {
		if err != nil {
			return err
		}
		was := row.Cells[lanID]
		corrected, err := p.apply(row.Number, names, row.Cells)
		if err != nil {
			return err
		}
		if row.Outcome == directory.Inserted || !corrected && !r.follow.hasRow(row.Number) && !r.wanted[r.hash(was)] {
			continue
		}
		if !corrected {
			if later.hasRow(row.Number) {
				continue
			}
			r.plain.add(row.Number)
		}
		r.users++
		r.note(&row, was)
		if err := out.write(row.Number, row.Cells); err != nil {
			return err
		}
	}
	return nil
}

// note keeps whose rows of the other files come along.
func (r *rerun) note(row *Row, was string) {
	old, now := r.hash(was), r.hash(row.Cells[lanID])
	repetition := slices.ContainsFunc(row.Problems, func(p directory.Problem) bool { return p.Code == "lan_id.repeated" })
	if old == now || !repetition {
		r.taken[old] = true
	}
	r.taken[now] = true
	if _, twice := r.moved[old]; old != now && !twice && !repetition {
		r.moved[old] = row.Cells[lanID]
	}
}

func (r *rerun) writeOther(ctx context.Context, kind Kind, out *numbered) error {
	index, err := r.file(kind)
	if err != nil {
		return err
	}
	p := r.pending(ctx, kind)
	defer p.stop()
	names := Columns(kind, r.cfg)
	return r.read(ctx, index, kind, r.cfg, func(number int64, cells []string) error {
		was := cells[lanID]
		corrected, err := p.apply(number, names, cells)
		if err != nil {
			return err
		}
		if !corrected && !r.taken[r.hash(cells[lanID])] {
			return nil
		}
		if now, moved := r.moved[r.hash(was)]; moved && cells[lanID] == was {
			cells[lanID] = now
		}
		return out.write(number, cells)
	})
}
