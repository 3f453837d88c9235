package directory

import (
	"context"
	"fmt"

	"muster/internal/sqldb"
)

// Probe judges candidates against the users that are in the directory, a block at a time: one statement a rule,
// whatever the number of candidates. It belongs to one goroutine.
type Probe struct {
	rules *Rules
	db    *sqldb.DB
	q     sqldb.Querier
	own   IDs
	known map[string]supervisor
	empty bool
}

// IDs is a half-open range of users' ids.
type IDs struct{ First, End int64 }

// supervisorsKept bounds the probe's memory of who is who; beyond it, it forgets and asks again.
const supervisorsKept = 50_000

type supervisor struct {
	Key     string
	ID      int64
	LANID   string
	Profile Profile
	Active  int
	UnitID  int64
}

// NewProbe returns a probe that reads through q. Users whose ids are in own do not count as there: a batch that goes
// on after a crash judges its rows as it did before.
func (r *Rules) NewProbe(ctx context.Context, db *sqldb.DB, q sqldb.Querier, own IDs) (*Probe, error) {
	n, _, err := sqldb.One[int](ctx, q, "SELECT (SELECT count(*) FROM (SELECT 1 FROM users WHERE id < $1 LIMIT 1) a) + (SELECT count(*) FROM (SELECT 1 FROM users WHERE id >= $2 LIMIT 1) b)", own.First, own.End)
	return &Probe{rules: r, db: db, q: q, own: own, known: map[string]supervisor{}, empty: n == 0}, err
}

// Supervisors looks up the supervisors of the candidates. Whom the directory has goes from SupervisorKey to
// SupervisorID and is judged; SupervisorKey stays where it has nobody of that LAN ID.
func (p *Probe) Supervisors(ctx context.Context, block []Candidate) error {
	if p.empty {
		return nil
	}
	if len(p.known) > supervisorsKept {
		clear(p.known)
	}
	var ask []string
	for i := range block {
		key := block[i].SupervisorKey
		if _, have := p.known[key]; key == "" || have {
			continue
		}
		p.known[key] = supervisor{}
		ask = append(ask, key)
	}
	if len(ask) > 0 {
		query := fmt.Sprintf(`SELECT u.lan_key, u.id, u.lan_id, u.profile, u.active, coalesce(u.org_unit_id, 0)
			FROM %s AS k CROSS JOIN users u WHERE u.lan_key = k.key AND (u.id < $2 OR u.id >= $3)`, p.db.Keys)
		for s, err := range sqldb.Each[supervisor](ctx, p.q, query, p.db.KeySet(ask), p.own.First, p.own.End) {
			if err != nil {
				return fmt.Errorf("look up supervisors: %w", err)
			}
			p.known[s.Key] = s
		}
	}
	for i := range block {
		c := &block[i]
		if s := p.known[c.SupervisorKey]; s.ID != 0 {
			c.SupervisorID, c.SupervisorKey = s.ID, ""
			p.rules.judgeSupervisorUser(c, s)
		}
	}
	return nil
}

func (r *Rules) judgeSupervisorUser(c *Candidate, s supervisor) {
	switch {
	case s.Profile == Agent:
		c.NotASupervisor()
	case s.Active == 0:
		c.problem(SupervisorColumn, "inactive", Error, "%s is inactive; reactivate them or enter another supervisor.", s.LANID)
	}
	r.JudgeBranch(c, s.UnitID)
}

// NotASupervisor says that the candidate's supervisor is an agent.
func (c *Candidate) NotASupervisor() {
	c.problem(SupervisorColumn, "not_a_supervisor", Error, "%s is an agent; enter somebody whose profile is Supervisor.", c.Cells[SupervisorColumn])
}

// JudgeBranch warns where the supervisor's unit is neither the candidate's nor above it.
func (r *Rules) JudgeBranch(c *Candidate, supervisorUnit int64) {
	mine, theirs := r.unitByID[c.OrgUnitID], r.unitByID[supervisorUnit]
	if mine == nil || theirs == nil || len(mine.Path) >= len(theirs.Path) && mine.Path[:len(theirs.Path)] == theirs.Path {
		return
	}
	c.problem(SupervisorColumn, "other_branch", Warning, "%s belongs to %s, which is neither %s nor above it; check that this is meant.", c.Cells[SupervisorColumn], theirs.FullName, mine.FullName)
}

// UnknownSupervisor says that there is nobody of the LAN ID in SupervisorKey. inFile is for one who is only in the
// same file, where the option that would allow it is off.
func (c *Candidate) UnknownSupervisor(inFile bool, suggestion string) {
	if inFile {
		c.problem(SupervisorColumn, "unknown", Error, `%s is not in the directory yet, only in this file; import supervisors first, or turn on "Supervisors may be in the same file" (--in-file-supervisors).`, c.Cells[SupervisorColumn])
		return
	}
	p := c.problem(SupervisorColumn, "unknown", Error, "There is no user %s; enter the LAN ID of an existing supervisor.", c.Cells[SupervisorColumn])
	p.Suggestion = suggestion
}

// SuggestUser returns the LAN ID that comes closest to the folded one given, among the supervisors within the actor's
// scope who begin with the same letter and stand near it in the order of LAN IDs; "" when none is close.
func (p *Probe) SuggestUser(ctx context.Context, key string) (string, error) {
	if p.empty {
		return "", nil
	}
	return suggestBeside(ctx, p.q, p.rules.actor.Scope(), attributeColumns[ByLANID], "u.profile < 3", key)
}

// Taken marks the candidates whose LAN ID the directory has (Exists), and judges the Agent IDs and PBX IDs of the
// others.
func (p *Probe) Taken(ctx context.Context, block []Candidate) error {
	if p.empty {
		return nil
	}
	if err := p.exists(ctx, block); err != nil {
		return err
	}
	if err := p.takenBy(ctx, block, AgentID, "agent_key", func(c *Candidate) string { return c.AgentKey }); err != nil {
		return err
	}
	return p.takenBy(ctx, block, PBXID, "pbx_id", func(c *Candidate) string { return c.Cells[PBXID] })
}

// exists says so only of well-formed LAN IDs; no other can be there.
func (p *Probe) exists(ctx context.Context, block []Candidate) error {
	index := make(map[string][]int, len(block))
	ask := make([]string, 0, len(block))
	for i := range block {
		if c := &block[i]; p.rules.WellFormedLANID(c.Cells[LANID]) {
			if index[c.Key] == nil {
				ask = append(ask, c.Key)
			}
			index[c.Key] = append(index[c.Key], i)
		}
	}
	query := fmt.Sprintf("SELECT u.lan_key FROM %s AS k CROSS JOIN users u WHERE u.lan_key = k.key AND (u.id < $2 OR u.id >= $3)", p.db.Keys)
	for key, err := range sqldb.Each[string](ctx, p.q, query, p.db.KeySet(ask), p.own.First, p.own.End) {
		if err != nil {
			return fmt.Errorf("look up LAN IDs: %w", err)
		}
		for _, i := range index[key] {
			c := &block[i]
			c.Exists, c.failed, c.Problems = true, true, c.Problems[:0]
			c.problem(LANID, "exists", Warning, "%s is in the directory already; the row is passed over.", c.Cells[LANID])
		}
	}
	return nil
}

func (p *Probe) takenBy(ctx context.Context, block []Candidate, col Column, column string, key func(*Candidate) string) error {
	index := make(map[string][]int, len(block))
	ask := make([]string, 0, len(block))
	for i := range block {
		k := key(&block[i])
		if block[i].Exists || k == "" || len(k) > longest[col] {
			continue
		}
		if index[k] == nil {
			ask = append(ask, k)
		}
		index[k] = append(index[k], i)
	}
	type holder struct {
		Key    string
		LANID  string
		Active int
		Path   string
	}
	query := fmt.Sprintf(`SELECT u.%s, u.lan_id, u.active, coalesce(o.path, '')
		FROM %s AS k CROSS JOIN users u LEFT JOIN org_units o ON o.id = u.org_unit_id
		WHERE u.%s = k.key AND (u.id < $2 OR u.id >= $3)`, column, p.db.Keys, column)
	for h, err := range sqldb.Each[holder](ctx, p.q, query, p.db.KeySet(ask), p.own.First, p.own.End) {
		if err != nil {
			return fmt.Errorf("look up %ss: %w", col, err)
		}
		for _, i := range index[h.Key] {
			p.rules.judgeTaken(&block[i], col, h.LANID, h.Active == 1, h.Path)
		}
	}
	return nil
}

func (r *Rules) judgeTaken(c *Candidate, col Column, holder string, active bool, path string) {
	value := c.Cells[col]
	if col == AgentID {
		value = c.AgentID
	}
	who := "another user, outside the units that you may see,"
	if r.actor.Scope().Contains(path) {
		who = holder
		if !active {
			who += " (inactive)"
		}
	}
	p := c.problem(col, "taken", Error, "%s has %s %s already; enter one that is free.", who, col, value)
	p.Value = value
}

// Repeats makes the candidate a duplicate of an earlier row with the same LAN ID; nothing else is said of it.
func (c *Candidate) Repeats(row int64) {
	c.Problems = c.Problems[:0]
	c.problem(LANID, "repeated", Warning, "%s is in row %d already, which is the one that counts; keep one of the rows.", c.Cells[LANID], row)
	c.failed, c.Exists = true, true
}

// NoteWidth hints at an id that is shorter than nearly all the others, as one whose leading zeros a spreadsheet
// program took away.
func (c *Candidate) NoteWidth(col Column, usual int) {
	cell := c.Cells[col]
	if len(cell) >= usual || cell == "" || cell[0] == '0' {
		return
	}
	for i := range len(cell) {
		if cell[i] < '0' || cell[i] > '9' {
			return
		}
	}
	c.problem(col, "leading_zeros", Note, "%s %s has %d digits, nearly all others have %d; check that no leading zeros were lost.", col, cell, len(cell), usual)
}

// Taken says that a row above has the candidate's Agent ID or PBX ID.
func (c *Candidate) Taken(col Column, row int64) {
	c.problem(col, "repeated", Error, "%s %s is in row %d already; enter one that is free.", col, c.Cells[col], row)
}

// InRing says that the candidate's supervisors lead back to the candidate; ring names them all.
func (c *Candidate) InRing(ring string) {
	c.problem(SupervisorColumn, "cycle", Error, "The rows supervise each other in a ring: %s; give one of them another supervisor.", ring)
}

// SupervisorRowInvalid says that the supervisor, who is only in the same file, is not inserted.
func (c *Candidate) SupervisorRowInvalid(row int64) {
	c.problem(SupervisorColumn, "row_invalid", Error, "The row of the supervisor %s (row %d) is not inserted; mend that row, and import both again.", c.Cells[SupervisorColumn], row)
}
