package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"muster/internal/auth"
	"muster/internal/batch"
	"muster/internal/blob"
	"muster/internal/directory"
	"muster/internal/photo"
	"muster/internal/pictureimport"
	"muster/internal/sheet"
	"muster/internal/sqldb"
	"muster/internal/useredit"
	"muster/internal/userimport"
)

// maxUpload is what one file of an import may have, in bytes.
const maxUpload = 2 << 30

var limits = sheet.Limits{Bytes: maxUpload}

// app is the whole program on one database.
type app struct {
	db     *sqldb.DB
	dir    *directory.Directory
	engine *batch.Engine
	auth   *auth.Service
	actor  directory.Actor
	photos *photo.Budget // what decoding pictures may take, of all that this process looks at
}

// config says where everything is.
type config struct {
	DataDir  string `help:"Directory of the database, uploads and scratch files (default: muster-data; for demo: muster-demo)." placeholder:"DIR" env:"MUSTER_DATA_DIR"`
	Database string `help:"PostgreSQL instead of the embedded database: postgres://user@host/name. Uploads stay in the data directory, or go where --blobs says." placeholder:"URL" env:"MUSTER_DATABASE"`
	Blobs    string `help:"Uploads and pictures in an S3-compatible store: s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION. The key is in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY." placeholder:"URL" env:"MUSTER_BLOBS"`
}

// defaultDataDir is where everything is when nobody says anything else.
const defaultDataDir = "muster-data"

func (c config) dataDir() string {
	if c.DataDir == "" {
		return defaultDataDir
	}
	return c.DataDir
}

// collectGarbage sets how much garbage may pile up before it is collected, in per cent of what lives. Memory is mostly buffers
// that live for a whole phase. On PostgreSQL little else is needed beside them, and the process stays small. On SQLite the
// database works in this process: with 40 % an import of a million rows is 7 % slower than with 150 %, which takes 80 MB more.
func (c config) collectGarbage() {
	if os.Getenv("GOGC") != "" {
		return
	}
	percent := 150
	if c.Database != "" {
		percent = 40
	}
	debug.SetGCPercent(percent)
}

// blobs is where uploads and pictures are.
func (c config) blobs() (blob.Store, error) {
	if c.Blobs == "" {
		return &blob.Disk{Dir: filepath.Join(c.dataDir(), "blobs")}, nil
	}
	address, err := blob.ParseS3(c.Blobs)
	if err != nil {
		return nil, err
	}
	return blob.NewS3(address, os.Getenv)
}

// open builds the program. The local command line acts as the system: whoever holds the data may do anything with it.
func (c config) open(ctx context.Context, log io.Writer) (*app, error) {
	c.collectGarbage()
	blobs, err := c.blobs()
	if err != nil {
		return nil, err
	}
	db, err := sqldb.Open(ctx, sqldb.Config{Dir: c.dataDir(), URL: c.Database})
	if err != nil {
		return nil, err
	}
	dir := directory.New(db)
	if err := dir.Prepare(ctx); err != nil {
		db.Close()
		return nil, err
	}
	warnings := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	a := &app{db: db, dir: dir, auth: auth.New(dir, warnings), actor: directory.System("cli")}
	a.engine = &batch.Engine{
		DB: db, Directory: dir,
		Blobs:      blobs,
		Scratch:    filepath.Join(c.dataDir(), "scratch"),
		Operations: map[string]batch.Operation{userimport.Action: &userimport.Operation{Limits: limits}, useredit.Action: &useredit.Operation{}},
		Actor:      a.auth.Actor,
		MaxUpload:  maxUpload,
		Patience:   5 * time.Minute,
		Log:        warnings,
	}
	a.photos = photo.NewBudget(photo.DefaultBudget)
	a.engine.Operations[pictureimport.Action] = &pictureimport.Operation{Budget: a.photos}
	for _, action := range useredit.EditActions {
		a.engine.Operations[action] = &useredit.Editing{}
	}
	return a, nil
}

// closing is how long the last writes may take.
const closing = 5 * time.Second

func (a *app) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	if err := a.auth.Close(ctx); err != nil {
		a.auth.Log.Warn("the use of sessions could not be written", "error", err)
	}
	a.db.Close()
}

// handle is the directory in the hands of who acts.
func (a *app) handle() *directory.Handle { return a.dir.As(a.actor) }

// frozen reads a batch's stored files again.
func (a *app) frozen(b *batch.Batch) *userimport.Frozen {
	return &userimport.Frozen{Engine: a.engine, Actor: a.actor, Batch: b, Limits: limits}
}
