package batch

import (
	"context"
	"fmt"
	"time"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Approval is what became of a batch that a second person has to approve. Its zero value is that nobody was asked.
type Approval struct {
	AskedBy string // who wants it applied
	AskedAt time.Time
	Verdict string // Approved, Rejected, or "" for none yet
	By      string
	At      time.Time
	Comment string

	askedID int64 // of the user, 0 where it was none
}

// The verdicts.
const (
	Approved = "approved"
	Rejected = "rejected"
)

// askAction is what the audit calls it when somebody wants a batch approved.
const askAction = "ask-approval"

// MaxComment is how long a comment on an approval may be, in bytes.
const MaxComment = 2000

// Approve lets a batch that awaits approval go on. It then applies what was frozen, with what its maker may do. It takes
// batches:edit, and what deciding about the batch takes anyway (see [Engine.MayAct]); nobody approves what they made, or
// asked to have approved: Forbidden. The system may.
func (e *Engine) Approve(ctx context.Context, actor directory.Actor, id int64, comment string) error {
	return e.judge(ctx, actor, id, "approve", comment, Approved, Applying)
}

// Reject drops a batch that awaits approval; the comment, which must not be blank, is the reason. Who may, see
// [Engine.Approve].
func (e *Engine) Reject(ctx context.Context, actor directory.Actor, id int64, comment string) error {
	return e.judge(ctx, actor, id, "reject", comment, Rejected, Cancelled)
}

func (e *Engine) judge(ctx context.Context, actor directory.Actor, id int64, action, comment, verdict string, to State) error {
	return e.move(ctx, actor, id, action, comment, func(tx *sqldb.Tx, b *Batch) (State, error) {
		if err := mayJudge(ctx, tx, actor, b); err != nil {
			return "", err
		}
		switch {
		case b.State != Awaiting:
			return "", fault.New(fault.Conflict, "batch %d is %s; only one that awaits approval can be approved or rejected", id, b.State)
		case verdict == Rejected && comment == "":
			return "", fault.New(fault.Invalid, "say why batch %d is rejected; whoever made it reads that", id)
		case len(comment) > MaxComment:
			return "", fault.New(fault.Invalid, "the comment has %d bytes; %d are the most", len(comment), MaxComment)
		}
		_, err := tx.ExecContext(ctx, "UPDATE batches SET verdict = $2, verdict_by = $3, verdict_at = $4, comment = $5 WHERE id = $1",
			id, verdict, actor.Name(), e.now(), comment)
		return to, err
	})
}

// MayApprove returns nil where the actor may approve or reject the batch, once it awaits that.
func (e *Engine) MayApprove(ctx context.Context, actor directory.Actor, b *Batch) error {
	if err := e.MayAct(ctx, actor, b.ID); err != nil {
		return err
	}
	return mayJudge(ctx, e.DB.Read(), actor, b)
}

// mayJudge is asked beside act, which looks at everything but who it is.
func mayJudge(ctx context.Context, q sqldb.Querier, actor directory.Actor, b *Batch) error {
	if actor.IsSystem() {
		return nil // whoever holds the machine can do everything
	}
	if err := actor.Need("batches:edit"); err != nil {
		return err
	}
	id, err := userID(ctx, q, actor)
	if err != nil {
		return err
	}
	if b.concerns(actor, id) {
		return fault.New(fault.Forbidden, "nobody approves or rejects a batch of their own; somebody else with batches:edit decides about batch %d", b.ID)
	}
	return nil
}

// concerns tells whether the actor, who is the user with the id, made the batch or asked to have it approved.
func (b *Batch) concerns(actor directory.Actor, id int64) bool {
	me := func(name string, user int64) bool {
		return directory.Fold(name) == directory.Fold(actor.Name()) || user != 0 && user == id
	}
	return !b.BySystem && me(b.Owner, b.ownerID) || me(b.Approval.AskedBy, b.Approval.askedID)
}

// Pending counts the batches that the actor may approve or reject now; 0 for those who may not.
func (e *Engine) Pending(ctx context.Context, actor directory.Actor) (int64, error) {
	if !actor.Can("batches:edit") || !seesAll(actor) {
		return 0, nil
	}
	type waiting struct {
		Owner, AskedBy   string
		BySystem         int
		OwnerID, AskedID int64
		Needs            string
	}
	q := e.DB.Read()
	all, err := sqldb.All[waiting](ctx, q, "SELECT owner, asked_by, by_system, owner_id, asked_id, needs FROM batches WHERE state = 'awaiting'")
	if err != nil || len(all) == 0 {
		return 0, err
	}
	id, err := userID(ctx, q, actor)
	if err != nil {
		return 0, err
	}
	n := int64(0)
	for _, w := range all {
		b := &Batch{Owner: w.Owner, BySystem: w.BySystem != 0, ownerID: w.OwnerID, Approval: Approval{AskedBy: w.AskedBy, askedID: w.AskedID}}
		if actor.IsSystem() || actor.MayGrant(rightsOf(w.Needs)) && !b.concerns(actor, id) {
			n++
		}
	}
	return n, nil
}

// askOrApply is where a batch goes that somebody wants applied.
func (e *Engine) askOrApply(ctx context.Context, tx *sqldb.Tx, actor directory.Actor, b *Batch) (State, error) {
	settings, err := directory.LoadSettings(ctx, tx)
	if err != nil || !settings.Approval || actor.IsSystem() {
		return Applying, err
	}
	id, err := userID(ctx, tx, actor)
	if err != nil {
		return "", err
	}
	return Awaiting, ask(ctx, tx, b.ID, actor.Name(), id, e.now())
}

// askAfterCheck asks for approval of a batch that its maker wanted applied without a preview.
func (e *Engine) askAfterCheck(ctx context.Context, tx *sqldb.Tx, b *Batch) error {
	if err := ask(ctx, tx, b.ID, b.Owner, b.ownerID, e.now()); err != nil {
		return err
	}
	return directory.WriteAudit(ctx, tx, directory.AuditEntry{At: e.now(), Actor: b.Owner, Source: b.Source, Action: askAction,
		Subject: "batch", Name: fmt.Sprint(b.ID), Before: stateJSON(b.State), After: stateJSON(Awaiting), BatchID: b.ID})
}

func ask(ctx context.Context, tx *sqldb.Tx, id int64, by string, user, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE batches SET asked_by = $2, asked_id = $3, asked_at = $4, verdict = '', verdict_by = '', verdict_at = 0, comment = ''
		WHERE id = $1`, id, by, user, now)
	return err
}

// userID is the id of the user who acts; 0 where it is none.
func userID(ctx context.Context, q sqldb.Querier, actor directory.Actor) (int64, error) {
	if actor.IsSystem() || actor.Name() == "" {
		return 0, nil
	}
	h, found, err := directory.HolderByLANID(ctx, q, actor.Name())
	if err != nil || !found {
		return 0, err
	}
	return h.ID, nil
}

// stateJSON is a state as the audit keeps it.
func stateJSON(s State) string { return fmt.Sprintf(`{"state":%q}`, string(s)) }
