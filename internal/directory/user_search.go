package directory

import "context"

// textFields are the columns of users that the texts hold.
var textFields = map[string]textField{
	"last_key": lastNameField, "first_key": firstNameField, "lan_key": lanIDField, "agent_key": agentIDField, "pbx_id": pbxIDField,
}

// textCondition is a condition as a test of the texts; ok is false where it is none.
func textCondition(column, op, value string) (test textTest, ok bool) {
	in, ok := textFields[column]
	if !ok || op != OpContains && op != OpEnds {
		return test, false
	}
	return testText(in, value, op == OpEnds)
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
func (l *listing) lookThroughTexts(ctx context.Context, d *Directory, f UserFilter) error {
	tests := f.textTests()
	if len(tests) == 0 || l.nobody {
		return nil
	}
	texts, err := d.textsAt(ctx, l.q)
	if err != nil || texts == nil {
		return err
	}
	l.found, l.tests = texts, tests
	ids := texts.find(tests, int(gridLimits.mostFetched)+1)
	if len(ids) == 0 {
		l.nobody = true
		return nil
	}
	if len(ids) <= int(gridLimits.mostFetched) {
		c := termCompiler{cfg: &l.cfg}
		c.ids(ids)
		t := c.all[0]
		t.known, t.text = int64(len(ids)), true
		l.terms = append(l.terms, t)
	}
	return nil
}
