package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
)

// usersAddress is what the address of the grid says: the whole state of the page, so that it can be bookmarked, shared
// and gone back to.
type usersAddress struct {
	query    directory.UserQuery
	columns  []string // shown, in the grid's order
	page     int64    // which it is, counted from 1: only for "Showing 51–100"
	selected selection
}

// selection is the users that are picked: some by their ids, or all that the filter matches.
type selection struct {
	all bool
	ids []int64
}

// mostSelected bounds the ids in an address, which browsers and proxies cut somewhere beyond 8,000 characters.
const mostSelected = 500

func (s selection) has(id int64) bool { return s.all || slices.Contains(s.ids, id) }

// String is the selection as in addresses.
func (s selection) String() string {
	if s.all {
		return "all"
	}
	ids := make([]string, len(s.ids))
	for i, id := range s.ids {
		ids[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(ids, ",")
}

func parseSelection(text string) (s selection, err error) {
	if text == "all" {
		return selection{all: true}, nil
	}
	if text == "" {
		return s, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		id, err := strconv.ParseInt(part, 10, 64)
		if err != nil || id < 1 {
			return s, fault.New(fault.Invalid, "the address does not say which users are selected; select them again")
		}
		if !slices.Contains(s.ids, id) {
			s.ids = append(s.ids, id)
		}
		if len(s.ids) > mostSelected {
			return s, fault.New(fault.Invalid, "more than %d users are selected one by one; filter, and select all that match", mostSelected)
		}
	}
	return s, nil
}

// parseUsersAddress reads an address; whatever is wrong with it is an error of kind Invalid.
func parseUsersAddress(v url.Values) (a usersAddress, err error) {
	if a.query, err = directory.ParseUserQuery(v); err != nil {
		return a, err
	}
	if a.selected, err = parseSelection(v.Get("selected")); err != nil {
		return a, err
	}
	a.columns = parseColumns(v.Get("columns"))
	a.page = 1
	if a.query.After != "" || a.query.Before != "" {
		if n, err := strconv.ParseInt(v.Get("page"), 10, 64); err == nil && 1 <= n && n < 1<<40 {
			a.page = n
		}
	}
	return a, nil
}

// filter is the filter alone, as in an address.
func (a *usersAddress) filter() url.Values {
	return directory.UserQuery{Filter: a.query.Filter}.Values()
}

// isFiltered tells whether not everybody in scope is to be seen.
func (a *usersAddress) isFiltered() bool { return len(a.filter()) > 0 }

// picked is the filter that picks what is selected, or everybody that matches where nothing is.
func (a *usersAddress) picked() directory.UserFilter {
	if len(a.selected.ids) > 0 {
		return directory.UserFilter{IDs: a.selected.ids}
	}
	return a.query.Filter
}

// values is the address without the place in the list and without the selection, which the page's script adds to links.
func (a *usersAddress) values() url.Values {
	q := a.query
	q.After, q.Before = "", ""
	v := q.Values()
	if !slices.Equal(a.columns, defaultColumns) {
		v.Set("columns", strings.Join(a.columns, ","))
	}
	return v
}

// canonical is the address itself, in its shortest form.
func (a *usersAddress) canonical() string {
	v := a.values()
	for name, value := range map[string]string{"after": a.query.After, "before": a.query.Before, "selected": a.selected.String()} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if a.page > 1 {
		v.Set("page", strconv.FormatInt(a.page, 10))
	}
	return usersPath(v)
}

func usersPath(v url.Values) string { return pathWith("/users", v) }

func pathWith(path string, v url.Values) string {
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// withFilter is the address of the first page with another filter.
func (a *usersAddress) withFilter(change func(*directory.UserFilter)) string {
	b := *a
	f := &b.query.Filter
	f.Where, f.OrgUnits = slices.Clone(f.Where), slices.Clone(f.OrgUnits)
	f.Roles, f.NotRoles = slices.Clone(f.Roles), slices.Clone(f.NotRoles)
	change(f)
	return usersPath(b.values())
}

// withoutFilter is the address without any.
func (a *usersAddress) withoutFilter() string {
	return a.withFilter(func(f *directory.UserFilter) { *f = directory.UserFilter{} })
}

// sortedBy is the address of the first page sorted by a column: ascending, or the other way where it is already.
func (a *usersAddress) sortedBy(column string) string {
	b := *a
	b.query.Sort = directory.UserSort{Column: column, Descending: a.sort(column) == "ascending"}
	if b.query.Sort.Column == "lan_id" {
		b.query.Sort.Column = ""
	}
	return usersPath(b.values())
}

// sort is the aria-sort of a column, "" where the grid is not sorted by it.
func (a *usersAddress) sort(column string) string {
	switch a.query.Sort.String() {
	case column:
		return "ascending"
	case "-" + column:
		return "descending"
	}
	return ""
}

// at is the address of another page of the same list.
func (a *usersAddress) at(after, before string, page int64) string {
	v := a.values()
	if after != "" {
		v.Set("after", after)
	}
	if before != "" {
		v.Set("before", before)
	}
	if page = max(page, 1); page > 1 {
		v.Set("page", strconv.FormatInt(page, 10))
	}
	return usersPath(v)
}
