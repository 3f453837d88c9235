package directory

import (
	"slices"
	"strings"
	"unicode"

	"muster/internal/fault"
)

// UserFilter picks users; the zero value picks all. What it names and the directory does not have, nobody holds or
// belongs to: that picks nobody, and is not an error.
type UserFilter struct {
	// Search is free text: each of its words is somewhere in the first or last name, LAN ID, Agent ID or PBX ID.
	Search string
	// Where are conditions that must all hold.
	Where []Condition
	// OrgUnits are full names; the user is in one of these units or below it.
	OrgUnits []string
	// Roles the user holds, all of them; NotRoles the user holds none of.
	Roles, NotRoles []string
	WithoutPicture  bool
	BatchID         int64 // those that this batch inserted or changed
	// BatchOutcome is Inserted or Updated, for those of BatchID that it inserted, or changed, alone. As the IDs, it is no part
	// of an address.
	BatchOutcome Outcome
	// IDs are the only users to look at; nil for all, while a list that is empty picks nobody.
	IDs []int64
}

// Condition is one on a column of [UserColumns]. A condition without a value, where its Op needs one, is none.
type Condition struct {
	Column string
	Op     string
	Value  string
}

// What a condition asks of a column. Names, ids and Changed by compare without regard to case; names of org units,
// roles and catalogue entries equal exactly, and contain, start and end without regard to case.
const (
	OpEqual       = "eq"
	OpNotEqual    = "ne"
	OpContains    = "contains"
	OpNotContains = "not-contains"
	OpStarts      = "starts"
	OpEnds        = "ends"
	OpEmpty       = "empty"
	OpNotEmpty    = "not-empty"
	OpBefore      = "before" // a day: before it begins (UTC)
	OpAfter       = "after"  // a day: after it ended
)

// UserColumn is a column of the grid that one can filter or sort by.
type UserColumn struct {
	Name     string // in addresses
	Label    string
	Sortable bool
	Ops      []string // what conditions may ask
}

var (
	textOps  = []string{OpEqual, OpNotEqual, OpContains, OpNotContains, OpStarts, OpEnds, OpEmpty, OpNotEmpty}
	equalOps = []string{OpEqual, OpNotEqual}
	dayOps   = []string{OpEqual, OpBefore, OpAfter}
)

var gridColumns = []UserColumn{
	{"first_name", "First name", true, textOps},
	{"last_name", "Last name", true, textOps},
	{"lan_id", "LAN ID", true, textOps},
	{"agent_id", "Agent ID", true, textOps},
	{"pbx_id", "PBX ID", true, textOps},
	{"profile", "Profile", true, equalOps},
	{"supervisor", "Supervisor", false, textOps},
	{"org_unit", "Org unit", true, textOps},
	{"roles", "Roles", false, textOps},
	{"access_role", "Access role", false, textOps},
	{"crm_name", "CRM name", false, textOps},
	{"greeting_template", "Greeting template", false, textOps},
	{"status", "Status", true, equalOps},
	{"changed_by", "Last changed by", true, textOps},
	{"changed_at", "Last changed on", true, dayOps},
}

// UserColumns are the columns that one can filter or sort by, in the grid's order.
func UserColumns() []UserColumn { return slices.Clone(gridColumns) }

func gridColumn(name string) (UserColumn, bool) {
	i := slices.IndexFunc(gridColumns, func(c UserColumn) bool { return c.Name == name })
	if i < 0 {
		return UserColumn{}, false
	}
	return gridColumns[i], true
}

// Limits of a filter: beyond them nobody types, and statements grow too long.
const (
	longestFilterValue   = 500 // bytes
	mostFilterConditions = 50
	mostSearchWords      = 10
)

// Check returns an error of kind Invalid that says what is wrong with the filter.
func (f UserFilter) Check() error {
	if len(f.Where)+len(f.OrgUnits)+len(f.Roles)+len(f.NotRoles) > mostFilterConditions {
		return fault.New(fault.Invalid, "the filter has more than %d conditions; take some out", mostFilterConditions)
	}
	if len(f.Search) > longestFilterValue || len(f.words()) > mostSearchWords {
		return fault.New(fault.Invalid, "the search text is too long; use %d words at most", mostSearchWords)
	}
	for _, c := range f.Where {
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

func (c Condition) check() error {
	column, ok := gridColumn(c.Column)
	if !ok {
		return fault.New(fault.Invalid, "there is no column %q to filter by; use one of %s", Shorten(c.Column), shown(columnNamesOf(gridColumns)))
	}
	if !slices.Contains(column.Ops, c.Op) {
		return fault.New(fault.Invalid, "%s cannot be filtered by %q; use one of %s", column.Label, Shorten(c.Op), strings.Join(column.Ops, ", "))
	}
	if len(c.Value) > longestFilterValue {
		return fault.New(fault.Invalid, "the value to filter %s by is too long; use %d characters at most", column.Label, longestFilterValue)
	}
	if c.Column == "changed_at" && !c.none() {
		if _, err := parseDay(c.Value); err != nil {
			return err
		}
	}
	return nil
}

func columnNamesOf(columns []UserColumn) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}

// none tells that the condition asks nothing: the field for its value was left blank.
func (c Condition) none() bool { return c.Value == "" && c.Op != OpEmpty && c.Op != OpNotEmpty }

// words are those of the search, folded.
func (f UserFilter) words() []string {
	words := strings.FieldsFunc(FoldName(storable(f.Search)), unicode.IsSpace)
	slices.Sort(words)
	return slices.Compact(words)
}

// storable replaces what no text in the database holds, and PostgreSQL refuses as a parameter.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
