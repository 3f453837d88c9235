package web

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/useredit"
)

// editEffects is what would come of what is chosen in the window of a bulk edit.
type editEffects struct {
	Waits        string // what is still to be chosen; the rest is then blank
	Problem      string // why it cannot be done at all
	Changes      int64  // users that would change
	Counts       []editCount
	Nobody       string // why, where nobody would change
	Guard        batch.Guard
	Asks         bool // a second person has to approve it
	Notes        []string
	ChangedSince int64 // since the set was frozen
	LeftOut      int64
	Left         []editLeft
	Powers       []editPowers
	Roles        []editRoleEffect
}

// editCount is a number of users.
type editCount struct {
	Name, Label, Tone string
	Users             int64
}

// tone is the number's colour: none where there is nobody.
func (c editCount) tone() string {
	if c.Users == 0 {
		return "grey"
	}
	return c.Tone
}

// editLeft is why some are left out.
type editLeft struct {
	Code, Why string
	Users     int64
}

// editPowers are rights and rules that come or go.
type editPowers struct {
	Title         string
	Rights, Rules []string
	rights        []directory.Right
}

// editRoleEffect is what is done about one role.
type editRoleEffect struct{ Name, Counts, Rights, Rules string }

// says is the sum in a sentence, for those who hear it.
func (e *editEffects) says() string {
	switch {
	case e.Problem != "":
		return e.Problem
	case e.Waits != "":
		return ""
	}
	var parts []string
	for _, c := range e.Counts {
		parts = append(parts, c.Label+": "+number(c.Users))
	}
	return strings.Join(parts, ", ")
}

func leftOutHeading(n int64) string {
	if n == 1 {
		return "1 user is left out"
	}
	return number(n) + " users are left out"
}

func changedSinceWords(n int64) string {
	if n == 1 {
		return "1 of them changed since this window was opened; it applies to them as they are now."
	}
	return fmt.Sprintf("%s of them changed since this window was opened; it applies to them as they are now.", number(n))
}

// editGuardWords say that more users change than may without asking.
func editGuardWords(g batch.Guard) string {
	return fmt.Sprintf("These are %s %% of the %s that there are, more than may change without asking: the next page asks for their number, %s.", number(g.Percent()), count(g.Of, "user"), number(g.Users))
}

func frozenWords(set *useredit.Set) string {
	if set.Users == 1 {
		return "It applies to this user only, whatever else you select meanwhile."
	}
	return "It applies to exactly these " + number(set.Users) + " users, whoever comes to match meanwhile."
}

func unknownWords(n int64) string {
	if n == 1 {
		return "1 LAN ID belongs to nobody whom you may see"
	}
	return number(n) + " LAN IDs belong to nobody whom you may see"
}

// take adds what a role brings.
func (p *editPowers) take(r useredit.RoleConsequence) {
	p.rights = append(p.rights, r.Rights...)
	for _, rule := range r.Rules {
		if words := roleRules([]directory.Rule{rule}); !slices.Contains(p.Rules, words) {
			p.Rules = append(p.Rules, words)
		}
	}
}

// inWords says the rights, module by module.
func (p editPowers) inWords() editPowers {
	for _, module := range directory.Modules {
		var actions []string
		for _, action := range directory.Actions {
			if slices.Contains(p.rights, right(module, action)) {
				actions = append(actions, action)
			}
		}
		if len(actions) > 0 {
			p.Rights = append(p.Rights, moduleWords[module]+": "+strings.Join(actions, ", "))
		}
	}
	return p
}

func rulesOrNone(rules []directory.Rule) string {
	if len(rules) == 0 {
		return "no rules"
	}
	return roleRules(rules)
}

// roleCounts are how many gain and lose one role, and how many have it or do not.
func roleCounts(mode directory.RoleMode, r useredit.RoleConsequence) string {
	var parts []string
	add := func(n int64, words string) {
		if n > 0 {
			parts = append(parts, number(n)+" "+words)
		}
	}
	add(r.Gain, "gain it")
	add(r.Lose, "lose it")
	if mode != directory.RemoveRoles {
		add(r.Have, "have it already")
	}
	if mode == directory.RemoveRoles {
		add(r.Lack, "do not have it")
	}
	if len(parts) == 0 {
		return "nobody changes"
	}
	return strings.Join(parts, " · ")
}

// roleSums are the numbers above what is told role by role.
func roleSums(mode directory.RoleMode, c *useredit.Consequences) []editCount {
	switch mode {
	case directory.RemoveRoles:
		return []editCount{{"changes", "Lose a role", "amber", c.Changes}, {"same", "Do not have it", "grey", c.Same}}
	case directory.SetRoles:
		return []editCount{{"changes", "Change", "green", c.Changes}, {"same", "Already so", "grey", c.Same}}
	}
	return []editCount{{"changes", "Gain a role", "green", c.Changes}, {"same", "Have it already", "grey", c.Same}}
}

func withoutWords(n int64) string {
	if n == 1 {
		return "1 user is left without any role. That is allowed; they can do nothing then."
	}
	return number(n) + " users are left without any role. That is allowed; they can do nothing then."
}

// filterWords are the conditions of a filter in a line: last name starts with “Sm”, in UAE / Retail and below.
func filterWords(a *usersAddress) string {
	p := usersPage{usersAddress: *a}
	var parts []string
	if search := a.query.Filter.Search; search != "" {
		parts = append(parts, "“"+search+"”")
	}
	for _, c := range p.chips() {
		parts = append(parts, lowered(c.Text))
	}
	return strings.Join(parts, ", ")
}

// lowered is a text as the middle of a sentence has it: PBX ID stays.
func lowered(s string) string {
	if len(s) > 1 && strings.ToUpper(s[:2]) == s[:2] {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
