// Package pictureimport is the bulk action "import user profile pictures": a ZIP of pictures, each named by its user, to
// the users of the directory.
//
// The ZIP is read where it is stored, entry by entry; nothing of it is ever written to a file of its own, and a name in it
// is the name of a picture, never a path. The check goes in two steps. First the names are matched with users, set by set:
// that takes seconds for a hundred thousand, and what it finds is shown at once. Then each picture is unpacked, looked at
// and made ready (see [photo.Process]), on all cores, within a budget of memory. What comes of that is kept, in the blob
// store and in picture_looks, chunk by chunk: a check that breaks off goes on where it was, and what is applied later was
// all made before.
//
// The preview is there once all pictures were looked at, so it says what the result will say: the two differ where the
// directory changed in between, and there alone.
package pictureimport

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"

	"muster/internal/batch"
	"muster/internal/blob"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/photo"
	"muster/internal/sqldb"
)

// Action is the batches' name of this bulk action.
const Action = "import-pictures"

// Kind is what the archive is called among a batch's files.
const Kind = "pictures"

// needs are the rights that it takes.
var needs = []directory.Right{"pictures:add"}

// Options of an import of pictures.
type Options struct {
	// Match is what the pictures' names are: "" is directory.ByAgentID.
	Match directory.PictureAttribute `json:"match"`
	// Preview stops before anything is applied, for somebody to decide.
	Preview bool `json:"preview"`
	// Strict are the flaws (see [photo.Flaw]) that keep a picture out, as the settings had it when the batch was made;
	// whoever makes one leaves it alone.
	Strict []string `json:"strict,omitempty"`
}

// OptionsOf returns the options that an import of pictures was made with.
func OptionsOf(b *batch.Batch) (o Options, err error) {
	if err := json.Unmarshal(b.Options, &o); err != nil {
		return o, fmt.Errorf("read the options of the import of pictures: %w", err)
	}
	o.Match = cmp.Or(o.Match, directory.ByAgentID)
	return o, nil
}

// UploadLimit is what a ZIP may have, in bytes, as the setting picture_megabytes says.
func UploadLimit(ctx context.Context, e *batch.Engine) (int64, error) {
	settings, err := directory.LoadSettings(ctx, e.DB.Read())
	return settings.PictureBytes(), err
}

// spec is the batch to be. It is refused where the options name no attribute that pictures can be matched by.
func spec(ctx context.Context, e *batch.Engine, o Options) (batch.Spec, error) {
	s := batch.Spec{Action: Action, Needs: needs}
	settings, err := directory.LoadSettings(ctx, e.DB.Read())
	if err != nil {
		return s, err
	}
	o.Match = cmp.Or(o.Match, directory.ByAgentID)
	if !slices.Contains(directory.PictureAttributes, o.Match) {
		return s, fault.New(fault.Invalid, "pictures cannot be matched by %q; use agent-id, lan-id or pbx-id", shorten(string(o.Match)))
	}
	o.Strict = Strict(settings)
	s.Options, s.MaxFile = o, settings.PictureBytes()
	return s, nil
}

// Freeze stores a ZIP for a batch to come (see [CreateFrozen]), like [batch.Engine.Freeze].
func Freeze(ctx context.Context, e *batch.Engine, actor directory.Actor, name string, r io.Reader) (batch.File, error) {
	s, err := spec(ctx, e, Options{})
	if err != nil {
		return batch.File{}, err
	}
	return e.FreezeFor(ctx, actor, s, name, r)
}

// CreateFrozen makes a batch, in state received, of a ZIP that [Freeze] stored. Nothing runs yet.
func CreateFrozen(ctx context.Context, e *batch.Engine, actor directory.Actor, o Options, file batch.File) (*batch.Batch, error) {
	s, err := spec(ctx, e, o)
	if err != nil {
		return nil, err
	}
	return e.CreateFrozen(ctx, actor, s, []batch.File{file})
}

// Create freezes a ZIP and makes a batch of it, in state received. Nothing runs yet.
func Create(ctx context.Context, e *batch.Engine, actor directory.Actor, o Options, in batch.Input) (*batch.Batch, error) {
	s, err := spec(ctx, e, o)
	if err != nil {
		return nil, err
	}
	s.Inputs = []batch.Input{in}
	return e.Create(ctx, actor, s)
}

// Operation runs imports of pictures. All fields but Budget may be left zero.
type Operation struct {
	Budget *photo.Budget // of all that this process decodes
	Limits Limits
	// Workers is how many pictures are looked at at once; 0 is one for each core.
	Workers int
	// LookPictures is how many are kept in one transaction of the check; PieceUsers and ChunkUsers are how many users are
	// written between two looks at whether somebody waits, and in one transaction. 0 is the default, which suits all but
	// tests.
	LookPictures, PieceUsers, ChunkUsers int
}

func (op *Operation) workers() int      { return cmp.Or(op.Workers, runtime.GOMAXPROCS(0)) }
func (op *Operation) lookPictures() int { return cmp.Or(op.LookPictures, defaultLookPictures) }
func (op *Operation) pieceUsers() int   { return cmp.Or(op.PieceUsers, defaultPieceUsers) }
func (op *Operation) chunkUsers() int   { return cmp.Or(op.ChunkUsers, defaultChunkUsers) }

// importing is one import of pictures under way.
type importing struct {
	op      *Operation
	run     *batch.Run
	options Options
	handle  *directory.Handle
	blob    *blob.File
	archive *archive
	rows    []row // as the entries of the archive
	writing *directory.PictureWriting

	began   bool  // to apply, now or earlier
	applied int64 // pictures, so far
	over    bool  // nothing more will be applied
	chunks  int64 // of looks that are kept
}

// row is a picture of the archive, and what is known of it. Its number is its place, from 1.
type row struct {
	match match
	look  *look              // nil: it was not looked at
	done  directory.Outcome  // what a chunk has made of it, "" where none has
	late  *directory.Problem // what kept it out when it was to be applied
}

// Prepare reads the archive's directory, matches the names, looks at all pictures that were not looked at yet, and writes
// the report.
func (op *Operation) Prepare(ctx context.Context, run *batch.Run) (batch.Prepared, error) {
	im := &importing{op: op, run: run}
	if err := im.prepare(ctx); err != nil {
		im.Close()
		return nil, err
	}
	return im, nil
}

func (im *importing) prepare(ctx context.Context) error {
	for _, step := range []func(context.Context) error{im.load, im.open, im.loadApplied, im.loadLooks, im.match, im.look, im.report} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (im *importing) load(ctx context.Context) (err error) {
	if im.options, err = OptionsOf(im.run.Batch); err != nil {
		return err
	}
	if im.handle, err = im.run.Handle(ctx); err != nil {
		return err
	}
	im.began = len(im.run.Batch.Work) > 0
	im.writing, err = im.handle.PreparePictures(ctx, im.run.DB().Read())
	return err
}

// open reads the archive's directory. What is wrong with it fails the batch.
func (im *importing) open(ctx context.Context) (err error) {
	if im.blob, err = im.run.Open(0); err != nil {
		return err
	}
	im.archive, err = openArchive(im.blob, im.blob.Size, im.op.Limits)
	if err != nil {
		return im.problem(err)
	}
	im.rows = make([]row, len(im.archive.entries))
	if im.run.Batch.Files[0].Kind == "" {
		return im.run.SetKind(ctx, 0, Kind)
	}
	return nil
}

// problem turns what is wrong with the archive into the batch's file problem; other errors stay as they are.
func (im *importing) problem(err error) error {
	r, is := asRefusal(err)
	if !is {
		return err
	}
	return batch.Problems{{File: im.run.Batch.Files[0].Name, Code: r.code, Message: r.message}}
}

// Close closes the archive.
func (im *importing) Close() error {
	if im.blob == nil {
		return nil
	}
	return im.blob.Close()
}

// work marks a batch that has begun to apply: an undo may have something to take back.
type work struct {
	Applying bool `json:"applying"`
}

func (im *importing) begin(ctx context.Context) error {
	if im.began {
		return nil
	}
	im.began = true
	return im.run.Tx(ctx, func(tx *sqldb.Tx) error { return im.run.SetWork(ctx, tx, work{Applying: true}) })
}
