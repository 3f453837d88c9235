package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"muster/internal/directory"
)

// permit says who a route is for, and how it is asked.
type permit struct {
	open bool   // nobody needs to be signed in
	all  bool   // everybody who is signed in
	ways string // rights, everywhere; alternatives are separated by |
	// own is, for what belongs to a batch, what its owner needs; the rights in ways are those of others.
	own   string
	batch string // what batch the address names (see batchFor)
	path  string // where the pattern has parameters; %d is the batch
	form  url.Values
	fails int // the status that even those get who may, as the request asks for nothing that can be done
}

// Others' batches are looked at everywhere or not at all; those who decide about them need batches:edit as well.
const (
	look    = "batches:access"
	lookOwn = "batches:access|users:add"
	act     = "batches:access batches:edit users:add"
	actOwn  = "users:add"
)

var permits = map[string]permit{
	"GET /{$}":                          {all: true, path: "/"},
	"GET /sign-in":                      {open: true},
	"POST /sign-in":                     {open: true, fails: http.StatusUnauthorized, form: url.Values{"lan_id": {"nobody1"}, "password": {"wrong"}}},
	"POST /sign-out":                    {open: true},
	"GET /link/{token}":                 {open: true, path: "/link/abc", fails: http.StatusNotFound},
	"POST /link/{token}":                {open: true, path: "/link/abc", fails: http.StatusNotFound},
	"GET /account":                      {all: true},
	"POST /account/password":            {all: true, fails: http.StatusUnprocessableEntity, form: url.Values{"current": {"x"}, "new": {"x"}, "again": {"x"}}},
	"POST /account/sign-out-everywhere": {all: true, fails: http.StatusSeeOther},
	"POST /theme":                       {open: true},
	"GET /healthz":                      {open: true},
	"GET /readyz":                       {open: true},
	"GET /users":                        {ways: "users:access"},
	"GET /users/count":                  {ways: "users:access"},
	"GET /users/org-units":              {ways: "users:access"},
	"GET /users/filters":                {ways: "users:access"},
	"GET /users/filters/apply":          {ways: "users:access"},
	"GET /users/export":                 {ways: "users:access"},
	"GET /users/export/{file}":          {ways: "users:access", path: "/users/export/UserDetails.csv"},
	"POST /users/{lan_id}/sign-in-link": {ways: "users:access users:edit", path: "/users/" + siteSubject + "/sign-in-link"},
	"GET /imports/new":                  {ways: "users:add"},
	"GET /imports/limits":               {ways: "users:add"},
	"POST /imports":                     {ways: "users:add", fails: http.StatusUnprocessableEntity},
	"GET /templates/{file}":             {ways: "users:add", path: "/templates/UserDetails.csv"},
	"GET /batches":                      {ways: "batches:access|users:add"},
	"GET /batches/{id}":                 {ways: look, own: lookOwn, batch: "done", path: "/batches/%d"},
	"GET /batches/{id}/progress":        {ways: look, own: lookOwn, batch: "done", path: "/batches/%d/progress"},
	"GET /batches/{id}/rejects/{file}":  {ways: look, own: lookOwn, batch: "done", path: "/batches/%d/rejects/UserDetails.csv"},
	"POST /batches/{id}/apply":          {ways: act, own: actOwn, batch: "ready", path: "/batches/%d/apply"},
	"POST /batches/{id}/cancel":         {ways: act, own: actOwn, batch: "ready", path: "/batches/%d/cancel"},
	"GET /batches/{id}/undo":            {ways: act, own: actOwn, batch: "done", path: "/batches/%d/undo"},
	"POST /batches/{id}/undo":           {ways: act, own: actOwn, batch: "done", path: "/batches/%d/undo"},
	"GET /batches/{id}/columns":         {ways: look, own: lookOwn, batch: "strange", path: "/batches/%d/columns"},
	"POST /batches/{id}/columns":        {ways: "batches:access users:add", own: actOwn, batch: "strange", path: "/batches/%d/columns", form: url.Values{fmt.Sprintf("column-0-%d", directory.OrgUnitColumn): {"Org Unit"}}},
	"GET /batches/{id}/correct":         {ways: act, own: actOwn, batch: "done", path: "/batches/%d/correct"},
	"GET /batches/{id}/correct/rows":    {ways: act, own: actOwn, batch: "done", path: "/batches/%d/correct/rows"},
	"POST /batches/{id}/suggestion":     {ways: act, own: actOwn, batch: "done", path: "/batches/%d/suggestion", form: url.Values{"kind": {"UserDetails"}, "row": {"3"}, "column": {"Org Unit"}, "value": {"Cards"}, "old": {"Kards"}, "show": {"invalid"}}},
	"POST /batches/{id}/corrections":    {ways: act, own: actOwn, batch: "done", path: "/batches/%d/corrections"},
	"POST /batches/{id}/run":            {ways: act, own: actOwn, batch: "corrected", path: "/batches/%d/run"},
	"GET /_gallery":                     {open: true},
	"GET /_gallery/{name}":              {open: true, path: "/_gallery/sign-in"},
}

func TestEveryRouteHasItsPermit(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	known := map[string]bool{}
	for _, rt := range w.routes() {
		known[rt.pattern] = true
		p, ok := permits[rt.pattern]
		switch {
		case !ok:
			t.Errorf("%s has no row: who is it for?", rt.pattern)
		case p.open != rt.open:
			t.Errorf("%s: open is %v, want %v", rt.pattern, rt.open, p.open)
		case !p.open && !p.all && len(rt.any) == 0:
			t.Errorf("%s lets in everybody who is signed in", rt.pattern)
		}
	}
	for pattern := range permits {
		if !known[pattern] {
			t.Errorf("%s has a row and is gone", pattern)
		}
	}
	w.Server.Gallery = false
	for _, rt := range w.routes() {
		if strings.Contains(rt.pattern, "_gallery") {
			t.Errorf("%s is there where nobody asked for the gallery", rt.pattern)
		}
	}
	w.handler = w.Server.Handler()
	if r := w.get("/_gallery", w.person("All", "users:access")); r.Code != http.StatusNotFound {
		t.Errorf("the gallery where nobody asked for it: %d", r.Code)
	}
}

// refusal tells whether the answer is one, and not one for want of a thing to do.
func refusal(r *httptest.ResponseRecorder) bool {
	return r.Code == http.StatusForbidden || r.Code == http.StatusNotFound || r.Code == http.StatusUnauthorized ||
		r.Code == http.StatusSeeOther && strings.HasPrefix(r.Header().Get("Location"), "/sign-in")
}

func TestRoutesAskForRights(t *testing.T) {
	t.Parallel()
	for pattern, p := range permits {
		if p.open {
			continue
		}
		t.Run(strings.NewReplacer("/", "_", " ", "_").Replace(pattern), func(t *testing.T) {
			t.Parallel()
			p.try(newSite(t), pattern)
		})
	}
}

func (p *permit) request(w *site, pattern string) asked {
	method, path, _ := strings.Cut(pattern, " ")
	if p.path != "" {
		path = p.path
	}
	if p.batch != "" {
		path = fmt.Sprintf(path, w.batchFor(p.batch))
	}
	a := asked{method: method, path: path, form: p.form}
	if method == "POST" && a.form == nil {
		a.form = url.Values{}
	}
	if strings.HasSuffix(path, "/corrections") {
		a.form = nil
		a.body = strings.NewReader(`{"cells":[{"kind":"UserDetails","row":3,"column":"Org Unit","value":"Cards"}]}`)
		a.header = []string{"Content-Type", "application/json"}
	}
	return a
}

func (p *permit) try(w *site, pattern string) {
	a := p.request(w, pattern)
	before := w.tables()
	refuse := func(who string, token string) {
		w.Helper()
		a := p.rebody(a)
		a.token = token
		if r := w.ask(a); !refusal(r) {
			w.Errorf("%s: %d %.200s", who, r.Code, r.Body)
		}
		a = p.rebody(a)
		a.header = append(slices.Clone(a.header), "Accept", "application/json")
		if r := w.ask(a); r.Code != 401 && r.Code != 403 && r.Code != 404 || !strings.Contains(r.Header().Get("Content-Type"), "json") {
			w.Errorf("%s, in JSON: %d %.200s", who, r.Code, r.Body)
		}
	}
	allow := func(who, token string) {
		w.Helper()
		a := p.request(w, pattern)
		a.token = token
		if r := w.ask(a); r.Code != p.fails && (r.Code >= 400 || refusal(r) || p.fails != 0) {
			w.Errorf("%s: %d %.300s", who, r.Code, r.Body)
		}
	}
	refuse("nobody", "")
	refuse("with a token that is none", "x")
	if p.all {
		allow("somebody", w.person("", ""))
		return
	}
	strangers := map[string]string{"with nothing to do with it": w.person("All", "")}
	for _, r := range directory.AllRights() {
		if !slices.Contains(strings.Split(p.ways, "|"), string(r)) {
			strangers["only "+string(r)] = w.person("All", string(r))
		}
	}
	for _, way := range strings.Split(p.ways, "|") {
		if p.batch != "" || strings.Contains(way, "edit") {
			strangers[way+", elsewhere"] = w.person("Own unit", way)
			strangers[way+", nowhere"] = w.person("", way)
		}
	}
	owns := map[string]asked{} // made while the owner may still import
	for _, way := range strings.Split(p.own, "|") {
		if way != "" {
			owns[way] = p.request(w, pattern)
		}
	}
	if p.own != "" {
		w.owner("audit:access")
		strangers["the owner without the right"] = w.signedIn(siteOwner)
	}
	dirty := before
	if p.ways != "" {
		dirty = w.tables() // the people are new
	}
	for who, token := range strangers {
		refuse(who, token)
	}
	if w.tables() != dirty {
		w.Error("somebody was refused, and yet something was changed")
	}
	// The owner's rights hold in one unit only: that is enough for what is one's own.
	for way, a := range owns {
		w.owner(way + " users:access")
		a.token = "token-of-" + siteOwner
		if r := w.ask(p.rebody(a)); r.Code >= 400 || refusal(r) {
			w.Errorf("the owner with %s: %d %.300s", way, r.Code, r.Body)
		}
	}
	w.owner("users:access users:add")
	for _, way := range strings.Split(p.ways, "|") {
		allow(way, w.person("All", way))
	}
}

// owner gives the owner of the batches these rights: everywhere those that they began with, any others in their own unit.
func (w *site) owner(rights string) {
	w.Helper()
	w.exec("DELETE FROM role_rights WHERE role_id = (SELECT id FROM roles WHERE name = $1)", "of "+siteOwner)
	for _, r := range rightsOf(rights) {
		module, action, _ := strings.Cut(string(r), ":")
		w.exec("INSERT INTO role_rights (role_id, module, action) SELECT id, $2, $3 FROM roles WHERE name = $1", "of "+siteOwner, module, action)
	}
	scope := "Own unit"
	if rights == "users:access users:add" {
		scope = "All"
	}
	w.exec("UPDATE users SET access_role_id = (SELECT id FROM access_roles WHERE name = $2) WHERE lan_id = $1", siteOwner, scope)
}

// rebody gives the request a body that was not read yet.
func (p *permit) rebody(a asked) asked {
	if a.body != nil {
		a.body = strings.NewReader(`{"cells":[{"kind":"UserDetails","row":3,"column":"Org Unit","value":"Cards"}]}`)
	}
	return a
}

// shownLink is something on a page that leads to a route.
type shownLink struct{ method, target string }

// linksOf are all that a page leads to.
func linksOf(t *testing.T, body string) []shownLink {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	var all []shownLink
	for n := range root.Descendants() {
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		add := func(method, target string) {
			if strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "/assets/") {
				all = append(all, shownLink{method, target})
			}
		}
		add("GET", attr["href"])
		add("GET", attr["hx-get"])
		add("POST", attr["hx-post"])
		method := strings.ToUpper(attr["method"])
		if method == "" {
			method = "GET"
		}
		add(method, attr["action"])
		add("POST", attr["formaction"])
		add("POST", attr["data-upload"])
	}
	return all
}

// TestNothingIsShownThatWouldBeRefused follows everything on every page, as people with few rights and with many.
func TestNothingIsShownThatWouldBeRefused(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	mux := http.NewServeMux()
	for _, rt := range w.routes() {
		mux.Handle(rt.pattern, http.NotFoundHandler())
	}
	batches := []int64{w.batchFor("done"), w.batchFor("ready"), w.batchFor("strange"), w.batchFor("corrected")}
	for _, rights := range []string{"users:access", "users:add", "batches:access", "users:access users:edit", "users:access users:add", "users:access batches:access",
		"users:access users:add users:edit batches:access", "users:access users:add batches:access batches:edit", "batches:access batches:edit"} {
		for _, scope := range []string{"All", "Own unit"} {
			token := w.person(scope, rights)
			w.exec("UPDATE users SET org_unit_id = (SELECT org_unit_id FROM users WHERE lan_id = $1) WHERE lan_id LIKE 'person%'", siteSubject)
			pages := []string{"/users", "/users?selected=" + fmt.Sprint(1_000_001), "/batches", "/account", "/imports/new", "/users/export"}
			for _, id := range batches {
				pages = append(pages, batchPath(id), batchPath(id)+"?show=inserted", batchPath(id)+"/correct", batchPath(id)+"/undo")
			}
			shown := 0
			for _, page := range pages {
				r := w.get(page, token)
				if refusal(r) {
					continue
				}
				for _, l := range linksOf(t, r.Body.String()) {
					shown++
					if why := w.wouldRefuse(mux, l, rights, scope == "All", token); why != "" {
						t.Errorf("%s (%s) shows on %s: %s %s, and that is %s", rights, scope, page, l.method, l.target, why)
					}
				}
			}
			if shown < 5 {
				t.Errorf("%s (%s): only %d links", rights, scope, shown)
			}
		}
	}
}

// wouldRefuse asks, or, where asking would change something, looks the route up.
func (w *site) wouldRefuse(mux *http.ServeMux, l shownLink, rights string, everywhere bool, token string) string {
	w.Helper()
	if l.method == "GET" {
		if r := w.get(l.target, token); refusal(r) {
			return fmt.Sprint(r.Code)
		}
		return ""
	}
	_, pattern := mux.Handler(httptest.NewRequestWithContext(w.Context(), l.method, l.target, nil))
	p, known := permits[pattern]
	switch {
	case !known:
		return "no route"
	case p.open || p.all:
		return ""
	case p.batch != "" && !everywhere:
		return "somebody else's"
	}
	for _, way := range strings.Split(p.ways, "|") {
		missing := slices.DeleteFunc(strings.Fields(way), func(r string) bool { return slices.Contains(strings.Fields(rights), r) })
		if len(missing) == 0 {
			return ""
		}
	}
	return "only for those with " + p.ways
}
