package directory

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// ValueKind is a kind of value that users hold and that can be replaced by another of its kind for all who hold it.
type ValueKind string

const (
	RoleValue             ValueKind = "role"
	AccessRoleValue       ValueKind = "access-role"
	CRMNameValue          ValueKind = "crm-name"
	GreetingTemplateValue ValueKind = "greeting-template"
)

// valueTable is where the values of a kind are, and where it says who holds one.
type valueTable struct {
	noun   string // "CRM name"
	module string
	table  string
	column string   // of users; "" for roles, of which a user holds any number
	parts  []string // tables of what belongs to a value
	key    string   // their column for it
}

var valueTables = map[ValueKind]valueTable{
	RoleValue:             {noun: "role", module: "roles", table: "roles", parts: []string{"role_rights", "role_rules"}, key: "role_id"},
	AccessRoleValue:       {noun: "access role", module: "access-roles", table: "access_roles", column: "access_role_id", parts: []string{"access_role_units"}, key: "access_role_id"},
	CRMNameValue:          {noun: "CRM name", module: "catalogues", table: "crm_names", column: "crm_name_id"},
	GreetingTemplateValue: {noun: "greeting template", module: "catalogues", table: "greeting_templates", column: "greeting_template_id"},
}

// Noun is what people call a value of the kind: "CRM name".
func (k ValueKind) Noun() string { return valueTables[k].noun }

// Module is the module of rights that the kind belongs to.
func (k ValueKind) Module() string { return valueTables[k].module }

// Replacement is what is replaced: every user who holds From gets To instead.
type Replacement struct {
	Kind   ValueKind
	From   int64
	To     int64 // 0: nothing instead
	Delete bool  // From itself goes when nobody holds it any more
	// Over says that nothing more will be done, and what is left is to tell how it ended: who is prepared for that may have
	// lost the rights that it took. It changes nothing, and names nobody to who may not edit users.
	Over bool
}

// Needs are the rights that the replacement takes, whoever the users are.
func (r Replacement) Needs() []Right {
	needs := []Right{"users:edit"}
	if r.Delete {
		needs = append(needs, Right(r.Kind.Module()+":delete"))
	}
	return needs
}

// Replacing is a replacement that the handle's actor may make, judged by one state of the configuration.
type Replacing struct {
	Replacement
	FromName, ToName string // ToName is "" where there is nothing instead

	handle   *Handle
	table    valueTable
	revision int64
	within   string // condition on users: in the actor's scope
	named    string // condition on users: the actor may be told who they are
	tooMuch  string // condition on users: they would get more than the actor may give
}

// PrepareReplacement looks whether the actor may replace the one value by the other, on the users of their scope. It is
// Forbidden also where the value given or taken is more than they may give; NotFound where one is not there.
func (h *Handle) PrepareReplacement(ctx context.Context, q sqldb.Querier, r Replacement) (*Replacing, error) {
	p, cfg, err := h.replacing(ctx, q, r)
	if err != nil {
		return nil, err
	}
	switch {
	case r.Over:
		p.tooMuch = "1 = 0"
		return p, nil
	case r.From == r.To:
		return nil, fault.New(fault.Invalid, "the %s would be replaced by itself; choose another", p.table.noun)
	case p.FromName == "":
		return nil, fault.New(fault.NotFound, "the %s that is to be replaced is not there any more", p.table.noun)
	case r.To != 0 && p.ToName == "":
		return nil, fault.New(fault.NotFound, "the %s that is to be given instead is not there any more; choose another", p.table.noun)
	case cfg.retired(r.Kind, r.To):
		return nil, fault.New(fault.Invalid, "the %s %q is retired, so nobody can be given it; choose another", p.table.noun, p.ToName)
	}
	return p, p.judge(&cfg, r.From, r.To)
}

// PrepareRestoring is PrepareReplacement for taking the replacement back: to users who have To by now comes From.
func (h *Handle) PrepareRestoring(ctx context.Context, q sqldb.Querier, r Replacement) (*Replacing, error) {
	p, cfg, err := h.replacing(ctx, q, r)
	if err != nil {
		return nil, err
	}
	if p.FromName == "" {
		return nil, fault.New(fault.NotFound, "the %s that users had is not there any more, so they cannot be given it back", p.table.noun)
	}
	return p, p.judge(&cfg, r.To, r.From)
}

// replacing does what holds in both directions.
func (h *Handle) replacing(ctx context.Context, q sqldb.Querier, r Replacement) (*Replacing, Configuration, error) {
	p := &Replacing{Replacement: r, handle: h, table: valueTables[r.Kind]}
	if p.table.noun == "" {
		return nil, Configuration{}, fault.New(fault.Invalid, "there is nothing of the kind %q that could be replaced", r.Kind)
	}
	if err := h.mayReplace(r); err != nil {
		return nil, Configuration{}, err
	}
	cfg, err := LoadConfiguration(ctx, q)
	if err != nil {
		return nil, cfg, err
	}
	p.revision = cfg.Revision
	p.FromName, p.ToName = cfg.valueName(r.Kind, r.From), cfg.valueName(r.Kind, r.To)
	if p.within, err = h.withinScope(ctx, q); err != nil {
		return nil, cfg, err
	}
	p.named = p.within
	if !h.actor.Can("users:edit") {
		p.named = never
	}
	if r.Over && h.actor.name == "" {
		p.within = always // nobody knows any more where they might change users
	}
	return p, cfg, nil
}

// mayReplace checks what does not depend on the value.
func (h *Handle) mayReplace(r Replacement) error {
	if r.Over {
		return nil
	}
	if err := h.actor.Need(r.Needs()...); err != nil || !r.Delete {
		return err
	}
	return everywhereOnly(h.actor)
}

// retired tells whether a value is given to nobody any more.
func (c *Configuration) retired(k ValueKind, id int64) bool {
	return k == CRMNameValue && slices.ContainsFunc(c.Retired.CRMNames, func(n Named) bool { return n.ID == id }) ||
		k == GreetingTemplateValue && slices.ContainsFunc(c.Retired.GreetingTemplates, func(g GreetingTemplate) bool { return g.ID == id })
}

// valueName is the name of a value, "" where it is not there.
func (c *Configuration) valueName(k ValueKind, id int64) string {
	switch k {
	case RoleValue:
		if i := slices.IndexFunc(c.Roles, func(r Role) bool { return r.ID == id }); i >= 0 {
			return c.Roles[i].Name
		}
	case AccessRoleValue:
		if i := slices.IndexFunc(c.AccessRoles, func(a AccessRole) bool { return a.ID == id }); i >= 0 {
			return c.AccessRoles[i].Name
		}
	case CRMNameValue:
		for _, n := range c.AllCRMNames() {
			if n.ID == id {
				return n.Name
			}
		}
	case GreetingTemplateValue:
		for _, g := range c.AllGreetingTemplates() {
			if g.ID == id {
				return g.Name
			}
		}
	}
	return ""
}

// judge finds out what the actor may not give: as a whole, which is Forbidden, or to some users.
func (p *Replacing) judge(cfg *Configuration, taken, given int64) error {
	p.tooMuch = "1 = 0"
	if p.handle.actor.system {
		return nil
	}
	switch p.Kind {
	case RoleValue:
		return p.judgeRoles(cfg, taken, given)
	case AccessRoleValue:
		return p.judgeAccessRoles(cfg, taken, given)
	}
	return nil
}

// judgeRoles wants every right of both roles. Rights also apply further than the actor's do where the user's access
// role reaches further: that is refused for each such user who did not have all of the rights anyway.
func (p *Replacing) judgeRoles(cfg *Configuration, taken, given int64) error {
	actor, rights := p.handle.actor, 0
	for _, r := range cfg.Roles {
		if r.ID != taken && r.ID != given {
			continue
		}
		if right, lacks := actor.lacks(r.Rights); lacks {
			return fault.New(fault.Forbidden, "you may not give or take the role %q: it has the right %s, which you do not hold; ask somebody who does", r.Name, right)
		}
		if r.ID == given {
			rights = len(r.Rights)
		}
	}
	rules := NewRules(*cfg, actor)
	further := []int64{}
	for i, a := range cfg.AccessRoles {
		if !rules.assignable[i] {
			further = append(further, a.ID)
		}
	}
	if rights > 0 && len(further) > 0 {
		p.tooMuch = fmt.Sprintf(`coalesce(users.access_role_id, 0) IN (%s) AND EXISTS (SELECT 1 FROM role_rights t WHERE t.role_id = %d
			AND NOT EXISTS (SELECT 1 FROM user_roles h JOIN role_rights g ON g.role_id = h.role_id
				WHERE h.user_id = users.id AND g.module = t.module AND g.action = t.action))`, idList(further), given)
	}
	return nil
}

// judgeAccessRoles wants the reach of both within the actor's own. Who holds rights that the actor does not hold would
// have them in more places: that is refused for each such user, unless the reach only shrinks.
func (p *Replacing) judgeAccessRoles(cfg *Configuration, taken, given int64) error {
	actor := p.handle.actor
	rules := NewRules(*cfg, actor)
	var before, after *AccessRole
	for i := range cfg.AccessRoles {
		a := &cfg.AccessRoles[i]
		if a.ID != taken && a.ID != given {
			continue
		}
		if !rules.assignable[i] {
			return fault.New(fault.Forbidden, "you may not give or take the access role %q: it reaches further than yours; ask somebody whose access role covers it", a.Name)
		}
		if a.ID == taken {
			before = a
		} else {
			after = a
		}
	}
	if after == nil || before != nil && !widens(rules, *before, *after) {
		return nil
	}
	stronger := []int64{}
	for _, r := range cfg.Roles {
		if _, lacks := actor.lacks(r.Rights); lacks {
			stronger = append(stronger, r.ID)
		}
	}
	if len(stronger) > 0 {
		p.tooMuch = "EXISTS (SELECT 1 FROM user_roles h WHERE h.user_id = users.id AND h.role_id IN (" + idList(stronger) + "))"
	}
	return nil
}

// widens tells whether some holder may be in more places after than before.
func widens(r *Rules, before, after AccessRole) bool {
	switch {
	case before.Scope == "everywhere", before.Scope == "own-unit-and-below" && after.Scope == "own-unit":
		return false
	case before.Scope == "units" && after.Scope == "units":
		return !r.reachOf(before).Covers(r.reachOf(after))
	}
	return before.Scope != after.Scope
}

// reachOf is the scope that an access role of named units gives.
func (r *Rules) reachOf(a AccessRole) Scope {
	var paths []string
	for _, name := range a.Units {
		if i, ok := r.units["/ "+name]; ok && i != ambiguous {
			paths = append(paths, r.Configuration.OrgUnits[i].Path)
		}
	}
	return Below(paths...)
}

// idList writes ids, which are numbers of our own, so that they may stand in a statement.
func idList(ids []int64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(texts, ", ")
}

// keySet packs ids into one parameter; see [sqldb.DB.KeySet].
func keySet(db *sqldb.DB, ids []int64) any {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatInt(id, 10)
	}
	return db.KeySet(texts)
}
