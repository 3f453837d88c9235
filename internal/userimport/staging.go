package userimport

import (
	"bufio"
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"muster/internal/batch"
	"muster/internal/extsort"
)

// Memory of the sorters, in bytes per writer. Two writers sort the users, one each of the others.
const (
	userSortMemory   = 8 << 20
	detailSortMemory = 4 << 20
	repeatSortMemory = 4 << 20
	reportSortMemory = 4 << 20
)

// staging is what lies between the files and the directory: sorters, the candidates' scratch file, and the bits that
// say which places are good.
type staging struct {
	dir    string
	remove func()

	users, channels, features *extsort.Sorter // rows by LAN ID
	agentRepeats, pbxRepeats  *extsort.Sorter // rows whose id may be there twice, by that id
	entries                   *extsort.Sorter // what there is to say, by file and row
	entryWriter               *extsort.Writer

	names                  *names
	agentSketch, pbxSketch *sketch
	pbxWidths, lanWidths   widths
	rows                   atomic.Int64 // of UserDetails
	candidates             *os.File
	candidatesSize         int64
	out                    *bufio.Writer
	good                   bits // places that will be inserted
	leads                  leads
	isLead                 bits
	counts                 batch.Counts
	suggestions            map[uint32]string // for unknown supervisors
	closing                sync.Once
}

func newStaging(dir string, remove func()) *staging {
	s := &staging{
		dir: dir, remove: remove, names: newNames(), agentSketch: newSketch(), pbxSketch: newSketch(),
		users: extsort.New(dir, userSortMemory), channels: extsort.New(dir, detailSortMemory), features: extsort.New(dir, detailSortMemory),
		agentRepeats: extsort.New(dir, repeatSortMemory), pbxRepeats: extsort.New(dir, repeatSortMemory),
		entries: extsort.New(dir, reportSortMemory),
	}
	s.entryWriter = s.entries.Writer()
	return s
}

func (s *staging) close() error {
	var err error
	s.closing.Do(func() {
		for _, sorter := range []*extsort.Sorter{s.users, s.channels, s.features, s.agentRepeats, s.pbxRepeats, s.entries} {
			err = errors.Join(err, sorter.Close())
		}
		if s.candidates != nil {
			err = errors.Join(err, s.candidates.Close())
		}
		s.remove()
	})
	return err
}

// widths counts the digits-only ids of a column by their length, to see where leading zeros may have been lost.
type widths struct {
	mu         sync.Mutex
	count      [24]int64
	usualWidth int // once all are added
}

func (w *widths) add(other *[24]int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, n := range other {
		w.count[i] += n
	}
}

// settle sets the length that 95 % of the ids have, when there are at least 20 and others too; otherwise 0.
func (w *widths) settle() {
	total, most, usual := int64(0), int64(0), 0
	for width, n := range w.count[1:] {
		total += n
		if n > most {
			most, usual = n, width+1
		}
	}
	if total >= 20 && most < total && most*100 >= total*95 {
		w.usualWidth = usual
	}
}

// digits is the length of an id that has only digits, and 0 for any other or a longer one.
func digits(s string) int {
	if len(s) >= 24 {
		return 0
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
	}
	return len(s)
}
