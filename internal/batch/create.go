package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// MaxFiles is how many files a batch may have.
const MaxFiles = 10

// Input is a file to freeze.
type Input struct {
	Name string
	Open func() (io.ReadCloser, error)
}

// Spec is a batch to be.
type Spec struct {
	Action  string
	Options any     // stored as JSON
	Inputs  []Input // for Create alone
	// Needs are the rights that making the batch takes, and deciding about it later; nil is users:add.
	Needs []directory.Right
	// MaxFile is in bytes per file; 0 is what [Engine.UploadLimit] says.
	MaxFile int64
	// Also, if any, is done in the transaction that makes the batch.
	Also func(ctx context.Context, tx *sqldb.Tx, id int64) error
}

func (s *Spec) needs() []directory.Right {
	if s.Needs == nil {
		return []directory.Right{"users:add"}
	}
	return s.Needs
}

// Create freezes the inputs, one after the other, and makes the batch, in state received. Nothing runs yet.
func (e *Engine) Create(ctx context.Context, actor directory.Actor, s Spec) (*Batch, error) {
	if err := actor.Need(s.needs()...); err != nil {
		return nil, err
	}
	if err := enoughFiles(len(s.Inputs)); err != nil {
		return nil, err
	}
	var files []File
	for _, in := range s.Inputs {
		r, err := in.Open()
		if err != nil {
			return nil, err
		}
		f, err := e.freeze(ctx, in.Name, r, s.MaxFile)
		r.Close()
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return e.CreateFrozen(ctx, actor, s, files)
}

func enoughFiles(n int) error {
	if n > MaxFiles {
		return fault.New(fault.TooLarge, "these are %d files; a batch takes %d at most", n, MaxFiles)
	}
	return nil
}

// Freeze stores an upload for a batch to come (see [Engine.CreateFrozen]), after a look at whether the actor may make
// one at all. It reads r to its end, or until it is over MaxUpload: an error of kind TooLarge. What no batch is made of
// within a day is swept away.
func (e *Engine) Freeze(ctx context.Context, actor directory.Actor, name string, r io.Reader) (File, error) {
	return e.FreezeFor(ctx, actor, Spec{}, name, r)
}

// FreezeFor is Freeze for a batch whose Needs and MaxFile are those of the spec.
func (e *Engine) FreezeFor(ctx context.Context, actor directory.Actor, s Spec, name string, r io.Reader) (File, error) {
	if err := actor.Need(s.needs()...); err != nil {
		return File{}, err
	}
	return e.freeze(ctx, name, r, s.MaxFile)
}

func (e *Engine) freeze(ctx context.Context, name string, r io.Reader, most int64) (File, error) {
	src := &uploadReader{r: r}
	if most == 0 {
		var err error
		if most, err = e.UploadLimit(ctx); err != nil {
			return File{}, err
		}
	}
	hash, size, err := e.Blobs.Put(ctx, src, most)
	var said *fault.Error
	switch {
	case errors.As(src.err, &said):
		return File{}, src.err // who reads from the network has said already what is wrong
	case src.err != nil:
		return File{}, fault.Wrap(fault.Invalid, src.err, "%s did not arrive whole; send it again", name)
	case fault.KindOf(err) == fault.TooLarge:
		return File{}, fault.Wrap(fault.TooLarge, err, "%s is larger than the %d bytes that a file may have; split it", name, most)
	case err != nil:
		return File{}, fmt.Errorf("%s: %w", name, err)
	}
	err = e.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO batch_uploads (hash, at) VALUES ($1, $2) ON CONFLICT (hash) DO UPDATE SET at = excluded.at", hash, e.now())
		return err
	})
	return File{Name: name, Hash: hash, Size: size}, err
}

// uploadReader remembers what went wrong with the one who sends, as opposed to the disk.
type uploadReader struct {
	r   io.Reader
	err error
}

func (u *uploadReader) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if err != nil && err != io.EOF {
		u.err = err
	}
	return n, err
}

// CreateFrozen makes a batch, in state received, of files that [Engine.Freeze] stored. Nothing runs yet.
func (e *Engine) CreateFrozen(ctx context.Context, actor directory.Actor, s Spec, files []File) (*Batch, error) {
	return e.create(ctx, actor, s, func(context.Context, *sqldb.Tx) ([]File, error) { return files, nil })
}

// CreateAgain makes a batch of the very files of another, which the actor must be allowed to look at.
func (e *Engine) CreateAgain(ctx context.Context, actor directory.Actor, id int64, s Spec) (*Batch, error) {
	if err := e.MayLook(ctx, actor, id); err != nil {
		return nil, err
	}
	return e.create(ctx, actor, s, func(ctx context.Context, tx *sqldb.Tx) ([]File, error) {
		// The lock keeps a sweep from letting go of the files meanwhile.
		if _, err := tx.ExecContext(ctx, "UPDATE batch_files SET hash = hash WHERE batch_id = $1", id); err != nil {
			return nil, err
		}
		files, err := sqldb.All[File](ctx, tx, "SELECT name, '', hash, size FROM batch_files WHERE batch_id = $1 ORDER BY position", id)
		for _, f := range files {
			if f.Hash == "" {
				return nil, fault.New(fault.NotFound, "the files of batch %d are kept no longer; select them again", id)
			}
		}
		return files, err
	})
}

func (e *Engine) create(ctx context.Context, actor directory.Actor, s Spec, filesOf func(context.Context, *sqldb.Tx) ([]File, error)) (*Batch, error) {
	if err := actor.Need(s.needs()...); err != nil {
		return nil, err
	}
	options, err := json.Marshal(s.Options)
	if err != nil {
		return nil, err
	}
	var id int64
	err = e.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		files, err := filesOf(ctx, tx)
		if err == nil {
			err = enoughFiles(len(files))
		}
		if err != nil {
			return err
		}
		owner, err := userID(ctx, tx, actor)
		if err != nil {
			return err
		}
		id, _, err = sqldb.One[int64](ctx, tx, `INSERT INTO batches (action, state, owner, source, by_system, options, created_at, owner_id, needs)
			VALUES ($1, 'received', $2, $3, $4, $5, $6, $7, $8) RETURNING id`, s.Action, actor.Name(), actor.Source(), one(actor.IsSystem()), string(options), e.now(), owner, rightsText(s.needs()))
		if err != nil {
			return fmt.Errorf("make the batch: %w", err)
		}
		for i, f := range files {
			if _, err := tx.ExecContext(ctx, "INSERT INTO batch_files (batch_id, position, name, hash, size) VALUES ($1, $2, $3, $4, $5)", id, i, f.Name, f.Hash, f.Size); err != nil {
				return fmt.Errorf("keep file %s: %w", f.Name, err)
			}
		}
		if s.Also != nil {
			if err := s.Also(ctx, tx, id); err != nil {
				return err
			}
		}
		return directory.WriteAudit(ctx, tx, directory.AuditEntry{At: e.now(), Actor: actor.Name(), Source: actor.Source(), Action: s.Action,
			Subject: "batch", Name: fmt.Sprint(id), After: string(options), BatchID: id})
	})
	if err != nil {
		return nil, err
	}
	e.Nudge()
	return get(ctx, e.DB.Read(), id)
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
