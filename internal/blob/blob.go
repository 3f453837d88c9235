// Package blob keeps files by the hash of their content, on disk: what is put twice is kept once, and what was put
// never changes. It knows nothing of what the files are.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"muster/internal/fault"
)

// Disk is a store in a directory: a file per blob, named by its SHA-256, in folders named by the first two digits.
type Disk struct {
	Dir string
}

// File is an open blob.
type File struct {
	*os.File
	Size int64 // bytes
}

// Put stores what r yields and returns its hash (lower-case hex) and size in bytes. It is durable when Put returns.
// More than limit bytes are refused with kind TooLarge, and nothing stays behind.
func (d *Disk) Put(ctx context.Context, r io.Reader, limit int64) (hash string, size int64, err error) {
	if err := os.MkdirAll(d.Dir, 0o700); err != nil {
		return "", 0, fault.Wrap(fault.Unavailable, err, "the directory %s for uploads cannot be made", d.Dir)
	}
	tmp, err := os.CreateTemp(d.Dir, "incoming-*")
	if err != nil {
		return "", 0, fault.Wrap(fault.Unavailable, err, "the upload cannot be stored in %s", d.Dir)
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	sum := sha256.New()
	size, err = io.CopyBuffer(io.MultiWriter(tmp, sum), &contextReader{ctx, io.LimitReader(r, limit+1)}, make([]byte, 1<<20))
	if err != nil {
		return "", 0, fault.Wrap(fault.Unavailable, err, "the upload cannot be stored in %s", d.Dir)
	}
	if size > limit {
		return "", 0, fault.New(fault.TooLarge, "the file is larger than the %d bytes allowed; split it", limit)
	}
	hash = hex.EncodeToString(sum.Sum(nil))
	path := d.path(hash)
	if _, err := os.Stat(path); err == nil {
		// Its time is its last use: a sweep leaves alone what is young.
		now := time.Now()
		return hash, size, os.Chtimes(path, now, now)
	}
	if err := d.settle(tmp, path); err != nil {
		return "", 0, fault.Wrap(fault.Unavailable, err, "the upload cannot be stored in %s", d.Dir)
	}
	return hash, size, nil
}

// settle makes the temporary file durable under its final name.
func (d *Disk) settle(tmp *os.File, path string) error {
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// Open opens a blob for reading at any place. A blob that is not there is of kind NotFound.
func (d *Disk) Open(hash string) (*File, error) {
	f, err := os.Open(d.path(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "the stored file %.12s… is not in %s; was it put there with another --data-dir?", hash, d.Dir)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &File{File: f, Size: info.Size()}, nil
}

// Sweep removes the blobs that keep does not want and that nobody put within the last hour, and returns how many.
// The hour protects one whose owner is not yet in the database.
func (d *Disk) Sweep(ctx context.Context, now time.Time, keep func(hash string) (bool, error)) (removed int, err error) {
	err = filepath.WalkDir(d.Dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() {
			return errors.Join(err, ctx.Err())
		}
		info, err := entry.Info()
		if err != nil || now.Sub(info.ModTime()) < time.Hour {
			return err
		}
		if len(entry.Name()) == 2*sha256.Size {
			if wanted, err := keep(entry.Name()); err != nil || wanted {
				return err
			}
		}
		removed++
		return os.Remove(path)
	})
	return removed, err
}

func (d *Disk) path(hash string) string {
	if len(hash) < 2 {
		return filepath.Join(d.Dir, "none")
	}
	return filepath.Join(d.Dir, hash[:2], hash)
}

// contextReader ends a long copy when its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
