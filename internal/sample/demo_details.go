package sample

import (
	"slices"
	"strconv"
)

func (d *demo) channelColumns() []string {
	columns := []string{lanIDColumn}
	for _, c := range d.channels {
		columns = append(columns, c.name)
	}
	return columns
}

func (d *demo) featureColumns() []string {
	columns := []string{lanIDColumn}
	for _, f := range d.features {
		columns = append(columns, f.name)
	}
	return columns
}

// details makes the rows of the other two files: only of users who differ from the defaults, as people
// who fill them by hand do. Users with a mistake have none, but for the mistakes that are made here.
func (d *demo) details() (channels, features [][]string) {
	for i, r := range d.rows {
		if d.marked[r] {
			continue
		}
		h := mix(uint64(i) + 1<<20)
		if chance(h, 0, 30) {
			c := pick(h, 16, len(d.channels))
			channels = append(channels, detail(r.lanID, len(d.channels), c, strconv.Itoa(d.channels[c].other(h>>32))))
		}
		if chance(h, 44, 30) {
			f := pick(h, 20, len(d.features))
			features = append(features, detail(r.lanID, len(d.features), f, d.features[f].other()))
		}
	}
	return d.spoilChannels(channels), d.spoilFeatures(features)
}

// detail makes a row with one value.
func detail(lanID string, columns, column int, value string) []string {
	cells := make([]string, 1+columns)
	cells[0] = lanID
	cells[1+column] = value
	return cells
}

// spoilChannels makes the mistakes of ChannelCountDetails.
func (d *demo) spoilChannels(rows [][]string) [][]string {
	const textChat, email = 2, 6 // columns
	d.agentFrom(rows, 7, "channel.not_a_count")[textChat] = "two"
	d.agentFrom(rows, 30, "channel.too_high")[email] = "30"

	stray := detail("formercolleague", len(d.channels), 0, "1")
	d.expected.Stray++
	d.expected.note(1, "channel.unknown_user")
	return slices.Insert(rows, 50, stray)
}

// spoilFeatures makes the mistake of FeatureDetails.
func (d *demo) spoilFeatures(rows [][]string) [][]string {
	const crmEnabled = 5 // column
	d.agentFrom(rows, 12, "feature.not_a_value")[crmEnabled] = "maybe"
	return rows
}

// agentFrom returns the first row of an agent without mistakes from a place on, for a mistake with this
// code. A supervisor's would cost all who report to them their place.
func (d *demo) agentFrom(rows [][]string, from int, code string) []string {
	for _, cells := range rows[from:] {
		i := slices.IndexFunc(d.rows, func(r *row) bool { return r.lanID == cells[0] })
		if r := d.rows[i]; r.profile == "Agent" && !d.marked[r] {
			d.mark(invalid, []*row{r}, code)
			return cells
		}
	}
	panic("sample: too few rows for the demo's mistakes") // the demo is the same every time
}
