package directory

import (
	"context"
	"math"
	"slices"

	"muster/internal/sqldb"
)

// textFields are the columns of users that the texts hold.
var textFields = map[string]textField{
	"last_key": lastNameField, "first_key": firstNameField, "lan_key": lanIDField, "agent_key": agentIDField, "pbx_id": pbxIDField,
}

// textCondition is a condition as a test of the texts; ok is false where it is none. inTexts tells that the order is theirs, too:
// what an index finds of how ids begin may be much, and far down in the order.
func textCondition(column, op, value string, inTexts bool) (test textTest, ok bool) {
	in, ok := textFields[column]
	switch {
	case !ok:
	case op == OpContains, op == OpEnds:
		return testText(in, value, op == OpEnds)
	case in == firstNameField && (op == OpStarts || op == OpEqual): // of the others there are indexes
		return testBegin(in, value, op == OpEqual)
	case in > firstNameField && op == OpStarts && inTexts:
		return testBegin(in, value, false)
	}
	return test, false
}

// asksTexts tells that something of the filter is what the texts can tell.
func (f UserFilter) asksTexts() bool {
	t := f.textTests(&texts{}, false)
	return !t.none()
}

// textTests are what the texts can tell of the filter.
func (f UserFilter) textTests(t *texts, inTexts bool) (all textTests) {
	add := func(test textTest, ok bool) {
		if ok {
			all.parts = append(all.parts, test)
		}
	}
	for _, word := range f.words() {
		add(testText(anyField, word, false))
	}
	for _, w := range f.Where {
		if w.none() {
			continue
		}
		switch column, value, ok := w.textColumn(); {
		case ok:
			add(textCondition(column, w.Op, value, inTexts))
		case w.Column == changedByColumn:
			by := make([]bool, len(t.names))
			for i, name := range t.names {
				by[i] = fulfilled(w.Op, Fold(name), Fold(storable(w.Value)))
			}
			all.stamps = append(all.stamps, stampTest{from: math.MinInt64, to: math.MaxInt64, by: by})
		case w.Column == "changed_at":
			from, to := w.span()
			all.stamps = append(all.stamps, stampTest{from: from, to: to})
		}
	}
	return all
}

// withTexts has the texts where the filter or the order has use for them, and they are in memory.
func (l *listing) withTexts(ctx context.Context, d *Directory, f UserFilter, s UserSort) (err error) {
	if f.asksTexts() || s.inTexts() {
		l.texts, err = d.textsAt(ctx, l.q)
	}
	return err
}

// lookThroughTexts finds the users of whom the texts can tell. The conditions stay, and are asked of the few who are
// found: somebody may have been changed a moment ago. Where many are found, a page of them is soon found in the table, too.
func (l *listing) lookThroughTexts(f UserFilter, s UserSort) {
	if l.texts == nil || l.nobody {
		return
	}
	l.tests = f.textTests(l.texts, s.inTexts())
	if l.tests.none() {
		return
	}
	ids := l.texts.find(l.tests, int(gridLimits.mostFetched)+1)
	if len(ids) == 0 {
		l.nobody = true
		return
	}
	if len(ids) <= int(gridLimits.mostFetched) {
		t := l.ofIDs(ids)
		t.known, t.text = int64(len(ids)), true
		l.terms = append(l.terms, t)
	}
}

func (l *listing) ofIDs(ids []int64) term {
	c := termCompiler{cfg: &l.cfg}
	c.ids(ids)
	return c.all[0]
}

// findInTexts finds a page of many by what the texts know: of whom they find, who comes next in an order of theirs, and
// how far one has to go in another. driver is the condition whose index finds the fewest, count of them. done tells that it
// got all that there are, or all that are needed.
func (f *finder) findInTexts(ctx context.Context, driver *term, count int64) (found []position, done bool, err error) {
	if f.tests.none() && f.order.segments != nil {
		return nil, false, nil
	}
	// Not to be asked of each user: those whom the texts find are too many to be told one by one.
	all := *f.listing
	all.terms = nil
	by := -1
	for i := range f.terms {
		if t := &f.terms[i]; t.known == 0 {
			if t == driver {
				by = len(all.terms)
			}
			all.terms = append(all.terms, *t)
		}
	}
	if by >= 0 {
		driver = &all.terms[by]
	}
	g := finder{listing: &all, order: f.order, descending: f.descending, after: f.after, need: f.need}
	g.prepare()
	if g.order.text != anyField {
		return g.walkTexts(ctx, driver, count)
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

// walkTexts goes along the texts in an order of theirs, and looks up who comes next: just as many as are needed where the texts
// can tell of all that is asked, or are told whom the only other condition finds; otherwise in a first window, and a second.
func (f *finder) walkTexts(ctx context.Context, driver *term, count int64) (found []position, done bool, err error) {
	tests, window := f.tests, f.need
	others := 0
	for i := range f.terms {
		if !f.terms[i].text {
			others++
		}
	}
	switch {
	case others == 0:
	case driver == nil || count > gridLimits.mostFetched:
		window = gridLimits.firstWindow
		if driver != nil && driver.byID && f.order.text == changedAtField {
			if found, done, err := f.walkGroups(ctx, driver); err != nil || done {
				return found, done, err
			}
		}
	case others > 1 || driver.text:
		return nil, false, nil // the driver's are looked up
	default:
		if tests.among, err = f.idsOf(ctx, driver); err != nil {
			return nil, false, err
		}
	}
	for after, seen := f.after, 0; ; {
		ahead := f.texts.following(tests, f.order.text, after, f.descending, window)
		if len(ahead) == 0 {
			return found, true, nil
		}
		part := *f
		part.need -= len(found)
		got, as, err := part.lookUp(ctx, ahead)
		if err != nil || !as {
			return nil, false, err
		}
		if found = append(found, got...); len(found) == f.need || len(ahead) < window {
			return found, true, nil
		}
		if seen += window; seen >= gridLimits.lastWindow || len(found) == 0 && seen > window {
			return nil, false, nil
		}
		after, window = &ahead[len(ahead)-1], gridLimits.lastWindow
		if len(found) > 0 { // what was found so far tells how far to go, with a little to spare
			window = min(window, seen*(f.need-len(found))/len(found)*3/2+f.need)
		}
	}
}

// lookUp asks the engine of the users at the places, in their order. as tells that they are where the texts have them: a
// moment ago somebody may have been changed whom the snapshot shows as they were, and a page must not end with one of those.
func (f *finder) lookUp(ctx context.Context, places []position) (found []position, as bool, err error) {
	ids, keys := make([]int64, len(places)), make(map[int64]any, len(places))
	for i, at := range places {
		ids[i], keys[at.id] = at.id, at.key
	}
	these := f.ofIDs(ids)
	if found, err = f.fetch(ctx, &these); err != nil {
		return nil, false, err
	}
	return found, !slices.ContainsFunc(found, func(at position) bool { return compareKeys(at.key, keys[at.id]) != 0 }), nil
}

// idsOf are the users whom a condition's index finds, ascending.
func (f *finder) idsOf(ctx context.Context, driver *term) ([]int64, error) {
	s := f.statement()
	query := "SELECT u.id FROM " + driver.counting(s)
	if driver.from != nil {
		query = "SELECT d.user_id FROM " + driver.counting(s)
	}
	ids, err := sqldb.All[int64](ctx, f.q, query, s.args...)
	slices.Sort(ids)
	return ids, err
}
