package bench

import (
	"compress/gzip"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/sqldb"
)

func TestConsole(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, o Options) {
		o.Users, o.Part, o.Samples = 300, TheConsole, 3
		o.Load = LoadPlan{People: 5, Click: 100 * time.Millisecond, Least: time.Second}
		r, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		f := &r.Engines[0]
		c := f.Console
		if len(f.Scenarios) > 0 || c == nil || c.Users < 270 || c.Users > 300 {
			t.Fatalf("got %+v", f)
		}
		if len(c.Grid) < 40 || len(c.Scoped) != 6 || c.Scope == "" {
			t.Errorf("%d kinds, and %d of somebody below %q", len(c.Grid), len(c.Scoped), c.Scope)
		}
		for _, p := range slices.Concat(c.Grid, c.Scoped) {
			if p.Samples != 3 || p.P50 <= 0 || p.P95 < p.P50 || p.Max < p.P95 || !strings.HasPrefix(p.Slowest, "/users") || strings.Contains(p.Slowest, "/count") != (p.Limit == 0) {
				t.Errorf("%+v", p)
			}
		}
		for _, d := range c.Deep {
			if d.Page != 6 || len(d.First) != 3 || len(d.Deep) != 3 {
				t.Errorf("%s: page %d, fetched %d and %d times", d.Sort, d.Page, len(d.First), len(d.Deep))
			}
		}
		checkWeights(t, c.Weights)
		checkLoad(t, c.Load)
		checkManaging(t, c.Managing)
		if left, err := os.ReadDir(o.Dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
}

func checkManaging(t *testing.T, m *Managing) {
	t.Helper()
	if len(m.Pages) != 6 || len(m.Changes) != 3 {
		t.Fatalf("%d pages, %d changes", len(m.Pages), len(m.Changes))
	}
	for _, c := range m.Changes {
		if c.Users < 50 || c.Took <= 0 || c.Undo <= 0 || c.Waits.Writes < 1 {
			t.Errorf("%+v", c)
		}
	}
}

func checkWeights(t *testing.T, all []Weight) {
	t.Helper()
	for _, w := range all {
		if w.Bytes < 300 || w.Limit > 0 && w.Bytes > w.Limit {
			t.Errorf("%s: %d bytes of %d", w.What, w.Bytes, w.Limit)
		}
	}
	for what, file := range map[string]string{"first page": "tabler.min.css", "first page:": "icons.svg", "history": "the page", "correcting rows: what": "tabulator.min.js"} {
		if !slices.ContainsFunc(all, func(w Weight) bool { return strings.HasPrefix(w.What, what) && strings.Contains(w.Of, file) }) {
			t.Errorf("%s does not load %s: %+v", what, file, all)
		}
	}
	if strings.Contains(all[0].Of, "tabulator") {
		t.Errorf("the first page loads %s", all[0].Of)
	}
}

func checkLoad(t *testing.T, l *Load) {
	t.Helper()
	if l.Errors > 0 || l.Rows != 300 || l.Import <= 0 || l.Upload <= 0 || l.Took < 1 {
		t.Errorf("%+v", l)
	}
	sum := 0
	for _, times := range [][]ClickTime{l.During, l.Calm} {
		all := times[len(times)-1]
		if all.Kind != allKinds {
			t.Errorf("the last is %s", all.Kind)
		}
		for _, k := range times[:len(times)-1] {
			if k.Answers == 0 || k.P50 > k.P95 || k.P95 > k.P99 || k.P99 > k.Max || k.Max > all.Max {
				t.Errorf("%+v", k)
			}
		}
		sum += all.Answers
	}
	// Ten clicks a second each, if nobody has to wait.
	if sum < 30 {
		t.Errorf("%d answers in all", sum)
	}
}

// A person's own clicks are told by when they were: with the import, or without.
func TestLoadSum(t *testing.T) {
	t.Parallel()
	zero := time.Unix(1000, 0)
	at := func(s float64) time.Time { return zero.Add(time.Duration(s * float64(time.Second))) }
	c := &crowd{done: []click{
		{kind: searchText, at: at(0), took: time.Second},
		{kind: searchText, at: at(1.5), took: time.Second}, // its end is with the import
		{kind: counted, at: at(5), took: 3 * time.Second},
		{kind: counted, at: at(9.9), took: 4 * time.Second, err: http.ErrServerClosed}, // its beginning is
		{kind: counted, at: at(10.1), took: 9 * time.Second},
	}}
	var l Load
	c.sum(&l, at(2), at(10))
	if len(l.During) != 3 || l.During[2].Answers != 3 || l.During[2].Max != 4 || l.During[0].Kind != searchText || l.During[0].P50 != 1 {
		t.Errorf("with the import: %+v", l.During)
	}
	if len(l.Calm) != 3 || l.Calm[2].Answers != 2 || l.Calm[2].P99 != 9 {
		t.Errorf("without: %+v", l.Calm)
	}
	if l.Errors != 1 || len(l.Said) != 1 || !strings.Contains(l.Said[0], http.ErrServerClosed.Error()) {
		t.Errorf("errors: %d %q", l.Errors, l.Said)
	}
}

// What is not as it should be is an error, and says what the page said.
func TestBrowser(t *testing.T) {
	t.Parallel()
	who := &browser{base: "http://bench.example", through: inProcess{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		if r.Header.Get("HX-Target") != "grid" || r.Header.Get("HX-Request") != "true" {
			w.WriteHeader(http.StatusTeapot)
		}
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte(`<p>Before</p><main><h1>Not` + "\n\n" + `now</h1></main><a class="btn" id="page-next" rel="next" href="/users?after=1&amp;page=2" x>`))
		_ = z.Close()
	})}}
	a, err := who.get(t.Context(), "/users", "grid")
	if err != nil {
		t.Fatal(err)
	}
	text, err := a.text()
	if got := linked(text, nextPage); err != nil || got != "/users?after=1&page=2" || linked(text, prevPage) != "" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := who.get(t.Context(), "/users", ""); err == nil || !strings.HasSuffix(err.Error(), "GET /users: status 418: Not now") {
		t.Error(err)
	}
}

func madeUpConsole() *Console {
	worst := PageTime{Group: "worst", Limit: 0.05, Samples: 100, P50: 0.01, P95: 0.06, Max: 0.07, Slowest: "/users?after=abc&sort=lan_id"}
	best := PageTime{Group: "best", Limit: 0.05, Samples: 100, P50: 0.01, P95: 0.02, Max: 0.08, Slowest: "/users"}
	other := PageTime{Group: "other", Limit: 0.5, Samples: 100, P50: 0.01, P95: 0.4, Max: 0.6, Slowest: "/users"}
	count := PageTime{Group: "count", Samples: 100, P50: 0.01, P95: 0.9, Max: 1, Slowest: "/users/count"}
	return &Console{
		Users: 950_000, Grid: []PageTime{worst, best, other, count}, Scope: "UAE", Scoped: []PageTime{best},
		Deep:    []DeepPage{{Sort: "lan_id", Page: 1000, First: []float64{0.01, 0.01}, Deep: []float64{0.012, 0.012}}, {Sort: "last_name", Page: 1000, First: []float64{0.01}, Deep: []float64{0.02}}},
		Weights: []Weight{{What: "first page", Bytes: 200_001, Limit: firstWeight, Of: "a.css 1.0 kB"}, {What: "next", Bytes: 14_000, Limit: laterWeight}, {What: "more", Bytes: 100_000}},
		Managing: &Managing{Pages: []PageTime{{Group: "a user's page", Limit: 0.05, Samples: 100, P50: 0.01, P95: 0.02, Max: 0.03}},
			Changes: []BroadChange{{What: "move", Users: 100_000, Took: 1, Undo: 2, Waits: Waits{P99: 0.1, Max: 1.1}}}},
		Load: &Load{People: 200, Every: 5, Took: 70, Rows: 1_000_000, Upload: 2, Import: 50, Peak: 300e6,
			During: []ClickTime{{Kind: searchText, Answers: 10, P99: 2}, {Kind: allKinds, Answers: 1234, P50: 0.01, P95: 0.1, P99: 1.6, Max: 2}}, Calm: []ClickTime{{Kind: allKinds, P99: 3}}},
	}
}

func TestConsoleMarkdown(t *testing.T) {
	t.Parallel()
	r := madeUp(sqldb.SQLite)
	r.Engines[0].Scenarios, r.Engines[0].Console = nil, madeUpConsole()
	text := r.Markdown(&r.Engines[0])
	for _, want := range []string{
		"## The console on SQLite\n",
		"| **hot sorts, unfiltered or by one common filter** | 2 | worst | 10 ms | 60 ms | 80 ms | ≤ 50 ms | **missed** |\n",
		"| **any other combination** | 1 | other | 10 ms | 400 ms | 600 ms | ≤ 500 ms | reached |\n",
		"| **count, which the page asks for after its rows** | 1 | count | 10 ms | 900 ms | 1000 ms | | |\n",
		"| best | 100 | 10.0 | 20.0 | 80.0 | ≤ 50 | reached |\n",
		"* worst: `/users?after=…&sort=lan_id` (70 ms)\n",
		"| lan_id | 10.0 ms | 12.0 ms | 1,000 | 0.00 s | 1.20 | ≤ 1.25 | reached |\n",
		"| last_name | 10.0 ms | 20.0 ms | 1,000 | 0.00 s | 2.00 | ≤ 1.25 | **missed** |\n",
		"| a user's page | 100 | 10.0 | 20.0 | 30.0 | ≤ 50 | reached |\n",
		"| move | 100,000 | 1.00 s | 2.00 s | 100 ms | 1100 ms | ≤ 1000 ms | **missed** |\n",
		"| first page (a.css 1.0 kB) | 200.0 kB | ≤ 200.0 kB | **missed** |\n",
		"| next | 14.0 kB | ≤ 15.0 kB | reached |\n",
		"| more | 100.0 kB | | |\n",
		"and imported: 50.0 s, 20,000 rows/s.\n",
		"| search | 10 | 0 ms | 0 ms | 2000 ms | 0 ms | | |\n",
		"| **all of them** | 1,234 | 10 ms | 100 ms | 1600 ms | 2000 ms | ≤ 1.50 s | **missed** |\n",
		"| **all of them** | 0 | 0 ms | 0 ms | 3000 ms | 0 ms | | |\n",
		"| 0 | 0 | reached |\n",
		"The most memory that the process held: 300 MB.\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %sin\n%s", want, text)
		}
	}
	if strings.Contains(text, "raw loader against") || strings.Contains(text, "### Run by run") {
		t.Errorf("imports were not measured:\n%s", text)
	}
}

// Measuring one part leaves what the document says of the other.
func TestWriteDocByPart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "performance.md")
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
	imports, console := madeUp(sqldb.Postgres), madeUp(sqldb.Postgres)
	console.Engines[0].Scenarios, console.Engines[0].Console = nil, madeUpConsole()
	if text := write(imports); !strings.Contains(text, "## The console on PostgreSQL\n\nNot measured yet.") {
		t.Errorf("got %s", text)
	}
	both := write(console)
	for _, r := range []*Result{imports, console} {
		if !strings.Contains(both, strings.TrimSpace(r.Markdown(&r.Engines[0]))) {
			t.Errorf("a part is missing in\n%s", both)
		}
	}
	if again := write(imports); again != both {
		t.Errorf("it changed:\n%s", again)
	}
}
