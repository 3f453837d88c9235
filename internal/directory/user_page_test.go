package directory_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

var usersAccess = []directory.Right{"users:access"}

// The grid shows what an oracle in memory picks, in its order: counted, in pages forwards and backwards, and walked.
func TestUsersPageAgainstOracle(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		c := newCrowd(t, db, 1, 400)
		for i := range 400 {
			if t.Failed() {
				return
			}
			if i == 200 { // Until then somebody's search may have had them read or not.
				c.dir.ReadTexts(t.Context())
			}
			c.rnd = rand.New(rand.NewPCG(2, uint64(i)))
			c.compare(t, c.query(), c.scope())
		}
	})
}

// scope draws a scope by the names of units.
func (c *crowd) scope() (s directory.Scope) {
	switch c.rnd.IntN(5) {
	case 0:
		return directory.Below(c.paths[one(c.rnd, crowdUnits...)], c.paths[one(c.rnd, crowdUnits...)])
	case 1:
		return directory.Exactly(c.paths[one(c.rnd, crowdUnits...)])
	case 2:
		return one(c.rnd, directory.Scope{}, directory.Everywhere())
	}
	return directory.Everywhere()
}

// query draws a query, as it is written in addresses.
func (c *crowd) query() (q directory.UserQuery) {
	r := c.rnd
	f := &q.Filter
	maybe := func(set func()) {
		if r.IntN(6) == 0 {
			set()
		}
	}
	maybe(func() { f.Search = one(r, crowdTexts...) + " " + one(r, "", crowdTexts[r.IntN(len(crowdTexts))]) })
	maybe(func() { f.OrgUnits = []string{one(r, append(crowdUnits, "nowhere")...), one(r, crowdUnits...)} })
	maybe(func() { f.Roles = []string{one(r, append(crowdRoles, "none such")...)} })
	maybe(func() { f.NotRoles = []string{one(r, append(crowdRoles, "none such")...)} })
	maybe(func() { f.WithoutPicture = true })
	maybe(func() { f.BatchID = r.Int64N(6) })
	maybe(func() {
		f.IDs = []int64{}
		for range r.IntN(300) {
			f.IDs = append(f.IDs, r.Int64N(500)-20)
		}
	})
	for range one(r, 0, 1, 1, 2) {
		f.Where = append(f.Where, c.condition())
	}
	columns := slices.DeleteFunc(directory.UserColumns(), func(c directory.UserColumn) bool { return !c.Sortable })
	q.Sort = directory.UserSort{Column: one(r, columns...).Name, Descending: r.IntN(2) == 0}
	if q.Sort.Column == "lan_id" {
		q.Sort.Column = ""
	}
	q.Limit = 1 + r.IntN(60)
	return q
}

func (c *crowd) condition() directory.Condition {
	r := c.rnd
	column := one(r, directory.UserColumns()...)
	w := directory.Condition{Column: column.Name, Op: one(r, column.Ops...)}
	someone := one(r, c.users...)
	switch column.Name {
	case "changed_at":
		w.Value = one(r, "2026-01-02", "2026-01-05", "2025-12-31", "0001-01-01", "9999-12-31")
	case "profile":
		w.Value = one(r, "agent", "SUPERVISOR", "Administrator", "other")
	case "status":
		w.Value = one(r, "active", "Inactive", "other")
	default:
		w.Value = one(r, someone.FirstName, someone.LANID, strings.ToUpper(someone.LastName), someone.Supervisor, someone.AgentID, someone.PBXID,
			someone.OrgUnit, someone.ChangedBy, one(r, crowdRoles...), "Siebel", "hello", one(r, crowdTexts...), one(r, crowdTexts...), "")
	}
	if w.Op == "empty" || w.Op == "not-empty" {
		w.Value = ""
	}
	return w
}

func (c *crowd) compare(t *testing.T, q directory.UserQuery, scope directory.Scope) {
	t.Helper()
	var want []person
	for _, p := range c.users {
		if scope.Contains(p.units) && picks(q.Filter, p) {
			want = append(want, p)
		}
	}
	inOrder(want, q.Sort)
	ids := []int64{}
	for _, p := range want {
		ids = append(ids, p.ID)
	}
	h := c.dir.As(directory.Person("p", "test", usersAccess, scope))
	what := fmt.Sprintf("%+v in scope %+v", q, scope)
	if n, err := h.CountUsers(t.Context(), q.Filter); err != nil || int(n) != len(ids) {
		t.Errorf("%s: counted %d, %v; want %d", what, n, err, len(ids))
	}
	pages := c.pages(t, h, q, what)
	if got := slices.Concat(pages...); !slices.Equal(got, ids) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, ids)
	}
	var walked []int64
	err := h.WalkUsers(t.Context(), q.Filter, func(*directory.Configuration) error { return nil }, func(page []directory.User) error {
		for _, u := range page {
			walked = append(walked, u.ID)
		}
		return nil
	})
	if inOrder(want, directory.UserSort{}); err != nil || !slices.EqualFunc(walked, want, func(id int64, p person) bool { return id == p.ID }) {
		t.Errorf("%s: walked over %v, %v", what, walked, err)
	}
}

// pages reads all pages to the end, and then back to the beginning, which must show the same pages.
func (c *crowd) pages(t *testing.T, h *directory.Handle, q directory.UserQuery, what string) (pages [][]int64) {
	t.Helper()
	read := func() (directory.UserPage, []int64) {
		page, err := h.UsersPage(t.Context(), q)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		var ids []int64
		for _, u := range page.Users {
			ids = append(ids, u.ID)
		}
		return page, ids
	}
	page, ids := read()
	if page.Previous != "" {
		t.Errorf("%s: something comes before the first page", what)
	}
	for pages = [][]int64{ids}; page.Next != ""; pages = append(pages, ids) {
		q.After = page.Next
		if page, ids = read(); len(ids) == 0 || len(pages) > len(c.users) {
			t.Fatalf("%s: an empty page, or no end of them", what)
		}
	}
	q.After = ""
	for i := len(pages) - 2; i >= 0; i-- {
		q.Before = page.Previous
		if page, ids = read(); q.Before == "" || !slices.Equal(ids, pages[i]) || page.Next == "" {
			t.Errorf("%s: backwards page %d is %v, not %v", what, i, ids, pages[i])
		}
	}
	if page.Previous != "" && len(pages) > 1 {
		t.Errorf("%s: something comes before the first page, read backwards", what)
	}
	return pages
}

// Whatever stands in a cursor is an error for people, or a page.
func TestUsersPageCursor(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		c := newCrowd(t, db, 3, 30)
		h := c.dir.As(directory.System("test"))
		good, err := h.UsersPage(t.Context(), directory.UserQuery{Limit: 5})
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := base64.RawURLEncoding.DecodeString(good.Next)
		bad := []string{"x", "%%%", good.Next[:len(good.Next)-3], good.Next + "A", strings.Repeat("A", 10_000), base64.RawURLEncoding.EncodeToString([]byte("null")),
			base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(raw), "lan_id", "last_name", 1))),
			base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(raw), `"Text":"`, `"Text":"\u0000`, 1))),
			base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(raw), `"Text":"`, `"Text":7,"x":"`, 1)))}
		for _, text := range bad {
			for _, q := range []directory.UserQuery{{After: text}, {Before: text}} {
				if _, err := h.UsersPage(t.Context(), q); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "start from the first page") {
					t.Errorf("%q: %v", text, err)
				}
			}
		}
		if _, err := h.UsersPage(t.Context(), directory.UserQuery{After: good.Next, Before: good.Next}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("after and before: %v", err)
		}
		// A place where nobody stands is a place all the same.
		elsewhere := base64.RawURLEncoding.EncodeToString([]byte(`{"Sort":"lan_id","Text":"zzz","ID":-5}`))
		if page, err := h.UsersPage(t.Context(), directory.UserQuery{After: elsewhere}); err != nil || len(page.Users) != 0 || page.Next != "" {
			t.Errorf("after the end: %v, %v", page, err)
		}
		if page, err := h.UsersPage(t.Context(), directory.UserQuery{Before: elsewhere}); err != nil || len(page.Users) != 30 {
			t.Errorf("before the end: %v, %v", page, err)
		}
	})
}

// What cannot be asked for is Invalid, and says what can.
func TestUsersPageInvalid(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := directory.New(db).As(directory.System("test"))
		for _, test := range []struct {
			query directory.UserQuery
			want  string
		}{
			{directory.UserQuery{Sort: directory.UserSort{Column: "u.id; --"}}, "cannot be sorted"},
			{directory.UserQuery{Sort: directory.UserSort{Column: "roles"}}, "cannot be sorted"},
			{directory.UserQuery{Filter: directory.UserFilter{Where: []directory.Condition{{"password", "eq", "x"}}}}, "no column"},
			{directory.UserQuery{Filter: directory.UserFilter{Where: []directory.Condition{{"status", "contains", "x"}}}}, "use one of eq, ne"},
			{directory.UserQuery{Filter: directory.UserFilter{Where: []directory.Condition{{"changed_at", "eq", "yesterday"}}}}, "not a day"},
			{directory.UserQuery{Filter: directory.UserFilter{Where: []directory.Condition{{"lan_id", "eq", strings.Repeat("x", 5000)}}}}, "too long"},
			{directory.UserQuery{Filter: directory.UserFilter{Search: "a b c d e f g h i j k"}}, "too long"},
			{directory.UserQuery{Filter: directory.UserFilter{Roles: make([]string, 100)}}, "more than 50"},
		} {
			if _, err := h.UsersPage(t.Context(), test.query); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%+v: %v, want %q", test.query, err, test.want)
			}
		}
		for _, a := range []directory.Actor{{}, directory.Person("p", "test", []directory.Right{"roles:access"}, directory.Everywhere())} {
			if _, err := directory.New(db).As(a).UsersPage(t.Context(), directory.UserQuery{}); fault.KindOf(err) != fault.Forbidden {
				t.Errorf("without the right: %v", err)
			}
		}
	})
}
