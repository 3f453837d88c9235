package auth

import (
	"context"
	"strings"
	"time"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// LinkPath is where the page of a one-time link is; the token follows.
const LinkPath = "/link/"

// Link is a one-time link with which its user sets a password, or the first administrator is made. The token is shown
// once and stored nowhere.
type Link struct {
	Token     string
	First     bool // it makes the first administrator: there is no LANID or Name yet
	LANID     string
	Name      string
	ExpiresAt time.Time
}

// URL is the link as it is given to its user; base is where Muster is reached ("https://muster.example").
func (l Link) URL(base string) string { return strings.TrimSuffix(base, "/") + LinkPath + l.Token }

// MakeLink makes a one-time link for the user with the LAN ID, in place of any earlier one. Until it is used, nothing else
// changes: the user's password, if there is one, stays. It needs users:edit, the user within the actor's scope, and that
// the actor has everything that the user has: nobody takes over somebody stronger. The user must be one who may sign in.
func (s *Service) MakeLink(ctx context.Context, actor directory.Actor, lanID string) (l Link, err error) {
	if err := actor.Need("users:edit"); err != nil {
		return Link{}, err
	}
	err = s.Directory.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		h, found, err := directory.HolderByLANID(ctx, tx, lanID)
		if err != nil {
			return err
		}
		if !found || !actor.Scope().Contains(h.UnitPath) {
			return fault.New(fault.NotFound, "there is no user %s among those that you may change; check the LAN ID", directory.Shorten(lanID))
		}
		if err := mayLetIn(actor, h); err != nil {
			return err
		}
		l, err = s.link(ctx, tx, actor, h)
		return err
	})
	return l, err
}

// mayLetIn tells why the actor may not make a link for the user, who is within scope.
func mayLetIn(actor directory.Actor, h *directory.Holder) error {
	switch {
	case h.Status != directory.Active:
		return fault.New(fault.Conflict, "%s is inactive and cannot sign in; activate them first", h.LANID)
	case !h.MaySignIn():
		return fault.New(fault.Conflict, "%s has no role that gives access to any module, and so nothing to sign in for; give them one first", h.LANID)
	case !actor.MayGrant(h.Rights) || !actor.Scope().Covers(h.Scope):
		return fault.New(fault.Forbidden, "%s may do more than you, or in more places, so you cannot make a link for them; ask somebody who may do as much", h.LANID)
	case !actor.IsSystem() && directory.Fold(h.LANID) == directory.Fold(actor.Name()):
		return fault.New(fault.Forbidden, "a link is for somebody else; change your own password with the one that you have")
	}
	return nil
}

func (s *Service) link(ctx context.Context, tx *sqldb.Tx, actor directory.Actor, h *directory.Holder) (Link, error) {
	token, hash := newToken()
	until := s.now().Add(s.LinkLife)
	if err := s.Directory.As(actor).SetLink(ctx, tx, h.ID, hash, until.UnixMicro()); err != nil {
		return Link{}, err
	}
	l := Link{Token: token, LANID: h.LANID, Name: h.Name(), ExpiresAt: until.UTC()}
	return l, s.audit(ctx, tx, actor, "make-link", h, "")
}

// CreateAdministrator makes a user who may do everything everywhere, and a one-time link for them. It needs all rights,
// everywhere. What the rules refuse is a [directory.Rejected].
func (s *Service) CreateAdministrator(ctx context.Context, actor directory.Actor, a directory.Applicant) (l Link, err error) {
	err = s.Directory.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		h, err := s.administrator(ctx, tx, actor, a)
		if err != nil {
			return err
		}
		l, err = s.link(ctx, tx, actor, h)
		return err
	})
	return l, err
}

func (s *Service) administrator(ctx context.Context, tx *sqldb.Tx, actor directory.Actor, a directory.Applicant) (*directory.Holder, error) {
	id, err := s.Directory.As(actor).CreateAdministrator(ctx, tx, a)
	if err != nil {
		return nil, err
	}
	h, _, err := directory.HolderByID(ctx, tx, id)
	return h, err
}

// errNoLink is the one answer to a link that is unknown, used, replaced or expired, or whose user may not sign in by now.
func errNoLink() error {
	return fault.New(fault.NotFound, "this link is not good any more: each can be used once, within the time it was given; ask an administrator for a new one, or, if there is none yet, start Muster again")
}

// LookAtLink returns what link it is, whose, and until when it is good, and uses nothing up. The Token is left out.
func (s *Service) LookAtLink(ctx context.Context, token string) (Link, error) {
	first, err := s.firstUntil(ctx, s.Directory.DB.Read(), token)
	if err != nil {
		return Link{}, err
	}
	if first != 0 {
		return Link{First: true, ExpiresAt: time.UnixMicro(first).UTC()}, nil
	}
	h, until, err := s.linkUser(ctx, s.Directory.DB.Read(), token)
	if err != nil {
		return Link{}, err
	}
	return Link{LANID: h.LANID, Name: h.Name(), ExpiresAt: time.UnixMicro(until).UTC()}, nil
}

func (s *Service) linkUser(ctx context.Context, q sqldb.Querier, token string) (h *directory.Holder, until int64, err error) {
	c, found, err := directory.CredentialByLink(ctx, q, hashToken(token))
	if err != nil {
		return nil, 0, err
	}
	if !found || c.LinkUntil <= s.micros() {
		return nil, 0, errNoLink()
	}
	h, found, err = directory.HolderByID(ctx, q, c.UserID)
	if err == nil && (!found || !h.MaySignIn()) {
		err = errNoLink()
	}
	return h, c.LinkUntil, err
}

// Redeem sets the password of the link's user, uses the link up, ends all sessions of the user and begins one. A password
// that may not be is Invalid, and the link stays good.
func (s *Service) Redeem(ctx context.Context, token, password string, c Client) (browser string, session *Session, err error) {
	h, _, err := s.linkUser(ctx, s.Directory.DB.Read(), token)
	if err != nil {
		return "", nil, err
	}
	if err := CheckPassword(password, h.LANID, h.FirstName, h.LastName); err != nil {
		return "", nil, err
	}
	encoded, err := s.encode(ctx, password)
	if err != nil {
		return "", nil, err
	}
	err = s.Directory.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		// Two who use it at once take turns here, and the second finds it used.
		if _, err := directory.LockCredential(ctx, tx, h.ID); err != nil {
			return err
		}
		h, _, err := s.linkUser(ctx, tx, token)
		if err != nil {
			return err
		}
		browser, session, err = s.letIn(ctx, tx, h, encoded, c)
		return err
	})
	return browser, session, err
}

// letIn gives the user a password and begins the only session that they then have.
func (s *Service) letIn(ctx context.Context, tx *sqldb.Tx, h *directory.Holder, encoded string, c Client) (token string, session *Session, err error) {
	if err := s.Directory.SetPassword(ctx, tx, h.ID, encoded); err != nil {
		return "", nil, err
	}
	if err := endSessions(ctx, tx, h.ID, 0); err != nil {
		return "", nil, err
	}
	if err := forgetAttempts(ctx, tx, accountCounter(h.LANID)); err != nil {
		return "", nil, err
	}
	if err := s.audit(ctx, tx, h.Actor(Web), "set-password", h, c.address()); err != nil {
		return "", nil, err
	}
	return s.begin(ctx, tx, h, c)
}
