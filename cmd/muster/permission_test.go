package main

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/auth"
	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/userimport"
)

// services are the types of whose methods each has a row, so that whoever adds one says who may call it.
var services = []any{&directory.Handle{}, &batch.Engine{}, &auth.Service{}, &userimport.Frozen{}}

// permission is one way to call a method: who may, and what tells that it was done.
type permission struct {
	method string // as "Handle.Users"
	why    string // of several rows of a method, which; of a free one, why it asks nobody for a right
	free   bool

	needs []directory.Right // all of them
	reach reach
	// own, where it is not nil, is what the owner of the batch needs, wherever their rights reach.
	own []directory.Right

	// call tells whether the subject was seen or changed.
	call func(w *ward, a directory.Actor) (touched bool, err error)
	// session is call for what somebody does with their own session.
	session func(w *ward, who holder) (touched bool, err error)
}

// reach is where the needed rights must hold.
type reach int

const (
	inUnit     reach = iota // in the subject's org unit
	everywhere              // without limits
	anywhere                // nothing of it belongs to an org unit: why says so
)

// TestEveryMethodHasItsPermission looks for methods that no row knows, and rows whose method is gone.
func TestEveryMethodHasItsPermission(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	for _, s := range services {
		typ := reflect.TypeOf(s)
		for i := range typ.NumMethod() {
			there[typ.Elem().Name()+"."+typ.Method(i).Name] = true
		}
	}
	known := map[string]bool{}
	for _, p := range permissions() {
		known[p.method] = true
		if !there[p.method] {
			t.Errorf("%s has a row and is gone", p.method)
		}
		if p.free == (p.call != nil || p.session != nil) || (p.free || p.reach == anywhere) && p.why == "" {
			t.Errorf("%s: say why it is free, or how it is called", p.method)
		}
	}
	for _, m := range slices.Sorted(maps.Keys(there)) {
		if !known[m] {
			t.Errorf("%s has no row: who may call it?", m)
		}
	}
}

// TestPermissions calls every method as everybody. On PostgreSQL only what depends on where a right holds is called
// again: that is a condition in SQL, while rights are looked at in Go.
func TestPermissions(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			tmpl := newTemplate(t, engine)
			shared := &ward{template: tmpl, home: t}
			for _, p := range permissions() {
				if p.free || engine == "postgres" && p.reach == anywhere && p.session == nil {
					continue
				}
				t.Run(strings.TrimSuffix(p.method+" "+p.why, " "), func(t *testing.T) {
					w := shared
					if engine == "sqlite" {
						t.Parallel()
						w = &ward{template: tmpl, home: t}
					}
					w.T = t
					if p.session != nil {
						p.trySessions(w)
						return
					}
					p.try(w, engine == "sqlite")
				})
			}
		})
	}
}

// attempt is a call by somebody, and whether it is to succeed.
type attempt struct {
	who     string
	actor   directory.Actor
	allowed bool
}

func (p *permission) try(w *ward, all bool) {
	w.fresh()
	list := p.attempts(w, all)
	call := func(a attempt) bool {
		return w.check(a.who, a.allowed, func() (bool, error) { return p.call(w, a.actor) })
	}
	for _, a := range list {
		if !a.allowed && !call(a) {
			break // what comes after it may only follow from it
		}
	}
	if w.spent = w.changed() != ""; w.spent {
		// Once more, to see who it was.
		for _, a := range list {
			if a.allowed {
				continue
			}
			w.fresh()
			call(a)
			if diff := w.changed(); diff != "" {
				w.spent = true
				w.Errorf("%s: refused, and yet the database is not as it was:\n%s", a.who, diff)
			}
		}
	}
	for _, a := range list {
		if a.allowed {
			w.fresh()
			before := w.written()
			call(a)
			w.noted(before)
			w.spent = w.changed() != ""
		}
	}
}

func (p *permission) attempts(w *ward, all bool) []attempt {
	stranger := func(scope directory.Scope, rights ...directory.Right) directory.Actor {
		return directory.Person("stranger", auth.Web, rights, scope)
	}
	in, out := directory.Below(w.path(subjectUnit)), directory.Below(w.path(otherUnit))
	if p.reach == everywhere {
		in, out = directory.Everywhere(), in
	}
	list := []attempt{
		{"nobody", directory.Actor{}, false},
		{"somebody without a name", directory.Person("", auth.Web, nil, directory.Everywhere()), false},
		{"somebody without rights", stranger(directory.Everywhere()), false},
		{"the rights nowhere", stranger(directory.Scope{}, p.needs...), p.reach == anywhere},
		{"the rights elsewhere", stranger(out, p.needs...), p.reach == anywhere},
	}
	for _, r := range p.needs {
		list = append(list, attempt{"all rights but " + string(r), stranger(directory.Everywhere(), allBut(r)...), false})
	}
	if all {
		for _, r := range directory.AllRights() {
			list = append(list, attempt{"only " + string(r), stranger(directory.Everywhere(), r), len(p.needs) == 1 && p.needs[0] == r})
		}
	}
	if p.own != nil {
		owner := func(scope directory.Scope, rights ...directory.Right) directory.Actor {
			return directory.Person(ownerID, auth.Web, rights, scope)
		}
		if len(p.own) > 0 {
			list = append(list, attempt{"the owner without the right", owner(directory.Everywhere(), allBut(p.own...)...), false})
		}
		list = append(list, attempt{"the owner", owner(directory.Scope{}, p.own...), true})
	}
	return append(list, attempt{"the rights where they are needed", stranger(in, p.needs...), true})
}

func allBut(without ...directory.Right) []directory.Right {
	return slices.DeleteFunc(directory.AllRights(), func(r directory.Right) bool { return slices.Contains(without, r) })
}

func (p *permission) trySessions(w *ward) {
	w.fresh()
	for _, who := range []holder{noSession, othersSession, ownSession} {
		w.check(string(who), who == ownSession, func() (bool, error) { return p.session(w, who) })
		if diff := w.changed(); who != ownSession && diff != "" {
			w.Errorf("%s: refused, and yet the database is not as it was:\n%s", who, diff)
		}
	}
	w.spent = true
}

// check calls, and looks whether the answer is right.
func (w *ward) check(who string, allowed bool, call func() (touched bool, err error)) (ok bool) {
	w.Helper()
	touched, err := call()
	switch kind := fault.KindOf(err); {
	case allowed && (err != nil || !touched):
		w.Errorf("%s: touched %v, error %v; want it done", who, touched, err)
	case allowed:
		return true
	case touched:
		w.Errorf("%s: touched it (%v); want a refusal", who, err)
	case err != nil && kind != fault.Forbidden && kind != fault.NotFound && kind != fault.Unauthenticated:
		w.Errorf("%s: %v; want a refusal", who, err)
	default:
		return true
	}
	return false
}

// changed is what is in the database now that was not there in the fresh copy, or the other way around.
func (w *ward) changed() string {
	w.Helper()
	return cmp.Diff(w.before, w.dump())
}
