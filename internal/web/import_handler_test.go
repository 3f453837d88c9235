package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"muster/internal/auth"
	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

// console is a console that listens, and an administrator who is signed in.
type console struct {
	*Server
	t     *testing.T
	base  string
	token string
	who   *auth.Session
}

func startConsole(t *testing.T, cfg sqldb.Config) *console {
	t.Helper()
	s := demoServer(t, cfg)
	s.Auth = auth.New(s.Directory, slog.New(slog.DiscardHandler))
	s.Auth.Cost = auth.Cost{Memory: 64, Passes: 1, Threads: 1}
	t.Cleanup(func() { _ = s.Auth.Close(context.WithoutCancel(t.Context())) })
	s.Engine.Actor = s.Auth.Actor
	link, needed, err := s.Auth.FirstLink(t.Context())
	if err != nil || !needed {
		t.Fatalf("no link for the first administrator: %v", err)
	}
	token, who, err := s.Auth.CreateFirst(t.Context(), link, auth.First{LANID: "admin", FirstName: "Ann", LastName: "Admin", Password: "a fine long pass phrase"}, auth.Client{Address: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(s.Handler())
	t.Cleanup(listening.Close)
	return &console{Server: s, t: t, base: listening.URL, token: token, who: who}
}

// reply is an answer that was read to its end.
type reply struct {
	*http.Response
	body string
}

func (c *console) send(method, path string, body io.Reader, header ...string) reply {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: cookieName, Value: c.token})
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return reply{resp, string(all)}
}

func (c *console) get(path string, header ...string) string {
	c.t.Helper()
	r := c.send(http.MethodGet, path, nil, header...)
	if r.StatusCode != http.StatusOK {
		c.t.Fatalf("GET %s: %d\n%s", path, r.StatusCode, r.body)
	}
	return r.body
}

// post sends a form of names and values.
func (c *console) post(path string, pairs ...string) reply {
	c.t.Helper()
	form := strings.TrimPrefix(withQuery("", pairs...), "?")
	return c.send(http.MethodPost, path, strings.NewReader(form), "Content-Type", "application/x-www-form-urlencoded")
}

// upload sends files as the dialog does: the options first.
func (c *console) upload(options []string, files map[string]string, header ...string) reply {
	c.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, o := range options {
		if err := w.WriteField(o, "yes"); err != nil {
			c.t.Fatal(err)
		}
	}
	for name, content := range files {
		part, err := w.CreateFormFile("files", name)
		if err != nil {
			c.t.Fatal(err)
		}
		if _, err := io.WriteString(part, content); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		c.t.Fatal(err)
	}
	return c.send(http.MethodPost, "/imports", &body, append([]string{"Content-Type", w.FormDataContentType()}, header...)...)
}

// imported uploads UserDetails with these rows, and lets the batch run until it is at rest.
func (c *console) imported(options []string, rows ...string) *batch.Batch {
	c.t.Helper()
	r := c.upload(options, map[string]string{"UserDetails.csv": userDetails(rows...)}, "Accept", "application/json")
	var made struct {
		Batch    int64
		Location string
	}
	if err := json.Unmarshal([]byte(r.body), &made); err != nil || r.StatusCode != http.StatusCreated || made.Location != batchPath(made.Batch) {
		c.t.Fatalf("the upload: %d %s, %v", r.StatusCode, r.body, err)
	}
	return c.run(made.Batch)
}

func (c *console) run(id int64) *batch.Batch {
	c.t.Helper()
	b, err := c.Engine.Execute(c.t.Context(), id, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

func userDetails(rows ...string) string {
	return strings.Join(directory.Columns(), ",") + "\n" + strings.Join(rows, "\n") + "\n"
}

// somebody is a good row; the unit and the role may be others.
func somebody(lan, pbx, unit, role string) string {
	return fmt.Sprintf("%s,Some,Body,%s,%s,Agent,jsmith,%s,%s,,,", lan, lan, pbx, unit, role)
}

func wants(t *testing.T, what, body string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(body, want) {
			t.Errorf("%s lacks %q:\n%s", what, want, body)
		}
	}
}

func TestImportDialog(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		c := startConsole(t, cfg)
		part := c.get("/imports/new", "HX-Request", "true", "HX-Target", "dialog")
		wants(t, "the dialog", part, "User detail template", "User channel template", "User feature template", "Select files…", `name="preview" value="yes" checked`)
		if strings.Contains(part, "<html") {
			t.Error("the dialog is a whole page")
		}
		wants(t, "the page", c.get("/imports/new"), "<html", "User detail template")
		r := c.send(http.MethodGet, "/templates/ChannelCountDetails.csv", nil)
		if r.body != "\ufeffLAN ID,Voice,Text Chat,Audio Chat,Video Chat,Fax,Email,SMS\r\n" || r.Header.Get("Content-Disposition") != "attachment; filename=ChannelCountDetails.csv" {
			t.Errorf("the channel template is %q, %v", r.body, r.Header)
		}
		if r := c.send(http.MethodGet, "/templates/Other.csv", nil); r.StatusCode != http.StatusNotFound {
			t.Errorf("a template that there is not: %d", r.StatusCode)
		}
	})
}

func TestUploadRefused(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		c := startConsole(t, cfg)
		c.Engine.MaxUpload = 1000
		large := map[string]string{"Large.csv": strings.Repeat("x", 5_000_000)}
		r := c.upload(nil, large, "Accept", "application/json")
		if r.StatusCode != http.StatusRequestEntityTooLarge || !r.Close {
			t.Errorf("a file that is too large: %d, closed %t", r.StatusCode, r.Close)
		}
		wants(t, "the refusal", r.body, "Large.csv is larger than 1 kB")
		many := map[string]string{}
		for i := range batch.MaxFiles + 1 {
			many[fmt.Sprintf("f%d.csv", i)] = "x"
		}
		if r := c.upload(nil, many, "Accept", "application/json"); r.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("too many files: %d %s", r.StatusCode, r.body)
		}
		if r := c.upload(nil, nil, "Accept", "application/json"); r.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("no file: %d %s", r.StatusCode, r.body)
		}
		if err := c.Auth.SignOut(t.Context(), c.token); err != nil {
			t.Fatal(err)
		}
		if r := c.upload(nil, map[string]string{"a.csv": "x"}, "Accept", "application/json"); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("signed out: %d %s", r.StatusCode, r.body)
		}
		if _, total, err := c.Engine.List(t.Context(), directory.System("test"), batch.ListQuery{Limit: 10}); err != nil || total != 1 {
			t.Errorf("there are %d batches beside the demo's: %v", total-1, err)
		}
	})
}

// The session ends while the files are on their way.
func TestSignedOutDuringUpload(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) { signedOutDuringUpload(t, startConsole(t, cfg)) })
}

func signedOutDuringUpload(t *testing.T, c *console) {
	in, into := io.Pipe()
	w := multipart.NewWriter(into)
	go func() {
		part, err := w.CreateFormFile("files", "UserDetails.csv")
		if err == nil {
			_, err = io.WriteString(part, userDetails(somebody("a1", "1", "Cards Team 1", "Agent")))
		}
		if err == nil {
			// By now the request was let in, for its body is read.
			err = c.Auth.SignOut(t.Context(), c.token)
		}
		if err == nil {
			err = w.Close()
		}
		into.CloseWithError(err)
	}()
	r := c.send(http.MethodPost, "/imports", in, "Content-Type", w.FormDataContentType(), "Accept", "application/json")
	if r.StatusCode != http.StatusUnauthorized {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}
