package main

import (
	"maps"
	"slices"

	"muster/internal/sqldb"
)

// written is what processes have of users in memory, and how many notes there are of who was written.
type writtenUsers struct {
	users map[int64]writtenUser
	notes int64
}

type writtenUser struct {
	ID, At                           int64
	By, Last, First, LAN, Agent, PBX string
}

func (w *ward) written() writtenUsers {
	w.Helper()
	all := writtenUsers{users: map[int64]writtenUser{}, notes: w.count("SELECT coalesce(max(seq), 0) FROM user_writes")}
	for u, err := range sqldb.Each[writtenUser](w.Context(), w.app.db.Read(), `SELECT id, changed_at, changed_by, last_key, first_key, lan_key, agent_key, coalesce(pbx_id, '') FROM users`) {
		if err != nil {
			w.Fatal(err)
		}
		all.users[u.ID] = u
	}
	return all
}

// noted makes sure that since then, whoever wrote a user has told all processes that have users in memory.
func (w *ward) noted(before writtenUsers) {
	w.Helper()
	after := w.written()
	ids := slices.Concat(slices.Collect(maps.Keys(before.users)), slices.Collect(maps.Keys(after.users)))
	for _, id := range ids {
		if before.users[id] == after.users[id] {
			continue
		}
		if w.count("SELECT count(*) FROM user_writes WHERE seq > $1 AND first_id <= $2 AND last_id >= $3", before.notes, id, id) == 0 {
			w.Errorf("user %d was %+v and is %+v, and nobody is told", id, before.users[id], after.users[id])
		}
	}
}
