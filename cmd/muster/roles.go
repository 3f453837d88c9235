package main

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
)

type rolesCmd struct {
	List   rolesListCmd   `cmd:"" help:"List the roles."`
	Show   rolesShowCmd   `cmd:"" help:"Show a role's rights and rules."`
	Add    rolesAddCmd    `cmd:"" help:"Add a role."`
	Set    rolesSetCmd    `cmd:"" help:"Change a role's rights and rules. It holds at once for whoever has it."`
	Rename rolesRenameCmd `cmd:"" help:"Give a role another name."`
	Delete rolesDeleteCmd `cmd:"" help:"Delete a role that nobody holds."`
	Assign rolesAssignCmd `cmd:"" help:"Give users a role, or several, after a preview."`
	Remove rolesRemoveCmd `cmd:"" help:"Take a role, or several, from users, after a preview."`
}

// jsonRole is a role in JSON; the setup file has the same keys.
type jsonRole struct {
	Name    string            `json:"name"`
	Rights  []directory.Right `json:"rights"`
	Rules   []directory.Rule  `json:"rules"`
	Holders int64             `json:"holders"`
}

func jsonRoleOf(r directory.HeldRole) jsonRole {
	return jsonRole{r.Name, append([]directory.Right{}, r.Rights...), append([]directory.Rule{}, r.Rules...), r.Holders}
}

// withDirectory runs a command on the directory.
func (s *session) withDirectory(ctx context.Context, do func(h *directory.Handle) error) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	return do(a.handle())
}

// roleNamed returns the role with exactly this name.
func roleNamed(ctx context.Context, h *directory.Handle, name string) (directory.HeldRole, error) {
	all, err := h.Roles(ctx)
	if err != nil {
		return directory.HeldRole{}, err
	}
	var names []string
	for _, r := range all {
		if r.Name == name {
			return r, nil
		}
		names = append(names, r.Name)
	}
	return directory.HeldRole{}, noSuch("role", name, names, "muster roles list")
}

func noSuch(what, name string, names []string, list string) error {
	if near := directory.Nearest(directory.Shorten(name), names); near != "" {
		return fault.New(fault.NotFound, "there is no %s %q; did you mean %q?", what, directory.Shorten(name), near)
	}
	return fault.New(fault.NotFound, "there is no %s %q; see %s", what, directory.Shorten(name), list)
}

type rolesListCmd struct{}

// Run lists the roles.
func (c *rolesListCmd) Run(ctx context.Context, s *session) error {
	return s.withDirectory(ctx, func(h *directory.Handle) error {
		all, err := h.Roles(ctx)
		if err != nil {
			return err
		}
		if s.json {
			list := []jsonRole{}
			for _, r := range all {
				list = append(list, jsonRoleOf(r))
			}
			return writeJSON(s.out, struct {
				Total int        `json:"total"`
				Roles []jsonRole `json:"roles"`
			}{len(list), list})
		}
		if len(all) == 0 {
			s.printf("There are no roles yet.\n")
			return nil
		}
		s.table(func(row func(...any)) {
			row("ROLE", "RIGHTS", "RULES", "HOLDERS")
			for _, r := range all {
				row(r.Name, rightsInWords(r.Rights), len(r.Rules), number(r.Holders))
			}
		})
		return nil
	})
}

// rightsInWords are rights by module: "users:access,edit batches:access".
func rightsInWords(rights []directory.Right) string {
	switch len(rights) {
	case 0:
		return "none"
	case len(directory.AllRights()):
		return "all"
	}
	var parts []string
	last := ""
	for _, r := range rights {
		module, action, _ := strings.Cut(string(r), ":")
		if module == last {
			parts[len(parts)-1] += "," + action
		} else {
			parts = append(parts, string(r))
		}
		last = module
	}
	return strings.Join(parts, " ")
}

// showRole writes a role as it is now.
func (s *session) showRole(ctx context.Context, h *directory.Handle, id int64) error {
	r, err := h.Role(ctx, id)
	if err != nil {
		return err
	}
	if s.json {
		return writeJSON(s.out, jsonRoleOf(r))
	}
	s.printf("%s, held by %s\n", r.Name, count(r.Holders, "user"))
	s.table(func(row func(...any)) {
		row("  rights:", rightsInWords(r.Rights))
		for i, rule := range r.Rules {
			label := ""
			if i == 0 {
				label = "  rules:"
			}
			row(label, rule.Rule+": "+rule.Action+" after "+strconv.Itoa(rule.DelaySeconds)+" s")
		}
	})
	return nil
}

type rolesShowCmd struct {
	Name string `arg:"" help:"The role."`
}

// Run shows a role.
func (c *rolesShowCmd) Run(ctx context.Context, s *session) error {
	return s.withDirectory(ctx, func(h *directory.Handle) error {
		r, err := roleNamed(ctx, h, c.Name)
		if err != nil {
			return err
		}
		return s.showRole(ctx, h, r.ID)
	})
}

type rolesAddCmd struct {
	Name   string   `arg:"" help:"Its name: unique, without ; and ,"`
	Rights []string `help:"Its rights (users:access,users:edit), or all." placeholder:"RIGHT"`
	Rule   []string `help:"A rule of it: rule:action:seconds (no-face-in-view:lock:30). Repeat it for more." placeholder:"RULE" sep:"none"`
	Copy   string   `help:"Begin with the rights and rules of this role." placeholder:"ROLE"`
}

// Run adds a role.
func (c *rolesAddCmd) Run(ctx context.Context, s *session) error {
	rules, err := parseRules(c.Rule, "add")
	if err != nil {
		return err
	}
	return s.withDirectory(ctx, func(h *directory.Handle) error {
		r := directory.Role{Name: c.Name}
		if c.Copy != "" {
			of, err := roleNamed(ctx, h, c.Copy)
			if err != nil {
				return err
			}
			r.Rights, r.Rules = of.Rights, of.Rules
		}
		r.Rights = withRights(r.Rights, rightsOf(c.Rights))
		r.Rules = withRules(r.Rules, rules)
		made, err := h.AddRole(ctx, r)
		if err != nil {
			return err
		}
		return s.showRole(ctx, h, made.ID)
	})
}

type rolesSetCmd struct {
	Name        string   `arg:"" help:"The role."`
	Rights      []string `help:"Have these rights and no others: users:access,users:edit, or all; \"\" for none." placeholder:"RIGHT"`
	Give        []string `help:"Have these rights as well." placeholder:"RIGHT"`
	Take        []string `help:"No longer have these rights." placeholder:"RIGHT"`
	Rule        []string `help:"Have this rule so: rule:action:seconds (no-face-in-view:lock:30). Repeat it for more." placeholder:"RULE" sep:"none"`
	WithoutRule []string `help:"No longer have this rule." placeholder:"RULE"`
}

// Run changes a role.
func (c *rolesSetCmd) Run(ctx context.Context, s *session) error {
	if c.Rights == nil && c.Give == nil && c.Take == nil && c.Rule == nil && c.WithoutRule == nil {
		return &usage{message: "nothing is to be changed: give --rights, --give, --take, --rule or --without-rule", command: []string{"roles", "set"}}
	}
	rules, err := parseRules(c.Rule, "set")
	if err != nil {
		return err
	}
	return s.withDirectory(ctx, func(h *directory.Handle) error {
		r, err := roleNamed(ctx, h, c.Name)
		if err != nil {
			return err
		}
		want := directory.Role{Rights: r.Rights}
		if c.Rights != nil {
			want.Rights = rightsOf(c.Rights)
		}
		want.Rights = withRights(want.Rights, rightsOf(c.Give))
		take := rightsOf(c.Take)
		want.Rights = slices.DeleteFunc(want.Rights, func(r directory.Right) bool { return slices.Contains(take, r) })
		want.Rules = slices.DeleteFunc(withRules(r.Rules, rules), func(r directory.Rule) bool { return slices.Contains(c.WithoutRule, r.Rule) })
		if _, err := h.EditRole(ctx, r.ID, r.Role, want); err != nil {
			return err
		}
		return s.showRole(ctx, h, r.ID)
	})
}

// rightsOf reads rights; the directory says which there are not.
func rightsOf(words []string) []directory.Right {
	if len(words) == 1 && words[0] == "all" {
		return directory.AllRights()
	}
	var all []directory.Right
	for _, w := range words {
		if w = strings.TrimSpace(w); w != "" {
			all = append(all, directory.Right(w))
		}
	}
	return all
}

// withRights are rights and more of them, each once.
func withRights(rights, more []directory.Right) []directory.Right {
	rights = slices.Clone(rights)
	for _, r := range more {
		if !slices.Contains(rights, r) {
			rights = append(rights, r)
		}
	}
	return rights
}

// withRules are rules, with others in place of those of the same name.
func withRules(rules, others []directory.Rule) []directory.Rule {
	rules = slices.Clone(rules)
	for _, o := range others {
		if i := slices.IndexFunc(rules, func(r directory.Rule) bool { return r.Rule == o.Rule }); i >= 0 {
			rules[i] = o
		} else {
			rules = append(rules, o)
		}
	}
	return rules
}

func parseRules(texts []string, command string) ([]directory.Rule, error) {
	var all []directory.Rule
	for _, text := range texts {
		parts := strings.Split(text, ":")
		seconds := 0
		var err error
		if len(parts) == 3 {
			seconds, err = strconv.Atoi(strings.TrimSpace(parts[2]))
		}
		if err != nil || len(parts) != 3 {
			return nil, &usage{message: "the rule " + strconv.Quote(text) + " cannot be read: write it as rule:action:seconds, such as no-face-in-view:lock:30", command: []string{"roles", command}}
		}
		all = append(all, directory.Rule{Rule: parts[0], Action: parts[1], DelaySeconds: seconds})
	}
	return all, nil
}

type rolesRenameCmd struct {
	Name string `arg:"" help:"The role."`
	To   string `arg:"" help:"Its new name."`
}

// Run renames a role.
func (c *rolesRenameCmd) Run(ctx context.Context, s *session) error {
	return s.withDirectory(ctx, func(h *directory.Handle) error {
		r, err := roleNamed(ctx, h, c.Name)
		if err != nil {
			return err
		}
		if _, err := h.RenameRole(ctx, r.ID, c.To); err != nil {
			return err
		}
		return s.showRole(ctx, h, r.ID)
	})
}

type rolesDeleteCmd struct {
	Name string `arg:"" help:"The role."`
}

// Run deletes a role.
func (c *rolesDeleteCmd) Run(ctx context.Context, s *session) error {
	return s.withDirectory(ctx, func(h *directory.Handle) error {
		r, err := roleNamed(ctx, h, c.Name)
		if err != nil {
			return err
		}
		if err := h.DeleteRole(ctx, r.ID); err != nil {
			return err
		}
		return s.deleted("role", r.Name)
	})
}

// deleted says what is gone.
func (s *session) deleted(what, name string) error {
	if s.json {
		return writeJSON(s.out, struct {
			Deleted string `json:"deleted"`
		}{name})
	}
	s.printf("The %s %s is deleted.\n", what, name)
	return nil
}
