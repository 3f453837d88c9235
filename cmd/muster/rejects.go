package main

import (
	"cmp"
	"context"
	"path/filepath"

	"muster/internal/batch"
	"muster/internal/fault"
	"muster/internal/userimport"
)

type batchesRejectsCmd struct {
	batchArg
	Dir   string `arg:"" help:"Directory for the files; it is made if need be."`
	Force bool   `help:"Overwrite files that are there."`
}

// Run writes the rejected rows of a batch.
func (c *batchesRejectsCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	b, err := a.engine.Get(ctx, a.actor, c.ID)
	if err != nil {
		return err
	}
	if err := cmp.Or(noFiles(b), noSpreadsheet(s, b)); err != nil {
		return err
	}
	switch b.State {
	case batch.Received, batch.Checking:
		return fault.New(fault.Conflict, "batch %d is %s; wait until it is checked: %s", b.ID, b.State, s.command("batches", "wait"))
	case batch.Failed:
		return fault.New(fault.Conflict, "batch %d failed: its files could not be used, so there are no rows to write", b.ID)
	}
	if edits(b) {
		return s.writeLeftOut(ctx, a, b, c.Dir, c.Force)
	}
	cfg, err := a.handle().Configuration(ctx)
	if err != nil {
		return err
	}
	out, err := createFiles(c.Dir, c.Force, kindNames()...)
	if err != nil {
		return err
	}
	defer out.discard()
	done, err := a.frozen(b).WriteRejects(ctx, &cfg, out.files[0], out.files[1], out.files[2])
	if err != nil {
		return err
	}
	if done.Any() {
		if err := out.commit(); err != nil {
			return err
		}
	}
	if s.json {
		files := []writtenFile{}
		if done.Any() {
			files = written(c.Dir, done.Users, done.Channels, done.Features)
		}
		return writeJSON(s.out, writtenJSON{Total: int64(len(files)), Files: files})
	}
	if !done.Any() {
		s.printf("Batch %d has no rejected rows; nothing is written.\n", b.ID)
		return nil
	}
	s.printf("%s did not get in: %s\n", count(done.Users, "row"), filepath.Join(c.Dir, userimport.UserDetails.FileName()))
	if n := done.Channels + done.Features; n > 0 {
		s.printf("With them %s of the other two files: the same users', and those that belong to nobody.\n", count(n, "row"))
	}
	again := []string{"import", "users"}
	if inFile(b) {
		again = append(again, "--in-file-supervisors")
	}
	s.printf("The column Problems says what is wrong. Mend the rows, then:\n  %s\n", s.command(append(again, paths(c.Dir)...)...))
	return nil
}

func kindNames() []string {
	var names []string
	for _, k := range userimport.Kinds {
		names = append(names, k.FileName())
	}
	return names
}

func paths(dir string) []string {
	names := kindNames()
	for i := range names {
		names[i] = filepath.Join(dir, names[i])
	}
	return names
}

// writtenJSON says what a command wrote.
type writtenJSON struct {
	Total int64         `json:"total"`
	Files []writtenFile `json:"files"`
}

type writtenFile struct {
	File string `json:"file"`
	Rows int64  `json:"rows"`
}

func written(dir string, rows ...int64) []writtenFile {
	var all []writtenFile
	for i, path := range paths(dir) {
		all = append(all, writtenFile{File: path, Rows: rows[i]})
	}
	return all
}
