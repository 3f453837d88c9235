package web

import (
	"fmt"
	"net/http"
	"time"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/photo"
)

// pictureKept is how long browsers may keep a picture, and nobody between them and us: the address names its content.
const pictureKept = "private, max-age=31536000, immutable"

// noPicture does not tell a picture that is not there from one that may not be seen.
var noPicture = fault.New(fault.NotFound, "there is no such picture")

// userPicture serves the picture that a user has now, to who may see the user.
func (s *Server) userPicture(v *visit) error {
	id, err := v.userID()
	if err != nil {
		return noPicture
	}
	p, has, err := v.handle().PictureOf(v.ctx(), id)
	if fault.KindOf(err) == fault.NotFound {
		return noPicture
	}
	if err != nil {
		return err
	}
	if !has || p.Hash != v.PathValue("hash") {
		return noPicture
	}
	return s.servePicture(v, p, v.PathValue("size"))
}

// batchPicture serves a picture that a batch is about, to who may look at the batch: the one that it brings, or the one
// that its user had before.
func (s *Server) batchPicture(v *visit) error {
	b, row, err := s.pictureRow(v)
	if err != nil {
		return err
	}
	p, size := row.New, v.PathValue("size")
	if size == "before" {
		size = "small"
		if p, err = s.pictureBefore(v, b.ID, row.UserID); err != nil {
			return err
		}
	}
	if p.Hash == "" {
		return noPicture
	}
	return s.servePicture(v, p, size)
}

// pictureBefore is the user's own, not the batch's: who may not look at users does not see it.
func (s *Server) pictureBefore(v *visit, batchID, userID int64) (p directory.Picture, err error) {
	if !v.can("users:access") {
		return p, nil
	}
	before, err := s.picturesOfJournal(v, batchID, []int64{userID})
	if err != nil || before[userID] == "" {
		return p, err
	}
	found, err := directory.FindPictures(v.ctx(), s.Directory.DB, s.Directory.DB.Read(), []string{before[userID]})
	return found[before[userID]], err
}

// servePicture sends a picture in one of its sizes. Whoever calls it has checked that it may be seen.
func (s *Server) servePicture(v *visit, p directory.Picture, size string) error {
	hash, kind := "", photo.JPEG.MediaType()
	switch size {
	case "small":
		hash = p.Small
	case "large":
		hash = p.Large
	case "full":
		hash, kind = p.Hash, photo.Format(p.Format).MediaType()
	default:
		return noPicture
	}
	file, err := s.Engine.Blobs.Open(v.ctx(), hash)
	if fault.KindOf(err) == fault.NotFound {
		return noPicture // of a batch whose retention has ended
	}
	if err != nil {
		return fmt.Errorf("the picture %s: %w", hash, err)
	}
	defer file.Close()
	h := v.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", pictureKept)
	h.Set("ETag", `"`+hash+`"`)
	h.Set("X-Content-Type-Options", "nosniff")
	// Whatever it is: opened by itself it is nothing but a picture.
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	http.ServeContent(v.w, v.Request, "", time.Time{}, file)
	return nil
}

// userPicturePath is the address of a user's picture; size is small, large or full.
func userPicturePath(id int64, hash, size string) string {
	return userPath(id) + "/picture/" + hash + "/" + size
}

// batchPicturePath is the address of a picture of a batch. That its content is named in it lets browsers keep it.
func batchPicturePath(id, row int64, hash, size string) string {
	return fmt.Sprintf("%s/pictures/%d/%s?of=%.16s", batchPath(id), row, size, hash)
}
