package web

import (
	"context"

	"muster/internal/directory"
)

// decide does what somebody said about a batch, and shows the batch. A list that says where it stands gets the reader
// back there.
func (v *visit) decide(do func(context.Context, directory.Actor, int64) error) error {
	b, err := v.batch()
	if err != nil {
		return err
	}
	if err := do(v.ctx(), v.actor(), b.ID); err != nil {
		return err
	}
	return v.redirect(batchPath(b.ID))
}
