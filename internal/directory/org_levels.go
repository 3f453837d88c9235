package directory

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// OrgLevels returns the names of the levels, from the top. It needs org-units:access.
func (h *Handle) OrgLevels(ctx context.Context) ([]string, error) {
	if err := h.actor.Need("org-units:access"); err != nil {
		return nil, err
	}
	levels, err := list[string](ctx, h.dir.DB.Read(), "SELECT name FROM org_levels ORDER BY position")
	if err != nil {
		return nil, fmt.Errorf("read the levels: %w", err)
	}
	return levels, nil
}

// SetLevels names the levels from the top, where seen is what they were when somebody decided so. Levels come and go at
// the bottom: one in the middle is a new one there, and others renamed. It needs org-units:edit, everywhere.
//
// Conflict: the levels are not as they were seen. Invalid: a name cannot be, a unit is on a level that would go, or
// agents would no longer be in teams, the units on the lowest level.
func (h *Handle) SetLevels(ctx context.Context, seen, want []string) error {
	if err := h.actor.Need("org-units:edit"); err != nil {
		return err
	}
	if err := everywhereOnly(h.actor); err != nil {
		return err
	}
	return h.changeUnits(ctx, "org-units:edit", func(e *unitEdit) error {
		switch {
		case slices.Equal(e.levels, want):
			return errNothingChanged
		case !slices.Equal(e.levels, seen):
			return e.levelsChanged(ctx)
		}
		p := &changePlan{have: Configuration{Levels: e.levels}, after: Configuration{Levels: want}}
		p.checkLevels()
		if err := p.faults.err(); err != nil {
			return err
		}
		if why, err := e.levelInUse(ctx, want); err != nil || why != "" {
			return refusal(why, err)
		}
		if why, err := agentsOffLevel(ctx, e.tx, len(e.levels), len(want)); err != nil || why != "" {
			return refusal(why, err)
		}
		if err := saveLevels(ctx, e.tx, want); err != nil {
			return fmt.Errorf("save the levels: %w", err)
		}
		return h.audit(ctx, e.tx, AuditEntry{Action: string(OpUpdate), Subject: "org-levels",
			Before: auditJSON([]attribute{{"levels", e.levels}}), After: auditJSON([]attribute{{"levels", want}})})
	})
}

func refusal(why string, err error) error {
	if err != nil {
		return err
	}
	return fault.New(fault.Invalid, "%s", why)
}

func (e *unitEdit) levelsChanged(ctx context.Context) error {
	who, found, err := sqldb.One[string](ctx, e.tx, "SELECT actor FROM audit WHERE subject = 'org-levels' AND name = '' ORDER BY id DESC LIMIT 1")
	if err != nil {
		return fmt.Errorf("look up who changed the levels: %w", err)
	}
	if !found {
		who = "somebody"
	}
	return fault.New(fault.Conflict, "nothing was changed: %s has changed the levels meanwhile, and they are %s now; look again and repeat what is still wanted", who, shown(e.levels))
}

// levelInUse says which units are on levels that would go; "" for none.
func (e *unitEdit) levelInUse(ctx context.Context, want []string) (string, error) {
	units, err := sqldb.All[string](ctx, e.tx, "SELECT full_name FROM org_units WHERE depth > $1 ORDER BY full_name", len(want))
	if err != nil {
		return "", fmt.Errorf("look for units on a level: %w", err)
	}
	n := len(units)
	if n == 0 {
		return "", nil
	}
	return fmt.Sprintf("the level %s cannot go: %s on it or below (%s); move or delete them first",
		e.levels[len(want)], areUnits(n), andMore(units[:min(n, mostNamed)], n, "unit")), nil
}

func areUnits(n int) string {
	if n == 1 {
		return "1 unit is"
	}
	return fmt.Sprintf("%d units are", n)
}
