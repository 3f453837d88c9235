package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// addUsers makes n users who have what TestInUse wants to take away.
func addUsers(t *testing.T, d *directory.Directory, n int) {
	t.Helper()
	err := d.DB.Tx(t.Context(), func(tx *sqldb.Tx) error {
		for i := range n {
			for _, statement := range []string{
				`INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, profile, changed_by, changed_at,
					org_unit_id, access_role_id, crm_name_id, greeting_template_id)
				VALUES ($1, CAST($1 AS TEXT), CAST($1 AS TEXT), 'A', 'B', CAST($1 AS TEXT), CAST($1 AS TEXT), 3, 'x', 1,
					(SELECT id FROM org_units WHERE full_name = 'UAE / Retail / Team 1'), (SELECT id FROM access_roles WHERE name = 'Everywhere'),
					(SELECT id FROM crm_names WHERE name = 'Siebel'), (SELECT id FROM greeting_templates))`,
				`INSERT INTO user_roles (user_id, role_id) SELECT $1, id FROM roles WHERE name = 'Agent'`,
				`INSERT INTO user_channels (user_id, channel_id, count) SELECT $1, id, 4 FROM channels WHERE name = 'Chat'`,
				`INSERT INTO user_features (user_id, feature_id, value) SELECT $1, id, 'Manual In' FROM features WHERE name = 'Manual In'`,
			} {
				if _, err := tx.ExecContext(t.Context(), strings.ReplaceAll(statement, "$1", fmt.Sprint(i+1))); err != nil {
					return fmt.Errorf("%s: %w", statement, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestInUse(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		apply(t, system(d), full(), false)
		addUsers(t, d, 2)
		for name, c := range map[string]struct {
			want directory.Configuration
			says string
		}{
			"unit":        {directory.Configuration{OrgUnits: units("UAE", "UAE / Retail")}, `org-unit "UAE / Retail / Team 1" cannot be deleted: it is in use by 2 users`},
			"role":        {directory.Configuration{Roles: []directory.Role{}}, `role "Agent" cannot be deleted: it is in use by 2 users`},
			"access role": {directory.Configuration{AccessRoles: []directory.AccessRole{}}, `access-role "Everywhere" cannot be deleted: it is in use by 2 users`},
			"CRM name":    {directory.Configuration{CRMNames: []directory.Named{}}, `crm-name "Siebel" cannot be deleted: it is in use by 2 users`},
			"greeting":    {directory.Configuration{GreetingTemplates: []directory.GreetingTemplate{}}, `greeting-template "Standard" cannot be deleted: it is in use by 2 users`},
			"channel":     {directory.Configuration{Channels: []directory.Channel{}}, `channel "Chat" cannot be deleted: it is in use by 2 users`},
			"feature":     {directory.Configuration{Features: []directory.Feature{}}, `feature "Manual In" cannot be deleted: it is in use by 2 users`},
			"highest":     {directory.Configuration{Channels: []directory.Channel{{Name: "Voice", Default: 1, Highest: 1}, {Name: "Chat", Default: 2, Highest: 3}}}, `channel "Chat": 2 users may hold more than 3 sessions`},
			"value": {directory.Configuration{Features: []directory.Feature{{Name: "CRM Enabled", Kind: "switch", Default: "no"}, {Name: "Manual In", Kind: "list", Values: []string{"Auto In", "Other"}, Default: "Auto In"}}},
				`feature "Manual In": in use are also "Manual In" (2 users)`},
			"kind": {directory.Configuration{Features: []directory.Feature{{Name: "CRM Enabled", Kind: "switch", Default: "no"}, {Name: "Manual In", Kind: "switch", Default: "no"}}},
				`feature "Manual In": in use are also "Manual In" (2 users)`},
		} {
			for _, err := range []error{compareOnly(d, c.want, true), applyOnly(system(d), c.want, true)} {
				if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s: got %v", name, err)
				}
			}
		}
		if diff := same(full(), load(t, d)); diff != "" {
			t.Errorf("something was changed\n%s", diff)
		}
	})
}

// Who has just what becomes the default follows it; a value that is spelled anew is the same value.
func TestDefaultsOfUsers(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		apply(t, system(d), full(), false)
		addUsers(t, d, 2)
		want := full()
		want.Channels[1].Default = 4
		want.Features[0].Values = []string{"MANUAL IN", "Auto In"}
		apply(t, system(d), want, false)
		n, _, err := sqldb.One[int](t.Context(), d.DB.Read(), "SELECT count(*) FROM user_channels")
		if err != nil || n != 0 {
			t.Errorf("%d counts are kept, %v", n, err)
		}
		values, err := sqldb.All[string](t.Context(), d.DB.Read(), "SELECT value FROM user_features")
		if err != nil || !slices.Equal(values, []string{"MANUAL IN", "MANUAL IN"}) {
			t.Errorf("values %q, %v", values, err)
		}
	})
}
