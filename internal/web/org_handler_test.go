package web

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/internal/directory"
)

const allOrg = "org-units:access org-units:add org-units:edit org-units:delete"

// With 10,000 units every page and part stays small, whatever is open.
func TestOrgPageOfManyUnits(t *testing.T) {
	if testing.Short() {
		t.Skip("how large pages are does not depend on the race detector")
	}
	t.Parallel()
	w := newSite(t)
	system := w.Directory.As(directory.System("test"))
	w.must(system.SetLevels(w.Context(), []string{"Country", "Department"}, []string{"Country", "Department", "Unit", "Team"}))
	var names []string
	for i := range 10_000 {
		names = append(names, fmt.Sprintf("Country %d / Division %d / Department %d / Service Team Number %d", i%4, i%40, i%400, i))
	}
	_, err := system.AddUnits(w.Context(), names)
	w.must(err)
	tree, err := system.OrgTree(w.Context())
	w.must(err)
	token := w.person("All", allOrg)
	open := (&orgRows{all: ids(tree)}).written()
	for path, most := range map[string]int{
		"/org": 20_000, "/org?q=team": 30_000, "/org?open=" + open: 100_000, fmt.Sprintf("/org/below?unit=%d", tree.Units[0].ID): 5_000, "/org?unit=" + fmt.Sprint(tree.Units[len(tree.Units)-1].ID): 20_000,
	} {
		began := time.Now()
		r := w.get(path, token)
		size := packed(t, r.Body.String())
		t.Logf("%.40s: %d bytes, %d packed, %v", path, r.Body.Len(), size, time.Since(began))
		if r.Code != http.StatusOK || size > most {
			t.Errorf("%.40s: %d, %d bytes packed, want %d at most", path, r.Code, size, most)
		}
	}
}

func ids(tree *directory.OrgTree) (all []int64) {
	for _, u := range tree.Units {
		all = append(all, u.ID)
	}
	return all
}

// What the address says is open is open, and what is above the selected unit; nothing else.
func TestOrgPageAddress(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	token := w.person("All", allOrg+" users:access")
	for path, want := range map[string]struct{ has, lacks string }{
		"/org":              {`id="u2"`, ""},
		"/org?open=":        {`id="u1"`, `id="u2"`},
		"/org?open=1":       {`id="u2"`, ""},
		"/org?open=&unit=3": {`id="u3"`, ""},
		"/org?open=zz.%00":  {`id="u1"`, `id="u2"`},
		"/org?q=loa":        {`org-hit`, `id="u2"`},
		"/org?q=nothing":    {`No unit is called that`, `id="u1"`},
		"/org?unit=abc":     {`/users?org_unit=UAE+%2F+Cards`, ""},
	} {
		r := w.get(path, token)
		if body := r.Body.String(); r.Code != http.StatusOK || !strings.Contains(body, want.has) || want.lacks != "" && strings.Contains(body, want.lacks) {
			t.Errorf("%s: %d, without %q or with %q", path, r.Code, want.has, want.lacks)
		}
	}
	if r := w.get("/org", token, "HX-Request", "true", "HX-Target", "org-part"); strings.Contains(r.Body.String(), "<html") || !strings.Contains(r.Body.String(), `id="org-part"`) {
		t.Errorf("a part: %.200s", r.Body)
	}
}

// Whoever may not do something is not offered it.
func TestOrgPageShowsWhatIsAllowed(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	offers := []string{"Add at the top", "Levels…", "Import units…", `data-do="add"`, `data-do="rename"`, `data-do="move"`, `data-do="delete"`, "/users?org_unit="}
	for _, c := range []struct {
		rights, scope string
		offered       string // a digit for each of the offers
		may           string // with UAE / Loans
	}{
		{"org-units:access", "All", "00000000", ""},
		{"org-units:access org-units:add", "All", "10110000", ""},
		{"org-units:access org-units:edit users:access", "All", "01001101", "rm"},
		{"org-units:access org-units:delete", "All", "00000010", "d"},
		{allOrg, "All", "11111110", "rmd"},
		{allOrg, "Own unit", "00111110", "rd"},
	} {
		body := w.get("/org", w.person(c.scope, c.rights)).Body.String()
		got := ""
		for _, offer := range offers {
			if strings.Contains(body, offer) {
				got += "1"
			} else {
				got += "0"
			}
		}
		if got != c.offered {
			t.Errorf("%s (%s): offered %s, want %s", c.rights, c.scope, got, c.offered)
		}
		_, row, _ := strings.Cut(body, `id="u3"`)
		_, row, _ = strings.Cut(row, `data-may="`)
		if may, _, _ := strings.Cut(row, `"`); may != c.may {
			t.Errorf("%s (%s): may %q with the unit, want %q", c.rights, c.scope, may, c.may)
		}
	}
}

// What was typed is there again when the service says no; a stale dialog says what happened.
func TestOrgDialogs(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	token := w.person("All", allOrg)
	post := func(path string, form url.Values, header ...string) (code int, body, to string) {
		r := w.ask(asked{method: "POST", path: path, token: token, form: form, header: append(header, "HX-Request", "true")})
		return r.Code, r.Body.String(), r.Header().Get("HX-Redirect")
	}
	for _, c := range []struct {
		path string
		form url.Values
		code int
		says []string
	}{
		{"/org/add", url.Values{"below": {"1"}, "name": {"Cards"}}, 409, []string{"There is a unit called Cards in UAE already", `value="Cards"`}},
		{"/org/add", url.Values{"below": {"2"}, "name": {"X"}}, 422, []string{"it is on the lowest", `value="X"`}},
		{"/org/units/2/rename", url.Values{"name": {"A / B"}}, 422, []string{`value="A / B"`}},
		{"/org/units/2/rename", url.Values{"name": {"New"}, "seen_name": {"Old"}, "seen_parent": {"1"}}, 409, []string{"has renamed the unit &#34;Old&#34; meanwhile", `value="New"`, `name="seen_name" value="Cards"`}},
		{"/org/units/2/move", url.Values{}, 422, []string{"Choose where the unit is to go"}},
		{"/org/units/1/move", url.Values{"to": {"2"}}, 422, []string{"UAE / Cards is itself below UAE"}},
		{"/org/units/2/delete", url.Values{}, 409, []string{"It is not empty"}},
		{"/org/levels", url.Values{"seen": {"Country", "Department"}, "level": {"Country", "Department"}, "remove": {"1"}}, 422, []string{"the level Department cannot go", `value="Department"`}},
		{"/org/levels", url.Values{"seen": {"Land"}, "level": {"Land"}}, 409, []string{"has changed the levels meanwhile", `value="Department"`}},
		{"/org/import/add", url.Values{"units": {"A / B / C"}}, 422, []string{"it is 3 deep"}},
	} {
		code, body, _ := post(c.path, c.form)
		for _, says := range c.says {
			if code != c.code || !strings.Contains(strings.ToLower(body), strings.ToLower(says)) {
				t.Errorf("%s %v: %d without %q\n%s", c.path, c.form, code, says, body)
			}
		}
	}
	// Done: back to the page, what was open as it was.
	code, _, to := post("/org/units/3/rename", url.Values{"name": {"Lending"}, "seen_name": {"Loans"}, "seen_parent": {"1"}}, "HX-Current-URL", "https://muster.example/org?open=1.2&q=x")
	if code != http.StatusNoContent || to != "/org?open=1.2&unit=3" {
		t.Errorf("renamed: %d, %s", code, to)
	}
}

func TestOrgImportPreview(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	token := w.person("All", allOrg)
	upload := func(text string) string {
		var b bytes.Buffer
		form := multipart.NewWriter(&b)
		part, err := form.CreateFormFile("file", "units.csv")
		w.must(err)
		_, err = part.Write([]byte(text))
		w.must(err)
		w.must(form.Close())
		r := w.ask(asked{method: "POST", path: "/org/import", token: token, body: &b, header: []string{"Content-Type", form.FormDataContentType(), "HX-Request", "true"}})
		return r.Body.String()
	}
	for text, says := range map[string]string{
		"Org Unit\nUAE\nOman / Cards\n": "2 new units",
		"Org Unit\nUAE\n":               "Nothing is new",
		"Org Unit\n\nA / B / C\n":       "Row 3, &#34;A / B / C&#34;: it is 3 deep",
		"Unit\nUAE\n":                   "has no column &#34;Org Unit&#34;",
	} {
		if body := upload(text); !strings.Contains(body, says) {
			t.Errorf("%q: without %q\n%s", text, says, body)
		}
	}
	r := w.ask(asked{method: "POST", path: "/org/import/add", token: token, form: url.Values{"units": {"Oman\nOman / Cards"}}})
	if r.Code != http.StatusSeeOther || !strings.HasPrefix(r.Header().Get("Location"), "/org?unit=") {
		t.Errorf("added: %d %s", r.Code, r.Header().Get("Location"))
	}
}

// TestOrgShowsNothingThatWouldBeRefused follows everything on the page and its dialogs, as people with few rights and with
// many.
func TestOrgShowsNothingThatWouldBeRefused(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	mux := http.NewServeMux()
	for _, rt := range w.routes() {
		mux.Handle(rt.pattern, http.NotFoundHandler())
	}
	for _, rights := range []string{"org-units:access", "org-units:access users:access", "org-units:access org-units:add", "org-units:access org-units:edit",
		"org-units:access org-units:delete users:access", allOrg} {
		for _, scope := range []string{"All", "Own unit"} {
			token := w.person(scope, rights)
			for _, page := range []string{"/org", "/org?q=cards", "/org/below?unit=1", "/org/add?below=3", "/org/add", "/org/units/3/rename", "/org/units/3/move",
				"/org/units/3/delete", "/org/levels", "/org/import"} {
				r := w.get(page, token)
				if refusal(r) {
					continue
				}
				for _, l := range linksOf(t, r.Body.String()) {
					if why := w.wouldRefuse(mux, l, rights+" audit:access", scope == "All", token); why != "" {
						t.Errorf("%s (%s) shows on %s: %s %s, and that is %s", rights, scope, page, l.method, l.target, why)
					}
				}
			}
		}
	}
}
