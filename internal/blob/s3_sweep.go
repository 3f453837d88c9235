package blob

import (
	"context"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// brokenOff is the age at which an upload in parts that did not end is taken for one that never will.
const brokenOff = 24 * time.Hour

// Sweep implements [Store].
func (s *S3) Sweep(ctx context.Context, now time.Time, keep Keep) (removed int, err error) {
	ctx, cancel := context.WithCancel(ctx) // ends the listing
	defer cancel()
	w := sweeping{ctx: ctx, now: now, keep: keep,
		setAside:  func(hash string) error { return s.explain(s.setAside(ctx, hash)) },
		bringBack: func(hash string) error { return s.explain(s.bringBack(ctx, hash)) },
		remove:    func(hash string) error { return s.explain(s.remove(ctx, s.aside(hash))) },
		asideSince: func(hash string) (time.Time, error) {
			o, err := s.client.StatObject(ctx, s.bucket, s.aside(hash), minio.StatObjectOptions{})
			if notThere(err) {
				return now, nil
			}
			return o.LastModified, s.explain(err)
		}}
	for o := range s.client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix, Recursive: true}) {
		if o.Err != nil {
			return w.removed, s.explain(o.Err)
		}
		if err := s.sweepOne(&w, o); err != nil {
			return w.removed, err
		}
	}
	if err := ctx.Err(); err != nil {
		return w.removed, s.explain(err)
	}
	if _, err := w.end(nil); err != nil {
		return w.removed, err
	}
	return w.removed, s.abandon(ctx, now)
}

func (s *S3) sweepOne(w *sweeping, o minio.ObjectInfo) error {
	name := strings.TrimPrefix(o.Key, s.prefix)
	left, aside := strings.CutPrefix(name, s3Leaving+"-")
	hash := name[strings.LastIndexByte(name, '/')+1:]
	switch {
	case !w.old(o.LastModified):
		return nil
	case isHash(hash) && o.Key == s.key(hash):
		return w.present(hash)
	case aside && isHash(left):
		return w.leaving(left)
	case strings.HasPrefix(name, s3Incoming):
		w.removed++
		return s.explain(s.remove(w.ctx, o.Key))
	}
	return nil // somebody else's
}

// setAside moves a blob. The copy is young: from now on it has its hour.
func (s *S3) setAside(ctx context.Context, hash string) error {
	return s.move(ctx, s.aside(hash), s.key(hash))
}

func (s *S3) bringBack(ctx context.Context, hash string) error {
	return s.move(ctx, s.key(hash), s.aside(hash))
}

// move passes over that somebody else was quicker.
func (s *S3) move(ctx context.Context, to, from string) error {
	info, err := s.client.StatObject(ctx, s.bucket, from, minio.StatObjectOptions{})
	if err == nil {
		err = s.copy(ctx, to, from, info.Size)
	}
	if notThere(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.remove(ctx, from)
}

func (s *S3) remove(ctx context.Context, key string) error {
	return s.client.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{})
}

// abandon removes the parts of uploads that broke off: they cost room, and no listing shows them.
func (s *S3) abandon(ctx context.Context, now time.Time) error {
	for u := range s.client.ListIncompleteUploads(ctx, s.bucket, s.prefix+s3Incoming, true) {
		if minio.ToErrorResponse(u.Err).Code == "NoSuchUpload" {
			return nil // so some stores say that there is none
		}
		if u.Err != nil {
			return s.explain(u.Err)
		}
		if now.Sub(u.Initiated) < brokenOff {
			continue
		}
		if err := s.client.RemoveIncompleteUpload(ctx, s.bucket, u.Key); err != nil {
			return s.explain(err)
		}
	}
	return nil
}
