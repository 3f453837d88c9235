package main

import (
	"fmt"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
)

func (s *session) printBatches(all []*batch.Batch, total int64) error {
	if total == 0 {
		s.printf("There are no batches yet.\n")
		return nil
	}
	s.table(func(row func(...any)) {
		row("BATCH", "ACTION", "STATE", "STARTED", "BY", "TOOK", "ROWS", "INSERTED", "DUPLICATE", "INVALID", "STRAY")
		for _, b := range all {
			c := b.Counts
			row(b.ID, b.Action, b.State, b.CreatedAt.Local().Format("2006-01-02 15:04"), b.Owner, duration(b.Busy),
				number(c.Rows), number(c.Inserted), number(c.Duplicate), number(c.Invalid), number(c.Stray))
		}
	})
	if n := len(all); n > 0 && int64(n) < total && all[n-1].ID > 1 {
		s.printf("%s in all; older ones: %s\n", number(total), s.command("batches", "list", "--after", fmt.Sprint(all[n-1].ID)))
	}
	return nil
}

func (s *session) printUsers(users []directory.User, total int64, c *usersListCmd) error {
	if len(users) == 0 {
		s.printf("No users.\n")
		return nil
	}
	s.table(func(row func(...any)) {
		row("LAN ID", "NAME", "PROFILE", "PBX ID", "SUPERVISOR", "ORG UNIT", "ROLES", "STATUS")
		for _, u := range users {
			row(u.LANID, u.FirstName+" "+u.LastName, u.Profile, u.PBXID, u.Supervisor, u.OrgUnit, strings.Join(u.Roles, ", "), u.Status)
		}
	})
	if len(users) == c.Limit && int64(len(users)) < total {
		s.printf("%s of %s users; more: %s\n", number(int64(len(users))), number(total), c.next(s, users[len(users)-1].LANID))
	}
	return nil
}
