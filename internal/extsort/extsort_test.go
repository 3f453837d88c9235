package extsort

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestSorted compares with sorting in memory, over buffers so small that nearly everything is spilled.
func TestSorted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		s := New(dir, rapid.IntRange(64, 4096).Draw(t, "memory"))
		defer s.Close()
		type rec struct {
			key     string
			number  uint64
			payload string
		}
		var want []rec
		for range rapid.IntRange(1, 3).Draw(t, "writers") {
			w := s.Writer()
			for range rapid.IntRange(0, 80).Draw(t, "records") {
				r := rec{rapid.StringMatching(`[a-c\x00]{0,20}`).Draw(t, "key"), uint64(len(want)), rapid.String().Draw(t, "payload")}
				want = append(want, r)
				if err := w.Add(Record{[]byte(r.key), r.number, []byte(r.payload)}); err != nil {
					t.Fatal(err)
				}
			}
			w.Close()
		}
		slices.SortFunc(want, func(a, b rec) int {
			return compare(Record{Key: []byte(a.key), Number: a.number}, Record{Key: []byte(b.key), Number: b.number})
		})
		it, err := s.Sorted()
		if err != nil {
			t.Fatal(err)
		}
		var got []rec
		for {
			r, ok, err := it.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			got = append(got, rec{string(r.Key), r.Number, string(r.Payload)})
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		n := 0
		if err := s.Scan(func(Record) error { n++; return nil }); err != nil || n != len(want) {
			t.Fatalf("scan: %d records, %v; want %d", n, err, len(want))
		}
	})
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("scratch files left behind: %v, %v", left, err)
	}
}

func BenchmarkSort(b *testing.B) {
	payload := make([]byte, 150)
	for b.Loop() {
		s := New(b.TempDir(), 32<<20)
		w := s.Writer()
		const n = 1_000_000
		for i := range uint64(n) {
			if err := w.Add(Record{fmt.Appendf(nil, "usr%09d", i*7919%n), i, payload}); err != nil {
				b.Fatal(err)
			}
		}
		w.Close()
		it, _ := s.Sorted()
		for {
			if _, ok, _ := it.Next(); !ok {
				break
			}
		}
		s.Close()
	}
}
