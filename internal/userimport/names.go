package userimport

import (
	"sync"

	"muster/internal/batch"
	"muster/internal/directory"
)

// names numbers the supervisors that the directory does not have, from 1, so that a row carries a number instead of
// joining by text. There are far fewer supervisors than users.
type names struct {
	mu     sync.Mutex
	number map[string]uint32
	keys   []string // by number-1
	inFile []bool   // likewise: the file has a row with this LAN ID
}

// maxNames bounds the memory that a file made to hurt can take: some 150 MB.
const maxNames = 1_500_000

var errTooManyNames = batch.Problems{{Code: "file.too_large",
	Message: "The file names more than 1,500,000 different supervisors who are not in the directory; check its Supervisor column, or split it."}}

func newNames() *names { return &names{number: map[string]uint32{}} }

// add numbers the pending supervisors of a block of rows.
func (n *names) add(block []directory.Candidate) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range block {
		c := &block[i]
		if c.SupervisorKey == "" {
			continue
		}
		number, ok := n.number[c.SupervisorKey]
		if !ok {
			if len(n.keys) == maxNames {
				return errTooManyNames
			}
			// The key shares memory with its row, which goes.
			key := string([]byte(c.SupervisorKey))
			n.keys = append(n.keys, key)
			number = uint32(len(n.keys))
			n.number[key] = number
		}
		c.PendingSupervisor = number
	}
	return nil
}
