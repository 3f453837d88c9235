package directory

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// changePlan is the way from the configuration that is there to the one that is wanted.
type changePlan struct {
	have  Configuration
	after Configuration
	// units holds, by full name, the units that are there and, while the plan is carried out, those it has made.
	units     map[string]OrgUnit
	steps     []step
	deletions []step
	// finish runs after all steps; what it does is part of what the steps say.
	finish []func(context.Context, *sqldb.Tx) error
	faults faults
}

// step is one change, and how it is carried out.
type step struct {
	Change
	module        string
	before, after []attribute
	// allowed checks what the right alone does not: scope, and giving only what one holds.
	allowed func(Actor) error
	// refused says why it cannot be done as things stand: "" when it can.
	refused func(context.Context, sqldb.Querier) (string, error)
	run     func(context.Context, *sqldb.Tx) error
}

// entity is a kind of thing that the configuration holds any number of, known by their names.
type entity[T any] struct {
	subject string
	module  string
	key     func(*T) (id *int64, name *string)
	// attributes always returns the same names in the same order.
	attributes func(T) []attribute
	// allowed is nil for what holds for the whole organization: that needs a scope without limits. before is nil
	// for what is new, after for what is deleted.
	allowed func(a Actor, before, after *T) error
	// refused is nil for what can always be changed; for a deletion it is asked too.
	refused func(ctx context.Context, q sqldb.Querier, before, after *T) (string, error)
	// save writes a new one (its id is 0) or a changed one.
	save func(ctx context.Context, tx *sqldb.Tx, v T) error
	// users counts the users that refer to id $1, erase deletes it.
	users string
	erase string
}

// compare adds to the plan what makes have into want, and returns what is then there: want in its order, then what
// only have has. A nil want leaves everything as it is.
func compare[T any](p *changePlan, e entity[T], have, want []T, prune bool) []T {
	if want == nil {
		return have
	}
	old := map[string]T{}
	for _, v := range have {
		_, name := e.key(&v)
		old[*name] = v
	}
	after := []T{}
	wanted := map[string]bool{}
	for _, v := range want {
		id, name := e.key(&v)
		if wanted[*name] {
			p.faults.add("%s %q is there twice; leave one of them out", e.subject, *name)
			continue
		}
		wanted[*name] = true
		before, there := old[*name]
		if there {
			oldID, _ := e.key(&before)
			*id = *oldID
			p.update(updateStep(e, before, v))
		} else {
			*id = 0
			p.steps = append(p.steps, createStep(e, v))
		}
		after = append(after, v)
	}
	var deletions []step
	for _, v := range have {
		_, name := e.key(&v)
		switch {
		case wanted[*name]:
		case prune:
			deletions = append(deletions, deleteStep(e, v))
		default:
			after = append(after, v)
		}
	}
	p.prune(deletions)
	return after
}

// update adds the step unless it changes nothing.
func (p *changePlan) update(s step) {
	if len(s.after) > 0 {
		p.steps = append(p.steps, s)
	}
}

// prune adds deletions before those of earlier sections: what refers to others goes first.
func (p *changePlan) prune(deletions []step) { p.deletions = append(deletions, p.deletions...) }

func createStep[T any](e entity[T], v T) step {
	s := newStep(e, OpCreate, nil, &v)
	s.after = append([]attribute{{"name", s.Name}}, telling(e.attributes(v))...)
	s.run = func(ctx context.Context, tx *sqldb.Tx) error { return e.save(ctx, tx, v) }
	return s
}

func updateStep[T any](e entity[T], before, after T) step {
	s := newStep(e, OpUpdate, &before, &after)
	s.before, s.after = differing(e.attributes(before), e.attributes(after))
	s.Details = details(s.before, s.after)
	s.run = func(ctx context.Context, tx *sqldb.Tx) error { return e.save(ctx, tx, after) }
	return s
}

func deleteStep[T any](e entity[T], v T) step {
	s := newStep(e, OpDelete, &v, nil)
	s.before = append([]attribute{{"name", s.Name}}, telling(e.attributes(v))...)
	id, _ := e.key(&v)
	s.refused = func(ctx context.Context, q sqldb.Querier) (string, error) {
		return inUse(ctx, q, s.Change, e.users, *id)
	}
	s.run = func(ctx context.Context, tx *sqldb.Tx) error { return erase(ctx, tx, s.Change, e.erase, *id) }
	return s
}

// telling leaves out, of what is made or deleted, that it is not retired.
func telling(all []attribute) []attribute {
	return slices.DeleteFunc(all, func(a attribute) bool {
		return a.value == any(false) || a.name == "retired_values" && len(a.value.([]string)) == 0
	})
}

func newStep[T any](e entity[T], op Op, before, after *T) step {
	named := after
	if named == nil {
		named = before
	}
	_, name := e.key(named)
	s := step{Change: Change{Op: op, Subject: e.subject, Name: *name}, module: e.module, allowed: everywhereOnly}
	if e.allowed != nil {
		s.allowed = func(a Actor) error { return e.allowed(a, before, after) }
	}
	if e.refused != nil && op == OpUpdate {
		s.refused = func(ctx context.Context, q sqldb.Querier) (string, error) { return e.refused(ctx, q, before, after) }
	}
	return s
}

// everywhereOnly is for what holds for the whole organization.
func everywhereOnly(a Actor) error {
	if !a.scope.IsEverywhere() {
		return fault.New(fault.Forbidden, "this concerns the whole organization, and your access role does not; ask somebody whose access role has the scope everywhere")
	}
	return nil
}

// inUse tells by how many users a thing is used that is to be deleted.
func inUse(ctx context.Context, q sqldb.Querier, c Change, countUsers string, id int64) (string, error) {
	n, _, err := sqldb.One[int64](ctx, q, countUsers, id)
	if err != nil || n == 0 {
		return "", err
	}
	return fmt.Sprintf("%s %q cannot be deleted: it is in use by %s; change them first, or keep it", c.Subject, c.Name, people(n)), nil
}

func people(n int64) string {
	if n == 1 {
		return "1 user"
	}
	return fmt.Sprintf("%d users", n)
}

// erase deletes what inUse found unused; it may have come into use since.
func erase(ctx context.Context, tx *sqldb.Tx, c Change, statement string, id int64) error {
	_, err := tx.ExecContext(ctx, statement, id)
	if sqldb.ErrorKind(err) == sqldb.ForeignKey {
		return fault.Wrap(fault.Conflict, err, "%s %q cannot be deleted: it has just come into use; try again to see by what", c.Subject, c.Name)
	}
	return err
}
