package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	touching "github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"muster/internal/sample"
	"muster/internal/web/browsertest"
)

// heavy is an archive of one picture, and something that makes it so many bytes larger and cannot be packed.
func heavy(t *testing.T, bytes int) []byte {
	t.Helper()
	ballast := make([]byte, bytes)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(ballast) // never fails
	return zipOf(t, "lholm15.jpg", sample.Face("Lena"), "__MACOSX/ballast", ballast)
}

// noBatchOf fails the test where an upload that was refused made a batch.
func noBatchOf(b *browsertest.Tab, file string) {
	b.T.Helper()
	b.Open("/batches")
	b.See("UserDetails.csv")
	if b.Sees(file) {
		b.T.Errorf("the upload of %s made a batch", file)
	}
}

// A session ends while a ZIP is on its way. No batch is made, the ZIP stays selected, and after signing in again in another
// tab it is one click.
func TestConsolePicturesExpired(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := withLeads(t, c)
	b.Open("/pictures/new")
	b.Click("Select file…")
	b.Choose(saved(t, "faces.zip", heavy(t, 8_000_000)))
	b.See("faces.zip, 8.0 MB")
	b.Throttle(400_000)
	b.Click("Upload")
	b.Until(`document.querySelector('progress')?.value > 5`)
	c.signOutEverywhere()
	if browsertest.Eval[string](b, `document.getElementById('import').dataset.state`) != "busy" {
		t.Fatal("the upload was over before the session was")
	}
	b.Throttle(0)
	b.See("You are signed out")
	b.See("Your files are still selected")
	b.Accessible("an upload whose session ended")
	other := b.Beside()
	signIn(other, adminID, adminPassword)
	noBatchOf(other, "faces.zip")
	b.Click("Upload")
	b.See("Ready to import 1 picture")
	facesCounted(b, 1, 0)
	b.Quiet()
}

// signOutEverywhere ends all sessions of the administrator.
func (c *console) signOutEverywhere() {
	c.t.Helper()
	request, err := http.NewRequest(http.MethodPost, c.url+"/account/sign-out-everywhere", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, cookie := range c.fill(c.url+"/sign-in", url.Values{"lan_id": {adminID}, "password": {adminPassword}}) {
		request.AddCookie(cookie)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil || response.StatusCode != http.StatusSeeOther {
		c.t.Fatal(response, err)
	}
	response.Body.Close()
}

// A ZIP above the limit is not even sent; where the limit was lowered since the dialog was opened, the server refuses it, and
// keeps nothing of it.
func TestConsolePicturesTooLarge(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := withLeads(t, c)
	faces := saved(t, "faces.zip", heavy(t, 3_000_000))
	before := filesBelow(t, c.dir)
	b.Open("/pictures/new")
	b.Click("Select file…")
	b.Choose(faces)
	b.See("faces.zip, 3.0 MB")
	c.must("settings", "set", "picture_megabytes", "1")
	b.Click("Upload")
	b.See("The file faces.zip is larger than 1 MB, the most that a file may have")
	b.Accessible("an upload that was refused")
	noBatchOf(b, "faces.zip")

	b.Open("/pictures/new")
	browsertest.Eval[bool](b, `(() => {
		window.sent = [];
		for (const [what, name] of [[XMLHttpRequest.prototype, 'send'], [window, 'fetch']]) {
			const as = what[name];
			what[name] = function (...all) { window.sent.push(name); return as.apply(this, all); };
		}
		return true;
	})()`)
	b.Click("Select file…")
	b.Choose(faces)
	b.See("faces.zip has 3.0 MB; a file may have 1.0 MB")
	b.Accessible("a file that is not sent")
	b.Click("Upload")
	b.See("No file yet")
	if sent := browsertest.Eval[int](b, "window.sent.length"); sent > 0 {
		t.Errorf("%d requests for a file that is too large", sent)
	}
	// One that may be sent mends it, in the same dialog.
	b.Click("Select file…")
	b.Choose(saved(t, "small.zip", heavy(t, 10)))
	b.Click("Upload")
	b.See("Ready to import 1 picture")
	if after := filesBelow(t, c.dir); len(after) > len(before)+4 {
		t.Errorf("of what was refused something is left: %d files, %d before:\n%v", len(after), len(before), after)
	}
	b.Quiet()
}

// touch moves a finger over the window, from a place by so many pixels.
func touch(b *browsertest.Tab, x, y, dx, dy float64) {
	b.T.Helper()
	const steps = 5
	send := func(kind touching.DispatchTouchEventType, points ...*touching.TouchPoint) {
		if _, err := chromedp.Call(b.Ctx, touching.DispatchTouchEvent, touching.DispatchTouchEventParams{Type: kind, TouchPoints: points}); err != nil {
			b.T.Fatal(err)
		}
	}
	send(touching.DispatchTouchEventTypeTouchStart, &touching.TouchPoint{X: x, Y: y})
	for i := 1.; i <= steps; i++ {
		send(touching.DispatchTouchEventTypeTouchMove, &touching.TouchPoint{X: x + dx*i/steps, Y: y + dy*i/steps})
	}
	send(touching.DispatchTouchEventTypeTouchEnd)
}

// On a phone, one picture by hand: a swipe moves the frame, its corner sizes it, and the page does not scroll meanwhile.
func TestConsolePictureByTouch(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := withLeads(t, c)
	openUser(b, "lholm15", "Lena Holm")
	b.Click("Add a picture")
	at(b, "picture")
	b.Resize(375, 720, 1)
	b.ClickOn(`document.getElementById('picture')`, "the field")
	b.Choose(saved(t, "lena.png", halves(t, 600, 400)))
	value(b, "crop_size", "400")
	value(b, "crop_x", "100")
	b.Until(`(document.querySelector('[data-crop-stage]').scrollIntoView({block: 'center', behavior: 'instant'}), true)`)
	where := func(part string) []float64 {
		return browsertest.Eval[[]float64](b, fmt.Sprintf(`(r => [r.left + r.width / 2, r.top + r.height / 2, window.scrollY])(document.querySelector('[data-crop-%s]').getBoundingClientRect())`, part))
	}
	scale := browsertest.Eval[float64](b, `document.querySelector('[data-crop-image]').getBoundingClientRect().width / 600`)

	corner := where("corner")
	touch(b, corner[0], corner[1], -150*scale, -150*scale)
	b.Until(`Math.abs(Number(document.getElementById('crop_size').value) - 250) < 8`)
	value(b, "crop_x", "100")
	frame := where("frame")
	touch(b, frame[0], frame[1], -200*scale, 60*scale)
	value(b, "crop_x", "0")
	b.Until(`Math.abs(Number(document.getElementById('crop_y').value) - 60) < 8`)
	if after := where("frame"); after[2] != corner[2] {
		t.Errorf("the page scrolled from %v to %v under the finger", corner[2], after[2])
	}
	// The finger is gone: another one elsewhere begins anew.
	frame = where("frame")
	touch(b, frame[0], frame[1], 150*scale, 0)
	b.Until(`Math.abs(Number(document.getElementById('crop_x').value) - 150) < 8`)
	size, err := strconv.Atoi(browsertest.Eval[string](b, `document.getElementById('crop_size').value`))
	if err != nil {
		t.Fatal(err)
	}
	b.Accessible("the frame on a phone")
	b.Click("Save")
	b.See(fmt.Sprintf(", %d × %d pixels", size, size))
	b.Quiet()
}
