package directory

import (
	"context"
	"fmt"

	"muster/internal/sqldb"
)

// UserVersion is a user as a set of users has them: as they were at the instant when it was frozen.
type UserVersion struct {
	ID, Version int64
	Profile     Profile
}

// FreezeUsers hands out all users that the filter picks within the actor's scope, in the order of their ids, as they are at
// one instant. It needs users:access and users:edit.
func (h *Handle) FreezeUsers(ctx context.Context, f UserFilter, each func(UserVersion) error) error {
	if err := h.actor.Need("users:edit"); err != nil {
		return err
	}
	return h.listing(ctx, f, UserSort{}, func(l *listing) error {
		if l.nobody {
			return nil
		}
		driver, count, err := l.driver(ctx, gridLimits.mostFetched)
		if err != nil {
			return err
		}
		if driver != nil && count > gridLimits.mostFetched {
			driver = nil // most users are looked at anyway: one way along the table costs less
		}
		s := l.statement()
		from, where := l.driven(s, driver)
		for u, err := range sqldb.Each[UserVersion](ctx, l.q, fmt.Sprintf("SELECT u.id, u.version, u.profile FROM %s%s ORDER BY u.id", from, whereAll(where)), s.args...) {
			if err == nil {
				err = each(u)
			}
			if err != nil {
				return fmt.Errorf("freeze users: %w", err)
			}
		}
		return nil
	})
}

// FindLANIDs returns those of the users with these LAN IDs (compared without case) who are within the actor's scope, in no
// order, and the LAN IDs, as given, that nobody within it has. It needs users:access and users:edit.
func (h *Handle) FindLANIDs(ctx context.Context, q sqldb.Querier, lanIDs []string) (found []UserVersion, unknown []string, err error) {
	if err := h.actor.Need("users:access", "users:edit"); err != nil {
		return nil, nil, err
	}
	within, err := h.withinScope(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	keys := make([]string, len(lanIDs))
	for i, id := range lanIDs {
		keys[i] = Fold(storable(id))
	}
	type row struct {
		Key         string
		ID, Version int64
		Profile     Profile
	}
	// CROSS JOIN keeps SQLite from going over all users instead of looking up the keys.
	query := fmt.Sprintf("SELECT users.lan_key, users.id, users.version, users.profile FROM %s AS k CROSS JOIN users WHERE users.lan_key = k.key AND %s", h.dir.DB.Keys, within)
	there := make(map[string]bool, len(keys))
	for r, err := range sqldb.Each[row](ctx, q, query, h.dir.DB.KeySet(keys)) {
		if err != nil {
			return nil, nil, fmt.Errorf("look up LAN IDs: %w", err)
		}
		if !there[r.Key] {
			there[r.Key] = true
			found = append(found, UserVersion{r.ID, r.Version, r.Profile})
		}
	}
	for i, key := range keys {
		if !there[key] {
			unknown = append(unknown, lanIDs[i])
		}
	}
	return found, unknown, nil
}

// UsersByID returns those of the users who are within the actor's scope, by id. It needs users:access.
func (h *Handle) UsersByID(ctx context.Context, ids []int64) (users map[int64]User, err error) {
	users = map[int64]User{}
	if len(ids) == 0 {
		return users, h.actor.Need("users:access")
	}
	err = h.listing(ctx, UserFilter{IDs: ids}, UserSort{}, func(l *listing) error {
		if l.nobody {
			return nil
		}
		found := []int64{}
		s := l.statement()
		from, where := l.driven(s, &l.terms[len(l.terms)-1])
		for id, err := range sqldb.Each[int64](ctx, l.q, "SELECT u.id FROM "+from+whereAll(where), s.args...) {
			if err != nil {
				return fmt.Errorf("look up users: %w", err)
			}
			found = append(found, id)
		}
		all, err := l.users(ctx, found)
		for _, u := range all {
			users[u.ID] = u
		}
		return err
	})
	return users, err
}
