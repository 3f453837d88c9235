package directory_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/directory"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

// staffed is a directory with a user in each of some units, and one in none. It returns the units' paths by name.
func staffed(t *testing.T, db *sqldb.DB) (*directory.Directory, map[string]string) {
	t.Helper()
	ctx := t.Context()
	d := directory.New(db)
	h := d.As(directory.System("test"))
	want := directory.Default()
	for _, full := range []string{"A", "A / B", "A / B / C", "A / D", "E"} {
		want.OrgUnits = append(want.OrgUnits, directory.OrgUnit{FullName: full})
	}
	want.Roles = []directory.Role{{Name: "Agent"}, {Name: "Lead"}}
	want.AccessRoles = []directory.AccessRole{{Name: "All", Scope: "everywhere"}}
	want.CRMNames = []directory.Named{{Name: "Siebel"}}
	want.GreetingTemplates = []directory.GreetingTemplate{{Name: "Hello", Text: "Hello!"}}
	if _, err := h.ApplyConfiguration(ctx, want, directory.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	cfg, err := h.Configuration(ctx)
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{}
	err = db.Tx(ctx, func(tx *sqldb.Tx) error {
		insert := func(id int, lanID string, unit any) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, pbx_id, profile,
				org_unit_id, changed_by, changed_at, batch_id) VALUES ($1, $2, $3, 'First', 'Last', $2, $3, $4, 2, $5, 'system', 1, 7)`,
				id, lanID, directory.Fold(lanID), fmt.Sprint(id), unit)
			return err
		}
		for i, u := range cfg.OrgUnits {
			paths[u.FullName] = u.Path
			if err := insert(i+1, "User"+u.FullName[len(u.FullName)-1:], u.ID); err != nil {
				return err
			}
		}
		if err := insert(6, "UserNowhere", nil); err != nil {
			return err
		}
		for _, statement := range []string{
			"UPDATE users SET supervisor_id = 1, access_role_id = (SELECT id FROM access_roles), crm_name_id = (SELECT id FROM crm_names), greeting_template_id = (SELECT id FROM greeting_templates) WHERE id = 3",
			"INSERT INTO user_roles (user_id, role_id) SELECT 3, id FROM roles",
			"INSERT INTO user_channels (user_id, channel_id, count) SELECT 3, id, 4 FROM channels WHERE name = 'Text Chat'",
			"INSERT INTO user_features (user_id, feature_id, value) SELECT 3, id, 'yes' FROM features WHERE name = 'Voice ACD Auto Answer'",
		} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return d, paths
}

func lanIDs(users []directory.User) string {
	var all []string
	for _, u := range users {
		all = append(all, strings.TrimPrefix(u.LANID, "User"))
	}
	return strings.Join(all, " ")
}

// A scope shows its own users, and what counts, lists and walks agree.
func TestUsersScope(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		d, path := staffed(t, db)
		for _, test := range []struct {
			name  string
			scope directory.Scope
			want  string
		}{
			{"nowhere", directory.Scope{}, ""},
			{"everywhere", directory.Everywhere(), "A B C D E Nowhere"},
			{"below the top", directory.Below(path["A"]), "A B C D"},
			{"below the middle", directory.Below(path["A / B"]), "B C"},
			{"exactly the middle", directory.Exactly(path["A / B"]), "B"},
			{"two units", directory.Below(path["A / D"], path["E"]), "D E"},
			{"no units", directory.Below(), ""},
		} {
			h := d.As(directory.Person("p", "test", []directory.Right{"users:access"}, test.scope))
			users, err := h.Users(t.Context(), directory.UserFilter{}, "", 100)
			if err != nil || lanIDs(users) != test.want {
				t.Errorf("%s: %q, %v; want %q", test.name, lanIDs(users), err, test.want)
			}
			n, err := h.CountUsers(t.Context(), directory.UserFilter{BatchID: 7})
			if err != nil || int(n) != len(users) {
				t.Errorf("%s: counted %d, %v; want %d", test.name, n, err, len(users))
			}
			var walked []directory.User
			err = h.WalkUsers(t.Context(), directory.UserFilter{}, func(*directory.Configuration) error { return nil },
				func(page []directory.User) error { walked = append(walked, page...); return nil })
			if err != nil || lanIDs(walked) != test.want {
				t.Errorf("%s: walked over %q, %v; want %q", test.name, lanIDs(walked), err, test.want)
			}
		}
	})
}

// Without the right nobody is shown.
func TestUsersRight(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		d := directory.New(db)
		for _, a := range []directory.Actor{{}, directory.Person("p", "test", []directory.Right{"roles:access"}, directory.Everywhere())} {
			h := d.As(a)
			_, listErr := h.Users(context.Background(), directory.UserFilter{}, "", 1)
			_, countErr := h.CountUsers(context.Background(), directory.UserFilter{})
			walkErr := h.WalkUsers(context.Background(), directory.UserFilter{}, nil, nil)
			for _, err := range []error{listErr, countErr, walkErr} {
				if err == nil || !strings.Contains(err.Error(), "users:access") {
					t.Errorf("%v, want users:access to be lacking", err)
				}
			}
		}
	})
}

// Pages follow each other without a gap, and a user is shown by names, defaults and all.
func TestUsersPages(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		d, _ := staffed(t, db)
		h := d.As(directory.System("test"))
		var all []directory.User
		for after := ""; ; {
			page, err := h.Users(t.Context(), directory.UserFilter{}, after, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			all, after = append(all, page...), strings.ToUpper(page[len(page)-1].LANID)
		}
		if lanIDs(all) != "A B C D E Nowhere" {
			t.Fatalf("%s", lanIDs(all))
		}
		if n, err := h.CountUsers(t.Context(), directory.UserFilter{BatchID: 8}); n != 0 || err != nil {
			t.Errorf("%d users of another batch, %v", n, err)
		}
		counts, features := map[string]int{}, map[string]string{}
		for _, c := range directory.Default().Channels {
			counts[c.Name] = c.Default
		}
		for _, f := range directory.Default().Features {
			features[f.Name] = f.Default
		}
		counts["Text Chat"], features["Voice ACD Auto Answer"] = 4, "yes"
		want := directory.User{ID: 3, LANID: "UserC", FirstName: "First", LastName: "Last", AgentID: "UserC", PBXID: "3", Profile: directory.Supervisor,
			Supervisor: "UserA", SupervisorName: "First Last", OrgUnit: "A / B / C", Roles: []string{"Agent", "Lead"}, AccessRole: "All", CRMName: "Siebel", GreetingTemplate: "Hello",
			ChannelCounts: counts, Features: features, Status: directory.Active,
			ChangedBy: "system", ChangedAt: time.UnixMicro(1).UTC(), BatchID: 7, Version: 1}
		if diff := cmp.Diff(want, all[2]); diff != "" {
			t.Error(diff)
		}
	})
}
