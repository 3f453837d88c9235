package batch

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/directory"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

// newRun makes a batch in the database that this process holds.
func newRun(t *testing.T, db *sqldb.DB) *Run {
	t.Helper()
	ctx := context.Background()
	e := &Engine{DB: db, Directory: directory.New(db)}
	err := db.Tx(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO batches (id, action, state, owner, source, options, created_at, lease_token) VALUES (1, 'test', 'checking', 'system', 'test', '{}', 1, 7)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := get(ctx, db.Read(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return &Run{Batch: b, engine: e, token: 7, watch: func(*Batch) {}}
}

func drawEntries(t *rapid.T) []Entry {
	var all []Entry
	row := int64(1)
	n := rapid.SampledFrom([]int{0, 1, 3, entriesPerPage - 1, entriesPerPage, entriesPerPage + 1, 2*entriesPerPage + 7}).Draw(t, "entries")
	seed := rapid.IntRange(1, 9).Draw(t, "seed")
	for i := range n {
		row += int64(1 + i*seed%3)
		e := Entry{File: min(2, i*3/n), Row: row, LANID: fmt.Sprint("<u", i, ">"), Outcome: [...]directory.Outcome{directory.Inserted, directory.Invalid, directory.Duplicate, directory.Stray}[i*seed%4]}
		for p := range i % 3 {
			e.Problems = append(e.Problems, directory.Problem{Row: row, Code: fmt.Sprint("code.", (i*seed+p)%5), Message: "it is wrong & must be mended\n"})
		}
		if i%7 == 0 {
			e.Was = directory.Invalid
		}
		all = append(all, e)
	}
	return all
}

func collect(t *rapid.T, entries iter.Seq2[Entry, error]) []Entry {
	t.Helper()
	var all []Entry
	for e, err := range entries {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func sequence(entries []Entry, err error) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
		if err != nil {
			yield(Entry{}, err)
		}
	}
}

// A report is read as it was written, in order, whole or by code or outcome; writing it again replaces it.
func TestReport(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		t.Parallel()
		ctx, r, actor := context.Background(), newRun(t, db), directory.System("test")
		rapid.Check(t, func(t *rapid.T) {
			want := drawEntries(t)
			name := rapid.SampledFrom([]string{ResultReport, PreviewReport}).Draw(t, "report")
			err := r.Tx(ctx, func(tx *sqldb.Tx) error { return dropReport(ctx, tx, 1, ResultReport) })
			if err != nil {
				t.Fatal(err)
			}
			// Where there is a result, if an empty one, nobody is shown the preview.
			if err := r.WriteReport(ctx, PreviewReport, sequence([]Entry{{Row: 2, LANID: "previewed"}}, nil)); err != nil {
				t.Fatal(err)
			}
			if err := r.WriteReport(ctx, name, sequence(want, nil)); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, collect(t, r.engine.Entries(ctx, actor, r.Batch, Filter{}))); d != "" {
				t.Fatal(d)
			}
			filter := Filter{}
			if rapid.Bool().Draw(t, "by code") {
				filter.Code = fmt.Sprint("code.", rapid.IntRange(0, 5).Draw(t, "code"))
			} else {
				filter.Outcome = string(rapid.SampledFrom([]directory.Outcome{directory.Inserted, directory.Invalid, directory.NotApplied}).Draw(t, "outcome"))
			}
			picked := slices.DeleteFunc(slices.Clone(want), func(e Entry) bool {
				return filter.Outcome != "" && string(e.Outcome) != filter.Outcome ||
					filter.Code != "" && !slices.ContainsFunc(e.Problems, func(p directory.Problem) bool { return p.Code == filter.Code })
			})
			if got := collect(t, r.engine.Entries(ctx, actor, r.Batch, filter)); len(got) != len(picked) || len(got) > 0 && cmp.Diff(picked, got) != "" {
				t.Fatalf("%+v: %s", filter, cmp.Diff(picked, got))
			}
			codesOf(t, r, want)
			if has, err := r.HasPreview(ctx); err != nil || !has {
				t.Fatalf("has a preview: %v, %v", has, err)
			}
			for range r.engine.Entries(ctx, actor, r.Batch, Filter{}) {
				break // whoever has seen enough may stop
			}
		})
	})
}

func codesOf(t *rapid.T, r *Run, entries []Entry) {
	t.Helper()
	want := map[string]int64{}
	for _, e := range entries {
		for _, p := range e.Problems {
			want[p.Code]++
		}
	}
	codes, err := r.engine.Codes(context.Background(), directory.System("test"), r.Batch)
	if err != nil {
		t.Fatal(err)
	}
	got, last := map[string]int64{}, int64(1<<60)
	for _, c := range codes {
		if got[c.Code] = c.Problems; c.Problems > last {
			t.Fatalf("not by frequency: %v", codes)
		}
		last = c.Problems
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

// Where the entries end in an error, or the lease is lost, so does the writing.
func TestReportFails(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		t.Parallel()
		ctx, r := context.Background(), newRun(t, db)
		if err := r.WriteReport(ctx, ResultReport, sequence([]Entry{{Row: 2}}, context.DeadlineExceeded)); err != context.DeadlineExceeded {
			t.Errorf("an error among the entries: %v", err)
		}
		r.token = 6
		if err := r.WriteReport(ctx, ResultReport, sequence([]Entry{{Row: 2}}, nil)); err != errLost {
			t.Errorf("without the lease: %v", err)
		}
		zero := directory.Actor{}
		for _, err := range r.engine.Entries(ctx, zero, r.Batch, Filter{}) {
			if err == nil {
				t.Error("somebody without rights reads a report")
			}
		}
	})
}
