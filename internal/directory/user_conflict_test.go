package directory_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/directory"
	"muster/internal/fault"
)

// Two people edit one user: the second is told what the first changed, and loses nothing.
func TestConflict(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		id := o.ids["ann"]
		mine, theirs := o.user("ann").Input(), o.user("ann").Input()
		theirs.FirstName, theirs.Roles, theirs.CRMName = "Anna", []string{"Team Lead", "Agent"}, "Siebel"
		theirs.ChannelCounts["Chat"], theirs.Features["Manual In"] = "4", "Manual In"
		other := o.d.As(directory.Person("other", "test", directory.AllRights(), directory.Everywhere()))
		if e, err := other.EditUser(o.Context(), id, 1, theirs, ""); err != nil || e.Conflict != nil || e.User.Version != 2 {
			o.Fatal(e, err)
		}
		theirs.LastName = "Lee"
		if e, err := other.EditUser(o.Context(), id, 2, theirs, ""); err != nil || e.User.Version != 3 {
			o.Fatal(e, err)
		}
		mine.FirstName, mine.PBXID, mine.LastName, mine.ChannelCounts["Chat"] = "Annie", "33", "Lee", ""
		e, err := system(o.d).EditUser(o.Context(), id, 1, mine, "")
		if err != nil || e.Conflict == nil {
			o.Fatal(e, err)
		}
		want := []directory.FieldConflict{
			{Field: "first_name", Before: "First ann", Now: "Anna", Yours: "Annie"},
			{Field: "last_name", Before: "Last", Now: "Lee", Yours: "Lee", Same: true},
			{Field: "roles", Before: "Agent", Now: "Agent, Team Lead", Yours: "Agent"},
			{Field: "crm_name", Before: "", Now: "Siebel", Yours: ""},
			{Field: "channel_counts.Chat", Before: "2", Now: "4", Yours: "2"},
			{Field: "features.Manual In", Before: "Auto In", Now: "Manual In", Yours: "Auto In"},
		}
		c := e.Conflict
		if diff := cmp.Diff(want, c.Fields); diff != "" || c.By != "other" || c.Now.Version != 3 || c.Now.FirstName != "Anna" {
			o.Errorf("%+v\n%s", c, diff)
		}
		if o.user("ann").PBXID != "3" {
			o.Error("it was written")
		}
		e, err = system(o.d).EditUser(o.Context(), id, c.Now.Version, c.Merged, "")
		u := e.User
		if err != nil || u.FirstName != "Annie" || u.LastName != "Lee" || u.PBXID != "33" || u.CRMName != "Siebel" || strings.Join(u.Roles, ",") != "Agent,Team Lead" ||
			u.ChannelCounts["Chat"] != 4 || u.Features["Manual In"] != "Manual In" || u.Version != 4 {
			o.Errorf("merged: %+v, %v", e, err)
		}
		// A bulk action says in its journal only what it did.
		execute(o.T, o.d, "UPDATE users SET version = version + 1, crm_name_id = NULL WHERE id = $1", id)
		in := u.Input()
		in.FirstName = "Ann"
		e, err = system(o.d).EditUser(o.Context(), id, 4, in, "")
		if err != nil || e.Conflict == nil {
			o.Fatal(e, err)
		}
		want = []directory.FieldConflict{{Field: "first_name", Now: "Annie", Yours: "Ann", Unknown: true}, {Field: "crm_name", Yours: "Siebel", Unknown: true}}
		if diff := cmp.Diff(want, e.Conflict.Fields); diff != "" || e.Conflict.Merged.FirstName != "Ann" {
			o.Error(diff)
		}
		// Somebody was deactivated meanwhile.
		v := o.user("ann").Version
		if err := system(o.d).DeactivateUser(o.Context(), id, v, "left", true); err != nil {
			o.Fatal(err)
		}
		e, err = system(o.d).EditUser(o.Context(), id, v, o.user("ann").Input(), "")
		want = []directory.FieldConflict{{Field: "pbx_id", Before: "33", Now: "", Yours: "", Same: true}, {Field: "status", Before: "active", Now: "inactive", Yours: "inactive", Same: true}}
		if err != nil || e.Conflict == nil {
			o.Fatal(e, err)
		}
		if diff := cmp.Diff(want, e.Conflict.Fields); diff != "" {
			o.Error(diff)
		}
	})
}

// An edit that changes nothing writes nothing; one of everything is one entry with all of it.
func TestEditUser(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		entries := o.count("SELECT count(*) FROM audit")
		before := o.user("ann")
		e, err := system(o.d).EditUser(o.Context(), o.ids["ann"], 1, before.Input(), "")
		if diff := cmp.Diff(before, e.User); err != nil || diff != "" || o.count("SELECT count(*) FROM audit") != entries {
			o.Error(err, diff)
		}
		in := before.Input()
		in.LANID, in.AgentID, in.FirstName, in.LastName, in.PBXID, in.Profile, in.Supervisor, in.OrgUnit = "anna", "", "A", "B", "7", "supervisor", "boss", "UAE / Loans"
		in.Roles, in.AccessRole, in.CRMName, in.GreetingTemplate, in.Email = []string{"Team Lead"}, "Retail", "Salesforce", "Standard", "a@b.cd"
		in.ChannelCounts["Voice"], in.Features["CRM Enabled"] = "0", "1"
		e, err = system(o.d).EditUser(o.Context(), o.ids["ann"], 1, in, "because")
		if err != nil || errorCodes(e.Problems) != "" || e.User.Version != 2 || e.User.LANID != "anna" || e.User.AgentID != "anna" {
			o.Fatal(e, err)
		}
		a := o.lastAudit()
		const was = `{"access_role":"","agent_id":"ann","channel_counts.Voice":null,"crm_name":"","email":"","features.CRM Enabled":null,"first_name":"First ann","greeting_template":"","lan_id":"ann","last_name":"Last","org_unit":"UAE / Retail / Team 1","pbx_id":"3","profile":"Agent","roles":["Agent"],"supervisor":"lead"}`
		const is = `{"access_role":"Retail","agent_id":"anna","channel_counts.Voice":0,"crm_name":"Salesforce","email":"a@b.cd","features.CRM Enabled":"yes","first_name":"A","greeting_template":"Standard","lan_id":"anna","last_name":"B","org_unit":"UAE / Loans","pbx_id":"7","profile":"Supervisor","roles":["Team Lead"],"supervisor":"boss"}`
		if a.Before != was || a.After != is || a.Reason != "because" || a.Name != "anna" || o.count("SELECT count(*) FROM audit") != entries+1 {
			o.Errorf("%+v", a)
		}
		// Found under the new name, not the old one; the history has both.
		if _, err := system(o.d).UserByLANID(o.Context(), "ann"); fault.KindOf(err) != fault.NotFound {
			o.Error(err)
		}
		h, err := system(o.d).UserHistory(o.Context(), o.ids["ann"], 0, 10)
		if err != nil || len(h) != 2 || h[0].Name != "anna" || h[1].Name != "ann" || h[1].Action != "create" || h[0].SubjectVersion != 2 {
			o.Error(h, err)
		}
		if h, err = system(o.d).UserHistory(o.Context(), o.ids["ann"], h[0].ID, 10); err != nil || len(h) != 1 || h[0].Action != "create" {
			o.Error(h, err)
		}
		// And back to the defaults.
		in = e.User.Input()
		in.AccessRole, in.CRMName, in.GreetingTemplate, in.Email, in.ChannelCounts, in.Features = "", "", "", "", nil, nil
		e, err = system(o.d).EditUser(o.Context(), o.ids["ann"], 2, in, "")
		if err != nil || e.User.AccessRole != "" || e.User.ChannelCounts["Voice"] != 1 || o.count("SELECT (SELECT count(*) FROM user_channels) + (SELECT count(*) FROM user_features)") != 0 {
			o.Error(e, err)
		}
	})
}

// Each of two counts on the other to stay.
func TestTwoEditsAtOnce(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		o.add("one", "11", "Supervisor", "", "UAE", "Agent")
		o.add("two", "12", "Supervisor", "", "UAE", "Agent")
		at := func(do ...func() error) (won int) {
			var wg sync.WaitGroup
			errs := make([]error, len(do))
			for i, fn := range do {
				wg.Go(func() { errs[i] = fn() })
			}
			wg.Wait()
			for _, err := range errs {
				if err == nil {
					won++
				}
			}
			return won
		}
		edit := func(who string, set func(*directory.UserInput)) func() error {
			u := o.user(who)
			in := u.Input()
			set(&in)
			return func() error {
				e, err := system(o.d).EditUser(o.Context(), u.ID, u.Version, in, "")
				switch {
				case err != nil:
					return err
				case errorCodes(e.Problems) != "":
					return fault.New(fault.Invalid, "%s", errorCodes(e.Problems))
				case e.Conflict != nil:
					return fault.New(fault.Conflict, "conflict")
				}
				return nil
			}
		}
		supervisor := func(s string) func(*directory.UserInput) {
			return func(in *directory.UserInput) { in.Supervisor = s }
		}
		if won := at(edit("one", supervisor("two")), edit("two", supervisor("one"))); won != 1 {
			o.Errorf("%d made a ring", won)
		}
		if won := at(edit("ann", func(in *directory.UserInput) { in.PBXID = "77" }), edit("bob", func(in *directory.UserInput) { in.PBXID = "77" })); won != 1 {
			o.Errorf("%d have the PBX ID", won)
		}
		if won := at(edit("ann", func(in *directory.UserInput) { in.FirstName = "x" }), edit("ann", func(in *directory.UserInput) { in.LastName = "y" })); won != 1 {
			o.Errorf("%d saved the same version", won)
		}
	})
}
