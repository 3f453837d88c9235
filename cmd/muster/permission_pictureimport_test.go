package main

import (
	"context"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/pictureimport"
	"muster/internal/sqldb"
)

// pictureImportPermissions are of what an import of pictures asks of the engine.
func pictureImportPermissions() []permission {
	add := rights{"pictures:add"}
	return []permission{
		{method: "Engine.FreezeFor", why: "by whoever has the right anywhere", reach: anywhere, needs: add, call: func(w *ward, a directory.Actor) (bool, error) {
			f, err := w.app.engine.FreezeFor(w.Context(), a, batch.Spec{Needs: add}, "faces.zip", strings.NewReader("new"))
			return f.Hash != "", err
		}},
		{method: "Engine.FreezeFor", why: "by the import of pictures", reach: anywhere, needs: add, call: func(w *ward, a directory.Actor) (bool, error) {
			f, err := pictureimport.Freeze(w.Context(), w.app.engine, a, "faces.zip", strings.NewReader("new"))
			return f.Hash != "", err
		}},
		acting("Engine.Recheck", func(w *ward, a directory.Actor) (bool, error) {
			err := w.app.engine.Recheck(w.Context(), a, w.batches["ready"], "give a picture", "", func(*sqldb.Tx) error { return nil })
			return w.batch("ready").State != batch.Ready, err
		}),
		looking("Engine.Entries", func(w *ward, a directory.Actor) (bool, error) {
			rows, _, err := pictureimport.Page(context.Background(), w.app.engine, a, w.batch("done"), pictureimport.RowsQuery{})
			return len(rows) > 0, err
		}),
	}
}
