package extsort

// Iterator gives the records in order. It may be made more than once, one after the other or side by side.
type Iterator struct {
	heap    []*cursor
	started bool
}

// Sorted returns an iterator over all records of closed writers.
func (s *Sorter) Sorted() (*Iterator, error) {
	it := &Iterator{}
	for _, r := range s.runs {
		c := r.open()
		ok, err := c.next()
		if err != nil {
			return nil, err
		}
		if ok {
			it.heap = append(it.heap, c)
		}
	}
	for i := len(it.heap)/2 - 1; i >= 0; i-- {
		it.down(i)
	}
	return it, nil
}

// Next moves on and returns the record; ok is false at the end.
func (it *Iterator) Next() (rec Record, ok bool, err error) {
	if it.started && len(it.heap) > 0 {
		more, err := it.heap[0].next()
		if err != nil {
			return Record{}, false, err
		}
		if !more {
			last := len(it.heap) - 1
			it.heap[0] = it.heap[last]
			it.heap = it.heap[:last]
		}
		it.down(0)
	}
	it.started = true
	if len(it.heap) == 0 {
		return Record{}, false, nil
	}
	return it.heap[0].rec, true, nil
}

func (it *Iterator) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(it.heap); child++ {
			if it.heap[child].less(it.heap[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		it.heap[i], it.heap[least] = it.heap[least], it.heap[i]
		i = least
	}
}
