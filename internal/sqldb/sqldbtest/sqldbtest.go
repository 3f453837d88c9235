// Package sqldbtest gives tests a database of each engine: SQLite in a temporary directory, and PostgreSQL on the
// server that MUSTER_TEST_POSTGRES names (the URL of a database in which databases may be created), or else on a
// private one, which starts with the first test that needs it and ends with the test binary.
package sqldbtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that creates and drops databases

	"muster/internal/sqldb"
)

// Each runs fn as a subtest for each engine, on a fresh database with the newest schema.
func Each(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	EachConfig(t, func(t *testing.T, cfg sqldb.Config) { fn(t, Open(t, cfg)) })
}

// EachConfig is [Each] for tests that open the database themselves; it is empty, without a schema.
func EachConfig(t *testing.T, fn func(t *testing.T, cfg sqldb.Config)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, sqldb.Config{Dir: t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) { fn(t, sqldb.Config{Dir: t.TempDir(), URL: Postgres(t)}) })
}

// Open opens the database and closes it when the test ends.
func Open(t testing.TB, cfg sqldb.Config) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Postgres returns the URL of a fresh, empty database, which is dropped when the test ends. Without a server the test
// is skipped; in CI (the environment variable CI is set) it fails.
func Postgres(t testing.TB) string {
	t.Helper()
	server, err := server()
	if err != nil {
		const help = "no PostgreSQL: %v; install it (Debian: apt-get install postgresql), or set MUSTER_TEST_POSTGRES to the URL of a database"
		if os.Getenv("CI") != "" {
			t.Fatalf(help, err)
		}
		t.Skipf(help, err)
	}
	name := "muster_test_" + strings.ToLower(rand.Text()[:16])
	run(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { run(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("MUSTER_TEST_POSTGRES is not a URL")
	}
	u.Path = "/" + name
	return u.String()
}

// server returns the URL of the server that this test binary uses.
var server = sync.OnceValues(func() (string, error) {
	if u := os.Getenv("MUSTER_TEST_POSTGRES"); u != "" {
		return u, nil
	}
	return startServer()
})

// run executes one statement on a connection of its own.
func run(t testing.TB, server, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
