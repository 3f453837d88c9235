package sample

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"path"
	"strings"
	"testing"

	"muster/internal/photo"
)

// Every picture of the demo can be used, but for those that are there to be refused.
func TestDemoPictures(t *testing.T) {
	t.Parallel()
	content, want := DemoPictures()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var got PictureCounts
	budget, seen := photo.NewBudget(photo.DefaultBudget), map[string]bool{}
	agents := map[string]bool{}
	for _, agent := range demoAgents() {
		agents[agent] = true
	}
	for _, f := range z.File {
		name := path.Base(f.Name)
		if strings.HasPrefix(name, ".") || name == "Thumbs.db" || strings.HasPrefix(f.Name, "__MACOSX/") {
			got.PassedOver++
			continue
		}
		got.Rows++
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		agent := strings.TrimSuffix(name, path.Ext(name))
		p, err := photo.Process(context.Background(), data, budget, photo.Options{})
		switch {
		case err == nil && len(p.Flaws) > 0:
			t.Errorf("%s: %v", f.Name, p.Flaws)
		case err != nil || !agents[agent] || seen[agent]:
			got.Invalid++
		default:
			got.Inserted++
		}
		seen[agent] = true
	}
	if got != want {
		t.Errorf("the archive has %+v, and is said to have %+v", got, want)
	}
	if !bytes.Equal(Face("one"), Face("one")) || bytes.Equal(Face("one"), Face("two")) {
		t.Error("a face is another each time, or always the same")
	}
}
