package useredit

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"muster/internal/batch"
	"muster/internal/directory"
)

// check counts what becomes of everybody, writes the report of all but those who are simply changed, and stores the counts.
func (r *editing) check(ctx context.Context) error {
	if err := r.lastAdministrator(ctx); err != nil {
		return err
	}
	if err := takeAlong(ctx, r.run.DB().Read(), r.values, r.blocks()); err != nil {
		return err
	}
	name := batch.ResultReport
	if r.run.Batch.State == batch.Checking && r.options.Preview {
		name = batch.PreviewReport
	}
	counts := batch.Counts{Rows: r.options.Users}
	if err := r.run.WriteReport(ctx, name, r.entries(ctx, &counts, r.nobodyToName)); err != nil {
		return err
	}
	return r.run.StoreCounts(ctx, counts)
}

// recount is check of what is let go on, to tell whether it has outgrown what was decided on. The report is written at the end.
func (r *editing) recount(ctx context.Context) error {
	if err := r.lastAdministrator(ctx); err != nil {
		return err
	}
	q := r.run.DB().Read()
	if err := takeAlong(ctx, q, r.values, r.blocks()); err != nil {
		return err
	}
	counts := batch.Counts{Rows: r.options.Users}
	for b, err := range lookAhead(ctx, r.blocks(), func(ctx context.Context, b *userBlock) (directory.BulkTally, error) {
		return r.values.Recount(ctx, q, b.ids)
	}) {
		if err != nil {
			return err
		}
		counts.Updated += b.found.Users - b.found.Others()
		counts.Unchanged += b.found.Same
	}
	counts.Updated -= int64(len(r.work.Keeps))
	counts.Invalid = counts.Rows - counts.Updated - counts.Unchanged
	return r.run.StoreCounts(ctx, counts)
}

// lastAdministrator finds out whether somebody has to stay one.
func (r *editing) lastAdministrator(ctx context.Context) error {
	q := r.run.DB().Read()
	r.work.Keeps = nil
	every, err := r.values.Administrators(ctx, q)
	if err != nil || len(every) == 0 {
		return err
	}
	var in []int64
	for b, err := range r.blocks() {
		if err != nil {
			return err
		}
		in = append(in, b.having(every)...)
	}
	id, err := r.values.LastAdministrator(ctx, q, every, in)
	if id != 0 {
		r.work.Keeps = []int64{id}
	}
	return err
}

// nobodyToName tells whether all of the block would be changed and there is nothing else to say of them.
func (r *editing) nobodyToName(ctx context.Context, b *userBlock) (bool, error) {
	n, err := r.values.Tally(ctx, r.run.DB().Read(), b.ids)
	if err != nil {
		return false, err
	}
	warned := slices.ContainsFunc(n.Warned, func(users int64) bool { return users > 0 })
	return n.Users == int64(len(b.ids)) && n.Versions == b.sum() && n.Others() == 0 && !warned && len(b.having(r.work.Keeps)) == 0, nil
}

// wasQuiet is nobodyToName of what was applied.
func (r *editing) wasQuiet(_ context.Context, b *userBlock) (bool, error) {
	return r.quiet[b.from], nil
}

// entries counts everybody, and yields an entry for each of whom there is more to say than that they are changed. quiet
// tells that there is nothing to say of a block.
func (r *editing) entries(ctx context.Context, c *batch.Counts, quiet func(context.Context, *userBlock) (bool, error)) iter.Seq2[batch.Entry, error] {
	return func(yield func(batch.Entry, error) bool) {
		for b, err := range lookAhead(ctx, r.blocks(), quiet) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(batch.Entry{}, err)
				return
			}
			if b.found {
				c.Updated += int64(len(b.ids))
			} else if !r.look(ctx, &b.userBlock, c, yield) {
				return
			}
			if !r.ended {
				r.run.Progress("checking", b.from+int64(len(b.ids)), r.options.Users)
			}
		}
	}
}

// look yields what there is to say of the users of a block.
func (r *editing) look(ctx context.Context, b *userBlock, c *batch.Counts, yield func(batch.Entry, error) bool) bool {
	looks, err := r.values.Look(ctx, r.run.DB().Read(), r.run.Batch.ID, b.ids)
	if err != nil {
		yield(batch.Entry{}, err)
		return false
	}
	for i, l := range looks {
		e := r.entry(b.from+int64(i)+1, &l, l.Version != 0 && l.Version != b.versions[i])
		count(c, e.Outcome)
		if (e.Outcome != directory.Updated || len(e.Problems) > 0) && !yield(e, nil) {
			return false
		}
	}
	return true
}

// entry is what there is to say of somebody. since tells that somebody changed them after the set was frozen.
func (r *editing) entry(row int64, l *directory.BulkLook, since bool) batch.Entry {
	e := batch.Entry{Row: row, LANID: l.LANID, Name: l.Name, Outcome: directory.Invalid}
	who := calledIn(l.LANID)
	add := func(code, column string, s directory.Severity, format string, args ...any) {
		e.Problems = append(e.Problems, directory.Problem{Row: row, LANID: l.LANID, Column: column, Code: code, Severity: s, Value: l.LANID, Message: startOf(fmt.Sprintf(format, args...))})
	}
	switch {
	case slices.Contains(r.work.Keeps, l.ID) && l.State == directory.BulkChanges:
		add(lastAdministratorCode, "", directory.Error, "%s stays as they are: nobody else would be left who can sign in and manage users and roles everywhere. Make somebody else an administrator first.", who)
	case l.State == directory.BulkChanges && r.cancelled:
		e.Outcome = directory.NotApplied
	case l.State == directory.BulkChanges && !r.ended, l.State == directory.BulkDone:
		e.Outcome = directory.Updated
		if since {
			add("user.changed_since", "", directory.Note, "Somebody changed %s after these users were selected.", who)
		}
		if l.Warning > 0 {
			w := r.values.Warnings()[l.Warning-1]
			add(w.Code, w.Column, directory.Warning, "%s", w.Message(who))
		}
	case l.State == directory.BulkChanges:
		e.Outcome = directory.Unchanged
		add("user.changed_meanwhile", "", directory.Note, "Somebody changed %s again while this went on; when it was their turn there was nothing to change.", who)
	case l.State == directory.BulkSame:
		e.Outcome = directory.Unchanged
		if since {
			add("user.changed_since", "", directory.Note, "Somebody changed %s after these users were selected.", who)
		}
	case l.State == directory.BulkGone:
		add("user.gone", "", directory.Error, "This user is not in the directory any more.")
	case l.State == directory.BulkOutside:
		add("user.out_of_scope", "", directory.Error, "This user was moved out of the org units of your access role.")
	default:
		why := r.values.LeftOut()[l.State-1]
		add(why.Code, why.Column, directory.Error, "%s", why.Message(who))
	}
	return e
}
