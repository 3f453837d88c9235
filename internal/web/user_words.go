package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"muster/internal/directory"
)

// rightsWords are rights by module: "users: access, edit · batches: access".
func rightsWords(rights []directory.Right) string {
	if len(rights) == 0 {
		return "no rights"
	}
	if len(rights) == len(directory.AllRights()) {
		return "all rights"
	}
	var parts []string
	for _, module := range directory.Modules {
		var actions []string
		for _, action := range directory.Actions {
			if slices.Contains(rights, directory.Right(module+":"+action)) {
				actions = append(actions, action)
			}
		}
		if len(actions) > 0 {
			parts = append(parts, module+": "+strings.Join(actions, ", "))
		}
	}
	return strings.Join(parts, " · ")
}

// accessRoleWords say where an access role's holder may act.
func accessRoleWords(a directory.AccessRole) string {
	switch a.Scope {
	case "own-unit":
		return "their own unit"
	case "own-unit-and-below":
		return "their own unit and below"
	case "units":
		return allOf(a.Units) + " and below"
	}
	return a.Scope
}

// allOf joins names: "a, b and c".
func allOf(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// grant is a sentence's worth of where rights come from.
type grant struct {
	Roles  []string
	Rights []string
	Where  string
}

// verb goes with the roles.
func (g grant) verb() string {
	if len(g.Roles) == 1 {
		return "gives"
	}
	return "each give"
}

// grantsOf brings the rights together that come from the same roles and hold at the same places.
func grantsOf(rights []directory.RightFrom) []grant {
	var all []grant
	for _, r := range rights {
		i := slices.IndexFunc(all, func(g grant) bool { return g.Where == r.Where && slices.Equal(g.Roles, r.Roles) })
		if i < 0 {
			i = len(all)
			all = append(all, grant{Roles: r.Roles, Where: r.Where})
		}
		all[i].Rights = append(all[i].Rights, string(r.Right))
	}
	return all
}

// ruleWords are the rules and their actions as they are said.
var ruleWords = map[string]string{
	"face-not-recognised": "Face not recognised", "no-face-in-view": "No face in view", "more-than-one-face": "More than one face",
	"phone-or-camera-in-view": "Phone or camera in view", "screenshot-attempt": "Screenshot attempt", "clipboard-copy": "Copy to the clipboard",
	"usb-storage": "USB storage", "unapproved-network": "Unapproved network",
	"record": "record it", "warn": "warn", "blur": "blur the desktop", "lock": "lock the desktop", "sign-out": "sign out",
}

func ruleWord(s string) string {
	if word := ruleWords[s]; word != "" {
		return word
	}
	return s
}

func delayWords(seconds int) string {
	if seconds == 0 {
		return "at once"
	}
	return fmt.Sprintf("after %d s", seconds)
}

// fieldLabels are the labels of what the audit and conflicts name.
var fieldLabels = map[string]string{
	"lan_id": "LAN ID", "first_name": "First name", "last_name": "Last name", "agent_id": "Agent ID", "pbx_id": "PBX ID", "profile": "Profile",
	"supervisor": "Supervisor", "org_unit": "Org unit", "roles": "Roles", "role": "Roles", "access_role": "Access role", "crm_name": "CRM name",
	"greeting_template": "Greeting template", "email": "E-mail", "status": "Status", "channel_counts": "Channel counts", "features": "Features",
}

func fieldLabel(name string) string {
	if label := fieldLabels[name]; label != "" {
		return label
	}
	for _, of := range []string{"channel_counts.", "features."} {
		if own, found := strings.CutPrefix(name, of); found && own != "" {
			return own
		}
	}
	if name == "" {
		return "Value"
	}
	return capital(strings.ReplaceAll(name, "_", " "))
}

// pastChange is one line of what an entry of the history changed.
type pastChange struct{ Label, Before, After string }

// changesOf lays the two sides of an entry beside each other.
func changesOf(e directory.AuditEntry) []pastChange {
	before, after := sideOf(e.Before), sideOf(e.After)
	var all []pastChange
	for _, key := range slices.Sorted(maps.Keys(both(before, after))) {
		if before[key] != after[key] || e.Before == "" || e.After == "" {
			all = append(all, pastChange{key, before[key], after[key]})
		}
	}
	slices.SortStableFunc(all, func(a, b pastChange) int { return labelPlace(a.Label) - labelPlace(b.Label) })
	return all
}

func both(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// labelOrder is the form's.
var labelOrder = []string{"First name", "Last name", "LAN ID", "Agent ID", "PBX ID", "E-mail", "Profile", "Supervisor", "Org unit", "CRM name", "Greeting template", "Roles", "Access role", "Status"}

func labelPlace(label string) int {
	if i := slices.Index(labelOrder, label); i >= 0 {
		return i
	}
	return len(labelOrder)
}

// sideOf reads one side of an entry: labels and values as text. What is no object is shown as it is.
func sideOf(text string) map[string]string {
	side := map[string]string{}
	if text == "" {
		return side
	}
	var values map[string]any
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		side["Value"] = text
		return side
	}
	for key, value := range values {
		inner, nested := value.(map[string]any)
		if !nested {
			side[fieldLabel(key)] = valueText(value)
			if value == nil && strings.Contains(key, ".") {
				side[fieldLabel(key)] = "as usual" // a count or value that follows the catalogue
			}
			continue
		}
		for name, v := range inner {
			side[name] = valueText(v)
		}
	}
	return side
}

func valueText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		parts := make([]string, len(v))
		for i, one := range v {
			parts[i] = valueText(one)
		}
		return strings.Join(parts, "; ")
	}
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

// actionWords are what entries about users say was done.
var actionWords = map[string]string{
	"create": "Added", "update": "Changed", "delete": "Deleted", "deactivate": "Deactivated", "reactivate": "Reactivated", "rename": "Renamed",
	"erase": "Personal data erased", "import-users": "Imported",
	"assign-role": "Role assigned or removed", "set-status": "Status set", "move-users": "Moved", "make-link": "Sign-in link made", "set-password": "Password set", "set-supervisor": "Supervisor changed",
}

func actionWord(action string) string {
	if word := actionWords[action]; word != "" {
		return word
	}
	if bulk, state, ended := strings.Cut(action, " "); ended && actionName(bulk) != bulk {
		return actionName(bulk) + " " + state
	}
	return capital(strings.ReplaceAll(action, "-", " "))
}

// sourceWords are the ways in.
var sourceWords = map[string]string{"web": "in the console", "cli": "on the command line"}
