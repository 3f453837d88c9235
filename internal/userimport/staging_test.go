package userimport

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"muster/internal/directory"
)

func TestRuns(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 300).Draw(t, "n")
		want := newBits(n)
		var places []int64
		for place := range n {
			if rapid.Bool().Draw(t, "in") {
				want.set(place)
				places = append(places, place)
			}
		}
		got := newBits(n)
		if err := got.unpackRuns(packRuns(places)); err != nil || !slices.Equal(got, want) {
			t.Fatalf("%v: %b, want %b", err, got, want)
		}
		for _, place := range places {
			if !got.has(place) {
				t.Fatalf("%d is lacking", place)
			}
			got.clear(place)
		}
		if slices.Max(got) != 0 {
			t.Fatal("clear left something")
		}
	})
}

// A checkpoint that is not one is an error, never a panic.
func FuzzRuns(f *testing.F) {
	f.Add(packRuns([]int64{0, 1, 2, 7, 100}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1})
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, packed []byte) {
		_ = newBits(1000).unpackRuns(packed)
	})
}

// A key that was added twice is always found, whoever adds it.
func TestSketch(t *testing.T) {
	t.Parallel()
	s := newSketch()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 5000 {
				s.add(fmt.Sprintf("once %d %d", w, i))
				if i%10 == 0 {
					s.add(fmt.Sprintf("twice %d", i+w/2)) // two goroutines each
				}
			}
		})
	}
	wg.Wait()
	others := 0
	for w := range 4 {
		for i := range 5000 {
			if i%10 == 0 && !s.maybeRepeated(fmt.Sprintf("twice %d", i+w/2)) {
				t.Errorf("twice %d was not found", i+w/2)
			}
			if s.maybeRepeated(fmt.Sprintf("once %d %d", w, i)) {
				others++
			}
		}
	}
	if others > 100 {
		t.Errorf("%d of 20000 others were found", others)
	}
}

func drawCandidate(t *rapid.T) *directory.Candidate {
	c := &directory.Candidate{Row: rapid.Int64Range(0, 1<<40).Draw(t, "row")}
	for _, col := range keptColumns {
		c.Cells[col] = rapid.String().Draw(t, "cell")
	}
	c.Key = directory.Fold(c.Cells[directory.LANID])
	c.AgentID = c.Cells[directory.AgentID]
	if c.AgentID == "" {
		c.AgentID = c.Cells[directory.LANID]
	}
	c.AgentKey = directory.Fold(c.AgentID)
	id := func() int64 { return rapid.Int64Min(0).Draw(t, "id") }
	c.Profile = directory.Profile(rapid.IntRange(0, 3).Draw(t, "profile"))
	c.PendingSupervisor = rapid.Uint32().Draw(t, "pending")
	c.SupervisorID, c.OrgUnitID, c.AccessRoleID, c.CRMNameID, c.GreetingTemplateID = id(), id(), id(), id(), id()
	c.RoleIDs = rapid.SliceOfN(rapid.Int64Min(0), 0, 5).Draw(t, "roles")
	for range rapid.IntRange(0, 3).Draw(t, "channels") {
		c.Channels = append(c.Channels, directory.ChannelCount{ChannelID: id(), Count: id()})
	}
	for range rapid.IntRange(0, 3).Draw(t, "features") {
		c.Features = append(c.Features, directory.FeatureValue{FeatureID: id(), Value: rapid.String().Draw(t, "value")})
	}
	for range rapid.IntRange(0, 3).Draw(t, "problems") {
		c.Problems = append(c.Problems, directory.Problem{File: rapid.String().Draw(t, "file"), Row: id(), LANID: rapid.String().Draw(t, "lan"),
			Column: "Role", Code: "role.unknown", Severity: directory.Warning, Value: rapid.String().Draw(t, "value"), Message: "m", Suggestion: "s"})
	}
	c.SetFailed(rapid.Bool().Draw(t, "failed"))
	return c
}

// What is written comes back, into a candidate that held another before; whatever of it is torn is noticed.
func TestCodec(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want, got := drawCandidate(t), drawCandidate(t)
		raw := string(appendCandidate(nil, want))
		d := decoder{s: raw}
		if err := d.candidate(got); err != nil || d.pos != len(raw) {
			t.Fatalf("%d of %d bytes: %v", d.pos, len(raw), err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(directory.Candidate{}), cmpopts.EquateEmpty()); diff != "" || want.Failed() != got.Failed() {
			t.Fatal(diff)
		}
		cut := decoder{s: raw[:rapid.IntRange(0, len(raw)-1).Draw(t, "cut")]}
		if err := cut.candidate(got); err == nil {
			t.Fatal("nobody noticed that the record is torn")
		}
	})
}

// A torn record is an error; it is no panic, and takes no memory that the record does not justify.
func FuzzCodec(f *testing.F) {
	f.Add(string(appendCandidate(nil, &directory.Candidate{Row: 2, RoleIDs: []int64{1}, Problems: []directory.Problem{{Code: "role.unknown"}}})))
	f.Add("\x00\x02\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x7f")
	f.Fuzz(func(t *testing.T, raw string) {
		var c directory.Candidate
		d := decoder{s: raw}
		if err := d.candidate(&c); err != nil {
			return
		}
		if n := len(c.RoleIDs) + len(c.Channels) + len(c.Features) + len(c.Problems); n > len(raw) {
			t.Fatalf("%d things out of %d bytes", n, len(raw))
		}
		again := decoder{s: string(appendCandidate(nil, &c))}
		var back directory.Candidate
		if err := again.candidate(&back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, back, cmpopts.IgnoreUnexported(directory.Candidate{}), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestNames(t *testing.T) {
	t.Parallel()
	n := newNames()
	block := []directory.Candidate{{SupervisorKey: "b"}, {}, {SupervisorKey: "a"}, {SupervisorKey: "b"}}
	if err := n.add(block); err != nil {
		t.Fatal(err)
	}
	if err := n.add([]directory.Candidate{{SupervisorKey: "a"}}); err != nil {
		t.Fatal(err)
	}
	var got []uint32
	for _, c := range block {
		got = append(got, c.PendingSupervisor)
	}
	if !slices.Equal(got, []uint32{1, 0, 2, 1}) || !slices.Equal(n.keys, []string{"b", "a"}) {
		t.Errorf("numbers %v, names %v", got, n.keys)
	}
}

func TestWidths(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ids  map[int]int64 // how many of each width
		want int
	}{
		"nearly all alike":     {map[int]int64{5: 19, 2: 1}, 5},
		"all alike":            {map[int]int64{5: 30}, 0},
		"not enough":           {map[int]int64{5: 18, 2: 1}, 0},
		"too many of others":   {map[int]int64{5: 94, 4: 6}, 0},
		"others are no digits": {map[int]int64{5: 30, 0: 1000}, 0},
		"none":                 {nil, 0},
	} {
		var w widths
		var count [24]int64
		for width, n := range test.ids {
			count[width] = n
		}
		w.add(&count)
		if w.settle(); w.usualWidth != test.want {
			t.Errorf("%s: %d, want %d", name, w.usualWidth, test.want)
		}
	}
	for id, want := range map[string]int{"": 0, "0042": 4, "42x": 0, "123456789012345678901234": 0, "12345678901234567890123": 23, "١٢": 0} {
		if got := digits(id); got != want {
			t.Errorf("digits of %q: %d, want %d", id, got, want)
		}
	}
}
