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
	list  bool   // who may do it nowhere gets a list of nothing
	batch string // what batch the address names (see batchFor)
	path  string // where the pattern has parameters; %d is the batch
	form  url.Values
	fails int // the status that even those get who may, as the request asks for nothing that can be done
}

// Others' batches are looked at everywhere or not at all; those who decide about them need batches:edit as well.
const (
	look    = "batches:access"
	lookOwn = "batches:access|users:add|users:edit|pictures:add"
	act     = "batches:access batches:edit users:add"
	actOwn  = "users:add"
)

// siteSubjectPath is the page of the user whom every site has.
const siteSubjectPath = "/users/1000001"

var permits = map[string]permit{
	"GET /{$}":                                  {all: true, path: "/"},
	"GET /sign-in":                              {open: true},
	"POST /sign-in":                             {open: true, fails: http.StatusUnauthorized, form: url.Values{"lan_id": {"nobody1"}, "password": {"wrong"}}},
	"POST /sign-out":                            {open: true},
	"GET /link/{token}":                         {open: true, path: "/link/abc", fails: http.StatusNotFound},
	"POST /link/{token}":                        {open: true, path: "/link/abc", fails: http.StatusNotFound},
	"GET /account":                              {all: true},
	"POST /account/password":                    {all: true, fails: http.StatusUnprocessableEntity, form: url.Values{"current": {"x"}, "new": {"x"}, "again": {"x"}}},
	"POST /account/sign-out-everywhere":         {all: true, fails: http.StatusSeeOther},
	"POST /theme":                               {open: true},
	"GET /healthz":                              {open: true},
	"GET /readyz":                               {open: true},
	"GET /users":                                {ways: "users:access"},
	"GET /users/count":                          {ways: "users:access"},
	"GET /users/org-units":                      {ways: "users:access"},
	"GET /users/filters":                        {ways: "users:access"},
	"GET /users/filters/apply":                  {ways: "users:access"},
	"GET /users/export":                         {ways: "users:access"},
	"GET /users/export/users.zip":               {ways: "users:access"},
	"GET /users/export/UserDetails.csv":         {ways: "users:access"},
	"GET /users/export/ChannelCountDetails.csv": {ways: "users:access"},
	"GET /users/export/FeatureDetails.csv":      {ways: "users:access"},
	"GET /users/new":                            {ways: "users:access users:add"},
	"POST /users/new":                           {ways: "users:access users:add", fails: http.StatusUnprocessableEntity},
	"POST /users/new/check":                     {ways: "users:access users:add"},
	"GET /users/suggest":                        {ways: "users:access users:add|users:access users:edit", list: true, path: "/users/suggest?supervisor=" + siteSubject},
	"GET /users/{id}":                           {ways: "users:access", path: siteSubjectPath},
	"GET /users/{id}/reports":                   {ways: "users:access", path: siteSubjectPath + "/reports"},
	"GET /users/{id}/history":                   {ways: "users:access", path: siteSubjectPath + "/history"},
	"GET /users/{id}/edit":                      {ways: "users:access users:edit", path: siteSubjectPath + "/edit"},
	"POST /users/{id}/edit":                     {ways: "users:access users:edit", path: siteSubjectPath + "/edit", fails: http.StatusConflict},
	"POST /users/{id}/check":                    {ways: "users:access users:edit", path: siteSubjectPath + "/check"},
	"GET /users/{id}/deactivate":                {ways: "users:access users:edit", path: siteSubjectPath + "/deactivate"},
	"POST /users/{id}/deactivate":               {ways: "users:access users:edit", path: siteSubjectPath + "/deactivate", fails: http.StatusUnprocessableEntity},
	"GET /users/{id}/reactivate":                {ways: "users:access users:edit", path: siteSubjectPath + "/reactivate"},
	"POST /users/{id}/reactivate":               {ways: "users:access users:edit", path: siteSubjectPath + "/reactivate", fails: http.StatusConflict},
	"GET /users/{id}/delete":                    {ways: "users:access users:delete", path: siteSubjectPath + "/delete"},
	"POST /users/{id}/delete":                   {ways: "users:access users:delete", path: siteSubjectPath + "/delete", fails: http.StatusConflict},
	"POST /users/{id}/move-reports":             {ways: "users:access users:edit", path: siteSubjectPath + "/move-reports", fails: http.StatusUnprocessableEntity},
	"GET /users/deleted":                        {ways: "users:delete"},
	"POST /users/deleted/erase":                 {ways: "users:delete audit:edit", fails: http.StatusNotFound, form: url.Values{"lan_id": {"gone9"}, "again": {"gone9"}}},
	"POST /users/{lan_id}/sign-in-link":         {ways: "users:access users:edit", path: "/users/" + siteSubject + "/sign-in-link"},
	"GET /edits/file":                           {ways: "users:access users:edit", list: true},
	"POST /edits/file":                          {ways: "users:access users:edit", list: true, fails: http.StatusUnprocessableEntity},
	"POST /edits/{action}":                      {ways: "users:access users:edit", list: true, path: "/edits/assign-role", fails: http.StatusUnprocessableEntity},
	"GET /edits/{set}/{action}":                 {ways: "users:access users:edit", path: "/edits/nosuchset/assign-role", fails: http.StatusNotFound},
	"POST /edits/{set}/{action}":                {ways: "users:access users:edit", path: "/edits/nosuchset/assign-role", fails: http.StatusNotFound},
	"POST /edits/{set}/{action}/effects":        {ways: "users:access users:edit", path: "/edits/nosuchset/assign-role/effects", fails: http.StatusNotFound},
	"GET /edits/{set}/{action}/units":           {ways: "users:access users:edit", path: "/edits/nosuchset/move-users/units", fails: http.StatusNotFound},
	"GET /imports/new":                          {ways: "users:add"},
	"GET /imports/limits":                       {ways: "users:add"},
	"POST /imports":                             {ways: "users:add", fails: http.StatusUnprocessableEntity},
	"GET /templates/{file}":                     {ways: "users:add", path: "/templates/UserDetails.csv"},
	"GET /batches":                              {ways: "batches:access|users:add|users:edit|pictures:add", list: true},
	"GET /batches/{id}":                         {ways: look, own: lookOwn, batch: "done", path: "/batches/%d"},
	"GET /batches/{id}/progress":                {ways: look, own: lookOwn, batch: "done", path: "/batches/%d/progress"},
	"GET /batches/{id}/rejects/{file}":          {ways: look, own: lookOwn, batch: "done", path: "/batches/%d/rejects/UserDetails.csv"},
	"POST /batches/{id}/apply":                  {ways: act, own: actOwn, batch: "ready", path: "/batches/%d/apply"},
	"POST /batches/{id}/cancel":                 {ways: act, own: actOwn, batch: "ready", path: "/batches/%d/cancel"},
	"POST /batches/{id}/approve":                {ways: act, batch: "awaiting", path: "/batches/%d/approve"},
	"POST /batches/{id}/reject":                 {ways: act, batch: "awaiting", path: "/batches/%d/reject", form: url.Values{"comment": {"no"}}},
	"GET /audit":                                {ways: "audit:access"},
	"GET /audit/export/{file}":                  {ways: "audit:access", path: "/audit/export/audit.csv"},
	"GET /batches/{id}/undo":                    {ways: act, own: actOwn, batch: "done", path: "/batches/%d/undo"},
	"POST /batches/{id}/undo":                   {ways: act, own: actOwn, batch: "done", path: "/batches/%d/undo"},
	"GET /batches/{id}/columns":                 {ways: look, own: lookOwn, batch: "strange", path: "/batches/%d/columns"},
	"POST /batches/{id}/columns":                {ways: "batches:access users:add", own: actOwn, batch: "strange", path: "/batches/%d/columns", form: url.Values{fmt.Sprintf("column-0-%d", directory.OrgUnitColumn): {"Org Unit"}}},
	"GET /batches/{id}/correct":                 {ways: act, own: actOwn, batch: "done", path: "/batches/%d/correct"},
	"GET /batches/{id}/correct/rows":            {ways: act, own: actOwn, batch: "done", path: "/batches/%d/correct/rows"},
	"POST /batches/{id}/suggestion":             {ways: act, own: actOwn, batch: "done", path: "/batches/%d/suggestion", form: url.Values{"kind": {"UserDetails"}, "row": {"3"}, "column": {"Org Unit"}, "value": {"Cards"}, "old": {"Kards"}, "show": {"invalid"}}},
	"POST /batches/{id}/corrections":            {ways: act, own: actOwn, batch: "done", path: "/batches/%d/corrections"},
	"POST /batches/{id}/run":                    {ways: act, own: actOwn, batch: "corrected", path: "/batches/%d/run"},
	"GET /catalogues":                           {ways: "catalogues:access", fails: http.StatusSeeOther},
	"GET /catalogues/{kind}":                    {ways: "catalogues:access", path: "/catalogues/features"},
	"GET /catalogues/{kind}/new":                {ways: "catalogues:add", path: "/catalogues/crm-names/new"},
	"POST /catalogues/{kind}/new":               {ways: "catalogues:add", path: "/catalogues/crm-names/new", fails: http.StatusSeeOther, form: url.Values{"name": {"Onyx"}}},
	"GET /catalogues/{kind}/{id}":               {ways: "catalogues:access", path: "/catalogues/channels/1"},
	"POST /catalogues/{kind}/{id}":              {ways: "catalogues:access catalogues:edit", path: "/catalogues/channels/1", fails: http.StatusUnprocessableEntity},
	"POST /catalogues/{kind}/{id}/retire":       {ways: "catalogues:access catalogues:edit", path: "/catalogues/channels/1/retire", fails: http.StatusUnprocessableEntity},
	"POST /catalogues/{kind}/{id}/move":         {ways: "catalogues:edit", path: "/catalogues/channels/1/move", fails: http.StatusSeeOther, form: url.Values{"by": {"1"}}},
	"POST /catalogues/{kind}/{id}/delete":       {ways: "catalogues:access catalogues:delete", path: "/catalogues/channels/1/delete", fails: http.StatusSeeOther},
	"POST /catalogues/{kind}/{id}/replace":      {ways: "catalogues:access catalogues:delete", path: "/catalogues/channels/1/replace", fails: http.StatusUnprocessableEntity},
	"GET /settings":                             {ways: "settings:access"},
	"POST /settings":                            {ways: "settings:edit", fails: http.StatusUnprocessableEntity, form: url.Values{"seen": {"{}"}}},
	"GET /org":                                  {ways: "org-units:access"},
	"GET /org/below":                            {ways: "org-units:access", path: "/org/below?unit=1"},
	"GET /org/export":                           {ways: "org-units:access"},
	"GET /org/add":                              {ways: "org-units:access org-units:add", path: "/org/add?below=1"},
	"POST /org/add":                             {ways: "org-units:access org-units:add", form: url.Values{"below": {"1"}, "name": {"Fraud"}}},
	"GET /org/units/{id}/rename":                {ways: "org-units:access org-units:edit", path: "/org/units/2/rename"},
	"POST /org/units/{id}/rename":               {ways: "org-units:access org-units:edit", path: "/org/units/2/rename", form: url.Values{"name": {"Payments"}}},
	"GET /org/units/{id}/move":                  {ways: "org-units:access org-units:edit", path: "/org/units/2/move"},
	"POST /org/units/{id}/move":                 {ways: "org-units:access org-units:edit", path: "/org/units/2/move", form: url.Values{"to": {"0"}}},
	"GET /org/units/{id}/delete":                {ways: "org-units:access org-units:delete", path: "/org/units/2/delete"},
	"POST /org/units/{id}/delete":               {ways: "org-units:access org-units:delete", path: "/org/units/2/delete", fails: http.StatusConflict},
	"GET /org/levels":                           {ways: "org-units:access org-units:edit"},
	"POST /org/levels":                          {ways: "org-units:access org-units:edit", form: url.Values{"seen": {"Country", "Department"}, "level": {"Country", "Department"}, "new": {"Team"}}},
	"GET /org/import":                           {ways: "org-units:access org-units:add"},
	"POST /org/import":                          {ways: "org-units:access org-units:add", fails: http.StatusUnprocessableEntity},
	"POST /org/import/add":                      {ways: "org-units:access org-units:add", form: url.Values{"units": {"Oman"}}},
	"GET /roles":                                {ways: "roles:access"},
	"GET /roles/new":                            {ways: "roles:add"},
	"POST /roles":                               {ways: "roles:add", form: url.Values{"name": {"Coach"}}},
	"GET /roles/{id}":                           {ways: "roles:access", path: "/roles/1"},
	"POST /roles/{id}":                          {ways: "roles:access roles:edit users:access", path: "/roles/1", form: url.Values{"seen": {`{"Rights":["users:access"]}`}}},
	"GET /roles/{id}/rename":                    {ways: "roles:access roles:edit users:access", path: "/roles/1/rename"},
	"POST /roles/{id}/rename":                   {ways: "roles:access roles:edit users:access", path: "/roles/1/rename", form: url.Values{"name": {"Coach"}}},
	"GET /roles/{id}/delete":                    {ways: "roles:access roles:delete users:access", path: "/roles/1/delete"},
	"POST /roles/{id}/delete":                   {ways: "roles:access roles:delete users:access", path: "/roles/1/delete"},
	"GET /access-roles":                         {ways: "access-roles:access"},
	"GET /access-roles/new":                     {ways: "access-roles:access access-roles:add"},
	"GET /access-roles/units":                   {ways: "access-roles:access"},
	"POST /access-roles":                        {ways: "access-roles:add", form: url.Values{"name": {"Cards"}, "scope": {"units"}, "unit": {"UAE / Cards"}}},
	"GET /access-roles/{id}":                    {ways: "access-roles:access", path: "/access-roles/1"},
	"POST /access-roles/{id}":                   {ways: "access-roles:access access-roles:edit", path: "/access-roles/1", form: url.Values{"scope": {"everywhere"}, "seen": {`{"Scope":"own-unit"}`}}},
	"GET /access-roles/{id}/rename":             {ways: "access-roles:access access-roles:edit", path: "/access-roles/1/rename"},
	"POST /access-roles/{id}/rename":            {ways: "access-roles:access access-roles:edit", path: "/access-roles/1/rename", form: url.Values{"name": {"Here"}}},
	"GET /access-roles/{id}/delete":             {ways: "access-roles:access access-roles:delete", path: "/access-roles/1/delete"},
	"POST /access-roles/{id}/delete":            {ways: "access-roles:access access-roles:delete", path: "/access-roles/1/delete"},
	"GET /_gallery":                             {open: true},
	"GET /_gallery/{name}":                      {open: true, path: "/_gallery/sign-in"},

	"GET /pictures/new":                       {ways: "pictures:add"},
	"GET /pictures/limits":                    {ways: "pictures:add"},
	"POST /pictures":                          {ways: "pictures:add", fails: http.StatusUnprocessableEntity},
	"POST /pictures/check":                    {ways: "pictures:add"},
	"GET /batches/{id}/pictures/{row}/{size}": {ways: look, own: lookOwn, batch: "pictures", path: "/batches/%d/pictures/1/small"},
	"GET /batches/{id}/pictures/{row}/give":   {ways: "batches:access batches:edit users:access pictures:add", own: "pictures:add", batch: "pictures", path: "/batches/%d/pictures/2/give"},
	"POST /batches/{id}/pictures/{row}/give":  {ways: "batches:access batches:edit users:access pictures:add", own: "pictures:add", batch: "pictures", path: "/batches/%d/pictures/2/give", form: url.Values{"user": {"1000001"}}},
	"GET /users/{id}/picture/{hash}/{size}":   {ways: "users:access", path: siteSubjectPath + "/picture/" + sitePicture + "/small"},
	"GET /users/{id}/picture/remove":          {ways: "users:access users:edit pictures:delete", path: siteSubjectPath + "/picture/remove"},
	"POST /users/{id}/picture/remove":         {ways: "users:access users:edit pictures:delete", path: siteSubjectPath + "/picture/remove", form: url.Values{"version": {"1"}}},
	"GET /users/{id}/picture/specimen/{size}": {open: true, path: "/users/1/picture/specimen/small"},
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
		if (p.batch != "" || strings.Contains(way, "edit")) && !p.list {
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
		w.owner("api-tokens:access")
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
	w.owner(siteOwnerRights)
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
	if rights == siteOwnerRights {
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
			target, _, _ = strings.Cut(target, "#")
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
		add("GET", attr["src"])
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
	batches := []int64{w.batchFor("done"), w.batchFor("ready"), w.batchFor("strange"), w.batchFor("corrected"), w.batchFor("awaiting"), w.batchFor("pictures"), w.batchFor("pictures-done")}
	for _, rights := range []string{"users:access", "users:add", "batches:access", "users:access users:edit", "users:access users:add", "users:access batches:access",
		"users:access users:add users:edit batches:access", "users:access users:add batches:access batches:edit", "batches:access batches:edit",
		"users:access users:delete", "users:access users:edit users:delete", "pictures:add", "users:access pictures:add", "users:access users:edit pictures:add", "users:access users:edit pictures:delete", "users:access users:add pictures:add batches:access batches:edit", "audit:access", "users:access audit:access batches:access"} {
		for _, scope := range []string{"All", "Own unit"} {
			token := w.person(scope, rights)
			w.exec("UPDATE users SET org_unit_id = (SELECT org_unit_id FROM users WHERE lan_id = $1) WHERE lan_id LIKE 'person%'", siteSubject)
			pages := []string{"/users", "/users?selected=" + fmt.Sprint(1_000_001), "/batches", "/batches?state=awaiting", "/audit", "/account", "/imports/new", "/pictures/new", "/users/export",
				"/users/new", siteSubjectPath, siteSubjectPath + "/edit", siteSubjectPath + "/deactivate", siteSubjectPath + "/delete"}
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
