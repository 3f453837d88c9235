package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"muster/internal/directory"
)

func (s *Server) roleRoutes() []route {
	see := []directory.Right{"roles:access"}
	return []route{
		{pattern: "GET /roles", any: see, do: s.roles},
		{pattern: "GET /roles/new", any: []directory.Right{"roles:add"}, do: s.newRole},
		{pattern: "POST /roles", any: []directory.Right{"roles:add"}, do: s.addRole},
		{pattern: "GET /roles/{id}", any: see, do: s.role},
		{pattern: "POST /roles/{id}", any: []directory.Right{"roles:edit"}, do: s.editRole},
		{pattern: "GET /roles/{id}/rename", any: []directory.Right{"roles:edit"}, do: s.askRoleName},
		{pattern: "POST /roles/{id}/rename", any: []directory.Right{"roles:edit"}, do: s.renameRole},
		{pattern: "GET /roles/{id}/delete", any: []directory.Right{"roles:delete"}, do: s.askDeleteRole},
		{pattern: "POST /roles/{id}/delete", any: []directory.Right{"roles:delete"}, do: s.deleteRole},
	}
}

// rolesPage is the list of roles.
type rolesPage struct {
	Rows     []directory.HeldRole
	Said     string
	MayAdd   bool
	SeeUsers bool
}

func (s *Server) roles(v *visit) error {
	all, err := v.handle().Roles(v.ctx())
	if err != nil {
		return err
	}
	return v.show("Roles", rolesView(rolesPage{Rows: all, Said: saidWords(v, "role"), MayAdd: v.mayEverywhere("roles:add"), SeeUsers: v.can("users:access")}))
}

// mayEverywhere tells whether who acts may do something that concerns the whole organization.
func (v *visit) mayEverywhere(r directory.Right) bool {
	return v.can(r) && v.actor().Scope().IsEverywhere()
}

// saidWords is what the page says of what was just done, which its address names.
func saidWords(v *visit, what string) string {
	return map[string]string{
		"added": "The " + what + " is added.", "saved": "The " + what + " is saved.", "renamed": "The " + what + " is renamed, for everybody who holds it.", "deleted": "The " + what + " is deleted.",
	}[v.URL.Query().Get("said")]
}

// firstHolders is how many of those who hold a role its page names.
const firstHolders = 10

// holdersCard is who holds a role or an access role.
type holdersCard struct {
	Total    int64 // in the whole directory
	First    []directory.User
	Grid     string // the address of the grid of them
	SeeUsers bool
}

func rolePath(id int64) string { return "/roles/" + strconv.FormatInt(id, 10) }

// gridOfRole is the address of the grid of those who hold the role.
func gridOfRole(name string) string { return withQuery("/users", "role", name) }

// idInPath is the number that the address names.
func (v *visit) idInPath() (int64, error) {
	id, err := strconv.ParseInt(v.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, errNothingHere
	}
	return id, nil
}

// role is the one that the address names.
func (v *visit) role() (directory.HeldRole, error) {
	id, err := v.idInPath()
	if err != nil {
		return directory.HeldRole{}, err
	}
	return v.handle().Role(v.ctx(), id)
}

// roleDialog asks for a role's new name, or before it is deleted.
type roleDialog struct {
	What    string // "role" or "access role"
	Path    string
	Called  string
	Name    string // that was typed
	Holders int64
	Others  []directory.Named // that may be given instead
	To      string            // that was chosen
	MayMove bool              // who acts may change users
	Over    bool              // it lies over a page
	Failure string
}

func (v *visit) aboutRole(r directory.HeldRole, name string) *roleDialog {
	return &roleDialog{What: "role", Path: rolePath(r.ID), Called: r.Name, Name: name, Holders: r.Holders, MayMove: v.can("users:edit"), Over: v.asked()}
}

// asked tells whether htmx asks, which puts dialogs over the page.
func (v *visit) asked() bool { return v.Header.Get("HX-Request") == "true" }

// dialog shows a dialog, or, to who came without a script, a page of its own.
func (v *visit) dialog(status int, title string, body templ.Component) error {
	if v.asked() {
		return v.write(status, body)
	}
	return v.showStatus(status, title, roleDialogPage(body))
}

// notDone shows the dialog with why it was not done; what cannot be mended there is an error page.
func (v *visit) notDone(err error, title string, d *roleDialog, view func(*roleDialog) templ.Component) error {
	f, ok := v.mendable(err)
	if !ok {
		return err
	}
	d.Failure = f.Message
	return v.dialog(f.Status, title, view(d))
}

// mendable tells whether the error belongs beside what was typed. Scripts get it as it is.
func (v *visit) mendable(err error) (failure, bool) {
	if v.wantsJSON() {
		return failure{}, false
	}
	return refused(v, err)
}

func (s *Server) askRoleName(v *visit) error {
	r, err := v.role()
	if err != nil {
		return err
	}
	if err := v.handle().MayChangeRole(r.Role); err != nil {
		return err
	}
	return v.dialog(http.StatusOK, "Rename", renameRoleView(v.aboutRole(r, r.Name)))
}

func (s *Server) renameRole(v *visit) error {
	r, err := v.role()
	if err != nil {
		return err
	}
	d := v.aboutRole(r, v.PostFormValue("name"))
	if _, err := v.handle().RenameRole(v.ctx(), r.ID, strings.TrimSpace(d.Name)); err != nil {
		return v.notDone(err, "Rename", d, renameRoleView)
	}
	return v.redirect(rolePath(r.ID) + "?said=renamed")
}
