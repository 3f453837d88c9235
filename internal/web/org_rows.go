package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"muster/internal/directory"
)

// orgRows chooses the rows of a tree that are shown.
type orgRows struct {
	tree     *directory.OrgTree
	actor    directory.Actor
	selected int64

	open map[int64]bool
	all  []int64 // that are open, in the order of the tree
}

// opened are the rows of an address: what it says is open, and what is above the unit that it selects. Where it says
// nothing, levels are opened from the top while there is room.
func (b *orgRows) opened(query url.Values) []orgRow {
	b.open = map[int64]bool{}
	if text, said := query["open"]; said {
		for id := range strings.SplitSeq(text[0], ".") {
			if n, err := strconv.ParseInt(id, 36, 64); err == nil && len(b.open) < mostOpen {
				b.open[n] = true
			}
		}
	} else {
		b.openWhileRoom()
	}
	b.openAbove(b.selected)
	return b.rows(func(i int) bool { return b.open[b.tree.Units[i].ID] })
}

// mostOpen bounds what an address may open.
const mostOpen = 500

// written is what is open, as in an address.
func (b *orgRows) written() string {
	ids := make([]string, 0, len(b.all))
	for _, id := range b.all[:min(len(b.all), mostOpen)] {
		ids = append(ids, strconv.FormatInt(id, 36))
	}
	return strings.Join(ids, ".")
}

func (b *orgRows) openWhileRoom() {
	depths := make([]int, len(b.tree.Levels)+2)
	for _, u := range b.tree.Units {
		depths[min(u.Depth, len(depths)-1)]++
	}
	rows, deepest := depths[1], 1
	for deepest+1 < len(depths) && rows+depths[deepest+1] <= openedRows {
		rows += depths[deepest+1]
		deepest++
	}
	for _, u := range b.tree.Units {
		// One that is not in scope is only the way to what is.
		if u.Inner > 0 && (u.Depth < deepest || !u.InScope) {
			b.open[u.ID] = true
		}
	}
}

// openAbove opens what is above a unit.
func (b *orgRows) openAbove(id int64) {
	for _, u := range b.tree.Units {
		if u.ID != id {
			continue
		}
		for part := range strings.SplitSeq(strings.TrimSuffix(u.Path, "/"), "/") {
			if n, err := strconv.ParseInt(part, 10, 64); err == nil && n != id {
				b.open[n] = true
			}
		}
	}
}

// rows are the units at the top and what is below those that are open.
func (b *orgRows) rows(open func(i int) bool) []orgRow {
	var rows []orgRow
	var walk func(siblings []int)
	walk = func(siblings []int) {
		for n, i := range siblings {
			if n == mostSiblings || len(rows) >= mostOrgRows {
				rows[len(rows)-1].Hidden = len(siblings) - n
				return
			}
			row := b.row(i, n+1, len(siblings))
			row.Open = row.Inner > 0 && open(i)
			rows = append(rows, row)
			if row.Open {
				b.all = append(b.all, row.ID)
				walk(b.inner(i))
			}
		}
	}
	var top []int
	for i := 0; i < len(b.tree.Units); i += b.tree.Units[i].Below + 1 {
		top = append(top, i)
	}
	walk(top)
	return rows
}

// inner are the units right below the one at i.
func (b *orgRows) inner(i int) (all []int) {
	end := i + b.tree.Units[i].Below
	for j := i + 1; j <= end; j += b.tree.Units[j].Below + 1 {
		all = append(all, j)
	}
	return all
}

// below are the rows right below the one at i.
func (b *orgRows) below(i, from int) (rows []orgRow) {
	inner := b.inner(i)
	for n, j := range inner {
		if n == mostSiblings {
			rows[n-1].Hidden = len(inner) - n
			break
		}
		rows = append(rows, b.row(j, n+from, len(inner)))
	}
	return rows
}

func (b *orgRows) row(i, position, siblings int) orgRow {
	u := b.tree.Units[i]
	return orgRow{OrgNode: u, Level: b.tree.Level(u.OrgUnit), Position: position, Siblings: siblings, May: mayDo(b.actor, u.OrgUnit, len(b.tree.Levels)), SeeUsers: b.actor.Can("users:access")}
}

// mayDo are the letters of what the actor may do with a unit; the service decides.
func mayDo(a directory.Actor, u directory.OrgUnit, levels int) string {
	scope := a.Scope()
	whole := scope.Covers(directory.Below(u.Path))
	may := ""
	if a.Can(addOrg) && whole && u.Depth < levels {
		may += "a"
	}
	if a.Can(editOrg) && scope.Contains(u.Path) {
		may += "r"
	}
	if a.Can(editOrg) && whole && mayTakeFrom(scope, u) {
		may += "m"
	}
	if a.Can(deleteOrg) && scope.Contains(u.Path) {
		may += "d"
	}
	return may
}

// mayTakeFrom tells whether what the unit is below is in scope as well.
func mayTakeFrom(scope directory.Scope, u directory.OrgUnit) bool {
	if u.ParentID == 0 {
		return scope.IsEverywhere()
	}
	return scope.Covers(directory.Below(u.Path[:len(u.Path)-len(strconv.FormatInt(u.ID, 10))-1]))
}

// find are the rows of the units that fit best what is typed, and those above them.
func (b *orgRows) find(typed string) (rows []orgRow, found int) {
	words := strings.Fields(strings.ToLower(typed))
	type fitting struct{ at, rank int }
	var all []fitting
	for i := range b.tree.Units {
		u := &b.tree.Units[i]
		if rank := fits(&u.OrgUnit, words); u.InScope && rank >= 0 && rank < 2 {
			all = append(all, fitting{i, rank})
		}
	}
	if len(all) == 0 { // words of several names of a path
		for i := range b.tree.Units {
			if u := &b.tree.Units[i]; u.InScope && fits(&u.OrgUnit, words) >= 0 {
				all = append(all, fitting{i, 2})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y fitting) int { return x.rank - y.rank })
	hits, shown := map[int64]bool{}, map[int64]bool{}
	for _, f := range all[:min(len(all), mostFound)] {
		u := b.tree.Units[f.at]
		hits[u.ID] = true
		for part := range strings.SplitSeq(strings.TrimSuffix(u.Path, "/"), "/") {
			if n, err := strconv.ParseInt(part, 10, 64); err == nil {
				shown[n] = true
			}
		}
	}
	for i, u := range b.tree.Units {
		if !shown[u.ID] {
			continue
		}
		row := b.row(i, 0, 0)
		row.Hit = hits[u.ID]
		// What is below it is shown only as far as it was found: it opens for the rest.
		row.Open = u.Inner > 0 && slices.ContainsFunc(b.inner(i), func(j int) bool { return shown[b.tree.Units[j].ID] })
		rows = append(rows, row)
	}
	return rows, len(all)
}

// usersOf is the address of the users in a unit and below.
func (r orgRow) usersOf() string {
	return pathWith("/users", url.Values{"org_unit": {r.FullName}})
}
