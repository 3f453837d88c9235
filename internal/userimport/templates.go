package userimport

import (
	"io"

	"muster/internal/directory"
	"muster/internal/sheet"
)

// Kinds are the three files of an import, in the order in which people are shown them.
var Kinds = []Kind{UserDetails, ChannelCountDetails, FeatureDetails}

// FileName is what the template of a kind is called.
func (k Kind) FileName() string { return string(k) + ".csv" }

// WriteTemplate writes the template of a kind: the columns that the configuration gives it, and no rows.
func WriteTemplate(w io.Writer, k Kind, cfg *directory.Configuration) error {
	out := sheet.NewWriter(w)
	if err := out.Write(Columns(k, cfg)); err != nil {
		return err
	}
	return out.Flush()
}
