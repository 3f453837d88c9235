package directory

import (
	"context"

	"muster/internal/sqldb"
)

// Small limits bring every way to find a page into directories of some hundred users.
func init() {
	gridLimits.fewMatches, gridLimits.mostFetched, gridLimits.firstWindow, gridLimits.lastWindow, gridLimits.segments, gridLimits.groups = 10, 40, 15, 90, 3, 6
}

// ReadTexts has the names and ids of all users in memory when it returns.
func (d *Directory) ReadTexts(ctx context.Context) {
	d.readTexts(ctx)
}

// HasTexts tells whether they are there.
func (d *Directory) HasTexts() bool {
	d.search.mu.Lock()
	defer d.search.mu.Unlock()
	return d.search.texts != nil
}

// NoteWritten is what whoever writes users does.
func NoteWritten(ctx context.Context, tx *sqldb.Tx, ids ...IDs) error {
	return noteWritten(ctx, tx, ids...)
}
