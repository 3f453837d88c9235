package directory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// OrgTree is the org structure as one person may see it, at one instant.
type OrgTree struct {
	// Revision is the configuration's when the tree was read.
	Revision int64
	// Levels are the names of the levels, from the top; a unit of depth 1 is on the first.
	Levels []string
	// Units come parents first, siblings by name: each is followed by all that is below it.
	Units []OrgNode
}

// OrgNode is a unit of the tree, with numbers.
type OrgNode struct {
	OrgUnit
	// InScope tells that the unit is where the actor's rights apply. One that is not is there because something below it is,
	// and has no numbers.
	InScope bool
	Users   int64 // who are in the unit itself, whatever their status
	Total   int64 // who are in it or below, within the scope
	Below   int   // units below it in this tree, at any depth
	Inner   int   // units right below it in this tree
}

// Level is the name of the level on which the unit is.
func (t *OrgTree) Level(u OrgUnit) string {
	if u.Depth < 1 || u.Depth > len(t.Levels) {
		return ""
	}
	return t.Levels[u.Depth-1]
}

// OrgTree returns all units within the actor's scope, and the names above them. It needs org-units:access.
func (h *Handle) OrgTree(ctx context.Context) (*OrgTree, error) { return h.orgTree(ctx, "") }

// OrgBranch returns the unit with everything below it that is within the actor's scope, as [Handle.OrgTree] does;
// NotFound when there is no such unit that the actor may see. It counts only who is in these units.
func (h *Handle) OrgBranch(ctx context.Context, id int64) (*OrgTree, error) {
	if err := h.actor.Need("org-units:access"); err != nil {
		return nil, err
	}
	u, found, err := orgUnitByID(ctx, h.dir.DB.Read(), id)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, errNoUnit
	}
	t, err := h.orgTree(ctx, u.Path)
	if err == nil && len(t.Units) == 0 {
		err = errNoUnit
	}
	return t, err
}

// OrgUnit returns one unit within the actor's scope; NotFound when there is none. It needs org-units:access.
func (h *Handle) OrgUnit(ctx context.Context, id int64) (OrgUnit, error) {
	if err := h.actor.Need("org-units:access"); err != nil {
		return OrgUnit{}, err
	}
	u, found, err := orgUnitByID(ctx, h.dir.DB.Read(), id)
	if err == nil && (!found || !h.actor.scope.Contains(u.Path)) {
		err = errNoUnit
	}
	if err != nil {
		return OrgUnit{}, err
	}
	return u, nil
}

var errNoUnit = fault.New(fault.NotFound, "there is no such org unit where you may see it; perhaps somebody deleted it meanwhile")

// orgTree is the part of the tree whose paths begin with path.
func (h *Handle) orgTree(ctx context.Context, path string) (t *OrgTree, err error) {
	if err := h.actor.Need("org-units:access"); err != nil {
		return nil, err
	}
	err = h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		k, err := h.dir.knownAt(ctx, q)
		if err != nil {
			return err
		}
		t = &OrgTree{Revision: k.cfg.Revision, Levels: k.cfg.Levels, Units: visibleUnits(k.cfg.OrgUnits, h.actor.scope, path)}
		users, err := countByUnit(ctx, q, countedPaths(h.actor.scope, path))
		if err != nil {
			return err
		}
		t.number(users)
		return nil
	})
	return t, err
}

// visibleUnits are those below path that are in scope, and those above them, in the order of the tree.
func visibleUnits(units []OrgUnit, scope Scope, path string) []OrgNode {
	above := map[string]bool{} // paths of those above something in scope
	var nodes []OrgNode
	for _, u := range units {
		in := scope.Contains(u.Path)
		if in {
			for p := parentPath(u.Path); p != "" && !above[p]; p = parentPath(p) {
				above[p] = true
			}
		}
		nodes = append(nodes, OrgNode{OrgUnit: u, InScope: in})
	}
	nodes = slices.DeleteFunc(nodes, func(n OrgNode) bool {
		return !strings.HasPrefix(n.Path, path) || !n.InScope && !above[n.Path]
	})
	sortAsTree(nodes, func(n OrgNode) string { return n.FullName })
	return nodes
}

// parentPath takes the last id off a path; "" for a top-level unit's.
func parentPath(path string) string {
	return path[:strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/')+1]
}

// sortAsTree puts units in the order of the tree by their full names: siblings by name, without case and by what numbers
// are worth, and what is below a unit right after it.
func sortAsTree[T any](all []T, fullName func(T) string) {
	type keyed struct {
		key  string
		unit T
	}
	sorted := make([]keyed, len(all))
	for i, u := range all {
		sorted[i] = keyed{treeKey(fullName(u)), u}
	}
	slices.SortFunc(sorted, func(a, b keyed) int { return cmp.Compare(a.key, b.key) })
	for i := range sorted {
		all[i] = sorted[i].unit
	}
}

// treeKey sorts as [sortAsTree] says. Names hold no control characters, which sort before everything else. Each name is
// in it as it is written, too: two that differ only in case keep what is below them apart.
func treeKey(full string) string {
	var b strings.Builder
	for name := range strings.SplitSeq(full, pathSeparator) {
		folded := FoldName(name)
		for i := 0; i < len(folded); {
			end := i
			for end < len(folded) && '0' <= folded[end] && folded[end] <= '9' {
				end++
			}
			if end == i {
				b.WriteByte(folded[i])
				i++
				continue
			}
			// Team 2 before Team 10: a number with more digits is the larger one.
			number := strings.TrimLeft(folded[i:end], "0")
			b.WriteByte('0')
			b.WriteByte(byte(min(len(number), 255)))
			b.WriteString(number)
			i = end
		}
		b.WriteByte(1)
		b.WriteString(name)
		b.WriteByte(0)
	}
	return b.String()
}

// countedPaths are the ranges whose users are counted: what of the scope is below path. The empty path is everything.
func countedPaths(scope Scope, path string) []string {
	if scope.everywhere {
		return []string{path}
	}
	var paths []string
	for _, p := range scope.below {
		switch {
		case strings.HasPrefix(path, p):
			return []string{path}
		case strings.HasPrefix(p, path):
			paths = append(paths, p)
		}
	}
	for _, p := range scope.exactly {
		if strings.HasPrefix(p, path) {
			paths = append(paths, p)
		}
	}
	return paths
}

// countByUnit counts users by their org unit, in the units whose paths begin with one of the paths.
func countByUnit(ctx context.Context, q sqldb.Querier, paths []string) (map[int64]int64, error) {
	type row struct{ Unit, Users int64 }
	counts := map[int64]int64{}
	for _, p := range paths {
		query, args := "SELECT org_unit_id, count(*) FROM users WHERE org_unit_id IS NOT NULL GROUP BY org_unit_id", []any{}
		if p != "" {
			query = `SELECT u.org_unit_id, count(*) FROM org_units o CROSS JOIN users u
				WHERE o.path >= $1 AND o.path < $2 AND u.org_unit_id = o.id GROUP BY u.org_unit_id`
			args = []any{p, afterPath(p)}
		}
		for r, err := range sqldb.Each[row](ctx, q, query, args...) {
			if err != nil {
				return nil, fmt.Errorf("count users by org unit: %w", err)
			}
			counts[r.Unit] = r.Users // ranges may overlap
		}
	}
	return counts, nil
}

// afterPath is the first text after all paths that begin with path, which ends with a slash.
func afterPath(path string) string { return strings.TrimSuffix(path, "/") + "0" }

// number fills in the numbers of a tree whose units stand in its order.
func (t *OrgTree) number(users map[int64]int64) {
	at := make(map[int64]int, len(t.Units))
	for i := range t.Units {
		at[t.Units[i].ID] = i
	}
	for i := len(t.Units) - 1; i >= 0; i-- { // whoever is below comes first
		u := &t.Units[i]
		if u.InScope {
			u.Users = users[u.ID]
			u.Total += u.Users
		}
		p, there := at[u.ParentID]
		if !there {
			continue
		}
		parent := &t.Units[p]
		parent.Below += u.Below + 1
		parent.Inner++
		if parent.InScope && u.InScope {
			parent.Total += u.Total
		}
	}
}

// orgUnitByID reads a unit as it is now.
func orgUnitByID(ctx context.Context, q sqldb.Querier, id int64) (OrgUnit, bool, error) {
	u, found, err := sqldb.One[OrgUnit](ctx, q, `
		SELECT id, coalesce(parent_id, 0), name, full_name, depth, path FROM org_units WHERE id = $1`, id)
	if err != nil {
		return u, false, fmt.Errorf("look up an org unit: %w", err)
	}
	return u, found, nil
}

// Find returns the unit that is written as in an import: by its name, or, where several are called so, by its full name; a
// top-level one also with a slash before it. Its error is of kind NotFound, or Invalid where several units fit.
func (t *OrgTree) Find(written string) (OrgNode, error) {
	written = strings.TrimSpace(written)
	full := strings.TrimPrefix(written, "/ ")
	var named []OrgNode
	var names []string
	for _, u := range t.Units {
		if u.FullName == full && (full != written || u.ParentID != 0) {
			return u, nil
		}
		if u.Name == written {
			named = append(named, u)
		}
		names = append(names, u.Name)
		if u.ParentID != 0 {
			names = append(names, u.FullName)
		}
	}
	switch len(named) {
	case 1:
		return named[0], nil
	case 0:
		hint := ""
		if near := newNearest(names).of(written); near != "" {
			hint = fmt.Sprintf("; perhaps %q is meant", near)
		}
		return OrgNode{}, fault.New(fault.NotFound, "there is no org unit %q%s", Shorten(written), hint)
	}
	var paths []string
	for _, u := range named[:min(len(named), mostNamed)] {
		path := u.FullName
		if u.ParentID == 0 {
			path = "/ " + path
		}
		paths = append(paths, fmt.Sprintf("%q", path))
	}
	return OrgNode{}, fault.New(fault.Invalid, "%s are called %q; give the full path: %s", count(len(named), "unit"), written, andMore(paths, len(named), "unit"))
}
