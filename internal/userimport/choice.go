package userimport

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"muster/internal/directory"
	"muster/internal/sqldb"
)

// choice is what somebody decided about a column of a file that its template does not have. A batch's choices never
// change, so that its files read alike for ever; the ones that are remembered for a header are copied into each batch
// that meets it.
type choice struct {
	Place      int    // of the column in the file, from 0
	Heading    string // as it stands there
	Target     string // the template's column; "" sets it aside
	By         string
	At         int64 // microseconds
	Remembered int   // 1: chosen for an earlier file with the same header
}

func byPlace(all []choice) map[int]string {
	targets := map[int]string{}
	for _, c := range all {
		targets[c.Place] = c.Target
	}
	return targets
}

// ownChoices returns the choices that a batch uses, by the position of the file.
func ownChoices(ctx context.Context, q sqldb.Querier, batchID int64) (map[int][]choice, error) {
	all := map[int][]choice{}
	type flat struct {
		File, Place         int
		Heading, Target, By string
		At                  int64
		Remembered          int
	}
	for r, err := range sqldb.Each[flat](ctx, q, `SELECT file, place, heading, target, by_whom, at, remembered FROM import_columns
		WHERE batch_id = $1 ORDER BY file, place`, batchID) {
		if err != nil {
			return nil, fmt.Errorf("read the batch's columns: %w", err)
		}
		all[r.File] = append(all[r.File], choice{r.Place, r.Heading, r.Target, r.By, r.At, r.Remembered})
	}
	return all, nil
}

// keepChoices makes the choices those of a batch's file.
func keepChoices(ctx context.Context, tx *sqldb.Tx, batchID int64, file int, all []choice) error {
	for _, c := range all {
		if _, err := tx.ExecContext(ctx, `INSERT INTO import_columns (batch_id, file, place, heading, target, by_whom, at, remembered)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (batch_id, file, place) DO NOTHING`,
			batchID, file, c.Place, c.Heading, c.Target, c.By, c.At, c.Remembered); err != nil {
			return fmt.Errorf("keep the batch's columns: %w", err)
		}
	}
	return nil
}

// headerKey is what choices are remembered by: the kind and all headings, as headings are compared, in their order.
func headerKey(k Kind, header []string) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n", k)
	for _, h := range header {
		fmt.Fprintf(sum, "%q\n", heading(h))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// rememberedChoices returns what was chosen for a file with this very header, if it has columns that its template does
// not have.
func rememberedChoices(ctx context.Context, q sqldb.Querier, header []string, cfg *directory.Configuration) ([]choice, error) {
	header = withoutBlankEnd(header)
	kind, known := bestKind(header, cfg)
	strange := false
	for _, h := range header {
		_, ok := known[heading(h)]
		strange = strange || !ok
	}
	if kind == "" || !strange {
		return nil, nil
	}
	type row struct {
		Place      int
		Target, By string
		At         int64
	}
	rows, err := sqldb.All[row](ctx, q, "SELECT place, target, by_whom, at FROM column_choices WHERE header = $1 ORDER BY place", headerKey(kind, header))
	if err != nil {
		return nil, fmt.Errorf("look for columns chosen before: %w", err)
	}
	var all []choice
	for _, r := range rows {
		if r.Place >= len(header) {
			continue
		}
		if _, ok := known[heading(header[r.Place])]; !ok {
			all = append(all, choice{r.Place, header[r.Place], r.Target, r.By, r.At, 1})
		}
	}
	return all, nil
}

// remember keeps the choices for later files with this header.
func remember(ctx context.Context, tx *sqldb.Tx, key string, all []choice) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM column_choices WHERE header = $1", key); err != nil {
		return err
	}
	for _, c := range all {
		if _, err := tx.ExecContext(ctx, `INSERT INTO column_choices (header, place, target, by_whom, at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (header, place) DO UPDATE SET target = excluded.target, by_whom = excluded.by_whom, at = excluded.at`,
			key, c.Place, c.Target, c.By, c.At); err != nil {
			return fmt.Errorf("remember the columns: %w", err)
		}
	}
	return nil
}
