package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"muster/internal/sqldb"
)

// Pictures is what imports of profile pictures take, beside vipsthumbnail making the same square pictures of the same files.
type Pictures struct {
	Vips     string          `json:"vips"` // its version
	Small    PictureTurn     `json:"small"`
	Large    PictureTurn     `json:"large"`
	Matching PictureMatching `json:"matching"`
}

// PictureTurn is one import of pictures, and vipsthumbnail's turn at them.
type PictureTurn struct {
	Pictures int      `json:"pictures"`
	Width    int      `json:"width"` // of each, in pixels
	Height   int      `json:"height"`
	Bytes    int64    `json:"bytes"` // of all files
	Import   Measured `json:"import"`
	Vips     float64  `json:"vips_seconds"`
}

// PictureMatching is the preview of a ZIP with many entries. Times are seconds.
type PictureMatching struct {
	Entries int      `json:"entries"`
	Bytes   int64    `json:"bytes"`
	Freeze  float64  `json:"freeze_seconds"` // until the ZIP is stored, and the batch there
	Match   float64  `json:"match_seconds"`  // from then on, until all names are matched
	Preview Measured `json:"preview"`
}

// What is aimed at, for 10,000 pictures of 800 × 800, and for a ZIP of 100,000 entries and 5 GB.
const (
	pictureRatio  = 0.35  // of vipsthumbnail's pictures a second
	pictureRate   = 60.0  // pictures a second
	pictureMemory = 500e6 // bytes
	matchingTime  = 30.0  // seconds

	aimedPictures = 10_000
	entryBytes    = 50_000 // of each entry of the ZIP that is only matched
)

// pictures measures imports of pictures into a directory that has the users of one input.
func (b *bench) pictures(ctx context.Context, s store) (_ *Pictures, err error) {
	small := b.smallPictures()
	out := &Pictures{}
	if out.Vips, err = vipsVersion(ctx); err != nil {
		return nil, err
	}
	lanIDs, err := b.lanIDs(ctx, s, small*10)
	if err != nil {
		return nil, err
	}
	small = min(small, len(lanIDs)/10) // as many users as the guard lets through without a question
	if out.Small, err = b.pictureTurn(ctx, s, "small", lanIDs[:small], 800, 800); err != nil {
		return nil, fmt.Errorf("small ones: %w", err)
	}
	if out.Large, err = b.pictureTurn(ctx, s, "large", lanIDs[:max(1, small/50)], 4000, 3000); err != nil {
		return nil, fmt.Errorf("large ones: %w", err)
	}
	if out.Matching, err = b.matching(ctx, s, lanIDs); err != nil {
		return nil, fmt.Errorf("the matching: %w", err)
	}
	return out, nil
}

// smallPictures is how many small ones are measured.
func (b *bench) smallPictures() int { return cmp.Or(b.Pictures, aimedPictures) }

// lanIDs are those of so many users, or of all.
func (b *bench) lanIDs(ctx context.Context, s store, n int) (all []string, err error) {
	err = b.on(ctx, s, baseSnapshot, func(p place) error {
		db, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer db.Close()
		all, err = sqldb.All[string](ctx, db.Read(), "SELECT lan_id FROM users ORDER BY id LIMIT $1", n)
		return err
	})
	return all, err
}

// pictureTurn makes pictures and gives them to both.
func (b *bench) pictureTurn(ctx context.Context, s store, what string, lanIDs []string, width, height int) (t PictureTurn, err error) {
	b.say("%s: making %d pictures of %d × %d", s.engine(), len(lanIDs), width, height)
	files, err := b.makePictures(ctx, what, lanIDs, width, height)
	if err != nil {
		return t, err
	}
	defer files.remove()
	t = PictureTurn{Pictures: len(lanIDs), Width: width, Height: height, Bytes: files.bytes}
	if err := s.settle(ctx); err != nil {
		return t, err
	}
	if t.Vips, err = files.byVips(ctx); err != nil {
		return t, err
	}
	err = b.on(ctx, s, baseSnapshot, func(p place) error {
		if err := s.settle(ctx); err != nil {
			return err
		}
		stdout, m, err := b.muster(ctx, p, "import", "pictures", "--data-dir", p.dir, "--match", "lan-id", "--yes", "--json", "--rows", "none", files.zip)
		if err != nil {
			return err
		}
		t.Import = m
		return expectPictures(stdout, "done", len(lanIDs), 0)
	})
	b.say("%s: import %.1f s (%.0f pictures/s, %.0f MB), vipsthumbnail %.1f s", s.engine(), t.Import.Seconds, t.rate(), float64(t.Import.Peak)/1e6, t.Vips)
	return t, err
}

func (t *PictureTurn) rate() float64     { return float64(t.Pictures) / t.Import.Seconds }
func (t *PictureTurn) vipsRate() float64 { return float64(t.Pictures) / t.Vips }

// expectPictures fails unless the import is in the state, with so many pictures taken and so many not.
func expectPictures(stdout []byte, state string, inserted, invalid int) error {
	var o outcome
	if err := json.Unmarshal(stdout, &o); err != nil {
		return fmt.Errorf("read what the import says: %w", err)
	}
	if o.State != state || o.Counts.Inserted != inserted || o.Counts.Invalid != invalid {
		return fmt.Errorf("the import says %s, not %s with %d inserted and %d invalid", stdout, state, inserted, invalid)
	}
	return nil
}

// matching previews a ZIP whose entries are the names of users and nothing but zeros.
func (b *bench) matching(ctx context.Context, s store, lanIDs []string) (m PictureMatching, err error) {
	b.say("%s: matching %d names", s.engine(), len(lanIDs))
	zip := filepath.Join(b.scratch, "pictures", "matching.zip")
	if err := writeEmptyPictures(zip, lanIDs, entryBytes); err != nil {
		return m, err
	}
	defer os.Remove(zip)
	info, err := os.Stat(zip)
	if err != nil {
		return m, err
	}
	m = PictureMatching{Entries: len(lanIDs), Bytes: info.Size()}
	err = b.on(ctx, s, baseSnapshot, func(p place) error {
		if err := s.settle(ctx); err != nil {
			return err
		}
		watched := watchMatching(ctx, p, &m)
		stdout, measured, err := b.muster(ctx, p, "import", "pictures", "--data-dir", p.dir, "--match", "lan-id", "--preview", "--json", "--rows", "none", zip)
		m.Preview = measured
		if err := errors.Join(err, watched()); err != nil {
			return err
		}
		return expectPictures(stdout, "ready", 0, len(lanIDs))
	})
	b.say("%s: %d names matched within %.1f s, after %.1f s for %.1f GB", s.engine(), m.Entries, m.Match, m.Freeze, float64(m.Bytes)/1e9)
	return m, err
}

// watchMatching looks, from another process, when the first batch is there and when its names are matched. What it returns waits
// for it.
func watchMatching(ctx context.Context, p place, m *PictureMatching) func() error {
	ended, over := make(chan struct{}), make(chan error, 1)
	go func() { over <- m.watch(ctx, p, ended) }()
	return func() error {
		close(ended)
		return <-over
	}
}

func (m *PictureMatching) watch(ctx context.Context, p place, ended chan struct{}) error {
	db, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	type batch struct{ State, Phase string }
	began := time.Now()
	for tick := time.Tick(20 * time.Millisecond); ; {
		last := false
		select {
		case <-tick:
		case <-ended:
			last = true
		}
		now, found, err := sqldb.One[batch](ctx, db.Read(), "SELECT state, phase FROM batches WHERE action = 'import-pictures'")
		if err != nil {
			return err
		}
		if found && m.Freeze == 0 {
			m.Freeze = time.Since(began).Seconds()
		}
		if found && (now.Phase == "looking at pictures" || now.State == "ready") {
			m.Match = time.Since(began).Seconds() - m.Freeze
			return nil
		}
		if last {
			return errors.New("the process ended before the names were matched")
		}
	}
}
