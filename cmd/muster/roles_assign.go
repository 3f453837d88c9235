package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/useredit"
)

// usersFlag says which users are meant.
type usersFlag struct {
	LANIDs string  `help:"The users of this file: LAN IDs one a line, or a spreadsheet with a column LAN ID." placeholder:"FILE" name:"lan-ids" xor:"users"`
	Where  *string `help:"All users that match: the part of the grid's address behind the ? ('org_unit=UAE / Retail&status.eq=active'); '' is everybody." placeholder:"FILTER" xor:"users"`
}

// decisionFlags say whether to ask.
type decisionFlags struct {
	Preview bool   `help:"Show what would happen; nothing is changed." xor:"decision"`
	Yes     bool   `help:"Do it without asking." xor:"decision"`
	Reason  string `help:"Why, for the audit." placeholder:"TEXT"`
}

type rolesAssignCmd struct {
	Role    []string `help:"The role. Repeat it for more." placeholder:"ROLE" sep:"none" required:""`
	Exactly bool     `help:"Take all their other roles, too."`
	usersFlag
	decisionFlags
	rowsFlag
}

// Run gives roles.
func (c *rolesAssignCmd) Run(ctx context.Context, s *session) error {
	mode := directory.AddRoles
	if c.Exactly {
		mode = directory.SetRoles
	}
	return s.assign(ctx, "assign", mode, c.Role, c.usersFlag, c.decisionFlags, c.Rows)
}

type rolesRemoveCmd struct {
	Role []string `help:"The role. Repeat it for more." placeholder:"ROLE" sep:"none" required:""`
	usersFlag
	decisionFlags
	rowsFlag
}

// Run takes roles.
func (c *rolesRemoveCmd) Run(ctx context.Context, s *session) error {
	return s.assign(ctx, "remove", directory.RemoveRoles, c.Role, c.usersFlag, c.decisionFlags, c.Rows)
}

// assign gives or takes roles, after a look at what that comes to and a question where somebody is there to answer it.
func (s *session) assign(ctx context.Context, command string, mode directory.RoleMode, roles []string, users usersFlag, d decisionFlags, rows string) error {
	wrong := func(message string) error { return &usage{message: message, command: []string{"roles", command}} }
	if users.LANIDs == "" && users.Where == nil {
		return wrong("say which users are meant: --lan-ids FILE, or --where FILTER")
	}
	if !d.Preview && !d.Yes && !s.asks() {
		return wrong("there is no terminal to ask on: add --yes to do it, or --preview to only look")
	}
	source, err := users.source()
	if err != nil {
		return err
	}
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	s.carryOn(ctx, a)
	e := useredit.Edit{Roles: &directory.RoleEdit{Mode: mode}, Preview: !d.Yes, Reason: d.Reason}
	for _, name := range roles {
		r, err := roleNamed(ctx, a.handle(), name)
		if err != nil {
			return err
		}
		e.Roles.Roles = append(e.Roles.Roles, r.ID)
	}
	return s.edit(ctx, a, source, e, d, rows)
}

// source reads which users are meant.
func (u usersFlag) source() (src useredit.Source, err error) {
	if u.Where != nil {
		values, err := url.ParseQuery(strings.TrimPrefix(strings.TrimSpace(*u.Where), "?"))
		if err != nil {
			return src, fault.New(fault.Invalid, "the filter %q is not the part of an address behind the ?; copy it from the grid's address", *u.Where)
		}
		q, err := directory.ParseUserQuery(values)
		src.Filter = &q.Filter
		return src, err
	}
	if err := readable([]string{u.LANIDs}); err != nil {
		return src, err
	}
	f, err := os.Open(u.LANIDs)
	if err != nil {
		return src, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return src, err
	}
	src.Name = filepath.Base(u.LANIDs)
	src.LANIDs, err = useredit.ReadLANIDs(f, info.Size(), src.Name)
	return src, err
}

// edit freezes the users, says what the edit comes to, and makes and runs its batch.
func (s *session) edit(ctx context.Context, a *app, source useredit.Source, e useredit.Edit, d decisionFlags, rows string) error {
	set, err := useredit.Freeze(ctx, a.engine, a.actor, source)
	if err != nil {
		return err
	}
	says, err := useredit.Consequence(ctx, a.engine, a.actor, set.ID, e)
	if err != nil {
		return err
	}
	b, err := useredit.CreateEdit(ctx, a.engine, a.actor, set.ID, e)
	if err != nil {
		return err
	}
	if !s.json {
		s.printf("%s\n", editInWords(b))
		s.printUnknown(b)
		s.printConsequences(says)
	}
	if b, err = s.execute(ctx, a, b.ID); err != nil {
		return err
	}
	if err := s.show(ctx, a, b, view{rows: rows}); err != nil {
		return err
	}
	switch {
	case b.State != batch.Ready || d.Preview || b.Counts.Updated == 0:
		return editResult(b)
	case d.Yes:
		return errSaid // it would change so many users that a yes given before is not enough
	}
	return s.decideEdit(ctx, a, b)
}

// editResult is result, where who is unknown counts as a row that is not applied.
func editResult(b *batch.Batch) error {
	if o, err := useredit.EditOf(b); err == nil && o.Unknown > 0 && result(b) == nil {
		return errRows
	}
	return result(b)
}

// decideEdit asks whether to go on from the preview just shown, and does.
func (s *session) decideEdit(ctx context.Context, a *app, b *batch.Batch) error {
	id := fmt.Sprint(b.ID)
	if b.Guard.Users > 0 {
		return editResult(b) // what to do is said; it takes the number
	}
	yes, err := s.ask(ctx, fmt.Sprintf("Change %s?", count(b.Counts.Updated, "user")))
	if ctx.Err() != nil {
		return &unfinished{batch: b.ID, next: s.command("batches", "apply", id), err: ctx.Err()}
	}
	if err != nil {
		return err
	}
	if !yes {
		s.printf("Nothing is changed. The preview stays: %s\n", s.command("batches", "apply", id))
		return editResult(b)
	}
	if err := s.apply(ctx, a, b.ID, 0, view{}); err != nil {
		return err
	}
	return editResult(b)
}

// printConsequences says what an edit comes to, role by role; who is left out, the preview says.
func (s *session) printConsequences(c *useredit.Consequences) {
	for _, r := range c.Roles {
		s.printf("  %s: %s\n", r.Name, roleCounts(r))
		if len(r.Rights) > 0 {
			s.printf("    rights: %s\n", rightsInWords(r.Rights))
		}
		for _, rule := range r.Rules {
			s.printf("    rule: %s: %s after %d s\n", rule.Rule, rule.Action, rule.DelaySeconds)
		}
	}
}

func roleCounts(r useredit.RoleConsequence) string {
	var parts []string
	for _, p := range []struct {
		n    int64
		what string
	}{{r.Gain, "get it"}, {r.Have, "have it already"}, {r.Lose, "lose it"}, {r.Lack, "do not have it"}} {
		if p.n > 0 {
			parts = append(parts, number(p.n)+" "+p.what)
		}
	}
	if len(parts) == 0 {
		return "nobody gets or loses it"
	}
	return strings.Join(parts, ", ")
}
