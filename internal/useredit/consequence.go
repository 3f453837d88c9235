package useredit

import (
	"context"
	"io"
	"slices"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
)

// Consequences is what an edit of a set would do, as the directory stands now. Numbers are of users.
type Consequences struct {
	Users        int64 // in the set: Changes, Same, and all of Left
	Changes      int64
	Same         int64 // already as the edit would make them
	Without      int64 // of an edit of roles: who end without any, and are not left out
	ChangedSince int64 // whom somebody has changed since the set was frozen; the edit applies to them all the same
	Roles        []RoleConsequence
	Left         []LeftOut // who is left out and why
	Notes        []LeftOut // what there is to say of some who are changed
	Guard        batch.Guard
	Approval     bool // a second person has to approve
}

// RoleConsequence is what becomes of a role.
type RoleConsequence struct {
	ID   int64
	Name string
	directory.RoleTally
	Rights []directory.Right // what comes or goes with it, unless a user has it by another role
	Rules  []directory.Rule
}

// LeftOut is how many users there is the same to say of.
type LeftOut struct {
	Code     string
	Message  string // of all of them
	Users    int64
	Examples []string // LAN IDs of some, where they may be named
}

const lastAdministratorCode = "user.last_administrator"

// Sizes of what is counted at once, and of what is named.
const (
	talliedUsers = 4_000 // few enough that the gaps between the ids of an import are still listed, and the users walked along
	namedUsers   = 5
)

// Consequence says what the edit would do to the users of the set. Forbidden says that the actor may not make it at all.
func Consequence(ctx context.Context, e *batch.Engine, actor directory.Actor, setID string, edit Edit) (*Consequences, error) {
	set, err := OpenSet(ctx, e, actor, setID)
	if err != nil {
		return nil, err
	}
	q := e.DB.Read()
	values, err := e.Directory.As(actor).PrepareBulkEdit(ctx, q, edit.bulk(), false)
	if err != nil {
		return nil, err
	}
	f, err := e.Blobs.Open(ctx, set.hash)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := newTally(ctx, q, values)
	if err == nil {
		err = takeAlong(ctx, q, values, readSet(f, talliedUsers))
	}
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	for b, err := range readSet(f, talliedUsers) {
		if err == nil {
			err = t.add(ctx, q, &b)
		}
		if err != nil {
			return nil, err
		}
	}
	c := t.consequences(set.Users)
	if err := t.lastAdministrator(ctx, q, c); err != nil {
		return nil, err
	}
	if c.Roles, err = t.consequencesOfRoles(ctx, q); err != nil {
		return nil, err
	}
	c.Guard, c.Approval, err = e.WouldAsk(ctx, actor, c.Changes)
	return c, err
}

// tally adds up what becomes of a set.
type tally struct {
	values   *directory.BulkEditing
	all      directory.BulkTally
	gone     int64
	since    int64
	without  int64
	examples map[directory.BulkState][]string
	roles    map[int64]*directory.RoleTally

	administrators, within []int64 // and those of them who are in the set
}

func newTally(ctx context.Context, q sqldb.Querier, values *directory.BulkEditing) (*tally, error) {
	t := &tally{values: values, examples: map[directory.BulkState][]string{}, roles: map[int64]*directory.RoleTally{},
		all: directory.BulkTally{LeftOut: make([]int64, len(values.LeftOut())), Warned: make([]int64, len(values.Warnings()))}}
	var err error
	t.administrators, err = values.Administrators(ctx, q)
	return t, err
}

func (t *tally) add(ctx context.Context, q sqldb.Querier, b *userBlock) error {
	n, err := t.values.Tally(ctx, q, b.ids)
	if err != nil {
		return err
	}
	t.all.Add(&n)
	t.gone += int64(len(b.ids)) - n.Users
	t.within = append(t.within, b.having(t.administrators)...)
	for i, users := range n.LeftOut {
		state := directory.BulkState(i + 1)
		if missing := namedUsers - len(t.examples[state]); users > 0 && missing > 0 {
			some, err := t.values.Examples(ctx, q, b.ids, state, missing)
			if err != nil {
				return err
			}
			t.examples[state] = append(t.examples[state], some...)
		}
	}
	without, err := t.values.WithoutRole(ctx, q, b.ids)
	if err != nil {
		return err
	}
	t.without += without
	if n.Users != int64(len(b.ids)) || n.Versions != b.sum() {
		since, err := t.values.ChangedSince(ctx, q, b.ids, b.versions)
		if err != nil {
			return err
		}
		t.since += since
	}
	return t.values.TallyRoles(ctx, q, b.ids, &n, t.roles)
}

// having are those of the ids who are in the block.
func (b *userBlock) having(ids []int64) (in []int64) {
	for _, id := range ids {
		if _, there := slices.BinarySearch(b.ids, id); there {
			in = append(in, id)
		}
	}
	return in
}

func (t *tally) consequences(users int64) *Consequences {
	c := &Consequences{Users: users, Same: t.all.Same, ChangedSince: t.since, Without: t.without, Changes: t.all.Users - t.all.Others()}
	left := func(code, many string, n int64, examples []string) {
		if n > 0 {
			c.Left = append(c.Left, LeftOut{Code: code, Message: many, Users: n, Examples: examples})
		}
	}
	left("user.gone", "are not in the directory any more", t.gone, nil)
	left("user.out_of_scope", "were moved out of the org units of your access role", t.all.Outside, nil)
	for i, r := range t.values.LeftOut() {
		left(r.Code, r.Many, t.all.LeftOut[i], t.examples[directory.BulkState(i+1)])
	}
	for i, w := range t.values.Warnings() {
		if n := t.all.Warned[i]; n > 0 {
			c.Notes = append(c.Notes, LeftOut{Code: w.Code, Message: w.Many, Users: n})
		}
	}
	return c
}

// lastAdministrator leaves out who must stay one.
func (t *tally) lastAdministrator(ctx context.Context, q sqldb.Querier, c *Consequences) error {
	id, err := t.values.LastAdministrator(ctx, q, t.administrators, t.within)
	if err != nil || id == 0 {
		return err
	}
	c.Changes--
	one := LeftOut{Code: lastAdministratorCode, Message: "stay as they are: nobody else would be left who can sign in and manage users and roles everywhere", Users: 1}
	looks, err := t.values.Look(ctx, q, 0, []int64{id})
	if err != nil {
		return err
	}
	for _, l := range looks {
		one.Examples = append(one.Examples, l.LANID)
	}
	c.Left = append(c.Left, one)
	without, err := t.values.WithoutRole(ctx, q, []int64{id})
	if err != nil {
		return err
	}
	c.Without -= without
	return t.values.UntallyRole(ctx, q, id, t.roles)
}

// consequencesOfRoles are by name.
func (t *tally) consequencesOfRoles(ctx context.Context, q sqldb.Querier) (all []RoleConsequence, err error) {
	if len(t.roles) == 0 {
		return nil, nil
	}
	cfg, err := directory.LoadConfiguration(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, r := range cfg.Roles {
		if n := t.roles[r.ID]; n != nil {
			all = append(all, RoleConsequence{ID: r.ID, Name: r.Name, RoleTally: *n, Rights: r.Rights, Rules: r.Rules})
		}
	}
	slices.SortFunc(all, func(a, b RoleConsequence) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}
