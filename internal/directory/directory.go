// Package directory owns the users of a contact centre and everything that a user refers to: org units, roles with
// their rights and rules, access roles, catalogues, settings, the audit. Types, rules and SQL are all here; nobody
// else writes these tables.
//
// Nothing is done by nobody: [Directory.As] gives a handle for an acting person, and each of its methods checks a
// right and the person's scope before it reads or writes.
package directory

import (
	"sync/atomic"
	"time"

	"muster/internal/sqldb"
)

// Directory is the service over one database.
type Directory struct {
	DB *sqldb.DB
	// Now is the clock; times are stored as whole microseconds, UTC.
	Now func() time.Time

	search textReader
	known  atomic.Pointer[known]
}

// New returns the directory in db, on the system's clock.
func New(db *sqldb.DB) *Directory { return &Directory{DB: db, Now: time.Now} }

// As returns the directory as the actor may use it.
func (d *Directory) As(a Actor) *Handle { return &Handle{dir: d, actor: a} }

// Handle is the directory in the hands of one actor.
type Handle struct {
	dir   *Directory
	actor Actor
}

// Actor returns who acts through the handle.
func (h *Handle) Actor() Actor { return h.actor }

func (d *Directory) micros() int64 { return d.Now().UnixMicro() }
