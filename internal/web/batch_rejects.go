package web

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"slices"

	"muster/internal/batch"
	"muster/internal/fault"
	"muster/internal/userimport"
)

// rejectFile is one way to save the rows that did not get in.
type rejectFile struct{ Name, Label, Hint, Icon string }

// rejectsZIP is the name of all files together.
const rejectsZIP = "rejected-rows.zip"

// rejectFiles are those that a batch offers: of the other two files only where it had them.
func rejectFiles(b *batch.Batch) []rejectFile {
	all := []rejectFile{{rejectsZIP, "All files that have rows", "ZIP", "download"}}
	for _, k := range userimport.Kinds {
		if slices.ContainsFunc(b.Files, func(f batch.File) bool { return f.Kind == string(k) }) {
			all = append(all, rejectFile{k.FileName(), k.FileName(), "the template's columns, and Problems", "file-spreadsheet"})
		}
	}
	if len(all) == 2 {
		return all[1:]
	}
	return all
}

// rejects sends the rows that did not get in, as files that can be imported again once they are mended. They are
// written to disk first: what fails is then an error, and not half of a file.
func (s *Server) rejects(v *visit) error {
	b, err := v.batch()
	if err != nil {
		return err
	}
	name := v.PathValue("file")
	wanted := slices.IndexFunc(userimport.Kinds, func(k userimport.Kind) bool { return k.FileName() == name })
	if wanted < 0 && name != rejectsZIP {
		return fault.New(fault.NotFound, "there is no file of that name; the batch's page has links to those there are")
	}
	f := s.frozen(v, b)
	if !f.Reported() {
		return fault.New(fault.Conflict, "import #%d is not checked yet, so there are no rows to save", b.ID)
	}
	cfg, err := s.configuration(v.ctx())
	if err != nil {
		return err
	}
	files, remove, err := temporaryFiles(len(userimport.Kinds))
	if err != nil {
		return err
	}
	defer remove()
	n, err := f.WriteRejects(v.ctx(), cfg, files[0], files[1], files[2])
	if err != nil {
		return err
	}
	if wanted >= 0 {
		attach(v.w, name, "text/csv; charset=utf-8")
		return send(v.w, files[wanted])
	}
	attach(v.w, fmt.Sprintf("import-%d-%s", b.ID, rejectsZIP), "application/zip")
	z := zip.NewWriter(v.w)
	for i, rows := range []int64{n.Users, n.Channels, n.Features} {
		if rows == 0 {
			continue
		}
		into, err := z.Create(userimport.Kinds[i].FileName())
		if err != nil {
			return err
		}
		if err := send(into, files[i]); err != nil {
			return err
		}
	}
	return z.Close()
}

func send(w io.Writer, f *os.File) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, f)
	return err
}

// temporaryFiles are gone when remove is called.
func temporaryFiles(n int) (files []*os.File, remove func(), err error) {
	remove = func() {
		for _, f := range files {
			f.Close()
			os.Remove(f.Name())
		}
	}
	for range n {
		f, err := os.CreateTemp("", "muster-*")
		if err != nil {
			remove()
			return nil, nil, fault.Wrap(fault.Unavailable, err, "there is no room for temporary files")
		}
		files = append(files, f)
	}
	return files, remove, nil
}
