package main

import (
	"os"
	"path/filepath"
	"testing"

	"muster/internal/sample"
	"muster/internal/web/browsertest"
)

// The pictures of the documentation. `make screenshots` writes them; otherwise nobody needs them anew.
func TestScreenshots(t *testing.T) {
	into := os.Getenv("MUSTER_DOC_SCREENSHOTS")
	if into == "" {
		t.Skip("only make screenshots writes them")
	}
	if err := os.MkdirAll(into, 0o777); err != nil {
		t.Fatal(err)
	}
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	b.Resize(1440, 860, 1)
	demo, dir := sample.Demo(), t.TempDir()
	var paths []string
	for i, content := range [][]byte{demo.Users, demo.Channels, demo.Features} {
		path := filepath.Join(dir, templates[i][1])
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	picture := func(name string) {
		t.Helper()
		browsertest.Eval[bool](b, `document.fonts.ready.then(() => new Promise(r => setTimeout(() => r(true), 400)))`)
		if err := os.WriteFile(filepath.Join(into, name+".png"), b.Screenshot(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	b.Open("/users")
	b.Click("Select actions…")
	b.ClickOn(`document.getElementById('action-import')`, "Import users in the menu")
	b.See("User detail template")
	picture("import")
	startLarge(b, paths)
	b.See("Inserted records")
	picture("result")
	b.Open("/batches/1/correct")
	b.Until(`document.querySelector('.tabulator-row')`)
	picture("correct")
	faces, _ := sample.DemoPictures()
	b.Open("/users")
	b.Click("Select actions…")
	b.Click("Import user profile pictures")
	b.See("User attribute to match pictures")
	b.Click("Select file…")
	b.Choose(saved(t, "ProfilePictures.zip", faces))
	b.Click("Upload")
	b.See("Ready to import")
	picture("pictures")
	b.ClickOn(`document.querySelector('#apply')`, "the button that imports them")
	b.See("Inserted records")
	b.Open("/batches")
	picture("history")
	b.Open("/users?org_unit=UAE")
	b.Click("Select all on this page")
	b.Click("Select actions…")
	b.Click("Assign role")
	b.Until(`document.querySelector('dialog[open] #edit-form')`)
	b.Click("Quality Coach")
	b.Until(`!document.querySelector('.htmx-request')`)
	picture("assign-role")
	for _, theme := range []string{"light", "dark"} {
		browsertest.Eval[bool](b, "(document.cookie = 'muster-theme="+theme+"; path=/', true)")
		b.Open("/users?org_unit=UAE")
		b.Click("Select actions…")
		picture("grid-" + theme)
	}
}
