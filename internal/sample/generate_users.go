package sample

import (
	"io"
	"strconv"
)

// flushAt is how many bytes are gathered for one Write.
const flushAt = 256 << 10

// writeRows writes the header and then what appendRow makes of 0 to n-1.
func (g *generator) writeRows(w io.Writer, header string, appendRow func(b []byte, row uint64) []byte) error {
	b := append(make([]byte, 0, flushAt+4096), header...)
	for row := range g.n {
		b = appendRow(b, row)
		if len(b) >= flushAt {
			if _, err := w.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	_, err := w.Write(b)
	return err
}

func (g *generator) writeUsers(w io.Writer) error {
	return g.writeRows(w, headerLine(userColumns...), func(b []byte, row uint64) []byte {
		i := g.order.at(row)
		wrong := g.mistakeOf(i)
		g.mistakes[wrong]++
		return g.appendUser(b, row, i, wrong)
	})
}

// appendUser writes a row of UserDetails. No value needs quotes: a test looks.
func (g *generator) appendUser(b []byte, row, i uint64, wrong mistake) []byte {
	h := mix(g.hash(i) + 2)
	b = g.appendIdentity(b, row, i, wrong)
	b = g.appendPlace(b, i, h, wrong)
	if chance(h, 16, 10) {
		b = append(b, g.accessRoles[pick(h, 0, len(g.accessRoles))]...)
	}
	b = append(b, ',')
	if chance(h, 32, 70) {
		b = append(b, g.crmNames[pick(h, 4, len(g.crmNames))]...)
	}
	b = append(b, ',')
	if chance(h, 48, 50) {
		b = append(b, g.greetings[pick(h, 8, len(g.greetings))]...)
	}
	return append(b, '\r', '\n')
}

// appendIdentity writes LAN ID to PBX ID, each with its comma.
func (g *generator) appendIdentity(b []byte, row, i uint64, wrong mistake) []byte {
	lan, agentID, pbx := i, i, i
	if wrong.repeats() {
		other := g.rightAbove(row, g.hash(i))
		switch wrong {
		case lanRepeated:
			lan = other
		case rowRepeated:
			lan, agentID, pbx = other, other, other
		case agentIDRepeated:
			agentID = other
		case pbxRepeated:
			pbx = other
		}
	}
	b = append(g.appendLAN(b, lan, wrong), ',')
	who := g.person(i)
	if wrong != firstNameMissing {
		b = who.appendFirst(b)
	}
	b = append(b, ',')
	if wrong != lastNameMissing {
		b = who.appendLast(b)
	}
	b = append(b, ',')
	b = append(g.appendAgentID(b, agentID, wrong), ',')
	b = strconv.AppendUint(b, firstPBX+uint64(g.spec.From)+g.pbx.at(pbx), 10)
	if wrong == pbxNotANumber {
		b[len(b)-4] = "-Ol /x+_"[g.hash(i)&7]
	}
	return append(b, ',')
}

// appendPlace writes Profile to Role, each with its comma.
func (g *generator) appendPlace(b []byte, i, h uint64, wrong mistake) []byte {
	unit, role := "", ""
	switch {
	case i < g.leads:
		b = append(b, "Supervisor,,"...)
		unit, role = g.countries[i%uint64(len(g.countries))], "Site Manager"
	case i < g.agents:
		b = append(b, "Supervisor,"...)
		if m, ok := g.managerOf(i, h); ok {
			b = g.appendLAN(b, m, noMistake)
		}
		b = append(b, ',')
		unit, role = g.teamOf(i).name, "Team Lead"
	default:
		b = append(b, "Agent,"...)
		b = g.appendSupervisor(b, i)
		b = append(b, ',')
		unit, role = g.teamOf(i).name, "Agent"
		if chance(h, 20, 15) {
			role = "Senior Agent"
		}
	}
	if wrong == unitUnknown {
		unit = g.typos.units[pick(h, 40, len(g.typos.units))]
	}
	if wrong == roleUnknown {
		role = g.typos.roles[pick(h, 40, len(g.typos.roles))]
	}
	b = append(b, unit...)
	b = append(b, ',')
	b = append(b, role...)
	if chance(h, 28, 12) {
		b = append(b, ";Quality Coach"...)
	}
	return append(b, ',')
}
