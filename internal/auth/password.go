package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Cost is what it takes to hash a password with argon2id.
type Cost struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
}

// DefaultCost is the first choice of OWASP's Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 thread; about 30 ms.
var DefaultCost = Cost{Memory: 19 << 10, Passes: 2, Threads: 1}

// Bytes of the salt and of the hash, as RFC 9106 recommends.
const (
	saltSize = 16
	hashSize = 32
)

// normal is the password as it is hashed: the same however a keyboard composes its characters (NIST SP 800-63B).
func normal(password string) []byte { return norm.NFKC.Bytes([]byte(password)) }

// encode hashes the password with a new salt, in the usual form: $argon2id$v=19$m=…,t=…,p=…$salt$hash.
func (c Cost) encode(password string) string {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	hash := argon2.IDKey(normal(password), salt, c.Passes, c.Memory, c.Threads, hashSize)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.Memory, c.Passes, c.Threads, b64.EncodeToString(salt), b64.EncodeToString(hash))
}

var errEncoded = errors.New("a stored password is not of the form that Muster writes")

// decode reads what encode wrote.
func decode(encoded string) (c Cost, salt, hash []byte, err error) {
	var version int
	var saltText, hashText string
	if _, err := fmt.Sscanf(encoded, "$argon2id$v=%d$m=%d,t=%d,p=%d$", &version, &c.Memory, &c.Passes, &c.Threads); err != nil || version != argon2.Version {
		return Cost{}, nil, nil, errEncoded
	}
	if parts := strings.Split(encoded, "$"); len(parts) == 6 {
		saltText, hashText = parts[4], parts[5]
	}
	salt, err = base64.RawStdEncoding.DecodeString(saltText)
	if err != nil || len(salt) < 8 || c.Passes == 0 || c.Threads == 0 {
		return Cost{}, nil, nil, errEncoded
	}
	hash, err = base64.RawStdEncoding.DecodeString(hashText)
	if err != nil || len(hash) < 16 {
		return Cost{}, nil, nil, errEncoded
	}
	return c, salt, hash, nil
}

// verify tells whether the password is the encoded one. It takes as long for a wrong one as for the right one.
func verify(encoded, password string) (bool, error) {
	c, salt, want, err := decode(encoded)
	if err != nil {
		return false, err
	}
	got := argon2.IDKey(normal(password), salt, c.Passes, c.Memory, c.Threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// outdated tells whether the encoded password costs less than a new one would.
func (c Cost) outdated(encoded string) bool {
	have, _, _, err := decode(encoded)
	return err == nil && (have.Memory < c.Memory || have.Passes < c.Passes)
}

// hash runs fn, which hashes passwords, when a place is free: the memory that all of them take together is bounded.
func (s *Service) hash(ctx context.Context, fn func() error) error {
	select {
	case s.hashing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.hashing }()
	return fn()
}

// encode is [Cost.encode] when a place is free.
func (s *Service) encode(ctx context.Context, password string) (encoded string, err error) {
	err = s.hash(ctx, func() error {
		encoded = s.Cost.encode(password)
		return nil
	})
	return encoded, err
}
