package web

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"muster/internal/batch"
)

// batchProgress is what a page asks for while its batch runs. It comes from the database, whoever runs the batch. Once
// the batch is at rest the whole page takes its place.
func (s *Server) batchProgress(v *visit) error {
	b, err := v.batch()
	if err != nil {
		return err
	}
	if b.State.Live() {
		if v.fragment("progress") {
			return v.part(progressParts(b))
		}
		return v.redirect(batchPath(b.ID))
	}
	if !v.fragment("progress") {
		return v.redirect(batchPath(b.ID))
	}
	asked := rowsAsked{}
	if importsPictures(b) {
		asked = rowsOnPage(v) // somebody may look through them while the check goes on
	}
	p, err := s.fillBatchPage(v, b, asked)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("HX-Retarget", "#main")
	h.Set("HX-Reswap", "innerHTML")
	return v.write(http.StatusOK, batchArrived(p))
}

// steps of a batch's life as a page shows them.
type progressStep struct {
	Name        string
	Done, Going bool
}

func progressSteps(b *batch.Batch) []progressStep {
	if b.State == batch.Undoing {
		return []progressStep{{Name: "Undoing", Going: true}}
	}
	at := map[string]int{"reading": 0, "checking": 1, "applying": 2}[b.Phase]
	names := []string{"Reading", "Checking", "Applying"}
	if importsPictures(b) {
		names = []string{"Matching", "Looking at pictures", "Applying"}
		at = map[string]int{phaseLooking: 1, "applying": 2}[b.Phase]
	}
	if edits(b) {
		names, at = names[1:], 0
		if b.State == batch.Applying {
			at = 1
		}
	}
	var steps []progressStep
	for i, name := range names {
		steps = append(steps, progressStep{Name: name, Done: i < at, Going: i == at})
	}
	return steps
}

// progressTitle says what goes on.
func progressTitle(b *batch.Batch) string {
	switch {
	case b.Cancel:
		return "Cancelling: what is under way ends first"
	case b.State == batch.Received:
		return "Waiting for its turn"
	case importsPictures(b):
		return picturesProgress(b)
	case edits(b):
		return editProgress(b)
	case b.State == batch.Undoing:
		return "Removing the users that the import inserted"
	case b.Phase == "reading" && b.State == batch.Applying:
		return "Reading the files once more, for the directory may have changed"
	case b.Phase == "reading":
		return "Reading the files"
	case b.Phase == "checking":
		return "Checking every row"
	case b.Phase == "applying":
		return "Inserting users"
	}
	return "Starting"
}

// progressNumbers are how far, how fast and how long still.
func progressNumbers(b *batch.Batch) string {
	if b.Total <= 0 {
		return ""
	}
	text := ""
	if b.CountsRows() {
		text = fmt.Sprintf("%s of %s", number(b.Done), count(b.Total, rowNoun(b)))
	} else {
		text = fmt.Sprintf("%s of %s", fileSize(b.Done), fileSize(b.Total))
	}
	if rate := b.Rate(); rate > 0 {
		if b.CountsRows() {
			text += fmt.Sprintf(" · %s %ss/s", number(int64(rate)), rowNoun(b))
		} else {
			text += fmt.Sprintf(" · %s/s", fileSize(int64(rate)))
		}
	}
	if left, known := b.Left(); known && left >= time.Second {
		text += " · about " + timeLeft(left) + " left"
	}
	return text
}

// timeLeft is a guess, so it has no decimals.
func timeLeft(left time.Duration) string {
	if left < time.Minute {
		return fmt.Sprintf("%.0f s", left.Seconds())
	}
	return duration(left)
}

// progressValue are the attributes of a progress bar; without a total it says that something goes on, not how far.
func progressValue(b *batch.Batch) templ.Attributes {
	if b.Total <= 0 {
		return templ.Attributes{}
	}
	return templ.Attributes{"max": strconv.FormatInt(b.Total, 10), "value": strconv.FormatInt(min(b.Done, b.Total), 10)}
}

// percent is how far the phase is, for those who hear it.
func percent(b *batch.Batch) string {
	if b.Total <= 0 {
		return ""
	}
	return strconv.FormatInt(100*min(b.Done, b.Total)/b.Total, 10)
}
