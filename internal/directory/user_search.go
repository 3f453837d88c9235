package directory

import (
	"context"
	"slices"
)

// textFields are the columns of users that the texts hold.
var textFields = map[string]textField{
	"last_key": lastNameField, "first_key": firstNameField, "lan_key": lanIDField, "agent_key": agentIDField, "pbx_id": pbxIDField,
}

// textCondition is a condition as a test of the texts; ok is false where it is none.
func textCondition(column, op, value string) (test textTest, ok bool) {
	in, ok := textFields[column]
	switch {
	case !ok:
	case op == OpContains, op == OpEnds:
		return testText(in, value, op == OpEnds)
	case in == firstNameField && (op == OpStarts || op == OpEqual): // of the others there are indexes
		return testBegin(in, value, op == OpEqual)
	}
	return test, false
}

// textTests are what the texts can tell of the filter.
func (f UserFilter) textTests() (all []textTest) {
	add := func(test textTest, ok bool) {
		if ok {
			all = append(all, test)
		}
	}
	for _, word := range f.words() {
		add(testText(anyField, word, false))
	}
	for _, w := range f.Where {
		if column, value, ok := w.textColumn(); ok && !w.none() {
			add(textCondition(column, w.Op, value))
		}
	}
	return all
}

// lookThroughTexts finds the users in whose names and ids something is to be somewhere. The conditions stay, and are
// asked of the few who are found: somebody may have been renamed a moment ago. Where many are found, a page of them is
// soon found in the table, too.
func (l *listing) lookThroughTexts(ctx context.Context, d *Directory, f UserFilter, s UserSort) (err error) {
	tests := f.textTests()
	if len(tests) == 0 && s.column() != "first_name" || l.nobody {
		return nil
	}
	if l.texts, err = d.textsAt(ctx, l.q); err != nil || l.texts == nil || len(tests) == 0 {
		return err
	}
	l.tests = tests
	ids := l.texts.find(tests, int(gridLimits.mostFetched)+1)
	if len(ids) == 0 {
		l.nobody = true
		return nil
	}
	if len(ids) <= int(gridLimits.mostFetched) {
		t := l.ofIDs(ids)
		t.known, t.text = int64(len(ids)), true
		l.terms = append(l.terms, t)
	}
	return nil
}

func (l *listing) ofIDs(ids []int64) term {
	c := termCompiler{cfg: &l.cfg}
	c.ids(ids)
	return c.all[0]
}

// findInTexts finds a page of many by what the texts know: of whom they find, who comes next in an order of theirs, and
// how far one has to go in another. done tells that it got all that there are, or all that are needed.
func (f *finder) findInTexts(ctx context.Context) (found []position, done bool, err error) {
	if len(f.tests) == 0 && f.order.segments != nil {
		return nil, false, nil
	}
	// Not to be asked of each user: those whom the texts find are too many to be told one by one.
	all := *f.listing
	all.terms = slices.DeleteFunc(slices.Clone(f.terms), func(t term) bool { return t.known > 0 })
	g := finder{listing: &all, order: f.order, descending: f.descending, after: f.after, need: f.need}
	g.prepare()
	if g.order.text != anyField {
		return g.walkTexts(ctx)
	}
	known := int64(0)
	for _, t := range f.terms {
		known = max(known, t.known)
	}
	if known == 0 || f.order.segments == nil {
		return nil, false, nil
	}
	return g.walk(ctx, min(gridLimits.lastWindow, f.texts.users/int(known)*f.need*3/2))
}

// walkTexts goes along the texts in an order of theirs, and looks up who comes next: in a first window, and in a larger one.
func (f *finder) walkTexts(ctx context.Context) (found []position, done bool, err error) {
	windows := []int{gridLimits.firstWindow, gridLimits.lastWindow}
	if !slices.ContainsFunc(f.terms, func(t term) bool { return !t.text }) {
		windows[0] = f.need
	}
	after := f.after
	for _, window := range windows {
		ahead := f.texts.following(f.tests, f.order.text, after, f.descending, window)
		if len(ahead) == 0 {
			return found, true, nil
		}
		ids := make([]int64, len(ahead))
		for i, at := range ahead {
			ids[i] = at.id
		}
		these, part := f.ofIDs(ids), *f
		part.need -= len(found)
		got, err := part.fetch(ctx, &these)
		if err != nil {
			return nil, false, err
		}
		if found = append(found, got...); len(found) == f.need || len(ahead) < window {
			return found, true, nil
		}
		after = &ahead[len(ahead)-1]
	}
	return found, false, nil
}
