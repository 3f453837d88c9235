package bench

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"muster/internal/sqldb"
)

// sqliteStore keeps its snapshots as files.
type sqliteStore struct{ *bench }

func openSQLite(b *bench) (store, error) {
	s := &sqliteStore{b}
	return s, os.MkdirAll(s.snapshot(""), 0o700)
}

func (s *sqliteStore) engine() sqldb.Engine        { return sqldb.SQLite }
func (s *sqliteStore) snapshot(name string) string { return filepath.Join(s.scratch, "sqlite", name) }
func (s *sqliteStore) close() error                { return os.RemoveAll(s.snapshot("")) }
func (s *sqliteStore) settle(context.Context) error {
	syncDisks()
	return nil
}

func (s *sqliteStore) versions(ctx context.Context) ([]string, error) {
	shell, err := tool(exec.CommandContext(ctx, "sqlite3", "--version"))
	if err != nil {
		return nil, err
	}
	shell, _, _ = strings.Cut(shell, " ")
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var own string
	if err := db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&own); err != nil {
		return nil, err
	}
	return []string{"SQLite " + own + " in Muster, " + shell + " in the sqlite3 shell (the raw loader)"}, nil
}

func (s *sqliteStore) create(_ context.Context, snapshot string) (place, error) {
	dir, err := s.dataDir()
	if err != nil || snapshot == "" {
		return place{dir: dir}, err
	}
	return place{dir: dir}, copyFile(filepath.Join(dir, sqldb.FileName), s.snapshot(snapshot))
}

func (s *sqliteStore) keep(ctx context.Context, p place, snapshot string) error {
	if err := s.finish(ctx, p); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(p.dir, sqldb.FileName), s.snapshot(snapshot)); err != nil {
		return err
	}
	return s.remove(ctx, p)
}

func (s *sqliteStore) remove(_ context.Context, p place) error { return os.RemoveAll(p.dir) }

// finish empties the write-ahead log. Whoever closes a database last does that by itself; this makes sure.
func (s *sqliteStore) finish(ctx context.Context, p place) error {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.Join(p.dir, sqldb.FileName)}).EscapedPath())
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return fmt.Errorf("empty the write-ahead log: %w", err)
	}
	return nil
}

func (s *sqliteStore) loaders() []loader {
	return []loader{
		{exact: true, load: s.loadChecked, seconds: func(r *Round) *float64 { return &r.Loader }},
		{exact: true, load: s.loadUnchecked, seconds: func(r *Round) *float64 { return &r.Unchecked }},
		{prepare: s.loosen, load: s.loadBare, seconds: func(r *Round) *float64 { return &r.Bare }},
	}
}

// The shell gets what Muster gives its own loads: write-ahead log, every commit on disk, the same cache.
const shellPragmas = `.bail on
PRAGMA synchronous = FULL;
PRAGMA cache_size = -131072;
PRAGMA temp_store = FILE;
PRAGMA foreign_keys = %s;
`

// loadChecked makes the database check every reference: as far as a raw loader can, it is as careful as Muster.
func (s *sqliteStore) loadChecked(ctx context.Context, p place, rows *rawFiles) error {
	return s.loadExactly(ctx, p, rows, "ON")
}

// loadUnchecked trusts the file, as the shell does unless it is told not to. Muster's loads do not have the database
// check references row by row either, but know them to be right by their own statements, which the shell has not.
func (s *sqliteStore) loadUnchecked(ctx context.Context, p place, rows *rawFiles) error {
	return s.loadExactly(ctx, p, rows, "OFF")
}

// loadExactly writes what Muster writes. The shell can import no NULL, and a STRICT table takes no empty text for a
// number: users go through a table without indexes. The other three hold no NULL and are imported as they are.
func (s *sqliteStore) loadExactly(ctx context.Context, p place, rows *rawFiles, foreignKeys string) error {
	var script strings.Builder
	fmt.Fprintf(&script, shellPragmas, foreignKeys)
	users := rows.tables[0]
	values := make([]string, len(users.columns))
	for i, c := range users.columns {
		values[i] = c
		if users.nulls[i] {
			values[i] = "nullif(" + c + ", '')"
		}
	}
	list := strings.Join(users.columns, ", ")
	fmt.Fprintf(&script, "BEGIN;\nPRAGMA defer_foreign_keys = ON;\nCREATE TEMP TABLE stage (%s);\n.import --csv --schema temp %s stage\n", list, users.file)
	fmt.Fprintf(&script, "INSERT INTO main.users (%s) SELECT %s FROM temp.stage;\nCOMMIT;\n", list, strings.Join(values, ", "))
	for _, t := range rows.tables[1:] {
		fmt.Fprintf(&script, "BEGIN;\nPRAGMA defer_foreign_keys = ON;\n.import --csv %s %s\nCOMMIT;\n", t.file, t.name)
	}
	return s.shell(ctx, p, rows.dir, script.String())
}

// run has references checked, as the raw loader that counts.
func (s *sqliteStore) run(ctx context.Context, p place, script string) error {
	return s.shell(ctx, p, "", fmt.Sprintf(shellPragmas, "ON")+script)
}

// loosen makes the tables take empty text for numbers. The file's format is the same; only the declaration differs.
func (s *sqliteStore) loosen(ctx context.Context, p place) error {
	return s.shell(ctx, p, "", `.bail on
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(replace(sql, 'STRICT, WITHOUT ROWID', 'WITHOUT ROWID'), ') STRICT', ')') WHERE type = 'table';
PRAGMA writable_schema = RESET;
`)
}

// loadBare is what the shell does at its fastest: no table in between, no foreign keys, and empty text where NULL
// belongs, which Muster could not live with.
func (s *sqliteStore) loadBare(ctx context.Context, p place, rows *rawFiles) error {
	var script strings.Builder
	fmt.Fprintf(&script, shellPragmas, "OFF")
	for _, t := range rows.tables {
		fmt.Fprintf(&script, "BEGIN;\n.import --csv %s %s\nCOMMIT;\n", t.file, t.name)
	}
	return s.shell(ctx, p, rows.dir, script.String())
}

func (s *sqliteStore) shell(ctx context.Context, p place, workDir, script string) error {
	// -init: the person's own settings of the shell stay out of it.
	cmd := exec.CommandContext(ctx, "sqlite3", "-batch", "-init", os.DevNull, filepath.Join(p.dir, sqldb.FileName))
	cmd.Dir = workDir
	cmd.Stdin = strings.NewReader(script)
	_, err := tool(cmd)
	return err
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
