package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
)

const (
	// blockSize is what one request reads. A request takes some 10 ms to a store nearby, and a small picture's entry is
	// less than a tenth of this: most reads of an archive find their block.
	blockSize = 1 << 20
	// blocksKept bounds the memory of an open file, blocks ahead among them: those who read at several places at once
	// must not push each other's blocks out.
	blocksKept = 16
	// blocksAhead are asked for in advance where somebody reads on.
	blocksAhead = 3
	// blockPatience is how long one block may take, with [triesOfS3] tries.
	blockPatience = time.Minute
)

// ranged reads an object in blocks that it keeps for a while. It serves any number of goroutines; Read and Seek are for
// one at a time.
type ranged struct {
	store *S3
	ctx   context.Context
	end   context.CancelFunc
	key   string
	size  int64
	at    int64 // where Read is

	mu     sync.Mutex
	blocks map[int64]*block
	recent []int64 // the blocks, the one used last at the end
}

// block is a part of an object that is there or under way.
type block struct {
	done chan struct{}
	data []byte
	err  error
}

// ranged opens an object by reading its first block: of a picture that is all, in one journey.
func (s *S3) ranged(ctx context.Context, hash string) (*ranged, error) {
	ctx, end := context.WithCancel(ctx)
	f := &ranged{store: s, ctx: ctx, end: end, key: s.key(hash), blocks: map[int64]*block{}}
	var first []byte
	err := f.trying(func(ctx context.Context) (err error) {
		first, f.size, err = f.fetchOnce(ctx, 0, blockSize)
		if err == nil && int64(len(first)) < min(f.size, blockSize) {
			err = io.ErrUnexpectedEOF
		}
		return err
	})
	if err != nil {
		end()
		return nil, err
	}
	b := &block{done: make(chan struct{}), data: first}
	close(b.done)
	f.blocks[0], f.recent = b, []int64{0}
	return f, nil
}

// Close ends what is under way.
func (f *ranged) Close() error {
	f.end()
	return nil
}

func (f *ranged) Read(p []byte) (int, error) {
	if f.at >= f.size {
		return 0, io.EOF
	}
	n, err := f.ReadAt(p[:min(int64(len(p)), blockSize, f.size-f.at)], f.at)
	f.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *ranged) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.size
	}
	if offset < 0 {
		return f.at, errors.New("seek before the beginning")
	}
	f.at = offset
	return offset, nil
}

func (f *ranged) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("read before the beginning")
	}
	for n < len(p) {
		at := off + int64(n)
		if at >= f.size {
			return n, io.EOF
		}
		data, err := f.block(at / blockSize)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], data[at%blockSize:])
	}
	return n, nil
}

// block returns a block's bytes, and asks for the next ones where the one before was read too.
func (f *ranged) block(i int64) ([]byte, error) {
	f.mu.Lock()
	b := f.ask(i)
	if f.blocks[i-1] != nil {
		for next := i + 1; next <= i+blocksAhead && next*blockSize < f.size; next++ {
			f.ask(next)
		}
	}
	f.mu.Unlock()
	select {
	case <-b.done:
		return b.data, b.err
	case <-f.ctx.Done():
		return nil, f.store.explain(f.ctx.Err())
	}
}

// ask begins to read a block unless that is there or under way. f.mu is held.
func (f *ranged) ask(i int64) *block {
	if at := slices.Index(f.recent, i); at >= 0 {
		f.recent = append(slices.Delete(f.recent, at, at+1), i)
		return f.blocks[i]
	}
	if len(f.recent) >= blocksKept {
		delete(f.blocks, f.recent[0])
		f.recent = slices.Delete(f.recent, 0, 1)
	}
	b := &block{done: make(chan struct{})}
	f.blocks[i], f.recent = b, append(f.recent, i)
	go func() {
		defer close(b.done)
		if b.data, b.err = f.fetch(i); b.err != nil {
			f.forget(i, b)
		}
	}()
	return b
}

// forget lets the next who asks try again.
func (f *ranged) forget(i int64, b *block) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.blocks[i] == b {
		delete(f.blocks, i)
		f.recent = slices.DeleteFunc(f.recent, func(r int64) bool { return r == i })
	}
}

func (f *ranged) fetch(i int64) (data []byte, err error) {
	from, to := i*blockSize, min((i+1)*blockSize, f.size)
	err = f.trying(func(ctx context.Context) (err error) {
		data, _, err = f.fetchOnce(ctx, from, to)
		if err == nil && int64(len(data)) < to-from {
			err = io.ErrUnexpectedEOF
		}
		return err
	})
	if err != nil {
		return nil, f.store.explain(fmt.Errorf("read the bytes from %d: %w", from, err))
	}
	return data, nil
}

// trying makes a request again where its answer broke off.
func (f *ranged) trying(once func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(f.ctx, blockPatience)
	defer cancel()
	for range triesOfS3 {
		if err = once(ctx); err == nil || ctx.Err() != nil || minio.ToErrorResponse(err).StatusCode/100 == 4 {
			break
		}
	}
	return err
}

// fetchOnce reads the bytes of a range, fewer where the object ends before; size is the whole object's.
func (f *ranged) fetchOnce(ctx context.Context, from, to int64) (data []byte, size int64, err error) {
	var o minio.GetObjectOptions
	if err := o.SetRange(from, to-1); err != nil {
		return nil, 0, err
	}
	body, info, header, err := (&minio.Core{Client: f.store.client}).GetObject(ctx, f.store.bucket, f.key, o)
	if minio.ToErrorResponse(err).Code == "InvalidRange" {
		return nil, 0, nil // it is empty
	}
	if err != nil {
		return nil, 0, err
	}
	defer body.Close()
	size = info.Size
	_, whole, ranged := strings.Cut(header.Get("Content-Range"), "/")
	if !ranged && from > 0 {
		return nil, 0, errors.New("the answer is not the range that was asked for")
	}
	if ranged {
		if size, err = strconv.ParseInt(whole, 10, 64); err != nil {
			return nil, 0, err
		}
	}
	data, err = io.ReadAll(io.LimitReader(body, to-from))
	return data, size, err
}
