package web

import (
	"context"

	"muster/internal/directory"
	"muster/internal/fault"
)

// decide does what somebody said about a batch, and shows the batch. A list that says where it stands gets the reader
// back there.
func (v *visit) decide(do func(context.Context, directory.Actor, int64) error) error {
	b, err := v.batch()
	if err != nil {
		return err
	}
	err = do(v.ctx(), v.actor(), b.ID)
	if fault.KindOf(err) == fault.Conflict {
		// Somebody else, or another tab, was quicker: what they decided is what there is to see.
		return v.redirect(batchPath(b.ID) + "?quicker=1")
	}
	if fault.KindOf(err) == fault.Invalid {
		return v.server.decideAgain(v, err)
	}
	if err != nil {
		return err
	}
	return v.redirect(batchPath(b.ID))
}
