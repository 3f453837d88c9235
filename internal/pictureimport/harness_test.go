package pictureimport_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/batch"
	"muster/internal/blob"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/photo"
	"muster/internal/pictureimport"
	"muster/internal/setup"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

const organisation = `
levels: [Country, Team]
org_units: [UAE, UAE / Cards, India, India / Airline]
roles:
  - {name: Agent, rights: [users:access]}
access_roles:
  - {name: Everywhere, scope: everywhere}
`

type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// house is everything that an import of pictures needs, over one database.
type house struct {
	db     *sqldb.DB
	dir    *directory.Directory
	engine *batch.Engine
	op     *pictureimport.Operation
	cfg    directory.Configuration
	users  int64 // ids 1 to users are taken

	mu     sync.Mutex
	actors map[string]directory.Actor
	tick   atomic.Pointer[func()] // called whenever the time is asked for
	ahead  atomic.Int64           // how far the clock is ahead, in nanoseconds
}

var system = directory.System("test")

func newHouse(t testing.TB, cfg sqldb.Config) *house {
	t.Helper()
	h := &house{db: sqldbtest.Open(t, cfg), actors: map[string]directory.Actor{}}
	h.op = &pictureimport.Operation{Budget: photo.NewBudget(photo.DefaultBudget), LookPictures: 2, PieceUsers: 2, ChunkUsers: 4}
	h.dir = directory.New(h.db)
	h.dir.Now = func() time.Time {
		if f := h.tick.Load(); f != nil {
			(*f)()
		}
		return time.Now().Add(time.Duration(h.ahead.Load())).Truncate(time.Microsecond)
	}
	h.engine = &batch.Engine{
		DB: h.db, Directory: h.dir, Blobs: &blob.Disk{Dir: filepath.Join(t.TempDir(), "blobs")}, Scratch: t.TempDir(),
		Operations: map[string]batch.Operation{pictureimport.Action: h.op}, MaxUpload: 1 << 24, Patience: 20 * time.Second,
		Actor: func(_ context.Context, owner, source string) (directory.Actor, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.actors[owner], nil
		},
	}
	units, err := setup.Parse([]byte(organisation))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.dir.As(system).ApplyConfiguration(context.Background(), units, directory.ApplyOptions{Prune: true}); err != nil {
		t.Fatal(err)
	}
	if h.cfg, err = directory.LoadConfiguration(context.Background(), h.db.Read()); err != nil {
		t.Fatal(err)
	}
	return h
}

// each runs fn on both engines.
func each(t *testing.T, fn func(t *testing.T, h *house)) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		t.Parallel()
		fn(t, newHouse(t, cfg))
	})
}

// property runs fn with many drawn worlds; it clears what the one before left.
func property(t *testing.T, fn func(t *rapid.T, h *house)) {
	each(t, func(t *testing.T, h *house) {
		rapid.Check(t, func(t *rapid.T) {
			for _, table := range []string{"batches", "users", "pictures"} {
				h.exec(t, "DELETE FROM "+table)
			}
			h.users = 0
			fn(t, h)
		})
	})
}

func (h *house) exec(t failer, query string, args ...any) {
	t.Helper()
	err := h.db.Tx(context.Background(), func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(context.Background(), query, args...)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// add makes a user in the unit; the LAN ID is U and the id, the Agent ID a and the id, the PBX ID 0 and the id.
func (h *house) add(t failer, unit string) int64 {
	t.Helper()
	h.users++
	i := slices.IndexFunc(h.cfg.OrgUnits, func(u directory.OrgUnit) bool { return u.FullName == unit })
	h.exec(t, `INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, pbx_id, profile, org_unit_id, changed_by, changed_at)
		VALUES ($1, $2, $3, 'Ann', 'Lee', $4, $4, $5, 3, $6, 'somebody', 1)`, h.users, fmt.Sprintf("U%d", h.users), fmt.Sprintf("u%d", h.users),
		fmt.Sprintf("a%d", h.users), fmt.Sprintf("0%d", h.users), h.cfg.OrgUnits[i].ID)
	return h.users
}

// person returns somebody who acts, with these rights, below these units; none is everywhere.
func (h *house) person(name string, rights []directory.Right, units ...string) directory.Actor {
	scope := directory.Everywhere()
	if len(units) > 0 {
		var paths []string
		for _, u := range h.cfg.OrgUnits {
			if slices.Contains(units, u.FullName) {
				paths = append(paths, u.Path)
			}
		}
		scope = directory.Below(paths...)
	}
	a := directory.Person(name, "test", rights, scope)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.actors[name] = a
	return a
}

// face is a picture, each seed another; it has no flaws.
func face(seed int) string {
	facesMu.Lock()
	defer facesMu.Unlock()
	if f, made := faces[seed]; made {
		return f
	}
	m := image.NewRGBA(image.Rect(0, 0, 220, 200))
	x := uint32(seed*2654435761 + 1)
	for i := range 220 * 200 {
		if i%3 == 0 {
			x ^= x << 13
			x ^= x >> 17
			x ^= x << 5
		}
		m.Set(i%220, i/220, color.RGBA{uint8(x), uint8(x >> 8), uint8(x >> 16), 255})
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, m, nil); err != nil {
		panic(err)
	}
	faces[seed] = buf.String()
	return faces[seed]
}

var (
	facesMu sync.Mutex
	faces   = map[int]string{}
)

// black is a picture that is too dark, and blurred.
var black = func() string {
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, image.NewGray(image.Rect(0, 0, 300, 300)), nil); err != nil {
		panic(err)
	}
	return buf.String()
}()

// pack makes a ZIP of name, content, name, content, …
func pack(t failer, files ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for i := 0; i < len(files); i += 2 {
		into, err := w.Create(files[i])
		if err == nil {
			_, err = io.WriteString(into, files[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func (h *house) create(t failer, a directory.Actor, o pictureimport.Options, data []byte) int64 {
	t.Helper()
	b, err := pictureimport.Create(context.Background(), h.engine, a, o, batch.Input{Name: "faces.zip", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }})
	if err != nil {
		t.Fatal(err)
	}
	return b.ID
}

func (h *house) execute(t failer, id int64) *batch.Batch {
	t.Helper()
	b, err := h.engine.Execute(context.Background(), id, nil)
	if err != nil {
		t.Fatalf("batch %d: %v", id, err)
	}
	return b
}

func (h *house) run(t failer, a directory.Actor, o pictureimport.Options, data []byte) *batch.Batch {
	t.Helper()
	return h.execute(t, h.create(t, a, o, data))
}

// apply lets a preview go on, to the end; whatever number the guard wants is typed in.
func (h *house) apply(t failer, b *batch.Batch) *batch.Batch {
	t.Helper()
	if err := h.engine.Apply(context.Background(), system, b.ID, b.Guard.Users); err != nil {
		t.Fatal(err)
	}
	return h.execute(t, b.ID)
}

func (h *house) undo(t failer, id int64) *batch.Batch {
	t.Helper()
	notes := h.lines(t, "SELECT CAST(coalesce(max(seq), 0) AS TEXT) FROM user_writes")[0]
	already := h.lines(t, "SELECT CAST(user_id AS TEXT) FROM picture_changes WHERE undone = 1")
	if err := h.engine.Undo(context.Background(), system, id); err != nil {
		t.Fatal(err)
	}
	b := h.execute(t, id)
	if b.State != batch.Undone {
		t.Fatalf("batch %d is %s (%s), not undone", id, b.State, b.Reason)
	}
	for _, user := range h.lines(t, `SELECT CAST(j.user_id AS TEXT) FROM picture_changes j WHERE j.undone = 1
		AND NOT EXISTS (SELECT 1 FROM user_writes w WHERE w.seq > CAST(CAST($1 AS TEXT) AS BIGINT) AND j.user_id BETWEEN w.first_id AND w.last_id)`, notes) {
		if !slices.Contains(already, user) {
			t.Fatalf("user %s has another picture, and nobody is told", user)
		}
	}
	return b
}

// rows are the report: number, file, LAN ID, outcome, what it was to be, and codes.
func (h *house) rows(t failer, id int64, q pictureimport.RowsQuery) []string {
	t.Helper()
	b, err := h.engine.Get(context.Background(), system, id)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for {
		rows, next, err := pictureimport.Page(context.Background(), h.engine, system, b, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			all = append(all, line(&r))
		}
		if q.After = next; next == 0 {
			return all
		}
	}
}

func line(r *pictureimport.Row) string {
	text := fmt.Sprintf("%d %s %s %s", r.Number, r.File, r.LANID, r.Outcome)
	if r.Was != "" {
		text += " (was " + string(r.Was) + ")"
	}
	for _, p := range r.Problems {
		text += " " + p.Code
		if p.Suggestion != "" {
			text += "→" + p.Suggestion
		}
	}
	if r.Given {
		text += " by hand"
	}
	if r.Undone {
		text += " undone"
	}
	return text
}

func (h *house) kept(t failer, b *batch.Batch) []string {
	t.Helper()
	all := []string{}
	for e, err := range h.engine.KeptByUndo(context.Background(), system, b) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.LANID+" "+e.Problems[0].Code)
	}
	slices.Sort(all)
	return all
}

func (h *house) lines(t failer, query string, args ...any) []string {
	t.Helper()
	all, err := sqldb.All[string](context.Background(), h.db.Read(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	slices.Sort(all)
	return all
}

// pictures are who has which picture, by LAN ID: the hash of its bytes as they are stored, which are read.
func (h *house) pictures(t failer) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, l := range h.lines(t, "SELECT lan_id || ' ' || picture FROM users WHERE picture IS NOT NULL") {
		lan, hash, _ := strings.Cut(l, " ")
		if got := sha256.Sum256(h.blob(t, hash)); hex.EncodeToString(got[:]) != hash {
			t.Fatalf("the picture of %s is another than it should be", lan)
		}
		all[lan] = hash
	}
	return all
}

func (h *house) blob(t failer, hash string) []byte {
	t.Helper()
	f, err := h.engine.Blobs.Open(context.Background(), hash)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// stored is the hash of a picture as it is stored.
func stored(t failer, content string) string {
	t.Helper()
	p, err := photo.Process(context.Background(), []byte(content), photo.NewBudget(photo.DefaultBudget), photo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(p.Stored)
	return hex.EncodeToString(sum[:])
}

// stopAt runs the batch until the time has been asked for n times from now on, and ends it there, as a process that is
// told to stop does. It returns nil when the batch was at rest before.
func (h *house) stopAt(t failer, id int64, n int64) error {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var asked atomic.Int64
	f := func() {
		if asked.Add(1) == n {
			cancel()
		}
	}
	h.tick.Store(&f)
	defer h.tick.Store(nil)
	_, err := h.engine.Execute(ctx, id, nil)
	if err != nil && ctx.Err() == nil {
		t.Fatalf("batch %d, stopped at %d: %v", id, n, err)
	}
	return err
}

func isKind(t *testing.T, err error, kind fault.Kind, words string) {
	t.Helper()
	if fault.KindOf(err) != kind || !strings.Contains(fmt.Sprint(err), words) {
		t.Errorf("got %v (%s), want %s with %q", err, fault.KindOf(err), kind, words)
	}
}

func sorted(m map[string]string) []string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		all = append(all, k+" "+m[k])
	}
	return all
}
