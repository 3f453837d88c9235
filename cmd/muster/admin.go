package main

import (
	"context"
	"time"

	"muster/internal/auth"
	"muster/internal/directory"
)

type adminCmd struct {
	Create        adminCreateCmd        `cmd:"" help:"Make an administrator: a user who may do everything everywhere."`
	ResetPassword adminResetPasswordCmd `cmd:"" help:"Make a one-time link with which a user sets a new password."`
}

// linkFlag says how the link that is printed begins.
type linkFlag struct {
	URL string `help:"Address of the console as people type it, for the link that is printed." default:"http://localhost:8080" env:"MUSTER_URL" placeholder:"URL"`
}

type adminCreateCmd struct {
	LANID     string `help:"LAN ID of the new user." name:"lan-id" required:"" placeholder:"LAN-ID"`
	FirstName string `help:"First name." required:"" placeholder:"NAME"`
	LastName  string `help:"Last name." required:"" placeholder:"NAME"`
	linkFlag
}

// Run makes an administrator and shows the link with which they set their password.
func (c *adminCreateCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	l, err := a.auth.CreateAdministrator(ctx, a.actor, directory.Applicant{LANID: c.LANID, FirstName: c.FirstName, LastName: c.LastName})
	if err != nil {
		return err
	}
	return s.printLink(l, c.URL, "%s (%s) is an administrator now. With this link they set their password and sign in; it works once, until %s:\n  %s\n")
}

type adminResetPasswordCmd struct {
	LANID string `arg:"" name:"lan-id" help:"LAN ID of the user."`
	linkFlag
}

// Run makes a link for a user. The password that they have, if any, stays until the link is used.
func (c *adminResetPasswordCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	l, err := a.auth.MakeLink(ctx, a.actor, c.LANID)
	if err != nil {
		return err
	}
	return s.printLink(l, c.URL, "With this link %s (%s) sets a new password and signs in; it works once, until %s:\n  %s\n")
}

// printLink shows the link, this once. format takes name, LAN ID, time and address.
func (s *session) printLink(l auth.Link, base, format string) error {
	if s.json {
		return writeJSON(s.out, struct {
			LANID     string    `json:"lan_id"`
			Name      string    `json:"name"`
			Link      string    `json:"link"`
			ExpiresAt time.Time `json:"expires_at"`
		}{l.LANID, l.Name, l.URL(base), l.ExpiresAt})
	}
	s.printf(format, l.Name, l.LANID, l.ExpiresAt.Local().Format("2006-01-02 15:04 MST"), l.URL(base))
	return nil
}
