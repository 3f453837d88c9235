package useredit

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
)

// EditPage returns up to Limit rows of an edit's batch, and what to give as After for the next ones: 0 at the end. What was
// changed comes from the journal; who would be changed from the set; everything else, and all that have a problem, from the
// report.
func EditPage(ctx context.Context, e *batch.Engine, actor directory.Actor, b *batch.Batch, q RowsQuery) (rows []Row, next int64, err error) {
	if err := e.MayLook(ctx, actor, b.ID); err != nil {
		return nil, 0, err
	}
	o, err := EditOf(b)
	if err != nil {
		return nil, 0, err
	}
	p := &editPage{e: e, actor: actor, b: b, o: &o, q: q}
	if p.names, err = namesOf(ctx, e.DB.Read()); err != nil {
		return nil, 0, err
	}
	switch {
	case q.Outcome == directory.Updated && q.Code == "" && len(b.Work) > 0:
		return p.journal(ctx)
	case q.Outcome == directory.Updated && q.Code == "":
		return p.toChange(ctx)
	}
	return p.report(ctx)
}

// editPage is a page of an edit's rows.
type editPage struct {
	e     *batch.Engine
	actor directory.Actor
	b     *batch.Batch
	o     *EditOptions
	q     RowsQuery
	names *valueNames
}

// report are rows of the report. Of those who were changed it says what, where it is in the journal.
func (p *editPage) report(ctx context.Context) (rows []Row, next int64, err error) {
	f := batch.Filter{Outcome: string(p.q.Outcome), Code: p.q.Code, After: p.q.After}
	for entry, err := range p.e.Entries(ctx, p.actor, p.b, f) {
		if err != nil {
			return nil, 0, err
		}
		if len(rows) == p.q.Limit {
			return rows, next, nil
		}
		rows = append(rows, Row{Number: entry.Row, LANID: entry.LANID, Name: entry.Name, Outcome: entry.Outcome, Was: entry.Was, Problems: entry.Problems})
		next = entry.Place()
	}
	return rows, 0, nil
}

// journal are rows of who was changed.
func (p *editPage) journal(ctx context.Context) (rows []Row, next int64, err error) {
	all, err := directory.BulkChangesOf(ctx, p.e.DB.Read(), p.b.ID, p.q.After, p.q.Limit+1)
	if err != nil {
		return nil, 0, err
	}
	if len(all) > p.q.Limit {
		all = all[:p.q.Limit]
		next = all[p.q.Limit-1].ID
	}
	if err := p.names.meet(ctx, p.e.DB.Read(), all); err != nil {
		return nil, 0, err
	}
	for i := range all {
		r := Row{LANID: all[i].LANID, Name: all[i].Name, Outcome: directory.Updated, Undone: all[i].Undone}
		r.Before, r.After = p.names.changes(all[i].Changes)
		rows = append(rows, r)
	}
	return rows, next, p.changedSince(ctx, all, rows)
}

// changedSince adds that somebody changed users after they were selected, as long as the set is kept.
func (p *editPage) changedSince(ctx context.Context, users []directory.BulkChanged, rows []Row) error {
	if len(users) == 0 || p.b.Cleared() {
		return nil
	}
	at := 0
	return p.set(ctx, func(b *userBlock) bool {
		for ; at < len(users) && users[at].ID <= b.ids[len(b.ids)-1]; at++ {
			i, there := slices.BinarySearch(b.ids, users[at].ID)
			if !there {
				continue
			}
			rows[at].Number = b.from + int64(i) + 1
			if users[at].Version-1 != b.versions[i] {
				rows[at].Problems = append(rows[at].Problems, changedSinceNote(rows[at].Number, users[at].LANID))
			}
		}
		return at < len(users)
	})
}

func changedSinceNote(row int64, lanID string) directory.Problem {
	return directory.Problem{Row: row, LANID: lanID, Code: "user.changed_since", Severity: directory.Note, Value: lanID,
		Message: "Somebody changed " + lanID + " after these users were selected."}
}

// set hands out the frozen set until fn has enough.
func (p *editPage) set(ctx context.Context, fn func(*userBlock) bool) error {
	if len(p.b.Files) == 0 {
		return nil
	}
	f, err := p.e.Blobs.Open(ctx, p.b.Files[0].Hash)
	if err != nil {
		return err
	}
	defer f.Close()
	for b, err := range readSet(f, defaultEditPiece) {
		if err != nil {
			return err
		}
		if !fn(&b) {
			return nil
		}
	}
	return nil
}

// toChange are rows of who would be changed: of the set, those whom the preview does not name otherwise. A row's number is
// its place in the set, and so is After.
func (p *editPage) toChange(ctx context.Context) (rows []Row, next int64, err error) {
	if p.b.Cleared() || p.b.State == batch.Received || p.b.State == batch.Cancelled || p.b.State == batch.Failed {
		return nil, 0, nil
	}
	ids, numbers, problems, err := p.unnamed(ctx)
	if err != nil {
		return nil, 0, err
	}
	if len(ids) > p.q.Limit {
		ids, next = ids[:p.q.Limit], numbers[p.q.Limit-1]
	}
	users, err := p.e.Directory.As(p.actor).UsersByID(ctx, ids)
	if err != nil {
		return nil, 0, err
	}
	for i, id := range ids {
		r := Row{Number: numbers[i], Outcome: directory.Updated, Problems: problems[numbers[i]]}
		if u, there := users[id]; there {
			r.LANID, r.Name = u.LANID, u.FirstName+" "+u.LastName
			r.Before, r.After = p.o.previewed(&u)
		}
		rows = append(rows, r)
	}
	return rows, next, nil
}

// unnamed are the ids of the next of the set whom the preview names only as ones who would be changed, one more than are
// wanted; and what it says of them.
func (p *editPage) unnamed(ctx context.Context) (ids, numbers []int64, problems map[int64][]directory.Problem, err error) {
	problems = map[int64][]directory.Problem{}
	next, stop := iter.Pull2(p.e.Entries(ctx, p.actor, p.b, batch.Filter{After: p.q.After}))
	defer stop()
	entry, failed, more := next()
	err = p.set(ctx, func(b *userBlock) bool {
		for i, id := range b.ids {
			row := b.from + int64(i) + 1
			if row <= p.q.After {
				continue
			}
			for failed == nil && more && entry.Row < row {
				entry, failed, more = next()
			}
			if failed != nil {
				return false
			}
			if more && entry.Row == row {
				if entry.Outcome != directory.Updated {
					continue
				}
				problems[row] = entry.Problems
			}
			ids, numbers = append(ids, id), append(numbers, row)
			if len(ids) > p.q.Limit {
				return false
			}
		}
		return true
	})
	return ids, numbers, problems, cmp.Or(failed, err)
}

// previewed is what the edit would make of a user, in words.
func (o *EditOptions) previewed(u *directory.User) (before, after string) {
	if o.Roles == nil {
		return o.columnPreviewed(u)
	}
	roles := slices.Clone(u.Roles)
	switch o.Roles.Mode {
	case directory.AddRoles:
		roles = append(roles, o.Names...)
	case directory.RemoveRoles:
		roles = slices.DeleteFunc(roles, func(r string) bool { return slices.Contains(o.Names, r) })
	case directory.SetRoles:
		roles = slices.Clone(o.Names)
	}
	slices.Sort(roles)
	return strings.Join(u.Roles, "; "), strings.Join(slices.Compact(roles), "; ")
}

// valueNames are the names of what journals name by ids.
type valueNames struct{ roles, units, people map[int64]string }

func namesOf(ctx context.Context, q sqldb.Querier) (*valueNames, error) {
	cfg, err := directory.LoadConfiguration(ctx, q)
	if err != nil {
		return nil, err
	}
	n := &valueNames{roles: map[int64]string{}, units: map[int64]string{}}
	for _, u := range cfg.OrgUnits {
		n.units[u.ID] = u.FullName
	}
	for _, r := range cfg.Roles {
		n.roles[r.ID] = r.Name
	}
	return n, nil
}

// changes are what a user's lines of the journal say: what they lost, and what they got.
func (n *valueNames) changes(all []directory.BulkChange) (before, after string) {
	var lost, got []string
	for _, c := range all {
		if before, after, is := n.columnChange(c); is {
			return before, after
		}
		if c.What == string(directory.RoleValue) {
			lost, got = n.role(lost, c.Before), n.role(got, c.After)
		}
	}
	slices.Sort(lost)
	slices.Sort(got)
	return strings.Join(lost, "; "), strings.Join(got, "; ")
}

func (n *valueNames) role(to []string, id int64) []string {
	if id == 0 {
		return to
	}
	if name := n.roles[id]; name != "" {
		return append(to, name)
	}
	return append(to, "a role that was deleted")
}
