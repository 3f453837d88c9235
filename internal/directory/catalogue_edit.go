package directory

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Catalogue is one of the four kinds of values that are kept in lists.
type Catalogue string

// The catalogues, by the subject that the audit has for their entries.
const (
	ChannelCatalogue  Catalogue = "channel"
	FeatureCatalogue  Catalogue = "feature"
	CRMNameCatalogue  Catalogue = "crm-name"
	GreetingCatalogue Catalogue = "greeting-template"
)

// catalogue is how the entries of one are found and changed one by one, by their ids.
type catalogue[T any] struct {
	called        string // in messages
	table         string
	entity        entity[T]
	used, retired func(*Configuration) *[]T
	isRetired     func(*T) *bool
}

var (
	channels = catalogue[Channel]{
		called: "channel", table: "channels", entity: channelEntity,
		used: func(c *Configuration) *[]Channel { return &c.Channels }, retired: func(c *Configuration) *[]Channel { return &c.Retired.Channels },
		isRetired: func(c *Channel) *bool { return &c.Retired },
	}
	features = catalogue[Feature]{
		called: "feature", table: "features", entity: featureEntity,
		used: func(c *Configuration) *[]Feature { return &c.Features }, retired: func(c *Configuration) *[]Feature { return &c.Retired.Features },
		isRetired: func(f *Feature) *bool { return &f.Retired },
	}
	crmNames = catalogue[Named]{
		called: "CRM name", table: "crm_names", entity: crmNameEntity,
		used: func(c *Configuration) *[]Named { return &c.CRMNames }, retired: func(c *Configuration) *[]Named { return &c.Retired.CRMNames },
		isRetired: func(n *Named) *bool { return &n.Retired },
	}
	greetings = catalogue[GreetingTemplate]{
		called: "greeting template", table: "greeting_templates", entity: greetingTemplateEntity,
		used:      func(c *Configuration) *[]GreetingTemplate { return &c.GreetingTemplates },
		retired:   func(c *Configuration) *[]GreetingTemplate { return &c.Retired.GreetingTemplates },
		isRetired: func(g *GreetingTemplate) *bool { return &g.Retired },
	}
)

// Catalogues returns the configuration with the four catalogues in it, and nothing else. It needs catalogues:access.
func (h *Handle) Catalogues(ctx context.Context) (c Configuration, err error) {
	if err := h.actor.Need("catalogues:access"); err != nil {
		return Configuration{}, err
	}
	err = h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		k, err := h.dir.knownAt(ctx, q)
		if err == nil {
			c = Configuration{CRMNames: k.cfg.CRMNames, GreetingTemplates: k.cfg.GreetingTemplates, Channels: k.cfg.Channels,
				Features: k.cfg.Features, Retired: k.cfg.Retired, Revision: k.cfg.Revision}
		}
		return err
	})
	return c, err
}

// SaveChannel makes want a channel, or, where seen is what its maker looked at, changes that one: its name too, at once
// and everywhere, and whether it is retired. Conflict, as [Changed], when it is not as seen any more, and when users may
// hold more sessions than the new highest; Invalid with all that is wrong with it. It returns the channel as it is then.
// It needs catalogues:add or catalogues:edit, everywhere; so do the three that follow.
func (h *Handle) SaveChannel(ctx context.Context, seen *Channel, want Channel) (Channel, error) {
	return saveEntry(ctx, h, channels, seen, want)
}

// SaveCRMName is [Handle.SaveChannel] for a CRM name.
func (h *Handle) SaveCRMName(ctx context.Context, seen *Named, want Named) (Named, error) {
	return saveEntry(ctx, h, crmNames, seen, want)
}

// SaveGreetingTemplate is [Handle.SaveChannel] for a greeting template.
func (h *Handle) SaveGreetingTemplate(ctx context.Context, seen *GreetingTemplate, want GreetingTemplate) (GreetingTemplate, error) {
	return saveEntry(ctx, h, greetings, seen, want)
}

// editCatalogue runs steps under the lock of the configuration: all or nothing. plan sets what shall be in p.after.
func (h *Handle) editCatalogue(ctx context.Context, right string, plan func(context.Context, *sqldb.Tx, *changePlan) ([]step, error)) (Difference, error) {
	if err := h.actor.Need(Right("catalogues:" + right)); err != nil {
		return nil, err
	}
	if err := h.everywhere(); err != nil {
		return nil, err
	}
	var d Difference
	err := h.dir.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.ExecContext(ctx, lockConfiguration); err != nil {
			return err
		}
		have, err := LoadConfiguration(ctx, tx)
		if err != nil {
			return err
		}
		p := &changePlan{have: have, after: have}
		if p.steps, err = plan(ctx, tx, p); err != nil || len(p.steps) == 0 {
			return err
		}
		p.check(Configuration{CRMNames: []Named{}, GreetingTemplates: []GreetingTemplate{}, Channels: []Channel{}, Features: []Feature{}})
		if err := p.faults.err(); err != nil {
			return err
		}
		if err := h.mayCarryOut(p.steps); err != nil {
			return err
		}
		if err := p.refused(ctx, tx); err != nil {
			return err
		}
		d = p.difference()
		return h.carryOut(ctx, tx, p)
	})
	if err == nil && d.changesDefault() {
		h.dir.followDefaults(ctx)
	}
	return d, err
}

// refused is a Conflict with all that stands against the steps.
func (p *changePlan) refused(ctx context.Context, q sqldb.Querier) error {
	for _, s := range p.steps {
		if s.refused == nil {
			continue
		}
		why, err := s.refused(ctx, q)
		if err != nil {
			return err
		}
		if why != "" {
			return fault.New(fault.Conflict, "%s", why)
		}
	}
	return nil
}

// everywhere is for what holds for the whole organization, before a look at what shall be changed.
func (h *Handle) everywhere() error {
	if h.actor.system {
		return nil
	}
	return everywhereOnly(h.actor)
}

func saveEntry[T any](ctx context.Context, h *Handle, k catalogue[T], seen *T, want T) (now T, err error) {
	id, name := k.entity.key(&want)
	right := "edit"
	if seen == nil {
		right, *id = "add", 0
	}
	_, err = h.editCatalogue(ctx, right, func(ctx context.Context, tx *sqldb.Tx, p *changePlan) ([]step, error) {
		if err := k.free(&p.have, *name, *id); err != nil {
			return nil, err
		}
		if seen == nil {
			k.put(p, want)
			k.atEnd(p)
			return []step{createStep(k.entity, want)}, nil
		}
		before, err := k.asSeen(ctx, tx, p, *seen)
		if err != nil {
			return nil, err
		}
		oldID, _ := k.entity.key(&before)
		*id = *oldID
		k.put(p, want)
		return k.changes(before, want), nil
	})
	if err != nil {
		return now, err
	}
	c, err := LoadConfiguration(ctx, h.dir.DB.Read())
	if err != nil {
		return now, err
	}
	for _, v := range k.all(&c) {
		if _, n := k.entity.key(&v); *n == *name {
			return v, nil
		}
	}
	return want, nil // somebody was quick to rename or delete it
}

// changes are the steps that make before into after, its name included.
func (k catalogue[T]) changes(before, after T) []step {
	var steps []step
	id, old := k.entity.key(&before)
	_, name := k.entity.key(&after)
	if *old != *name {
		s := newStep(k.entity, OpRename, &before, &after)
		s.Name = *old
		s.before, s.after = []attribute{{"name", *old}}, []attribute{{"name", *name}}
		s.Details = details(s.before, s.after)
		s.run = func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE "+k.table+" SET name = $1 WHERE id = $2", *name, *id)
			return err
		}
		steps = append(steps, s)
	}
	if s := updateStep(k.entity, before, after); len(s.after) > 0 {
		steps = append(steps, s)
	}
	return steps
}

// asSeen is the entry as it is now, which must be as it was seen.
func (k catalogue[T]) asSeen(ctx context.Context, q sqldb.Querier, p *changePlan, seen T) (now T, err error) {
	id, seenName := k.entity.key(&seen)
	if now, err = k.find(&p.have, *id); err != nil {
		return now, err
	}
	_, name := k.entity.key(&now)
	with := func(name string, v T) []attribute {
		return append([]attribute{{"name", name}}, k.entity.attributes(v)...)
	}
	if old, changed := differing(with(*seenName, seen), with(*name, now)); len(changed) > 0 {
		return now, changedBy(ctx, q, k.entity.subject, *name, now, details(old, changed))
	}
	return now, nil
}

func (k catalogue[T]) all(c *Configuration) []T {
	return both(*k.used(c), *k.retired(c), func(v *T) { *k.isRetired(v) = true })
}

func (k catalogue[T]) find(c *Configuration, id int64) (v T, err error) {
	for _, v := range k.all(c) {
		if at, _ := k.entity.key(&v); *at == id {
			return v, nil
		}
	}
	return v, fault.New(fault.NotFound, "there is no such %s any more; somebody may have deleted it", k.called)
}

// free refuses a name that another entry has.
func (k catalogue[T]) free(c *Configuration, name string, but int64) error {
	for _, v := range k.all(c) {
		id, other := k.entity.key(&v)
		if *other != name || *id == but {
			continue
		}
		if *k.isRetired(&v) {
			return fault.New(fault.Conflict, "there is a retired %s called %q; bring that one back, or choose another name", k.called, Shorten(name))
		}
		return fault.New(fault.Conflict, "there is another %s called %q; choose another name", k.called, Shorten(name))
	}
	return nil
}

// put sets what shall be: v in its place, or at the end where it is new or changes between used and retired.
func (k catalogue[T]) put(p *changePlan, v T) {
	id, _ := k.entity.key(&v)
	same := func(other T) bool { at, _ := k.entity.key(&other); return *at == *id && *id != 0 }
	used, retired := slices.Clone(*k.used(&p.have)), slices.Clone(*k.retired(&p.have))
	to, from := &used, &retired
	if *k.isRetired(&v) {
		to, from = from, to
	}
	*from = slices.DeleteFunc(*from, same)
	if i := slices.IndexFunc(*to, same); i >= 0 {
		(*to)[i] = v
	} else {
		*to = append(*to, v)
	}
	*k.used(&p.after), *k.retired(&p.after) = used, retired
}

// atEnd puts what is new behind the others, where the order counts.
func (k catalogue[T]) atEnd(p *changePlan) {
	if k.table != "channels" && k.table != "features" {
		return
	}
	p.finish = append(p.finish, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, fmt.Sprintf("UPDATE %s SET position = (SELECT max(position) + 1 FROM %s) WHERE position = 0", k.table, k.table))
		return err
	})
}
