package sample

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Spec says what Generate makes. The zero value of each field but Users is sensible.
type Spec struct {
	Users int    // rows of UserDetails
	Seed  uint64 // another seed, other people

	// From is the number of the first user. LAN, Agent and PBX IDs hold the user's number, so that
	// files of which the ranges [From, From+Users) do not meet have no id in common, whatever
	// their seeds: a second million can go on top of the first.
	From int

	// Supervisors, if set, is the LAN ID of one supervisor of the directory to whom all report; then
	// the file has no supervisors of its own. Their unit should be Below or above it, or else every
	// row gets the warning supervisor.other_branch, which is not counted in what is expected.
	Supervisors string

	// Below, if set, is the full path of the unit below which all teams are.
	Below string

	// Clean leaves out the mistakes that one in twenty rows has otherwise.
	Clean bool
}

// The PBX IDs are the numbers from firstPBX, all of one width: numbers of different widths would look
// like lost leading zeros.
const (
	firstPBX = 10_000_000
	maxUsers = 90_000_000
)

// Of twenty users one supervises the others; of twenty supervisors one manages others.
const span = 20

// Generate writes UserDetails, ChannelCountDetails and FeatureDetails, one after the other, each with one
// row per user, and returns what importing them must report. Memory does not grow with Users.
//
// The users stand in UserDetails in an order that has nothing to do with their ids, and in another
// one in the other two files. It fails on a Spec that cannot be met and on what a writer returns.
func Generate(s Spec, users, channels, features io.Writer) (Counts, error) {
	g, err := newGenerator(s)
	if err != nil {
		return Counts{}, err
	}
	if err := g.writeUsers(users); err != nil {
		return Counts{}, fmt.Errorf("writing the user details: %w", err)
	}
	if err := g.writeChannels(channels); err != nil {
		return Counts{}, fmt.Errorf("writing the channel counts: %w", err)
	}
	if err := g.writeFeatures(features); err != nil {
		return Counts{}, fmt.Errorf("writing the features: %w", err)
	}
	return g.expected(), nil
}

// generator holds what is decided once. A user is an index in [0, n): managers first, then the
// leads, who supervise a team's agents, then the agents. Everything about a user follows from the
// index by hashing, so that any row can refer to any other without either being kept.
type generator struct {
	*organisation
	spec      Spec
	n         uint64
	leads     uint64 // index of the first lead: how many managers there are
	agents    uint64 // index of the first agent
	order     permutation
	pbx       permutation
	top       uint64   // index of the user in the first row, who has no mistake
	share     uint64   // of 1<<32: agents who have a mistake
	teams     []team   // those below spec.Below
	countries []string // those of the teams
	cultures  []culture
	typos     typos
	mistakes  [mistakeKinds]int // rows by mistake
}

func newGenerator(s Spec) (*generator, error) {
	if s.Users < 0 || s.From < 0 || s.Users > maxUsers || s.From > maxUsers-s.Users {
		return nil, fmt.Errorf("users %d to %d: the numbers must be from 0 to %d", s.From, s.From+s.Users, maxUsers)
	}
	g := &generator{organisation: theOrganisation(), spec: s, n: uint64(s.Users), cultures: allCultures()}
	for _, t := range g.organisation.teams {
		if s.Below == "" || strings.HasPrefix(t.path+pathSeparator, s.Below+pathSeparator) {
			g.teams = append(g.teams, t)
			if !slices.Contains(g.countries, t.country) {
				g.countries = append(g.countries, t.country)
			}
		}
	}
	if len(g.teams) == 0 {
		return nil, fmt.Errorf("no unit of the organisation has the path %q", s.Below)
	}
	if s.Supervisors == "" && s.Users > 0 {
		g.agents = max(1, g.n/span)
		g.leads = g.agents / span
	}
	g.typos = makeTypos(g.organisation)
	g.order = newPermutation(g.n, mix(s.Seed))
	g.pbx = newPermutation(g.n, mix(s.Seed+1))
	if g.n > 0 {
		g.top = g.order.at(0)
	}
	if agents := g.n - g.agents; agents > 0 && !s.Clean {
		g.share = (g.n << 32) / 20 / agents
	}
	return g, nil
}

// expected is exact: each mistake costs its own row, and no other.
func (g *generator) expected() Counts {
	c := Counts{Codes: map[string]int{}}
	wrong := 0
	for kind := firstMistake; kind < mistakeKinds; kind++ {
		wrong += g.mistakes[kind]
		c.add(g.mistakes[kind], kind.outcome(), kind.codes()...)
	}
	c.add(g.spec.Users-wrong, inserted)
	// Who has somebody else's LAN ID in UserDetails has their own in the other two files.
	c.Stray = 2 * (g.mistakes[lanRepeated] + g.mistakes[rowRepeated])
	c.note(c.Stray/2, "channel.unknown_user", "feature.unknown_user")
	return c
}
