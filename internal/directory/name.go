package directory

import "muster/internal/sqldb"

// FoldName is how names of people are compared and sorted without regard to case: É as é, unlike [Fold], which is for
// ids. Whoever writes first_name or last_name writes this into first_key or last_key.
func FoldName(s string) string { return sqldb.FoldText(s) }
