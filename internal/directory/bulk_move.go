package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// MoveEdit brings users into an org unit.
type MoveEdit struct {
	Unit int64 `json:"unit"`
}

// moveKind is a move, or the undo of one.
type moveKind struct {
	unit    OrgUnit
	cfg     *Configuration
	refused []LeftOut
	warned  []LeftOut
	kept    []LeftOut
}

func (e MoveEdit) prepare(_ context.Context, _ sqldb.Querier, h *Handle, cfg *Configuration, batchID int64) (bulkKind, error) {
	k := &moveKind{cfg: cfg}
	i := slices.IndexFunc(cfg.OrgUnits, func(u OrgUnit) bool { return u.ID == e.Unit })
	if i >= 0 {
		k.unit = cfg.OrgUnits[i]
	}
	switch {
	case batchID != 0:
		k.prepareUndo(h, batchID)
		return k, nil
	case i < 0:
		return nil, fault.New(fault.NotFound, "the org unit is not there any more; choose another")
	case !h.actor.scope.Contains(k.unit.Path):
		return nil, fault.New(fault.Forbidden, "%s is outside the units that you may change; ask somebody whose access role covers it", k.unit.FullName)
	}
	k.judge(h)
	return k, nil
}

// judge has the rules of the import, and that nobody comes to more than the actor could give: who may do something in their
// own unit may do it in the new one.
func (k *moveKind) judge(h *Handle) {
	rules := NewRules(*k.cfg, h.actor)
	if team := rules.levelName(rules.levels()); k.unit.Depth != rules.levels() {
		level := rules.levelName(k.unit.Depth)
		k.refused = append(k.refused, LeftOut{Code: "org_unit.not_a_team", Column: OrgUnitColumn.String(), Condition: "users.profile = 3",
			Many: fmt.Sprintf("are agents, who belong to a %s: %s is a %s", team, k.unit.FullName, level),
			Message: func(lanID string) string {
				return fmt.Sprintf("%s is a %s; an agent such as %s belongs to a %s.", k.unit.FullName, level, lanID, team)
			}})
	}
	if c := k.stronger(h, fmt.Sprint(k.unit.ID), "coalesce(users.org_unit_id, 0) IN ("+idList(k.unitsAbove())+")"); c != never {
		k.refused = append(k.refused, LeftOut{Code: "org_unit.not_grantable", Column: OrgUnitColumn.String(), Condition: c,
			Many: "would have rights in more places that you do not hold there",
			Message: func(lanID string) string {
				return fmt.Sprintf("%s would have rights in %s that you do not hold there; ask somebody who does.", lanID, k.unit.FullName)
			}})
	}
	k.warned = []LeftOut{{Code: "supervisor.other_branch", Column: SupervisorColumn.String(),
		Condition: "EXISTS (SELECT 1 FROM users s WHERE s.id = users.supervisor_id AND s.org_unit_id NOT IN (" + idList(k.unitsAbove()) + "))",
		Many:      fmt.Sprintf("have a supervisor who belongs neither to %s nor to a unit above it; check that this is meant", k.unit.FullName),
		Message: func(lanID string) string {
			return fmt.Sprintf("The supervisor of %s belongs neither to %s nor to a unit above it; check that this is meant.", lanID, k.unit.FullName)
		}}}
}

// unitsAbove are the unit and all above it.
func (k *moveKind) unitsAbove() []int64 {
	return k.units(func(u OrgUnit) bool { return strings.HasPrefix(k.unit.Path, u.Path) })
}

func (k *moveKind) units(is func(OrgUnit) bool) (ids []int64) {
	for _, u := range k.cfg.OrgUnits {
		if is(u) {
			ids = append(ids, u.ID)
		}
	}
	return ids
}

// stronger is the condition that a user would come to a right, in the unit (an expression for its id, which is in the actor's
// scope), that the actor does not have there: the access role reaches as far as the user's own unit, or below it too, and
// has covered (a condition) not held already.
func (k *moveKind) stronger(h *Handle, unit, covered string) string {
	if h.actor.system {
		return never
	}
	some := rolesWith(k.cfg, func(Right) bool { return true })
	beyond := rolesWith(k.cfg, func(r Right) bool { return !h.actor.Can(r) })
	holds := func(roles []int64) string { return "(" + holdsOneOf(roles) + ")" }
	within := k.units(func(u OrgUnit) bool { return h.actor.scope.Covers(Below(u.Path)) })
	var own, below []int64
	for _, a := range k.cfg.AccessRoles {
		switch a.Scope {
		case "own-unit":
			own = append(own, a.ID)
		case "own-unit-and-below":
			below = append(below, a.ID)
		}
	}
	return fmt.Sprintf("(coalesce(users.access_role_id, 0) IN (%s) AND %s OR coalesce(users.access_role_id, 0) IN (%s) AND NOT (%s) AND (%s OR %s NOT IN (%s) AND %s))",
		orNobody(own), holds(beyond), orNobody(below), covered, holds(beyond), unit, orNobody(within), holds(some))
}

// orNobody is a list of ids that is not empty.
func orNobody(ids []int64) string { return idList(append([]int64{-1}, ids...)) }

// prepareUndo judges what users go back to, each to a unit of their own.
func (k *moveKind) prepareUndo(h *Handle, batchID int64) {
	keep := func(code, condition, many, message string) {
		k.kept = append(k.kept, LeftOut{Code: code, Column: OrgUnitColumn.String(), Many: many,
			Condition: fmt.Sprintf("EXISTS (SELECT 1 FROM user_changes x LEFT JOIN org_units b ON b.id = x.before WHERE x.batch_id = %d AND x.user_id = users.id AND %s)", batchID, condition),
			Message:   func(lanID string) string { return fmt.Sprintf(message, lanID) }})
	}
	keep("undo.unit_gone", "x.before <> 0 AND b.id IS NULL", "were in an org unit that is not there any more", "%s stays: the org unit that they were in is not there any more.")
	if !h.actor.scope.IsEverywhere() {
		within := k.units(func(u OrgUnit) bool { return h.actor.scope.Contains(u.Path) })
		keep("undo.unit_out_of_scope", "x.before NOT IN ("+orNobody(within)+")", "were in an org unit outside the access role of whoever asked for the undo",
			"%s stays: the org unit that they were in is outside the access role of whoever asked for the undo; ask somebody whose access role covers it.")
	}
	keep("undo.not_a_team", fmt.Sprintf("users.profile = 3 AND b.depth <> %d", len(k.cfg.Levels)), "are agents, and the org unit that they were in is no team any more",
		"%s stays: the org unit that they were in is no team any more, and an agent belongs to one.")
	below := k.units(func(u OrgUnit) bool { return k.unit.Path != "" && strings.HasPrefix(u.Path, k.unit.Path) })
	if c := k.stronger(h, "b.id", "b.id IN ("+orNobody(below)+")"); c != never {
		keep("undo.too_much", "b.id IS NOT NULL AND "+c, "would have rights in the org unit that they were in that whoever asked for the undo does not hold there",
			"%s stays: in the org unit that they were in they would have rights that whoever asked for the undo does not hold there.")
	}
}

func (k *moveKind) leftOut() []LeftOut  { return k.refused }
func (k *moveKind) warnings() []LeftOut { return k.warned }
func (k *moveKind) stays() []LeftOut    { return k.kept }
func (k *moveKind) same() string {
	return fmt.Sprintf("coalesce(users.org_unit_id, 0) = %d", k.unit.ID)
}

// takesPower: who acts may have what they may do by the unit that they are in.
func (k *moveKind) takesPower(bool) bool { return true }

// losesPower: administrators are so everywhere.
func (k *moveKind) losesPower() string { return never }

// begin has nothing to look at: units are of the configuration.
func (k *moveKind) begin(context.Context, *sqldb.Tx) error { return nil }

func (k *moveKind) write(ctx context.Context, tx *sqldb.Tx, s Stamp, p *bulkPiece, who string) (BulkWritten, error) {
	return writeColumn(ctx, tx, s, p, "org-unit", "org_unit_id", k.unit.ID, all(who, not(k.same())))
}

func (k *moveKind) restore(ctx context.Context, tx *sqldb.Tx, _ Stamp, p *bulkPiece) error {
	return restoreColumn(ctx, tx, p, "org_unit_id")
}

// writeColumn gives a column that refers to something the id, 0 for none, and says so in the journal.
func writeColumn(ctx context.Context, tx *sqldb.Tx, s Stamp, p *bulkPiece, what, column string, id int64, who string) (w BulkWritten, err error) {
	n, err := changed(tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO user_changes (batch_id, user_id, what, before, after, version)
		SELECT CAST($3 AS BIGINT), users.id, '%s', coalesce(users.%s, 0), %d, users.version + 1 FROM users WHERE %s`, what, column, id, all(p.in("users.id"), who)), p.args(p.batch)...))
	if err != nil {
		return w, fmt.Errorf("write the journal: %w", err)
	}
	if n == 0 {
		return w, nil
	}
	w.Users, err = p.touch(ctx, tx, s, fmt.Sprintf("%s = nullif(%d, 0), ", column, id), p.written("users.id"))
	return w, judgeAgain(err, "change users")
}

func restoreColumn(ctx context.Context, tx *sqldb.Tx, p *bulkPiece, column string) error {
	_, err := tx.ExecContext(ctx, "UPDATE users SET "+column+" = nullif(m.before, 0) FROM "+p.marked()+" WHERE users.id = m.user_id", p.args()...)
	return judgeAgain(err, "give back what users had")
}
