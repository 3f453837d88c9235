package batch

import (
	"context"
	"fmt"
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// owned is whose a batch is.
type owned struct {
	Owner    string
	BySystem int
	Needs    string
}

func (o owned) by(a directory.Actor) bool {
	return !a.IsSystem() && o.BySystem == 0 && o.Owner != "" && o.Owner == a.Name()
}

// rightsOf reads rights as a batch's row has them, with spaces between them.
func rightsOf(text string) []directory.Right {
	var all []directory.Right
	for _, r := range strings.Fields(text) {
		all = append(all, directory.Right(r))
	}
	return all
}

// rightsText is the reverse of rightsOf.
func rightsText(rights []directory.Right) string {
	texts := make([]string, len(rights))
	for i, r := range rights {
		texts[i] = string(r)
	}
	return strings.Join(texts, " ")
}

// seesAll tells whether the actor may look at everybody's batches. A report has rows of any org unit, so that takes the
// right everywhere.
func seesAll(a directory.Actor) bool {
	return a.IsSystem() || a.Can("batches:access") && a.Scope().IsEverywhere()
}

// ownerNow is the LAN ID that the batch's owner has by now, and ” where they are gone: whoever has the LAN ID that they had
// then is somebody else.
const ownerNow = "CASE owner_id WHEN 0 THEN owner ELSE coalesce((SELECT u.lan_id FROM users u WHERE u.id = owner_id), '') END"

// MayLook returns nil where the actor may look at the batch: their own, or any with batches:access everywhere. To others
// the batch is not there (kind NotFound).
func (e *Engine) MayLook(ctx context.Context, actor directory.Actor, id int64) error {
	_, err := look(ctx, e.DB.Read(), actor, id)
	return err
}

func look(ctx context.Context, q sqldb.Querier, actor directory.Actor, id int64) (owned, error) {
	o, found, err := sqldb.One[owned](ctx, q, "SELECT "+ownerNow+", by_system, needs FROM batches WHERE id = $1", id)
	if err != nil {
		return o, fmt.Errorf("read batch %d: %w", id, err)
	}
	if !found || !o.by(actor) && !seesAll(actor) {
		return o, notThere(id)
	}
	return o, nil
}

// MayAct returns nil where the actor may decide what becomes of the batch: their own with what making it needed (an import:
// users:add), others' with batches:edit too, and only what they may look at (see [Engine.MayLook]).
func (e *Engine) MayAct(ctx context.Context, actor directory.Actor, id int64) error {
	return act(ctx, e.DB.Read(), actor, id)
}

func act(ctx context.Context, q sqldb.Querier, actor directory.Actor, id int64) error {
	o, err := look(ctx, q, actor, id)
	if err != nil {
		return err
	}
	if err := actor.Need(rightsOf(o.Needs)...); err != nil || o.by(actor) || actor.IsSystem() {
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
	if name == b.Owner && b.ownerID != 0 {
		// Their LAN ID may be another one by now, and somebody else's the one that they had.
		h, found, err := directory.HolderByID(ctx, e.DB.Read(), b.ownerID)
		switch {
		case err != nil:
			return directory.Actor{}, err
		case !found:
			return directory.Actor{}, fault.New(fault.Forbidden, "%s, who batch %d acts for, is not in the directory any more", name, b.ID)
		}
		name = h.LANID
	}
	if e.Actor == nil {
		return directory.Actor{}, fault.New(fault.Forbidden, "batch %d acts for %s, and this process does not know what they may do", b.ID, name)
	}
	return e.Actor(ctx, name, source)
}
