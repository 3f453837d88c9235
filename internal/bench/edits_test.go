package bench

import (
	"os"
	"strings"
	"testing"

	"muster/internal/sqldb"
)

func TestEdits(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, o Options) {
		o.Users, o.Part = 500, BulkEdits
		r, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		f := &r.Engines[0]
		e := f.Edits
		if len(f.Scenarios) > 0 || f.Console != nil || e == nil || e.Users < 450 || e.Users > 500 || e.Few < 5 || e.Few > 50 || len(e.Rounds) != 1 {
			t.Fatalf("got %+v", f)
		}
		round := e.Rounds[0]
		for what, turn := range map[string]EditTurn{"assign": round.Assign, "remove": round.Remove} {
			if turn.Bare <= 0 || turn.Preview <= 0 || turn.Apply <= 0 || turn.Undo <= 0 || (turn.Shell > 0) != (f.Engine == sqldb.SQLite) {
				t.Errorf("%s: %+v", what, turn)
			}
		}
		if round.Freeze <= 0 || round.Consequences <= 0 || round.Few.Bare <= 0 || round.Few.Freeze <= 0 || round.Few.Run <= 0 || round.Disturbed <= 0 || round.Waits.Writes == 0 {
			t.Errorf("%+v", round)
		}
		text := r.Markdown(f)
		if n := strings.Count(text, "reached") + strings.Count(text, "**missed**"); n != 2+4 {
			t.Errorf("%d verdicts in\n%s", n, text)
		}
		if left, err := os.ReadDir(o.Dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
}

func TestEditsMarkdown(t *testing.T) {
	t.Parallel()
	turn := func(bare float64) EditTurn {
		return EditTurn{Bare: bare, Shell: bare / 2, Preview: 2, Apply: 8, Undo: 5}
	}
	round := func(bare float64) EditRound {
		return EditRound{Freeze: 2, Consequences: 3, Assign: turn(bare), Remove: turn(bare - 4), Few: FewTurn{1.5, 1, 1, 0.5}, Disturbed: 20, Waits: Waits{Writes: 50, Max: 0.5}}
	}
	r := &Result{Command: "muster bench --part edits", Date: "2026-11-23", Users: aimedRows, Runs: 3, Engines: []Figures{{Engine: sqldb.SQLite,
		Edits: &Edits{Users: 950_000, Few: 47_500, Rounds: []EditRound{round(6), round(9), round(8)}}}}}
	text := r.Markdown(&r.Engines[0])
	for _, want := range []string{
		"## Bulk edits on SQLite\n",
		"| bare statements that give everybody a role | 8.00 s, 118,750 users/s | 6.00 s to 9.00 s |  |  |\n",
		"| the same by the sqlite3 shell | 4.00 s, 237,500 users/s | 3.00 s to 4.50 s |  |  |\n",
		"| **give everybody a role against the bare statements (users/s)** | 0.80 | 0.60 to 0.90 | ≥ 0.60 | reached |\n",
		"| **take a role from everybody against the bare statements (users/s)** | 0.40 | 0.20 to 0.50 | ≥ 0.60 | **missed** |\n",
		"| **freeze everybody who is in the directory** | 2.00 s | 2.00 s to 2.00 s | ≤ 3.00 s | reached |\n",
		"| what giving everybody the role would do, counted | 3.00 s | 3.00 s to 3.00 s | ≤ 2.00 s | **missed** |\n",
		"| **give 47,500 users the role, from a file of LAN IDs to the last byte written** | 2.50 s | 2.50 s to 2.50 s | ≤ 3.00 s | reached |\n",
		"| bare statements that give them the role, by their ids | 1.50 s, 31,667 users/s | 1.50 s to 1.50 s |  |  |\n",
		"| the whole of it against these (users/s) | 0.60 | 0.60 to 0.60 |  |  |\n",
		"| **that user's write, the longest of 150** | 500 ms |  | ≤ 600 ms | reached |\n",
		"| give, 1 | 6.00 | 3.00 | 2.00 | 8.00 | 0.60 | 5.00 |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %sin\n%s", want, text)
		}
	}
}
