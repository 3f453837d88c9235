package useredit

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
)

// check judges everybody, writes the report of all, and stores the counts.
func (r *replacing) check(ctx context.Context) error {
	name := batch.ResultReport
	if r.run.Batch.State == batch.Checking && r.options.Preview {
		name = batch.PreviewReport
	}
	counts := r.counts()
	if err := r.run.WriteReport(ctx, name, r.entries(ctx, &counts, func(e *batch.Entry) bool { return true })); err != nil {
		return err
	}
	return r.run.StoreCounts(ctx, counts)
}

// counts are those of nobody looked at yet.
func (r *replacing) counts() batch.Counts {
	return batch.Counts{Rows: r.options.Frozen + r.options.Outside, Invalid: r.options.Outside}
}

// entries looks at everybody, counts, and yields an entry for each for whom say is true.
func (r *replacing) entries(ctx context.Context, c *batch.Counts, say func(*batch.Entry) bool) iter.Seq2[batch.Entry, error] {
	return func(yield func(batch.Entry, error) bool) {
		for b, err := range blocks(r.run, r.op.pieceUsers()) {
			if err == nil {
				err = ctx.Err()
			}
			var looks []directory.HolderLook
			if err == nil {
				looks, err = r.values.Look(ctx, r.run.DB().Read(), r.run.Batch.ID, b.ids)
			}
			if err != nil {
				yield(batch.Entry{}, err)
				return
			}
			for i, l := range looks {
				e := r.entry(b.from+int64(i)+1, &l)
				count(c, e.Outcome)
				if say(&e) && !yield(e, nil) {
					return
				}
			}
			r.run.Progress("checking", b.from+int64(len(b.ids)), r.options.Frozen)
		}
		if r.options.Outside > 0 {
			e := batch.Entry{Row: r.options.Frozen + 1, Outcome: directory.Invalid, Problems: []directory.Problem{r.outside()}}
			if say(&e) {
				yield(e, nil)
			}
		}
	}
}

func count(c *batch.Counts, o directory.Outcome) {
	switch o {
	case directory.Updated:
		c.Updated++
	case directory.Unchanged:
		c.Unchanged++
	case directory.Invalid:
		c.Invalid++
	}
}

// entry is what there is to say of somebody.
func (r *replacing) entry(row int64, l *directory.HolderLook) batch.Entry {
	e := batch.Entry{Row: row, LANID: l.LANID, Name: l.Name, Outcome: directory.Invalid}
	p := directory.Problem{Row: row, LANID: l.LANID, Column: r.options.column(), Severity: directory.Error, Value: r.options.FromName}
	noun, who := r.options.Kind.Noun(), calledIn(l.LANID)
	switch {
	case l.State == directory.HolderChanges && slices.Contains(r.work.LastOnes, l.ID):
		p.Code, p.Message = "user.last_administrator", startOf(fmt.Sprintf("%s keeps the %s: nobody else would be left who can sign in and manage users and roles everywhere. Make somebody else an administrator first.", who, noun))
	case l.State == directory.HolderChanges && r.cancelled:
		e.Outcome = directory.NotApplied
		return e
	case l.State == directory.HolderChanges && !r.ended, l.State == directory.HolderDone:
		e.Outcome = directory.Updated
		return e
	case l.State == directory.HolderChanges:
		e.Outcome, p.Severity = directory.Unchanged, directory.Note
		p.Code, p.Message = "user.given_since", fmt.Sprintf("Somebody gave %s the %s %q again while this went on.", who, noun, r.options.FromName)
	case l.State == directory.HolderOther:
		e.Outcome, p.Severity = directory.Unchanged, directory.Note
		p.Code, p.Message = "user.changed_since", startOf(fmt.Sprintf("%s does not have the %s %q any more: somebody changed this user meanwhile.", who, noun, r.options.FromName))
	case l.State == directory.HolderTooMuch:
		p.Code, p.Message = "user.too_much", fmt.Sprintf("You may not give %s the %s %q: with their other roles and their access role, they could do more than you.", who, noun, r.options.ToName)
	case l.State == directory.HolderGone:
		p.Code, p.Message = "user.gone", "This user is not in the directory any more."
	default:
		p.Code, p.Message = "user.out_of_scope", "This user was moved out of the org units of your access role."
	}
	e.Problems = []directory.Problem{p}
	return e
}

// nameless is what somebody is called in a sentence where whom the batch acts for may not be told who it is.
const nameless = "this user"

func calledIn(lanID string) string { return cmp.Or(lanID, nameless) }

// startOf is a sentence with a capital, where it begins with somebody nameless.
func startOf(sentence string) string {
	if rest, is := strings.CutPrefix(sentence, nameless); is {
		return "This user" + rest
	}
	return sentence
}

// outside tells of all at once who are none of the actor's business.
func (r *replacing) outside() directory.Problem {
	who := fmt.Sprintf("%d users outside your access role keep", r.options.Outside)
	if r.options.Outside == 1 {
		who = "1 user outside your access role keeps"
	}
	return directory.Problem{Row: r.options.Frozen + 1, Column: r.options.column(), Code: "user.out_of_scope", Severity: directory.Error, Value: r.options.FromName,
		Message: fmt.Sprintf("%s the %s %q. Ask somebody whose access role covers them.", who, r.options.Kind.Noun(), r.options.FromName)}
}

// column is what the column of users is called.
func (o *Options) column() string {
	switch o.Kind {
	case directory.RoleValue:
		return directory.RoleColumn.String()
	case directory.AccessRoleValue:
		return directory.AccessRoleColumn.String()
	case directory.CRMNameValue:
		return directory.CRMNameColumn.String()
	}
	return directory.GreetingColumn.String()
}
