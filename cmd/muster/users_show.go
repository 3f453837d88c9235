package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"muster/internal/directory"
)

type usersShowCmd struct {
	LANID   string `arg:"" name:"lan-id" help:"LAN ID of the user."`
	History int    `help:"How many of the latest changes to show, 500 at the highest." default:"10"`
}

// userPage is all that there is to say of a user.
type userPage struct {
	*shownUser
	Picture *pictureJSON           `json:"picture"` // null: none
	Rights  []rightJSON            `json:"rights"`
	Rules   []ruleJSON             `json:"rules"`
	Reports int64                  `json:"reports"` // how many report to the user
	History []directory.AuditEntry `json:"history"` // newest first
}

type rightJSON struct {
	Right directory.Right `json:"right"`
	Roles []string        `json:"roles"`
	Where string          `json:"where"`
}

type pictureJSON struct {
	Hash   string `json:"hash"` // SHA-256 of the stored file
	Format string `json:"format"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Bytes  int64  `json:"bytes"`
}

type ruleJSON struct {
	directory.Rule
	Roles []string `json:"roles"`
}

// Run shows a user.
func (c *usersShowCmd) Run(ctx context.Context, s *session) error {
	if c.History < 0 || c.History > 500 {
		return &usage{message: "--history must be 0 to 500", command: []string{"users", "show"}}
	}
	return s.withUser(ctx, c.LANID, func(h *directory.Handle, u directory.User) error {
		p := userPage{shownUser: shown(u), Rights: []rightJSON{}, Rules: []ruleJSON{}, History: []directory.AuditEntry{}}
		if err := p.read(ctx, h, c.History); err != nil {
			return err
		}
		if s.json {
			return writeJSON(s.out, p)
		}
		s.printUser(&p)
		return nil
	})
}

func (p *userPage) read(ctx context.Context, h *directory.Handle, history int) error {
	rights, err := h.UserRights(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, r := range rights.Rights {
		p.Rights = append(p.Rights, rightJSON{r.Right, r.Roles, r.Where})
	}
	for _, r := range rights.Rules {
		p.Rules = append(p.Rules, ruleJSON{r.Rule, r.Roles})
	}
	picture, has, err := h.PictureOf(ctx, p.ID)
	if err != nil {
		return err
	}
	if has {
		p.Picture = &pictureJSON{picture.Hash, picture.Format, picture.Width, picture.Height, picture.Bytes}
	}
	if _, p.Reports, err = h.Reports(ctx, p.ID, "", 1); err != nil || history == 0 {
		return err
	}
	entries, err := h.UserHistory(ctx, p.ID, 0, history)
	p.History = append(p.History, entries...)
	return err
}

func (p *pictureJSON) inWords() string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("%s, %d × %d, %s bytes", strings.ToUpper(p.Format), p.Width, p.Height, number(p.Bytes))
}

func (s *session) printUser(p *userPage) {
	s.table(func(row func(...any)) {
		for _, line := range [][2]string{
			{"LAN ID", p.LANID}, {"Name", p.FirstName + " " + p.LastName}, {"Status", string(p.Status)}, {"Profile", p.Profile.String()}, {"Agent ID", p.AgentID},
			{"PBX ID", p.PBXID}, {"Supervisor", p.Supervisor}, {"Org unit", p.OrgUnit}, {"Roles", strings.Join(p.Roles, ", ")}, {"Access role", p.AccessRole},
			{"CRM name", p.CRMName}, {"Greeting template", p.GreetingTemplate}, {"E-mail", p.Email}, {"Channel counts", cells(p.ChannelCounts)},
			{"Features", cells(p.Features)}, {"Reports", number(p.Reports)},
			{"Picture", p.Picture.inWords()}, {"Version", fmt.Sprintf("%d, by %s at %s", p.Version, p.ChangedBy, p.ChangedAt.Local().Format("2006-01-02 15:04"))},
		} {
			if line[1] != "" {
				row(line[0], line[1])
			}
		}
	})
	s.section("Rights", len(p.Rights), func(i int) string {
		r := p.Rights[i]
		return fmt.Sprintf("%s gives %s %s", strings.Join(r.Roles, ", "), r.Right, r.Where)
	})
	s.section("Rules", len(p.Rules), func(i int) string {
		r := p.Rules[i]
		return fmt.Sprintf("%s: %s after %d s (%s)", r.Rule.Rule, r.Action, r.DelaySeconds, strings.Join(r.Roles, ", "))
	})
	s.section("History", len(p.History), func(i int) string {
		e := p.History[i]
		line := fmt.Sprintf("%s  %s: %s %s %s", e.Time().Local().Format("2006-01-02 15:04"), e.Actor, e.Action, e.Subject, e.Name)
		if e.Reason != "" {
			line += " (" + e.Reason + ")"
		}
		for _, change := range e.Changes() {
			line += "\n      " + changeInWords(change)
		}
		return line
	})
}

// section prints lines below a heading, where there are some.
func (s *session) section(heading string, n int, line func(i int) string) {
	if n == 0 {
		return
	}
	s.printf("\n%s\n", heading)
	for i := range n {
		s.printf("  %s\n", line(i))
	}
}

// cells are names and values in the order of the names.
func cells[V any](all map[string]V) string {
	var parts []string
	for name, v := range all {
		parts = append(parts, fmt.Sprintf("%s %v", name, v))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
