package pictureimport

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Row is a picture of the archive, and what became of it or will.
type Row struct {
	Number      int64  // its place among the pictures of the archive, from 1
	File        string // its name in the archive, with folders
	UserID      int64  // whom it is for; 0: nobody
	LANID, Name string
	Outcome     directory.Outcome
	Was         directory.Outcome // what the preview said, where it came out otherwise
	Problems    []directory.Problem
	Given       bool // to the user by hand
	Looked      bool // false as long as the check has not come to it
	Undone      bool
	// New is the picture; zero where it is none that can be taken, and where the user had it already.
	New directory.Picture
}

// RowsQuery picks rows. The zero query picks all.
type RowsQuery struct {
	Outcome directory.Outcome
	Code    string // only those that have this problem
	After   int64  // what an earlier Page returned as next; 0: from the beginning
	Limit   int    // 1 to 1,000; 0 is 100
}

const maxPageRows = 1000

func (q *RowsQuery) limit() int {
	if q.Limit <= 0 {
		return 100
	}
	return min(q.Limit, maxPageRows)
}

// Page returns up to Limit rows in the order of the archive, and what to give as After for the next ones: 0 at the end.
// While the check goes on it tells what the names say, once that is known.
func Page(ctx context.Context, e *batch.Engine, actor directory.Actor, b *batch.Batch, q RowsQuery) (rows []Row, next int64, err error) {
	if err := e.MayLook(ctx, actor, b.ID); err != nil {
		return nil, 0, err
	}
	// What a preview says is to be given was not, where the preview was dropped.
	dropped := b.State == batch.Cancelled && len(b.Work) == 0
	f := batch.Filter{Code: q.Code, Outcome: string(q.Outcome), After: q.After}
	switch {
	case dropped && (q.Outcome == directory.Inserted || q.Outcome == directory.Updated):
		return nil, 0, nil
	case dropped && q.Outcome == directory.NotApplied:
		f.Outcome, f.Outcomes = "", []string{string(directory.Inserted), string(directory.Updated)}
	}
	more := false
	for entry, err := range e.Entries(ctx, actor, b, f) {
		if err != nil {
			return nil, 0, err
		}
		if more = len(rows) == q.limit(); more {
			break
		}
		r := Row{Number: entry.Row, File: entry.Item, UserID: entry.UserID, LANID: entry.LANID, Name: entry.Name, Outcome: entry.Outcome, Was: entry.Was, Problems: entry.Problems}
		if dropped && (r.Outcome == directory.Inserted || r.Outcome == directory.Updated) {
			r.Outcome = directory.NotApplied
		}
		rows, next = append(rows, r), entry.Place()
	}
	if !more {
		next = 0
	}
	return rows, next, fill(ctx, e, b, rows)
}

// RowOf returns one row; NotFound where there is none.
func RowOf(ctx context.Context, e *batch.Engine, actor directory.Actor, b *batch.Batch, number int64) (Row, error) {
	rows, _, err := Page(ctx, e, actor, b, RowsQuery{After: number - 1, Limit: 1})
	if err != nil {
		return Row{}, err
	}
	if number < 1 || len(rows) == 0 || rows[0].Number != number {
		return Row{}, fault.New(fault.NotFound, "batch %d has no picture %d", b.ID, number)
	}
	return rows[0], nil
}

// fill adds to rows, which ascend, what the report does not have.
func fill(ctx context.Context, e *batch.Engine, b *batch.Batch, rows []Row) error {
	if len(rows) == 0 {
		return nil
	}
	q := e.DB.Read()
	chosen, err := choicesOf(ctx, q, b.ID)
	if err != nil {
		return err
	}
	for i := range rows {
		_, rows[i].Given = chosen[rows[i].Number]
	}
	if err := fillLooks(ctx, q, b.ID, rows); err != nil || b.Undone == 0 {
		return err
	}
	return fillUndone(ctx, e.DB, b.ID, rows)
}

func fillLooks(ctx context.Context, q sqldb.Querier, batchID int64, rows []Row) error {
	type chunk struct{ Number, First, Last int64 }
	chunks, err := sqldb.All[chunk](ctx, q, "SELECT number, first_row, last_row FROM picture_looks WHERE batch_id = $1 AND first_row <= $2 AND last_row >= $3 ORDER BY number",
		batchID, rows[len(rows)-1].Number, rows[0].Number)
	if err != nil {
		return fmt.Errorf("read what came of looking at pictures: %w", err)
	}
	place := func(number int64) (int, bool) {
		return slices.BinarySearchFunc(rows, number, func(r Row, n int64) int { return int(r.Number - n) })
	}
	for _, c := range chunks {
		if i, _ := place(c.First); i == len(rows) || rows[i].Number > c.Last {
			continue
		}
		data, _, err := sqldb.One[[]byte](ctx, q, "SELECT data FROM picture_looks WHERE batch_id = $1 AND number = $2", batchID, c.Number)
		if err != nil {
			return fmt.Errorf("read what came of looking at pictures: %w", err)
		}
		kept, err := unpackLooks(data)
		if err != nil {
			return err
		}
		for j := range kept {
			if i, wanted := place(kept[j].Row); wanted {
				rows[i].Looked, rows[i].New = true, directory.Picture{}
				if p := kept[j].Picture; p != nil {
					rows[i].New = *p
				}
			}
		}
	}
	return nil
}

func fillUndone(ctx context.Context, db *sqldb.DB, batchID int64, rows []Row) error {
	var ids []string
	for i := range rows {
		ids = append(ids, fmt.Sprint(rows[i].UserID))
	}
	undone := map[int64]bool{}
	for id, err := range sqldb.Each[int64](ctx, db.Read(), "SELECT j.user_id FROM "+db.Keys+` AS k CROSS JOIN picture_changes j
		WHERE j.batch_id = $2 AND j.user_id = CAST(k.key AS BIGINT) AND j.undone = 1`, db.KeySet(ids), batchID) {
		if err != nil {
			return fmt.Errorf("read the journal of pictures: %w", err)
		}
		undone[id] = true
	}
	for i := range rows {
		r := &rows[i]
		r.Undone = undone[r.UserID] && (r.Outcome == directory.Inserted || r.Outcome == directory.Updated)
	}
	return nil
}
