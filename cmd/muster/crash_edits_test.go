package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
	"muster/internal/useredit"
)

// crashUsers is how many users are edited while the process is killed: on a quiet machine half a second of work.
const crashUsers = 20_000

// crashEdit is a bulk edit of everybody.
type crashEdit struct {
	name string
	// make makes the batch, up to its preview; nil where the command to kill does that itself.
	make func(ctx context.Context, a *app) (*batch.Batch, error)
	// args run it, up to its end; the batch's number is put in.
	args func(id int64) []string
	// changed is the condition on users who have what the edit gives; it takes no parameters.
	changed string
}

var crashEdits = []crashEdit{
	{
		name: "assign role",
		args: func(int64) []string {
			return []string{"roles", "assign", "--role", "Quality Coach", "--where", "", "--yes", "--json", "--rows", "none"}
		},
		changed: "EXISTS (SELECT 1 FROM user_roles h JOIN roles r ON r.id = h.role_id WHERE h.user_id = users.id AND r.name = 'Quality Coach')",
	},
	{
		name: "set status",
		make: func(ctx context.Context, a *app) (*batch.Batch, error) {
			set, err := useredit.Freeze(ctx, a.engine, a.actor, useredit.Source{Filter: &directory.UserFilter{}})
			if err != nil {
				return nil, err
			}
			return useredit.CreateEdit(ctx, a.engine, a.actor, set.ID, useredit.Edit{Status: &directory.StatusEdit{ReleasePBX: true}, Reason: "moved away", Preview: true})
		},
		args:    applyArgs,
		changed: "users.active = 0 AND users.pbx_id IS NULL",
	},
	{
		name: "replace value",
		make: func(ctx context.Context, a *app) (*batch.Batch, error) {
			cfg, err := directory.LoadConfiguration(ctx, a.db.Read())
			if err != nil {
				return nil, err
			}
			return useredit.Create(ctx, a.engine, a.actor, useredit.Options{Kind: directory.CRMNameValue, From: cfg.CRMNames[0].ID, To: cfg.CRMNames[1].ID, Preview: true})
		},
		args:    applyArgs,
		changed: "users.crm_name_id = (SELECT c.id FROM crm_names c ORDER BY c.name LIMIT 1 OFFSET 1)",
	},
}

func applyArgs(id int64) []string {
	return []string{"batches", "apply", strconv.FormatInt(id, 10), "--json", "--rows", "none"}
}

// TestKillEdits kills bulk edits, and their undos, at random instants: each user is then changed once or not at all, and after
// the next start all of them are. MUSTER_KILLS sets how often each (2).
func TestKillEdits(t *testing.T) {
	if testing.Short() {
		t.Skip("the processes that it kills are not built with the race detector")
	}
	t.Parallel()
	kills := 2
	if n, err := strconv.Atoi(os.Getenv("MUSTER_KILLS")); err == nil {
		kills = n
	}
	files := crashFiles(t, 10)
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, edit := range crashEdits {
			t.Run(engine+"/"+edit.name, func(t *testing.T) {
				t.Parallel()
				k := &killing{place: newPlace(t, engine, files), edit: edit}
				k.populate()
				var apply, undo time.Duration
				for round := range kills + 1 {
					// The first round is left alone, and says how long the others take.
					calm := round == 0
					id := k.prepare()
					if took := k.kill("apply", calm, apply, edit.args(id)...); calm {
						apply = took
					}
					id = k.recoverApply(id)
					k.expect(id, "done", int64(2*round+2), crashUsers)
					if took := k.kill("undo", calm, undo, "batches", "undo", strconv.FormatInt(id, 10), "--json"); calm {
						undo = took
					}
					k.recoverUndo(id)
					k.expect(id, "undone", int64(2*round+3), 0)
				}
			})
		}
	}
}

// killing is an edit that is killed over and over, on one directory.
type killing struct {
	*place
	edit crashEdit
	last int64 // the newest batch
}

// within runs fn with the program open, as the command line has it.
func (k *killing) within(fn func(ctx context.Context, a *app) error) {
	k.t.Helper()
	c := config{DataDir: k.dir}
	if len(k.args) > 2 {
		c.Database = k.args[3]
	}
	a, err := c.open(k.t.Context(), io.Discard)
	if err == nil {
		defer a.close()
		err = fn(k.t.Context(), a)
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

// populate makes the users by a statement, and lets the guard pass all of them.
func (k *killing) populate() {
	k.t.Helper()
	k.must("settings", "set", "guard_percent", "100")
	k.within(func(ctx context.Context, a *app) error {
		return a.db.Tx(ctx, func(tx *sqldb.Tx) error {
			for _, s := range []string{
				fmt.Sprintf(`INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, pbx_id, profile, org_unit_id, crm_name_id, changed_by, changed_at, first_key, last_key)
					WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < %d)
					SELECT i, 'user' || CAST(i AS TEXT), 'user' || CAST(i AS TEXT), 'Ann', 'Lee', 'user' || CAST(i AS TEXT), 'user' || CAST(i AS TEXT), CAST(100000 + i AS TEXT), 3,
						(SELECT min(o.id) FROM org_units o WHERE o.depth = 4), (SELECT c.id FROM crm_names c ORDER BY c.name LIMIT 1), 'somebody', 1, 'ann', 'lee' FROM n`, crashUsers),
				"UPDATE user_ids SET next_id = " + strconv.Itoa(crashUsers+1),
				"INSERT INTO user_roles (user_id, role_id) SELECT u.id, (SELECT r.id FROM roles r WHERE r.name = 'Agent') FROM users u",
			} {
				if _, err := tx.ExecContext(ctx, s); err != nil {
					return fmt.Errorf("%s: %w", s, err)
				}
			}
			return nil
		})
	})
}

// prepare makes the batch and its preview, where the command to kill does not.
func (k *killing) prepare() (id int64) {
	k.t.Helper()
	if k.edit.make == nil {
		return 0
	}
	k.within(func(ctx context.Context, a *app) error {
		b, err := k.edit.make(ctx, a)
		if err != nil {
			return err
		}
		if b, err = a.engine.Execute(ctx, b.ID, nil); err == nil && b.State != batch.Ready {
			err = fmt.Errorf("the preview is %s: %s", b.State, b.Reason)
		}
		id = b.ID
		return err
	})
	return id
}

// kill runs the command, kills it somewhere in the time that it is to take, unless it is left alone, and makes sure that
// nobody is changed by halves. It returns how long it ran.
func (k *killing) kill(what string, calm bool, takes time.Duration, args ...string) time.Duration {
	k.t.Helper()
	cmd, began := k.command(args...), time.Now()
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	if !calm {
		time.Sleep(time.Duration(rand.Float64() * 1.05 * float64(takes)))
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			k.t.Fatal(err)
		}
	}
	_ = cmd.Wait() // killed, or done
	took := time.Since(began)
	k.within(func(ctx context.Context, a *app) error {
		type halves struct{ Changed, Told, Untrue int64 }
		// Told are those of whom a journal says that they are changed, and untrue is what it says of somebody who is not.
		h, _, err := sqldb.One[halves](ctx, a.db.Read(), fmt.Sprintf(`SELECT (SELECT count(*) FROM users WHERE %s), (SELECT count(*) FROM user_changes WHERE undone = 0),
			(SELECT count(*) FROM user_changes j JOIN users ON users.id = j.user_id WHERE j.undone = 0 AND (users.version <> j.version OR NOT (%s)))`, k.edit.changed, k.edit.changed))
		if err == nil && (h.Changed != h.Told || h.Untrue != 0) {
			err = fmt.Errorf("%s killed after %v of %v: somebody is changed by halves: %+v", what, took, takes, h)
		}
		if !calm {
			k.t.Logf("%s killed after %v of %v: %d of %d are changed", what, took, takes, h.Changed, crashUsers)
		}
		return err
	})
	return took
}

// recoverApply does what somebody does after a crash: what was left is run to its end, and what had not begun is begun again.
func (k *killing) recoverApply(id int64) int64 {
	k.t.Helper()
	k.must("batches", "wait", "--json")
	b := k.newest()
	if k.edit.make == nil && b.Batch == k.last {
		k.must(k.edit.args(0)...)
		b = k.newest()
	} else if b.State == "ready" {
		k.must(k.edit.args(id)...)
	}
	k.last = b.Batch
	return b.Batch
}

func (k *killing) recoverUndo(id int64) {
	k.t.Helper()
	k.must("batches", "wait", "--json")
	if k.newest().State != "undone" {
		k.must("batches", "undo", strconv.FormatInt(id, 10), "--json")
	}
}

type newestBatch struct {
	Batch  int64
	State  string
	Counts struct{ Rows, Updated, Unchanged, Invalid int64 }
	Undone int64
}

func (k *killing) newest() (b newestBatch) {
	k.t.Helper()
	var list struct{ Batches []newestBatch }
	if err := json.Unmarshal(k.must("batches", "list", "--json"), &list); err != nil {
		k.t.Fatal(err)
	}
	if len(list.Batches) > 0 {
		b = list.Batches[0]
	}
	return b
}

// expect makes sure that everybody has been changed so often in all, that so many have what the edit gives, and that the batch
// says so.
func (k *killing) expect(id int64, state string, version, changed int64) {
	k.t.Helper()
	b := k.newest()
	if b.Batch != id || b.State != state || b.Counts.Rows != crashUsers || b.Counts.Updated != crashUsers {
		k.t.Fatalf("the batch says %+v, and is to be %d, %s", b, id, state)
	}
	k.within(func(ctx context.Context, a *app) error {
		type found struct{ As, Changed, Journal int64 }
		f, _, err := sqldb.One[found](ctx, a.db.Read(), fmt.Sprintf(`SELECT (SELECT count(*) FROM users WHERE version = $1), (SELECT count(*) FROM users WHERE %s),
			(SELECT count(*) FROM user_changes WHERE batch_id = $2)`, k.edit.changed), version, id)
		if want := (found{crashUsers, changed, crashUsers}); err == nil && f != want {
			err = fmt.Errorf("%s: %+v, not %+v", state, f, want)
		}
		return err
	})
}
