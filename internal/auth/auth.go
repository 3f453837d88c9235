// Package auth lets people in: passwords, sign-in, sessions, one-time links, and who may have them. What comes out of it is
// a [directory.Actor] that holds what the person may do at this moment.
//
// Everything that several replicas must agree on is in the database: sessions, the attempts that failed, links. Of what a
// browser or a mail holds, only a SHA-256 is stored, and of passwords what argon2id makes of them; neither is ever part of
// an error, a log or the audit.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"

	"muster/internal/directory"
	"muster/internal/fault"
)

// Web is the source of what people do who have signed in.
const Web = "web"

// Service lets people in. Make it with [New]; the fields may be changed before it is used.
type Service struct {
	Directory *directory.Directory
	Log       *slog.Logger
	// LinkLife is how long a one-time link is good for.
	LinkLife time.Duration
	// Cost is what a password's hash costs. It may be raised at any time: a password is hashed again when its user next
	// signs in.
	Cost Cost

	hashing chan struct{} // holds as many as may hash at once: each takes memory
	dummy   func() string // an encoded password that nobody has
	touches touches
}

// New returns the service with the defaults: links end after 24 hours. When sessions end is one of the directory's settings.
// [Service.Close] must be called in the end.
func New(dir *directory.Directory, log *slog.Logger) *Service {
	s := &Service{
		Directory: dir, Log: log, LinkLife: 24 * time.Hour, Cost: DefaultCost,
		hashing: make(chan struct{}, runtime.NumCPU()),
	}
	s.dummy = sync.OnceValue(func() string { return s.Cost.encode(rand.Text()) })
	s.touches.init()
	return s
}

// Client is where a request comes from.
type Client struct {
	Address string // IP address, with or without a port
	Agent   string // the browser's name for itself
}

// longestShown is in bytes: enough to tell one's own browsers apart.
const longestShown = 200

// address is the address without its port, as it is stored and logged.
func (c Client) address() string {
	if ip, ok := parseAddress(c.Address); ok {
		return ip.String()
	}
	return clip(c.Address)
}

// clip makes text of what a browser or a proxy says, which may be anything.
func clip(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
	if len(s) > longestShown {
		s = strings.ToValidUTF8(s[:longestShown], "")
	}
	return s
}

// newToken makes a secret of 256 random bits for a browser or a link, and the hash of it that is stored. Tokens need no
// limit on attempts, as nobody guesses one, and no slow hash; and as they are looked up by their hash, the time that takes
// says nothing about them.
func newToken() (token string, hash []byte) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the program instead
	token = base64.RawURLEncoding.EncodeToString(raw)
	return token, hashToken(token)
}

func hashToken(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// Actor returns the user whom a stored batch acts for, for batch.Engine, with the rights and scope that they have by now.
// Somebody who is gone or inactive is Forbidden. Nobody becomes the system by it: what acts for that, the engine knows.
func (s *Service) Actor(ctx context.Context, owner, source string) (directory.Actor, error) {
	h, found, err := directory.HolderByLANID(ctx, s.Directory.DB.Read(), owner)
	switch {
	case err != nil:
		return directory.Actor{}, err
	case !found:
		return directory.Actor{}, fault.New(fault.Forbidden, "%s, who this acts for, is not in the directory any more", owner)
	case h.Status != directory.Active:
		return directory.Actor{}, fault.New(fault.Forbidden, "%s, who this acts for, is inactive", h.LANID)
	}
	return h.Actor(source), nil
}

func (s *Service) now() time.Time { return s.Directory.Now() }

func (s *Service) micros() int64 { return s.now().UnixMicro() }
