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
	Count             int64 // of what waits for who is signed in
	any               []directory.Right
}

// modules are what the navigation leads to, for those who hold one of the rights.
var modules = []navItem{
	{Label: "User Onboarding", Icon: "users", Path: "/users", any: []directory.Right{"users:access"}},
	{Label: "Org structure", Icon: "sitemap", Path: "/org", any: []directory.Right{"org-units:access"}},
	{Label: "Bulk actions", Icon: "history", Path: "/batches", any: mayLook},
	{Label: "Roles", Icon: "shield-lock", Path: "/roles", any: []directory.Right{"roles:access"}},
	{Label: "Access roles", Icon: "map-pin", Path: "/access-roles", any: []directory.Right{"access-roles:access"}},
	{Label: "Catalogues", Icon: "category", Path: "/catalogues", any: []directory.Right{"catalogues:access"}},
	{Label: "Audit", Icon: "list-details", Path: "/audit", any: []directory.Right{"audit:access"}},
	{Label: "Settings", Icon: "settings", Path: "/settings", any: []directory.Right{"settings:access"}},
}

// navigation is what who is signed in may see of it.
func (v *visit) navigation() []navItem {
	var items []navItem
	for _, item := range modules {
		for _, r := range item.any {
			if v.can(r) {
				item.Here = v.URL.Path == item.Path || len(v.URL.Path) > len(item.Path) && v.URL.Path[:len(item.Path)+1] == item.Path+"/"
				item.Count = v.waiting(item.Path)
				items = append(items, item)
				break
			}
		}
	}
	return items
}

// waiting is how many things below a path wait for who is signed in. That it cannot be said keeps no page back.
func (v *visit) waiting(path string) int64 {
	if path != "/batches" {
		return 0
	}
	n, err := v.server.Engine.Pending(v.ctx(), v.actor())
	if err != nil {
		v.server.Log.Warn("what awaits approval could not be counted", "error", err)
	}
	return n
}

func (v *visit) shell(title string) shell {
	sh := shell{Title: title, Theme: v.theme(), Path: v.URL.Path}
	if v.session != nil {
		sh.Name, sh.LANID, sh.Nav = v.session.Name, v.session.LANID, v.navigation()
		sh.Search = v.can("users:access")
	}
	return sh
}
