package bench

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// postgresStore keeps its snapshots as databases, and copies them as templates.
type postgresStore struct {
	*bench
	maintenance *url.URL
	admin       *sql.DB
	stop        func() // of a private server
	prefix      string // of the names of our databases
	next        int
	made        []string
}

func openPostgres(ctx context.Context, b *bench) (_ store, err error) {
	s := &postgresStore{bench: b, stop: func() {}, prefix: "muster_bench_" + strings.ToLower(rand.Text()[:8]) + "_"}
	address := b.Postgres
	if address == "" {
		b.say("starting a private PostgreSQL server")
		if address, s.stop, err = startServer(ctx, b.scratch); err != nil {
			return nil, err
		}
	}
	if s.maintenance, err = url.Parse(address); err != nil || s.maintenance.Scheme == "" {
		// The parser's own message would repeat the address, and a password in it.
		return nil, fault.New(fault.Invalid, "--postgres is not a URL such as postgres://user@host:5432/postgres")
	}
	if s.admin, err = sql.Open("pgx", address); err == nil {
		err = s.admin.PingContext(ctx)
	}
	if err != nil {
		s.stop()
		return nil, fault.Wrap(fault.Unavailable, err, "the PostgreSQL server of the benchmark does not answer")
	}
	return s, nil
}

func (s *postgresStore) engine() sqldb.Engine                { return sqldb.Postgres }
func (s *postgresStore) snapshot(name string) string         { return s.prefix + name }
func (s *postgresStore) finish(context.Context, place) error { return nil }

func (s *postgresStore) close() error {
	var all error
	for _, name := range slices.Clone(s.made) {
		all = errors.Join(all, s.drop(context.Background(), name))
	}
	all = errors.Join(all, s.admin.Close())
	s.stop()
	return all
}

// settings that decide how fast a load is; shown in the document.
var settings = []string{"shared_buffers", "max_wal_size", "checkpoint_timeout", "work_mem", "maintenance_work_mem",
	"fsync", "synchronous_commit", "full_page_writes", "wal_level", "autovacuum"}

func (s *postgresStore) versions(ctx context.Context) ([]string, error) {
	client, err := tool(exec.CommandContext(ctx, "psql", "--version"))
	if err != nil {
		return nil, err
	}
	show := func(name string) (value string, err error) {
		return value, s.admin.QueryRowContext(ctx, "SHOW "+name).Scan(&value)
	}
	version, err := show("server_version")
	if err != nil {
		return nil, err
	}
	whose := "a private server with its default settings"
	if s.Postgres != "" {
		whose = "a server with settings of its own"
	}
	lines := []string{"PostgreSQL " + version + ", " + whose + "; " + client + " (the raw loader)"}
	var values []string
	for _, name := range settings {
		value, err := show(name)
		if err != nil {
			return nil, err
		}
		values = append(values, name+" "+value)
	}
	return append(lines, "Settings, the same for both: "+strings.Join(values, ", ")), nil
}

func (s *postgresStore) create(ctx context.Context, snapshot string) (place, error) {
	dir, err := s.dataDir()
	if err != nil {
		return place{}, err
	}
	s.next++
	name := fmt.Sprint(s.prefix, s.next)
	statement := "CREATE DATABASE " + name
	if snapshot != "" {
		statement += " TEMPLATE " + s.snapshot(snapshot)
	}
	if _, err := s.admin.ExecContext(ctx, statement); err != nil {
		return place{}, err
	}
	s.made = append(s.made, name)
	u := *s.maintenance
	u.Path = "/" + name
	return place{dir: dir, url: u.String()}, nil
}

func (p place) database() string {
	u, err := url.Parse(p.url)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.Path, "/")
}

// keep vacuums first: otherwise everybody who gets a copy would do it again, whenever the server feels like it.
func (s *postgresStore) keep(ctx context.Context, p place, snapshot string) error {
	db, err := sql.Open("pgx", p.url)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM (ANALYZE)")
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	if _, err := s.admin.ExecContext(ctx, "ALTER DATABASE "+p.database()+" RENAME TO "+s.snapshot(snapshot)); err != nil {
		return err
	}
	s.made[slices.Index(s.made, p.database())] = s.snapshot(snapshot)
	return os.RemoveAll(p.dir)
}

func (s *postgresStore) remove(ctx context.Context, p place) error {
	return errors.Join(s.drop(ctx, p.database()), os.RemoveAll(p.dir))
}

func (s *postgresStore) drop(ctx context.Context, name string) error {
	_, err := s.admin.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	if err == nil {
		s.made = slices.DeleteFunc(s.made, func(n string) bool { return n == name })
	}
	return err
}

func (s *postgresStore) settle(ctx context.Context) error {
	_, err := s.admin.ExecContext(ctx, "CHECKPOINT")
	syncDisks()
	if err != nil {
		return fmt.Errorf("write out what is in the server's memory (the user of --postgres needs the right to): %w", err)
	}
	return nil
}

func (s *postgresStore) loaders() []loader {
	return []loader{{exact: true, load: s.load, seconds: func(r *Round) *float64 { return &r.Loader }}}
}

// load copies the tables one after the other, each in a transaction of its own.
func (s *postgresStore) load(ctx context.Context, p place, rows *rawFiles) error {
	var script strings.Builder
	for _, t := range rows.tables {
		fmt.Fprintf(&script, "\\copy %s (%s) FROM '%s' WITH (FORMAT csv)\n", t.name, strings.Join(t.columns, ", "), t.file)
	}
	return s.psql(ctx, p, rows.dir, script.String())
}

func (s *postgresStore) run(ctx context.Context, p place, script string) error {
	return s.psql(ctx, p, "", script)
}

// psql runs a script in the directory, "" for any.
func (s *postgresStore) psql(ctx context.Context, p place, dir, script string) error {
	u, err := url.Parse(p.url)
	if err != nil {
		return err
	}
	// Everybody on the machine sees a program's arguments: the password goes another way.
	password, _ := u.User.Password()
	u.User = url.User(u.User.Username())
	cmd := exec.CommandContext(ctx, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", u.String())
	cmd.Env = append(p.environ(), "PGPASSWORD="+password)
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(script)
	_, err = tool(cmd)
	return err
}
