package main

import (
	"context"

	"muster/internal/userimport"
)

type templatesCmd struct {
	Dir   string `arg:"" help:"Directory for the files; it is made if need be."`
	Force bool   `help:"Overwrite files that are there."`
}

// Run writes the templates as the catalogues stand.
func (c *templatesCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	cfg, err := a.handle().Configuration(ctx)
	if err != nil {
		return err
	}
	out, err := createFiles(c.Dir, c.Force, kindNames()...)
	if err != nil {
		return err
	}
	defer out.discard()
	for i, k := range userimport.Kinds {
		if err := userimport.WriteTemplate(out.files[i], k, &cfg); err != nil {
			return err
		}
	}
	if err := out.commit(); err != nil {
		return err
	}
	if s.json {
		return writeJSON(s.out, writtenJSON{Total: int64(len(userimport.Kinds)), Files: written(c.Dir, 0, 0, 0)})
	}
	for _, path := range paths(c.Dir) {
		s.printf("%s\n", path)
	}
	return nil
}
