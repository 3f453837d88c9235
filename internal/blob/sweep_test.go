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
	"muster/internal/fault"
)

// A sweep sets aside what nobody wants any more, but nothing that was put just now, the second time included; an hour
// later it is removed, or comes back.
func TestSweep(t *testing.T) {
	t.Parallel()
	shelves(t, func(t *testing.T, s *shelf) {
		var wanted, old, again, back string
		s.hoursAgo(t, 2, func() {
			wanted, old, again, back = put(t, s, "wanted"), put(t, s, "old"), put(t, s, "again"), put(t, s, "back")
		})
		put(t, s, "again")
		young := put(t, s, "young")
		for _, step := range []struct {
			hours, removed int
			keep           blob.Keep
			names          []string
		}{
			{0, 0, keeping(wanted), []string{wanted, again, young, "-" + old, "-" + back}},
			{0, 0, keeping(wanted), []string{wanted, again, young, "-" + old, "-" + back}},
			{1, 1, keeping(wanted, again, young, back), []string{wanted, again, young, back}},
			{2, 0, keeping(wanted), []string{wanted, "-" + again, "-" + young, "-" + back}},
			{3, 3, keeping(wanted), []string{wanted}},
		} {
			slices.Sort(step.names)
			if removed, names := sweep(t, s, step.hours, step.keep), s.names(t); removed != step.removed || !slices.Equal(names, step.names) {
				t.Errorf("after %d hours: removed %d, left\n%q, want %d,\n%q", step.hours, removed, names, step.removed, step.names)
			}
		}
		if read(t, s, wanted) != "wanted" {
			t.Error("what was wanted is another now")
		}
	})
}

// Nobody loses a blob that they put while a sweep runs, however late; nor does a process that dies between putting it and
// writing down that it is wanted leave more than the next sweep takes.
func TestSweepWhileSomebodyPuts(t *testing.T) {
	t.Parallel()
	shelves(t, func(t *testing.T, s *shelf) {
		var given, wanted string
		s.hoursAgo(t, 2, func() { given, wanted = put(t, s, "given again"), put(t, s, "wanted") })
		removed := sweep(t, s, 0, func(ctx context.Context, hashes []string) (map[string]bool, error) {
			answer, err := keeping(wanted)(ctx, hashes)
			put(t, s, "given again") // after the question, before the sweep acts
			return answer, err
		})
		if removed != 0 || read(t, s, given) != "given again" {
			t.Fatalf("removed %d", removed)
		}
		// It was put, and nobody read it meanwhile.
		s.hoursAgo(t, 2, func() { put(t, s, "other") })
		other := hashOf("other")
		sweep(t, s, 0, func(ctx context.Context, hashes []string) (map[string]bool, error) {
			put(t, s, "other")
			return map[string]bool{given: true, wanted: true}, nil
		})
		if sweep(t, s, 1, keeping(given, wanted, other)) != 0 || read(t, s, other) != "other" {
			t.Error("what was put while it was set aside is gone")
		}
		// Set aside, and wanted an hour later: not at the moment when it is removed, but by then put once more.
		sweep(t, s, 2, keeping(wanted))
		put(t, s, "other")
		if n := sweep(t, s, 3, keeping(wanted)); n == 0 || read(t, s, other) != "other" {
			t.Errorf("removed %d, and what was put meanwhile with it", n)
		}
		if n := sweep(t, s, 4, keeping(wanted)) + sweep(t, s, 5, keeping(wanted)); n == 0 || !slices.Equal(s.names(t), []string{wanted}) {
			t.Errorf("what nobody wrote down stays: %v", s.names(t))
		}
	})
}

// As long as nobody knows what is wanted, nothing goes.
func TestSweepUnsure(t *testing.T) {
	t.Parallel()
	shelves(t, func(t *testing.T, s *shelf) {
		if removed := sweep(t, s, 0, nil); removed != 0 {
			t.Errorf("nothing there, and %d removed", removed)
		}
		put(t, s, "a")
		unsure := func(context.Context, []string) (map[string]bool, error) { return nil, errBroken }
		s.clock(2 * time.Hour)
		if _, err := s.Sweep(context.Background(), time.Now().Add(2*time.Hour), unsure); !errors.Is(err, errBroken) {
			t.Errorf("nobody knows what is wanted: %v", err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := s.Sweep(ctx, time.Now().Add(2*time.Hour), keeping()); !errors.Is(err, context.Canceled) {
			t.Errorf("a sweep that is ended: %v", err)
		}
		if names := s.names(t); len(names) != 1 || names[0] != hashOf("a") {
			t.Errorf("left: %v", names)
		}
	})
}

// What an upload that died left on the disk goes, and a blob that a sweep was setting aside when it died is found.
func TestSweepAfterACrash(t *testing.T) {
	t.Parallel()
	d := &blob.Disk{Dir: t.TempDir()}
	hash := put(t, d, "torn")
	past := time.Now().Add(-2 * time.Hour)
	torn := filepath.Join(d.Dir, "incoming-123")
	if err := errors.Join(os.WriteFile(torn, []byte("torn"), 0o600), os.Chtimes(torn, past, past), os.Mkdir(filepath.Join(d.Dir, "leaving"), 0o700),
		os.Rename(filepath.Join(d.Dir, hash[:2], hash), filepath.Join(d.Dir, "leaving", "-"+hash))); err != nil {
		t.Fatal(err)
	}
	if n, err := d.Sweep(context.Background(), time.Now(), keeping()); n != 1 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	if read(t, d, hash) != "torn" || !slices.Equal(files(t, d.Dir), []string{hash}) {
		t.Errorf("left: %v", files(t, d.Dir))
	}
	if err := os.Remove(filepath.Join(d.Dir, hash[:2], hash)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Open(context.Background(), hash); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
}

// Two sweeps at once: what the one has just set aside, the other, which saw it there from an hour ago, does not remove.
func TestSweepsMeet(t *testing.T) {
	t.Parallel()
	shelves(t, func(t *testing.T, s *shelf) {
		s.hoursAgo(t, 2, func() { put(t, s, "x") })
		sweep(t, s, 0, keeping())
		met := false
		removed := sweep(t, s, 2, func(context.Context, []string) (map[string]bool, error) {
			if !met {
				met = true
				s.clock(0)
				put(t, s, "x")
				sweep(t, s, 2, keeping())
				s.clock(2 * time.Hour)
			}
			return nil, nil
		})
		if !met || removed != 0 || !slices.Equal(s.names(t), []string{"-" + hashOf("x")}) {
			t.Errorf("removed %d, left %v", removed, s.names(t))
		}
	})
}
