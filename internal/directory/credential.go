package directory

import (
	"context"
	"fmt"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Credential is how a user signs in. What is in it is for package auth, which hashes and compares; the directory keeps it
// because whether a user can sign in is part of what an administrator is, and the last of those must be kept in the very
// transaction that changes a role.
type Credential struct {
	UserID    int64
	Password  string // encoded; "" for none yet
	LinkHash  []byte // of the one-time link; nil for none
	LinkUntil int64  // microseconds; when it expires
}

const selectCredential = "SELECT user_id, password, link_hash, link_until FROM credentials WHERE "

// LoadCredential returns the user's credential; the zero Credential where there is none.
func LoadCredential(ctx context.Context, q sqldb.Querier, userID int64) (Credential, error) {
	c, _, err := sqldb.One[Credential](ctx, q, selectCredential+"user_id = $1", userID)
	return c, err
}

// LockCredential is [LoadCredential] for a transaction that goes by what the credential says: nobody changes it before the
// transaction has ended.
func LockCredential(ctx context.Context, tx *sqldb.Tx, userID int64) (Credential, error) {
	c, _, err := sqldb.One[Credential](ctx, tx, "UPDATE credentials SET user_id = user_id WHERE user_id = $1 RETURNING user_id, password, link_hash, link_until", userID)
	return c, err
}

// CredentialByLink returns the credential that has the link with this hash, expired or not.
func CredentialByLink(ctx context.Context, q sqldb.Querier, hash []byte) (c Credential, found bool, err error) {
	return sqldb.One[Credential](ctx, q, selectCredential+"link_hash = $1", hash)
}

// SetLink gives the user a one-time link in place of any earlier one. Somebody who could not sign in before counts as
// changed by it, so that the undo of an import leaves them, and lists them. It needs users:edit; who is not within the
// actor's scope is NotFound.
func (h *Handle) SetLink(ctx context.Context, tx *sqldb.Tx, userID int64, hash []byte, until int64) error {
	if err := h.actor.Need("users:edit"); err != nil {
		return err
	}
	unit, found, err := sqldb.One[string](ctx, tx, "SELECT coalesce(o.path, '') FROM users u LEFT JOIN org_units o ON o.id = u.org_unit_id WHERE u.id = $1", userID)
	if err != nil {
		return fmt.Errorf("make a link: %w", err)
	}
	if !found || !h.actor.scope.Contains(unit) {
		return fault.New(fault.NotFound, "there is no such user among those that you may change")
	}
	made, err := tx.ExecContext(ctx, "INSERT INTO credentials (user_id) VALUES ($1) ON CONFLICT (user_id) DO NOTHING", userID)
	if err != nil {
		return fmt.Errorf("make a link: %w", err)
	}
	if n, err := made.RowsAffected(); err != nil || n > 0 {
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE users SET version = version + 1, changed_by = $2, changed_at = $3 WHERE id = $1", userID, h.actor.name, h.dir.micros()); err != nil {
			return fmt.Errorf("make a link: %w", err)
		}
		if err := noteUsers(ctx, tx, userID); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, "UPDATE credentials SET link_hash = $2, link_until = $3 WHERE user_id = $1", userID, hash, until)
	return err
}

// SetPassword gives the user a password, encoded, and takes away any one-time link. It is for package auth, which has made
// sure that it is the user who sets it.
func (d *Directory) SetPassword(ctx context.Context, tx *sqldb.Tx, userID int64, encoded string) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO credentials (user_id, password, password_at) VALUES ($1, $2, $3)
		ON CONFLICT (user_id) DO UPDATE SET password = excluded.password, password_at = excluded.password_at, link_hash = NULL, link_until = 0`,
		userID, encoded, d.micros())
	if err != nil {
		return fmt.Errorf("set a password: %w", err)
	}
	return nil
}

// ReencodePassword replaces the encoded form of a password that stays the same; where it has changed meanwhile, nothing
// is done.
func (d *Directory) ReencodePassword(ctx context.Context, tx *sqldb.Tx, userID int64, old, encoded string) error {
	_, err := tx.ExecContext(ctx, "UPDATE credentials SET password = $3 WHERE user_id = $1 AND password = $2", userID, old, encoded)
	return err
}

// SweepLinks forgets links that have expired.
func (d *Directory) SweepLinks(ctx context.Context, tx *sqldb.Tx) error {
	_, err := tx.ExecContext(ctx, "UPDATE credentials SET link_hash = NULL, link_until = 0 WHERE link_hash IS NOT NULL AND link_until <= $1", d.micros())
	return err
}
