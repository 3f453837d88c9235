package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"muster/internal/fault"
)

// Disk is a store in a directory: a file per blob, named by its SHA-256, in folders named by the first two digits. What
// a sweep sets aside is in the folder leaving, and what is only arriving has a name that begins with incoming. Nothing else there
// is touched.
type Disk struct {
	Dir string
}

const (
	incoming = "incoming-"
	leaving  = "leaving"
)

// Put implements [Store].
func (d *Disk) Put(ctx context.Context, r io.Reader, limit int64) (hash string, size int64, err error) {
	tmp, err := d.arrive()
	if err != nil {
		return "", 0, err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	sum := sha256.New()
	size, err = io.CopyBuffer(io.MultiWriter(tmp, sum), &contextReader{ctx, io.LimitReader(r, limit+1)}, make([]byte, 1<<20))
	if err != nil {
		return "", 0, d.cannot(err)
	}
	if size > limit {
		return "", 0, tooLarge(limit)
	}
	hash = hex.EncodeToString(sum.Sum(nil))
	if there, err := d.refresh(hash); err != nil || there {
		return hash, size, err
	}
	if err := tmp.Sync(); err != nil {
		return "", 0, d.cannot(err)
	}
	if err := d.settle([]string{tmp.Name()}, []string{hash}); err != nil {
		return "", 0, d.cannot(err)
	}
	return hash, size, nil
}

// PutAll implements [Store]. All that is new reaches the disk in one go, before the first of it gets its name.
func (d *Disk) PutAll(ctx context.Context, contents [][]byte) (hashes []string, err error) {
	hashes = make([]string, len(contents))
	var from, to []string
	defer func() {
		for _, name := range from {
			os.Remove(name)
		}
	}()
	var files []*os.File
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for i, content := range contents {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		hashes[i] = hashOf(content)
		if slices.Contains(hashes[:i], hashes[i]) {
			continue
		}
		there, err := d.refresh(hashes[i])
		if err != nil {
			return nil, err
		}
		if there {
			continue
		}
		tmp, err := d.arrive()
		if err != nil {
			return nil, err
		}
		files, from, to = append(files, tmp), append(from, tmp.Name()), append(to, hashes[i])
		if _, err := io.Copy(tmp, bytes.NewReader(content)); err != nil {
			return nil, d.cannot(err)
		}
	}
	if len(files) == 0 {
		return hashes, nil
	}
	if err := errors.Join(syncAll(files), d.settle(from, to)); err != nil {
		return nil, d.cannot(err)
	}
	return hashes, nil
}

func (d *Disk) cannot(err error) error {
	return fault.Wrap(fault.Unavailable, err, "the upload cannot be stored in %s", d.Dir)
}

func tooLarge(limit int64) error {
	return fault.New(fault.TooLarge, "the file is larger than the %d bytes allowed; split it", limit)
}

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// arrive makes a file for what is arriving.
func (d *Disk) arrive() (*os.File, error) {
	tmp, err := os.CreateTemp(d.Dir, incoming)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(d.Dir, 0o700); err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "the directory %s for uploads cannot be made", d.Dir)
		}
		tmp, err = os.CreateTemp(d.Dir, incoming)
	}
	if err != nil {
		return nil, d.cannot(err)
	}
	return tmp, nil
}

// refresh makes a blob that is there young again, and tells whether it is there. Should a sweep have taken its name
// just before the time was set, then the second look finds nothing.
func (d *Disk) refresh(hash string) (there bool, err error) {
	now := time.Now()
	err = os.Chtimes(d.path(hash), now, now)
	if err == nil {
		_, err = os.Stat(d.path(hash))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, d.cannot(err)
	}
	return true, nil
}

// settle gives files that are on the disk the names of their blobs, and makes these durable.
func (d *Disk) settle(from, to []string) error {
	dirs := map[string]bool{}
	for i, hash := range to {
		dir := filepath.Dir(d.path(hash))
		err := os.Rename(from[i], d.path(hash))
		if errors.Is(err, fs.ErrNotExist) {
			dirs[d.Dir] = true
			if err = os.MkdirAll(dir, 0o700); err == nil {
				err = os.Rename(from[i], d.path(hash))
			}
		}
		if err != nil {
			return err
		}
		dirs[dir] = true
	}
	var open []*os.File
	defer func() {
		for _, f := range open {
			f.Close()
		}
	}()
	for dir := range dirs {
		f, err := os.Open(dir)
		if err != nil {
			return err
		}
		open = append(open, f)
	}
	return syncAll(open)
}

// syncers is how many files are synced side by side: a journalling file system writes those that meet as one.
const syncers = 32

func syncAll(files []*os.File) error {
	errs := make([]error, len(files))
	var all sync.WaitGroup
	places := make(chan struct{}, syncers)
	for i, f := range files {
		places <- struct{}{}
		all.Go(func() {
			errs[i] = f.Sync()
			<-places
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// Open implements [Store]. What a sweep has set aside comes back: somebody wants it.
func (d *Disk) Open(_ context.Context, hash string) (*File, error) {
	f, err := os.Open(d.path(hash))
	if errors.Is(err, fs.ErrNotExist) && os.Rename(d.aside(hash), d.path(hash)) == nil {
		f, err = os.Open(d.path(hash))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "the stored file %.12s… is not in %s; was it put there with another --data-dir?", hash, d.Dir)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the stored file %.12s… in %s cannot be read", hash, d.Dir)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &File{content: f, Size: info.Size()}, nil
}

// path is where a blob is.
func (d *Disk) path(hash string) string {
	if len(hash) < 2 {
		return filepath.Join(d.Dir, "none", "none")
	}
	return filepath.Join(d.Dir, hash[:2], hash)
}

// aside is where a blob is after a sweep has set it aside.
func (d *Disk) aside(hash string) string { return filepath.Join(d.Dir, leaving, "-"+hash) }

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
