package bench

import (
	"archive/zip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/sqldb"
)

func TestPictures(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("vipsthumbnail"); err != nil {
		t.Fatal(err, "(Debian: apt-get install libvips-tools)")
	}
	eachEngine(t, func(t *testing.T, o Options) {
		o.Users, o.Part, o.Pictures = 300, ThePictures, 400
		r, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		f := &r.Engines[0]
		p := f.Pictures
		if len(f.Scenarios) > 0 || f.Console != nil || p == nil || p.Small.Pictures != p.Matching.Entries/10 || p.Large.Pictures != 1 || p.Large.Width != 4000 || p.Matching.Entries < 250 || p.Matching.Entries > 300 {
			t.Fatalf("got %+v", f)
		}
		for _, turn := range []PictureTurn{p.Small, p.Large} {
			if turn.Vips <= 0 || turn.Import.Seconds <= 0 || turn.Bytes < 10_000*int64(turn.Pictures) {
				t.Errorf("%+v", turn)
			}
		}
		if m := p.Matching; m.Match <= 0 || m.Freeze <= 0 || m.Preview.Seconds < m.Match || m.Bytes < 200*entryBytes {
			t.Errorf("%+v", m)
		}
		text := r.Markdown(f)
		if n := strings.Count(text, "reached") + strings.Count(text, "**missed**"); n != 4 {
			t.Errorf("%d verdicts in\n%s", n, text)
		}
		if left, err := os.ReadDir(o.Dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
}

// No two pictures are the same: stored once by their content, they would cost less than they say.
func TestMadePicturesDiffer(t *testing.T) {
	t.Parallel()
	b := &bench{scratch: t.TempDir()}
	var ids []string
	for i := range 3 * portraits {
		ids = append(ids, "U"+string(rune('A'+i%26))+string(rune('A'+i/26)))
	}
	files, err := b.makePictures(t.Context(), "some", ids, 96, 80)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, name := range files.names {
		data, err := os.ReadFile(filepath.Join(files.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if other := seen[string(data)]; other != "" {
			t.Errorf("%s and %s are the same", name, other)
		}
		seen[string(data)] = name
	}
}

// A ZIP of holes is read as if it had been written.
func TestWriteEmptyPictures(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "matching.zip")
	if err := writeEmptyPictures(path, []string{"U1", "U2", "U3"}, entryBytes); err != nil {
		t.Fatal(err)
	}
	r, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if len(r.File) != 3 || r.File[2].Name != "U3.jpg" {
		t.Fatal(len(r.File), r.File[2].Name)
	}
	for _, f := range r.File {
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(rc); err != nil || len(data) != entryBytes { // at the end the sum is compared
			t.Error(len(data), err)
		}
		rc.Close()
	}
}

func TestPicturesMarkdown(t *testing.T) {
	t.Parallel()
	r := &Result{Command: "muster bench --part pictures", Date: "2026-11-23", Users: aimedRows, Engines: []Figures{{Engine: sqldb.SQLite, Pictures: &Pictures{
		Vips: "vips-8.14.1", Small: PictureTurn{Pictures: 10_000, Width: 800, Height: 800, Bytes: 900e6, Import: Measured{100, 200e6}, Vips: 40},
		Large:    PictureTurn{Pictures: 200, Width: 4000, Height: 3000, Bytes: 500e6, Import: Measured{20, 510e6}, Vips: 10},
		Matching: PictureMatching{Entries: 100_000, Bytes: 5e9, Freeze: 20, Match: 31, Preview: Measured{60, 100e6}},
	}}}}
	text := r.Markdown(&r.Engines[0])
	for _, want := range []string{
		"## Pictures on SQLite\n",
		"| 10,000 pictures of 800 × 800 (90 kB each), vipsthumbnail | 40.0 s, 250.0 pictures/s |  |  |\n",
		"| **the same, imported** | 100.0 s, 100.0 pictures/s | ≥ 60 pictures/s | reached |\n",
		"| **import against vipsthumbnail (pictures/s)** | 0.40 | ≥ 0.35 | reached |\n",
		"| **import against vipsthumbnail (pictures/s)** | 0.50 |  |  |\n",
		"| **its names matched with users** | 31.0 s | ≤ 30.0 s | **missed** |\n",
		"| **memory of Muster's process, the most of all these** | 510 MB | ≤ 500 MB | **missed** |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %sin\n%s", want, text)
		}
	}
	if strings.Contains(text, "The targets are meant for") {
		t.Error("it was measured at the size that the targets are for")
	}
}
