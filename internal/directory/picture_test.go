package directory_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// picture is one that is told from others by its name.
func picture(name string) directory.Picture {
	hash := func(of string) string {
		sum := sha256.Sum256([]byte(of + " of " + name))
		return hex.EncodeToString(sum[:])
	}
	return directory.Picture{Hash: hash("stored"), SourceHash: hash("source"), Format: "jpeg", Width: 800, Height: 600, Bytes: 12345, Large: hash("large"), Small: hash("small")}
}

// batch makes a batch to write for.
func (o *office) batch(id int64) directory.Stamp {
	o.Helper()
	execute(o.T, o.d, "INSERT INTO batches (id, action, state, owner, source, options, created_at) VALUES ($1, 'import-pictures', 'applying', 'boss', 'test', '{}', 1)", id)
	return directory.Stamp{BatchID: id, By: "boss", At: o.d.Now().UnixMicro()}
}

// bulk runs fn as a batch does.
func (o *office) bulk(fn func(ctx context.Context, tx *sqldb.Tx) error) {
	o.Helper()
	if err := o.d.DB.BulkTx(o.Context(), func(tx *sqldb.Tx) error { return fn(o.Context(), tx) }); err != nil {
		o.Fatal(err)
	}
}

// give gives users pictures for a batch.
func (o *office) give(h *directory.Handle, s directory.Stamp, gifts ...directory.PictureGift) (given []directory.PictureGiven) {
	o.Helper()
	w, err := h.PreparePictures(o.Context(), o.d.DB.Read())
	if err != nil {
		o.Fatal(err)
	}
	o.bulk(func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if err := w.Begin(ctx, tx); err != nil {
			return err
		}
		given, err = w.Piece(ctx, tx, s, gifts)
		return err
	})
	return given
}

func (o *office) giftTo(lanID, name string) directory.PictureGift {
	return directory.PictureGift{UserID: o.ids[lanID], Picture: picture(name)}
}

func TestPictureByHand(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		h, ctx, ann, a, b := system(o.d), o.Context(), o.ids["ann"], picture("a"), picture("b")
		if _, found, err := h.PictureOf(ctx, ann); found || err != nil {
			o.Errorf("before: %v, %v", found, err)
		}
		old, err := h.SetPicture(ctx, ann, 1, a, "a new face")
		if u := o.user("ann"); err != nil || old != "" || u.Picture != a.Hash || u.Version != 2 || u.ChangedBy != "system" {
			o.Errorf("%q, %v, %+v", old, err, u)
		}
		if e := o.lastAudit(); e.Action != "update" || e.Name != "ann" || e.Before != `{"picture":""}` || e.After != `{"picture":"`+a.Hash[:16]+`"}` || e.Reason != "a new face" {
			o.Errorf("%+v", e)
		}
		if p, found, err := h.PictureOf(ctx, ann); !found || err != nil || p != a {
			o.Errorf("%+v, %v, %v", p, found, err)
		}
		// The same again: nothing is written, but it is there for the next hour.
		before := o.audited()
		if old, err := h.SetPicture(ctx, ann, 2, a, ""); err != nil || old != a.Hash || o.user("ann").Version != 2 {
			o.Errorf("the same again: %q, %v", old, err)
		}
		if _, err := h.RemovePicture(ctx, o.ids["bob"], 1, ""); err != nil {
			o.Error(err)
		}
		for what, call := range map[string]func(h *directory.Handle, id, version int64) error{
			"set":    func(h *directory.Handle, id, v int64) error { _, err := h.SetPicture(ctx, id, v, b, ""); return err },
			"remove": func(h *directory.Handle, id, v int64) error { _, err := h.RemovePicture(ctx, id, v, ""); return err },
		} {
			wantFault(o.T, what+" an older version", call(h, ann, 1), fault.Conflict, "changed ann")
			wantFault(o.T, what+" of somebody out of scope", call(o.as(nil, "India"), ann, 2), fault.NotFound, "")
			wantFault(o.T, what+" of nobody", call(h, 4711, 1), fault.NotFound, "")
			for _, right := range []directory.Right{"users:edit", map[string]directory.Right{"set": "pictures:add", "remove": "pictures:delete"}[what]} {
				wantFault(o.T, what+" without "+string(right), call(o.as(without(right)), ann, 2), fault.Forbidden, string(right))
			}
		}
		_, _, err = o.as(nil, "India").PictureOf(ctx, ann)
		wantFault(o.T, "look at one out of scope", err, fault.NotFound, "")
		_, _, err = o.as(without("users:access")).PictureOf(ctx, ann)
		wantFault(o.T, "look without a right", err, fault.Forbidden, "users:access")
		if _, err := h.SetPicture(ctx, ann, 2, directory.Picture{Hash: "x"}, ""); err == nil {
			o.Error("what is no picture was set")
		}
		if d := cmp.Diff(before, o.audited()); d != "" || o.user("ann").Version != 2 {
			o.Errorf("something was changed: %s", d)
		}
		if old, err := o.as(nil, "UAE / Retail").SetPicture(ctx, ann, 2, b, ""); err != nil || old != a.Hash || o.user("ann").Picture != b.Hash {
			o.Errorf("another: %q, %v", old, err)
		}
		lacking, err := h.Users(ctx, directory.UserFilter{WithoutPicture: true}, "", 10)
		if err != nil || lanIDs(lacking) != "bob boss far lead" {
			o.Errorf("without a picture: %s, %v", lanIDs(lacking), err)
		}
		if old, err := h.RemovePicture(ctx, ann, 3, "left"); err != nil || old != b.Hash || o.user("ann").Picture != "" || o.user("ann").Version != 4 {
			o.Errorf("removed: %q, %v", old, err)
		}
		// A form that was open meanwhile is told of it, and loses nothing.
		in := o.user("ann").Input()
		in.FirstName = "Anna"
		edit, err := h.EditUser(ctx, ann, 3, in, "")
		want := []directory.FieldConflict{{Field: "picture", Before: b.Hash[:16], Same: true}}
		if err != nil || edit.Conflict == nil || cmp.Diff(want, edit.Conflict.Fields) != "" || edit.Conflict.Merged.FirstName != "Anna" {
			o.Errorf("%+v, %v", edit.Conflict, err)
		}
	})
}

func TestMatchPictures(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		ctx := o.Context()
		execute(o.T, o.d, "UPDATE users SET agent_id = 'Agent7', agent_key = 'agent7', pbx_id = '0042' WHERE id = $1", o.ids["ann"])
		if _, err := system(o.d).SetPicture(ctx, o.ids["ann"], 1, picture("a"), ""); err != nil {
			o.Fatal(err)
		}
		if err := system(o.d).DeactivateUser(ctx, o.ids["bob"], 1, "away", false); err != nil {
			o.Fatal(err)
		}
		ann := directory.PictureMatch{UserID: o.ids["ann"], LANID: "ann", Name: "First ann Last", Version: 2, Hash: picture("a").Hash, SourceHash: picture("a").SourceHash}
		bob := directory.PictureMatch{UserID: o.ids["bob"], LANID: "bob", Name: "First bob Last", Version: 2}
		outside, none := directory.PictureMatch{OutOfScope: true}, directory.PictureMatch{}
		retail, everybody := o.as([]directory.Right{"pictures:add"}, "UAE / Retail"), system(o.d)
		for _, c := range []struct {
			h    *directory.Handle
			by   directory.PictureAttribute
			keys []string
			want []directory.PictureMatch
		}{
			{retail, directory.ByLANID, []string{"ANN", "far", "", "ann", "zz", " Bob ", "boss"}, []directory.PictureMatch{ann, outside, none, ann, none, bob, outside}},
			{retail, directory.ByAgentID, []string{"agent7", "AGENT7", "ann"}, []directory.PictureMatch{ann, ann, none}},
			{retail, directory.ByPBXID, []string{"0042", "42", "4"}, []directory.PictureMatch{ann, {Suggestion: "4"}, bob}},
			{everybody, directory.ByLANID, []string{"farr", "leadd", "bo\x00b", "Ä"}, []directory.PictureMatch{{Suggestion: "far"}, {Suggestion: "lead"}, {Suggestion: "bob"}, none}},
			{retail, directory.ByLANID, []string{"farr", "leadd", "annn"}, []directory.PictureMatch{none, {Suggestion: "lead"}, {Suggestion: "ann"}}},
			{everybody, directory.ByAgentID, []string{"agent8"}, []directory.PictureMatch{{Suggestion: "Agent7"}}},
			{everybody, directory.ByLANID, nil, []directory.PictureMatch{}},
		} {
			got, err := c.h.MatchPictures(ctx, c.by, c.keys)
			if d := cmp.Diff(c.want, got); err != nil || d != "" {
				o.Errorf("%s %q: %v\n%s", c.by, c.keys, err, d)
			}
		}
		// More than one statement takes.
		keys := make([]string, 12_000)
		for i := range keys {
			keys[i] = fmt.Sprintf("%06d", i)
		}
		keys[11_999] = "far"
		if got, err := everybody.MatchPictures(ctx, directory.ByLANID, keys); err != nil || got[11_999].LANID != "far" || got[0] != none || len(got) != 12_000 {
			o.Errorf("many: %v, %v", got[11_999], err)
		}
		byID, err := retail.PictureUsers(ctx, []int64{o.ids["ann"], o.ids["far"], 4711})
		if d := cmp.Diff(map[int64]directory.PictureMatch{o.ids["ann"]: ann, o.ids["far"]: outside}, byID); err != nil || d != "" {
			o.Errorf("by id: %v\n%s", err, d)
		}
		_, err = everybody.MatchPictures(ctx, "shoe-size", nil)
		wantFault(o.T, "an unknown attribute", err, fault.Invalid, "agent-id, lan-id or pbx-id")
		_, err = o.as(without("pictures:add")).MatchPictures(ctx, directory.ByLANID, []string{"ann"})
		wantFault(o.T, "without a right", err, fault.Forbidden, "pictures:add")
		_, err = o.as(without("pictures:add")).PictureUsers(ctx, []int64{1})
		wantFault(o.T, "without a right", err, fault.Forbidden, "pictures:add")
	})
}

func TestPicturesOfABatch(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		h, ctx := o.as([]directory.Right{"pictures:add"}, "UAE"), o.Context()
		s := o.batch(7)
		cropped := picture("cropped")
		cropped.SourceHash = picture("bob's").SourceHash
		for lanID, p := range map[string]directory.Picture{"ann": picture("old"), "bob": cropped, "boss": picture("boss")} {
			if _, err := system(o.d).SetPicture(ctx, o.ids[lanID], 1, p, ""); err != nil {
				o.Fatal(err)
			}
		}
		late := o.giftTo("lead", "late")
		late.Version = 4
		gifts := []directory.PictureGift{o.giftTo("boss", "boss"), o.giftTo("ann", "new"), {UserID: 4711, Picture: picture("x")}, o.giftTo("far", "x"), late, o.giftTo("bob", "bob's")}
		want := []directory.PictureGiven{
			{UserID: o.ids["boss"], Outcome: directory.Unchanged, Before: picture("boss").Hash},
			{UserID: o.ids["ann"], Outcome: directory.Updated, Before: picture("old").Hash},
			{UserID: 4711, Gone: true}, {UserID: o.ids["far"], OutOfScope: true}, {UserID: o.ids["lead"], Changed: true},
			{UserID: o.ids["bob"], Outcome: directory.Unchanged, Before: cropped.Hash},
		}
		if d := cmp.Diff(want, o.give(h, s, gifts...)); d != "" {
			o.Error(d)
		}
		if d := cmp.Diff([]directory.PictureGiven{{UserID: o.ids["lead"], Outcome: directory.Inserted}}, o.give(h, s, o.giftTo("lead", "lead"))); d != "" {
			o.Error(d)
		}
		// Once more, as after a crash: the report says the same, and nothing is written.
		want[4] = directory.PictureGiven{UserID: o.ids["lead"], Outcome: directory.Inserted}
		if d := cmp.Diff(want, o.give(h, s, gifts...)); d != "" {
			o.Error(d)
		}
		if a, l := o.user("ann"), o.user("lead"); a.Picture != picture("new").Hash || a.Version != 3 || a.ChangedBy != "boss" || l.Picture != picture("lead").Hash || l.Version != 2 || o.user("boss").Version != 2 {
			o.Errorf("%+v\n%+v", a, l)
		}
		for outcome, want := range map[directory.Outcome]string{"": "ann lead", directory.Inserted: "lead", directory.Updated: "ann"} {
			touched, err := system(o.d).Users(ctx, directory.UserFilter{BatchID: 7, BatchOutcome: outcome}, "", 10)
			if err != nil || lanIDs(touched) != want {
				o.Errorf("%s by batch 7: %s, %v", outcome, lanIDs(touched), err)
			}
		}
		execute(o.T, o.d, "INSERT INTO audit (at, actor, source, action, subject, name, batch_id) VALUES (9, 'boss', 'test', 'import-pictures done', 'batch', '7', 7)")
		if history, err := system(o.d).UserHistory(ctx, o.ids["ann"], 0, 10); err != nil || len(history) != 3 || history[0].BatchID != 7 {
			o.Errorf("%+v, %v", history, err)
		}
		journal, err := directory.PictureChangesOf(ctx, o.d.DB.Read(), 7, 0, 10)
		if d := cmp.Diff([]directory.PictureChange{{ID: o.ids["lead"], LANID: "lead", Name: "First lead Last", After: picture("lead").Hash},
			{ID: o.ids["ann"], LANID: "ann", Name: "First ann Last", Before: picture("old").Hash, After: picture("new").Hash}}, journal); err != nil || d != "" {
			o.Errorf("%v\n%s", err, d)
		}
		if n, err := directory.CountPictureChanges(ctx, o.d.DB.Read(), 7); n != 2 || err != nil {
			o.Errorf("%d, %v", n, err)
		}
		if found, err := directory.FindPictures(ctx, o.d.DB, o.d.DB.Read(), []string{picture("old").Hash, picture("nobody's").Hash}); err != nil || len(found) != 1 || found[picture("old").Hash] != picture("old") {
			o.Errorf("%v, %v", found, err)
		}
		_, err = o.as(without("pictures:add")).PreparePictures(ctx, o.d.DB.Read())
		wantFault(o.T, "without a right", err, fault.Forbidden, "pictures:add")
	})
}

func TestPicturesTakenBack(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		ctx, s := o.Context(), o.batch(7)
		if _, err := system(o.d).SetPicture(ctx, o.ids["ann"], 1, picture("old"), ""); err != nil {
			o.Fatal(err)
		}
		o.give(system(o.d), s, o.giftTo("ann", "a"), o.giftTo("bob", "b"), o.giftTo("lead", "l"), o.giftTo("boss", "boss"), o.giftTo("far", "f"))
		execute(o.T, o.d, "UPDATE users SET version = version + 1 WHERE lan_key = 'lead'")
		if err := system(o.d).DeleteUser(ctx, o.ids["far"], 2, ""); err != nil {
			o.Fatal(err)
		}
		w, err := o.as([]directory.Right{"pictures:add"}, "UAE / Retail").PreparePictures(ctx, o.d.DB.Read())
		if err != nil {
			o.Fatal(err)
		}
		restored, after := 0, int64(0)
		for again := true; again; again = after != 0 {
			var ids []int64
			o.bulk(func(ctx context.Context, tx *sqldb.Tx) (err error) {
				if err := w.Begin(ctx, tx); err != nil {
					return err
				}
				ids, after, err = w.RestorePiece(ctx, tx, s, after, 2)
				return err
			})
			restored += len(ids)
		}
		if a, b := o.user("ann"), o.user("bob"); restored != 2 || a.Picture != picture("old").Hash || a.Version != 4 || b.Picture != "" || b.Version != 3 || b.ChangedBy != "boss" {
			o.Errorf("%d\n%+v\n%+v", restored, a, b)
		}
		if l, b := o.user("lead"), o.user("boss"); l.Picture != picture("l").Hash || b.Picture != picture("boss").Hash {
			o.Errorf("who was to stay did not:\n%+v\n%+v", l, b)
		}
		var kept []directory.KeptChange
		for k, err := range w.KeptPictures(ctx, o.d.DB.Read(), 7) {
			if err != nil {
				o.Fatal(err)
			}
			kept = append(kept, k)
		}
		if d := cmp.Diff([]directory.KeptChange{{ID: o.ids["boss"], LANID: "boss", OutOfScope: true}, {ID: o.ids["lead"], LANID: "lead", Changed: true}, {ID: o.ids["far"], OutOfScope: true, Changed: true}}, kept); d != "" {
			o.Error(d)
		}
		// Units moved: what was in scope may not be any more.
		execute(o.T, o.d, "UPDATE directory_revision SET revision = revision + 1")
		err = o.d.DB.BulkTx(ctx, func(tx *sqldb.Tx) error { return w.Begin(ctx, tx) })
		if !errors.Is(err, directory.ErrConfigurationChanged) {
			o.Errorf("got %v", err)
		}
	})
}

// Erased, nothing tells which picture somebody had; the pictures go.
func TestErasePictures(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		ctx := o.Context()
		if _, err := system(o.d).SetPicture(ctx, o.ids["ann"], 1, picture("secret"), ""); err != nil {
			o.Fatal(err)
		}
		o.give(system(o.d), o.batch(7), o.giftTo("ann", "secret too"), o.giftTo("bob", "bob"))
		if err := errors.Join(system(o.d).DeleteUser(ctx, o.ids["ann"], 3, ""), system(o.d).EraseUser(ctx, "ann", "")); err != nil {
			o.Fatal(err)
		}
		secret := strings.Join(o.audited(), "\n")
		if strings.Contains(secret, picture("secret").Hash[:16]) || strings.Contains(secret, picture("secret too").Hash[:16]) {
			o.Error("the audit tells of it")
		}
		if n := o.count("SELECT count(*) FROM picture_changes WHERE user_id = $1 AND (before <> '' OR after <> '')", o.ids["ann"]); n != 0 {
			o.Error("the journal tells of it")
		}
		o.d.Now = func() time.Time { return time.UnixMicro(1_700_000_000_123_456).Add(2 * time.Hour) }
		if err := o.d.DropPictures(ctx); err != nil {
			o.Fatal(err)
		}
		if n := o.count("SELECT count(*) FROM pictures"); n != 1 || o.user("bob").Picture != picture("bob").Hash {
			o.Errorf("%d pictures are left", n)
		}
	})
}
