package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Changed is why an edit was not saved: somebody else changed the same thing since it was looked at. Its kind is
// Conflict. An edit that has seen Now is saved.
type Changed[T any] struct {
	Now     T
	By      string    // LAN ID, or "system"
	At      time.Time // UTC
	Details []string  // what they changed, in words: "rights: + users:add"
}

func (c *Changed[T]) Error() string {
	return fmt.Sprintf("%s changed it meanwhile (%s), so nothing was saved; look at it, and save again", c.By, strings.Join(c.Details, "; "))
}

// Unwrap is the error as people see it.
func (c *Changed[T]) Unwrap() error { return fault.New(fault.Conflict, "%s", c.Error()) }

// kept is a kind of thing of the configuration that people change one by one. They refer to one by its id.
type kept[T any] struct {
	called string // in messages: "role"
	table  string
	entity func(*changePlan) entity[T]
	all    func(*Configuration) *[]T
	check  func(*changePlan) // looks at p.after
}

// edit runs one change under the lock of the configuration. step finds what there is in the plan, sets what shall be,
// and returns the step that makes it so; one without a run is no change.
func edit[T any](ctx context.Context, h *Handle, k kept[T], right string, plan func(context.Context, *sqldb.Tx, *changePlan) (step, error)) error {
	if err := h.actor.Need(Right(k.entity(&changePlan{}).module + ":" + right)); err != nil {
		return err
	}
	return h.dir.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		return h.dir.keepAdministrator(ctx, tx, func() error {
			have, err := LoadConfiguration(ctx, tx)
			if err != nil {
				return err
			}
			p := &changePlan{have: have, after: have, units: map[string]OrgUnit{}}
			for _, u := range have.OrgUnits {
				p.units[u.FullName] = u
			}
			s, err := plan(ctx, tx, p)
			if err != nil || s.run == nil {
				return err
			}
			k.check(p)
			if err := p.faults.err(); err != nil {
				return err
			}
			p.steps = []step{s}
			return h.carryOut(ctx, tx, p)
		})
	})
}

// find returns the thing with the id.
func (k kept[T]) find(c *Configuration, id int64) (v T, err error) {
	for _, v := range *k.all(c) {
		if at, _ := k.entity(&changePlan{}).key(&v); *at == id {
			return v, nil
		}
	}
	return v, fault.New(fault.NotFound, "there is no such %s any more; somebody may have deleted it", k.called)
}

// free refuses a name that another one has.
func (k kept[T]) free(c *Configuration, name string, but int64) error {
	for _, v := range *k.all(c) {
		if id, other := k.entity(&changePlan{}).key(&v); *other == name && *id != but {
			return fault.New(fault.Conflict, "there is another %s called %q; choose another name", k.called, Shorten(name))
		}
	}
	return nil
}

// put sets what the thing with v's id, or a new one, shall be.
func (k kept[T]) put(p *changePlan, v T) {
	id, _ := k.entity(p).key(&v)
	all := slices.Clone(*k.all(&p.have))
	i := slices.IndexFunc(all, func(other T) bool { at, _ := k.entity(p).key(&other); return *at == *id })
	if i >= 0 && *id != 0 {
		all[i] = v
	} else {
		all = append(all, v)
	}
	*k.all(&p.after) = all
}

// add makes a new one, and returns it as it is then.
func add[T any](ctx context.Context, h *Handle, k kept[T], v T) (made T, err error) {
	id, at := k.entity(&changePlan{}).key(&v)
	*id = 0
	name := *at
	err = edit(ctx, h, k, "add", func(_ context.Context, _ *sqldb.Tx, p *changePlan) (step, error) {
		if err := k.free(&p.have, name, 0); err != nil {
			return step{}, err
		}
		k.put(p, v)
		return createStep(k.entity(p), v), nil
	})
	if err != nil {
		return made, err
	}
	return k.named(ctx, h, name)
}

// named reads the one that has just been made.
func (k kept[T]) named(ctx context.Context, h *Handle, name string) (v T, err error) {
	c, err := LoadConfiguration(ctx, h.dir.DB.Read())
	if err != nil {
		return v, err
	}
	for _, v := range *k.all(&c) {
		if _, at := k.entity(&changePlan{}).key(&v); *at == name {
			return v, nil
		}
	}
	return v, fault.New(fault.Conflict, "the %s %q was made, and is gone again already; somebody deleted or renamed it", k.called, Shorten(name))
}

// change makes the one with the id as wanted, all but its name, unless it is no longer as seen: [Changed].
func change[T any](ctx context.Context, h *Handle, k kept[T], id int64, seen, want T) (now T, err error) {
	err = edit(ctx, h, k, "edit", func(ctx context.Context, tx *sqldb.Tx, p *changePlan) (step, error) {
		e := k.entity(p)
		before, err := k.find(&p.have, id)
		if err != nil {
			return step{}, err
		}
		_, name := e.key(&before)
		if old, changed := differing(e.attributes(seen), e.attributes(before)); len(changed) > 0 {
			return step{}, changedBy(ctx, tx, e.subject, *name, before, details(old, changed))
		}
		wantID, wantName := e.key(&want)
		*wantID, *wantName = id, *name
		now = want
		s := updateStep(e, before, want)
		if len(s.after) == 0 {
			return step{}, nil
		}
		k.put(p, want)
		return s, nil
	})
	return now, err
}

func changedBy[T any](ctx context.Context, q sqldb.Querier, subject, name string, now T, changes []string) error {
	type last struct {
		Actor string
		At    int64
	}
	l, found, err := sqldb.One[last](ctx, q, "SELECT actor, at FROM audit WHERE subject = $1 AND name = $2 AND action = $3 ORDER BY id DESC LIMIT 1", subject, name, string(OpUpdate))
	if err != nil {
		return err
	}
	if !found {
		l.Actor = "somebody"
	}
	return &Changed[T]{Now: now, By: l.Actor, At: time.UnixMicro(l.At).UTC(), Details: changes}
}

// rename gives the one with the id another name. Nothing else is written, however many users have it.
func rename[T any](ctx context.Context, h *Handle, k kept[T], id int64, name string) (now T, err error) {
	err = edit(ctx, h, k, "edit", func(_ context.Context, _ *sqldb.Tx, p *changePlan) (step, error) {
		e := k.entity(p)
		before, err := k.find(&p.have, id)
		if err != nil {
			return step{}, err
		}
		_, old := e.key(&before)
		now = before
		_, at := e.key(&now)
		if *at = name; *old == name {
			return step{}, nil
		}
		if err := k.free(&p.have, name, id); err != nil {
			return step{}, err
		}
		k.put(p, now)
		s := newStep(e, OpRename, &before, &now)
		s.before, s.after = []attribute{{"name", *old}}, []attribute{{"name", name}}
		s.run = func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE "+k.table+" SET name = $1 WHERE id = $2", name, id)
			return err
		}
		return s, nil
	})
	return now, err
}

// remove deletes the one with the id, which nobody may have.
func remove[T any](ctx context.Context, h *Handle, k kept[T], id int64) error {
	return edit(ctx, h, k, "delete", func(ctx context.Context, tx *sqldb.Tx, p *changePlan) (step, error) {
		e := k.entity(p)
		v, err := k.find(&p.have, id)
		if err != nil {
			return step{}, err
		}
		n, _, err := sqldb.One[int64](ctx, tx, e.users, id)
		if err != nil {
			return step{}, err
		}
		if n > 0 {
			_, name := e.key(&v)
			return step{}, fault.New(fault.Conflict, "the %s %q cannot be deleted while %s it; say what they get instead", k.called, *name, holdIt(n))
		}
		*k.all(&p.after) = slices.DeleteFunc(slices.Clone(*k.all(&p.have)), func(other T) bool { at, _ := e.key(&other); return *at == id })
		return deleteStep(e, v), nil
	})
}

func holdIt(n int64) string {
	if n == 1 {
		return people(n) + " holds"
	}
	return people(n) + " hold"
}
