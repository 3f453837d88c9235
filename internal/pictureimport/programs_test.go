package pictureimport

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/pictureimport/ziptest"
)

// Whatever program made it, an archive is read with the same names and contents.
func TestArchivesOfPrograms(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a face ", 500)
	for _, p := range ziptest.Programs {
		data := p.Make(ziptest.File{Name: "Köln/jdoe.jpg", Content: []byte(long)}, ziptest.File{Name: "Köln/Jörg Müller.jpg", Content: []byte("b")}, ziptest.File{Name: "0815.png", Content: []byte("c")})
		got, err := read(data, Limits{})
		want := []string{"Köln/jdoe.jpg (jdoe): " + long, "Köln/Jörg Müller.jpg (Jörg Müller): b", "0815.png (0815): c", fmt.Sprintf("%d passed over", p.PassedOver(3))}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", p.Name, err, diff)
		}
		// That it is a ZIP at all, another reader says.
		other, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		for _, f := range other.File {
			r, err := f.Open()
			if err == nil {
				_, err = io.ReadAll(r)
			}
			if err != nil {
				t.Errorf("%s: %s: %v", p.Name, f.Name, err)
			}
		}
	}
}
