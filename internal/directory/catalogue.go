package directory

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"muster/internal/sqldb"
)

var crmNameEntity = entity[Named]{
	subject: "crm-name", module: "catalogues",
	key:        func(n *Named) (*int64, *string) { return &n.ID, &n.Name },
	attributes: func(n Named) []attribute { return []attribute{{"retired", n.Retired}} },
	save: func(ctx context.Context, tx *sqldb.Tx, n Named) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO crm_names (name, retired) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET retired = excluded.retired`, n.Name, bit(n.Retired))
		return err
	},
	users: "SELECT count(*) FROM users WHERE crm_name_id = $1",
	erase: "DELETE FROM crm_names WHERE id = $1",
}

var greetingTemplateEntity = entity[GreetingTemplate]{
	subject: "greeting-template", module: "catalogues",
	key:        func(g *GreetingTemplate) (*int64, *string) { return &g.ID, &g.Name },
	attributes: func(g GreetingTemplate) []attribute { return []attribute{{"text", g.Text}, {"retired", g.Retired}} },
	save: func(ctx context.Context, tx *sqldb.Tx, g GreetingTemplate) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO greeting_templates (name, text, retired) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET text = excluded.text, retired = excluded.retired`, g.Name, g.Text, bit(g.Retired))
		return err
	},
	users: "SELECT count(*) FROM users WHERE greeting_template_id = $1",
	erase: "DELETE FROM greeting_templates WHERE id = $1",
}

// bit is how a truth value is stored.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// both is a section of the configuration with its retired entries; nil where neither is given.
func both[T any](used, retired []T, mark func(*T)) []T {
	if used == nil && retired == nil {
		return nil
	}
	all := append([]T{}, used...)
	for _, v := range retired {
		mark(&v)
		all = append(all, v)
	}
	return all
}

// AllCRMNames are those in use, then the retired ones; likewise the following.
func (c *Configuration) AllCRMNames() []Named {
	return both(c.CRMNames, c.Retired.CRMNames, func(n *Named) { n.Retired = true })
}

// AllGreetingTemplates are those in use, then the retired ones.
func (c *Configuration) AllGreetingTemplates() []GreetingTemplate {
	return both(c.GreetingTemplates, c.Retired.GreetingTemplates, func(g *GreetingTemplate) { g.Retired = true })
}

// AllChannels are those in use, in the order of the template's columns, then the retired ones.
func (c *Configuration) AllChannels() []Channel {
	return both(c.Channels, c.Retired.Channels, func(ch *Channel) { ch.Retired = true })
}

// AllFeatures are those in use, in the order of the template's columns, then the retired ones.
func (c *Configuration) AllFeatures() []Feature {
	return both(c.Features, c.Retired.Features, func(f *Feature) { f.Retired = true })
}

func (p *changePlan) compareNames(want *Configuration, prune bool) {
	names := compare(p, crmNameEntity, p.have.AllCRMNames(), want.AllCRMNames(), prune)
	p.after.CRMNames, p.after.Retired.CRMNames = apart(names, func(n Named) bool { return n.Retired })
	greetings := compare(p, greetingTemplateEntity, p.have.AllGreetingTemplates(), want.AllGreetingTemplates(), prune)
	p.after.GreetingTemplates, p.after.Retired.GreetingTemplates = apart(greetings, func(g GreetingTemplate) bool { return g.Retired })
}

func (p *changePlan) checkGreetingTemplate(g GreetingTemplate) {
	p.checkName("greeting-template", g.Name)
	control := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	switch {
	case strings.TrimSpace(g.Text) == "":
		p.faults.add("greeting-template %q: the text is empty; give one", g.Name)
	case !utf8.ValidString(g.Text) || strings.ContainsFunc(g.Text, control):
		p.faults.add("greeting-template %q: the text holds control characters other than line breaks and tabs; take them out", g.Name)
	case utf8.RuneCountInString(g.Text) > longestText:
		p.faults.add("greeting-template %q: the text has more than %d characters; shorten it", g.Name, longestText)
	}
}

// compareOrder adds a change for catalogues whose order is that of the template's columns: those that were there
// before come in another order than they did.
func (p *changePlan) compareOrder(subject, table string, have, after []string) {
	before := slices.DeleteFunc(slices.Clone(have), func(s string) bool { return !slices.Contains(after, s) })
	now := slices.DeleteFunc(slices.Clone(after), func(s string) bool { return !slices.Contains(have, s) })
	if !slices.Equal(before, now) {
		old, changed := []attribute{{"order", before}}, []attribute{{"order", now}}
		p.steps = append(p.steps, step{
			Change: Change{Op: OpUpdate, Subject: subject, Details: details(old, changed)},
			module: "catalogues", before: old, after: changed, allowed: everywhereOnly,
			run: func(context.Context, *sqldb.Tx) error { return nil }, // by finish, with the new ones
		})
	}
	if slices.Equal(have, after) {
		return
	}
	p.finish = append(p.finish, func(ctx context.Context, tx *sqldb.Tx) error {
		for i, name := range after {
			if _, err := tx.ExecContext(ctx, "UPDATE "+table+" SET position = $1 WHERE name = $2", i+1, name); err != nil {
				return err
			}
		}
		return nil
	})
}
