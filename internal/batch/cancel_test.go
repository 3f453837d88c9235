package batch

import (
	"context"
	"testing"

	"muster/internal/blob"
	"muster/internal/directory"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

// slow is an operation whose check has said everything and does not end by itself.
type slow struct {
	said chan struct{}
}

func (s *slow) Prepare(ctx context.Context, run *Run) (Prepared, error) {
	if err := run.WriteReport(ctx, ResultReport, sequence([]Entry{{Row: 2, LANID: "ann", Outcome: directory.Inserted}}, nil)); err != nil {
		return nil, err
	}
	if err := run.StoreCounts(ctx, Counts{Rows: 2, Inserted: 1, Invalid: 1}); err != nil {
		return nil, err
	}
	close(s.said)
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s *slow) Undo(context.Context, *Run) error { return nil }

// A batch that is cancelled while it is being checked ends at once, and says of nobody that they are inserted.
func TestCancelledCheck(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		t.Parallel()
		ctx, actor := context.Background(), directory.System("test")
		op := &slow{said: make(chan struct{})}
		e := &Engine{DB: db, Directory: directory.New(db), Blobs: &blob.Disk{Dir: t.TempDir()}, Scratch: t.TempDir(), Operations: map[string]Operation{"slow": op}}
		b, err := e.Create(ctx, actor, Spec{Action: "slow", Options: struct{}{}})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			<-op.said
			if err := e.Cancel(ctx, actor, b.ID); err != nil {
				t.Error(err)
			}
		}()
		if b, err = e.Execute(ctx, b.ID, nil); err != nil {
			t.Fatal(err)
		}
		if b.State != Cancelled || b.Counts != (Counts{}) || b.Reason != "" {
			t.Errorf("%s %s: %+v", b.State, b.Reason, b.Counts)
		}
		for entry, err := range e.Entries(ctx, actor, b, Filter{}) {
			t.Errorf("it says %+v, %v", entry, err)
		}
		if err := e.Cancel(ctx, actor, b.ID); err == nil {
			t.Error("it was cancelled twice")
		}
	})
}
