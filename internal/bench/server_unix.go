//go:build unix

package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// supervise runs the server until its standard input ends, which it does when this process does, however that comes
// about. $1 is the directory, $2 the server's program. All settings but where it listens are the defaults: what is
// measured must survive a power cut on both sides.
const supervise = `
cd "$1" || exit 1
"$2" -D data -k "$1" -c listen_addresses= >server.log 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -INT $server 2>/dev/null
wait $server
cd / && rm -rf "$1"/*
`

// startServer makes a cluster below scratch and starts a server that listens on a socket there.
func startServer(ctx context.Context, scratch string) (address string, stop func(), err error) {
	initdb, err := serverBinary("initdb")
	if err != nil {
		return "", nil, err
	}
	server, err := serverBinary("postgres")
	if err != nil {
		return "", nil, err
	}
	dir := filepath.Join(scratch, "pg")
	if len(dir) > 80 { // a socket's whole path has 107 bytes at most
		return "", nil, fmt.Errorf("the path %s is too long for a server's socket; name a shorter place with --dir", dir)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", nil, err
	}
	identity, err := serverIdentity(dir)
	if err != nil {
		return "", nil, err
	}
	cluster := exec.CommandContext(ctx, initdb, "-D", filepath.Join(dir, "data"), "-U", "muster", "-A", "trust", "-E", "UTF8", "--locale=C")
	cluster.Dir = dir
	cluster.SysProcAttr = &syscall.SysProcAttr{Credential: identity}
	if out, err := cluster.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	input, alive, err := os.Pipe()
	if err != nil {
		return "", nil, err
	}
	defer input.Close()
	supervisor := exec.Command("/bin/sh", "-c", supervise, "sh", dir, server)
	supervisor.Stdin, supervisor.Dir = input, dir
	// A group of its own: an interrupt from the terminal is for us, and we stop the server when we are done with it.
	supervisor.SysProcAttr = &syscall.SysProcAttr{Credential: identity, Setpgid: true}
	if err := supervisor.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		alive.Close()
		_ = supervisor.Wait() // it ends as the server does, and that was told to
	}
	address = "postgres://muster@/postgres?host=" + dir
	if err := waitForServer(ctx, address, filepath.Join(dir, "server.log")); err != nil {
		stop()
		return "", nil, err
	}
	return address, stop, nil
}

func waitForServer(ctx context.Context, address, log string) error {
	db, err := sql.Open("pgx", address)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			said, _ := os.ReadFile(log)
			return fmt.Errorf("the private PostgreSQL server did not start: %w\n%s", err, said)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// serverBinary finds a program of the server's in PATH or where Debian keeps them, the newest version first.
func serverBinary(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return "", fmt.Errorf("%s is neither in PATH nor in /usr/lib/postgresql", name)
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	return slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }), nil
}

// serverIdentity gives the directory to a user that may run the server, which refuses to run as root. nil is ourselves.
func serverIdentity(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, int(uid), int(gid))
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody; name a server with --postgres")
}

func syncDisks() { syscall.Sync() }
