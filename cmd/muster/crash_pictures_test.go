package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/batch"
	"muster/internal/blob"
	"muster/internal/blob/blobtest"
	"muster/internal/directory"
	"muster/internal/sqldb"
)

// crashFaces is how many users have pictures there.
const crashFaces = 150

// facesZIP is an archive of pictures for the users, others for each round. It returns the sums of their bytes, by LAN ID.
func facesZIP(t *testing.T, round int) (file string, sums map[string]string) {
	t.Helper()
	sums = map[string]string{}
	file = filepath.Join(t.TempDir(), "faces.zip")
	var all bytes.Buffer
	w := zip.NewWriter(&all)
	for i := range crashFaces {
		var buf bytes.Buffer
		m := image.NewGray(image.Rect(0, 0, 200, 200))
		for p := range 200 * 200 {
			m.SetGray(p%200, p/200, color.Gray{uint8(p*(i+3) + round*31 + p/200*i)})
		}
		into, err := w.Create(fmt.Sprintf("faces/u%d.jpg", i))
		if err == nil {
			err = jpeg.Encode(io.MultiWriter(into, &buf), m, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(buf.Bytes())
		sums[fmt.Sprintf("u%d", i)] = hex.EncodeToString(sum[:])
	}
	if err := errors.Join(w.Close(), os.WriteFile(file, all.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return file, sums
}

// gallery is a place whose users have pictures, with what is behind it.
type gallery struct {
	*place
	db     *sqldb.DB
	engine *batch.Engine
	keys   func() []string // of all blobs that the store has
}

func newGallery(t *testing.T, engine, store string) *gallery {
	t.Helper()
	files := t.TempDir()
	var users strings.Builder
	users.WriteString("LAN ID,First Name,Last Name,Agent ID,PBX ID,Profile,Supervisor,Org Unit,Role,Access Role,CRM Name,Text Chat Greeting Template Name\r\n")
	for i := range crashFaces {
		fmt.Fprintf(&users, "u%d,Ann,Lee,u%d,%d,Supervisor,,Cards Team 1,Agent,,,\r\n", i, i, 1000+i)
	}
	setup, err := os.ReadFile("testdata/shared/setup.yaml")
	if err := errors.Join(err, os.WriteFile(filepath.Join(files, "organisation.yaml"), setup, 0o600), os.WriteFile(filepath.Join(files, "UserDetails.csv"), []byte(users.String()), 0o600)); err != nil {
		t.Fatal(err)
	}
	g := &gallery{place: newPlace(t, engine, files)}
	var blobs blob.Store = &blob.Disk{Dir: filepath.Join(g.dir, "blobs")}
	g.keys = func() []string { return filesBelow(t, filepath.Join(g.dir, "blobs")) }
	if store == "s3" {
		server := blobtest.NewServer(t)
		g.args, g.env = append(g.args, "--blobs", server.Address), server.Env
		blobs = server.Store(t)
		g.keys = func() []string {
			names := server.Keys(t)
			for i := range names {
				names[i] = path.Base(names[i])
			}
			return names
		}
	}
	// Nobody is there to type in that everybody is changed.
	g.must("settings", "set", "guard_percent", "100")
	g.must("import", "users", "--yes", "--json", "--rows", "none", filepath.Join(files, "UserDetails.csv"))
	config := sqldb.Config{Dir: g.dir}
	if i := slices.Index(g.args, "--database"); i >= 0 {
		config = sqldb.Config{URL: g.args[i+1]}
	}
	if g.db, err = sqldb.Open(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.db.Close() })
	g.engine = &batch.Engine{DB: g.db, Directory: directory.New(g.db), Blobs: blobs}
	return g
}

func filesBelow(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func picturesArgs(zip string) []string {
	return []string{"import", "pictures", "--yes", "--json", "--rows", "none", zip}
}

// texts are the rows of a query of one text each, in order.
func (g *gallery) texts(query string, args ...any) []string {
	g.t.Helper()
	all, err := sqldb.All[string](context.Background(), g.db.Read(), query, args...)
	if err != nil {
		g.t.Fatalf("%s: %v", query, err)
	}
	slices.Sort(all)
	return all
}

// sums are the sums of the bytes that users' pictures were made of, by LAN ID. What is stored of each is read, and must be
// what its hash says.
func (g *gallery) sums() map[string]string {
	g.t.Helper()
	all := map[string]string{}
	for _, l := range g.texts(`SELECT u.lan_id || ' ' || p.source_hash || ' ' || p.hash || ' ' || p.large_hash || ' ' || p.small_hash
		FROM users u JOIN pictures p ON p.hash = u.picture`) {
		f := strings.Fields(l)
		all[f[0]] = f[1]
		for _, hash := range f[2:] {
			file, err := g.engine.Blobs.Open(context.Background(), hash)
			if err != nil {
				g.t.Fatalf("the picture of %s: %v", f[0], err)
			}
			sum := sha256.New()
			_, err = io.Copy(sum, file)
			file.Close()
			if got := hex.EncodeToString(sum.Sum(nil)); err != nil || got != hash {
				g.t.Fatalf("the picture of %s: %s is stored as %s: %v", f[0], got, hash, err)
			}
		}
	}
	if n := g.texts("SELECT CAST(count(*) AS TEXT) FROM users WHERE picture IS NOT NULL")[0]; n != strconv.Itoa(len(all)) {
		g.t.Fatalf("%s users have pictures, %d of them are there", n, len(all))
	}
	return all
}

// sweep lets go of what nobody refers to; then nothing may be left of that.
func (g *gallery) sweep() {
	g.t.Helper()
	for i := range 4 {
		g.engine.Directory.Now = func() time.Time { return time.Now().Add(time.Duration(i+1) * 26 * time.Hour) }
		if err := g.engine.Sweep(context.Background()); err != nil {
			g.t.Fatal(err)
		}
	}
	wanted := g.texts(`SELECT hash FROM batch_files UNION SELECT hash FROM pictures UNION SELECT large_hash FROM pictures UNION SELECT small_hash FROM pictures`)
	there := g.keys()
	slices.Sort(there)
	if diff := cmp.Diff(wanted, there); diff != "" {
		g.t.Errorf("what is referred to, and what is stored, differ:\n%.2000s", diff)
	}
	if left := g.texts(`SELECT hash FROM pictures p WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.picture = p.hash) AND NOT EXISTS (SELECT 1 FROM picture_holds h WHERE h.hash = p.hash)
		AND NOT EXISTS (SELECT 1 FROM picture_changes c WHERE c.before = p.hash)`); len(left) > 0 {
		g.t.Errorf("%d pictures of nobody", len(left))
	}
}

// instant is when a process is killed: some time after its start, or after a condition on the batch holds for the first time.
type instant struct {
	after time.Duration
	until string // the condition; none is the start
	slow  string // what takes long, so that the instant cannot be missed: a trigger's event
	costs int    // how long each time, in ms, about
}

// whileGiven is in the middle of the transaction that gives or takes back pictures; onceGiven is after it, while the batch itself
// is not over yet. run is what the batch's chunks are filed under.
func whileGiven(state string) instant {
	return instant{shortly(), "state = '" + state + "'", "UPDATE OF picture ON users", 5}
}

func onceGiven(state, run string) instant {
	return instant{shortly(), "state = '" + state + "' AND EXISTS (SELECT 1 FROM batch_chunks c WHERE c.batch_id = batches.id AND c.run = '" + run + "')",
		"INSERT ON batch_pages", 700}
}

// shortly is a small part of what takes long.
func shortly() time.Duration { return 20*time.Millisecond + rand.N(60*time.Millisecond) }

// slow makes the database take long for something, as a disk may.
func (g *gallery) slow(event string, ms int) {
	g.t.Helper()
	if g.db.Engine == sqldb.SQLite {
		// It has no sleep: so many rows take as long at least on any machine of today.
		g.exec(fmt.Sprintf("CREATE TRIGGER slow AFTER %s BEGIN SELECT count(*) FROM (SELECT 1 FROM users a, users b, users c, users d LIMIT %d); END", event, ms*40_000))
		return
	}
	g.exec(fmt.Sprintf("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(%.3f); RETURN NULL; END'", float64(ms)/1000))
	g.exec(fmt.Sprintf("CREATE TRIGGER slow AFTER %s FOR EACH ROW EXECUTE FUNCTION slow()", event))
}

func (g *gallery) quick(event string) {
	g.t.Helper()
	if g.db.Engine == sqldb.SQLite {
		g.exec("DROP TRIGGER slow")
		return
	}
	g.exec("DROP TRIGGER slow ON " + event[strings.LastIndex(event, " ")+1:])
	g.exec("DROP FUNCTION slow")
}

func (g *gallery) exec(query string) {
	g.t.Helper()
	err := g.db.Tx(context.Background(), func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(context.Background(), query)
		return err
	})
	if err != nil {
		g.t.Fatalf("%s: %v", query, err)
	}
}

// killed runs a command and kills it at the instant. It returns how far its batch, the newest one, is then.
func (g *gallery) killed(at instant, args ...string) (phase string, batch int) {
	g.t.Helper()
	if at.slow != "" {
		g.slow(at.slow, at.costs)
		defer g.quick(at.slow)
	}
	cmd := g.command(args...)
	if err := cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // killed, or done just before
		close(ended)
	}()
	for there := at.until == ""; !there; {
		select {
		case <-ended:
			there = true
		case <-time.After(2 * time.Millisecond):
			there = len(g.texts("SELECT state FROM batches WHERE id = (SELECT max(id) FROM batches) AND "+at.until)) > 0
		}
	}
	time.Sleep(at.after)
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		g.t.Fatal(err)
	}
	<-ended
	type row struct {
		ID           int
		State, Phase string
		Done, Chunks int64
	}
	b, _, err := sqldb.One[row](context.Background(), g.db.Read(), `SELECT id, state, phase, done, (SELECT count(*) FROM batch_chunks c WHERE c.batch_id = batches.id
		AND c.run = CASE batches.state WHEN 'undoing' THEN 'undo' WHEN 'undone' THEN 'undo' ELSE 'apply' END) AS chunks FROM batches ORDER BY id DESC LIMIT 1`)
	if err != nil {
		g.t.Fatal(err)
	}
	return fmt.Sprintf("%s, %d chunks, %s %d", b.State, b.Chunks, b.Phase, b.Done), b.ID
}

func (g *gallery) state(batch int) (state string, counts map[string]int64) {
	g.t.Helper()
	var b struct {
		State  string
		Counts map[string]int64
	}
	if err := json.Unmarshal(g.must("batches", "show", strconv.Itoa(batch), "--json", "--rows", "none"), &b); err != nil {
		g.t.Fatal(err)
	}
	return b.State, b.Counts
}

// TestKillPictures kills real imports of pictures, and their undos: while the pictures are being given, when they are and the
// import is not over yet, and at random instants. After the next start pictures and users agree, the counts are right, an undo
// gives back what was, byte for byte, and a sweep leaves nothing that nobody refers to. MUSTER_KILLS sets how often (3).
func TestKillPictures(t *testing.T) {
	if testing.Short() {
		t.Skip("the processes that it kills are not built with the race detector")
	}
	t.Parallel()
	rounds := 3
	if n, err := strconv.Atoi(os.Getenv("MUSTER_KILLS")); err == nil {
		rounds = max(n, 2)
	}
	zips, sums := make([]string, rounds+2), make([]map[string]string, rounds+2)
	for i := range zips {
		zips[i], sums[i] = facesZIP(t, i)
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, store := range []string{"disk", "s3"} {
			t.Run(engine+"/"+store, func(t *testing.T) {
				t.Parallel()
				killPictures(t, newGallery(t, engine, store), rounds, zips, sums)
			})
		}
	}
}

func killPictures(t *testing.T, g *gallery, rounds int, zips []string, sums []map[string]string) {
	began := time.Now()
	g.must(picturesArgs(zips[0])...)
	took := time.Since(began)
	old := sums[0]
	if diff := cmp.Diff(old, g.sums()); diff != "" {
		t.Fatalf("left alone:\n%.1000s", diff)
	}
	hits := map[string]int{} // by what the batch was at, and how many chunks it had written
	last := 2                // the number of the batch before
	for i := range rounds {
		at := []instant{whileGiven("applying"), onceGiven("applying", "apply"), {after: rand.N(took + took/20)}}[i%3]
		phase, id := g.killed(at, picturesArgs(zips[i+1])...)
		t.Logf("killed: %s", phase)
		hits[stage(phase)]++
		if g.must("batches", "wait", "--json"); id == last {
			g.must(picturesArgs(zips[i+1])...)
			id++
		}
		last = id
		want := map[string]int64{"rows": crashFaces, "inserted": 0, "updated": crashFaces, "unchanged": 0, "invalid": 0, "passed_over": 0}
		if state, counts := g.state(id); state != "done" || !maps.Equal(counts, want) {
			t.Fatalf("%s %v, want %v", state, counts, want)
		}
		if diff := cmp.Diff(sums[i+1], g.sums()); diff != "" {
			t.Fatalf("killed (%s):\n%.1000s", phase, diff)
		}
		at = []instant{whileGiven("undoing"), onceGiven("undoing", "undo"), {after: rand.N(took / 2)}}[i%3]
		phase, _ = g.killed(at, "batches", "undo", strconv.Itoa(id))
		t.Logf("undo killed: %s", phase)
		hits[stage(phase)]++
		if g.must("batches", "wait", "--json"); strings.HasPrefix(phase, "done") {
			g.must("batches", "undo", strconv.Itoa(id))
		}
		if diff := cmp.Diff(old, g.sums()); diff != "" {
			t.Fatalf("undone (%s):\n%.1000s", phase, diff)
		}
	}
	for _, aim := range []string{"applying, 0 chunks", "applying, 1 chunks", "undoing, 0 chunks", "undoing, 1 chunks"} {
		if hits[aim] == 0 {
			t.Errorf("no kill hit a batch that was %s: %v", aim, hits)
		}
	}
	// One that is dropped leaves what nobody refers to.
	phase, id := g.killed(instant{after: took * 2 / 3}, picturesArgs(zips[rounds+1])...)
	t.Logf("dropped: %s", phase)
	if state, _ := g.state(id); id > last && state == "checking" {
		g.must("batches", "cancel", strconv.Itoa(id))
	}
	g.must("batches", "wait", "--json")
	want := old
	if state, _ := g.state(id); id > last && state == "done" {
		want = sums[rounds+1] // it was past the check already
	}
	g.sweep()
	if diff := cmp.Diff(want, g.sums()); diff != "" {
		t.Errorf("swept (%s):\n%.1000s", phase, diff)
	}
}

// stage is a phase without what it says of progress.
func stage(phase string) string { return phase[:strings.LastIndex(phase, ", ")] }
