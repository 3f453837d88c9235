// Package setup is the setup file: everything of a directory but its users as one YAML file, so that an installation
// can be reviewed, repeated and kept in version control. Parse reads it, Export writes it, and Print shows what
// applying it changes. What the entries may say is for package directory to judge, when it compares or applies them;
// the file's form, and what a setting may be, is judged here.
package setup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"muster/internal/directory"
	"muster/internal/fault"
)

// Parse reads a setup file. A section that it does not have is nil in the configuration. An error is Invalid and
// names the line of everything that is wrong with the file's form.
func Parse(text []byte) (directory.Configuration, error) {
	var c directory.Configuration
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return c, fault.New(fault.Invalid, "the setup file is empty; give it sections (%s)", strings.Join(sectionKeys(), ", "))
	case err != nil:
		return c, notYAML(err)
	}
	if err := dec.Decode(&second); err == nil {
		return c, fault.New(fault.Invalid, "line %d: the setup file holds a second document (---); make it one", second.Line)
	} else if !errors.Is(err, io.EOF) {
		return c, notYAML(err)
	}
	r := &reader{}
	r.mapping(doc.Content[0], "the setup file", sections(r, &c))
	if err := r.err(); err != nil {
		return directory.Configuration{}, err
	}
	return c, nil
}

var yamlPrefix = regexp.MustCompile(`^yaml: `)

// notYAML says what the library says, which names the line.
func notYAML(err error) error {
	return fault.New(fault.Invalid, "the setup file is not YAML: %s", yamlPrefix.ReplaceAllString(err.Error(), ""))
}

// sections are the keys of the file, in the order in which it is written.
func sections(r *reader, c *directory.Configuration) []key {
	return []key{
		{name: "levels", read: func(n *yaml.Node) { c.Levels = r.texts(n); unique(r, n, "level") }},
		{name: "org_units", read: func(n *yaml.Node) { c.OrgUnits = readList(r, n, r.orgUnit); unique(r, n, "org unit") }},
		{name: "roles", read: func(n *yaml.Node) { c.Roles = readList(r, n, r.role); unique(r, n, "role") }},
		{name: "access_roles", read: func(n *yaml.Node) { c.AccessRoles = readList(r, n, r.accessRole); unique(r, n, "access role") }},
		{name: "crm_names", read: func(n *yaml.Node) {
			all := readList(r, n, r.crmName)
			c.CRMNames, c.Retired.CRMNames = parted(all, func(n directory.Named) bool { return n.Retired })
			unique(r, n, "CRM name")
		}},
		{name: "greeting_templates", read: func(n *yaml.Node) {
			all := readList(r, n, r.greetingTemplate)
			c.GreetingTemplates, c.Retired.GreetingTemplates = parted(all, func(g directory.GreetingTemplate) bool { return g.Retired })
			unique(r, n, "greeting template")
		}},
		{name: "channels", read: func(n *yaml.Node) {
			all := readList(r, n, r.channel)
			c.Channels, c.Retired.Channels = parted(all, func(ch directory.Channel) bool { return ch.Retired })
			unique(r, n, "channel")
		}},
		{name: "features", read: func(n *yaml.Node) {
			all := readList(r, n, r.feature)
			c.Features, c.Retired.Features = parted(all, func(f directory.Feature) bool { return f.Retired })
			unique(r, n, "feature")
		}},
		{name: "settings", read: func(n *yaml.Node) {
			c.Settings, c.SettingNames = r.settings(n)
			c.HasSettings = true
		}},
	}
}

// parted parts the entries of a section from the retired ones, nil where there are none.
func parted[T any](all []T, retired func(T) bool) (used, gone []T) {
	used = []T{}
	for _, v := range all {
		if retired(v) {
			gone = append(gone, v)
		} else {
			used = append(used, v)
		}
	}
	return used, gone
}

func sectionKeys() []string { return keyNames(sections(&reader{}, &directory.Configuration{})) }

func (r *reader) orgUnit(n *yaml.Node) directory.OrgUnit {
	return directory.OrgUnit{FullName: r.text(n)}
}

// crmName is a name alone, or a mapping where there is more to say of it.
func (r *reader) crmName(n *yaml.Node) (c directory.Named) {
	if resolve(n).Kind != yaml.MappingNode {
		return directory.Named{Name: r.text(n)}
	}
	r.mapping(n, "a CRM name", []key{
		{name: "name", required: true, read: func(n *yaml.Node) { c.Name = r.text(n) }},
		r.retired(&c.Retired),
	})
	return c
}

func (r *reader) retired(to *bool) key {
	return key{name: "retired", read: func(n *yaml.Node) { *to = r.yesNo(n) == directory.SwitchValues[0] }}
}

func (r *reader) role(n *yaml.Node) (role directory.Role) {
	r.mapping(n, "a role", []key{
		{name: "name", required: true, read: func(n *yaml.Node) { role.Name = r.text(n) }},
		{name: "rights", read: func(n *yaml.Node) {
			for _, right := range r.texts(n) {
				role.Rights = append(role.Rights, directory.Right(right))
			}
		}},
		{name: "rules", read: func(n *yaml.Node) { role.Rules = readList(r, n, r.rule) }},
	})
	return role
}

func (r *reader) rule(n *yaml.Node) (rule directory.Rule) {
	r.mapping(n, "a rule", []key{
		{name: "rule", required: true, read: func(n *yaml.Node) { rule.Rule = r.oneOf(n, directory.RuleNames) }},
		{name: "action", required: true, read: func(n *yaml.Node) { rule.Action = r.oneOf(n, directory.RuleActions) }},
		{name: "delay_seconds", read: func(n *yaml.Node) { rule.DelaySeconds = r.number(n) }},
	})
	return rule
}

func (r *reader) accessRole(n *yaml.Node) (a directory.AccessRole) {
	r.mapping(n, "an access role", []key{
		{name: "name", required: true, read: func(n *yaml.Node) { a.Name = r.text(n) }},
		{name: "scope", required: true, read: func(n *yaml.Node) { a.Scope = r.oneOf(n, directory.AccessRoleScopes) }},
		{name: "org_units", read: func(n *yaml.Node) { a.Units = r.texts(n) }},
	})
	return a
}

func (r *reader) greetingTemplate(n *yaml.Node) (g directory.GreetingTemplate) {
	r.mapping(n, "a greeting template", []key{
		{name: "name", required: true, read: func(n *yaml.Node) { g.Name = r.text(n) }},
		{name: "text", required: true, read: func(n *yaml.Node) { g.Text = r.text(n) }},
		r.retired(&g.Retired),
	})
	return g
}

func (r *reader) channel(n *yaml.Node) (c directory.Channel) {
	r.mapping(n, "a channel", []key{
		{name: "name", required: true, read: func(n *yaml.Node) { c.Name = r.text(n) }},
		{name: "default", required: true, read: func(n *yaml.Node) { c.Default = r.number(n) }},
		{name: "highest", required: true, read: func(n *yaml.Node) { c.Highest = r.number(n) }},
		r.retired(&c.Retired),
	})
	return c
}

func (r *reader) feature(n *yaml.Node) (f directory.Feature) {
	r.mapping(n, "a feature", []key{
		{name: "name", required: true, read: func(n *yaml.Node) { f.Name = r.text(n) }},
		{name: "kind", required: true, read: func(n *yaml.Node) { f.Kind = r.oneOf(n, []string{"switch", "list"}) }},
		{name: "values", read: func(n *yaml.Node) { f.Values = r.texts(n) }},
		{name: "retired_values", read: func(n *yaml.Node) { f.RetiredValues = r.texts(n) }},
		{name: "default", required: true, read: func(n *yaml.Node) { f.Default = r.text(n) }},
		r.retired(&f.Retired),
	})
	return f
}

// settings reads those that are given; the others are left alone.
func (r *reader) settings(n *yaml.Node) (s directory.Settings, names []string) {
	s, names = directory.DefaultSettings(), []string{}
	var keys []key
	for _, d := range directory.SettingList {
		keys = append(keys, key{name: d.Name, read: func(n *yaml.Node) {
			names = append(names, d.Name)
			had := len(r.wrong)
			value := r.setting(n, d)
			if len(r.wrong) > had {
				return
			}
			if err := d.Set(&s, value); err != nil {
				r.fail(n, "%s", err)
			}
		}})
	}
	r.mapping(n, "the section settings", keys)
	if len(names) == len(keys) {
		return s, nil // all of them
	}
	return s, names
}

// setting reads a value as its kind is written.
func (r *reader) setting(n *yaml.Node, d directory.Setting) string {
	switch d.Kind {
	case "number":
		return strconv.Itoa(r.number(n))
	case "switch":
		return r.yesNo(n)
	}
	return r.text(n)
}

// unique finds entries of a section that have one name: the directory would find them too, but knows no lines.
func unique(r *reader, list *yaml.Node, what string) {
	first := map[string]int{}
	for _, n := range items(list) {
		name := nameOf(n)
		if name == nil {
			continue
		}
		if line, there := first[name.Value]; there {
			r.fail(name, "the %s %q is there twice, first in line %d; leave one of them out", what, name.Value, line)
			continue
		}
		first[name.Value] = name.Line
	}
}

// nameOf returns the scalar that names an entry: itself, or the value of its key name.
func nameOf(n *yaml.Node) *yaml.Node {
	if n = resolve(n); n.Kind == yaml.ScalarNode {
		return n
	}
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "name" {
			return resolve(n.Content[i+1])
		}
	}
	return nil
}

func keyNames(keys []key) []string {
	var names []string
	for _, k := range keys {
		names = append(names, k.name)
	}
	return slices.Clip(names)
}

func quoted(s string) string { return fmt.Sprintf("%q", directory.Shorten(s)) }
