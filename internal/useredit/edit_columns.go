package useredit

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// columnEdits are the edits of one thing that each user has one of, by the action's name.
func (e *Edit) columnEdits(all map[string]directory.BulkEdit) {
	if e.Status != nil {
		all[SetStatus] = *e.Status
	}
	if e.Move != nil {
		all[MoveUsers] = *e.Move
	}
	if e.Supervisor != nil {
		all[ChangeSupervisor] = *e.Supervisor
	}
}

// settle makes of an edit as somebody typed it the one that its batch keeps: the reason cleaned, the supervisor by id, so
// that it is the same person whatever their LAN ID is by then. It returns the names of what is given; the edit is one that
// may be made.
func (o *EditOptions) settle(ctx context.Context, q sqldb.Querier, cfg *directory.Configuration) (names []string, err error) {
	if o.Reason, err = directory.CleanReason(o.bulk(), o.Reason); err != nil {
		return nil, err
	}
	if o.Move != nil {
		i := slices.IndexFunc(cfg.OrgUnits, func(u directory.OrgUnit) bool { return u.ID == o.Move.Unit })
		if i < 0 {
			return nil, fault.New(fault.NotFound, "the org unit is not there any more; choose another")
		}
		return []string{cfg.OrgUnits[i].FullName}, nil
	}
	if o.Supervisor != nil && o.Supervisor.LANID != "" {
		to, err := o.Supervisor.Find(ctx, q)
		if err != nil {
			return nil, err
		}
		o.Supervisor = &to
		return []string{to.LANID}, nil
	}
	return nil, nil
}

// columnWords say what is done: "Deactivate", "Move to UAE / Retail", "Give the supervisor boss1".
func (o *EditOptions) columnWords() string {
	switch {
	case o.Status != nil && o.Status.Active:
		return "Activate"
	case o.Status != nil && o.Status.ReleasePBX:
		return "Deactivate and release the PBX ID of"
	case o.Status != nil:
		return "Deactivate"
	case len(o.Names) == 0:
		return "Take the supervisor of"
	case o.Move != nil:
		return "Move to " + o.Names[0]
	}
	return "Give the supervisor " + o.Names[0]
}

// columnPreviewed is what the edit would make of a user, in words.
func (o *EditOptions) columnPreviewed(u *directory.User) (before, after string) {
	name := ""
	if len(o.Names) > 0 {
		name = o.Names[0]
	}
	switch {
	case o.Status != nil && o.Status.Active:
		return string(u.Status), string(directory.Active)
	case o.Status != nil && o.Status.ReleasePBX:
		return withPBX(u.Status, u.PBXID), string(directory.Inactive)
	case o.Status != nil:
		return string(u.Status), string(directory.Inactive)
	case o.Move != nil:
		return u.OrgUnit, name
	}
	return u.Supervisor, name
}

// withPBX is a status and the PBX ID that goes with it.
func withPBX(s directory.Status, pbxID string) string {
	if pbxID == "" {
		return string(s)
	}
	return fmt.Sprintf("%s, PBX ID %s", s, pbxID)
}

// columnChange is what a line of the journal says, in words; is tells whether it is one of these edits'.
func (n *valueNames) columnChange(c directory.BulkChange) (before, after string, is bool) {
	switch c.What {
	case "status":
		return withPBX(statusOf(c.Before), c.Was), string(statusOf(c.After)), true
	case "org-unit":
		return n.unit(c.Before), n.unit(c.After), true
	case "supervisor":
		return n.person(c.Before), n.person(c.After), true
	}
	return "", "", false
}

func statusOf(active int64) directory.Status {
	if active == 0 {
		return directory.Inactive
	}
	return directory.Active
}

func (n *valueNames) unit(id int64) string {
	return nameOr(n.units, id, "an org unit that was deleted")
}

func (n *valueNames) person(id int64) string { return nameOr(n.people, id, "a user who was deleted") }

// nameOr is the name of an id, "" for none.
func nameOr(names map[int64]string, id int64, gone string) string {
	if name := names[id]; name != "" || id == 0 {
		return name
	}
	return gone
}

// meet learns the LAN IDs of the supervisors whom the lines name.
func (n *valueNames) meet(ctx context.Context, q sqldb.Querier, users []directory.BulkChanged) (err error) {
	var ids []int64
	for _, u := range users {
		for _, c := range u.Changes {
			if c.What == "supervisor" {
				ids = append(ids, c.Before, c.After)
			}
		}
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) > 0 {
		n.people, err = directory.LANIDs(ctx, q, ids)
	}
	return err
}

// takeAlong hands the edit the whole set, where what there is to say of a user depends on who else is in it.
func takeAlong(ctx context.Context, q sqldb.Querier, values *directory.BulkEditing, set iter.Seq2[userBlock, error]) error {
	if !values.TakesAlong() {
		return nil
	}
	for b, err := range set {
		if err == nil {
			err = values.TakeAlong(ctx, q, b.ids)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
