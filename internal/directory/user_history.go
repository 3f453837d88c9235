package directory

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"muster/internal/sqldb"
)

// mostHistory bounds a page of a user's history.
const mostHistory = 500

const selectEntry = `SELECT at, actor, source, action, subject, name, before, after, reason, coalesce(batch_id, 0), id,
	coalesce(subject_id, 0), coalesce(subject_version, 0) FROM audit WHERE `

// UserHistory returns up to limit entries of the audit about the user, newest first, under whatever LAN ID they were at the
// time, and those of the batches that inserted or changed them; before is the ID of the last one seen, 0 for the newest. It
// needs users:access; who is not within the actor's scope is NotFound. When and from where somebody signed in is shown only
// to who may read the audit.
func (h *Handle) UserHistory(ctx context.Context, id int64, before int64, limit int) ([]AuditEntry, error) {
	u, err := h.User(ctx, id)
	if err != nil {
		return nil, err
	}
	if before <= 0 {
		before = math.MaxInt64
	}
	limit = min(max(limit, 1), mostHistory)
	visible := ""
	if !h.actor.Can("audit:access") {
		visible = " AND subject_version IS NOT NULL"
	}
	q := h.dir.DB.Read()
	all, err := sqldb.All[AuditEntry](ctx, q, selectEntry+"subject_id = $1 AND subject = 'user' AND id < $2"+visible+" ORDER BY id DESC LIMIT $3", id, before, limit)
	if err != nil {
		return nil, fmt.Errorf("read the user's history: %w", err)
	}
	// What bulk actions changed is in their journals; the audit says of each what it was.
	of, err := sqldb.All[AuditEntry](ctx, q, selectEntry+`batch_id IN (SELECT c.batch_id FROM user_changes c WHERE c.user_id = $1
			UNION SELECT p.batch_id FROM picture_changes p WHERE p.user_id = $1 UNION SELECT $2)
		AND id < $3 ORDER BY id DESC LIMIT $4`, id, u.BatchID, before, limit)
	if err != nil {
		return nil, fmt.Errorf("read the history of the user's batches: %w", err)
	}
	all = append(all, of...)
	slices.SortFunc(all, func(a, b AuditEntry) int { return cmp.Compare(b.ID, a.ID) })
	return all[:min(len(all), limit)], nil
}
