package userimport

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/extsort"
)

// say keeps an entry for the report. What several steps say of one row is put together, in the order of the steps.
func (s *staging) say(w *extsort.Writer, step uint64, e batch.Entry) error {
	payload, err := json.Marshal(&e)
	if err != nil {
		return err
	}
	key := binary.BigEndian.AppendUint64(nil, uint64(e.File)<<40|uint64(e.Row))
	return w.Add(extsort.Record{Key: key, Number: step, Payload: payload})
}

// said yields the entries in the order of file and row, one for each row.
func (s *staging) said() iter.Seq2[batch.Entry, error] {
	return func(yield func(batch.Entry, error) bool) {
		it, err := s.entries.Sorted()
		if err != nil {
			yield(batch.Entry{}, err)
			return
		}
		var pending *batch.Entry
		for {
			rec, ok, err := it.Next()
			if err != nil {
				yield(batch.Entry{}, err)
				return
			}
			var e batch.Entry
			if ok {
				if err := json.Unmarshal(rec.Payload, &e); err != nil {
					yield(e, fmt.Errorf("read a scratch file: %w", err))
					return
				}
				if pending != nil && pending.File == e.File && pending.Row == e.Row {
					pending.Problems = append(pending.Problems, e.Problems...)
					if e.Outcome != directory.Inserted {
						pending.Outcome = e.Outcome
					}
					if e.Was != "" {
						pending.Was = e.Was
					}
					continue
				}
			}
			if pending != nil && !yield(*pending, nil) {
				return
			}
			if !ok {
				return
			}
			pending = &e
		}
	}
}

// report writes what there is to say of each row, and the counts.
func (im *importing) report(ctx context.Context) error {
	im.entryWriter.Close()
	name := batch.ResultReport
	if im.run.Batch.State == batch.Checking && im.options.Preview {
		name = batch.PreviewReport
	}
	if err := im.writeReport(ctx, name); err != nil {
		return err
	}
	return im.run.StoreCounts(ctx, im.counts)
}

func (im *importing) writeReport(ctx context.Context, name string) error {
	entries := im.said()
	if name == batch.ResultReport {
		previewed, err := im.run.HasPreview(ctx)
		if err != nil {
			return err
		}
		if im.options.Preview && (previewed || im.run.Batch.State == batch.Applying) {
			entries = im.compared(entries, im.run.Previewed(ctx))
		}
	}
	return im.run.WriteReport(ctx, name, entries)
}

// compared marks the rows that come out differently from what the preview said, because the directory changed in
// between. A row that a report does not have was to be inserted, or was, without a word.
func (im *importing) compared(now, before iter.Seq2[batch.Entry, error]) iter.Seq2[batch.Entry, error] {
	return func(yield func(batch.Entry, error) bool) {
		next, stop := iter.Pull2(before)
		defer stop()
		old, err, more := next()
		// gone yields the rows before place of which the preview said that they would not be inserted.
		gone := func(file int, row int64) bool {
			for more && err == nil && (old.File < file || old.File == file && old.Row < row) {
				if old.Outcome != directory.Inserted && old.File == im.files.users.index {
					e := batch.Entry{File: old.File, Row: old.Row, LANID: old.LANID, Outcome: directory.Inserted, Was: old.Outcome}
					if !yield(e, nil) {
						return false
					}
				}
				old, err, more = next()
			}
			return true
		}
		for e, failure := range now {
			if failure != nil || err != nil {
				yield(e, firstOf(failure, err))
				return
			}
			if !gone(e.File, e.Row) {
				return
			}
			was := directory.Inserted
			if more && old.File == e.File && old.Row == e.Row {
				was = old.Outcome
				old, err, more = next()
			}
			if was != e.Outcome && e.Was == "" && e.File == im.files.users.index && e.Outcome != directory.NotApplied {
				e.Was = was
			}
			if !yield(e, nil) {
				return
			}
		}
		if gone(1<<20, 0) && err != nil {
			yield(batch.Entry{}, err)
		}
	}
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
