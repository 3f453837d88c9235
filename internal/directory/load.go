package directory

import (
	"cmp"
	"context"
	"slices"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// readConfiguration are the rights that reading the whole configuration needs.
var readConfiguration = []Right{"roles:access", "org-units:access", "catalogues:access", "access-roles:access", "settings:access"}

// Configuration returns all of the directory but its users, as it is at one instant. Every section is there, if
// empty: what is exported from it says everything.
func (h *Handle) Configuration(ctx context.Context) (c Configuration, err error) {
	if err := h.actor.Need(readConfiguration...); err != nil {
		return Configuration{}, err
	}
	err = h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		c, err = LoadConfiguration(ctx, q)
		return err
	})
	return c, err
}

// LoadConfiguration is [Handle.Configuration] for code that has checked the actor's rights itself, and within the
// caller's transaction. It runs one statement for each table, whatever the number of rows.
func LoadConfiguration(ctx context.Context, q sqldb.Querier) (Configuration, error) {
	c := Configuration{HasSettings: true}
	// The revision first: where the caller's transaction does not see one instant, what is loaded may be newer than
	// the number says, never older.
	revision, err := Revision(ctx, q)
	if err != nil {
		return Configuration{}, err
	}
	c.Revision = revision
	for _, load := range []func(context.Context, sqldb.Querier, *Configuration) error{
		loadLevels, loadOrgUnits, loadRoles, loadAccessRoles, loadCatalogues, loadChannels, loadFeatures, loadSettings,
	} {
		if err := load(ctx, q, &c); err != nil {
			return Configuration{}, err
		}
	}
	return c, nil
}

// Revision returns the number that every change of the configuration raises.
func Revision(ctx context.Context, q sqldb.Querier) (int64, error) {
	n, found, err := sqldb.One[int64](ctx, q, "SELECT revision FROM directory_revision")
	if err == nil && !found {
		err = fault.New(fault.Internal, "the database has no directory revision; restore it from a backup")
	}
	return n, err
}

// list is [sqldb.All], but an empty result is not nil: a section that is empty is still a section.
func list[T any](ctx context.Context, q sqldb.Querier, query string) ([]T, error) {
	all, err := sqldb.All[T](ctx, q, query)
	if all == nil {
		all = []T{}
	}
	return all, err
}

// apart parts those in use from the retired ones. What is empty is not nil.
func apart[T any](all []T, retired func(T) bool) (used, gone []T) {
	used, gone = []T{}, []T{}
	for _, v := range all {
		if retired(v) {
			gone = append(gone, v)
		} else {
			used = append(used, v)
		}
	}
	return used, gone
}

func loadLevels(ctx context.Context, q sqldb.Querier, c *Configuration) (err error) {
	c.Levels, err = list[string](ctx, q, "SELECT name FROM org_levels ORDER BY position")
	return err
}

func loadOrgUnits(ctx context.Context, q sqldb.Querier, c *Configuration) (err error) {
	c.OrgUnits, err = list[OrgUnit](ctx, q, `
		SELECT id, coalesce(parent_id, 0), name, full_name, depth, path
		FROM org_units ORDER BY full_name`)
	return err
}

func loadRoles(ctx context.Context, q sqldb.Querier, c *Configuration) error {
	roles, err := list[Named](ctx, q, "SELECT id, name, 1 = 0 FROM roles ORDER BY name")
	if err != nil {
		return err
	}
	at := map[int64]int{}
	c.Roles = make([]Role, len(roles))
	for i, r := range roles {
		c.Roles[i] = Role{ID: r.ID, Name: r.Name}
		at[r.ID] = i
	}
	for r, err := range sqldb.Each[struct {
		Role  int64
		Right Right
	}](ctx, q, "SELECT role_id, module || ':' || action FROM role_rights") {
		if err != nil {
			return err
		}
		if i, there := at[r.Role]; there {
			c.Roles[i].Rights = append(c.Roles[i].Rights, r.Right)
		}
	}
	for r, err := range sqldb.Each[struct {
		Role         int64
		Rule, Action string
		Delay        int
	}](ctx, q, "SELECT role_id, rule, action, delay_seconds FROM role_rules") {
		if err != nil {
			return err
		}
		if i, there := at[r.Role]; there {
			c.Roles[i].Rules = append(c.Roles[i].Rules, Rule{r.Rule, r.Action, r.Delay})
		}
	}
	for i := range c.Roles {
		sortRole(&c.Roles[i])
	}
	return nil
}

// sortRole puts rights and rules in the order of the matrix and the catalogue.
func sortRole(r *Role) {
	slices.SortFunc(r.Rights, func(a, b Right) int { return cmp.Compare(a.place(), b.place()) })
	slices.SortFunc(r.Rules, func(a, b Rule) int {
		return cmp.Compare(slices.Index(RuleNames, a.Rule), slices.Index(RuleNames, b.Rule))
	})
}

func loadAccessRoles(ctx context.Context, q sqldb.Querier, c *Configuration) error {
	rows, err := list[struct {
		ID          int64
		Name, Scope string
	}](ctx, q, "SELECT id, name, scope FROM access_roles ORDER BY name")
	if err != nil {
		return err
	}
	at := map[int64]int{}
	c.AccessRoles = make([]AccessRole, len(rows))
	for i, r := range rows {
		c.AccessRoles[i] = AccessRole{ID: r.ID, Name: r.Name, Scope: r.Scope}
		at[r.ID] = i
	}
	for u, err := range sqldb.Each[struct {
		AccessRole int64
		Unit       string
	}](ctx, q, `
		SELECT a.access_role_id, u.full_name
		FROM access_role_units a JOIN org_units u ON u.id = a.org_unit_id
		ORDER BY u.full_name`) {
		if err != nil {
			return err
		}
		if i, there := at[u.AccessRole]; there {
			c.AccessRoles[i].Units = append(c.AccessRoles[i].Units, u.Unit)
		}
	}
	return nil
}

func loadCatalogues(ctx context.Context, q sqldb.Querier, c *Configuration) (err error) {
	names, err := sqldb.All[Named](ctx, q, "SELECT id, name, retired = 1 FROM crm_names ORDER BY name")
	if err != nil {
		return err
	}
	greetings, err := sqldb.All[GreetingTemplate](ctx, q, "SELECT id, name, text, retired = 1 FROM greeting_templates ORDER BY name")
	c.CRMNames, c.Retired.CRMNames = apart(names, func(n Named) bool { return n.Retired })
	c.GreetingTemplates, c.Retired.GreetingTemplates = apart(greetings, func(g GreetingTemplate) bool { return g.Retired })
	return err
}

func loadChannels(ctx context.Context, q sqldb.Querier, c *Configuration) (err error) {
	all, err := sqldb.All[Channel](ctx, q, "SELECT id, name, default_count, highest_count, retired = 1 FROM channels ORDER BY position, name")
	c.Channels, c.Retired.Channels = apart(all, func(ch Channel) bool { return ch.Retired })
	return err
}

func loadFeatures(ctx context.Context, q sqldb.Querier, c *Configuration) error {
	rows, err := sqldb.All[struct {
		ID                  int64
		Name, Kind, Default string
		Retired             bool
	}](ctx, q, "SELECT id, name, kind, default_value, retired = 1 FROM features ORDER BY position, name")
	if err != nil {
		return err
	}
	at := map[int64]int{}
	all := make([]Feature, len(rows))
	for i, r := range rows {
		all[i] = Feature{ID: r.ID, Name: r.Name, Kind: r.Kind, Default: r.Default, Retired: r.Retired}
		at[r.ID] = i
	}
	for v, err := range sqldb.Each[struct {
		Feature int64
		Value   string
		Retired bool
	}](ctx, q, "SELECT feature_id, value, retired = 1 FROM feature_values ORDER BY feature_id, position") {
		if err != nil {
			return err
		}
		i, there := at[v.Feature]
		switch {
		case !there:
		case v.Retired:
			all[i].RetiredValues = append(all[i].RetiredValues, v.Value)
		default:
			all[i].Values = append(all[i].Values, v.Value)
		}
	}
	c.Features, c.Retired.Features = apart(all, func(f Feature) bool { return f.Retired })
	return nil
}
