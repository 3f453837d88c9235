package directory_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

// audited is the audit, a line an entry.
func (o *office) audited() []string {
	o.Helper()
	type row struct {
		ID, At                                                      int64
		Actor, Source, Action, Subject, Name, Before, After, Reason string
		Batch, SubjectID, Version                                   int64
	}
	var lines []string
	for r, err := range sqldb.Each[row](o.Context(), o.d.DB.Read(), `SELECT id, at, actor, source, action, subject, name, before, after, reason,
		coalesce(batch_id, 0), coalesce(subject_id, 0), coalesce(subject_version, 0) FROM audit ORDER BY id`) {
		if err != nil {
			o.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%+v", r))
	}
	return lines
}

func TestEraseUser(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		h := system(o.d)
		in := o.user("ann").Input()
		in.LANID, in.FirstName = "annie", "Secret"
		if _, err := h.EditUser(o.Context(), o.ids["ann"], 1, in, "Secret reason"); err != nil {
			o.Fatal(err)
		}
		if err := h.EraseUser(o.Context(), "annie", ""); fault.KindOf(err) != fault.Conflict {
			o.Error(err)
		}
		if err := h.DeleteUser(o.Context(), o.ids["ann"], 2, "Secret too"); err != nil {
			o.Fatal(err)
		}
		// Somebody else has the first LAN ID by now, and stays.
		o.add("Ann", "3", "Agent", "lead", "UAE / Retail / Team 1", "Agent")
		before := o.audited()
		if err := h.EraseUser(o.Context(), "nobody", ""); fault.KindOf(err) != fault.NotFound {
			o.Error(err)
		}
		for _, a := range []*directory.Handle{o.as(nil, "UAE"), o.as([]directory.Right{"users:delete"}), o.as([]directory.Right{"audit:edit"}), o.d.As(directory.Actor{})} {
			if err := a.EraseUser(o.Context(), "ann", ""); fault.KindOf(err) != fault.Forbidden {
				o.Error(err)
			}
		}
		if strings.Join(before, "\n") != strings.Join(o.audited(), "\n") {
			o.Error("something was changed")
		}
		if err := h.EraseUser(o.Context(), "ANN", "asked for"); err != nil {
			o.Fatal(err)
		}
		after := o.audited()
		if len(after) != len(before)+1 || !strings.Contains(after[len(before)], "erase Subject:user Name:erased Before: After: Reason:asked for") {
			o.Errorf("%q", after[len(before):])
		}
		mine := fmt.Sprintf("SubjectID:%d ", o.ids["ann"])
		for i, line := range before {
			if !strings.Contains(line, mine) {
				if line != after[i] {
					o.Errorf("changed: %s", after[i])
				}
				continue
			}
			if now := after[i]; strings.Contains(strings.ToLower(now), "ann") || strings.Contains(now, "Secret") || !strings.Contains(now, "Actor:system") || !strings.Contains(now, "Name:erased") {
				o.Errorf("not erased: %s", now)
			}
		}
		// Once is enough, and "erased" is nobody's name.
		for _, name := range []string{"ann", "annie", "erased"} {
			if err := h.EraseUser(o.Context(), name, ""); fault.KindOf(err) != fault.NotFound && fault.KindOf(err) != fault.Conflict {
				o.Errorf("%s: %v", name, err)
			}
		}
	})
}

// Whatever statement is tried, the database changes nothing of the audit but into the mark of an erased user.
func TestNothingElseIsErased(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		h := system(o.d)
		if err := h.DeleteUser(o.Context(), o.ids["ann"], 1, "left"); err != nil {
			o.Fatal(err)
		}
		if err := h.DeleteUser(o.Context(), o.ids["bob"], 1, "left"); err != nil {
			o.Fatal(err)
		}
		if err := h.EraseUser(o.Context(), "ann", "asked for"); err != nil {
			o.Fatal(err)
		}
		// Somebody who is there cannot be erased, even if it is noted.
		execute(o.T, o.d, "INSERT INTO erasures (user_id, at) VALUES ($1, 1)", o.ids["far"])
		want := strings.Join(o.audited(), "\n")
		try := func(statement string, args ...any) {
			o.Helper()
			err := o.d.DB.Tx(o.Context(), func(tx *sqldb.Tx) error {
				_, err := tx.ExecContext(o.Context(), statement, args...)
				return err
			})
			if got := strings.Join(o.audited(), "\n"); got != want {
				o.Fatalf("%s %v changed the audit (%v):\n%s", statement, args, err, got)
			}
			if err == nil {
				o.Errorf("%s %v was let", statement, args)
			}
		}
		for _, statement := range []string{"DELETE FROM audit", "DELETE FROM erasures", "UPDATE erasures SET user_id = user_id + 1",
			"UPDATE erasures SET at = 2", "DELETE FROM audit WHERE name = 'erased'"} {
			try(statement)
		}
		const mark = `name = 'erased', before = CASE before WHEN '' THEN '' ELSE '{"erased":true}' END, after = CASE after WHEN '' THEN '' ELSE '{"erased":true}' END,
			reason = CASE reason WHEN '' THEN '' ELSE 'erased' END`
		for _, where := range []string{"1 = 1", "subject = 'role'", "name = 'bob'", "name = 'far'", "action = 'erase'", "subject_id IS NULL"} {
			try("UPDATE audit SET " + mark + " WHERE " + where)
		}
		columns := []string{"id", "at", "actor", "source", "action", "subject", "name", "before", "after", "reason", "batch_id", "subject_id", "subject_version"}
		values := map[string][]string{"id": {"id + 1000", "-id"}, "at": {"at + 1"}, "batch_id": {"1"}, "subject_id": {"7", "subject_id + 1"}, "subject_version": {"99"}}
		ann := fmt.Sprintf(" WHERE subject_id = %d AND action <> 'erase'", o.ids["ann"])
		// With the mark, which alone changes nothing any more, no other column, and no other text in place of it.
		for _, column := range columns {
			from := values[column]
			if from == nil {
				from = []string{"'x'", column + " || 'x'"}
			}
			for _, value := range from {
				if strings.Contains(mark, column+" = ") {
					try("UPDATE audit SET " + column + " = " + value + ann)
				} else {
					try("UPDATE audit SET " + column + " = " + value + ", " + mark + ann)
				}
			}
		}
		rnd := rand.New(rand.NewPCG(7, 7))
		for range 60 {
			set, marked := []string{}, rnd.IntN(2) == 0
			for range 1 + rnd.IntN(3) {
				column := columns[rnd.IntN(len(columns))]
				from := values[column]
				if from == nil {
					from = []string{"'x'", column + " || 'x'"}
				}
				set = append(set, column+" = "+from[rnd.IntN(len(from))])
				marked = marked && !strings.Contains(mark, column+" = ") // SQLite would set it to the last of two
			}
			statement := "UPDATE audit SET " + strings.Join(set, ", ")
			if marked {
				statement += ", " + mark
			}
			if rnd.IntN(2) == 0 {
				statement += ann
			}
			try(statement)
		}
	})
}
