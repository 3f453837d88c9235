package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"muster/internal/directory"
)

const hostile = `<script>alert("x")</script>`

// hostileForm has it in every field.
func hostileForm() url.Values {
	form := url.Values{"version": {hostile}, "step": {hostile}, "touched": {hostile + " lan_id first_name role supervisor org_unit"}, "reason": {hostile}, "channel-1": {hostile}, "feature-1": {hostile}, "role": {hostile}, "take-lan_id": {hostile}}
	for _, name := range []string{"lan_id", "first_name", "last_name", "agent_id", "pbx_id", "email", "profile", "supervisor", "org_unit", "crm_name", "greeting_template", "access_role"} {
		form.Set(name, hostile)
	}
	return form
}

// Whatever is typed is shown as text, where it is refused and where it is taken.
func TestUserPagesEscape(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	_, err := w.Directory.As(directory.System("test")).ApplyConfiguration(t.Context(), directory.Configuration{
		OrgUnits: []directory.OrgUnit{{FullName: "UAE / " + hostile}},
		Roles:    []directory.Role{{Name: hostile, Rights: rightsOf("users:access"), Rules: []directory.Rule{{Rule: "usb-storage", Action: "warn"}}}},
		CRMNames: []directory.Named{{Name: hostile}}, GreetingTemplates: []directory.GreetingTemplate{{Name: hostile, Text: hostile}},
		Channels: []directory.Channel{{Name: hostile, Default: 1, Highest: 3}}, Features: []directory.Feature{{Name: hostile + "2", Kind: "list", Values: []string{hostile, "b"}, Default: "b"}},
		AccessRoles: []directory.AccessRole{{Name: hostile, Scope: "units", Units: []string{"UAE / " + hostile}}},
	}, directory.ApplyOptions{})
	w.must(err)
	token := w.person("All", "users:access users:add users:edit users:delete audit:access audit:edit")
	escaped := func(what string, a asked, want int) string {
		t.Helper()
		a.token = token
		r := w.ask(a)
		body := r.Body.String()
		if r.Code != want || strings.Contains(body, "<script>alert") {
			t.Errorf("%s: %d %.200s", what, r.Code, body)
		}
		if len(body) > 0 && !strings.Contains(body, "&lt;script&gt;alert") {
			t.Errorf("%s does not show it at all", what)
		}
		return r.Header().Get("Location")
	}
	for _, path := range []string{"/users/new", siteSubjectPath + "/edit"} {
		want := http.StatusUnprocessableEntity
		if path != "/users/new" {
			want = http.StatusConflict // the version is none
		}
		escaped("POST "+path, asked{method: "POST", path: path, form: hostileForm()}, want)
		escaped("POST "+path+" by htmx", asked{method: "POST", path: path, form: hostileForm(), header: []string{"HX-Request", "true", "HX-Target", "user-form"}}, want)
		escaped("check of "+path, asked{method: "POST", path: strings.TrimSuffix(path, "/edit") + "/check", form: hostileForm()}, http.StatusOK)
	}
	for _, action := range []string{"deactivate", "reactivate", "delete"} {
		escaped(action, asked{method: "POST", path: siteSubjectPath + "/" + action, form: url.Values{"reason": {hostile}, "version": {"77"}, "pbx_id": {hostile}, "supervisor": {hostile}}}, http.StatusConflict)
	}
	escaped("erase", asked{method: "POST", path: "/users/deleted/erase", form: url.Values{"lan_id": {hostile}, "again": {hostile}}}, http.StatusNotFound)

	good := url.Values{"lan_id": {"evil1"}, "first_name": {hostile}, "last_name": {hostile}, "pbx_id": {"77001"}, "profile": {"Supervisor"}, "org_unit": {"UAE / " + hostile},
		"role": {hostile}, "access_role": {hostile}, "crm_name": {hostile}, "greeting_template": {hostile}}
	page, _, _ := strings.Cut(escaped("add", asked{method: "POST", path: "/users/new", form: good}, http.StatusSeeOther), "?")
	for _, path := range []string{page, page + "/edit", page + "/deactivate", page + "/reactivate", page + "/delete", page + "/history", "/users", "/users/suggest?org_unit=script", "/users/suggest?supervisor=evil1"} {
		escaped(path, asked{method: "GET", path: path}, http.StatusOK)
	}
	good.Set("version", "1")
	good.Set("first_name", hostile+"2")
	good.Set("reason", hostile)
	escaped("edit", asked{method: "POST", path: page + "/edit", form: good}, http.StatusSeeOther)
	escaped("history", asked{method: "GET", path: page + "/history"}, http.StatusOK)
	escaped("delete", asked{method: "POST", path: page + "/delete", form: url.Values{"version": {"2"}, "reason": {hostile}}}, http.StatusSeeOther)
	escaped("deleted", asked{method: "GET", path: "/users/deleted?lan_id=evil1"}, http.StatusOK)
}

// Without a script, all of a conflict is decided by the form alone.
func TestUserConflictWithoutScript(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	token := w.person("All", "users:access users:edit users:add")
	form := url.Values{"lan_id": {"msmith2"}, "first_name": {"Mary"}, "last_name": {"Smith"}, "pbx_id": {"77001"}, "profile": {"Supervisor"}, "org_unit": {"Cards"}, "role": {"Agent"}}
	post := func(path string, want int) string {
		t.Helper()
		r := w.ask(asked{method: "POST", path: path, token: token, form: form})
		if r.Code != want {
			t.Fatalf("POST %s: %d %.300s", path, r.Code, r.Body)
		}
		page, _, _ := strings.Cut(r.Header().Get("Location"), "?")
		if page == "" {
			return r.Body.String()
		}
		return page
	}
	page := post("/users/new", http.StatusSeeOther)
	with := func(name, value string) { form.Set(name, value) }
	with("version", "1")
	with("first_name", "Maria")
	with("last_name", "Jones")
	post(page+"/edit", http.StatusSeeOther)
	with("first_name", "Mary")
	with("last_name", "Miller")
	with("email", "m@example.com")
	body := post(page+"/edit", http.StatusConflict)
	for _, want := range []string{`name="version" value="2"`, `value="Maria"`, `value="Miller"`, `name="take-last_name"`, `value="m@example.com"`, "You had not changed it"} {
		if !strings.Contains(body, want) {
			t.Errorf("the conflict has no %s", want)
		}
	}
	with("version", "2")
	with("first_name", "Maria")
	with("take-last_name", "now")
	post(page+"/edit", http.StatusSeeOther)
	u, err := w.Directory.As(directory.System("test")).UserByLANID(t.Context(), "msmith2")
	w.must(err)
	if u.FirstName != "Maria" || u.LastName != "Jones" || u.Email != "m@example.com" || u.Version != 3 {
		t.Errorf("%+v", u)
	}
}

func TestChangesOf(t *testing.T) {
	t.Parallel()
	all := changesOf(directory.AuditEntry{
		Before: `{"status":"active","roles":["A","B"],"channel_counts.Voice":2,"features.Manual In":null,"lan_id":"same"}`,
		After:  `{"status":"inactive","roles":[],"channel_counts.Voice":null,"features.Manual In":"Auto In","lan_id":"same"}`,
	})
	want := []pastChange{{"Roles", "A; B", ""}, {"Status", "active", "inactive"}, {"Manual In", "as usual", "Auto In"}, {"Voice", "2", "as usual"}}
	if len(all) != len(want) {
		t.Fatalf("%+v", all)
	}
	for i := range want {
		if all[i] != want[i] {
			t.Errorf("%+v, want %+v", all[i], want[i])
		}
	}
	if all := changesOf(directory.AuditEntry{After: "no JSON"}); len(all) != 1 || all[0].After != "no JSON" {
		t.Errorf("%+v", all)
	}
}
