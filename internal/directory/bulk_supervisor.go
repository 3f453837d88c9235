package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// SupervisorEdit gives users a supervisor, or takes the one that they have.
type SupervisorEdit struct {
	LANID string `json:"lan_id,omitempty"` // as typed, in any case; "": none
	// ID is the supervisor whom the LAN ID meant when the edit was made; 0 where it was not made yet.
	ID int64 `json:"id,omitempty"`
}

// supervisorKind is a change of the supervisor, or the undo of one.
type supervisorKind struct {
	to      supervisor
	unfit   bool    // to cannot be a supervisor any more
	above   []int64 // to, and whom they report to, up to the top
	refused []LeftOut
	warned  []LeftOut
	kept    []LeftOut
}

func (e SupervisorEdit) prepare(ctx context.Context, q sqldb.Querier, h *Handle, cfg *Configuration, batchID int64) (bulkKind, error) {
	k := &supervisorKind{}
	if batchID != 0 {
		k.prepareUndo(batchID)
		return k, nil
	}
	if e.LANID == "" {
		k.refused = []LeftOut{{Code: "supervisor.missing", Column: SupervisorColumn.String(), Condition: "users.profile = 3",
			Many: "are agents, who need a supervisor",
			Message: func(lanID string) string {
				return lanID + " is an agent, who needs a supervisor; enter another one instead."
			}}}
		return k, nil
	}
	var unfit []Problem
	var err error
	if k.to, unfit, err = e.find(ctx, q); err != nil {
		return nil, err
	}
	if len(unfit) > 0 && e.ID == 0 {
		return nil, fault.New(fault.Invalid, "%s", unfit[0].Message)
	}
	if k.unfit = len(unfit) > 0; k.unfit {
		// It was made, and may have come half of the way: the rest is left out.
		k.refused = []LeftOut{{Code: unfit[0].Code, Column: unfit[0].Column, Condition: always, Many: "get no supervisor who is fit to be one: " + unfit[0].Message,
			Message: func(string) string { return unfit[0].Message }}}
		return k, nil
	}
	if k.above, err = idsAbove(ctx, q, k.to.ID); err != nil {
		return nil, err
	}
	k.judge(cfg)
	return k, nil
}

// find returns the supervisor, and why the rules do not let them be one.
func (e SupervisorEdit) find(ctx context.Context, q sqldb.Querier) (s supervisor, unfit []Problem, err error) {
	c := Candidate{}
	c.Cells[SupervisorColumn] = cleanCell(e.LANID)
	by, arg, found := "lan_key", any(Fold(c.Cells[SupervisorColumn])), false
	if e.ID != 0 {
		by, arg = "id", e.ID
	}
	s, found, err = sqldb.One[supervisor](ctx, q, "SELECT lan_key, id, lan_id, profile, active, coalesce(org_unit_id, 0) FROM users WHERE "+by+" = $1", arg)
	if err != nil {
		return s, nil, fmt.Errorf("look up the supervisor: %w", err)
	}
	if !found {
		c.UnknownSupervisor(false, "")
	} else {
		(&Rules{}).judgeSupervisorUser(&c, s)
	}
	return s, c.Problems, nil
}

// Find returns the edit with the supervisor whom it means, by id and LAN ID. It is for code that has prepared it.
func (e SupervisorEdit) Find(ctx context.Context, q sqldb.Querier) (SupervisorEdit, error) {
	s, unfit, err := e.find(ctx, q)
	if err == nil && len(unfit) > 0 {
		err = fault.New(fault.Invalid, "%s", unfit[0].Message)
	}
	return SupervisorEdit{LANID: s.LANID, ID: s.ID}, err
}

// LANIDs are those of users by their ids, as they are now. It is for code that has checked that whoever asks may look at the
// batch that names them.
func LANIDs(ctx context.Context, q sqldb.Querier, ids []int64) (map[int64]string, error) {
	all := map[int64]string{}
	for u, err := range sqldb.Each[Named](ctx, q, "SELECT id, lan_id, 1 = 0 FROM users WHERE id IN ("+idList(ids)+")") {
		if err != nil {
			return nil, fmt.Errorf("look up LAN IDs: %w", err)
		}
		all[u.ID] = u.Name
	}
	return all, nil
}

// idsAbove are the user, whom they report to, and so on to the top.
func idsAbove(ctx context.Context, q sqldb.Querier, id int64) ([]int64, error) {
	chain, err := supervisorsOf(ctx, q, id)
	var ids []int64
	for _, s := range chain {
		ids = append(ids, s.ID)
	}
	slices.Sort(ids)
	return ids, err
}

// judge has the rules of the import.
func (k *supervisorKind) judge(cfg *Configuration) {
	to := k.to.LANID
	reason := func(code, condition, many, message string) LeftOut {
		return LeftOut{Code: "supervisor." + code, Column: SupervisorColumn.String(), Condition: condition, Many: many,
			Message: func(lanID string) string { return fmt.Sprintf(message, lanID) }}
	}
	k.refused = []LeftOut{reason("self", fmt.Sprintf("users.id = %d", k.to.ID), "would be their own supervisor", "%s would be their own supervisor; choose somebody else for them.")}
	if len(k.above) > 1 {
		k.refused = append(k.refused, reason("cycle", "users.id IN ("+idList(k.above)+")",
			fmt.Sprintf("have %s report to them, directly or through others, and cannot report to %s", to, to),
			"%s cannot report to "+to+", who reports to them, directly or through others: they would supervise each other in a ring."))
	}
	i := slices.IndexFunc(cfg.OrgUnits, func(u OrgUnit) bool { return u.ID == k.to.UnitID })
	if i < 0 {
		return
	}
	theirs := cfg.OrgUnits[i]
	var below []int64
	for _, u := range cfg.OrgUnits {
		if strings.HasPrefix(u.Path, theirs.Path) {
			below = append(below, u.ID)
		}
	}
	k.warned = []LeftOut{reason("other_branch", "users.org_unit_id NOT IN ("+idList(below)+")",
		fmt.Sprintf("belong neither to %s, the org unit of %s, nor to one below it; check that this is meant", theirs.FullName, to),
		fmt.Sprintf("%s belongs to %s, which is neither the org unit of %%s nor above it; check that this is meant.", to, theirs.FullName))}
}

// prepareUndo judges whom users go back to.
func (k *supervisorKind) prepareUndo(batchID int64) {
	keep := func(code, condition, many, message string) {
		k.kept = append(k.kept, LeftOut{Code: "undo." + code, Column: SupervisorColumn.String(), Condition: condition, Many: many,
			Message: func(lanID string) string { return fmt.Sprintf(message, lanID) }})
	}
	keep("supervisor_gone", journalOf(batchID, "x.before <> 0 AND NOT EXISTS (SELECT 1 FROM users b WHERE b.id = x.before)"),
		"had a supervisor who is not in the directory any more", "%s keeps the supervisor: the one that they had is not in the directory any more.")
	keep("not_a_supervisor", journalOf(batchID, "EXISTS (SELECT 1 FROM users b WHERE b.id = x.before AND b.profile = 3)"),
		"had a supervisor who is an agent by now", "%s keeps the supervisor: the one that they had is an agent by now.")
	keep("cycle", fmt.Sprintf("users.profile < 3 AND EXISTS (%s)", ringBack(batchID)),
		"would supervise each other in a ring", "%s keeps the supervisor: the one that they had has come to report to them, directly or through others.")
}

// ringBack finds the user among those whom they would report to again. Who else goes back with them is not settled while this
// is asked: the walk goes to whom each reports now, and to whom they would report again. Where nobody came between, what was
// had no ring, and what the batch made has none, so that nobody stays for that.
func ringBack(batchID int64) string {
	return fmt.Sprintf(`WITH RECURSIVE up (id) AS (
			SELECT x.before FROM user_changes x WHERE x.batch_id = %[1]d AND x.user_id = users.id AND x.undone = 0
			UNION
			SELECT CASE w.way WHEN 1 THEN s.supervisor_id ELSE c.before END FROM up JOIN users s ON s.id = up.id
				LEFT JOIN user_changes c ON c.batch_id = %[1]d AND c.user_id = up.id AND c.undone = 0 AND c.version = s.version
				CROSS JOIN (SELECT 1 AS way UNION ALL SELECT 2) AS w
			WHERE CASE w.way WHEN 1 THEN coalesce(s.supervisor_id, 0) ELSE coalesce(c.before, 0) END <> 0
		)
		SELECT 1 FROM up WHERE up.id = users.id`, batchID)
}

func (k *supervisorKind) leftOut() []LeftOut  { return k.refused }
func (k *supervisorKind) warnings() []LeftOut { return k.warned }
func (k *supervisorKind) stays() []LeftOut    { return k.kept }
func (k *supervisorKind) same() string {
	return fmt.Sprintf("coalesce(users.supervisor_id, 0) = %d", k.to.ID)
}

func (k *supervisorKind) takesPower(bool) bool { return false }
func (k *supervisorKind) losesPower() string   { return never }

// begin looks whether the supervisor, and all above them, are as they were. Who changes that by hand, or by another batch,
// waits for this transaction.
func (k *supervisorKind) begin(ctx context.Context, tx *sqldb.Tx) error {
	if k.to.ID == 0 || k.unfit {
		return nil
	}
	now, unfit, err := SupervisorEdit{ID: k.to.ID}.find(ctx, tx)
	if err != nil {
		return err
	}
	above, err := idsAbove(ctx, tx, k.to.ID)
	if err == nil && (len(unfit) > 0 || now != k.to || !slices.Equal(above, k.above)) {
		err = ErrConfigurationChanged
	}
	return err
}

func (k *supervisorKind) write(ctx context.Context, tx *sqldb.Tx, s Stamp, p *bulkPiece, who string) (BulkWritten, error) {
	return writeColumn(ctx, tx, s, p, "supervisor", "supervisor_id", k.to.ID, all(who, not(k.same())))
}

func (k *supervisorKind) restore(ctx context.Context, tx *sqldb.Tx, _ Stamp, p *bulkPiece) error {
	return restoreColumn(ctx, tx, p, "supervisor_id")
}
