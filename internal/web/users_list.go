package web

import (
	"errors"
	"net/http"

	"github.com/a-h/templ"

	"muster/internal/directory"
	"muster/internal/fault"
)

// usersPage is the User Onboarding page.
type usersPage struct {
	usersAddress
	Users          []directory.User
	Next, Previous string          // cursors
	Total          int64           // that match; -1 where it is still to be counted
	Only           *directory.User // the only one selected, where they are not on this page
	Problem        string          // with the address; there is nobody to be seen then
	MayAdd         bool            // import users
	MayEdit        bool            // bulk edits, sign-in links
	MayPictures    bool            // import pictures
}

// users shows the grid, or only the part of the page that changes with its address.
func (s *Server) users(v *visit) error {
	p := &usersPage{Total: -1, MayAdd: v.can("users:add"), MayEdit: v.can("users:edit"), MayPictures: v.can("pictures:add")}
	err := p.fill(v)
	if fault.KindOf(err) == fault.Invalid {
		return s.badUsersAddress(v, p, err)
	}
	if err != nil {
		return err
	}
	if v.fragment("grid") {
		v.w.Header().Set("HX-Push-Url", p.canonical())
		return v.part(usersPart(p))
	}
	return v.show("User Onboarding", usersView(p))
}

func (p *usersPage) fill(v *visit) (err error) {
	if p.usersAddress, err = parseUsersAddress(v.URL.Query()); err != nil {
		return err
	}
	found, err := v.handle().UsersPage(v.ctx(), p.query)
	if err != nil {
		return err
	}
	p.Users, p.Next, p.Previous = found.Users, found.Next, found.Previous
	if p.Previous == "" {
		p.page = 1
	}
	if p.Previous == "" && p.Next == "" {
		p.Total = int64(len(p.Users))
	}
	return p.findOnly(v)
}

// findOnly looks up the only selected user, who may be on another page: what is to be done to one user needs the LAN ID.
func (p *usersPage) findOnly(v *visit) error {
	if len(p.selected.ids) != 1 || !p.MayEdit {
		return nil
	}
	for i := range p.Users {
		if p.Users[i].ID == p.selected.ids[0] {
			return nil
		}
	}
	found, err := v.handle().UsersPage(v.ctx(), directory.UserQuery{Filter: directory.UserFilter{IDs: p.selected.ids}, Limit: 1})
	if err == nil && len(found.Users) == 1 {
		p.Only = &found.Users[0]
	}
	return err
}

// badUsersAddress shows the page without users, and what is wrong with its address.
func (s *Server) badUsersAddress(v *visit, p *usersPage, err error) error {
	var e *fault.Error
	if !errors.As(err, &e) {
		return err
	}
	p.usersAddress = usersAddress{columns: defaultColumns, page: 1}
	p.Users, p.Total, p.Problem = nil, 0, sentence(e.Message)
	if v.fragment("grid") {
		return v.write(http.StatusUnprocessableEntity, usersPart(p))
	}
	return v.showStatus(http.StatusUnprocessableEntity, "User Onboarding", usersView(p))
}

// state tells what there is to be seen.
func (p *usersPage) state() string {
	switch {
	case p.Problem != "":
		return "bad"
	case len(p.Users) > 0:
		return "users"
	case p.page > 1 || p.query.After != "" || p.query.Before != "":
		return "beyond"
	case p.isFiltered():
		return "no-match"
	}
	return "nobody"
}

// first and last are the numbers of the rows shown.
func (p *usersPage) first() int64 { return (p.page-1)*int64(p.query.Limit) + 1 }
func (p *usersPage) last() int64  { return p.first() + int64(len(p.Users)) - 1 }

// filterChip is one condition of the filter, and the address without it.
type filterChip struct{ Text, Without string }

// chips are the conditions but for the search text, which is to be seen in its box.
func (p *usersPage) chips() []filterChip {
	var all []filterChip
	add := func(text string, without func(*directory.UserFilter)) {
		all = append(all, filterChip{text, p.withFilter(without)})
	}
	f := &p.query.Filter
	for i, unit := range f.OrgUnits {
		add("In "+unit+" and below", func(f *directory.UserFilter) { f.OrgUnits = without(f.OrgUnits, i) })
	}
	for i, c := range f.Where {
		add(conditionText(c), func(f *directory.UserFilter) { f.Where = without(f.Where, i) })
	}
	for i, role := range f.Roles {
		add("Has role "+role, func(f *directory.UserFilter) { f.Roles = without(f.Roles, i) })
	}
	for i, role := range f.NotRoles {
		add("Without role "+role, func(f *directory.UserFilter) { f.NotRoles = without(f.NotRoles, i) })
	}
	if f.WithoutPicture {
		add("Without a picture", func(f *directory.UserFilter) { f.WithoutPicture = false })
	}
	if f.BatchID != 0 {
		add("Inserted by batch "+number(f.BatchID), func(f *directory.UserFilter) { f.BatchID = 0 })
	}
	return all
}

func without[T any](all []T, i int) []T { return append(all[:i:i], all[i+1:]...) }

// filterCount is how many conditions the Filters dialog holds.
func (p *usersPage) filterCount() int { return len(p.chips()) - len(p.query.Filter.OrgUnits) }

// usersPart is the grid, and what changes with it elsewhere on the page.
func usersPart(p *usersPage) templ.Component { return templ.Join(usersGrid(p), usersTools(p, true)) }
