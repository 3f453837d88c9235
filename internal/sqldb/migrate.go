package sqldb

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"muster/internal/fault"
)

//go:embed migrations
var migrations embed.FS

// Migrate brings the schema up to date. Replicas that start together do it once: they wait for each other.
func (db *DB) Migrate(ctx context.Context) error {
	newest, err := newestVersion(db.Engine)
	if err != nil {
		return err
	}
	have, err := db.Version(ctx)
	if err != nil {
		return err
	}
	switch {
	case have > newest:
		return fault.New(fault.Invalid, "the database was written by a newer Muster (schema %d, this one knows %d); use that version, nothing was changed", have, newest)
	case have == newest:
		return nil
	}
	return db.migrateTo(ctx, newest)
}

func (db *DB) migrateTo(ctx context.Context, version int64) error {
	dir, err := fs.Sub(migrations, path.Join("migrations", string(db.Engine)))
	if err != nil {
		return err
	}
	opts := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(gridMigration(db.Engine))}
	dialect := goose.DialectSQLite3
	if db.Engine == Postgres {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // look once a second, for five minutes
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	} else {
		unlock, err := lockFile(db.dbPath + ".queue")
		if err != nil {
			return err
		}
		defer unlock()
	}
	p, err := goose.NewProvider(dialect, db.write, dir, opts...)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := p.UpTo(ctx, version); err != nil {
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			err = partial.Err
		}
		return Explain(fmt.Errorf("migrate: %w", err))
	}
	return nil
}

// Version returns the number of the last migration that the database has; 0 when it is empty.
func (db *DB) Version(ctx context.Context) (int64, error) {
	there := "SELECT count(*) FROM sqlite_schema WHERE name = 'goose_db_version'"
	if db.Engine == Postgres {
		there = "SELECT count(*) FROM pg_tables WHERE tablename = 'goose_db_version' AND schemaname = ANY (current_schemas(false))"
	}
	n, _, err := One[int](ctx, db.read, there)
	if err != nil || n == 0 {
		return 0, err
	}
	v, _, err := One[int64](ctx, db.read, "SELECT coalesce(max(version_id), 0) FROM goose_db_version")
	return v, err
}

// newestVersion is the highest number among the embedded files (00001_name.sql); a migration in Go never is the last.
func newestVersion(e Engine) (int64, error) {
	files, err := migrations.ReadDir(path.Join("migrations", string(e)))
	if err != nil {
		return 0, err
	}
	var newest int64
	for _, f := range files {
		number, _, _ := strings.Cut(f.Name(), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migration %s has no number: %w", f.Name(), err)
		}
		newest = max(newest, n)
	}
	return newest, nil
}
