package directory

import (
	"context"
	"fmt"
	"strconv"

	"muster/internal/sqldb"
)

// bulkPiece is some users in a statement, by their ids, ascending. Its condition takes the parameters $1 and $2; what
// else a statement has begins at $3.
type bulkPiece struct {
	db    *sqldb.DB
	ids   []int64 // nil for a range: all from first to last
	first int64
	last  int64
	gaps  string // ids between first and last that are not in the piece, where they are few
	batch int64
	users int64 // how many of them there are in the directory, where that is known; 0 otherwise
}

// A piece whose ids follow each other, all but a few, is a range: the engine walks along it instead of looking up ids. Up to
// one gap for so many users is few; more than mostGaps would make the statement long.
const (
	usersPerGap = 4
	mostGaps    = 500
)

// pieceOf makes a piece of ids, which ascend and are not none.
func pieceOf(db *sqldb.DB, batchID int64, ids []int64) *bulkPiece {
	p := &bulkPiece{db: db, ids: ids, first: ids[0], last: ids[len(ids)-1], batch: batchID}
	gaps := p.last - p.first + 1 - int64(len(ids))
	if gaps > mostGaps || gaps > int64(len(ids)/usersPerGap) {
		return p
	}
	missing := make([]int64, 0, gaps)
	for i, id := range ids[1:] {
		for between := ids[i] + 1; between < id; between++ {
			missing = append(missing, between)
		}
	}
	p.ids = nil
	if len(missing) > 0 {
		p.gaps = idList(missing)
	}
	return p
}

// close forgets the gaps where nobody is in them, so that no statement asks each user whether they are. On PostgreSQL an
// import may commit somebody there between two statements; on SQLite nobody else writes during a transaction.
func (p *bulkPiece) close(ctx context.Context, q sqldb.Querier) error {
	if p.gaps == "" || p.db.Engine != sqldb.SQLite {
		return nil
	}
	n, _, err := sqldb.One[int64](ctx, q, "SELECT count(*) FROM users WHERE id IN ("+p.gaps+")")
	if err != nil {
		return fmt.Errorf("look who is between the users: %w", err)
	}
	if n == 0 {
		p.gaps = ""
	}
	return nil
}

// rangeOf is the piece of all users from first to last.
func rangeOf(db *sqldb.DB, batchID, first, last int64) *bulkPiece {
	return &bulkPiece{db: db, first: first, last: last, batch: batchID}
}

// in is the condition that a column of ids is of the piece. Where a statement compares two tables, both have it: an engine that
// reads one of them whole then reads no more of it than that.
func (p *bulkPiece) in(column string) string {
	switch {
	case p.ids != nil:
		return fmt.Sprintf("%s IN (SELECT CAST(k.key AS BIGINT) FROM %s AS k WHERE CAST(k.key AS BIGINT) <= $2)", column, p.db.Keys)
	case p.gaps != "":
		return fmt.Sprintf("%s BETWEEN $1 AND $2 AND %s NOT IN (%s)", column, column, p.gaps)
	}
	return column + " BETWEEN $1 AND $2"
}

// args are the arguments of a statement with the piece's condition.
func (p *bulkPiece) args(more ...any) []any {
	if p.ids != nil {
		return append([]any{keySet(p.db, p.ids), p.last}, more...)
	}
	return append([]any{p.first, p.last}, more...)
}

// journal is the condition that a row of user_changes, called by the alias, is one of the batch's on the piece.
func (p *bulkPiece) journal(alias string) string {
	return alias + ".batch_id = " + strconv.FormatInt(p.batch, 10) + " AND " + p.in(alias+".user_id")
}

// written is the condition that a user of the piece is in the batch's journal.
func (p *bulkPiece) written(column string) string {
	return fmt.Sprintf("%s IN (SELECT j.user_id FROM user_changes j WHERE %s)", column, p.journal("j"))
}

// marked is a table expression, called m, of the journal's rows of the piece that an undo has just marked: those of users
// who still are as the batch left them.
func (p *bulkPiece) marked() string {
	return fmt.Sprintf(`(SELECT j.user_id, j.what, j.before, j.after, j.was FROM user_changes j JOIN users v ON v.id = j.user_id AND v.version = j.version
		WHERE %s AND %s AND j.undone = 1) AS m`, p.journal("j"), p.in("v.id"))
}
