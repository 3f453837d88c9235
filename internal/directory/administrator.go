package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// The built-in role and access role; the first administrator is made with them, and they with the first administrator.
const (
	AdministratorRole    = "Administrator"
	EverywhereAccessRole = "Everywhere"
)

// AllRights is the whole matrix of rights.
func AllRights() []Right {
	var all []Right
	for _, m := range Modules {
		for _, a := range Actions {
			all = append(all, Right(m+":"+a))
		}
	}
	return all
}

// Applicant is somebody who is to be an administrator.
type Applicant struct{ LANID, FirstName, LastName string }

// Rejected is why a user cannot be made: the problems that the rules found. Its kind is Conflict where an id is taken,
// Invalid otherwise.
type Rejected struct{ Problems []Problem }

func (r *Rejected) Error() string {
	messages := make([]string, len(r.Problems))
	for i, p := range r.Problems {
		messages[i] = p.Message
	}
	return strings.Join(messages, " ")
}

// Unwrap is the error as people see it.
func (r *Rejected) Unwrap() error {
	kind := fault.Invalid
	for _, p := range r.Problems {
		if p.Code == "lan_id.exists" || p.Code == "agent_id.taken" {
			kind = fault.Conflict
		}
	}
	return fault.New(kind, "%s", r.Error())
}

// administrators is whoever is one: an active user who can sign in, with users:edit and roles:edit, everywhere. It goes
// from the credentials, which are few, to the users, who are many; CROSS JOIN keeps SQLite to that. $1 is the time.
const administrators = `FROM credentials c CROSS JOIN users u CROSS JOIN access_roles a
			WHERE u.id = c.user_id AND a.id = u.access_role_id AND (c.password <> '' OR c.link_until > $1) AND u.active = 1 AND a.scope = 'everywhere'` +
	holdsRight + `g.action = 'access')` +
	holdsRight + `g.module = 'users' AND g.action = 'edit')` +
	holdsRight + `g.module = 'roles' AND g.action = 'edit')`

const holdsRight = ` AND EXISTS (SELECT 1 FROM user_roles h JOIN role_rights g ON g.role_id = h.role_id WHERE h.user_id = u.id AND `

// HasAdministrator tells whether there is an administrator: an active user who can sign in, with users:edit and
// roles:edit, everywhere.
func (d *Directory) HasAdministrator(ctx context.Context, q sqldb.Querier) (bool, error) {
	n, _, err := sqldb.One[int](ctx, q, "SELECT count(*) FROM (SELECT 1 "+administrators+" LIMIT 1) AS found", d.micros())
	if err != nil {
		return false, fmt.Errorf("look for an administrator: %w", err)
	}
	return n > 0, nil
}

// administratorsBetween are the administrators of a range of ids, ascending.
func (d *Directory) administratorsBetween(ctx context.Context, q sqldb.Querier, ids IDs) ([]int64, error) {
	all, err := sqldb.All[int64](ctx, q, "SELECT c.user_id "+administrators+" AND c.user_id >= $2 AND c.user_id < $3 ORDER BY c.user_id", d.micros(), ids.First, ids.End)
	if err != nil {
		return nil, fmt.Errorf("look for administrators: %w", err)
	}
	return all, nil
}

// keepAdministrator runs a change that could take the last administrator's rights, scope or status, and refuses it where
// there was an administrator before and none would be left. Changes of this kind take turns, so that two of them cannot
// each count on the administrator whom the other removes.
func (d *Directory) keepAdministrator(ctx context.Context, tx *sqldb.Tx, change func() error) error {
	if _, err := tx.ExecContext(ctx, lockConfiguration); err != nil {
		return err
	}
	before, err := d.HasAdministrator(ctx, tx)
	if err != nil {
		return err
	}
	if err := change(); err != nil || !before {
		return err
	}
	after, err := d.HasAdministrator(ctx, tx)
	if err == nil && !after {
		err = fault.New(fault.Conflict, "nobody would be left who can sign in with users:edit and roles:edit everywhere, so nothing was changed; make somebody else an administrator first")
	}
	return err
}

// CreateAdministrator makes an active user with the profile Administrator, all rights, everywhere. It makes or completes
// the built-in role and access role. What the rules refuse comes back as [Rejected]. It needs all rights, everywhere.
func (h *Handle) CreateAdministrator(ctx context.Context, tx *sqldb.Tx, a Applicant) (userID int64, err error) {
	if err := h.actor.Need(AllRights()...); err != nil {
		return 0, err
	}
	if err := everywhereOnly(h.actor); err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, lockConfiguration); err != nil {
		return 0, err
	}
	if err := h.makeBuiltIn(ctx, tx); err != nil {
		return 0, err
	}
	c, err := h.judgeAdministrator(ctx, tx, a)
	if err != nil {
		return 0, err
	}
	return h.insertAdministrator(ctx, tx, c)
}

// makeBuiltIn makes the role and access role, or gives them back what they lack. A role keeps the rules that it has.
func (h *Handle) makeBuiltIn(ctx context.Context, tx *sqldb.Tx) error {
	have, err := LoadConfiguration(ctx, tx)
	if err != nil {
		return err
	}
	role := Role{Name: AdministratorRole, Rights: AllRights()}
	if i := slices.IndexFunc(have.Roles, func(r Role) bool { return r.Name == role.Name }); i >= 0 {
		role.Rules = have.Roles[i].Rules
	}
	_, err = h.apply(ctx, tx, Configuration{
		Roles:       []Role{role},
		AccessRoles: []AccessRole{{Name: EverywhereAccessRole, Scope: "everywhere"}},
	}, false)
	return err
}

// judgeAdministrator asks the rules that hold for every user, as far as an administrator has what they are about.
func (h *Handle) judgeAdministrator(ctx context.Context, tx *sqldb.Tx, a Applicant) (*Candidate, error) {
	cfg, err := LoadConfiguration(ctx, tx)
	if err != nil {
		return nil, err
	}
	c := &Candidate{Profile: Administrator}
	for col, cell := range map[Column]string{LANID: a.LANID, FirstName: a.FirstName, LastName: a.LastName,
		RoleColumn: AdministratorRole, AccessRoleColumn: EverywhereAccessRole} {
		c.Cells[col] = strings.ToValidUTF8(strings.TrimSpace(cell), "\uFFFD")
	}
	c.Key = Fold(c.Cells[LANID])
	c.AgentID, c.AgentKey = c.Cells[LANID], c.Key
	r := NewRules(cfg, h.actor)
	r.judgeID(c, LANID)
	r.judgeName(c, FirstName, "the first name as it should appear")
	r.judgeName(c, LastName, "the last name as it should appear")
	r.judgeRoles(c)
	r.judgeAccessRole(c)
	if r.WellFormedLANID(c.Cells[LANID]) {
		if err := c.judgeTaken(ctx, tx); err != nil {
			return nil, err
		}
	}
	if c.Failed() {
		return nil, &Rejected{Problems: c.Problems}
	}
	return c, nil
}

// judgeTaken reports a user who has the LAN ID already, or the Agent ID that goes with it.
func (c *Candidate) judgeTaken(ctx context.Context, q sqldb.Querier) error {
	type row struct{ LANID, Key string }
	holders, err := sqldb.All[row](ctx, q, "SELECT lan_id, lan_key FROM users WHERE lan_key = $1 OR agent_key = $1 ORDER BY id", c.Key)
	if err != nil {
		return fmt.Errorf("look up who has the LAN ID: %w", err)
	}
	for _, u := range holders {
		if u.Key == c.Key {
			c.problem(LANID, "exists", Error, "The LAN ID %s is in the directory already; choose another. If that user may sign in, muster admin reset-password %s gives them a new link.", u.LANID, u.LANID)
			return nil
		}
	}
	for _, u := range holders {
		c.problem(AgentID, "taken", Error, "The Agent ID of an administrator is the LAN ID, and %s has the Agent ID %s; choose another LAN ID.", u.LANID, c.AgentID)
	}
	return nil
}

func (h *Handle) insertAdministrator(ctx context.Context, tx *sqldb.Tx, c *Candidate) (int64, error) {
	ids, err := ReserveUserIDs(ctx, tx, 1)
	if err != nil {
		return 0, err
	}
	c.ID = ids.First
	if err := h.insertUser(ctx, tx, c, ""); err != nil {
		if sqldb.ErrorKind(err) == sqldb.Unique {
			return 0, fault.Wrap(fault.Conflict, err, "somebody was quicker with the LAN ID %s; choose another", c.Cells[LANID])
		}
		return 0, fmt.Errorf("make the administrator: %w", err)
	}
	return ids.First, h.audit(ctx, tx, AuditEntry{Action: string(OpCreate), Subject: "user", Name: c.Cells[LANID], After: auditJSON([]attribute{
		{"lan_id", c.Cells[LANID]}, {"first_name", c.Cells[FirstName]}, {"last_name", c.Cells[LastName]}, {"agent_id", c.AgentID},
		{"profile", c.Profile.String()}, {"roles", []string{AdministratorRole}}, {"access_role", EverywhereAccessRole}}),
		SubjectID: c.ID, SubjectVersion: 1})
}
