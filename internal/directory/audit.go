package directory

import (
	"context"
	"fmt"

	"muster/internal/sqldb"
)

// AuditEntry is one line of the audit: who changed what, when, from where and why.
type AuditEntry struct {
	At      int64  // microseconds since 1970, UTC
	Actor   string // LAN ID, or "system"
	Source  string // the way in: "cli", "web"
	Action  string // create, update, delete, rename, or a bulk action
	Subject string // what kind of thing: role, org-unit, batch
	Name    string // which one
	Before  string // JSON object of what changed; empty where there was nothing
	After   string // likewise
	Reason  string // as given by the actor
	BatchID int64  // 0: not by a batch
	ID      int64  // its number, given when it is written

	// SubjectID is the user that an entry with the subject "user" is about, also under another LAN ID than Name; 0: none.
	SubjectID int64
	// SubjectVersion is the user's version after the change; 0 where nothing of the user changed.
	SubjectVersion int64
}

// WriteAudit appends the entry, in the transaction of the change that it tells of.
func WriteAudit(ctx context.Context, tx *sqldb.Tx, e AuditEntry) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO audit (at, actor, source, action, subject, name, before, after, reason, batch_id, subject_id, subject_version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, nullif($10, 0), nullif($11, 0), nullif($12, 0))`,
		e.At, e.Actor, e.Source, e.Action, e.Subject, e.Name, e.Before, e.After, e.Reason, e.BatchID, e.SubjectID, e.SubjectVersion)
	if err != nil {
		return fmt.Errorf("write the audit: %w", err)
	}
	return nil
}

// audit writes an entry of something that the handle's actor does now.
func (h *Handle) audit(ctx context.Context, tx *sqldb.Tx, e AuditEntry) error {
	e.At, e.Actor, e.Source = h.dir.micros(), h.actor.name, h.actor.source
	return WriteAudit(ctx, tx, e)
}
