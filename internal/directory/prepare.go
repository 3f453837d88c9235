package directory

import (
	"context"

	"muster/internal/sqldb"
)

// Default is the configuration that a new directory begins with.
func Default() Configuration {
	c := Configuration{
		Levels: []string{"Country", "Division", "Department", "Team"},
		Channels: []Channel{
			{Name: "Voice", Default: 1, Highest: 1},
			{Name: "Text Chat", Default: 1, Highest: 5},
			{Name: "Audio Chat", Default: 1, Highest: 1},
			{Name: "Video Chat", Default: 1, Highest: 1},
			{Name: "Fax", Default: 1, Highest: 3},
			{Name: "Email", Default: 1, Highest: 5},
			{Name: "SMS", Default: 1, Highest: 5},
		},
	}
	for _, name := range []string{
		"Voice ACD Auto Answer", "Voice ACD Auto ACW", "Voice All Auto ACW", "Hold Voice Call On Chat Call", "CRM Enabled",
		"Text Chat Auto Answer", "Second Text Chat Auto Answer", "Text Chat Auto ACW",
	} {
		c.Features = append(c.Features, Feature{Name: name, Kind: "switch", Default: "no"})
	}
	c.Features = append(c.Features, Feature{Name: "Manual In", Kind: "list", Values: []string{"Auto In", "Manual In"}, Default: "Auto In"})
	return c
}

// Prepare gives a new directory its [Default] configuration; one that has ever been configured is left alone. Several
// processes may call it at once.
func (d *Directory) Prepare(ctx context.Context) error {
	untouched, err := isUntouched(ctx, d.DB.Read())
	if err != nil || !untouched {
		return err
	}
	return d.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.ExecContext(ctx, lockConfiguration); err != nil {
			return err
		}
		// Another process may have been quicker.
		untouched, err := isUntouched(ctx, tx)
		if err != nil || !untouched {
			return err
		}
		_, err = d.As(System("first start")).apply(ctx, tx, Default(), false)
		return err
	})
}

func isUntouched(ctx context.Context, q sqldb.Querier) (bool, error) {
	n, _, err := sqldb.One[int64](ctx, q, `
		SELECT count(*) FROM directory_revision
		WHERE revision = 1 AND NOT EXISTS (SELECT 1 FROM org_levels)`)
	return n == 1, err
}
