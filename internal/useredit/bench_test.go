package useredit_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
	"muster/internal/useredit"
)

// In the directory there are twice as many users as hold the value.
var benchUsers = flag.Int64("replace.users", 20_000, "how many users hold the value that BenchmarkReplace replaces")

// BenchmarkReplace replaces a CRM name and deletes it, and undoes that, while somebody else changes a user every 5 ms:
//
//	go test ./internal/useredit -run '^$' -bench Replace -benchtime 1x -replace.users 500000
//
// freeze-s, replace-s and undo-s are seconds; wait-ms is the longest that the other waited.
func BenchmarkReplace(b *testing.B) {
	for _, kind := range []directory.ValueKind{directory.CRMNameValue, directory.RoleValue} {
		b.Run("sqlite/"+string(kind), func(b *testing.B) { benchReplace(b, sqldb.Config{Dir: b.TempDir()}, kind) })
		b.Run("postgres/"+string(kind), func(b *testing.B) {
			benchReplace(b, sqldb.Config{Dir: b.TempDir(), URL: sqldbtest.Postgres(b)}, kind)
		})
	}
}

func benchReplace(b *testing.B, cfg sqldb.Config, kind directory.ValueKind) {
	h := newHouse(b, cfg)
	h.op.PieceUsers, h.op.ChunkUsers = 0, 0
	ctx := context.Background()
	from, to := map[directory.ValueKind]string{directory.CRMNameValue: "Siebel", directory.RoleValue: "Agent"}[kind], map[directory.ValueKind]string{directory.CRMNameValue: "Zendesk", directory.RoleValue: "Agent Basic"}[kind]
	n := *benchUsers
	h.exec(b, `INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, pbx_id, profile, org_unit_id, crm_name_id, changed_by, changed_at, first_key, last_key)
		WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		SELECT i, 'user' || CAST(i AS TEXT), 'user' || CAST(i AS TEXT), 'Mohammed', 'Al Mansouri', 'user' || CAST(i AS TEXT), 'user' || CAST(i AS TEXT), CAST(100000 + i AS TEXT), 3, $2, CASE WHEN i % 2 = 0 THEN CAST($3 AS BIGINT) END, 'ahaddad', 1700000000000000, 'mohammed', 'al mansouri' FROM n`,
		2*n, h.cfg.OrgUnits[1].ID, h.id(b, directory.CRMNameValue, "Siebel"))
	h.exec(b, "INSERT INTO user_roles (user_id, role_id) SELECT id, $1 FROM users WHERE id % 2 = 0", h.id(b, directory.RoleValue, "Agent"))
	if h.db.Engine == sqldb.Postgres {
		h.exec(b, "ANALYZE")
	}
	for b.Loop() {
		o := h.options(b, kind, from, to)
		o.Delete = true
		began := time.Now()
		made, err := useredit.Create(ctx, h.engine, system, o)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "freeze-s")
		longest := waits(h, b, 2*n)
		began = time.Now()
		if made = h.execute(b, made.ID); made.State == batch.Ready {
			made = h.apply(b, made) // more than go without asking
		}
		b.ReportMetric(time.Since(began).Seconds(), "replace-s")
		b.ReportMetric(float64(longest().Milliseconds()), "wait-ms")
		w, err := useredit.WorkOf(made)
		if err != nil || made.Counts.Updated != n || w.Deleted == nil {
			b.Fatalf("%s %s: %+v, %+v, %v", made.State, made.Reason, made.Counts, w, err)
		}
		longest = waits(h, b, 2*n)
		began = time.Now()
		h.undo(b, made.ID)
		b.ReportMetric(time.Since(began).Seconds(), "undo-s")
		b.ReportMetric(float64(longest().Milliseconds()), "undo-wait-ms")
	}
}

// waits lets somebody change users all the while; the function that it returns ends that, and says how long the longest
// change took.
func waits(h *house, b *testing.B, users int64) (end func() time.Duration) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	longest := time.Duration(0)
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
			began := time.Now()
			// Who is not concerned, so that all can be counted.
			err := h.db.Tx(context.Background(), func(tx *sqldb.Tx) error {
				_, err := tx.ExecContext(context.Background(), "UPDATE users SET last_name = $2, version = version + 1 WHERE id = $1", 1+2*rand.Int64N(users/2), fmt.Sprint("Lee ", began.UnixNano()))
				return err
			})
			if err != nil {
				b.Error(err)
				return
			}
			longest = max(longest, time.Since(began))
		}
	})
	return func() time.Duration {
		close(stop)
		wg.Wait()
		return longest
	}
}
