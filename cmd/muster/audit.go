package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"muster/internal/directory"
)

type auditCmd struct {
	List   auditListCmd   `cmd:"" help:"List what was changed, newest first."`
	Export auditExportCmd `cmd:"" help:"Write what was changed as a file, newest first."`
}

// auditFlags pick entries.
type auditFlags struct {
	Who    string `help:"Only what this LAN ID did; system for the command line." placeholder:"LAN-ID"`
	Action string `help:"Only this action: create, update, delete, import-users …" placeholder:"ACTION"`
	Kind   string `help:"Only what was done to this kind of thing: user, role, org-unit, batch …" placeholder:"KIND"`
	Name   string `help:"Only what was done to the thing of this name; of a user the LAN ID." placeholder:"NAME"`
	Batch  int64  `help:"Only what has to do with this batch." placeholder:"ID"`
	From   string `help:"From this day (UTC) on, or this moment: 2026-11-30, 2026-11-30T08:00:00Z." placeholder:"TIME"`
	To     string `help:"Up to this day (UTC), all of it, or to just before this moment." placeholder:"TIME"`
}

func (f *auditFlags) query(command string) (q directory.AuditQuery, err error) {
	q = directory.AuditQuery{Actor: f.Who, Action: f.Action, Subject: f.Kind, Name: f.Name, BatchID: f.Batch}
	if q.From, err = moment(f.From, false); err == nil {
		q.To, err = moment(f.To, true)
	}
	if err == nil && f.Batch < 0 {
		err = fmt.Errorf("--batch must be the number of a batch")
	}
	if err != nil {
		return q, &usage{message: err.Error(), command: []string{"audit", command}}
	}
	return q, nil
}

// moment reads a time; the end of a day is the beginning of the next.
func moment(text string, end bool) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at, nil
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return at, fmt.Errorf("%q is neither a day (2026-11-30) nor a moment (2026-11-30T08:00:00Z)", text)
	}
	if end {
		at = at.AddDate(0, 0, 1)
	}
	return at, nil
}

type auditListCmd struct {
	auditFlags
	Limit int   `help:"How many to list at most, 1000 at the highest." default:"20"`
	After int64 `help:"Go on after the entry with this number." placeholder:"ID"`
}

// Run lists entries.
func (c *auditListCmd) Run(ctx context.Context, s *session) error {
	if c.Limit < 1 || c.Limit > 1000 {
		return &usage{message: "--limit must be 1 to 1000", command: []string{"audit", "list"}}
	}
	q, err := c.query("list")
	if err != nil {
		return err
	}
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	q.Limit, q.After = c.Limit, c.After
	page, err := a.handle().Audit(ctx, q)
	if err != nil {
		return err
	}
	if !s.json {
		s.printAudit(page, c)
		return nil
	}
	total, err := a.handle().CountAudit(ctx, q)
	if err != nil {
		return err
	}
	if page.Entries == nil {
		page.Entries = []directory.AuditEntry{}
	}
	return writeJSON(s.out, struct {
		Total   int64                  `json:"total"`
		Entries []directory.AuditEntry `json:"entries"`
	}{total, page.Entries})
}

func (s *session) printAudit(page directory.AuditPage, c *auditListCmd) {
	if len(page.Entries) == 0 {
		s.printf("No entries.\n")
		return
	}
	for _, e := range page.Entries {
		s.printf("%d  %s  %s (%s)  %s %s %s", e.ID, e.Time().Local().Format("2006-01-02 15:04:05"), e.Actor, e.Source, e.Action, e.Subject, e.Name)
		if e.BatchID != 0 && e.Subject != "batch" {
			s.printf("  batch %d", e.BatchID)
		}
		s.printf("\n")
		if e.Reason != "" {
			s.printf("     reason: %s\n", e.Reason)
		}
		for _, change := range e.Changes() {
			s.printf("     %s\n", changeInWords(change))
		}
	}
	if page.Next > 0 {
		s.printf("Older ones: %s\n", c.next(s, page.Next))
	}
}

// changeInWords is a field, before and after: "pbx_id: 41001 → 41002".
func changeInWords(c directory.AuditChange) string {
	text := strings.Join(c.After, ", ")
	switch {
	case len(c.Before) > 0 && len(c.After) > 0:
		text = strings.Join(c.Before, ", ") + " → " + text
	case len(c.Before) > 0:
		text = strings.Join(c.Before, ", ") + " → nothing"
	}
	if c.Same > 0 {
		text += fmt.Sprintf(" (and %d as before)", c.Same)
	}
	if c.Field == "" {
		return text
	}
	return c.Field + ": " + text
}

// next is the command that lists what comes after the page.
func (c *auditListCmd) next(s *session, last int64) string {
	args := []string{"audit", "list", "--after", fmt.Sprint(last)}
	if c.Limit != 20 {
		args = append(args, "--limit", fmt.Sprint(c.Limit))
	}
	for _, flag := range [][2]string{{"--who", c.Who}, {"--action", c.Action}, {"--kind", c.Kind}, {"--name", c.Name}, {"--from", c.From}, {"--to", c.To}} {
		if flag[1] != "" {
			args = append(args, flag[0], flag[1])
		}
	}
	if c.Batch != 0 {
		args = append(args, "--batch", fmt.Sprint(c.Batch))
	}
	return s.command(args...)
}

type auditExportCmd struct {
	auditFlags
	File  string `arg:"" help:"The file: .csv for spreadsheets, .json for programs."`
	Force bool   `help:"Overwrite the file if it is there."`
}

// Run writes entries to a file.
func (c *auditExportCmd) Run(ctx context.Context, s *session) error {
	write := directory.WriteAuditCSV
	switch strings.ToLower(filepath.Ext(c.File)) {
	case ".csv":
	case ".json":
		write = directory.WriteAuditJSON
	default:
		return &usage{message: fmt.Sprintf("%s must end in .csv or .json", c.File), command: []string{"audit", "export"}}
	}
	q, err := c.query("export")
	if err != nil {
		return err
	}
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	out, err := createFiles(filepath.Dir(c.File), c.Force, filepath.Base(c.File))
	if err != nil {
		return err
	}
	defer out.discard()
	n, err := write(ctx, a.handle(), q, out.files[0])
	if err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	if s.json {
		return writeJSON(s.out, struct {
			Total int64  `json:"total"`
			File  string `json:"file"`
		}{n, c.File})
	}
	s.printf("%s written to %s\n", entries(n), c.File)
	return nil
}

func entries(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	return number(n) + " entries"
}
