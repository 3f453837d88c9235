package auth

import (
	"context"
	"fmt"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// errWrong is the one answer to whoever does not get in, so that nobody learns which LAN IDs there are, or which of them
// may sign in.
func errWrong() error {
	return fault.New(fault.Unauthenticated, "the LAN ID or the password is not right, or this account may not sign in; try again, or ask an administrator for a one-time link")
}

// longestTyped is in bytes: more than the longest password takes in UTF-8, in any composition.
const longestTyped = 16 * LongestPassword

// SignIn begins a session for whoever knows the password, and returns the browser's token for it. Whatever else is the
// case, the answer is the same, after the same work, and of the kind Unauthenticated; or RateLimited, which depends on
// earlier attempts alone.
func (s *Service) SignIn(ctx context.Context, lanID, password string, c Client) (token string, session *Session, err error) {
	count := counters(lanID, c)
	if err := s.mayTry(ctx, count[:]...); err != nil {
		return "", nil, err
	}
	var id proof
	err = s.hash(ctx, func() error {
		// Only with a place to hash: of many who sign in at once behind one address, few are counted at a time.
		if err := s.try(ctx, count[:]...); err != nil {
			return err
		}
		id, err = s.prove(ctx, lanID, password)
		return err
	})
	if err == nil && !id.right {
		err = errWrong()
	}
	if err == nil {
		token, session, err = s.enter(ctx, id, count, c)
	}
	if fault.KindOf(err) == fault.Unauthenticated {
		// Not the LAN ID: people type their password there.
		s.Log.WarnContext(ctx, "somebody could not sign in", "address", c.address())
	}
	return token, session, err
}

// proof is what came of comparing a password.
type proof struct {
	right   bool // it is the user's, and the user may sign in
	userID  int64
	stored  string // the encoded password that it was compared with
	renewed string // what to store instead; "" to leave it
}

// prove compares the password with the user's, or with nobody's. The caller has a place to hash.
func (s *Service) prove(ctx context.Context, lanID, password string) (proof, error) {
	q := s.Directory.DB.Read()
	h, found, err := directory.HolderByLANID(ctx, q, lanID)
	if err != nil {
		return proof{}, err
	}
	var id proof
	if found {
		id.userID = h.ID
	}
	have, err := directory.LoadCredential(ctx, q, id.userID)
	if err != nil {
		return proof{}, err
	}
	encoded := have.Password
	if encoded == "" {
		encoded = s.dummy()
	}
	if len(password) > longestTyped {
		password = ""
	}
	same, err := verify(encoded, password)
	if err != nil {
		return proof{}, fmt.Errorf("compare the password of user %d: %w", id.userID, err)
	}
	id.stored = have.Password
	id.right = same && found && have.Password != "" && h.MaySignIn()
	if id.right && s.Cost.outdated(have.Password) {
		id.renewed = s.Cost.encode(password)
	}
	return id, nil
}

// enter begins the session, if what was proved still holds.
func (s *Service) enter(ctx context.Context, id proof, count [2]counter, c Client) (token string, session *Session, err error) {
	err = s.Directory.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		if err := succeeded(ctx, tx, count); err != nil {
			return err
		}
		h, err := s.proved(ctx, tx, id)
		if err != nil {
			return err
		}
		if id.renewed != "" {
			if err := s.Directory.ReencodePassword(ctx, tx, h.ID, id.stored, id.renewed); err != nil {
				return err
			}
		}
		if token, session, err = s.begin(ctx, tx, h, c); err != nil {
			return err
		}
		return s.audit(ctx, tx, h.Actor(Web), "sign-in", h, c.address())
	})
	return token, session, err
}

// proved makes sure, within the transaction, that nobody has changed the password meanwhile, or barred the user. Who
// changes it now waits, and then ends the session that this one begins.
func (s *Service) proved(ctx context.Context, tx *sqldb.Tx, id proof) (*directory.Holder, error) {
	have, err := directory.LockCredential(ctx, tx, id.userID)
	if err != nil {
		return nil, err
	}
	h, found, err := directory.HolderByID(ctx, tx, id.userID)
	if err == nil && (!found || !h.MaySignIn() || have.Password != id.stored) {
		err = errWrong()
	}
	return h, err
}

// ChangePassword gives the session's user another password and ends all their other sessions. Attempts are limited as
// those to sign in, and count with them. A wrong current password is Invalid, as the person stays signed in.
func (s *Service) ChangePassword(ctx context.Context, session *Session, current, password string) error {
	h, err := s.still(ctx, s.Directory.DB.Read(), session)
	if err != nil {
		return err
	}
	if err := CheckPassword(password, h.LANID, h.FirstName, h.LastName); err != nil {
		return err
	}
	if string(normal(current)) == string(normal(password)) {
		return fault.New(fault.Invalid, "the new password is the current one; choose another")
	}
	count := counters(h.LANID, Client{Address: session.Address})
	if err := s.mayTry(ctx, count[:]...); err != nil {
		return err
	}
	var id proof
	var encoded string
	err = s.hash(ctx, func() error {
		if err := s.try(ctx, count[:]...); err != nil {
			return err
		}
		if id, err = s.prove(ctx, h.LANID, current); err != nil || !id.right {
			return err
		}
		encoded = s.Cost.encode(password)
		return nil
	})
	if err != nil {
		return err
	}
	if !id.right || id.userID != session.UserID {
		return fault.New(fault.Invalid, "the current password is not right; type it again")
	}
	return s.Directory.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		if err := succeeded(ctx, tx, count); err != nil {
			return err
		}
		if _, err := s.still(ctx, tx, session); err != nil {
			return err
		}
		h, err := s.proved(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := s.Directory.SetPassword(ctx, tx, h.ID, encoded); err != nil {
			return err
		}
		if err := endSessions(ctx, tx, h.ID, session.ID); err != nil {
			return err
		}
		return s.audit(ctx, tx, h.Actor(Web), "change-password", h, session.Address)
	})
}
