// Command muster brings users into a contact centre's directory in bulk, from spreadsheets, and takes them back.
//
// Each subcommand is a file of its own; app.go builds the program that they share. Everything ends in [run], which
// turns an error into words and an exit code.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
)

// The exit codes. Scripts depend on them.
const (
	exitApplied = 0 // everything is applied; with --preview, everything would be
	exitRows    = 1 // some row is invalid, duplicate or stray
	exitFailed  = 2 // it could not run
)

type cli struct {
	config
	JSON bool `help:"Write one JSON object to standard output." name:"json"`

	Serve     serveCmd     `cmd:"" help:"Serve the console in the browser, and run bulk actions."`
	Demo      demoCmd      `cmd:"" help:"Make a sample organisation, import its users and serve the console: the quickest way to see what Muster does."`
	Import    importCmd    `cmd:"" help:"Import users from spreadsheets, and their pictures."`
	Batches   batchesCmd   `cmd:"" help:"See, apply, undo and resume imports."`
	Users     usersCmd     `cmd:"" help:"List and export users."`
	Audit     auditCmd     `cmd:"" help:"See and export who changed what, and when."`
	Roles     rolesCmd     `cmd:"" help:"See and change roles: what people may do."`
	Templates templatesCmd `cmd:"" help:"Write the templates of the three spreadsheets."`
	Org       orgCmd       `cmd:"" help:"See and change the org structure."`
	Setup     setupCmd     `cmd:"" help:"Apply or export the setup file: everything but the users."`
	Settings  settingsCmd  `cmd:"" help:"See and change the settings."`
	Admin     adminCmd     `cmd:"" help:"Make administrators, and links for those who have lost their password."`
	Migrate   migrateCmd   `cmd:"" help:"Bring the database up to date. The other commands do so too."`
	Bench     benchCmd     `cmd:"" help:"Measure imports against the databases' own loaders."`
	Version   versionCmd   `cmd:"" help:"Show the version."`

	AccessRoles accessRolesCmd `cmd:"" help:"See and change access roles: where people's rights apply."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// streams are the program's ends.
type streams struct {
	in       *os.File
	out, err io.Writer
}

// exit is how the command line library's own endings (--help) come back to run.
type exit int

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, std streams) (code int) {
	defer func() {
		if p := recover(); p != nil {
			e, ours := p.(exit)
			if !ours {
				panic(p)
			}
			code = int(e)
		}
	}()
	var c cli
	parser, err := kong.New(&c,
		kong.Name("muster"),
		kong.Description("Muster brings whole teams of a contact centre's users in at once, from spreadsheets, with every row accounted for."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.Writers(std.out, std.err),
		kong.Exit(func(code int) { panic(exit(code)) }),
	)
	if err != nil {
		panic(err)
	}
	if len(args) > 0 && args[0] == "help" {
		args = append(slices.Clone(args[1:]), "--help")
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		s := &session{streams: std, json: slices.Contains(args, "--json")}
		return s.end(usageError(err))
	}
	s := &session{streams: std, config: c.config, json: c.JSON}
	parsed.Bind(s)
	parsed.Bind(c.config)
	parsed.BindTo(ctx, (*context.Context)(nil))
	return s.end(parsed.Run())
}

// usageError says which command's help would have helped.
func usageError(err error) error {
	u := &usage{message: err.Error()}
	var parse *kong.ParseError
	if errors.As(err, &parse) {
		for _, step := range parse.Context.Path {
			if step.Command != nil {
				u.command = append(u.command, step.Command.Name)
			}
		}
	}
	return u
}

// session is one run of the command line: its streams, and the flags that all commands share.
type session struct {
	streams
	config
	json bool
}

// asks tells whether somebody is there to be asked.
func (s *session) asks() bool { return !s.json && isTerminal(s.in) }

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// printf writes to standard output, for people.
func (s *session) printf(format string, args ...any) { fmt.Fprintf(s.out, format, args...) }

// notef writes to standard error, for people: what is not the result.
func (s *session) notef(format string, args ...any) { fmt.Fprintf(s.err, format, args...) }
