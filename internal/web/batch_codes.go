package web

import (
	"slices"
	"strings"

	"muster/internal/batch"
)

// codeLabels says in a few words what is wrong with a row; the code itself is for those who look things up.
var codeLabels = map[string]string{
	"lan_id.exists":   "LAN ID exists already",
	"lan_id.repeated": "LAN ID repeated in the file",

	"agent_id.defaulted": "Agent ID taken from LAN ID",
	"agent_id.taken":     "Agent ID belongs to somebody",
	"agent_id.repeated":  "Agent ID repeated in the file",

	"pbx_id.not_a_number": "PBX ID not a number",
	"pbx_id.taken":        "PBX ID belongs to somebody",
	"pbx_id.repeated":     "PBX ID repeated in the file",

	"supervisor.not_a_supervisor": "Supervisor is an agent",
	"supervisor.inactive":         "Supervisor inactive",
	"supervisor.self":             "Own supervisor",
	"supervisor.other_branch":     "Supervisor in another branch",
	"supervisor.row_invalid":      "Supervisor's row not inserted",
	"supervisor.cycle":            "Supervisors in a ring",

	"org_unit.ambiguous":    "Several org units of that name",
	"org_unit.not_a_team":   "Org unit not a team",
	"org_unit.out_of_scope": "Org unit outside your access role",

	"role.not_grantable":        "Role you may not give",
	"access_role.not_grantable": "Access role you may not give",

	"channel.unknown_user":  "Channel row of nobody",
	"feature.unknown_user":  "Feature row of nobody",
	"channel.not_a_count":   "Channel count not a number",
	"channel.too_high":      "Channel count too high",
	"feature.not_a_value":   "Feature value unknown",
	"channel.repeated_user": "Channel row repeated",
	"feature.repeated_user": "Feature row repeated",

	"picture.not_an_image":    "Not a JPEG or PNG",
	"picture.too_large":       "5 MB or more",
	"picture.too_many_pixels": "Too many pixels",
	"picture.damaged":         "Damaged",
	"picture.no_user":         "Nobody’s picture",
	"picture.repeated":        "Another picture of the same user",
	"picture.too_small":       "Too small",
	"picture.dark":            "Too dark",
	"picture.bright":          "Too bright",
	"picture.blurred":         "Blurred",
	"picture.out_of_scope":    "User outside your access role",

	"file.no_header":       "No header",
	"file.unknown_kind":    "None of the templates",
	"file.no_user_details": "No UserDetails",
	"file.two_of_a_kind":   "Two files of a kind",
	"file.missing_column":  "Missing column",
	"file.unknown_column":  "Unknown column",
	"file.repeated_column": "Repeated column",
	"file.too_many_cells":  "Too many cells",
	"file.bad_quotes":      "Quotation marks",
	"file.not_text":        "Not a spreadsheet",
	"file.too_large":       "Too large",

	"user.last_administrator": "Last administrator",
	"user.too_much":           "Could do more than you",
	"user.gone":               "Not there any more",
	"user.out_of_scope":       "Outside your access role",
	"user.changed_since":      "Changed since",

	"undo.has_reports":   "Has reports by now",
	"undo.changed_since": "Changed since",
	"undo.out_of_scope":  "Outside the access role",
}

// What codes are put together from: a column, and what is wrong with it.
var (
	codeColumns = map[string]string{
		"lan_id": "LAN ID", "first_name": "First name", "last_name": "Last name", "agent_id": "Agent ID", "pbx_id": "PBX ID", "profile": "Profile",
		"supervisor": "Supervisor", "org_unit": "Org unit", "role": "Role", "access_role": "Access role", "crm_name": "CRM name",
		"greeting_template": "Greeting template", "channel": "Channel count", "feature": "Feature",
	}
	codeFaults = map[string]string{
		"missing": "missing", "special_characters": "with special characters", "too_long": "too long", "control_characters": "with control characters",
		"unknown": "unknown", "spreadsheet_damage": "damaged by a spreadsheet", "leading_zeros": "may lack leading zeros",
	}
)

// codeLabel is a code for people; one that it does not know is shown as it is.
func codeLabel(code string) string {
	if label, ok := codeLabels[code]; ok {
		return label
	}
	column, what, _ := strings.Cut(code, ".")
	c, known := codeColumns[column]
	f, also := codeFaults[what]
	if known && also {
		return c + " " + f
	}
	return code
}

// codesShown is how many problems a page offers to filter by before it folds the rest.
const codesShown = 8

// fewCodes are the most frequent problems, moreCodes the others, if they are more than one or two.
func fewCodes(all []batch.RowCount) []batch.RowCount {
	if len(all) <= codesShown+2 {
		return all
	}
	return all[:codesShown]
}

func moreCodes(all []batch.RowCount) []batch.RowCount { return all[len(fewCodes(all)):] }

func hasCode(all []batch.RowCount, code string) bool {
	return slices.ContainsFunc(all, func(c batch.RowCount) bool { return c.Code == code })
}
