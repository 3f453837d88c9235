package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// get asks for a path, and returns the status and what came.
func (c *console) get(path string) (int, string) {
	c.t.Helper()
	r, err := http.Get(c.url + path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

// upload sends files to import as the dialog does, and returns the batch.
func (c *console) upload(cookies []*http.Cookie, paths ...string) int {
	c.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("in_file_supervisors", "yes"); err != nil {
		c.t.Fatal(err)
	}
	for _, path := range paths {
		part, err := form.CreateFormFile("files", filepath.Base(path))
		if err != nil {
			c.t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			c.t.Fatal(err)
		}
		if _, err := part.Write(content); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		c.t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, c.url+"/imports", &body)
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("Accept", "application/json")
	for _, cookie := range cookies {
		request.AddCookie(cookie)
	}
	r, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Body.Close()
	var made struct{ Batch int }
	if err := json.NewDecoder(r.Body).Decode(&made); err != nil || made.Batch == 0 {
		c.t.Fatalf("POST /imports: %s, %v", r.Status, err)
	}
	return made.Batch
}

// Told to stop, the server ends the chunk under way and goes in good order; the next one carries the import on.
func TestConsoleStops(t *testing.T) {
	t.Parallel()
	eachConsole(t, func(t *testing.T, c *console) {
		for path, want := range map[string]string{"/healthz": "alive\n", "/readyz": "ready\n"} {
			if status, body := c.get(path); status != http.StatusOK || body != want {
				t.Errorf("%s: %d %q", path, status, body)
			}
		}
		cookies := c.administratorCookies()
		paths, expected := generate(t, largeImport)
		id := c.upload(cookies, paths...)
		began := time.Now()
		if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := c.cmd.Wait(); err != nil {
			t.Fatalf("the server ended badly: %v\n%s", err, c.log)
		}
		if took := time.Since(began); took > graceful {
			t.Errorf("it took %s to stop", took)
		}
		c.again()
		if c.link != "" {
			t.Error("there is an administrator, and the server prints a link for the first one")
		}
		var shown struct {
			State  string
			Counts struct{ Inserted, Duplicate, Invalid int }
		}
		for end := time.Now().Add(90 * time.Second); shown.State != "done" && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if err := json.Unmarshal(c.must("batches", "show", fmt.Sprint(id), "--json", "--rows", "none"), &shown); err != nil {
				t.Fatal(err)
			}
		}
		if got := shown.Counts; shown.State != "done" || got.Inserted != expected.Inserted || got.Duplicate != expected.Duplicate || got.Invalid != expected.Invalid {
			t.Errorf("the import is %s with %+v, want %+v", shown.State, got, expected)
		}
	})
}

// administratorCookies makes the administrator and returns what their browser keeps.
func (c *console) administratorCookies() []*http.Cookie {
	c.t.Helper()
	return c.fill(c.link, firstAdministrator())
}

// Somebody else has the port: the message says so and what to do.
func TestServeAddressTaken(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	cmd := c.command("serve", "--listen", strings.TrimPrefix(c.url, "http://"))
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != exitFailed || !strings.Contains(string(out), "choose another --listen") {
		t.Errorf("exit code %d: %s", cmd.ProcessState.ExitCode(), out)
	}
}
