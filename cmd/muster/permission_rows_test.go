package main

import (
	"bytes"
	"context"
	"io"
	"iter"
	"slices"
	"strings"

	"muster/internal/auth"
	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
	"muster/internal/userimport"
)

type rights = []directory.Right

func permissions() []permission {
	return slices.Concat(handlePermissions(), userPermissions(), cataloguePermissions(), rolePermissions(), orgPermissions(), replacePermissions(), editPermissions(), picturePermissions(), pictureImportPermissions(), auditPermissions(), approvalPermissions(), enginePermissions(), authPermissions(), frozenPermissions())
}

// free are methods that ask nobody for a right.
func free(service string, why string, methods ...string) []permission {
	var all []permission
	for _, m := range methods {
		all = append(all, permission{method: service + "." + m, free: true, why: why})
	}
	return all
}

var subjectFilter = directory.UserFilter{Where: []directory.Condition{{Column: "lan_id", Op: directory.OpEqual, Value: subjectID}}}

func isSubject(u directory.User) bool { return u.LANID == subjectID }

func handlePermissions() []permission {
	see, add := rights{"users:access"}, rights{"users:add"}
	const whole = "what it tells holds for the whole organisation"
	return append(free("Handle", "says who acts", "Actor"), []permission{
		{method: "Handle.Users", needs: see, call: func(w *ward, a directory.Actor) (bool, error) {
			users, err := w.app.dir.As(a).Users(w.Context(), directory.UserFilter{}, "", 1000)
			return slices.ContainsFunc(users, isSubject), err
		}},
		{method: "Handle.UsersPage", needs: see, call: func(w *ward, a directory.Actor) (bool, error) {
			page, err := w.app.dir.As(a).UsersPage(w.Context(), directory.UserQuery{})
			return slices.ContainsFunc(page.Users, isSubject), err
		}},
		{method: "Handle.UsersPage", why: "by id", needs: see, call: func(w *ward, a directory.Actor) (bool, error) {
			page, err := w.app.dir.As(a).UsersPage(w.Context(), directory.UserQuery{Filter: directory.UserFilter{IDs: []int64{w.userID(subjectID)}}})
			return slices.ContainsFunc(page.Users, isSubject), err
		}},
		{method: "Handle.CountUsers", needs: see, call: func(w *ward, a directory.Actor) (bool, error) {
			n, err := w.app.dir.As(a).CountUsers(w.Context(), subjectFilter)
			return n > 0, err
		}},
		{method: "Handle.WalkUsers", needs: see, call: func(w *ward, a directory.Actor) (seen bool, err error) {
			err = w.app.dir.As(a).WalkUsers(w.Context(), subjectFilter, func(*directory.Configuration) error { return nil }, func(users []directory.User) error {
				seen = seen || slices.ContainsFunc(users, isSubject)
				return nil
			})
			return seen, err
		}},
		{method: "Handle.Configuration", why: whole, reach: anywhere,
			needs: rights{"roles:access", "org-units:access", "catalogues:access", "access-roles:access", "settings:access"},
			call: func(w *ward, a directory.Actor) (bool, error) {
				c, err := w.app.dir.As(a).Configuration(w.Context())
				return len(c.Roles) > 0, err
			}},
		{method: "Handle.CompareConfiguration", why: whole, reach: anywhere, needs: rights{"catalogues:access"}, call: func(w *ward, a directory.Actor) (bool, error) {
			d, err := w.app.dir.As(a).CompareConfiguration(w.Context(), directory.Configuration{CRMNames: []directory.Named{{Name: "Siebel"}}}, false)
			return len(d) > 0, err
		}},
		{method: "Handle.ApplyConfiguration", why: "of a unit", needs: rights{"org-units:edit", "org-units:add"}, call: func(w *ward, a directory.Actor) (bool, error) {
			d, err := w.app.dir.As(a).ApplyConfiguration(w.Context(), directory.Configuration{OrgUnits: []directory.OrgUnit{{FullName: subjectUnit + " / Team 2"}}}, directory.ApplyOptions{})
			return len(d) > 0, err
		}},
		{method: "Handle.ApplyConfiguration", why: "of all", reach: everywhere, needs: rights{"catalogues:edit", "catalogues:add"}, call: func(w *ward, a directory.Actor) (bool, error) {
			d, err := w.app.dir.As(a).ApplyConfiguration(w.Context(), directory.Configuration{CRMNames: []directory.Named{{Name: "Siebel"}}}, directory.ApplyOptions{})
			return len(d) > 0, err
		}},
		{method: "Handle.CreateAdministrator", reach: everywhere, needs: directory.AllRights(), call: func(w *ward, a directory.Actor) (bool, error) {
			err := w.tx(false, func(ctx context.Context, tx *sqldb.Tx) error {
				_, err := w.app.dir.As(a).CreateAdministrator(ctx, tx, directory.Applicant{LANID: newID, FirstName: "Ravi", LastName: "Khan"})
				return err
			})
			return w.count("SELECT count(*) FROM users WHERE lan_id = $1", newID) > 0, err
		}},
		{method: "Handle.InsertUsers", needs: add, call: insertUser},
		{method: "Handle.RemoveInserted", needs: add, call: func(w *ward, a directory.Actor) (bool, error) {
			done := w.userID("done1")
			err := w.tx(true, func(ctx context.Context, tx *sqldb.Tx) error {
				_, err := w.app.dir.As(a).RemoveInserted(ctx, tx, w.batches["done"], directory.IDs{First: done, End: done + 1})
				return err
			})
			return w.count("SELECT count(*) FROM users WHERE id = $1", done) == 0, err
		}},
		// That somebody is still there it says to whoever takes back, and of those out of scope no more than that.
		{method: "Handle.KeptInserted", needs: add, call: func(w *ward, a directory.Actor) (touched bool, err error) {
			done := w.userID("done1")
			for k, err := range w.app.dir.As(a).KeptInserted(w.Context(), w.app.db.Read(), w.batches["done"], directory.IDs{First: done, End: done + 1}) {
				if err != nil {
					return touched, err
				}
				touched = touched || !k.OutOfScope
			}
			return touched, nil
		}},
		{method: "Handle.SetLink", needs: rights{"users:edit"}, call: func(w *ward, a directory.Actor) (bool, error) {
			err := w.tx(false, func(ctx context.Context, tx *sqldb.Tx) error {
				return w.app.dir.As(a).SetLink(ctx, tx, w.userID(subjectID), []byte("hash"), 1<<60)
			})
			return w.count("SELECT count(*) FROM credentials WHERE link_until = $1", int64(1)<<60) > 0, err
		}},
	}...)
}

// insertUser inserts somebody whom the system judged, and who is in the subject's unit.
func insertUser(w *ward, a directory.Actor) (bool, error) {
	r := directory.NewRules(w.cfg, directory.System("test"))
	c := directory.Candidate{ID: w.ids.First}
	for col, cell := range map[directory.Column]string{directory.LANID: newID, directory.FirstName: "Ravi", directory.LastName: "Khan", directory.PBXID: "3001",
		directory.ProfileColumn: "Supervisor", directory.OrgUnitColumn: "Cards", directory.RoleColumn: "Agent"} {
		c.Cells[col] = cell
	}
	r.JudgeRow(&c)
	if c.Failed() {
		w.Fatalf("the candidate: %+v", c.Problems)
	}
	err := w.tx(true, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := w.app.dir.As(a).InsertUsers(ctx, tx, directory.Stamp{BatchID: w.batches["done"], By: a.Name(), At: 1}, [][]directory.Candidate{{c}}, func() bool { return false })
		return err
	})
	return w.count("SELECT count(*) FROM users WHERE lan_id = $1", newID) > 0, err
}

// Whoever looks at others' batches, and decides about them, may do so everywhere; one's own one always sees.
var (
	lookAtOthers = rights{"batches:access"}
	lookAtOwn    = rights{}
	actOnOthers  = rights{"batches:access", "batches:edit", "users:add"}
	actOnOwn     = rights{"users:add"}
)

// looking is the row of a method that tells of a batch.
func looking(method string, call func(w *ward, a directory.Actor) (bool, error)) permission {
	return permission{method: method, reach: everywhere, needs: lookAtOthers, own: lookAtOwn, call: call}
}

// acting is the row of a method that decides about a batch.
func acting(method string, call func(w *ward, a directory.Actor) (bool, error)) permission {
	return permission{method: method, reach: everywhere, needs: actOnOthers, own: actOnOwn, call: call}
}

// anyOf tells whether there is anything.
func anyOf[T any](seq iter.Seq2[T, error]) (some bool, err error) {
	for _, err := range seq {
		if err != nil {
			return some, err
		}
		some = true
	}
	return some, nil
}

func enginePermissions() []permission {
	const judged = "nothing is done to any user yet: rows are judged by the owner's scope"
	return append(free("Engine", "runs or clears up what somebody who had the right has begun", "Execute", "Wait", "CarryOn", "Work", "Nudge", "Sweep", "UploadLimit"), []permission{
		looking("Engine.Get", func(w *ward, a directory.Actor) (bool, error) {
			b, err := w.app.engine.Get(w.Context(), a, w.batches["done"])
			return b != nil, err
		}),
		looking("Engine.MayLook", func(w *ward, a directory.Actor) (bool, error) {
			err := w.app.engine.MayLook(w.Context(), a, w.batches["done"])
			return err == nil, err
		}),
		looking("Engine.List", func(w *ward, a directory.Actor) (bool, error) {
			all, total, err := w.app.engine.List(w.Context(), a, batch.ListQuery{Limit: 100, Owner: ownerID})
			return len(all) > 0 || total > 0, err
		}),
		looking("Engine.Entries", func(w *ward, a directory.Actor) (bool, error) {
			return anyOf(w.app.engine.Entries(w.Context(), a, w.batch("done"), batch.Filter{}))
		}),
		looking("Engine.KeptByUndo", func(w *ward, a directory.Actor) (bool, error) {
			return anyOf(w.app.engine.KeptByUndo(w.Context(), a, w.batch("undone")))
		}),
		looking("Engine.Codes", func(w *ward, a directory.Actor) (bool, error) {
			codes, err := w.app.engine.Codes(w.Context(), a, w.batch("done"))
			return len(codes) > 0, err
		}),
		looking("Engine.CodesOf", func(w *ward, a directory.Actor) (bool, error) {
			codes, err := w.app.engine.CodesOf(w.Context(), a, w.batch("done"), directory.Invalid)
			return len(codes) > 0, err
		}),
		acting("Engine.MayAct", func(w *ward, a directory.Actor) (bool, error) {
			err := w.app.engine.MayAct(w.Context(), a, w.batches["done"])
			return err == nil, err
		}),
		acting("Engine.Apply", func(w *ward, a directory.Actor) (bool, error) {
			err := w.app.engine.Apply(w.Context(), a, w.batches["ready"], 0)
			return w.batch("ready").State != batch.Ready, err
		}),
		acting("Engine.Cancel", func(w *ward, a directory.Actor) (bool, error) {
			err := w.app.engine.Cancel(w.Context(), a, w.batches["ready"])
			return w.batch("ready").State != batch.Ready, err
		}),
		acting("Engine.Undo", func(w *ward, a directory.Actor) (bool, error) {
			err := w.app.engine.Undo(w.Context(), a, w.batches["done"])
			return w.batch("done").State != batch.Done, err
		}),
		{method: "Engine.Create", why: judged, reach: anywhere, needs: rights{"users:add"}, call: func(w *ward, a directory.Actor) (bool, error) {
			b, err := w.app.engine.Create(w.Context(), a, batch.Spec{Action: userimport.Action, Inputs: []batch.Input{input(userDetails())}})
			return b != nil, err
		}},
		{method: "Engine.Freeze", why: judged, reach: anywhere, needs: rights{"users:add"}, call: func(w *ward, a directory.Actor) (bool, error) {
			f, err := w.app.engine.Freeze(w.Context(), a, "UserDetails.csv", strings.NewReader("new"))
			return f.Hash != "", err
		}},
		{method: "Engine.CreateFrozen", why: judged, reach: anywhere, needs: rights{"users:add"}, call: func(w *ward, a directory.Actor) (bool, error) {
			b, err := w.app.engine.CreateFrozen(w.Context(), a, batch.Spec{Action: userimport.Action}, w.batch("done").Files)
			return b != nil, err
		}},
		{method: "Engine.CreateAgain", reach: everywhere, needs: rights{"batches:access", "users:add"}, own: actOnOwn, call: func(w *ward, a directory.Actor) (bool, error) {
			b, err := w.app.engine.CreateAgain(w.Context(), a, w.batches["done"], batch.Spec{Action: userimport.Action})
			return b != nil, err
		}},
	}...)
}

func authPermissions() []permission {
	client := auth.Client{Address: "192.0.2.3"}
	return slices.Concat(
		free("Service", "lets in whoever knows the password or has the link, which is what it checks", "SignIn", "Redeem", "LookAtLink", "CreateFirst"),
		free("Service", "is for whoever starts Muster, and makes nothing where there is an administrator", "FirstLink"),
		free("Service", "finds out who acts", "Actor"),
		free("Service", "clears up, or writes what was noted", "Sweep", "Flush", "Close"),
		[]permission{
			{method: "Service.MakeLink", needs: rights{"users:edit", "users:access"}, call: func(w *ward, a directory.Actor) (bool, error) {
				l, err := w.app.auth.MakeLink(w.Context(), a, subjectID)
				return l.Token != "", err
			}},
			{method: "Service.MakeLink", why: "for somebody who may do everything", reach: everywhere, needs: directory.AllRights(), call: func(w *ward, a directory.Actor) (bool, error) {
				l, err := w.app.auth.MakeLink(w.Context(), a, chiefID)
				return l.Token != "", err
			}},
			{method: "Service.CreateAdministrator", reach: everywhere, needs: directory.AllRights(), call: func(w *ward, a directory.Actor) (bool, error) {
				l, err := w.app.auth.CreateAdministrator(w.Context(), a, directory.Applicant{LANID: newID, FirstName: "Ravi", LastName: "Khan"})
				return l.Token != "", err
			}},
			{method: "Service.Session", session: func(w *ward, who holder) (bool, error) {
				s, err := w.app.auth.Session(w.Context(), w.token(who))
				return s != nil, err
			}},
			{method: "Service.SignOut", session: func(w *ward, who holder) (bool, error) {
				err := w.app.auth.SignOut(w.Context(), w.token(who))
				return w.subjectsSessions() == 0, err
			}},
			{method: "Service.SignOutEverywhere", session: func(w *ward, who holder) (bool, error) {
				err := w.app.auth.SignOutEverywhere(w.Context(), w.session(who))
				return w.subjectsSessions() == 0, err
			}},
			{method: "Service.Sessions", session: func(w *ward, who holder) (bool, error) {
				all, err := w.app.auth.Sessions(w.Context(), w.session(who))
				return len(all) > 0, err
			}},
			{method: "Service.ChangePassword", session: func(w *ward, who holder) (bool, error) {
				const other = "five red bicycles hum"
				err := w.app.auth.ChangePassword(w.Context(), w.session(who), secret, other)
				if err != nil {
					return false, err
				}
				_, _, err = w.app.auth.SignIn(w.Context(), subjectID, other, client)
				return err == nil, err
			}},
		})
}

func (w *ward) subjectsSessions() int64 {
	w.Helper()
	return w.count("SELECT count(*) FROM sessions WHERE user_id = $1", w.userID(subjectID))
}

func frozenPermissions() []permission {
	return append(free("Frozen", "knows no more than the batch that it was given", "Reported"), []permission{
		looking("Frozen.Rows", func(w *ward, a directory.Actor) (bool, error) { return anyOf(w.frozen(a, "done").Rows(w.Context())) }),
		looking("Frozen.Said", func(w *ward, a directory.Actor) (bool, error) {
			return anyOf(w.frozen(a, "done").Said(w.Context(), batch.Filter{}))
		}),
		looking("Frozen.Page", func(w *ward, a directory.Actor) (bool, error) {
			rows, _, err := w.frozen(a, "done").Page(w.Context(), userimport.RowsQuery{})
			return len(rows) > 0, err
		}),
		looking("Frozen.Codes", func(w *ward, a directory.Actor) (bool, error) {
			codes, err := w.frozen(a, "done").Codes(w.Context(), directory.Invalid)
			return len(codes) > 0, err
		}),
		looking("Frozen.Editable", func(w *ward, a directory.Actor) (bool, error) {
			rows, _, err := w.frozen(a, "done").Editable(w.Context(), userimport.EditQuery{})
			return len(rows) > 0, err
		}),
		looking("Frozen.Corrections", func(w *ward, a directory.Actor) (bool, error) {
			cells, err := w.frozen(a, "corrected").Corrections(w.Context(), userimport.UserDetails)
			return len(cells) > 0, err
		}),
		looking("Frozen.ToRun", func(w *ward, a directory.Actor) (bool, error) {
			n, err := w.frozen(a, "corrected").ToRun(w.Context())
			return n > 0, err
		}),
		looking("Frozen.UnknownColumns", func(w *ward, a directory.Actor) (bool, error) {
			columns, err := w.frozen(a, "strange").UnknownColumns(w.Context())
			return len(columns) > 0, err
		}),
		looking("Frozen.Mapped", func(w *ward, a directory.Actor) (bool, error) {
			columns, err := w.frozen(a, "mapped").Mapped(w.Context())
			return len(columns) > 0, err
		}),
		looking("Frozen.WriteRejects", func(w *ward, a directory.Actor) (bool, error) {
			var users bytes.Buffer
			n, err := w.frozen(a, "done").WriteRejects(w.Context(), &w.cfg, &users, io.Discard, io.Discard)
			return n.Any() || strings.Contains(users.String(), "done2"), err
		}),
		acting("Frozen.Correct", func(w *ward, a directory.Actor) (bool, error) {
			err := w.frozen(a, "done").Correct(w.Context(), []userimport.Correction{{Kind: userimport.UserDetails, Row: 3, Column: "Org Unit", Value: "Cards"}})
			return w.corrections("done") > 0, err
		}),
		acting("Frozen.CorrectAll", func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.frozen(a, "done").CorrectAll(w.Context(), userimport.UserDetails, "Org Unit", "org_unit.unknown", "Kards", "Cards")
			return w.corrections("done") > 0, err
		}),
		acting("Frozen.RunCorrected", func(w *ward, a directory.Actor) (bool, error) {
			b, err := w.frozen(a, "corrected").RunCorrected(w.Context(), userimport.RunOptions{})
			return b != nil, err
		}),
		{method: "Frozen.Remap", reach: everywhere, needs: rights{"batches:access", "users:add"}, own: actOnOwn, call: func(w *ward, a directory.Actor) (bool, error) {
			b, err := w.frozen(a, "strange").Remap(w.Context(), []userimport.ColumnChoice{{Index: int(directory.OrgUnitColumn), Column: "Org Unit"}})
			return b != nil, err
		}},
	}...)
}

func (w *ward) corrections(which string) int64 {
	w.Helper()
	return w.count("SELECT count(*) FROM import_corrections WHERE batch_id = $1", w.batches[which])
}
