package directory

import (
	"context"
	"fmt"

	"muster/internal/sqldb"
)

// writeUser writes what was judged over a user who is there, but for the version and who changed them.
func (h *Handle) writeUser(ctx context.Context, c *userChange, j *judged) error {
	n := &j.c
	_, err := c.tx.ExecContext(ctx, `
		UPDATE users SET lan_id = $2, lan_key = $3, first_name = $4, last_name = $5, first_key = $6, last_key = $7, agent_id = $8, agent_key = $9,
			pbx_id = nullif($10, ''), profile = $11, supervisor_id = $12, org_unit_id = $13, access_role_id = $14, crm_name_id = $15,
			greeting_template_id = $16, email = nullif($17, '')
		WHERE id = $1`,
		c.held.ID, n.Cells[LANID], n.Key, n.Cells[FirstName], n.Cells[LastName], FoldName(n.Cells[FirstName]), FoldName(n.Cells[LastName]), n.AgentID, n.AgentKey,
		n.Cells[PBXID], int64(n.Profile), idOrNull(n.SupervisorID), idOrNull(n.OrgUnitID), idOrNull(n.AccessRoleID), idOrNull(n.CRMNameID),
		idOrNull(n.GreetingTemplateID), j.in.Email)
	if err != nil {
		return fmt.Errorf("change the user: %w", err)
	}
	for _, table := range []string{"user_roles", "user_channels", "user_features"} {
		if _, err := c.tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE user_id = $1", c.held.ID); err != nil {
			return fmt.Errorf("change the user: %w", err)
		}
	}
	n.ID = c.held.ID
	return insertDetails(ctx, c.tx, n)
}

// insertUser writes a user of whom nothing is there yet; the candidate's ID is theirs.
func (h *Handle) insertUser(ctx context.Context, tx *sqldb.Tx, n *Candidate, email string) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO users (id, lan_id, lan_key, first_name, last_name, first_key, last_key, agent_id, agent_key, pbx_id, profile, supervisor_id,
			org_unit_id, access_role_id, crm_name_id, greeting_template_id, email, changed_by, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, nullif($10, ''), $11, $12, $13, $14, $15, $16, nullif($17, ''), $18, $19)`,
		n.ID, n.Cells[LANID], n.Key, n.Cells[FirstName], n.Cells[LastName], FoldName(n.Cells[FirstName]), FoldName(n.Cells[LastName]), n.AgentID, n.AgentKey,
		n.Cells[PBXID], int64(n.Profile), idOrNull(n.SupervisorID), idOrNull(n.OrgUnitID), idOrNull(n.AccessRoleID), idOrNull(n.CRMNameID),
		idOrNull(n.GreetingTemplateID), email, h.actor.name, h.dir.micros())
	if err != nil {
		return fmt.Errorf("add the user: %w", err)
	}
	if err := noteUsers(ctx, tx, n.ID); err != nil {
		return err
	}
	return insertDetails(ctx, tx, n)
}

// insertDetails writes what a user has any number of.
func insertDetails(ctx context.Context, tx *sqldb.Tx, n *Candidate) error {
	insert := func(statement string, args ...any) error {
		if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
			return fmt.Errorf("write the user's roles, channel counts and features: %w", err)
		}
		return nil
	}
	for _, role := range n.RoleIDs {
		if err := insert("INSERT INTO user_roles (user_id, role_id) VALUES ($1, $2)", n.ID, role); err != nil {
			return err
		}
	}
	for _, v := range n.Channels {
		if err := insert("INSERT INTO user_channels (user_id, channel_id, count) VALUES ($1, $2, $3)", n.ID, v.ChannelID, v.Count); err != nil {
			return err
		}
	}
	for _, v := range n.Features {
		if err := insert("INSERT INTO user_features (user_id, feature_id, value) VALUES ($1, $2, $3)", n.ID, v.FeatureID, v.Value); err != nil {
			return err
		}
	}
	return nil
}
