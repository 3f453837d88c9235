package auth

import (
	"context"
	"fmt"

	"muster/internal/directory"
	"muster/internal/sqldb"
)

// First is somebody who makes themselves the first administrator.
type First struct{ LANID, FirstName, LastName, Password string }

// FirstLink returns the token of a new one-time link with which the first administrator is made, in place of any earlier
// one. needed is false, and there is none, where there is an administrator who can sign in. It is for whoever starts
// Muster, and is shown to nobody else; [LinkPath] is where it leads.
func (s *Service) FirstLink(ctx context.Context) (token string, needed bool, err error) {
	there, err := s.Directory.HasAdministrator(ctx, s.Directory.DB.Read())
	if err != nil || there {
		return "", false, err
	}
	token, hash := newToken()
	err = s.Directory.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO first_links (only_row, hash, until) VALUES (1, $1, $2)
			ON CONFLICT (only_row) DO UPDATE SET hash = excluded.hash, until = excluded.until`, hash, s.now().Add(s.LinkLife).UnixMicro())
		return err
	})
	if err != nil {
		return "", false, fmt.Errorf("make the first link: %w", err)
	}
	return token, true, nil
}

// firstUntil is when the first link with this token expires, in microseconds; 0 where there is no such link, or it is not
// good any more.
func (s *Service) firstUntil(ctx context.Context, q sqldb.Querier, token string) (int64, error) {
	until, _, err := sqldb.One[int64](ctx, q, "SELECT until FROM first_links WHERE hash = $1 AND until > $2", hashToken(token), s.micros())
	if err != nil || until == 0 {
		return 0, err
	}
	there, err := s.Directory.HasAdministrator(ctx, q)
	if there {
		until = 0
	}
	return until, err
}

// CreateFirst makes the first administrator, uses the link up and signs them in. Of two who do so at once one is first.
// A password or name that may not be leaves the link good; see [directory.Rejected].
func (s *Service) CreateFirst(ctx context.Context, token string, who First, c Client) (browser string, session *Session, err error) {
	until, err := s.firstUntil(ctx, s.Directory.DB.Read(), token)
	if err != nil {
		return "", nil, err
	}
	if until == 0 {
		return "", nil, errNoLink()
	}
	if err := CheckPassword(who.Password, who.LANID, who.FirstName, who.LastName); err != nil {
		return "", nil, err
	}
	encoded, err := s.encode(ctx, who.Password)
	if err != nil {
		return "", nil, err
	}
	err = s.Directory.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		if err := s.useFirst(ctx, tx, token); err != nil {
			return err
		}
		h, err := s.administrator(ctx, tx, directory.System("first start"), directory.Applicant{LANID: who.LANID, FirstName: who.FirstName, LastName: who.LastName})
		if err != nil {
			return err
		}
		browser, session, err = s.letIn(ctx, tx, h, encoded, c)
		return err
	})
	return browser, session, err
}

// useFirst uses the link up. Two at once take turns at its row.
func (s *Service) useFirst(ctx context.Context, tx *sqldb.Tx, token string) error {
	used, err := tx.ExecContext(ctx, "DELETE FROM first_links WHERE hash = $1 AND until > $2", hashToken(token), s.micros())
	if err != nil {
		return fmt.Errorf("use the first link: %w", err)
	}
	n, err := used.RowsAffected()
	if err != nil {
		return err
	}
	there, err := s.Directory.HasAdministrator(ctx, tx)
	if err == nil && (n == 0 || there) {
		err = errNoLink()
	}
	return err
}
