package pictureimport

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
)

// Chunks. A piece is what is written between two looks at whether somebody waits, a chunk is the transaction. On SQLite
// others wait for a chunk at most, so it ends early when somebody does, and after chunkTime for those who cannot be seen
// waiting. On PostgreSQL whoever changes one of these users waits for a chunk too.
const (
	defaultPieceUsers = 500
	defaultChunkUsers = 10_000
	chunkTime         = 400 * time.Millisecond
)

// Apply gives the users their pictures, chunk by chunk. Everything was made ready by the check.
func (im *importing) Apply(ctx context.Context, run *batch.Run) (batch.Counts, error) {
	im.run = run
	if err := im.begin(ctx); err != nil {
		return batch.Counts{}, err
	}
	err := im.apply(ctx)
	if errors.Is(err, directory.ErrConfigurationChanged) {
		return batch.Counts{}, batch.ErrStale
	}
	if err != nil && !errors.Is(err, batch.ErrCancelled) {
		return batch.Counts{}, err
	}
	im.over = true
	return im.counts(), errors.Join(im.writeReport(ctx, batch.ResultReport), err)
}

func (im *importing) apply(ctx context.Context) error {
	var todo []int
	for i := range im.rows {
		if im.rows[i].done != "" {
			continue
		}
		if o, _ := im.judge(i); o == directory.Inserted || o == directory.Updated {
			todo = append(todo, i)
		}
	}
	total := im.applied + int64(len(todo))
	im.run.Progress("applying", im.applied, total)
	for len(todo) > 0 {
		took, err := im.chunk(ctx, todo[:min(len(todo), im.op.chunkUsers())])
		if err != nil {
			return err
		}
		todo = todo[took:]
		im.run.Progress("applying", im.applied, total)
	}
	return nil
}

// enough ends a chunk early on SQLite, where others wait for it.
func enough(db *sqldb.DB, began time.Time) bool {
	return db.Engine == sqldb.SQLite && (time.Since(began) > chunkTime || db.Waiting())
}

// chunk gives some of the pictures, one at least, in one transaction, and returns how many.
func (im *importing) chunk(ctx context.Context, todo []int) (took int, err error) {
	var given []directory.PictureGiven
	err = im.run.Chunk(ctx, func(tx *sqldb.Tx) (c batch.Chunk, err error) {
		took, given = 0, nil
		if err := im.writing.Begin(ctx, tx); err != nil {
			return c, err
		}
		began := time.Now()
		stamp := directory.Stamp{BatchID: im.run.Batch.ID, By: im.handle.Actor().Name(), At: im.run.Now()}
		for some := range slices.Chunk(todo, im.op.pieceUsers()) {
			gifts := make([]directory.PictureGift, len(some))
			for j, i := range some {
				gifts[j] = directory.PictureGift{UserID: im.rows[i].match.user, Picture: im.rows[i].look.stored()}
			}
			piece, err := im.writing.Piece(ctx, tx, stamp, gifts)
			if err != nil {
				return c, err
			}
			took, given = took+len(some), append(given, piece...)
			if enough(im.run.DB(), began) {
				break
			}
		}
		return checkpoint(todo[:took], given), nil
	})
	if err != nil {
		return 0, err
	}
	for j, i := range todo[:took] {
		im.settle(i, &given[j])
	}
	return took, nil
}

// checkpoint says which rows a chunk has given to their users: each as its distance from the one before, with a bit for
// those who had a picture before.
func checkpoint(rows []int, given []directory.PictureGiven) batch.Chunk {
	var c batch.Chunk
	last := 0
	for j, i := range rows {
		updated := uint64(0)
		switch given[j].Outcome {
		case directory.Updated:
			updated = 1
		case directory.Inserted:
		default:
			continue
		}
		number := i + 1
		if c.Changed++; c.Changed == 1 {
			c.First = int64(number)
		}
		c.Last = int64(number)
		c.Members = binary.AppendUvarint(c.Members, uint64(number-last)<<1|updated)
		last = number
	}
	return c
}

// loadApplied reads which pictures earlier chunks have given.
func (im *importing) loadApplied(ctx context.Context) error {
	chunks, err := im.run.Chunks(ctx)
	if err != nil {
		return err
	}
	for _, c := range chunks {
		number := 0
		for left := c.Members; len(left) > 0; {
			v, n := binary.Uvarint(left)
			number += int(v >> 1)
			if n <= 0 || number < 1 || number > len(im.rows) {
				return fmt.Errorf("the checkpoint of row %d of batch %d cannot be read", c.First, im.run.Batch.ID)
			}
			left = left[n:]
			im.rows[number-1].done = directory.Inserted
			if v&1 == 1 {
				im.rows[number-1].done = directory.Updated
			}
			im.applied++
		}
	}
	return nil
}

// settle notes what became of a picture that was to be given.
func (im *importing) settle(i int, g *directory.PictureGiven) {
	r := &im.rows[i]
	if g.Outcome != "" {
		r.done = g.Outcome
		if g.Outcome != directory.Unchanged {
			im.applied++
		}
		return
	}
	p := im.problemOf(i)
	if g.OutOfScope {
		p.Code, p.Message = "picture.out_of_scope", "This user was moved out of the org units of your access role while the pictures were being given. Ask somebody whose access role covers them."
	} else {
		p.Code, p.Message = "picture.no_user", "This user was deleted while the pictures were being given."
	}
	r.late = &p
}
