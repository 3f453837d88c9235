// Package blobtest gives tests a blob store of each kind: one in a directory, and one in a bucket of an S3 service that
// runs in the test's own process.
package blobtest

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"muster/internal/blob"
)

// Each runs fn as a parallel subtest on a store of each kind.
func Each(t *testing.T, fn func(t *testing.T, s blob.Store)) {
	t.Run("disk", func(t *testing.T) {
		t.Parallel()
		fn(t, &blob.Disk{Dir: filepath.Join(t.TempDir(), "blobs")})
	})
	t.Run("s3", func(t *testing.T) {
		t.Parallel()
		fn(t, NewServer(t).Store(t))
	})
}

// Server is an S3 service with one empty bucket. It keeps objects in memory, and ends with the test.
type Server struct {
	// Address is the bucket's, as --blobs takes it.
	Address string
	// Env is the key, as the environment has it. The service takes any.
	Env []string
	// Backend is what the service has.
	Backend gofakes3.Backend

	ahead    atomic.Int64 // nanoseconds
	requests atomic.Int64
	mu       sync.Mutex
	answer   func(w http.ResponseWriter, r *http.Request) bool
}

// Bucket is the bucket's name, and Prefix what its address has behind that.
const (
	Bucket = "muster"
	Prefix = "kept/here/"
)

// NewServer starts a service.
func NewServer(t *testing.T) *Server {
	t.Helper()
	s := &Server{Env: []string{"AWS_ACCESS_KEY_ID=key-id", "AWS_SECRET_ACCESS_KEY=key-secret"}}
	s.Backend = s3mem.New(s3mem.WithTimeSource(s))
	fake := gofakes3.New(s.Backend, gofakes3.WithTimeSource(s), gofakes3.WithTimeSkewLimit(0)).Server()
	if err := s.Backend.CreateBucket(Bucket); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		s.mu.Lock()
		answer := s.answer
		s.mu.Unlock()
		if answer == nil || !answer(w, r) {
			fake.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	s.Address = "s3://" + Bucket + "/" + Prefix + "?endpoint=" + server.URL
	return s
}

// Store is a store in the bucket.
func (s *Server) Store(t *testing.T) *blob.S3 {
	t.Helper()
	a, err := blob.ParseS3(s.Address)
	if err != nil {
		t.Fatal(err)
	}
	store, err := blob.NewS3(a, func(name string) string {
		return map[string]string{"AWS_ACCESS_KEY_ID": "key-id", "AWS_SECRET_ACCESS_KEY": "key-secret"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// Answer lets fn answer requests; those of which it says no, or all where it is nil, the service answers itself.
func (s *Server) Answer(fn func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = fn
}

// Away makes the network fail: every connection ends without an answer. Answer(nil) brings it back.
func (s *Server) Away() {
	s.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.Close()
		}
		return true
	})
}

// Requests counts the requests so far.
func (s *Server) Requests() int64 { return s.requests.Load() }

// Advance sets the service's clock so far ahead of this machine's, behind where it is negative.
func (s *Server) Advance(d time.Duration) { s.ahead.Store(int64(d)) }

// Now is the service's clock.
func (s *Server) Now() time.Time {
	return time.Now().Add(time.Duration(s.ahead.Load())).In(time.FixedZone("GMT", 0))
}

// Since is a part of the service's clock.
func (s *Server) Since(t time.Time) time.Duration { return s.Now().Sub(t) }

// Keys are the names of all objects in the bucket, without the address's prefix where they have it.
func (s *Server) Keys(t *testing.T) (all []string) {
	t.Helper()
	list, err := s.Backend.ListBucket(Bucket, nil, gofakes3.ListBucketPage{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list.Contents {
		name := o.Key
		if len(name) > len(Prefix) && name[:len(Prefix)] == Prefix {
			name = name[len(Prefix):]
		}
		all = append(all, name)
	}
	return all
}
