package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"muster/internal/fault"
)

// Kind sorts a database's errors by what can be done about them.
type Kind int

const (
	Other      Kind = iota
	Unique          // a unique index refused the row
	ForeignKey      // what the row refers to is not there, or is still referred to
	Retry           // deadlock or serialization failure: the same again may work at once
	Away            // the database cannot be reached: wait, and try again
	Full            // no space left, or an I/O error that making room may end
	ReadOnly        // the file or directory cannot be written
	NotOurs         // the file is no database, or is damaged
)

var errBadConn = driver.ErrBadConn

// sourceError is what the [Source] of a load said: however it looks, it says nothing about the database.
type sourceError struct{ error }

func (e sourceError) Unwrap() error { return e.error }

// ErrorKind looks through err's chain for an error of either engine.
func ErrorKind(err error) Kind {
	var source sourceError
	if errors.As(err, &source) {
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			return Full
		}
		return Other
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return postgresKind(pg.Code)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return sqliteKind(lite.Code())
	}
	var connect *pgconn.ConnectError
	// Not net.Error: that is any error with a Timeout method, a cancelled context's and every errno among them.
	var network *net.OpError
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return Full
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EROFS):
		return ReadOnly
	case errors.As(err, &connect):
		return Away
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Other
	case errors.As(err, &network), errors.Is(err, driver.ErrBadConn), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), pgconn.SafeToRetry(err):
		return Away
	}
	return Other
}

// postgresKind reads an SQLSTATE; the classes are those of the PostgreSQL manual, appendix A.
func postgresKind(code string) Kind {
	switch code {
	case "23505":
		return Unique
	case "23503":
		return ForeignKey
	case "40001", "40P01":
		return Retry
	case "25006":
		return ReadOnly
	case "57014": // query_canceled: by us
		return Other
	case "3D000": // the database that the address names is not there
		return Away
	case "25P03": // idle_in_transaction_session_timeout: the session is gone, a new one will do
		return Away
	}
	if len(code) == 5 {
		switch code[:2] {
		case "08", "28", "57": // connection, authorization, the server is stopped or starting
			return Away
		case "53":
			if code == "53300" {
				return Away
			}
			return Full
		case "58":
			return Full
		}
	}
	return Other
}

func sqliteKind(code int) Kind {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return Unique
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return ForeignKey
	}
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return Retry
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR:
		return Full
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
		return ReadOnly
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return NotOurs
	}
	return Other
}

// Explain gives an engine's error the message that people need, and leaves every other error as it is.
func Explain(err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	switch ErrorKind(err) {
	case Away:
		return fault.Wrap(fault.Unavailable, err, "the database cannot be reached; check that it runs and that its address is right")
	case Full:
		return fault.Wrap(fault.Unavailable, err, "the disk is full or failing; make room, what was committed is safe")
	case ReadOnly:
		return fault.Wrap(fault.Unavailable, err, "the database cannot be written; check the permissions of the data directory")
	case NotOurs:
		return fault.Wrap(fault.Invalid, err, "the database file is damaged or is no Muster database; restore it from a backup or choose another --data-dir")
	case Retry:
		return fault.Wrap(fault.Unavailable, err, "the database is busy; try again")
	}
	return err
}
