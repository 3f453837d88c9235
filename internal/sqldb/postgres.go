package sqldb

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"muster/internal/fault"
)

func openPostgres(ctx context.Context, url string) (*DB, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the database address is not a PostgreSQL URL such as postgres://user@host:5432/muster")
	}
	// A process that was stopped inside a transaction must not keep its locks for ever: the server ends it, and the
	// one that took its batch over goes on.
	cfg.RuntimeParams["idle_in_transaction_session_timeout"] = "30s"
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "muster"
	}
	pool := stdlib.OpenDB(*cfg)
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(8)
	db := &DB{Engine: Postgres, Keys: "(SELECT unnest($1::text[]) AS key)", read: pool, write: pool, bulk: pool}
	if err := pool.PingContext(ctx); err != nil {
		db.Close()
		return nil, Explain(err)
	}
	return db, nil
}

// pgConn hands out the driver's connection under a pooled one.
func pgConn(conn *sql.Conn, fn func(*pgx.Conn) error) error {
	return conn.Raw(func(driverConn any) error {
		return fn(driverConn.(*stdlib.Conn).Conn())
	})
}
