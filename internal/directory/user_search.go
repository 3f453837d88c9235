package directory

import "context"

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

// walkTexts goes along the texts, in whose order no index is, and looks up who comes next: in a first window, and in a
// larger one. done tells that it got all that there are, or all that are needed.
func (f *finder) walkTexts(ctx context.Context) (found []position, done bool, err error) {
	windows := []int{gridLimits.firstWindow, gridLimits.lastWindow}
	if len(f.others) == 0 {
		windows[0] = f.need
	}
	after := f.after
	for _, window := range windows {
		ahead := f.texts.following(f.order.text, after, f.descending, window)
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
