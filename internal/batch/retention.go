package batch

import (
	"context"
	"fmt"
	"time"

	"muster/internal/directory"
	"muster/internal/sqldb"
)

// uploadKept is how long an upload waits for the rest of its batch.
const uploadKept = 24 * time.Hour

// atRest is true of batches that nobody will go on with by themselves: what is not live, and waits for nobody's decision.
const atRest = "finished_at IS NOT NULL AND NOT (" + live + ")"

// Sweep lets go of what is kept no longer: files and reports of batches that came to rest longer ago than the setting
// retention_days says, uploads that no batch has, and pictures that nobody refers to. Counts stay, and so does what an
// undo needs: no operation's undo reads a file or a report, of an undo that had to leave somebody it is kept who that was,
// and the pictures that users had before stay for as long as the undo could give them back.
func (e *Engine) Sweep(ctx context.Context) error {
	settings, err := directory.LoadSettings(ctx, e.DB.Read())
	if err != nil {
		return err
	}
	if err := e.clear(ctx, e.Directory.Now().Add(-settings.Retention()).UnixMicro()); err != nil {
		return err
	}
	err = e.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM batch_uploads WHERE at < $1", e.Directory.Now().Add(-uploadKept).UnixMicro())
		return err
	})
	if err != nil {
		return fmt.Errorf("let old files go: %w", err)
	}
	if err := e.Directory.DropPictures(ctx); err != nil {
		return err
	}
	_, err = e.Blobs.Sweep(ctx, e.Directory.Now(), e.wanted)
	return err
}

// wanted tells which blobs batches, uploads and pictures refer to.
func (e *Engine) wanted(ctx context.Context, hashes []string) (map[string]bool, error) {
	wanted, err := directory.PicturesWanted(ctx, e.DB, e.DB.Read(), hashes)
	if err != nil {
		return nil, err
	}
	for hash, err := range sqldb.Each[string](ctx, e.DB.Read(), "SELECT k.key FROM "+e.DB.Keys+` AS k
		WHERE EXISTS (SELECT 1 FROM batch_files f WHERE f.hash = k.key) OR EXISTS (SELECT 1 FROM batch_uploads u WHERE u.hash = k.key)`, e.DB.KeySet(hashes)) {
		if err != nil {
			return nil, fmt.Errorf("look who refers to stored files: %w", err)
		}
		wanted[hash] = true
	}
	return wanted, nil
}

// clear lets go of the files and reports of the batches at rest since before then, batch by batch. Files that another
// batch has too stay, as that refers to them; see Sweep.
func (e *Engine) clear(ctx context.Context, before int64) error {
	old, err := sqldb.All[int64](ctx, e.DB.Read(), `SELECT id FROM batches b WHERE finished_at < $1 AND `+atRest+`
		AND (cleared_at = 0 OR EXISTS (SELECT 1 FROM batch_pages p WHERE p.batch_id = b.id AND p.run IN ('preview', 'result'))) ORDER BY id`, before)
	if err != nil {
		return fmt.Errorf("find batches whose retention has ended: %w", err)
	}
	for _, id := range old {
		if err := e.clearBatch(ctx, id, before); err != nil {
			return fmt.Errorf("let the files and reports of batch %d go: %w", id, err)
		}
	}
	return nil
}

// picturesPerTx is how many pictures of a batch one transaction lets go: others wait for it.
const picturesPerTx = 10_000

// clearBatch marks the batch before its files and reports go, so that its page says so before the first is gone. Its
// pictures go before that: no undo needs those, and whoever is interrupted comes back to what is not marked.
func (e *Engine) clearBatch(ctx context.Context, id, before int64) error {
	if err := e.releasePictures(ctx, id); err != nil {
		return err
	}
	mine := false
	err := e.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		// Somebody may have begun to undo it just now.
		res, err := tx.ExecContext(ctx, "UPDATE batches SET cleared_at = $2 WHERE id = $1 AND finished_at < $3 AND "+atRest, id, e.now(), before)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if mine = n > 0; err != nil || !mine {
			return err
		}
		if _, err = tx.ExecContext(ctx, "UPDATE batch_files SET hash = '' WHERE batch_id = $1", id); err != nil {
			return err
		}
		for _, op := range e.Operations {
			if c, keeps := op.(Clearer); keeps {
				if err := c.Clear(ctx, tx, id); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil || !mine {
		return err
	}
	for _, report := range []string{PreviewReport, ResultReport} {
		if err := e.clearReport(ctx, id, report); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) releasePictures(ctx context.Context, id int64) error {
	for {
		var n int64
		err := e.DB.Tx(ctx, func(tx *sqldb.Tx) (err error) {
			n, err = directory.ReleasePictures(ctx, tx, id, picturesPerTx)
			return err
		})
		if err != nil || n < picturesPerTx {
			return err
		}
		e.DB.GiveWay(ctx)
	}
}

// clearReport removes a report some pages at a time: nobody waits for a long one.
func (e *Engine) clearReport(ctx context.Context, id int64, name string) error {
	last, found, err := sqldb.One[int64](ctx, e.DB.Read(), "SELECT coalesce(max(page), -1) FROM batch_pages WHERE batch_id = $1 AND run = $2", id, name)
	if err != nil || !found {
		return err
	}
	for first := int64(0); first <= last; first += pagesPerTx {
		err := e.DB.Tx(ctx, func(tx *sqldb.Tx) error {
			for _, table := range []string{"batch_page_codes", "batch_pages"} {
				if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE batch_id = $1 AND run = $2 AND page >= $3 AND page < $4",
					id, name, first, first+pagesPerTx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		e.DB.GiveWay(ctx)
	}
	return nil
}

// UploadLimit is what one file may have, in bytes, as the setting upload_megabytes says.
func (e *Engine) UploadLimit(ctx context.Context) (int64, error) {
	settings, err := directory.LoadSettings(ctx, e.DB.Read())
	return min(e.MaxUpload, settings.UploadBytes()), err
}

// Cleared tells whether the batch's files and reports are gone, as their retention has ended.
func (b *Batch) Cleared() bool { return !b.ClearedAt.IsZero() }
