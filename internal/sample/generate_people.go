package sample

import "strconv"

// hash is the source of everything about a user.
func (g *generator) hash(i uint64) uint64 {
	return mix(g.spec.Seed ^ mix(uint64(g.spec.From)+i))
}

func (g *generator) person(i uint64) person { return drawPerson(g.cultures, g.hash(i)) }

// appendLAN writes the LAN ID: letters of the name, then the user's number. The letters hold no
// digit, so that two numbers never give the same id.
func (g *generator) appendLAN(b []byte, i uint64, wrong mistake) []byte {
	from := len(b)
	b = g.person(i).appendLetters(b)
	b = strconv.AppendUint(b, uint64(g.spec.From)+i, 10)
	if wrong == specialCharacter {
		b[from+1] = ".-_@"[g.hash(i)&3]
	}
	return b
}

// appendAgentID writes the LAN ID again; one in twenty has another Agent ID. That has two letters and
// a LAN ID at least three, so that they never meet.
func (g *generator) appendAgentID(b []byte, i uint64, wrong mistake) []byte {
	if wrong != specialCharacter && chance(mix(g.hash(i)+3), 0, 5) {
		b = append(b, "AG"...)
		return strconv.AppendUint(b, firstPBX+uint64(g.spec.From)+i, 10)
	}
	return g.appendLAN(b, i, wrong)
}

// teamOf returns the team of a lead, or that of an agent, which is their lead's.
func (g *generator) teamOf(i uint64) *team {
	n := uint64(len(g.teams))
	if i >= g.agents {
		if g.agents == 0 {
			return &g.teams[g.hash(i)>>8%n]
		}
		i = g.leadOf(i)
	}
	return &g.teams[(i-g.leads)%n]
}

// leadOf returns the agent's supervisor, where the file has supervisors.
func (g *generator) leadOf(agent uint64) uint64 {
	return g.leads + agent%(g.agents-g.leads)
}

func (g *generator) appendSupervisor(b []byte, agent uint64) []byte {
	if g.agents == 0 {
		return append(b, g.spec.Supervisors...)
	}
	return g.appendLAN(b, g.leadOf(agent), noMistake)
}

// managerOf returns the lead's manager, one of the lead's own country: somebody from elsewhere would
// be warned about. One lead in four, and each of a country without managers, has none.
func (g *generator) managerOf(lead, h uint64) (uint64, bool) {
	countries := uint64(len(g.countries))
	own := uint64(0)
	for g.countries[own] != g.teamOf(lead).country {
		own++
	}
	managers := (g.leads + countries - 1 - own) / countries // those i < leads with i % countries == own
	if managers == 0 || chance(h, 44, 25) {
		return 0, false
	}
	return own + countries*(h>>8%managers), true
}
