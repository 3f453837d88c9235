// Package batch runs bulk actions. A batch is one run of one: frozen input, check, preview, apply in chunks,
// outcome, undo. Its state lives in the database and each chunk is one transaction with its checkpoint, so that the
// process may die at any instant and another carries on from the last committed chunk.
//
// The batch's row is its own queue entry. Whoever holds its lease runs it; the lease has a token that rises with
// each claim, and the last statement of every transaction demands it (a fencing token): a process that slept through
// the end of its lease can write nothing more.
//
// What a bulk action does is an [Operation]; the engine knows nothing of users.
package batch

import (
	"context"
	"encoding/json"
	"time"

	"muster/internal/directory"
	"muster/internal/sqldb"
)

// State is where a batch is in its life.
type State string

const (
	Received  State = "received"
	Checking  State = "checking"
	Ready     State = "ready"    // the preview is there; somebody decides
	Awaiting  State = "awaiting" // a second person approves or rejects it
	Applying  State = "applying"
	Done      State = "done"
	Cancelled State = "cancelled"
	Failed    State = "failed" // it cannot go on; Reason says why
	Undoing   State = "undoing"
	Undone    State = "undone"
)

// Live tells whether there is work left for whoever holds the lease.
func (s State) Live() bool {
	return s == Received || s == Checking || s == Applying || s == Undoing
}

// live is the same in SQL; the index batches_live has this very condition.
const live = "state IN ('received', 'checking', 'applying', 'undoing')"

// Counts are of the rows of the main file, but Stray, which counts rows of the others that belong to nobody.
// Rows = Inserted + Updated + Unchanged + Duplicate + Invalid once a batch is done; before that it is what will be.
type Counts struct {
	Rows      int64 `json:"rows"`
	Inserted  int64 `json:"inserted"`
	Updated   int64 `json:"updated"`
	Unchanged int64 `json:"unchanged"`
	Duplicate int64 `json:"duplicate"`
	Invalid   int64 `json:"invalid"`
	Stray     int64 `json:"stray"`
	// PassedOver are files of an archive that are no rows at all: what file managers put beside.
	PassedOver int64 `json:"passed_over,omitempty"`
}

// Clean tells whether every row is, or would be, applied.
func (c Counts) Clean() bool { return c.Duplicate == 0 && c.Invalid == 0 && c.Stray == 0 }

// File is one frozen input.
type File struct {
	Name string // as given
	Kind string // what the operation took it for
	Hash string // "" once the retention period has ended
	Size int64  // bytes
}

// FileProblem is why nothing could run: what is wrong with a file as a whole.
type FileProblem struct {
	File       string `json:"file"`
	Row        int    `json:"row,omitempty"`
	Column     string `json:"column,omitempty"`
	Code       string `json:"code"`
	Value      string `json:"value,omitempty"`
	Message    string `json:"message"`
	Suggestion string `json:"suggestion,omitempty"`
}

// Batch is a batch as the database has it.
type Batch struct {
	ID          int64
	Action      string
	State       State
	Phase       string // what is going on: reading, checking, applying, undoing
	Owner       string // who started it
	Source      string
	BySystem    bool   // Owner is the system, not a user of that name
	UndoneBy    string // who asked for the undo, if anybody did
	Options     json.RawMessage
	CreatedAt   time.Time
	StartedAt   time.Time
	FinishedAt  time.Time
	ClearedAt   time.Time     // when its files and reports were removed, as their retention had ended
	Busy        time.Duration // time spent working, without waiting for a decision
	Done, Total int64         // of the phase: bytes while reading, rows otherwise
	// What a rate is made of: since when the phase goes on in the process that runs it, what was done then, and when
	// Done was written, at least about once a second while it runs.
	PhaseStarted time.Time
	PhaseFrom    int64
	Published    time.Time
	Counts       Counts
	Undone       int64
	FileProblems []FileProblem
	Reason       string // why it waits or failed
	Work         json.RawMessage
	Cancel       bool
	LeaseToken   int64
	LeaseUntil   time.Time
	LeaseOwner   string // host/process
	Files        []File
	Needs        []directory.Right // that deciding about it takes
	Guard        Guard
	Approval     Approval

	ownerID      int64 // of the user, 0 where it was none
	undoSource   string
	undoBySystem bool
}

// CountsRows tells whether Done and Total are rows; while files are read they are bytes.
func (b *Batch) CountsRows() bool { return b.Phase != "reading" }

// Rate is how much is done a second in this phase, rows or bytes; 0 as long as that cannot be said.
func (b *Batch) Rate() float64 {
	took := b.Published.Sub(b.PhaseStarted).Seconds()
	if b.PhaseStarted.IsZero() || took <= 0 || b.Done <= b.PhaseFrom {
		return 0
	}
	return float64(b.Done-b.PhaseFrom) / took
}

// Left is how long the phase will still take at its rate; known is false as long as that cannot be said.
func (b *Batch) Left() (left time.Duration, known bool) {
	rate := b.Rate()
	if rate == 0 || b.Total < b.Done {
		return 0, false
	}
	return time.Duration(float64(b.Total-b.Done) / rate * float64(time.Second)), true
}

// Operation is a bulk action.
type Operation interface {
	// Prepare reads the frozen input, judges all of it, and writes the report and the counts (see [Run]); it changes
	// nothing in the directory. It is called again when a preview is applied, and after a crash; rows that chunks of
	// the batch have already applied are then to be judged as they were.
	Prepare(ctx context.Context, run *Run) (Prepared, error)
	// Undo takes back what the batch's chunks did, in chunks.
	Undo(ctx context.Context, run *Run) error
}

// Clearer is an operation that keeps more of its batches than the engine knows of.
type Clearer interface {
	// Clear removes that, in the transaction in which the files of a batch go whose retention has ended.
	Clear(ctx context.Context, tx *sqldb.Tx, batchID int64) error
}

// Prepared is a checked input that can be applied.
type Prepared interface {
	// Apply applies, through [Run.Chunk], what no chunk has applied yet, and returns the final counts. It returns
	// [ErrCancelled] where the run was cancelled, with the counts of what is applied.
	Apply(ctx context.Context, run *Run) (Counts, error)
	Close() error
}

// Problems is an error of [Operation.Prepare]: the files cannot be used. The batch fails with them.
type Problems []FileProblem

func (p Problems) Error() string { return p[0].Message }

// Entry is a row that has something to say.
type Entry struct {
	File     int                 `json:"f,omitempty"` // position among the batch's files
	Row      int64               `json:"r"`
	LANID    string              `json:"l"`
	Name     string              `json:"n,omitempty"` // first and last, where no file has them
	UserID   int64               `json:"u,omitempty"` // where the operation knows whom the row is for
	Item     string              `json:"i,omitempty"` // what the row is called in an archive
	Outcome  directory.Outcome   `json:"o"`
	Was      directory.Outcome   `json:"w,omitempty"` // what the preview said, where the directory changed in between
	Problems []directory.Problem `json:"p,omitempty"`
}
