package userimport_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/batch"
	"muster/internal/fault"
	"muster/internal/userimport"
)

// strange is a file whose header has a column of another name, one without a name, and one that nobody knows.
const strange = "LAN ID,Given Name,Last Name,Agent ID,PBX ID,Profile,Supervisor,Org Unit,Role,Access Role,CRM Name,Text Chat Greeting Template Name,Shoe size,,End\r\n" +
	"a1,Ann,Lee,,1,Agent,boss,Cards Team 1,Agent,,,,40,x,y\r\n" +
	"a2,Bob,Lee,,2,Agent,boss,Mars,Agent,,,,41,x,y\r\n"

// An unknown column is given to a known one or set aside, and the choice is remembered for files with that header.
func TestUnknownColumns(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		b := h.run(t, system, userimport.Options{InFileSupervisors: true}, []file{{"people.csv", []byte(strange)}})
		if b.State != batch.Failed {
			t.Fatalf("%s", b.State)
		}
		f := h.frozen(t, system, b.ID)
		unknown, err := f.UnknownColumns(ctx)
		if err != nil || len(unknown) != 4 {
			t.Fatalf("%+v, %v", unknown, err)
		}
		if u := unknown[0]; u.Column != "Given Name" || u.Index != 1 || u.FileName != "people.csv" || u.Kind != userimport.UserDetails || !slices.Equal(u.Choices, []string{"First Name"}) || u.Decided {
			t.Errorf("%+v", u)
		}
		if u := unknown[2]; u.Column != "N" || u.Index != 13 {
			t.Errorf("%+v", u)
		}
		choices := []userimport.ColumnChoice{{Index: 1, Column: "First Name"}, {Index: 12}, {Index: 13}, {Index: 14}}
		for what, wrong := range map[string][]userimport.ColumnChoice{
			"one is not decided":      choices[:3],
			"two are one column":      {choices[0], {Index: 12, Column: "First Name"}, choices[2], choices[3]},
			"the file has the column": {choices[0], {Index: 12, Column: "LAN ID"}, choices[2], choices[3]},
			"one is still missing":    {{Index: 1}, choices[1], choices[2], choices[3]},
		} {
			if _, err := f.Remap(ctx, wrong); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %v", what, err)
			}
		}
		again, err := f.Remap(ctx, choices)
		if err != nil {
			t.Fatal(err)
		}
		again = h.execute(t, again.ID)
		if again.State != batch.Done || again.Counts != (batch.Counts{Rows: 2, Inserted: 1, Invalid: 1}) {
			t.Fatalf("%s %s %+v", again.State, again.Reason, again.Counts)
		}
		if o, _ := userimport.OptionsOf(again); o.Again != b.ID || !o.InFileSupervisors {
			t.Errorf("%+v", o)
		}
		h.mapped(t, again.ID, "Given Name = First Name by system", "Shoe size = ", "N = ", "End = ")

		// Heading, case and spaces aside, it is the same header.
		later := strings.Replace(strings.Replace(strange, "Given Name", "GIVEN_NAME", 1), "a1,", "a3,", 1)
		later = strings.Replace(later, ",1,Agent", ",3,Agent", 1)
		b = h.run(t, system, userimport.Options{}, []file{{"later.csv", []byte(later)}})
		if b.State != batch.Done || b.Counts.Inserted != 1 {
			t.Fatalf("%s %s %+v", b.State, b.Reason, b.Counts)
		}
		h.mapped(t, b.ID, "GIVEN_NAME = First Name by system, remembered", "Shoe size = ", "N = ", "End = ")
		// What is remembered by now is another choice; the batch reads as it did.
		h.exec(t, "UPDATE column_choices SET target = 'Last Name' WHERE target = 'First Name'")
		rows, _, err := h.frozen(t, system, b.ID).Page(ctx, userimport.RowsQuery{})
		if err != nil || len(rows) != 2 || rows[0].Cells[1] != "Ann" || rows[1].Cells[1] != "Bob" {
			t.Errorf("%+v, %v", rows, err)
		}
		var rejects strings.Builder
		if _, err := h.frozen(t, system, b.ID).WriteRejects(ctx, &h.cfg, &rejects, &strings.Builder{}, &strings.Builder{}); err != nil || strings.Contains(rejects.String(), "Shoe") || !strings.Contains(rejects.String(), "a2,Bob,Lee") {
			t.Errorf("%s, %v", rejects.String(), err)
		}
		if b := h.undo(t, b.ID); b.Undone != 1 {
			t.Errorf("%d undone", b.Undone)
		}
		// Another header asks again.
		b = h.run(t, system, userimport.Options{}, []file{{"other.csv", []byte(strings.Replace(strange, "Shoe size", "Hat size", 1))}})
		if b.State != batch.Failed {
			t.Errorf("%s", b.State)
		}
	})
}

func (h *house) mapped(t *testing.T, id int64, want ...string) {
	t.Helper()
	all, err := h.frozen(t, system, id).Mapped(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, m := range all {
		s := m.Column + " = " + m.To
		if m.To != "" {
			s += " by " + m.By
			if m.Remembered {
				s += ", remembered"
			}
		}
		got = append(got, s)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Choices alone cannot mend a file that has something else wrong, and none are offered.
func TestUnknownColumnsAreNotAll(t *testing.T) {
	late(t, func(t *testing.T, h *house) {
		for what, text := range map[string]string{
			"a column is there twice": strings.Replace(strange, "Last Name", "LAN ID", 1),
			"no template has them":    "Name,Unit\r\nAnn,Cards\r\n",
			"two lack, one is there":  "LAN ID,First Name,Name,Agent ID,PBX ID,Profile,Supervisor,Org Unit,Role,Access Role\r\n",
		} {
			b := h.run(t, system, userimport.Options{}, []file{{"people.csv", []byte(text)}})
			if b.State != batch.Failed {
				t.Fatalf("%s: %s", what, b.State)
			}
			if unknown, err := h.frozen(t, system, b.ID).UnknownColumns(context.Background()); err != nil || len(unknown) > 0 {
				t.Errorf("%s: %+v, %v", what, unknown, err)
			}
		}
	})
}
