package main

import (
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// proxy stands before a PostgreSQL server so that the server can be away for a while.
type proxy struct {
	url    string
	target func() (net.Conn, error)

	mu   sync.Mutex
	away time.Time // until when
	open []net.Conn
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	p := &proxy{}
	query := u.Query()
	if dir := query.Get("host"); dir != "" {
		port := query.Get("port")
		if port == "" {
			port = "5432"
		}
		p.target = func() (net.Conn, error) { return net.Dial("unix", filepath.Join(dir, ".s.PGSQL."+port)) }
		query.Del("host")
		query.Del("port")
	} else {
		p.target = func() (net.Conn, error) { return net.Dial("tcp", u.Host) }
	}
	query.Set("sslmode", "disable")
	u.Host, u.RawQuery = listener.Addr().String(), query.Encode()
	p.url = u.String()
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	return p
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := p.target()
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	if time.Now().Before(p.away) {
		p.mu.Unlock()
		return
	}
	p.open = append(p.open, client, server)
	p.mu.Unlock()
	go func() {
		_, _ = io.Copy(server, client)
		server.Close()
	}()
	_, _ = io.Copy(client, server)
}

// cut ends all connections and takes no new ones for three seconds.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = time.Now().Add(3 * time.Second)
	for _, c := range p.open {
		c.Close()
	}
	p.open = nil
}
