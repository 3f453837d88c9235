package web

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"

	"muster/internal/fault"
)

// failure is an error as people see it.
type failure struct {
	Status    int
	Title     string
	Message   string
	Reference string // finds the cause in the log; empty where the message says it all
}

// failureOf turns an error into what people get to see. What is Muster's own fault keeps its cause for the log.
func failureOf(err error) failure {
	f := failure{Status: http.StatusInternalServerError, Title: "Something went wrong",
		Message: "This is a fault of Muster's own. Nothing of what you did is half done. Try again; if it stays, tell your administrator the reference below."}
	var e *fault.Error
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return failure{Status: http.StatusRequestEntityTooLarge, Title: "Too much at once", Message: "The form is larger than Muster takes; send less at a time."}
	case !errors.As(err, &e):
		f.Reference = rand.Text()[:8]
		return f
	}
	titles := map[fault.Kind]struct {
		status int
		title  string
	}{
		fault.NotFound:        {http.StatusNotFound, "Not found"},
		fault.Conflict:        {http.StatusConflict, "Not as things stand"},
		fault.Invalid:         {http.StatusUnprocessableEntity, "This cannot be used"},
		fault.Forbidden:       {http.StatusForbidden, "You may not do this"},
		fault.TooLarge:        {http.StatusRequestEntityTooLarge, "Too large"},
		fault.Unavailable:     {http.StatusServiceUnavailable, "Not right now"},
		fault.Unauthenticated: {http.StatusUnauthorized, "Signed out"},
		fault.RateLimited:     {http.StatusTooManyRequests, "Too many attempts"},
	}
	t, known := titles[e.Kind]
	if !known {
		f.Reference = rand.Text()[:8]
		return f
	}
	return failure{Status: t.status, Title: t.title, Message: sentence(e.Message)}
}

// sentence begins a message with a capital and ends it with a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if strings.ContainsAny(s[len(s)-1:], ".!?”") {
		return s
	}
	return s + "."
}

// fail answers with an error: a page, a part of one where htmx asked, or JSON where a script did.
func (s *Server) fail(v *visit, err error) {
	if aborted(v, err) {
		return
	}
	f := failureOf(err)
	if f.Reference != "" || f.Status == http.StatusServiceUnavailable {
		s.Log.Error("a request failed", "reference", f.Reference, "route", v.route.pattern, "error", err)
	}
	setRetryAfter(v.w, err)
	switch {
	case v.wantsJSON():
		writeProblem(v.w, f)
	case f.Status == http.StatusUnauthorized:
		s.sendToSignIn(v)
	case v.Header.Get("HX-Request") == "true":
		v.w.Header().Set("HX-Retarget", "#notices")
		v.w.Header().Set("HX-Reswap", "innerHTML")
		_ = v.write(f.Status, failureNotice(f))
	default:
		_ = v.showStatus(f.Status, f.Title, failurePage(f))
	}
}

// setRetryAfter tells programs when trying again makes sense.
func setRetryAfter(w http.ResponseWriter, err error) {
	var e *fault.Error
	if errors.As(err, &e) && e.Wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.Wait.Seconds()))))
	}
}

// sendToSignIn asks who came to sign in, and remembers where they wanted to go.
func (s *Server) sendToSignIn(v *visit) {
	next := v.URL.RequestURI()
	if v.Method != http.MethodGet || v.Header.Get("HX-Request") == "true" {
		next = "/"
		if u, err := url.Parse(v.Header.Get("HX-Current-URL")); err == nil && u.Path != "" {
			next = u.RequestURI()
		}
	}
	to := "/sign-in"
	if next = local(next); next != "/" {
		to += "?" + url.Values{"next": {next}}.Encode()
	}
	_ = v.redirect(to)
}

// wantsJSON tells whether a script of ours asked.
func (v *visit) wantsJSON() bool {
	return strings.HasPrefix(v.Header.Get("Accept"), "application/json")
}

// problem is an error for scripts, as RFC 9457 has it.
type problem struct {
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Reference string `json:"reference,omitempty"`
}

func writeProblem(w http.ResponseWriter, f failure) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(f.Status)
	_ = json.NewEncoder(w).Encode(problem{Title: f.Title, Status: f.Status, Detail: f.Message, Reference: f.Reference})
}

// writeJSON answers a script.
func (v *visit) writeJSON(status int, body any) error {
	v.w.Header().Set("Content-Type", "application/json")
	v.w.Header().Set("Cache-Control", "no-store")
	v.w.WriteHeader(status)
	return json.NewEncoder(v.w).Encode(body)
}

// recovered keeps a panic in one request from ending the others.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			f := failureOf(errors.New("panic"))
			s.Log.Error("a request panicked", "reference", f.Reference, "panic", p, "stack", string(debug.Stack()))
			writeProblem(w, f)
		}()
		next.ServeHTTP(w, r)
	})
}
