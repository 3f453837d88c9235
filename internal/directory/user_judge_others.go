package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// judgeOthers looks the supervisor and the ids up among the other users.
func (j *judged) judgeOthers(ctx context.Context, p *Probe) error {
	block := []Candidate{j.c}
	if err := p.Supervisors(ctx, block); err != nil {
		return err
	}
	c := &block[0]
	if c.SupervisorKey != "" {
		near, err := p.SuggestUser(ctx, c.SupervisorKey)
		if err != nil {
			return err
		}
		c.UnknownSupervisor(false, near)
	}
	if p.empty {
		j.c = *c
		return nil
	}
	failed, problems := c.failed, slices.Clone(c.Problems)
	if err := p.exists(ctx, block); err != nil {
		return err
	}
	if c.Exists {
		// To an import it is a duplicate, of which nothing else is said.
		c.Exists, c.failed, c.Problems = false, failed, problems
		c.problem(LANID, "exists", Error, "%s is in the directory already; enter a LAN ID that is free.", c.Cells[LANID])
	}
	if c.AgentID != "" && !j.rules.special(c.AgentID) {
		if err := p.takenBy(ctx, block, AgentID, "agent_key", func(c *Candidate) string { return c.AgentKey }); err != nil {
			return err
		}
	}
	if err := p.takenBy(ctx, block, PBXID, "pbx_id", func(c *Candidate) string { return c.Cells[PBXID] }); err != nil {
		return err
	}
	j.c = *c
	return nil
}

// judgeReports judges what an edit does to those who report to the user.
func (j *judged) judgeReports(ctx context.Context, q sqldb.Querier) error {
	if j.held.Profile != Agent && j.c.Profile == Agent {
		n, err := countReports(ctx, q, j.held.ID)
		if err != nil {
			return err
		}
		if n > 0 {
			j.c.problem(ProfileColumn, "has_reports", Error, "%s to %s, who cannot become an agent before they have another supervisor; move them first.", report(n), j.held.LANID)
		}
	}
	if j.c.SupervisorID == 0 || j.c.SupervisorID == j.held.SupervisorID {
		return nil
	}
	chain, err := supervisorsOf(ctx, q, j.c.SupervisorID)
	if err != nil {
		return err
	}
	if at := slices.IndexFunc(chain, func(s superior) bool { return s.ID == j.held.ID }); at >= 0 {
		j.c.problem(SupervisorColumn, "cycle", Error, "They would supervise each other in a ring: %s; enter somebody who does not report to %s.", j.ring(chain[:at]), j.held.LANID)
	}
	return nil
}

// ring names those of a ring whom the actor may see.
func (j *judged) ring(chain []superior) string {
	names := []string{j.held.LANID}
	for _, s := range chain {
		name := "…"
		if j.rules.actor.scope.Contains(s.Path) {
			name = s.LANID
		}
		names = append(names, name)
	}
	return strings.Join(append(names, j.held.LANID), " → ")
}

func countReports(ctx context.Context, q sqldb.Querier, id int64) (int64, error) {
	n, _, err := sqldb.One[int64](ctx, q, "SELECT count(*) FROM users WHERE supervisor_id = $1", id)
	if err != nil {
		return 0, fmt.Errorf("count who reports to the user: %w", err)
	}
	return n, nil
}

func report(n int64) string {
	if n == 1 {
		return "1 user reports"
	}
	return fmt.Sprintf("%d users report", n)
}

// superior is somebody whom others report to.
type superior struct {
	ID    int64
	LANID string
	Path  string // of their unit
}

// supervisorsOf is the user, their supervisor, and so on to the top. It is a look-up for each, and ends in a ring, too.
func supervisorsOf(ctx context.Context, q sqldb.Querier, id int64) ([]superior, error) {
	all, err := sqldb.All[superior](ctx, q, `
		WITH RECURSIVE up (id, supervisor_id) AS (
			SELECT u.id, u.supervisor_id FROM users u WHERE u.id = $1
			UNION
			SELECT u.id, u.supervisor_id FROM up JOIN users u ON u.id = up.supervisor_id
		)
		SELECT u.id, u.lan_id, coalesce(o.path, '') FROM up JOIN users u ON u.id = up.id LEFT JOIN org_units o ON o.id = u.org_unit_id`, id)
	if err != nil {
		return nil, fmt.Errorf("look who supervises whom: %w", err)
	}
	return all, nil
}

// judgeGiving judges what the actor gives and takes: nobody gives, or takes from others, what they do not hold.
func (j *judged) judgeGiving() {
	r, c := j.rules, &j.c
	before := power{}
	if j.held != nil {
		for i, role := range j.known.cfg.Roles {
			if slices.Contains(j.held.Roles, role.Name) && !slices.Contains(j.in.Roles, role.Name) && !r.grantable[i] {
				c.problem(RoleColumn, "not_removable", Error, "You may not take away the role %q: it has rights that you do not hold.", role.Name).Value = role.Name
			}
		}
		for i, a := range j.known.cfg.AccessRoles {
			if a.ID == j.held.AccessRoleID && c.Cells[AccessRoleColumn] != a.Name && !r.assignable[i] {
				c.problem(AccessRoleColumn, "not_removable", Error, "You may not take away the access role %q: it reaches further than yours.", a.Name)
			}
		}
		before = j.known.power(j.held.Roles, j.held.AccessRoleID, j.held.unitPath)
	}
	after := j.known.power(j.in.Roles, c.AccessRoleID, r.UnitPath(c.OrgUnitID))
	err := r.actor.mayStrengthen(before, after)
	column := j.strengthens()
	if err == nil || slices.ContainsFunc(c.Problems, func(p Problem) bool { return strings.HasSuffix(p.Code, ".not_grantable") && !j.stays(p) }) {
		return
	}
	c.problem(column, "not_grantable", Error, "%s", sentence(err))
}

// strengthens is the column by which somebody comes to more than they had.
func (j *judged) strengthens() Column {
	switch {
	case j.held == nil || j.in.AccessRole != j.held.AccessRole:
		return AccessRoleColumn
	case j.c.OrgUnitID != j.held.OrgUnitID:
		return OrgUnitColumn
	}
	return RoleColumn
}

// sentence is an error's message as a problem's.
func sentence(err error) string {
	message := err.Error()
	if f, ok := err.(*fault.Error); ok {
		message = f.Message
	}
	first, n := utf8.DecodeRuneInString(message)
	return string(unicode.ToUpper(first)) + message[n:] + "."
}
