package bench

import "muster/internal/sqldb"

// targets are what is aimed at, at a million rows on two cores. Ratios to the raw loader are of rows a second, so
// that more is better; the preview's is of time.
type targets struct {
	ratio   map[string]float64 // by scenario: at least
	preview float64            // of the loader's time, at most
	undo    float64            // of the import's time, at most
	wait    float64            // seconds, at most
	memory  float64            // bytes, at most, whatever the number of rows
}

var aims = map[sqldb.Engine]targets{
	sqldb.SQLite: {
		ratio:   map[string]float64{scenarios[0].name: 0.80, scenarios[1].name: 0.70},
		preview: 0.40, undo: 1, wait: 1.0, memory: 512e6,
	},
	sqldb.Postgres: {
		ratio:   map[string]float64{scenarios[0].name: 1.20, scenarios[1].name: 1.00},
		preview: 0.35, undo: 1, wait: 0.1, memory: 200e6,
	},
}

// aimedRows is the size that the targets are for.
const aimedRows = 1_000_000
