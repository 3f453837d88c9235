package pictureimport_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/pictureimport"
)

var preview = pictureimport.Options{Preview: true}

func TestImport(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for range 6 {
			h.add(t, "UAE / Cards")
		}
		h.run(t, system, pictureimport.Options{}, pack(t, "a1.jpg", face(1), "a4.jpg", face(4)))
		data := pack(t, "team/A1.JPG", face(11), "a2.jpg", face(2), "a3.jpg", "GIF89a is not taken", "a4.jpg", face(4), "a44.jpg", face(5), "more/a2.png", face(6),
			"a5.jpg", black, "__MACOSX/._a5.jpg", "x", "Thumbs.db", "x")
		b := h.run(t, system, preview, data)
		want := []string{"1 team/A1.JPG U1 updated", "2 a2.jpg U2 inserted", "3 a3.jpg U3 invalid picture.not_an_image", "4 a4.jpg U4 unchanged", "5 a44.jpg  invalid picture.no_user→a4",
			"6 more/a2.png U2 invalid picture.repeated", "7 a5.jpg U5 inserted picture.dark picture.blurred"}
		if diff := cmp.Diff(want, h.rows(t, b.ID, pictureimport.RowsQuery{})); diff != "" {
			t.Errorf("preview:\n%s", diff)
		}
		counts := batch.Counts{Rows: 7, Inserted: 2, Updated: 1, Unchanged: 1, Invalid: 3, PassedOver: 2}
		if b.State != batch.Ready || b.Counts != counts {
			t.Errorf("%s %+v", b.State, b.Counts)
		}
		before := h.pictures(t)
		b = h.apply(t, b)
		if b.State != batch.Done || b.Counts != counts {
			t.Errorf("%s %s %+v", b.State, b.Reason, b.Counts)
		}
		if diff := cmp.Diff(want, h.rows(t, b.ID, pictureimport.RowsQuery{Limit: 2})); diff != "" {
			t.Errorf("result:\n%s", diff)
		}
		after := map[string]string{"U1": stored(t, face(11)), "U2": stored(t, face(2)), "U4": stored(t, face(4)), "U5": stored(t, black)}
		if diff := cmp.Diff(after, h.pictures(t)); diff != "" {
			t.Errorf("pictures:\n%s", diff)
		}
		for name, q := range map[string]pictureimport.RowsQuery{"2 a2.jpg U2 inserted": {Outcome: directory.Inserted, Limit: 1}, "6 more/a2.png U2 invalid picture.repeated": {Code: "picture.repeated"}} {
			if got := h.rows(t, b.ID, q); got[0] != name {
				t.Errorf("%+v: %v", q, got)
			}
		}
		r, err := pictureimport.RowOf(context.Background(), h.engine, system, b, 2)
		if err != nil || r.UserID != 2 || r.Name != "Ann Lee" || r.New.Hash != after["U2"] || !r.Looked || r.New.Width != 220 {
			t.Errorf("%+v %v", r, err)
		}
		if small := h.blob(t, r.New.Small); !bytes.HasPrefix(small, []byte("\xff\xd8")) {
			t.Error("the small picture is no JPEG")
		}
		_, err = pictureimport.RowOf(context.Background(), h.engine, system, b, 8)
		isKind(t, err, fault.NotFound, "no picture 8")

		again := h.run(t, system, pictureimport.Options{}, data)
		if again.Counts != (batch.Counts{Rows: 7, Unchanged: 4, Invalid: 3, PassedOver: 2}) {
			t.Errorf("again: %+v", again.Counts)
		}
		b = h.undo(t, b.ID)
		if diff := cmp.Diff(before, h.pictures(t)); diff != "" || b.Undone != 3 || len(h.kept(t, b)) > 0 {
			t.Errorf("%d undone, %v kept:\n%s", b.Undone, h.kept(t, b), diff)
		}
		if got := h.rows(t, b.ID, pictureimport.RowsQuery{Outcome: directory.Updated}); got[0] != "1 team/A1.JPG U1 updated undone" {
			t.Error(got)
		}
	})
}

// A name is compared with one attribute, without regard to case but for the PBX ID.
func TestMatch(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(t, "UAE / Cards")
		h.add(t, "India / Airline")
		cards := h.person("boss", []directory.Right{"pictures:add"}, "UAE")
		data := pack(t, "a1.jpg", face(1), "u1.jpg", face(2), "01.jpg", face(3), "U2.jpg", face(4), "A2.jpg", face(5), "02.jpg", face(6), "1.jpg", face(7), ".jpg", "x", " .jpg", face(8))
		for match, want := range map[directory.PictureAttribute]string{
			directory.ByAgentID: "1:U1 inserted; 2: invalid picture.no_user; 3: invalid picture.no_user; 4: invalid picture.no_user; 5: invalid picture.out_of_scope; 6: invalid picture.no_user; 7: invalid picture.no_user; 8: invalid picture.no_user",
			directory.ByLANID:   "1: invalid picture.no_user; 2:U1 inserted; 3: invalid picture.no_user; 4: invalid picture.out_of_scope; 5: invalid picture.no_user; 6: invalid picture.no_user; 7: invalid picture.no_user; 8: invalid picture.no_user",
			directory.ByPBXID:   "1: invalid picture.no_user; 2: invalid picture.no_user; 3:U1 inserted; 4: invalid picture.no_user; 5: invalid picture.no_user; 6: invalid picture.out_of_scope; 7: invalid picture.no_user; 8: invalid picture.no_user",
		} {
			b := h.run(t, cards, pictureimport.Options{Match: match, Preview: true}, data)
			var got []string
			for _, l := range h.rows(t, b.ID, pictureimport.RowsQuery{}) {
				l, _, _ = strings.Cut(l, "→")
				number, rest, _ := strings.Cut(l, " ")
				_, rest, _ = strings.Cut(rest, ".jpg ")
				got = append(got, number+":"+rest)
			}
			if diff := cmp.Diff(want, strings.Join(got, "; ")); diff != "" {
				t.Errorf("%s:\n%s", match, diff)
			}
		}
		_, err := pictureimport.Create(t.Context(), h.engine, cards, pictureimport.Options{Match: "shoe-size"}, batch.Input{})
		isKind(t, err, fault.Invalid, "shoe-size")
		nobody := h.person("nobody", []directory.Right{"users:add", "users:edit"})
		_, err = pictureimport.Create(t.Context(), h.engine, nobody, preview, batch.Input{})
		isKind(t, err, fault.Forbidden, "pictures:add")
		_, err = pictureimport.Freeze(t.Context(), h.engine, nobody, "a.zip", strings.NewReader("x"))
		isKind(t, err, fault.Forbidden, "pictures:add")
	})
}

// A setting makes a flaw an error, for batches that are made from then on.
func TestStrict(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(t, "UAE / Cards")
		data := pack(t, "a1.jpg", black)
		mild := h.run(t, system, preview, data)
		h.exec(t, "INSERT INTO settings (name, value) VALUES ('picture_dark', 'error')")
		b := h.run(t, system, preview, data)
		if b.Counts.Invalid != 1 {
			t.Errorf("%+v", b.Counts)
		}
		if mild = h.apply(t, mild); mild.Counts.Inserted != 1 {
			t.Errorf("what the preview let through: %+v", mild.Counts)
		}
	})
}

// An archive that cannot be used fails the batch with its code, and nothing has changed.
func TestRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(t, "UAE / Cards")
		whole := pack(t, "a1.jpg", face(1), "b.jpg", face(2))
		lying := bytes.Clone(whole)
		// The second local header loses its name's length: it is found when the picture is unpacked.
		at := bytes.LastIndex(lying, []byte("PK\x03\x04"))
		lying[at+26] = 99
		for want, data := range map[string][]byte{"archive.not_a_zip": []byte("Dear Sir"), "archive.damaged": lying, "archive.nothing": pack(t, "Thumbs.db", "x")} {
			b := h.run(t, system, pictureimport.Options{}, data)
			if b.State != batch.Failed || len(b.FileProblems) != 1 || b.FileProblems[0].Code != want || b.FileProblems[0].File != "faces.zip" {
				t.Errorf("%s: %s %+v", want, b.State, b.FileProblems)
			}
		}
		if len(h.pictures(t)) > 0 {
			t.Error("somebody has a picture")
		}
	})
}

// Whoever was changed since, or is gone, keeps what they have; what had to stay is listed.
func TestUndoKeeps(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for range 5 {
			h.add(t, "UAE / Cards")
		}
		b := h.run(t, system, pictureimport.Options{}, pack(t, "a1.jpg", face(1), "a2.jpg", face(2), "a3.jpg", face(3), "a4.jpg", face(4), "a5.jpg", face(5)))
		h.exec(t, "UPDATE users SET version = version + 1 WHERE id = 2")
		h.exec(t, "DELETE FROM users WHERE id = 4")
		b = h.undo(t, b.ID)
		if diff := cmp.Diff([]string{" undo.gone", "U2 undo.changed_since"}, h.kept(t, b)); diff != "" || b.Undone != 3 {
			t.Errorf("%d undone\n%s", b.Undone, diff)
		}
		if diff := cmp.Diff(map[string]string{"U2": stored(t, face(2))}, h.pictures(t)); diff != "" {
			t.Error(diff)
		}
	})
}

// What the directory has become since the preview, the result tells of, and says that it was otherwise.
func TestChangedSincePreview(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for range 5 {
			h.add(t, "UAE / Cards")
		}
		h.run(t, system, pictureimport.Options{}, pack(t, "a1.jpg", face(1), "a2.jpg", face(2)))
		b := h.run(t, system, preview, pack(t, "a1.jpg", face(1), "a2.jpg", face(12), "a3.jpg", face(3), "a4.jpg", face(4), "a5.jpg", face(5)))
		h.run(t, system, pictureimport.Options{}, pack(t, "a1.jpg", face(21), "a2.jpg", face(12), "a3.jpg", face(23)))
		h.exec(t, "DELETE FROM users WHERE id = 4")
		b = h.apply(t, b)
		want := []string{"1 a1.jpg U1 updated (was unchanged)", "2 a2.jpg U2 unchanged (was updated)", "3 a3.jpg U3 updated (was inserted)", "4 a4.jpg  invalid (was inserted) picture.no_user→a5", "5 a5.jpg U5 inserted"}
		got := h.rows(t, b.ID, pictureimport.RowsQuery{})
		for i := range got {
			got[i], _, _ = strings.Cut(got[i], "→")
			want[i], _, _ = strings.Cut(want[i], "→")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if got := h.pictures(t); got["U1"] != stored(t, face(1)) {
			t.Errorf("U1 did not get the picture: %v", sorted(got))
		}
	})
}

// A picture that nobody has is given to a user by hand, and judged like any other.
func TestGive(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for range 3 {
			h.add(t, "UAE / Cards")
		}
		h.add(t, "India / Airline")
		boss := h.person("boss", []directory.Right{"pictures:add"}, "UAE")
		b := h.run(t, boss, preview, pack(t, "a1.jpg", face(1), "IMG_1.jpg", face(2), "IMG_2.jpg", "no picture", "IMG_3.jpg", face(3)))
		give := func(number, user int64) error {
			err := pictureimport.Give(t.Context(), h.engine, boss, b.ID, number, user)
			h.execute(t, b.ID)
			return err
		}
		isKind(t, give(1, 2), fault.Conflict, "a1.jpg")
		isKind(t, give(2, 4), fault.NotFound, "no such user")
		isKind(t, give(2, 77), fault.NotFound, "no such user")
		isKind(t, give(9, 2), fault.NotFound, "no picture 9")
		for _, c := range [][2]int64{{2, 3}, {3, 2}, {4, 1}, {2, 2}, {3, 0}} {
			if err := give(c[0], c[1]); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"1 a1.jpg U1 inserted", "2 IMG_1.jpg U2 inserted by hand", "3 IMG_2.jpg  invalid picture.no_user picture.not_an_image", "4 IMG_3.jpg U1 invalid picture.repeated by hand"}
		if diff := cmp.Diff(want, h.rows(t, b.ID, pictureimport.RowsQuery{})); diff != "" {
			t.Error(diff)
		}
		other := h.person("other", []directory.Right{"pictures:add", "batches:access"})
		isKind(t, pictureimport.Give(t.Context(), h.engine, other, b.ID, 4, 3), fault.Forbidden, "batches:edit")
		isKind(t, pictureimport.Give(t.Context(), h.engine, h.person("stranger", []directory.Right{"pictures:add"}), b.ID, 4, 3), fault.NotFound, "no batch")
		looks := h.lines(t, "SELECT CAST(count(*) AS TEXT) FROM picture_looks WHERE batch_id = $1", b.ID)
		b, _ = h.engine.Get(t.Context(), system, b.ID)
		if b = h.apply(t, b); b.Counts != (batch.Counts{Rows: 4, Inserted: 2, Invalid: 2}) {
			t.Errorf("%+v", b.Counts)
		}
		if again := h.lines(t, "SELECT CAST(count(*) AS TEXT) FROM picture_looks WHERE batch_id = $1", b.ID); looks[0] != "2" || again[0] != "2" {
			t.Errorf("looked again: %v, then %v", looks, again)
		}
		if diff := cmp.Diff(map[string]string{"U1": stored(t, face(1)), "U2": stored(t, face(2))}, h.pictures(t)); diff != "" {
			t.Error(diff)
		}
		isKind(t, give(4, 3), fault.Conflict, "done")
	})
}

// The matching can be looked at while the pictures are still being looked at.
func TestMatchingFirst(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(t, "UAE / Cards")
		id := h.create(t, system, preview, pack(t, "a1.jpg", face(1), "a9.jpg", face(9)))
		seen := false
		f := func() {
			now, err := h.engine.Get(t.Context(), system, id)
			looks := h.lines(t, "SELECT CAST(count(*) AS TEXT) FROM picture_looks WHERE batch_id = $1", id)[0]
			if err != nil || seen || now.State != batch.Checking || now.Counts.Rows == 0 || looks != "0" {
				return
			}
			seen = true
			if now.Counts.Invalid != 1 || now.Counts.Inserted != 1 {
				t.Errorf("%+v", now.Counts)
			}
			if diff := cmp.Diff([]string{"1 a1.jpg U1 inserted", "2 a9.jpg  invalid picture.no_user→a1"}, h.rows(t, id, pictureimport.RowsQuery{})); diff != "" {
				t.Error(diff)
			}
		}
		h.tick.Store(&f)
		defer h.tick.Store(nil)
		if h.execute(t, id); !seen {
			t.Error("what the names say was not there before the pictures were looked at")
		}
	})
}

// A preview that is dropped has given nothing, and its rows say so.
func TestCancelled(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(t, "UAE / Cards")
		b := h.run(t, system, preview, pack(t, "a1.jpg", face(1), "a9.jpg", "x"))
		if err := h.engine.Cancel(t.Context(), system, b.ID); err != nil {
			t.Fatal(err)
		}
		for q, want := range map[directory.Outcome]int{"": 2, directory.Inserted: 0, directory.NotApplied: 1, directory.Invalid: 1} {
			if got := h.rows(t, b.ID, pictureimport.RowsQuery{Outcome: q}); len(got) != want {
				t.Errorf("%q: %v", q, got)
			}
		}
	})
}

// What a batch has made ready stays as long as its files, whoever sweeps; then what nobody has goes.
func TestSweep(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(t, "UAE / Cards")
		h.add(t, "UAE / Cards")
		b := h.run(t, system, preview, pack(t, "a1.jpg", face(1), "a9.jpg", face(9)))
		sweep := func(after time.Duration) {
			t.Helper()
			for range 3 { // what is let go is set aside first
				h.ahead.Add(int64(after / 3))
				if err := h.engine.Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		sweep(48 * time.Hour)
		spare, err := pictureimport.RowOf(t.Context(), h.engine, system, b, 2)
		if err != nil {
			t.Fatal(err)
		}
		h.blob(t, spare.New.Large)
		if b = h.apply(t, b); b.Counts.Inserted != 1 {
			t.Errorf("%+v", b.Counts)
		}
		h.run(t, system, pictureimport.Options{}, pack(t, "a1.jpg", face(11)))
		sweep(200 * 24 * time.Hour)
		for _, hash := range []string{spare.New.Hash, spare.New.Large, spare.New.Small} {
			if _, err := h.engine.Blobs.Open(t.Context(), hash); fault.KindOf(err) != fault.NotFound {
				t.Errorf("what nobody has is still there: %v", err)
			}
		}
		if got := h.lines(t, "SELECT CAST(count(*) AS TEXT) FROM picture_looks"); got[0] != "0" {
			t.Errorf("%v chunks are left", got)
		}
		if got := h.rows(t, b.ID, pictureimport.RowsQuery{}); len(got) > 0 {
			t.Errorf("%v", got)
		}
		if got := h.pictures(t); got["U1"] != stored(t, face(11)) {
			t.Errorf("U1's picture is gone: %v", got)
		}
	})
}

// A ZIP may be larger than a spreadsheet, and has a limit of its own.
func TestUploadLimit(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.exec(t, "INSERT INTO settings (name, value) VALUES ('picture_megabytes', '2'), ('upload_megabytes', '1')")
		for size, want := range map[int]fault.Kind{2 << 20: fault.Internal, 2<<20 + 1: fault.TooLarge} {
			_, err := pictureimport.Freeze(t.Context(), h.engine, system, "a.zip", io.LimitReader(zeros{}, int64(size)))
			if fault.KindOf(err) != want || want == fault.Internal && err != nil {
				t.Errorf("%d: %v", size, err)
			}
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// A check that breaks off goes on where it was: no picture is looked at twice.
func TestGoesOn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var files []string
		for i := range 9 {
			h.add(t, "UAE / Cards")
			files = append(files, fmt.Sprintf("a%d.jpg", i+1), face(i))
		}
		h.op.Workers = 1
		id := h.create(t, system, preview, pack(t, files...))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		chunks := func() string {
			return h.lines(t, "SELECT CAST(count(*) AS TEXT) FROM picture_looks WHERE batch_id = $1", id)[0]
		}
		f := func() {
			if chunks() > "1" {
				cancel()
			}
		}
		h.tick.Store(&f)
		_, err := h.engine.Execute(ctx, id, nil)
		h.tick.Store(nil)
		if before := chunks(); err == nil || before == "0" || before >= "5" {
			t.Fatalf("%v, %s chunks", err, before)
		}
		if b := h.execute(t, id); b.Counts.Inserted != 9 || b.State != batch.Ready {
			t.Errorf("%s %+v", b.State, b.Counts)
		}
		if n := chunks(); n != "5" {
			t.Errorf("%s chunks of two for nine pictures", n)
		}
	})
}
