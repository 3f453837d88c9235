package web

import (
	"context"

	"muster/internal/directory"
)

// maySeeUsers are the rights that the User Onboarding page needs.
var maySeeUsers = []directory.Right{"users:access"}

func (s *Server) userRoutes() []route {
	all := []route{
		{pattern: "GET /users", any: maySeeUsers, do: s.users},
		{pattern: "GET /users/count", any: maySeeUsers, do: s.countUsers},
		{pattern: "GET /users/org-units", any: maySeeUsers, do: s.pickOrgUnit},
		{pattern: "GET /users/filters", any: maySeeUsers, do: s.userFilters},
		{pattern: "GET /users/filters/apply", any: maySeeUsers, do: s.applyUserFilters},
		{pattern: "GET /users/export", any: maySeeUsers, do: s.exportDialog},
		{pattern: "POST /users/{lan_id}/sign-in-link", any: []directory.Right{"users:edit"}, do: s.signInLink},
	}
	// One by one: a parameter here would be at odds with the pages of a user.
	for _, name := range exportNames() {
		all = append(all, route{pattern: "GET /users/export/" + name, any: maySeeUsers, long: true, do: s.exportUsers})
	}
	return all
}

// configuration is what users refer to, for the choices of filters. It needs no more than the right to see users, as
// the users themselves show all of it.
func configuration(ctx context.Context, h *directory.Handle) (cfg *directory.Configuration, err error) {
	nobody := directory.UserFilter{IDs: []int64{}}
	err = h.WalkUsers(ctx, nobody, func(c *directory.Configuration) error {
		cfg = c
		return nil
	}, func([]directory.User) error { return nil })
	return cfg, err
}
