package directory

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// DeleteCatalogueEntry deletes an entry that no user has. One in use is a Conflict that says how many have it: it can be
// retired, or its users are given another one first. It needs catalogues:delete, everywhere.
func (h *Handle) DeleteCatalogueEntry(ctx context.Context, c Catalogue, id int64) error {
	switch c {
	case ChannelCatalogue:
		return deleteEntry(ctx, h, channels, id)
	case FeatureCatalogue:
		return deleteEntry(ctx, h, features, id)
	case CRMNameCatalogue:
		return deleteEntry(ctx, h, crmNames, id)
	case GreetingCatalogue:
		return deleteEntry(ctx, h, greetings, id)
	}
	return noCatalogue(c)
}

func noCatalogue(c Catalogue) error {
	return fault.New(fault.NotFound, "there is no catalogue %q", string(c))
}

func deleteEntry[T any](ctx context.Context, h *Handle, k catalogue[T], id int64) error {
	_, err := h.editCatalogue(ctx, "delete", func(ctx context.Context, tx *sqldb.Tx, p *changePlan) ([]step, error) {
		v, err := k.find(&p.have, id)
		if err != nil {
			return nil, err
		}
		gone := func(other T) bool { at, _ := k.entity.key(&other); return *at == id }
		*k.used(&p.after) = slices.DeleteFunc(slices.Clone(*k.used(&p.have)), gone)
		*k.retired(&p.after) = slices.DeleteFunc(slices.Clone(*k.retired(&p.have)), gone)
		s := deleteStep(k.entity, v)
		s.refused = func(ctx context.Context, q sqldb.Querier) (string, error) {
			n, _, err := sqldb.One[int64](ctx, q, k.entity.users, id)
			if err != nil || n == 0 {
				return "", err
			}
			return fmt.Sprintf("the %s %q cannot be deleted: %s it; retire it, or change these users first", k.called, s.Name, haveIt(n)), nil
		}
		return []step{s}, nil
	})
	return err
}

func haveIt(n int64) string {
	if n == 1 {
		return "1 user has"
	}
	return people(n) + " have"
}

// MoveCatalogueEntry puts a channel or a feature one place up (-1) or down (1) among those in use: the order of the
// template's columns. At the end of the list it stays where it is. It needs catalogues:edit, everywhere.
func (h *Handle) MoveCatalogueEntry(ctx context.Context, c Catalogue, id int64, by int) error {
	switch c {
	case ChannelCatalogue:
		return moveEntry(ctx, h, channels, id, by)
	case FeatureCatalogue:
		return moveEntry(ctx, h, features, id, by)
	}
	return fault.New(fault.Invalid, "only channels and features have an order")
}

func moveEntry[T any](ctx context.Context, h *Handle, k catalogue[T], id int64, by int) error {
	name := func(v T) string { _, n := k.entity.key(&v); return *n }
	_, err := h.editCatalogue(ctx, "edit", func(_ context.Context, _ *sqldb.Tx, p *changePlan) ([]step, error) {
		used := slices.Clone(*k.used(&p.have))
		i := slices.IndexFunc(used, func(v T) bool { at, _ := k.entity.key(&v); return *at == id })
		if i < 0 {
			return nil, fault.New(fault.NotFound, "there is no such %s in use any more; somebody may have retired or deleted it", k.called)
		}
		to := min(max(i+by, 0), len(used)-1)
		v := used[i]
		used = slices.Insert(slices.Delete(used, i, i+1), to, v)
		before := each(*k.used(&p.have), name)
		*k.used(&p.after) = used
		p.compareOrder(k.entity.subject+"-order", k.table, before, each(used, name))
		return p.steps, nil
	})
	return err
}

// CatalogueUse says how many users have an entry of a catalogue, in the whole directory.
type CatalogueUse struct {
	// Users have a CRM name or a greeting template; of a channel or a feature, they have another count or value than the
	// default.
	Users int64
	// Following are, of a channel or a feature, all the others: their count or value changes with the default.
	Following int64
	// Values are the counts or values of Users, most frequent first.
	Values []ValueUse
}

// ValueUse is how many users have a value.
type ValueUse struct {
	Value string
	Users int64
}

// Of is how many users have the value, case aside.
func (u CatalogueUse) Of(value string) int64 {
	for _, v := range u.Values {
		if Fold(v.Value) == Fold(value) {
			return v.Users
		}
	}
	return 0
}

// CatalogueUse counts who has an entry. It needs catalogues:access.
func (h *Handle) CatalogueUse(ctx context.Context, c Catalogue, id int64) (u CatalogueUse, err error) {
	if err := h.actor.Need("catalogues:access"); err != nil {
		return u, err
	}
	query := map[Catalogue]string{
		ChannelCatalogue:  "SELECT CAST(count AS TEXT), count(*) FROM user_channels WHERE channel_id = $1 GROUP BY count ORDER BY 2 DESC, 1",
		FeatureCatalogue:  "SELECT value, count(*) FROM user_features WHERE feature_id = $1 GROUP BY value ORDER BY 2 DESC, 1",
		CRMNameCatalogue:  "SELECT '', count(*) FROM users WHERE crm_name_id = $1",
		GreetingCatalogue: "SELECT '', count(*) FROM users WHERE greeting_template_id = $1",
	}[c]
	if query == "" {
		return u, noCatalogue(c)
	}
	err = h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		all, err := sqldb.All[ValueUse](ctx, q, query, id)
		if err != nil {
			return fmt.Errorf("count who uses it: %w", err)
		}
		for _, v := range all {
			u.Users += v.Users
		}
		if c == CRMNameCatalogue || c == GreetingCatalogue {
			return nil
		}
		u.Values = all
		total, _, err := sqldb.One[int64](ctx, q, "SELECT count(*) FROM users")
		u.Following = total - u.Users
		return err
	})
	return u, err
}
