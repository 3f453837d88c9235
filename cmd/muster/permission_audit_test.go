package main

import (
	"muster/internal/batch"
	"muster/internal/directory"
)

// auditPermissions: the whole audit is for those whose rights reach everywhere; others see what they did themselves, and
// the strangers of these tests did nothing.
func auditPermissions() []permission {
	see := rights{"audit:access"}
	return []permission{
		{method: "Handle.Audit", reach: everywhere, needs: see, call: func(w *ward, a directory.Actor) (bool, error) {
			p, err := w.app.dir.As(a).Audit(w.Context(), directory.AuditQuery{})
			return len(p.Entries) > 0, err
		}},
		{method: "Handle.CountAudit", reach: everywhere, needs: see, call: func(w *ward, a directory.Actor) (bool, error) {
			n, err := w.app.dir.As(a).CountAudit(w.Context(), directory.AuditQuery{})
			return n > 0, err
		}},
		{method: "Handle.WalkAudit", reach: everywhere, needs: see, call: func(w *ward, a directory.Actor) (seen bool, err error) {
			err = w.app.dir.As(a).WalkAudit(w.Context(), directory.AuditQuery{}, func(page []directory.AuditEntry) error {
				seen = seen || len(page) > 0
				return nil
			})
			return seen, err
		}},
		{method: "Handle.AuditWords", why: "these are words for kinds of changes, which everybody's are of", reach: anywhere, needs: see,
			call: func(w *ward, a directory.Actor) (bool, error) {
				actions, _, err := w.app.dir.As(a).AuditWords(w.Context())
				return len(actions) > 0, err
			}},
	}
}

// approvalPermissions: nobody's own, so that the owner has no row.
func approvalPermissions() []permission {
	judging := func(method string, call func(w *ward, a directory.Actor) (bool, error)) permission {
		return permission{method: method, reach: everywhere, needs: actOnOthers, call: call}
	}
	return []permission{
		judging("Engine.Approve", func(w *ward, a directory.Actor) (bool, error) {
			err := w.app.engine.Approve(w.Context(), a, w.batches["awaiting"], "")
			return w.batch("awaiting").State != batch.Awaiting, err
		}),
		judging("Engine.Reject", func(w *ward, a directory.Actor) (bool, error) {
			err := w.app.engine.Reject(w.Context(), a, w.batches["awaiting"], "no")
			return w.batch("awaiting").State != batch.Awaiting, err
		}),
		judging("Engine.MayApprove", func(w *ward, a directory.Actor) (bool, error) {
			err := w.app.engine.MayApprove(w.Context(), a, w.batch("awaiting"))
			return err == nil, err
		}),
		judging("Engine.Pending", func(w *ward, a directory.Actor) (bool, error) {
			n, err := w.app.engine.Pending(w.Context(), a)
			return n > 0, err
		}),
	}
}
