package directory

import (
	"context"
	"fmt"
	"strconv"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Stamp is what a write leaves on the users it touches.
type Stamp struct {
	BatchID int64
	By      string // who acts
	At      int64  // microseconds
}

var (
	userColumns = []string{"id", "lan_id", "lan_key", "first_name", "last_name", "agent_id", "agent_key", "pbx_id", "profile",
		"supervisor_id", "org_unit_id", "access_role_id", "crm_name_id", "greeting_template_id", "first_key", "last_key"}
	roleColumns    = []string{"user_id", "role_id"}
	channelColumns = []string{"user_id", "channel_id", "count"}
	featureColumns = []string{"user_id", "feature_id", "value"}
)

// InsertUsers writes candidates without errors as users, in the order given, which for speed is that of their LAN
// IDs; their names' folded forms may be there already (see [Candidate.FoldNames]). It takes whole blocks until there are no more or enough, asked after each, says so, and returns how many
// blocks it took. It needs users:add, and all of them within the actor's scope. It must run in a [sqldb.DB.BulkTx].
// When somebody was quicker with one of the ids, the error is of kind sqldb.Unique, and the caller finds out who.
func (h *Handle) InsertUsers(ctx context.Context, tx *sqldb.Tx, s Stamp, blocks [][]Candidate, enough func() bool) (took int, err error) {
	if err := h.actor.Need("users:add"); err != nil {
		return 0, err
	}
	if err := h.mayInsert(ctx, tx, blocks); err != nil {
		return 0, err
	}
	fixed := []sqldb.Fixed{{Column: "changed_by", Value: s.By}, {Column: "changed_at", Value: s.At}, {Column: "batch_id", Value: s.BatchID}}
	users := &userRows{blocks: blocks, enough: enough, at: -1}
	if _, err := tx.Bulk(ctx, "users", userColumns, users, fixed...); err != nil {
		return 0, err
	}
	blocks = blocks[:users.block]
	if err := noteWritten(ctx, tx, idRanges(blocks)...); err != nil {
		return 0, err
	}
	if _, err := tx.Bulk(ctx, "user_roles", roleColumns, roleRows(blocks)); err != nil {
		return 0, err
	}
	if _, err := tx.Bulk(ctx, "user_channels", channelColumns, channelRows(blocks)); err != nil {
		return 0, err
	}
	_, err = tx.Bulk(ctx, "user_features", featureColumns, featureRows(blocks))
	return len(blocks), err
}

// idRanges are the ids of each block, from the lowest to the highest, merged.
func idRanges(blocks [][]Candidate) (ranges []IDs) {
	for _, users := range blocks {
		if len(users) == 0 {
			continue
		}
		r := IDs{First: users[0].ID, End: users[0].ID + 1}
		for i := range users {
			r.First, r.End = min(r.First, users[i].ID), max(r.End, users[i].ID+1)
		}
		ranges = append(ranges, r)
	}
	return merged(ranges)
}

// mayInsert makes sure that all candidates are within the actor's scope. The rules have judged so before; nothing is
// written that only looks as if they had.
func (h *Handle) mayInsert(ctx context.Context, tx *sqldb.Tx, blocks [][]Candidate) error {
	if h.actor.scope.IsEverywhere() {
		return nil
	}
	within := map[int64]bool{} // by unit
	var ask []string
	for _, users := range blocks {
		for i := range users {
			id := users[i].OrgUnitID
			if _, known := within[id]; !known {
				within[id] = false
				ask = append(ask, strconv.FormatInt(id, 10))
			}
		}
	}
	type unit struct {
		ID   int64
		Path string
	}
	query := fmt.Sprintf("SELECT o.id, o.path FROM %s AS k CROSS JOIN org_units o WHERE o.id = CAST(k.key AS BIGINT)", h.dir.DB.Keys)
	for u, err := range sqldb.Each[unit](ctx, tx, query, h.dir.DB.KeySet(ask)) {
		if err != nil {
			return fmt.Errorf("look up org units: %w", err)
		}
		within[u.ID] = h.actor.scope.Contains(u.Path)
	}
	for id, ok := range within {
		if !ok {
			return fault.New(fault.Forbidden, "the org unit %d is outside the units in which you may add users", id)
		}
	}
	return nil
}

// ErrConfigurationChanged says that roles, org units or catalogues are not those that the candidates were judged by.
var ErrConfigurationChanged = fault.New(fault.Conflict, "the configuration changed while the users were being checked")

// SupervisorGone is a supervisor that candidates were judged to have, and who by now is no longer there, is an agent,
// or is inactive.
type SupervisorGone struct {
	ID       int64
	Profile  Profile // 0: no such user
	Inactive bool
}

// People is raised by whatever removes a user or makes somebody unfit to be a supervisor: while it is the same, the
// supervisors that candidates were judged to have are fit.
func People(ctx context.Context, q sqldb.Querier) (int64, error) {
	n, _, err := sqldb.One[int64](ctx, q, "SELECT people FROM directory_revision")
	return n, err
}

// VerifyParents makes sure that everything the candidates refer to is still as they were judged, inside the
// transaction that writes them and for a whole chunk at once. people is what [People] was before they were judged.
// It returns the supervisors that are not fit any more. On PostgreSQL it is asked before the users are written and after:
// whoever moves a unit or makes a supervisor an agent just then either is seen, or waits and sees the users.
func (r *Rules) VerifyParents(ctx context.Context, db *sqldb.DB, tx *sqldb.Tx, blocks [][]Candidate, people int64) ([]SupervisorGone, error) {
	type revision struct{ Configuration, People int64 }
	now, _, err := sqldb.One[revision](ctx, tx, "SELECT revision, people FROM directory_revision")
	if err != nil {
		return nil, err
	}
	if now.Configuration != r.Configuration.Revision {
		return nil, ErrConfigurationChanged
	}
	if now.People == people {
		return nil, nil
	}
	known := map[int64]bool{}
	for _, users := range blocks {
		for i := range users {
			known[users[i].ID] = true // about to be written themselves
		}
	}
	var ask []string
	for _, users := range blocks {
		for i := range users {
			if id := users[i].SupervisorID; id != 0 && !known[id] {
				known[id] = true
				ask = append(ask, strconv.FormatInt(id, 10))
			}
		}
	}
	if len(ask) == 0 {
		return nil, nil
	}
	type row struct {
		ID      int64
		Profile Profile
		Active  int
	}
	query := fmt.Sprintf(`SELECT CAST(k.key AS BIGINT), coalesce(u.profile, 0), coalesce(u.active, 1)
		FROM %s AS k LEFT JOIN users u ON u.id = CAST(k.key AS BIGINT)
		WHERE u.id IS NULL OR u.profile = 3 OR u.active = 0`, db.Keys)
	var gone []SupervisorGone
	for s, err := range sqldb.Each[row](ctx, tx, query, db.KeySet(ask)) {
		if err != nil {
			return nil, fmt.Errorf("verify supervisors: %w", err)
		}
		gone = append(gone, SupervisorGone{ID: s.ID, Profile: s.Profile, Inactive: s.Active == 0})
	}
	return gone, nil
}

// RejectSupervisor gives the candidate the problem that its supervisor has by now.
func (c *Candidate) RejectSupervisor(g SupervisorGone) {
	switch {
	case g.Profile == 0:
		c.UnknownSupervisor(false, "")
	case g.Profile == Agent:
		c.NotASupervisor()
	default:
		c.problem(SupervisorColumn, "inactive", Error, "%s is inactive; reactivate them or enter another supervisor.", c.Cells[SupervisorColumn])
	}
}

// ReserveUserIDs gives out n consecutive ids.
func ReserveUserIDs(ctx context.Context, tx *sqldb.Tx, n int64) (IDs, error) {
	end, _, err := sqldb.One[int64](ctx, tx, "UPDATE user_ids SET next_id = next_id + $1 RETURNING next_id", n)
	return IDs{First: end - n, End: end}, err
}

// userRows walks over whole blocks; block is how many it is through with.
type userRows struct {
	blocks [][]Candidate
	enough func() bool
	block  int
	at     int
}

func (u *userRows) Next() (bool, error) {
	for u.at++; u.block < len(u.blocks) && u.at == len(u.blocks[u.block]); u.at = 0 {
		u.block++
		if u.block < len(u.blocks) && u.enough() {
			u.blocks = u.blocks[:u.block]
		}
	}
	return u.block < len(u.blocks), nil
}

func (u *userRows) Value(column int) any {
	c := &u.blocks[u.block][u.at]
	switch column {
	case 0:
		return c.ID
	case 1:
		return c.Cells[LANID]
	case 2:
		return c.Key
	case 3:
		return c.Cells[FirstName]
	case 4:
		return c.Cells[LastName]
	case 5:
		return c.AgentID
	case 6:
		return c.AgentKey
	case 7:
		return c.Cells[PBXID]
	case 8:
		return int64(c.Profile)
	case 9:
		return idOrNull(c.SupervisorID)
	case 10:
		return idOrNull(c.OrgUnitID)
	case 11:
		return idOrNull(c.AccessRoleID)
	case 12:
		return idOrNull(c.CRMNameID)
	case 13:
		return idOrNull(c.GreetingTemplateID)
	case 14:
		if c.firstKey == "" {
			c.FoldNames()
		}
		return c.firstKey
	}
	return c.lastKey
}

func idOrNull(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// detailRows walks over something that each user has any number of; count says how many.
type detailRows struct {
	blocks  [][]Candidate
	count   func(*Candidate) int
	value   func(c *Candidate, sub, column int) any
	at, sub int
}

func newDetailRows(blocks [][]Candidate, count func(*Candidate) int, value func(c *Candidate, sub, column int) any) *detailRows {
	return &detailRows{blocks: blocks, count: count, value: value, sub: -1}
}

func (d *detailRows) Next() (bool, error) {
	for d.sub++; len(d.blocks) > 0; d.at, d.sub = d.at+1, 0 {
		if d.at == len(d.blocks[0]) {
			d.blocks, d.at = d.blocks[1:], -1
			continue
		}
		if d.sub < d.count(&d.blocks[0][d.at]) {
			return true, nil
		}
	}
	return false, nil
}

func (d *detailRows) Value(column int) any {
	c := &d.blocks[0][d.at]
	if column == 0 {
		return c.ID
	}
	return d.value(c, d.sub, column)
}

func roleRows(blocks [][]Candidate) sqldb.Source {
	return newDetailRows(blocks, func(c *Candidate) int { return len(c.RoleIDs) },
		func(c *Candidate, sub, _ int) any { return c.RoleIDs[sub] })
}

func channelRows(blocks [][]Candidate) sqldb.Source {
	return newDetailRows(blocks, func(c *Candidate) int { return len(c.Channels) }, func(c *Candidate, sub, column int) any {
		if column == 1 {
			return c.Channels[sub].ChannelID
		}
		return c.Channels[sub].Count
	})
}

func featureRows(blocks [][]Candidate) sqldb.Source {
	return newDetailRows(blocks, func(c *Candidate) int { return len(c.Features) }, func(c *Candidate, sub, column int) any {
		if column == 1 {
			return c.Features[sub].FeatureID
		}
		return c.Features[sub].Value
	})
}
