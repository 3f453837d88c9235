package web

import (
	"encoding/json"
	"maps"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/useredit"
)

// bulkName says what is done to whom.
func bulkName(b *batch.Batch) string {
	o, err := useredit.EditOf(b)
	if err != nil {
		return actionName(b.Action)
	}
	return bulkNameOf(&o)
}

func bulkNameOf(o *useredit.EditOptions) string {
	who, names := setWords(o.Title, o.Users), allOf(o.Names)
	switch {
	case o.Roles != nil && o.Roles.Mode == directory.AddRoles:
		return "Assign " + names + " to " + who
	case o.Roles != nil && o.Roles.Mode == directory.RemoveRoles:
		return "Remove " + names + " from " + who
	case o.Roles != nil && len(o.Names) == 0:
		return "Remove all roles from " + who
	case o.Roles != nil:
		return "Set exactly " + names + " for " + who
	case o.Status != nil && o.Status.Active:
		return "Activate " + who
	case o.Status != nil && o.Status.ReleasePBX:
		return "Deactivate " + who + " and release their PBX IDs"
	case o.Status != nil:
		return "Deactivate " + who
	case o.Move != nil:
		return "Move " + who + " to " + names
	case len(o.Names) == 0:
		return "Take the supervisor from " + who
	}
	return "Give the supervisor " + names + " to " + who
}

// setWords say who is in a set of which only the title is known: "12 picked users", "2 users of leavers.txt".
func setWords(title string, users int64) string {
	switch first, _, _ := strings.Cut(title, " "); {
	case first == "all", first == "the", strings.HasSuffix(title, " picked users"), strings.HasSuffix(title, " picked user"), strings.HasSuffix(title, " given users"):
		return title
	case strings.Contains(title, " by batch "):
		return count(users, "user") + " " + title
	}
	return count(users, "user") + " of " + title
}

// editAudited says what an entry of the audit about the beginning of an edit means; "" for any other entry.
func editAudited(e directory.AuditEntry) string {
	if !useredit.IsEdit(e.Action) {
		return ""
	}
	o, err := useredit.EditOf(&batch.Batch{Options: json.RawMessage(e.After)})
	if err != nil {
		return ""
	}
	if o.Reason != "" {
		return bulkNameOf(&o) + ", reason: " + o.Reason
	}
	return bulkNameOf(&o)
}

// bulkSays puts an edit of a set of users into words.
func bulkSays(p *batchPage, preview bool) (s editSay, err error) {
	o, err := useredit.EditOf(p.Batch)
	if err != nil {
		return s, err
	}
	words := bulkWordsOf(&o)
	s = editSay{
		Does: bulkDoes(p.Batch, &o), Cancelled: cancelledWords(p.Batch), Undone: undoneEdit(p, ""),
		Columns: [3]string{words.column + " before", words.column + " now", words.column + " afterwards"},
		Labels: map[directory.Outcome]string{
			directory.Updated: words.changed, directory.Unchanged: words.same, directory.NotApplied: "Not come to", directory.Invalid: "Left out",
		},
	}
	if o.Roles != nil && !preview {
		s.Columns = [3]string{"Taken", "Given"}
	}
	if preview {
		s.Columns[0], s.Labels = words.column+" now", maps.Clone(s.Labels)
		s.Labels[directory.Updated], s.Labels[directory.Unchanged] = words.changes, words.sameNow
	}
	if p.Counts.Updated > 0 {
		s.Proceed = "Change " + count(p.Counts.Updated, "user")
	}
	return s, nil
}

// bulkWords are the words of one edit: what it changes, and what those are called who change and who do not, afterwards
// and in a preview.
type bulkWords struct{ column, changed, changes, same, sameNow string }

func bulkWordsOf(o *useredit.EditOptions) bulkWords {
	switch {
	case o.Roles != nil && o.Roles.Mode == directory.AddRoles:
		return bulkWords{"Roles", "Gained a role", "Gain a role", "Had it already", "Have it already"}
	case o.Roles != nil && o.Roles.Mode == directory.RemoveRoles:
		return bulkWords{"Roles", "Lost a role", "Lose a role", "Did not have it", "Do not have it"}
	case o.Roles != nil:
		return bulkWords{"Roles", "Changed users", "Users who change", "Had exactly these", "Have exactly these"}
	case o.Status != nil:
		return bulkWords{"Status", "Changed users", "Users who change", "Were so already", "Are so already"}
	case o.Move != nil:
		return bulkWords{"Org unit", "Moved users", "Users who move", "Were there already", "Are there already"}
	}
	return bulkWords{"Supervisor", "Changed users", "Users who change", "Had them already", "Have them already"}
}

// bulkDoes says what the edit will do.
func bulkDoes(b *batch.Batch, o *useredit.EditOptions) string {
	n, names := b.Counts.Updated, allOf(o.Names)
	switch {
	case n == 0:
		return "No user changes."
	case o.Roles != nil && o.Roles.Mode == directory.AddRoles:
		return count(n, "user") + " will get " + each(o.Names) + "."
	case o.Roles != nil && o.Roles.Mode == directory.RemoveRoles:
		return count(n, "user") + " will lose " + each(o.Names) + "."
	case o.Roles != nil && len(o.Names) == 0:
		return count(n, "user") + " will hold no role."
	case o.Roles != nil:
		return count(n, "user") + " will hold exactly: " + names + "."
	case o.Status != nil && o.Status.Active:
		return count(n, "user") + " will be active."
	case o.Status != nil && o.Status.ReleasePBX:
		return count(n, "user") + " will be inactive, and their PBX IDs are released."
	case o.Status != nil:
		return count(n, "user") + " will be inactive."
	case o.Move != nil:
		return count(n, "user") + " will be in " + names + "."
	case o.Supervisor != nil && o.Supervisor.LANID == "":
		return count(n, "user") + " will have no supervisor."
	}
	return count(n, "user") + " will report to " + names + "."
}

// each are roles of which somebody may have some already.
func each(names []string) string {
	if len(names) < 2 {
		return allOf(names)
	}
	return "one or more of " + allOf(names)
}
