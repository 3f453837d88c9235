package web

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"muster/internal/directory"
	"muster/internal/fault"
)

// route is one line of the table of everything that the console answers.
type route struct {
	pattern string            // as http.ServeMux has it, with the method
	open    bool              // nobody needs to be signed in
	any     []directory.Right // who is signed in holds one of these; none: everybody who may sign in
	upload  bool              // the body may be large, and the handler bounds it
	most    int64             // of a form with a file, in bytes, where that is more than maxBody
	long    bool              // the answer may take long to be taken
	do      handler
}

// routes is the table.
func (s *Server) routes() []route {
	return slices.Concat([]route{
		{pattern: "GET /{$}", do: s.home},
		{pattern: "GET /sign-in", open: true, do: s.signInForm},
		{pattern: "POST /sign-in", open: true, do: s.signIn},
		{pattern: "POST /sign-out", open: true, do: s.signOut},
		{pattern: "GET /link/{token}", open: true, do: s.linkForm},
		{pattern: "POST /link/{token}", open: true, do: s.redeem},
		{pattern: "GET /account", do: s.account},
		{pattern: "POST /account/password", do: s.changePassword},
		{pattern: "POST /account/sign-out-everywhere", do: s.signOutEverywhere},
		{pattern: "POST /theme", open: true, do: s.setTheme},
		{pattern: "GET /healthz", open: true, do: s.healthz},
		{pattern: "GET /readyz", open: true, do: s.readyz},
	}, s.userRoutes(), s.oneUserRoutes(), s.deletedRoutes(), s.importRoutes(), s.pictureRoutes(), s.batchRoutes(), s.orgRoutes(), s.auditRoutes(), s.catalogueRoutes(), s.settingRoutes(), s.roleRoutes(), s.accessRoleRoutes(), s.editRoutes(), s.galleryRoutes())
}

// maxBody bounds what a form may send, in bytes; uploads have bounds of their own.
const maxBody = 4 << 20

// serve makes a route answer: who comes, whether they may, what they get, and what happens to an error.
func (s *Server) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{Request: r, w: w, server: s, route: rt}
		if !rt.upload {
			most := int64(maxBody)
			if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
				most = max(most, rt.most)
			}
			r.Body = http.MaxBytesReader(w, r.Body, most)
		}
		err := v.enter()
		if err == nil {
			v.takeTime()
			err = v.readForm()
		}
		if err == nil {
			err = v.do()
		}
		if err != nil {
			s.fail(v, err)
		}
	})
}

// takeTime lifts the deadlines where the route needs it. Only who may come gets that far: anybody else could hold a
// connection for ever by sending nothing.
func (v *visit) takeTime() {
	if v.route.upload || v.route.long {
		control := http.NewResponseController(v.w)
		_ = control.SetReadDeadline(time.Time{})
		_ = control.SetWriteDeadline(time.Time{})
	}
}

// readForm reads what a form sent, so that one that is too large or broken is refused, and not taken for a blank one.
func (v *visit) readForm() error {
	if v.route.upload || v.Method == http.MethodGet || v.Method == http.MethodHead {
		return nil
	}
	err := v.ParseForm()
	if err == nil {
		err = v.ParseMultipartForm(maxBody)
	}
	var tooLong *http.MaxBytesError
	switch {
	case err == nil, errors.Is(err, http.ErrNotMultipart):
		return nil
	case errors.As(err, &tooLong):
		return err
	}
	return fault.Wrap(fault.Invalid, err, "the form did not arrive as it was sent; load the page again and send it once more")
}

// do answers. A panic in it is an error of this request alone.
func (v *visit) do() (err error) {
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			panic(p)
		} else if p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return v.route.do(v)
}

// enter finds out who comes, and turns back who may not.
func (v *visit) enter() error {
	token := v.token()
	if token != "" {
		session, err := v.server.Auth.Session(v.ctx(), token)
		switch {
		case err == nil:
			v.session = session
		case fault.KindOf(err) != fault.Unauthenticated:
			return err
		}
	}
	if v.route.open {
		return nil
	}
	if v.session == nil {
		return errSignIn
	}
	if len(v.route.any) > 0 && !slices.ContainsFunc(v.route.any, v.can) {
		return v.actor().Need(v.route.any[0])
	}
	return nil
}

// errSignIn sends to the sign-in page who is not signed in, or is not any more.
var errSignIn = fault.New(fault.Unauthenticated, "you are signed out; sign in and go on where you were")

// nothingHere answers whatever no route knows.
func (s *Server) nothingHere(v *visit) error {
	if v.session == nil {
		return errSignIn
	}
	return errNothingHere
}

var errNothingHere = fault.New(fault.NotFound, "there is no page at this address; perhaps it was typed or copied incompletely")

// home is the first page that somebody may see.
func (s *Server) home(v *visit) error {
	for _, item := range v.navigation() {
		return v.redirect(item.Path)
	}
	return v.redirect("/account")
}

// aborted tells whether the browser has gone away, so that nobody reads an answer.
func aborted(v *visit, err error) bool {
	return errors.Is(err, http.ErrAbortHandler) || v.ctx().Err() != nil
}
