package userimport_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/userimport"
)

func (h *house) frozen(t failer, actor directory.Actor, id int64) *userimport.Frozen {
	t.Helper()
	b, err := h.engine.Get(context.Background(), actor, id)
	if err != nil {
		t.Fatal(err)
	}
	return &userimport.Frozen{Engine: h.engine, Actor: actor, Batch: b}
}

func (h *house) correct(t failer, f *userimport.Frozen, row int64, column, value string) {
	t.Helper()
	if err := f.Correct(context.Background(), []userimport.Correction{{Kind: userimport.UserDetails, Row: row, Column: column, Value: value}}); err != nil {
		t.Fatalf("row %d: %v", row, err)
	}
}

func (h *house) rerun(t failer, f *userimport.Frozen) *batch.Batch {
	t.Helper()
	b, err := f.RunCorrected(context.Background(), userimport.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return h.execute(t, b.ID)
}

// open lists the rows that are offered for correction: their number and state.
func (h *house) open(t failer, f *userimport.Frozen) []string {
	t.Helper()
	rows, next, err := f.Editable(context.Background(), userimport.EditQuery{})
	if err != nil || next != 0 {
		t.Fatal(err, next)
	}
	all := []string{}
	for _, r := range rows {
		all = append(all, itoa(int(r.Number))+" "+string(r.State))
	}
	return all
}

// mistake is a row that does not get in, and the cell that mends it.
type mistake struct {
	code, row     string
	column, value string
	kind          userimport.Kind // of the cell, where it is not in UserDetails
	detail        string          // a row of that kind
}

// mistakes has each code that the correction of a cell mends.
var mistakes = []mistake{
	{code: "lan_id.missing", row: ",A,A,x01,%,Agent,boss,Cards Team 1,Agent", column: "LAN ID", value: "m01"},
	{code: "first_name.missing", row: "m02,,A,,%,Agent,boss,Cards Team 1,Agent", column: "First Name", value: "Ann"},
	{code: "last_name.missing", row: "m03,A,,,%,Agent,boss,Cards Team 1,Agent", column: "Last Name", value: "Lee"},
	{code: "pbx_id.missing", row: "m04,A,A,,,Agent,boss,Cards Team 1,Agent", column: "PBX ID", value: "90004"},
	{code: "lan_id.special_characters", row: "m 05,A,A,,%,Agent,boss,Cards Team 1,Agent", column: "LAN ID", value: "m05"},
	{code: "agent_id.special_characters", row: "m06,A,A,a b,%,Agent,boss,Cards Team 1,Agent", column: "Agent ID", value: ""},
	{code: "pbx_id.not_a_number", row: "m07,A,A,,+7,Agent,boss,Cards Team 1,Agent", column: "PBX ID", value: "90007"},
	{code: "pbx_id.spreadsheet_damage", row: "m08,A,A,,4.41E+11,Agent,boss,Cards Team 1,Agent", column: "PBX ID", value: "90008"},
	{code: "first_name.spreadsheet_damage", row: "m09,#N/A,A,,%,Agent,boss,Cards Team 1,Agent", column: "First Name", value: "=Ann"},
	{code: "agent_id.taken", row: "m10,A,A,boss,%,Agent,boss,Cards Team 1,Agent", column: "Agent ID", value: "a10"},
	{code: "pbx_id.taken", row: "m11,A,A,,100,Agent,boss,Cards Team 1,Agent", column: "PBX ID", value: "90011"},
	{code: "lan_id.exists", row: "boss,A,A,,%,Agent,boss,Cards Team 1,Agent", column: "LAN ID", value: "m12"},
	{code: "profile.missing", row: "m13,A,A,,%,,boss,Cards Team 1,Agent", column: "Profile", value: "agent"},
	{code: "profile.unknown", row: "m14,A,A,,%,Agnet,boss,Cards Team 1,Agent", column: "Profile", value: "Agent"},
	{code: "supervisor.missing", row: "m15,A,A,,%,Agent,,Cards Team 1,Agent", column: "Supervisor", value: "boss"},
	{code: "supervisor.unknown", row: "m16,A,A,,%,Agent,bosss,Cards Team 1,Agent", column: "Supervisor", value: "boss"},
	{code: "supervisor.self", row: "m17,A,A,,%,Agent,m17,Cards Team 1,Agent", column: "Supervisor", value: "boss"},
	{code: "org_unit.missing", row: "m18,A,A,,%,Agent,boss,,Agent", column: "Org Unit", value: "Cards Team 1"},
	{code: "org_unit.unknown", row: "m19,A,A,,%,Agent,boss,Cards Team 9,Agent", column: "Org Unit", value: "Cards Team 1"},
	{code: "org_unit.ambiguous", row: "m20,A,A,,%,Agent,boss,Night Shift,Agent", column: "Org Unit", value: "UAE / Retail / Cards / Night Shift"},
	{code: "org_unit.not_a_team", row: "m21,A,A,,%,Agent,boss,Retail,Agent", column: "Org Unit", value: "Cards Team 1"},
	{code: "role.missing", row: "m22,A,A,,%,Agent,boss,Cards Team 1,;", column: "Role", value: "Agent"},
	{code: "role.unknown", row: "m23,A,A,,%,Agent,boss,Cards Team 1,Agnt", column: "Role", value: "Agent;Quality"},
	{code: "access_role.unknown", row: "m24,A,A,,%,Agent,boss,Cards Team 1,Agent,Nowhere", column: "Access Role", value: ""},
	{code: "crm_name.unknown", row: "m25,A,A,,%,Agent,boss,Cards Team 1,Agent,,Sibel", column: "CRM Name", value: "Siebel"},
	{code: "greeting_template.unknown", row: "m26,A,A,,%,Agent,boss,Cards Team 1,Agent,,,Std", column: "Text Chat Greeting Template Name", value: "Standard"},
	{code: "first_name.too_long", row: "m27," + strings.Repeat("n", 101) + ",A,,%,Agent,boss,Cards Team 1,Agent", column: "First Name", value: "Ann"},
	{code: "channel.not_a_count", row: "m28,A,A,,%,Agent,boss,Cards Team 1,Agent", kind: userimport.ChannelCountDetails, detail: "m28,many", column: "Voice", value: "0"},
	{code: "channel.too_high", row: "m29,A,A,,%,Agent,boss,Cards Team 1,Agent", kind: userimport.ChannelCountDetails, detail: "m29,1,9", column: "Text Chat", value: "5"},
	{code: "feature.not_a_value", row: "m30,A,A,,%,Agent,boss,Cards Team 1,Agent", kind: userimport.FeatureDetails, detail: "m30,maybe", column: "CRM Enabled", value: "yes"},
	{code: "lan_id.repeated", row: "good,A,A,r31,%,Agent,boss,Cards Team 1,Agent", column: "LAN ID", value: "m31"},
	{code: "pbx_id.repeated", row: "m32,A,A,,80000,Agent,boss,Cards Team 1,Agent", column: "PBX ID", value: "90032"},
	{code: "agent_id.repeated", row: "m33,A,A,good,%,Agent,boss,Cards Team 1,Agent", column: "Agent ID", value: "a33"},
}

// withMistakes is a file with a good row, then one for each mistake.
func withMistakes() tables {
	f := tables{users: userRows("good,G,G,,80000,Agent,boss,Cards Team 1,Agent"), channels: [][]string{}, features: [][]string{}}
	for i, m := range mistakes {
		f.users = append(f.users, strings.Split(strings.Replace(m.row, "%", itoa(70_000+i), 1), ","))
		switch m.kind {
		case userimport.ChannelCountDetails:
			f.channels = append(f.channels, strings.Split(m.detail, ","))
		case userimport.FeatureDetails:
			f.features = append(f.features, strings.Split(m.detail, ","))
		}
	}
	return f
}

// Rows are corrected cell by cell until all of them are in.
func TestCorrectUntilAllIsIn(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		b := h.run(t, system, userimport.Options{}, h.files(withMistakes()))
		if b.State != batch.Done || b.Counts.Inserted != 1 || b.Counts.Rows != int64(len(mistakes)+1) {
			t.Fatalf("%s: %+v", b.State, b.Counts)
		}
		f := h.frozen(t, system, b.ID)
		details := map[userimport.Kind]int64{userimport.ChannelCountDetails: 1, userimport.FeatureDetails: 1}
		for i, m := range mistakes {
			row := int64(i + 3)
			rows, _, err := f.Page(ctx, userimport.RowsQuery{Code: m.code})
			if err != nil || !slices.ContainsFunc(rows, func(r userimport.Row) bool { return r.Number == row }) {
				t.Errorf("row %d does not have %s: %+v, %v", row, m.code, rows, err)
			}
			c := userimport.Correction{Kind: userimport.UserDetails, Row: row, Column: m.column, Value: m.value}
			if m.kind != "" {
				details[m.kind]++
				c.Kind, c.Row = m.kind, details[m.kind]
			}
			if err := f.Correct(ctx, []userimport.Correction{c}); err != nil {
				t.Fatalf("%s: %v", m.code, err)
			}
		}
		if n, err := f.ToRun(ctx); err != nil || n != int64(len(mistakes)) {
			t.Errorf("%d rows are to be run: %v", n, err)
		}
		again := h.rerun(t, f)
		if again.State != batch.Done || again.Counts.Inserted != int64(len(mistakes)) || !again.Counts.Clean() {
			t.Fatalf("%s: %+v %+v", again.State, again.Counts, h.entries(t, again))
		}
		if o, err := userimport.OptionsOf(again); err != nil || o.Corrects != b.ID {
			t.Errorf("it corrects %d, %v", o.Corrects, err)
		}
		if left := h.open(t, f); len(left) > 0 {
			t.Errorf("still offered: %v", left)
		}
		if got := h.lines(t, "SELECT first_name FROM users WHERE lan_key = 'm09'"); !slices.Equal(got, []string{"=Ann"}) {
			t.Errorf("a cell that looks like a formula came out as %q", got)
		}
		if got := h.lines(t, "SELECT CAST(count AS TEXT) FROM user_channels JOIN users ON users.id = user_id WHERE lan_key IN ('m28', 'm29')"); !slices.Equal(got, []string{"0", "5"}) {
			t.Errorf("channel counts %v", got)
		}
		h.sound(t)
	})
}

// Problems of corrected rows name the row that people know, and a row that did not get in again goes on from there.
func TestCorrectedRowsKeepTheirNumbers(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		f := tables{users: userRows(`a1,A,A,,1,Agent,boss,Cards Team 1,Agent
			a2,A,A,,2,Agent,boss,Mars,Agent
			a3,A,A,,3,Agent,boss,Cards Team 1,Agent
			a4,A,A,,4,Agent,boss,Venus,Agent`)}
		first := h.frozen(t, system, h.run(t, system, userimport.Options{}, h.files(f)).ID)
		h.correct(t, first, 5, "Org Unit", "Pluto")
		if d := cmp.Diff([]string{"3 open", "5 corrected"}, h.open(t, first)); d != "" {
			t.Error(d)
		}
		b := h.rerun(t, first)
		entries := h.entries(t, b)
		if b.Counts.Rows != 1 || b.Counts.Invalid != 1 || len(entries) != 1 || entries[0].Row != 5 || entries[0].Problems[len(entries[0].Problems)-1].Value != "Pluto" {
			t.Fatalf("%+v %+v", b.Counts, entries)
		}
		if d := cmp.Diff([]string{"3 open", "5 run"}, h.open(t, first)); d != "" {
			t.Error(d)
		}
		second := h.frozen(t, system, b.ID)
		h.correct(t, second, 5, "Org Unit", "Cards Team 2")
		if b := h.rerun(t, second); !b.Counts.Clean() || b.Counts.Inserted != 1 {
			t.Fatalf("%+v", b.Counts)
		}
		if d := cmp.Diff([]string{"3 open"}, h.open(t, first)); d != "" {
			t.Error(d)
		}
		err := first.Correct(context.Background(), []userimport.Correction{{Kind: userimport.UserDetails, Row: 5, Column: "Org Unit", Value: "Mars"}})
		if fault.KindOf(err) != fault.Conflict {
			t.Errorf("a row that got in by the second correction is corrected in the first batch: %v", err)
		}
	})
}

// What the correcting batch did not insert is offered again once that batch is undone.
func TestCorrectedAndUndone(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		f := tables{users: userRows("a1,A,A,,1,Agent,boss,Mars,Agent")}
		first := h.frozen(t, system, h.run(t, system, userimport.Options{}, h.files(f)).ID)
		h.correct(t, first, 2, "Org Unit", "Cards Team 1")
		b := h.rerun(t, first)
		if left := h.open(t, first); len(left) > 0 {
			t.Fatalf("still offered: %v", left)
		}
		h.undo(t, b.ID)
		if d := cmp.Diff([]string{"2 corrected"}, h.open(t, first)); d != "" {
			t.Error(d)
		}
		if b := h.rerun(t, first); b.Counts.Inserted != 1 {
			t.Errorf("%+v", b.Counts)
		}
	})
}

// Whom a supervisor's row alone kept out comes along when that row is corrected, to any depth.
func TestFollowersComeAlong(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		f := tables{users: userRows(`top,T,T,,1,Supervisor,,Mars,Team Lead
			mid,M,M,,2,Supervisor,top,Cards,Team Lead
			low,L,L,,3,Agent,mid,Cards Team 1,Agent
			bad,B,B,,4,Agent,mid,Venus,Agent
			r1,R,R,,5,Supervisor,r2,Cards,Team Lead
			r2,R,R,,6,Supervisor,r1,Cards,Team Lead`)}
		b := h.run(t, system, userimport.Options{InFileSupervisors: true}, h.files(f))
		if b.Counts.Inserted != 0 {
			t.Fatalf("%+v", b.Counts)
		}
		first := h.frozen(t, system, b.ID)
		h.correct(t, first, 2, "Org Unit", "/ UAE")
		h.correct(t, first, 6, "Supervisor", "boss")
		b = h.rerun(t, first)
		if d := cmp.Diff([]string{"low", "mid", "r1", "r2", "top"}, h.members(t, b.ID)); d != "" || !b.Counts.Clean() {
			t.Fatalf("%+v %s", b.Counts, d)
		}
		if d := cmp.Diff([]string{"5 open"}, h.open(t, first)); d != "" {
			t.Error(d)
		}
	})
}

// A row of the other two files follows its user to another LAN ID; a repetition leaves it to the row above.
func TestDetailsFollow(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		f := tables{
			users: userRows(`m 1,A,A,,1,Agent,boss,Cards Team 1,Agent
				two,A,A,,2,Agent,boss,Cards Team 1,Agent
				two,B,B,,3,Agent,boss,Cards Team 1,Agent
				three,C,C,,4,Agent,boss,Cards Team 1,Agent`),
			channels: [][]string{{"m 1", "0"}, {"two", "0"}, {"threee", "0"}, {"three", "1"}, {"three", "0"}},
		}
		b := h.run(t, system, userimport.Options{}, h.files(f))
		if b.Counts != (batch.Counts{Rows: 4, Inserted: 1, Duplicate: 1, Invalid: 2, Stray: 1}) {
			t.Fatalf("%+v", b.Counts)
		}
		first := h.frozen(t, system, b.ID)
		strays, _, err := first.Editable(context.Background(), userimport.EditQuery{Stray: true})
		if err != nil || len(strays) != 1 || strays[0].Number != 4 || strays[0].Kind != userimport.ChannelCountDetails || strays[0].Cells[0] != "threee" {
			t.Errorf("strays %+v, %v", strays, err)
		}
		rows, _, err := first.Editable(context.Background(), userimport.EditQuery{Code: "channel.repeated_user"})
		if err != nil || len(rows) != 1 || len(rows[0].Details) != 1 || rows[0].Details[0].Number != 6 || rows[0].Details[0].Cells[1] != "0" {
			t.Errorf("to be corrected %+v, %v", rows, err)
		}
		h.correct(t, first, 2, "LAN ID", "m1")
		h.correct(t, first, 4, "LAN ID", "four")
		// The second row of three's is removed: every cell of it is blanked.
		err = first.Correct(context.Background(), []userimport.Correction{{Kind: userimport.ChannelCountDetails, Row: 6, Column: "LAN ID"}, {Kind: userimport.ChannelCountDetails, Row: 6, Column: "Voice"}})
		if err != nil {
			t.Fatal(err)
		}
		b = h.rerun(t, first)
		if b.Counts != (batch.Counts{Rows: 3, Inserted: 3}) {
			t.Fatalf("%+v %+v", b.Counts, h.entries(t, b))
		}
		got := h.lines(t, "SELECT u.lan_id FROM users u JOIN user_channels c ON c.user_id = u.id WHERE u.batch_id = $1", b.ID)
		if d := cmp.Diff([]string{"m1"}, got); d != "" {
			t.Errorf("who has a count of their own: %s", d)
		}
	})
}

// One click gives every row with the problem the same value, also one of several roles.
func TestCorrectAll(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		f := tables{}
		for i := range 5000 {
			role := [...]string{"Agnt", "Agnt; Qualty", "Agent", "Agent,Qualty"}[i%4]
			f.users = append(f.users, []string{"u" + itoa(i), "A", "A", "", itoa(1000 + i), "Agent", "boss", "Cards Team 1", role})
		}
		h.op.PieceRows, h.op.ChunkRows = 0, 0
		b := h.run(t, system, userimport.Options{}, h.files(f))
		first := h.frozen(t, system, b.ID)
		h.correct(t, first, 2, "Role", "Team Lead")
		if n, err := first.CorrectAll(ctx, userimport.UserDetails, "Role", "role.unknown", "Agnt", "Agent"); err != nil || n != 2499 {
			t.Fatalf("%d rows corrected, %v", n, err)
		}
		if n, err := first.CorrectAll(ctx, userimport.UserDetails, "Role", "role.unknown", "Qualty", "Quality"); err != nil || n != 2500 {
			t.Fatalf("%d rows corrected, %v", n, err)
		}
		if n, err := first.CorrectAll(ctx, userimport.UserDetails, "Role", "role.unknown", "Qualty", "Quality"); err != nil || n != 0 {
			t.Fatalf("%d rows corrected again, %v", n, err)
		}
		cells, err := first.Corrections(ctx, userimport.UserDetails, 2, 3, 5)
		if err != nil || len(cells) != 3 || cells[0].New != "Team Lead" || cells[1].New != "Agent; Quality" || cells[1].Old != "Agnt; Qualty" || cells[2].New != "Agent,Quality" {
			t.Errorf("%+v, %v", cells, err)
		}
		b = h.rerun(t, first)
		if b.Counts != (batch.Counts{Rows: 3750, Inserted: 3750}) {
			t.Errorf("%+v", b.Counts)
		}
		if n, err := first.CorrectAll(ctx, userimport.UserDetails, "Role", "role.unknown", "Agent", "Quality"); err != nil || n != 0 {
			t.Errorf("%d rows corrected that are in, %v", n, err)
		}
	})
}

// Corrections are run once, whoever asks at the same time; then nothing is left to run.
func TestRunCorrectedOnce(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		f := tables{users: userRows(`a1,A,A,,1,Agent,boss,Mars,Agent
			a2,A,A,,2,Agent,boss,Mars,Agent`)}
		first := h.run(t, system, userimport.Options{}, h.files(f)).ID
		if _, err := h.frozen(t, system, first).RunCorrected(ctx, userimport.RunOptions{}); fault.KindOf(err) != fault.Conflict {
			t.Errorf("nothing is corrected, and it runs: %v", err)
		}
		h.correct(t, h.frozen(t, system, first), 2, "Org Unit", "Cards Team 1")
		var wg sync.WaitGroup
		var mu sync.Mutex
		var made []*batch.Batch
		for range 6 {
			f := h.frozen(t, system, first)
			wg.Go(func() {
				b, err := f.RunCorrected(ctx, userimport.RunOptions{Preview: true})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					made = append(made, b)
				} else if fault.KindOf(err) != fault.Conflict {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(made) != 1 {
			t.Fatalf("%d batches were made", len(made))
		}
		if b := h.execute(t, made[0].ID); b.State != batch.Ready || b.Counts.Rows != 1 {
			t.Errorf("%s %+v", b.State, b.Counts)
		}
		if b := h.apply(t, made[0].ID); b.Counts.Inserted != 1 {
			t.Errorf("%+v", b.Counts)
		}
	})
}

// What cannot be corrected is refused, with a reason.
func TestCorrectRefuses(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		f := tables{users: userRows(`a1,A,A,,1,Agent,boss,Mars,Agent
			a2,A,A,,2,Agent,boss,Cards Team 1,Agent`), channels: [][]string{{"a2", "0"}}}
		first := h.frozen(t, system, h.run(t, system, userimport.Options{}, h.files(f)).ID)
		for _, c := range []struct {
			what string
			c    userimport.Correction
			kind fault.Kind
		}{
			{"a row that got in", userimport.Correction{Kind: userimport.UserDetails, Row: 3, Column: "LAN ID", Value: "x"}, fault.Conflict},
			{"a detail of one who got in", userimport.Correction{Kind: userimport.ChannelCountDetails, Row: 2, Column: "Voice", Value: "1"}, fault.Conflict},
			{"no such row", userimport.Correction{Kind: userimport.UserDetails, Row: 9, Column: "LAN ID", Value: "x"}, fault.NotFound},
			{"no such column", userimport.Correction{Kind: userimport.UserDetails, Row: 2, Column: "Voice", Value: "x"}, fault.Invalid},
			{"no such kind", userimport.Correction{Kind: "Other", Row: 2, Column: "LAN ID", Value: "x"}, fault.Invalid},
			{"too long", userimport.Correction{Kind: userimport.UserDetails, Row: 2, Column: "LAN ID", Value: strings.Repeat("x", 1001)}, fault.Invalid},
			{"no text", userimport.Correction{Kind: userimport.UserDetails, Row: 2, Column: "LAN ID", Value: "a\x00"}, fault.Invalid},
		} {
			if err := first.Correct(ctx, []userimport.Correction{c.c}); fault.KindOf(err) != c.kind {
				t.Errorf("%s: %v", c.what, err)
			}
		}
		h.correct(t, first, 2, "Org Unit", "Cards Team 1")
		h.correct(t, first, 2, "Org Unit", "Mars")
		if n, err := first.ToRun(ctx); err != nil || n != 0 {
			t.Errorf("%d rows are to be run after the correction was taken back, %v", n, err)
		}
		h.correct(t, first, 2, userimport.AsItIs, "")
		if b := h.rerun(t, first); b.Counts.Rows != 1 || b.Counts.Invalid != 1 {
			t.Errorf("run again as it is: %+v", b.Counts)
		}
	})
}
