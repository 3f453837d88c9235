package directory

import (
	"context"
	"fmt"
	"strings"

	"muster/internal/sqldb"
)

// BulkState is how somebody of a frozen set stands to a bulk edit: one of these, or, above 0, the place from 1 of the reason
// in [BulkEditing.LeftOut] for which they are left out.
type BulkState int

const (
	BulkChanges BulkState = 0
	BulkDone    BulkState = -1 // the batch changed them
	BulkGone    BulkState = -2 // no such user any more
	BulkOutside BulkState = -3 // out of the actor's scope by now
	BulkSame    BulkState = -4 // already as the edit would make them
)

// BulkLook is somebody of a frozen set. LANID and Name are of who may be named to the actor alone.
type BulkLook struct {
	ID      int64
	State   BulkState
	Warning int   // place from 1 in [BulkEditing.Warnings], 0 for none
	Version int64 // before the edit; 0 where the user is gone
	LANID   string
	Name    string
}

// LeftOut are the reasons for which somebody in scope is left out.
func (b *BulkEditing) LeftOut() []LeftOut { return b.kind.leftOut() }

// Warnings are what there is to say of those who are changed.
func (b *BulkEditing) Warnings() []LeftOut { return b.kind.warnings() }

// Look returns how each of the users stands, in the order of their ids. batchID is the batch whose journal says who is
// done.
func (b *BulkEditing) Look(ctx context.Context, q sqldb.Querier, batchID int64, ids []int64) ([]BulkLook, error) {
	db := b.handle.dir.DB
	query := fmt.Sprintf(`SELECT CAST(k.key AS BIGINT) AS id,
			CASE WHEN j.version IS NOT NULL THEN %d WHEN users.id IS NULL THEN %d ELSE %s END, %s,
			coalesce(j.version - 1, users.version, 0),
			CASE WHEN users.id IS NULL OR %s THEN '' ELSE users.lan_id END,
			CASE WHEN users.id IS NULL OR %s THEN '' ELSE users.first_name || ' ' || users.last_name END
		FROM %s AS k LEFT JOIN users ON users.id = CAST(k.key AS BIGINT)
		LEFT JOIN (SELECT c.user_id, max(c.version) AS version FROM user_changes c WHERE c.batch_id = $2 AND c.user_id BETWEEN $3 AND $4 GROUP BY c.user_id) AS j
			ON j.user_id = CAST(k.key AS BIGINT) ORDER BY 1`,
		BulkDone, BulkGone, b.state(), b.warning(), not(b.named), not(b.named), db.Keys)
	if len(ids) == 0 {
		return nil, nil
	}
	all, err := sqldb.All[BulkLook](ctx, q, query, keySet(db, ids), batchID, ids[0], ids[len(ids)-1])
	if err != nil {
		return nil, fmt.Errorf("look at users: %w", err)
	}
	return all, b.forgive(ctx, q, all)
}

// warning is a number: the place of the first of the warnings that holds.
func (b *BulkEditing) warning() string {
	var c strings.Builder
	for i, w := range b.kind.warnings() {
		fmt.Fprintf(&c, " WHEN %s THEN %d", w.Condition, i+1)
	}
	if c.Len() == 0 {
		return "0"
	}
	return "CASE WHEN users.id IS NULL THEN 0" + c.String() + " ELSE 0 END"
}

// BulkTally counts how users stand.
type BulkTally struct {
	Users    int64 // that are in the directory
	Versions int64 // sum of their versions: one that nobody changed, none of whom is gone, has the sum of before
	Outside  int64
	Same     int64
	LeftOut  []int64 // by reason
	Warned   []int64 // by warning, of those who would be changed
}

// Others tells how many of the users would not be changed.
func (t *BulkTally) Others() int64 {
	n := t.Outside + t.Same
	for _, c := range t.LeftOut {
		n += c
	}
	return n
}

// Add adds another tally of the same edit.
func (t *BulkTally) Add(n *BulkTally) {
	t.Users, t.Versions, t.Outside, t.Same = t.Users+n.Users, t.Versions+n.Versions, t.Outside+n.Outside, t.Same+n.Same
	for i, c := range n.LeftOut {
		t.LeftOut[i] += c
	}
	for i, c := range n.Warned {
		t.Warned[i] += c
	}
}

// Tally counts how the users stand, before anything is done.
func (b *BulkEditing) Tally(ctx context.Context, q sqldb.Querier, ids []int64) (BulkTally, error) {
	return b.tally(ctx, q, ids, "users.version")
}

// Recount is [BulkEditing.Tally] without the versions.
func (b *BulkEditing) Recount(ctx context.Context, q sqldb.Querier, ids []int64) (BulkTally, error) {
	return b.tally(ctx, q, ids, "0")
}

// tally adds up an expression of users as their versions; that of a constant reads no row.
func (b *BulkEditing) tally(ctx context.Context, q sqldb.Querier, ids []int64, version string) (t BulkTally, err error) {
	p := pieceOf(b.handle.dir.DB, 0, ids)
	if err := p.close(ctx, q); err != nil {
		return t, err
	}
	reasons, warnings := b.kind.leftOut(), b.kind.warnings()
	t.LeftOut, t.Warned = make([]int64, len(reasons)), make([]int64, len(warnings))
	if k, is := b.kind.(*roleKind); is && b.who() == always {
		if known, err := k.tallyByHolders(ctx, q, p, version, &t); err != nil || known {
			return t, err
		}
	}
	columns := []string{"count(*)", "CAST(coalesce(sum(t.version), 0) AS BIGINT)"}
	into := []any{&t.Users, &t.Versions}
	sum := func(condition string, n *int64) {
		columns, into = append(columns, "CAST(coalesce(sum(CASE WHEN "+condition+" THEN 1 ELSE 0 END), 0) AS BIGINT)"), append(into, n)
	}
	state, warning := b.state(), b.warning()
	if state != "0" {
		sum(fmt.Sprintf("t.state = %d", BulkOutside), &t.Outside)
		sum(fmt.Sprintf("t.state = %d", BulkSame), &t.Same)
		for i, r := range reasons {
			if r.Condition != never {
				sum(fmt.Sprintf("t.state = %d", i+1), &t.LeftOut[i])
			}
		}
	}
	for i := range warnings {
		sum(fmt.Sprintf("t.state = 0 AND t.warning = %d", i+1), &t.Warned[i])
	}
	// The limit keeps SQLite from asking for the state again in each sum.
	query := fmt.Sprintf("SELECT %s FROM (SELECT %s AS version, %s AS state, %s AS warning FROM users WHERE %s LIMIT 9223372036854775807) AS t",
		strings.Join(columns, ", "), version, state, warning, p.in("users.id"))
	if err := q.QueryRowContext(ctx, query, p.args()...).Scan(into...); err != nil {
		return t, fmt.Errorf("count users: %w", sqldb.Explain(err))
	}
	return t, b.forgiveSome(ctx, q, p, &t)
}

// Examples returns the LAN IDs of up to limit of the users who stand like that.
func (b *BulkEditing) Examples(ctx context.Context, q sqldb.Querier, ids []int64, state BulkState, limit int) ([]string, error) {
	p := pieceOf(b.handle.dir.DB, 0, ids)
	return sqldb.All[string](ctx, q, fmt.Sprintf("SELECT users.lan_id FROM users WHERE %s AND %s AND %s = %d ORDER BY users.id LIMIT %d",
		p.in("users.id"), b.within, b.state(), state, limit), p.args()...)
}

// ChangedSince counts those of the users whom somebody has changed since they had these versions.
func (b *BulkEditing) ChangedSince(ctx context.Context, q sqldb.Querier, ids, versions []int64) (n int64, err error) {
	p := pieceOf(b.handle.dir.DB, 0, ids)
	at := 0
	for u, err := range sqldb.Each[UserVersion](ctx, q, "SELECT users.id, users.version, users.profile FROM users WHERE "+p.in("users.id")+" ORDER BY users.id", p.args()...) {
		if err != nil {
			return 0, fmt.Errorf("look at users: %w", err)
		}
		for ids[at] < u.ID {
			at++
		}
		if versions[at] != u.Version {
			n++
		}
	}
	return n, nil
}
