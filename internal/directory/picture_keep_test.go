package directory_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// album is an office in which pictures come and go. What must be kept is worked out here without SQL.
type album struct {
	*office
	*rand.Rand
	now   time.Time
	batch int64
}

// names of pictures.
var names = []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}

func (a *album) somebody() (lanID string) {
	return []string{"ann", "bob", "lead", "boss", "far"}[a.IntN(5)]
}

// step does something at random.
func (a *album) step() error {
	ctx, h, lanID, name := a.Context(), system(a.d), a.somebody(), names[a.IntN(len(names))]
	id := a.ids[lanID]
	version := a.count("SELECT coalesce(max(version), 0) FROM users WHERE id = $1", id)
	var err error
	switch a.IntN(9) {
	case 0:
		_, err = h.SetPicture(ctx, id, version, picture(name), "")
	case 1:
		_, err = h.RemovePicture(ctx, id, version, "")
	case 2, 3:
		a.batch++
		s := a.office.batch(a.batch)
		if a.IntN(6) == 0 {
			a.bulk(func(ctx context.Context, tx *sqldb.Tx) error {
				return directory.HoldPictures(ctx, tx, s.BatchID, s.At, []directory.Picture{picture(name), picture("b"), picture(name)})
			})
		}
		a.give(h, s, a.giftTo("ann", name), a.giftTo("bob", names[a.IntN(len(names))]))
	case 4, 5:
		return a.undo(1 + a.Int64N(a.batch+1))
	case 6:
		a.bulk(func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := directory.ReleasePictures(ctx, tx, 1+a.Int64N(a.batch+1), 1000)
			return err
		})
	case 7:
		execute(a.T, a.d, "UPDATE users SET version = version + 1 WHERE id = $1", id)
	case 8:
		if a.IntN(10) == 0 {
			err = h.DeleteUser(ctx, id, version, "")
		}
	}
	if kind := fault.KindOf(err); kind == fault.NotFound || kind == fault.Conflict {
		return nil
	}
	return err
}

func (a *album) undo(batch int64) error {
	w, err := system(a.d).PreparePictures(a.Context(), a.d.DB.Read())
	if err != nil {
		return err
	}
	return a.d.DB.BulkTx(a.Context(), func(tx *sqldb.Tx) error {
		_, _, err := w.RestorePiece(a.Context(), tx, directory.Stamp{BatchID: batch, By: "x", At: a.now.UnixMicro()}, 0, 100)
		return err
	})
}

// needed are the hashes that somebody refers to.
func (a *album) needed() (all []string) {
	a.Helper()
	read := func(query string) []string {
		some, err := sqldb.All[string](a.Context(), a.d.DB.Read(), query)
		if err != nil {
			a.Fatal(err)
		}
		return some
	}
	all = append(read("SELECT picture FROM users WHERE picture IS NOT NULL"), read("SELECT hash FROM picture_holds")...)
	type line struct {
		User, Version, Undone, Now int64
		Before                     string
	}
	for j, err := range sqldb.Each[line](a.Context(), a.d.DB.Read(), "SELECT j.user_id, j.version, j.undone, coalesce(u.version, 0), j.before FROM picture_changes j LEFT JOIN users u ON u.id = j.user_id") {
		if err != nil {
			a.Fatal(err)
		}
		if j.Undone == 0 && j.Before != "" && j.Now == j.Version {
			all = append(all, j.Before)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// check compares what is kept with what is needed.
func (a *album) check(exactly bool) {
	a.Helper()
	kept, err := sqldb.All[string](a.Context(), a.d.DB.Read(), "SELECT hash FROM pictures ORDER BY hash")
	if err != nil {
		a.Fatal(err)
	}
	for _, hash := range a.needed() {
		if !slices.Contains(kept, hash) {
			a.Fatalf("%s is needed and gone", hash)
		}
	}
	if exactly && !slices.Equal(kept, a.needed()) {
		a.Fatalf("kept %q, needed %q", kept, a.needed())
	}
}

// Whatever happens, each picture that a user has, a batch shows or an undo could give back is kept, and no other for long.
func TestPicturesAreKept(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		a := &album{office: o, Rand: rand.New(rand.NewPCG(1, 1)), now: o.d.Now()}
		o.d.Now = func() time.Time { return a.now }
		for i := range 120 {
			if err := a.step(); err != nil {
				o.Fatalf("step %d: %v", i, err)
			}
			a.now = a.now.Add(time.Duration(a.IntN(40)) * time.Minute)
			if a.IntN(3) == 0 {
				if err := o.d.DropPictures(o.Context()); err != nil {
					o.Fatal(err)
				}
			}
			a.check(false)
			if i%20 == 19 {
				a.now = a.now.Add(2 * time.Hour)
				if err := o.d.DropPictures(o.Context()); err != nil {
					o.Fatal(err)
				}
				a.check(true)
			}
		}
		if n := len(a.needed()); n == 0 || n == len(names) {
			o.Errorf("%d pictures are needed: the test shows little", n)
		}
	})
}

// The derivatives of a picture that is kept are wanted as it is; those of another are not.
func TestPicturesWanted(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		a, b := picture("a"), picture("b")
		if _, err := system(o.d).SetPicture(o.Context(), o.ids["ann"], 1, a, ""); err != nil {
			o.Fatal(err)
		}
		wanted, err := directory.PicturesWanted(o.Context(), o.d.DB, o.d.DB.Read(), []string{a.Hash, a.Large, a.Small, a.SourceHash, b.Hash, b.Large, b.Small})
		if err != nil || len(wanted) != 3 || !wanted[a.Hash] || !wanted[a.Large] || !wanted[a.Small] {
			o.Errorf("%v, %v", wanted, err)
		}
	})
}

// Somebody is given an old picture at the moment at which it is let go: whoever is first, it is kept.
func TestPictureGivenWhileItIsDropped(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		stamp := o.batch(1)
		o.bulk(func(ctx context.Context, tx *sqldb.Tx) error {
			err := directory.HoldPictures(ctx, tx, 1, stamp.At, []directory.Picture{picture("a"), picture("b")})
			for range 2 {
				n, rerr := directory.ReleasePictures(ctx, tx, 1, 1)
				if err = errors.Join(err, rerr); n != 1 {
					o.Errorf("%d let go, not 1", n)
				}
			}
			return err
		})
		later := o.d.Now().Add(2 * time.Hour)
		o.d.Now = func() time.Time { return later }
		dropped := make(chan error, 1)
		o.bulk(func(ctx context.Context, tx *sqldb.Tx) error {
			if err := directory.HoldPictures(ctx, tx, 1, later.UnixMicro(), []directory.Picture{picture("a")}); err != nil {
				return err
			}
			go func() { dropped <- o.d.DropPictures(o.Context()) }()
			select {
			case err := <-dropped: // it did not wait
				dropped <- err
			case <-time.After(200 * time.Millisecond):
			}
			return nil
		})
		if err := <-dropped; err != nil {
			o.Fatal(err)
		}
		if n := o.count("SELECT count(*) FROM pictures"); n != 1 {
			o.Errorf("%d pictures are kept", n)
		}
	})
}
