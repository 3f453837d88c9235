package directory_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Where a right holds is where units may be changed; nobody moves into their scope what is outside, or out of it what is
// inside.
func TestOrgScope(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		newOrg(t, d)
		ctx := t.Context()
		id := func(full string) int64 { return unitNamed(t, d, full).ID }
		path := func(full string) string { return unitNamed(t, d, full).Path }
		person := func(s directory.Scope) *directory.Handle {
			return d.As(directory.Person("p", "web", allRights(), s))
		}
		cards, own := person(directory.Below(path("UAE / Cards"))), person(directory.Exactly(path("UAE / Cards")))
		two := person(directory.Below(path("UAE / Cards"), path("Oman / Retail")))
		uae, nowhere := person(directory.Below(path("UAE"))), person(directory.Scope{})
		none := directory.UnitSeen{}
		add := func(h *directory.Handle, parent int64) error { _, err := h.AddUnit(ctx, parent, "New"); return err }
		rename := func(h *directory.Handle, full string) error {
			_, err := h.RenameUnit(ctx, id(full), none, "New")
			return err
		}
		move := func(h *directory.Handle, full string, to int64) error {
			_, err := h.MoveUnit(ctx, id(full), none, to)
			return err
		}
		remove := func(h *directory.Handle, full string) error { return h.DeleteUnit(ctx, id(full), none) }
		plan := func(h *directory.Handle, full string) error {
			_, err := h.AddUnits(ctx, []string{full})
			return err
		}
		before := load(t, d)
		for name, err := range map[string]error{
			"add elsewhere":               add(cards, id("UAE / Loans")),
			"add above":                   add(cards, id("UAE")),
			"add at the top":              add(uae, 0),
			"add below the own unit":      add(own, id("UAE / Cards")),
			"add nowhere":                 add(nowhere, id("UAE")),
			"rename elsewhere":            rename(cards, "UAE / Loans"),
			"rename above":                rename(cards, "UAE"),
			"rename below the own unit":   rename(own, "UAE / Cards / Team 1"),
			"move into the scope":         move(cards, "UAE / Loans / Team 3", id("UAE / Cards")),
			"move out of it":              move(cards, "UAE / Cards / Team 10", id("UAE / Loans")),
			"move the scope itself":       move(cards, "UAE / Cards", id("Oman")),
			"move to the top":             move(uae, "UAE / Empty", 0),
			"move from the top":           move(person(directory.Below(path("UAE"), path("Oman"))), "Oman", id("UAE")),
			"move with the own unit only": move(own, "UAE / Cards", id("Oman")),
			"move nowhere":                move(nowhere, "UAE / Cards / Team 10", id("UAE / Loans")),
			"delete elsewhere":            remove(cards, "UAE / Empty"),
			"delete nowhere":              remove(nowhere, "UAE / Empty"),
			"import elsewhere":            plan(cards, "UAE / Loans / New"),
			"import at the top":           plan(uae, "New"),
			"levels":                      uae.SetLevels(ctx, before.Levels, []string{"A", "B", "C"}),
		} {
			if fault.KindOf(err) != fault.Forbidden {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if diff := cmp.Diff(before, load(t, d)); diff != "" {
			t.Errorf("something was changed\n%s", diff)
		}
		for _, err := range []error{
			add(cards, id("UAE / Cards")), rename(own, "UAE / Cards"), move(two, "UAE / New / Team 10", id("Oman / Retail")),
			remove(two, "Oman / Retail / Team 10"), plan(uae, "UAE / Loans / New"),
		} {
			if err != nil {
				t.Error(err)
			}
		}
		checkTree(t, d)
	})
}

// Several people add, rename, move and delete at random at the same time, and import: the tree stays one.
func TestOrgAtOnce(t *testing.T) {
	t.Parallel()
	rounds := 4
	if testing.Short() {
		rounds = 1
	}
	for round := range rounds {
		eachDirectory(t, func(t *testing.T, d *directory.Directory) {
			newOrg(t, d)
			var wg sync.WaitGroup
			var mu sync.Mutex
			done := map[string]int{}
			for who := range 4 {
				wg.Add(1)
				go func() {
					defer wg.Done()
					r := rand.New(rand.NewPCG(uint64(round), uint64(who)))
					for range 40 {
						what, err := changeAtRandom(t.Context(), d, r, who)
						var refused *fault.Error
						if err != nil && (!errors.As(err, &refused) || refused.Kind == fault.Internal) {
							t.Errorf("%s: %v", what, err)
						}
						mu.Lock()
						if err == nil {
							done[what]++
						} else {
							done[what+" refused"]++
						}
						mu.Unlock()
					}
				}()
			}
			wg.Wait()
			checkTree(t, d)
			for _, what := range []string{"add", "rename", "move", "delete", "move refused", "add refused"} {
				if done[what] == 0 {
					t.Errorf("nobody did: %s (%v)", what, done)
				}
			}
			t.Log(done)
		})
	}
}

// Where transactions run beside each other, a team may leave its level between the check of its new agents and their being
// written.
func TestOrgHold(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		if d.DB.Engine == sqldb.SQLite {
			return // writers wait for each other
		}
		newOrg(t, d)
		team := unitNamed(t, d, "UAE / Loans / Team 3")
		err := d.DB.Tx(t.Context(), func(tx *sqldb.Tx) error {
			cfg, err := directory.LoadConfiguration(t.Context(), tx)
			if err != nil {
				return err
			}
			if _, err := system(d).MoveUnit(t.Context(), team.ID, team.Seen(), 0); err != nil {
				return err
			}
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, profile, changed_by, changed_at, org_unit_id)
				VALUES (77, 'a', 'a', 'A', 'B', 'a', 'a', 3, 'x', 1, $1)`, team.ID); err != nil {
				return err
			}
			_, err = directory.NewRules(cfg, directory.System("test")).VerifyParents(t.Context(), d.DB, tx, nil, 0)
			return err
		})
		if !errors.Is(err, directory.ErrConfigurationChanged) {
			t.Errorf("an agent came into what was a team: %v", err)
		}
		checkTree(t, d)
	})
}

// changeAtRandom does one thing to a unit as it was seen a moment ago. One of the people acts in a part of the tree only,
// and one puts agents into teams, as an import would.
func changeAtRandom(ctx context.Context, d *directory.Directory, r *rand.Rand, who int) (what string, err error) {
	all, err := sqldb.All[directory.OrgUnit](ctx, d.DB.Read(), "SELECT id, coalesce(parent_id, 0), name, full_name, depth, path FROM org_units ORDER BY id")
	if err != nil || len(all) == 0 {
		return "look", err
	}
	pick := func() directory.OrgUnit { return all[r.IntN(len(all))] }
	h := system(d)
	u, other := pick(), pick()
	if who == 1 {
		h = d.As(directory.Person("p", "web", allRights(), directory.Below(all[0].Path, all[len(all)-1].Path, other.Path)))
	}
	name := fmt.Sprintf("U %c", 'A'+r.IntN(6))
	to := other.ID
	if r.IntN(8) == 0 {
		to = 0
	}
	switch n := r.IntN(20); {
	case n < 6:
		_, err = h.AddUnit(ctx, to, name)
		return "add", err
	case n < 9:
		_, err = h.RenameUnit(ctx, u.ID, u.Seen(), name)
		return "rename", err
	case n < 15:
		_, err = h.MoveUnit(ctx, u.ID, u.Seen(), to)
		return "move", err
	case n < 18:
		return "delete", h.DeleteUnit(ctx, u.ID, u.Seen())
	case n < 19:
		_, err = h.AddUnits(ctx, []string{"U A / " + name + " / Team", u.FullName + " / " + name})
		return "import", err
	}
	return "hire", hire(ctx, d, u, who, r.Int64())
}

// hire puts an agent into a team, and makes sure that it is one, as those who write users do.
func hire(ctx context.Context, d *directory.Directory, u directory.OrgUnit, who int, id int64) error {
	return d.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		cfg, err := directory.LoadConfiguration(ctx, tx)
		if err != nil {
			return err
		}
		key := fmt.Sprint("agent", who, "-", id)
		_, err = tx.ExecContext(ctx, `INSERT INTO users (id, lan_id, lan_key, first_name, last_name, agent_id, agent_key, profile, changed_by, changed_at, org_unit_id)
			SELECT $1, $2, $2, 'A', 'B', $2, $2, 3, 'x', 1, id FROM org_units WHERE id = $3 AND depth = $4`, id, key, u.ID, len(cfg.Levels))
		if sqldb.ErrorKind(err) == sqldb.ForeignKey {
			return fault.New(fault.Conflict, "deleted meanwhile")
		}
		if err != nil {
			return err
		}
		_, err = directory.NewRules(cfg, directory.System("test")).VerifyParents(ctx, d.DB, tx, nil, 0)
		return err
	})
}
