package setup

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"muster/internal/directory"
)

var signs = map[directory.Op]string{directory.OpCreate: "+", directory.OpUpdate: "~", directory.OpDelete: "-"}

// Print shows a difference as a list: + for what is new, ~ for what changes, - for what goes.
func Print(w io.Writer, d directory.Difference) error {
	var b strings.Builder
	counts := map[directory.Op]int{}
	for _, c := range d {
		counts[c.Op]++
		fmt.Fprintf(&b, "%s %s", signs[c.Op], strings.ReplaceAll(c.Subject, "-", " "))
		if c.Name != "" {
			fmt.Fprintf(&b, " %s", c.Name)
		}
		for i, detail := range c.Details {
			separator := "; "
			if i == 0 {
				separator = ": "
			}
			b.WriteString(separator + strings.Replace(detail, ": ", " ", 1))
		}
		b.WriteString("\n")
	}
	if len(d) == 0 {
		b.WriteString("No difference.\n")
	} else {
		fmt.Fprintf(&b, "%d new, %d changed, %d deleted.\n", counts[directory.OpCreate], counts[directory.OpUpdate], counts[directory.OpDelete])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// PrintJSON writes a difference as {"total": 1, "changes": [{"op": "update", "subject": "channel", …}]}.
func PrintJSON(w io.Writer, d directory.Difference) error {
	if d == nil {
		d = directory.Difference{}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Total   int                  `json:"total"`
		Changes directory.Difference `json:"changes"`
	}{len(d), d})
}
