// Package sqldb puts SQLite and PostgreSQL behind database/sql and one SQL text: placeholders are $1, times are
// whole microseconds (BIGINT, UTC), and what really differs (bulk load, a set of keys as a table, locks, error
// kinds, migrations) is a method or field here.
//
// On SQLite there are many reading connections and one writer at a time; on PostgreSQL one pool serves both.
// A transaction that changes something is a [DB.Tx]; a large load is a [DB.BulkTx].
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"muster/internal/fault"
)

// Engine is the database behind a [DB].
type Engine string

const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// FileName is the name of the SQLite database inside the data directory.
const FileName = "muster.db"

// Querier is what runs statements: a transaction or the reading side of a [DB].
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// DB is an open database whose schema is the newest.
type DB struct {
	Engine Engine
	// Keys is a table expression with one column, key, of the strings that [DB.KeySet] packed into the
	// statement's first parameter ($1).
	Keys string

	read   *sql.DB
	write  *sql.DB
	bulk   *sql.DB
	dbPath string

	queue       *writeQueue   // SQLite only
	checkpoints *checkpointer // likewise
}

// Config says which database to open.
type Config struct {
	Dir string // data directory; holds the SQLite database
	URL string // postgres://…; empty for SQLite
}

// Open connects, creates the database on first use, and brings the schema up to date. It refuses a database that
// a newer version of Muster has written.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	db, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func connect(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.URL != "" {
		return openPostgres(ctx, cfg.URL)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the data directory %s cannot be made; choose another with --data-dir", cfg.Dir)
	}
	return openSQLite(ctx, filepath.Join(cfg.Dir, FileName))
}

// Close ends all connections.
func (db *DB) Close() error {
	var err error
	if db.checkpoints != nil {
		err = db.checkpoints.close()
	}
	err = errors.Join(err, db.read.Close())
	if db.write != db.read {
		err = errors.Join(err, db.write.Close())
	}
	if db.bulk != db.write {
		err = errors.Join(err, db.bulk.Close())
	}
	if db.queue != nil {
		err = errors.Join(err, db.queue.close())
	}
	return err
}

// Read returns the reading side: any number of statements at once, none of them waits for a writer.
func (db *DB) Read() Querier { return db.read }

// Snapshot runs fn on one connection that sees the database as it was at one instant.
func (db *DB) Snapshot(ctx context.Context, fn func(Querier) error) error {
	tx, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return Explain(err)
	}
	defer tx.Rollback()
	return fn(tx)
}

// Tx is a writing transaction.
type Tx struct {
	Querier
	db   *DB
	conn *sql.Conn
}

// Tx runs fn in a transaction that commits when fn returns nil. A deadlock or serialization failure runs fn again
// from the start, up to five times: fn must not keep results of an earlier try.
func (db *DB) Tx(ctx context.Context, fn func(*Tx) error) error {
	return db.transact(ctx, db.write, fn)
}

// BulkTx is [DB.Tx] on a connection made for loads: on SQLite it has a large cache, and foreign keys are not
// checked row by row, so fn must itself make sure, set by set, that what its rows refer to is there. On PostgreSQL
// several may run at once and foreign keys are checked as ever.
func (db *DB) BulkTx(ctx context.Context, fn func(*Tx) error) error {
	if db.checkpoints != nil {
		db.checkpoints.before(ctx)
	}
	err := db.transact(ctx, db.bulk, fn)
	if err == nil && db.checkpoints != nil {
		db.checkpoints.committed()
	}
	return err
}

func (db *DB) transact(ctx context.Context, pool *sql.DB, fn func(*Tx) error) error {
	for try := 1; ; try++ {
		err := db.transactOnce(ctx, pool, fn)
		if err == nil || try == 5 || ErrorKind(err) != Retry {
			return err
		}
		time.Sleep(time.Duration(try*try) * 5 * time.Millisecond)
	}
}

func (db *DB) transactOnce(ctx context.Context, pool *sql.DB, fn func(*Tx) error) (err error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return Explain(err)
	}
	defer conn.Close()
	if err := db.begin(ctx, conn); err != nil {
		return Explain(err)
	}
	done := false
	defer func() {
		if !done {
			// The caller's context may be what ended the transaction: rolling back must not depend on it.
			if _, rerr := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); rerr != nil {
				// A connection in an unknown state must not go back to the pool.
				conn.Raw(func(any) error { return errBadConn })
			}
		}
	}()
	if err := fn(&Tx{Querier: conn, db: db, conn: conn}); err != nil {
		return Explain(err)
	}
	if err := errors.Join(ctx.Err(), db.sound(conn)); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		return Explain(fmt.Errorf("commit: %w", err))
	}
	done = true
	return nil
}

// sound refuses to commit on PostgreSQL what a failed statement has already undone, should fn have passed over its
// error: COMMIT would roll back, and say nothing.
func (db *DB) sound(conn *sql.Conn) error {
	if db.Engine != Postgres {
		return nil
	}
	return pgConn(conn, func(c *pgx.Conn) error {
		if c.PgConn().TxStatus() != 'T' {
			return errors.New("commit: a statement of the transaction failed before")
		}
		return nil
	})
}

// Engine returns the engine, for the few statements that differ.
func (tx *Tx) Engine() Engine { return tx.db.Engine }

func (db *DB) begin(ctx context.Context, conn *sql.Conn) error {
	if db.Engine == Postgres {
		_, err := conn.ExecContext(ctx, "BEGIN")
		return err
	}
	return db.queue.begin(ctx, conn)
}

// Waiting tells whether somebody waits to write: a load then commits what it has and lets the other go first.
// On PostgreSQL writers do not queue behind each other, and it is always false.
func (db *DB) Waiting() bool { return db.queue != nil && db.queue.waiting() }

// GiveWay returns when nobody waits to write any more, after 300 ms at the latest.
func (db *DB) GiveWay(ctx context.Context) {
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end) && ctx.Err() == nil && db.Waiting(); {
		time.Sleep(time.Millisecond)
	}
}
