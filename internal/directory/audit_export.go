package directory

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"muster/internal/sheet"
)

// MarshalJSON writes the entry as exports and the command line have it: times in UTC, before and after as objects.
func (e AuditEntry) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ID      int64           `json:"id"`
		At      time.Time       `json:"at"`
		Actor   string          `json:"actor"`
		Source  string          `json:"source"`
		Action  string          `json:"action"`
		Subject string          `json:"subject"`
		Name    string          `json:"name"`
		Before  json.RawMessage `json:"before,omitempty"`
		After   json.RawMessage `json:"after,omitempty"`
		Reason  string          `json:"reason,omitempty"`
		Batch   int64           `json:"batch,omitempty"`
		User    int64           `json:"user_id,omitempty"`
	}{e.ID, e.Time(), e.Actor, e.Source, e.Action, e.Subject, e.Name, sideJSON(e.Before), sideJSON(e.After), e.Reason, e.BatchID, e.SubjectID})
}

// Time is when it was, in UTC.
func (e AuditEntry) Time() time.Time { return time.UnixMicro(e.At).UTC() }

// sideJSON is what is stored, which was no JSON for the state of a batch once.
func sideJSON(text string) json.RawMessage {
	if text == "" || json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return json.RawMessage(asJSON(text))
}

// AuditHeader is the header of the audit as a spreadsheet.
var AuditHeader = []string{"Entry", "When (UTC)", "Who", "From where", "Action", "Kind", "Name", "Before", "After", "Reason", "Batch"}

// WriteAuditCSV writes what the query picks as a spreadsheet, newest first, a line an entry, and returns how many. Its
// Before and After name what changed, a line a field. No cell of it runs as a formula (see [sheet.Writer]).
func WriteAuditCSV(ctx context.Context, h *Handle, q AuditQuery, to io.Writer) (n int64, err error) {
	w := sheet.NewWriter(to)
	if err := w.Write(AuditHeader); err != nil {
		return 0, err
	}
	err = h.WalkAudit(ctx, q, func(page []AuditEntry) error {
		for i := range page {
			e := &page[i]
			before, after := e.sides()
			batch := ""
			if e.BatchID != 0 {
				batch = strconv.FormatInt(e.BatchID, 10)
			}
			n++
			if err := w.Write([]string{strconv.FormatInt(e.ID, 10), e.Time().Format("2006-01-02 15:04:05"), e.Actor, e.Source, e.Action, e.Subject, e.Name,
				before, after, e.Reason, batch}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return n, err
	}
	return n, w.Flush()
}

// sides are both sides of the entry as text, a line a field.
func (e *AuditEntry) sides() (before, after string) {
	var b, a []string
	line := func(field string, parts []string) string {
		if field == "" {
			return strings.Join(parts, ", ")
		}
		return field + ": " + strings.Join(parts, ", ")
	}
	for _, c := range e.Changes() {
		if c.Before != nil {
			b = append(b, line(c.Field, c.Before))
		}
		if c.After != nil {
			a = append(a, line(c.Field, c.After))
		}
	}
	return strings.Join(b, "\n"), strings.Join(a, "\n")
}

// WriteAuditJSON writes what the query picks as {"entries": […]}, newest first, an entry a line, and returns how many.
func WriteAuditJSON(ctx context.Context, h *Handle, q AuditQuery, to io.Writer) (n int64, err error) {
	w := bufio.NewWriterSize(to, 64<<10)
	begin := `{"entries": [`
	err = h.WalkAudit(ctx, q, func(page []AuditEntry) error {
		for _, e := range page {
			if n++; n > 1 {
				begin = ","
			}
			w.WriteString(begin)
			w.WriteString("\n")
			if _, err := w.WriteString(asJSON(e)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return n, err
	}
	if n == 0 {
		w.WriteString(begin)
	}
	w.WriteString("\n]}\n")
	return n, w.Flush()
}
