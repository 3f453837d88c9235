package web

import (
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"strings"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
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

// intake is an upload that a batch is to be made of: how many files there may be, and what becomes of what comes.
type intake struct {
	most          int
	tooMany, none string // what is said of more files than most, and of none
	limit         func(context.Context, *batch.Engine) (int64, error)
	freeze        func(context.Context, *batch.Engine, directory.Actor, string, io.Reader) (batch.File, error)
	field         func(name, value string)
	create        func(*visit, []batch.File) (*batch.Batch, error)
}

// startImport takes the files of an import of users, and makes the batch that checks them.
func (s *Server) startImport(v *visit) error {
	var options userimport.Options
	return s.startUpload(v, &intake{
		most:    maxImportFiles,
		tooMany: fmt.Sprintf("an import takes %d files at most; select UserDetails, ChannelCountDetails and FeatureDetails only", maxImportFiles),
		none:    "no file was selected; select UserDetails.csv, and the other two if you have filled them in",
		limit:   func(ctx context.Context, e *batch.Engine) (int64, error) { return e.UploadLimit(ctx) },
		freeze: func(ctx context.Context, e *batch.Engine, a directory.Actor, name string, r io.Reader) (batch.File, error) {
			return e.Freeze(ctx, a, name, r)
		},
		field: func(name, value string) {
			switch name {
			case "preview":
				options.Preview = value == "yes"
			case "in_file_supervisors":
				options.InFileSupervisors = value == "yes"
			}
		},
		create: func(v *visit, files []batch.File) (*batch.Batch, error) {
			return s.Engine.CreateFrozen(v.ctx(), v.actor(), batch.Spec{Action: userimport.Action, Options: options}, files)
		},
	})
}

// startUpload takes the files as they come, part by part, and makes a batch of them. What it is to do comes before the
// files. Nothing of a file is held in memory.
func (s *Server) startUpload(v *visit, in *intake) error {
	body := &upload{body: v.Body, control: http.NewResponseController(v.w)}
	b, err := s.receive(v, in, body)
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

func (s *Server) receive(v *visit, in *intake, body *upload) (*batch.Batch, error) {
	v.Body = body
	parts, err := v.MultipartReader()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "this is not an upload of files; select them in the dialog")
	}
	files, err := s.receiveParts(v, in, parts)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fault.New(fault.Invalid, "%s", in.none)
	}
	// A large upload takes its time: the session may have ended meanwhile, or the right been taken away.
	if v.session, err = s.Auth.Session(v.ctx(), v.token()); err != nil {
		return nil, err
	}
	return in.create(v, files)
}

func (s *Server) receiveParts(v *visit, in *intake, parts *multipart.Reader) (files []batch.File, err error) {
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the upload did not arrive whole; send it again")
		}
		switch name := part.FormName(); {
		case name == "files" && part.FileName() != "":
			if len(files) == in.most {
				return nil, fault.New(fault.TooLarge, "%s", in.tooMany)
			}
			file, err := s.receiveFile(v, in, part)
			if err != nil {
				return nil, err
			}
			files = append(files, file)
		case name != "files":
			in.field(name, fieldValue(part))
		}
	}
}

// receiveFile stores a file, and says in people's words where it is too large.
func (s *Server) receiveFile(v *visit, in *intake, part *multipart.Part) (batch.File, error) {
	name := fileName(part.FileName())
	file, err := in.freeze(v.ctx(), s.Engine, v.actor(), name, part)
	if fault.KindOf(err) == fault.TooLarge {
		most, limitErr := in.limit(v.ctx(), s.Engine)
		if limitErr != nil {
			return file, limitErr
		}
		err = fault.Wrap(fault.TooLarge, err, "the file %s is larger than %s, the most that a file may have; split it and import the parts one after the other",
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

// fieldValue reads a field of a dialog: none has a long value.
func fieldValue(part *multipart.Part) string {
	value, err := io.ReadAll(io.LimitReader(part, 32))
	if err != nil {
		return ""
	}
	return string(value)
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
