package directory

import (
	"context"
	"fmt"

	"muster/internal/sqldb"
)

// TakesAlong tells whether what there is to say of a user depends on who else is in the set: all of it is then handed to
// [BulkEditing.TakeAlong] before anything is told of anybody.
func (b *BulkEditing) TakesAlong() bool {
	k, is := b.kind.(*moveKind)
	return is && len(k.warned) > 0
}

// TakeAlong hears of some users of the set. A supervisor who is moved with their people is where these are.
func (b *BulkEditing) TakeAlong(ctx context.Context, q sqldb.Querier, ids []int64) error {
	p := pieceOf(b.handle.dir.DB, 0, ids)
	for id, err := range sqldb.Each[int64](ctx, q, fmt.Sprintf("SELECT users.id FROM users WHERE %s",
		all(p.in("users.id"), "users.profile < 3", b.who(), not(b.kind.same()))), p.args()...) {
		if err != nil {
			return fmt.Errorf("look which supervisors are moved: %w", err)
		}
		if b.along == nil {
			b.along = map[int64]bool{}
		}
		b.along[id] = true
	}
	return nil
}

// forgive takes back the warnings of those whose supervisors come along.
func (b *BulkEditing) forgive(ctx context.Context, q sqldb.Querier, looks []BulkLook) error {
	if len(b.along) == 0 {
		return nil
	}
	at := map[int64]int{}
	var ids []int64
	for i, l := range looks {
		if l.Warning > 0 && l.State == BulkChanges {
			ids, at[l.ID] = append(ids, l.ID), i
		}
	}
	if len(ids) == 0 {
		return nil
	}
	type pair struct{ User, Supervisor int64 }
	p := pieceOf(b.handle.dir.DB, 0, ids)
	for s, err := range sqldb.Each[pair](ctx, q, "SELECT users.id, coalesce(users.supervisor_id, 0) FROM users WHERE "+p.in("users.id"), p.args()...) {
		if err != nil {
			return fmt.Errorf("look which supervisors are moved: %w", err)
		}
		if b.along[s.Supervisor] {
			looks[at[s.User]].Warning = 0
		}
	}
	return nil
}

// forgiveSome is forgive for a count.
func (b *BulkEditing) forgiveSome(ctx context.Context, q sqldb.Querier, p *bulkPiece, t *BulkTally) error {
	if len(b.along) == 0 {
		return nil
	}
	type under struct{ Supervisor, Users int64 }
	for i, w := range b.kind.warnings() {
		if t.Warned[i] == 0 {
			continue
		}
		for s, err := range sqldb.Each[under](ctx, q, fmt.Sprintf("SELECT coalesce(users.supervisor_id, 0), count(*) FROM users WHERE %s GROUP BY users.supervisor_id",
			all(p.in("users.id"), b.who(), not(b.kind.same()), w.Condition)), p.args()...) {
			if err != nil {
				return fmt.Errorf("look which supervisors are moved: %w", err)
			}
			if b.along[s.Supervisor] {
				t.Warned[i] -= s.Users
			}
		}
	}
	return nil
}
