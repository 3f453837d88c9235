package sample

import (
	"io"
	"strconv"
)

// The other two files have a row for every user, most of them blank, which means the default. A user
// stands there under the LAN ID that is their own, also where UserDetails has somebody else's by mistake.

// writeChannels writes ChannelCountDetails: one user in five has one count that differs.
func (g *generator) writeChannels(w io.Writer) error {
	columns := []string{lanIDColumn}
	for _, c := range g.channels {
		columns = append(columns, c.name)
	}
	return g.writeRows(w, headerLine(columns...), func(b []byte, i uint64) []byte {
		wrong := g.mistakeOf(i)
		h := mix(g.hash(i) + 4)
		b = g.appendLAN(b, i, wrong)
		chosen := pick(h, 0, len(g.channels))
		for c := range g.channels {
			b = append(b, ',')
			if c != chosen {
				continue
			}
			if wrong == channelTooHigh {
				b = strconv.AppendInt(b, int64(g.channels[c].highest+1+int(h>>60)), 10)
			} else if chance(h, 16, 20) {
				b = strconv.AppendInt(b, int64(g.channels[c].other(h>>32)), 10)
			}
		}
		return append(b, '\r', '\n')
	})
}

// writeFeatures writes FeatureDetails: one user in four has one feature that differs.
func (g *generator) writeFeatures(w io.Writer) error {
	columns := []string{lanIDColumn}
	for _, f := range g.features {
		columns = append(columns, f.name)
	}
	return g.writeRows(w, headerLine(columns...), func(b []byte, i uint64) []byte {
		wrong := g.mistakeOf(i)
		h := mix(g.hash(i) + 5)
		b = g.appendLAN(b, i, wrong)
		chosen := pick(h, 0, len(g.features))
		for f := range g.features {
			b = append(b, ',')
			if f != chosen {
				continue
			}
			if wrong == featureNotAValue {
				b = append(b, notValues[h>>62]...)
			} else if chance(h, 16, 25) {
				b = append(b, g.features[f].other()...)
			}
		}
		return append(b, '\r', '\n')
	})
}

// notValues are what people write in a feature's cell instead of its values.
var notValues = [4]string{"maybe", "y", "2", "on request"}

// other returns a count that is allowed and not the default.
func (c channel) other(hash uint64) int {
	n := int(hash % uint64(c.highest))
	if n >= c.standard {
		n++
	}
	return n
}

// other returns a value that is not the default.
func (f feature) other() string {
	if len(f.values) == 0 {
		if f.standard == "yes" {
			return "no"
		}
		return "yes"
	}
	for _, v := range f.values {
		if v != f.standard {
			return v
		}
	}
	return f.standard
}
