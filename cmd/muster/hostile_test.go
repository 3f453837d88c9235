package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"muster/internal/sqldb/sqldbtest"
)

const header = "LAN ID,First Name,Last Name,Agent ID,PBX ID,Profile,Supervisor,Org Unit,Role,Access Role,CRM Name,Text Chat Greeting Template Name\n"

// hostile are files that nothing can be made of: each ends with exit code 2, a message that says what is wrong, and
// nothing written.
var hostile = map[string]struct {
	files map[string]func(t *testing.T, path string)
	code  string // of the file problem; empty where it never came to one
	says  string
}{
	"no such file":            {map[string]func(*testing.T, string){"missing.csv": nil}, "", "there is no file"},
	"a directory":             {map[string]func(*testing.T, string){"folder": mkdir}, "", "is a directory"},
	"empty":                   {content("empty.csv", ""), "file.no_header", "empty"},
	"a PNG named .csv":        {content("picture.csv", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), "file.not_text", "PNG"},
	"a line of 3 GB":          {map[string]func(*testing.T, string){"long.csv": longLine}, "", "larger than"},
	"a long line":             {content("line.csv", header+strings.Repeat("x", 3<<20)), "file.too_large", "Row 2"},
	"truncated XLSX":          {map[string]func(*testing.T, string){"cut.xlsx": truncated}, "file.not_text", "damaged"},
	"XLSX of 10 GB":           {map[string]func(*testing.T, string){"bomb.xlsx": bomb}, "file.too_large", "unpack"},
	"quotes at the last row":  {content("quotes.csv", header+"a,b,c,,1,Agent,x,y,z,,,\n\"b,b,c"), "file.bad_quotes", "row 3"},
	"NUL bytes":               {content("nul.csv", header+"a\x00,b,c,,1,Agent,x,y,z,,,\n"), "file.not_text", "NUL"},
	"two UserDetails":         {two(), "file.two_of_a_kind", "select only one"},
	"a header in another way": {content("deutsch.csv", "Benutzer,Vorname,Nachname,Durchwahl,Abteilung\nx,y,z,1,2\n"), "file.unknown_kind", "templates"},
}

func content(name, text string) map[string]func(*testing.T, string) {
	return map[string]func(*testing.T, string){name: func(t *testing.T, path string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}}
}

func two() map[string]func(*testing.T, string) {
	all := content("one.csv", header)
	all["two.csv"] = content("two.csv", header)["two.csv"]
	return all
}

func mkdir(t *testing.T, path string) {
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

// longLine is sparse: it takes no room on disk.
func longLine(t *testing.T, path string) {
	if err := os.WriteFile(path, []byte(header), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 3<<30); err != nil {
		t.Fatal(err)
	}
}

func truncated(t *testing.T, path string) {
	f := excelize.NewFile()
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes()[:b.Len()*2/3], 0o600); err != nil {
		t.Fatal(err)
	}
}

// bomb is a real workbook whose sheet unpacks to 10 GB from some 10 MB.
func bomb(t *testing.T, path string) {
	f := excelize.NewFile()
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	book, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w := zip.NewWriter(out)
	for _, part := range book.File {
		if part.Name != "xl/worksheets/sheet1.xml" {
			if err := w.Copy(part); err != nil {
				t.Fatal(err)
			}
			continue
		}
		sheet, err := w.Create(part.Name)
		if err != nil {
			t.Fatal(err)
		}
		// One deflated block of 64 MB, written 160 times.
		spaces := bytes.Repeat([]byte(" "), 64<<20)
		n := 160
		if testing.Short() {
			n = 40
		}
		for range n {
			if _, err := sheet.Write(spaces); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestHostileFiles(t *testing.T) {
	t.Parallel()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for name, h := range hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			args := []string{"import", "users", "--yes", "--json", "--data-dir", filepath.Join(dir, "data")}
			for file, make := range h.files {
				path := filepath.Join(dir, file)
				if make != nil {
					make(t, path)
				}
				args = append(args, path)
			}
			cmd := exec.Command(bin, args...)
			out, err := cmd.Output()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 2 {
				t.Fatalf("ended with %v, want exit code 2\n%s", err, out)
			}
			said := string(out) + string(exit.Stderr)
			if !strings.Contains(said, h.says) || !strings.Contains(said, h.code) {
				t.Errorf("does not say %q (%s):\n%s", h.says, h.code, said)
			}
			for _, leak := range []string{"panic", "goroutine", "sqlite", "errors.", "0x"} {
				if strings.Contains(said, leak) {
					t.Errorf("shows its insides (%s):\n%s", leak, said)
				}
			}
			if n := users(t, exec.Command(bin, "users", "list", "--json", "--data-dir", filepath.Join(dir, "data"))); n != 0 {
				t.Errorf("%d users were written", n)
			}
		})
	}
}

func users(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	out, err := cmd.Output()
	var list struct{ Total int }
	if err != nil || json.Unmarshal(out, &list) != nil {
		t.Fatalf("users list: %v\n%s", err, out)
	}
	return list.Total
}

// mounted is a small file system of its own, for tests that need one that fills up or cannot be written.
func mounted(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("needs the right to mount a file system (as root in CI's sandbox): %v %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
	return dir
}

// TestFullDisk fills the disk in the middle of an import: it ends with exit code 2 and a message, and goes on to the
// same end once there is room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	files := crashFiles(t, 20_000)
	calm := newPlace(t, "sqlite", files)
	calm.must(importArgs(files)...)
	want := calm.state(1)

	p := newPlace(t, "sqlite", files)
	p.dir = mounted(t, "size=9m")
	p.args = []string{"--data-dir", p.dir}
	p.must("setup", "apply", "--yes", filepath.Join(files, "organisation.yaml"))
	out, err := p.command(importArgs(files)...).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), "disk") && !strings.Contains(string(out), "space") {
		t.Fatalf("on a full disk: %v\n%.1500s", err, out)
	}
	if n := users(t, p.command("users", "list", "--json")); n != 0 && n >= 19_000 {
		t.Fatalf("the disk was not full: %d users", n)
	}
	if out, err := exec.Command("mount", "-o", "remount,size=200m", p.dir).CombinedOutput(); err != nil {
		t.Fatalf("make room: %v %s", err, out)
	}
	if got := p.state(p.recover(files)); got != want {
		t.Errorf("after there was room again, the state differs:\n%.2000s", got.Report)
	}
}

func TestReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := mounted(t, "size=1m,ro")
	files := crashFiles(t, 10)
	for _, data := range []string{dir, filepath.Join(dir, "data")} {
		cmd := exec.Command(bin, append(importArgs(files), "--data-dir", data)...)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), "cannot be") {
			t.Errorf("in %s: %v\n%s", data, err, out)
		}
	}
}

// TestDatabaseGone takes PostgreSQL away in the middle of an import, for three seconds: the import waits, says so, and
// goes on.
func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	files := crashFiles(t, 60_000)
	calm := newPlace(t, "postgres", files)
	calm.must(importArgs(files)...)
	want := calm.state(1)

	p := newPlace(t, "sqlite", files) // for its directory; the database is another
	proxy := newProxy(t, sqldbtest.Postgres(t))
	p.args = []string{"--data-dir", p.dir, "--database", proxy.url}
	p.must("setup", "apply", "--yes", filepath.Join(files, "organisation.yaml"))
	cmd := p.command(importArgs(files)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cut := false
	buf := make([]byte, 1024)
	for {
		n, err := stderr.Read(buf)
		said.Write(buf[:n])
		if !cut && strings.Contains(said.String(), "applying") {
			cut = true
			proxy.cut()
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !cut || !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("cut %v, ended with %v:\n%s", cut, err, said.String())
	}
	if got := p.state(1); got != want {
		t.Errorf("the state differs:\n%.2000s\n%s", got.Report, said.String())
	}
}
