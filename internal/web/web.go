// Package web is the console: the pages that administrators work on, made on the server, with a little JavaScript
// where a page answers without one.
//
// A page is a struct that a template shows and a handler that fills it and returns an error; one place turns errors
// into pages (errors.go). All routes stand in one table (routes.go) that says of each who may come, so that a test can
// walk it; what somebody may do is checked again by the services underneath, which the pages only ask. Nothing here
// remembers anything between two requests: any replica answers any of them.
package web

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"muster/internal/auth"
	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/photo"
	"muster/internal/sheet"
)

// Server answers the console's requests. All fields but the last three must be set.
type Server struct {
	Directory *directory.Directory
	Auth      *auth.Service
	Engine    *batch.Engine
	Limits    sheet.Limits  // of one uploaded file
	Pictures  *photo.Budget // what decoding may take, of all pictures that this process looks at
	Log       *slog.Logger
	// Ready tells whether requests can be served: nil, or why not.
	Ready func() error
	// BehindProxy believes X-Forwarded-For and X-Forwarded-Proto, which anybody could send where there is no proxy.
	BehindProxy bool
	// Gallery serves every component in every state at /_gallery, for those who work on the console.
	Gallery bool

	counts counter
}

// Handler is the whole console.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range s.routes() {
		mux.Handle(rt.pattern, s.serve(rt))
	}
	mux.Handle("GET /assets/", http.HandlerFunc(serveAsset))
	mux.Handle("/", s.serve(route{pattern: "/", open: true, do: s.nothingHere}))
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(800))
	if err != nil {
		panic("web: the options of the compression are constants: " + err.Error())
	}
	return s.recovered(s.headers(crossOrigin(compress(mux))))
}

// The time that a request may take to arrive, and its answer to be taken, where a handler does not say otherwise:
// uploads and downloads do.
const (
	readTimeout  = 30 * time.Second
	writeTimeout = 60 * time.Second
)

// Listening returns an HTTP server with the timeouts that the console wants.
func (s *Server) Listening() *http.Server {
	return &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
}
