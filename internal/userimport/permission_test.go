package userimport_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/userimport"
)

// somebody is a user of that name with rights in some units, or everywhere.
func (h *house) somebody(t failer, name string, rights []string, units ...string) directory.Actor {
	t.Helper()
	p := h.person(t, rights, units...)
	scope := p.Scope()
	if len(units) == 0 {
		scope = directory.Everywhere()
	}
	var all []directory.Right
	for _, r := range rights {
		all = append(all, directory.Right(r))
	}
	a := directory.Person(name, "test", all, scope)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.actors[name] = a
	return a
}

const (
	mayNot   = fault.Forbidden
	noSuch   = fault.NotFound
	isRest   = fault.Conflict // allowed, though the batch's state is not for it
	mayClean = fault.Kind(-1) // no error
)

// Each method × each kind of actor, on a batch that is done and belongs to ann.
func TestWhoMayDoWhat(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		f := tables{users: userRows(`a1,A,A,,1,Agent,boss,Cards Team 1,Agent
			a2,A,A,,2,Agent,boss,Mars,Agent`)}
		ann := h.somebody(t, "ann", []string{"users:add", "users:access"})
		id := h.run(t, ann, userimport.Options{}, h.files(f)).ID
		h.run(t, system, userimport.Options{Preview: true}, h.files(f))
		type who struct {
			name  string
			actor directory.Actor
			look  fault.Kind // what looking at it comes to
			act   fault.Kind // what deciding about it comes to, as far as rights go
			make  fault.Kind // what making one of its rows comes to
			list  int
		}
		actors := []who{
			{"system", system, mayClean, mayClean, mayClean, 3},
			{"the owner", ann, mayClean, mayClean, mayClean, 1},
			{"the owner without rights", directory.Person("ann", "test", nil, directory.Scope{}), mayClean, mayNot, mayNot, 1},
			{"all rights everywhere", h.somebody(t, "all", []string{"users:add", "batches:access", "batches:edit"}), mayClean, mayClean, mayClean, 3},
			{"looks everywhere", h.somebody(t, "looks", []string{"users:add", "batches:access"}), mayClean, mayNot, mayClean, 3},
			{"all rights in Cards", h.somebody(t, "cards", []string{"users:add", "batches:access", "batches:edit"}, "UAE / Retail / Cards"), noSuch, noSuch, noSuch, 0},
			{"edits without looking", h.somebody(t, "edits", []string{"users:add", "batches:edit"}), noSuch, noSuch, noSuch, 0},
			{"a user called system", directory.Person("system", "test", []directory.Right{"users:add"}, directory.Everywhere()), noSuch, noSuch, noSuch, 0},
			{"nobody", directory.Actor{}, noSuch, noSuch, noSuch, 0},
		}
		for _, w := range actors {
			b, err := h.engine.Get(ctx, system, id)
			if err != nil {
				t.Fatal(err)
			}
			z := &userimport.Frozen{Engine: h.engine, Actor: w.actor, Batch: b}
			is := func(what string, want fault.Kind, err error) {
				t.Helper()
				if got := fault.KindOf(err); want == mayClean && err != nil && got != isRest || want != mayClean && (err == nil || got != want) {
					t.Errorf("%s: %s: %v", w.name, what, err)
				}
			}
			_, err = h.engine.Get(ctx, w.actor, id)
			is("Get", w.look, err)
			_, missing := h.engine.Get(ctx, w.actor, 999)
			if w.look == noSuch && err.Error() != "there is no batch "+itoa(int(id))+missing.Error()[len("there is no batch 999"):] {
				t.Errorf("%s can tell a batch that is hidden (%v) from one that is not there (%v)", w.name, err, missing)
			}
			for e, err := range h.engine.Entries(ctx, w.actor, b, batch.Filter{}) {
				if is("Entries", w.look, err); w.look == noSuch && e.Row != 0 {
					t.Errorf("%s sees %+v", w.name, e)
				}
			}
			_, err = h.engine.Codes(ctx, w.actor, b)
			is("Codes", w.look, err)
			_, err = h.engine.CodesOf(ctx, w.actor, b, directory.Invalid)
			is("CodesOf", w.look, err)
			for _, err := range h.engine.KeptByUndo(ctx, w.actor, b) {
				is("KeptByUndo", w.look, err)
			}
			_, _, err = z.Page(ctx, userimport.RowsQuery{})
			is("Page", w.look, err)
			for _, err := range z.Rows(ctx) {
				is("Rows", w.look, err)
			}
			_, err = z.Codes(ctx, directory.Invalid)
			is("Frozen.Codes", w.look, err)
			_, err = z.Mapped(ctx)
			is("Mapped", w.look, err)
			_, err = z.UnknownColumns(ctx)
			is("UnknownColumns", w.look, err)
			_, _, err = z.Editable(ctx, userimport.EditQuery{})
			is("Editable", w.look, err)
			_, err = z.Corrections(ctx, userimport.UserDetails)
			is("Corrections", w.look, err)
			_, err = z.ToRun(ctx)
			is("ToRun", w.look, err)
			_, err = z.WriteRejects(ctx, &h.cfg, &bytes.Buffer{}, &bytes.Buffer{}, &bytes.Buffer{})
			is("WriteRejects", w.look, err)
			is("Correct", w.act, z.Correct(ctx, []userimport.Correction{{Kind: userimport.UserDetails, Row: 3, Column: "Org Unit", Value: "Venus"}}))
			_, err = z.CorrectAll(ctx, userimport.UserDetails, "Org Unit", "org_unit.unknown", "Mars", "Pluto")
			is("CorrectAll", w.act, err)
			if w.act != mayClean {
				_, err = z.RunCorrected(ctx, userimport.RunOptions{})
				is("RunCorrected", w.act, err)
				is("Undo", w.act, h.engine.Undo(ctx, w.actor, id))
			}
			_, err = z.Remap(ctx, nil)
			is("Remap", w.look, err)
			is("Apply", w.act, h.engine.Apply(ctx, w.actor, id, 0))
			is("Cancel", w.act, h.engine.Cancel(ctx, w.actor, id))
			_, err = h.engine.CreateAgain(ctx, w.actor, id, batch.Spec{Action: userimport.Action, Options: userimport.Options{}, Also: stopHere})
			is("CreateAgain", w.make, err)
			all, total, err := h.engine.List(ctx, w.actor, batch.ListQuery{Limit: 10})
			if err != nil || len(all) != w.list || total != int64(w.list) {
				t.Errorf("%s lists %d of %d, %v", w.name, len(all), total, err)
			}
		}
		for _, w := range actors {
			_, err := h.engine.Create(ctx, w.actor, batch.Spec{Action: userimport.Action, Options: userimport.Options{}, Also: stopHere})
			_, frozen := h.engine.Freeze(ctx, w.actor, "f", unread{t})
			if may := w.actor.Can("users:add"); may != (fault.KindOf(err) == isRest) || !may && fault.KindOf(frozen) != mayNot {
				t.Errorf("%s: Create: %v, Freeze: %v", w.name, err, frozen)
			}
		}
	})
}

// unread is an upload of one who may make a batch; nobody reads those of others.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	return 0, fault.New(fault.Invalid, "read")
}

// A person with a narrower access role takes back only those within it; the others stay, are listed and counted, and can
// be taken back by somebody else.
func TestUndoReachesAsFarAsWhoAsks(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		f := tables{users: userRows(`a1,A,A,,1,Agent,boss,Cards Team 1,Agent
			a2,A,A,,2,Agent,boss,Airline Team 1,Agent
			a3,A,A,,3,Agent,boss,Cards Team 2,Agent
			a4,A,A,,4,Agent,boss,Loans Team 1,Agent`)}
		before := h.dump(t)
		wide := h.somebody(t, "ann", []string{"users:add", "users:access", "roles:edit", "users:edit", "batches:access", "batches:edit"})
		b := h.run(t, wide, userimport.Options{}, h.files(f))
		if b.Counts.Inserted != 4 {
			t.Fatalf("%+v %+v", b.Counts, h.entries(t, b))
		}
		// Ann was given a narrower access role since.
		narrow := h.somebody(t, "ann", []string{"users:add", "users:access"}, "UAE / Retail / Cards")
		if err := h.engine.Undo(ctx, narrow, b.ID); err != nil {
			t.Fatal(err)
		}
		b = h.execute(t, b.ID)
		if b.State != batch.Undone || b.Undone != 2 || b.UndoneBy != "ann" {
			t.Errorf("%s %s: %d undone by %s", b.State, b.Reason, b.Undone, b.UndoneBy)
		}
		if d := cmp.Diff([]string{"a2", "a4"}, h.members(t, b.ID)); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]string{"a2 undo.out_of_scope", "a4 undo.out_of_scope"}, h.kept(t, b)); d != "" {
			t.Error(d)
		}
		if b = h.undo(t, b.ID); b.Undone != 4 || len(h.kept(t, b)) != 0 {
			t.Errorf("%d undone, %v kept", b.Undone, h.kept(t, b))
		}
		if d := cmp.Diff(before, h.dump(t)); d != "" {
			t.Error(d)
		}
		h.sound(t)
	})
}

// Corrected rows are judged with the rights of whoever runs them.
func TestCorrectedByANarrowerPerson(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		f := tables{users: userRows(`a1,A,A,,1,Agent,boss,Mars,Agent
			a2,A,A,,2,Agent,boss,Venus,Agent`)}
		cards := h.somebody(t, "carl", []string{"users:add", "users:access"}, "UAE / Retail / Cards")
		z := h.frozen(t, cards, h.run(t, cards, userimport.Options{}, h.files(f)).ID)
		h.correct(t, z, 2, "Org Unit", "Cards Team 1")
		h.correct(t, z, 3, "Org Unit", "Airline Team 1")
		b := h.rerun(t, z)
		if b.Owner != "carl" || b.Counts.Inserted != 1 || b.Counts.Invalid != 1 {
			t.Fatalf("%s %+v", b.Owner, b.Counts)
		}
		codes, err := h.frozen(t, cards, b.ID).Codes(context.Background(), directory.Invalid)
		if err != nil || !slices.ContainsFunc(codes, func(c batch.RowCount) bool { return c.Code == "org_unit.out_of_scope" }) {
			t.Errorf("%+v, %v", codes, err)
		}
	})
}

// stopHere ends the making of a batch when everything is allowed.
func stopHere(context.Context, *sqldb.Tx, int64) error { return fault.New(isRest, "it would be made") }
