package web

import (
	"context"
	"errors"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/directory"
	"muster/internal/fault"
)

func TestUsersAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ given, want string }{
		{"", "/users"},
		{"q=smith&size=50&sort=lan_id&columns=&selected=", "/users?q=smith"},
		{"org_unit=UAE&org_unit=India&role=Agent&batch=12&picture=none", "/users?batch=12&org_unit=UAE&org_unit=India&picture=none&role=Agent"},
		{"columns=status,lan_id,nonsense", "/users?columns=name%2Clan_id%2Cstatus"},
		{"columns=" + strings.Join(defaultColumns, ","), "/users"},
		{"selected=3,1,3", "/users?selected=3%2C1"},
		{"selected=all&last_name.starts=Sm", "/users?last_name.starts=Sm&selected=all"},
		{"page=7", "/users"},
		{"after=x&page=7", "/users?after=x&page=7"},
		{"after=x&page=-7", "/users?after=x"},
	} {
		v, err := url.ParseQuery(tt.given)
		if err != nil {
			t.Fatal(err)
		}
		a, err := parseUsersAddress(v)
		if err != nil {
			t.Errorf("%q: %v", tt.given, err)
		}
		if got := a.canonical(); got != tt.want {
			t.Errorf("%q: canonical %q, want %q", tt.given, got, tt.want)
		}
	}
}

func TestUsersAddressRefused(t *testing.T) {
	t.Parallel()
	for _, given := range []string{"last_name.foo=1", "selected=x", "selected=-1", "selected=" + strings.Repeat("1,2,3,4,5,", 1) + "6,,", "sort=roles", "batch=x",
		"selected=" + manyIDs(mostSelected+1)} {
		v, err := url.ParseQuery(given)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseUsersAddress(v); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%.40q: error %v, want Invalid", given, err)
		}
	}
	v := url.Values{"selected": {manyIDs(mostSelected)}}
	if _, err := parseUsersAddress(v); err != nil {
		t.Errorf("%d selected: %v", mostSelected, err)
	}
}

func manyIDs(n int) string {
	s := selection{}
	for i := range n {
		s.ids = append(s.ids, int64(i+1))
	}
	return s.String()
}

// What is picked one by one is meant whatever the filter says by now.
func TestPicked(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]directory.UserFilter{
		"q=a&selected=5,6":  {IDs: []int64{5, 6}},
		"q=a&selected=all":  {Search: "a"},
		"q=a":               {Search: "a"},
		"selected=all&q=bc": {Search: "bc"},
	} {
		v, _ := url.ParseQuery(given)
		a, err := parseUsersAddress(v)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, a.picked()); diff != "" {
			t.Errorf("%s: -want +got\n%s", given, diff)
		}
	}
}

func TestFilterForm(t *testing.T) {
	t.Parallel()
	form := url.Values{
		"keep": {"q=x&size=25&selected=7"}, "column": {"last_name", "pbx_id", "first_name"}, "op": {"starts", "empty", "contains"}, "value": {"a", "", ""},
		"profile": {"Agent"}, "status": {""}, "batch": {" 12 "}, "picture": {"none"}, "role:Lead": {"not"}, "role:Agent": {"held"}, "role:None": {""},
	}
	address, err := filteredAddress(form)
	if err != nil {
		t.Fatal(err)
	}
	a, err := parseUsersAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	want := "/users?batch=12&last_name.starts=a&not_role=Lead&pbx_id.empty=1&picture=none&profile.eq=Agent&q=x&role=Agent&selected=7&size=25"
	if got := a.canonical(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	form["op"] = form["op"][1:]
	if _, err := filteredAddress(form); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a line without an operation: error %v, want Invalid", err)
	}
}

func TestChips(t *testing.T) {
	t.Parallel()
	v, _ := url.ParseQuery("q=x&org_unit=A&org_unit=B&last_name.starts=Sm&role=R&picture=none&selected=4")
	a, err := parseUsersAddress(v)
	if err != nil {
		t.Fatal(err)
	}
	p := usersPage{usersAddress: a}
	want := []filterChip{
		{"In A and below", "/users?last_name.starts=Sm&org_unit=B&picture=none&q=x&role=R"},
		{"In B and below", "/users?last_name.starts=Sm&org_unit=A&picture=none&q=x&role=R"},
		{"Last name starts with “Sm”", "/users?org_unit=A&org_unit=B&picture=none&q=x&role=R"},
		{"Has role R", "/users?last_name.starts=Sm&org_unit=A&org_unit=B&picture=none&q=x"},
		{"Without a picture", "/users?last_name.starts=Sm&org_unit=A&org_unit=B&q=x&role=R"},
	}
	if diff := cmp.Diff(want, p.chips()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestFindUnits(t *testing.T) {
	t.Parallel()
	units := []directory.OrgUnit{
		{Name: "UAE", FullName: "UAE", Depth: 1, Path: "1/"},
		{Name: "Cards", FullName: "UAE / Cards", Depth: 2, Path: "1/2/"},
		{Name: "Night Shift", FullName: "UAE / Cards / Night Shift", Depth: 3, Path: "1/2/3/"},
		{Name: "New Cards", FullName: "India / New Cards", Depth: 2, Path: "4/5/"},
	}
	for _, tt := range []struct {
		typed string
		scope directory.Scope
		want  []string
	}{
		{"card", directory.Everywhere(), []string{"UAE / Cards", "India / New Cards", "UAE / Cards / Night Shift"}},
		{"NIGHT uae", directory.Everywhere(), []string{"UAE / Cards / Night Shift"}},
		{"card", directory.Below("1/"), []string{"UAE / Cards", "UAE / Cards / Night Shift"}},
		{"card", directory.Scope{}, nil},
		{"zzz", directory.Everywhere(), nil},
	} {
		got, _ := findUnits(units, tt.scope, tt.typed)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q: -want +got\n%s", tt.typed, diff)
		}
	}
}

// Names are whatever a spreadsheet had.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	evil := `<script>alert("x")</script>`
	p := &usersPage{usersAddress: usersAddress{columns: parseColumns("name,lan_id,supervisor,org_unit,roles,crm_name"), page: 1}, Total: 1, MayEdit: true, Users: []directory.User{{
		ID: 1, LANID: evil, FirstName: evil, LastName: evil, SupervisorName: evil, OrgUnit: evil + " / " + evil, Roles: []string{evil, evil}, CRMName: evil,
	}}}
	p.query.Filter.OrgUnits = []string{evil}
	p.query.Limit = 50
	var out strings.Builder
	if err := usersView(p).Render(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if html := out.String(); strings.Contains(html, "<script>alert") || !strings.Contains(html, "&lt;script&gt;alert") {
		t.Error("a name is not escaped")
	}
}

func TestCounter(t *testing.T) {
	t.Parallel()
	var c counter
	var asked atomic.Int64
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	now := func() time.Time { return at }
	begun, let := make(chan bool, 100), make(chan bool)
	ask := func(context.Context) (int64, error) {
		begun <- true
		<-let
		return asked.Add(1), nil
	}

	// Who asks first goes away; the others get the count that was begun for them.
	gone, leave := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := c.count(gone, "a", time.Minute, now, ask)
		first <- err
	}()
	<-begun
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if n, err := c.count(t.Context(), "a", time.Minute, now, ask); n != 1 || err != nil {
				t.Errorf("count is %d, %v; want 1", n, err)
			}
		})
	}
	for waiting := 0; waiting < 21; runtime.Gosched() {
		c.mu.Lock()
		waiting = c.counts["a"].waiting
		c.mu.Unlock()
	}
	leave()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("who goes away gets %v", err)
	}
	close(let)
	wait.Wait()
	if n, _ := c.count(t.Context(), "b", time.Minute, now, ask); n != 2 {
		t.Errorf("another key has count %d, want 2", n)
	}
	<-begun
	at = at.Add(countLife + 1)
	if n, _ := c.count(t.Context(), "a", time.Minute, now, ask); n != 3 {
		t.Errorf("after its life the count is %d, want 3", n)
	}
	if len(c.counts) != 1 {
		t.Errorf("%d counts are kept, want the last alone", len(c.counts))
	}

	// An error is for those who waited, not for who comes next.
	broken := func(context.Context) (int64, error) { return 0, errors.New("broken") }
	if _, err := c.count(t.Context(), "c", time.Minute, now, broken); err == nil {
		t.Error("no error")
	}
	<-begun
	if n, err := c.count(t.Context(), "c", time.Minute, now, ask); n != 4 || err != nil {
		t.Errorf("after an error the count is %d, %v; want 4", n, err)
	}
	if _, err := c.count(t.Context(), "d", time.Minute, now, func(context.Context) (int64, error) { panic("oops") }); err == nil {
		t.Error("a panic is no error")
	}

	// One that takes long is not waited for, and is there later.
	let = make(chan bool)
	if _, err := c.count(t.Context(), "e", time.Millisecond, now, ask); !errors.Is(err, errStillCounting) {
		t.Errorf("a long count is %v", err)
	}
	close(let)
	if n, err := c.count(t.Context(), "e", time.Minute, now, ask); n != 5 || err != nil {
		t.Errorf("later the count is %d, %v; want 5", n, err)
	}

	// When all have gone away, it ends.
	gone, leave = context.WithCancel(t.Context())
	ended := make(chan bool)
	if _, err := c.count(gone, "f", time.Minute, now, func(ctx context.Context) (int64, error) {
		leave()
		<-ctx.Done()
		close(ended)
		return 0, ctx.Err()
	}); !errors.Is(err, context.Canceled) {
		t.Errorf("who goes away gets %v", err)
	}
	<-ended
}
