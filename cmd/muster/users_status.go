package main

import (
	"context"

	"muster/internal/directory"
)

type usersDeactivateCmd struct {
	LANID      string `arg:"" name:"lan-id" help:"LAN ID of the user."`
	Reason     string `help:"Why; it is kept in the audit." required:"" placeholder:"TEXT"`
	ReleasePBX bool   `help:"Give up their PBX ID, so that somebody else can have it." name:"release-pbx"`
}

// Run deactivates a user.
func (c *usersDeactivateCmd) Run(ctx context.Context, s *session) error {
	return s.withUser(ctx, c.LANID, func(h *directory.Handle, u directory.User) error {
		if err := h.DeactivateUser(ctx, u.ID, u.Version, c.Reason, c.ReleasePBX); err != nil {
			return err
		}
		return s.nowIs(ctx, h, u.ID, "inactive")
	})
}

type usersReactivateCmd struct {
	LANID string `arg:"" name:"lan-id" help:"LAN ID of the user."`
	PBXID string `help:"Number on the telephone switch; what they had, if it is not given." name:"pbx-id" placeholder:"NUMBER"`
}

// Run makes an inactive user active again.
func (c *usersReactivateCmd) Run(ctx context.Context, s *session) error {
	return s.withUser(ctx, c.LANID, func(h *directory.Handle, u directory.User) error {
		problems, err := h.ReactivateUser(ctx, u.ID, u.Version, c.PBXID)
		if err != nil {
			return err
		}
		if len(problems) > 0 {
			return s.judged(u, problems, "")
		}
		return s.nowIs(ctx, h, u.ID, "active")
	})
}

type usersDeleteCmd struct {
	LANID       string `arg:"" name:"lan-id" help:"LAN ID of the user."`
	MoveReports string `help:"First give those who report to them this supervisor." placeholder:"LAN-ID"`
	Reason      string `help:"Why; it is kept in the audit." placeholder:"TEXT"`
}

// Run deletes a user.
func (c *usersDeleteCmd) Run(ctx context.Context, s *session) error {
	return s.withUser(ctx, c.LANID, func(h *directory.Handle, u directory.User) error {
		moved := int64(0)
		if c.MoveReports != "" {
			var err error
			if moved, _, err = h.MoveReports(ctx, u.ID, c.MoveReports); err != nil {
				return err
			}
			if !s.json {
				s.printf("%s moved to %s.\n", count(moved, "user"), c.MoveReports)
			}
		}
		if err := h.DeleteUser(ctx, u.ID, u.Version, c.Reason); err != nil {
			return err
		}
		if s.json {
			return writeJSON(s.out, struct {
				Deleted string `json:"deleted"`
				Moved   int64  `json:"moved"`
			}{u.LANID, moved})
		}
		s.printf("%s (%s %s): deleted.\n", u.LANID, u.FirstName, u.LastName)
		return nil
	})
}

type usersEraseCmd struct {
	LANID  string `arg:"" name:"lan-id" help:"LAN ID that the deleted user had."`
	Reason string `help:"Why; it is kept in the audit." required:"" placeholder:"TEXT"`
}

// Run takes a deleted user's personal data out of the audit.
func (c *usersEraseCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	if err := a.handle().EraseUser(ctx, c.LANID, c.Reason); err != nil {
		return err
	}
	if s.json {
		return writeJSON(s.out, struct {
			Erased string `json:"erased"`
		}{c.LANID})
	}
	s.printf("The personal data of %s is gone from the audit.\n", c.LANID)
	return nil
}

// withUser does something with the user of the LAN ID.
func (s *session) withUser(ctx context.Context, lanID string, do func(*directory.Handle, directory.User) error) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	u, err := a.handle().UserByLANID(ctx, lanID)
	if err != nil {
		return err
	}
	return do(a.handle(), u)
}

// nowIs tells what a user has become.
func (s *session) nowIs(ctx context.Context, h *directory.Handle, id int64, status string) error {
	u, err := h.User(ctx, id)
	if err != nil {
		return err
	}
	return s.judged(u, nil, status)
}
