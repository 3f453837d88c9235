package userimport

import (
	"context"
	"encoding/binary"
	"hash/maphash"
	"io"
	"os"
	"slices"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/extsort"
	"muster/internal/sheet"
)

// Rejected says how many rows of each file a spreadsheet of rejected rows holds.
type Rejected struct {
	Users, Channels, Features int64
	NotApplied                int64 // of Users: good rows that a cancelled batch never came to
}

// Any tells whether there is a row at all.
func (r Rejected) Any() bool { return r.Users+r.Channels+r.Features > 0 }

// WriteRejects writes the rows that did not get in as the three files, each in its template's columns and Problems,
// so that they can be imported again once they are mended: the rows of UserDetails, the rows that the other two files
// have for the same users, and those that belong to nobody. Cells are as they stood in the file, trimmed.
func (f *Frozen) WriteRejects(ctx context.Context, cfg *directory.Configuration, users, channels, features io.Writer) (Rejected, error) {
	w := &rejects{Frozen: f, cfg: cfg, seed: maphash.MakeSeed()}
	dir, err := os.MkdirTemp("", "muster-rejects-")
	if err != nil {
		return Rejected{}, err
	}
	defer os.RemoveAll(dir)
	w.said = map[Kind]*extsort.Sorter{ChannelCountDetails: extsort.New(dir, reportSortMemory), FeatureDetails: extsort.New(dir, reportSortMemory)}
	defer w.said[ChannelCountDetails].Close()
	defer w.said[FeatureDetails].Close()
	if err := w.writeUsers(ctx, users); err != nil {
		return w.counts, err
	}
	for _, other := range []struct {
		kind  Kind
		into  io.Writer
		count *int64
	}{{ChannelCountDetails, channels, &w.counts.Channels}, {FeatureDetails, features, &w.counts.Features}} {
		if err := w.writeOther(ctx, other.kind, other.into, other.count); err != nil {
			return w.counts, err
		}
	}
	return w.counts, nil
}

// rejects is the state of writing them. What it keeps in memory is a number for each user.
type rejects struct {
	*Frozen
	cfg    *directory.Configuration
	seed   maphash.Seed
	users  []uint64                 // hashes of the rejected users' LAN IDs
	said   map[Kind]*extsort.Sorter // what there is to say about rows of the other two files, by row
	counts Rejected
}

func (w *rejects) writeUsers(ctx context.Context, into io.Writer) error {
	out := sheet.NewWriter(into)
	if err := out.Write(append(Columns(UserDetails, w.cfg), problemsColumn)); err != nil {
		return err
	}
	said := map[string]*extsort.Writer{"channel": w.said[ChannelCountDetails].Writer(), "feature": w.said[FeatureDetails].Writer()}
	defer said["channel"].Close()
	defer said["feature"].Close()
	for row, err := range w.Rows(ctx) {
		if err != nil {
			return err
		}
		if row.Outcome == directory.Inserted {
			continue
		}
		w.counts.Users++
		if row.Outcome == directory.NotApplied {
			w.counts.NotApplied++
		}
		w.users = append(w.users, w.hash(row.Cells[directory.LANID]))
		if err := out.Write(append(row.Cells, rowProblems(&row))); err != nil {
			return err
		}
		if err := keepOthers(said, row.Problems); err != nil {
			return err
		}
	}
	slices.Sort(w.users)
	w.users = slices.Compact(w.users)
	for e, err := range w.Said(ctx, batch.Filter{Outcome: string(directory.Stray)}) {
		if err != nil {
			return err
		}
		if err := keepOthers(said, e.Problems); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (w *rejects) hash(lanID string) uint64 { return maphash.String(w.seed, directory.Fold(lanID)) }

// rowProblems is the Problems cell of a row of UserDetails.
func rowProblems(row *Row) string {
	cell := inWords(row.Problems)
	if cell == "" && row.Outcome == directory.NotApplied {
		return "Not applied: the batch was cancelled before it came to this row."
	}
	return cell
}

// inWords joins what keeps a row out; warnings and notes that do not are left aside.
func inWords(problems []directory.Problem) string {
	var all []string
	for i := range problems {
		p := &problems[i]
		if p.Severity == directory.Error || p.Code == "lan_id.exists" || p.Code == "lan_id.repeated" {
			all = append(all, inWord(p))
		}
	}
	for i := range all[:max(0, len(all)-1)] {
		all[i] = strings.TrimSuffix(all[i], ".")
	}
	return strings.Join(all, "; ")
}

func inWord(p *directory.Problem) string {
	if p.Suggestion == "" {
		return p.Message
	}
	return p.Message + " Nearest: " + p.Suggestion
}

// keepOthers keeps the problems that point at a row of one of the other two files; their codes tell which.
func keepOthers(said map[string]*extsort.Writer, problems []directory.Problem) error {
	for i := range problems {
		p := &problems[i]
		about, _, _ := strings.Cut(p.Code, ".")
		w := said[about]
		if w == nil {
			continue
		}
		key := binary.BigEndian.AppendUint64(nil, uint64(p.Row))
		if err := w.Add(extsort.Record{Key: key, Number: uint64(i), Payload: []byte(inWord(p))}); err != nil {
			return err
		}
	}
	return nil
}

// writeOther writes those rows of one of the other two files whose user was rejected, or that have a problem.
func (w *rejects) writeOther(ctx context.Context, k Kind, into io.Writer, count *int64) error {
	out := sheet.NewWriter(into)
	if err := out.Write(append(Columns(k, w.cfg), problemsColumn)); err != nil {
		return err
	}
	index, err := w.file(k)
	if err != nil {
		return out.Flush() // the batch has no such file
	}
	it, err := w.said[k].Sorted()
	if err != nil {
		return err
	}
	rec, more, err := it.Next()
	if err != nil {
		return err
	}
	err = w.read(ctx, index, k, w.cfg, func(number int64, cells []string) error {
		var said []string
		for more && int64(binary.BigEndian.Uint64(rec.Key)) <= number {
			if message := string(rec.Payload); !slices.Contains(said, message) {
				said = append(said, message)
			}
			if rec, more, err = it.Next(); err != nil {
				return err
			}
		}
		if _, rejected := slices.BinarySearch(w.users, w.hash(cells[lanID])); !rejected && said == nil {
			return nil
		}
		*count++
		return out.Write(append(cells, strings.Join(said, "; ")))
	})
	if err != nil {
		return err
	}
	return out.Flush()
}
