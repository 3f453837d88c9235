package web

import (
	"context"
	"mime"
	"net/http"
	"slices"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/userimport"
)

// mayImport are the rights that importing users needs.
var mayImport = []directory.Right{"users:add"}

func (s *Server) importRoutes() []route {
	return []route{
		{pattern: "GET /imports/new", any: mayImport, do: s.newImport},
		{pattern: "GET /imports/limits", any: mayImport, do: s.importLimits},
		{pattern: "POST /imports", any: mayImport, upload: true, do: s.startImport},
		{pattern: "GET /templates/{file}", any: mayImport, do: s.template},
	}
}

// importPage is the dialog in which files are selected.
type importPage struct {
	Limits  uploadLimits
	Problem string
}

// uploadLimits are what a browser may know before it sends anything.
type uploadLimits struct {
	Bytes int64 `json:"bytes"` // of one file
	Files int   `json:"files"`
}

// maxImportFiles is what a batch may have: that two of them are of one kind is for the check to say.
const maxImportFiles = batch.MaxFiles

func (s *Server) uploadLimits(v *visit) (uploadLimits, error) {
	most, err := s.Engine.UploadLimit(v.ctx())
	return uploadLimits{Bytes: most, Files: maxImportFiles}, err
}

// newImport is the dialog, or a page with what is in it.
func (s *Server) newImport(v *visit) error {
	limits, err := s.uploadLimits(v)
	if err != nil {
		return err
	}
	p := importPage{Limits: limits}
	if v.fragment("dialog") {
		return v.part(importDialog(p))
	}
	return v.show("Import users", importPageView(p))
}

// importLimits lets the dialog ask, before it sends a large file, whether the session still stands.
func (s *Server) importLimits(v *visit) error {
	limits, err := s.uploadLimits(v)
	if err != nil {
		return err
	}
	return v.writeJSON(http.StatusOK, limits)
}

// template sends a template as the catalogues stand at this moment.
func (s *Server) template(v *visit) error {
	i := slices.IndexFunc(userimport.Kinds, func(k userimport.Kind) bool { return k.FileName() == v.PathValue("file") })
	if i < 0 {
		return fault.New(fault.NotFound, "there is no template of that name; the three are linked in the Import users dialog")
	}
	cfg, err := s.configuration(v.ctx())
	if err != nil {
		return err
	}
	attach(v.w, userimport.Kinds[i].FileName(), "text/csv; charset=utf-8")
	return userimport.WriteTemplate(v.w, userimport.Kinds[i], cfg)
}

// configuration is what an import is judged by, for handlers whose route has checked the right to import: that does
// not include looking at roles or units, but a template names channels and features.
func (s *Server) configuration(ctx context.Context) (*directory.Configuration, error) {
	var cfg directory.Configuration
	err := s.Directory.DB.Snapshot(ctx, func(q sqldb.Querier) (err error) {
		cfg, err = directory.LoadConfiguration(ctx, q)
		return err
	})
	return &cfg, err
}

// attach makes the answer a file to be saved.
func attach(w http.ResponseWriter, name, kind string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Cache-Control", "no-store")
}
