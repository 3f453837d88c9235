package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// BulkEdit is what is done to each user of a set: a [RoleEdit], a [StatusEdit], a [MoveEdit] or a [SupervisorEdit].
type BulkEdit interface {
	// prepare looks whether the handle's actor may do it at all, and turns it into conditions and statements. batchID is the
	// batch that is taken back, 0 where the edit is to be made.
	prepare(ctx context.Context, q sqldb.Querier, h *Handle, cfg *Configuration, batchID int64) (bulkKind, error)
}

// bulkKind is one kind of edit, judged by one state of the configuration, as statements that concern many users at once.
// Its conditions are texts over the table users, without parameters; ids in them are numbers of our own (see idList).
type bulkKind interface {
	// leftOut are the reasons why somebody in scope is left out, in the order of judgement. Who is already as the edit
	// would make them is judged before.
	leftOut() []LeftOut
	// same is the condition that a user is already as the edit would make them.
	same() string
	// warnings are what there is to say of those who are changed; nil where that is never anything.
	warnings() []LeftOut
	// takesPower tells whether the edit, or its undo, may take rights, scope or status from somebody: administrators and who
	// acts then come last, with keepAdministrator round them.
	takesPower(undo bool) bool
	// losesPower is the condition that an administrator whom the edit changes is none any more.
	losesPower() string
	// begin is called once in each transaction, after the configuration's lock. It returns [ErrConfigurationChanged] where
	// what the conditions were made of has changed.
	begin(ctx context.Context, tx *sqldb.Tx) error
	// write changes those of the piece for whom the condition who holds and who are not the same already: journal, values
	// and versions, a statement for each table.
	write(ctx context.Context, tx *sqldb.Tx, s Stamp, p *bulkPiece, who string) (BulkWritten, error)
	// stays are the reasons why an undo leaves somebody whom nobody changed since.
	stays() []LeftOut
	// restore puts back what the journal's rows of the piece that were just marked say (see [bulkPiece.marked]). The
	// versions are raised by the caller, afterwards.
	restore(ctx context.Context, tx *sqldb.Tx, s Stamp, p *bulkPiece) error
}

// LeftOut is a reason: a stable code, the condition on users, and what to tell of somebody for whom it holds.
type LeftOut struct {
	Code      string
	Column    string // of the template, "" for none
	Condition string
	Many      string // of several: "hold a role that you may not take"
	Message   func(lanID string) string
}

// BulkWritten is how many users a statement changed, and how many roles that gave and took.
type BulkWritten struct{ Users, Gained, Lost int64 }

// always and never are conditions.
const (
	always = "1 = 1"
	never  = "1 = 0"
)

// BulkEditing is a bulk edit that the handle's actor may make, or take back, judged by one state of the configuration.
type BulkEditing struct {
	handle   *Handle
	kind     bulkKind
	revision int64
	within   string // condition on users: in the actor's scope
	named    string // condition on users: the actor may be told who they are
	over     bool
	undo     bool
	own      int64          // the actor's id as a user, 0 for none
	along    map[int64]bool // supervisors of the set who are moved, see [BulkEditing.TakeAlong]
}

// PrepareBulkEdit looks whether the actor may make the edit on the users of their scope; Forbidden says why not. over says
// that nothing more will be done and what is left is to tell how it ended: who is prepared for that may have lost the rights
// that it took. It changes nothing then, and names nobody to who may not edit users.
func (h *Handle) PrepareBulkEdit(ctx context.Context, q sqldb.Querier, edit BulkEdit, over bool) (*BulkEditing, error) {
	return h.bulkEditing(ctx, q, edit, 0, over)
}

// PrepareBulkUndo is PrepareBulkEdit for taking back what a batch did.
func (h *Handle) PrepareBulkUndo(ctx context.Context, q sqldb.Querier, edit BulkEdit, batchID int64) (*BulkEditing, error) {
	return h.bulkEditing(ctx, q, edit, batchID, false)
}

func (h *Handle) bulkEditing(ctx context.Context, q sqldb.Querier, edit BulkEdit, batchID int64, over bool) (b *BulkEditing, err error) {
	b = &BulkEditing{handle: h, over: over, undo: batchID != 0}
	if !over {
		if err := h.actor.Need("users:edit"); err != nil {
			return nil, err
		}
	}
	if edit == nil {
		return nil, fault.New(fault.Invalid, "it is not said what is to be done to the users")
	}
	cfg, err := LoadConfiguration(ctx, q)
	if err != nil {
		return nil, err
	}
	b.revision = cfg.Revision
	if b.within, err = h.withinScope(ctx, q); err != nil {
		return nil, err
	}
	b.named = b.within
	if over {
		// What the actor may by now has no bearing on what was done, only on who is named.
		b.kind, err = edit.prepare(ctx, q, h.dir.As(System("")), &cfg, batchID)
		if !h.actor.Can("users:edit") {
			b.named = never
		}
		if h.actor.name == "" {
			b.within = always // nobody knows any more where they might change users
		}
		return b, err
	}
	if b.own, err = h.ownID(ctx, q); err != nil {
		return nil, err
	}
	b.kind, err = edit.prepare(ctx, q, h, &cfg, batchID)
	return b, err
}

// ownID is the actor's id as a user, 0 where they are none.
func (h *Handle) ownID(ctx context.Context, q sqldb.Querier) (int64, error) {
	if h.actor.system || h.actor.name == "" {
		return 0, nil
	}
	id, _, err := sqldb.One[int64](ctx, q, "SELECT id FROM users WHERE lan_key = $1", Fold(h.actor.name))
	return id, err
}

// who is the condition on users who may be changed: in scope, and with no reason to be left out.
func (b *BulkEditing) who() string {
	return all(append([]string{b.within}, none(b.kind.leftOut())...)...)
}

// none are conditions that none of the reasons holds.
func none(reasons []LeftOut) []string {
	var conditions []string
	for _, r := range reasons {
		if r.Condition != never {
			conditions = append(conditions, not(r.Condition))
		}
	}
	return conditions
}

// all is the condition that each of the others holds.
func all(conditions ...string) string {
	conditions = slices.DeleteFunc(slices.Clone(conditions), func(c string) bool { return c == always })
	if len(conditions) == 0 {
		return always
	}
	return strings.Join(conditions, " AND ")
}

func not(condition string) string {
	switch condition {
	case always:
		return never
	case never:
		return always
	}
	return "NOT (" + condition + ")"
}

// state is a number for how a user stands: 0 would be changed, the negative ones below, and i+1 is left out for the i-th of
// the reasons.
func (b *BulkEditing) state() string {
	var c strings.Builder
	c.WriteString("CASE")
	if b.within != always {
		fmt.Fprintf(&c, " WHEN %s THEN %d", not(b.within), BulkOutside)
	}
	if same := b.kind.same(); same != never {
		fmt.Fprintf(&c, " WHEN %s THEN %d", same, BulkSame)
	}
	for i, r := range b.kind.leftOut() {
		if r.Condition != never {
			fmt.Fprintf(&c, " WHEN %s THEN %d", r.Condition, i+1)
		}
	}
	if c.Len() == len("CASE") {
		return "0"
	}
	return c.String() + " ELSE 0 END"
}
