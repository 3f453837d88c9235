package sqldb_test

import (
	"slices"
	"testing"

	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for _, keys := range [][]string{nil, {}, {"a"}, {`b"c`, "d'e", `f\g`, "<h>&", "", "né", "{i,j}"}} {
			got, err := sqldb.All[string](t.Context(), db.Read(), "SELECT key FROM "+db.Keys+" AS k", db.KeySet(keys))
			if err != nil || !slices.Equal(got, keys) {
				t.Errorf("%q: got %q, %v", keys, got, err)
			}
		}
	})
}

func TestScan(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		mustNot(t, write(t, db, "INSERT INTO crm_names (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')"))
		const query = "SELECT id, nullif(name, 'b') FROM crm_names ORDER BY id"
		type row struct {
			ID   int
			Name *string
		}
		var names []string
		for r, err := range sqldb.Each[row](t.Context(), db.Read(), query) {
			mustNot(t, err)
			if r.ID == 3 {
				break // the rows are closed, the connection is free
			}
			if r.Name == nil {
				names = append(names, "NULL")
			} else {
				names = append(names, *r.Name)
			}
		}
		if !slices.Equal(names, []string{"a", "NULL"}) {
			t.Errorf("got %q", names)
		}
		if _, found, err := sqldb.One[row](t.Context(), db.Read(), "SELECT id, name FROM crm_names WHERE id = 9"); found || err != nil {
			t.Errorf("none: %v, %v", found, err)
		}
		if _, err := sqldb.All[row](t.Context(), db.Read(), "SELECT id FROM nothing"); err == nil {
			t.Error("no error")
		}
		if _, err := sqldb.All[int](t.Context(), db.Read(), "SELECT name FROM crm_names"); err == nil {
			t.Error("text was scanned into a number")
		}
	})
}
