package directory_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"muster/internal/directory"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

// Users are inserted, renamed and removed, one by one and whole ranges, while others look for them: what is found, and
// counted, is what there is, by whichever process it was written.
func TestSearchFollowsWrites(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		c := newCrowd(t, db, 3, 300)
		other := directory.New(db) // as another process would
		c.dir.ReadTexts(t.Context())
		other.ReadTexts(t.Context())
		spare := c.users[200:]
		c.users = c.users[:200]
		remove(t, db, 201, 300)
		for i := range 150 {
			if t.Failed() {
				return
			}
			c.rnd = rand.New(rand.NewPCG(4, uint64(i)))
			for range c.rnd.IntN(4) {
				spare = c.write(t, db, spare)
			}
			q := directory.UserQuery{Limit: 500, Filter: directory.UserFilter{Search: one(c.rnd, crowdTexts...)}}
			if c.rnd.IntN(3) == 0 {
				q.Filter = directory.UserFilter{Where: []directory.Condition{
					{Column: one(c.rnd, "first_name", "last_name", "lan_id", "agent_id", "pbx_id"), Op: one(c.rnd, "contains", "ends", "starts", "eq"), Value: one(c.rnd, append(crowdTexts, crowdNames...)...)}}}
			}
			if c.rnd.IntN(3) == 0 {
				q.Filter.Where = append(q.Filter.Where, one(c.rnd,
					directory.Condition{Column: "changed_at", Op: one(c.rnd, "before", "eq", "after"), Value: one(c.rnd, "2026-01-02", "2026-01-04")},
					directory.Condition{Column: "changed_by", Op: one(c.rnd, "eq", "ne", "starts", "contains"), Value: one(c.rnd, "NEWCOMER", "adm", c.users[0].ChangedBy)}))
			}
			if c.rnd.IntN(2) == 0 {
				q.Sort = directory.UserSort{Column: one(c.rnd, "first_name", "changed_at", "changed_by"), Descending: c.rnd.IntN(2) == 0}
				q.Limit = 1 + c.rnd.IntN(60)
			}
			c.compare(t, q, c.scope())
			mine := c.dir
			c.dir = other
			c.compare(t, q, c.scope())
			c.dir = mine
			if !c.dir.HasTexts() || !other.HasTexts() {
				t.Fatal("they were forgotten")
			}
		}
	})
}

// write inserts, renames, changes or removes some users, and returns who is left to be inserted.
func (c *crowd) write(t *testing.T, db *sqldb.DB, spare []person) []person {
	t.Helper()
	at := c.rnd.IntN(len(c.users))
	switch c.rnd.IntN(5) {
	case 0: // some of those who are not there, or not any more
		n := min(len(spare), 1+c.rnd.IntN(20))
		c.add(t, db, spare[:n])
		c.users = append(c.users, spare[:n]...)
		return spare[n:]
	case 1:
		u := &c.users[at]
		u.FirstName, u.LastName = one(c.rnd, crowdNames...), one(c.rnd, crowdNames...)
		err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			if _, err := tx.ExecContext(t.Context(), "UPDATE users SET first_name = $1, first_key = $2, last_name = $3, last_key = $4 WHERE id = $5",
				u.FirstName, directory.FoldName(u.FirstName), u.LastName, directory.FoldName(u.LastName), u.ID); err != nil {
				return err
			}
			return directory.NoteWritten(t.Context(), tx, directory.IDs{First: u.ID, End: u.ID + 1})
		})
		if err != nil {
			t.Fatal(err)
		}
	case 2:
		u := &c.users[at]
		u.ChangedBy, u.ChangedAt = one(c.rnd, "newcomer", "NewComer", fmt.Sprint("somebody", c.rnd.IntN(3))), time.Date(2026, 1, 1+c.rnd.IntN(5), 0, 0, 0, c.rnd.IntN(3)*1000, time.UTC)
		err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			if _, err := tx.ExecContext(t.Context(), "UPDATE users SET changed_by = $1, changed_at = $2 WHERE id = $3", u.ChangedBy, u.ChangedAt.UnixMicro(), u.ID); err != nil {
				return err
			}
			return directory.NoteWritten(t.Context(), tx, directory.IDs{First: u.ID, End: u.ID + 1})
		})
		if err != nil {
			t.Fatal(err)
		}
	case 3:
		first := c.users[at].ID
		last := first + c.rnd.Int64N(5)
		if first <= 10 || len(c.users) < 50 { // others' supervisors
			return spare
		}
		remove(t, db, first, last)
		c.users = slices.DeleteFunc(c.users, func(p person) bool {
			gone := p.ID >= first && p.ID <= last
			if gone {
				spare = append(spare, p)
			}
			return gone
		})
	}
	return spare
}

func (c *crowd) add(t *testing.T, db *sqldb.DB, users []person) {
	t.Helper()
	if len(users) == 0 {
		return
	}
	all := c.users
	defer func() { c.users = all }()
	c.users = users
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		if err := c.insert(t, tx, nil); err != nil {
			return err
		}
		for _, u := range users {
			if err := directory.NoteWritten(t.Context(), tx, directory.IDs{First: u.ID, End: u.ID + 1}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, db *sqldb.DB, first, last int64) {
	t.Helper()
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		for _, table := range []string{"DELETE FROM user_roles WHERE user_id", "DELETE FROM users WHERE id"} {
			if _, err := tx.ExecContext(t.Context(), table+" BETWEEN $1 AND $2", first, last); err != nil {
				return err
			}
		}
		return directory.NoteWritten(t.Context(), tx, directory.IDs{First: first, End: last + 1})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// On PostgreSQL a transaction may commit after others that began after it: what it wrote is found then.
func TestSearchFollowsLateCommit(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		if db.Engine != sqldb.Postgres {
			return // one transaction writes at a time
		}
		c := newCrowd(t, db, 5, 20)
		c.dir.ReadTexts(t.Context())
		rename := func(tx *sqldb.Tx, id int64, name string) error {
			if err := directory.NoteWritten(t.Context(), tx, directory.IDs{First: id, End: id + 1}); err != nil {
				return err
			}
			_, err := tx.ExecContext(t.Context(), "UPDATE users SET last_key = $1 WHERE id = $2", name, id)
			return err
		}
		h := c.dir.As(directory.Person("p", "test", usersAccess, directory.Everywhere()))
		found := func(when, name string, want int64) {
			t.Helper()
			if n, err := h.CountUsers(t.Context(), directory.UserFilter{Search: name}); err != nil || n != want {
				t.Errorf("%s: %d are called %s, %v; want %d", when, n, name, err, want)
			}
		}
		begun, commit, done := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			done <- db.Tx(context.Background(), func(tx *sqldb.Tx) error {
				if err := rename(tx, 3, "latecomer"); err != nil {
					return err
				}
				close(begun)
				<-commit
				return nil
			})
		}()
		<-begun
		for i := range 5 {
			name := fmt.Sprintf("quicker%d", i)
			if err := db.Tx(t.Context(), func(tx *sqldb.Tx) error { return rename(tx, int64(4+i), name) }); err != nil {
				t.Fatal(err)
			}
			found("meanwhile", name, 1)
			found("meanwhile", "latecomer", 0)
		}
		close(commit)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		found("afterwards", "latecomer", 1)
		found("afterwards", "quicker", 5)
	})
}
