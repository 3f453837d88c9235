package web

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"muster/internal/auth"
	"muster/internal/directory"
)

// visit is one request. On open pages nobody may be signed in: session is then nil, and the actor the zero one.
type visit struct {
	*http.Request
	w       http.ResponseWriter
	server  *Server
	session *auth.Session
	route   route
}

// handler answers a visit; what it returns becomes an error page, unless it has answered already.
type handler func(*visit) error

func (v *visit) ctx() context.Context { return v.Request.Context() }

// actor is who acts.
func (v *visit) actor() directory.Actor {
	if v.session == nil {
		return directory.Actor{}
	}
	return v.session.Actor
}

func (v *visit) can(r directory.Right) bool { return v.actor().Can(r) }

// handle is the directory in the hands of who acts.
func (v *visit) handle() *directory.Handle { return v.server.Directory.As(v.actor()) }

// fragment tells whether only the part of the page is wanted that the target names.
func (v *visit) fragment(target string) bool {
	return v.Header.Get("HX-Request") == "true" && v.Header.Get("HX-Target") == target && v.Header.Get("HX-History-Restore-Request") != "true"
}

// show answers with a whole page.
func (v *visit) show(title string, body templ.Component) error {
	return v.showStatus(http.StatusOK, title, body)
}

func (v *visit) showStatus(status int, title string, body templ.Component) error {
	return v.write(status, page(v.shell(title), body))
}

// part answers with a part of a page.
func (v *visit) part(body templ.Component) error { return v.write(http.StatusOK, body) }

// write renders before it sends anything, so that what fails half-way is an error page and not half of a page.
func (v *visit) write(status int, body templ.Component) error {
	buf := templ.GetBuffer()
	defer templ.ReleaseBuffer(buf)
	if err := body.Render(v.ctx(), buf); err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	// The same address answers with a page or with a part of one.
	h.Add("Vary", "HX-Request")
	v.w.WriteHeader(status)
	_, err := v.w.Write(buf.Bytes())
	return err
}

// redirect sends the browser on, also where htmx asked.
func (v *visit) redirect(to string) error {
	if v.Header.Get("HX-Request") == "true" {
		v.w.Header().Set("HX-Redirect", to)
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(v.w, v.Request, to, http.StatusSeeOther)
	return nil
}

// client says where the request comes from.
func (v *visit) client() auth.Client {
	return auth.Client{Address: v.server.address(v.Request), Agent: v.UserAgent()}
}

// address is the client's. Behind a proxy it is the last that the proxy has added; anything before that is hearsay.
func (s *Server) address(r *http.Request) string {
	if s.BehindProxy {
		all := r.Header.Values("X-Forwarded-For")
		if len(all) > 0 {
			hops := strings.Split(all[len(all)-1], ",")
			if last := strings.TrimSpace(hops[len(hops)-1]); last != "" {
				return last
			}
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// encrypted tells whether the browser's connection is.
func (s *Server) encrypted(r *http.Request) bool {
	return r.TLS != nil || s.BehindProxy && r.Header.Get("X-Forwarded-Proto") == "https"
}

// local is where to go after a sign-in: a path of this site, whatever the address says.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		return "/"
	}
	return next
}
