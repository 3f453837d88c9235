package auth

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"muster/internal/sqldb"
)

// That a session is used is written once a minute, which is as exact as its idle lifetime needs to be, and never in the
// way of a request: on SQLite a write waits for an import's chunk, and makes the import end that chunk early. So the
// sessions used are gathered and written together, one statement for all of them every touchPause.
const (
	touchEvery = time.Minute
	touchPause = 15 * time.Second
	// touchPatience bounds one write.
	touchPatience = 10 * time.Second
)

// touches are the uses of sessions that are not written yet, by the session's id, in microseconds.
type touches struct {
	mu      sync.Mutex
	waiting map[int64]int64
	writing map[int64]int64 // what the write under way writes
	timer   *time.Timer     // set while something waits
	closed  bool
	busy    sync.Mutex // held by who writes
}

func (t *touches) init() { t.waiting = map[int64]int64{} }

// last is when the session was used as far as this process knows better than the database; 0 when it does not.
func (t *touches) last(id int64) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(t.waiting[id], t.writing[id])
}

// touch notes that the session is used now, unless that was written or noted within the last minute.
func (s *Service) touch(r sessionRow, now int64) {
	if now-r.SeenAt < touchEvery.Microseconds() {
		return
	}
	t := &s.touches
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.waiting[r.ID] = now
	if t.timer == nil {
		t.timer = time.AfterFunc(touchPause, func() {
			ctx, cancel := context.WithTimeout(context.Background(), touchPatience)
			defer cancel()
			if err := s.Flush(ctx); err != nil {
				// The next use of the session notes it again.
				s.Log.Warn("the use of sessions could not be written", "error", err)
			}
		})
	}
}

// Flush writes which sessions were used. It happens by itself every 15 seconds where there is something to write.
func (s *Service) Flush(ctx context.Context) error {
	t := &s.touches
	t.busy.Lock()
	defer t.busy.Unlock()
	t.mu.Lock()
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
	t.writing, t.waiting = t.waiting, map[int64]int64{}
	writing := t.writing
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		t.writing = nil
		t.mu.Unlock()
	}()
	if len(writing) == 0 {
		return nil
	}
	var ids []string
	var latest int64
	for id, at := range writing {
		ids = append(ids, strconv.FormatInt(id, 10))
		latest = max(latest, at)
	}
	db := s.Directory.DB
	return db.Tx(ctx, func(tx *sqldb.Tx) error {
		// One time for all: they lie within the pause.
		_, err := tx.ExecContext(ctx, fmt.Sprintf("UPDATE sessions SET seen_at = $2 WHERE seen_at < $2 AND id IN (SELECT CAST(k.key AS BIGINT) FROM %s AS k)", db.Keys),
			db.KeySet(ids), latest)
		return err
	})
}

// Close writes what is to be written; nothing is written by itself after it.
func (s *Service) Close(ctx context.Context) error {
	s.touches.mu.Lock()
	s.touches.closed = true
	s.touches.mu.Unlock()
	return s.Flush(ctx)
}
