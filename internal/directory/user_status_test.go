package directory_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

func people(o *office) int64 {
	o.Helper()
	n, err := directory.People(o.Context(), o.d.DB.Read())
	if err != nil {
		o.Fatal(err)
	}
	return n
}

func TestDeactivateAndReactivate(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		h, id := system(o.d), o.ids["ann"]
		if err := h.DeactivateUser(o.Context(), id, 1, " ", true); fault.KindOf(err) != fault.Invalid {
			o.Error(err)
		}
		if err := h.DeactivateUser(o.Context(), id, 7, "left", true); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "system changed ann") {
			o.Error(err)
		}
		before := people(o)
		if err := h.DeactivateUser(o.Context(), id, 1, "left", true); err != nil {
			o.Fatal(err)
		}
		u := o.user("ann")
		if u.Status != directory.Inactive || u.PBXID != "" || u.Version != 2 || people(o) <= before {
			o.Errorf("%+v", u)
		}
		if a := o.lastAudit(); a.Action != "deactivate" || a.Reason != "left" || a.Before != `{"pbx_id":"3","status":"active"}` || a.After != `{"pbx_id":"","status":"inactive"}` {
			o.Errorf("%+v", a)
		}
		if err := h.DeactivateUser(o.Context(), id, 2, "left", false); fault.KindOf(err) != fault.Conflict {
			o.Error(err)
		}
		// The PBX ID can be given to somebody else, and is then not to be had back.
		o.add("new", "3", "Agent", "lead", "UAE / Retail / Team 1", "Agent")
		for pbx, want := range map[string]string{"": "pbx_id.missing", "3": "pbx_id.taken", "x": "pbx_id.not_a_number"} {
			if problems, err := h.ReactivateUser(o.Context(), id, 2, pbx); err != nil || errorCodes(problems) != want {
				o.Errorf("%q: %v, %v", pbx, problems, err)
			}
		}
		if problems, err := h.ReactivateUser(o.Context(), id, 2, "33"); err != nil || problems != nil {
			o.Fatal(problems, err)
		}
		if u := o.user("ann"); u.Status != directory.Active || u.PBXID != "33" || u.Version != 3 {
			o.Errorf("%+v", u)
		}
		if _, err := h.ReactivateUser(o.Context(), id, 3, ""); fault.KindOf(err) != fault.Conflict {
			o.Error(err)
		}
		// Who keeps the PBX ID has it back.
		if err := h.DeactivateUser(o.Context(), id, 3, "away", false); err != nil {
			o.Fatal(err)
		}
		if problems, err := h.ReactivateUser(o.Context(), id, 4, ""); err != nil || problems != nil || o.user("ann").PBXID != "33" {
			o.Error(problems, err)
		}
	})
}

func TestDeleteUser(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		h := system(o.d)
		if err := h.DeleteUser(o.Context(), o.ids["lead"], 1, ""); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "2 users report to lead") {
			o.Error(err)
		}
		in := o.user("ann").Input()
		in.ChannelCounts["Voice"], in.Features["CRM Enabled"] = "0", "yes"
		if _, err := h.EditUser(o.Context(), o.ids["ann"], 1, in, ""); err != nil {
			o.Fatal(err)
		}
		letIn(o.T, o.d, o.ids["ann"])
		if err := h.DeleteUser(o.Context(), o.ids["ann"], 1, ""); fault.KindOf(err) != fault.Conflict {
			o.Error(err)
		}
		before := people(o)
		if err := h.DeleteUser(o.Context(), o.ids["ann"], 2, "gone"); err != nil {
			o.Fatal(err)
		}
		for _, table := range []string{"user_roles", "user_channels", "user_features", "credentials"} {
			if n := o.count("SELECT count(*) FROM "+table+" WHERE user_id = $1", o.ids["ann"]); n != 0 {
				o.Errorf("%d in %s", n, table)
			}
		}
		if a := o.lastAudit(); a.Action != "delete" || a.Name != "ann" || a.After != "" || a.Reason != "gone" || !strings.Contains(a.Before, `"first_name":"First ann"`) || people(o) <= before {
			o.Errorf("%+v", a)
		}
		if _, err := h.User(o.Context(), o.ids["ann"]); fault.KindOf(err) != fault.NotFound {
			o.Error(err)
		}
		if err := h.DeleteUser(o.Context(), o.ids["ann"], 2, ""); fault.KindOf(err) != fault.NotFound {
			o.Error(err)
		}
	})
}

func TestMoveReports(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		for i := range 230 {
			o.add(fmt.Sprint("agent", i), fmt.Sprint(1000+i), "Agent", "lead", "UAE / Retail / Team 1", "Agent")
		}
		// One of those who report to lead, and who is to follow them.
		o.add("next", "8", "Supervisor", "lead", "UAE / Retail", "Agent")
		o.add("below", "88", "Supervisor", "next", "UAE / Retail", "Agent")
		h := o.as(nil, "UAE / Retail / Team 1", "UAE / Retail")
		for to, want := range map[string]string{"": "enter", "nobody": "no user", "ann": "is an agent", "LEAD": "already"} {
			if _, _, err := h.MoveReports(o.Context(), o.ids["lead"], to); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), want) {
				o.Errorf("%q: %v", to, err)
			}
		}
		// Not below's own supervisor, who is one of them.
		entries := o.count("SELECT count(*) FROM audit")
		moved, left, err := o.as(nil, "UAE / Retail").MoveReports(o.Context(), o.ids["lead"], "BELOW")
		if err != nil || moved != 232 || left != 1 || o.user("next").Supervisor != "lead" || o.user("bob").Supervisor != "below" {
			o.Error(moved, left, err)
		}
		if n := o.count("SELECT count(*) FROM audit WHERE subject_version = 2"); n != 232 || o.count("SELECT count(*) FROM audit") != entries+232 || o.user("ann").Version != 2 {
			o.Errorf("%d entries", n)
		}
		if a := o.lastAudit(); a.Before != `{"supervisor":"lead"}` || a.After != `{"supervisor":"below"}` {
			o.Errorf("%+v", a)
		}
		// Who is out of scope stays.
		moved, left, err = o.as(nil, "UAE / Retail / Team 1", "UAE / Loans").MoveReports(o.Context(), o.ids["below"], "boss")
		if fault.KindOf(err) != fault.NotFound || moved+left != 0 {
			o.Error(moved, left, err)
		}
		execute(o.T, o.d, "UPDATE users SET org_unit_id = (SELECT id FROM org_units WHERE full_name = 'UAE / Loans / Team 1') WHERE lan_id IN ('below', 'bob')")
		if moved, left, err = o.as(nil, "UAE / Loans").MoveReports(o.Context(), o.ids["below"], "boss"); err != nil || moved != 1 || left != 231 || o.user("bob").Supervisor != "boss" {
			o.Error(moved, left, err)
		}
		if users, total, err := o.as(nil, "UAE / Loans").Reports(o.Context(), o.ids["below"], "", 10); err != nil || total != 0 || len(users) != 0 {
			o.Error(users, total, err)
		}
		if users, total, err := system(o.d).Reports(o.Context(), o.ids["below"], "AGENT1", 10); err != nil || total != 231 || len(users) != 10 || users[0].LANID != "agent10" {
			o.Error(users, total, err)
		}
	})
}

// No edit, deactivation or deletion takes the last administrator, and no two at once take the last two.
func TestLastAdministratorByHand(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		make := func(lanID string) {
			o.Helper()
			id, err := createAdministrator(o.Context(), system(o.d), o.d, directory.Applicant{LANID: lanID, FirstName: "A", LastName: "B"})
			if err != nil {
				o.Fatal(err)
			}
			o.ids[lanID] = id
			letIn(o.T, o.d, id)
		}
		make("root")
		edit := func(set func(*directory.UserInput)) func(string) error {
			return func(who string) error {
				u := o.user(who)
				in := u.Input()
				set(&in)
				e, err := system(o.d).EditUser(o.Context(), u.ID, u.Version, in, "")
				if err == nil && errorCodes(e.Problems) != "" {
					o.Errorf("%s: %v", who, e.Problems)
				}
				return err
			}
		}
		ways := map[string]func(string) error{
			"role":        edit(func(in *directory.UserInput) { in.Roles = []string{"Team Lead"} }),
			"access role": edit(func(in *directory.UserInput) { in.AccessRole = "Retail" }),
			"nowhere":     edit(func(in *directory.UserInput) { in.AccessRole = "" }),
			"deactivate": func(who string) error {
				return system(o.d).DeactivateUser(o.Context(), o.ids[who], o.user(who).Version, "left", false)
			},
			"delete": func(who string) error {
				return system(o.d).DeleteUser(o.Context(), o.ids[who], o.user(who).Version, "")
			},
		}
		for name, way := range ways {
			before, entries := o.user("root"), o.count("SELECT count(*) FROM audit")
			if err := way("root"); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "nobody would be left") {
				o.Errorf("%s: %v", name, err)
			}
			if o.user("root").Version != before.Version || o.count("SELECT count(*) FROM audit") != entries {
				o.Errorf("%s: something was changed", name)
			}
		}
		for i, pair := range [][2]string{{"role", "role"}, {"deactivate", "delete"}, {"access role", "deactivate"}, {"delete", "delete"}, {"nowhere", "role"}} {
			second := "second" + string(rune('a'+i))
			make(second)
			var wg sync.WaitGroup
			errs := [2]error{}
			for j, who := range []string{"root", second} {
				wg.Go(func() { errs[j] = ways[pair[j]](who) })
			}
			wg.Wait()
			there, err := o.d.HasAdministrator(o.Context(), o.d.DB.Read())
			if err != nil || !there || (errs[0] == nil) == (errs[1] == nil) {
				o.Errorf("%v at once: %v, %v", pair, errs, err)
			}
			make("root" + string(rune('a'+i)))
			execute(o.T, o.d, "DELETE FROM credentials WHERE user_id <> $1", o.ids["root"+string(rune('a'+i))])
			o.ids["root"] = o.ids["root"+string(rune('a'+i))]
		}
	})
}

// Whoever acts in part of the organisation meets nobody else, and nobody acts without the right.
func TestOneUserInScope(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		id := o.ids["ann"]
		calls := map[string]func(h *directory.Handle) error{
			"users:access User":        func(h *directory.Handle) error { _, err := h.User(o.Context(), id); return err },
			"users:access UserByLANID": func(h *directory.Handle) error { _, err := h.UserByLANID(o.Context(), "ann"); return err },
			"users:access UserRights":  func(h *directory.Handle) error { _, err := h.UserRights(o.Context(), id); return err },
			"users:access UserHistory": func(h *directory.Handle) error { _, err := h.UserHistory(o.Context(), id, 0, 9); return err },
			"users:access Reports":     func(h *directory.Handle) error { _, _, err := h.Reports(o.Context(), id, "", 9); return err },
			"users:edit CheckUser": func(h *directory.Handle) error {
				_, err := h.CheckUser(o.Context(), id, directory.UserInput{})
				return err
			},
			"users:edit EditUser": func(h *directory.Handle) error {
				_, err := h.EditUser(o.Context(), id, 1, directory.UserInput{}, "")
				return err
			},
			"users:edit DeactivateUser": func(h *directory.Handle) error { return h.DeactivateUser(o.Context(), id, 1, "x", true) },
			"users:edit ReactivateUser": func(h *directory.Handle) error { _, err := h.ReactivateUser(o.Context(), id, 1, ""); return err },
			"users:delete DeleteUser":   func(h *directory.Handle) error { return h.DeleteUser(o.Context(), id, 1, "") },
			"users:edit MoveReports":    func(h *directory.Handle) error { _, _, err := h.MoveReports(o.Context(), id, "boss"); return err },
		}
		before := o.count("SELECT sum(version) + count(*) FROM users")
		for name, call := range calls {
			right, _, _ := strings.Cut(name, " ")
			if err := call(o.as(nil, "UAE / Loans")); fault.KindOf(err) != fault.NotFound {
				o.Errorf("%s out of scope: %v", name, err)
			}
			without := []directory.Right{}
			for _, r := range directory.AllRights() {
				if string(r) != right {
					without = append(without, r)
				}
			}
			if err := call(o.as(without)); fault.KindOf(err) != fault.Forbidden || !strings.Contains(err.Error(), right) {
				o.Errorf("%s without %s: %v", name, right, err)
			}
			if err := call(o.d.As(directory.Actor{})); fault.KindOf(err) != fault.Forbidden {
				o.Errorf("%s by nobody: %v", name, err)
			}
		}
		if o.count("SELECT sum(version) + count(*) FROM users") != before {
			o.Error("something was changed")
		}
	})
}

// Sign-ins are only in the history for who may read the audit.
func TestHistoryOfOneUser(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		err := o.d.DB.Tx(o.Context(), func(tx *sqldb.Tx) error {
			return directory.WriteAudit(o.Context(), tx, directory.AuditEntry{Action: "sign-in", Subject: "user", Name: "ann", SubjectID: o.ids["ann"], After: `{"address":"192.0.2.1"}`})
		})
		if err != nil {
			o.Fatal(err)
		}
		for rights, want := range map[directory.Right]string{"audit:access": "sign-in create", "audit:edit": "create"} {
			all, err := o.as([]directory.Right{"users:access", rights}).UserHistory(o.Context(), o.ids["ann"], 0, 9)
			var actions []string
			for _, e := range all {
				actions = append(actions, e.Action)
			}
			if got := strings.Join(actions, " "); err != nil || got != want {
				o.Errorf("%s: %q, %v", rights, got, err)
			}
		}
	})
}

// So are the batches that inserted or changed the user, and no others.
func TestBatchesInTheHistory(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		for i, batch := range []int64{1, 2, 3} {
			execute(o.T, o.d, "INSERT INTO batches (id, action, state, owner, source, options, created_at) VALUES ($1, 'x', 'done', 'o', 's', '{}', 1)", batch)
			err := o.d.DB.Tx(o.Context(), func(tx *sqldb.Tx) error {
				return directory.WriteAudit(o.Context(), tx, directory.AuditEntry{Action: fmt.Sprint("bulk", i), Subject: "batch", Name: fmt.Sprint(batch), BatchID: batch})
			})
			if err != nil {
				o.Fatal(err)
			}
		}
		execute(o.T, o.d, "UPDATE users SET batch_id = 1 WHERE lan_id = 'ann'")
		execute(o.T, o.d, "INSERT INTO user_changes (batch_id, user_id, what, before, after, version) VALUES (3, $1, 'role', 0, 1, 2)", o.ids["ann"])
		var actions []string
		for before := int64(0); ; {
			page, err := system(o.d).UserHistory(o.Context(), o.ids["ann"], before, 1)
			if err != nil {
				o.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			before = page[0].ID
			actions = append(actions, page[0].Action)
		}
		if got := strings.Join(actions, " "); got != "bulk2 bulk0 create" {
			o.Error(got)
		}
	})
}
