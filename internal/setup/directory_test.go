package setup_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/directory"
	"muster/internal/sample"
	"muster/internal/setup"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

// A file that was applied comes back as it was, and what is exported changes nothing when it is applied.
func TestApplyAndExport(t *testing.T) {
	t.Parallel()
	for name, file := range map[string][]byte{
		"everything": []byte(everything),
		"sample":     sample.Organisation(),
		"default":    setup.Export(directory.Default()),
		"empty":      []byte("{}"),
	} {
		sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
			h := directory.New(db).As(directory.System("test"))
			ctx := context.Background()
			want := parse(t, string(file))
			planned, err := h.CompareConfiguration(ctx, want, true)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			made, err := h.ApplyConfiguration(ctx, want, directory.ApplyOptions{Prune: true})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if d := cmp.Diff(planned, made); d != "" {
				t.Errorf("%s: %s", name, d)
			}
			now, err := h.Configuration(ctx)
			if err != nil {
				t.Fatal(err)
			}
			exported := setup.Export(now)
			if again := setup.Export(now); !bytes.Equal(exported, again) {
				t.Errorf("%s: exported twice: %s", name, cmp.Diff(string(exported), string(again)))
			}
			for _, file := range [][]byte{file, exported} {
				if d, err := h.CompareConfiguration(ctx, parse(t, string(file)), slices.Equal(file, exported)); err != nil || len(d) != 0 {
					t.Errorf("%s: %v, %v\n%s", name, d, err, file)
				}
			}
		})
	}
}
