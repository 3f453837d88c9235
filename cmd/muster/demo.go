package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"muster/internal/auth"
	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/pictureimport"
	"muster/internal/sample"
	"muster/internal/setup"
	"muster/internal/userimport"
)

type demoCmd struct {
	serving
	NoServe bool `help:"Only make the sample organisation and import its users; do not serve the console afterwards. So it is with --json."`
}

const demoDataDir = "muster-demo"

// Run makes the sample organisation, writes the three sample spreadsheets, and imports them. They have mistakes on
// purpose, so that these do not make it fail. Then it serves the console.
func (c *demoCmd) Run(ctx context.Context, s *session) error {
	if s.DataDir == "" {
		s.DataDir = demoDataDir
	}
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	if err := s.demoSetup(ctx, a); err != nil {
		return err
	}
	dir := filepath.Join(s.DataDir, "samples")
	if err := writeSamples(dir); err != nil {
		return err
	}
	s.say("Importing %s, with supervisors in the same file:\n", filepath.Join(dir, "*.csv"))
	b, err := a.create(ctx, userimport.Options{InFileSupervisors: true}, paths(dir))
	if err != nil {
		return err
	}
	if b, err = s.execute(ctx, a, b.ID); err != nil {
		return err
	}
	if err := s.show(ctx, a, b, view{rows: "problems", demo: true}); err != nil {
		return err
	}
	if b.State == batch.Failed {
		return errSaid
	}
	if s.json {
		return nil
	}
	s.printDemoEnd(b, dir, !c.NoServe)
	if c.NoServe {
		return nil
	}
	s.printf("\n")
	if err := s.demoPictures(ctx, a, dir); err != nil {
		return err
	}
	return c.serve(ctx, s, a, func(base string) error { return s.demoSignIn(ctx, a, base) })
}

// demoAdministrator is who looks around in the demo.
var demoAdministrator = directory.Applicant{LANID: "demo", FirstName: "Demo", LastName: "Administrator"}

// demoSignIn makes somebody to sign in as, with a password that is another each time: only a hash of it is kept.
func (s *session) demoSignIn(ctx context.Context, a *app, base string) error {
	link, err := a.auth.MakeLink(ctx, a.actor, demoAdministrator.LANID)
	if fault.KindOf(err) == fault.NotFound {
		link, err = a.auth.CreateAdministrator(ctx, a.actor, demoAdministrator)
	}
	if err != nil {
		return err
	}
	password := strings.ToLower(rand.Text()[:20])
	if _, _, err := a.auth.Redeem(ctx, link.Token, password, auth.Client{Address: "127.0.0.1", Agent: "muster demo"}); err != nil {
		return err
	}
	s.printf("Sign in as %s with the password %s\n", demoAdministrator.LANID, password)
	s.printf("The import's result: %s/batches\n", base)
	return nil
}

// say is printf for what JSON does not have.
func (s *session) say(format string, args ...any) {
	if !s.json {
		s.printf(format, args...)
	}
}

// demoSetup applies the sample organisation to a new directory, and only to one.
func (s *session) demoSetup(ctx context.Context, a *app) error {
	want, err := setup.Parse(sample.Organisation())
	if err != nil {
		return err
	}
	have, err := a.handle().Configuration(ctx)
	if err != nil {
		return err
	}
	d, err := a.handle().CompareConfiguration(ctx, want, false)
	if err != nil {
		return err
	}
	if len(d) > 0 && len(have.OrgUnits) > 0 {
		return fault.New(fault.Conflict, "%s has an organisation of its own, which the demo leaves alone; choose another --data-dir", s.dataDir())
	}
	if len(d) > 0 {
		if _, err := a.handle().ApplyConfiguration(ctx, want, directory.ApplyOptions{}); err != nil {
			return err
		}
	}
	teams := 0
	for _, u := range want.OrgUnits {
		if strings.Count(u.FullName, " / ")+1 == len(want.Levels) {
			teams++
		}
	}
	s.say("A sample organisation: %d org units on %d levels, %d of them teams; %d roles, %d access roles, %d channels, %d features.\n",
		len(want.OrgUnits), len(want.Levels), teams, len(want.Roles), len(want.AccessRoles), len(have.Channels), len(have.Features))
	return nil
}

// writeSamples writes the spreadsheets that are not there; somebody may have mended the others.
func writeSamples(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the directory %s cannot be made", dir)
	}
	demo := sample.Demo()
	content := [][]byte{demo.Users, demo.Channels, demo.Features}
	for i, path := range paths(dir) {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.WriteFile(path, content[i], 0o666); err != nil {
			return fault.Wrap(fault.Unavailable, err, "%s cannot be written", path)
		}
	}
	path := filepath.Join(dir, demoPictures)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	pictures, _ := sample.DemoPictures()
	if err := os.WriteFile(path, pictures, 0o666); err != nil {
		return fault.Wrap(fault.Unavailable, err, "%s cannot be written", path)
	}
	return nil
}

// demoPictures are pictures of most of the demo's users, beside its spreadsheets.
const demoPictures = "ProfilePictures.zip"

// demoPictures gives the users of a demo that is looked at in the console their pictures.
func (s *session) demoPictures(ctx context.Context, a *app, dir string) error {
	path := filepath.Join(dir, demoPictures)
	b, err := pictureimport.Create(ctx, a.engine, a.actor, pictureimport.Options{}, batch.Input{Name: path, Open: func() (io.ReadCloser, error) { return os.Open(path) }})
	if err != nil {
		return err
	}
	if b, err = s.execute(ctx, a, b.ID); err != nil {
		return err
	}
	if b.State == batch.Ready { // they are so many of the users that there are that their number has to be given
		if err := a.engine.Apply(ctx, a.actor, b.ID, b.Guard.Users); err != nil {
			return err
		}
		if b, err = s.execute(ctx, a, b.ID); err != nil {
			return err
		}
	}
	s.printf("Profile pictures from %s: %d imported, %d unchanged, %d that cannot be used.\n", path, b.Counts.Inserted+b.Counts.Updated, b.Counts.Unchanged, b.Counts.Invalid)
	return nil
}

// printDemoEnd says what to try next. Users who get pictures now stay when their import is undone: they were changed since.
func (s *session) printDemoEnd(b *batch.Batch, dir string, pictures bool) {
	id := fmt.Sprint(b.ID)
	if b.Counts.Inserted == 0 && b.Counts.Duplicate > 0 {
		s.printf("\nNobody is new: whoever was inserted the first time is a duplicate now.\n")
	} else {
		s.printf("\nThe mistakes are in the samples on purpose. Everything is in %s.\n", s.DataDir)
	}
	s.printf("What to try next:\n")
	files := paths(dir)
	s.table(func(row func(...any)) {
		row("  the people:", s.command("users", "list", "--limit", "10"))
		row("  the rows that did not get in, to mend:", s.command("batches", "rejects", id, filepath.Join(s.DataDir, "rejects-"+id)))
		row("  a preview of the same files:", s.command("import", "users", "--preview", "--in-file-supervisors", files[0], files[1], files[2]))
		row("  what was imported when:", s.command("batches", "list"))
		if b.Counts.Inserted > 0 && !pictures {
			row("  take it all back:", s.command("batches", "undo", id))
		}
	})
}
