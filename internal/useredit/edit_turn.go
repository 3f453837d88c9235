package useredit

import (
	"context"
	"iter"

	"muster/internal/batch"
	"muster/internal/blob"
	"muster/internal/sqldb"
)

// turn waits for other edits of the same kind that concern some of the same users: were two at work at once, some of these
// would end as the one has it and some as the other. begin marks that this one has begun.
func (r *editing) turn(ctx context.Context, begin func(tx *sqldb.Tx) error) error {
	return r.run.TakeTurn(ctx, batch.Turn{Clashes: r.clashes, Lock: r.values.Begin, Begin: func(_ context.Context, tx *sqldb.Tx) error { return begin(tx) }})
}

// clashes tells whether the other's set has somebody in common with this one. Where that cannot be known, it has.
func (r *editing) clashes(_ *batch.Batch, open func() (*blob.File, error)) (bool, error) {
	f, err := open()
	if err != nil {
		return true, nil
	}
	defer f.Close()
	mine, stop := iter.Pull2(r.blocks())
	defer stop()
	b, err, more := mine()
	at := 0
	for theirs, terr := range readSet(f, r.pieceUsers()) {
		if terr != nil {
			return true, nil
		}
		for _, id := range theirs.ids {
			for more && err == nil && (at == len(b.ids) || b.ids[at] < id) {
				if at == len(b.ids) {
					b, err, more = mine()
					at = 0
					continue
				}
				at++
			}
			if err != nil || !more {
				return false, err
			}
			if b.ids[at] == id {
				return true, nil
			}
		}
	}
	return false, nil
}
