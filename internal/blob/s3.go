package blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"muster/internal/fault"
)

// S3 is a store in a bucket of an S3-compatible service, behind the prefix laid out as [Disk] is, so that the one can be
// copied to the other: an object per blob, named by its SHA-256. What a sweep sets aside is below leaving/, and what is
// only arriving below incoming/. Nothing else in the bucket is touched.
type S3 struct {
	client *minio.Client
	bucket string
	prefix string // ends with a slash, or is empty
	where  string // as people gave it, without the credentials
}

const (
	s3Leaving  = leaving + "/"
	s3Incoming = "incoming/"

	// inMemory is up to where an upload is gathered and sent at once; only of a larger one is the hash found out on the
	// way. It is well above a picture.
	inMemory = 8 << 20
	// partSize is what a larger upload is sent in: 10,000 parts, the most that S3 takes, are 160 GB. partsAtOnce of them
	// are in memory.
	partSize    = 16 << 20
	partsAtOnce = 2
	// mostOfCopy is the largest object that S3 copies in one request: 5 GiB.
	mostOfCopy = 5 << 30
	// puttersOfS3 is how many of many small blobs are on their way at once: what counts is the way there and back.
	puttersOfS3 = 16
	// triesOfS3 bounds how often a request is made again; beyond, whoever asked decides.
	triesOfS3 = 3
)

// newS3 makes a store of what an address says; see [ParseS3].
func newS3(a Address, keyID, secret, token string) (*S3, error) {
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: time.Minute,
		MaxIdleConnsPerHost:   2 * puttersOfS3,
		IdleConnTimeout:       time.Minute,
		DisableCompression:    true,
	}
	client, err := minio.New(a.host, &minio.Options{Creds: credentials.NewStaticV4(keyID, secret, token), Secure: a.secure, Region: a.region,
		Transport: transport, MaxRetries: triesOfS3})
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s is no address of a store; give s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION", a.where)
	}
	return &S3{client: client, bucket: a.bucket, prefix: a.prefix, where: a.where}, nil
}

// Check makes sure that the bucket is there and may be read.
func (s *S3) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for o := range s.client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix, MaxKeys: 1}) {
		return s.explain(o.Err)
	}
	return nil
}

// explain says what people can do about an error of the store's, and of which kind it is.
func (s *S3) explain(err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	switch minio.ToErrorResponse(err).Code {
	case "NoSuchBucket":
		return fault.Wrap(fault.Unavailable, err, "there is no bucket %s at %s; make it, or correct --blobs", s.bucket, s.client.EndpointURL().Host)
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "InvalidToken", "ExpiredToken", "AuthorizationHeaderMalformed":
		return fault.Wrap(fault.Unavailable, err, "%s refuses Muster's key; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the region, and that the key may list, read, write and delete there", s.where)
	}
	return fault.Wrap(fault.Unavailable, err, "the store %s cannot be reached; check the network and its endpoint", s.where)
}

func notThere(err error) bool { return minio.ToErrorResponse(err).Code == "NoSuchKey" }

// key is the object of a blob.
func (s *S3) key(hash string) string { return s.prefix + hash[:2] + "/" + hash }

// aside is the object of a blob after a sweep has set it aside.
func (s *S3) aside(hash string) string { return s.prefix + s3Leaving + "-" + hash }

// Put implements [Store]. The hash is the object's name, and known only at the end: what is too large to be gathered in
// memory is sent under a name of its own, in parts while it arrives, and then copied by the store itself. Nothing goes
// through a disk of this machine, which may have little room, and nobody waits for a second journey.
func (s *S3) Put(ctx context.Context, r io.Reader, limit int64) (string, int64, error) {
	in := &arriving{ctx: ctx, r: r, limit: limit, sum: sha256.New()}
	var first bytes.Buffer
	switch _, err := io.CopyN(&first, in, inMemory+1); {
	case err == nil:
		return s.putLarge(ctx, in, io.MultiReader(&first, in))
	case err != io.EOF:
		return "", 0, in.explain(s, err)
	}
	if err := s.putSmall(ctx, in.hash(), first.Bytes()); err != nil {
		return "", 0, err
	}
	return in.hash(), in.size, nil
}

// arriving is what somebody uploads; it remembers what went wrong with that, as opposed to the store.
type arriving struct {
	ctx   context.Context
	r     io.Reader
	limit int64
	sum   hash.Hash
	size  int64
	err   error
}

func (a *arriving) Read(p []byte) (int, error) {
	if a.err = a.ctx.Err(); a.err != nil {
		return 0, a.err
	}
	n, err := a.r.Read(p)
	a.sum.Write(p[:n])
	if a.size += int64(n); a.size > a.limit {
		err = tooLarge(a.limit)
	}
	if err != nil && err != io.EOF {
		a.err = err
	}
	return n, err
}

func (a *arriving) hash() string { return hex.EncodeToString(a.sum.Sum(nil)) }

func (a *arriving) explain(s *S3, err error) error {
	switch {
	case fault.KindOf(a.err) == fault.TooLarge:
		return a.err
	case a.err != nil:
		return fault.Wrap(fault.Unavailable, a.err, "the upload cannot be stored in %s", s.where)
	}
	return s.explain(err)
}

// putSmall stores a blob under its name, also where it is there already: that makes it young again.
func (s *S3) putSmall(ctx context.Context, hash string, content []byte) error {
	_, err := s.client.PutObject(ctx, s.bucket, s.key(hash), bytes.NewReader(content), int64(len(content)), sending(minio.PutObjectOptions{DisableMultipart: true}))
	return s.explain(err)
}

// sending lets the store find out what was damaged on its way, by an MD5 in front. The other way, signatures between
// pieces of the content, not every store can read.
func sending(o minio.PutObjectOptions) minio.PutObjectOptions {
	o.SendContentMd5, o.DisableContentSha256 = true, true
	return o
}

func (s *S3) putLarge(ctx context.Context, in *arriving, r io.Reader) (string, int64, error) {
	key := s.prefix + s3Incoming + rand.Text()
	_, err := s.client.PutObject(ctx, s.bucket, key, r, -1, sending(minio.PutObjectOptions{PartSize: partSize, ConcurrentStreamParts: true, NumThreads: partsAtOnce}))
	// The context may be what ended it.
	defer s.client.RemoveObject(context.WithoutCancel(ctx), s.bucket, key, minio.RemoveObjectOptions{})
	if err != nil || in.err != nil {
		return "", 0, in.explain(s, err)
	}
	if err := s.copy(ctx, s.key(in.hash()), key, in.size); err != nil {
		return "", 0, s.explain(err)
	}
	return in.hash(), in.size, nil
}

// copy makes an object of another, inside the store.
func (s *S3) copy(ctx context.Context, to, from string, size int64) error {
	dst, src := minio.CopyDestOptions{Bucket: s.bucket, Object: to}, minio.CopySrcOptions{Bucket: s.bucket, Object: from}
	var err error
	if size > mostOfCopy {
		_, err = s.client.ComposeObject(ctx, dst, src)
	} else {
		_, err = s.client.CopyObject(ctx, dst, src)
	}
	return err
}

// PutAll implements [Store].
func (s *S3) PutAll(ctx context.Context, contents [][]byte) ([]string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	hashes, sent := make([]string, len(contents)), map[string]bool{}
	var all sync.WaitGroup
	places := make(chan struct{}, puttersOfS3)
	for i, content := range contents {
		hash := hashOf(content)
		if hashes[i] = hash; sent[hash] {
			continue
		}
		sent[hash] = true
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			if err := errors.Join(context.Cause(ctx), s.putUnlessOver(ctx, hash, content)); err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, s.explain(err)
	}
	return hashes, nil
}

func (s *S3) putUnlessOver(ctx context.Context, hash string, content []byte) error {
	if ctx.Err() != nil {
		return nil
	}
	return s.putSmall(ctx, hash, content)
}

// Open implements [Store]. What a sweep has set aside comes back: somebody wants it.
func (s *S3) Open(ctx context.Context, hash string) (*File, error) {
	if !isHash(hash) {
		return nil, s.noSuch(hash)
	}
	f, err := s.ranged(ctx, hash)
	if notThere(err) {
		if err := s.bringBack(ctx, hash); err != nil {
			return nil, s.explain(err)
		}
		f, err = s.ranged(ctx, hash)
	}
	switch {
	case notThere(err):
		return nil, s.noSuch(hash)
	case err != nil:
		return nil, s.explain(err)
	}
	return &File{content: f, Size: f.size}, nil
}

func (s *S3) noSuch(hash string) error {
	return fault.New(fault.NotFound, "the stored file %.12s… is not in %s; was it put there with another --blobs?", hash, s.where)
}
