package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"muster/internal/blob"
	"muster/internal/fault"
	"muster/internal/sqldb"
	"muster/internal/web"
)

// serving is how a process serves; the demo does so, too.
type serving struct {
	Listen      string `help:"Address and port to listen on." default:"127.0.0.1:8080" env:"MUSTER_LISTEN" placeholder:"ADDRESS"`
	URL         string `help:"Address of the console as people type it, for the links that are printed (default: made from --listen)." env:"MUSTER_URL" placeholder:"URL"`
	BehindProxy bool   `help:"Take the client's address and whether the connection is encrypted from X-Forwarded-For and X-Forwarded-Proto. Only behind a proxy that sets them." env:"MUSTER_BEHIND_PROXY"`
	TLSCert     string `help:"Serve HTTPS with this certificate (PEM)." env:"MUSTER_TLS_CERT" placeholder:"FILE" and:"tls"`
	TLSKey      string `help:"The certificate's key (PEM)." env:"MUSTER_TLS_KEY" placeholder:"FILE" and:"tls"`
	Gallery     bool   `help:"Also serve /_gallery: every component of the console in every state, for those who work on it." hidden:""`
}

type serveCmd struct{ serving }

// Run serves the console, and runs bulk actions, until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, s *session) error {
	if s.json {
		return &usage{message: "serve writes no JSON", command: []string{"serve"}}
	}
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	if store, remote := a.engine.Blobs.(*blob.S3); remote {
		if err := store.Check(ctx); err != nil {
			return err
		}
	}
	return c.serve(ctx, s, a, func(base string) error { return s.printFirstLink(ctx, a, base) })
}

// How long what is under way may take to end once the process is told to stop: more than any chunk of a bulk action,
// less than service managers wait before they kill (90 s for systemd, 30 s for Kubernetes).
const graceful = 20 * time.Second

// serve listens, says that it does, and calls greet with the console's address.
func (c *serving) serve(ctx context.Context, s *session, a *app, greet func(base string) error) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "%s cannot be listened on; another program may have it: choose another --listen", c.Listen)
	}
	defer listener.Close()
	log := slog.New(slog.NewTextHandler(s.err, nil))
	var stopping atomic.Bool
	console := &web.Server{
		Directory: a.dir, Auth: a.auth, Engine: a.engine, Limits: limits, Pictures: a.photos, Log: log, BehindProxy: c.BehindProxy, Gallery: c.Gallery,
		Ready: func() error { return ready(a.db, &stopping) },
	}
	server := console.Listening()
	base := c.base(listener.Addr())
	s.printf("Muster is at %s\n", base)
	if !c.encrypted() && !loopback(listener.Addr()) {
		log.Warn("what people type goes over the network unencrypted; give --tls-cert and --tls-key, or put a proxy in front and say --behind-proxy")
	}
	if err := greet(base); err != nil {
		return err
	}
	s.printf("Ctrl-C stops it.\n")

	var working sync.WaitGroup
	working.Go(func() { a.engine.Work(ctx, workers(a.db)) })
	working.Go(func() { sweep(ctx, a, log) })
	served := make(chan error, 1)
	go func() {
		if c.TLSCert != "" {
			served <- server.ServeTLS(listener, c.TLSCert, c.TLSKey)
			return
		}
		served <- server.Serve(listener)
	}()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	stopping.Store(true)
	s.notef("Stopping; requests and the chunk under way end first. Once more ends at once.\n")
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceful)
	defer cancel()
	if err := server.Shutdown(end); errors.Is(err, context.DeadlineExceeded) {
		log.Warn("some requests took too long and were broken off")
		server.Close()
	}
	working.Wait()
	return nil
}

// workers is how many bulk actions one process runs side by side. SQLite has one writer, so a second would only wait.
func workers(db *sqldb.DB) int {
	if db.Engine == sqldb.SQLite {
		return 1
	}
	return 2
}

// ready tells whether requests should come here.
func ready(db *sqldb.DB, stopping *atomic.Bool) error {
	if stopping.Load() {
		return fault.New(fault.Unavailable, "this process is stopping")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, _, err := sqldb.One[int](ctx, db.Read(), "SELECT 1")
	return err
}

// sweep lets go of sessions, links and attempts that are over.
func sweep(ctx context.Context, a *app, log *slog.Logger) {
	for {
		if err := a.auth.Sweep(ctx); err != nil && ctx.Err() == nil {
			log.Warn("old sessions could not be cleared up", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Hour):
		}
	}
}

func (c *serving) encrypted() bool { return c.TLSCert != "" || c.BehindProxy }

// base is the console's address as links need it.
func (c *serving) base(addr net.Addr) string {
	if c.URL != "" {
		return strings.TrimSuffix(c.URL, "/")
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://" + addr.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	u := url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}
	if c.TLSCert != "" {
		u.Scheme = "https"
	}
	return u.String()
}

func loopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// printFirstLink says how the first administrator is made, as long as there is none.
func (s *session) printFirstLink(ctx context.Context, a *app, base string) error {
	token, needed, err := a.auth.FirstLink(ctx)
	if err != nil || !needed {
		return err
	}
	s.printf("There is no administrator yet. Whoever opens this link within 24 hours makes the first one; it works once:\n  %s/link/%s\n", base, url.PathEscape(token))
	return nil
}
