package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"muster/internal/sqldb"
)

// rival is one scenario on one engine: the raw loader and Muster on the same rows.
type rival struct {
	*bench
	scenario
	store store
	in    *input
	base  int64 // ids of the users that are imported begin here
	rows  *rawFiles
}

// prepare makes the snapshots, and imports both inputs once with Muster for the rows that it writes.
func (b *bench) prepare(ctx context.Context, s store) ([]*rival, error) {
	p, err := s.create(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := furnish(ctx, p); err != nil {
		return nil, err
	}
	if err := s.keep(ctx, p, scenarios[0].snapshot); err != nil {
		return nil, err
	}
	var rivals []*rival
	for i, sc := range scenarios {
		r := &rival{bench: b, scenario: sc, store: s, in: b.inputs[sc.input]}
		b.say("%s, %s: what Muster writes", s.engine(), sc.name)
		p, err := s.create(ctx, sc.snapshot)
		if err != nil {
			return nil, err
		}
		if r.base, err = nextID(ctx, p); err != nil {
			return nil, err
		}
		if _, _, err := b.importUsers(ctx, p, r.in, "--yes"); err != nil {
			return nil, err
		}
		if r.rows, err = dump(ctx, p, r.base, r.in, filepath.Join(b.scratch, "raw", sc.snapshot)); err != nil {
			return nil, err
		}
		rivals = append(rivals, r)
		// What the first scenario leaves is what the second begins with.
		if i+1 < len(scenarios) {
			err = s.keep(ctx, p, scenarios[i+1].snapshot)
		} else {
			err = s.remove(ctx, p)
		}
		if err != nil {
			return nil, err
		}
	}
	return rivals, nil
}

// nextID is the id that the next user gets.
func nextID(ctx context.Context, p place) (int64, error) {
	db, err := p.open(ctx)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	id, _, err := sqldb.One[int64](ctx, db.Read(), "SELECT next_id FROM user_ids")
	return id, err
}

// measure lets all take turns.
func (r *rival) measure(ctx context.Context) (*Scenario, error) {
	out := &Scenario{Name: r.name, Users: r.rows.contents.Rows[0], Rows: r.rows.contents.Rows}
	steps := []func(context.Context, *Round, bool) error{r.undisturbed, r.disturbed, r.preview}
	for i, l := range r.store.loaders() {
		steps = slices.Insert(steps, i, func(ctx context.Context, round *Round, check bool) error { return r.raw(ctx, l, round, check) })
	}
	for i := range r.Runs {
		round := Round{}
		for k := range steps {
			// Nobody is always the one who comes after the same other one.
			if err := steps[(i+k)%len(steps)](ctx, &round, i == 0); err != nil {
				return nil, err
			}
		}
		r.say("%s, %s, run %d of %d: raw loader %.2f s, import %.2f s (%.2f of it), preview %.2f s, undo %.2f s; another user waited %.3f s", r.store.engine(), r.name,
			i+1, r.Runs, round.Loader, round.Import.Seconds, round.Loader/round.Import.Seconds, round.Preview.Seconds, round.Undo.Seconds, round.Waits.Max)
		out.Rounds = append(out.Rounds, round)
	}
	return out, nil
}

// on gives fn a fresh copy of the database.
func (r *rival) on(ctx context.Context, fn func(place) error) error {
	return r.bench.on(ctx, r.store, r.snapshot, fn)
}

// on gives fn a fresh copy of a snapshot.
func (b *bench) on(ctx context.Context, s store, snapshot string, fn func(place) error) (err error) {
	p, err := s.create(ctx, snapshot)
	if err != nil {
		return err
	}
	defer func() {
		// A context that has ended must not keep the database.
		if rerr := s.remove(context.WithoutCancel(ctx), p); err == nil {
			err = rerr
		}
	}()
	return fn(p)
}

// calm is before everything that is measured.
func (r *rival) calm(ctx context.Context) error {
	files := slices.Clone(r.in.files)
	for _, t := range r.rows.tables {
		files = append(files, filepath.Join(r.rows.dir, t.file))
	}
	if err := warm(files...); err != nil {
		return err
	}
	return r.store.settle(ctx)
}

func (r *rival) raw(ctx context.Context, l loader, round *Round, check bool) error {
	return r.on(ctx, func(p place) error {
		if l.prepare != nil {
			if err := l.prepare(ctx, p); err != nil {
				return err
			}
		}
		if err := r.calm(ctx); err != nil {
			return err
		}
		began := time.Now()
		if err := l.load(ctx, p, r.rows); err != nil {
			return err
		}
		if err := r.store.finish(ctx, p); err != nil {
			return err
		}
		*l.seconds(round) = time.Since(began).Seconds()
		if !check || !l.exact {
			return nil
		}
		return r.same(ctx, p, "the raw loader")
	})
}

// undisturbed is an import that nobody is in the way of, and its undo.
func (r *rival) undisturbed(ctx context.Context, round *Round, check bool) error {
	return r.on(ctx, func(p place) error {
		if err := r.calm(ctx); err != nil {
			return err
		}
		m, batch, err := r.importUsers(ctx, p, r.in, "--yes")
		if err != nil {
			return err
		}
		began := time.Now()
		if err := r.store.finish(ctx, p); err != nil {
			return err
		}
		m.Seconds += time.Since(began).Seconds()
		round.Import = m
		if check {
			if err := r.same(ctx, p, "Muster"); err != nil {
				return err
			}
		}
		if err := r.calm(ctx); err != nil {
			return err
		}
		if round.Undo, err = r.undo(ctx, p, batch); err != nil || !check {
			return err
		}
		left, err := contentsOf(ctx, p, r.base, r.in)
		if err == nil && left != (contents{}) {
			err = fmt.Errorf("the undo left rows: %v", left.Rows)
		}
		return err
	})
}

// disturbed is an import while another user writes.
func (r *rival) disturbed(ctx context.Context, round *Round, _ bool) error {
	return r.on(ctx, func(p place) error {
		if err := r.calm(ctx); err != nil {
			return err
		}
		stop, err := disturb(ctx, p)
		if err != nil {
			return err
		}
		m, _, err := r.importUsers(ctx, p, r.in, "--yes")
		waits, werr := stop()
		round.Disturbed, round.Waits = m, waits
		if err == nil {
			err = werr
		}
		return err
	})
}

func (r *rival) preview(ctx context.Context, round *Round, _ bool) error {
	return r.on(ctx, func(p place) error {
		if err := r.calm(ctx); err != nil {
			return err
		}
		m, _, err := r.importUsers(ctx, p, r.in, "--preview")
		round.Preview = m
		return err
	})
}

// same makes sure that what is compared is the same work.
func (r *rival) same(ctx context.Context, p place, who string) error {
	got, err := contentsOf(ctx, p, r.base, r.in)
	if err == nil && got != r.rows.contents {
		err = fmt.Errorf("%s wrote other rows than were dumped: %v, not %v", who, got, r.rows.contents)
	}
	return err
}
