package web

import (
	"muster/internal/directory"
)

// shell is what stands around every page.
type shell struct {
	Title  string
	Theme  string // "light", "dark", or "" to follow the system
	Path   string
	Name   string // of who is signed in; "" for nobody
	LANID  string
	Nav    []navItem
	Search bool // "/" leads to the users' search
}

// navItem is a module in the navigation.
type navItem struct {
	Label, Icon, Path string
	Here              bool
	any               []directory.Right
}

// modules are what the navigation leads to, for those who hold one of the rights.
var modules = []navItem{
	{Label: "User Onboarding", Icon: "users", Path: "/users", any: []directory.Right{"users:access"}},
	{Label: "Bulk actions", Icon: "history", Path: "/batches", any: []directory.Right{"batches:access", "users:add"}},
}

// navigation is what who is signed in may see of it.
func (v *visit) navigation() []navItem {
	var items []navItem
	for _, item := range modules {
		for _, r := range item.any {
			if v.can(r) {
				item.Here = v.URL.Path == item.Path || len(v.URL.Path) > len(item.Path) && v.URL.Path[:len(item.Path)+1] == item.Path+"/"
				items = append(items, item)
				break
			}
		}
	}
	return items
}

func (v *visit) shell(title string) shell {
	sh := shell{Title: title, Theme: v.theme(), Path: v.URL.Path}
	if v.session != nil {
		sh.Name, sh.LANID, sh.Nav = v.session.Name, v.session.LANID, v.navigation()
		sh.Search = v.can("users:access")
	}
	return sh
}
