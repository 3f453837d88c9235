package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"muster/internal/photo"
)

// packFaces FILE name=what...: a ZIP, in which each name has what is said: black, a number for a picture of its own, or else
// that very text.
func packFaces(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: faces FILE name=what...")
	}
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, arg := range args[1:] {
		name, what, _ := strings.Cut(arg, "=")
		into, err := w.Create(name)
		ts.Check(err)
		_, err = into.Write(faceOf(what))
		ts.Check(err)
	}
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), buf.Bytes(), 0o600))
}

func faceOf(what string) []byte {
	seed := uint64(0)
	if _, err := fmt.Sscan(what, &seed); err != nil && what != "black" {
		return []byte(what)
	}
	m, r := image.NewGray(image.Rect(0, 0, 240, 240)), rand.New(rand.NewPCG(seed, 1))
	for i := range m.Pix {
		if what != "black" {
			m.Set(i%240, i/240, color.Gray{uint8(r.IntN(256))})
		}
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, m, nil); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

// The page on pictures has every code there is, and no other, and the numbers that hold.
func TestDocsPictureCodes(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	for _, code := range []string{photo.NotAnImage, photo.TooLarge, photo.TooManyPixels, photo.Damaged, photo.TooSmall, photo.Dark, photo.Bright, photo.Blurred} {
		there["picture."+code] = true
	}
	sources, err := filepath.Glob(filepath.Join(root, "internal/pictureimport/*.go"))
	if err != nil || len(sources) == 0 {
		t.Fatal("no sources", err)
	}
	for _, path := range sources {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`refuse\("([a-z_]+)"|"(picture\.[a-z_]+)"`).FindAllStringSubmatch(string(text), -1) {
			if there[m[2]] = true; m[1] != "" {
				there["archive."+m[1]] = true
			}
		}
	}
	delete(there, "")
	page := docPages(t)["docs/pictures.md"]
	said := map[string]bool{}
	for _, m := range regexp.MustCompile("`((?:picture|archive)\\.[a-z_]+)`").FindAllStringSubmatch(page, -1) {
		said[m[1]] = true
	}
	if d := cmp.Diff(slices.Sorted(maps.Keys(there)), slices.Sorted(maps.Keys(said))); d != "" {
		t.Errorf("docs/pictures.md and the program differ (-program +page):\n%s", d)
	}
	for _, number := range []string{"5,000,000 bytes", fmt.Sprintf("%d pixels on each side", photo.MinSide), fmt.Sprintf("%d megapixels", photo.MaxPixels/1_000_000),
		fmt.Sprintf("of %d and of %d pixels", photo.LargeSide, photo.SmallSide)} {
		if !strings.Contains(page, number) {
			t.Errorf("docs/pictures.md does not say %q", number)
		}
	}
}
