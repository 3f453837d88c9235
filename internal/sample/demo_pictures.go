package sample

import (
	"archive/zip"
	"bytes"
	"runtime"
	"strings"
	"sync"
)

// PictureCounts is what an import of [DemoPictures] must report, by Agent ID, into a directory that has the users of [Demo]
// without pictures.
type PictureCounts struct{ Rows, Inserted, Invalid, PassedOver int }

// pictureFile is a file of the archive.
type pictureFile struct {
	name    string
	content []byte
}

// DemoPictures returns an archive with pictures of most users of [Demo], as somebody's computer makes one, with the
// mistakes that people make: a name mistyped, a picture that is none, one that is too small, two of one user.
func DemoPictures() ([]byte, PictureCounts) {
	agents := demoAgents()
	var files []pictureFile
	for i, agent := range agents {
		if i%5 != 0 { // everybody else
			files = append(files, pictureFile{name: "Pictures/" + agent + ".jpg"})
		}
	}
	draw(files)
	c := PictureCounts{Rows: len(files) + 4, Inserted: len(files), Invalid: 4, PassedOver: 3}
	twice := files[0].name
	files = append(files,
		pictureFile{"Pictures/" + mistyped(agents[0]) + ".jpg", Face("mistyped")},
		pictureFile{"Pictures/" + agents[5] + ".png", []byte("GIF89a, and not a PNG, whatever its name says")},
		pictureFile{"Pictures/" + agents[10] + ".jpg", smallFace("small")},
		pictureFile{strings.Replace(twice, "Pictures/", "Pictures/more/", 1), Face("twice")},
		pictureFile{"Pictures/.DS_Store", []byte{0, 0, 0, 1}},
		pictureFile{"Pictures/Thumbs.db", []byte{0xd0, 0xcf}},
		pictureFile{"__MACOSX/Pictures/._" + agents[1] + ".jpg", []byte{0, 5, 22, 7}})
	return archive(files), c
}

// demoAgents are the Agent IDs of the users whom an import of Demo inserts for certain.
func demoAgents() []string {
	d := makeDemo()
	d.details() // whose mistakes keep users out as well
	var all []string
	for _, r := range d.rows {
		if !d.marked[r] {
			all = append(all, r.agentID)
		}
	}
	return all
}

// mistyped is a name with two letters swapped.
func mistyped(name string) string { return name[:1] + name[2:3] + name[1:2] + name[3:] }

// draw fills in the pictures, on all processors.
func draw(files []pictureFile) {
	var wait sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for i := range next {
				files[i].content = Face(files[i].name)
			}
		})
	}
	for i := range files {
		next <- i
	}
	close(next)
	wait.Wait()
}

// archive stores the files without packing them: pictures are packed already. A buffer takes everything.
func archive(files []pictureFile) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		if w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Store}); err == nil {
			_, _ = w.Write(f.content)
		}
	}
	_ = z.Close()
	return b.Bytes()
}
