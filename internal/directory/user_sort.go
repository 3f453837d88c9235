package directory

import (
	"cmp"
	"slices"

	"muster/internal/fault"
)

// UserSort is an order of users; the zero value is by LAN ID. Users with the same value follow each other by their ids,
// which is the order in which they were made. What is empty comes last, or first when descending.
type UserSort struct {
	Column     string // sortable in [UserColumns]; "" for lan_id
	Descending bool
}

const defaultSort = "lan_id"

func (s UserSort) column() string {
	if s.Column == "" {
		return defaultSort
	}
	return s.Column
}

// Check returns an error of kind Invalid where one cannot sort by the column.
func (s UserSort) Check() error {
	if c, ok := gridColumn(s.column()); !ok || !c.Sortable {
		var can []string
		for _, c := range gridColumns {
			if c.Sortable {
				can = append(can, c.Name)
			}
		}
		return fault.New(fault.Invalid, "users cannot be sorted by %q; use one of %s", Shorten(s.Column), shown(can))
	}
	return nil
}

// String is the sort as in addresses: "-last_name" for descending.
func (s UserSort) String() string {
	if s.Descending {
		return "-" + s.column()
	}
	return s.column()
}

// position is a place in an order: the sort's value and the id of a user. The value is an int64 or a string.
type position struct {
	key any
	id  int64
}

// last is greater than any text that is stored: what is empty comes after everything.
const last = "\U0010FFFF"

// order is what a sort is to the statements. All its keys are of one type, and users are in the order of key and id.
type order struct {
	// key is the key of a user u, never null; join is a table that it needs.
	key, join string
	number    bool      // the key is an int64, not text
	text      textField // the field of the texts that holds the key
	// segments are the order cut into pieces, one after the other, each of which an index walks through; nil where
	// there is none.
	segments []segment
}

// column is the column by which users are ordered, but for those in whom it is empty; "" where there is none.
func (o *order) column() string {
	for _, g := range o.segments {
		if g.key != "" {
			return g.key
		}
	}
	return ""
}

// segment is a piece of an order.
type segment struct {
	where  string // the predicate over u; "" for all
	key    string // the column of u by which the piece is ordered; "" where all have the same key, and it is by id
	same   any    // that key
	tie    string // the column that holds it, where the predicate does not say so
	unique bool   // no two users have the same key
}

// from cuts a segment where a page begins after a place in it: first who shares that place's key, then the others. One
// comparison of both key and id would be the same, but SQLite looks up only the first of the two in an index.
func (g segment) from(at *position) []segment {
	if at == nil || g.key == "" || g.unique {
		return []segment{g}
	}
	return []segment{{where: g.where, same: at.key, tie: g.key}, g}
}

// inTexts tells that no index is by the order, but the texts.
func (s UserSort) inTexts() bool {
	o := s.order(&Configuration{})
	return o.text != anyField && o.segments == nil
}

// order is the sort as an order.
func (s UserSort) order(cfg *Configuration) order {
	byColumn := func(column string, unique bool) order {
		return order{key: "u." + column, text: textFields[column], segments: []segment{{key: "u." + column, unique: unique}}}
	}
	switch s.column() {
	case "first_name":
		return order{key: "u.first_key", text: firstNameField}
	case "last_name":
		return byColumn("last_key", false)
	case "agent_id":
		return byColumn("agent_key", true)
	case "changed_at":
		return order{key: "u.changed_at", number: true, text: changedAtField}
	case "pbx_id":
		return order{key: "coalesce(u.pbx_id, '" + last + "')", text: pbxIDField, segments: []segment{
			{where: "u.pbx_id IS NOT NULL", key: "u.pbx_id", unique: true},
			{where: "u.pbx_id IS NULL", same: last},
		}}
	case "profile":
		return order{key: "u.profile", number: true, segments: []segment{
			{where: "u.profile < 3 AND u.profile = 1", same: int64(1)},
			{where: "u.profile < 3 AND u.profile = 2", same: int64(2)},
			{where: "u.profile = 3", same: int64(3)},
		}}
	case "status":
		return order{key: "1 - u.active", number: true, segments: []segment{
			{where: "u.active = 1", same: int64(0)},
			{where: "u.active = 0", same: int64(1)},
		}}
	case "org_unit":
		return order{key: "coalesce(o.full_name, '" + last + "')", join: " LEFT JOIN org_units o ON o.id = u.org_unit_id", segments: unitSegments(cfg)}
	case changedByColumn:
		return order{key: "lower(u.changed_by)", text: changedByField}
	}
	return byColumn("lan_key", true)
}

func unitSegments(cfg *Configuration) []segment {
	units := slices.Clone(cfg.OrgUnits)
	slices.SortFunc(units, func(a, b OrgUnit) int { return cmp.Compare(a.FullName, b.FullName) })
	var all []segment
	for _, u := range units {
		all = append(all, segment{where: "u.org_unit_id = " + literals([]int64{u.ID}), same: u.FullName})
	}
	return append(all, segment{where: "u.org_unit_id IS NULL", same: last})
}

// compareKeys compares two keys of one order.
func compareKeys(a, b any) int {
	if n, ok := a.(int64); ok {
		return cmp.Compare(n, b.(int64))
	}
	return cmp.Compare(a.(string), b.(string))
}
