package main

import (
	"fmt"
	"testing"

	"muster/internal/web/browsertest"
)

// Every page in every state, light and dark: no violation that axe knows, nothing wider than a narrow window or than a
// window at 200 %.
func TestConsoleGallery(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := browsertest.New(t, c.url)
	b.Open("/_gallery")
	pages := browsertest.Eval[[]string](b, `[...document.querySelectorAll('main a[href^="/_gallery/"]')].map(a => a.getAttribute('href'))`)
	if len(pages) < 20 {
		t.Fatalf("only %d pages in the gallery", len(pages))
	}
	pages = append(pages, "/_gallery")
	const parts = 2 // at the same time
	for part := range parts {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			b := browsertest.New(t, c.url)
			b.Open("/_gallery")
			for i, path := range pages {
				if i%parts == part {
					lookAt(b, path)
				}
			}
			b.Quiet()
		})
	}
}

// look is lookAt, and axe in the narrow window, too.
func look(b *browsertest.Tab, path string) {
	b.T.Helper()
	lookAt(b, path)
	b.Resize(375, 800, 1)
	b.Accessible(path + " at 375 pixels")
}

// lookAt examines a page in both themes and in three windows.
func lookAt(b *browsertest.Tab, path string) {
	b.T.Helper()
	for _, theme := range []string{"light", "dark"} {
		browsertest.Eval[bool](b, fmt.Sprintf(`(document.cookie = 'muster-theme=%s; path=/', true)`, theme))
		b.Resize(1440, 900, 1)
		b.Open(path)
		b.Until(`document.readyState === 'complete' && !document.querySelector('.htmx-request')`)
		b.Accessible(path + ", " + theme)
	}
	b.Resize(375, 800, 1)
	b.Fits(path + " at 375 pixels")
	b.Resize(720, 450, 2) // a window of 1440 × 900 at 200 %
	b.Fits(path + " at 200 %")
}

// The same with what really comes out of the directory.
func TestConsolePages(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := c.signedIn()
	paths, expected := generate(t, 2000)
	startLarge(b, paths)
	counted(b, expected.Inserted, expected.Duplicate, expected.Invalid)
	for _, path := range []string{
		"/users", "/users?q=zzzzzz", "/users?size=0&sort=nonsense", "/users?selected=all&sort=-changed_at",
		"/batches", "/batches/1", "/batches/1?show=duplicate", "/batches/1?show=inserted", "/batches/1/correct", "/batches/99", "/imports/new", "/account",
	} {
		look(b, path)
	}
	for _, opened := range []string{"Org unit", "Filters"} {
		b.Resize(1440, 900, 1)
		b.Open("/users")
		b.Click(opened)
		b.Until(`document.querySelector('#dialog').open`)
		b.Accessible(opened)
		b.Resize(375, 800, 1)
		b.Fits(opened + " at 375 pixels")
	}
	b.Resize(1440, 900, 1)
	b.Open("/users")
	b.Click("Select actions…")
	b.Accessible("the menu")
	b.Quiet()
}
