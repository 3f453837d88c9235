package sqldb_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

// Users who were there before their names had keys have them afterwards, and can be changed as ever.
func TestMigrateFoldsNames(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		old, err := sqldb.OpenAt(t.Context(), cfg, 2)
		mustNot(t, err)
		names := [][2]string{{"Ngọc Ánh", "ĐẶNG"}, {"İpek", "O'Neil"}, {"ÉVA", "Smith"}, {"éva", "SMITH"}, {"Σίσυφος", "Straße"}}
		for i, n := range names {
			mustNot(t, write(t, old, "INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, profile, changed_by, changed_at) VALUES ($1, $2, $2, $3, $4, $2, $2, 3, 'x', 0)",
				i+1, fmt.Sprint("u", i), n[0], n[1]))
		}
		mustNot(t, old.Close())
		db := sqldbtest.Open(t, cfg)
		type keys struct{ First, Last string }
		got, err := sqldb.All[keys](t.Context(), db.Read(), "SELECT first_key, last_key FROM users ORDER BY id")
		want := []keys{{"ngọc ánh", "đặng"}, {"ipek", "o'neil"}, {"éva", "smith"}, {"éva", "smith"}, {"σίσυφοσ", "straße"}}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
		mustNot(t, write(t, db, "UPDATE users SET first_key = 'x' WHERE id = 1"))
	})
}

// What every change of a user writes is in no index: a change would write the index too, and on PostgreSQL all others.
func TestChangesWriteNoIndex(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		query := `SELECT x.name FROM pragma_index_list('users') i, pragma_index_xinfo(i.name) x WHERE x.key = 1 AND x.name IN ('version', 'changed_at', 'changed_by', 'lan_key')`
		if db.Engine == sqldb.Postgres {
			query = `SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
				WHERE i.indrelid = 'users'::regclass AND a.attname IN ('version', 'changed_at', 'changed_by', 'lan_key')`
		}
		got, err := sqldb.All[string](t.Context(), db.Read(), query)
		if err != nil || !slices.Equal(got, []string{"lan_key"}) {
			t.Errorf("%q, %v; want only the LAN ID", got, err)
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
