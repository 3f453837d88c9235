package main

import (
	"context"
	"slices"
	"time"

	"muster/internal/directory"
	"muster/internal/fault"
)

// userFlags are a user's fields; those that are not given stay as they are, or blank for a new user.
type userFlags struct {
	FirstName        *string           `help:"First name." placeholder:"NAME"`
	LastName         *string           `help:"Last name." placeholder:"NAME"`
	AgentID          *string           `help:"Agent ID; the LAN ID if it is blank." name:"agent-id" placeholder:"ID"`
	PBXID            *string           `help:"Number on the telephone switch." name:"pbx-id" placeholder:"NUMBER"`
	Profile          *string           `help:"Agent, Supervisor or Administrator." placeholder:"PROFILE"`
	Supervisor       *string           `help:"LAN ID of the supervisor." placeholder:"LAN-ID"`
	OrgUnit          *string           `help:"Org unit: its name, or its full path." placeholder:"UNIT"`
	Role             []string          `help:"The roles, all of them; once for each, or with commas between them." placeholder:"ROLE"`
	AccessRole       *string           `help:"Access role." placeholder:"NAME"`
	CRMName          *string           `help:"CRM name." name:"crm-name" placeholder:"NAME"`
	GreetingTemplate *string           `help:"Text chat greeting template." placeholder:"NAME"`
	Email            *string           `help:"E-mail address." placeholder:"ADDRESS"`
	Channel          map[string]string `help:"Sessions of a channel at once, as Voice=1; the default if nothing follows the =." placeholder:"NAME=COUNT"`
	Feature          map[string]string `help:"Value of a feature, as 'CRM Enabled=yes'; the default if nothing follows the =." placeholder:"NAME=VALUE"`
}

func (f *userFlags) fill(in *directory.UserInput) {
	for cell, given := range map[*string]*string{&in.FirstName: f.FirstName, &in.LastName: f.LastName, &in.AgentID: f.AgentID, &in.PBXID: f.PBXID, &in.Profile: f.Profile,
		&in.Supervisor: f.Supervisor, &in.OrgUnit: f.OrgUnit, &in.AccessRole: f.AccessRole, &in.CRMName: f.CRMName, &in.GreetingTemplate: f.GreetingTemplate, &in.Email: f.Email} {
		if given != nil {
			*cell = *given
		}
	}
	if f.Role != nil {
		in.Roles = f.Role
	}
	in.ChannelCounts, in.Features = with(in.ChannelCounts, f.Channel), with(in.Features, f.Feature)
}

func with(cells, given map[string]string) map[string]string {
	all := map[string]string{}
	for _, from := range []map[string]string{cells, given} {
		for name, cell := range from {
			all[name] = cell
		}
	}
	return all
}

type usersAddCmd struct {
	LANID string `arg:"" name:"lan-id" help:"LAN ID of the new user."`
	userFlags
}

// Run adds a user.
func (c *usersAddCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	in := directory.UserInput{LANID: c.LANID}
	c.fill(&in)
	u, problems, err := a.handle().AddUser(ctx, in)
	if err != nil {
		return err
	}
	return s.judged(u, problems, "added")
}

type usersSetCmd struct {
	LANID    string  `arg:"" name:"lan-id" help:"LAN ID of the user, as it is now."`
	NewLANID *string `help:"Another LAN ID." name:"new-lan-id" placeholder:"LAN-ID"`
	userFlags
	AddRole    []string `help:"A role that comes to those that they have." placeholder:"ROLE"`
	RemoveRole []string `help:"A role that goes." placeholder:"ROLE"`
	Reason     string   `help:"Why; it is kept in the audit." placeholder:"TEXT"`
	Version    int64    `help:"Only if the user still has this version." placeholder:"N"`
}

// Run changes a user. What is not given stays.
func (c *usersSetCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	u, err := a.handle().UserByLANID(ctx, c.LANID)
	if err != nil {
		return err
	}
	if c.Version != 0 && c.Version != u.Version {
		return fault.New(fault.Conflict, "%s has version %d, not %d: %s changed them; see muster users show %s", u.LANID, u.Version, c.Version, u.ChangedBy, u.LANID)
	}
	in := u.Input()
	c.fill(&in)
	if c.NewLANID != nil {
		in.LANID = *c.NewLANID
	}
	in.Roles = slices.DeleteFunc(append(slices.Clone(in.Roles), c.AddRole...), func(r string) bool { return slices.Contains(c.RemoveRole, r) })
	edit, err := a.handle().EditUser(ctx, u.ID, u.Version, in, c.Reason)
	switch {
	case err != nil:
		return err
	case edit.Conflict != nil:
		return fault.New(fault.Conflict, "%s changed %s at this very moment; do it again", edit.Conflict.By, u.LANID)
	case edit.User.Version == u.Version:
		return s.judged(edit.User, edit.Problems, "as they were; nothing was changed")
	}
	return s.judged(edit.User, edit.Problems, "changed")
}

// judged tells what became of a user, and what the rules say.
func (s *session) judged(u directory.User, problems []directory.Problem, done string) error {
	failed := slices.ContainsFunc(problems, func(p directory.Problem) bool { return p.Severity == directory.Error })
	if s.json {
		o := struct {
			User     *shownUser          `json:"user"` // null where nothing was written
			Problems []directory.Problem `json:"problems"`
		}{Problems: append([]directory.Problem{}, problems...)}
		if !failed {
			o.User = shown(u)
		}
		if err := writeJSON(s.out, o); err != nil {
			return err
		}
	} else {
		for _, p := range problems {
			s.printf("%s%s: %s", p.Code, severityInWords(p.Severity), p.Message)
			if p.Suggestion != "" {
				s.printf(" Did you mean %q?", p.Suggestion)
			}
			s.printf("\n")
		}
		if failed {
			s.printf("Nothing was changed.\n")
		} else {
			s.printf("%s (%s %s): %s.\n", u.LANID, u.FirstName, u.LastName, done)
		}
	}
	if failed {
		return errRows
	}
	return nil
}

// shownUser is a user with what a list does not tell.
type shownUser struct {
	directory.User
	Email     string    `json:"email"`
	Version   int64     `json:"version"`
	ChangedBy string    `json:"changed_by"`
	ChangedAt time.Time `json:"changed_at"`
	Batch     int64     `json:"batch,omitempty"` // that inserted the user
}

func shown(u directory.User) *shownUser {
	return &shownUser{User: u, Email: u.Email, Version: u.Version, ChangedBy: u.ChangedBy, ChangedAt: u.ChangedAt, Batch: u.BatchID}
}
