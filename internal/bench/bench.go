// Package bench measures an import against the fastest way that the database itself has to get the same rows into the
// same tables: the raw loader, which is the shell's .import on SQLite and psql's \copy on PostgreSQL.
//
// What is measured is the real thing: Muster's own binary, run as a process of its own, on files that package sample
// generates. Muster imports them once, beforehand, and what it wrote is dumped, row by row, for the raw loader. Then
// both take turns in one run, each time on a fresh copy of the same database, so that whatever else the machine does
// hits both. Run returns the figures; [Result.Markdown] sets them beside what is aimed at, and [WriteDoc] puts them
// into the document.
//
// It measures the console, too: what a request takes at the handler, what a page weighs, and what many people wait for
// while an import runs in the same process; and bulk edits, beside bare statements that write the same rows; and
// imports of pictures, beside vipsthumbnail.
package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Options says what to measure.
type Options struct {
	Engines  []sqldb.Engine
	Users    int  // rows of UserDetails
	Runs     int  // how often everything is measured
	Memory   bool // import three times as many users, too, and look at the memory
	Part     Part // what to measure; empty: everything
	Samples  int  // requests of each kind to the console, where they are quick; 0: 100
	Load     LoadPlan
	Pictures int    // small ones in a ZIP; a fiftieth as many large ones, ten times as many names to match; at most one for ten users; 0: 10,000
	Postgres string // URL of a database beside which others may be created; empty: a private server
	Dir      string // where scratch files go; empty: the system's temporary directory
	Program  string // Muster's binary
	Command  string // how a person repeats this, for the document
	Log      io.Writer
}

// Part is a part of the measurement.
type Part string

// Parts.
const (
	Everything  Part = "all"
	Imports     Part = "import"
	TheConsole  Part = "console"
	BulkEdits   Part = "edits"
	ThePictures Part = "pictures"
)

func (p Part) has(part Part) bool { return p == "" || p == Everything || p == part }

// scenario is what is in the directory before the import.
type scenario struct {
	name     string
	snapshot string // of the database
	input    string // which files are imported
}

var scenarios = []scenario{
	{name: "empty directory", snapshot: "empty", input: "first"},
	{name: "as many users there already", snapshot: baseSnapshot, input: "second"},
}

// baseSnapshot has the users of the first input.
const baseSnapshot = "base"

// bench is a measurement under way.
type bench struct {
	Options
	scratch string
	inputs  map[string]*input
}

// Run measures, and removes what it made. It looks first whether everything that it needs is there.
func Run(ctx context.Context, o Options) (*Result, error) {
	if o.Users < 100 || o.Runs < 1 {
		return nil, fault.New(fault.Invalid, "measure at least 100 users, and once")
	}
	if err := needTools(o); err != nil {
		return nil, err
	}
	b := &bench{Options: o, inputs: map[string]*input{}}
	if err := b.makeScratch(); err != nil {
		return nil, err
	}
	defer os.RemoveAll(b.scratch)
	r := &Result{Command: o.Command, Date: time.Now().UTC().Format(time.DateOnly), Users: o.Users, Runs: o.Runs, Machine: thisMachine(b.scratch)}
	for i, name := range []string{"first", "second"} {
		if err := b.generate(name, o.Users, i*o.Users); err != nil {
			return nil, err
		}
	}
	for _, engine := range o.Engines {
		f, err := b.engine(ctx, engine)
		if ctx.Err() != nil {
			return nil, ctx.Err() // rather than how the process that was stopped ended
		}
		if err != nil {
			return nil, fmt.Errorf("measure %s: %w", engine, err)
		}
		r.Engines = append(r.Engines, *f)
	}
	return r, nil
}

// bytesPerUser is what the files, the databases and their logs need on disk at the worst moment, with three times as many
// users in one import: 7.8 kB were seen at 200,000 users on PostgreSQL, of which its log is a part that grows no more.
const bytesPerUser = 8_000

// bytesPerPicture is what each picture adds while pictures are measured: a file, an entry of a ZIP, the same stored, what is
// made of it; and ten entries of entryBytes that are only matched, as they are stored.
const bytesPerPicture = 10*entryBytes + 600_000

func (b *bench) makeScratch() (err error) {
	if b.scratch, err = os.MkdirTemp(b.Dir, "muster-bench-"); err != nil {
		return fault.Wrap(fault.Unavailable, err, "there is no place for scratch files; name one with --dir")
	}
	// A PostgreSQL server that is not ours to run as must get at its directory inside.
	if err = os.Chmod(b.scratch, 0o711); err == nil {
		b.scratch, err = filepath.Abs(b.scratch)
	}
	if err != nil {
		return err
	}
	need := int64(b.Users) * bytesPerUser
	if b.Part.has(ThePictures) {
		need = max(need, int64(b.Users)*bytesPerUser/4+int64(b.smallPictures())*bytesPerPicture)
	}
	if free, known := freeBytes(b.scratch); known && free < need {
		os.RemoveAll(b.scratch)
		return fault.New(fault.Unavailable, "%d users need %.1f GB of scratch space, and %s has %.1f; name another place with --dir",
			b.Users, float64(need)/1e9, filepath.Dir(b.scratch), float64(free)/1e9)
	}
	return nil
}

// engine measures everything on one engine.
func (b *bench) engine(ctx context.Context, engine sqldb.Engine) (_ *Figures, err error) {
	s, err := b.openStore(ctx, engine)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := s.close(); err == nil {
			err = cerr
		}
	}()
	f := &Figures{Engine: engine}
	if f.Versions, err = s.versions(ctx); err != nil {
		return nil, err
	}
	if b.Part.has(Imports) {
		err = b.imports(ctx, s, f)
	} else {
		err = b.base(ctx, s)
	}
	if err != nil {
		return nil, err
	}
	if b.Part.has(TheConsole) {
		if f.Console, err = b.console(ctx, s); err != nil {
			return nil, fmt.Errorf("the console: %w", err)
		}
	}
	if b.Part.has(BulkEdits) {
		if f.Edits, err = b.edits(ctx, s); err != nil {
			return nil, fmt.Errorf("bulk edits: %w", err)
		}
	}
	if b.Part.has(ThePictures) {
		if f.Pictures, err = b.pictures(ctx, s); err != nil {
			return nil, fmt.Errorf("pictures: %w", err)
		}
	}
	return f, nil
}

// imports measures imports beside the raw loader.
func (b *bench) imports(ctx context.Context, s store, f *Figures) error {
	rivals, err := b.prepare(ctx, s)
	if err != nil {
		return err
	}
	for _, r := range rivals {
		figures, err := r.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		f.Scenarios = append(f.Scenarios, *figures)
	}
	if b.Memory {
		f.Triple, err = b.triple(ctx, s)
	}
	return err
}

func (b *bench) openStore(ctx context.Context, engine sqldb.Engine) (store, error) {
	if engine == sqldb.Postgres {
		return openPostgres(ctx, b)
	}
	return openSQLite(b)
}

// triple imports three times as many users, once, for the memory that it takes.
func (b *bench) triple(ctx context.Context, s store) (*Triple, error) {
	if b.inputs["triple"] == nil {
		if err := b.generate("triple", 3*b.Users, 0); err != nil {
			return nil, err
		}
	}
	in := b.inputs["triple"]
	p, err := s.create(ctx, "empty")
	if err != nil {
		return nil, err
	}
	defer s.remove(ctx, p)
	m, _, err := b.importUsers(ctx, p, in, "--yes")
	if err != nil {
		return nil, fmt.Errorf("three times as many users: %w", err)
	}
	b.say("%s, %d users: %.1f s, %.0f MB", s.engine(), in.users, m.Seconds, float64(m.Peak)/1e6)
	return &Triple{Rows: in.users, Measured: m}, nil
}

func (b *bench) say(format string, args ...any) {
	if b.Log != nil {
		fmt.Fprintf(b.Log, format+"\n", args...)
	}
}
