package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

func TestConstraintKinds(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		mustNot(t, write(t, db, "INSERT INTO roles (id, name) VALUES (7, 'Agent')"))
		mustNot(t, write(t, db, "INSERT INTO org_units (id, name, full_name, depth, path) VALUES (1, 'UAE', 'UAE', 1, '1/')"))
		mustNot(t, write(t, db, "INSERT INTO org_units (id, parent_id, name, full_name, depth, path) VALUES (2, 1, 'R', 'UAE / R', 2, '1/2/')"))
		for _, c := range []struct {
			statement string
			want      sqldb.Kind
		}{
			{"INSERT INTO roles (name) VALUES ('Agent')", sqldb.Unique},
			{"INSERT INTO roles (id, name) VALUES (7, 'Other')", sqldb.Unique},
			{"INSERT INTO org_levels (position, name) VALUES (1, 'A'), (1, 'B')", sqldb.Unique},
			{"INSERT INTO role_rights (role_id, module, action) VALUES (99, 'users', 'add')", sqldb.ForeignKey},
			{"DELETE FROM org_units WHERE id = 1", sqldb.ForeignKey},
			{"INSERT INTO channels (position, name, default_count, highest_count) VALUES (1, 'Voice', 2, 1)", sqldb.Other},
			{"SELECT nonsense", sqldb.Other},
		} {
			if err := write(t, db, c.statement); err == nil || sqldb.ErrorKind(err) != c.want {
				t.Errorf("%s: %v is of kind %d, want %d", c.statement, err, sqldb.ErrorKind(err), c.want)
			}
		}
	})
}

func TestAuditIsAppendOnly(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		mustNot(t, write(t, db, "INSERT INTO audit (at, actor, source, action, subject, name) VALUES (1, 'a', 'b', 'c', 'd', 'e')"))
		for _, statement := range []string{"UPDATE audit SET actor = 'x'", "DELETE FROM audit"} {
			if err := write(t, db, statement); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", statement, err)
			}
		}
	})
}

// Errors that no database made are not taken for one's absence, which would be waited for.
func TestForeignErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want sqldb.Kind
	}{
		{nil, sqldb.Other},
		{errors.New("x"), sqldb.Other},
		{context.Canceled, sqldb.Other},
		{fmt.Errorf("read: %w", context.DeadlineExceeded), sqldb.Other},
		{&fs.PathError{Op: "open", Path: "f", Err: syscall.ENOENT}, sqldb.Other},
		{&fs.PathError{Op: "write", Path: "f", Err: syscall.ENOSPC}, sqldb.Full},
		{fmt.Errorf("send: %w", syscall.ECONNRESET), sqldb.Away},
	} {
		if got := sqldb.ErrorKind(c.err); got != c.want {
			t.Errorf("%v: kind %d, want %d", c.err, got, c.want)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, sqldb.FileName), []byte(strings.Repeat("no database at all ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cfg  sqldb.Config
		kind fault.Kind
		says string
	}{
		"not a database":  {sqldb.Config{Dir: dir}, fault.Invalid, "no Muster database"},
		"not a directory": {sqldb.Config{Dir: file}, fault.Unavailable, "data directory"},
		"nobody listens":  {sqldb.Config{URL: "postgres://muster@127.0.0.1:1/muster"}, fault.Unavailable, "cannot be reached"},
		"not a URL":       {sqldb.Config{URL: "postgres://muster@:bad:/muster"}, fault.Invalid, "PostgreSQL URL"},
	} {
		_, err := sqldb.Open(t.Context(), c.cfg)
		if err == nil || fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPostgresMissingDatabase(t *testing.T) {
	t.Parallel()
	_, err := sqldb.Open(t.Context(), sqldb.Config{URL: strings.Replace(sqldbtest.Postgres(t), "/muster_test_", "/muster_none_", 1)})
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
}
