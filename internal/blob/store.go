// Package blob keeps files by the hash of their content, on disk or in an S3-compatible store: what is put twice is
// kept once, and what was put never changes. It knows nothing of what the files are.
//
// Nobody counts references. A sweep asks whoever knows which blobs are wanted, and lets those go that nobody put within
// the last hour: in that time whoever puts a blob must have written down that it is wanted. A blob that goes is set
// aside first, and only the next sweep, an hour later at the earliest, removes it. So whoever put it again at the very
// moment finds it.
package blob

import (
	"context"
	"io"
	"time"
)

// Young is how long a blob that was put stays, wanted or not, and how long one that was set aside can still come back.
const Young = time.Hour

// Keep tells which of some blobs are wanted. It is asked for [keepBlock] of them at most.
type Keep func(ctx context.Context, hashes []string) (wanted map[string]bool, err error)

// keepBlock is how many blobs one question is about.
const keepBlock = 1000

// Store is a place for blobs: [Disk] or [S3]. A fault that can pass (network, full disk) is of kind Unavailable.
type Store interface {
	// Put stores what r yields and returns its hash (SHA-256, lower-case hex) and size in bytes. It is durable when Put
	// returns. More than limit bytes are refused with kind TooLarge, and nothing stays behind. Memory does not grow with
	// the size.
	Put(ctx context.Context, r io.Reader, limit int64) (hash string, size int64, err error)
	// PutAll stores many small blobs and returns their hashes, in order. All are durable when it returns; after an error
	// some may be there.
	PutAll(ctx context.Context, contents [][]byte) (hashes []string, err error)
	// Open opens a blob for reading at any place; ctx governs all reads. A blob that is not there is of kind NotFound.
	Open(ctx context.Context, hash string) (*File, error)
	// Sweep lets go of the blobs that keep does not want and that nobody put within the last hour, and removes those that
	// were set aside more than an hour ago and are still not wanted. It returns how many it removed.
	Sweep(ctx context.Context, now time.Time, keep Keep) (removed int, err error)
}

// File is an open blob. ReadAt may be called from several goroutines at once.
type File struct {
	content
	Size int64 // bytes
}

type content interface {
	io.Reader
	io.ReaderAt
	io.Seeker
	io.Closer
}
