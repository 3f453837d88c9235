package sqldb_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

// rows is a source of what it holds; end is what it says after the last row.
type rows struct {
	all [][]any
	at  int
	end error
}

func (r *rows) Next() (bool, error) {
	r.at++
	if r.at > len(r.all) {
		return false, r.end
	}
	return true, nil
}

func (r *rows) Value(column int) any { return r.all[r.at-1][column] }

func bulk(t *testing.T, db *sqldb.DB, table string, columns []string, src sqldb.Source) (n int64, err error) {
	t.Helper()
	err = db.BulkTx(t.Context(), func(tx *sqldb.Tx) error {
		n, err = tx.Bulk(t.Context(), table, columns, src)
		return err
	})
	return n, err
}

func TestBulkValues(t *testing.T) {
	t.Parallel()
	texts := []string{
		"", "plain", "tab\there", "line\nbreak", "carriage\rreturn", `back\slash`, `\N`, `\.`, `"quoted", 'single'`, "\\\n\t\r\\",
		"مرحباً – Willkommen – नमस्ते – 🎧", "a\u00a0b", strings.Repeat("long ", 30_000),
	}
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		var all [][]any
		for i, s := range texts {
			var batch any // nil, then numbers with the extremes among them
			if i > 0 {
				batch = []int64{1, -1, 9223372036854775807, -9223372036854775808}[i%4]
			}
			all = append(all, []any{int64(i + 1), s, batch})
		}
		columns := []string{"id", "name", "batch_id"}
		rest := []string{"at", "actor", "source", "action", "subject"}
		for i := range all {
			all[i] = append(all[i], int64(0), "a", "b", "c", "d")
		}
		n, err := bulk(t, db, "audit", append(columns, rest...), &rows{all: all})
		if err != nil || n != int64(len(texts)) {
			t.Fatalf("%d rows, %v", n, err)
		}
		type row struct {
			ID    int64
			Name  string
			Batch *int64
		}
		got, err := sqldb.All[row](t.Context(), db.Read(), "SELECT id, name, batch_id FROM audit ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		var want []row
		for _, r := range all {
			w := row{ID: r[0].(int64), Name: r[1].(string)}
			if b, ok := r[2].(int64); ok {
				w.Batch = &b
			}
			want = append(want, w)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
}

// The same connection loads the same table with other columns, and after a load that was rolled back.
func TestBulkAgain(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		bad := errors.New("the file is gone")
		for range 2 {
			if _, err := bulk(t, db, "greeting_templates", []string{"name", "text"}, &rows{all: [][]any{{"a", "b"}}, end: bad}); !errors.Is(err, bad) {
				t.Fatalf("got %v, want the source's own error", err)
			}
		}
		if n := count(t, db, "greeting_templates"); n != 0 {
			t.Fatalf("%d rows stayed", n)
		}
		for i, columns := range [][]string{{"name", "text"}, {"text", "name"}, {"id", "text", "name"}} {
			var row []any
			for _, c := range columns {
				value := any(fmt.Sprintf("%s %d", c, i))
				if c == "id" {
					value = int64(100)
				}
				row = append(row, value)
			}
			if n, err := bulk(t, db, "greeting_templates", columns, &rows{all: [][]any{row}}); err != nil || n != 1 {
				t.Fatalf("%v: %d, %v", columns, n, err)
			}
		}
		got, err := sqldb.All[string](t.Context(), db.Read(), "SELECT name || '/' || text FROM greeting_templates ORDER BY name")
		if want := []string{"name 0/text 0", "name 1/text 1", "name 2/text 2"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v", got, err)
		}
		if n, err := bulk(t, db, "crm_names", []string{"name"}, &rows{}); n != 0 || err != nil {
			t.Errorf("no rows at all: %d, %v", n, err)
		}
	})
}

// What a source says is not taken for what the database says.
func TestBulkSourceError(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for _, end := range []error{errors.New("bad"), fmt.Errorf("read: %w", io.ErrUnexpectedEOF)} {
			_, err := bulk(t, db, "crm_names", []string{"name"}, &rows{all: [][]any{{"a"}}, end: end})
			if !errors.Is(err, end) || sqldb.ErrorKind(err) != sqldb.Other {
				t.Errorf("got %v of kind %d", err, sqldb.ErrorKind(err))
			}
		}
	})
}

func TestBulkRefused(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		_, err := bulk(t, db, "crm_names", []string{"name"}, &rows{all: [][]any{{"a"}, {"b"}, {"a"}}})
		if sqldb.ErrorKind(err) != sqldb.Unique {
			t.Errorf("got %v", err)
		}
		if n := count(t, db, "crm_names"); n != 0 {
			t.Errorf("%d rows stayed", n)
		}
	})
}
