package directory_test

import (
	"testing"
	"time"
)

// More pictures than one transaction takes, and than two do, are let go in one call, and none but those.
func TestManyPicturesAreDropped(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		if _, err := system(o.d).SetPicture(o.Context(), o.ids["ann"], 1, picture("a"), ""); err != nil {
			o.Fatal(err)
		}
		execute(o.T, o.d, `INSERT INTO pictures (hash, source_hash, format, width, height, bytes, large_hash, small_hash, given_at)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) SELECT CAST(i AS TEXT), '', 'png', 1, 1, 1, '', '', 0 FROM n`)
		later := o.d.Now().Add(2 * time.Hour)
		o.d.Now = func() time.Time { return later }
		if err := o.d.DropPictures(o.Context()); err != nil {
			o.Fatal(err)
		}
		if all, kept := o.count("SELECT count(*) FROM pictures"), o.count("SELECT count(*) FROM pictures WHERE hash = $1", picture("a").Hash); all != 1 || kept != 1 {
			o.Errorf("%d pictures are left, of the user %d", all, kept)
		}
	})
}
