package main

import (
	"context"
	"fmt"

	"muster/internal/directory"
	"muster/internal/userimport"
)

type usersCmd struct {
	List       usersListCmd       `cmd:"" help:"List users by LAN ID."`
	Show       usersShowCmd       `cmd:"" help:"Show one user: rights, rules, reports and history."`
	Add        usersAddCmd        `cmd:"" help:"Add a user."`
	Set        usersSetCmd        `cmd:"" help:"Change a user."`
	Deactivate usersDeactivateCmd `cmd:"" help:"Deactivate a user."`
	Reactivate usersReactivateCmd `cmd:"" help:"Make an inactive user active again."`
	Delete     usersDeleteCmd     `cmd:"" help:"Delete a user whom nobody reports to."`
	Erase      usersEraseCmd      `cmd:"" help:"Take the personal data of a deleted user out of the audit."`
	Export     usersExportCmd     `cmd:"" help:"Write all users as the three spreadsheets of an import."`
}

type usersListCmd struct {
	Limit int    `help:"How many to list at most." default:"100"`
	After string `help:"Go on after this LAN ID." placeholder:"LAN-ID"`
	Batch int64  `help:"Only those that this batch inserted." placeholder:"ID"`
}

// Run lists users.
func (c *usersListCmd) Run(ctx context.Context, s *session) error {
	if c.Limit < 1 {
		return &usage{message: "--limit must be 1 or more", command: []string{"users", "list"}}
	}
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	filter := directory.UserFilter{BatchID: c.Batch}
	total, err := a.handle().CountUsers(ctx, filter)
	if err != nil {
		return err
	}
	users, err := a.handle().Users(ctx, filter, c.After, c.Limit)
	if err != nil {
		return err
	}
	if s.json {
		return writeJSON(s.out, struct {
			Total int64            `json:"total"`
			Users []directory.User `json:"users"`
		}{total, users})
	}
	return s.printUsers(users, total, c)
}

type usersExportCmd struct {
	Dir   string `arg:"" help:"Directory for the files; it is made if need be."`
	Force bool   `help:"Overwrite files that are there."`
}

// Run writes all users as spreadsheets.
func (c *usersExportCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	out, err := createFiles(c.Dir, c.Force, kindNames()...)
	if err != nil {
		return err
	}
	defer out.discard()
	done, err := userimport.Export(ctx, a.handle(), directory.UserFilter{}, out.files[0], out.files[1], out.files[2])
	if err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	if s.json {
		return writeJSON(s.out, struct {
			Total          int64    `json:"total"`
			Administrators int64    `json:"administrators_left_out"`
			Inactive       int64    `json:"inactive"`
			Files          []string `json:"files"`
		}{done.Users, done.Administrators, done.Inactive, paths(c.Dir)})
	}
	s.printf("%s written to %s\n", count(done.Users, "user"), c.Dir)
	if done.Administrators > 0 {
		s.printf("%s left out: an import does not make administrators.\n", count(done.Administrators, "administrator"))
	}
	if done.Inactive > 0 {
		s.printf("%s of them inactive, which the files cannot say: an import elsewhere makes active users.\n", number(done.Inactive))
	}
	return nil
}

// next is the command that lists what comes after the page.
func (c *usersListCmd) next(s *session, last string) string {
	args := []string{"users", "list", "--after", last}
	if c.Limit != 100 {
		args = append(args, "--limit", fmt.Sprint(c.Limit))
	}
	if c.Batch != 0 {
		args = append(args, "--batch", fmt.Sprint(c.Batch))
	}
	return s.command(args...)
}
