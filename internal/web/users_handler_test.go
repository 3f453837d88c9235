package web

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/auth"
	"muster/internal/batch"
	"muster/internal/blob"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sample"
	"muster/internal/setup"
	"muster/internal/sheet"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
	"muster/internal/useredit"
	"muster/internal/userimport"
)

// demoServer is a console on the demo's organisation and its people.
func demoServer(t *testing.T, cfg sqldb.Config) *Server {
	t.Helper()
	ctx := t.Context()
	dir := directory.New(sqldbtest.Open(t, cfg))
	want, err := setup.Parse(sample.Organisation())
	if err != nil {
		t.Fatal(err)
	}
	system := directory.System("test")
	if _, err := dir.As(system).ApplyConfiguration(ctx, want, directory.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	engine := &batch.Engine{
		DB: dir.DB, Directory: dir, Blobs: &blob.Disk{Dir: filepath.Join(t.TempDir(), "blobs")}, Scratch: t.TempDir(), MaxUpload: 1 << 24,
		Operations: map[string]batch.Operation{userimport.Action: &userimport.Operation{Limits: sheet.Limits{Bytes: 1 << 24}}, useredit.Action: &useredit.Operation{}},
	}
	for _, action := range useredit.EditActions {
		engine.Operations[action] = &useredit.Editing{}
	}
	demo := sample.Demo()
	spec := batch.Spec{Action: userimport.Action, Options: userimport.Options{InFileSupervisors: true}}
	for name, content := range map[string][]byte{"UserDetails.csv": demo.Users, "ChannelCountDetails.csv": demo.Channels, "FeatureDetails.csv": demo.Features} {
		spec.Inputs = append(spec.Inputs, batch.Input{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }})
	}
	b, err := engine.Create(ctx, system, spec)
	if err != nil {
		t.Fatal(err)
	}
	if b, err = engine.Execute(ctx, b.ID, nil); err != nil || b.Counts.Inserted < 200 {
		t.Fatalf("the demo's import: %+v, %v", b, err)
	}
	return &Server{Directory: dir, Engine: engine, Log: slog.New(slog.DiscardHandler)}
}

// ask lets a handler answer somebody, as the routes do.
func ask(t *testing.T, s *Server, a directory.Actor, do handler, target string, header ...string) (*httptest.ResponseRecorder, error) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if file, ok := strings.CutPrefix(r.URL.Path, "/users/export/"); ok {
		r.SetPathValue("file", file)
	}
	w := httptest.NewRecorder()
	err := do(&visit{Request: r, w: w, server: s, session: &auth.Session{LANID: "x", Name: "Some Body", Actor: a}})
	return w, err
}

func TestUsersPage(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		s := demoServer(t, cfg)
		cfgOf, err := s.Directory.As(directory.System("test")).Configuration(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var uae string
		for _, u := range cfgOf.OrgUnits {
			if u.FullName == "UAE" {
				uae = u.Path
			}
		}
		everywhere := directory.Person("x", "web", []directory.Right{"users:access"}, directory.Everywhere())
		inUAE := directory.Person("x", "web", []directory.Right{"users:access"}, directory.Below(uae))

		w, err := ask(t, s, everywhere, s.users, "/users?sort=last_name&columns="+allColumns(), "HX-Request", "true", "HX-Target", "grid")
		if err != nil {
			t.Fatal(err)
		}
		body := w.Body.String()
		if strings.Contains(body, "<html") || strings.Count(body, "<tr data-id") != 50 {
			t.Errorf("the grid alone is not 50 rows:\n%.300s", body)
		}
		if n := packed(t, body); n > 15<<10 {
			t.Errorf("50 rows with all columns are %d bytes compressed, more than 15 KB", n)
		}
		if got := w.Header().Get("HX-Push-Url"); !strings.HasPrefix(got, "/users?columns=") {
			t.Errorf("HX-Push-Url is %q", got)
		}
		if strings.Contains(body, "Import users") || strings.Contains(body, "sign-in link") {
			t.Error("what the person may not do is offered")
		}

		// The whole page, of one who sees a part of the directory.
		w, err = ask(t, s, inUAE, s.users, "/users?q=India")
		if err != nil || !strings.Contains(w.Body.String(), "<html") {
			t.Fatalf("%v\n%s", err, w.Body)
		}
		w, err = ask(t, s, inUAE, s.pickOrgUnit, "/users/org-units?unit=team+1")
		if err != nil || strings.Contains(w.Body.String(), "Germany") || !strings.Contains(w.Body.String(), "Cards Team 1") {
			t.Errorf("the units that are offered are not those in scope: %v\n%s", err, w.Body)
		}
		w, err = ask(t, s, inUAE, s.userFilters, "/users/filters?role=Gone")
		if err != nil || !strings.Contains(w.Body.String(), `name="role:Gone" value="held" checked`) {
			t.Errorf("a role of the filter cannot be taken out: %v\n%s", err, w.Body)
		}

		// Counts are shared by those with the same scope only.
		counts := map[string]string{}
		for name, who := range map[string]directory.Actor{"everywhere": everywhere, "UAE": inUAE, "nowhere": directory.Person("x", "web", []directory.Right{"users:access"}, directory.Scope{})} {
			w, err := ask(t, s, who, s.countUsers, "/users/count")
			if err != nil {
				t.Fatal(err)
			}
			counts[name] = strings.TrimSpace(w.Body.String())
		}
		if counts["nowhere"] != "0" || counts["UAE"] == counts["everywhere"] {
			t.Errorf("counts are %v", counts)
		}
		if _, err := ask(t, s, directory.Actor{}, s.countUsers, "/users/count"); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("who may see nobody gets a count: %v", err)
		}

		for _, target := range []string{"/users?last_name.foo=1", "/users?after=nonsense", "/users?selected=x"} {
			w, err := ask(t, s, everywhere, s.users, target)
			if err != nil || w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "This address does not work") {
				t.Errorf("%s: %d, %v", target, w.Code, err)
			}
		}
		exports(t, s, everywhere)
	})
}

func allColumns() string {
	var names []string
	for _, c := range userColumns {
		names = append(names, c.Name)
	}
	return strings.Join(names, ",")
}

func packed(t *testing.T, body string) int {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// exports: the three files of a ZIP are those that come alone, and hold what the filter picks.
func exports(t *testing.T, s *Server, who directory.Actor) {
	t.Helper()
	const filter = "?org_unit=UAE+%2F+Retail"
	w, err := ask(t, s, who, s.exportUsers, "/users/export/"+exportZIP+filter)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(w.Body.Bytes()), int64(w.Body.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		alone, err := ask(t, s, who, s.exportUsers, "/users/export/"+f.Name+filter)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name != exportFiles[i].Name || !bytes.Equal(content, alone.Body.Bytes()) {
			t.Errorf("%s alone differs from what the ZIP has", f.Name)
		}
		if got := alone.Header().Get("Content-Disposition"); got != `attachment; filename="`+f.Name+`"` {
			t.Errorf("Content-Disposition is %s", got)
		}
		if i == 0 {
			n, err := ask(t, s, who, s.countUsers, "/users/count"+filter)
			if err != nil {
				t.Fatal(err)
			}
			if rows := number(int64(bytes.Count(content, []byte("\r\n")) - 1)); rows != strings.TrimSpace(n.Body.String()) {
				t.Errorf("%s rows for %s users", rows, n.Body)
			}
		}
	}
	some, err := s.Directory.As(who).UsersPage(t.Context(), directory.UserQuery{Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	picked := selection{ids: []int64{some.Users[0].ID, some.Users[1].ID, some.Users[2].ID}}
	if w, err = ask(t, s, who, s.exportUsers, "/users/export/UserDetails.csv?q=x&selected="+picked.String()); err != nil || strings.Count(w.Body.String(), "\r\n") != 4 {
		t.Errorf("of three selected users: %v\n%s", err, w.Body)
	}
	if _, err := ask(t, s, who, s.exportUsers, "/users/export/other.csv"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another file: %v", err)
	}
	if w, err := ask(t, s, directory.Actor{}, s.exportUsers, "/users/export/UserDetails.csv"); fault.KindOf(err) != fault.Forbidden || w.Header().Get("Content-Disposition") != "" {
		t.Errorf("who may see nobody: %v, %v", err, w.Header())
	}
}

// A file that is not complete must not look like one.
func TestDownloadCutOff(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	d := &download{w: httptest.NewRecorder(), name: "x"}
	if err := d.end(broken); !errors.Is(err, broken) {
		t.Errorf("before the first byte: %v", err)
	}
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("after it the handler ends with %v", p)
		}
	}()
	_, _ = d.Write([]byte("half"))
	_ = d.end(broken)
	t.Error("after it the handler goes on")
}
