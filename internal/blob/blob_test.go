package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/blob"
	"muster/internal/blob/blobtest"
	"muster/internal/fault"
)

// shelf is a store, and what the tests must know of it beside.
type shelf struct {
	blob.Store
	// hoursAgo does something as if that long ago.
	hoursAgo func(t *testing.T, hours int, do func())
	// clock sets the store's own clock so far ahead, where it has one.
	clock func(ahead time.Duration)
	// names are those of all that is in it, in order.
	names func(t *testing.T) []string
}

// shelves runs fn on a store of each kind.
func shelves(t *testing.T, fn func(t *testing.T, s *shelf)) {
	t.Run("disk", func(t *testing.T) {
		t.Parallel()
		d := &blob.Disk{Dir: filepath.Join(t.TempDir(), "not", "yet", "there")}
		fn(t, &shelf{Store: d, clock: func(time.Duration) {}, names: func(t *testing.T) []string { return files(t, d.Dir) }, hoursAgo: func(t *testing.T, hours int, do func()) {
			before := files(t, d.Dir)
			do()
			past := time.Now().Add(-time.Duration(hours) * time.Hour)
			walk(t, d.Dir, func(path, name string) {
				if !slices.Contains(before, name) {
					if err := os.Chtimes(path, past, past); err != nil {
						t.Fatal(err)
					}
				}
			})
		}})
	})
	t.Run("s3", func(t *testing.T) {
		t.Parallel()
		server := blobtest.NewServer(t)
		fn(t, &shelf{Store: server.Store(t), clock: server.Advance, hoursAgo: func(t *testing.T, hours int, do func()) {
			server.Advance(-time.Duration(hours) * time.Hour)
			do()
			server.Advance(0)
		}, names: func(t *testing.T) (all []string) {
			for _, name := range server.Keys(t) {
				all = append(all, name[strings.LastIndexByte(name, '/')+1:])
			}
			slices.Sort(all)
			return all
		}})
	})
}

func walk(t *testing.T, dir string, fn func(path, name string)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err == nil && !e.IsDir() {
			fn(path, e.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func files(t *testing.T, dir string) (all []string) {
	t.Helper()
	walk(t, dir, func(_, name string) { all = append(all, name) })
	slices.Sort(all)
	return all
}

func hashOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

func put(t *testing.T, s blob.Store, content string) string {
	t.Helper()
	hash, size, err := s.Put(context.Background(), strings.NewReader(content), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	if hash != hashOf(content) || size != int64(len(content)) {
		t.Fatalf("%d bytes are stored as %s with %d bytes", len(content), hash, size)
	}
	return hash
}

func read(t *testing.T, s blob.Store, hash string) string {
	t.Helper()
	f, err := s.Open(context.Background(), hash)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil || f.Size != int64(len(content)) {
		t.Fatalf("%d bytes, and it says %d: %v", len(content), f.Size, err)
	}
	return string(content)
}

func random(size int) string {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{byte(size)}).Read(b)
	return string(b)
}

func TestPutAndOpen(t *testing.T) {
	t.Parallel()
	shelves(t, func(t *testing.T, s *shelf) {
		for _, content := range []string{"some users", "", random(8 << 20), random(8<<20 + 1), random(17<<20 + 7)} {
			hash := put(t, s, content)
			if again := put(t, s, content); again != hash || read(t, s, hash) != content {
				t.Errorf("%d bytes are not what comes back", len(content))
			}
		}
		if all := s.names(t); len(all) != 5 {
			t.Errorf("five blobs are in the files %v", all)
		}
	})
}

func TestOpenNothing(t *testing.T) {
	t.Parallel()
	shelves(t, func(t *testing.T, s *shelf) {
		for _, hash := range []string{"", "a", "abcdef", "../secret", hashOf("nothing")} {
			if _, err := s.Open(context.Background(), hash); fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "is not in") {
				t.Errorf("blob %q: %v", hash, err)
			}
		}
	})
}

// What is refused, or breaks off, leaves nothing behind; neither does it after some parts have been sent.
func TestLimit(t *testing.T) {
	t.Parallel()
	shelves(t, func(t *testing.T, s *shelf) {
		for _, limit := range []int{10, 17 << 20} {
			if _, _, err := s.Put(context.Background(), bytes.NewReader(make([]byte, limit+1)), int64(limit)); fault.KindOf(err) != fault.TooLarge {
				t.Errorf("a byte more than %d: %v", limit, err)
			}
			broken := io.MultiReader(bytes.NewReader(make([]byte, limit)), failing{})
			if _, _, err := s.Put(context.Background(), broken, int64(limit)); !errors.Is(err, errBroken) {
				t.Errorf("a broken upload: %v", err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			stopping := io.MultiReader(bytes.NewReader(make([]byte, limit-1)), readerFunc(func([]byte) (int, error) { cancel(); return 0, nil }), strings.NewReader("x"))
			if _, _, err := s.Put(ctx, stopping, int64(limit)); !errors.Is(err, context.Canceled) {
				t.Errorf("a cancelled upload: %v", err)
			}
			if all := s.names(t); len(all) != 0 {
				t.Errorf("left behind: %v", all)
			}
			if _, err := s.PutAll(ctx, [][]byte{[]byte("x")}); !errors.Is(err, context.Canceled) {
				t.Errorf("a cancelled upload of many: %v", err)
			}
		}
		if _, size, err := s.Put(context.Background(), bytes.NewReader(make([]byte, 10)), 10); err != nil || size != 10 {
			t.Errorf("just so many: %d, %v", size, err)
		}
	})
}

var errBroken = errors.New("broken")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Many small ones at once: each once, whatever was there, and those who put at the same time do not disturb each other.
func TestPutAll(t *testing.T) {
	t.Parallel()
	shelves(t, func(t *testing.T, s *shelf) {
		put(t, s, "there")
		contents := [][]byte{[]byte("there"), []byte("twice"), {}, []byte("twice")}
		for i := range 100 {
			contents = append(contents, []byte(random(1000+i)))
		}
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				hashes, err := s.PutAll(context.Background(), contents)
				if err != nil || len(hashes) != len(contents) {
					t.Errorf("%d hashes, %v", len(hashes), err)
					return
				}
				for i, content := range contents {
					if hashes[i] != hashOf(string(content)) {
						t.Errorf("%d: the hash is %s", i, hashes[i])
					}
				}
			})
		}
		all.Wait()
		for _, content := range contents {
			if read(t, s, hashOf(string(content))) != string(content) {
				t.Errorf("%d bytes are not what comes back", len(content))
			}
		}
		if names := s.names(t); len(names) != 103 {
			t.Errorf("103 blobs are %d files", len(names))
		}
		if hashes, err := s.PutAll(context.Background(), nil); len(hashes) != 0 || err != nil {
			t.Errorf("none: %v, %v", hashes, err)
		}
	})
}

// Whatever part of a blob is read, from several places at once, is that part.
func TestReadAt(t *testing.T) {
	t.Parallel()
	shelves(t, func(t *testing.T, s *shelf) {
		content := random(9<<20 + 12345)
		f, err := s.Open(context.Background(), put(t, s, content))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var all sync.WaitGroup
		for seed := range uint64(4) {
			all.Go(func() {
				r := rand.New(rand.NewPCG(seed, 1))
				for range 100 {
					off, n := r.IntN(len(content)), r.IntN(1<<uint(r.IntN(22)))
					p := make([]byte, n)
					got, err := f.ReadAt(p, int64(off))
					want := content[off:min(off+n, len(content))]
					if string(p[:got]) != want || (err == io.EOF) != (off+n > len(content)) || err != nil && err != io.EOF {
						t.Errorf("%d bytes from %d: %d bytes, %v", n, off, got, err)
					}
				}
			})
		}
		all.Wait()
		for _, step := range []struct {
			offset int64
			whence int
			at     int
		}{{5, io.SeekStart, 5}, {1 << 20, io.SeekCurrent, 15 + 1<<20}, {-10, io.SeekEnd, len(content) - 10}} {
			at, err := f.Seek(step.offset, step.whence)
			p := make([]byte, 10)
			if _, rerr := io.ReadFull(f, p); at != int64(step.at) || err != nil || rerr != nil || string(p) != content[step.at:step.at+10] {
				t.Errorf("seek %d from %d leads to %d: %v, %v", step.offset, step.whence, at, err, rerr)
			}
		}
		if n, err := f.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("behind the end: %d, %v", n, err)
		}
		if n, err := f.ReadAt(make([]byte, 1), f.Size+5); n != 0 || err != io.EOF {
			t.Errorf("far behind the end: %d, %v", n, err)
		}
	})
}

func keeping(hashes ...string) blob.Keep {
	return func(_ context.Context, all []string) (map[string]bool, error) {
		wanted := map[string]bool{}
		for _, hash := range hashes {
			wanted[hash] = true
		}
		return wanted, nil
	}
}

func sweep(t *testing.T, s *shelf, hours int, keep blob.Keep) int {
	t.Helper()
	ahead := time.Duration(hours) * time.Hour
	s.clock(ahead)
	removed, err := s.Sweep(context.Background(), time.Now().Add(ahead), keep)
	if s.clock(0); err != nil {
		t.Fatal(err)
	}
	return removed
}
