package userimport_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
	"muster/internal/userimport"
)

// checks sets how often a property is tried, unless the command line says so (-rapid.checks=1000).
func checks(n int) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		_ = flag.Set("rapid.checks", fmt.Sprint(n))
	}
}

func allOf[T any](t failer, h *house, query string, args ...any) []T {
	t.Helper()
	all, err := sqldb.All[T](context.Background(), h.db.Read(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}

// property checks fn on both engines, each time on a scene of its own. Chunks are so small that even a short file
// takes several.
func property(t *testing.T, fn func(t *rapid.T, h *house)) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		t.Parallel()
		h := newHouse(t, cfg)
		h.op.PieceRows, h.op.ChunkRows = 2, 3
		rapid.Check(t, func(t *rapid.T) { fn(t, h) })
	})
}

// rows is the report as one verdict for each row: rows that it does not have were inserted without a word.
func (h *house) rows(t failer, b *batch.Batch, f tables) (rows, strays []verdict) {
	t.Helper()
	rows = make([]verdict, len(f.users))
	for i, cells := range f.users {
		rows[i] = verdict{Row: int64(i + 2), LAN: cells[0], Outcome: "inserted"}
	}
	for _, e := range h.entries(t, b) {
		v := verdict{Row: e.Row, LAN: e.LANID, Outcome: string(e.Outcome)}
		for _, p := range e.Problems {
			if !strings.HasSuffix(p.Code, ".leading_zeros") {
				v.Codes = append(v.Codes, p.Code)
			}
		}
		slices.Sort(v.Codes)
		if e.File == 0 {
			rows[e.Row-2] = v
		} else {
			strays = append(strays, v)
		}
	}
	return rows, strays
}

// count counts the verdicts.
func count(rows, strays []verdict) batch.Counts {
	c := batch.Counts{Rows: int64(len(rows)), Stray: int64(len(strays))}
	for _, r := range rows {
		switch r.Outcome {
		case "inserted":
			c.Inserted++
		case "duplicate":
			c.Duplicate++
		case "invalid":
			c.Invalid++
		}
	}
	return c
}

// asOracle compares a report and its counts with what the rules say.
func (h *house) asOracle(t failer, b *batch.Batch, w *world, f tables) {
	t.Helper()
	wantRows, wantStrays := w.judge(f)
	rows, strays := h.rows(t, b, f)
	if d := cmp.Diff(wantRows, rows, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("rows (-rules +report):\n%s", d)
	}
	if d := cmp.Diff(wantStrays, strays, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("strays (-rules +report):\n%s", d)
	}
	if want := count(wantRows, wantStrays); b.Counts != want {
		t.Fatalf("counts %+v, the rules say %+v", b.Counts, want)
	}
}

// isTrue compares a result with the directory: whoever is reported inserted was, by this batch, and nobody else; of
// whoever is a duplicate there is one; no row is lost.
func (h *house) isTrue(t failer, b *batch.Batch, f tables) {
	t.Helper()
	rows, strays := h.rows(t, b, f)
	var inserted []string
	for _, r := range rows {
		switch {
		case r.Outcome == "inserted":
			inserted = append(inserted, r.LAN)
		case slices.Contains(r.Codes, "lan_id.exists") && h.number(t, "SELECT count(*) FROM users WHERE lan_key = $1", fold(r.LAN)) != 1:
			t.Fatalf("row %d is a duplicate of nobody", r.Row)
		}
	}
	slices.Sort(inserted)
	if members := h.members(t, b.ID); !slices.Equal(members, inserted) {
		t.Fatalf("%v were inserted, and the report says %v", members, inserted)
	}
	if want := count(rows, strays); b.Counts != want {
		t.Fatalf("counts %+v, the report's rows are %+v", b.Counts, want)
	}
	if c := b.Counts; b.State == batch.Done && c.Rows != c.Inserted+c.Updated+c.Unchanged+c.Duplicate+c.Invalid {
		t.Fatalf("counts do not add up: %+v", c)
	}
	if n := h.number(t, "SELECT count(*) - count(DISTINCT lan_key) + count(*) - count(DISTINCT agent_key) + count(*) - count(DISTINCT pbx_id) FROM users"); n != 0 {
		t.Fatalf("%d ids are there twice", n)
	}
	h.sound(t)
}

// The import says of every row what the rules say; the result is what the preview said; undo takes all of it back,
// but for whom others have changed since, or given people to lead.
func TestRulesPreviewUndo(t *testing.T) {
	property(t, func(t *rapid.T, h *house) {
		s := h.prepare(t)
		f := trimmed(drawTables(t, 14))
		before := h.dump(t)
		b := h.run(t, s.actor, userimport.Options{Preview: true, InFileSupervisors: s.world.inFile}, h.files(f))
		h.asOracle(t, b, &s.world, f)
		if d := cmp.Diff(before, h.dump(t)); d != "" {
			t.Fatalf("the preview changed something:\n%s", d)
		}
		preview := h.entries(t, b)
		b = h.apply(t, b.ID)
		if d := cmp.Diff(preview, h.entries(t, b)); d != "" {
			t.Fatalf("-preview +result:\n%s", d)
		}
		h.asOracle(t, b, &s.world, f)
		h.isTrue(t, b, f)

		want := h.meddle(t, b.ID)
		b = h.undo(t, b.ID)
		h.sound(t)
		if d := cmp.Diff(want, h.kept(t, b)); d != "" {
			t.Fatalf("kept by the undo (-want +got):\n%s", d)
		}
		if stay := h.members(t, b.ID); len(stay) != len(want) || b.Undone != b.Counts.Inserted-int64(len(stay)) {
			t.Fatalf("%v stay, %d are undone of %d", stay, b.Undone, b.Counts.Inserted)
		}
		if len(want) == 0 {
			if d := cmp.Diff(before, h.dump(t)); d != "" {
				t.Fatalf("-before +after the undo:\n%s", d)
			}
		}
	})
}

// meddle lets others change some of the batch's users and put people below them. It returns whom an undo must keep,
// and why.
func (h *house) meddle(t *rapid.T, id int64) []string {
	t.Helper()
	members := h.members(t, id)
	changed := map[string]bool{}
	for range rapid.IntRange(-3, 3).Draw(t, "changes") {
		if len(members) == 0 {
			break
		}
		lan := rapid.SampledFrom(members).Draw(t, "who")
		if rapid.Bool().Draw(t, "how") {
			changed[fold(lan)] = true
			h.exec(t, "UPDATE users SET last_name = 'Changed', version = version + 1 WHERE lan_id = $1", lan)
			continue
		}
		id := h.newID(t)
		h.exec(t, `INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, profile, supervisor_id, changed_by, changed_at)
			SELECT $1, $3, $3, 'New', 'User', $3, $3, 3, id, 'somebody', 1 FROM users WHERE lan_id = $2`, id, lan, fmt.Sprint("new", id))
	}
	type pair struct{ LAN, Supervisor string }
	reports := allOf[pair](t, h, "SELECT u.lan_key, s.lan_key FROM users u JOIN users s ON s.id = u.supervisor_id")
	stays := map[string]string{}
	for _, lan := range members {
		stays[fold(lan)] = lan
	}
	for again := true; again; {
		again = false
		for key := range maps.Clone(stays) {
			led := slices.ContainsFunc(reports, func(p pair) bool {
				_, staying := stays[p.LAN]
				member := slices.ContainsFunc(members, func(m string) bool { return fold(m) == p.LAN })
				return p.Supervisor == key && (staying || !member)
			})
			if !changed[key] && !led {
				delete(stays, key)
				again = true
			}
		}
	}
	want := []string{}
	for key, lan := range stays {
		code := "undo.has_reports"
		if changed[key] {
			code = "undo.changed_since"
		}
		want = append(want, lan+" "+code)
	}
	slices.Sort(want)
	return want
}

// Somebody changes the directory between the preview and the apply: the result is what the rules say of the directory
// as it then is, and marks exactly the rows that came out differently.
func TestChangesAfterThePreview(t *testing.T) {
	property(t, func(t *rapid.T, h *house) {
		s := h.prepare(t)
		f := trimmed(drawTables(t, 14))
		b := h.run(t, s.actor, userimport.Options{Preview: true, InFileSupervisors: s.world.inFile}, h.files(f))
		preview, _ := h.rows(t, b, f)
		h.intrude(t, f)
		defer h.restore(t)
		s.world.people, s.world.cfg = h.people(t), h.cfg
		b = h.apply(t, b.ID)
		h.asOracle(t, b, &s.world, f)
		h.isTrue(t, b, f)
		h.marks(t, b, preview)
	})
}

// The same at the last moment, when everything is checked and the first chunk not yet written. Rows are then only
// looked at again where the directory refuses them.
func TestChangesAfterTheCheck(t *testing.T) {
	property(t, func(t *rapid.T, h *house) {
		s := h.prepare(t)
		f := trimmed(drawTables(t, 14))
		b := h.run(t, s.actor, userimport.Options{Preview: true, InFileSupervisors: s.world.inFile}, h.files(f))
		preview, _ := h.rows(t, b, f)
		revision := h.cfg.Revision
		h.op.beforeApply = func() { h.intrude(t, f) }
		defer h.restore(t)
		b = h.apply(t, b.ID)
		if b.State != batch.Done {
			t.Fatalf("%s: %s", b.State, b.Reason)
		}
		h.isTrue(t, b, f)
		h.marks(t, b, preview)
		if n := h.number(t, "SELECT count(*) FROM users u JOIN users s ON s.id = u.supervisor_id WHERE u.batch_id = $1 AND (s.active = 0 OR s.profile = 3)", b.ID); n > 0 {
			t.Fatalf("%d are below somebody who is no supervisor any more", n)
		}
		if h.cfg.Revision != revision && slices.ContainsFunc(preview, func(v verdict) bool { return v.Outcome == "inserted" }) {
			s.world.people, s.world.cfg = h.peopleBut(t, b.ID), h.cfg
			h.asOracle(t, b, &s.world, f)
		}
	})
}

// marks makes sure that exactly the rows are marked that the preview said something else of.
func (h *house) marks(t failer, b *batch.Batch, preview []verdict) {
	t.Helper()
	was := map[int64]string{}
	for _, e := range h.entries(t, b) {
		if e.File == 0 {
			was[e.Row] = string(e.Was)
		}
	}
	for _, p := range preview {
		now := "inserted"
		for _, e := range h.entries(t, b) {
			if e.File == 0 && e.Row == p.Row {
				now = string(e.Outcome)
			}
		}
		want := ""
		if now != p.Outcome {
			want = p.Outcome
		}
		if was[p.Row] != want {
			t.Fatalf("row %d was %s, is %s, and is marked %q", p.Row, p.Outcome, now, was[p.Row])
		}
	}
}

// peopleBut are the users that the batch did not insert.
func (h *house) peopleBut(t failer, id int64) []person {
	t.Helper()
	members := h.members(t, id)
	return slices.DeleteFunc(h.people(t), func(p person) bool { return slices.Contains(members, p.LAN) })
}

// intrude changes the directory in ways that matter to the file's rows.
func (h *house) intrude(t *rapid.T, f tables) {
	t.Helper()
	for range rapid.IntRange(1, 3).Draw(t, "intrusions") {
		switch rapid.IntRange(0, 6).Draw(t, "intrusion") {
		case 0, 1, 2: // somebody else makes a user with an id that the file has, too
			if len(f.users) == 0 {
				continue
			}
			row := rapid.SampledFrom(f.users).Draw(t, "row")
			lan := rapid.SampledFrom([]string{row[0], "new1", "new2"}).Draw(t, "lan id")
			agent := rapid.SampledFrom([]string{row[3], lan, "new3"}).Draw(t, "agent id")
			pbx := rapid.SampledFrom([]string{row[4], "900", "901"}).Draw(t, "pbx id")
			h.intruder(t, lan, agent, pbx, rapid.IntRange(2, 3).Draw(t, "profile"))
		case 3:
			h.deactivate(t, rapid.SampledFrom(directed).Draw(t, "who"))
		case 4:
			h.exec(t, "UPDATE users SET profile = 3, version = version + 1 WHERE lan_key = $1", rapid.SampledFrom(directed).Draw(t, "who"))
			h.exec(t, "UPDATE directory_revision SET people = people + 1")
		case 5: // whom nobody refers to goes, unless a row is a duplicate of theirs
			lan := rapid.SampledFrom(directed).Draw(t, "who")
			if slices.ContainsFunc(f.users, func(row []string) bool { return fold(row[0]) == lan }) {
				continue
			}
			h.exec(t, "DELETE FROM users WHERE lan_key = $1 AND NOT EXISTS (SELECT 1 FROM users u WHERE u.supervisor_id = users.id)", lan)
			h.exec(t, "UPDATE directory_revision SET people = people + 1")
		case 6:
			text := strings.Replace(organisation, "roles:\n", "roles:\n  - {name: Nope, rights: []}\n", 1)
			if h.number(t, "SELECT count(*) FROM user_roles ur JOIN roles r ON r.id = ur.role_id WHERE r.name = 'Quality'") == 0 {
				text = strings.Replace(organisation, "{name: Quality, rights", "{name: Nope, rights", 1)
			}
			h.configure(t, text)
		}
	}
}

// intruder makes a user unless an id is taken or missing.
func (h *house) intruder(t failer, lan, agent, pbx string, profile int) {
	t.Helper()
	if !plainID.MatchString(lan) || !plainID.MatchString(agent) || lan == "" || agent == "" || len(lan) > 64 || len(agent) > 64 || strings.Trim(pbx, "0123456789") != "" || pbx == "" || len(pbx) > 20 {
		return
	}
	if h.number(t, "SELECT count(*) FROM users WHERE lan_key = $1 OR agent_key = $2 OR pbx_id = $3", fold(lan), fold(agent), pbx) > 0 {
		return
	}
	h.exec(t, `INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, pbx_id, profile, changed_by, changed_at)
		VALUES ($1, $2, $3, 'In', 'Truder', $4, $5, $6, $7, 'somebody', 1)`, h.newID(t), lan, fold(lan), agent, fold(agent), pbx, profile)
}

func (h *house) newID(t failer) (id int64) {
	t.Helper()
	err := h.db.Tx(context.Background(), func(tx *sqldb.Tx) error {
		ids, err := directory.ReserveUserIDs(context.Background(), tx, 1)
		id = ids.First
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// restore brings the organisation back, once no user has a role that is to go.
func (h *house) restore(t failer) {
	t.Helper()
	h.clear(t)
	h.configure(t, organisation)
}
