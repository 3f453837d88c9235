package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"iter"
	"reflect"
)

// All runs a query and returns its rows. A struct T takes the columns in the order of its fields; any other T is the
// only column.
func All[T any](ctx context.Context, q Querier, query string, args ...any) ([]T, error) {
	var all []T
	for v, err := range Each[T](ctx, q, query, args...) {
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// Each is [All] row by row: memory does not grow with the result. The first error ends it.
func Each[T any](ctx context.Context, q Querier, query string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		rows, err := q.QueryContext(ctx, query, args...)
		if err != nil {
			yield(zero, Explain(err))
			return
		}
		defer rows.Close()
		var v T
		dest := destinations(&v)
		for rows.Next() {
			v = zero
			if err := rows.Scan(dest...); err != nil {
				yield(zero, err)
				return
			}
			if !yield(v, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(zero, Explain(err))
		}
	}
}

// One returns the only row of a query; found is false when there is none.
func One[T any](ctx context.Context, q Querier, query string, args ...any) (v T, found bool, err error) {
	err = q.QueryRowContext(ctx, query, args...).Scan(destinations(&v)...)
	if errors.Is(err, sql.ErrNoRows) {
		return v, false, nil
	}
	return v, err == nil, Explain(err)
}

func destinations[T any](v *T) []any {
	s := reflect.ValueOf(v).Elem()
	if _, scans := any(v).(sql.Scanner); scans || s.Kind() != reflect.Struct {
		return []any{v}
	}
	dest := make([]any, s.NumField())
	for i := range dest {
		dest[i] = s.Field(i).Addr().Interface()
	}
	return dest
}

// KeySet packs strings into one parameter; see [DB.Keys].
func (db *DB) KeySet(keys []string) any {
	if db.Engine == Postgres {
		return keys
	}
	if keys == nil {
		keys = []string{} // null would be a row
	}
	packed, err := json.Marshal(keys)
	if err != nil {
		panic("sqldb: strings always marshal: " + err.Error())
	}
	return string(packed)
}
