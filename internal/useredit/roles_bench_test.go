package useredit_test

import (
	"context"
	"flag"
	"fmt"
	"syscall"
	"testing"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
	"muster/internal/useredit"
)

var assignUsers = flag.Int64("assign.users", 20_000, "how many users BenchmarkAssign gives a role")

// BenchmarkAssign gives a role to everybody and takes it again, and does the same by bare statements:
//
//	go test ./internal/useredit -run '^$' -bench Assign -benchtime 1x -assign.users 300000
//
// freeze-s, tell-s (the consequences), check-s (the preview) and apply-s are seconds, and undo-s; bare-s is how long the bare
// statements took, and percent their time of check and apply; percent-cpu is the same of the processors' time.
func BenchmarkAssign(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchAssign(b, sqldb.Config{Dir: b.TempDir()}) })
	b.Run("postgres", func(b *testing.B) { benchAssign(b, sqldb.Config{Dir: b.TempDir(), URL: sqldbtest.Postgres(b)}) })
}

func benchAssign(b *testing.B, cfg sqldb.Config) {
	h := newHouse(b, cfg)
	h.edit.PieceUsers, h.edit.ChunkUsers = 0, 0
	h.op.PieceUsers, h.op.ChunkUsers = 0, 0
	n := *assignUsers
	h.crowd(b)
	basic := h.id(b, directory.RoleValue, "Agent Basic")
	h.exec(b, "INSERT INTO batches (id, action, state, owner, source, options, created_at) VALUES (1000000, 'bare', 'done', 'p', 'test', '{}', 1)")
	if h.db.Engine == sqldb.Postgres {
		h.exec(b, "ANALYZE")
	}
	for b.Loop() {
		for _, mode := range []directory.RoleMode{directory.AddRoles, directory.RemoveRoles} {
			bare, bareCPU := h.bare(b, mode, basic)
			seconds := func(what string, began time.Time) float64 {
				s := time.Since(began).Seconds()
				b.ReportMetric(s, string(mode)+"-"+what+"-s")
				return s
			}
			began := time.Now()
			set, err := useredit.Freeze(context.Background(), h.engine, system, useredit.Source{Filter: &directory.UserFilter{}})
			if err != nil || set.Users != n {
				b.Fatal(set, err)
			}
			seconds("freeze", began)
			e := h.roleEdit(b, mode, "Agent Basic")
			e.Preview = true
			began = time.Now()
			c, err := useredit.Consequence(context.Background(), h.engine, system, set.ID, e)
			if err != nil || c.Changes != n {
				b.Fatal(c, err)
			}
			seconds("tell", began)
			began = time.Now()
			was := cpu()
			made, err := useredit.CreateEdit(context.Background(), h.engine, system, set.ID, e)
			if err != nil {
				b.Fatal(err)
			}
			made = h.execute(b, made.ID)
			took := seconds("check", began)
			began = time.Now()
			if made = h.apply(b, made); made.State != batch.Done || made.Counts.Updated != n {
				b.Fatalf("%s %s: %+v", made.State, made.Reason, made.Counts)
			}
			took += seconds("apply", began)
			b.ReportMetric(100*bareCPU/(cpu()-was), string(mode)+"-percent-cpu")
			b.ReportMetric(bare, string(mode)+"-bare-s")
			b.ReportMetric(100*bare/took, string(mode)+"-percent")
			began = time.Now()
			h.undo(b, made.ID)
			seconds("undo", began)
			if mode == directory.AddRoles {
				h.exec(b, "INSERT INTO user_roles (user_id, role_id) SELECT id, $1 FROM users", basic)
			}
		}
	}
}

// crowd makes as many users as the benchmark is to have, who all are agents.
func (h *house) crowd(b *testing.B) {
	b.Helper()
	h.exec(b, `INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, pbx_id, profile, org_unit_id, changed_by, changed_at, first_key, last_key)
		WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		SELECT i, 'user' || CAST(i AS TEXT), 'user' || CAST(i AS TEXT), 'Mohammed', 'Al Mansouri', 'user' || CAST(i AS TEXT), 'user' || CAST(i AS TEXT), CAST(100000 + i AS TEXT), 3, $2, 'ahaddad', 1700000000000000, 'mohammed', 'al mansouri' FROM n`,
		*assignUsers, h.cfg.OrgUnits[1].ID)
	h.exec(b, "INSERT INTO user_roles (user_id, role_id) SELECT id, $1 FROM users", h.id(b, directory.RoleValue, "Agent"))
}

// BenchmarkAssignFew gives a role to every twentieth user, named by a file, freezing and all.
func BenchmarkAssignFew(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchAssignFew(b, sqldb.Config{Dir: b.TempDir()}) })
	b.Run("postgres", func(b *testing.B) { benchAssignFew(b, sqldb.Config{Dir: b.TempDir(), URL: sqldbtest.Postgres(b)}) })
}

func benchAssignFew(b *testing.B, cfg sqldb.Config) {
	h := newHouse(b, cfg)
	h.edit.PieceUsers, h.edit.ChunkUsers = 0, 0
	h.crowd(b)
	var lanIDs []string
	for i := int64(1); i <= *assignUsers; i += 20 {
		lanIDs = append(lanIDs, fmt.Sprintf("user%d", i))
	}
	for b.Loop() {
		was := cpu()
		set, err := useredit.Freeze(context.Background(), h.engine, system, useredit.Source{LANIDs: lanIDs})
		if err != nil || set.Unknown > 0 {
			b.Fatal(set, err)
		}
		b.ReportMetric(cpu()-was, "freeze-cpu-s")
		e := h.roleEdit(b, directory.AddRoles, "Agent Basic")
		if made := h.editSet(b, system, set, e); made.Counts.Updated != int64(len(lanIDs)) {
			b.Fatalf("%+v", made)
		}
		b.ReportMetric(cpu()-was, "cpu-s")
		h.exec(b, "DELETE FROM user_roles WHERE role_id = $1", e.Roles.Roles[0])
	}
}

// cpu is how many seconds of the processors this process has taken so far; on SQLite that is all there is.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// bare does the same to all users by bare statements, takes it back again unseen, and returns the seconds it took.
func (h *house) bare(b *testing.B, mode directory.RoleMode, role int64) (seconds, processor float64) {
	ctx := context.Background()
	roles, before, after := fmt.Sprintf("INSERT INTO user_roles (user_id, role_id) SELECT id, %d FROM users", role), int64(0), role
	back := fmt.Sprintf("DELETE FROM user_roles WHERE role_id = %d", role)
	if mode == directory.RemoveRoles {
		before, after, roles, back = role, 0, back, roles
	}
	began, was := time.Now(), cpu()
	err := h.db.BulkTx(ctx, func(tx *sqldb.Tx) error {
		for _, s := range []string{
			fmt.Sprintf("INSERT INTO user_changes (batch_id, user_id, what, before, after, version) SELECT 1000000, id, 'role', %d, %d, version + 1 FROM users", before, after), roles,
			"UPDATE users SET version = version + 1, changed_by = 'bare', changed_at = 1700000000000001",
		} {
			if _, err := tx.ExecContext(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	seconds, processor = time.Since(began).Seconds(), cpu()-was
	h.exec(b, "DELETE FROM user_changes")
	h.exec(b, back)
	h.exec(b, "UPDATE users SET changed_by = 'ahaddad', version = version + 1")
	if h.db.Engine == sqldb.Postgres {
		_, _ = h.db.Read().ExecContext(ctx, "VACUUM ANALYZE")
	}
	return seconds, processor
}
