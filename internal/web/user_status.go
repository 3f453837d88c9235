package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"muster/internal/directory"
	"muster/internal/fault"
)

// userDialog asks before something is done to a user's standing, and says why it could not be done.
type userDialog struct {
	directory.User
	Reason   string
	Release  bool   // the PBX ID
	PBX      string // that was typed
	To       string // who the reports are moved to
	Moved    int64  // reports that were moved just now
	Left     int64  // that who acts may not change
	HasMoved bool
	Reports  int64
	MayMove  bool
	Problems []directory.Problem
	Failure  string
}

// asks shows the dialog, or, to who came without a script, a page of its own.
func (v *visit) asks(status int, title string, body templ.Component) error {
	if v.Header.Get("HX-Request") == "true" {
		return v.write(status, body)
	}
	return v.showStatus(status, title, userDialogPage(title, body))
}

// userDialog begins a dialog about the user that the address names.
func (v *visit) userDialog() (*userDialog, error) {
	id, err := v.userID()
	if err != nil {
		return nil, err
	}
	d := &userDialog{MayMove: v.can("users:edit")}
	d.User, err = v.handle().User(v.ctx(), id)
	return d, err
}

// version is the user's as the dialog showed them.
func (v *visit) version() int64 {
	n, _ := strconv.ParseInt(v.PostFormValue("version"), 10, 64)
	return n
}

// fails puts what can be mended into the dialog; the rest is an error page.
func (d *userDialog) fails(v *visit, err error) (status int, rest error) {
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Conflict, fault.Forbidden, fault.Unavailable:
		setRetryAfter(v.w, err)
		f := failureOf(err)
		d.Failure = f.Message
		return f.Status, nil
	}
	return 0, err
}

func (s *Server) deactivateDialog(v *visit) error {
	d, err := v.userDialog()
	if err != nil {
		return err
	}
	return v.asks(http.StatusOK, "Deactivate a user", deactivateView(d))
}

func (s *Server) deactivateUser(v *visit) error {
	d, err := v.userDialog()
	if err != nil {
		return err
	}
	d.Reason, d.Release = strings.TrimSpace(v.PostFormValue("reason")), v.PostFormValue("release") != ""
	if err := v.handle().DeactivateUser(v.ctx(), d.ID, v.version(), d.Reason, d.Release); err != nil {
		status, err := d.fails(v, err)
		if err != nil {
			return err
		}
		return v.asks(status, "Deactivate a user", deactivateView(d))
	}
	return v.redirect(userPath(d.ID) + "?done=deactivated")
}

func (s *Server) reactivateDialog(v *visit) error {
	d, err := v.userDialog()
	if err != nil {
		return err
	}
	return v.asks(http.StatusOK, "Reactivate a user", reactivateView(d))
}

func (s *Server) reactivateUser(v *visit) error {
	d, err := v.userDialog()
	if err != nil {
		return err
	}
	d.PBX = strings.TrimSpace(v.PostFormValue("pbx_id"))
	d.Problems, err = v.handle().ReactivateUser(v.ctx(), d.ID, v.version(), d.PBX)
	if err != nil {
		status, err := d.fails(v, err)
		if err != nil {
			return err
		}
		return v.asks(status, "Reactivate a user", reactivateView(d))
	}
	if hasErrors(d.Problems) {
		return v.asks(http.StatusUnprocessableEntity, "Reactivate a user", reactivateView(d))
	}
	return v.redirect(userPath(d.ID) + "?done=reactivated")
}

// pbxProblem is what is wrong with the number that was typed; the others are of fields that the dialog does not have.
func (d *userDialog) pbxProblem() (own string, others []string) {
	for _, p := range d.Problems {
		switch {
		case p.Severity != directory.Error:
		case strings.HasPrefix(p.Code, "pbx_id.") && own == "":
			own = p.Message
		default:
			others = append(others, p.Message)
		}
	}
	return own, others
}

func (d *userDialog) countReports(v *visit) (err error) {
	_, d.Reports, err = v.handle().Reports(v.ctx(), d.ID, "", 1)
	return err
}

func (s *Server) deleteDialog(v *visit) error {
	d, err := v.userDialog()
	if err != nil {
		return err
	}
	if err := d.countReports(v); err != nil {
		return err
	}
	return v.asks(http.StatusOK, "Delete a user", deleteView(d))
}

func (s *Server) deleteUser(v *visit) error {
	d, err := v.userDialog()
	if err != nil {
		return err
	}
	d.Reason = strings.TrimSpace(v.PostFormValue("reason"))
	if err := v.handle().DeleteUser(v.ctx(), d.ID, v.version(), d.Reason); err != nil {
		status, err := d.fails(v, err)
		if err != nil {
			return err
		}
		if err := d.countReports(v); err != nil {
			return err
		}
		return v.asks(status, "Delete a user", deleteView(d))
	}
	return v.redirect(deletedPath(d.LANID))
}

// moveReports gives those who report to the user to somebody else, and comes back to the dialog.
func (s *Server) moveReports(v *visit) error {
	d, err := v.userDialog()
	if err != nil {
		return err
	}
	d.To, d.Reason = strings.TrimSpace(v.PostFormValue("supervisor")), strings.TrimSpace(v.PostFormValue("reason"))
	status := http.StatusOK
	if d.Moved, d.Left, err = v.handle().MoveReports(v.ctx(), d.ID, d.To); err != nil {
		if status, err = d.fails(v, err); err != nil {
			return err
		}
	} else {
		d.HasMoved = true
	}
	if err := d.countReports(v); err != nil {
		return err
	}
	return v.asks(status, "Delete a user", deleteView(d))
}

func deletedPath(lanID string) string {
	return pathWith("/users/deleted", url.Values{"lan_id": {lanID}})
}
