package web

import (
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/useredit"
)

// deletingRole begins the dialog about the role that the address names.
func (v *visit) deletingRole() (*roleDialog, int64, error) {
	r, err := v.role()
	if err != nil {
		return nil, 0, err
	}
	if err := v.handle().MayChangeRole(r.Role); err != nil {
		return nil, 0, err
	}
	d := v.aboutRole(r, "")
	if d.Holders == 0 || !d.MayMove {
		return d, r.ID, nil
	}
	all, err := v.handle().Roles(v.ctx())
	for _, other := range all {
		if other.ID != r.ID && v.handle().MayChangeRole(other.Role) == nil {
			d.Others = append(d.Others, directory.Named{ID: other.ID, Name: other.Name})
		}
	}
	return d, r.ID, err
}

func (s *Server) askDeleteRole(v *visit) error {
	d, _, err := v.deletingRole()
	if err != nil {
		return err
	}
	return v.dialog(http.StatusOK, "Delete", deleteRoleView(d))
}

func (s *Server) deleteRole(v *visit) error {
	d, id, err := v.deletingRole()
	if err != nil {
		return err
	}
	if v.PostFormValue("to") == "" {
		err = v.handle().DeleteRole(v.ctx(), id)
		return v.deleted(err, d, "/roles?said=deleted")
	}
	return s.replaceAndDelete(v, d, directory.RoleValue, id)
}

// deleted goes on to the list, or says why not.
func (v *visit) deleted(err error, d *roleDialog, to string) error {
	if err != nil {
		return v.notDone(err, "Delete", d, func(d *roleDialog) templ.Component { return deleteRoleView(d) })
	}
	return v.redirect(to)
}

// replaceAndDelete gives everybody who has the value another one, or none, and deletes it: a batch, which goes on in the
// background and can be undone.
func (s *Server) replaceAndDelete(v *visit, d *roleDialog, kind directory.ValueKind, id int64) error {
	d.To = v.PostFormValue("to")
	to, err := strconv.ParseInt(d.To, 10, 64)
	if err != nil {
		return v.deleted(fault.New(fault.Invalid, "choose what they get instead"), d, "")
	}
	b, err := useredit.Create(v.ctx(), s.Engine, v.actor(), useredit.Options{Kind: kind, From: id, To: to, Delete: true, Preview: true, Reason: v.PostFormValue("reason")})
	if err != nil {
		return v.deleted(err, d, "")
	}
	return v.redirect(batchPath(b.ID))
}
