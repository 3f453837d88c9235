package web

import (
	"slices"
	"strings"
)

// userColumn is a column of the grid.
type userColumn struct {
	Name, Label string
	Sort        string // the column of the directory to sort by, "" for none
}

// userColumns are in the grid's order. The first, with the picture, is always shown: it says whose row it is.
var userColumns = []userColumn{
	{"name", "Name", "last_name"},
	{"first_name", "First name", "first_name"},
	{"last_name", "Last name", "last_name"},
	{"lan_id", "LAN ID", "lan_id"},
	{"agent_id", "Agent ID", "agent_id"},
	{"pbx_id", "PBX ID", "pbx_id"},
	{"profile", "Profile", "profile"},
	{"supervisor", "Supervisor", ""},
	{"org_unit", "Org unit", "org_unit"},
	{"roles", "Roles", ""},
	{"access_role", "Access role", ""},
	{"crm_name", "CRM name", ""},
	{"greeting_template", "Greeting template", ""},
	{"status", "Status", "status"},
	{"changed_by", "Changed by", "changed_by"},
	{"changed_at", "Changed", "changed_at"},
}

// defaultColumns are shown where the address does not say which.
var defaultColumns = []string{"name", "lan_id", "pbx_id", "profile", "supervisor", "org_unit", "roles", "status", "changed_at"}

// parseColumns reads names with commas between; those that are not known are left out, so that an old bookmark works.
func parseColumns(text string) []string {
	if text == "" {
		return defaultColumns
	}
	wanted := strings.Split(text, ",")
	var shown []string
	for i, c := range userColumns {
		if i == 0 || slices.Contains(wanted, c.Name) {
			shown = append(shown, c.Name)
		}
	}
	return shown
}

// shownColumns are those of the address.
func (a *usersAddress) shownColumns() []userColumn {
	var shown []userColumn
	for _, c := range userColumns {
		if slices.Contains(a.columns, c.Name) {
			shown = append(shown, c)
		}
	}
	return shown
}

// pageSizes are offered; an address may have any other.
var pageSizes = []int{25, 50, 100, 250, 500}

func (a *usersAddress) sizes() []int {
	if slices.Contains(pageSizes, a.query.Limit) {
		return pageSizes
	}
	sizes := append([]int{a.query.Limit}, pageSizes...)
	slices.Sort(sizes)
	return sizes
}
