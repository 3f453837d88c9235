package useredit_test

import (
	"context"
	"testing"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/useredit"
)

// assign freezes the users and makes the batch.
func (h *house) assign(t failer, a directory.Actor, mode directory.RoleMode, roles []string, ids ...int64) *batch.Batch {
	t.Helper()
	set, err := useredit.Freeze(context.Background(), h.engine, a, useredit.Source{IDs: ids})
	if err != nil {
		t.Fatal(err)
	}
	b, err := useredit.CreateEdit(context.Background(), h.engine, a, set.ID, h.roleEdit(t, mode, roles...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (h *house) roleEdit(t failer, mode directory.RoleMode, roles ...string) useredit.Edit {
	t.Helper()
	e := &directory.RoleEdit{Mode: mode}
	for _, r := range roles {
		e.Roles = append(e.Roles, h.id(t, directory.RoleValue, r))
	}
	return useredit.Edit{Roles: e}
}

func TestAssignRoles(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(t, somebody{roles: []string{"Agent"}})
		h.add(t, somebody{})
		h.add(t, somebody{roles: []string{"Agent", "Nothing"}})
		h.add(t, somebody{roles: []string{"Nothing"}})
		b := h.execute(t, h.assign(t, system, directory.AddRoles, []string{"Agent", "Agent Basic"}, 1, 2, 3).ID)
		same(t, "counts", batch.Counts{Rows: 3, Updated: 3}, b.Counts)
		same(t, "held", []string{"u1 | - | - | - | Agent, Agent Basic", "u2 | - | - | - | Agent, Agent Basic", "u3 | - | - | - | Agent, Agent Basic, Nothing", "u4 | - | - | - | Nothing"}, h.held(t))
		b = h.execute(t, h.assign(t, system, directory.RemoveRoles, []string{"Nothing"}, 1, 3, 4).ID)
		same(t, "counts", batch.Counts{Rows: 3, Updated: 2, Unchanged: 1}, b.Counts)
		c := h.execute(t, h.assign(t, system, directory.SetRoles, []string{"Agent"}, 1, 4).ID)
		same(t, "held", []string{"u1 | - | - | - | Agent", "u2 | - | - | - | Agent, Agent Basic", "u3 | - | - | - | Agent, Agent Basic", "u4 | - | - | - | Agent"}, h.held(t))
		h.undo(t, c.ID)
		same(t, "undone", []string{"u1 | - | - | - | Agent, Agent Basic", "u2 | - | - | - | Agent, Agent Basic", "u3 | - | - | - | Agent, Agent Basic", "u4 | - | - | - | -"}, h.held(t))
	})
}
