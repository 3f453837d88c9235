package directory

import (
	"context"
	"strings"

	"muster/internal/sqldb"
)

// The names of settings.
const lanIDExtraCharacters = "lan_id_extra_characters"

// extraCharacters are those that a setting can allow in LAN IDs and Agent IDs.
const extraCharacters = ".-_@"

func (p *changePlan) compareSettings(want Configuration) {
	p.after.Settings = p.have.Settings
	if !want.GivesSettings() || want.Settings == p.have.Settings {
		return
	}
	p.after.Settings = want.Settings
	before := []attribute{{"value", p.have.Settings.LANIDExtraCharacters}}
	after := []attribute{{"value", want.Settings.LANIDExtraCharacters}}
	p.steps = append(p.steps, step{
		Change: Change{Op: OpUpdate, Subject: "setting", Name: lanIDExtraCharacters, Details: details(before, after)},
		module: "settings", before: before, after: after, allowed: everywhereOnly,
		run: func(ctx context.Context, tx *sqldb.Tx) error {
			return saveSetting(ctx, tx, lanIDExtraCharacters, want.Settings.LANIDExtraCharacters)
		},
	})
}

func (p *changePlan) checkSettings() {
	for _, r := range p.after.Settings.LANIDExtraCharacters {
		if !strings.ContainsRune(extraCharacters, r) {
			p.faults.add("setting %s: %q cannot be allowed; give any of %s", lanIDExtraCharacters, r, extraCharacters)
		}
	}
}

func saveSetting(ctx context.Context, tx *sqldb.Tx, name, value string) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO settings (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}
