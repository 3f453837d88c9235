package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"muster/internal/sample"
	"muster/internal/web/browsertest"
)

// zipOf is an archive of files: name, content, name, content.
func zipOf(t *testing.T, files ...any) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i].(string))
		if err == nil {
			_, err = w.Write(files[i+1].([]byte))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// saved writes a file and returns where.
func saved(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// drop drops a file on the page's dialog, as a file manager would.
func drop(b *browsertest.Tab, name string, content []byte) {
	b.T.Helper()
	browsertest.Eval[bool](b, fmt.Sprintf(`(() => {
		const dropped = new DataTransfer();
		dropped.items.add(new File([Uint8Array.from(atob(%q), c => c.charCodeAt(0))], %q));
		const on = document.querySelector('#dialog .import-drop');
		for (const name of ['dragenter', 'dragover', 'drop']) on.dispatchEvent(new DragEvent(name, {dataTransfer: dropped, bubbles: true, cancelable: true}));
		return true;
	})()`, base64.StdEncoding.EncodeToString(content), name))
}

// facesCounted waits for a preview or result with these counts.
func facesCounted(b *browsertest.Tab, inserted, invalid int) {
	b.T.Helper()
	for outcome, n := range map[string]int{"inserted": inserted, "invalid": invalid} {
		b.UntilWithin(90*time.Second, fmt.Sprintf(`document.querySelector('[data-outcome=%s] .num')?.innerText === %q`, outcome, thousands(n)))
	}
}

// shownPictures waits until the pictures that an expression selects have come.
func shownPictures(b *browsertest.Tab, selector string, n int) {
	b.T.Helper()
	b.Until(fmt.Sprintf(`(all => all.length === %d && all.every(i => i.complete && i.naturalWidth > 0))([...document.querySelectorAll(%q)])`, n, selector))
}

// The procedure of the manual, word for word: the menu, the attribute, the ZIP dropped on the dialog, Upload, and behind each blue
// number its records. Then the faces are in the grid.
func TestConsolePicturesProcedure(t *testing.T) {
	t.Parallel()
	eachConsole(t, func(t *testing.T, c *console) {
		b := withLeads(t, c)
		b.Open("/users")
		b.Click("Select actions…")
		b.Click("Import user profile pictures")
		b.See("User attribute to match pictures")
		b.Accessible("the dialog")
		b.Pick("User attribute to match pictures", "Agent ID")
		b.Click("Preview first") // the manual knows none
		drop(b, "Archive.zip", zipOf(t,
			"Pictures/lholm15.jpg", sample.Face("Lena"), "Pictures/PNAIR14.jpg", sample.Face("Priya"), "Pictures/nobody7.jpg", sample.Face("nobody"),
			"Pictures/lholm15.png", []byte("GIF89a"), "__MACOSX/Pictures/._lholm15.jpg", []byte{0, 5, 22, 7}, "Pictures/.DS_Store", []byte{0, 0, 0, 1}))
		b.See("Archive.zip, ")
		b.Click("Upload")
		facesCounted(b, 2, 2)
		b.See("Inserted records")
		b.See("Invalid records")
		b.ClickOn(`document.querySelector('[data-outcome=inserted] .num')`, "the blue number of the inserted")
		b.See("Pictures/PNAIR14.jpg")
		b.See("Lena Holm")
		shownPictures(b, ".pictures-table img", 2)
		b.See("2 files that operating systems put into archives were passed over")
		b.Accessible("the result")
		b.ClickOn(`document.querySelector('[data-outcome=invalid] .num')`, "the blue number of the invalid")
		b.See("Nobody has the Agent ID")
		b.ClickOn(`document.querySelector('.code-chip[data-code="picture.not_an_image"]')`, "the problem")
		b.Until(`document.querySelectorAll('.pictures-table tbody tr').length === 1`)
		b.See("whatever its name says")

		b.Open("/users")
		shownPictures(b, ".users-grid .face", 2)
		if moved := browsertest.Eval[int](b, `[...document.querySelectorAll('.users-grid .face')].filter(i => i.width !== i.parentElement.clientWidth || i.loading !== 'lazy').length`); moved > 0 {
			t.Errorf("%d faces are not as large as their place, or are loaded before they are to be seen", moved)
		}
		heights := browsertest.Eval[int](b, `new Set([...document.querySelectorAll('.users-grid tbody tr')].map(r => Math.round(r.getBoundingClientRect().height))).size`)
		if heights != 1 {
			t.Errorf("rows with a face and rows with initials are %d different heights", heights)
		}
		if shift := browsertest.Eval[float64](b, `new Promise(done => {
			let moved = 0;
			new PerformanceObserver(list => list.getEntries().forEach(e => { moved += e.value; })).observe({type: 'layout-shift', buffered: true});
			requestAnimationFrame(() => requestAnimationFrame(() => done(moved)));
		})`); shift > .01 {
			t.Errorf("the grid moved while its faces came: a layout shift of %.3f", shift)
		}
		b.Accessible("the grid with faces")
		b.Open("/batches")
		b.See("Import user profile pictures")
		b.See("2 inserted")
		b.Open("/audit")
		b.See("Import user profile pictures is done")
		b.Quiet()
	})
}

// By the keyboard alone: the preview with faces, a picture that nobody has given to somebody, the import, the undo.
func TestConsolePicturesKeyboard(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := withLeads(t, c)
	b.Open("/users")
	b.Until(`document.readyState === 'complete'`)
	b.Press("a")
	b.Until(`document.activeElement.innerText.includes('Import users')`)
	b.Press(kb.ArrowDown + kb.Enter)
	b.Until(`document.activeElement.innerText === 'Select file…'`)
	b.Press(kb.Enter)
	b.Choose(saved(t, "faces.zip", zipOf(t, "lholm15.jpg", sample.Face("Lena"), "IMG_2034.jpg", sample.Face("Priya"))))
	b.Until(`document.activeElement.innerText === 'Upload'`)
	b.Press(kb.Enter)
	b.See("Ready to import 1 picture")
	facesCounted(b, 1, 1)
	shownPictures(b, ".pictures-table img", 1)
	tabTo(b, "Give to a user")
	b.Press(kb.Enter)
	b.Until(`document.activeElement.id === 'give-search'`)
	b.Press("zzz")
	b.See("Nobody whom you may see is called that")
	b.Press(strings.Repeat(kb.Backspace, 3) + "priya")
	b.Until(`document.querySelectorAll('.give-user').length === 1`)
	b.Accessible("the search for a user")
	b.Press(kb.Tab)
	b.Until(`document.activeElement.classList.contains('give-user')`)
	b.Press(kb.Enter)
	b.See("Ready to import 2 pictures")
	facesCounted(b, 2, 0)
	b.See("Given by hand")
	shownPictures(b, ".pictures-table img", 2)
	tabTo(b, "Import 2 pictures")
	b.Press(kb.Enter)
	b.See("Inserted records")
	facesCounted(b, 2, 0)
	tabTo(b, "Undo this import")
	b.Press(kb.Enter)
	b.See("who had one before gets it back")
	tabTo(b, "Take back 2 pictures")
	b.Press(kb.Enter)
	b.See("2 users have again what they had before")
	b.Open("/users")
	b.See("lholm15")
	shownPictures(b, ".users-grid .face", 0)
	b.Quiet()
}

// halves is a picture whose left is red and whose right is blue, with lines that keep it sharp.
func halves(t *testing.T, width, height int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		x, y := i%width, i/width
		c := color.RGBA{200, 60, 60, 255}
		if x >= width/2 {
			c = color.RGBA{60, 60, 200, 255}
		}
		if (x/4+y/4)%2 == 0 {
			c.G = 140
		}
		img.SetRGBA(x, y, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// One picture by hand: what is wrong is said at once and in the import's words, nothing that was typed is lost, the frame
// is moved with the mouse and the keys, and what it holds is what is kept.
func TestConsolePictureByHand(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := withLeads(t, c)
	openUser(b, "lholm15", "Lena Holm")
	b.See("There is none.")
	b.Click("Add a picture")
	at(b, "picture")
	choose := func(path string) {
		t.Helper()
		b.ClickOn(`document.getElementById('picture')`, "the field")
		b.Choose(path)
	}
	choose(saved(t, "lena.jpg", []byte("GIF89a is no JPEG")))
	noted(b, "picture", "whatever its name says")
	b.Until(`document.getElementById('picture').getAttribute('aria-invalid') === 'true'`)
	b.Accessible("a picture that cannot be used")
	choose(saved(t, "huge.jpg", make([]byte, 5_000_000)))
	noted(b, "picture", "huge.jpg: ")
	noted(b, "picture", "5,000,000")

	choose(saved(t, "lena.png", halves(t, 600, 400)))
	noted(b, "picture", "It can be used: PNG, 600 × 400 pixels")
	value(b, "crop_size", "400")
	value(b, "crop_x", "100")
	b.Accessible("a picture with its frame")
	b.ClickOn(`document.querySelector('[data-crop-by="-1,0"]')`, "the button that moves the frame to the left")
	value(b, "crop_x", "80")
	middle := func() { b.ClickOn(`document.querySelector('[data-crop-stage]')`, "the middle of the picture") }
	middle() // which lies in the frame
	b.Until(`document.activeElement.hasAttribute('data-crop-frame')`)
	b.Press(strings.Repeat("-", 10) + strings.Repeat(kb.ArrowLeft, 40))
	value(b, "crop_size", "240")
	value(b, "crop_x", "0")
	middle()
	value(b, "crop_x", "180")
	b.Press(strings.Repeat(kb.ArrowLeft, 40))
	value(b, "crop_x", "0")
	// An error elsewhere: the picture and its frame are there again.
	b.Click("Personal info")
	b.Type("PBX ID", "41002")
	b.Click("Save")
	b.See("1 field to mend")
	b.Until(`document.getElementById('picture').files.length === 1 && document.getElementById('picture').files[0].name === 'lena.png'`)
	value(b, "crop_size", "240")
	b.Type("PBX ID", "41001")
	b.Click("Save")
	b.See(", 240 × 240 pixels")
	shownPictures(b, ".user-picture-large", 1)
	red := browsertest.Eval[bool](b, `(() => {
		const c = document.createElement('canvas'), g = c.getContext('2d'), i = document.querySelector('.user-picture-large');
		c.width = c.height = 1;
		g.drawImage(i, 0, 0, 1, 1);
		const [r, , blue] = g.getImageData(0, 0, 1, 1).data;
		return r > 150 && blue < 100;
	})()`)
	if !red {
		t.Error("what was kept is not what lay in the frame")
	}
	b.Accessible("the user's page with a picture")
	b.Click("Remove…")
	b.See("their initials are shown instead")
	b.Accessible("the question before a picture is removed")
	b.Click("Remove the picture")
	b.See("There is none.")
	b.Quiet()
}

// What is no archive, or a hostile one, is refused in a sentence; what cannot be sent is not.
func TestConsolePicturesRefused(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := withLeads(t, c)
	b.Open("/pictures/new")
	b.Click("Upload")
	b.See("No file yet")
	b.Click("Select file…")
	b.Choose(saved(t, "hostile.zip", lockedZip(t)))
	b.Click("Upload")
	b.See("This archive cannot be used")
	b.See("encrypted")
	b.Accessible("an archive that cannot be used")
	b.Click("Select another file")
	b.Click("Select file…")
	b.Choose(saved(t, "pictures.zip", []byte("not an archive at all")))
	b.Click("Upload")
	b.Until(`location.pathname === '/batches/3'`)
	b.See("This archive cannot be used")
	b.Open("/users")
	shownPictures(b, ".users-grid .face", 0)
	b.Quiet()
}

// lockedZip is an archive whose only file says that it is encrypted.
func lockedZip(t *testing.T) []byte {
	t.Helper()
	content := zipOf(t, "lholm15.jpg", sample.Face("Lena"))
	for _, header := range [][2]int{{bytes.Index(content, []byte("PK\x03\x04")), 6}, {bytes.Index(content, []byte("PK\x01\x02")), 8}} {
		content[header[0]+header[1]] |= 1
	}
	return content
}
