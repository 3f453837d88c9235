package batch

import (
	"context"
	"fmt"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// owned is whose a batch is.
type owned struct {
	Owner    string
	BySystem int
}

func (o owned) by(a directory.Actor) bool {
	return !a.IsSystem() && o.BySystem == 0 && o.Owner != "" && o.Owner == a.Name()
}

// seesAll tells whether the actor may look at everybody's batches. A report has rows of any org unit, so that takes the
// right everywhere.
func seesAll(a directory.Actor) bool {
	return a.IsSystem() || a.Can("batches:access") && a.Scope().IsEverywhere()
}

// MayLook returns nil where the actor may look at the batch: their own, or any with batches:access everywhere. To others
// the batch is not there (kind NotFound).
func (e *Engine) MayLook(ctx context.Context, actor directory.Actor, id int64) error {
	_, err := look(ctx, e.DB.Read(), actor, id)
	return err
}

func look(ctx context.Context, q sqldb.Querier, actor directory.Actor, id int64) (owned, error) {
	o, found, err := sqldb.One[owned](ctx, q, "SELECT owner, by_system FROM batches WHERE id = $1", id)
	if err != nil {
		return o, fmt.Errorf("read batch %d: %w", id, err)
	}
	if !found || !o.by(actor) && !seesAll(actor) {
		return o, notThere(id)
	}
	return o, nil
}

// MayAct returns nil where the actor may decide what becomes of the batch: their own with users:add, others' with
// batches:edit too, and only what they may look at (see [Engine.MayLook]).
func (e *Engine) MayAct(ctx context.Context, actor directory.Actor, id int64) error {
	return act(ctx, e.DB.Read(), actor, id)
}

func act(ctx context.Context, q sqldb.Querier, actor directory.Actor, id int64) error {
	o, err := look(ctx, q, actor, id)
	if err != nil {
		return err
	}
	if err := actor.Need("users:add"); err != nil || o.by(actor) || actor.IsSystem() {
		return err
	}
	return actor.Need("batches:edit")
}

// actorOf is who the run acts for: the batch's owner, or, when it takes back, whoever asked for that.
func (e *Engine) actorOf(ctx context.Context, b *Batch) (directory.Actor, error) {
	name, source, system := b.Owner, b.Source, b.BySystem
	if b.State == Undoing && b.UndoneBy != "" {
		name, source, system = b.UndoneBy, b.undoSource, b.undoBySystem
	}
	if system {
		return directory.System(source), nil
	}
	if e.Actor == nil {
		return directory.Actor{}, fault.New(fault.Forbidden, "batch %d acts for %s, and this process does not know what they may do", b.ID, name)
	}
	return e.Actor(ctx, name, source)
}
