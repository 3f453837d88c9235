package directory_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Two people do whatever comes to their minds, at once. What must hold of the directory holds after each round.
func TestRandomChangesOfUsers(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		for _, lanID := range []string{"root", "second"} {
			id, err := createAdministrator(o.Context(), system(o.d), o.d, directory.Applicant{LANID: lanID, FirstName: "A", LastName: "B"})
			if err != nil {
				o.Fatal(err)
			}
			letIn(o.T, o.d, id)
		}
		actors := []*directory.Handle{system(o.d), o.as(nil, "UAE")}
		done := map[string]int{}
		var mu sync.Mutex
		for round := range 120 {
			var wg sync.WaitGroup
			for i, h := range actors {
				wg.Go(func() {
					rnd := rand.New(rand.NewPCG(uint64(round), uint64(i)))
					what, err := o.something(h, rnd)
					mu.Lock()
					defer mu.Unlock()
					switch fault.KindOf(err) {
					case fault.NotFound, fault.Conflict, fault.Invalid:
					default:
						if err != nil {
							o.Errorf("round %d: %s: %v", round, what, err)
							break
						}
						done[what]++
					}
				})
			}
			wg.Wait()
			if o.holds(); o.Failed() {
				o.Fatalf("after round %d", round)
			}
		}
		for _, what := range []string{"add", "edit", "deactivate", "reactivate", "delete", "move"} {
			if done[what] == 0 {
				o.Errorf("never done: %s (%v)", what, done)
			}
		}
	})
}

// something does something with somebody. What did not come to pass, for whatever good reason, is an error.
func (o *office) something(h *directory.Handle, rnd *rand.Rand) (what string, err error) {
	ids, err := sqldb.All[int64](o.Context(), o.d.DB.Read(), "SELECT id FROM users ORDER BY id")
	if err != nil {
		return "look", err
	}
	id := one(rnd, ids...)
	refused := func(problems []directory.Problem) error {
		if errorCodes(problems) == "" {
			return nil
		}
		return fault.New(fault.Invalid, "%s", errorCodes(problems))
	}
	u, err := h.User(o.Context(), id)
	if err != nil {
		return "look", err
	}
	switch rnd.IntN(10) {
	case 0, 1:
		in := o.drawn(rnd, o.input(fmt.Sprint("u", rnd.IntN(40)), fmt.Sprint(100+rnd.IntN(60)), one(rnd, "Agent", "Supervisor"), u.LANID, "UAE / Retail / Team 1", "Agent"))
		_, problems, err := h.AddUser(o.Context(), in)
		if err == nil {
			err = refused(problems)
		}
		return "add", err
	case 2:
		return "deactivate", h.DeactivateUser(o.Context(), id, u.Version, "left", rnd.IntN(2) == 0)
	case 3:
		problems, err := h.ReactivateUser(o.Context(), id, u.Version, fmt.Sprint(100+rnd.IntN(60)))
		if err == nil {
			err = refused(problems)
		}
		return "reactivate", err
	case 4:
		return "delete", h.DeleteUser(o.Context(), id, u.Version, "")
	case 5:
		other, err := h.User(o.Context(), one(rnd, ids...))
		if err != nil {
			return "look", err
		}
		_, _, err = h.MoveReports(o.Context(), id, other.LANID)
		return "move", err
	}
	in := o.drawn(rnd, u.Input())
	if rnd.IntN(3) == 0 {
		if other, err := h.User(o.Context(), one(rnd, ids...)); err == nil {
			in.Supervisor = other.LANID
		}
	}
	e, err := h.EditUser(o.Context(), id, u.Version, in, "")
	if err == nil {
		err = refused(e.Problems)
	}
	if err == nil && e.Conflict != nil {
		err = fault.New(fault.Conflict, "%+v", e.Conflict)
	}
	return "edit", err
}

// drawn changes a few fields of the input.
func (o *office) drawn(rnd *rand.Rand, in directory.UserInput) directory.UserInput {
	for range 1 + rnd.IntN(3) {
		switch rnd.IntN(9) {
		case 0:
			in.LANID = fmt.Sprint(one(rnd, "u", "U"), rnd.IntN(40))
		case 1:
			in.PBXID = fmt.Sprint(100 + rnd.IntN(60))
		case 2:
			in.Profile = one(rnd, "Agent", "Supervisor", "Administrator")
		case 3:
			in.OrgUnit = one(rnd, "UAE", "UAE / Retail / Team 1", "UAE / Retail / Team 2", "UAE / Loans / Team 1", "India")
		case 4:
			in.Roles = one(rnd, []string{"Agent"}, []string{"Team Lead", "Agent"}, []string{"Chief"}, []string{"Administrator"})
		case 5:
			in.AccessRole = one(rnd, "", "Everywhere", "Retail", "Own unit")
		case 6:
			in.ChannelCounts = map[string]string{"Chat": fmt.Sprint(rnd.IntN(7)), "Voice": one(rnd, "", "0")}
		case 7:
			in.Features = map[string]string{"Manual In": one(rnd, "", "manual in", "Auto In"), "CRM Enabled": one(rnd, "", "yes")}
		case 8:
			in.FirstName, in.AgentID = fmt.Sprint("Name ", rnd.IntN(9)), fmt.Sprint(one(rnd, "u", "a"), rnd.IntN(40))
		}
	}
	return in
}

// holds checks what is always true of a directory.
func (o *office) holds() {
	o.Helper()
	for what, query := range map[string]string{
		"an id whose key is another's":  "SELECT count(*) FROM users WHERE lan_key <> lower(lan_id) OR agent_key <> lower(agent_id)",
		"a supervisor who is an agent":  "SELECT count(*) FROM users u JOIN users s ON s.id = u.supervisor_id WHERE s.profile = 3",
		"an agent without a supervisor": "SELECT count(*) FROM users WHERE profile = 3 AND supervisor_id IS NULL",
		"an agent outside a team":       "SELECT count(*) FROM users u JOIN org_units o ON o.id = u.org_unit_id WHERE u.profile = 3 AND o.depth <> 3",
		"a count that is the default":   "SELECT count(*) FROM user_channels u JOIN channels c ON c.id = u.channel_id WHERE u.count = c.default_count",
		"details of nobody":             "SELECT count(*) FROM user_roles h LEFT JOIN users u ON u.id = h.user_id WHERE u.id IS NULL",
		"a version without exactly one entry": `SELECT count(*) FROM users u WHERE (SELECT count(*) FROM audit a WHERE a.subject_id = u.id AND a.subject_version BETWEEN 1 AND u.version) <> u.version
			OR (SELECT count(DISTINCT a.subject_version) FROM audit a WHERE a.subject_id = u.id) <> u.version`,
		"somebody gone who was not deleted": `SELECT count(*) FROM audit a WHERE a.action = 'create' AND a.subject = 'user' AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = a.subject_id)
			AND (SELECT count(*) FROM audit d WHERE d.subject_id = a.subject_id AND d.action = 'delete') <> 1`,
		// From everybody as far up as there are users: who is still on the way then is in a ring.
		"a ring of supervisors": `WITH RECURSIVE up (start, at, steps) AS (SELECT id, supervisor_id, 0 FROM users UNION ALL
			SELECT up.start, u.supervisor_id, steps + 1 FROM up JOIN users u ON u.id = up.at WHERE up.at IS NOT NULL AND steps < 80) SELECT count(*) FROM up WHERE steps >= 80`,
	} {
		if n := o.count(query); n != 0 {
			o.Errorf("%d times: %s", n, what)
		}
	}
	if there, err := o.d.HasAdministrator(o.Context(), o.d.DB.Read()); err != nil || !there {
		o.Errorf("no administrator is left: %v", err)
	}
}
