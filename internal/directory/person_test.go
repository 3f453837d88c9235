package directory_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/directory"
	"muster/internal/sqldb"
)

// execute runs a statement of the test's own.
func execute(t *testing.T, d *directory.Directory, statement string, args ...any) {
	t.Helper()
	err := d.DB.Tx(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(t.Context(), statement, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What a holder may do, and where, follows their roles and access role.
func TestHolder(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		want := full()
		want.Roles = append(want.Roles, directory.Role{Name: "Auditor", Rights: []directory.Right{"audit:access", "users:access"}},
			directory.Role{Name: "Blind", Rights: []directory.Right{"users:add", "roles:edit"}})
		want.AccessRoles = append(want.AccessRoles, directory.AccessRole{Name: "Own", Scope: "own-unit"}, directory.AccessRole{Name: "Below", Scope: "own-unit-and-below"},
			directory.AccessRole{Name: "Two", Scope: "units", Units: []string{"India", "UAE / Retail"}})
		apply(t, system(d), want, false)
		addUsers(t, d, 1)
		path := map[string]string{}
		for _, u := range load(t, d).OrgUnits {
			path[u.FullName] = u.Path
		}
		type in struct{ unit, access string }
		type at struct{ uae, retail, team, india, none bool }
		for c, want := range map[in]at{
			{"UAE / Retail", ""}:             {},
			{"UAE / Retail", "Own"}:          {retail: true},
			{"UAE / Retail", "Below"}:        {retail: true, team: true},
			{"UAE / Retail", "Two"}:          {retail: true, team: true, india: true},
			{"", "Own"}:                      {},
			{"", "Below"}:                    {},
			{"", "Two"}:                      {retail: true, team: true, india: true},
			{"India", "Everywhere"}:          {true, true, true, true, true},
			{"UAE / Retail / Team 1", "Own"}: {team: true},
		} {
			execute(t, d, `UPDATE users SET org_unit_id = (SELECT id FROM org_units WHERE full_name = $1), access_role_id = (SELECT id FROM access_roles WHERE name = $2)`, c.unit, c.access)
			h, found, err := directory.HolderByLANID(t.Context(), d.DB.Read(), "1")
			if err != nil || !found {
				t.Fatal(found, err)
			}
			s := h.Actor("web").Scope()
			got := at{s.Contains(path["UAE"]), s.Contains(path["UAE / Retail"]), s.Contains(path["UAE / Retail / Team 1"]), s.Contains(path["India"]), s.Contains("")}
			if got != want || h.UnitPath != path[c.unit] {
				t.Errorf("%+v: %+v, want %+v", c, got, want)
			}
		}
		for roles, want := range map[[2]string]struct {
			rights []directory.Right
			signIn bool
		}{
			{"", ""}:                 {nil, false},
			{"Agent", ""}:            {nil, false},
			{"Blind", "Agent"}:       {[]directory.Right{"users:add", "roles:edit"}, false},
			{"Team Lead", "Blind"}:   {[]directory.Right{"users:access", "users:add", "users:edit", "roles:edit"}, true},
			{"Team Lead", "Auditor"}: {[]directory.Right{"users:access", "users:edit", "audit:access"}, true},
		} {
			execute(t, d, "DELETE FROM user_roles")
			execute(t, d, "INSERT INTO user_roles (user_id, role_id) SELECT 1, id FROM roles WHERE name IN ($1, $2)", roles[0], roles[1])
			for _, active := range []bool{true, false} {
				execute(t, d, "UPDATE users SET active = $1", map[bool]int{true: 1}[active])
				h, _, err := directory.HolderByID(t.Context(), d.DB.Read(), 1)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(want.rights, h.Rights); d != "" || h.MaySignIn() != (want.signIn && active) {
					t.Errorf("%q: may sign in: %v, %s", roles, h.MaySignIn(), d)
				}
				a := h.Actor("web")
				for _, r := range directory.AllRights() {
					if a.Can(r) != (active && slices.Contains(want.rights, r)) {
						t.Errorf("%q, active %v: %s: %v", roles, active, r, a.Can(r))
					}
				}
				if !active && (a.Scope().Contains(path["UAE / Retail / Team 1"]) || a.Scope().IsEverywhere()) {
					t.Error("somebody inactive reaches somewhere")
				}
			}
		}
		for _, who := range []string{"2", "", "1\x00", "\xff"} {
			if _, found, err := directory.HolderByLANID(t.Context(), d.DB.Read(), who); found || err != nil {
				t.Errorf("%q: %v, %v", who, found, err)
			}
		}
	})
}
