package web

import (
	"net/http"
	"strconv"
	"strings"

	"muster/internal/directory"
)

func (s *Server) accessRoleRoutes() []route {
	see := []directory.Right{"access-roles:access"}
	return []route{
		{pattern: "GET /access-roles", any: see, do: s.accessRoles},
		{pattern: "GET /access-roles/new", any: []directory.Right{"access-roles:add"}, do: s.newAccessRole},
		{pattern: "GET /access-roles/units", any: see, do: s.accessUnits},
		{pattern: "POST /access-roles", any: []directory.Right{"access-roles:add"}, do: s.addAccessRole},
		{pattern: "GET /access-roles/{id}", any: see, do: s.accessRole},
		{pattern: "POST /access-roles/{id}", any: []directory.Right{"access-roles:edit"}, do: s.editAccessRole},
		{pattern: "GET /access-roles/{id}/rename", any: []directory.Right{"access-roles:edit"}, do: s.askAccessRoleName},
		{pattern: "POST /access-roles/{id}/rename", any: []directory.Right{"access-roles:edit"}, do: s.renameAccessRole},
		{pattern: "GET /access-roles/{id}/delete", any: []directory.Right{"access-roles:delete"}, do: s.askDeleteAccessRole},
		{pattern: "POST /access-roles/{id}/delete", any: []directory.Right{"access-roles:delete"}, do: s.deleteAccessRole},
	}
}

// accessRolesPage is the list of access roles.
type accessRolesPage struct {
	Rows     []directory.HeldAccessRole
	Said     string
	MayAdd   bool
	SeeUsers bool
}

func (s *Server) accessRoles(v *visit) error {
	all, err := v.handle().AccessRoles(v.ctx())
	if err != nil {
		return err
	}
	return v.show("Access roles", accessRolesView(accessRolesPage{Rows: all, Said: saidWords(v, "access role"), MayAdd: v.can("access-roles:add"), SeeUsers: v.can("users:access")}))
}

func accessRolePath(id int64) string { return "/access-roles/" + strconv.FormatInt(id, 10) }

// gridOfAccessRole is the address of the grid of those who have the access role.
func gridOfAccessRole(name string) string { return withQuery("/users", "access_role.eq", name) }

// accessRole is the one that the address names.
func (v *visit) accessRole() (directory.HeldAccessRole, error) {
	id, err := v.idInPath()
	if err != nil {
		return directory.HeldAccessRole{}, err
	}
	return v.handle().AccessRole(v.ctx(), id)
}

func (v *visit) aboutAccessRole(a directory.HeldAccessRole, name string) *roleDialog {
	return &roleDialog{What: "access role", Path: accessRolePath(a.ID), Called: a.Name, Name: name, Holders: a.Holders, MayMove: v.can("users:edit"), Over: v.asked()}
}

func (s *Server) askAccessRoleName(v *visit) error {
	a, err := v.accessRole()
	if err != nil {
		return err
	}
	if err := v.handle().MayChangeAccessRole(v.ctx(), a.AccessRole); err != nil {
		return err
	}
	return v.dialog(http.StatusOK, "Rename", renameRoleView(v.aboutAccessRole(a, a.Name)))
}

func (s *Server) renameAccessRole(v *visit) error {
	a, err := v.accessRole()
	if err != nil {
		return err
	}
	d := v.aboutAccessRole(a, v.PostFormValue("name"))
	if _, err := v.handle().RenameAccessRole(v.ctx(), a.ID, strings.TrimSpace(d.Name)); err != nil {
		return v.notDone(err, "Rename", d, renameRoleView)
	}
	return v.redirect(accessRolePath(a.ID) + "?said=renamed")
}

// deletingAccessRole begins the dialog about the access role that the address names.
func (v *visit) deletingAccessRole() (*roleDialog, int64, error) {
	a, err := v.accessRole()
	if err != nil {
		return nil, 0, err
	}
	if err := v.handle().MayChangeAccessRole(v.ctx(), a.AccessRole); err != nil {
		return nil, 0, err
	}
	d := v.aboutAccessRole(a, "")
	if d.Holders == 0 || !d.MayMove {
		return d, a.ID, nil
	}
	all, err := v.handle().AccessRoles(v.ctx())
	if err != nil {
		return nil, 0, err
	}
	for _, other := range all {
		if other.ID != a.ID && v.handle().MayChangeAccessRole(v.ctx(), other.AccessRole) == nil {
			d.Others = append(d.Others, directory.Named{ID: other.ID, Name: other.Name})
		}
	}
	return d, a.ID, nil
}

func (s *Server) askDeleteAccessRole(v *visit) error {
	d, _, err := v.deletingAccessRole()
	if err != nil {
		return err
	}
	return v.dialog(http.StatusOK, "Delete", deleteRoleView(d))
}

func (s *Server) deleteAccessRole(v *visit) error {
	d, id, err := v.deletingAccessRole()
	if err != nil {
		return err
	}
	if v.PostFormValue("to") == "" {
		err = v.handle().DeleteAccessRole(v.ctx(), id)
		return v.deleted(err, d, "/access-roles?said=deleted")
	}
	return s.replaceAndDelete(v, d, directory.AccessRoleValue, id)
}
