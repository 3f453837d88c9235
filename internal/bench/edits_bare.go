package bench

import (
	"context"
	"fmt"
	"strings"
	"time"

	"muster/internal/directory"
	"muster/internal/sqldb"
)

// bareBatch is the number of the batch that bare statements write their journal for; Muster's own are far below.
const bareBatch = 1_000_000_000

// bareEdit is a role given to, or taken from, users of a directory by bare statements: what remains of assigning a
// role in bulk without judging, preview, report and undo. They write the rows that Muster writes, to the byte: the grants, version, who
// and when of each user, and the journal. A shorter name would leave the room on each page that a higher version takes.
type bareEdit struct {
	role int64
	give bool
	of   int64 // one user of so many: those whose ids it divides
}

// statements are in the order in which they are quickest: no set of ids between, each table once from its beginning to
// its end. They are right because nobody holds the role, or everybody does.
func (e bareEdit) statements() []string {
	who := fmt.Sprintf(" WHERE id %% %d = 0", e.of)
	if e.of == 1 {
		who = ""
	}
	grants, before, after := fmt.Sprintf("DELETE FROM user_roles WHERE role_id = %d", e.role), e.role, int64(0)
	if e.give {
		grants, before, after = fmt.Sprintf("INSERT INTO user_roles (user_id, role_id) SELECT id, %d FROM users%s ORDER BY id", e.role, who), 0, e.role
	}
	return []string{
		fmt.Sprintf("INSERT INTO batches (id, action, state, owner, source, options, created_at) VALUES (%d, 'assign-role', 'done', 'bench', 'bench', '{}', 1)", bareBatch),
		fmt.Sprintf("INSERT INTO user_changes (batch_id, user_id, what, before, after, version) SELECT %d, id, 'role', %d, %d, version + 1 FROM users%s ORDER BY id", bareBatch, before, after, who),
		grants,
		fmt.Sprintf("UPDATE users SET version = version + 1, changed_by = '%s', changed_at = %d%s", directory.System("bench").Name(), time.Now().UnixMicro(), who),
	}
}

// script is all of it in one transaction, for the engine's own command line.
func (e bareEdit) script() string {
	return "BEGIN;\n" + strings.Join(e.statements(), ";\n") + ";\nCOMMIT;\n"
}

// driven runs the statements in one transaction by Muster's own driver, on the connection that its loads have, which has no
// references checked.
func (e bareEdit) driven(ctx context.Context, p place) error {
	db, err := p.open(ctx)
	if err != nil {
		return err
	}
	err = db.BulkTx(ctx, func(tx *sqldb.Tx) error {
		for _, s := range e.statements() {
			if _, err := tx.ExecContext(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	})
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	return err
}

// grants is what an edit of everybody is compared by.
type grants struct {
	Users    int64 // in the directory
	Holders  int64 // of the role
	Roles    int64 // held by all together
	Versions int64 // of all users together
	Journal  int64 // lines, of all batches
}

// grantsOf reads them, and makes sure that every line of the journal is true of its user.
func grantsOf(ctx context.Context, p place, role int64) (g grants, err error) {
	db, err := p.open(ctx)
	if err != nil {
		return g, err
	}
	defer db.Close()
	g, _, err = sqldb.One[grants](ctx, db.Read(), `SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM user_roles WHERE role_id = $1),
		(SELECT count(*) FROM user_roles), (SELECT CAST(sum(version) AS BIGINT) FROM users), (SELECT count(*) FROM user_changes)`, role)
	if err != nil {
		return g, err
	}
	untrue, _, err := sqldb.One[int64](ctx, db.Read(), `SELECT count(*) FROM user_changes j JOIN users u ON u.id = j.user_id
		WHERE j.what <> 'role' OR j.before + j.after <> $1 OR j.undone = 0 AND u.version <> j.version`, role)
	if err == nil && untrue > 0 {
		err = fmt.Errorf("%d lines of the journal are not true", untrue)
	}
	return g, err
}

// wideRole makes a role that nobody holds in the directory at p.
func wideRole(ctx context.Context, p place) (int64, error) {
	db, err := p.open(ctx)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	dir := directory.New(db)
	if _, err := dir.As(directory.System("bench")).ApplyConfiguration(ctx, directory.Configuration{
		Roles: []directory.Role{{Name: "Bench", Rights: []directory.Right{"users:access"}}}}, directory.ApplyOptions{}); err != nil {
		return 0, err
	}
	id, _, err := sqldb.One[int64](ctx, db.Read(), "SELECT id FROM roles WHERE name = 'Bench'")
	return id, err
}

// fewIn counts the few in the directory at p.
func fewIn(ctx context.Context, p place) (int64, error) {
	db, err := p.open(ctx)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	n, _, err := sqldb.One[int64](ctx, db.Read(), "SELECT count(*) FROM users WHERE id % $1 = 0", fewOf)
	return n, err
}
