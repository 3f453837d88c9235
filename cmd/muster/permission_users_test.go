package main

import (
	"muster/internal/directory"
	"muster/internal/sqldb"
)

// goneID is somebody who was deleted.
const goneID = "gone7"

// deleted makes a user and deletes them.
func (m *maker) deleted() {
	m.Helper()
	h := m.app.dir.As(directory.System("test"))
	u, problems, err := h.AddUser(m.Context(), directory.UserInput{LANID: goneID, FirstName: "Sara", LastName: "Gone", PBXID: "1077", Profile: "Supervisor", OrgUnit: subjectUnit, Roles: []string{"Agent"}})
	m.must(err)
	if u.ID == 0 {
		m.Fatal(problems)
	}
	m.must(h.DeleteUser(m.Context(), u.ID, u.Version, ""))
}

// userPermissions are those of the methods for one user.
func userPermissions() []permission {
	see, edit := rights{"users:access"}, rights{"users:edit"}
	subject := func(w *ward) directory.User {
		w.Helper()
		u, err := w.app.dir.As(directory.System("test")).UserByLANID(w.Context(), subjectID)
		if err != nil {
			w.Fatal(err)
		}
		return u
	}
	return []permission{
		{method: "Handle.User", needs: see, call: func(w *ward, a directory.Actor) (bool, error) {
			u, err := w.app.dir.As(a).User(w.Context(), w.userID(subjectID))
			return isSubject(u), err
		}},
		{method: "Handle.UserByLANID", needs: see, call: func(w *ward, a directory.Actor) (bool, error) {
			u, err := w.app.dir.As(a).UserByLANID(w.Context(), subjectID)
			return isSubject(u), err
		}},
		{method: "Handle.UserRights", needs: see, call: func(w *ward, a directory.Actor) (bool, error) {
			r, err := w.app.dir.As(a).UserRights(w.Context(), w.userID(subjectID))
			return len(r.Rights) > 0, err
		}},
		{method: "Handle.UserHistory", needs: see, call: func(w *ward, a directory.Actor) (bool, error) {
			all, err := w.app.dir.As(a).UserHistory(w.Context(), w.userID(subjectID), 0, 10)
			return len(all) > 0, err
		}},
		{method: "Handle.Reports", needs: see, call: func(w *ward, a directory.Actor) (bool, error) {
			_, _, err := w.app.dir.As(a).Reports(w.Context(), w.userID(subjectID), "", 10)
			return err == nil, err
		}},
		{method: "Handle.CheckUser", why: "of one who is there", needs: edit, call: func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.app.dir.As(a).CheckUser(w.Context(), w.userID(subjectID), subject(w).Input())
			return err == nil, err
		}},
		// To give a role takes the rights that it has.
		{method: "Handle.AddUser", needs: rights{"users:add", "users:access"}, call: func(w *ward, a directory.Actor) (bool, error) {
			_, _, err := w.app.dir.As(a).AddUser(w.Context(), directory.UserInput{LANID: newID, FirstName: "Ravi", LastName: "Khan", PBXID: "3001",
				Profile: "Supervisor", OrgUnit: subjectUnit, Roles: []string{"Agent"}})
			return w.count("SELECT count(*) FROM users WHERE lan_id = $1", newID) > 0, err
		}},
		{method: "Handle.EditUser", needs: edit, call: func(w *ward, a directory.Actor) (bool, error) {
			u := subject(w)
			in := u.Input()
			in.LastName = "Other"
			_, err := w.app.dir.As(a).EditUser(w.Context(), u.ID, u.Version, in, "")
			return subject(w).LastName == "Other", err
		}},
		{method: "Handle.DeactivateUser", needs: edit, call: func(w *ward, a directory.Actor) (bool, error) {
			u := subject(w)
			err := w.app.dir.As(a).DeactivateUser(w.Context(), u.ID, u.Version, "left", false)
			return subject(w).Status == directory.Inactive, err
		}},
		{method: "Handle.ReactivateUser", needs: edit, call: func(w *ward, a directory.Actor) (bool, error) {
			u := subject(w)
			w.execute("UPDATE users SET active = 0 WHERE id = $1", u.ID)
			_, err := w.app.dir.As(a).ReactivateUser(w.Context(), u.ID, u.Version, "")
			touched := subject(w).Status == directory.Active
			w.execute("UPDATE users SET active = 1 WHERE id = $1", u.ID)
			return touched, err
		}},
		{method: "Handle.DeleteUser", needs: rights{"users:delete"}, call: func(w *ward, a directory.Actor) (bool, error) {
			id := w.userID(subjectID)
			err := w.app.dir.As(a).DeleteUser(w.Context(), id, subject(w).Version, "")
			return w.count("SELECT count(*) FROM users WHERE id = $1", id) == 0, err
		}},
		{method: "Handle.MoveReports", needs: edit, call: func(w *ward, a directory.Actor) (bool, error) {
			id, report := w.userID(subjectID), w.userID("done1")
			w.execute("UPDATE users SET supervisor_id = $1 WHERE id = $2", id, report)
			moved, _, err := w.app.dir.As(a).MoveReports(w.Context(), id, ownerID)
			w.execute("UPDATE users SET supervisor_id = NULL WHERE id = $1", report)
			return moved > 0, err
		}},
		{method: "Handle.EraseUser", reach: everywhere, needs: rights{"users:delete", "audit:edit"}, call: func(w *ward, a directory.Actor) (bool, error) {
			err := w.app.dir.As(a).EraseUser(w.Context(), goneID, "")
			return w.count("SELECT count(*) FROM audit WHERE lower(name) = $1", goneID) == 0, err
		}},
	}
}

func (w *ward) execute(statement string, args ...any) {
	w.Helper()
	err := w.app.db.Tx(w.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.ExecContext(w.Context(), statement, args...)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
}
