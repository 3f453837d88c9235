package directory_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

func createAdministrator(ctx context.Context, h *directory.Handle, d *directory.Directory, a directory.Applicant) (id int64, err error) {
	err = d.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		id, err = h.CreateAdministrator(ctx, tx, a)
		return err
	})
	return id, err
}

// letIn makes the user one who can sign in.
func letIn(t *testing.T, d *directory.Directory, id int64) {
	t.Helper()
	err := d.DB.Tx(t.Context(), func(tx *sqldb.Tx) error { return d.SetPassword(t.Context(), tx, id, "encoded") })
	if err != nil {
		t.Fatal(err)
	}
}

func TestCreateAdministrator(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		// The built-in ones are there, with less.
		have := full()
		rules := []directory.Rule{{Rule: "usb-storage", Action: "lock", DelaySeconds: 3}}
		have.Roles = append(have.Roles, directory.Role{Name: "Administrator", Rights: []directory.Right{"users:access"}, Rules: rules})
		have.AccessRoles[1] = directory.AccessRole{Name: "Everywhere", Scope: "units", Units: []string{"India"}}
		apply(t, system(d), have, false)
		before := load(t, d)
		id, err := createAdministrator(t.Context(), system(d), d, directory.Applicant{LANID: " Root ", FirstName: " Ann", LastName: "O'Neil "})
		if err != nil {
			t.Fatal(err)
		}
		h, _, err := directory.HolderByID(t.Context(), d.DB.Read(), id)
		if err != nil || h.LANID != "Root" || h.Name() != "Ann O'Neil" || h.Profile != directory.Administrator || !slices.Equal(h.Rights, directory.AllRights()) || !h.Scope.IsEverywhere() || !h.MaySignIn() {
			t.Errorf("%+v, %v", h, err)
		}
		after := load(t, d)
		if after.Revision <= before.Revision {
			t.Error("the revision is the same")
		}
		i := slices.IndexFunc(after.Roles, func(r directory.Role) bool { return r.Name == "Administrator" })
		if !slices.Equal(after.Roles[i].Rules, rules) {
			t.Errorf("the role lost its rules: %+v", after.Roles[i])
		}
		entries, err := sqldb.All[string](t.Context(), d.DB.Read(), "SELECT action || ' ' || subject || ' ' || name FROM audit ORDER BY id DESC LIMIT 3")
		if err != nil || !slices.Equal(entries, []string{"create user Root", "update access-role Everywhere", "update role Administrator"}) {
			t.Errorf("audit %q, %v", entries, err)
		}
		// A second one changes nothing of these.
		if _, err := createAdministrator(t.Context(), system(d), d, directory.Applicant{LANID: "second", FirstName: "A", LastName: "B"}); err != nil {
			t.Fatal(err)
		}
		if now := load(t, d); now.Revision != after.Revision {
			t.Error("the configuration changed again")
		}
		users, err := system(d).CountUsers(t.Context(), directory.UserFilter{})
		if err != nil || users != 2 {
			t.Error(users, err)
		}
	})
}

func TestRejectedAdministrators(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		apply(t, system(d), full(), false)
		addUsers(t, d, 1)
		execute(t, d, "UPDATE users SET agent_key = 'other', agent_id = 'Other'")
		for who, want := range map[directory.Applicant]string{
			{LANID: "", FirstName: "", LastName: " "}:                                            "lan_id.missing first_name.missing last_name.missing",
			{LANID: "a b", FirstName: "A\nB", LastName: "B"}:                                     "lan_id.special_characters first_name.control_characters",
			{LANID: strings.Repeat("a", 65), FirstName: strings.Repeat("é", 101), LastName: "B"}: "lan_id.too_long first_name.too_long",
			{LANID: "1", FirstName: "A", LastName: "B"}:                                          "lan_id.exists",
			{LANID: "OTHER", FirstName: "A", LastName: "B"}:                                      "agent_id.taken",
			{LANID: "\x00", FirstName: "\x00", LastName: "\xff"}:                                 "lan_id.special_characters first_name.control_characters",
		} {
			_, err := createAdministrator(t.Context(), system(d), d, who)
			var r *directory.Rejected
			if !errors.As(err, &r) {
				t.Errorf("%+v: %v", who, err)
				continue
			}
			var codes []string
			for _, p := range r.Problems {
				codes = append(codes, p.Code)
			}
			kind := fault.Invalid
			if want == "lan_id.exists" || want == "agent_id.taken" {
				kind = fault.Conflict
			}
			if got := strings.Join(codes, " "); got != want || fault.KindOf(err) != kind {
				t.Errorf("%+v: %s (%v), want %s", who, got, fault.KindOf(err), want)
			}
		}
		if c := load(t, d); slices.ContainsFunc(c.Roles, func(r directory.Role) bool { return r.Name == "Administrator" }) {
			t.Error("the role stayed without its administrator")
		}
	})
}

// The last administrator stays one, whatever is done to their role and access role.
func TestLastAdministrator(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		has := func() bool {
			t.Helper()
			there, err := d.HasAdministrator(t.Context(), d.DB.Read())
			if err != nil {
				t.Fatal(err)
			}
			return there
		}
		apply(t, system(d), full(), false)
		id, err := createAdministrator(t.Context(), system(d), d, directory.Applicant{LANID: "root", FirstName: "A", LastName: "B"})
		if err != nil {
			t.Fatal(err)
		}
		role := func(rights ...directory.Right) directory.Configuration {
			return directory.Configuration{Roles: []directory.Role{{Name: "Administrator", Rights: rights}}}
		}
		everywhere := func(scope string, units ...string) directory.Configuration {
			return directory.Configuration{AccessRoles: []directory.AccessRole{{Name: "Everywhere", Scope: scope, Units: units}}}
		}
		lesser := map[string]directory.Configuration{
			"no users:edit": role("users:access", "roles:edit", "roles:access"),
			"no roles:edit": role("users:access", "users:edit"),
			"no access":     role("users:edit", "roles:edit"),
			"nothing":       role(),
			"units":         everywhere("units", "India"),
			"own unit":      everywhere("own-unit-and-below"),
		}
		// One who cannot sign in is none.
		if has() {
			t.Fatal("somebody without a password is an administrator")
		}
		for _, want := range lesser {
			apply(t, system(d), want, false)
		}
		enough := []directory.Configuration{role("audit:access", "users:edit", "roles:edit"), everywhere("everywhere")}
		for _, want := range enough {
			apply(t, system(d), want, false)
		}
		letIn(t, d, id)
		if !has() {
			t.Fatal("there is no administrator")
		}
		for name, want := range lesser {
			before := load(t, d)
			if err := applyOnly(system(d), want, false); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "nobody would be left") {
				t.Errorf("%s: %v", name, err)
			}
			if diff := same(before, load(t, d)); diff != "" || !has() {
				t.Errorf("%s: something was changed\n%s", name, diff)
			}
		}
		// With a second one, who has it all by another role and access role, it can be done.
		apply(t, system(d), directory.Configuration{Roles: []directory.Role{{Name: "Second", Rights: directory.AllRights()}}, AccessRoles: []directory.AccessRole{{Name: "All", Scope: "everywhere"}}}, false)
		second, err := createAdministrator(t.Context(), system(d), d, directory.Applicant{LANID: "second", FirstName: "A", LastName: "B"})
		if err != nil {
			t.Fatal(err)
		}
		execute(t, d, "UPDATE users SET access_role_id = (SELECT id FROM access_roles WHERE name = 'All') WHERE id = $1", second)
		execute(t, d, "UPDATE user_roles SET role_id = (SELECT id FROM roles WHERE name = 'Second') WHERE user_id = $1", second)
		letIn(t, d, second)
		apply(t, system(d), role(), false)
		// Two at once, each of whom counts on the other's.
		apply(t, system(d), role(directory.AllRights()...), false)
		var both sync.WaitGroup
		errs := make([]error, 2)
		for i, name := range []string{"Administrator", "Second"} {
			both.Go(func() {
				errs[i] = applyOnly(system(d), directory.Configuration{Roles: []directory.Role{{Name: name}}}, false)
			})
		}
		both.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || !has() {
			t.Errorf("both at once: %v", errs)
		}
	})
}

// A link makes an administrator of one who can sign in with it, as long as it is good.
func TestLinkMakesAnAdministrator(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		apply(t, system(d), full(), false)
		id, err := createAdministrator(t.Context(), system(d), d, directory.Applicant{LANID: "root", FirstName: "A", LastName: "B"})
		if err != nil {
			t.Fatal(err)
		}
		now := d.Now().UnixMicro()
		for until, want := range map[int64]bool{now: false, now + 1: true} {
			err := d.DB.Tx(t.Context(), func(tx *sqldb.Tx) error { return system(d).SetLink(t.Context(), tx, id, []byte("hash"), until) })
			if err != nil {
				t.Fatal(err)
			}
			if got, err := d.HasAdministrator(t.Context(), d.DB.Read()); err != nil || got != want {
				t.Errorf("%v, %v, want %v", got, err, want)
			}
		}
		// Being let in is a change of the user, once.
		version, _, err := sqldb.One[int](t.Context(), d.DB.Read(), "SELECT version FROM users")
		if err != nil || version != 2 {
			t.Errorf("version %d, %v", version, err)
		}
		// Whoever has users in memory is told: of the one who was made, and let in.
		notes, _, err := sqldb.One[int](t.Context(), d.DB.Read(), "SELECT count(*) FROM user_writes WHERE first_id = $1", id)
		if err != nil || notes != 2 {
			t.Errorf("%d notes, %v", notes, err)
		}
		err = d.DB.Tx(t.Context(), func(tx *sqldb.Tx) error { return d.As(directory.Actor{}).SetLink(t.Context(), tx, id, nil, 0) })
		if fault.KindOf(err) != fault.Forbidden {
			t.Error(err)
		}
	})
}
