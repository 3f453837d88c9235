package sample

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// mistake is what is wrong with an agent's row; supervisors' rows are right, so that a mistake
// costs no row but its own.
type mistake int

const (
	noMistake mistake = iota
	firstNameMissing
	lastNameMissing
	specialCharacter // in the LAN ID, and in the Agent ID that repeats it
	pbxNotANumber
	unitUnknown
	roleUnknown
	channelTooHigh
	featureNotAValue
	lanRepeated // of a row above that is right, as are the next three
	rowRepeated // the three ids together
	agentIDRepeated
	pbxRepeated
	mistakeKinds

	firstMistake = firstNameMissing
)

// codes are the problems that the row gets.
func (m mistake) codes() []string {
	switch m {
	case firstNameMissing:
		return []string{"first_name.missing"}
	case lastNameMissing:
		return []string{"last_name.missing"}
	case specialCharacter:
		return []string{"lan_id.special_characters", "agent_id.special_characters"}
	case pbxNotANumber:
		return []string{"pbx_id.not_a_number"}
	case unitUnknown:
		return []string{"org_unit.unknown"}
	case roleUnknown:
		return []string{"role.unknown"}
	case channelTooHigh:
		return []string{"channel.too_high"}
	case featureNotAValue:
		return []string{"feature.not_a_value"}
	case lanRepeated, rowRepeated:
		return []string{"lan_id.repeated"}
	case agentIDRepeated:
		return []string{"agent_id.repeated"}
	case pbxRepeated:
		return []string{"pbx_id.repeated"}
	}
	return nil
}

func (m mistake) outcome() outcome {
	switch m {
	case noMistake:
		return inserted
	case lanRepeated, rowRepeated:
		return duplicate
	}
	return invalid
}

// repeats tells whether the mistake needs a row above to take an id from.
func (m mistake) repeats() bool { return m >= lanRepeated }

// mistakeOf decides by the user's own hash, so that all three files agree without a table.
func (g *generator) mistakeOf(i uint64) mistake {
	if i < g.agents || i == g.top {
		return noMistake
	}
	h := mix(g.hash(i) + 1)
	if h>>32 >= g.share {
		return noMistake
	}
	return firstMistake + mistake(h&0xFFFFFFFF%uint64(mistakeKinds-firstMistake))
}

// rightAbove returns a user without a mistake from a row above the given one, anywhere in the file. The first
// row's user is one, hence there always is.
func (g *generator) rightAbove(row, hash uint64) uint64 {
	for range 8 {
		hash = mix(hash)
		if i := g.order.at(hash % row); g.mistakeOf(i) == noMistake {
			return i
		}
	}
	return g.top
}

// typos are wrong spellings of what the organisation has, one for each.
type typos struct{ units, roles []string }

func makeTypos(o *organisation) typos {
	var t typos
	for _, team := range o.teams {
		t.units = append(t.units, misspell(lastName(team.path), o.units))
	}
	for _, role := range o.roles {
		t.roles = append(t.roles, misspell(role, o.roles))
	}
	return t
}

// misspell leaves out one letter of text such that no name, and no last name of a path, comes out.
func misspell(text string, names []string) string {
	isName := func(s string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return s == lastName(n) })
	}
	for i := 1; i < len(text); i++ {
		_, size := utf8.DecodeRuneInString(text[i:])
		without := text[:i] + text[i+size:]
		if utf8.RuneStart(text[i]) && !isName(without) && without == strings.TrimSpace(without) {
			return without
		}
	}
	return text + text // never in practice: a name of one letter
}
