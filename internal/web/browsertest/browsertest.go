// Package browsertest drives a real Chromium for the console's tests: it finds what a person would find, by the words
// on it, and clicks and types as a person does. It fails the test where there is no browser.
package browsertest

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed axe.min.js
var axe string

// patience is how long something may take to appear. It is only ever waited out by a test that fails.
const patience = 20 * time.Second

// chromium is one browser for all tests of a binary; each tab has a profile of its own.
var chromium = sync.OnceValues(func() (context.Context, error) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, fmt.Errorf("there is no Chromium; `make tools` installs it")
	}
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options, chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.WindowSize(1440, 900), chromedp.WSURLReadTimeout(time.Minute))
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
	first, _ := chromedp.NewContext(allocator)
	if err := chromedp.Do(first); err != nil {
		return nil, fmt.Errorf("start Chromium: %w", err)
	}
	return first, nil
})

// Tab is a tab in a profile of its own.
type Tab struct {
	T         *testing.T
	Ctx       context.Context
	Base      string // the site's address
	Downloads string // directory of what is downloaded

	mu       sync.Mutex
	trouble  []string       // what the console of the browser complained about
	choosers chan chosenBox // file dialogs that opened
	shots    int
}

type chosenBox struct{ node page.EventFileChooserOpened }

// New opens a tab for the site at base. What the browser's console complains about, such as a breach of the content
// security policy, fails the test at its end.
func New(t *testing.T, base string) *Tab {
	t.Helper()
	return newTab(t, base, nil)
}

// Beside opens another tab of the same person: the two share their cookies.
func (b *Tab) Beside() *Tab {
	b.T.Helper()
	return newTab(b.T, b.Base, b.Ctx)
}

func newTab(t *testing.T, base string, beside context.Context) *Tab {
	t.Helper()
	parent, err := chromium()
	if err != nil {
		if os.Getenv("CI") == "" {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	var ctx context.Context
	var cancel context.CancelFunc
	if beside != nil {
		ctx, cancel = chromedp.NewContext(beside)
	} else {
		ctx, cancel = chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	}
	b := &Tab{T: t, Ctx: ctx, Base: base, Downloads: t.TempDir(), choosers: make(chan chosenBox, 4)}
	t.Cleanup(func() {
		if t.Failed() {
			b.keepScreenshot()
		}
		cancel()
	})
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := chromedp.Call(ctx, page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{Enabled: true}); err != nil {
			return err
		}
		if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: leaving}); err != nil {
			return err
		}
		_, err := chromedp.Call(ctx, log.Enable, cdp.Empty{})
		return err
	}))
	if _, err := chromedp.CallBrowser(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: b.Downloads, BrowserContextID: chromedp.FromContext(ctx).BrowserContextID}); err != nil {
		t.Fatal(err)
	}
	return b
}

// hear collects what the tests want to know of what happens in the browser.
func (b *Tab) hear(ev any) {
	complain := func(format string, args ...any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.trouble = append(b.trouble, fmt.Sprintf(format, args...))
	}
	switch ev := ev.(type) {
	case *page.EventFileChooserOpened:
		select {
		case b.choosers <- chosenBox{*ev}:
		default:
		}
	case *runtime.EventExceptionThrown:
		complain("exception: %s", ev.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		// That an answer was an error is for each test to judge, and a server that was killed on purpose is away.
		if ev.Entry.Level == log.EntryLevelError && ev.Entry.Source != log.EntrySourceNetwork {
			complain("%s: %s (%s)", ev.Entry.Source, ev.Entry.Text, ev.Entry.URL)
		}
	}
}

// Quiet fails the test where the browser's console complained.
func (b *Tab) Quiet() {
	b.T.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.trouble {
		b.T.Errorf("the browser's console: %s", s)
	}
	b.trouble = nil
}

func (b *Tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.T.Helper()
	if err := b.try(steps...); err != nil {
		b.T.Fatalf("%v\n%s", err, b.around())
	}
}

func (b *Tab) try(steps ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(b.Ctx, patience)
	defer cancel()
	return chromedp.Do(ctx, steps...)
}

// Open goes to a path of the site.
func (b *Tab) Open(path string) {
	b.T.Helper()
	b.do(chromedp.Navigate(b.Base + path))
}

// Reload loads the page again.
func (b *Tab) Reload() {
	b.T.Helper()
	b.do(chromedp.Reload())
}

// Path is the path and query of where the tab is.
func (b *Tab) Path() string {
	b.T.Helper()
	return Eval[string](b, "location.pathname + location.search")
}

// Eval evaluates a JavaScript expression.
func Eval[R any](b *Tab, expression string) R {
	b.T.Helper()
	v, err := eval[R](b, expression)
	if err != nil {
		b.T.Fatalf("%s: %v\n%s", expression, err, b.around())
	}
	return v
}

func eval[R any](b *Tab, expression string) (R, error) {
	ctx, cancel := context.WithTimeout(b.Ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[R](expression, chromedp.EvalAwaitPromise))
}

// Until waits until a JavaScript expression is true. It survives that the page goes away meanwhile.
func (b *Tab) Until(expression string) {
	b.T.Helper()
	b.UntilWithin(patience, expression)
}

// UntilWithin is Until with a patience of its own.
func (b *Tab) UntilWithin(d time.Duration, expression string) {
	b.T.Helper()
	var err error
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(40 * time.Millisecond) {
		var ok bool
		if ok, err = eval[bool](b, "Boolean("+expression+")"); err == nil && ok {
			return
		}
	}
	b.T.Fatalf("never came true: %s (%v)\n%s", expression, err, b.around())
}

// See waits until the words are on the page.
func (b *Tab) See(words string) {
	b.T.Helper()
	b.Until(fmt.Sprintf("document.body.innerText.replace(/\\s+/g, ' ').includes(%s)", quote(words)))
}

// Sees tells whether the words are on the page now.
func (b *Tab) Sees(words string) bool {
	b.T.Helper()
	return Eval[bool](b, fmt.Sprintf("document.body.innerText.replace(/\\s+/g, ' ').includes(%s)", quote(words)))
}

// find is what a person would find by its words: a button, link, menu entry or field.
const find = `(name => {
	const squeeze = s => (s || '').replace(/\s+/g, ' ').trim();
	const named = e => {
		const label = e.getAttribute('aria-label');
		if (label) return squeeze(label);
		if (e.labels && e.labels.length) return squeeze(e.labels[0].innerText);
		if (e.matches('input, select, textarea')) return squeeze(e.placeholder || e.title);
		return squeeze(e.innerText);
	};
	const seen = e => e.checkVisibility({visibilityProperty: true, opacityProperty: true}) && e.getClientRects().length && !e.closest('[inert]');
	const open = document.querySelector('dialog[open]');
	const all = [...(open || document).querySelectorAll('button, a[href], input, select, textarea, summary, [role=menuitem], [role=option], [tabindex="0"]')].filter(seen);
	return all.find(e => named(e) === name) || all.find(e => named(e).startsWith(name)) || all.find(e => named(e).includes(name)) || null;
})`

// leaving notes when a page began to give way to another one: what is clicked on it then is lost. A download begins the
// same way and leaves the page where it is, so the note holds for three seconds only.
const leaving = `window.navigation?.addEventListener('navigate', e => {
	if (!e.destination.sameDocument && e.downloadRequest === null) window.leavingUntil = Date.now() + 3000;
})`

// settled is whether the page's scripts listen: they do once it is loaded, and htmx to what it has put on the page a few
// milliseconds later. Nobody is as quick as a test.
const settled = `(document.readyState === 'complete' && !(window.leavingUntil > Date.now()) && !document.querySelector('.htmx-swapping, .htmx-settling, .htmx-added'))`

// Click clicks what is called name, with the mouse.
func (b *Tab) Click(name string) {
	b.T.Helper()
	b.ClickOn(find+"("+quote(name)+")", name)
}

// ClickOn clicks the element that a JavaScript expression finds, once it is there, listens, nothing lies above it, and no
// answer is on its way that may put another one in its place.
func (b *Tab) ClickOn(expression, what string) {
	b.T.Helper()
	where := fmt.Sprintf(`(() => {
		if (!`+settled+` || document.querySelector('.htmx-request')) return null;
		const e = %s;
		if (!e || e.disabled) return null;
		e.scrollIntoView({block: 'center', inline: 'nearest', behavior: 'instant'});
		const r = e.getClientRects()[0];
		if (!r) return null;
		const x = r.left + r.width / 2, y = r.top + r.height / 2;
		const top = document.elementFromPoint(x, y);
		return top && (e === top || e.contains(top) || top.contains(e)) ? [x, y] : null;
	})()`, expression)
	var at []float64
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(40 * time.Millisecond) {
		if at, err = eval[[]float64](b, where); err == nil && len(at) == 2 {
			// What moves is clicked where it comes to rest.
			again, err := eval[[]float64](b, where)
			if err == nil && len(again) == 2 && again[0] == at[0] && again[1] == at[1] {
				b.do(chromedp.MouseClickXY(at[0], at[1]))
				return
			}
		}
	}
	b.T.Fatalf("there is no %q to click (%v)\n%s", what, err, b.around())
}

// Type types into the field called name, after what is there is gone.
func (b *Tab) Type(name, text string) {
	b.T.Helper()
	b.Click(name)
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("(document.activeElement.select?.(), true)"))
		return err
	}))
	b.Press(text)
}

// Press presses keys, one after the other; kb has names for those without a letter.
func (b *Tab) Press(keys string) {
	b.T.Helper()
	b.Until(settled)
	b.do(chromedp.KeyEvent(keys))
}

// Choose answers the file dialog that the last click or key opened.
func (b *Tab) Choose(files ...string) {
	b.T.Helper()
	select {
	case c := <-b.choosers:
		if _, err := chromedp.Call(b.Ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: files, BackendNodeID: c.node.BackendNodeID}); err != nil {
			b.T.Fatal(err)
		}
	case <-time.After(patience):
		b.T.Fatalf("no file dialog opened\n%s", b.around())
	}
}

// Downloaded waits for a file to be downloaded, and returns it.
func (b *Tab) Downloaded(name string) []byte {
	b.T.Helper()
	path := filepath.Join(b.Downloads, name)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(40 * time.Millisecond) {
		if content, err := os.ReadFile(path); err == nil {
			if partial, _ := filepath.Glob(filepath.Join(b.Downloads, "*.crdownload")); len(partial) == 0 {
				return content
			}
		}
	}
	b.T.Fatalf("%s was not downloaded\n%s", name, b.around())
	return nil
}

// Resize makes the window this wide and high, in CSS pixels; scale 2 is what a zoom of 200 % leaves of it.
func (b *Tab) Resize(width, height int64, scale float64) {
	b.T.Helper()
	b.do(chromedp.EmulateViewport(width, height, chromedp.EmulateScale(scale)))
}

// Accessible fails the test where axe finds a violation of WCAG 2.2 AA or of its best practices on the page as it is.
func (b *Tab) Accessible(what string) {
	b.T.Helper()
	b.Until(settled) // half a page breaks rules that the whole one keeps
	if !Eval[bool](b, "Boolean(window.axe)") {
		if _, err := eval[bool](b, axe+"\n;true"); err != nil {
			b.T.Fatal(err)
		}
	}
	type violation struct {
		ID, Help string
		Nodes    []string
	}
	found := Eval[[]violation](b, `axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(r =>
		r.violations.map(v => ({ID: v.id, Help: v.help, Nodes: v.nodes.map(n => n.target.join(' ') + ' ' + n.html.slice(0, 160) + ' ' + (n.any[0]?.message || ''))})))`)
	for _, v := range found {
		b.T.Errorf("%s: axe: %s: %s\n  %s", what, v.ID, v.Help, strings.Join(v.Nodes, "\n  "))
	}
}

// Fits fails the test where the page is wider than the window.
func (b *Tab) Fits(what string) {
	b.T.Helper()
	if over := Eval[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 1 {
		wide := Eval[[]string](b, `[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map(e => e.outerHTML.slice(0, 120))`)
		b.T.Errorf("%s: the page is %d pixels wider than the window:\n  %s", what, over, strings.Join(wide, "\n  "))
	}
}

// Screenshot is the window as a PNG.
func (b *Tab) Screenshot() []byte {
	b.T.Helper()
	png, err := chromedp.Run(b.Ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.T.Fatal(err)
	}
	return png
}

// keepScreenshot writes what a failed test saw to the directory that MUSTER_SCREENSHOTS names.
func (b *Tab) keepScreenshot() {
	dir := os.Getenv("MUSTER_SCREENSHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.Ctx, 5*time.Second)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		b.shots++
		name := fmt.Sprintf("%s-%d.png", strings.ReplaceAll(b.T.Name(), "/", "-"), b.shots)
		err = os.WriteFile(filepath.Join(dir, name), png, 0o666)
	}
	if err != nil {
		b.T.Logf("no screenshot: %v", err)
	}
}

// around is what the page says, for the message of a test that fails.
func (b *Tab) around() string {
	text, err := eval[string](b, "location.href + '\\n' + document.body.innerText.slice(0, 3000)")
	if err != nil {
		return err.Error()
	}
	return text
}

func quote(s string) string {
	q, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(q)
}

// Close closes the tab.
func (b *Tab) Close() {
	b.T.Helper()
	if err := chromedp.Cancel(b.Ctx); err != nil {
		b.T.Fatal(err)
	}
}

// Throttle slows uploads and downloads down to so many bytes a second; 0 is full speed.
func (b *Tab) Throttle(bytesPerSecond float64) {
	b.T.Helper()
	if bytesPerSecond == 0 {
		bytesPerSecond = -1
	}
	if _, err := chromedp.Call(b.Ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{DownloadThroughput: bytesPerSecond, UploadThroughput: bytesPerSecond}}}); err != nil {
		b.T.Fatal(err)
	}
}

// Pick chooses an option of the list called name.
func (b *Tab) Pick(name, option string) {
	b.T.Helper()
	b.Until(fmt.Sprintf(`(() => {
		const list = %s(%s);
		const option = list && [...list.options || []].find(o => o.textContent.trim() === %s);
		if (!option) return false;
		list.value = option.value;
		list.dispatchEvent(new Event('change', {bubbles: true}));
		return true;
	})()`, find, quote(name), quote(option)))
}

// Cookies are those of the site, for requests beside the browser.
func (b *Tab) Cookies() (all []*http.Cookie) {
	b.T.Helper()
	got, err := chromedp.Call(b.Ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{b.Base}})
	if err != nil {
		b.T.Fatal(err)
	}
	for _, c := range got.Cookies {
		all = append(all, &http.Cookie{Name: c.Name, Value: c.Value})
	}
	return all
}
