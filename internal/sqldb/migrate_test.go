package sqldb_test

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

// Both engines have the same tables with the same columns.
func TestSameSchema(t *testing.T) {
	t.Parallel()
	schema := map[sqldb.Engine]string{}
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		query := `
			SELECT m.name || '.' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> 'goose_db_version' ORDER BY 1`
		if db.Engine == sqldb.Postgres {
			query = `
				SELECT table_name || '.' || column_name FROM information_schema.columns
				WHERE table_schema = 'public' AND table_name <> 'goose_db_version' ORDER BY (table_name || '.' || column_name) COLLATE "C"`
		}
		columns, err := sqldb.All[string](t.Context(), db.Read(), query)
		if err != nil || len(columns) == 0 {
			t.Fatal(columns, err)
		}
		schema[db.Engine] = strings.Join(columns, "\n")
	})
	if lite, pg := schema[sqldb.SQLite], schema[sqldb.Postgres]; pg != "" && lite != pg {
		t.Errorf("sqlite:\n%s\n\npostgres:\n%s", lite, pg)
	}
}

// Handles that open one fresh database at once all find it ready, and every migration has run once.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		const handles = 4
		var wg sync.WaitGroup
		for range handles {
			wg.Go(func() {
				db, err := sqldb.Open(t.Context(), cfg)
				if err != nil {
					t.Error(err)
					return
				}
				defer db.Close()
				if n := count(t, db, "directory_revision"); n != 1 {
					t.Errorf("%d revisions", n)
				}
			})
		}
		wg.Wait()
		db := sqldbtest.Open(t, cfg)
		newest, err := db.Version(t.Context())
		if err != nil || newest < 1 {
			t.Fatal(newest, err)
		}
		if n := count(t, db, "goose_db_version WHERE version_id > 0"); int64(n) != newest {
			t.Errorf("%d migrations were recorded, the newest is %d", n, newest)
		}
	})
}

func TestNewerDatabaseIsLeftAlone(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		db, err := sqldb.Open(t.Context(), cfg)
		mustNot(t, err)
		applied := "1"
		if db.Engine == sqldb.Postgres {
			applied = "true"
		}
		mustNot(t, write(t, db, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, "+applied+")"))
		mustNot(t, db.Close())
		before := databaseFile(t, cfg)
		_, err = sqldb.Open(t.Context(), cfg)
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "newer Muster") {
			t.Errorf("got %v", err)
		}
		if databaseFile(t, cfg) != before {
			t.Error("the file was changed")
		}
	})
}

// databaseFile is a digest of the SQLite database.
func databaseFile(t *testing.T, cfg sqldb.Config) [sha256.Size]byte {
	t.Helper()
	if cfg.URL != "" {
		return [sha256.Size]byte{}
	}
	b, err := os.ReadFile(filepath.Join(cfg.Dir, sqldb.FileName))
	mustNot(t, err)
	return sha256.Sum256(b)
}
