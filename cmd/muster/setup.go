package main

import (
	"context"
	"os"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/setup"
)

type setupCmd struct {
	Apply  setupApplyCmd  `cmd:"" help:"Make everything but the users as the setup file says; the difference is shown first."`
	Export setupExportCmd `cmd:"" help:"Write the setup file of what is there to standard output."`
}

type setupApplyCmd struct {
	Prune bool   `help:"Delete what the file's sections do not name."`
	Yes   bool   `help:"Apply without asking."`
	File  string `arg:"" help:"The setup file, YAML."`
}

// Run shows the difference, asks, and applies it.
func (c *setupApplyCmd) Run(ctx context.Context, s *session) error {
	want, err := readSetup(c.File)
	if err != nil {
		return err
	}
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	d, err := a.handle().CompareConfiguration(ctx, want, c.Prune)
	if err != nil {
		return err
	}
	if !s.json {
		if err := setup.Print(s.out, d); err != nil {
			return err
		}
	}
	if len(d) > 0 && !c.Yes {
		if !s.asks() {
			return &usage{message: "nothing is changed, as there is no terminal to ask on: add --yes to apply the difference", command: []string{"setup", "apply"}}
		}
		yes, err := s.ask(ctx, "Apply this?")
		if err != nil {
			return err
		}
		if !yes {
			s.printf("Nothing is changed.\n")
			return nil
		}
	}
	done, err := a.handle().ApplyConfiguration(ctx, want, directory.ApplyOptions{Prune: c.Prune})
	if err != nil {
		return err
	}
	if s.json {
		return setup.PrintJSON(s.out, done)
	}
	if len(done) > 0 {
		s.printf("Applied.\n")
	}
	return nil
}

func readSetup(name string) (directory.Configuration, error) {
	if err := readable([]string{name}); err != nil {
		return directory.Configuration{}, err
	}
	// A setup file of ten thousand units has half a megabyte.
	const most = 64 << 20
	if info, err := os.Stat(name); err == nil && info.Size() > most {
		return directory.Configuration{}, fault.New(fault.TooLarge, "%s has %d bytes; a setup file has at most %d", name, info.Size(), most)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return directory.Configuration{}, fault.Wrap(fault.Invalid, err, "the file %s cannot be read", name)
	}
	return setup.Parse(text)
}

type setupExportCmd struct{}

// Run writes the setup file.
func (c *setupExportCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	cfg, err := a.handle().Configuration(ctx)
	if err != nil {
		return err
	}
	text := setup.Export(cfg)
	if s.json {
		return writeJSON(s.out, struct {
			Setup string `json:"setup"`
		}{string(text)})
	}
	_, err = s.out.Write(text)
	return err
}
