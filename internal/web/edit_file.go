package web

import (
	"errors"
	"net/http"
	"strings"
	"unicode"

	"muster/internal/fault"
	"muster/internal/useredit"
)

// editFile is the dialog in which a bulk edit gets its users from a file, or from what is typed.
type editFile struct {
	Typed   string
	Action  string
	Problem string
}

// mostListBytes bounds a list of LAN IDs: a million of them, and their line ends.
const mostListBytes = 32 << 20

func (s *Server) editFileDialog(v *visit) error {
	if err := v.actor().Need(editMany...); err != nil {
		return err
	}
	return s.showEditFile(v, http.StatusOK, &editFile{Action: editActions[0].Name})
}

func (s *Server) showEditFile(v *visit, status int, f *editFile) error {
	if v.asked() {
		return v.write(status, editFileView(f))
	}
	return v.showStatus(status, "Users from a file", editFilePage(f))
}

// editFromFile freezes the users whose LAN IDs were sent, and opens the window about them.
func (s *Server) editFromFile(v *visit) error {
	if err := v.actor().Need(editMany...); err != nil {
		return err
	}
	v.Body = http.MaxBytesReader(v.w, v.Body, mostListBytes+maxBody)
	if err := v.ParseMultipartForm(maxBody); err != nil {
		var tooLong *http.MaxBytesError
		if errors.As(err, &tooLong) {
			return fault.New(fault.TooLarge, "the file is larger than %s; a list of LAN IDs is shorter", fileSize(mostListBytes))
		}
		return fault.Wrap(fault.Invalid, err, "the form did not arrive as it was sent; load the page again and send it once more")
	}
	defer v.MultipartForm.RemoveAll()
	f := &editFile{Typed: v.FormValue("lan_ids"), Action: v.FormValue("action")}
	err := s.openListed(v, f)
	failed, ok := v.mendable(err)
	if fault.KindOf(err) == fault.NotFound {
		failed, ok = failureOf(err), true
	}
	if err == nil || !ok {
		return err
	}
	f.Problem = failed.Message
	return s.showEditFile(v, failed.Status, f)
}

func (s *Server) openListed(v *visit, f *editFile) error {
	action, known := editActionOf(f.Action)
	if !known {
		return fault.New(fault.Invalid, "nothing is chosen to be done with them; choose it")
	}
	source, err := s.listedUsers(v, f.Typed)
	if err != nil {
		return err
	}
	return s.openEditOf(v, action, source)
}

// listedUsers are those whose LAN IDs are in the file or were typed.
func (s *Server) listedUsers(v *visit, typed string) (source useredit.Source, err error) {
	source.Name = "LAN IDs that were typed"
	source.LANIDs = strings.FieldsFunc(typed, func(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) })
	file, header, err := v.FormFile("file")
	switch {
	case errors.Is(err, http.ErrMissingFile) && len(source.LANIDs) == 0:
		return source, fault.New(fault.Invalid, "no file is selected and nothing is typed; select a file with LAN IDs, or type them")
	case errors.Is(err, http.ErrMissingFile):
		return source, nil
	case err != nil:
		return source, fault.Wrap(fault.Invalid, err, "the form did not arrive as it was sent; load the page again and send it once more")
	}
	defer file.Close()
	if len(source.LANIDs) > 0 {
		return source, fault.New(fault.Invalid, "a file is selected and LAN IDs are typed as well; give one of the two")
	}
	source.Name = fileName(header.Filename)
	source.LANIDs, err = useredit.ReadLANIDs(file, header.Size, source.Name)
	return source, err
}
