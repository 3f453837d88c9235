package directory

import (
	"context"
	"slices"
	"strings"
)

// UserRights is what a user may do, and which rules hold for them. Of one who is inactive it is what they would have.
type UserRights struct {
	Rights []RightFrom // in the order of the matrix
	Rules  []RuleFrom  // in the order of the catalogue
}

// RightFrom says from which roles a right comes, and where it applies: "Team Lead gives users:edit in UAE / Retail and below".
type RightFrom struct {
	Right Right
	Roles []string // by name
	Where string   // "everywhere", "in UAE / Retail and below", "nowhere, as there is no access role"
}

// RuleFrom is a rule as it holds: the strictest action and the shortest delay of all roles that have it.
type RuleFrom struct {
	Rule
	Roles                 []string // all that have the rule, by name
	ActionFrom, DelayFrom []string // those from which the action and the delay come
}

// UserRights returns what the user's roles and access role come to. It needs users:access; who is not within the actor's
// scope is NotFound.
func (h *Handle) UserRights(ctx context.Context, id int64) (r UserRights, err error) {
	u, err := h.User(ctx, id)
	if err != nil {
		return UserRights{}, err
	}
	k, err := h.dir.knownAt(ctx, h.dir.DB.Read())
	if err != nil {
		return UserRights{}, err
	}
	var held []Role // by name, as u.Roles
	for _, role := range k.cfg.Roles {
		if slices.Contains(u.Roles, role.Name) {
			held = append(held, role)
		}
	}
	return UserRights{Rights: rightsFrom(held, k.where(u)), Rules: rulesFrom(held)}, nil
}

func rightsFrom(held []Role, where string) []RightFrom {
	var all []RightFrom
	for _, right := range AllRights() {
		f := RightFrom{Right: right, Where: where}
		for _, role := range held {
			if slices.Contains(role.Rights, right) {
				f.Roles = append(f.Roles, role.Name)
			}
		}
		if f.Roles != nil {
			all = append(all, f)
		}
	}
	return all
}

func rulesFrom(held []Role) []RuleFrom {
	var all []RuleFrom
	for _, name := range RuleNames {
		f := RuleFrom{}
		for _, role := range held {
			if rule, has := findRule(role.Rules, name); has {
				f.add(rule, role.Name)
			}
		}
		if f.Roles != nil {
			all = append(all, f)
		}
	}
	return all
}

func (f *RuleFrom) add(r Rule, role string) {
	strict := func(action string) int { return slices.Index(RuleActions, action) }
	first := f.Roles == nil
	f.Roles = append(f.Roles, role)
	f.Rule.Rule = r.Rule
	if first || strict(r.Action) > strict(f.Action) {
		f.Action, f.ActionFrom = r.Action, nil
	}
	if r.Action == f.Action {
		f.ActionFrom = append(f.ActionFrom, role)
	}
	if first || r.DelaySeconds < f.DelaySeconds {
		f.DelaySeconds, f.DelayFrom = r.DelaySeconds, nil
	}
	if r.DelaySeconds == f.DelaySeconds {
		f.DelayFrom = append(f.DelayFrom, role)
	}
}

// where is the reach of the user's access role in words.
func (k *known) where(u User) string {
	i := slices.IndexFunc(k.cfg.AccessRoles, func(a AccessRole) bool { return a.Name == u.AccessRole })
	switch {
	case i < 0:
		return "nowhere, as there is no access role"
	case k.cfg.AccessRoles[i].Scope == "everywhere":
		return "everywhere"
	case k.cfg.AccessRoles[i].Scope == "units":
		return "in " + strings.Join(k.cfg.AccessRoles[i].Units, ", ") + " and below"
	case u.OrgUnit == "":
		return "nowhere, as there is no org unit"
	case k.cfg.AccessRoles[i].Scope == "own-unit":
		return "in " + u.OrgUnit
	}
	return "in " + u.OrgUnit + " and below"
}
