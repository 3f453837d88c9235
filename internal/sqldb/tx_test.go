package sqldb_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

func mustExec(t *testing.T, q sqldb.Querier, statement string, args ...any) {
	t.Helper()
	if _, err := q.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// write runs one statement in a transaction.
func write(t *testing.T, db *sqldb.DB, statement string, args ...any) error {
	t.Helper()
	return db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(t.Context(), statement, args...)
		return err
	})
}

func count(t *testing.T, db *sqldb.DB, table string) int {
	t.Helper()
	n, _, err := sqldb.One[int](t.Context(), db.Read(), "SELECT count(*) FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A placeholder's number says which argument it takes, in whatever order and however often it appears.
func TestPlaceholders(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		type three struct{ A, B, C string }
		got, found, err := sqldb.One[three](t.Context(), db.Read(), "SELECT CAST($2 AS TEXT), CAST($1 AS TEXT), CAST($2 AS TEXT)", "one", "two")
		if err != nil || !found || got != (three{"two", "one", "two"}) {
			t.Errorf("got %v, %v, %v", got, found, err)
		}
	})
}

func TestTxRollsBack(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		insert := func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO crm_names (name) VALUES ('Siebel')")
			return err
		}
		bad := errors.New("no")
		for _, transact := range []func(context.Context, func(*sqldb.Tx) error) error{db.Tx, db.BulkTx} {
			err := transact(t.Context(), func(tx *sqldb.Tx) error { return errors.Join(insert(t.Context(), tx), bad) })
			if !errors.Is(err, bad) {
				t.Errorf("got %v, want fn's own error", err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			err = transact(ctx, func(tx *sqldb.Tx) error {
				defer cancel()
				return insert(ctx, tx)
			})
			if !errors.Is(err, context.Canceled) || sqldb.ErrorKind(err) != sqldb.Other {
				t.Errorf("got %v of kind %v, want a cancelled context", err, sqldb.ErrorKind(err))
			}
			func() {
				defer func() { _ = recover() }()
				_ = transact(t.Context(), func(tx *sqldb.Tx) error {
					if err := insert(t.Context(), tx); err != nil {
						t.Error(err)
					}
					panic("in a transaction")
				})
			}()
			if n := count(t, db, "crm_names"); n != 0 {
				t.Fatalf("%d rows stayed", n)
			}
			// The connection is fit for the next one.
			if err := transact(t.Context(), func(tx *sqldb.Tx) error { return insert(t.Context(), tx) }); err != nil {
				t.Fatal(err)
			}
			mustNot(t, write(t, db, "DELETE FROM crm_names"))
		}
	})
}

func mustNot(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A statement that runs when the context ends is interrupted, and the transaction rolled back.
func TestTxInterrupted(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err := db.Tx(ctx, func(tx *sqldb.Tx) error {
			mustExec(t, tx, "INSERT INTO crm_names (name) VALUES ('Siebel')")
			_, err := tx.ExecContext(ctx, `
				INSERT INTO crm_names (name) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500000000)
				SELECT CAST(count(*) AS TEXT) FROM n`)
			return err
		})
		if err == nil || sqldb.ErrorKind(err) != sqldb.Other {
			t.Errorf("got %v of kind %v", err, sqldb.ErrorKind(err))
		}
		if n := count(t, db, "crm_names"); n != 0 {
			t.Errorf("%d rows stayed", n)
		}
		mustNot(t, write(t, db, "INSERT INTO crm_names (name) VALUES ('Siebel')"))
	})
}

// What a failed statement has undone is not reported as committed, though fn passed over the error.
func TestTxErrorIgnored(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			mustExec(t, tx, "INSERT INTO crm_names (name) VALUES ('Siebel')")
			if _, err := tx.ExecContext(t.Context(), "INSERT INTO crm_names (name) VALUES ('Siebel')"); err == nil {
				t.Error("the unique index let it pass")
			}
			return nil
		})
		if n := count(t, db, "crm_names"); (err == nil) != (n == 1) {
			t.Errorf("%d rows, and the error is %v", n, err)
		}
	})
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		err := db.Snapshot(t.Context(), func(q sqldb.Querier) error {
			for i := range 3 {
				n, _, err := sqldb.One[int](t.Context(), q, "SELECT count(*) FROM crm_names")
				if err != nil || n != 0 {
					t.Errorf("look %d: %d rows, %v; want those of the first look", i, n, err)
				}
				mustNot(t, write(t, db, "INSERT INTO crm_names (name) VALUES ($1)", string(rune('a'+i))))
			}
			if _, err := q.ExecContext(t.Context(), "DELETE FROM crm_names"); err == nil {
				t.Error("a snapshot could be written")
			}
			return nil
		})
		mustNot(t, err)
		if n := count(t, db, "crm_names"); n != 3 {
			t.Errorf("%d rows, want 3", n)
		}
	})
}

// The reading side of SQLite cannot write. (On PostgreSQL one pool serves both.)
func TestReadDoesNotWrite(t *testing.T) {
	t.Parallel()
	db := sqldbtest.Open(t, sqldb.Config{Dir: t.TempDir()})
	if _, err := db.Read().ExecContext(t.Context(), "DELETE FROM crm_names"); err == nil {
		t.Error("it wrote")
	}
}

// Who writes sees that somebody waits, though it is another handle on the file (another process, for all it knows).
func TestWaiting(t *testing.T) {
	t.Parallel()
	cfg := sqldb.Config{Dir: t.TempDir()}
	writer, other := sqldbtest.Open(t, cfg), sqldbtest.Open(t, cfg)
	done := make(chan error, 1)
	err := writer.BulkTx(t.Context(), func(tx *sqldb.Tx) error {
		mustExec(t, tx, "INSERT INTO crm_names (name) VALUES ('Siebel')")
		if writer.Waiting() {
			t.Error("somebody waits already")
		}
		go func() { done <- write(t, other, "INSERT INTO crm_names (name) VALUES ('Salesforce')") }()
		for end := time.Now().Add(10 * time.Second); !writer.Waiting(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Error("nobody is seen waiting")
				break
			}
		}
		return nil
	})
	mustNot(t, err)
	mustNot(t, <-done)
	if writer.Waiting() {
		t.Error("somebody still waits")
	}
	if n := count(t, writer, "crm_names"); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
}

// Who waits for the lock stops waiting when the context ends.
func TestWaitEnds(t *testing.T) {
	t.Parallel()
	cfg := sqldb.Config{Dir: t.TempDir()}
	writer, other := sqldbtest.Open(t, cfg), sqldbtest.Open(t, cfg)
	err := writer.Tx(t.Context(), func(*sqldb.Tx) error {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		err := other.Tx(ctx, func(*sqldb.Tx) error { return nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		return nil
	})
	mustNot(t, err)
}
