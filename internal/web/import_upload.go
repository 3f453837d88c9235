package web

import (
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"strings"
	"time"

	"muster/internal/batch"
	"muster/internal/fault"
	"muster/internal/userimport"
)

// An upload that brings nothing for this long is given up. Somebody who refuses to read our refusal is listened to for
// so many bytes and so long, for browsers show an answer only when they got rid of what they send.
const (
	uploadPause = 60 * time.Second
	drainBytes  = 256 << 20
	drainTime   = 20 * time.Second
)

// startImport takes the files as they come, part by part, and makes the batch that checks them. What an import is to do
// comes before the files. Nothing of a file is held in memory.
func (s *Server) startImport(v *visit) error {
	body := &upload{body: v.Body, control: http.NewResponseController(v.w)}
	b, err := s.receive(v, body)
	if err != nil {
		// The rest is of no use to anybody, and the connection cannot be used again.
		v.w.Header().Set("Connection", "close")
		body.drain()
		return err
	}
	location := batchPath(b.ID)
	if v.wantsJSON() {
		v.w.Header().Set("Location", location)
		return v.writeJSON(http.StatusCreated, map[string]any{"batch": b.ID, "location": location})
	}
	return v.redirect(location)
}

func (s *Server) receive(v *visit, body *upload) (*batch.Batch, error) {
	v.Body = body
	parts, err := v.MultipartReader()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "this is not an upload of files; select them in the Import users dialog")
	}
	options, files, err := s.receiveParts(v, parts)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fault.New(fault.Invalid, "no file was selected; select UserDetails.csv, and the other two if you have filled them in")
	}
	// A large upload takes its time: the session may have ended meanwhile, or the right been taken away.
	if v.session, err = s.Auth.Session(v.ctx(), v.token()); err != nil {
		return nil, err
	}
	return s.Engine.CreateFrozen(v.ctx(), v.actor(), batch.Spec{Action: userimport.Action, Options: options}, files)
}

func (s *Server) receiveParts(v *visit, parts *multipart.Reader) (userimport.Options, []batch.File, error) {
	var options userimport.Options
	var files []batch.File
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return options, files, nil
		}
		if err != nil {
			return options, nil, fault.Wrap(fault.Invalid, err, "the upload did not arrive whole; send it again")
		}
		switch name := part.FormName(); {
		case name == "files" && part.FileName() != "":
			if len(files) == maxImportFiles {
				return options, nil, fault.New(fault.TooLarge, "an import takes %d files at most; select UserDetails, ChannelCountDetails and FeatureDetails only", maxImportFiles)
			}
			file, err := s.receiveFile(v, part)
			if err != nil {
				return options, nil, err
			}
			files = append(files, file)
		case name == "preview":
			options.Preview = checked(part)
		case name == "in_file_supervisors":
			options.InFileSupervisors = checked(part)
		}
	}
}

// receiveFile stores a file, and says in people's words where it is too large.
func (s *Server) receiveFile(v *visit, part *multipart.Part) (batch.File, error) {
	name := fileName(part.FileName())
	file, err := s.Engine.Freeze(v.ctx(), v.actor(), name, part)
	if fault.KindOf(err) == fault.TooLarge {
		most, limitErr := s.Engine.UploadLimit(v.ctx())
		if limitErr != nil {
			return file, limitErr
		}
		err = fault.Wrap(fault.TooLarge, err, "%s is larger than %s, the most that a file may have; split it and import the parts one after the other",
			name, fileSize(most))
	}
	return file, err
}

// fileName is what a file is called, without the folders that some browsers send along.
func fileName(given string) string {
	name := path.Base(strings.ReplaceAll(given, `\`, "/"))
	if name == "." || name == "/" {
		return "file"
	}
	if runes := []rune(name); len(runes) > 200 {
		name = string(runes[:200]) + "…"
	}
	return name
}

// checked reads a checkbox: only one that is ticked is sent.
func checked(part *multipart.Part) bool {
	value, err := io.ReadAll(io.LimitReader(part, 8))
	return err == nil && string(value) == "yes"
}

// upload is a body whose sender may take any time as long as something comes.
type upload struct {
	body    io.ReadCloser
	control *http.ResponseController
	at      time.Time // when the deadline was set
	ended   error
}

func (u *upload) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(u.at) > time.Second {
		_ = u.control.SetReadDeadline(now.Add(uploadPause))
		u.at = now
	}
	n, err := u.body.Read(p)
	if err != nil {
		u.ended = err
	}
	return n, err
}

func (u *upload) Close() error { return u.body.Close() }

// drain reads on for a while after a refusal.
func (u *upload) drain() {
	if u.ended != nil {
		return
	}
	_ = u.control.SetReadDeadline(time.Now().Add(drainTime))
	_, _ = io.CopyN(io.Discard, u.body, drainBytes)
}

// fileSize writes a number of bytes as people say it.
func fileSize(n int64) string {
	for _, unit := range []struct {
		name  string
		bytes int64
	}{{"GB", 1_000_000_000}, {"MB", 1_000_000}, {"kB", 1_000}} {
		if n >= unit.bytes {
			return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/float64(unit.bytes)), ".0") + " " + unit.name
		}
	}
	return count(n, "byte")
}

func batchPath(id int64) string { return fmt.Sprintf("/batches/%d", id) }
