package pictureimport_test

import (
	"context"
	"fmt"
	"maps"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/pictureimport"
)

// contents are what a file of an archive may hold, by a name for it; those that begin with a + are pictures that can be
// taken.
func contents() map[string]string {
	return map[string]string{"+1": face(1), "+2": face(2), "+3": face(3), "+black": black, "junk": "not a picture at all", "empty": "", "cut": face(4)[:600]}
}

// drawn is an archive: names, and what they hold.
type drawn struct{ names, holds []string }

func drawArchive(t *rapid.T, label string) (d drawn) {
	for range rapid.IntRange(1, 6).Draw(t, label+" files") {
		name := rapid.SampledFrom([]string{"a", "A", "x/a", `Team\A`, "__MACOSX/a", "b"}).Draw(t, "begins")
		name += fmt.Sprint(rapid.IntRange(1, 4).Draw(t, "user")) + rapid.SampledFrom([]string{".jpg", ".PNG", ""}).Draw(t, "ends")
		d.names = append(d.names, name)
		d.holds = append(d.holds, rapid.SampledFrom([]string{"+1", "+2", "+3", "+black", "junk", "empty", "cut"}).Draw(t, "holds"))
	}
	return d
}

func (d drawn) pack(t failer) []byte {
	all := contents()
	var files []string
	for i := range d.names {
		files = append(files, d.names[i], all[d.holds[i]])
	}
	return pack(t, files...)
}

// expect is what becomes of the archive, told naively: the outcome of each picture, and who has which afterwards. has are the
// contents that users have, by LAN ID, in reach whom the acting person may give any.
func (d drawn) expect(has map[string]string, inReach func(lan string) bool, users int) (outcomes []string, after map[string]string) {
	after, seen := maps.Clone(has), map[string]bool{}
	for i, name := range d.names {
		name = strings.ReplaceAll(name, `\`, "/")
		if strings.HasPrefix(name, "__MACOSX/") {
			continue
		}
		base := strings.ToLower(path.Base(name))
		base = strings.TrimSuffix(base, path.Ext(base))
		lan := "U" + base[1:]
		exists := base[0] == 'a' && int(base[1]-'0') <= users
		o := "invalid"
		switch {
		case !exists || !inReach(lan) || seen[lan]:
		case !strings.HasPrefix(d.holds[i], "+"):
		case has[lan] == "":
			o, after[lan] = "inserted", d.holds[i]
		case has[lan] == d.holds[i]:
			o = "unchanged"
		default:
			o, after[lan] = "updated", d.holds[i]
		}
		if exists && inReach(lan) {
			seen[lan] = true
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, after
}

// world is a house with users, some of whom have pictures.
func (h *house) world(t *rapid.T) (has map[string]string, actor directory.Actor, inReach func(string) bool) {
	units := map[string]string{}
	for range rapid.IntRange(1, 4).Draw(t, "users") {
		unit := rapid.SampledFrom([]string{"UAE / Cards", "India / Airline"}).Draw(t, "unit")
		units[fmt.Sprintf("U%d", h.add(t, unit))] = unit
	}
	has = map[string]string{}
	if first := drawArchive(t, "first"); rapid.Bool().Draw(t, "some have pictures") {
		if b := h.run(t, system, pictureimport.Options{}, first.pack(t)); b.State == batch.Done {
			_, has = first.expect(has, func(string) bool { return true }, int(h.users))
		}
	}
	actor, inReach = system, func(string) bool { return true }
	if rapid.Bool().Draw(t, "not everywhere") {
		actor, inReach = h.person("boss", []directory.Right{"pictures:add"}, "UAE"), func(lan string) bool { return units[lan] == "UAE / Cards" }
	}
	return has, actor, inReach
}

// hashes are the pictures that users have, as [house.pictures] tells them.
func hashes(t failer, has map[string]string) map[string]string {
	all := map[string]string{}
	for lan, content := range has {
		all[lan] = storedOf(t, content)
	}
	return all
}

func storedOf(t failer, content string) string {
	facesMu.Lock()
	known := storedHashes[content]
	facesMu.Unlock()
	if known == "" {
		known = stored(t, contents()[content])
		facesMu.Lock()
		storedHashes[content] = known
		facesMu.Unlock()
	}
	return known
}

var storedHashes = map[string]string{}

// What the preview says is what comes, and an undo leaves everybody as they were; all as a naive look at the archive tells.
func TestPreviewIsResult(t *testing.T) {
	property(t, func(t *rapid.T, h *house) {
		has, actor, inReach := h.world(t)
		d := drawArchive(t, "second")
		want, after := d.expect(has, inReach, int(h.users))
		b := h.run(t, actor, preview, d.pack(t))
		if len(want) == 0 {
			if b.State != batch.Failed || b.FileProblems[0].Code != "archive.nothing" {
				t.Fatalf("%s %+v", b.State, b.FileProblems)
			}
			return
		}
		said, counts := h.rows(t, b.ID, pictureimport.RowsQuery{}), b.Counts
		for i, l := range said {
			if !strings.Contains(l, " "+want[i]) {
				t.Fatalf("row %d: %s, want %s", i+1, l, want[i])
			}
		}
		if int(counts.Rows) != len(want) || counts.Rows+counts.PassedOver != int64(len(d.names)) || counts.Rows != counts.Inserted+counts.Updated+counts.Unchanged+counts.Invalid {
			t.Fatalf("%+v of %d", counts, len(want))
		}
		if diff := cmp.Diff(hashes(t, has), h.pictures(t)); diff != "" {
			t.Fatalf("after the preview:\n%s", diff)
		}
		b = h.apply(t, b)
		if diff := cmp.Diff(said, h.rows(t, b.ID, pictureimport.RowsQuery{})); diff != "" || b.Counts != counts {
			t.Fatalf("preview %+v, result %+v:\n%s", counts, b.Counts, diff)
		}
		if diff := cmp.Diff(hashes(t, after), h.pictures(t)); diff != "" {
			t.Fatalf("after:\n%s", diff)
		}
		h.undo(t, b.ID)
		if diff := cmp.Diff(hashes(t, has), h.pictures(t)); diff != "" {
			t.Fatalf("undone:\n%s", diff)
		}
	})
}

// interrupt lets the batch be stopped a few times at any moment, and go on each time.
func (h *house) interrupt(t *rapid.T, id int64) {
	t.Helper()
	for range rapid.IntRange(1, 3).Draw(t, "interruptions") {
		if h.stopAt(t, id, rapid.Int64Range(1, 25).Draw(t, "at")) == nil {
			return
		}
	}
}

// An import that is interrupted anywhere, a few times, ends as one that is not, and so does its undo; each user is
// changed once.
func TestInterrupted(t *testing.T) {
	property(t, func(t *rapid.T, h *house) {
		has, _, _ := h.world(t)
		d := drawArchive(t, "second")
		want, after := d.expect(has, func(string) bool { return true }, int(h.users))
		if len(want) == 0 {
			return
		}
		o := pictureimport.Options{Preview: rapid.Bool().Draw(t, "preview")}
		versions := h.versions(t)
		id := h.create(t, system, o, d.pack(t))
		h.interrupt(t, id)
		b := h.execute(t, id)
		if b.State == batch.Ready {
			if err := h.engine.Apply(context.Background(), system, id, b.Guard.Users); err != nil {
				t.Fatal(err)
			}
			h.interrupt(t, id)
			b = h.execute(t, id)
		}
		counts := batch.Counts{Rows: int64(len(want)), PassedOver: int64(len(d.names) - len(want))}
		for _, o := range want {
			*map[string]*int64{"inserted": &counts.Inserted, "updated": &counts.Updated, "unchanged": &counts.Unchanged, "invalid": &counts.Invalid}[o]++
		}
		if b.State != batch.Done || b.Counts != counts {
			t.Fatalf("%s %s %+v, want %+v", b.State, b.Reason, b.Counts, counts)
		}
		for i, l := range h.rows(t, id, pictureimport.RowsQuery{}) {
			if !strings.Contains(l, " "+want[i]) {
				t.Fatalf("row %d: %s, want %s", i+1, l, want[i])
			}
		}
		if diff := cmp.Diff(hashes(t, after), h.pictures(t)); diff != "" {
			t.Fatal(diff)
		}
		if n := h.versions(t) - versions; n != counts.Inserted+counts.Updated {
			t.Fatalf("%d changes of users, want %d", n, counts.Inserted+counts.Updated)
		}
		if counts.Inserted+counts.Updated == 0 {
			return
		}
		if err := h.engine.Undo(context.Background(), system, id); err != nil {
			t.Fatal(err)
		}
		h.interrupt(t, id)
		if b = h.execute(t, id); b.State != batch.Undone || b.Undone != counts.Inserted+counts.Updated || len(h.kept(t, b)) > 0 {
			t.Fatalf("%s, %d undone, kept %v", b.State, b.Undone, h.kept(t, b))
		}
		if diff := cmp.Diff(hashes(t, has), h.pictures(t)); diff != "" {
			t.Fatalf("undone:\n%s", diff)
		}
	})
}

// versions is how often all users together were changed.
func (h *house) versions(t failer) int64 {
	t.Helper()
	n := int64(0)
	for _, l := range h.lines(t, "SELECT CAST(version AS TEXT) FROM users") {
		var v int64
		if _, err := fmt.Sscan(l, &v); err != nil {
			t.Fatal(err)
		}
		n += v
	}
	return n
}
