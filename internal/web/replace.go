package web

import (
	"slices"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/useredit"
)

// replaces tells whether the batch replaces a value.
func replaces(b *batch.Batch) bool { return b.Action == useredit.Action }

// mayDecide is one of the rights that deciding about some batch takes; the engine knows which it is of this one.
var mayDecide = []directory.Right{"users:add", "users:edit", "pictures:add"}

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

// replaceSays puts a replacement into words.
func replaceSays(p *batchPage, preview bool) (s editSay, err error) {
	o, err := useredit.OptionsOf(p.Batch)
	if err != nil {
		return s, err
	}
	w, err := useredit.WorkOf(p.Batch)
	if err != nil {
		return s, err
	}
	column := replaceColumns[o.Kind]
	s = editSay{
		Does: replaceDoes(p.Batch, &o), Over: replaceOver(p.Batch, &o, &w), Cancelled: cancelledWords(p.Batch), Undone: undoneEdit(p, broughtBack(&o, &w)),
		Columns: [3]string{column + " before", "Now", "Afterwards"},
		Labels: map[directory.Outcome]string{
			directory.Updated: "Changed users", directory.Unchanged: "No longer concerned", directory.NotApplied: "Not come to", directory.Invalid: "Left out",
		},
	}
	if preview {
		s.Columns[0], s.Labels[directory.Updated] = column+" now", "Users who change"
	}
	switch n := p.Counts.Updated; {
	case n > 0:
		s.Proceed = "Change " + count(n, "user")
	case o.Delete:
		s.Proceed = "Delete it"
	}
	return s, nil
}

// replaceColumns are the columns that a value is in.
var replaceColumns = map[directory.ValueKind]string{
	directory.RoleValue: "Role", directory.AccessRoleValue: "Access role", directory.CRMNameValue: "CRM name", directory.GreetingTemplateValue: "Greeting template",
}

// replaceDoes says what the replacement will do.
func replaceDoes(b *batch.Batch, o *useredit.Options) string {
	noun, text := o.Kind.Noun(), ""
	switch n := b.Counts.Updated; {
	case n == 0:
		text = "No user changes."
	case o.To == 0:
		text = count(n, "user") + " will have the " + noun + " “" + o.FromName + "” no longer, and no other instead."
	default:
		text = count(n, "user") + " will have the " + noun + " “" + o.ToName + "” instead of “" + o.FromName + "”."
	}
	if o.Delete {
		text += " When nobody has “" + o.FromName + "” any more, it is deleted."
	}
	return text
}

// replaceOver says what became of the value.
func replaceOver(b *batch.Batch, o *useredit.Options, w *useredit.Work) *editOver {
	what := "the " + o.Kind.Noun() + " “" + o.FromName + "”"
	switch {
	case b.State != batch.Done:
		return nil
	case w.Deleted != nil:
		return &editOver{"success", "Deleted", "Nobody has " + what + " any more, and it is deleted. Undo brings it back."}
	case w.StillHeld:
		return &editOver{"warning", "Not deleted", sentence(what + " stays, because somebody still has it")}
	}
	return nil
}

func broughtBack(o *useredit.Options, w *useredit.Work) string {
	if w.BroughtBack == 0 {
		return ""
	}
	return " The " + o.Kind.Noun() + " “" + o.FromName + "” is there again."
}

func replaceUndoWords(b *batch.Batch) string {
	o, err := useredit.OptionsOf(b)
	w, werr := useredit.WorkOf(b)
	if err != nil || werr != nil {
		return "This gives users back what they had."
	}
	text := "This gives the " + o.Kind.Noun() + " “" + o.FromName + "” back to " + count(b.Counts.Updated-b.Undone, "user") + "."
	if w.Deleted != nil && w.BroughtBack == 0 {
		text = "This makes the " + o.Kind.Noun() + " “" + o.FromName + "” again, as it was, and gives it back to " + count(b.Counts.Updated-b.Undone, "user") + "."
	}
	return text
}
