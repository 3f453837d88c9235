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

// rolePage is one role: its rights, its rules, and who holds it. What was typed stays in it until it is saved.
type rolePage struct {
	ID      int64 // 0: a new one
	Name    string
	Rights  map[directory.Right]bool
	Rules   []ruleLine
	Seen    string // what its maker looked at, for the next save
	CopyOf  string // the name of the role that a new one begins with
	Holders holdersCard

	MayEdit, MayDelete, MayCopy bool
	Why                         string                   // it may not be edited
	Lacks                       map[directory.Right]bool // rights that who looks does not hold
	Said                        string
	Problem                     string
	Conflict                    *directory.Changed[directory.Role]
}

// ruleLine is a rule of the catalogue, as the role has it or as somebody typed it.
type ruleLine struct {
	Rule, Action, Delay string
	On                  bool
	Problem             string
}

// moduleWords are the modules as people call them.
var moduleWords = map[string]string{
	"users": "Users", "pictures": "Pictures", "roles": "Roles", "access-roles": "Access roles", "org-units": "Org structure", "catalogues": "Catalogues",
	"batches": "Bulk actions of others", "audit": "Audit", "settings": "Settings", "api-tokens": "API tokens",
}

func right(module, action string) directory.Right { return directory.Right(module + ":" + action) }

// take puts a role into the page.
func (p *rolePage) take(r directory.Role) {
	p.Rights = map[directory.Right]bool{}
	for _, right := range r.Rights {
		p.Rights[right] = true
	}
	p.Rules = nil
	for _, name := range directory.RuleNames {
		line := ruleLine{Rule: name, Action: directory.RuleActions[0], Delay: "0"}
		if i := slices.IndexFunc(r.Rules, func(rule directory.Rule) bool { return rule.Rule == name }); i >= 0 {
			line.On, line.Action, line.Delay = true, r.Rules[i].Action, strconv.Itoa(r.Rules[i].DelaySeconds)
		}
		p.Rules = append(p.Rules, line)
	}
	p.see(r)
}

// see notes what is looked at.
func (p *rolePage) see(r directory.Role) {
	text, err := json.Marshal(r)
	if err != nil {
		panic("web: a role always marshals: " + err.Error())
	}
	p.Seen = string(text)
}

// mayChange fills in what who looks may do.
func (p *rolePage) mayChange(v *visit, r directory.Role) {
	why := v.handle().MayChangeRole(r)
	p.MayEdit = p.ID == 0 || v.can("roles:edit") && why == nil
	p.MayDelete = p.ID != 0 && v.can("roles:delete") && why == nil
	p.MayCopy = p.ID != 0 && v.can("roles:add") && why == nil
	if why != nil && (v.can("roles:edit") || v.can("roles:delete")) {
		p.Why = failureOf(why).Message
	}
	p.Lacks = map[directory.Right]bool{}
	for _, right := range directory.AllRights() {
		p.Lacks[right] = !v.can(right)
	}
}

// lacksSome tells whether some rights cannot be given.
func (p *rolePage) lacksSome() bool {
	for _, lacks := range p.Lacks {
		if lacks {
			return true
		}
	}
	return false
}

func (s *Server) role(v *visit) error {
	r, err := v.role()
	if err != nil {
		return err
	}
	p := &rolePage{Said: saidWords(v, "role")}
	p.take(r.Role)
	return s.showRole(v, http.StatusOK, p, r)
}

// showRole shows the page of a role that is there.
func (s *Server) showRole(v *visit, status int, p *rolePage, r directory.HeldRole) (err error) {
	p.ID, p.Name = r.ID, r.Name
	p.mayChange(v, r.Role)
	p.Holders = holdersCard{Total: r.Holders, Grid: gridOfRole(r.Name), SeeUsers: v.can("users:access")}
	if p.Holders.SeeUsers {
		if p.Holders.First, err = v.handle().RoleHolders(v.ctx(), r.ID, "", firstHolders); err != nil {
			return err
		}
	}
	return v.showStatus(status, r.Name, roleView(p))
}

func (s *Server) newRole(v *visit) error {
	p := &rolePage{}
	var of directory.Role
	if id, err := strconv.ParseInt(v.URL.Query().Get("copy"), 10, 64); err == nil {
		r, err := v.handle().Role(v.ctx(), id)
		if err != nil {
			return err
		}
		of, p.CopyOf, p.Name = r.Role, r.Name, "Copy of "+r.Name
		of.Rights = slices.DeleteFunc(slices.Clone(of.Rights), func(r directory.Right) bool { return !v.can(r) })
	}
	p.take(of)
	p.mayChange(v, directory.Role{})
	return v.show("Add a role", roleView(p))
}

func (s *Server) addRole(v *visit) error {
	p := &rolePage{Name: v.PostFormValue("name"), CopyOf: v.PostFormValue("copy_of")}
	want, err := p.read(v)
	if err == nil {
		want.Name = strings.TrimSpace(p.Name)
		want, err = v.handle().AddRole(v.ctx(), want)
	}
	if err != nil {
		status, err := p.fails(v, err)
		if err != nil {
			return err
		}
		p.mayChange(v, directory.Role{})
		return v.showStatus(status, "Add a role", roleView(p))
	}
	return v.redirect(rolePath(want.ID) + "?said=added")
}

func (s *Server) editRole(v *visit) error {
	r, err := v.role()
	if err != nil {
		return err
	}
	p := &rolePage{Seen: v.PostFormValue("seen")}
	want, err := p.read(v)
	if err == nil {
		var seen directory.Role
		if json.Unmarshal([]byte(p.Seen), &seen) != nil {
			return fault.New(fault.Invalid, "the form did not arrive as it was sent; load the page again and send it once more")
		}
		_, err = v.handle().EditRole(v.ctx(), r.ID, seen, want)
	}
	if err == nil {
		return v.redirect(rolePath(r.ID) + "?said=saved")
	}
	status, err := p.fails(v, err)
	if err != nil {
		return err
	}
	return s.showRole(v, status, p, r)
}

// read takes what was typed into the page, and makes a role of it.
func (p *rolePage) read(v *visit) (r directory.Role, err error) {
	p.Rights = map[directory.Right]bool{}
	for _, text := range v.PostForm["right"] {
		p.Rights[directory.Right(text)] = true
		r.Rights = append(r.Rights, directory.Right(text))
	}
	slices.Sort(r.Rights)
	r.Rights = slices.Compact(r.Rights)
	for _, name := range directory.RuleNames {
		line := ruleLine{Rule: name, On: v.PostFormValue("rule."+name) != "", Action: v.PostFormValue("action." + name), Delay: v.PostFormValue("delay." + name)}
		if line.On {
			seconds, wrong := strconv.Atoi(strings.TrimSpace(line.Delay))
			if wrong != nil || seconds < 0 {
				line.Problem = "Give whole seconds, 0 or more."
				err = fault.New(fault.Invalid, "the delay of the rule “%s” is not a number of seconds; give whole seconds, 0 or more", ruleWord(name))
			}
			r.Rules = append(r.Rules, directory.Rule{Rule: name, Action: line.Action, DelaySeconds: seconds})
		}
		p.Rules = append(p.Rules, line)
	}
	return r, err
}

// fails puts into the page why it was not saved; what cannot be mended there comes back.
func (p *rolePage) fails(v *visit, err error) (status int, rest error) {
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

// roleRules are a role's rules in a few words.
func roleRules(rules []directory.Rule) string {
	var all []string
	for _, r := range rules {
		all = append(all, ruleWord(r.Rule)+": "+ruleWord(r.Action)+" "+delayWords(r.DelaySeconds))
	}
	return strings.Join(all, " · ")
}
