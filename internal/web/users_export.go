package web

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"

	"muster/internal/directory"
	"muster/internal/userimport"
)

// exportPage is the dialog that exports what is selected, or else all that match.
type exportPage struct {
	usersAddress
	Count int64
}

// exportZIP holds the three files as they were at one instant.
const exportZIP = "users.zip"

// exportFiles are the three, in the order of userimport.Export.
var exportFiles = []struct{ Name, Holds string }{
	{userimport.UserDetails.FileName(), "one row a user"},
	{userimport.ChannelCountDetails.FileName(), "users whose channel counts are other than usual"},
	{userimport.FeatureDetails.FileName(), "users whose features are other than usual"},
}

// exportNames are all that can be downloaded.
func exportNames() []string {
	names := []string{exportZIP}
	for _, file := range exportFiles {
		names = append(names, file.Name)
	}
	return names
}

// exportDialog says what will be exported.
func (s *Server) exportDialog(v *visit) (err error) {
	p := &exportPage{}
	if p.usersAddress, err = parseUsersAddress(v.URL.Query()); err != nil {
		return err
	}
	if p.Count = int64(len(p.selected.ids)); p.Count == 0 {
		if p.Count, err = s.countOf(v, &p.usersAddress, countTime); err != nil {
			return err
		}
	}
	return v.part(exportView(p))
}

func (p *exportPage) what() string {
	if len(p.selected.ids) > 0 {
		return count(p.Count, "selected user")
	}
	return count(p.Count, "user")
}

func (p *exportPage) which() string {
	switch {
	case len(p.selected.ids) > 0:
		return ""
	case p.isFiltered():
		return "that match the filter,"
	}
	return "that you may see,"
}

// link is the address of a file.
func (p *exportPage) link(file string) string {
	v := url.Values{}
	if len(p.selected.ids) > 0 {
		v.Set("selected", p.selected.String())
	} else {
		v = p.filter()
	}
	return pathWith("/users/export/"+file, v)
}

// exportUsers sends one of the files, or all three.
func (s *Server) exportUsers(v *visit) error {
	a, err := parseUsersAddress(v.URL.Query())
	if err != nil {
		return err
	}
	file := path.Base(v.URL.Path)
	out := &download{w: v.w, name: file, kind: "text/csv; charset=utf-8"}
	if file == exportZIP {
		out.kind = "application/zip"
		return out.end(exportAll(v.ctx(), v.handle(), a.picked(), out))
	}
	into := [3]io.Writer{io.Discard, io.Discard, io.Discard}
	known := false
	for i := range exportFiles {
		if exportFiles[i].Name == file {
			into[i], known = out, true
		}
	}
	if !known {
		return errNothingHere
	}
	_, err = userimport.Export(v.ctx(), v.handle(), a.picked(), into[0], into[1], into[2])
	return out.end(err)
}

// exportAll writes the ZIP. One walk over the users gives all three files, and a ZIP has one after the other: the first
// is sent as it comes, and the other two lie in scratch files until it is their turn.
func exportAll(ctx context.Context, h *directory.Handle, filter directory.UserFilter, out io.Writer) (err error) {
	z := zip.NewWriter(out)
	first, err := z.Create(exportFiles[0].Name)
	if err != nil {
		return err
	}
	var later [2]*os.File
	for i := range later {
		if later[i], err = os.CreateTemp("", "muster-export-*"); err != nil {
			return err
		}
		defer func(f *os.File) { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }(later[i])
	}
	if _, err := userimport.Export(ctx, h, filter, first, later[0], later[1]); err != nil {
		return err
	}
	for i, f := range later {
		entry, err := z.Create(exportFiles[i+1].Name)
		if err != nil {
			return err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.Copy(entry, f); err != nil {
			return err
		}
	}
	return z.Close()
}

// download sends a file. It becomes one with its first byte: what fails before is an error page.
type download struct {
	w          http.ResponseWriter
	name, kind string
	begun      bool
}

func (d *download) Write(b []byte) (int, error) {
	if !d.begun {
		d.begun = true
		h := d.w.Header()
		h.Set("Content-Type", d.kind)
		h.Set("Content-Disposition", `attachment; filename="`+d.name+`"`)
		h.Set("Cache-Control", "no-store")
	}
	return d.w.Write(b)
}

// end cuts the connection where the file is not complete, as it would look like one that is.
func (d *download) end(err error) error {
	if err != nil && d.begun {
		panic(http.ErrAbortHandler)
	}
	return err
}
