package blob

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Sweep implements [Store].
func (d *Disk) Sweep(ctx context.Context, now time.Time, keep Keep) (removed int, err error) {
	s := sweeping{ctx: ctx, now: now, keep: keep, bringBack: d.bringBack, setAside: func(hash string) error { return d.setAside(hash, now) }}
	s.asideSince = func(hash string) (time.Time, error) {
		info, err := os.Stat(d.aside(hash))
		if err != nil {
			return now, gone(err)
		}
		return info.ModTime(), nil
	}
	s.remove = func(hash string) error { return gone(os.Remove(d.aside(hash))) }
	err = filepath.WalkDir(d.Dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && entry.IsDir() && path != d.Dir && len(entry.Name()) != 2 && entry.Name() != leaving {
			return fs.SkipDir // somebody else's, such as the lost+found of a volume, which may not be read
		}
		if err != nil || entry.IsDir() {
			return errors.Join(err, ctx.Err())
		}
		info, err := entry.Info()
		if err != nil {
			return gone(err)
		}
		switch hash, aside := strings.CutPrefix(entry.Name(), "-"); {
		case !s.old(info.ModTime()):
			return nil
		case isHash(hash) && aside:
			return s.leaving(hash)
		case isHash(hash):
			return s.present(hash)
		case strings.HasPrefix(hash, incoming):
			s.removed++ // an upload that broke off
			return gone(os.Remove(path))
		}
		return nil // somebody else's
	})
	return s.end(err)
}

// gone passes over that somebody else was quicker.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (d *Disk) setAside(hash string, now time.Time) error {
	if err := os.MkdirAll(filepath.Join(d.Dir, leaving), 0o700); err != nil {
		return err
	}
	// From now on it has its hour there.
	if err := os.Chtimes(d.path(hash), now, now); err != nil {
		return gone(err)
	}
	return gone(os.Rename(d.path(hash), d.aside(hash)))
}

func (d *Disk) bringBack(hash string) error {
	return gone(os.Rename(d.aside(hash), d.path(hash)))
}

func isHash(name string) bool {
	return len(name) == 64 && strings.Trim(name, "0123456789abcdef") == ""
}

// sweeping is a sweep under way: it gathers blobs that are not young and asks about many at once.
type sweeping struct {
	ctx  context.Context
	now  time.Time
	keep Keep
	// asideSince is when a blob was set aside; now, where that is not so any more.
	asideSince                  func(hash string) (time.Time, error)
	setAside, bringBack, remove func(hash string) error

	here, aside []string
	removed     int
}

func (s *sweeping) old(t time.Time) bool { return s.now.Sub(t) >= Young }

// present is a blob that is not young.
func (s *sweeping) present(hash string) error {
	if s.here = append(s.here, hash); len(s.here) < keepBlock {
		return nil
	}
	return s.settleHere()
}

// leaving is a blob that was set aside an hour ago or more.
func (s *sweeping) leaving(hash string) error {
	if s.aside = append(s.aside, hash); len(s.aside) < keepBlock {
		return nil
	}
	return s.settleAside()
}

// end does what is left to do, unless the listing failed.
func (s *sweeping) end(err error) (int, error) {
	if err == nil {
		err = errors.Join(s.settleHere(), s.settleAside())
	}
	return s.removed, err
}

func (s *sweeping) settleHere() error {
	return s.settle(&s.here, func(string) error { return nil }, s.setAside)
}

func (s *sweeping) settleAside() error {
	return s.settle(&s.aside, s.bringBack, func(hash string) error {
		// It may have been put, and set aside again, since it was listed: then it has its hour anew.
		since, err := s.asideSince(hash)
		if err != nil || !s.old(since) {
			return err
		}
		s.removed++
		return s.remove(hash)
	})
}

func (s *sweeping) settle(hashes *[]string, wantedDo, otherDo func(hash string) error) error {
	all := *hashes
	if *hashes = nil; len(all) == 0 {
		return nil
	}
	wanted, err := s.keep(s.ctx, all)
	if err != nil {
		return err
	}
	for _, hash := range all {
		do := otherDo
		if wanted[hash] {
			do = wantedDo
		}
		if err := errors.Join(s.ctx.Err(), do(hash)); err != nil {
			return err
		}
	}
	return nil
}
