package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"muster/internal/blob"
	"muster/internal/fault"
)

func put(t *testing.T, d *blob.Disk, content string) string {
	t.Helper()
	hash, size, err := d.Put(context.Background(), bytes.NewReader([]byte(content)), 1000)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(content))
	if hash != hex.EncodeToString(sum[:]) || size != int64(len(content)) {
		t.Fatalf("%q is stored as %s with %d bytes", content, hash, size)
	}
	return hash
}

func read(t *testing.T, d *blob.Disk, hash string) string {
	t.Helper()
	f, err := d.Open(hash)
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

// files are the names of all files of the store.
func files(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, e.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPutAndOpen(t *testing.T) {
	t.Parallel()
	d := &blob.Disk{Dir: filepath.Join(t.TempDir(), "not", "yet", "there")}
	a, empty := put(t, d, "some users"), put(t, d, "")
	if again := put(t, d, "some users"); again != a {
		t.Errorf("the same content is %s, then %s", a, again)
	}
	if read(t, d, a) != "some users" || read(t, d, empty) != "" {
		t.Error("what comes back is something else")
	}
	if all := files(t, d.Dir); len(all) != 2 {
		t.Errorf("two blobs are in the files %v", all)
	}
}

func TestOpenNothing(t *testing.T) {
	t.Parallel()
	d := &blob.Disk{Dir: t.TempDir()}
	for _, hash := range []string{"", "a", "abcdef"} {
		if _, err := d.Open(hash); fault.KindOf(err) != fault.NotFound {
			t.Errorf("blob %q: %v", hash, err)
		}
	}
}

// What is refused, or breaks off, leaves nothing behind.
func TestLimit(t *testing.T) {
	t.Parallel()
	d := &blob.Disk{Dir: t.TempDir()}
	if _, _, err := d.Put(context.Background(), bytes.NewReader(make([]byte, 11)), 10); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("a byte too many: %v", err)
	}
	if _, size, err := d.Put(context.Background(), bytes.NewReader(make([]byte, 10)), 10); err != nil || size != 10 {
		t.Errorf("just so many: %d, %v", size, err)
	}
	broken := io.MultiReader(bytes.NewReader(make([]byte, 5)), failing{})
	if _, _, err := d.Put(context.Background(), broken, 10); !errors.Is(err, errBroken) {
		t.Errorf("a broken upload: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := d.Put(ctx, bytes.NewReader([]byte("x")), 10); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled upload: %v", err)
	}
	if all := files(t, d.Dir); len(all) != 1 {
		t.Errorf("left behind: %v", all)
	}
}

var errBroken = errors.New("broken")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

// A sweep takes what nobody wants any more, what an upload that died left too, but nothing that was put just now,
// the second time included.
func TestSweep(t *testing.T) {
	t.Parallel()
	d := &blob.Disk{Dir: t.TempDir()}
	wanted, old, again, young := put(t, d, "wanted"), put(t, d, "old"), put(t, d, "again"), put(t, d, "young")
	torn := filepath.Join(d.Dir, "incoming-123")
	if err := os.WriteFile(torn, []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-2 * time.Hour)
	for _, path := range []string{torn, filepath.Join(d.Dir, wanted[:2], wanted), filepath.Join(d.Dir, old[:2], old), filepath.Join(d.Dir, again[:2], again)} {
		if err := os.Chtimes(path, past, past); err != nil {
			t.Fatal(err)
		}
	}
	put(t, d, "again")
	keep := func(hash string) (bool, error) { return hash == wanted, nil }
	removed, err := d.Sweep(context.Background(), time.Now(), keep)
	left, want := files(t, d.Dir), []string{wanted, again, young}
	slices.Sort(left)
	slices.Sort(want)
	if err != nil || removed != 2 || !slices.Equal(left, want) {
		t.Errorf("removed %d (%v), left %v, want %v", removed, err, left, want)
	}
	if _, err := d.Sweep(context.Background(), time.Now().Add(2*time.Hour), func(string) (bool, error) { return false, errBroken }); !errors.Is(err, errBroken) {
		t.Errorf("nobody knows what is wanted: %v", err)
	}
	if len(files(t, d.Dir)) != 3 {
		t.Error("something was removed although nobody knew whether it is wanted")
	}
}

func TestSweepNothing(t *testing.T) {
	t.Parallel()
	d := &blob.Disk{Dir: filepath.Join(t.TempDir(), "not there")}
	if removed, err := d.Sweep(context.Background(), time.Now(), nil); removed != 0 || err != nil {
		t.Errorf("%d, %v", removed, err)
	}
}
