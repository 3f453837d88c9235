package blob_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"muster/internal/blob"
	"muster/internal/blob/blobtest"
	"muster/internal/fault"
)

func TestParseS3(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"s3://bucket":        "{bucket:bucket prefix: host:s3.us-east-1.amazonaws.com secure:true region:us-east-1 where:s3://bucket}",
		"s3://bucket/":       "{bucket:bucket prefix: host:s3.us-east-1.amazonaws.com secure:true region:us-east-1 where:s3://bucket}",
		"s3://bucket/a/b/":   "{bucket:bucket prefix:a/b/ host:s3.us-east-1.amazonaws.com secure:true region:us-east-1 where:s3://bucket/a/b}",
		"s3://b?region=eu-1": "{bucket:b prefix: host:s3.eu-1.amazonaws.com secure:true region:eu-1 where:s3://b}",
		"s3://b/p?endpoint=http://minio:9000&region=x": "{bucket:b prefix:p/ host:minio:9000 secure:false region:x where:s3://b/p}",
		"s3://b?endpoint=https%3A%2F%2Fs3.example.com": "{bucket:b prefix: host:s3.example.com secure:true region:us-east-1 where:s3://b}",
		"https://bucket":             "does not begin with s3://",
		"s3:":                        "names no bucket",
		"s3://:9000/bucket":          "names no bucket",
		"s3://key:secret@bucket":     "has a key in it",
		"s3://b?endpoint=minio":      "has an endpoint that is no address",
		"s3://b?endpoint=http://h/x": "has an endpoint that is no address",
		"s3://b?key=secret":          "has key, which is neither",
		"s3://b\x7f":                 "does not begin",
	} {
		a, err := blob.ParseS3(address)
		got := fmt.Sprintf("%+v", a)
		if err != nil {
			got = err.Error()
			if fault.KindOf(err) != fault.Invalid || strings.Contains(got, "secret@") || !strings.Contains(got, "give s3://") {
				t.Errorf("%s: %v", address, err)
			}
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s is %s, want %s", address, got, want)
		}
	}
	a, err := blob.ParseS3("s3://bucket")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blob.NewS3(a, func(string) string { return "" }); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "AWS_SECRET_ACCESS_KEY") {
		t.Errorf("without a key: %v", err)
	}
}

// What is wrong with the store is said so that somebody can mend it, and a batch waits for that; a key is in no message.
func TestS3Refuses(t *testing.T) {
	t.Parallel()
	refuse := func(status int, code string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(status)
			if r.Method != http.MethodHead {
				fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
			}
			return true
		}
	}
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request) bool
		want   string
	}{
		{"wrong key", refuse(403, "InvalidAccessKeyId"), "refuses Muster's key; check AWS_ACCESS_KEY_ID"},
		{"wrong secret", refuse(403, "SignatureDoesNotMatch"), "refuses Muster's key"},
		{"no right", refuse(403, "AccessDenied"), "refuses Muster's key"},
		{"no bucket", refuse(404, "NoSuchBucket"), "there is no bucket muster at 127.0.0.1"},
		{"full", refuse(507, "XMinioStorageFull"), "cannot be reached"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := blobtest.NewServer(t)
			s := server.Store(t)
			hash := put(t, s, "there")
			server.Answer(c.answer)
			for name, err := range everyCall(s, hash) {
				if fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), "key-secret") {
					t.Errorf("%s: %v", name, err)
				}
				if !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: %v, want %s", name, err, c.want)
				}
			}
		})
	}
}

// everyCall makes each call once.
func everyCall(s *blob.S3, hash string) map[string]error {
	ctx := context.Background()
	_, _, put := s.Put(ctx, strings.NewReader("x"), 10)
	_, _, large := s.Put(ctx, strings.NewReader(random(9<<20)), 1<<30)
	_, all := s.PutAll(ctx, [][]byte{[]byte("x"), []byte("y")})
	_, open := s.Open(ctx, hash)
	_, sweep := s.Sweep(ctx, time.Now(), keeping())
	return map[string]error{"put": put, "put large": large, "put all": all, "open": open, "sweep": sweep, "check": s.Check(ctx)}
}

// A network that fails is Unavailable in every call, and nothing but that: when it is back, an open file reads on.
func TestS3Away(t *testing.T) {
	t.Parallel()
	server := blobtest.NewServer(t)
	s := server.Store(t)
	content := random(5 << 20)
	hash := put(t, s, content)
	f, err := s.Open(context.Background(), hash)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	server.Away()
	for name, err := range everyCall(s, hash) {
		if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "the store s3://muster/kept/here cannot be reached") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.ReadAt(make([]byte, 10), 3<<20); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("read: %v", err)
	}
	server.Answer(nil)
	if err := s.Check(context.Background()); err != nil {
		t.Error(err)
	}
	p := make([]byte, len(content))
	if _, err := io.ReadFull(f, p); err != nil || string(p) != content {
		t.Errorf("when it is back: %v", err)
	}
}

// An answer that breaks off in its middle is asked for again.
func TestS3BrokenAnswer(t *testing.T) {
	t.Parallel()
	server := blobtest.NewServer(t)
	s := server.Store(t)
	content := random(2<<20 + 5)
	hash := put(t, s, content)
	broken := make(chan bool, 2)
	broken <- true
	broken <- true
	server.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || r.Header.Get("Range") == "" {
			return false
		}
		select {
		case <-broken:
		default:
			return false
		}
		w.Header().Set("Content-Length", "1048576")
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		w.Header().Set("ETag", `"x"`)
		w.WriteHeader(http.StatusPartialContent)
		w.Write([]byte("only this"))
		panic(http.ErrAbortHandler)
	})
	if read(t, s, hash) != content {
		t.Error("it is something else")
	}
	if len(broken) != 0 {
		t.Error("nothing was broken")
	}
}

// Who reads on asks for each block once, and ahead; who reads near by asks for nothing.
func TestS3ReadsInBlocks(t *testing.T) {
	t.Parallel()
	server := blobtest.NewServer(t)
	s := server.Store(t)
	content := random(20 << 20)
	f, err := s.Open(context.Background(), put(t, s, content))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	before := server.Requests()
	p := make([]byte, 4096)
	for range 100 {
		if _, err := io.ReadFull(f, p); err != nil {
			t.Fatal(err)
		}
	}
	if n := server.Requests() - before; n != 0 {
		t.Errorf("%d requests for the first 400 KiB, after one to open it", n)
	}
	if _, err := io.Copy(io.Discard, f); err != nil {
		t.Fatal(err)
	}
	if n := server.Requests() - before; n != 19 {
		t.Errorf("%d requests for 20 MiB", n)
	}
}

// Objects of others in the same bucket stay, whatever they are called; parts of an upload that broke off go after a day.
func TestS3SweepsOnlyItsOwn(t *testing.T) {
	t.Parallel()
	server := blobtest.NewServer(t)
	s := server.Store(t)
	client, err := minio.New(server.Address[strings.Index(server.Address, "http://")+7:], &minio.Options{Creds: credentials.NewStaticV4("a", "b", ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	theirs := []string{hashOf("theirs"), "kept/here/" + hashOf("flat"), "kept/here/readme.txt", "kept/hereafter", "leaving/" + hashOf("theirs")}
	for _, key := range append(theirs, "kept/here/incoming/broken-off") {
		if _, err := client.PutObject(ctx, blobtest.Bucket, key, strings.NewReader("x"), 1, minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	core := minio.Core{Client: client}
	if _, err := core.NewMultipartUpload(ctx, blobtest.Bucket, "kept/here/incoming/parts", minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	parts := func() int {
		all, err := core.ListMultipartUploads(ctx, blobtest.Bucket, "", "", "", "", 100)
		if err != nil {
			t.Fatal(err)
		}
		return len(all.Uploads)
	}
	for _, step := range []struct{ hours, parts int }{{2, 1}, {23, 1}, {25, 0}} {
		server.Advance(time.Duration(step.hours) * time.Hour)
		if _, err := s.Sweep(ctx, server.Now(), keeping()); err != nil || parts() != step.parts {
			t.Errorf("after %d hours: %d uploads in parts, %v", step.hours, parts(), err)
		}
	}
	names := server.Keys(t)
	want := []string{hashOf("theirs"), hashOf("flat"), "readme.txt", "kept/hereafter", "leaving/" + hashOf("theirs")}
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("left %q, want %q", names, want)
	}
}
