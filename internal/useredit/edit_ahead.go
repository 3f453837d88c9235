package useredit

import (
	"context"
	"iter"
	"sync"
)

// lookedAhead is how many blocks are looked at side by side: a machine has two processors at least, and the engine one that
// waits.
const lookedAhead = 3

// looked is a block, and what was found of it.
type looked[T any] struct {
	userBlock
	found T
}

// lookAhead yields the blocks with what look finds of each, in their order. It looks at some of them side by side.
func lookAhead[T any](ctx context.Context, blocks iter.Seq2[userBlock, error], look func(context.Context, *userBlock) (T, error)) iter.Seq2[looked[T], error] {
	type result struct {
		looked[T]
		err error
	}
	return func(yield func(looked[T], error) bool) {
		var under sync.WaitGroup
		defer under.Wait()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		next, stop := iter.Pull2(blocks)
		defer stop()
		var queue []chan result
		for open := true; ; queue = queue[1:] {
			for open && len(queue) < lookedAhead {
				b, err, more := next()
				if open = more && err == nil; !more {
					break
				}
				at := make(chan result, 1)
				queue = append(queue, at)
				if err != nil {
					at <- result{err: err}
					break
				}
				under.Go(func() {
					found, err := look(ctx, &b)
					at <- result{looked[T]{b, found}, err}
				})
			}
			if len(queue) == 0 {
				return
			}
			if r := <-queue[0]; !yield(r.looked, r.err) || r.err != nil {
				return
			}
		}
	}
}
