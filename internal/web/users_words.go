package web

import (
	"fmt"
	"strings"

	"muster/internal/directory"
)

// totalText is a number of users that may still be counted; what stands for it then is as wide as most numbers.
func totalText(n int64) string {
	if n < 0 {
		return "…"
	}
	return number(n)
}

// totalText is the page's total; an address that does not work matches neither nobody nor anybody.
func (p *usersPage) totalText() string {
	if p.Problem != "" {
		return "–"
	}
	return totalText(p.Total)
}

// usersWord goes with the total.
func usersWord(n int64) string {
	if n == 1 {
		return "user"
	}
	return "users"
}

// selectedText stands under the title.
func selectedText(p *usersPage) string {
	switch {
	case p.selected.all:
		return "all selected"
	case len(p.selected.ids) == 0:
		return "none selected"
	}
	return number(int64(len(p.selected.ids))) + " selected"
}

// pickedText says in the banner what is selected. The page's script says the same when that changes.
func pickedText(p *usersPage) string {
	switch n := len(p.selected.ids); {
	case p.selected.all:
		return "All that match are selected."
	case n == 0:
		return "Nobody is selected."
	case n == 1:
		return "1 user is selected."
	default:
		return number(int64(n)) + " users are selected."
	}
}

// says is what a screen reader is told when the grid has changed.
func (p *usersPage) says() string {
	if p.state() != "users" {
		return map[string]string{"bad": "This address does not work.", "no-match": "Nobody matches.", "beyond": "Nothing on this page."}[p.state()]
	}
	text := fmt.Sprintf("Showing users %s to %s", number(p.first()), number(p.last()))
	for _, c := range userColumns {
		if by := p.sort(c.Sort); c.Sort != "" && by != "" {
			return text + ", by " + c.Label + ", " + by + "."
		}
	}
	return text + "."
}

func fullName(u *directory.User) string {
	if name := strings.TrimSpace(u.FirstName + " " + u.LastName); name != "" {
		return name
	}
	return u.LANID
}

func supervisorText(u *directory.User) string {
	if name := strings.TrimSpace(u.SupervisorName); name != "" {
		return name
	}
	return u.Supervisor
}

func profileTone(p directory.Profile) string {
	switch p {
	case directory.Administrator:
		return "indigo"
	case directory.Supervisor:
		return "purple"
	}
	return "blue"
}

// unitParts cuts a unit's full name before its own name.
func unitParts(full string) (above, own string) {
	if i := strings.LastIndex(full, " / "); i >= 0 {
		return full[:i+3], full[i+3:]
	}
	return "", full
}

// plainCell is a column that is nothing but its text.
func plainCell(u *directory.User, column string) string {
	switch column {
	case "first_name":
		return u.FirstName
	case "last_name":
		return u.LastName
	case "access_role":
		return u.AccessRole
	case "crm_name":
		return u.CRMName
	case "greeting_template":
		return u.GreetingTemplate
	case "changed_by":
		return u.ChangedBy
	}
	return ""
}

// opWords are the operations of conditions, in the words of the page.
var opWords = map[string]string{
	directory.OpEqual: "is", directory.OpNotEqual: "is not", directory.OpContains: "contains", directory.OpNotContains: "does not contain",
	directory.OpStarts: "starts with", directory.OpEnds: "ends with", directory.OpEmpty: "is empty", directory.OpNotEmpty: "is not empty",
	directory.OpBefore: "is before", directory.OpAfter: "is after",
}

// conditionText is a condition in words: Last name starts with “Sm”.
func conditionText(c directory.Condition) string {
	label := c.Column
	for _, of := range directory.UserColumns() {
		if of.Name == c.Column {
			label = of.Label
		}
	}
	text := label + " " + opWords[c.Op]
	if c.Value != "" {
		text += " “" + c.Value + "”"
	}
	return text
}
