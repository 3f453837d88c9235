package directory

import (
	"fmt"
	"slices"
)

// Severity says what a problem does to its row: an error keeps it out, a warning or note does not. A duplicate,
// which keeps its row out too, counts as a warning: nothing needs mending.
type Severity string

const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Problem is what is wrong or worth saying about one cell.
type Problem struct {
	File       string   `json:"file,omitempty"` // filled in by who read the file
	Row        int64    `json:"row"`
	LANID      string   `json:"lan_id"`
	Column     string   `json:"column"`
	Code       string   `json:"code"`
	Severity   Severity `json:"severity"`
	Value      string   `json:"value"`
	Message    string   `json:"message"`
	Suggestion string   `json:"suggestion,omitempty"`
}

// Outcome is what became of a row.
type Outcome string

const (
	Inserted   Outcome = "inserted"
	Updated    Outcome = "updated"
	Unchanged  Outcome = "unchanged"
	Duplicate  Outcome = "duplicate"
	Invalid    Outcome = "invalid"
	Stray      Outcome = "stray"
	NotApplied Outcome = "not-applied" // the batch was cancelled before it came to the row
)

// problem makes a problem of a column's own cell. The message says what is wrong and what to do.
func (c *Candidate) problem(col Column, what string, sev Severity, format string, args ...any) *Problem {
	c.Problems = append(c.Problems, Problem{
		Row: c.Row, LANID: Shorten(c.Cells[LANID]), Column: columnNames[col], Code: columnCodes[col] + "." + what, Severity: sev,
		Value: Shorten(c.Cells[col]), Message: fmt.Sprintf(format, args...),
	})
	c.failed = c.failed || sev == Error
	return &c.Problems[len(c.Problems)-1]
}

// Shorten cuts a value to what a person can read in a report, 200 characters.
func Shorten(s string) string {
	if len(s) <= 200 {
		return s
	}
	n := 0
	for i := range s {
		if n++; n > 200 {
			return s[:i] + "…"
		}
	}
	return s
}

// Reject adds a problem found by somebody who knows more than the row: the other files, the rows above.
func (c *Candidate) Reject(p Problem) {
	c.Problems = append(c.Problems, p)
	c.failed = c.failed || p.Severity == Error
}

// Failed tells whether the row has an error so far.
func (c *Candidate) Failed() bool { return c.failed }

// SetFailed restores what Failed tells, for a candidate that was stored away.
func (c *Candidate) SetFailed(failed bool) { c.failed = failed }

// Forgive takes back what kept the candidate out, for one that is a user already; warnings and notes stay.
func (c *Candidate) Forgive() {
	c.Problems = slices.DeleteFunc(c.Problems, func(p Problem) bool { return p.Severity == Error || p.Code == "lan_id.exists" })
	c.failed, c.Exists = false, false
}
