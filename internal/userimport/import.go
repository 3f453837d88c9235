// Package userimport is the bulk action "import users": three spreadsheets to users of the directory.
//
// The rules are the directory's; this package reads the files, puts their rows side by side, judges what only the
// files can tell (the same id twice, supervisors in the same file), says what happened to each row, and gives the
// good ones to the directory in chunks.
//
// A million rows pass through it in streams. The files are read side by side and judged row by row; rows are sorted
// by LAN ID with [extsort], which joins the three files, brings repeated LAN IDs together and lets the database
// insert in key order; candidates then lie in a scratch file, at a place that is the same whenever the same files are
// read. A place is what chunks, checkpoints and users' ids are counted in. Only a few bits a row stay in memory.
package userimport

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sheet"
	"muster/internal/sqldb"
)

// Action is the batches' name of this bulk action.
const Action = "import-users"

// Options of an import.
type Options struct {
	// Preview stops before anything is applied, for somebody to decide.
	Preview bool `json:"preview"`
	// InFileSupervisors allows supervisors who are only in the same file.
	InFileSupervisors bool `json:"in_file_supervisors"`
	// Again is the batch whose files these are, read with other columns.
	Again int64 `json:"again,omitempty"`
	// Corrects is the batch whose rejected rows these are, corrected. Rows have the numbers that they have there.
	Corrects int64 `json:"corrects,omitempty"`
}

// OptionsOf returns the options that an import was made with.
func OptionsOf(b *batch.Batch) (o Options, err error) {
	if err := json.Unmarshal(b.Options, &o); err != nil {
		return o, fmt.Errorf("read the import's options: %w", err)
	}
	return o, nil
}

// Operation runs imports; Limits bounds each file.
type Operation struct {
	Limits sheet.Limits
	// PieceRows and ChunkRows are how many rows are written between two looks at whether somebody waits, and in one
	// transaction; 0 is the default, which suits all but tests.
	PieceRows, ChunkRows int
}

func (op *Operation) pieceRows() int { return cmp.Or(op.PieceRows, defaultPieceRows) }

func (op *Operation) chunkRows(e sqldb.Engine) int {
	if e == sqldb.Postgres {
		return cmp.Or(op.ChunkRows, copyChunkRows)
	}
	return cmp.Or(op.ChunkRows, defaultChunkRows)
}

// work is what an import must know again after a crash: which ids its rows have.
type work struct {
	FirstID int64 `json:"first_id"`
	Rows    int64 `json:"rows"`
}

// id is the id of the row at a place. Leads, who are inserted before all others, have a range of their own below the
// others', so that ids only ever rise and the table only ever grows at its end.
func (w work) id(place int64, lead bool) int64 {
	if lead {
		return w.FirstID + place
	}
	return w.FirstID + w.Rows + place
}

func (w work) ids() directory.IDs { return directory.IDs{First: w.FirstID, End: w.FirstID + 2*w.Rows} }

// importing is one import under way.
type importing struct {
	op      *Operation
	run     *batch.Run
	options Options
	handle  *directory.Handle
	rules   *directory.Rules
	people  int64 // directory.People before anything was judged
	work    work
	applied bits // places that earlier chunks have applied

	files files
	*staging
}

// Prepare reads, judges, and writes the report.
func (op *Operation) Prepare(ctx context.Context, run *batch.Run) (batch.Prepared, error) {
	im := &importing{op: op, run: run}
	if err := json.Unmarshal(run.Batch.Options, &im.options); err != nil {
		return nil, fmt.Errorf("read the import's options: %w", err)
	}
	if err := im.loadState(ctx); err != nil {
		return nil, err
	}
	if err := im.prepare(ctx); err != nil {
		im.Close()
		return nil, err
	}
	return im, nil
}

// loadState reads what the import is judged against, and what earlier runs of it have done.
func (im *importing) loadState(ctx context.Context) (err error) {
	q := im.run.DB().Read()
	if im.people, err = directory.People(ctx, q); err != nil {
		return err
	}
	cfg, err := directory.LoadConfiguration(ctx, q)
	if err != nil {
		return err
	}
	if im.handle, err = im.run.Handle(ctx); err != nil {
		return err
	}
	if err := im.handle.Actor().Need("users:add"); err != nil {
		return err
	}
	im.rules = directory.NewRules(cfg, im.handle.Actor())
	if len(im.run.Batch.Work) > 0 {
		if err := json.Unmarshal(im.run.Batch.Work, &im.work); err != nil {
			return fmt.Errorf("read the import's state: %w", err)
		}
	}
	if im.work.Rows == 0 {
		return nil
	}
	im.applied = newBits(im.work.Rows)
	chunks, err := im.run.Chunks(ctx)
	if err != nil {
		return err
	}
	for _, c := range chunks {
		if err := im.applied.unpackRuns(c.Members); err != nil {
			return err
		}
	}
	return nil
}

// limits are those of this moment. What a preview let through is applied whatever the setting says by now.
func (im *importing) limits() sheet.Limits {
	lim, most := im.op.Limits, im.rules.Configuration.Settings.UploadRows
	if im.run.Batch.State == batch.Checking && most > 0 && (lim.Rows <= 0 || most < lim.Rows) {
		lim.Rows = most
	}
	return lim
}

func (im *importing) prepare(ctx context.Context) error {
	if err := im.files.open(ctx, im.run, im.limits(), &im.rules.Configuration); err != nil {
		return err
	}
	defer im.files.close()
	dir, remove, err := im.run.Scratch()
	if err != nil {
		return err
	}
	im.staging = newStaging(dir, remove)
	for _, step := range []func(context.Context) error{im.read, im.findNames, im.merge, im.repeated, im.superviseRows, im.report} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close removes the scratch files.
func (im *importing) Close() error {
	if im.staging == nil {
		return nil
	}
	return im.staging.close()
}
