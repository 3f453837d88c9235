package userimport

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/directory"
)

// A header of the template's columns in any order, case and spelling is recognised, each column as what it is.
func TestRecognise(t *testing.T) {
	t.Parallel()
	cfg := directory.Default()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]Kind{UserDetails, ChannelCountDetails, FeatureDetails}).Draw(t, "kind")
		names := Columns(kind, &cfg)
		if kind != UserDetails {
			names = names[:1+rapid.IntRange(1, len(names)-1).Draw(t, "columns")]
		}
		order := rapid.Permutation(append(slices.Clone(names), "Problems")).Draw(t, "order")
		header := make([]string, len(order))
		for i, name := range order {
			header[i] = respelled(t, name)
		}
		l, problems := recognise(header, &cfg, nil)
		if l.kind != kind || len(problems) > 0 {
			t.Fatalf("%q: %s, %+v", header, l.kind, problems)
		}
		for i, name := range order {
			if want := slices.Index(names, name); l.columns[i] != want {
				t.Fatalf("%q is column %d, want %d", header[i], l.columns[i], want)
			}
		}
	})
}

func respelled(t *rapid.T, name string) string {
	switch rapid.IntRange(0, 3).Draw(t, "spelling") {
	case 1:
		return strings.ToLower(strings.ReplaceAll(name, " ", "_"))
	case 2:
		return strings.ToUpper(strings.ReplaceAll(name, " ", ""))
	case 3:
		return strings.ReplaceAll(name, " ", " \u00a0 ")
	}
	return name
}

func TestLetter(t *testing.T) {
	t.Parallel()
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 51: "AZ", 52: "BA", 701: "ZZ", 702: "AAA"} {
		if got := letter(i); got != want {
			t.Errorf("column %d is %s, want %s", i, got, want)
		}
	}
}

// Whatever the header, it is understood or refused with reasons, in time and memory that go with its length.
func FuzzRecognise(f *testing.F) {
	cfg := directory.Default()
	for _, kind := range []Kind{UserDetails, ChannelCountDetails, FeatureDetails} {
		f.Add(strings.Join(Columns(kind, &cfg), ","))
	}
	f.Add("LAN ID,lan_id,Voice,,Problems,Agnet ID")
	f.Add(strings.Repeat("\xff,", 1000) + "VOICE")
	f.Fuzz(func(t *testing.T, line string) {
		header := strings.Split(line, ",")
		l, problems := recognise(header, &cfg, nil)
		if len(problems) > len(header)+directory.ColumnCount {
			t.Fatalf("%d problems of %d columns", len(problems), len(header))
		}
		for _, p := range problems {
			if !strings.HasPrefix(p.Code, "file.") || p.Message == "" || len(p.Value) > 1000 {
				t.Fatalf("%+v", p)
			}
		}
		if len(problems) > 0 {
			return
		}
		names := Columns(l.kind, &cfg)
		seen := map[int]bool{}
		for i, col := range l.columns {
			if col == ignored {
				continue
			}
			if col >= len(names) || seen[col] || heading(header[i]) != heading(names[col]) {
				t.Fatalf("%q: column %d is taken for %d", header, i, col)
			}
			seen[col] = true
		}
		if !seen[lanID] || l.kind == UserDetails && len(seen) != len(names) {
			t.Fatalf("%q: columns are lacking, and nobody said so", header)
		}
	})
}
