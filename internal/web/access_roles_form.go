package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
)

// accessRolePage is one access role: where, and who has it. What was chosen stays in it until it is saved.
type accessRolePage struct {
	ID      int64 // 0: a new one
	Name    string
	Scope   string
	Units   accessUnitChoice
	Seen    string // what its maker looked at, for the next save
	CopyOf  string
	Holders holdersCard

	MayEdit, MayDelete, MayCopy bool
	Everywhere                  bool // who looks acts everywhere, and so may give any scope
	Why                         string
	Said                        string
	Problem                     string
	Conflict                    *directory.Changed[directory.AccessRole]
}

// accessUnitChoice is the org units of an access role: those chosen, and those found to choose from.
type accessUnitChoice struct {
	Chosen []string // full names
	Typed  string
	Found  []string
	More   int // that fit as well
}

// scopeWords say what a scope means.
var scopeWords = map[string][2]string{
	"own-unit":           {"Own unit", "The org unit that the user is in, and nothing else."},
	"own-unit-and-below": {"Own unit and below", "The org unit that the user is in, with everything below it."},
	"units":              {"These org units", "The same for everybody who has it: each unit with everything below it."},
	"everywhere":         {"Everywhere", "The whole organization."},
}

// take puts an access role into the page.
func (p *accessRolePage) take(a directory.AccessRole) {
	p.Scope, p.Units.Chosen = a.Scope, a.Units
	p.see(a)
}

// see notes what is looked at.
func (p *accessRolePage) see(a directory.AccessRole) {
	text, err := json.Marshal(a)
	if err != nil {
		panic("web: an access role always marshals: " + err.Error())
	}
	p.Seen = string(text)
}

// find looks for units to choose from.
func (c *accessUnitChoice) find(v *visit) error {
	units, err := v.handle().AccessUnits(v.ctx())
	if err != nil {
		return err
	}
	units = slices.DeleteFunc(units, func(u directory.OrgUnit) bool { return slices.Contains(c.Chosen, u.FullName) })
	c.Found, c.More = findUnits(units, directory.Everywhere(), c.Typed)
	return nil
}

// accessUnits shows the units that fit what is typed, below those that are chosen.
func (s *Server) accessUnits(v *visit) error {
	c := accessUnitChoice{Chosen: v.URL.Query()["unit"], Typed: v.URL.Query().Get("find")}
	if err := c.find(v); err != nil {
		return err
	}
	return v.part(accessUnitsView(c))
}

func (s *Server) accessRole(v *visit) error {
	a, err := v.accessRole()
	if err != nil {
		return err
	}
	p := &accessRolePage{Said: saidWords(v, "access role")}
	p.take(a.AccessRole)
	return s.showAccessRole(v, http.StatusOK, p, a)
}

// showAccessRole shows the page of an access role that is there.
func (s *Server) showAccessRole(v *visit, status int, p *accessRolePage, a directory.HeldAccessRole) error {
	p.ID, p.Name = a.ID, a.Name
	why := v.handle().MayChangeAccessRole(v.ctx(), a.AccessRole)
	if why != nil && fault.KindOf(why) != fault.Forbidden {
		return why
	}
	p.MayEdit, p.MayDelete, p.MayCopy = v.can("access-roles:edit") && why == nil, v.can("access-roles:delete") && why == nil, v.can("access-roles:add") && why == nil
	if why != nil && (v.can("access-roles:edit") || v.can("access-roles:delete")) {
		p.Why = failureOf(why).Message
	}
	p.Holders = holdersCard{Total: a.Holders, Grid: gridOfAccessRole(a.Name), SeeUsers: v.can("users:access")}
	if p.Holders.SeeUsers {
		var err error
		if p.Holders.First, err = v.handle().AccessRoleHolders(v.ctx(), a.ID, "", firstHolders); err != nil {
			return err
		}
	}
	return s.finishAccessRole(v, status, a.Name, p)
}

// finishAccessRole looks up what there is to choose from, and shows the page.
func (s *Server) finishAccessRole(v *visit, status int, title string, p *accessRolePage) error {
	p.Everywhere = v.actor().Scope().IsEverywhere()
	if p.ID == 0 {
		p.MayEdit = true
	}
	if p.MayEdit {
		if err := p.Units.find(v); err != nil {
			return err
		}
	}
	return v.showStatus(status, title, accessRoleView(p))
}

func (s *Server) newAccessRole(v *visit) error {
	p := &accessRolePage{}
	of := directory.AccessRole{Scope: "units"}
	if id, err := strconv.ParseInt(v.URL.Query().Get("copy"), 10, 64); err == nil {
		a, err := v.handle().AccessRole(v.ctx(), id)
		if err != nil {
			return err
		}
		of, p.CopyOf, p.Name = a.AccessRole, a.Name, "Copy of "+a.Name
	}
	p.take(of)
	return s.finishAccessRole(v, http.StatusOK, "Add an access role", p)
}

func (s *Server) addAccessRole(v *visit) error {
	p := &accessRolePage{Name: v.PostFormValue("name"), CopyOf: v.PostFormValue("copy_of")}
	want := p.read(v)
	want.Name = strings.TrimSpace(p.Name)
	status := http.StatusOK
	if v.PostFormValue("look") == "" {
		made, err := v.handle().AddAccessRole(v.ctx(), want)
		if err == nil {
			return v.redirect(accessRolePath(made.ID) + "?said=added")
		}
		if status, err = p.fails(v, err); err != nil {
			return err
		}
	}
	return s.finishAccessRole(v, status, "Add an access role", p)
}

func (s *Server) editAccessRole(v *visit) error {
	a, err := v.accessRole()
	if err != nil {
		return err
	}
	p := &accessRolePage{Seen: v.PostFormValue("seen")}
	want := p.read(v)
	if v.PostFormValue("look") != "" {
		return s.showAccessRole(v, http.StatusOK, p, a)
	}
	var seen directory.AccessRole
	if json.Unmarshal([]byte(p.Seen), &seen) != nil {
		return fault.New(fault.Invalid, "the form did not arrive as it was sent; load the page again and send it once more")
	}
	if _, err := v.handle().EditAccessRole(v.ctx(), a.ID, seen, want); err != nil {
		status, err := p.fails(v, err)
		if err != nil {
			return err
		}
		return s.showAccessRole(v, status, p, a)
	}
	return v.redirect(accessRolePath(a.ID) + "?said=saved")
}

// read takes what was chosen into the page, and makes an access role of it. Without a script, the button that looks for
// units sends all of the form.
func (p *accessRolePage) read(v *visit) directory.AccessRole {
	p.Scope = v.PostFormValue("scope")
	p.Units = accessUnitChoice{Chosen: slices.Compact(slices.Sorted(slices.Values(v.PostForm["unit"]))), Typed: v.PostFormValue("find")}
	a := directory.AccessRole{Scope: p.Scope}
	if p.Scope == "units" {
		a.Units = p.Units.Chosen
	}
	return a
}

// fails puts into the page why it was not saved; what cannot be mended there comes back.
func (p *accessRolePage) fails(v *visit, err error) (status int, rest error) {
	if errors.As(err, &p.Conflict) && !v.wantsJSON() {
		p.see(p.Conflict.Now) // who saves again does so knowingly
		return http.StatusConflict, nil
	}
	f, ok := v.mendable(err)
	if !ok {
		return 0, err
	}
	p.Problem = f.Message
	return f.Status, nil
}
