package sample

import "testing"

func TestPermutation(t *testing.T) {
	t.Parallel()
	for _, n := range []uint64{1, 2, 3, 4, 5, 7, 8, 9, 100, 1023, 1024, 1025, 65_537, 200_000} {
		for seed := range uint64(3) {
			p := newPermutation(n, seed)
			seen := make([]bool, n)
			inPlace := uint64(0)
			for i := range n {
				x := p.at(i)
				if x >= n || seen[x] {
					t.Fatalf("n %d, seed %d: %d comes twice or is too large", n, seed, x)
				}
				seen[x] = true
				if x == i {
					inPlace++
				}
			}
			if n >= 100 && inPlace > n/20 {
				t.Errorf("n %d, seed %d: %d stay in place", n, seed, inPlace)
			}
		}
	}
}
