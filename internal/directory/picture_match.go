package directory

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/sqldb"
)

// PictureAttribute is what a picture's file name is compared with.
type PictureAttribute string

const (
	ByAgentID PictureAttribute = "agent-id"
	ByLANID   PictureAttribute = "lan-id"
	ByPBXID   PictureAttribute = "pbx-id"
)

// PictureAttributes are all of them, the usual one first.
var PictureAttributes = []PictureAttribute{ByAgentID, ByLANID, ByPBXID}

// attributeColumns are where users have the attribute: the column that is compared, and the one that is shown.
var attributeColumns = map[PictureAttribute][2]string{ByAgentID: {"agent_key", "agent_id"}, ByLANID: {"lan_key", "lan_id"}, ByPBXID: {"pbx_id", "pbx_id"}}

// PictureMatch is the user whom a picture is for. UserID is 0 where there is none: OutOfScope then tells that there is one
// outside the actor's scope, of whom nothing else is told. Inactive users are users.
type PictureMatch struct {
	UserID           int64
	LANID, Name      string // Name is first and last name
	Version          int64
	Hash, SourceHash string // of the picture that they have; "" for none
	OutOfScope       bool
	Suggestion       string // where nobody has it: the value of somebody within scope that comes close
}

type pictureMatchRow struct {
	Key, LANID, Name, Path, Hash, Source string
	ID, Version                          int64
}

func (r *pictureMatchRow) match(s Scope) PictureMatch {
	if !s.Contains(r.Path) {
		return PictureMatch{OutOfScope: true}
	}
	return PictureMatch{UserID: r.ID, LANID: r.LANID, Name: r.Name, Version: r.Version, Hash: r.Hash, SourceHash: r.Source}
}

const selectPictureMatch = `SELECT k.key, u.lan_id, u.first_name || ' ' || u.last_name, coalesce(o.path, ''), coalesce(u.picture, ''), coalesce(p.source_hash, ''), u.id, u.version
	FROM %s AS k CROSS JOIN users u LEFT JOIN org_units o ON o.id = u.org_unit_id LEFT JOIN pictures p ON p.hash = u.picture WHERE `

// matchesAtOnce is how many keys one statement takes.
const matchesAtOnce = 5000

// MatchPictures finds the users who have these values of the attribute, in any case, as it all is at one instant. There
// are as many matches as keys, in their order; a key may be there twice. It needs pictures:add.
func (h *Handle) MatchPictures(ctx context.Context, a PictureAttribute, keys []string) ([]PictureMatch, error) {
	if err := h.actor.Need("pictures:add"); err != nil {
		return nil, err
	}
	column, known := attributeColumns[a]
	if !known {
		return nil, unknownAttribute(a)
	}
	folded := make([]string, len(keys))
	for i, key := range keys {
		folded[i] = storable(Fold(cleanCell(key)))
	}
	found := make(map[string]PictureMatch, len(keys))
	err := h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		query := fmt.Sprintf(selectPictureMatch, h.dir.DB.Keys) + "u." + column[0] + " = k.key"
		for some := range slices.Chunk(folded, matchesAtOnce) {
			for r, err := range sqldb.Each[pictureMatchRow](ctx, q, query, h.dir.DB.KeySet(some)) {
				if err != nil {
					return fmt.Errorf("match pictures: %w", err)
				}
				found[r.Key] = r.match(h.actor.scope)
			}
		}
		return h.suggestForPictures(ctx, q, column, folded, found)
	})
	if err != nil {
		return nil, err
	}
	matches := make([]PictureMatch, len(keys))
	for i, key := range folded {
		matches[i] = found[key]
	}
	return matches, nil
}

// suggestForPictures looks for what comes close to keys that nobody has.
func (h *Handle) suggestForPictures(ctx context.Context, q sqldb.Querier, column [2]string, keys []string, found map[string]PictureMatch) error {
	if h.dir.DB.Engine == sqldb.Postgres {
		// The index has the order. Shortly after a large import, before there are statistics, the planner would sort all
		// users instead, for each of the keys.
		if _, err := q.ExecContext(ctx, "SET LOCAL enable_sort = off"); err != nil {
			return err
		}
	}
	looked := 0
	for _, key := range keys {
		if _, known := found[key]; known {
			continue
		}
		if looked++; looked > suggestionsPerCatalogue {
			return nil
		}
		near, err := suggestBeside(ctx, q, h.actor.scope, column, "1 = 1", key)
		if err != nil {
			return fmt.Errorf("look for what comes close: %w", err)
		}
		found[key] = PictureMatch{Suggestion: near}
	}
	return nil
}

// suggestBeside returns the value that comes closest to the folded one, among those of users u of the condition and within
// the scope that begin with the same letter and stand near it in the order; "" when none is close.
func suggestBeside(ctx context.Context, q sqldb.Querier, scope Scope, column [2]string, condition, key string) (string, error) {
	if key == "" || key[0] >= 0x80 {
		return "", nil
	}
	type near struct{ Value, Path string }
	var values []string
	// One bound on either side, no third: SQLite would walk from the further of two.
	for _, side := range []struct{ order, from, to string }{{"", key, key[:1] + "\x7f"}, {" DESC", key[:1], key}} {
		query := fmt.Sprintf(`SELECT u.%[2]s, coalesce(o.path, '') FROM users u LEFT JOIN org_units o ON o.id = u.org_unit_id
			WHERE %[4]s AND u.%[1]s >= $1 AND u.%[1]s < $2 ORDER BY u.%[1]s%[3]s LIMIT 250`, column[0], column[1], side.order, condition)
		for n, err := range sqldb.Each[near](ctx, q, query, side.from, side.to) {
			if err != nil {
				return "", err
			}
			if scope.Contains(n.Path) {
				values = append(values, n.Value)
			}
		}
	}
	return Nearest(key, values), nil
}

// PictureUsers is MatchPictures for users who are known, by their ids. Who is not there is not in the result. It needs
// pictures:add.
func (h *Handle) PictureUsers(ctx context.Context, ids []int64) (map[int64]PictureMatch, error) {
	if err := h.actor.Need("pictures:add"); err != nil {
		return nil, err
	}
	found := make(map[int64]PictureMatch, len(ids))
	query := fmt.Sprintf(selectPictureMatch, h.dir.DB.Keys) + "u.id = CAST(k.key AS BIGINT)"
	err := h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		for some := range slices.Chunk(ids, matchesAtOnce) {
			for r, err := range sqldb.Each[pictureMatchRow](ctx, q, query, keySet(h.dir.DB, some)) {
				if err != nil {
					return fmt.Errorf("look up users: %w", err)
				}
				found[r.ID] = r.match(h.actor.scope)
			}
		}
		return nil
	})
	return found, err
}
