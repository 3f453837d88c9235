package blob_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"muster/internal/blob"
)

// What somebody else put into the directory stays, however old, and a folder that may not be read keeps no sweep from its end.
func TestSweepLeavesWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	d := &blob.Disk{Dir: t.TempDir()}
	put(t, d, "unwanted")
	past := time.Now().Add(-2 * time.Hour)
	theirs := []string{filepath.Join("lost+found", "incoming-1"), "README"}
	if err := os.Mkdir(filepath.Join(d.Dir, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range theirs {
		path := filepath.Join(d.Dir, name)
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chtimes(path, past, past)); err != nil {
			t.Fatal(err)
		}
	}
	for _, hours := range []time.Duration{2, 4} {
		if _, err := d.Sweep(context.Background(), time.Now().Add(hours*time.Hour), keeping()); err != nil {
			t.Fatal(err)
		}
	}
	if left := files(t, d.Dir); !slices.Equal(left, []string{"README", "incoming-1"}) {
		t.Errorf("left: %v", left)
	}
}
