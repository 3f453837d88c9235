package directory

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"muster/internal/fault"
)

// ParseUserQuery reads a page of the grid from its address:
//
//	q=smith                       free text
//	org_unit=UAE / Retail         with everything below; may be repeated
//	role=Agent, not_role=Agent    may be repeated
//	picture=none, batch=12
//	last_name.starts=Sm           a condition: column and operation of [UserColumns]; may be repeated
//	sort=last_name, sort=-last_name
//	after=…, before=…             cursors of the page before or after
//	size=50                       users on a page
//
// Parameters left blank are none, and others than these are somebody else's; but one with a dot is a condition, and
// what is wrong with it is an error of kind Invalid.
func ParseUserQuery(v url.Values) (UserQuery, error) {
	q := UserQuery{
		Filter: UserFilter{Search: v.Get("q"), OrgUnits: filled(v["org_unit"]), Roles: filled(v["role"]), NotRoles: filled(v["not_role"])},
		After:  v.Get("after"), Before: v.Get("before"), Limit: DefaultOnPage,
	}
	switch picture := v.Get("picture"); picture {
	case "":
	case "none":
		q.Filter.WithoutPicture = true
	default:
		return UserQuery{}, fault.New(fault.Invalid, "picture=%s is not known; use picture=none for users without one", Shorten(picture))
	}
	var err error
	if q.Filter.BatchID, err = wholeNumber(v, "batch", 0); err != nil {
		return UserQuery{}, err
	}
	size, err := wholeNumber(v, "size", DefaultOnPage)
	if err != nil {
		return UserQuery{}, err
	}
	q.Limit = int(min(max(size, 1), MostOnPage))
	if q.Sort, err = ParseUserSort(v.Get("sort")); err != nil {
		return UserQuery{}, err
	}
	q.Filter.Where = conditions(v)
	if err := q.Filter.Check(); err != nil {
		return UserQuery{}, err
	}
	return q, q.check()
}

// ParseUserSort reads "last_name" or, descending, "-last_name"; "" is the default.
func ParseUserSort(text string) (UserSort, error) {
	s := UserSort{Column: strings.TrimPrefix(text, "-"), Descending: strings.HasPrefix(text, "-")}
	if s.Column == "" || s.Column == defaultSort {
		s.Column = ""
	}
	return s, s.Check()
}

func filled(values []string) []string {
	var all []string
	for _, v := range values {
		if v != "" {
			all = append(all, v)
		}
	}
	return all
}

func wholeNumber(v url.Values, name string, none int64) (int64, error) {
	text := v.Get(name)
	if text == "" {
		return none, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fault.New(fault.Invalid, "%s=%s is not a number; enter one, or leave it out", name, Shorten(text))
	}
	return n, nil
}

// conditions are in the order of the columns, whatever the address has.
func conditions(v url.Values) []Condition {
	var all []Condition
	for name, values := range v {
		column, op, ok := strings.Cut(name, ".")
		if !ok {
			continue
		}
		for _, value := range values {
			c := Condition{Column: column, Op: op, Value: value}
			if op == OpEmpty || op == OpNotEmpty {
				c.Value = ""
			}
			if !c.none() {
				all = append(all, c)
			}
		}
	}
	place := func(c Condition) int {
		return slices.IndexFunc(gridColumns, func(g UserColumn) bool { return g.Name == c.Column })
	}
	slices.SortStableFunc(all, func(a, b Condition) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(a.Column, b.Column), strings.Compare(a.Op, b.Op))
	})
	return all
}

// Values is the query as [ParseUserQuery] reads it, without what is as by default. The IDs of the filter are no part of
// an address.
func (q UserQuery) Values() url.Values {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Add(name, value)
		}
	}
	f := q.Filter
	set("q", f.Search)
	for name, values := range map[string][]string{"org_unit": f.OrgUnits, "role": f.Roles, "not_role": f.NotRoles} {
		for _, value := range values {
			set(name, value)
		}
	}
	if f.WithoutPicture {
		v.Set("picture", "none")
	}
	if f.BatchID != 0 {
		v.Set("batch", strconv.FormatInt(f.BatchID, 10))
	}
	for _, c := range f.Where {
		if c.Op == OpEmpty || c.Op == OpNotEmpty {
			c.Value = "1"
		}
		set(c.Column+"."+c.Op, c.Value)
	}
	if q.Sort.Descending || q.Sort.column() != defaultSort {
		v.Set("sort", q.Sort.String())
	}
	set("after", q.After)
	set("before", q.Before)
	if n := q.limit(); n != DefaultOnPage {
		v.Set("size", strconv.Itoa(n))
	}
	return v
}
