package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/photo"
	"muster/internal/pictureimport"
)

// pictureBody is how large a form with one picture may be, in bytes. A picture that is too large is taken in all the same,
// so that the form can say so.
const pictureBody = 24 << 20

// formPicture is the picture that a form brings: what it is made into, and what is to be said about it.
type formPicture struct {
	name     string
	source   []byte
	made     *photo.Picture // nil where none was selected, or it cannot be used
	problems []directory.Problem
}

// there tells whether one was selected.
func (p *formPicture) there() bool { return p.name != "" }

// formPicture reads the picture that a form brings, and judges it by the rules of the import.
func (s *Server) formPicture(v *visit) (*formPicture, error) {
	file, header, err := v.FormFile("picture")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return &formPicture{}, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the picture did not arrive as it was sent; select it again")
	}
	defer file.Close()
	p := &formPicture{name: fileName(header.Filename)}
	// One byte too many is enough to see that it is too large.
	if p.source, err = io.ReadAll(io.LimitReader(file, photo.MaxBytes+1)); err != nil {
		return nil, err
	}
	return p, s.judge(v, p)
}

// judge makes the picture into what is kept and shown; what is wrong with it becomes its problems.
func (s *Server) judge(v *visit, p *formPicture) error {
	crop, err := askedCrop(v.PostForm)
	if err != nil {
		return err
	}
	settings, err := directory.LoadSettings(v.ctx(), s.Directory.DB.Read())
	if err != nil {
		return err
	}
	p.made, err = photo.Process(v.ctx(), p.source, s.Pictures, photo.Options{Crop: crop})
	var refused *photo.Refusal
	if errors.As(err, &refused) {
		p.made, p.problems = nil, []directory.Problem{pictureimport.ProblemOf(refused)}
		return nil
	}
	if err != nil {
		return err
	}
	p.problems = pictureimport.ProblemsOf(p.made.Flaws, pictureimport.Strict(settings))
	return nil
}

// askedCrop is the square that was chosen; none where the form says none.
func askedCrop(form url.Values) (c photo.Crop, err error) {
	for name, to := range map[string]*int{"crop_x": &c.X, "crop_y": &c.Y, "crop_size": &c.Size} {
		text := strings.TrimSpace(form.Get(name))
		if text == "" {
			return photo.Crop{}, nil
		}
		if *to, err = strconv.Atoi(text); err != nil || *to < 0 {
			return photo.Crop{}, fault.New(fault.Invalid, "the crop is not one; select the picture again")
		}
	}
	return c, nil
}

// judgePicture judges the picture that the form of a user brings. Where it cannot be used nothing is saved, and what is wrong
// with the rest is found as well.
func (s *Server) judgePicture(v *visit, f *userForm) (p *formPicture, refused bool, err error) {
	if p, err = s.formPicture(v); err != nil || !p.there() {
		return p, false, err
	}
	f.Picture.Name = p.name
	if err := v.actor().Need("pictures:add"); err != nil {
		return p, false, err
	}
	if !hasErrors(p.problems) {
		return p, false, nil
	}
	found, err := v.handle().CheckUser(v.ctx(), f.ID, f.In)
	f.Found = append(p.problems, found...)
	return p, true, err
}

// pictureRefused shows the form of a user again with what keeps its picture out.
func (s *Server) pictureRefused(v *visit, f *userForm, err error) error {
	if err != nil {
		return s.userNotSaved(v, f, err)
	}
	f.turnTo()
	return s.userFormAgain(v, http.StatusUnprocessableEntity, f)
}

// givePictureTo gives a user who was just saved the picture that the form brought, and returns what is then to be said: done,
// or that the picture was not kept.
func (s *Server) givePictureTo(v *visit, p *formPicture, u *directory.User, reason, done string) string {
	if p.made == nil {
		return done
	}
	if err := s.keepPicture(v, p, u.ID, u.Version, reason); err != nil {
		s.Log.Warn("a picture given by hand was not kept", "user", u.ID, "error", err)
		return "picture-not-kept"
	}
	return done
}

// keepPicture stores the picture and gives it to the user, whose version is the one that was just seen.
func (s *Server) keepPicture(v *visit, p *formPicture, id, version int64, reason string) error {
	kept, err := pictureimport.Keep(v.ctx(), s.Engine.Blobs, p.source, p.made)
	if err != nil {
		return err
	}
	_, err = v.handle().SetPicture(v.ctx(), id, version, kept, reason)
	return err
}

// checkPicture says what a picture that was just selected would be refused or warned about for.
func (s *Server) checkPicture(v *visit) error {
	p, err := s.formPicture(v)
	if err != nil {
		return err
	}
	hint := pictureHint
	if p.there() {
		hint = "It can be used: " + pictureSides(p.made) + "."
	}
	return v.part(userNote(&userForm{Found: p.problems}, userField{ID: "picture", Hint: hint}))
}

// pictureForm is what the step of the profile picture shows.
type pictureForm struct {
	May  bool   // the person may give a picture
	User int64  // 0 for a new one
	Has  string // the hash of the picture that the user has
	Name string // of the file that was selected
}

// askRemovePicture asks before a picture is taken away.
func (s *Server) askRemovePicture(v *visit) error {
	d, err := v.userDialog()
	if err != nil {
		return err
	}
	if d.Picture == "" {
		return fault.New(fault.Conflict, "%s has no picture", fullName(&d.User))
	}
	return v.asks(http.StatusOK, "Remove a picture", removePictureView(d))
}

// removePicture takes a user's picture away.
func (s *Server) removePicture(v *visit) error {
	d, err := v.userDialog()
	if err != nil {
		return err
	}
	d.Reason = strings.TrimSpace(v.PostFormValue("reason"))
	if _, err := v.handle().RemovePicture(v.ctx(), d.ID, v.version(), d.Reason); err != nil {
		status, err := d.fails(v, err)
		if err != nil {
			return err
		}
		return v.asks(status, "Remove a picture", removePictureView(d))
	}
	return v.redirect(userPath(d.ID) + "?done=picture-removed")
}

func pictureSides(p *photo.Picture) string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("%s, %d × %d pixels", strings.ToUpper(string(p.Format)), p.Width, p.Height)
}

// pictureTooLarge is what is said of a picture that a browser need not send.
func pictureTooLarge() string { return photo.RefuseTooLarge().Message }

// doneKind is the look of what is said of an action.
func doneKind(done string) string {
	if done == "picture-not-kept" {
		return "warning"
	}
	return "success"
}

// pictureFacts are what is told of a picture: "JPEG, 800 × 800 pixels, 210 kB".
func pictureFacts(p directory.Picture) string {
	return fmt.Sprintf("%s, %d × %d pixels, %s", strings.ToUpper(p.Format), p.Width, p.Height, fileSize(p.Bytes))
}
