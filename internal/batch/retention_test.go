package batch

import (
	"context"
	"strings"
	"testing"
	"time"

	"muster/internal/blob"
	"muster/internal/sqldb"
)

// What a batch at rest keeps goes when the setting says so, but never what another batch still has, nor what is not at
// rest; its counts and the report of its undo stay.
func TestRetention(t *testing.T) {
	worked(t, func(t *testing.T, e *Engine, o *task) {
		ctx := context.Background()
		start := time.Now()
		e.Directory.Now = func() time.Time { return start }
		of := func(content string) *Batch {
			f, err := e.Freeze(ctx, boss, "a.csv", strings.NewReader(content))
			if err != nil {
				t.Fatal(err)
			}
			b, err := e.CreateFrozen(ctx, boss, Spec{Action: "task", Options: struct{}{}}, []File{f})
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		old, shared, waiting := of("only mine"), of("shared"), of("shared")
		for _, b := range []*Batch{old, shared} {
			if err := e.Cancel(ctx, boss, b.ID); err != nil {
				t.Fatal(err)
			}
			for _, report := range []string{PreviewReport, ResultReport, UndoReport} {
				for page := range pagesPerTx + 2 {
					e.exec(t, "INSERT INTO batch_pages (batch_id, run, page, first_row, last_row, entries, data) VALUES ($1, $2, $3, 1, 1, 1, $4)", b.ID, report, page, []byte("x"))
					e.exec(t, "INSERT INTO batch_page_codes (batch_id, run, code, page, problems) VALUES ($1, $2, '', $3, 1)", b.ID, report, page)
				}
			}
		}
		e.exec(t, "INSERT INTO settings (name, value) VALUES ('retention_days', '10')")
		pages := func(b *Batch, report string) int {
			n, _, err := sqldb.One[int](ctx, e.DB.Read(), "SELECT (SELECT count(*) FROM batch_pages WHERE batch_id = $1 AND run = $2) + (SELECT count(*) FROM batch_page_codes WHERE batch_id = $1 AND run = $2)", b.ID, report)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		all := 2 * (pagesPerTx + 2)
		for _, step := range []struct {
			after    time.Duration
			cleared  bool
			mine     bool // the content that only one batch has
			ofShared bool
		}{
			{10*24*time.Hour - time.Second, false, true, true},
			{10*24*time.Hour + time.Second, true, false, true},
			{400 * 24 * time.Hour, true, false, true},
		} {
			e.Directory.Now = func() time.Time { return start.Add(step.after) }
			sweep(t, e)
			for _, b := range []*Batch{old, shared} {
				now, err := e.Get(ctx, boss, b.ID)
				left := all
				if step.cleared {
					left = 0
				}
				if err != nil || now.Cleared() != step.cleared || (now.Files[0].Hash == "") != step.cleared || pages(b, PreviewReport) != left || pages(b, ResultReport) != left || pages(b, UndoReport) != all {
					t.Errorf("after %s: %+v, %d, %d, %d pages, %v", step.after, now.Files, pages(b, PreviewReport), pages(b, ResultReport), pages(b, UndoReport), err)
				}
			}
			if there(e, old.Files[0]) != step.mine || there(e, waiting.Files[0]) != step.ofShared {
				t.Errorf("after %s: %v, %v", step.after, there(e, old.Files[0]), there(e, waiting.Files[0]))
			}
			if now, err := e.Get(ctx, boss, waiting.ID); err != nil || now.Cleared() || now.Files[0].Hash == "" {
				t.Errorf("what is not at rest was cleared: %+v, %v", now, err)
			}
		}
		// What a process left half done when it died is taken up again.
		e.exec(t, "INSERT INTO batch_pages (batch_id, run, page, first_row, last_row, entries, data) VALUES ($1, $2, 7, 1, 1, 1, $3)", old.ID, PreviewReport, []byte("x"))
		if err := e.Sweep(ctx); err != nil || pages(old, PreviewReport) != 0 {
			t.Errorf("%d pages are left, %v", pages(old, PreviewReport), err)
		}
	})
}

// sweep lets go of what is kept no longer, and then of what that set aside.
func sweep(t *testing.T, e *Engine) {
	t.Helper()
	if err := e.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Blobs.Sweep(context.Background(), e.Directory.Now().Add(blob.Young), e.wanted); err != nil {
		t.Fatal(err)
	}
}

func there(e *Engine, f File) bool {
	b, err := e.Blobs.Open(context.Background(), f.Hash)
	if err == nil {
		b.Close()
	}
	return err == nil
}

// A setting lowers what one file may have, from the next upload on.
func TestUploadLimit(t *testing.T) {
	worked(t, func(t *testing.T, e *Engine, o *task) {
		ctx := context.Background()
		e.MaxUpload = 8 << 20
		if most, err := e.UploadLimit(ctx); err != nil || most != 8<<20 {
			t.Errorf("%d, %v", most, err)
		}
		e.exec(t, "INSERT INTO settings (name, value) VALUES ('upload_megabytes', '1')")
		big := strings.Repeat("x", 1<<20+1)
		if _, err := e.Freeze(ctx, boss, "big.csv", strings.NewReader(big)); err == nil || !strings.Contains(err.Error(), "1048576 bytes") {
			t.Errorf("got %v", err)
		}
		if _, err := e.Freeze(ctx, boss, "fits.csv", strings.NewReader(big[1:])); err != nil {
			t.Error(err)
		}
	})
}
