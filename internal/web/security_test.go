package web

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"muster/internal/auth"
	"muster/internal/directory"
	"muster/internal/userimport"
)

// siteAddresses are every page, and every other kind of answer, as somebody who may do everything gets to see them.
func siteAddresses(w *site) (token string, all []string) {
	w.Helper()
	w.user("chief", "UAE / Cards", "All", rightsText(directory.AllRights()))
	token = w.signedIn("chief")
	all = []string{"/", "/account", "/users", "/users?q=nair", "/users?q=zzz", "/users?sort=nothing", "/users/filters", "/users/org-units", "/users/export", "/users/count",
		"/users/export/UserDetails.csv", "/users/export/users.zip", "/imports/new", "/imports/limits", "/templates/UserDetails.csv", "/batches", "/nowhere", "/healthz", "/readyz",
		"/link/none", assetURL("app.css"), "/assets/none.js", "/batches/999999", "/batches/x", "/_gallery"}
	for _, sp := range specimens() {
		all = append(all, "/_gallery/"+sp.Name)
	}
	for _, what := range []string{"done", "ready", "strange", "corrected"} {
		p := batchPath(w.batchFor(what))
		all = append(all, p, p+"?show=inserted", p+"?show=invalid", p+"/progress", p+"/undo", p+"/correct", p+"/correct/rows", p+"/rejects/UserDetails.csv")
	}
	return token, all
}

func rightsText(rights []directory.Right) string {
	var all []string
	for _, r := range rights {
		all = append(all, string(r))
	}
	return strings.Join(all, " ")
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	for _, encrypted := range []bool{false, true} {
		w := newSite(t, func(s *Server) { s.BehindProxy = encrypted })
		token, all := siteAddresses(w)
		header := []string{}
		if encrypted {
			header = []string{"X-Forwarded-Proto", "https"}
		}
		check := func(what string, r *httptest.ResponseRecorder) {
			t.Helper()
			h := r.Header()
			for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
				"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin"} {
				if h.Get(name) != want {
					t.Errorf("%s (%d): %s is %q", what, r.Code, name, h.Get(name))
				}
			}
			csp := h.Get("Content-Security-Policy")
			for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
				if !strings.Contains(csp, want) {
					t.Errorf("%s: the policy %q lacks %s", what, csp, want)
				}
			}
			if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
				t.Errorf("%s: the policy is %q", what, csp)
			}
			if (h.Get("Strict-Transport-Security") != "") != encrypted {
				t.Errorf("%s: encrypted %v, HSTS %q", what, encrypted, h.Get("Strict-Transport-Security"))
			}
			if h.Get("Content-Type") == "" && r.Body.Len() > 0 {
				t.Errorf("%s: no content type", what)
			}
			if !strings.HasPrefix(what, "/assets/") && r.Code == 200 && h.Get("Cache-Control") != "no-store" && !strings.HasSuffix(what, "z") {
				t.Errorf("%s may be kept: %q", what, h.Get("Cache-Control"))
			}
		}
		for _, path := range all {
			check(path, w.get(path, token, header...))
			check(path, w.get(path, "", header...))
			check(path, w.get(path, token, append(header, "HX-Request", "true")...))
		}
		check("from another site", w.ask(asked{method: "POST", path: "/theme", header: append(header, "Sec-Fetch-Site", "cross-site")}))
		if strings.HasPrefix(w.get("/users", token, append(header, "X-Forwarded-Proto", "http")...).Header().Get("Strict-Transport-Security"), "max") {
			t.Error("HSTS without encryption")
		}
	}
}

// TestNothingInline parses every page and every specimen: the policy would block what is inline, and a page that needs
// it would not work.
func TestNothingInline(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	token, all := siteAddresses(w)
	pages := 0
	for _, path := range append(all, "/sign-in") {
		who := token
		if path == "/sign-in" {
			who = ""
		}
		for _, fragment := range []string{"", "dialog", "grid", "result", "progress"} {
			header := []string{}
			if fragment != "" {
				header = []string{"HX-Request", "true", "HX-Target", fragment}
			}
			r := w.get(path, who, header...)
			if !strings.HasPrefix(r.Header().Get("Content-Type"), "text/html") {
				continue
			}
			pages++
			for _, what := range inline(t, r.Body.String()) {
				t.Errorf("%s (%s): %s", path, fragment, what)
			}
		}
	}
	if pages < 100 {
		t.Errorf("only %d pages", pages)
	}
}

// inline are the scripts and styles of a page that are not files.
func inline(t *testing.T, body string) (found []string) {
	t.Helper()
	for n := range parsed(t, body).Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		src := false
		for _, a := range n.Attr {
			src = src || a.Key == "src"
			switch {
			case a.Key == "style", strings.HasPrefix(a.Key, "on"), strings.HasPrefix(a.Key, "hx-on"),
				strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:"), a.Key == "hx-vals" && strings.HasPrefix(a.Val, "js:"):
				found = append(found, fmt.Sprintf("<%s %s=%q>", n.Data, a.Key, a.Val))
			}
		}
		if n.Data == "style" || n.Data == "script" && !src {
			found = append(found, "<"+n.Data+"> inside the page")
		}
	}
	return found
}

func parsed(t *testing.T, body string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// The two classics, in everything that a user or a file can hold.
const (
	evilScript = `<script>alert(1)</script>`
	evilImage  = `"><img src=x onerror=alert(1)>`
)

func TestEverythingIsEscaped(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	for i, evil := range []string{evilScript, evilImage} {
		w.exec("UPDATE users SET first_name = $1, last_name = $1, agent_id = $1, pbx_id = $2, email = $1, changed_by = $1 WHERE lan_id = $3",
			evil, fmt.Sprint(evil, i), []string{siteSubject, siteOwner}[i])
		w.exec("INSERT INTO crm_names (name) VALUES ($1)", evil)
		w.exec("INSERT INTO greeting_templates (name, text) VALUES ($1, $1)", evil)
		w.exec("UPDATE users SET crm_name_id = (SELECT id FROM crm_names WHERE name = $1), greeting_template_id = (SELECT id FROM greeting_templates WHERE name = $1) WHERE lan_id = $2",
			evil, []string{siteSubject, siteOwner}[i])
		w.exec("UPDATE roles SET name = $1 WHERE name = $2", evil, "of "+[]string{siteSubject, siteOwner}[i])
	}
	token, all := siteAddresses(w)
	// Of the unit and the access role, and of whoever is signed in. The import needs their names, so this comes after it.
	w.exec("UPDATE org_units SET name = $1, full_name = $1 WHERE full_name = 'UAE / Loans'", evilScript)
	w.exec("UPDATE org_units SET name = $1, full_name = 'UAE / ' || $1 WHERE full_name = 'UAE / Cards'", evilImage)
	w.exec("UPDATE access_roles SET name = $1 WHERE name = 'Own unit'", evilImage)
	w.exec("UPDATE users SET first_name = $1, last_name = $2, lan_id = $2 WHERE lan_id = 'chief'", evilScript, evilImage)
	w.exec("UPDATE sessions SET agent = $1, address = $2", evilScript, evilImage)
	for _, evil := range []string{evilScript, evilImage} {
		cell := `"` + strings.ReplaceAll(evil, `"`, `""`) + `"`
		cells := strings.Repeat(cell+",", len(directory.Columns())-1) + cell
		for _, o := range []userimport.Options{{}, {Preview: true}} {
			p := batchPath(w.batchOf(o, siteHeader, cells, cells))
			all = append(all, p, p+"?show=invalid", p+"/correct", p+"/correct/rows", p+"/undo")
		}
		p := batchPath(w.batchOf(userimport.Options{}, strings.Replace(siteHeader, "Org Unit", cell, 1), cells))
		all = append(all, p, p+"?code="+url.QueryEscape(evil)+"&show="+url.QueryEscape(evil))
		w.exec("UPDATE batch_files SET name = $1 WHERE batch_id % 2 = 0", evil)
		w.exec("UPDATE batches SET owner = $1, undo_by = $1, reason = $1 WHERE id % 3 = 0", evil)
		q := url.QueryEscape(evil)
		all = append(all, "/users?q="+q, "/users?first_name.eq="+q, "/users?unit="+q, "/users/org-units?unit="+q, "/users?sort="+q, "/users?after="+q, "/users?cols="+q,
			"/users?role="+q, "/users/filters?q="+q, "/batches?before="+q, "/nowhere/"+url.PathEscape(evil), "/link/"+url.PathEscape(evil), "/templates/"+url.PathEscape(evil))
	}
	seen := 0
	for _, path := range all {
		for _, fragment := range []string{"", "dialog", "grid", "result"} {
			header := []string{}
			if fragment != "" {
				header = []string{"HX-Request", "true", "HX-Target", fragment}
			}
			r := w.get(path, token, header...)
			kind := r.Header().Get("Content-Type")
			if strings.HasPrefix(kind, "application/json") {
				continue // a script reads it, and nosniff keeps browsers from taking it for a page
			}
			if !strings.HasPrefix(kind, "text/html") {
				if r.Code == 200 && !strings.Contains(kind, "text/plain") && !strings.HasPrefix(path, "/assets/") && !strings.HasPrefix(r.Header().Get("Content-Disposition"), "attachment") {
					t.Errorf("%s: %s is shown in the browser", path, kind)
				}
				continue
			}
			for n := range parsed(t, r.Body.String()).Descendants() {
				if n.Type == html.TextNode && (strings.Contains(n.Data, evilScript) || strings.Contains(n.Data, evilImage)) {
					seen++
				}
				if n.Data == "img" && n.Type == html.ElementNode && strings.Contains(fmt.Sprint(n.Attr), "{ src x}") {
					t.Errorf("%s (%s): an image came of it", path, fragment)
				}
			}
			for _, what := range inline(t, r.Body.String()) {
				t.Errorf("%s (%s): %s", path, fragment, what)
			}
		}
	}
	if seen < 50 {
		t.Errorf("the names were only seen %d times", seen)
	}
	r := w.get("/users/"+url.PathEscape(evilScript), token, "Accept", "application/json")
	if strings.Contains(r.Body.String(), "<script>") {
		t.Errorf("an error in JSON: %s", r.Body)
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	for _, proxy := range []bool{false, true} {
		w := newSite(t, func(s *Server) { s.BehindProxy = proxy })
		l, err := w.Auth.MakeLink(t.Context(), directory.System("test"), siteSubject)
		w.must(err)
		password := url.Values{"password": {"four green ladders sing"}, "again": {"four green ladders sing"}, "lan_id": {siteSubject}}
		forged := []string{"X-Forwarded-Proto", "https"} // believed behind a proxy only
		session := ""
		for _, a := range []asked{
			{method: "POST", path: "/link/" + l.Token, form: password, header: forged},
			{method: "POST", path: "/sign-in", form: password, header: forged},
			{method: "POST", path: "/theme", form: url.Values{"theme": {"dark"}}, header: forged},
			{method: "POST", path: "/sign-out", header: forged},
		} {
			r := w.ask(a)
			cookies := r.Result().Cookies()
			if len(cookies) != 1 {
				t.Fatalf("%s: %d, %d cookies", a.path, r.Code, len(cookies))
			}
			c := cookies[0]
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure != proxy {
				t.Errorf("%s, proxy %v: %s", a.path, proxy, c)
			}
			if strings.HasPrefix(c.Name, "__Host-") != proxy && c.Name != themeCookie {
				t.Errorf("%s, proxy %v: the cookie is called %s", a.path, proxy, c.Name)
			}
			if a.path == "/sign-in" {
				session = c.Value
			}
		}
		if len(session) < 40 || strings.Contains(w.tables(), session) || strings.Contains(w.logged(), session) || strings.Contains(w.logged(), l.Token) {
			t.Error("the session's token is short, or kept somewhere")
		}
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	w.user("chief", "UAE / Cards", "All", rightsText(directory.AllRights()))
	token := w.signedIn("chief")
	requests := map[string]asked{}
	for _, rt := range w.routes() {
		if p := permits[rt.pattern]; !strings.HasPrefix(rt.pattern, "GET ") {
			requests[rt.pattern] = p.request(w, rt.pattern)
		}
	}
	before := w.tables()
	sessions := func() string { return w.get("/account", token).Result().Status }
	for pattern, a := range requests {
		p := permits[pattern]
		for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			a := p.rebody(a)
			a.token = token
			a.header = append(append([]string{}, a.header...), header...)
			if r := w.ask(a); r.Code != http.StatusForbidden || len(r.Result().Cookies()) > 0 {
				t.Errorf("%s with %v: %d", pattern, header, r.Code)
			}
		}
	}
	if w.tables() != before || !strings.HasPrefix(sessions(), "200") {
		t.Error("another site changed something")
	}
}

func TestLookingChangesNothing(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	token, all := siteAddresses(w)
	l, err := w.Auth.MakeLink(t.Context(), directory.System("test"), siteSubject)
	w.must(err)
	before := w.tables()
	for _, path := range append(all, "/link/"+l.Token, "/sign-in", "/sign-out", "/theme") {
		for _, method := range []string{"GET", "HEAD"} {
			w.ask(asked{method: method, path: path, token: token})
			w.ask(asked{method: method, path: path, token: token, header: []string{"HX-Request", "true", "HX-Target", "dialog"}})
		}
	}
	if w.tables() != before {
		t.Error("somebody looked, and something changed")
	}
	if r := w.get("/account", token); r.Code != http.StatusOK {
		t.Errorf("looking signed out: %d", r.Code)
	}
}

func TestNextStaysHere(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	token := w.person("All", "users:access")
	l, err := w.Auth.MakeLink(t.Context(), directory.System("test"), siteSubject)
	w.must(err)
	_, _, err = w.Auth.Redeem(t.Context(), l.Token, "four green ladders sing", auth.Client{Address: "192.0.2.9"})
	w.must(err)
	for next, want := range map[string]string{
		"/users?q=a": "/users?q=a", "/batches/3": "/batches/3", "": "/", "/": "/",
		"//evil.example": "/", `/\evil.example`: "/", `\\evil.example`: "/", "https://evil.example/": "/", "https:evil.example": "/", "javascript:alert(1)": "/",
		"/\t/evil.example": "/", "/\n/evil.example": "/", "/\r\nSet-Cookie: a=b": "/", "\t//evil.example": "/", " //evil.example": "/", "///evil.example": "/",
		"evil.example": "/", "/%2f%2fevil.example": "/%2f%2fevil.example", "%2f%2fevil.example": "/", "/%5cevil.example": "/%5cevil.example", "http:/evil.example": "/", "/..//evil.example": "/..//evil.example",
	} {
		check := func(what string, r *httptest.ResponseRecorder) {
			t.Helper()
			if got := r.Header().Get("Location"); r.Code != http.StatusSeeOther || !stays(got) || got != want && want != "/..//evil.example" {
				t.Errorf("%s with next=%q: %d %q, want %q", what, next, r.Code, got, want)
			}
		}
		check("GET", w.get("/sign-in?next="+url.QueryEscape(next), token))
		check("POST", w.ask(asked{method: "POST", path: "/sign-in", form: url.Values{"lan_id": {siteSubject}, "password": {"four green ladders sing"}, "next": {next}}}))
	}
	for current, want := range map[string]string{"https://x/users?q=1": "/sign-in?next=%2Fusers%3Fq%3D1", "https://x//evil.example": "/sign-in", "javascript:alert(1)": "/sign-in", "//evil.example//evil": "/sign-in"} {
		r := w.get("/users", "", "HX-Request", "true", "HX-Current-URL", current)
		if got := r.Header().Get("HX-Redirect"); got != want {
			t.Errorf("from %q: %q, want %q", current, got, want)
		}
	}
}

// stays tells whether a browser on this site would stay on it.
func stays(location string) bool {
	u, err := url.Parse("https://here.example/sign-in")
	if err != nil {
		return false
	}
	to, err := u.Parse(strings.ReplaceAll(location, `\`, "/"))
	return err == nil && to.Host == "here.example" && to.Scheme == "https" && !strings.HasPrefix(strings.ReplaceAll(location, `\`, "/"), "//")
}

func TestSessionsDieWithTheRight(t *testing.T) {
	t.Parallel()
	for what, query := range map[string]string{
		"deactivated":        "UPDATE users SET active = 0 WHERE lan_id = 'leaver'",
		"without roles":      "DELETE FROM user_roles WHERE user_id = (SELECT id FROM users WHERE lan_id = 'leaver')",
		"without access":     "DELETE FROM role_rights WHERE role_id = (SELECT id FROM roles WHERE name = 'of leaver') AND action = 'access'",
		"with an ended one":  "DELETE FROM sessions",
		"after twelve hours": "UPDATE sessions SET created_at = created_at - 43200000000",
		"after an idle hour": "UPDATE sessions SET seen_at = seen_at - 3600000000",
	} {
		w := newSite(t)
		w.user("leaver", "UAE / Cards", "All", "users:access users:add")
		token := w.signedIn("leaver")
		if what != "after an idle hour" { // what was seen is remembered before it is written
			if r := w.get("/users", token); r.Code != http.StatusOK {
				t.Fatalf("%s, before: %d", what, r.Code)
			}
		}
		w.exec(query)
		if r := w.get("/users?q=a", token); r.Code != http.StatusSeeOther || r.Header().Get("Location") != "/sign-in?next=%2Fusers%3Fq%3Da" {
			t.Errorf("%s: %d %s", what, r.Code, r.Header().Get("Location"))
		}
		if r := w.get("/imports/limits", token, "Accept", "application/json"); r.Code != http.StatusUnauthorized {
			t.Errorf("%s, a script: %d", what, r.Code)
		}
		if r := w.get("/users", token, "HX-Request", "true"); r.Header().Get("HX-Redirect") == "" {
			t.Errorf("%s, a part of a page: %d", what, r.Code)
		}
	}
	w := newSite(t)
	w.user("mover", "UAE / Cards", "All", "users:access users:add")
	token := w.signedIn("mover")
	w.exec("DELETE FROM role_rights WHERE role_id = (SELECT id FROM roles WHERE name = 'of mover') AND action = 'add'")
	if r := w.get("/imports/new", token); r.Code != http.StatusForbidden {
		t.Errorf("a right that was taken away: %d", r.Code)
	}
}

func TestSignInSlowsDown(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	l, err := w.Auth.MakeLink(t.Context(), directory.System("test"), siteSubject)
	w.must(err)
	_, _, err = w.Auth.Redeem(t.Context(), l.Token, "four green ladders sing", auth.Client{Address: "192.0.2.9"})
	w.must(err)
	answers := map[string]string{}
	for i, who := range []string{siteSubject, siteOwner, "nobody99"} { // with a password, without one, and not there
		var all []string
		for try := range 8 {
			r := w.ask(asked{method: "POST", path: "/sign-in", form: url.Values{"lan_id": {who}, "password": {"wrong"}},
				// Not believed without a proxy: all come from one address.
				header: []string{"X-Forwarded-For", fmt.Sprintf("198.51.100.%d", 10*i+try)}})
			if (r.Code == http.StatusTooManyRequests) != (r.Header().Get("Retry-After") != "") {
				t.Errorf("%s: %d, Retry-After %q", who, r.Code, r.Header().Get("Retry-After"))
			}
			all = append(all, fmt.Sprint(r.Code, " ", strings.ReplaceAll(r.Body.String(), who, "WHO")))
		}
		if !strings.HasPrefix(all[0], "401") || !strings.HasPrefix(all[7], "429") {
			t.Errorf("%s: %.60q … %.60q", who, all[0], all[7])
		}
		answers[who] = all[0]
		if answers[who] != answers[siteSubject] {
			t.Errorf("%s is told something else than %s:\n%s\n%s", who, siteSubject, answers[who], answers[siteSubject])
		}
	}
	r := w.ask(asked{method: "POST", path: "/sign-in", form: url.Values{"lan_id": {siteSubject}, "password": {"four green ladders sing"}}})
	if r.Code != http.StatusTooManyRequests {
		t.Errorf("the right password, too soon: %d", r.Code)
	}
	if strings.Contains(w.logged(), "nobody99") || strings.Contains(w.logged(), "198.51.100") {
		t.Errorf("the log names what was typed, or believes a header:\n%s", w.logged())
	}
}

func TestOnlyTheProxysWordCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		proxy bool
		sent  []string
		want  string
	}{
		{false, nil, "192.0.2.1"},
		{false, []string{"203.0.113.7"}, "192.0.2.1"},
		{true, nil, "192.0.2.1"},
		{true, []string{"203.0.113.7"}, "203.0.113.7"},
		{true, []string{"10.0.0.1, 203.0.113.7"}, "203.0.113.7"},
		{true, []string{"10.0.0.1", "10.0.0.2, 203.0.113.7"}, "203.0.113.7"},
		{true, []string{"203.0.113.7, "}, "192.0.2.1"},
	} {
		s := &Server{BehindProxy: c.proxy}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil) // from 192.0.2.1
		for _, v := range c.sent {
			r.Header.Add("X-Forwarded-For", v)
		}
		if got := s.address(r); got != c.want {
			t.Errorf("behind a proxy %v, %q: %s, want %s", c.proxy, c.sent, got, c.want)
		}
	}
}

// TestUploadOverTheLimit sends far more than may be, and goes on sending as a browser does: the answer arrives.
func TestUploadOverTheLimit(t *testing.T) {
	t.Parallel()
	w := newSite(t, func(s *Server) { s.Engine.MaxUpload = 100_000 })
	token := w.person("All", "users:add")
	listening := httptest.NewServer(w.handler)
	defer listening.Close()
	out, in := io.Pipe()
	form := multipart.NewWriter(in)
	go func() {
		part, err := form.CreateFormFile("files", "UserDetails.csv")
		for i := 0; err == nil && i < 300; i++ {
			_, err = part.Write(bytes.Repeat([]byte("x"), 64<<10))
		}
		in.CloseWithError(errors.Join(err, form.Close()))
	}()
	r, err := http.NewRequestWithContext(t.Context(), "POST", listening.URL+"/imports", out)
	w.must(err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Accept", "application/json")
	r.AddCookie(&http.Cookie{Name: cookieName, Value: token})
	// Go's client looks for an answer while it sends. A browser does not, and shows none where it could not send all.
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listening.Listener.Addr().String())
	w.must(err)
	defer c.Close()
	w.must(r.Write(c))
	answer, err := http.ReadResponse(bufio.NewReader(c), r)
	w.must(err)
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(body), "UserDetails.csv") || !strings.Contains(string(body), "100 kB") {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
}

// TestNobodyHoldsAConnection: the routes that may take any time take it only for those who may come.
func TestNobodyHoldsAConnection(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	listening := httptest.NewUnstartedServer(w.handler)
	listening.Config.ReadTimeout = 300 * time.Millisecond
	listening.Start()
	defer listening.Close()
	for _, line := range []string{"POST /imports", "GET /users/export/users.zip"} {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listening.Listener.Addr().String())
		w.must(err)
		_, err = fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx", line)
		w.must(err)
		w.must(c.SetReadDeadline(time.Now().Add(10 * time.Second)))
		_, err = io.Copy(io.Discard, bufio.NewReader(c))
		var slow net.Error
		if errors.As(err, &slow) && slow.Timeout() {
			t.Errorf("%s: nobody holds the connection", line)
		}
		c.Close()
	}
}

func TestLargeFormsAreRefused(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	w.user("chief", "UAE / Cards", "All", rightsText(directory.AllRights()))
	token := w.signedIn("chief")
	requests := map[string]asked{}
	for _, rt := range w.routes() {
		if p := permits[rt.pattern]; !strings.HasPrefix(rt.pattern, "GET ") && !rt.upload {
			requests[rt.pattern] = p.request(w, rt.pattern)
		}
	}
	before := w.tables()
	large := strings.Repeat("x", maxBody)
	for pattern, a := range requests {
		a.token = token
		switch {
		case a.form == nil:
			a.body = strings.NewReader(`{"cells":[{"value":"` + large + `"}]}`)
		default:
			a.form = url.Values{"lan_id": {siteSubject}, "password": {large}}
		}
		if r := w.ask(a); r.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d %.200s", pattern, r.Code, r.Body)
		}
	}
	if w.tables() != before {
		t.Error("a form that was too large did something")
	}
}

// TestPanicsAndBrokenTemplates: one request fails, whole, and the others go on.
func TestPanicsAndBrokenTemplates(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	half := templ.ComponentFunc(func(_ context.Context, out io.Writer) error {
		_, _ = io.WriteString(out, "<p>half of a page")
		return errors.New("the template broke")
	})
	mux := http.NewServeMux()
	for _, rt := range []route{
		{pattern: "GET /panic/{secret}", open: true, do: func(*visit) error { panic("oh no") }},
		{pattern: "GET /half/{secret}", open: true, do: func(v *visit) error { return v.show("Half", half) }},
		{pattern: "GET /fails/{secret}", open: true, do: func(*visit) error { return errors.New("a cause that nobody is to see") }},
	} {
		mux.Handle(rt.pattern, w.serve(rt))
	}
	mux.Handle("/", w.handler)
	w.handler = w.recovered(w.headers(mux))
	for _, path := range []string{"/panic/s3cr3t", "/half/s3cr3t", "/fails/s3cr3t"} {
		r := w.get(path, "")
		body := r.Body.String()
		if r.Code != http.StatusInternalServerError || !strings.HasPrefix(body, "<!doctype html>") || !strings.HasSuffix(strings.TrimSpace(body), "</html>") ||
			strings.Contains(body, "half of") || strings.Contains(body, "oh no") || strings.Contains(body, "a cause") {
			t.Errorf("%s: %d %.300s", path, r.Code, body)
		}
		reference := ""
		for _, field := range strings.Fields(w.logged()) {
			if id, ok := strings.CutPrefix(field, "reference="); ok {
				reference = id
			}
		}
		if reference == "" || !strings.Contains(body, reference) {
			t.Errorf("%s: the log has the reference %q, and the page another:\n%s", path, reference, body)
		}
		if r := w.get(path, "", "Accept", "application/json"); r.Code != http.StatusInternalServerError || !strings.Contains(r.Header().Get("Content-Type"), "json") {
			t.Errorf("%s, a script: %d", path, r.Code)
		}
	}
	if strings.Contains(w.logged(), "s3cr3t") {
		t.Errorf("an address is in the log, and it may hold a token:\n%s", w.logged())
	}
	if r := w.get("/healthz", ""); r.Code != http.StatusOK {
		t.Errorf("afterwards: %d", r.Code)
	}
}

// TestTokensStayOutOfTheLog: what is in the address of a link, or is typed as a password, is written nowhere.
func TestTokensStayOutOfTheLog(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	l, err := w.Auth.MakeLink(t.Context(), directory.System("test"), siteSubject)
	w.must(err)
	const password = "a secret that nobody reads"
	w.get("/link/"+l.Token, "")
	w.ask(asked{method: "POST", path: "/link/" + l.Token, form: url.Values{"password": {"short"}, "again": {"short"}}})
	w.ask(asked{method: "POST", path: "/link/" + l.Token, form: url.Values{"password": {password}, "again": {password}}})
	w.ask(asked{method: "POST", path: "/sign-in", form: url.Values{"lan_id": {password}, "password": {password}}})
	w.exec("DROP TABLE credentials")
	w.get("/link/"+l.Token, "")
	w.ask(asked{method: "POST", path: "/sign-in", form: url.Values{"lan_id": {siteSubject}, "password": {password}}})
	if log := w.logged(); strings.Contains(log, l.Token) || strings.Contains(log, password) || !strings.Contains(log, "credentials") {
		t.Errorf("the log:\n%s", log)
	}
}
