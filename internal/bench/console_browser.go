package bench

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// browser is somebody who is signed in. It asks as a browser with htmx does, and runs no scripts.
type browser struct {
	base    string
	through http.RoundTripper
	cookies []*http.Cookie
}

// answer is what came back; body is as it was sent, compressed mostly.
type answer struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration // until the last byte was there
}

// password is everybody's.
const password = "four green ladders sing"

// redeem sets the password by a one-time link, which also signs in.
func (b *browser) redeem(ctx context.Context, path string) error {
	form := url.Values{"password": {password}, "again": {password}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+path, strings.NewReader(form))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := b.do(r)
	if err != nil {
		return err
	}
	b.cookies = (&http.Response{Header: a.header}).Cookies()
	if a.status != http.StatusSeeOther || len(b.cookies) == 0 {
		return fmt.Errorf("nobody is signed in by a link: status %d: %s", a.status, a.inShort())
	}
	return nil
}

// get asks for a page, or, where target is not empty, for what htmx puts in place of the element with that id. Another
// status than success or a redirection is an error.
func (b *browser) get(ctx context.Context, path, target string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+path, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	if target != "" {
		r.Header.Set("HX-Request", "true")
		r.Header.Set("HX-Target", target)
		r.Header.Set("HX-Current-URL", b.base+path)
	}
	a, err := b.do(r)
	if err == nil && (a.status < 200 || a.status > 399) {
		err = fmt.Errorf("GET %s: status %d: %s", path, a.status, a.inShort())
	}
	return a, err
}

func (b *browser) do(r *http.Request) (answer, error) {
	r.Header.Set("Accept-Encoding", "gzip")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("User-Agent", "muster bench")
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	began := time.Now()
	res, err := b.through.RoundTrip(r)
	if err != nil {
		return answer{took: time.Since(began)}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{status: res.StatusCode, header: res.Header, body: body, took: time.Since(began)}, err
}

// text is the body as a person gets to see it.
func (a *answer) text() (string, error) {
	if a.header.Get("Content-Encoding") != "gzip" {
		return string(a.body), nil
	}
	z, err := gzip.NewReader(bytes.NewReader(a.body))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(z)
	return string(text), err
}

var markup = regexp.MustCompile(`(?s)<[^>]*>`)

// inShort is the beginning of the last words of a page, where an error is.
func (a *answer) inShort() string {
	text, _ := a.text()
	_, main, found := strings.Cut(text, "<main")
	if found {
		text = "<main" + main
	}
	said := strings.Join(strings.Fields(markup.ReplaceAllString(text, " ")), " ")
	if len(said) > 200 {
		said = strings.ToValidUTF8(said[:200], "") + "…"
	}
	return said
}

// inProcess answers requests by a handler, without a network.
type inProcess struct{ handler http.Handler }

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	r.RemoteAddr, r.RequestURI = "127.0.0.1:1", r.URL.RequestURI()
	w := &written{header: http.Header{}, status: http.StatusOK}
	t.handler.ServeHTTP(w, r)
	return &http.Response{StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), Request: r}, nil
}

// written is what a handler writes.
type written struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *written) Header() http.Header         { return w.header }
func (w *written) WriteHeader(status int)      { w.status = status }
func (w *written) Write(p []byte) (int, error) { return w.body.Write(p) }

// Links of the grid that are followed.
var (
	nextPage = regexp.MustCompile(`<a [^>]*id="page-next"[^>]* href="([^"]+)"`)
	prevPage = regexp.MustCompile(`<a [^>]*id="page-prev"[^>]* href="([^"]+)"`)
	countOf  = regexp.MustCompile(`hx-get="(/users/count[^"]*)"`)
)

// linked is the address that a link of the page has, "" where there is none.
func linked(page string, link *regexp.Regexp) string {
	m := link.FindStringSubmatch(page)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}
