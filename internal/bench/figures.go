package bench

import (
	"slices"

	"muster/internal/sqldb"
)

// Result is everything that was measured. Its JSON has the raw figures; nothing in it is rounded.
type Result struct {
	Command string    `json:"command"`
	Date    string    `json:"date"`
	Machine Machine   `json:"machine"`
	Users   int       `json:"users"` // rows of UserDetails
	Runs    int       `json:"runs"`
	Engines []Figures `json:"engines"`
}

// Figures are those of one engine.
type Figures struct {
	Engine    sqldb.Engine `json:"engine"`
	Versions  []string     `json:"versions"`
	Scenarios []Scenario   `json:"scenarios,omitempty"` // of imports; none where only the console was measured
	Triple    *Triple      `json:"triple,omitempty"`
	Console   *Console     `json:"console,omitempty"`
	Edits     *Edits       `json:"edits,omitempty"`
	Pictures  *Pictures    `json:"pictures,omitempty"`
}

// Scenario is what was measured with one thing in the directory before.
type Scenario struct {
	Name   string   `json:"name"`
	Users  int64    `json:"users"` // that were written, by both
	Rows   [4]int64 `json:"rows"`  // the same by table: users, user_roles, user_channels, user_features
	Rounds []Round  `json:"rounds"`
}

// Round is one turn of everybody. Seconds are by the clock, from a process's start to its end.
type Round struct {
	Loader    float64  `json:"loader_seconds"`
	Unchecked float64  `json:"unchecked_loader_seconds,omitempty"` // SQLite only: foreign keys off
	Bare      float64  `json:"bare_loader_seconds,omitempty"`      // SQLite only: without what makes the rows right
	Import    Measured `json:"import"`
	Undo      Measured `json:"undo"`
	Preview   Measured `json:"preview"`
	Disturbed Measured `json:"disturbed_import"`
	Waits     Waits    `json:"other_user"` // of another user's writes during that
}

// Triple is one import of three times as many users.
type Triple struct {
	Rows int `json:"rows"`
	Measured
}

// of takes one figure out of every round.
func (s *Scenario) of(figure func(*Round) float64) []float64 {
	var all []float64
	for i := range s.Rounds {
		all = append(all, figure(&s.Rounds[i]))
	}
	return all
}

func (s *Scenario) loader() []float64 { return s.of(func(r *Round) float64 { return r.Loader }) }
func (s *Scenario) unchecked() []float64 {
	return s.of(func(r *Round) float64 { return r.Unchecked })
}
func (s *Scenario) bare() []float64 { return s.of(func(r *Round) float64 { return r.Bare }) }
func (s *Scenario) imports() []float64 {
	return s.of(func(r *Round) float64 { return r.Import.Seconds })
}
func (s *Scenario) undos() []float64 { return s.of(func(r *Round) float64 { return r.Undo.Seconds }) }
func (s *Scenario) previews() []float64 {
	return s.of(func(r *Round) float64 { return r.Preview.Seconds })
}
func (s *Scenario) disturbances() []float64 {
	return s.of(func(r *Round) float64 { return r.Disturbed.Seconds })
}

// peak is the most memory that any of Muster's processes held, in bytes.
func (f *Figures) peak() float64 {
	peak := int64(0)
	for _, s := range f.Scenarios {
		for _, r := range s.Rounds {
			peak = max(peak, r.Import.Peak, r.Undo.Peak, r.Preview.Peak, r.Disturbed.Peak)
		}
	}
	return float64(peak)
}

// ratio compares by the medians, and pair by pair.
type ratio struct {
	median float64
	pairs  []float64
}

func divide(a, b []float64) ratio {
	r := ratio{median: median(a) / median(b)}
	for i := range a {
		r.pairs = append(r.pairs, a[i]/b[i])
	}
	return r
}

func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	if n := len(all); n%2 == 0 {
		return (all[n/2-1] + all[n/2]) / 2
	}
	return all[len(all)/2]
}
