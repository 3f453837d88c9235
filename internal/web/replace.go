package web

import (
	"slices"
	"strconv"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/useredit"
)

// replacePart is a batch that replaces a value: what by what, and the users of one outcome.
type replacePart struct {
	useredit.Options
	Work    useredit.Work
	Preview bool
	Show    directory.Outcome
	After   int64
	Next    int64 // where the next page goes on; 0 on the last
	Rows    []useredit.Row
	Open    bool // the person may look at users
}

// replaces tells whether the batch replaces a value.
func replaces(b *batch.Batch) bool { return b.Action == useredit.Action }

// replaceOutcomes are the counts of a replacement in their order.
var replaceOutcomes = []directory.Outcome{directory.Updated, directory.Invalid, directory.Unchanged, directory.NotApplied}

func replaceCount(b *batch.Batch, o directory.Outcome) int64 {
	switch o {
	case directory.Updated:
		return b.Counts.Updated
	case directory.Invalid:
		return b.Counts.Invalid
	case directory.Unchanged:
		return b.Counts.Unchanged
	case directory.NotApplied:
		return notApplied(b)
	}
	return 0
}

// fillReplacePage fills the page of a batch that replaces a value.
func (s *Server) fillReplacePage(v *visit, b *batch.Batch, p *batchPage, asked rowsAsked) (err error) {
	r := &replacePart{Preview: b.State == batch.Ready || b.State == batch.Awaiting, Show: asked.Show, Open: v.can("users:access")}
	if r.Options, err = useredit.OptionsOf(b); err != nil {
		return err
	}
	if r.Work, err = useredit.WorkOf(b); err != nil {
		return err
	}
	p.Replace = r
	if b.State.Live() {
		return nil
	}
	if b.State == batch.Undone {
		if p.Kept, err = s.keptPart(v, b); err != nil {
			return err
		}
	}
	if replaceCount(b, r.Show) == 0 {
		r.Show, asked.After = directory.Updated, ""
		for _, o := range replaceOutcomes {
			if replaceCount(b, o) > 0 {
				r.Show = o
				break
			}
		}
	}
	r.After, _ = strconv.ParseInt(asked.After, 10, 64)
	r.After = max(0, r.After)
	r.Rows, r.Next, err = useredit.Page(v.ctx(), s.Engine, v.actor(), b, useredit.RowsQuery{Outcome: r.Show, After: r.After, Limit: rowsPerPage})
	return err
}

// mayDecide is one of the rights that deciding about some batch takes; the engine knows which it is of this one.
var mayDecide = []directory.Right{"users:add", "users:edit"}

// mayDo tells whether the person holds all the rights that deciding about the batch takes.
func (v *visit) mayDo(b *batch.Batch) bool {
	return !slices.ContainsFunc(b.Needs, func(r directory.Right) bool { return !v.can(r) })
}

// replaceName says what is replaced by what.
func replaceName(b *batch.Batch) string {
	o, err := useredit.OptionsOf(b)
	if err != nil {
		return "Replace a value"
	}
	noun := o.Kind.Noun()
	switch {
	case o.Frozen+o.Outside == 0 && o.Delete:
		return "Delete the " + noun + " " + o.FromName
	case o.To == 0:
		return "Take away the " + noun + " " + o.FromName
	}
	return "Replace the " + noun + " " + o.FromName + " by " + o.ToName
}

// orNone is the name of a value, of which there may be none.
func orNone(name string) string {
	if name == "" {
		return "none"
	}
	return name
}

// does says what the replacement will do.
func (r *replacePart) does(b *batch.Batch) string {
	noun, text := r.Kind.Noun(), ""
	switch n := b.Counts.Updated; {
	case n == 0:
		text = "No user changes."
	case r.To == 0:
		text = count(n, "user") + " will have the " + noun + " “" + r.FromName + "” no longer, and no other instead."
	default:
		text = count(n, "user") + " will have the " + noun + " “" + r.ToName + "” instead of “" + r.FromName + "”."
	}
	if r.Delete {
		text += " When nobody has “" + r.FromName + "” any more, it is deleted."
	}
	return text
}

// cancelled says what became of a replacement that was cancelled.
func (r *replacePart) cancelled(b *batch.Batch) string {
	if b.Counts.Updated == 0 {
		return "No user was changed."
	}
	return count(b.Counts.Updated, "user") + " had been changed and stay so; " + count(notApplied(b), "other") + " were not come to. Undo gives those who were changed back what they had."
}

// undone says what became of the undo.
func (r *replacePart) undone(p *batchPage) string {
	text := count(p.Undone, "user") + " got back what they had."
	if r.Work.BroughtBack != 0 {
		text += " The " + r.Kind.Noun() + " “" + r.FromName + "” is there again."
	}
	if p.Kept != nil && len(p.Kept.Users) > 0 {
		text += " Others stay as they are; they are listed below."
	}
	return text
}

// label is what a count is called.
func (r *replacePart) label(o directory.Outcome) string {
	switch o {
	case directory.Updated:
		if r.Preview {
			return "Users who change"
		}
		return "Changed users"
	case directory.Unchanged:
		return "No longer concerned"
	case directory.NotApplied:
		return "Not come to"
	}
	return "Left out"
}

// replaceProgress says what goes on.
func replaceProgress(b *batch.Batch) string {
	switch {
	case b.State == batch.Undoing:
		return "Giving users back what they had"
	case b.Phase == "checking" && b.State == batch.Applying:
		return "Putting together what came of it"
	case b.Phase == "checking":
		return "Looking at everybody who has it"
	case b.Phase == "applying":
		return "Changing users"
	}
	return "Starting"
}
