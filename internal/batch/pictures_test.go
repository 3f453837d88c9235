package batch

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"muster/internal/blob"
	"muster/internal/blob/blobtest"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

// gallery is an engine and two users, 1 and 2, whose pictures are stored.
type gallery struct {
	*testing.T
	*Engine
	*directory.Handle
	now  time.Time
	pass func(time.Duration)
}

// galleries runs fn on both engines and both stores.
func galleries(t *testing.T, fn func(g *gallery)) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		dir := directory.New(db)
		open := func(t *testing.T, store blob.Store, server *blobtest.Server) *gallery {
			g := &gallery{T: t, now: time.Now(), Handle: dir.As(boss)}
			g.Engine = &Engine{DB: db, Directory: dir, Blobs: store, Scratch: t.TempDir(), MaxUpload: 100}
			dir.Now = func() time.Time { return g.now }
			g.pass = func(d time.Duration) {
				g.now = g.now.Add(d)
				if server != nil {
					server.Advance(time.Until(g.now))
				}
			}
			for _, table := range []string{"users", "pictures", "picture_changes", "picture_holds", "batches"} {
				g.exec(t, "DELETE FROM "+table)
			}
			for id := range int64(2) {
				g.exec(t, `INSERT INTO users (id, lan_id, lan_key, first_name, last_name, first_key, last_key, agent_id, agent_key, profile, changed_by, changed_at)
					VALUES ($1, $2, $2, '', '', '', '', $2, $2, 3, '', 1)`, id+1, string(rune('a'+id)))
			}
			return g
		}
		t.Run("disk", func(t *testing.T) { fn(open(t, &blob.Disk{Dir: t.TempDir()}, nil)) })
		t.Run("s3", func(t *testing.T) {
			server := blobtest.NewServer(t)
			fn(open(t, server.Store(t), server))
		})
	})
}

// put stores a picture and its derivatives.
func (g *gallery) put(name string) directory.Picture {
	g.Helper()
	hashes, err := g.Blobs.PutAll(context.Background(), [][]byte{[]byte(name), []byte("large " + name), []byte("small " + name)})
	if err != nil {
		g.Fatal(err)
	}
	return directory.Picture{Hash: hashes[0], SourceHash: hashes[0], Format: "png", Width: 1, Height: 1, Bytes: 1, Large: hashes[1], Small: hashes[2]}
}

// set gives a user the picture by hand.
func (g *gallery) set(id int64, p directory.Picture) {
	g.Helper()
	u, err := g.User(context.Background(), id)
	if err == nil {
		_, err = g.SetPicture(context.Background(), id, u.Version, p, "")
	}
	if err != nil {
		g.Fatal(err)
	}
}

// clear lets hours pass, with a sweep in each.
func (g *gallery) clear(hours int) {
	g.Helper()
	for range hours {
		g.pass(time.Hour + time.Second)
		if err := g.Sweep(context.Background()); err != nil {
			g.Fatal(err)
		}
	}
}

// there checks that the picture is there with its derivatives, or that nothing of it is.
func (g *gallery) there(p directory.Picture, want bool) {
	g.Helper()
	for _, hash := range []string{p.Hash, p.Large, p.Small} {
		f, err := g.Blobs.Open(context.Background(), hash)
		if err == nil {
			_, err = io.ReadAll(f)
			f.Close()
		}
		if !want && fault.KindOf(err) == fault.NotFound || want && err == nil {
			continue
		}
		g.Errorf("%.8s: %v", hash, err)
	}
}

// A process may die at any instant: what it had stored and not written down goes, what it had written down stays, and
// what nobody refers to any more goes however long nobody swept.
func TestPicturesAfterACrash(t *testing.T) {
	galleries(t, func(g *gallery) {
		lost, given, old := g.put("stored only"), g.put("given"), g.put("given and taken")
		g.set(1, given)
		g.set(2, old)
		if err := g.Sweep(context.Background()); err != nil {
			g.Fatal(err)
		}
		g.there(lost, true) // who stored it may be about to write it down
		g.set(2, g.put("another"))
		g.pass(1000 * time.Hour)
		g.clear(2)
		g.there(lost, false)
		g.there(old, false)
		g.there(given, true)
		g.exec(g.T, "DELETE FROM users WHERE id = 1")
		g.clear(3)
		g.there(given, false)
	})
}

// Whoever gives a picture that was old and nobody's at the moment at which it is swept does not lose it.
func TestPictureGivenDuringASweep(t *testing.T) {
	galleries(t, func(g *gallery) {
		p := g.put("again")
		g.set(1, p)
		g.set(1, g.put("another"))
		inner := g.Blobs
		for _, moment := range []string{"before it is set aside", "before it is removed"} {
			if moment == "before it is removed" {
				g.set(2, g.put("another"))
				g.clear(2) // p is set aside
			}
			g.pass(3 * time.Hour)
			g.Blobs = &racing{inner, func() {
				g.set(2, g.put("again"))
			}}
			if err := g.Sweep(context.Background()); err != nil {
				g.Fatal(err)
			}
			g.Blobs = inner
			g.there(p, true)
			g.clear(4)
			if g.there(p, true); g.Failed() {
				g.Fatal(moment)
			}
		}
	})
}

// racing lets something happen between the question what is wanted and what a sweep does about the answer.
type racing struct {
	blob.Store
	between func()
}

func (r *racing) Sweep(ctx context.Context, now time.Time, keep blob.Keep) (int, error) {
	return r.Store.Sweep(ctx, now, func(ctx context.Context, hashes []string) (map[string]bool, error) {
		wanted, err := keep(ctx, hashes)
		if r.between != nil {
			between := r.between
			r.between = nil
			between()
		}
		return wanted, err
	})
}

// What a batch shows stays until its reports go, and what its undo gives back for as long as it can.
func TestPicturesOfABatchAreKept(t *testing.T) {
	galleries(t, func(g *gallery) {
		ctx := context.Background()
		old, other, given, shown := g.put("old"), g.put("other"), g.put("given"), g.put("only shown")
		g.set(1, old)
		g.set(2, other)
		f, err := g.Freeze(ctx, boss, "a.zip", strings.NewReader("zip"))
		if err != nil {
			g.Fatal(err)
		}
		b, err := g.CreateFrozen(ctx, boss, Spec{Action: "task", Options: struct{}{}}, []File{f})
		if err != nil {
			g.Fatal(err)
		}
		w, err := g.PreparePictures(ctx, g.DB.Read())
		if err != nil {
			g.Fatal(err)
		}
		err = g.DB.BulkTx(ctx, func(tx *sqldb.Tx) error {
			_, err := w.Piece(ctx, tx, directory.Stamp{BatchID: b.ID, By: "boss", At: g.now.UnixMicro()}, []directory.PictureGift{{UserID: 1, Picture: given}, {UserID: 2, Picture: given}})
			return errors.Join(err, directory.HoldPictures(ctx, tx, b.ID, g.now.UnixMicro(), []directory.Picture{given, shown}))
		})
		if err != nil {
			g.Fatal(err)
		}
		g.exec(g.T, "UPDATE batches SET state = 'done', finished_at = $1", g.now.UnixMicro())
		g.clear(3)
		for _, p := range []directory.Picture{old, other, given, shown} {
			g.there(p, true)
		}
		g.set(2, g.put("by hand")) // the undo leaves them alone from now on
		g.clear(3)
		g.there(other, false)
		g.pass(91 * 24 * time.Hour)
		g.clear(3)
		if now, err := g.Get(ctx, boss, b.ID); err != nil || !now.Cleared() {
			g.Fatalf("%+v, %v", now, err)
		}
		g.there(shown, false)
		g.there(given, true)
		g.there(old, true)
		g.pass(10 * 365 * 24 * time.Hour)
		g.clear(3)
		err = g.DB.BulkTx(ctx, func(tx *sqldb.Tx) error {
			_, _, err := w.RestorePiece(ctx, tx, directory.Stamp{BatchID: b.ID, By: "boss", At: g.now.UnixMicro()}, 0, 10)
			return err
		})
		if p, found, perr := g.PictureOf(ctx, 1); err != nil || perr != nil || !found || p != old {
			g.Errorf("%v, %+v, %v, %v", err, p, found, perr)
		}
		g.clear(3)
		g.there(old, true)
		g.there(given, false)
	})
}

// reader is an operation that reads its file.
type reader struct {
	task
	read func(error)
}

func (o *reader) Prepare(ctx context.Context, run *Run) (Prepared, error) {
	f, err := run.Open(0)
	if err == nil {
		_, err = io.ReadAll(f)
		f.Close()
	}
	if o.read(err); err != nil {
		return nil, err
	}
	return o.task.Prepare(ctx, run)
}

// A batch waits for a store that is away, says why, and carries on when it is back.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		t.Parallel()
		server := blobtest.NewServer(t)
		o := &reader{}
		e := &Engine{DB: db, Directory: directory.New(db), Blobs: server.Store(t), Scratch: t.TempDir(), MaxUpload: 100, Patience: time.Minute, Operations: map[string]Operation{"read": o}}
		ctx := context.Background()
		b, err := e.Create(ctx, boss, Spec{Action: "read", Options: struct{}{}, Inputs: []Input{{Name: "a", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("a")), nil }}}})
		if err != nil {
			t.Fatal(err)
		}
		server.Away()
		var failures []error
		o.read = func(err error) {
			failures = append(failures, err)
			server.Answer(nil)
		}
		var said []string
		done, err := e.Execute(ctx, b.ID, func(b *Batch) { said = append(said, b.Reason) })
		if err != nil || done.State != Done || len(failures) != 2 || fault.KindOf(failures[0]) != fault.Unavailable || failures[1] != nil {
			t.Errorf("%+v, %v, %v", done, err, failures)
		}
		if all := strings.Join(said, "\n"); !strings.Contains(all, "the store s3://muster/kept/here cannot be reached") || !strings.Contains(all, "trying again in 1s") {
			t.Errorf("it says:\n%s", all)
		}
	})
}
