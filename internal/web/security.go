package web

import (
	"net/http"
	"time"
)

// policy lets a page load what this site serves, and nothing else; scripts and styles only from files. The data: images
// are the little ones inside the stylesheet.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		// An address may hold a one-time link or what somebody searched for.
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
		if s.encrypted(r) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// crossOrigin refuses what another site makes a browser send: cookies go with it, but the browser says where it is from.
func crossOrigin(next http.Handler) http.Handler {
	p := http.NewCrossOriginProtection()
	p.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, failure{Status: http.StatusForbidden, Title: "From another site", Message: "This request came from another site, so Muster did not do it. Open Muster itself and try there."})
	}))
	return p.Handler(next)
}

// The session's cookie. The prefix makes browsers insist on an encrypted connection and this very host; without
// encryption, as on a machine of one's own, they would not take it.
const (
	cookieName       = "muster-session"
	secureCookieName = "__Host-" + cookieName
)

func (v *visit) cookieName() string {
	if v.server.encrypted(v.Request) {
		return secureCookieName
	}
	return cookieName
}

// token is the session's that the browser sent, or "".
func (v *visit) token() string {
	c, err := v.Cookie(v.cookieName())
	if err != nil {
		return ""
	}
	return c.Value
}

func (v *visit) setToken(token string) {
	http.SetCookie(v.w, &http.Cookie{Name: v.cookieName(), Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: v.server.encrypted(v.Request)})
}

func (v *visit) dropToken() {
	http.SetCookie(v.w, &http.Cookie{Name: v.cookieName(), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: v.server.encrypted(v.Request), MaxAge: -1})
}

// themeCookie holds "light" or "dark" where somebody chose; otherwise pages follow the system.
const themeCookie = "muster-theme"

func (v *visit) theme() string {
	if c, err := v.Cookie(themeCookie); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// setTheme keeps the choice for a year.
func (s *Server) setTheme(v *visit) error {
	c := &http.Cookie{Name: themeCookie, Value: v.FormValue("theme"), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.encrypted(v.Request),
		MaxAge: int((365 * 24 * time.Hour).Seconds())}
	if c.Value != "light" && c.Value != "dark" {
		c.Value, c.MaxAge = "", -1
	}
	http.SetCookie(v.w, c)
	v.w.WriteHeader(http.StatusNoContent)
	return nil
}
