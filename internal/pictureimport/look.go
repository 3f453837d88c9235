package pictureimport

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"muster/internal/directory"
	"muster/internal/photo"
	"muster/internal/sqldb"
)

// Looks are kept by the chunk: so many pictures at most, or so many bytes of what was made of them. Two chunks may be in
// memory at once: one that fills, and one that is being written.
const (
	defaultLookPictures = 100
	lookBytes           = 16 << 20
)

// look is what came of looking at a picture. Either it was refused, or a picture was made of it, or the user whom it is for
// has it already, so that nothing had to be made.
type look struct {
	source  sum
	refused *photo.Refusal
	picture picture
	flaws   []photo.Flaw
}

// picture is a directory.Picture in less memory.
type picture struct {
	hash, large, small sum
	format             photo.Format
	width, height      int32
	bytes              int32
}

// made tells whether there is a picture to give.
func (l *look) made() bool { return l != nil && l.picture.hash != sum{} }

func (l *look) stored() directory.Picture {
	p := &l.picture
	return directory.Picture{Hash: p.hash.String(), SourceHash: l.source.String(), Format: string(p.format), Width: int(p.width), Height: int(p.height),
		Bytes: int64(p.bytes), Large: p.large.String(), Small: p.small.String()}
}

// keptLook is a look as picture_looks has it, one of a chunk.
type keptLook struct {
	Row     int64              `json:"r"`
	Source  string             `json:"s,omitempty"`
	Refused *photo.Refusal     `json:"no,omitempty"`
	Picture *directory.Picture `json:"p,omitempty"`
	Flaws   []photo.Flaw       `json:"f,omitempty"`
}

func (k *keptLook) look() *look {
	l := &look{source: sumOf(k.Source), refused: k.Refused, flaws: k.Flaws}
	if p := k.Picture; p != nil {
		l.picture = picture{hash: sumOf(p.Hash), large: sumOf(p.Large), small: sumOf(p.Small), format: photo.Format(p.Format),
			width: int32(p.Width), height: int32(p.Height), bytes: int32(p.Bytes)}
	}
	return l
}

// unseen tells whether a picture must be looked at: it was not, or its user had it then and has another by now.
func (r *row) unseen() bool {
	return r.done == "" && (r.look == nil || r.look.refused == nil && !r.look.made() && r.look.source != r.match.source)
}

// look looks at all pictures that were not looked at yet. What the names say is shown before.
func (im *importing) look(ctx context.Context) error {
	var todo []int
	for i := range im.rows {
		if im.rows[i].unseen() {
			todo = append(todo, i)
		}
	}
	if len(todo) == 0 {
		return nil
	}
	if err := im.report(ctx); err != nil {
		return err
	}
	l := &looking{importing: im, todo: todo}
	l.seen.Store(int64(len(im.rows) - len(todo)))
	l.progress(0)
	return l.all(ctx)
}

// looking is the looking at pictures under way.
type looking struct {
	*importing
	todo []int
	next atomic.Int64 // of todo
	seen atomic.Int64
}

// looked is what a worker hands over.
type looked struct {
	row     int
	look    *look
	picture *photo.Picture // nil where none was made
}

func (l *looked) bytes() int {
	if l.picture == nil {
		return 0
	}
	return len(l.picture.Stored) + len(l.picture.Large) + len(l.picture.Small)
}

func (l *looking) progress(n int) {
	l.run.Progress("looking at pictures", l.seen.Add(int64(n)), int64(len(l.rows)))
}

// all runs the workers, gathers what they find, and keeps it chunk by chunk while they go on.
func (l *looking) all(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	found, chunks := make(chan looked), make(chan []looked)
	var workers, gathering sync.WaitGroup
	for range min(l.op.workers(), len(l.todo)) {
		workers.Go(func() {
			if err := l.work(ctx, found); err != nil {
				stop(err)
			}
		})
	}
	gathering.Go(func() {
		defer close(chunks)
		l.gather(ctx, found, chunks)
	})
	go func() {
		workers.Wait()
		close(found)
	}()
	for chunk := range chunks {
		if err := l.keep(ctx, chunk); err != nil {
			stop(err)
			break
		}
	}
	if ctx.Err() != nil {
		stop(nil)
		for range chunks { // lets the others end
		}
	}
	gathering.Wait()
	return context.Cause(ctx)
}

func (l *looking) gather(ctx context.Context, found <-chan looked, chunks chan<- []looked) {
	var chunk []looked
	size := 0
	hand := func() {
		if len(chunk) > 0 && ctx.Err() == nil {
			select {
			case chunks <- chunk:
			case <-ctx.Done():
			}
		}
		chunk, size = nil, 0
	}
	for f := range found {
		l.progress(1)
		chunk, size = append(chunk, f), size+f.bytes()
		if len(chunk) >= l.op.lookPictures() || size >= lookBytes {
			hand()
		}
	}
	hand()
}

// work looks at one picture after the other.
func (l *looking) work(ctx context.Context, found chan<- looked) error {
	u := &unpacker{archive: l.archive}
	for ctx.Err() == nil {
		n := l.next.Add(1) - 1
		if n >= int64(len(l.todo)) {
			return nil
		}
		f, err := l.one(ctx, u, l.todo[n])
		if err != nil {
			return l.problem(err)
		}
		select {
		case found <- f:
		case <-ctx.Done():
		}
	}
	return nil
}

// one looks at a picture. Its errors are not about the picture.
func (l *looking) one(ctx context.Context, u *unpacker, i int) (looked, error) {
	f := looked{row: i, look: &look{}}
	data, err := u.unpack(&l.archive.entries[i])
	if err == nil {
		f.look.source = sha256.Sum256(data)
		if m := &l.rows[i].match; m.has && m.source == f.look.source {
			return f, nil // the same again
		}
		f.picture, err = photo.Process(ctx, data, l.op.Budget, photo.Options{})
	}
	if err == nil {
		f.look.flaws = f.picture.Flaws
		return f, nil
	}
	if !errors.As(err, &f.look.refused) {
		return f, err
	}
	return f, nil
}

// keep stores what was made of some pictures and, in one transaction, what came of looking at them.
func (l *looking) keep(ctx context.Context, chunk []looked) error {
	var contents [][]byte
	for _, f := range chunk {
		if f.picture != nil {
			contents = append(contents, f.picture.Stored, f.picture.Large, f.picture.Small)
		}
	}
	var hashes []string
	if len(contents) > 0 {
		var err error
		if hashes, err = l.run.Blobs().PutAll(ctx, contents); err != nil {
			return err
		}
	}
	kept := make([]keptLook, len(chunk))
	var pictures []directory.Picture
	first, last := chunk[0].row, chunk[0].row
	for i, f := range chunk {
		k := keptLook{Row: int64(f.row + 1), Refused: f.look.refused, Flaws: f.look.flaws}
		if f.look.source != (sum{}) {
			k.Source = f.look.source.String()
		}
		if p := f.picture; p != nil {
			k.Picture = &directory.Picture{Hash: hashes[0], SourceHash: k.Source, Format: string(p.Format), Width: p.Width, Height: p.Height,
				Bytes: int64(len(p.Stored)), Large: hashes[1], Small: hashes[2]}
			hashes, pictures = hashes[3:], append(pictures, *k.Picture)
		}
		kept[i], first, last = k, min(first, f.row), max(last, f.row)
	}
	data, err := packLooks(kept)
	if err != nil {
		return err
	}
	err = l.run.Tx(ctx, func(tx *sqldb.Tx) error {
		id := l.run.Batch.ID
		if err := directory.HoldPictures(ctx, tx, id, l.run.Now(), pictures); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO picture_looks (batch_id, number, first_row, last_row, data) VALUES ($1, $2, $3, $4, $5)",
			id, l.chunks+1, first+1, last+1, data)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep what came of looking at pictures: %w", err)
	}
	l.chunks++
	for i, f := range chunk {
		l.rows[f.row].look = kept[i].look()
	}
	return nil
}

// packLooks makes one compressed text of a chunk.
func packLooks(kept []keptLook) ([]byte, error) {
	var buf bytes.Buffer
	z, err := flate.NewWriter(&buf, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(json.NewEncoder(z).Encode(kept), z.Close()); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func unpackLooks(data []byte) (kept []keptLook, err error) {
	if err := json.NewDecoder(flate.NewReader(bytes.NewReader(data))).Decode(&kept); err != nil {
		return nil, fmt.Errorf("read what came of looking at pictures: %w", err)
	}
	return kept, nil
}

// loadLooks reads what an earlier check, or a part of it that broke off, has found.
func (im *importing) loadLooks(ctx context.Context) error {
	for data, err := range sqldb.Each[[]byte](ctx, im.run.DB().Read(), "SELECT data FROM picture_looks WHERE batch_id = $1 ORDER BY number", im.run.Batch.ID) {
		if err != nil {
			return fmt.Errorf("read what came of looking at pictures: %w", err)
		}
		kept, err := unpackLooks(data)
		if err != nil {
			return err
		}
		im.chunks++
		for i := range kept {
			// Of two the later one counts.
			if n := kept[i].Row; n >= 1 && n <= int64(len(im.rows)) {
				im.rows[n-1].look = kept[i].look()
			}
		}
	}
	return nil
}

// Clear removes what looking at the pictures of a batch has found, and who was given which by hand.
func (op *Operation) Clear(ctx context.Context, tx *sqldb.Tx, batchID int64) error {
	for _, table := range []string{"picture_looks", "picture_choices"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE batch_id = $1", batchID); err != nil {
			return fmt.Errorf("let what came of looking at pictures go: %w", err)
		}
	}
	return nil
}
