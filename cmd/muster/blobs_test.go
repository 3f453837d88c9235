package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/blob/blobtest"
)

// fails runs a command that cannot run, and returns what it says.
func (p *place) fails(args ...string) string {
	p.t.Helper()
	out, err := p.command(args...).CombinedOutput()
	if err == nil {
		p.t.Errorf("muster %v did not fail:\n%s", args, out)
	}
	for _, line := range p.env {
		if _, secret, found := strings.Cut(line, "SECRET_ACCESS_KEY="); found && secret != "" && strings.Contains(string(out), secret) {
			p.t.Errorf("muster %v says the secret:\n%s", args, out)
		}
	}
	return string(out)
}

// Files are in a bucket where the command line says so: nothing of them is in the data directory. What is wrong with the
// store is said at the start of a server, and by whatever command needs it.
func TestFilesInABucket(t *testing.T) {
	t.Parallel()
	server := blobtest.NewServer(t)
	files := t.TempDir()
	organisation, err := os.ReadFile(filepath.Join("testdata", "shared", "setup.yaml"))
	if err == nil {
		err = os.WriteFile(filepath.Join(files, "organisation.yaml"), organisation, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t, "sqlite", files)
	p.args, p.env = append(p.args, "--blobs", server.Address), server.Env
	users := filepath.Join(files, "UserDetails.csv")
	rows := "LAN ID,First Name,Last Name,Agent ID,PBX ID,Profile,Supervisor,Org Unit,Role,Access Role,CRM Name,Text Chat Greeting Template Name\n" +
		"boss1,Bo,Oss,,1,Supervisor,,Nowhere at all,Nothing,,,\n"
	if err := os.WriteFile(users, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	p.must("import", "users", "--yes", "--json", users)
	if names := server.Keys(t); len(names) != 1 {
		t.Errorf("in the bucket: %v", names)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "blobs")); !os.IsNotExist(err) {
		t.Errorf("the data directory has blobs: %v", err)
	}
	rejects := filepath.Join(t.TempDir(), "rejects")
	p.must("batches", "rejects", "1", rejects)
	if text, err := os.ReadFile(filepath.Join(rejects, "UserDetails.csv")); err != nil || !strings.Contains(string(text), "Nowhere at all") {
		t.Errorf("rejects, as read from the bucket: %v\n%s", err, text)
	}
	serve := []string{"serve", "--listen", "127.0.0.1:0"}
	refuse := func(status int, code string) {
		server.Answer(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(status)
			w.Write([]byte("<Error><Code>" + code + "</Code></Error>"))
			return true
		})
	}
	for _, c := range []struct {
		status     int
		code, says string
	}{{404, "NoSuchBucket", "there is no bucket muster at 127.0.0.1"}, {403, "InvalidAccessKeyId", "refuses Muster's key; check AWS_ACCESS_KEY_ID"}} {
		refuse(c.status, c.code)
		for _, args := range [][]string{serve, {"import", "users", "--yes", users}} {
			if said := p.fails(args...); !strings.Contains(said, c.says) {
				t.Errorf("%s: %v says\n%s", c.code, args, said)
			}
		}
	}
	p.must("users", "list") // it needs no stored file
	server.Answer(nil)
	p.env = []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="}
	if said := p.fails(serve...); !strings.Contains(said, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") {
		t.Errorf("without a key it says\n%s", said)
	}
	p.args[len(p.args)-1] = "s3://key:secret@bucket"
	if said := p.fails(serve...); !strings.Contains(said, "has a key in it") || strings.Contains(said, "key:secret") {
		t.Errorf("with a key in the address it says\n%s", said)
	}
}
