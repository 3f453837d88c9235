package sqldb

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"
)

// gridVersion is the migration that made the columns and indexes of the grid of users. It is no file of SQL, because
// it fills the folded names of those who are there already, and neither engine can fold as [FoldText] does.
const gridVersion = 3

// gridColumns are the folded names: what is compared without case, and sorted by. Whoever writes a name writes its key.
var gridColumns = map[Engine][]string{
	SQLite: {
		`ALTER TABLE users ADD COLUMN first_key TEXT NOT NULL DEFAULT ''`,
		`ALTER TABLE users ADD COLUMN last_key TEXT NOT NULL DEFAULT ''`,
	},
	Postgres: {
		`ALTER TABLE users ADD COLUMN first_key TEXT COLLATE "C" NOT NULL DEFAULT ''`,
		`ALTER TABLE users ADD COLUMN last_key TEXT COLLATE "C" NOT NULL DEFAULT ''`,
		// Compared without case as ids are: lower() is that of A to Z under this collation, whatever the server's is.
		`ALTER TABLE users ALTER COLUMN changed_by TYPE TEXT COLLATE "C"`,
	},
}

// gridIndexes all end with the id, so that rows with the same value have one order, in which a page can begin
// anywhere. On SQLite every index does by itself, and would hold a second id. The last two hold what is rare in a
// directory, and cost next to nothing.
func gridIndexes(e Engine) []string {
	id := ", id"
	if e == SQLite {
		id = ""
	}
	return []string{
		"CREATE INDEX users_first_key ON users (first_key" + id + ")",
		"CREATE INDEX users_last_key ON users (last_key" + id + ")",
		"CREATE INDEX users_changed_at ON users (changed_at" + id + ")",
		"CREATE INDEX users_leading ON users (profile" + id + ") WHERE profile < 3",
		"CREATE INDEX users_inactive ON users (id) WHERE active = 0",
	}
}

func gridMigration(e Engine) *goose.Migration {
	return goose.NewGoMigration(gridVersion, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		if err := execAll(ctx, tx, gridColumns[e]); err != nil {
			return err
		}
		if err := foldNames(ctx, tx); err != nil {
			return fmt.Errorf("fold the names of users: %w", err)
		}
		return execAll(ctx, tx, gridIndexes(e))
	}}, nil)
}

func execAll(ctx context.Context, tx *sql.Tx, statements []string) error {
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// foldNames folds each name once, however many share it.
func foldNames(ctx context.Context, tx *sql.Tx) error {
	names, err := All[string](ctx, tx, "SELECT first_name FROM users UNION SELECT last_name FROM users")
	if err != nil || len(names) == 0 {
		return err
	}
	if _, err := tx.ExecContext(ctx, "CREATE TEMPORARY TABLE folds (name TEXT PRIMARY KEY, key TEXT NOT NULL)"); err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, "INSERT INTO folds (name, key) VALUES ($1, $2)")
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, name := range names {
		if _, err := insert.ExecContext(ctx, name, FoldText(name)); err != nil {
			return err
		}
	}
	return execAll(ctx, tx, []string{
		`UPDATE users SET first_key = (SELECT f.key FROM folds f WHERE f.name = users.first_name),
			last_key = (SELECT f.key FROM folds f WHERE f.name = users.last_name)`,
		"DROP TABLE folds",
	})
}
