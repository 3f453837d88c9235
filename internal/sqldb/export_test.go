package sqldb

import "context"

// OpenAt opens a database as an older Muster left it: with the migrations up to a version.
func OpenAt(ctx context.Context, cfg Config, version int64) (*DB, error) {
	db, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return db, db.migrateTo(ctx, version)
}
