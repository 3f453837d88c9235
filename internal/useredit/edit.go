package useredit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// The batches' names of the edits of a set of users.
const (
	AssignRole       = "assign-role"
	SetStatus        = "set-status"
	MoveUsers        = "move-users"
	ChangeSupervisor = "change-supervisor"
)

// EditActions are all of them.
var EditActions = []string{AssignRole, SetStatus, MoveUsers, ChangeSupervisor}

// IsEdit tells whether batches of this name edit a set of users.
func IsEdit(action string) bool { return slices.Contains(EditActions, action) }

// Edit is what is done to each user of a set: one of the first is set.
type Edit struct {
	Roles      *directory.RoleEdit       `json:"roles,omitempty"`
	Status     *directory.StatusEdit     `json:"status,omitempty"`
	Move       *directory.MoveEdit       `json:"move,omitempty"`
	Supervisor *directory.SupervisorEdit `json:"supervisor,omitempty"`

	Preview bool   `json:"preview"` // stop before anything is applied, for somebody to decide
	Reason  string `json:"reason,omitempty"`
}

// edits are what the edit asks for, by the action's name.
func (e *Edit) edits() map[string]directory.BulkEdit {
	all := map[string]directory.BulkEdit{}
	if e.Roles != nil {
		all[AssignRole] = *e.Roles
	}
	e.columnEdits(all)
	return all
}

// Action is the batches' name of such an edit; "" where it is not exactly one.
func (e *Edit) Action() string {
	all := e.edits()
	for action := range all {
		if len(all) == 1 {
			return action
		}
	}
	return ""
}

func (e *Edit) bulk() directory.BulkEdit { return e.edits()[e.Action()] }

// EditOptions are those of a batch that edits a set of users: the edit, and what its words are made of.
type EditOptions struct {
	Edit
	Names         []string `json:"names"` // of the roles, the org unit, the supervisor
	Title         string   `json:"title"` // of the set
	Users         int64    `json:"users"` // in the set
	Unknown       int64    `json:"unknown,omitempty"`
	UnknownLANIDs []string `json:"unknown_lan_ids,omitempty"`
	FrozenAt      int64    `json:"frozen_at"` // microseconds
}

// EditOf returns the options that an edit's batch was made with.
func EditOf(b *batch.Batch) (o EditOptions, err error) {
	if err := json.Unmarshal(b.Options, &o); err != nil {
		return o, fmt.Errorf("read the edit's options: %w", err)
	}
	return o, nil
}

// Words says what is done: "Give Agent Basic; Coach".
func (o *EditOptions) Words() string {
	names := strings.Join(o.Names, "; ")
	switch o.Action() {
	case AssignRole:
		switch {
		case o.Roles.Mode == directory.AddRoles:
			return "Give " + names
		case o.Roles.Mode == directory.RemoveRoles:
			return "Take " + names
		case len(o.Names) == 0:
			return "Take all roles"
		}
		return "Set exactly " + names
	}
	return o.columnWords()
}

// EditWork is what an edit must know again after a crash, and what its page tells.
type EditWork struct {
	PutOff []int64 `json:"put_off,omitempty"` // who is changed last, and is not yet
	Gained int64   `json:"gained,omitempty"`  // roles given so far
	Lost   int64   `json:"lost,omitempty"`    // and taken
	Over   bool    `json:"over,omitempty"`    // everything is applied; what is left is to tell of it
	// Keeps is who was left out, as nobody else would be administrator.
	Keeps []int64 `json:"keeps,omitempty"`
}

// EditWorkOf returns how far an edit has come.
func EditWorkOf(b *batch.Batch) (w EditWork, err error) {
	if len(b.Work) == 0 {
		return w, nil
	}
	if err := json.Unmarshal(b.Work, &w); err != nil {
		return w, fmt.Errorf("read the edit's state: %w", err)
	}
	return w, nil
}

// UndoableEdit tells whether an edit's batch that is at rest did something that is still there.
func UndoableEdit(b *batch.Batch) bool { return len(b.Work) > 0 && b.Counts.Updated > b.Undone }

// CreateEdit makes the batch that edits exactly the users of the set, in state received. It is refused where the actor may not
// make such an edit at all.
func CreateEdit(ctx context.Context, e *batch.Engine, actor directory.Actor, setID string, edit Edit) (*batch.Batch, error) {
	set, err := OpenSet(ctx, e, actor, setID)
	if err != nil {
		return nil, err
	}
	o := EditOptions{Edit: edit, Title: set.Title, Users: set.Users, Unknown: set.Unknown, UnknownLANIDs: set.UnknownLANIDs, FrozenAt: set.At.UnixMicro()}
	if o.Action() == "" {
		return nil, fault.New(fault.Invalid, "it is not said what is to be done to the users; choose one action")
	}
	q := e.DB.Read()
	if _, err := e.Directory.As(actor).PrepareBulkEdit(ctx, q, o.bulk(), false); err != nil {
		return nil, err
	}
	if o.Names, err = o.names(ctx, q); err != nil {
		return nil, err
	}
	return e.CreateFrozen(ctx, actor, batch.Spec{Action: o.Action(), Options: &o, Needs: []directory.Right{"users:edit"}},
		[]batch.File{{Name: "users.set", Hash: set.hash, Size: set.size}})
}

// names are those of what the edit gives or takes.
func (o *EditOptions) names(ctx context.Context, q sqldb.Querier) ([]string, error) {
	cfg, err := directory.LoadConfiguration(ctx, q)
	if err != nil {
		return nil, err
	}
	names, err := o.settle(ctx, q, &cfg)
	if err != nil {
		return nil, err
	}
	if o.Roles != nil {
		for _, r := range cfg.Roles {
			if slices.Contains(o.Roles.Roles, r.ID) {
				names = append(names, r.Name)
			}
		}
	}
	return names, nil
}
