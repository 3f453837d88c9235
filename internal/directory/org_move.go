package directory

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// move puts a unit below parent.
func (e *unitEdit) move(ctx context.Context, u, parent OrgUnit) (OrgUnit, error) {
	if !e.actor.scope.Covers(Below(u.Path)) {
		return u, errUnitOutOfScope
	}
	if strings.HasPrefix(parent.Path, u.Path) {
		if parent.ID == u.ID {
			return u, fault.New(fault.Invalid, "a unit cannot be moved below itself; choose another place")
		}
		return u, fault.New(fault.Invalid, "%s is itself below %s, so that cannot be moved there; choose another place", parent.FullName, u.Name)
	}
	deepest, _, err := sqldb.One[int](ctx, e.tx, "SELECT max(depth) FROM org_units WHERE path >= $1 AND path < $2", u.Path, afterPath(u.Path))
	if err != nil {
		return u, fmt.Errorf("look how deep an org unit is: %w", err)
	}
	if err := e.fits(ctx, parent, u.Name, u.ID, deepest-u.Depth+1); err != nil {
		return u, err
	}
	now, err := e.rewrite(ctx, u, parent, u.Name)
	if err != nil || now.Depth == u.Depth {
		return now, err
	}
	// Looked at after the units were written: on PostgreSQL that has waited for those who were just then putting users there.
	where, agents, err := agentsOutOfTeams(ctx, e.tx, now.Path, len(e.levels))
	if err == nil && agents > 0 {
		err = fault.New(fault.Invalid, "agents are in teams, the units on the level %s, and there %s would not be: %s; choose a place on the same level as now, or move these agents first",
			e.levels[len(e.levels)-1], agentsInWords(agents), where)
	}
	return now, err
}

// rewrite gives a unit its place and name, and writes what follows from that into it and everything below: one statement,
// however much that is. No user is written, as users refer to units by id.
func (e *unitEdit) rewrite(ctx context.Context, u, parent OrgUnit, name string) (OrgUnit, error) {
	now := OrgUnit{ID: u.ID, ParentID: parent.ID, Name: name, FullName: fullName(parent, name), Depth: parent.Depth + 1, Path: fmt.Sprintf("%s%d/", parent.Path, u.ID)}
	longest, _, err := sqldb.One[int](ctx, e.tx, "SELECT max(octet_length(full_name)) FROM org_units WHERE path >= $1 AND path < $2", u.Path, afterPath(u.Path))
	if err != nil {
		return now, fmt.Errorf("look how long the names of org units are: %w", err)
	}
	if longest+len(now.FullName)-len(u.FullName) > longestFullName {
		return now, fault.New(fault.Invalid, "a full name below the unit would have more than %d bytes; shorten the names in it", longestFullName)
	}
	if _, err := e.tx.ExecContext(ctx, "UPDATE org_units SET parent_id = nullif($1, 0), name = $2 WHERE id = $3", now.ParentID, now.Name, now.ID); err != nil {
		return now, fmt.Errorf("change an org unit: %w", err)
	}
	_, err = e.tx.ExecContext(ctx, `
		UPDATE org_units SET full_name = $1 || substr(full_name, CAST($2 AS INTEGER)), path = $3 || substr(path, CAST($4 AS INTEGER)), depth = depth + $5
		WHERE path >= $6 AND path < $7`,
		now.FullName, utf8.RuneCountInString(u.FullName)+1, now.Path, len(u.Path)+1, now.Depth-u.Depth, u.Path, afterPath(u.Path))
	if err != nil {
		return now, fmt.Errorf("change the org units below: %w", err)
	}
	return now, nil
}

// mostNamed is how many things that are in the way a message names.
const mostNamed = 3

// agentsOutOfTeams counts the agents below path who are in units that are not on the lowest of so many levels, and names
// some of these units.
func agentsOutOfTeams(ctx context.Context, q sqldb.Querier, path string, levels int) (where string, agents int64, err error) {
	type row struct {
		Unit   string
		Agents int64
	}
	bounds, args := "", []any{levels}
	if path != "" {
		bounds, args = " AND o.path >= $2 AND o.path < $3", append(args, path, afterPath(path))
	}
	var named []string
	units := 0
	for r, err := range sqldb.Each[row](ctx, q, `
		SELECT o.full_name, count(*) FROM org_units o CROSS JOIN users u
		WHERE o.depth <> $1`+bounds+` AND u.org_unit_id = o.id AND u.profile = 3
		GROUP BY o.id, o.full_name ORDER BY o.full_name`, args...) {
		if err != nil {
			return "", 0, fmt.Errorf("look for agents who are in no team: %w", err)
		}
		agents += r.Agents
		if units++; units <= mostNamed {
			named = append(named, fmt.Sprintf("%d in %s", r.Agents, r.Unit))
		}
	}
	return andMore(named, units, "unit"), agents, nil
}

// agentsOffLevel refuses another number of levels where agents would no longer be in teams.
func agentsOffLevel(ctx context.Context, q sqldb.Querier, before, levels int) (string, error) {
	if before == levels {
		return "", nil
	}
	where, agents, err := agentsOutOfTeams(ctx, q, "", levels)
	if err != nil || agents == 0 {
		return "", err
	}
	return fmt.Sprintf("with %s, agents would no longer be in teams, the units on the lowest level: %s; keep the number of levels, or move or remove these agents first", count(levels, "level"), where), nil
}

func agentsInWords(n int64) string {
	if n == 1 {
		return "1 agent"
	}
	return fmt.Sprintf("%d agents", n)
}

// andMore lists what is named of all there are.
func andMore(named []string, all int, noun string) string {
	text := strings.Join(named, ", ")
	if more := all - len(named); more > 0 {
		text += " and " + count(more, "more "+noun)
	}
	return text
}

// inTheWay says what keeps a unit from being deleted, and what to do; "" for nothing.
func (e *unitEdit) inTheWay(ctx context.Context, u OrgUnit) (string, error) {
	var reasons []string
	below, err := e.named(ctx, "SELECT name FROM org_units WHERE parent_id = $1 ORDER BY name", u.ID)
	if err != nil {
		return "", err
	}
	if n := len(below); n > 0 {
		reasons = append(reasons, fmt.Sprintf("it has %s below it (%s)", count(n, "unit"), andMore(below[:min(n, mostNamed)], n, "unit")))
	}
	users, _, err := sqldb.One[int64](ctx, e.tx, "SELECT count(*) FROM users WHERE org_unit_id = $1", u.ID)
	if err != nil {
		return "", fmt.Errorf("count the users of an org unit: %w", err)
	}
	if users > 0 {
		reasons = append(reasons, people(users)+" in it")
	}
	roles, err := e.named(ctx, "SELECT a.name FROM access_role_units w JOIN access_roles a ON a.id = w.access_role_id WHERE w.org_unit_id = $1 ORDER BY a.name", u.ID)
	if err != nil {
		return "", err
	}
	if n := len(roles); n > 0 {
		said := count(n, "access role")
		if e.actor.Can("access-roles:access") {
			said += " (" + andMore(roles[:min(n, mostNamed)], n, "access role") + ")"
		}
		reasons = append(reasons, said+" naming it")
	}
	if len(reasons) == 0 {
		return "", nil
	}
	if len(below) == 0 {
		reasons[0] = "there " + isOrAre(users, len(roles)) + " " + reasons[0]
	}
	return strings.Join(reasons, ", and ") + "; move or change these first", nil
}

func isOrAre(users int64, roles int) string {
	if users == 1 || users == 0 && roles == 1 {
		return "is"
	}
	return "are"
}

func (e *unitEdit) named(ctx context.Context, query string, id int64) ([]string, error) {
	names, err := sqldb.All[string](ctx, e.tx, query, id)
	if err != nil {
		return nil, fmt.Errorf("look what refers to an org unit: %w", err)
	}
	return names, nil
}
