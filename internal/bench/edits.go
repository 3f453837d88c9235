package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
	"muster/internal/useredit"
)

// Edits is what bulk edits take, beside bare statements that write the same rows. Times are seconds.
type Edits struct {
	Users  int64       `json:"users"` // in the directory; all of them are edited
	Few    int64       `json:"few"`   // and how many the smaller edit is of
	Rounds []EditRound `json:"rounds"`
}

// EditRound is one turn of everybody.
type EditRound struct {
	Freeze       float64  `json:"freeze_seconds"`       // all users
	Consequences float64  `json:"consequences_seconds"` // of giving all of them the role
	Assign       EditTurn `json:"assign"`
	Remove       EditTurn `json:"remove"`
	Few          FewTurn  `json:"few"`
	Disturbed    float64  `json:"disturbed_assign_seconds"` // preview and apply, while another user writes
	Waits        Waits    `json:"other_user"`
}

// EditTurn is one edit of everybody.
type EditTurn struct {
	Bare    float64 `json:"bare_seconds"`            // the statements: on SQLite by Muster's own driver, on PostgreSQL by psql
	Shell   float64 `json:"shell_seconds,omitempty"` // SQLite only: the same by the engine's command line
	Preview float64 `json:"preview_seconds"`
	Apply   float64 `json:"apply_seconds"`
	Undo    float64 `json:"undo_seconds"`
}

// Muster is what is set beside the bare statements.
func (t EditTurn) muster() float64 { return t.Preview + t.Apply }

// FewTurn is giving the role to a part of the users, anywhere among them, from the file of LAN IDs to the last byte
// written.
type FewTurn struct {
	Bare         float64 `json:"bare_seconds"` // as in [EditTurn], of users who are known by their ids
	Freeze       float64 `json:"freeze_seconds"`
	Consequences float64 `json:"consequences_seconds"`
	Run          float64 `json:"run_seconds"` // check and apply
}

func (t FewTurn) whole() float64 { return t.Freeze + t.Consequences + t.Run }

// What is aimed at, at a million users.
const (
	editRatio   = 0.60 // of the bare statements' users a second
	editFreeze  = 3.0  // seconds
	editFew     = 3.0  // seconds, from end to end
	editWindow  = 2.0  // seconds, for the consequences
	editWait    = 0.6  // seconds, for another user's write: a chunk
	fewOf       = 20   // one user of so many is among the few
	heldEdits   = "edits_held"
	unheldEdits = "edits"
)

// editor measures edits on one engine.
type editor struct {
	*bench
	store store
	role  int64
	users int64
	// fewUsers are those whose ids fewOf divides.
	fewUsers int64
}

// edits measures bulk edits of a directory that has the users of one input.
func (b *bench) edits(ctx context.Context, s store) (*Edits, error) {
	e := &editor{bench: b, store: s}
	if err := e.prepare(ctx); err != nil {
		return nil, err
	}
	out := &Edits{Users: e.users, Few: e.fewUsers}
	steps := []func(context.Context, *EditRound) error{
		func(ctx context.Context, r *EditRound) error { return e.turn(ctx, true, &r.Assign, r) },
		func(ctx context.Context, r *EditRound) error { return e.turn(ctx, false, &r.Remove, nil) },
		e.few, e.disturbed,
		func(ctx context.Context, r *EditRound) error { return e.bare(ctx, true, &r.Assign) },
		func(ctx context.Context, r *EditRound) error { return e.bare(ctx, false, &r.Remove) },
		e.bareFew,
	}
	for i := range b.Runs {
		r := EditRound{}
		for k := range steps {
			// Nobody is always the one who comes after the same other one.
			if err := steps[(i+k)%len(steps)](ctx, &r); err != nil {
				return nil, err
			}
		}
		b.say("%s, edits, run %d of %d: assign %.2f s beside %.2f (%.2f), remove %.2f beside %.2f (%.2f), undo %.2f and %.2f; freeze %.2f, %d users %.2f; another user waited %.3f s", s.engine(),
			i+1, b.Runs, r.Assign.muster(), r.Assign.Bare, r.Assign.Bare/r.Assign.muster(), r.Remove.muster(), r.Remove.Bare, r.Remove.Bare/r.Remove.muster(),
			r.Assign.Undo, r.Remove.Undo, r.Freeze, out.Few, r.Few.whole(), r.Waits.Max)
		out.Rounds = append(out.Rounds, r)
	}
	return out, nil
}

// prepare makes two snapshots of a directory with a role: that nobody holds, and that everybody does.
func (e *editor) prepare(ctx context.Context) error {
	for _, name := range []string{unheldEdits, heldEdits} {
		from := baseSnapshot
		if name == heldEdits {
			from = unheldEdits
		}
		p, err := e.store.create(ctx, from)
		if err != nil {
			return err
		}
		if name == heldEdits {
			err = e.store.run(ctx, p, bareEdit{e.role, true, 1}.script()+fmt.Sprintf("DELETE FROM user_changes;\nDELETE FROM batches WHERE id = %d;\n", bareBatch))
		} else if e.role, err = wideRole(ctx, p); err == nil {
			var g grants
			g, err = grantsOf(ctx, p, e.role)
			e.users = g.Users
		}
		if err == nil && name == unheldEdits {
			e.fewUsers, err = fewIn(ctx, p)
		}
		if err != nil {
			return err
		}
		if err := e.store.keep(ctx, p, name); err != nil {
			return err
		}
	}
	return nil
}

// on gives fn a fresh copy in which the role is to be given to everybody, or taken.
func (e *editor) on(ctx context.Context, give bool, fn func(place) error) error {
	snapshot := unheldEdits
	if !give {
		snapshot = heldEdits
	}
	return e.bench.on(ctx, e.store, snapshot, func(p place) error {
		if err := e.store.settle(ctx); err != nil {
			return err
		}
		return fn(p)
	})
}

// bare is what the engine itself takes. On SQLite, the driver that Muster has is the same engine in another compiler's hands:
// what is measured beside Muster is that one, and the command line besides.
func (e *editor) bare(ctx context.Context, give bool, t *EditTurn) error {
	edit := bareEdit{e.role, give, 1}
	byShell := func(p place) error { return e.store.run(ctx, p, edit.script()) }
	if e.store.engine() != sqldb.SQLite {
		return e.bareIn(ctx, &t.Bare, give, e.users, byShell)
	}
	if err := e.bareIn(ctx, &t.Shell, give, e.users, byShell); err != nil {
		return err
	}
	return e.bareIn(ctx, &t.Bare, give, e.users, func(p place) error { return edit.driven(ctx, p) })
}

// bareFew is the same for the users of few.
func (e *editor) bareFew(ctx context.Context, r *EditRound) error {
	edit := bareEdit{e.role, true, fewOf}
	return e.bareIn(ctx, &r.Few.Bare, true, e.fewUsers, func(p place) error {
		if e.store.engine() != sqldb.SQLite {
			return e.store.run(ctx, p, edit.script())
		}
		return edit.driven(ctx, p)
	})
}

// bareIn measures statements that are to change so many users.
func (e *editor) bareIn(ctx context.Context, took *float64, give bool, users int64, run func(place) error) error {
	return e.on(ctx, give, func(p place) error {
		before, err := grantsOf(ctx, p, e.role)
		if err != nil {
			return err
		}
		if err := e.timed(ctx, p, took, func() error { return run(p) }); err != nil {
			return err
		}
		return e.expect(ctx, p, before, give, users)
	})
}

// timed measures fn with all that it leaves to others to write.
func (e *editor) timed(ctx context.Context, p place, took *float64, fn func() error) error {
	began := time.Now()
	if err := fn(); err != nil {
		return err
	}
	if err := e.store.finish(ctx, p); err != nil {
		return err
	}
	*took = time.Since(began).Seconds()
	return nil
}

// expect makes sure that so many users were given the role, or lost it, each changed once and in the journal.
func (e *editor) expect(ctx context.Context, p place, before grants, give bool, users int64) error {
	sign := int64(1)
	if !give {
		sign = -1
	}
	want := grants{Users: before.Users, Holders: before.Holders + sign*users, Roles: before.Roles + sign*users, Versions: before.Versions + users, Journal: before.Journal + users}
	got, err := grantsOf(ctx, p, e.role)
	if err == nil && got != want {
		err = fmt.Errorf("afterwards the tables hold %+v, not %+v", got, want)
	}
	return err
}

// turn is Muster's: it freezes everybody, looks at the consequences, checks, applies and undoes. r, if any, gets what
// came before the check.
func (e *editor) turn(ctx context.Context, give bool, t *EditTurn, r *EditRound) error {
	return e.on(ctx, give, func(p place) error {
		before, err := grantsOf(ctx, p, e.role)
		if err != nil {
			return err
		}
		h, err := openConsole(ctx, p)
		if err != nil {
			return err
		}
		defer h.close()
		g := &giving{hosted: h, role: e.role, give: give}
		if err := g.open(ctx, useredit.Source{Filter: &directory.UserFilter{}}); err != nil {
			return err
		}
		if r != nil {
			r.Freeze, r.Consequences = g.froze, g.looked
		}
		if err := e.timed(ctx, p, &t.Preview, func() error { return g.preview(ctx) }); err != nil {
			return err
		}
		if err := e.timed(ctx, p, &t.Apply, func() error { return g.apply(ctx) }); err != nil {
			return err
		}
		if err := e.expect(ctx, p, before, give, e.users); err != nil {
			return err
		}
		if err := e.store.settle(ctx); err != nil {
			return err
		}
		if err := e.timed(ctx, p, &t.Undo, func() error { return g.undo(ctx) }); err != nil {
			return err
		}
		after, err := grantsOf(ctx, p, e.role)
		if err == nil && (after.Holders != before.Holders || after.Roles != before.Roles) {
			err = fmt.Errorf("the undo left %+v, not %+v", after, before)
		}
		return err
	})
}

// few gives the role to a part of the users, named by a file of LAN IDs, without a preview.
func (e *editor) few(ctx context.Context, r *EditRound) error {
	return e.on(ctx, true, func(p place) error {
		before, err := grantsOf(ctx, p, e.role)
		if err != nil {
			return err
		}
		h, err := openConsole(ctx, p)
		if err != nil {
			return err
		}
		defer h.close()
		lanIDs, err := sqldb.All[string](ctx, h.db.Read(), "SELECT lan_id FROM users WHERE id % $1 = 0 ORDER BY lan_key", fewOf)
		if err != nil {
			return err
		}
		g := &giving{hosted: h, role: e.role, give: true}
		if err := g.open(ctx, useredit.Source{LANIDs: lanIDs}); err != nil {
			return err
		}
		r.Few.Freeze, r.Few.Consequences = g.froze, g.looked
		if err := e.timed(ctx, p, &r.Few.Run, func() error { return g.run(ctx) }); err != nil {
			return err
		}
		return e.expect(ctx, p, before, true, int64(len(lanIDs)))
	})
}

// disturbed gives everybody the role while another user writes.
func (e *editor) disturbed(ctx context.Context, r *EditRound) error {
	return e.on(ctx, true, func(p place) error {
		h, err := openConsole(ctx, p)
		if err != nil {
			return err
		}
		defer h.close()
		g := &giving{hosted: h, role: e.role, give: true}
		if err := g.open(ctx, useredit.Source{Filter: &directory.UserFilter{}}); err != nil {
			return err
		}
		stop, err := disturb(ctx, p)
		if err != nil {
			return err
		}
		err = e.timed(ctx, p, &r.Disturbed, func() error {
			if err := g.preview(ctx); err != nil {
				return err
			}
			return g.apply(ctx)
		})
		waits, werr := stop()
		r.Waits = waits
		return errors.Join(err, werr)
	})
}

// giving is a role being given to, or taken from, a set of users.
type giving struct {
	*hosted
	role          int64
	give          bool
	froze, looked float64 // seconds
	set           *useredit.Set
	batch         *batch.Batch
}

func (g *giving) edit() useredit.Edit {
	mode := directory.AddRoles
	if !g.give {
		mode = directory.RemoveRoles
	}
	return useredit.Edit{Roles: &directory.RoleEdit{Mode: mode, Roles: []int64{g.role}}}
}

// open freezes the set, and looks at the consequences, as the window does.
func (g *giving) open(ctx context.Context, s useredit.Source) (err error) {
	system, began := directory.System("bench"), time.Now()
	if g.set, err = useredit.Freeze(ctx, g.engine, system, s); err != nil {
		return err
	}
	g.froze = time.Since(began).Seconds()
	began = time.Now()
	c, err := useredit.Consequence(ctx, g.engine, system, g.set.ID, g.edit())
	if err != nil {
		return err
	}
	g.looked = time.Since(began).Seconds()
	if c.Users != g.set.Users || c.Changes != c.Users {
		return fmt.Errorf("the consequences are %+v", c)
	}
	return nil
}

func (g *giving) preview(ctx context.Context) (err error) {
	edit := g.edit()
	edit.Preview = true
	if g.batch, err = useredit.CreateEdit(ctx, g.engine, directory.System("bench"), g.set.ID, edit); err != nil {
		return err
	}
	return g.execute(ctx, batch.Ready)
}

func (g *giving) apply(ctx context.Context) error {
	if err := g.engine.Apply(ctx, directory.System("bench"), g.batch.ID, g.batch.Guard.Users); err != nil {
		return err
	}
	return g.execute(ctx, batch.Done)
}

// run is preview and apply at once, for an edit that the guard lets pass.
func (g *giving) run(ctx context.Context) (err error) {
	if g.batch, err = useredit.CreateEdit(ctx, g.engine, directory.System("bench"), g.set.ID, g.edit()); err != nil {
		return err
	}
	return g.execute(ctx, batch.Done)
}

func (g *giving) undo(ctx context.Context) error {
	if err := g.engine.Undo(ctx, directory.System("bench"), g.batch.ID); err != nil {
		return err
	}
	return g.execute(ctx, batch.Undone)
}

// execute runs the batch to a rest.
func (g *giving) execute(ctx context.Context, want batch.State) (err error) {
	if g.batch, err = g.engine.Execute(ctx, g.batch.ID, nil); err == nil && g.batch.State != want {
		err = fmt.Errorf("the batch is %s: %s", g.batch.State, g.batch.Reason)
	}
	return err
}
