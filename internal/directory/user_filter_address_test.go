package directory_test

import (
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"muster/internal/directory"
	"muster/internal/fault"
)

// What a query is written as is read as the same query.
func TestUserQueryAddress(t *testing.T) {
	t.Parallel()
	for i := range 2000 {
		c := &crowd{rnd: rand.New(rand.NewPCG(5, uint64(i)))}
		c.users = []person{c.draw(0)}
		q := c.query()
		q.Filter.IDs = nil // no part of an address
		q.After = one(c.rnd, "", "abc")
		read, err := directory.ParseUserQuery(reparsed(t, q.Values()))
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		again, err := directory.ParseUserQuery(reparsed(t, read.Values()))
		if err != nil {
			t.Fatalf("%+v: %v", read, err)
		}
		if d := cmp.Diff(read, again); d != "" {
			t.Fatalf("%+v: %s", q, d)
		}
		// Conditions come back in the columns' order, and without those that ask nothing.
		var asked []directory.Condition
		for _, w := range q.Filter.Where {
			if w.Value != "" || w.Op == "empty" || w.Op == "not-empty" {
				asked = append(asked, w)
			}
		}
		less := func(a, b directory.Condition) bool {
			return a.Column+"\x00"+a.Op+"\x00"+a.Value < b.Column+"\x00"+b.Op+"\x00"+b.Value
		}
		q.Filter.Where = asked
		if d := cmp.Diff(q, read, cmpopts.SortSlices(less), cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("%s: %s", q.Values().Encode(), d)
		}
	}
}

func reparsed(t *testing.T, v url.Values) url.Values {
	t.Helper()
	again, err := url.ParseQuery(v.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestParseUserQuery(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		address string
		want    directory.UserQuery
		invalid string
	}{
		{address: "", want: directory.UserQuery{Limit: 50}},
		{address: "tab=2&view=wide&q=&org_unit=&last_name.eq=&batch=&size=&sort=", want: directory.UserQuery{Limit: 50}},
		{address: "sort=lan_id&size=9999", want: directory.UserQuery{Limit: 500}},
		{address: "sort=-lan_id&size=0", want: directory.UserQuery{Limit: 1, Sort: directory.UserSort{Descending: true}}},
		{address: "sort=-last_name&size=-5", want: directory.UserQuery{Limit: 1, Sort: directory.UserSort{Column: "last_name", Descending: true}}},
		{address: "q=a+b&role=R&role=S&not_role=T&org_unit=A+/+B&picture=none&batch=12&after=x", want: directory.UserQuery{Limit: 50, After: "x", Filter: directory.UserFilter{
			Search: "a b", Roles: []string{"R", "S"}, NotRoles: []string{"T"}, OrgUnits: []string{"A / B"}, WithoutPicture: true, BatchID: 12}}},
		{address: "status.eq=active&first_name.starts=%C3%89&pbx_id.empty=1", want: directory.UserQuery{Limit: 50, Filter: directory.UserFilter{Where: []directory.Condition{
			{Column: "first_name", Op: "starts", Value: "É"}, {Column: "pbx_id", Op: "empty"}, {Column: "status", Op: "eq", Value: "active"}}}}},
		{address: "sort=password", invalid: "cannot be sorted"},
		{address: "sort=--lan_id", invalid: "cannot be sorted"},
		{address: "password.eq=x", invalid: "no column"},
		{address: "lan_id.regexp=x", invalid: "cannot be filtered"},
		{address: "lan_id.eq.x=x", invalid: "cannot be filtered"},
		{address: ".=x", invalid: "no column"},
		{address: "size=many", invalid: "not a number"},
		{address: "batch=99999999999999999999", invalid: "not a number"},
		{address: "picture=some", invalid: "picture=none"},
		{address: "changed_at.before=2026-13-01", invalid: "not a day"},
		{address: "after=x&before=y", invalid: "not both"},
	} {
		v, err := url.ParseQuery(test.address)
		if err != nil {
			t.Fatal(err)
		}
		got, err := directory.ParseUserQuery(v)
		if test.invalid != "" {
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), test.invalid) {
				t.Errorf("%s: %v, want %q", test.address, err, test.invalid)
			}
			continue
		}
		if d := cmp.Diff(test.want, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", test.address, err, d)
		}
	}
}

// Whatever an address holds, reading it neither panics nor makes a query that does not survive being written.
func FuzzParseUserQuery(f *testing.F) {
	f.Add("q=x&last_name.eq=%00&sort=-pbx_id&after=%ff")
	f.Add("changed_at.eq=0000-00-00&size=1e9&batch=-1")
	f.Fuzz(func(t *testing.T, address string) {
		v, err := url.ParseQuery(address)
		if err != nil {
			return
		}
		q, err := directory.ParseUserQuery(v)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Error(err)
			}
			return
		}
		again, err := directory.ParseUserQuery(q.Values())
		if d := cmp.Diff(q, again); err != nil || d != "" {
			t.Error(err, d)
		}
	})
}
