//go:build unix

package sqldb

import (
	"os"
	"sync"
	"syscall"
)

// writeQueue makes writers that wait visible to the one who writes, in whatever process they are: who waits holds
// a shared lock on a file beside the database, and who writes looks whether an exclusive one could be had.
type writeQueue struct {
	path string
	mu   sync.Mutex
	look *os.File
}

func newWriteQueue(path string) (*writeQueue, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &writeQueue{path: path, look: f}, nil
}

func (q *writeQueue) close() error { return q.look.Close() }

// enter joins those who wait; the function returned leaves them.
func (q *writeQueue) enter() (leave func(), err error) {
	f, err := os.OpenFile(q.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

func (q *writeQueue) waiting() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if syscall.Flock(int(q.look.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return true
	}
	_ = syscall.Flock(int(q.look.Fd()), syscall.LOCK_UN)
	return false
}

// lockFile waits for an exclusive lock on path and returns what releases it.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}
