package userimport_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/batch"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
	"muster/internal/userimport"
)

// userRows reads rows of UserDetails as they are easy to write here.
func userRows(text string) (rows [][]string) {
	for line := range strings.Lines(text) {
		rows = append(rows, strings.Split(strings.TrimSpace(line), ","))
	}
	return rows
}

// said is the report in short: row, outcome, and codes but for the defaulted Agent IDs.
func (h *house) said(t failer, b *batch.Batch, f tables) []string {
	t.Helper()
	var all []string
	rows, _ := h.rows(t, b, f)
	for _, r := range rows {
		s := r.LAN + " " + r.Outcome
		for _, c := range r.Codes {
			if c != "agent_id.defaulted" {
				s += " " + c
			}
		}
		all = append(all, s)
	}
	return all
}

// stopWhen runs the batch again and again, a bit further each time, until the condition, a count, holds. before, if any,
// is done before each run.
func (h *house) stopWhen(t failer, id int64, condition string, before func()) {
	t.Helper()
	for n := int64(1); h.number(t, condition, id) == 0; n++ {
		if before != nil {
			before()
		}
		if h.stopAt(t, id, n) == nil {
			t.Fatal("it came to rest too early")
		}
	}
}

const (
	hasChunk = "SELECT count(*) FROM batch_chunks WHERE batch_id = $1"
	hasIDs   = "SELECT count(*) FROM batches WHERE id = $1 AND work <> ''"
)

// late runs fn on both engines in a house whose chunks are small.
func late(t *testing.T, fn func(t *testing.T, h *house)) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		t.Parallel()
		h := newHouse(t, cfg)
		h.op.PieceRows, h.op.ChunkRows = 2, 3
		h.run(t, system, userimport.Options{}, h.files(tables{users: userRows("boss,Bea,Boss,,100,Supervisor,,/ UAE,Team Lead")}))
		fn(t, h)
	})
}

func (h *house) want(t *testing.T, b *batch.Batch, f tables, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, h.said(t, b, f)); d != "" {
		t.Errorf("batch %d, %s %s (-want +got):\n%s", b.ID, b.State, b.Reason, d)
	}
	h.isTrue(t, b, f)
}

// Somebody else is given the PBX ID of a supervisor of the file when all is checked: those below are not inserted
// either, in whichever chunk they are.
func TestLateLead(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		f := tables{users: userRows(`lead1,Lea,One,,1001,Supervisor,,Cards,Team Lead
			lead2,Lea,Two,,1002,Supervisor,lead1,Cards,Team Lead
			lead3,Lea,Three,,1003,Supervisor,lead2,Cards,Team Lead
			a1,Ann,One,,1004,Agent,lead1,Cards Team 1,Agent
			a2,Ann,Two,,1005,Agent,lead3,Cards Team 1,Agent
			a3,Ann,Three,,1006,Agent,boss,Cards Team 1,Agent
			a4,Ann,Four,,1007,Agent,boss,Cards Team 1,Agent
			a5,Ann,Five,,1008,Agent,lead2,Cards Team 1,Agent`)}
		h.op.beforeApply = func() { h.intruder(t, "quicker", "quicker", "1001", 2) }
		b := h.run(t, system, userimport.Options{InFileSupervisors: true}, h.files(f))
		h.want(t, b, f, "lead1 invalid pbx_id.taken", "lead2 invalid supervisor.row_invalid", "lead3 invalid supervisor.row_invalid",
			"a1 invalid supervisor.row_invalid", "a2 invalid supervisor.row_invalid", "a3 inserted", "a4 inserted", "a5 invalid supervisor.row_invalid")
	})
}

// Supervisors of the directory are, when all is checked, made inactive, made agents, or removed.
func TestLateSupervisor(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		h.run(t, system, userimport.Options{}, h.files(tables{users: userRows(`idle,Ida,Idle,,101,Supervisor,,/ UAE,Team Lead
			agent,Ann,Agent,,102,Supervisor,,/ UAE,Team Lead
			gone,Gus,Gone,,103,Supervisor,,/ UAE,Team Lead`)}))
		f := tables{users: userRows(`a1,Ann,One,,1001,Agent,idle,Cards Team 1,Agent
			a2,Ann,Two,,1002,Agent,agent,Cards Team 1,Agent
			a3,Ann,Three,,1003,Agent,gone,Cards Team 1,Agent
			a4,Ann,Four,,1004,Agent,boss,Cards Team 1,Agent
			a5,Ann,Five,,1005,Supervisor,gone,Cards Team 1,Agent
			a6,Ann,Six,,1006,Agent,a5,Cards Team 1,Agent`)}
		h.op.beforeApply = func() {
			h.deactivate(t, "idle")
			h.exec(t, "UPDATE users SET profile = 3 WHERE lan_key = 'agent'")
			h.exec(t, "DELETE FROM users WHERE lan_key = 'gone'")
			h.exec(t, "UPDATE directory_revision SET people = people + 1")
		}
		b := h.run(t, system, userimport.Options{InFileSupervisors: true}, h.files(f))
		h.want(t, b, f, "a1 invalid supervisor.inactive", "a2 invalid supervisor.not_a_supervisor", "a3 invalid supervisor.unknown", "a4 inserted",
			"a5 invalid supervisor.unknown", "a6 invalid supervisor.row_invalid")
	})
}

// A role that a row was invalid for is made when a row below with the same ids is a user already. The row is now a
// good one, and its user is there.
func TestBetterTooLate(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		f := tables{users: userRows(`a1,Ann,One,x1,1099,Agent,boss,Cards Team 1,Later
			a1,Ann,One,,1001,Agent,boss,Cards Team 1,Agent
			a2,Ann,Two,,1002,Agent,boss,Cards Team 1,Agent
			a3,Ann,Three,,1003,Agent,boss,Cards Team 1,Later
			a4,Ann,Four,,1004,Agent,boss,Cards Team 1,Agent
			a5,Ann,Five,,1005,Agent,boss,Cards Team 1,Agent
			a6,Ann,Six,,1002,Agent,boss,Cards Team 1,Later`)}
		id := h.create(t, system, userimport.Options{}, h.files(f))
		h.stopWhen(t, id, hasChunk, nil)
		first, second := "a1 duplicate lan_id.exists", "a1 inserted"
		if !slices.Contains(h.members(t, id), "a1") { // On PostgreSQL the chunk of the other worker may be the first.
			first, second = "a1 inserted", "a1 duplicate lan_id.repeated"
		}
		h.configure(t, strings.Replace(organisation, "roles:\n", "roles:\n  - {name: Later, rights: []}\n", 1))
		b := h.execute(t, id)
		h.want(t, b, f, first, second, "a2 inserted", "a3 inserted", "a4 inserted", "a5 inserted", "a6 invalid pbx_id.repeated")
	})
}

// What would now be wrong with a user whom the batch has inserted already is no matter; the others are judged by it.
func TestWorseTooLate(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		f := tables{users: userRows(`a1,Ann,One,,1001,Agent,boss,Cards Team 1,Agent
			a2,Ann,Two,,1002,Agent,boss,Cards Team 1,Agent
			a3,Ann,Three,,1003,Agent,boss,Cards Team 1,Agent
			a4,Ann,Four,,1004,Agent,boss,Cards Team 1,Agent
			a5,Ann,Five,,1005,Agent,boss,Cards Team 1,Agent
			a5,Ann,Five,,1005,Agent,boss,Cards Team 1,Agent
			a7,Ann,Seven,,1007,Agent,boss,Cards Team 1,Agent`)}
		id := h.create(t, system, userimport.Options{}, h.files(f))
		h.stopWhen(t, id, hasChunk, nil)
		members := h.members(t, id)
		h.deactivate(t, "boss")
		b := h.execute(t, id)
		var want []string
		for _, row := range f.users {
			outcome := " invalid supervisor.inactive"
			if slices.Contains(members, row[0]) && (len(want) == 0 || want[len(want)-1] != row[0]+" inserted") {
				outcome = " inserted"
			} else if slices.Contains(members, row[0]) {
				outcome = " duplicate lan_id.repeated"
			}
			want = append(want, row[0]+outcome)
		}
		h.want(t, b, f, want...)
	})
}

// A supervisor is inactive when the first rows are to be written, so that some of them are not; the process ends, and
// when another goes on, the supervisor is active again.
func TestRejectedAndBack(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		f := tables{users: userRows(`a1,Ann,One,,1001,Agent,gone,Cards Team 1,Agent
			a2,Ann,Two,,1002,Agent,boss,Cards Team 1,Agent
			a3,Ann,Three,,1003,Agent,gone,Cards Team 1,Agent
			a4,Ann,Four,,1004,Agent,gone,Cards Team 1,Agent
			a5,Ann,Five,,1005,Agent,boss,Cards Team 1,Agent`)}
		h.run(t, system, userimport.Options{}, h.files(tables{users: userRows("gone,Gus,Gone,,101,Supervisor,,/ UAE,Team Lead")}))
		id := h.create(t, system, userimport.Options{}, h.files(f))
		activate := func() { h.exec(t, "UPDATE users SET active = 1 WHERE lan_key = 'gone'") }
		h.stopWhen(t, id, hasChunk, func() {
			activate()
			h.op.beforeApply = func() { h.deactivate(t, "gone") }
		})
		h.op.beforeApply = nil
		activate()
		b := h.execute(t, id)
		h.want(t, b, f, "a1 inserted", "a2 inserted", "a3 inserted", "a4 inserted", "a5 inserted")
	})
}

// A batch that is cancelled when some of its rows were found to be late: each row has one outcome.
func TestLateAndCancelled(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		f := tables{users: userRows(`a1,Ann,One,,1001,Agent,boss,Cards Team 1,Agent
			a2,Ann,Two,,1002,Agent,boss,Cards Team 1,Agent
			a3,Ann,Three,,1003,Agent,boss,Cards Team 1,Agent
			a4,Ann,Four,,1004,Agent,boss,Cards Team 1,Agent
			a5,Ann,Five,,1005,Agent,boss,Cards Team 1,Agent
			a6,Ann,Six,,1006,Agent,boss,Cards Team 1,Agent
			a7,Ann,Seven,,1007,Agent,boss,Cards Team 1,Agent`)}
		id := h.create(t, system, userimport.Options{}, h.files(f))
		h.stopWhen(t, id, hasIDs, nil)
		h.op.beforeApply = func() {
			h.intruder(t, "a1", "a1", "1001", 2)
			if err := h.engine.Cancel(context.Background(), system, id); err != nil {
				t.Error(err)
			}
		}
		b := h.execute(t, id)
		if b.State != batch.Cancelled {
			t.Errorf("it is %s", b.State)
		}
		// On PostgreSQL another worker may have seen the cancel before the first piece was written.
		if said := h.said(t, b, f); h.db.Engine == sqldb.SQLite && said[0] != "a1 duplicate lan_id.exists" {
			t.Errorf("it says %v", said)
		}
		h.isTrue(t, b, f)
	})
}

// What was only previewed and then cancelled has inserted nobody.
func TestCancelledPreview(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		f := tables{users: userRows(`a1,Ann,One,,1001,Agent,boss,Cards Team 1,Agent
			a2,Ann,Two,,1002,Agent,boss,Mars,Agent`)}
		b := h.run(t, system, userimport.Options{Preview: true}, h.files(f))
		if err := h.engine.Cancel(context.Background(), system, b.ID); err != nil {
			t.Fatal(err)
		}
		b = h.execute(t, b.ID)
		if want := (batch.Counts{Rows: 2, Invalid: 1}); b.State != batch.Cancelled || b.Counts != want {
			t.Errorf("%s: %+v, want %+v", b.State, b.Counts, want)
		}
	})
}
