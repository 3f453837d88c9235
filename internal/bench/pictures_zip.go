package bench

import (
	"archive/zip"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// pictureFiles are pictures as files of a directory, and in a ZIP, each named by the LAN ID of a user.
type pictureFiles struct {
	dir, zip string
	names    []string // of the files
	bytes    int64    // of all together
}

// portraits is how many pictures are drawn; all others are cut from them elsewhere, so that no two are the same.
const portraits = 24

// makePictures makes a picture of width × height pixels for each of the users.
func (b *bench) makePictures(ctx context.Context, what string, lanIDs []string, width, height int) (*pictureFiles, error) {
	f := &pictureFiles{dir: filepath.Join(b.scratch, "pictures", what), zip: filepath.Join(b.scratch, "pictures", what+".zip")}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return nil, err
	}
	for _, id := range lanIDs {
		f.names = append(f.names, id+".jpg")
	}
	drawn := min(portraits, len(lanIDs))
	errs := make([]error, drawn)
	places := make(chan struct{}, runtime.NumCPU())
	var group sync.WaitGroup
	for i := range drawn {
		group.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			p := newPortrait(rand.New(rand.NewPCG(uint64(i), uint64(width))), width, height)
			for n := i; n < len(f.names) && errs[i] == nil && ctx.Err() == nil; n += drawn {
				var data []byte
				if data, errs[i] = p.cut(n / drawn); errs[i] == nil {
					errs[i] = os.WriteFile(filepath.Join(f.dir, f.names[n]), data, 0o600)
				}
			}
		})
	}
	group.Wait()
	for _, err := range append(errs, ctx.Err()) {
		if err != nil {
			return nil, err
		}
	}
	return f, f.pack()
}

// pack puts the files into the ZIP, uncompressed: they are JPEGs.
func (f *pictureFiles) pack() error {
	return writeZIP(f.zip, func(w *zip.Writer) error {
		for _, name := range f.names {
			data, err := os.ReadFile(filepath.Join(f.dir, name))
			if err != nil {
				return err
			}
			f.bytes += int64(len(data))
			to, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
			if err == nil {
				_, err = to.Write(data)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// writeEmptyPictures makes a ZIP of entries of so many zero bytes each, stored as they are; the file has holes for them.
func writeEmptyPictures(path string, lanIDs []string, bytes int) error {
	zeros := make([]byte, bytes)
	sum := crc32.ChecksumIEEE(zeros)
	return writeZIP(path, func(w *zip.Writer) error {
		for _, id := range lanIDs {
			to, err := w.CreateRaw(&zip.FileHeader{
				Name: id + ".jpg", Method: zip.Store, CRC32: sum, CompressedSize64: uint64(bytes), UncompressedSize64: uint64(bytes),
			})
			if err == nil {
				_, err = to.Write(zeros)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// writeZIP makes a ZIP file.
func writeZIP(path string, fill func(*zip.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	w := zip.NewWriter(holes{file})
	if err := fill(w); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := w.Close(); err != nil {
		return err
	}
	return file.Close()
}

// holes leaves out what is nothing but zeros, where that is much: files read zeros where nothing was written. The last that is
// written to a ZIP is never of this kind.
type holes struct{ *os.File }

func (h holes) Write(p []byte) (int, error) {
	for _, v := range p {
		if v != 0 || len(p) < 4096 {
			return h.File.Write(p)
		}
	}
	_, err := h.Seek(int64(len(p)), io.SeekCurrent)
	return len(p), err
}
