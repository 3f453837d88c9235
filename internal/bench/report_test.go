package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/sqldb"
)

// made up, so that each verdict can be told from the next
func madeUp(engine sqldb.Engine) *Result {
	round := func(loader, imported float64) Round {
		return Round{Loader: loader, Unchecked: loader - 1, Bare: loader - 2, Import: Measured{imported, 300e6}, Undo: Measured{imported + 1, 1e6},
			Preview: Measured{4, 1e6}, Disturbed: Measured{imported + 2, 1e6}, Waits: Waits{Writes: 600, P99: 0.05, Max: 0.5}}
	}
	s := Scenario{Name: scenarios[0].name, Users: 950_000, Rows: [4]int64{950_000, 1_000_000, 1, 0}, Rounds: []Round{round(10, 20), round(12, 12), round(11, 10)}}
	return &Result{Command: "muster bench", Date: "2026-11-23", Users: aimedRows, Runs: 3, Engines: []Figures{{Engine: engine, Scenarios: []Scenario{s}, Triple: &Triple{3_000_000, Measured{50, 600e6}}}}}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	r := madeUp(sqldb.SQLite)
	text := r.Markdown(&r.Engines[0])
	for _, want := range []string{
		"| raw loader | 11.0 s, 86,364 users/s | 10.0 s to 12.0 s |  |  |\n",
		"| **import against the raw loader (users/s)** | 0.92 | 0.50 to 1.10 | ≥ 0.80 | reached |\n",
		"| import against the raw loader, bare | 0.75 | 0.40 to 0.90 |  |  |\n",
		"| **preview's time, of the raw loader's** | 0.36 | 0.33 to 0.40 | ≤ 0.40 | reached |\n",
		"| **undo's time, of the import's** | 1.08 | 1.05 to 1.10 | ≤ 1.00 | **missed** |\n",
		"| **another user's write, the longest of 1,800** | 500 ms |  | ≤ 1000 ms | reached |\n",
		"| Muster's process, the most of all runs above | 300 MB |  | ≤ 512 MB | reached |\n",
		"| one import of 3,000,000 rows (50.0 s) | 600 MB |  | ≤ 512 MB | **missed** |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %sin\n%s", want, text)
		}
	}
	if strings.Contains(text, "The targets are meant for") {
		t.Error("it was measured at the size that the targets are for")
	}
}

// Measuring one engine leaves what the document says of the other, and the document can be written again and again.
func TestWriteDoc(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "docs", "performance.md")
	write := func(r *Result) string {
		if err := WriteDoc(path, r); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	lite, pg := madeUp(sqldb.SQLite), madeUp(sqldb.Postgres)
	if text := write(lite); !strings.Contains(text, "## PostgreSQL\n\nNot measured yet.") {
		t.Errorf("got %s", text)
	}
	both := write(pg)
	for _, r := range []*Result{lite, pg} {
		if !strings.Contains(both, strings.TrimSpace(r.Markdown(&r.Engines[0]))) {
			t.Errorf("%s is missing in\n%s", r.Engines[0].Engine, both)
		}
	}
	if again := write(lite); again != both {
		t.Errorf("it changed:\n%s", again)
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for n, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567.6: "1,234,568"} {
		if got := thousands(n); got != want {
			t.Errorf("%v: %s", n, got)
		}
	}
	if m := median([]float64{4, 1, 3, 2}); m != 2.5 {
		t.Error(m)
	}
	w := summary([]float64{3, 1, 2})
	if w != (Waits{Writes: 3, Median: 2, P99: 2, Max: 3}) {
		t.Errorf("%+v", w)
	}
}

// What we hold ourselves does not count as the child's.
func TestPeak(t *testing.T) {
	t.Parallel()
	if watchesNot() {
		t.Skip("the peak of a process is not known here")
	}
	ballast := make([]byte, 200<<20)
	for i := 0; i < len(ballast); i += os.Getpagesize() {
		ballast[i] = 1
	}
	cmd := exec.Command("sleep", "0.2")
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	peak := watchPeak(cmd.Process.Pid)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := peak(cmd.ProcessState); got == 0 || got > 50<<20 {
		t.Errorf("sleep held %d bytes, besides our %d", got, len(ballast))
	}
}

func watchesNot() bool { _, err := os.Stat("/proc/self/status"); return err != nil }
