package useredit

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Source says which users a set is of: exactly one of IDs, Filter, LANIDs and Batch is set.
type Source struct {
	IDs    []int64               // picked users
	Filter *directory.UserFilter // all that match
	LANIDs []string              // those of a file; see [ReadLANIDs]
	Name   string                // of the file, or the filter in words; "" for none
	// Batch is an import; Outcome is inserted or updated, and "" for both.
	Batch   int64
	Outcome directory.Outcome
}

// Set is a frozen set of users: exactly those, as they were then, whatever becomes of the directory.
type Set struct {
	ID            string // unguessable
	Title         string // in words: "12 picked users", "all 4,321 users that match", "users.txt"
	Users         int64
	Agents        int64    // how many of them are
	Unknown       int64    // how many of what was given are not in it
	UnknownLANIDs []string // some of them, of a file
	At            time.Time

	hash string
	size int64
}

// setKept is how long a set waits for its edit.
const setKept = 24 * time.Hour

// namedUnknown is how many unknown LAN IDs are kept by name, and lookedUp how many are looked up at once.
const (
	namedUnknown = 20
	lookedUp     = 5000
)

// errNobody says that a set would be empty.
func errNobody() error {
	return fault.New(fault.NotFound, "none of these users is among those that you may change; pick others")
}

// Freeze makes a set of the source's users who are in the actor's scope, as they are now. Who is not there, or out of
// scope, is not in it and counted. It needs users:access and users:edit; a set of nobody is NotFound.
func Freeze(ctx context.Context, e *batch.Engine, actor directory.Actor, s Source) (*Set, error) {
	if err := actor.Need("users:access", "users:edit"); err != nil {
		return nil, err
	}
	if err := s.check(ctx, e, actor); err != nil {
		return nil, err
	}
	set := &Set{ID: rand.Text(), At: e.Directory.Now()}
	file, users, agents, err := keepSet(ctx, e, actor, func(w *setWriter) error { return s.write(ctx, e, actor, set, w) })
	if err != nil {
		return nil, err
	}
	if users == 0 {
		return nil, errNobody()
	}
	set.Users, set.Agents, set.hash, set.size, set.Title = users, agents, file.Hash, file.Size, s.title(users)
	return set, set.store(ctx, e, actor)
}

func (s *Source) check(ctx context.Context, e *batch.Engine, actor directory.Actor) error {
	sources := 0
	for _, is := range []bool{s.IDs != nil, s.Filter != nil, s.LANIDs != nil, s.Batch != 0} {
		if is {
			sources++
		}
	}
	if sources != 1 {
		return fault.New(fault.Invalid, "it is not said which users are meant; pick some, or all that match")
	}
	if s.Batch == 0 {
		return nil
	}
	return e.MayLook(ctx, actor, s.Batch)
}

// keepSet stores what write writes, while it writes it.
func keepSet(ctx context.Context, e *batch.Engine, actor directory.Actor, write func(*setWriter) error) (file batch.File, users, agents int64, err error) {
	type written struct {
		users, agents int64
		err           error
	}
	r, w := io.Pipe()
	done := make(chan written, 1)
	go func() {
		s, err := newSetWriter(w)
		if err == nil {
			err = write(s)
		}
		if err == nil {
			err = s.w.Flush()
		}
		w.CloseWithError(err)
		done <- written{s.n, s.agents, err}
	}()
	file, err = e.FreezeFor(ctx, actor, batch.Spec{Needs: []directory.Right{"users:edit"}, MaxFile: e.MaxUpload}, "users.set", r)
	r.CloseWithError(io.ErrClosedPipe)
	wrote := <-done
	if wrote.err != nil && !errors.Is(wrote.err, io.ErrClosedPipe) {
		err = wrote.err
	}
	return file, wrote.users, wrote.agents, err
}

func (s *Source) write(ctx context.Context, e *batch.Engine, actor directory.Actor, set *Set, w *setWriter) error {
	h := e.Directory.As(actor)
	if s.LANIDs != nil {
		return s.writeLANIDs(ctx, e, h, set, w)
	}
	f := directory.UserFilter{IDs: s.IDs, BatchID: s.Batch, BatchOutcome: s.Outcome}
	if s.Filter != nil {
		f = *s.Filter
	}
	err := h.FreezeUsers(ctx, f, w.add)
	if s.IDs != nil {
		picked := slices.Compact(slices.Sorted(slices.Values(s.IDs)))
		set.Unknown = int64(len(picked)) - w.n
	}
	return err
}

// writeLANIDs looks the LAN IDs up, some thousand at a time, and puts whom it found in order.
func (s *Source) writeLANIDs(ctx context.Context, e *batch.Engine, h *directory.Handle, set *Set, w *setWriter) error {
	var found []directory.UserVersion
	for some := range slices.Chunk(s.LANIDs, lookedUp) {
		users, unknown, err := h.FindLANIDs(ctx, e.DB.Read(), some)
		if err != nil {
			return err
		}
		found = append(found, users...)
		set.Unknown += int64(len(unknown))
		set.UnknownLANIDs = append(set.UnknownLANIDs, unknown[:min(len(unknown), namedUnknown-len(set.UnknownLANIDs))]...)
	}
	slices.SortFunc(found, func(a, b directory.UserVersion) int { return cmp.Compare(a.ID, b.ID) })
	last := int64(0)
	for _, u := range found {
		if u.ID == last {
			continue // the LAN ID is there twice
		}
		if err := w.add(u); err != nil {
			return err
		}
		last = u.ID
	}
	return nil
}

func (s *Source) title(users int64) string {
	n := thousands(users)
	switch {
	case s.IDs != nil && users == 1:
		return "1 picked user"
	case s.IDs != nil:
		return n + " picked users"
	case s.LANIDs != nil && s.Name != "":
		return s.Name
	case s.LANIDs != nil:
		return n + " given users"
	case s.Batch != 0 && s.Outcome != "":
		return fmt.Sprintf("%s by batch %d", s.Outcome, s.Batch)
	case s.Batch != 0:
		return fmt.Sprintf("inserted or updated by batch %d", s.Batch)
	case users == 1:
		return strings.TrimSpace("the 1 user that matches " + s.Name)
	}
	return strings.TrimSpace("all " + n + " users that match " + s.Name)
}

// thousands writes a number as people read it: 4,321.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func (s *Set) store(ctx context.Context, e *batch.Engine, actor directory.Actor) error {
	unknown, err := json.Marshal(append([]string{}, s.UnknownLANIDs...))
	if err != nil {
		return err
	}
	return e.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		owner, err := ownerOf(ctx, tx, actor)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM user_sets WHERE at < $1", e.Directory.Now().Add(-setKept).UnixMicro()); err != nil {
			return fmt.Errorf("let old sets of users go: %w", err)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO user_sets (id, owner, owner_id, by_system, title, hash, size, users, agents, unknown, unknown_ids, at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, s.ID, owner.Name, owner.ID, owner.System, s.Title, s.hash, s.size, s.Users, s.Agents, s.Unknown, string(unknown), s.At.UnixMicro())
		if err != nil {
			return fmt.Errorf("keep the set of users: %w", err)
		}
		return nil
	})
}

// maker is whose a set is.
type maker struct {
	Name   string
	ID     int64 // as a user, 0 for none
	System int64
}

func ownerOf(ctx context.Context, q sqldb.Querier, actor directory.Actor) (m maker, err error) {
	if actor.IsSystem() {
		return maker{Name: actor.Name(), System: 1}, nil
	}
	m.Name = actor.Name()
	who, found, err := directory.HolderByLANID(ctx, q, actor.Name())
	if found {
		m.ID = who.ID
	}
	return m, err
}

// OpenSet returns a set that the actor made within the last day. To others it is not there.
func OpenSet(ctx context.Context, e *batch.Engine, actor directory.Actor, id string) (*Set, error) {
	if err := actor.Need("users:edit"); err != nil {
		return nil, err
	}
	type row struct {
		Owner               string
		OwnerID, System     int64
		Title, Hash         string
		Size, Users, Agents int64
		Unknown             int64
		UnknownLANIDs       string
		At                  int64
	}
	q := e.DB.Read()
	r, found, err := sqldb.One[row](ctx, q, "SELECT owner, owner_id, by_system, title, hash, size, users, agents, unknown, unknown_ids, at FROM user_sets WHERE id = $1", id)
	if err != nil {
		return nil, fmt.Errorf("read the set of users: %w", err)
	}
	owner, err := ownerOf(ctx, q, actor)
	if err != nil {
		return nil, err
	}
	// Their LAN ID may be another one by now, and somebody else's the one that they had.
	mine := owner.System == r.System && owner.ID == r.OwnerID && (owner.ID != 0 || owner.Name == r.Owner)
	at := time.UnixMicro(r.At).UTC()
	if !found || !mine || e.Directory.Now().Sub(at) > setKept {
		return nil, fault.New(fault.NotFound, "these users were selected more than a day ago, or by somebody else; select them again")
	}
	s := &Set{ID: id, Title: r.Title, Users: r.Users, Agents: r.Agents, Unknown: r.Unknown, At: at, hash: r.Hash, size: r.Size}
	return s, json.Unmarshal([]byte(r.UnknownLANIDs), &s.UnknownLANIDs)
}
