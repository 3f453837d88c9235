package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Session is somebody who is signed in, with what they may do at this moment.
type Session struct {
	ID        int64
	UserID    int64
	LANID     string
	FirstName string
	LastName  string
	Name      string // first and last
	Profile   directory.Profile
	Actor     directory.Actor
	Address   string // where they signed in from
	CreatedAt time.Time
	SeenAt    time.Time // to the minute
	ExpiresAt time.Time // when it ends if nobody uses it from now on
}

// errNobody says that there is no session, for whatever reason.
func errNobody() error {
	return fault.New(fault.Unauthenticated, "you are not signed in, or your session has ended; sign in")
}

type sessionRow struct {
	ID, UserID, CreatedAt, SeenAt int64
	Address                       string
	// The settings of this moment, as they are stored: a change holds at once, for every session, on every replica.
	Idle, Lifetime string
}

var selectSession = "SELECT id, user_id, created_at, seen_at, address, " +
	directory.StoredSetting("session_idle_minutes") + ", " + directory.StoredSetting("session_lifetime_hours") + " FROM sessions WHERE "

// lifetimes are how long the session lasts without use, and in all.
func (r sessionRow) lifetimes() (idle, lifetime time.Duration) {
	s := directory.SettingsOf(map[string]string{"session_idle_minutes": r.Idle, "session_lifetime_hours": r.Lifetime})
	return s.SessionIdle(), s.SessionLifetime()
}

// Session returns the session that the browser's token stands for. It is Unauthenticated where there is none, where it has
// ended, and where its user has become inactive, lost access to every module or is gone. Two statements read what is
// needed; that the session was used is written later, with that of others (see touches).
func (s *Service) Session(ctx context.Context, token string) (*Session, error) {
	r, found, err := sqldb.One[sessionRow](ctx, s.Directory.DB.Read(), selectSession+"token_hash = $1", hashToken(token))
	if err != nil {
		return nil, fmt.Errorf("look up the session: %w", err)
	}
	now := s.micros()
	r.SeenAt = max(r.SeenAt, s.touches.last(r.ID))
	if !found || !r.live(now) {
		return nil, errNobody()
	}
	h, found, err := directory.HolderByID(ctx, s.Directory.DB.Read(), r.UserID)
	if err != nil {
		return nil, err
	}
	if !found || !h.MaySignIn() || r.CreatedAt <= h.BarredAt {
		return nil, errNobody()
	}
	s.touch(r, now)
	r.SeenAt = now
	return r.session(h), nil
}

// live tells whether neither lifetime of the session has run out.
func (r sessionRow) live(now int64) bool {
	idle, lifetime := r.lifetimes()
	return now < r.SeenAt+idle.Microseconds() && now < r.CreatedAt+lifetime.Microseconds()
}

func (r sessionRow) session(h *directory.Holder) *Session {
	created, seen := time.UnixMicro(r.CreatedAt).UTC(), time.UnixMicro(r.SeenAt).UTC()
	idle, lifetime := r.lifetimes()
	expires := seen.Add(idle)
	if end := created.Add(lifetime); end.Before(expires) {
		expires = end
	}
	return &Session{
		ID: r.ID, UserID: h.ID, LANID: h.LANID, FirstName: h.FirstName, LastName: h.LastName, Name: h.Name(), Profile: h.Profile,
		Actor: h.Actor(Web), Address: r.Address, CreatedAt: created, SeenAt: seen, ExpiresAt: expires,
	}
}

// begin makes a session of the holder's and returns the browser's token for it.
func (s *Service) begin(ctx context.Context, tx *sqldb.Tx, h *directory.Holder, c Client) (token string, session *Session, err error) {
	token, hash := newToken()
	now := s.micros()
	r := sessionRow{UserID: h.ID, CreatedAt: now, SeenAt: now, Address: c.address()}
	r.ID, _, err = sqldb.One[int64](ctx, tx, `INSERT INTO sessions (token_hash, user_id, created_at, seen_at, address, agent)
		VALUES ($1, $2, $3, $3, $4, $5) RETURNING id`, hash, h.ID, now, r.Address, clip(c.Agent))
	if err != nil {
		return "", nil, fmt.Errorf("begin the session: %w", err)
	}
	if r, _, err = sqldb.One[sessionRow](ctx, tx, selectSession+"id = $1", r.ID); err != nil {
		return "", nil, fmt.Errorf("begin the session: %w", err)
	}
	return token, r.session(h), nil
}

// still makes sure, in the transaction that does what the session asks for, that it is still there and its user may still
// be; the holder is who that user is now.
func (s *Service) still(ctx context.Context, q sqldb.Querier, session *Session) (*directory.Holder, error) {
	if session == nil {
		return nil, errNobody()
	}
	r, found, err := sqldb.One[sessionRow](ctx, q, selectSession+"id = $1 AND user_id = $2", session.ID, session.UserID)
	if err != nil {
		return nil, err
	}
	r.SeenAt = max(r.SeenAt, s.touches.last(r.ID))
	if !found || !r.live(s.micros()) {
		return nil, errNobody()
	}
	h, found, err := directory.HolderByID(ctx, q, session.UserID)
	if err == nil && (!found || !h.MaySignIn() || r.CreatedAt <= h.BarredAt) {
		err = errNobody()
	}
	return h, err
}

// SignOut ends the session that the browser's token stands for. One that has ended already is no error.
func (s *Service) SignOut(ctx context.Context, token string) error {
	return s.Directory.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE token_hash = $1", hashToken(token))
		return err
	})
}

// SignOutEverywhere ends all sessions of the session's user, itself among them.
func (s *Service) SignOutEverywhere(ctx context.Context, session *Session) error {
	return s.Directory.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		h, err := s.still(ctx, tx, session)
		if err != nil {
			return err
		}
		if err := endSessions(ctx, tx, h.ID, 0); err != nil {
			return err
		}
		return s.audit(ctx, tx, h.Actor(Web), "sign-out-everywhere", h, "")
	})
}

// endSessions ends all sessions of the user but the one to keep (0: none).
func endSessions(ctx context.Context, tx *sqldb.Tx, userID, keep int64) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE user_id = $1 AND id <> $2", userID, keep)
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// Seen is a browser in which somebody is signed in.
type Seen struct {
	CreatedAt time.Time
	SeenAt    time.Time // to the minute
	Address   string
	Agent     string // the browser's name for itself, shortened
	Current   bool   // it is the one that asks
}

// Sessions lists where the session's user is signed in, last used first.
func (s *Service) Sessions(ctx context.Context, session *Session) ([]Seen, error) {
	if _, err := s.still(ctx, s.Directory.DB.Read(), session); err != nil {
		return nil, err
	}
	type row struct {
		ID, CreatedAt, SeenAt int64
		Address, Agent        string
	}
	settings, err := directory.LoadSettings(ctx, s.Directory.DB.Read())
	if err != nil {
		return nil, err
	}
	var all []Seen
	now := s.micros()
	for r, err := range sqldb.Each[row](ctx, s.Directory.DB.Read(), `SELECT id, created_at, seen_at, address, agent FROM sessions
		WHERE user_id = $1 ORDER BY seen_at DESC, id DESC`, session.UserID) {
		if err != nil {
			return nil, fmt.Errorf("list sessions: %w", err)
		}
		seen := max(r.SeenAt, s.touches.last(r.ID))
		if now < seen+settings.SessionIdle().Microseconds() && now < r.CreatedAt+settings.SessionLifetime().Microseconds() {
			all = append(all, Seen{CreatedAt: time.UnixMicro(r.CreatedAt).UTC(), SeenAt: time.UnixMicro(seen).UTC(),
				Address: r.Address, Agent: r.Agent, Current: r.ID == session.ID})
		}
	}
	return all, nil
}

// Sweep forgets what has run out: sessions, links, and attempts that nobody counts any more. Once an hour will do.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now()
	settings, err := directory.LoadSettings(ctx, s.Directory.DB.Read())
	if err != nil {
		return err
	}
	return s.Directory.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE seen_at <= $1 OR created_at <= $2 OR NOT EXISTS (SELECT 1 FROM users u WHERE u.id = user_id)",
			now.Add(-settings.SessionIdle()-touchEvery-touchPause).UnixMicro(), now.Add(-settings.SessionLifetime()).UnixMicro()); err != nil {
			return fmt.Errorf("forget sessions: %w", err)
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM sign_in_attempts WHERE last_at < $1", now.Add(-accountMemory).UnixMicro()); err != nil {
			return fmt.Errorf("forget attempts: %w", err)
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM first_links WHERE until <= $1", now.UnixMicro()); err != nil {
			return fmt.Errorf("forget the first link: %w", err)
		}
		return s.Directory.SweepLinks(ctx, tx)
	})
}

// audit tells of something that actor did to the way in of the user. address is where a person was.
func (s *Service) audit(ctx context.Context, tx *sqldb.Tx, actor directory.Actor, action string, user *directory.Holder, address string) error {
	e := directory.AuditEntry{At: s.micros(), Actor: actor.Name(), Source: actor.Source(), Action: action, Subject: "user", Name: user.LANID, SubjectID: user.ID}
	if address != "" {
		after, err := json.Marshal(map[string]string{"address": address})
		if err != nil {
			return err
		}
		e.After = string(after)
	}
	return directory.WriteAudit(ctx, tx, e)
}
