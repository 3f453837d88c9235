package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"muster/internal/fault"

	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Cache sizes in KiB. The engine's default of 2 MB makes a load 1.7 times slower; more than 128 MB gained nothing
// measurable at a million users.
const (
	readCache  = 16 << 10
	writeCache = 32 << 10
	bulkCache  = 96 << 10
)

func openSQLite(ctx context.Context, path string) (*DB, error) {
	if f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the database %s cannot be opened for writing", path)
	} else if err := f.Close(); err != nil {
		return nil, err
	}
	queue, err := newWriteQueue(path + ".queue")
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the directory of %s cannot be written", path)
	}
	db := &DB{Engine: SQLite, Keys: "(SELECT value AS key FROM json_each($1))", queue: queue, dbPath: path}
	// Foreign keys are off for loads only: BulkTx says why that is sound.
	db.read = openPool(path, readCache, true, "&_pragma=query_only(1)")
	db.write = openPool(path, writeCache, true, "")
	// Loads leave checkpoints to the checkpointer, which works on another core.
	db.bulk = openPool(path, bulkCache, false, "&_pragma=wal_autocheckpoint(0)")
	db.checkpoints = startCheckpointer(openPool(path, readCache, true, ""))
	db.read.SetMaxOpenConns(8)
	db.write.SetMaxOpenConns(1)
	db.bulk.SetMaxOpenConns(1)
	// Page size and WAL mode are properties of the file: set once, by whoever comes first. On pages of 16 KiB a load is
	// 15 % faster than on 4 KiB: what a chunk touches at random is written in a quarter of the pieces.
	if _, err := db.write.ExecContext(ctx, "PRAGMA page_size = 16384"); err != nil {
		db.Close()
		return nil, Explain(fmt.Errorf("open %s: %w", path, err))
	}
	var mode string
	if err := db.write.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		db.Close()
		return nil, Explain(fmt.Errorf("open %s: %w", path, err))
	}
	return db, nil
}

func openPool(path string, cacheKiB int, foreignKeys bool, more string) *sql.DB {
	on := 0
	if foreignKeys {
		on = 1
	}
	// synchronous FULL: what was acknowledged survives a power cut.
	dsn := fmt.Sprintf("file:%s?_pragma=busy_timeout(10000)&_pragma=synchronous(2)&_pragma=cache_size(-%d)&_pragma=foreign_keys(%d)%s",
		(&url.URL{Path: path}).EscapedPath(), cacheKiB, on, more)
	pool, err := sql.Open("sqlite", dsn)
	if err != nil {
		panic("sqldb: the sqlite driver is not registered: " + err.Error())
	}
	return pool
}

// begin starts a transaction that holds the write lock from its first statement on, so that it cannot fail half-way
// for want of the lock. Whoever waits is seen by the one who writes (see writeQueue).
func (q *writeQueue) begin(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return err
	}
	leave, err := q.enter()
	if err != nil {
		return err
	}
	defer leave()
	for {
		_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE")
		var se *sqlite.Error
		if err == nil || !errors.As(err, &se) || se.Code()&0xff != sqlite3.SQLITE_BUSY {
			return err
		}
		// Polling every 2 ms instead of the engine's pauses of up to 100 ms: the gap between two chunks of a load
		// is short, and whoever sleeps through it waits for the next.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// checkpointer copies what loads have committed from the write-ahead log into the database file. It works on another
// core while the next chunk is still being made in memory.
type checkpointer struct {
	pool  *sql.DB
	pages atomic.Int64 // in the log, as of the last checkpoint
	wake  chan struct{}
	done  chan struct{}
}

// maxLogPages bounds the log, at 256 MiB: it starts again from its beginning only when a transaction begins just when
// all of it is copied, which a load in full swing never lets happen by itself.
const maxLogPages = 16 << 10

func startCheckpointer(pool *sql.DB) *checkpointer {
	pool.SetMaxOpenConns(1)
	c := &checkpointer{pool: pool, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		for range c.wake {
			c.checkpoint(context.Background())
		}
	}()
	return c
}

// checkpoint copies what can be copied without waiting for anybody. One that fails is made good by the next: nothing
// that was committed depends on it.
func (c *checkpointer) checkpoint(ctx context.Context) {
	var busy, log, copied int64
	if err := c.pool.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &log, &copied); err == nil {
		c.pages.Store(log)
	}
}

// before is called before a load's transaction begins.
func (c *checkpointer) before(ctx context.Context) {
	if c.pages.Load() > maxLogPages {
		c.checkpoint(ctx)
		c.pages.Store(0)
	}
}

// committed says that there is something to copy.
func (c *checkpointer) committed() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *checkpointer) close() error {
	close(c.wake)
	<-c.done
	return c.pool.Close()
}
