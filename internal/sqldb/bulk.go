package sqldb

import (
	"context"
	"fmt"
	"strings"
)

// Source yields the rows of a [Tx.Bulk]. Next moves to the next row; Value is a column of the row it is on: nil,
// int64 or string.
type Source interface {
	Next() (bool, error)
	Value(column int) any
}

// Fixed is a column that has the same value in every row: nil, int64 or string.
type Fixed struct {
	Column string
	Value  any
}

// Bulk inserts all rows of the source into the table's columns, in the source's order, by the fastest way that the
// engine has: COPY on PostgreSQL, a virtual table that reads straight from the source on SQLite. It returns the
// number of rows. A row that a constraint refuses fails the whole statement (see [ErrorKind]).
func (tx *Tx) Bulk(ctx context.Context, table string, columns []string, src Source, fixed ...Fixed) (int64, error) {
	if tx.db.Engine == Postgres {
		return tx.copyFrom(ctx, table, columns, src, fixed)
	}
	return tx.insertFrom(ctx, table, columns, src, fixed)
}

func (tx *Tx) insertFrom(ctx context.Context, table string, columns []string, src Source, fixed []Fixed) (int64, error) {
	feed, done := feeds.add(src)
	defer done()
	list := strings.Join(columns, ", ")
	// The virtual table stays with the connection: its name says its columns, the source comes as the parameter.
	name := "feed_" + strings.Join(append([]string{table}, columns...), "_")
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("CREATE VIRTUAL TABLE IF NOT EXISTS temp.%s USING muster_feed(%s)", name, list)); err != nil {
		return 0, fmt.Errorf("prepare a load of %s: %w", table, err)
	}
	into, from, args := list, list, []any{feed.id}
	for i, f := range fixed {
		into += ", " + f.Column
		from += fmt.Sprintf(", $%d", i+2)
		args = append(args, f.Value)
	}
	// OR FAIL: the transaction is rolled back anyway, so the statement needs no journal of its own, which would copy
	// every page that it touches first; a million random keys touch most of them.
	res, err := tx.ExecContext(ctx, fmt.Sprintf("INSERT OR FAIL INTO main.%s (%s) SELECT %s FROM temp.%s WHERE feed = $1", table, into, from, name), args...)
	if feed.err != nil {
		return 0, sourceError{feed.err}
	}
	if err != nil {
		return 0, fmt.Errorf("load %s: %w", table, err)
	}
	return res.RowsAffected()
}
