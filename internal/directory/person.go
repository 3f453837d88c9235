package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"muster/internal/sqldb"
)

// Holder is a user as one who may do something: with the rights of all their roles, and the scope of their access role.
type Holder struct {
	ID        int64
	LANID     string
	FirstName string
	LastName  string
	Profile   Profile
	Status    Status
	UnitPath  string // of the user's own org unit, "" for none
	Rights    []Right
	Scope     Scope
	BarredAt  int64 // microseconds: when they were last deactivated, 0 for never; sessions from before are over
}

// Name is the holder's name as it is shown.
func (h *Holder) Name() string { return h.FirstName + " " + h.LastName }

// MaySignIn tells whether the holder is active and has access to some module: nobody else has anything to do here.
func (h *Holder) MaySignIn() bool {
	return h.Status == Active && slices.ContainsFunc(h.Rights, func(r Right) bool { return strings.HasSuffix(string(r), ":access") })
}

// Actor is who acts when the holder does, by way of source ("web"). One who is not active may do nothing.
func (h *Holder) Actor(source string) Actor {
	if h.Status != Active {
		return Person(h.LANID, source, nil, Scope{})
	}
	return Person(h.LANID, source, h.Rights, h.Scope)
}

// IsSystem tells whether the actor is the system, not a person.
func (a Actor) IsSystem() bool { return a.system }

// HolderByLANID returns the user with the LAN ID (in any case) and what they may do as things stand; found is false
// when there is none. It is for code that finds out who acts: whoever asks on somebody's behalf checks that person first.
func HolderByLANID(ctx context.Context, q sqldb.Querier, lanID string) (h *Holder, found bool, err error) {
	if !utf8.ValidString(lanID) || strings.ContainsRune(lanID, 0) {
		return nil, false, nil // PostgreSQL takes no such text
	}
	return holder(ctx, q, "u.lan_key = $1", Fold(lanID))
}

// HolderByID is [HolderByLANID] by the user's id.
func HolderByID(ctx context.Context, q sqldb.Querier, id int64) (h *Holder, found bool, err error) {
	return holder(ctx, q, "u.id = $1", id)
}

type holderRow struct {
	ID                         int64
	LANID, FirstName, LastName string
	Profile                    Profile
	Active                     int
	BarredAt                   int64
	UnitPath, Scope            string
	Rights, Units              string
}

// holder is one statement: it runs with every click of everybody who is signed in.
func holder(ctx context.Context, q sqldb.Querier, where string, arg any) (*Holder, bool, error) {
	r, found, err := sqldb.One[holderRow](ctx, q, `
		SELECT u.id, u.lan_id, u.first_name, u.last_name, u.profile, u.active, coalesce(c.barred_at, 0), coalesce(o.path, ''), coalesce(a.scope, ''),
			coalesce((SELECT string_agg(g.module || ':' || g.action, ' ') FROM user_roles h JOIN role_rights g ON g.role_id = h.role_id
				WHERE h.user_id = u.id), ''),
			coalesce((SELECT string_agg(p.path, ' ') FROM access_role_units w JOIN org_units p ON p.id = w.org_unit_id
				WHERE w.access_role_id = u.access_role_id), '')
		FROM users u LEFT JOIN org_units o ON o.id = u.org_unit_id LEFT JOIN access_roles a ON a.id = u.access_role_id
			LEFT JOIN credentials c ON c.user_id = u.id
		WHERE `+where, arg)
	if err != nil || !found {
		return nil, false, wrapHolder(err)
	}
	h := &Holder{ID: r.ID, LANID: r.LANID, FirstName: r.FirstName, LastName: r.LastName, Profile: r.Profile, Status: Active, UnitPath: r.UnitPath,
		BarredAt: r.BarredAt, Scope: scopeOf(r.Scope, r.UnitPath, strings.Fields(r.Units))}
	if r.Active == 0 {
		h.Status = Inactive
	}
	for _, right := range strings.Fields(r.Rights) {
		h.Rights = append(h.Rights, Right(right))
	}
	slices.SortFunc(h.Rights, func(a, b Right) int { return a.place() - b.place() })
	h.Rights = slices.Compact(h.Rights)
	return h, true, nil
}

func wrapHolder(err error) error {
	if err != nil {
		return fmt.Errorf("look up who acts: %w", err)
	}
	return nil
}

// scopeOf is what an access role's word for where means for a holder in the unit. Whatever it does not know is nowhere.
func scopeOf(word, unit string, units []string) Scope {
	switch {
	case word == "everywhere":
		return Everywhere()
	case word == "units" && len(units) > 0:
		return Below(units...)
	case word == "own-unit" && unit != "":
		return Exactly(unit)
	case word == "own-unit-and-below" && unit != "":
		return Below(unit)
	}
	return Scope{}
}
