package setup_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/setup"
	"muster/internal/sheet"
)

func readUnits(text string) (setup.Units, error) {
	return setup.ReadUnits(strings.NewReader(text), int64(len(text)), "units.csv", sheet.Limits{})
}

func TestReadUnits(t *testing.T) {
	t.Parallel()
	got, err := readUnits("Head;org_unit;Remark\r\nx; UAE / Retail ;\r\n;;\r\ny;;nothing here\r\nz;'=Odd;\r\n")
	want := setup.Units{Names: []string{"UAE / Retail", "=Odd"}, Rows: []int{2, 5}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	for text, says := range map[string]string{
		"":                          "The file is empty",
		"Unit\nUAE\n":               `has no column "Org Unit"`,
		"Org Unit,ORG UNIT\nUAE,\n": "twice",
		"Org Unit\n\"UAE\n":         "cannot be used",
	} {
		if _, err := readUnits(text); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// What is written reads back, and units above the scope are no part of it.
func TestWriteUnits(t *testing.T) {
	t.Parallel()
	tree := &directory.OrgTree{}
	for _, full := range []string{"UAE", "UAE / 't Hooft", "UAE / =1+1", "UAE / a,b;c"} {
		tree.Units = append(tree.Units, directory.OrgNode{OrgUnit: directory.OrgUnit{FullName: full}, InScope: full != "UAE"})
	}
	var b bytes.Buffer
	if err := setup.WriteUnits(&b, tree); err != nil {
		t.Fatal(err)
	}
	got, err := readUnits(b.String())
	if diff := cmp.Diff([]string{"UAE / 't Hooft", "UAE / =1+1", "UAE / a,b;c"}, got.Names); diff != "" || err != nil {
		t.Error(err, diff)
	}
}
