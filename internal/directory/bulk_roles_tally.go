package directory

import (
	"context"
	"fmt"

	"muster/internal/sqldb"
)

// RoleTally is what becomes of a role, in users who are not left out.
type RoleTally struct{ Gain, Have, Lose, Lack int64 }

func (r *RoleTally) add(more *RoleTally, sign int64) {
	r.Gain, r.Have = r.Gain+sign*more.Gain, r.Have+sign*more.Have
	r.Lose, r.Lack = r.Lose+sign*more.Lose, r.Lack+sign*more.Lack
}

// TallyRoles adds to into what becomes of each role, where the edit is one of roles. n is the tally of the same users.
func (b *BulkEditing) TallyRoles(ctx context.Context, q sqldb.Querier, ids []int64, n *BulkTally, into map[int64]*RoleTally) error {
	return b.tallyRoles(ctx, q, ids, n, into, 1)
}

// UntallyRole takes from into again what a user adds to it.
func (b *BulkEditing) UntallyRole(ctx context.Context, q sqldb.Querier, id int64, into map[int64]*RoleTally) error {
	n, err := b.Tally(ctx, q, []int64{id})
	if err != nil {
		return err
	}
	return b.tallyRoles(ctx, q, []int64{id}, &n, into, -1)
}

func (b *BulkEditing) tallyRoles(ctx context.Context, q sqldb.Querier, ids []int64, n *BulkTally, into map[int64]*RoleTally, sign int64) error {
	k, is := b.kind.(*roleKind)
	if !is {
		return nil
	}
	concerned := n.Users - n.Others() + n.Same
	held, err := b.holders(ctx, q, k, pieceOf(b.handle.dir.DB, 0, ids), concerned < n.Users)
	if err != nil {
		return err
	}
	add := func(id int64, t *RoleTally) {
		if into[id] == nil {
			into[id] = &RoleTally{}
		}
		into[id].add(t, sign)
	}
	for _, id := range k.roles {
		if k.mode == RemoveRoles {
			add(id, &RoleTally{Lose: held[id], Lack: concerned - held[id]})
		} else {
			add(id, &RoleTally{Gain: concerned - held[id], Have: held[id]})
		}
		delete(held, id)
	}
	for id, users := range held { // the others, where they are taken
		add(id, &RoleTally{Lose: users})
	}
	return nil
}

// tallyByHolders counts where nobody can be left out: who holds a role, which the index of holders tells, says then who is the
// same. known is false where it does not: where there are several roles, and some hold some.
func (k *roleKind) tallyByHolders(ctx context.Context, q sqldb.Querier, p *bulkPiece, version string, t *BulkTally) (known bool, err error) {
	if k.mode == SetRoles {
		return false, nil
	}
	least, most := int64(-1), int64(0)
	for _, id := range k.roles {
		held, err := p.holders(ctx, q, id)
		if err != nil {
			return false, err
		}
		if most = max(most, held); least < 0 || held < least {
			least = held
		}
	}
	if most > 0 && len(k.roles) > 1 && (k.mode == RemoveRoles || least > 0) {
		return false, nil
	}
	err = q.QueryRowContext(ctx, "SELECT count(*), CAST(coalesce(sum("+version+"), 0) AS BIGINT) FROM users WHERE "+p.in("users.id"), p.args()...).Scan(&t.Users, &t.Versions)
	if err != nil {
		return false, fmt.Errorf("count users: %w", sqldb.Explain(err))
	}
	if t.Same = least; k.mode == RemoveRoles {
		t.Same = t.Users - most
	}
	return true, nil
}

// WithoutRole counts those of the users who are not left out and end without any role.
func (b *BulkEditing) WithoutRole(ctx context.Context, q sqldb.Querier, ids []int64) (int64, error) {
	k, is := b.kind.(*roleKind)
	if !is || k.mode == AddRoles || k.mode == SetRoles && len(k.roles) > 0 {
		return 0, nil
	}
	p, stays := pieceOf(b.handle.dir.DB, 0, ids), always
	if k.mode == RemoveRoles {
		stays = "NOT EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = users.id AND r.role_id NOT IN (" + idList(k.roles) + "))"
	}
	n, _, err := sqldb.One[int64](ctx, q, "SELECT count(*) FROM users WHERE "+all(p.in("users.id"), b.who(), stays), p.args()...)
	if err != nil {
		return 0, fmt.Errorf("count who is left without a role: %w", err)
	}
	return n, nil
}

// holders counts who of the piece holds the role; ids are asked for one by one (see holdsOneOf).
func (p *bulkPiece) holders(ctx context.Context, q sqldb.Querier, role int64) (int64, error) {
	query := fmt.Sprintf("SELECT count(*) FROM user_roles r WHERE r.role_id = %d AND %s", role, p.in("r.user_id"))
	if p.ids != nil {
		query = fmt.Sprintf(`SELECT count(*) FROM %s AS k WHERE CAST(k.key AS BIGINT) <= $2
			AND (SELECT 1 FROM user_roles r WHERE r.role_id = %d AND r.user_id = CAST(k.key AS BIGINT) LIMIT 1) IS NOT NULL`, p.db.Keys, role)
	}
	held, _, err := sqldb.One[int64](ctx, q, query, p.args()...)
	if err != nil {
		return 0, fmt.Errorf("look who has the role: %w", err)
	}
	return held, nil
}

// holders counts who holds each role that the edit concerns; some says that only some of the piece count.
func (b *BulkEditing) holders(ctx context.Context, q sqldb.Querier, k *roleKind, p *bulkPiece, some bool) (map[int64]int64, error) {
	query := "SELECT h.role_id, count(*) FROM user_roles h WHERE " + p.in("h.user_id")
	if some {
		query = fmt.Sprintf("SELECT h.role_id, count(*) FROM user_roles h JOIN users ON users.id = h.user_id WHERE %s", all(p.in("users.id"), b.who()))
	}
	if k.mode != SetRoles {
		query += " AND h.role_id IN (" + idList(k.roles) + ")"
	}
	type row struct{ Role, Users int64 }
	held := map[int64]int64{}
	for r, err := range sqldb.Each[row](ctx, q, query+" GROUP BY h.role_id", p.args()...) {
		if err != nil {
			return nil, fmt.Errorf("count who holds the roles: %w", err)
		}
		held[r.Role] = r.Users
	}
	return held, nil
}
