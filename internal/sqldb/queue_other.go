//go:build !unix

package sqldb

import "sync/atomic"

// writeQueue sees only the writers of this process where the system has no flock.
type writeQueue struct{ n atomic.Int32 }

func newWriteQueue(string) (*writeQueue, error) { return &writeQueue{}, nil }

func (q *writeQueue) close() error { return nil }

func (q *writeQueue) enter() (leave func(), err error) {
	q.n.Add(1)
	return func() { q.n.Add(-1) }, nil
}

func (q *writeQueue) waiting() bool { return q.n.Load() > 0 }

// lockFile does not lock where the system has no flock: start one Muster at a time there after an upgrade.
func lockFile(string) (unlock func(), err error) { return func() {}, nil }
