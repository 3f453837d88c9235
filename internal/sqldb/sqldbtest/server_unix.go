//go:build unix

package sqldbtest

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

// supervise runs the server until its standard input ends, which it does when the test binary does, however that
// comes about; then it stops the server and clears up. $1 is the directory, $2 the server's binary.
//
// Neither memory nor a commit waits for the disk: nothing here outlives the tests. The collation is not that of the
// bytes, as it is not on most people's servers, so that a statement that counts on that order is found out.
const supervise = `
cd "$1" || exit 1
"$2" -D data -k "$1" -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
	-c max_connections=300 -c shared_buffers=64MB -c autovacuum_naptime=10s >server.log 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -INT $server 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9 10; do
	kill -0 $server 2>/dev/null || break
	sleep 0.2
done
kill -QUIT $server 2>/dev/null
wait $server
cd / && rm -rf "$1"
`

// alive is the other end of the supervisor's standard input. Nobody writes to it; it must not be collected.
//
//lint:ignore U1000 to be held is all that it is for
var alive *os.File

// startServer makes a cluster in a temporary directory and starts a server that listens on a socket there.
func startServer() (string, error) {
	initdb, err := binary("initdb")
	if err != nil {
		return "", err
	}
	server, err := binary("postgres")
	if err != nil {
		return "", err
	}
	dir, err := serverDir()
	if err != nil {
		return "", err
	}
	identity, err := ownIdentity(dir)
	if err != nil {
		return "", err
	}
	if err := makeCluster(initdb, dir, identity); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	if err := startSupervisor(server, dir, identity); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	url := fmt.Sprintf("postgres://muster@/postgres?host=%s", dir)
	return url, waitFor(url, filepath.Join(dir, "server.log"))
}

// binary finds a program of the server's in PATH or where Debian keeps them, the newest version first.
func binary(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return "", fmt.Errorf("%s is neither in PATH nor in /usr/lib/postgresql", name)
	}
	return slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }), nil
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// serverDir makes a directory whose name is short: a socket's path has 107 bytes at most.
func serverDir() (string, error) {
	parent := os.TempDir()
	if len(parent) > 60 {
		parent = "/tmp"
	}
	return os.MkdirTemp(parent, "muster-pg-")
}

// ownIdentity gives the directory to a user that may run the server: it refuses to run as root. nil is the user who
// runs the tests.
func ownIdentity(dir string) (*syscall.Credential, error) {
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
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

func makeCluster(initdb, dir string, identity *syscall.Credential) error {
	args := []string{"-D", filepath.Join(dir, "data"), "-U", "muster", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"}
	try := func(more ...string) ([]byte, error) {
		cmd := exec.Command(initdb, append(slices.Clone(args), more...)...)
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: identity}
		return cmd.CombinedOutput()
	}
	if _, err := try("--locale-provider=icu", "--icu-locale=en-US"); err == nil {
		return nil
	}
	// A server built without ICU sorts by bytes.
	if out, err := try(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func startSupervisor(server, dir string, identity *syscall.Credential) error {
	input, output, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd := exec.Command("/bin/sh", "-c", supervise, "sh", dir, server)
	cmd.Stdin = input
	cmd.Dir = dir
	// A group of its own: an interrupt from the terminal is for the tests, and the server ends after them.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: identity, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	alive = output
	return input.Close()
}

// waitFor returns when the server answers.
func waitFor(url, log string) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		if ctx.Err() != nil {
			said, _ := os.ReadFile(log)
			return fmt.Errorf("the private PostgreSQL server did not start: %w\n%s", err, said)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
