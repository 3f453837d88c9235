package directory

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/sqldb"
)

// PicturesWanted tells which of the blobs belong to a picture that is kept, as what is stored or as a derivative. Which
// pictures are kept, [Directory.DropPictures] decides.
func PicturesWanted(ctx context.Context, db *sqldb.DB, q sqldb.Querier, hashes []string) (map[string]bool, error) {
	wanted := map[string]bool{}
	for hash, err := range sqldb.Each[string](ctx, q, "SELECT k.key FROM "+db.Keys+` AS k WHERE EXISTS (SELECT 1 FROM pictures p WHERE p.hash = k.key)
		OR EXISTS (SELECT 1 FROM pictures p WHERE p.large_hash = k.key) OR EXISTS (SELECT 1 FROM pictures p WHERE p.small_hash = k.key)`, db.KeySet(hashes)) {
		if err != nil {
			return nil, fmt.Errorf("look who refers to pictures: %w", err)
		}
		wanted[hash] = true
	}
	return wanted, nil
}

// pictureYoung is how long a picture stays that was given, whoever refers to it: as long as a blob that was put.
const pictureYoung = time.Hour

// unwanted is true of pictures that no user has, no batch shows, and no undo could give back: an undo leaves those alone
// whose version is another by now, and a version never comes back.
const unwanted = `NOT EXISTS (SELECT 1 FROM users u WHERE u.picture = pictures.hash)
	AND NOT EXISTS (SELECT 1 FROM picture_holds b WHERE b.hash = pictures.hash)
	AND NOT EXISTS (SELECT 1 FROM picture_changes j JOIN users u ON u.id = j.user_id AND u.version = j.version
		WHERE j.before = pictures.hash AND j.before <> '' AND j.undone = 0)`

// Pictures are looked for so many at a time, for PostgreSQL reads all pictures and users for each look, and removed so many
// in a transaction.
const (
	unwantedAtOnce = 20_000
	droppedAtOnce  = 1000
)

// DropPictures forgets the pictures that nobody refers to, a thousand in a transaction; a sweep of the blobs then lets their
// content go. Whoever gives such a picture at this moment either keeps it or writes it down anew.
func (d *Directory) DropPictures(ctx context.Context) error {
	before := d.Now().Add(-pictureYoung).UnixMicro()
	for after := ""; ; {
		all, err := sqldb.All[string](ctx, d.DB.Read(), "SELECT hash FROM pictures WHERE given_at < $1 AND hash > $2 AND "+unwanted+" ORDER BY hash LIMIT "+strconv.Itoa(unwantedAtOnce), before, after)
		if err != nil {
			return fmt.Errorf("look for pictures that nobody refers to: %w", err)
		}
		for some := range slices.Chunk(all, droppedAtOnce) {
			err := d.DB.Tx(ctx, func(tx *sqldb.Tx) error {
				_, err := tx.ExecContext(ctx, "DELETE FROM pictures WHERE hash IN (SELECT k.key FROM "+d.DB.Keys+" AS k) AND given_at < $2 AND "+unwanted, d.DB.KeySet(some), before)
				return err
			})
			if err != nil {
				return fmt.Errorf("let pictures go: %w", err)
			}
			d.DB.GiveWay(ctx)
		}
		if len(all) < unwantedAtOnce {
			return nil
		}
		after = all[len(all)-1]
	}
}

// rowValues are rows for an INSERT, as parameters.
type rowValues struct {
	b    strings.Builder
	args []any
}

func (v *rowValues) add(row ...any) {
	if v.b.Len() > 0 {
		v.b.WriteString(", ")
	}
	for i, value := range row {
		v.args = append(v.args, value)
		v.b.WriteString([]string{"(", ", "}[min(i, 1)] + "$" + strconv.Itoa(len(v.args)))
	}
	v.b.WriteString(")")
}

func (v *rowValues) text() string { return v.b.String() }
