package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/useredit"
)

// Managing is what it takes to look at single things, and to change what many users have. Times are seconds.
type Managing struct {
	Pages   []PageTime    `json:"pages"`
	Changes []BroadChange `json:"changes"`
}

// BroadChange is one change that many users see, while somebody else writes.
type BroadChange struct {
	What  string  `json:"what"`
	Users int64   `json:"users"` // who see it
	Took  float64 `json:"seconds"`
	Undo  float64 `json:"undo_seconds,omitempty"` // 0: there is none; the same again, the other way round
	Waits Waits   `json:"another_users_writes"`
}

// userPage is aimed at for the page of one user.
const userPage = 50 * time.Millisecond

// managing asks for pages, and changes things in the directory at p, which nobody needs afterwards.
func (b *bench) managing(ctx context.Context, p place, h *hosted, g *gridAsker, who *browser) (m *Managing, err error) {
	m = &Managing{}
	if m.Pages, err = h.singlePages(ctx, g, who); err != nil {
		return nil, err
	}
	for _, change := range []func(context.Context, *hosted) (*broadly, error){renamedRole, movedUnit, replacedValue} {
		c, err := change(ctx, h)
		if err != nil {
			return nil, err
		}
		measured, err := c.measure(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.what, err)
		}
		m.Changes = append(m.Changes, measured)
	}
	return m, nil
}

// singlePages are asked for one after the other: what stands on them is drawn anew each time.
func (h *hosted) singlePages(ctx context.Context, g *gridAsker, who *browser) (all []PageTime, err error) {
	user := func() int64 { return one(g, g.users).ID }
	for _, q := range []struct {
		group string
		limit time.Duration
		path  func() string
	}{
		{"a user's page", userPage, func() string { return fmt.Sprintf("/users/%d", user()) }},
		{"the form of a user", 0, func() string { return fmt.Sprintf("/users/%d/edit", user()) }},
		{"org structure", 0, func() string { return "/org" }},
		{"roles", 0, func() string { return "/roles" }},
		{"a role", 0, func() string { return fmt.Sprintf("/roles/%d", one(g, g.cfg.Roles).ID) }},
		{"audit", 0, func() string { return "/audit" }},
	} {
		t, err := h.timed(q.group, q.limit, func() (asked, error) {
			path := q.path()
			a, err := who.get(ctx, path, "")
			return asked{a.took.Seconds(), path}, err
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.group, err)
		}
		all = append(all, t)
	}
	return all, nil
}

// broadly is a change and its undo, which may be nil.
type broadly struct {
	what     string
	users    int64
	do, undo func() error
}

// measure does and undoes it while somebody else writes.
func (c *broadly) measure(ctx context.Context, p place) (BroadChange, error) {
	m := BroadChange{What: c.what, Users: c.users}
	stop, err := disturb(ctx, p)
	if err != nil {
		return m, err
	}
	timed := func(fn func() error) (took float64) {
		if err != nil || fn == nil {
			return 0
		}
		began := time.Now()
		err = fn()
		return time.Since(began).Seconds()
	}
	m.Took = timed(c.do)
	m.Undo = timed(c.undo)
	waits, werr := stop()
	m.Waits = waits
	return m, errors.Join(err, werr)
}

func renamedRole(ctx context.Context, h *hosted) (*broadly, error) {
	dir := h.dir.As(directory.System("bench"))
	roles, err := dir.Roles(ctx)
	if err != nil {
		return nil, err
	}
	r := slices.MaxFunc(roles, func(a, b directory.HeldRole) int { return cmp.Compare(a.Holders, b.Holders) })
	rename := func(name string) func() error {
		return func() error {
			_, err := dir.RenameRole(ctx, r.ID, name)
			return err
		}
	}
	return &broadly{"rename a role", r.Holders, rename(r.Name + " (bench)"), rename(r.Name)}, nil
}

// movedUnit moves the unit with the most users that can be moved beside another one's children, and back.
func movedUnit(ctx context.Context, h *hosted) (*broadly, error) {
	dir := h.dir.As(directory.System("bench"))
	tree, err := dir.OrgTree(ctx)
	if err != nil {
		return nil, err
	}
	var from, to directory.OrgNode
	for _, u := range tree.Units {
		if u.Depth > 1 && u.Total > from.Total {
			from = u
		}
	}
	for _, u := range tree.Units {
		if u.Depth == from.Depth-1 && u.ID != from.ParentID {
			to = u
		}
	}
	if to.ID == 0 {
		return nil, errors.New("there is no unit that could be moved")
	}
	move := func(from, to int64) func() error {
		return func() error {
			u, err := dir.OrgUnit(ctx, from)
			if err == nil {
				_, err = dir.MoveUnit(ctx, from, u.Seen(), to)
			}
			return err
		}
	}
	return &broadly{"move an org unit", from.Total, move(from.ID, to.ID), move(from.ID, from.ParentID)}, nil
}

// replacedValue gives all who have the most common CRM name another one, and deletes it.
func replacedValue(ctx context.Context, h *hosted) (*broadly, error) {
	system := directory.System("bench")
	cfg, err := h.dir.As(system).Configuration(ctx)
	if err != nil {
		return nil, err
	}
	var from, to, most int64
	for _, n := range cfg.CRMNames {
		users, err := h.dir.As(system).CountUsers(ctx, directory.UserFilter{Where: []directory.Condition{{Column: "crm_name", Op: directory.OpEqual, Value: n.Name}}})
		if err != nil {
			return nil, err
		}
		if users > most || from == 0 {
			from, to, most = n.ID, from, users
		} else {
			to = n.ID
		}
	}
	var made *batch.Batch
	execute := func(want batch.State) error {
		done, err := h.engine.Execute(ctx, made.ID, nil)
		if err == nil && done.State != want {
			err = fmt.Errorf("the batch is %s: %s", done.State, done.Reason)
		}
		return err
	}
	return &broadly{
		what: "replace a CRM name and delete it", users: most,
		do: func() (err error) {
			made, err = useredit.Create(ctx, h.engine, system, useredit.Options{Kind: directory.CRMNameValue, From: from, To: to, Delete: true, Preview: true})
			if err != nil {
				return err
			}
			// So many that the guard wants the number typed in.
			if err := execute(batch.Ready); err != nil {
				return err
			}
			if err := h.engine.Apply(ctx, system, made.ID, most); err != nil {
				return err
			}
			return execute(batch.Done)
		},
		undo: func() error {
			if err := h.engine.Undo(ctx, system, made.ID); err != nil {
				return err
			}
			return execute(batch.Undone)
		},
	}, nil
}
