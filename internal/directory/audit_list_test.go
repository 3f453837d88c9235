package directory

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

// auditBook writes entries that look alike in many ways, some at the same moment, and returns them newest first.
func auditBook(t *testing.T, db *sqldb.DB, n int) []AuditEntry {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	var all []AuditEntry
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		all = nil
		for i := range n {
			e := AuditEntry{At: int64(1_000_000 + i/3), Actor: pick("ahaddad", "AHaddad", "pnair14", "system"), Source: pick("web", "cli"), Action: pick("create", "update", "delete"),
				Subject: pick("user", "role", "batch"), Name: pick("Team Lead", "team lead", "Équipe", "pnair14"), After: fmt.Sprintf(`{"n":%d}`, i), BatchID: int64(r.IntN(4))}
			if err := WriteAudit(t.Context(), tx, e); err != nil {
				return err
			}
			all = append(all, e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(all)
	return all
}

// Every filter picks what a look at each entry picks, page by page, and the walk has the same.
func TestAudit(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		t.Parallel()
		all := auditBook(t, db, 120)
		h := New(db).As(Person("chief1", "web", []Right{"audit:access"}, Everywhere()))
		for _, q := range []AuditQuery{
			{}, {Actor: "AHADDAD"}, {Action: "update"}, {Subject: "role"}, {Name: "TEAM lead"}, {Name: "Équipe"}, {BatchID: 2},
			{From: time.UnixMicro(1_000_010)}, {To: time.UnixMicro(1_000_010)}, {From: time.UnixMicro(1_000_005), To: time.UnixMicro(1_000_006)},
			{Actor: "system", Action: "delete", Subject: "batch", BatchID: 1, From: time.UnixMicro(1_000_003)}, {Actor: "nobody"}, {Name: "a\x00b"}, {Actor: "\xff"},
		} {
			var want []string
			for _, e := range all {
				if (q.Actor == "" || strings.EqualFold(e.Actor, q.Actor)) && (q.Action == "" || e.Action == q.Action) && (q.Subject == "" || e.Subject == q.Subject) &&
					(q.Name == "" || strings.EqualFold(e.Name, q.Name)) && (q.BatchID == 0 || e.BatchID == q.BatchID) &&
					(q.From.IsZero() || e.At >= q.From.UnixMicro()) && (q.To.IsZero() || e.At < q.To.UnixMicro()) {
					want = append(want, e.After)
				}
			}
			var walked, paged []string
			if err := h.WalkAudit(t.Context(), q, func(page []AuditEntry) error {
				for _, e := range page {
					walked = append(walked, e.After)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			for q, pages := q, 0; pages < 100; pages++ {
				q.Limit = 7
				p, err := h.Audit(t.Context(), q)
				if err != nil || p.Own || len(p.Entries) > 7 {
					t.Fatalf("%+v: %+v, %v", q, p, err)
				}
				for _, e := range p.Entries {
					paged = append(paged, e.After)
				}
				if q.After = p.Next; q.After == 0 {
					break
				}
			}
			if diff := cmp.Diff(want, paged); diff != "" {
				t.Errorf("%+v by pages: %s", q, diff)
			}
			if diff := cmp.Diff(want, walked); diff != "" {
				t.Errorf("%+v walked: %s", q, diff)
			}
			if n, err := h.CountAudit(t.Context(), q); err != nil || n != int64(len(want)) {
				t.Errorf("%+v: counted %d, want %d, %v", q, n, len(want), err)
			}
		}
		actions, subjects, err := h.AuditWords(t.Context())
		if diff := cmp.Diff([][]string{{"create", "delete", "update"}, {"batch", "role", "user"}}, [][]string{actions, subjects}); diff != "" || err != nil {
			t.Errorf("%s %v", diff, err)
		}
		if p, err := h.Audit(t.Context(), AuditQuery{After: 1 << 40}); err != nil || len(p.Entries) != 0 {
			t.Errorf("after an entry that is not there: %+v, %v", p, err)
		}
	})
}

// Whoever's access role has limits sees what they did themselves, and a user called system nothing of the system's.
func TestAuditOfOneself(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		t.Parallel()
		all := auditBook(t, db, 60)
		for _, who := range []string{"ahaddad", "pnair14", "system", ""} {
			h := New(db).As(Person(who, "web", []Right{"audit:access"}, Below("1/")))
			want := 0
			for _, e := range all {
				if e.Actor == who && who != systemActor {
					want++
				}
			}
			p, err := h.Audit(t.Context(), AuditQuery{Limit: 1000})
			if err != nil || !p.Own || len(p.Entries) != want {
				t.Errorf("%s sees %d entries, want %d: %v", who, len(p.Entries), want, err)
			}
			for _, e := range p.Entries {
				if e.Actor != who {
					t.Errorf("%s sees what %s did", who, e.Actor)
				}
			}
			if n, err := h.CountAudit(t.Context(), AuditQuery{}); err != nil || n != int64(want) {
				t.Errorf("%s counts %d, want %d: %v", who, n, want, err)
			}
			if p, err := h.Audit(t.Context(), AuditQuery{Actor: "pnair14"}); err != nil || who != "pnair14" && len(p.Entries) > 0 {
				t.Errorf("%s asks for others: %d, %v", who, len(p.Entries), err)
			}
		}
		if _, err := New(db).As(Person("ahaddad", "web", []Right{"users:access"}, Everywhere())).Audit(t.Context(), AuditQuery{}); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("without the right: %v", err)
		}
	})
}

// Each filter by itself goes along an index that has the order already, so that a page does not depend on how long the
// audit is.
func TestAuditIsFoundByIndex(t *testing.T) {
	t.Parallel()
	db := sqldbtest.Open(t, sqldb.Config{Dir: t.TempDir()})
	h := New(db).As(System("test"))
	for name, q := range map[string]AuditQuery{
		"audit_at": {}, "audit_actor": {Actor: "a"}, "audit_action": {Action: "a"}, "audit_kind": {Subject: "a"}, "audit_name": {Name: "a"}, "audit_batch": {BatchID: 3},
	} {
		for _, after := range []bool{false, true} {
			c := h.auditConditions(q)
			if after {
				c.add("(at, id) < (%s, %s)", 5, 5)
			}
			type step struct {
				ID, Parent, Unused int
				Detail             string
			}
			plan, err := sqldb.All[step](t.Context(), db.Read(), "EXPLAIN QUERY PLAN SELECT "+auditColumns+" FROM audit"+c.where()+" ORDER BY at DESC, id DESC LIMIT 50", c.args...)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range plan {
				if !strings.Contains(s.Detail, "INDEX "+name) {
					t.Errorf("%+v, after %v: %s", q, after, s.Detail)
				}
			}
		}
	}
}

// What an entry tells is shown as the fields that changed.
func TestAuditChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, before, after string
		want                []AuditChange
	}{
		{"nothing", "", "", nil},
		{"a field", `{"pbx_id":"1","first_name":"Lena","n":1}`, `{"pbx_id":"2","first_name":"Lena","n":1}`, []AuditChange{{Field: "pbx_id", Before: []string{"1"}, After: []string{"2"}}}},
		{"made", "", `{"name":"Cards","note":"","on":true,"off":false}`,
			[]AuditChange{{Field: "name", After: []string{"Cards"}}, {Field: "off", After: []string{"no"}}, {Field: "on", After: []string{"yes"}}}},
		{"gone", `{"name":"Cards"}`, "", []AuditChange{{Field: "name", Before: []string{"Cards"}}}},
		{"members", `{"rights":["a","b","c"]}`, `{"rights":["b","c","d"]}`, []AuditChange{{Field: "rights", Before: []string{"a"}, After: []string{"d"}, Same: 2}}},
		{"order", `{"levels":["a","b"]}`, `{"levels":["b","a"]}`, []AuditChange{{Field: "levels", Before: []string{"a", "b"}, After: []string{"b", "a"}}}},
		{"a rule", `{"rules":[]}`, `{"rules":[{"rule":"usb-storage","action":"lock","delay_seconds":30}]}`,
			[]AuditChange{{Field: "rules", After: []string{"usb-storage: lock after 30 s"}}}},
		{"nested", "", `{"channels":{"Voice":2,"Fax":1}}`, []AuditChange{{Field: "channels", After: []string{"Fax: 1", "Voice: 2"}}}},
		{"a number too long for a float", `{"n":9007199254740993}`, `{"n":9007199254740994}`, []AuditChange{{Field: "n", Before: []string{"9007199254740993"}, After: []string{"9007199254740994"}}}},
		{"no object", "ready", "applying", []AuditChange{{Before: []string{"ready"}, After: []string{"applying"}}}},
	} {
		if diff := cmp.Diff(c.want, AuditEntry{Before: c.before, After: c.after}.Changes()); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// The database itself keeps the audit as it is, whichever way somebody comes.
func TestAuditIsAppendOnly(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		t.Parallel()
		auditBook(t, db, 3)
		const columns = "(id, at, actor, source, action, subject, name) "
		const values = "VALUES (1, 1, 'mallory', 'web', 'create', 'user', 'x')"
		statements := []string{
			"UPDATE audit SET actor = 'mallory'", "UPDATE audit SET id = 99 WHERE id = 1", "DELETE FROM audit", "DELETE FROM audit WHERE id = 1",
			"INSERT INTO audit " + columns + values,
			"INSERT INTO audit " + columns + values + " ON CONFLICT (id) DO UPDATE SET actor = excluded.actor",
			"WITH gone AS (SELECT 1) UPDATE audit SET at = 0 WHERE EXISTS (SELECT 1 FROM gone)",
		}
		if db.Engine == sqldb.SQLite {
			statements = append(statements,
				"INSERT OR REPLACE INTO audit "+columns+values, "REPLACE INTO audit "+columns+values, "UPDATE OR REPLACE audit SET id = 2 WHERE id = 1",
				"INSERT OR REPLACE INTO audit "+columns+"SELECT id, 1, 'mallory', 'web', 'create', 'user', 'x' FROM audit",
				"INSERT INTO audit "+columns+strings.Replace(values, "(1,", "(-1,", 1), "INSERT INTO audit "+columns+strings.Replace(values, "(1,", "(0,", 1))
		} else {
			statements = append(statements, "TRUNCATE audit", "TRUNCATE audit CASCADE", "TRUNCATE audit, settings RESTART IDENTITY",
				"MERGE INTO audit a USING (SELECT 1 AS id) b ON a.id = b.id WHEN MATCHED THEN DELETE",
				"MERGE INTO audit a USING (SELECT 1 AS id) b ON a.id = b.id WHEN MATCHED THEN UPDATE SET actor = 'mallory'")
		}
		read := func() []auditRow {
			all, err := sqldb.All[auditRow](t.Context(), db.Read(), "SELECT "+auditColumns+" FROM audit ORDER BY id")
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		before := read()
		in := func(run func(context.Context, func(*sqldb.Tx) error) error) func(string) error {
			return func(statement string) error {
				return run(t.Context(), func(tx *sqldb.Tx) error {
					_, err := tx.ExecContext(t.Context(), statement)
					return err
				})
			}
		}
		for pool, do := range map[string]func(string) error{
			"the reading pool": func(statement string) error {
				_, err := db.Read().ExecContext(t.Context(), statement)
				return err
			},
			"the writer": in(db.Tx), "the loader": in(db.BulkTx),
			"a snapshot": func(statement string) error {
				return db.Snapshot(t.Context(), func(q sqldb.Querier) error {
					_, err := q.ExecContext(t.Context(), statement)
					return err
				})
			},
		} {
			for _, statement := range statements {
				if err := do(statement); err == nil {
					t.Errorf("%s takes %s", pool, statement)
				}
				if diff := cmp.Diff(before, read()); diff != "" {
					t.Fatalf("%s, %s: the audit is another one: %s", pool, statement, diff)
				}
			}
		}
		auditBook(t, db, 1) // and it goes on
		if n := len(read()); n != len(before)+1 {
			t.Errorf("%d entries", n)
		}
	})
}
