package main

import (
	"context"
	"path/filepath"

	"muster/internal/sqldb"
)

type migrateCmd struct{}

// Run brings the schema up to date, which opening the database does.
func (c *migrateCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	version, err := a.db.Version(ctx)
	if err != nil {
		return err
	}
	where := filepath.Join(s.dataDir(), sqldb.FileName)
	if s.Database != "" {
		where = hidePassword(s.Database)
	}
	if s.json {
		return writeJSON(s.out, struct {
			Database string `json:"database"`
			Schema   int64  `json:"schema"`
		}{where, version})
	}
	s.printf("%s is up to date (schema %d).\n", where, version)
	return nil
}
