package web

import (
	"net/http"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/pictureimport"
)

var (
	mayAddPictures    = []directory.Right{"pictures:add"}
	mayRemovePictures = []directory.Right{"pictures:delete"}
)

func (s *Server) pictureRoutes() []route {
	return []route{
		{pattern: "GET /pictures/new", any: mayAddPictures, do: s.newPictures},
		{pattern: "GET /pictures/limits", any: mayAddPictures, do: s.pictureLimits},
		{pattern: "POST /pictures", any: mayAddPictures, upload: true, do: s.startPictures},
		{pattern: "POST /pictures/check", any: mayAddPictures, most: pictureBody, do: s.checkPicture},
		{pattern: "GET /batches/{id}/pictures/{row}/{size}", any: mayLook, do: s.batchPicture},
		{pattern: "GET /batches/{id}/pictures/{row}/give", any: mayAddPictures, do: s.askGive},
		{pattern: "POST /batches/{id}/pictures/{row}/give", any: mayAddPictures, do: s.givePicture},
		{pattern: "GET /users/{id}/picture/{hash}/{size}", any: maySeeUsers, do: s.userPicture},
		{pattern: "GET /users/{id}/picture/remove", any: mayRemovePictures, do: s.askRemovePicture},
		{pattern: "POST /users/{id}/picture/remove", any: mayRemovePictures, do: s.removePicture},
	}
}

// pictureMatches are the user attributes that pictures can be matched by, the usual one first.
var pictureMatches = []option{
	{string(directory.ByAgentID), "Agent ID"},
	{string(directory.ByLANID), "LAN ID"},
	{string(directory.ByPBXID), "PBX ID"},
}

func (s *Server) pictureUpload(v *visit) (uploadLimits, error) {
	most, err := pictureimport.UploadLimit(v.ctx(), s.Engine)
	return uploadLimits{Bytes: most, Files: 1}, err
}

// newPictures is the dialog, or a page with what is in it.
func (s *Server) newPictures(v *visit) error {
	limits, err := s.pictureUpload(v)
	if err != nil {
		return err
	}
	if v.fragment("dialog") {
		return v.part(picturesDialog(importPage{Limits: limits}))
	}
	return v.show("Import user profile pictures", picturesPageView(importPage{Limits: limits}))
}

// pictureLimits lets the dialog ask, before it sends a large file, whether the session still stands.
func (s *Server) pictureLimits(v *visit) error {
	limits, err := s.pictureUpload(v)
	if err != nil {
		return err
	}
	return v.writeJSON(http.StatusOK, limits)
}

// startPictures takes the ZIP as it comes, and makes the batch that matches and checks what is in it.
func (s *Server) startPictures(v *visit) error {
	options := pictureimport.Options{Match: directory.ByAgentID}
	return s.startUpload(v, &intake{
		most:    1,
		tooMany: "one ZIP file is taken at a time; put all the pictures into one",
		none:    "no file was selected; select the ZIP file with the pictures",
		limit:   pictureimport.UploadLimit,
		freeze:  pictureimport.Freeze,
		field: func(name, value string) {
			switch name {
			case "match":
				options.Match = directory.PictureAttribute(value)
			case "preview":
				options.Preview = value == "yes"
			}
		},
		create: func(v *visit, files []batch.File) (*batch.Batch, error) {
			return pictureimport.CreateFrozen(v.ctx(), s.Engine, v.actor(), options, files[0])
		},
	})
}
