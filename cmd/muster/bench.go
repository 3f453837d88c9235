package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"muster/internal/bench"
	"muster/internal/sqldb"
)

// benchCmd measures imports against the database's own loader, and the console; see package bench.
type benchCmd struct {
	Engine   string `help:"What to measure: ${enum}." enum:"sqlite,postgres,both" default:"both"`
	Part     string `help:"What to measure of it: ${enum}." enum:"import,console,edits,pictures,all" default:"all"`
	Users    int    `help:"Rows of UserDetails." default:"1000000"`
	Pictures int    `help:"Pictures of 800 × 800 in a ZIP; a fiftieth as many of 12 megapixels, and ten times as many names to match." default:"10000"`
	Runs     int    `help:"How often imports and bulk edits are measured." default:"3"`
	Memory   bool   `help:"Import three times as many users as well, for the memory that it takes." default:"true" negatable:""`
	Postgres string `help:"A database of the server to measure on; databases are created beside it. Default: a private server." placeholder:"URL" env:"MUSTER_BENCH_POSTGRES"`
	Dir      string `help:"Where scratch files go (8 kB per user, or 1.1 MB per picture). Default: the system's temporary directory." placeholder:"DIR"`
	Out      string `help:"The document to bring up to date." placeholder:"FILE"`
}

// Run measures, prints, and writes the document.
func (c *benchCmd) Run(ctx context.Context, s *session) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find Muster's own program: %w", err)
	}
	o := bench.Options{
		Engines: []sqldb.Engine{sqldb.SQLite, sqldb.Postgres}, Part: bench.Part(c.Part), Users: c.Users, Runs: c.Runs, Memory: c.Memory,
		Pictures: c.Pictures, Postgres: c.Postgres, Dir: c.Dir, Program: program, Command: c.command(), Log: s.err,
	}
	if c.Engine != "both" {
		o.Engines = []sqldb.Engine{sqldb.Engine(c.Engine)}
	}
	result, err := bench.Run(ctx, o)
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := bench.WriteDoc(c.Out, result); err != nil {
			return fmt.Errorf("write %s: %w", c.Out, err)
		}
	}
	if s.json {
		return writeJSON(s.out, result)
	}
	for i := range result.Engines {
		s.printf("%s\n", result.Markdown(&result.Engines[i]))
	}
	return nil
}

// command is how to measure the same again. The server's address is left out: it may hold a password.
func (c *benchCmd) command() string {
	args := []string{"muster bench", "--engine", c.Engine}
	if c.Part != string(bench.Everything) {
		args = append(args, "--part", c.Part)
	}
	args = append(args, "--users", fmt.Sprint(c.Users))
	if c.Part == string(bench.ThePictures) || c.Part == string(bench.Everything) {
		args = append(args, "--pictures", fmt.Sprint(c.Pictures))
	}
	if c.Part != string(bench.TheConsole) && c.Part != string(bench.ThePictures) {
		args = append(args, "--runs", fmt.Sprint(c.Runs))
		if !c.Memory {
			args = append(args, "--no-memory")
		}
	}
	if c.Postgres != "" {
		args = append(args, "--postgres URL")
	}
	return strings.Join(args, " ")
}
