package sample

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDemoExpected(t *testing.T) {
	t.Parallel()
	d := Demo()
	if diff := cmp.Diff(judge(t, d.Users, d.Channels, d.Features), d.Expected); diff != "" {
		t.Errorf("Expected is not what the rules say (- rules, + Expected):\n%s", diff)
	}
	e := d.Expected
	if e.Rows < 290 || e.Rows > 330 || e.Rows != e.Inserted+e.Duplicate+e.Invalid {
		t.Errorf("counts do not add up to about 300 rows: %+v", e)
	}
	for _, name := range []string{"'t Hooft", "O'Neil", "Müller", "Lefèvre", "Wiśniewski", "Nguyễn", "Sharma", "Al-Farsi"} {
		if !bytes.Contains(d.Users, []byte(name)) {
			t.Errorf("nobody is called %s", name)
		}
	}
	t.Logf("%+v", e)
}

func TestDemoIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(Demo(), Demo()); diff != "" {
		t.Error(diff)
	}
}

func TestDemoHasAgentsAboveTheirSupervisors(t *testing.T) {
	t.Parallel()
	place := map[string]int{}
	rows := parse(t, Demo().Users)
	for i, r := range slices.Backward(rows) {
		place[r[0]] = i
	}
	above := 0
	for i, r := range rows[1:] {
		if s, ok := place[r[6]]; ok && i+1 < s {
			above++
		}
	}
	if above < 50 {
		t.Errorf("%d of %d rows are above their supervisor's", above, len(rows))
	}
}
