package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"muster/internal/batch"
	"muster/internal/fault"
	"muster/internal/userimport"
)

type importCmd struct {
	Users importUsersCmd `cmd:"" help:"Import users from UserDetails and, if wanted, ChannelCountDetails and FeatureDetails."`

	Pictures importPicturesCmd `cmd:"" help:"Import profile pictures from a ZIP, each named by its user."`
}

type importUsersCmd struct {
	Preview           bool     `help:"Check the files and show what would happen; nothing is changed." xor:"decision"`
	Yes               bool     `help:"Import without asking." xor:"decision"`
	InFileSupervisors bool     `help:"Supervisors may be in the same file."`
	Rows              string   `help:"With --json: which rows to list (${enum})." enum:"problems,all,none" default:"problems"`
	Files             []string `arg:"" name:"file" help:"The spreadsheets, CSV or XLSX, in any order; a file is known by its header."`
}

// Run imports, after a preview and a question where somebody is there to answer it.
func (c *importUsersCmd) Run(ctx context.Context, s *session) error {
	if !c.Preview && !c.Yes && !s.asks() {
		return &usage{message: "there is no terminal to ask on: add --yes to import, or --preview to only check", command: []string{"import", "users"}}
	}
	// Before the database, which the first use makes.
	if err := readable(c.Files); err != nil {
		return err
	}
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	s.carryOn(ctx, a)
	b, err := a.create(ctx, userimport.Options{Preview: !c.Yes, InFileSupervisors: c.InFileSupervisors}, c.Files)
	if err != nil {
		return err
	}
	if b, err = s.execute(ctx, a, b.ID); err != nil {
		return err
	}
	if err := s.sayMapped(ctx, a, b); err != nil {
		return err
	}
	if err := s.show(ctx, a, b, view{rows: c.Rows}); err != nil {
		return err
	}
	switch {
	case b.State != batch.Ready || c.Preview:
		return result(b)
	case c.Yes:
		return errSaid // it would change so many users that a yes given before is not enough
	}
	return s.decide(ctx, a, b)
}

// sayMapped says which columns were read as somebody chose for an earlier file with the same header.
func (s *session) sayMapped(ctx context.Context, a *app, b *batch.Batch) error {
	all, err := a.frozen(b).Mapped(ctx)
	for _, m := range all {
		to := "is set aside"
		if m.To != "" {
			to = fmt.Sprintf("is read as %q", m.To)
		}
		s.notef("%s: the column %q %s, as %s chose on %s.\n", m.FileName, m.Column, to, m.By, m.At.Local().Format("2006-01-02"))
	}
	return err
}

// decide asks whether to go on from the preview just shown, and does.
func (s *session) decide(ctx context.Context, a *app, b *batch.Batch) error {
	if b.Counts.Inserted == 0 {
		return result(b)
	}
	yes, err := s.ask(ctx, fmt.Sprintf("Import %s?", count(b.Counts.Inserted, "user")))
	if ctx.Err() != nil {
		return &unfinished{batch: b.ID, next: s.command("batches", "apply", fmt.Sprint(b.ID)), err: ctx.Err()}
	}
	if err != nil {
		return err
	}
	if !yes {
		s.printf("Nothing is changed. The preview stays: %s\n", s.command("batches", "apply", fmt.Sprint(b.ID)))
		return result(b)
	}
	return s.apply(ctx, a, b.ID, 0, view{})
}

// create freezes the files and makes the batch.
func (a *app) create(ctx context.Context, o userimport.Options, files []string) (*batch.Batch, error) {
	spec := batch.Spec{Action: userimport.Action, Options: o}
	for _, name := range files {
		spec.Inputs = append(spec.Inputs, batch.Input{Name: name, Open: func() (io.ReadCloser, error) { return os.Open(name) }})
	}
	return a.engine.Create(ctx, a.actor, spec)
}

// carryOn brings to their end what processes left that are no more, and lets go of files that are kept no longer. That
// either fails keeps nobody from importing.
func (s *session) carryOn(ctx context.Context, a *app) {
	p := s.newProgress()
	seen, err := a.engine.CarryOn(ctx, p.watch)
	p.end()
	for _, b := range seen {
		fmt.Fprintf(s.err, "Batch %d, which was interrupted, is %s now: %s\n", b.ID, b.State, s.command("batches", "show", fmt.Sprint(b.ID)))
	}
	if err == nil {
		err = a.engine.Sweep(ctx)
	}
	if err != nil && ctx.Err() == nil {
		a.engine.Log.Warn("what was left could not be cleared up", "error", err)
	}
}

// readable makes sure that every file is one that can be read.
func readable(files []string) error {
	for _, name := range files {
		info, err := os.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fault.New(fault.NotFound, "there is no file %s", name)
		case err == nil && info.IsDir():
			return fault.New(fault.Invalid, "%s is a directory; name the files in it", name)
		case err == nil && !info.Mode().IsRegular():
			return fault.New(fault.Invalid, "%s is not a regular file; save it as one first", name)
		}
		if err == nil {
			var f *os.File
			if f, err = os.Open(name); err == nil {
				err = f.Close()
			}
		}
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "the file %s cannot be read", name)
		}
	}
	return nil
}
