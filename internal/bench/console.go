package bench

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"muster/internal/auth"
	"muster/internal/batch"
	"muster/internal/blob"
	"muster/internal/directory"
	"muster/internal/sheet"
	"muster/internal/sqldb"
	"muster/internal/useredit"
	"muster/internal/userimport"
	"muster/internal/web"
)

// Console is what was measured of the console on one engine. Times are seconds.
type Console struct {
	Users   int64      `json:"users"` // in the directory
	Grid    []PageTime `json:"grid"`
	Scope   string     `json:"scope,omitempty"` // the unit that the person of Scoped sees, with all below
	Scoped  []PageTime `json:"scoped,omitempty"`
	Deep    []DeepPage `json:"deep_pages"`
	Weights []Weight   `json:"weights"`
	Load    *Load      `json:"load"`
	// Managing is what is done with single things, and to many users at once.
	Managing *Managing `json:"managing"`
}

// LoadPlan is how the console is put under load; a zero field is as by default.
type LoadPlan struct {
	People int           // who are signed in: 200
	Click  time.Duration // between two clicks of one of them: 5 s
	Least  time.Duration // how long at least: 60 s, and never shorter than the import takes
}

func (l LoadPlan) orDefault() LoadPlan {
	if l.People == 0 {
		l.People = 200
	}
	if l.Click == 0 {
		l.Click = 5 * time.Second
	}
	if l.Least == 0 {
		l.Least = time.Minute
	}
	return l
}

// console measures the console on a directory that has as many users as one input.
func (b *bench) console(ctx context.Context, s store) (*Console, error) {
	c := &Console{}
	if err := b.on(ctx, s, baseSnapshot, func(p place) error { return b.alone(ctx, s, p, c) }); err != nil {
		return nil, err
	}
	if b.inputs["second"] == nil {
		if err := b.generate("second", b.Users, b.Users); err != nil {
			return nil, err
		}
	}
	err := b.on(ctx, s, baseSnapshot, func(p place) (err error) {
		if err := s.settle(ctx); err != nil {
			return err
		}
		c.Load, err = b.underLoad(ctx, s, p, b.inputs["second"])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("under load: %w", err)
	}
	return c, nil
}

// alone measures what one person waits for and is sent while nobody else is there.
func (b *bench) alone(ctx context.Context, s store, p place, c *Console) error {
	if err := s.settle(ctx); err != nil {
		return err
	}
	h, err := openConsole(ctx, p)
	if err != nil {
		return err
	}
	defer h.close()
	if h.samples = b.Samples; h.samples == 0 {
		h.samples = gridSamples
	}
	g, err := newGridAsker(ctx, h.dir.As(directory.System("bench")))
	if err != nil {
		return err
	}
	if c.Users, err = g.handle.CountUsers(ctx, directory.UserFilter{}); err != nil {
		return err
	}
	who, err := h.administrator(ctx, "benchadmin")
	if err != nil {
		return err
	}
	b.say("%s: the grid of %d users", s.engine(), c.Users)
	if err := h.grid(ctx, g, who, c); err != nil {
		return fmt.Errorf("the grid: %w", err)
	}
	b.say("%s: what pages weigh", s.engine())
	if c.Weights, err = b.weights(ctx, h, g, who); err != nil {
		return fmt.Errorf("weigh pages: %w", err)
	}
	b.say("%s: one user, and changes that many see", s.engine())
	if c.Managing, err = b.managing(ctx, p, h, g, who); err != nil {
		return fmt.Errorf("manage: %w", err)
	}
	return nil
}

// base makes the snapshot with the users of the first input, where measuring imports has not left it.
func (b *bench) base(ctx context.Context, s store) error {
	p, err := s.create(ctx, "")
	if err != nil {
		return err
	}
	if err := furnish(ctx, p); err != nil {
		return err
	}
	b.say("%s: users for the console", s.engine())
	if _, _, err := b.importUsers(ctx, p, b.inputs["first"], "--yes"); err != nil {
		return err
	}
	return s.keep(ctx, p, baseSnapshot)
}

// hosted is the console in this process: what muster serve has, without the network.
type hosted struct {
	db      *sqldb.DB
	dir     *directory.Directory
	auth    *auth.Service
	engine  *batch.Engine
	handler http.Handler
	samples int // requests of each kind
}

// maxUpload is as muster serve has it.
const maxUpload = 2 << 30

func openConsole(ctx context.Context, p place) (*hosted, error) {
	db, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	dir, log := directory.New(db), slog.New(slog.DiscardHandler)
	h := &hosted{db: db, dir: dir, auth: auth.New(dir, log)}
	h.engine = &batch.Engine{
		DB: db, Directory: dir, Blobs: &blob.Disk{Dir: filepath.Join(p.dir, "blobs")}, Scratch: filepath.Join(p.dir, "scratch"),
		Operations: map[string]batch.Operation{userimport.Action: &userimport.Operation{Limits: sheet.Limits{Bytes: maxUpload}}, useredit.Action: &useredit.Operation{}},
		Actor:      h.auth.Actor, MaxUpload: maxUpload, Patience: time.Minute, Log: log,
	}
	for _, action := range useredit.EditActions {
		h.engine.Operations[action] = &useredit.Editing{}
	}
	h.handler = h.newHandler()
	return h, nil
}

// newHandler is the console as it is after its start: it remembers no count.
func (h *hosted) newHandler() http.Handler {
	s := &web.Server{Directory: h.dir, Auth: h.auth, Engine: h.engine, Limits: sheet.Limits{Bytes: maxUpload}, Log: slog.New(slog.DiscardHandler)}
	return s.Handler()
}

func (h *hosted) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = h.auth.Close(ctx) // when sessions were used last: nobody will ask
	h.db.Close()
}

// administrator makes somebody who may do everything everywhere, and signs them in by their link.
func (h *hosted) administrator(ctx context.Context, lanID string) (*browser, error) {
	l, err := h.auth.CreateAdministrator(ctx, directory.System("bench"), applicant(lanID))
	if err != nil {
		return nil, err
	}
	return h.signIn(ctx, l)
}

// user signs somebody in who is in the directory already.
func (h *hosted) user(ctx context.Context, lanID string) (*browser, error) {
	l, err := h.auth.MakeLink(ctx, directory.System("bench"), lanID)
	if err != nil {
		return nil, err
	}
	return h.signIn(ctx, l)
}

func (h *hosted) signIn(ctx context.Context, l auth.Link) (*browser, error) {
	who := &browser{base: "http://bench.example", through: inProcess{h.handler}}
	return who, who.redeem(ctx, l.URL(""))
}

func applicant(lanID string) directory.Applicant {
	return directory.Applicant{LANID: lanID, FirstName: "Bench", LastName: "Person"}
}
