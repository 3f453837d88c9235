package web

import (
	"errors"
	"net/http"

	"muster/internal/auth"
	"muster/internal/fault"
)

// signInPage asks for the LAN ID and the password.
type signInPage struct {
	LANID, Next, Problem string
	Expired              bool // somebody was here and has to sign in again
}

// signInForm shows the page; who is signed in goes on to where they wanted to be.
func (s *Server) signInForm(v *visit) error {
	next := local(v.FormValue("next"))
	if v.session != nil {
		return v.redirect(next)
	}
	expired := v.token() != ""
	if expired {
		v.dropToken()
	}
	return v.show("Sign in", signInView(signInPage{Next: next, Expired: expired}))
}

func (s *Server) signIn(v *visit) error {
	p := signInPage{LANID: v.PostFormValue("lan_id"), Next: local(v.PostFormValue("next"))}
	token, _, err := s.Auth.SignIn(v.ctx(), p.LANID, v.PostFormValue("password"), v.client())
	if err != nil {
		f, ok := refused(v, err)
		if !ok {
			return err
		}
		p.Problem = f.Message
		return v.showStatus(f.Status, "Sign in", signInView(p))
	}
	v.setToken(token)
	return v.redirect(p.Next)
}

// refused tells whether the error is one that belongs on the form, beside what was typed.
func refused(v *visit, err error) (failure, bool) {
	switch fault.KindOf(err) {
	case fault.Unauthenticated, fault.Forbidden, fault.Invalid, fault.Conflict, fault.RateLimited:
		setRetryAfter(v.w, err)
		return failureOf(err), true
	}
	return failure{}, false
}

func (s *Server) signOut(v *visit) error {
	if err := s.Auth.SignOut(v.ctx(), v.token()); err != nil {
		return err
	}
	v.dropToken()
	return v.redirect("/sign-in")
}

// linkPage is where a one-time link leads: a new password, and for the very first administrator a name.
type linkPage struct {
	First   bool
	Name    string // whose link it is
	LANID   string
	Given   auth.First
	Problem string
}

func linkPageOf(l auth.Link) linkPage { return linkPage{First: l.First, Name: l.Name, LANID: l.LANID} }

// linkForm shows who the link is for. That it is looked at does not use it up: mail scanners look at links, too.
func (s *Server) linkForm(v *visit) error {
	link, err := s.Auth.LookAtLink(v.ctx(), v.PathValue("token"))
	if err != nil {
		return s.linkFailed(v, err)
	}
	return v.show("Welcome", linkView(linkPageOf(link)))
}

func (s *Server) linkFailed(v *visit, err error) error {
	if kind := fault.KindOf(err); kind != fault.NotFound && kind != fault.Unauthenticated && kind != fault.Forbidden {
		return err
	}
	f := failureOf(err)
	return v.showStatus(http.StatusNotFound, "Link", deadLinkView(f.Message))
}

// redeem sets the password and signs in.
func (s *Server) redeem(v *visit) error {
	token := v.PathValue("token")
	link, err := s.Auth.LookAtLink(v.ctx(), token)
	if err != nil {
		return s.linkFailed(v, err)
	}
	p := linkPageOf(link)
	p.Given = auth.First{LANID: v.PostFormValue("lan_id"), FirstName: v.PostFormValue("first_name"), LastName: v.PostFormValue("last_name"),
		Password: v.PostFormValue("password")}
	var session string
	switch {
	case p.Given.Password != v.PostFormValue("again"):
		err = errNotTheSame
	case link.First:
		session, _, err = s.Auth.CreateFirst(v.ctx(), token, p.Given, v.client())
	default:
		session, _, err = s.Auth.Redeem(v.ctx(), token, p.Given.Password, v.client())
	}
	if err != nil {
		f, ok := refused(v, err)
		if !ok {
			return err
		}
		p.Problem = f.Message
		return v.showStatus(f.Status, "Welcome", linkView(p))
	}
	v.setToken(session)
	return v.redirect("/")
}

var errNotTheSame = fault.New(fault.Invalid, "the two passwords are not the same; type the new one twice")

// accountPage is what somebody can do about their own account.
type accountPage struct {
	Name, LANID string
	Sessions    []auth.Seen
	Problem     string
	Done        string
}

func (s *Server) account(v *visit) error { return s.showAccount(v, http.StatusOK, accountPage{}) }

func (s *Server) showAccount(v *visit, status int, p accountPage) (err error) {
	p.Name, p.LANID = v.session.Name, v.session.LANID
	if p.Sessions, err = s.Auth.Sessions(v.ctx(), v.session); err != nil {
		return err
	}
	return v.showStatus(status, "Your account", accountView(p))
}

func (s *Server) changePassword(v *visit) error {
	var err error
	if v.PostFormValue("new") != v.PostFormValue("again") {
		err = errNotTheSame
	} else {
		err = s.Auth.ChangePassword(v.ctx(), v.session, v.PostFormValue("current"), v.PostFormValue("new"))
	}
	if err != nil {
		f, ok := refused(v, err)
		if !ok {
			return err
		}
		return s.showAccount(v, f.Status, accountPage{Problem: f.Message})
	}
	return s.showAccount(v, http.StatusOK, accountPage{Done: "Your password is changed. Everywhere else you are signed out."})
}

func (s *Server) signOutEverywhere(v *visit) error {
	if err := s.Auth.SignOutEverywhere(v.ctx(), v.session); err != nil {
		return err
	}
	v.dropToken()
	return v.redirect("/sign-in")
}

// signInLink makes a one-time link for a user and shows it, once.
func (s *Server) signInLink(v *visit) error {
	lanID := v.PathValue("lan_id")
	link, err := s.Auth.MakeLink(v.ctx(), v.actor(), lanID)
	if err != nil {
		return err
	}
	return v.part(signInLinkView(link.Name, link.URL(s.origin(v))))
}

// origin is this site as the browser names it.
func (s *Server) origin(v *visit) string {
	scheme := "http://"
	if s.encrypted(v.Request) {
		scheme = "https://"
	}
	return scheme + v.Host
}

func (s *Server) healthz(v *visit) error {
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := v.w.Write([]byte("alive\n"))
	return err
}

// readyz says whether requests should be sent here: not while the database is away or the process is ending.
func (s *Server) readyz(v *visit) error {
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if s.Ready != nil {
		if err := s.Ready(); err != nil {
			v.w.WriteHeader(http.StatusServiceUnavailable)
			_, werr := v.w.Write([]byte("not ready: " + failureOf(err).Message + "\n"))
			return errors.Join(werr)
		}
	}
	_, err := v.w.Write([]byte("ready\n"))
	return err
}
