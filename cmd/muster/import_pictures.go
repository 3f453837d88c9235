package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/pictureimport"
)

type importPicturesCmd struct {
	Match   string `help:"What the pictures are named by (${enum})." enum:"agent-id,lan-id,pbx-id" default:"agent-id"`
	Preview bool   `help:"Check the pictures and show what would happen; nothing is changed." xor:"decision"`
	Yes     bool   `help:"Import without asking." xor:"decision"`
	Rows    string `help:"With --json: which rows to list (${enum})." enum:"problems,all,none" default:"problems"`
	File    string `arg:"" name:"zip" help:"The ZIP with the pictures, JPEG or PNG; folders in it do not matter."`
}

// Run imports, after a preview and a question where somebody is there to answer it.
func (c *importPicturesCmd) Run(ctx context.Context, s *session) error {
	if !c.Preview && !c.Yes && !s.asks() {
		return &usage{message: "there is no terminal to ask on: add --yes to import, or --preview to only check", command: []string{"import", "pictures"}}
	}
	// Before the database, which the first use makes.
	if err := readable([]string{c.File}); err != nil {
		return err
	}
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	s.carryOn(ctx, a)
	b, err := pictureimport.Create(ctx, a.engine, a.actor, pictureimport.Options{Match: directory.PictureAttribute(c.Match), Preview: !c.Yes},
		batch.Input{Name: c.File, Open: func() (io.ReadCloser, error) { return os.Open(c.File) }})
	if err != nil {
		return err
	}
	if b, err = s.execute(ctx, a, b.ID); err != nil {
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
	return s.decidePictures(ctx, a, b)
}

// decidePictures asks whether to go on from the preview just shown, and does.
func (s *session) decidePictures(ctx context.Context, a *app, b *batch.Batch) error {
	n := b.Counts.Inserted + b.Counts.Updated
	if n == 0 {
		return result(b)
	}
	next := s.command("batches", "apply", fmt.Sprint(b.ID))
	yes, err := s.ask(ctx, fmt.Sprintf("Import %s?", count(n, "picture")))
	if ctx.Err() != nil {
		return &unfinished{batch: b.ID, next: next, err: ctx.Err()}
	}
	if err != nil {
		return err
	}
	if !yes {
		s.printf("Nothing is changed. The preview stays: %s\n", next)
		return result(b)
	}
	return s.apply(ctx, a, b.ID, b.Guard.Users, view{})
}
