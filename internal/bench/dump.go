package bench

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"muster/internal/sqldb"
)

// rawTables are what an import writes of the directory, in an order that the foreign keys allow.
var rawTables = []string{"users", "user_roles", "user_channels", "user_features"}

// Columns that hold the id of a user, and those in which two imports of the same files differ.
var (
	userIDColumns = []string{"id", "user_id", "supervisor_id"}
	runColumns    = []string{"changed_at", "batch_id"}
)

// rawFiles is what the raw loader loads: one CSV file per table, NULL as an empty cell without quotes.
type rawFiles struct {
	dir      string
	tables   []rawTable
	contents contents
}

type rawTable struct {
	name    string
	file    string // in the directory
	columns []string
	nulls   []bool // the column has a NULL somewhere
}

// contents is what an import has written; two are equal when every row is, but for when and by which batch. The sum
// is that of the rows' hashes, so that the order does not matter.
type contents struct {
	Rows [4]int64 // as rawTables
	Sum  uint64
}

// numbering gives the users of an import new ids in the order of the spreadsheet, from base on. Ids as Muster gives
// them are in the order of LAN IDs: a raw loader that goes by the spreadsheet would insert them criss-cross.
type numbering struct {
	q    sqldb.Querier
	base int64
	ids  []int64 // by old id - base; 0: no such user
}

// number looks at the users from the id base on.
func number(ctx context.Context, q sqldb.Querier, base int64, order map[string]int32) (*numbering, error) {
	type user struct {
		ID  int64
		Key string
	}
	type placed struct {
		id    int64
		place int32
	}
	var all []placed
	n := &numbering{q: q, base: base}
	for u, err := range sqldb.Each[user](ctx, q, "SELECT id, lan_key FROM users WHERE id >= $1", base) {
		if err != nil {
			return nil, err
		}
		place, ok := order[u.Key]
		if !ok {
			return nil, fmt.Errorf("user %s is not in the file", u.Key)
		}
		all = append(all, placed{u.ID, place})
	}
	slices.SortFunc(all, func(a, b placed) int { return int(a.place - b.place) })
	for i, p := range all {
		for int64(len(n.ids)) <= p.id-base {
			n.ids = append(n.ids, 0)
		}
		n.ids[p.id-base] = base + int64(i)
	}
	return n, nil
}

// each calls fn with every row of a table that belongs to one of the users, ids renumbered; nil is NULL. The fields
// are fn's only until it returns.
func (n *numbering) each(ctx context.Context, table string, fn func(columns []string, id int64, fields []sql.RawBytes) error) error {
	key := "user_id"
	if table == "users" {
		key = "id"
	}
	rows, err := n.q.QueryContext(ctx, fmt.Sprintf("SELECT * FROM %s WHERE %s >= $1 ORDER BY 1, 2", table, key), n.base)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	fields, dest := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
	for i := range fields {
		dest[i] = &fields[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		id := int64(0)
		for i, c := range columns {
			if fields[i] == nil || !slices.Contains(userIDColumns, c) {
				continue
			}
			old, err := strconv.ParseInt(string(fields[i]), 10, 64)
			if err != nil {
				return err
			}
			renumbered := old // somebody who was there before
			if at := old - n.base; at >= 0 && at < int64(len(n.ids)) {
				renumbered = n.ids[at]
			}
			if fields[i] = strconv.AppendInt(nil, renumbered, 10); c == key {
				id = renumbered
			}
		}
		if err := fn(columns, id, fields); err != nil {
			return err
		}
	}
	return rows.Err()
}

// sum reads what an import, or the raw loader, has written.
func (n *numbering) sum(ctx context.Context) (c contents, err error) {
	for i, table := range rawTables {
		err := n.each(ctx, table, func(columns []string, _ int64, fields []sql.RawBytes) error {
			c.Rows[i]++
			c.Sum += hash(table, columns, fields)
			return nil
		})
		if err != nil {
			return c, fmt.Errorf("read %s: %w", table, err)
		}
	}
	return c, nil
}

func hash(table string, columns []string, fields []sql.RawBytes) uint64 {
	line := []byte(table)
	for i, f := range fields {
		if slices.Contains(runColumns, columns[i]) {
			continue
		}
		line = append(line, 0)
		if f == nil {
			line = append(line, 1)
		}
		line = append(line, f...)
	}
	sum := sha256.Sum256(line)
	return binary.LittleEndian.Uint64(sum[:])
}

// contentsOf reads what was written into a database by an import of the input: whose ids are base or more.
func contentsOf(ctx context.Context, p place, base int64, in *input) (c contents, err error) {
	// It takes some hundred bytes a user, which must not be missing when the next import is measured.
	defer debug.FreeOSMemory()
	order, err := in.order()
	if err != nil {
		return c, err
	}
	db, err := p.open(ctx)
	if err != nil {
		return c, err
	}
	defer db.Close()
	n, err := number(ctx, db.Read(), base, order)
	if err != nil {
		return c, err
	}
	return n.sum(ctx)
}

// dump writes what an import of the input has written as files for the raw loader.
func dump(ctx context.Context, p place, base int64, in *input, dir string) (*rawFiles, error) {
	defer debug.FreeOSMemory()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	order, err := in.order()
	if err != nil {
		return nil, err
	}
	db, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	n, err := number(ctx, db.Read(), base, order)
	if err != nil {
		return nil, err
	}
	raw := &rawFiles{dir: dir}
	for i, name := range rawTables {
		t, err := n.dumpTable(ctx, name, dir, &raw.contents.Rows[i], &raw.contents.Sum)
		if err != nil {
			return nil, fmt.Errorf("dump %s: %w", name, err)
		}
		raw.tables = append(raw.tables, t)
	}
	return raw, nil
}

func (n *numbering) dumpTable(ctx context.Context, name, dir string, rows *int64, sum *uint64) (rawTable, error) {
	t := rawTable{name: name, file: name + ".csv"}
	empties := []bool{}
	lines := make([][]byte, len(n.ids)) // by new id
	err := n.each(ctx, name, func(columns []string, id int64, fields []sql.RawBytes) error {
		if t.columns == nil {
			t.columns, t.nulls, empties = columns, make([]bool, len(columns)), make([]bool, len(columns))
		}
		*rows++
		*sum += hash(name, columns, fields)
		line := lines[id-n.base]
		for i, f := range fields {
			if i > 0 {
				line = append(line, ',')
			}
			t.nulls[i] = t.nulls[i] || f == nil
			empties[i] = empties[i] || f != nil && len(f) == 0
			line = appendCell(line, f)
		}
		lines[id-n.base] = append(line, '\n')
		return nil
	})
	if err != nil {
		return t, err
	}
	for i, c := range t.columns {
		if t.nulls[i] && empties[i] {
			return t, fmt.Errorf("column %s has NULL and empty text: a loader that takes one for the other cannot load it", c)
		}
	}
	return t, writeLines(filepath.Join(dir, t.file), lines)
}

func appendCell(line []byte, f sql.RawBytes) []byte {
	if f == nil || len(f) > 0 && !strings.ContainsAny(string(f), "\",\r\n") {
		return append(line, f...)
	}
	return append(append(append(line, '"'), strings.ReplaceAll(string(f), `"`, `""`)...), '"')
}

func writeLines(path string, lines [][]byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	for _, l := range lines {
		w.Write(l) // an error stays with the writer: Flush returns it
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
