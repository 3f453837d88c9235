package userimport_test

import (
	"testing"
	"time"

	"muster/internal/directory"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
	"muster/internal/userimport"
)

// Whoever has searched before finds the users of an import when it is done, and after its undo nobody of them.
func TestSearchFollowsImport(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		t.Parallel()
		h := newHouse(t, cfg)
		h.op.PieceRows, h.op.ChunkRows = 2, 3
		h.run(t, system, userimport.Options{}, h.files(tables{users: userRows("boss,Bea,Boss,,100,Supervisor,,/ UAE,Team Lead")}))
		found := func(text string) int64 {
			t.Helper()
			n, err := h.dir.As(system).CountUsers(t.Context(), directory.UserFilter{Search: text})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		// The first search has the names and ids read into memory, beside it.
		for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if n := found("bea"); n != 1 {
				t.Fatalf("%d are called Bea", n)
			}
		}
		b := h.run(t, system, userimport.Options{InFileSupervisors: true}, h.files(tables{users: userRows(`a1,Ann,One,,1001,Agent,lead,Cards Team 1,Agent
			a2,Ann,Two,,1002,Agent,boss,Cards Team 1,Agent
			lead,Ann,Three,,1003,Supervisor,boss,Cards,Team Lead
			a4,Ann,Four,,1004,Agent,boss,Cards Team 1,Agent`)}))
		if n := found("ann"); n != 4 {
			t.Errorf("%d are called Ann after the import", n)
		}
		h.undo(t, b.ID)
		if n := found("ann"); n != 0 {
			t.Errorf("%d are called Ann after the undo", n)
		}
	})
}
