package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sample"
	"muster/internal/setup"
	"muster/internal/sqldb"
)

// store makes databases of one engine.
type store interface {
	engine() sqldb.Engine
	// versions are those of what takes part, and the server's settings, one a line.
	versions(ctx context.Context) ([]string, error)
	// create makes a database: without tables, or a copy of a snapshot.
	create(ctx context.Context, snapshot string) (place, error)
	// keep makes a database a snapshot; it is no longer a place then.
	keep(ctx context.Context, p place, snapshot string) error
	remove(ctx context.Context, p place) error
	// settle brings to disk what was written so far, so that nobody pays for what another left in memory.
	settle(ctx context.Context) error
	// finish does what a contestant may have left to others, and belongs to the time measured.
	finish(ctx context.Context, p place) error
	// run gives statements to the engine's own command line.
	run(ctx context.Context, p place, script string) error
	// loaders are the raw loaders; the first is the one that counts.
	loaders() []loader
	close() error
}

// loader puts the rows into the database, in a process of its own.
type loader struct {
	// exact tells that what is in the tables afterwards is what Muster would have written.
	exact   bool
	prepare func(ctx context.Context, p place) error // not measured; may be nil
	load    func(ctx context.Context, p place, rows *rawFiles) error
	seconds func(*Round) *float64 // where the figure goes
}

// place is where a database is.
type place struct {
	dir string // the data directory
	url string // PostgreSQL only
}

func (p place) open(ctx context.Context) (*sqldb.DB, error) {
	return sqldb.Open(ctx, sqldb.Config{Dir: p.dir, URL: p.url})
}

// environ is that of Muster's process. The address goes this way, not as a flag: it may hold a password.
func (p place) environ() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MUSTER_") })
	if p.url != "" {
		env = append(env, "MUSTER_DATABASE="+p.url)
	}
	return env
}

// dataDir makes a new data directory.
func (b *bench) dataDir() (string, error) {
	parent := filepath.Join(b.scratch, "data")
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", err
	}
	return os.MkdirTemp(parent, "")
}

// furnish gives a database the schema and the sample organisation, to which the generated users belong.
func furnish(ctx context.Context, p place) error {
	db, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	dir := directory.New(db)
	if err := dir.Prepare(ctx); err != nil {
		return err
	}
	cfg, err := setup.Parse(sample.Organisation())
	if err != nil {
		return err
	}
	_, err = dir.As(directory.System("bench")).ApplyConfiguration(ctx, cfg, directory.ApplyOptions{})
	return err
}

// needTools looks for the programs that will be run.
func needTools(o Options) error {
	if _, err := os.Stat(o.Program); err != nil {
		return fault.Wrap(fault.Invalid, err, "Muster's own program is needed as a file")
	}
	if o.Part.has(ThePictures) {
		if err := needVips(); err != nil {
			return err
		}
	}
	if slices.Contains(o.Engines, sqldb.SQLite) {
		if _, err := exec.LookPath("sqlite3"); err != nil {
			return fault.New(fault.Invalid, "the raw loader sqlite3 is not in PATH; install it (Debian: apt-get install sqlite3)")
		}
	}
	if !slices.Contains(o.Engines, sqldb.Postgres) {
		return nil
	}
	if _, err := exec.LookPath("psql"); err != nil {
		return fault.New(fault.Invalid, "the raw loader psql is not in PATH; install it (Debian: apt-get install postgresql-client)")
	}
	if o.Postgres != "" {
		return nil
	}
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := serverBinary(name); err != nil {
			return fault.New(fault.Invalid, "%v; install it (Debian: apt-get install postgresql), or name a server with --postgres", err)
		}
	}
	return nil
}

// tool runs a program and fails on whatever it says on standard error, too: the shell of SQLite reports a row that it
// could not import there, and ends well.
func tool(cmd *exec.Cmd) (string, error) {
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	said := strings.TrimSpace(stderr.String())
	if len(said) > 500 {
		said = said[:500] + "…"
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, said)
	}
	if said != "" {
		return "", fmt.Errorf("%s: %s", filepath.Base(cmd.Path), said)
	}
	return strings.TrimSpace(stdout.String()), nil
}
