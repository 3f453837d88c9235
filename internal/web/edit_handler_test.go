package web

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"muster/internal/auth"
	"muster/internal/directory"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
	"muster/internal/useredit"
)

// askedFor are the headers of htmx where it asks for what goes into a target.
func askedFor(target string) []string {
	return []string{"HX-Request", "true", "HX-Target", target}
}

// form sends a form as htmx does.
func (c *console) form(path, target string, form url.Values) reply {
	c.t.Helper()
	return c.send(http.MethodPost, path, strings.NewReader(form.Encode()), append(askedFor(target), "Content-Type", "application/x-www-form-urlencoded")...)
}

// idOf is the id of what has a name, from a table of the database.
func (c *console) idOf(table, name string) string {
	c.t.Helper()
	column := map[string]string{"roles": "name", "org_units": "full_name", "users": "lan_id"}[table]
	id, found, err := sqldb.One[int64](c.t.Context(), c.Engine.DB.Read(), "SELECT id FROM "+table+" WHERE "+column+" = $1", name)
	if err != nil || !found {
		c.t.Fatalf("%s %q: %v", table, name, err)
	}
	return fmt.Sprint(id)
}

var editForm = regexp.MustCompile(`action="(/edits/[^"]+)"`)

// opened opens the window of an edit, and returns it and its path.
func (c *console) opened(address string) (body, path string) {
	c.t.Helper()
	r := c.form(address, "dialog", nil)
	m := editForm.FindStringSubmatch(r.body)
	if r.StatusCode != http.StatusOK || m == nil {
		c.t.Fatalf("POST %s: %d %.600s", address, r.StatusCode, r.body)
	}
	return r.body, m[1]
}

// A role is assigned from the window over its consequences to the result and the undo.
func TestEditPages(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		c := startConsole(t, cfg)
		coach := c.idOf("roles", "Quality Coach")
		for address, status := range map[string]int{
			"/edits/assign-role": http.StatusUnprocessableEntity, "/edits/shave-heads?selected=all": http.StatusNotFound,
			"/edits/assign-role?selected=none": http.StatusUnprocessableEntity, "/edits/assign-role?selected=999999999": http.StatusNotFound,
			"/edits/assign-role?from_batch=99&outcome=inserted": http.StatusNotFound, "/edits/assign-role?from_batch=x": http.StatusNotFound,
		} {
			if r := c.form(address, "dialog", nil); r.StatusCode != status || r.Header.Get("HX-Retarget") != "#notices" {
				t.Errorf("%s: %d, want %d, %.200s", address, r.StatusCode, status, r.body)
			}
		}

		body, path := c.opened("/edits/assign-role?profile.eq=Agent&selected=all&sort=-last_name")
		wants(t, "the window", body, "users that match", "Quality Coach", "Remove existing role", "Set exactly these", "Choose one or more roles", "None is chosen yet.")
		effects := c.form(path+"/effects", "edit-effects", url.Values{"role": {coach}}).body
		wants(t, "the consequences", effects, `data-count="changes"`, "Rights and rules that come", "Audit: access", "gain it")
		if strings.Contains(effects, "<form") {
			t.Error("the consequences are the whole window")
		}
		wants(t, "the consequences of a contradiction", c.form(path+"/effects", "edit-effects", url.Values{"role": {coach}, "remove": {"yes"}, "exactly": {"yes"}}).body, "exclude each other")
		wants(t, "the window as a page", c.get(path), "<html", "users that match", "Apply")

		// What was chosen survives an error.
		r := c.form(path, "dialog", url.Values{"role": {coach}, "remove": {"yes"}, "exactly": {"yes"}})
		if r.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("a contradiction: %d", r.StatusCode)
		}
		wants(t, "the window, refused", r.body, "Nothing was changed", "exclude each other", "Chosen: Quality Coach", `value="`+coach+`" checked`)
		if r := c.form(path, "dialog", nil); r.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(r.body, "No role is chosen") {
			t.Errorf("nothing chosen: %d %.300s", r.StatusCode, r.body)
		}

		r = c.form(path, "dialog", url.Values{"role": {coach}, "preview": {"yes"}})
		to := r.Header.Get("HX-Redirect")
		if to != "/batches/2" {
			t.Fatalf("the preview is at %q: %d %.300s", to, r.StatusCode, r.body)
		}
		wants(t, "before it is checked", c.get(to), "Assign Quality Coach to all", "steps-line")
		b := c.run(2)
		wants(t, "the preview", c.get(to), "Gain a role", "Left out", "Nothing has changed yet", "will get Quality Coach.", "Roles now", "Roles afterwards")
		if err := c.Engine.Apply(t.Context(), directory.System("test"), b.ID, b.Guard.Users); err != nil {
			t.Fatal(err)
		}
		b = c.run(2)
		wants(t, "the result", c.get(to), "Gained a role", "Taken", "Given", "Undo this", number(b.Counts.Updated))
		next := c.get(to+"?show=updated", askedFor("result")...)
		if strings.Contains(next, "<html") || !strings.Contains(next, "Next users") {
			t.Errorf("the rows are no part of a page:\n%.400s", next)
		}
		wants(t, "the history", c.get("/batches"), "Assign role", "Assign Quality Coach to all", "changed</span>")
		wants(t, "the audit", c.get("/audit"), "Assign role")
		wants(t, "the question", c.get(to+"/undo", askedFor("dialog")...), "gives "+count(b.Counts.Updated, "user")+" back what they had before")
		if r := c.post(to + "/undo"); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("undo: %d %s", r.StatusCode, r.body)
		}
		c.run(2)
		wants(t, "what was undone", c.get(to), "got back what they had", "Undone")
	})
}

// The windows of the other edits, and what they say to a choice that is none.
func TestOtherEditWindows(t *testing.T) {
	t.Parallel()
	c := startConsole(t, sqldb.Config{Dir: t.TempDir()})
	agents := "?profile.eq=Agent&selected=all"
	body, path := c.opened("/edits/move-users" + agents)
	wants(t, "moving", body, "Find an org unit", "Choose an org unit")
	units := c.get(path+"/units?find=loans+team+1", askedFor("edit-units")...)
	wants(t, "units", units, "Loans Team 1")
	if strings.Contains(units, "Cards Team 1") || strings.Contains(units, "<form") {
		t.Errorf("units that do not fit: %.400s", units)
	}
	department := `value="` + c.idOf("org_units", "UAE / Retail / Cards") + `"`
	if units := c.get(path+"/units?find=cards", askedFor("edit-units")...); strings.Contains(units, department) || !strings.Contains(units, "Cards Team 1") {
		t.Errorf("agents are offered a unit that is no team: %.400s", units)
	}
	_, supervisors := c.opened("/edits/move-users?profile.eq=Supervisor&selected=all")
	wants(t, "units for supervisors", c.get(supervisors+"/units?find=cards", askedFor("edit-units")...), department)
	wants(t, "no unit", c.form(path, "dialog", nil).body, "No org unit is chosen")
	chosen := c.idOf("org_units", "UAE / Retail / Cards / Cards Team 1")
	wants(t, "the unit that is chosen stays in the list", c.get(path+"/units?find=loans+team+1&unit="+chosen, askedFor("edit-units")...), `value="`+chosen+`" checked`, "Loans Team 1")
	wants(t, "moving there", c.form(path+"/effects", "edit-effects", url.Values{"unit": {chosen}}).body, `data-count="changes"`)

	body, path = c.opened("/edits/set-status" + agents)
	wants(t, "the status", body, "Release their PBX IDs", "Choose a status")
	wants(t, "no status", c.form(path, "dialog", url.Values{"reason": {"because"}}).body, "No status is chosen", `value="because"`)
	wants(t, "no reason", c.form(path, "dialog", url.Values{"status": {"inactive"}}).body, "Nothing was changed", `value="inactive" checked`)

	body, path = c.opened("/edits/change-supervisor" + agents)
	wants(t, "the supervisor", body, "New supervisor", "No supervisor")
	wants(t, "no supervisor", c.form(path, "dialog", nil).body, "No supervisor is chosen")
	wants(t, "nobody of that name", c.form(path, "dialog", url.Values{"supervisor": {"no-such-one"}}).body, "Nothing was changed", `value="no-such-one"`)
	wants(t, "the consequences of nobody of that name", c.form(path+"/effects", "edit-effects", url.Values{"supervisor": {"no-such-one"}}).body, "This cannot be done")
}

// A set is its maker's alone, and what may not be given is greyed out and refused.
func TestEditPermission(t *testing.T) {
	t.Parallel()
	c := startConsole(t, sqldb.Config{Dir: t.TempDir()})
	_, path := c.opened("/edits/assign-role?profile.eq=Agent&selected=all")
	set := strings.Split(path, "/")[2]
	editor := directory.Person("x", "web", []directory.Right{"users:access", "users:edit"}, directory.Everywhere())
	at := func(do handler, set, form string) (string, error) {
		w, err := ask(t, c.Server, editor, func(v *visit) error {
			v.SetPathValue("set", set)
			v.SetPathValue("action", useredit.AssignRole)
			v.session = &auth.Session{LANID: "x", Name: "Some Body", Actor: editor}
			if form != "" {
				v.Method, v.Body = http.MethodPost, io.NopCloser(strings.NewReader(form))
				v.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			return do(v)
		}, "/edits/assign-role?profile.eq=Agent&selected=all", askedFor("dialog")...)
		return w.Body.String(), err
	}
	for name, do := range map[string]handler{"the window": c.editWindow, "its consequences": c.editEffects, "applying it": c.applyEdit} {
		if _, err := at(do, set, "role=1"); err == nil {
			t.Errorf("%s of somebody else is shown", name)
		}
	}
	body, err := at(c.openEdit, "", "")
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "the window of who holds little", body, "You may not give or take it")
	own := strings.Split(editForm.FindStringSubmatch(body)[1], "/")[2]
	body, err = at(c.applyEdit, own, "role="+c.idOf("roles", "Site Manager"))
	if err != nil || !strings.Contains(body, "Nothing was changed") {
		t.Errorf("a role that one may not give: %v %.300s", err, body)
	}
}

// LAN IDs come from a file or are typed.
func TestEditFromFile(t *testing.T) {
	t.Parallel()
	c := startConsole(t, sqldb.Config{Dir: t.TempDir()})
	send := func(file string, fields ...string) reply {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for i := 0; i < len(fields); i += 2 {
			if err := w.WriteField(fields[i], fields[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if file != "" {
			part, err := w.CreateFormFile("file", "leavers.csv")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := part.Write([]byte(file)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return c.send(http.MethodPost, "/edits/file", &b, append(askedFor("dialog"), "Content-Type", w.FormDataContentType())...)
	}
	wants(t, "the dialog", c.get("/edits/file", askedFor("dialog")...), "One LAN ID a line", "Change supervisor")
	wants(t, "nothing", send("", "action", useredit.SetStatus).body, "No file is selected", `value="set-status" checked`)
	wants(t, "nothing to do", send("", "lan_ids", "jsmith").body, "Nothing is chosen to be done", "jsmith")
	wants(t, "nobody", send("", "action", useredit.SetStatus, "lan_ids", "nobody9").body, "These users cannot be used", "nobody9")
	wants(t, "both", send("jsmith\n", "action", useredit.SetStatus, "lan_ids", "jsmith").body, "give one of the two")
	wants(t, "typed", send("", "action", useredit.AssignRole, "lan_ids", "jsmith, nobody9;nobody8").body, "2 LAN IDs belong to nobody", "nobody9", "Assign role")
	wants(t, "a file", send("LAN ID\nJSMITH\nnobody9\n", "action", useredit.MoveUsers).body, "1 user of leavers.csv", "1 LAN ID belongs to nobody", "Move to org unit")
}

// The menu knows what is selected.
func TestEditMenu(t *testing.T) {
	t.Parallel()
	c := startConsole(t, sqldb.Config{Dir: t.TempDir()})
	some := c.idOf("users", "jsmith")
	for address, want := range map[string]string{"/users": "Select users first", "/users?selected=" + some: "With 1 selected user<", "/users?q=jsmith&selected=all": "With all 2 that match"} {
		page := c.get(address)
		wants(t, address, page, want)
		if got := strings.Contains(page, `aria-describedby="edit-whom" disabled`); got != (address == "/users") {
			t.Errorf("%s: the actions are disabled: %v", address, got)
		}
	}
	wants(t, "an import's result", c.get("/batches/1"), "Assign them a role", "/edits/assign-role?from_batch=1&amp;outcome=inserted")
	body, _ := c.opened("/edits/assign-role?from_batch=1&outcome=inserted")
	wants(t, "the window from an import's result", body, "users inserted by batch 1")
}
