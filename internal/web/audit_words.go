package web

import (
	"strings"

	"muster/internal/directory"
)

// auditActions are what was done, as a sentence begins.
var auditActions = map[string]string{
	"create": "Added", "update": "Changed", "delete": "Deleted", "rename": "Renamed", "move": "Moved", "copy": "Copied", "retire": "Retired",
	"deactivate": "Deactivated", "reactivate": "Reactivated", "erase": "Erased the personal data of",
	"sign-in": "Signed in:", "set-password": "Set the password of", "make-link": "Made a sign-in link for",
	"change-password": "Changed the password of", "sign-out-everywhere": "Ended all sessions of",
	"apply": "Let go on:", "cancel": "Cancelled", "undo": "Undid", "approve": "Approved", "reject": "Rejected", "ask-approval": "Asked for approval of",
}

// auditActionWords say what was done. A bulk action is named; at its end, what became of it.
func auditActionWords(action string) string {
	if words := auditActions[action]; words != "" {
		return words
	}
	bulk, state, ended := strings.Cut(action, " ")
	name := actionName(bulk)
	switch {
	case ended:
		return name + " is " + state + ":"
	case name != bulk:
		return name + " began:"
	case action == "":
		return "Changed"
	}
	return capital(strings.ReplaceAll(action, "-", " ")) + ":"
}

// auditOption is an action in a list to choose from.
func auditOption(action string) string { return strings.TrimSuffix(auditActionWords(action), ":") }

// auditKinds are kinds of things as they are said.
var auditKinds = map[string]string{
	"org-unit": "org unit", "org-levels": "levels of the org structure", "access-role": "access role", "crm-name": "CRM name", "greeting-template": "greeting template",
	"api-token": "API token",
}

func auditKind(subject string) string {
	if words := auditKinds[subject]; words != "" {
		return words
	}
	return strings.ReplaceAll(subject, "-", " ")
}

// auditSource is the way in.
func auditSource(source string) string {
	switch source {
	case "web":
		return "console"
	case "cli":
		return "command line"
	}
	return source
}

// auditField is a field's label.
func auditField(c directory.AuditChange) string {
	switch c.Field {
	case "":
		return "State"
	case "erased":
		return "Personal data erased"
	}
	return fieldLabel(c.Field)
}

// auditCounts is what an entry says of a batch, in a line: its options when it begins, its counts at its end, and between
// them how it went on. What is none is left out.
func auditCounts(e directory.AuditEntry) string {
	if words := editAudited(e); words != "" {
		return words
	}
	var parts []string
	for _, c := range e.Changes() {
		before, after := strings.Join(c.Before, ", "), strings.Join(c.After, ", ")
		switch {
		case c.Field == "" || c.Field == "state":
			parts = append(parts, before+" → "+after)
		case after != "" && after != "0" && after != "no":
			parts = append(parts, strings.ReplaceAll(c.Field, "_", " ")+": "+after)
		}
	}
	return strings.Join(parts, " · ")
}
