package auth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"time"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// How many attempts to sign in may fail. For an account: accountAllowance in a row, then each further one has to wait
// twice as long as the one before, from two seconds to longestWait; a day without any, and it begins anew. Somebody who
// wants to keep a person out can, for these 15 minutes at a time; a one-time link gets that person in all the same.
// For an address: addressAllowance within addressWindow; many people may be behind one.
const (
	accountAllowance = 5
	longestWait      = 15 * time.Minute
	accountMemory    = 24 * time.Hour
	addressAllowance = 30
	addressWindow    = 15 * time.Minute
)

// attempts are those of one account or address that have failed, or have not succeeded yet. Times are microseconds.
type attempts struct {
	Count, FirstAt, LastAt, FreeAt int64
}

// counter is what attempts are counted for.
type counter struct {
	key []byte
	// more counts one more attempt at now; the caller has made sure that it need not wait.
	more func(a attempts, now int64) attempts
}

// counters are those of one attempt, in the order in which they are locked. key is hashed: what people type as their
// LAN ID is sometimes their password.
func counters(lanID string, c Client) [2]counter {
	return [2]counter{{attemptKey("address", network(c.Address)), moreOfAddress}, accountCounter(lanID)}
}

func accountCounter(lanID string) counter {
	return counter{attemptKey("account", directory.Fold(lanID)), moreOfAccount}
}

func attemptKey(kind, what string) []byte {
	h := sha256.Sum256([]byte(kind + "\x00" + what))
	return h[:]
}

// network is whose attempts are counted together: an IPv4 address, or the 64 bits of IPv6 that one household has.
func network(address string) string {
	ip, ok := parseAddress(address)
	if !ok {
		return address
	}
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}

// parseAddress reads an IP address, with or without a port.
func parseAddress(s string) (netip.Addr, bool) {
	ip, err := netip.ParseAddr(s)
	if err != nil {
		withPort, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		ip = withPort.Addr()
	}
	return ip.Unmap().WithZone(""), true
}

func moreOfAccount(a attempts, now int64) attempts {
	if now-a.LastAt > accountMemory.Microseconds() {
		a = attempts{FirstAt: now}
	}
	a.Count++
	a.LastAt, a.FreeAt = now, now
	if over := a.Count - accountAllowance; over >= 0 {
		wait := longestWait
		if over < 9 { // 2 s << 9 is more than 15 minutes
			wait = min(wait, 2*time.Second<<over)
		}
		a.FreeAt = now + wait.Microseconds()
	}
	return a
}

func moreOfAddress(a attempts, now int64) attempts {
	if now-a.FirstAt > addressWindow.Microseconds() {
		a = attempts{FirstAt: now}
	}
	a.Count++
	a.LastAt, a.FreeAt = now, now
	if a.Count >= addressAllowance {
		a.FreeAt = a.FirstAt + addressWindow.Microseconds()
	}
	return a
}

// limited is the error of an attempt that has to wait; nil when it need not.
func (a attempts) limited(now int64) error {
	wait := time.Duration(a.FreeAt-now) * time.Microsecond
	if wait <= 0 {
		return nil
	}
	seconds := int64((wait + time.Second - 1) / time.Second)
	in := fmt.Sprintf("%d seconds", seconds)
	if seconds == 1 {
		in = "a second"
	} else if seconds > 120 {
		in = fmt.Sprintf("%d minutes", (seconds+59)/60)
	}
	err := fault.New(fault.RateLimited, "there were too many attempts to sign in; try again in %s", in)
	err.Wait = wait
	return err
}

// mayTry is a look at the counters that writes nothing, so that attempts that have to wait cost next to nothing.
func (s *Service) mayTry(ctx context.Context, all ...counter) error {
	for _, c := range all {
		a, _, err := sqldb.One[attempts](ctx, s.Directory.DB.Read(), "SELECT count, first_at, last_at, free_at FROM sign_in_attempts WHERE key = $1", c.key)
		if err != nil {
			return err
		}
		if err := a.limited(s.micros()); err != nil {
			return err
		}
	}
	return nil
}

// try counts an attempt before it is made, whatever becomes of it, or says how long it has to wait. Attempts on the same
// account or address take turns here, on whatever replica they are, so that none gets in beyond the allowance.
func (s *Service) try(ctx context.Context, all ...counter) error {
	return s.Directory.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		for _, c := range all {
			a, _, err := sqldb.One[attempts](ctx, tx, `
				INSERT INTO sign_in_attempts AS a (key) VALUES ($1) ON CONFLICT (key) DO UPDATE SET count = a.count
				RETURNING count, first_at, last_at, free_at`, c.key)
			if err != nil {
				return fmt.Errorf("count the attempt: %w", err)
			}
			now := s.micros()
			if err := a.limited(now); err != nil {
				return err
			}
			a = c.more(a, now)
			if _, err := tx.ExecContext(ctx, "UPDATE sign_in_attempts SET count = $2, first_at = $3, last_at = $4, free_at = $5 WHERE key = $1",
				c.key, a.Count, a.FirstAt, a.LastAt, a.FreeAt); err != nil {
				return fmt.Errorf("count the attempt: %w", err)
			}
		}
		return nil
	})
}

// succeeded takes an attempt back that succeeded: from the address it alone, from the account all there were. An address
// is then below its allowance: nothing counts beyond it.
func succeeded(ctx context.Context, tx *sqldb.Tx, all [2]counter) error {
	if _, err := tx.ExecContext(ctx, "UPDATE sign_in_attempts SET count = count - 1, free_at = 0 WHERE key = $1 AND count > 0", all[0].key); err != nil {
		return err
	}
	return forgetAttempts(ctx, tx, all[1])
}

func forgetAttempts(ctx context.Context, tx *sqldb.Tx, account counter) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM sign_in_attempts WHERE key = $1", account.key)
	return err
}
