package directory

import (
	"context"
	"fmt"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"muster/internal/sqldb"
)

// EmailColumn is what the problems of an e-mail address name as their column; the import's files have none.
const EmailColumn = "E-mail"

// longestEmail is in characters, as RFC 5321 has it.
const longestEmail = 254

// judged is a user as typed, and what the rules make of it.
type judged struct {
	rules *Rules
	known *known
	held  *standing // who they are; nil for a new one
	in    UserInput // cleaned
	c     Candidate
}

// judgeInput asks the rules of the import of one user. What differs is said here: a user's own ids are not taken, what
// stays as it was may stay, an administrator can be made, and somebody can already report to the user.
func (h *Handle) judgeInput(ctx context.Context, q sqldb.Querier, k *known, held *standing, in UserInput) (*judged, error) {
	j := &judged{rules: NewRules(k.cfg, h.actor), known: k, held: held, in: in.cleaned()}
	j.c.Cells = j.in.cells()
	j.judgeCells()
	j.judgeDetails()
	j.keep()
	own := IDs{}
	if held != nil {
		own = IDs{First: held.ID, End: held.ID + 1}
	}
	p, err := j.rules.NewProbe(ctx, h.dir.DB, q, own)
	if err != nil {
		return nil, err
	}
	if err := j.judgeOthers(ctx, p); err != nil {
		return nil, err
	}
	if held != nil {
		if err := j.judgeReports(ctx, q); err != nil {
			return nil, err
		}
	}
	j.judgeGiving()
	j.forgive()
	return j, nil
}

// judgeCells is [Rules.JudgeRow] for a form: roles come one by one, and an administrator can be made.
func (j *judged) judgeCells() {
	r, c := j.rules, &j.c
	c.Key = Fold(c.Cells[LANID])
	r.judgeID(c, LANID)
	r.judgeName(c, FirstName, "the first name as it should appear")
	r.judgeName(c, LastName, "the last name as it should appear")
	r.judgeAgentID(c)
	j.judgeProfile()
	if c.Profile != Administrator || c.Cells[PBXID] != "" {
		r.judgePBXID(c)
	}
	r.judgeSupervisor(c)
	if c.Profile != Administrator || c.Cells[OrgUnitColumn] != "" {
		r.judgeOrgUnit(c)
	}
	if len(j.in.Roles) == 0 {
		c.missing(RoleColumn, "at least one role")
	}
	for _, name := range j.in.Roles {
		r.addRole(c, name)
	}
	r.judgeAccessRole(c)
	c.CRMNameID = r.lookUp(c, CRMNameColumn, r.crmNames, r.retiredCRMNames, r.nearCRMName, "CRM name")
	c.GreetingTemplateID = r.lookUp(c, GreetingColumn, r.greetings, r.retiredGreetings, r.nearGreeting, "text chat greeting template")
	j.judgeEmail()
}

// judgeProfile lets those who may do everything everywhere make and unmake administrators.
func (j *judged) judgeProfile() {
	c, a := &j.c, j.rules.actor
	p, _ := ParseProfile(c.Cells[ProfileColumn])
	was := j.held != nil && j.held.Profile == Administrator
	whole := a.MayGrant(AllRights()) && a.scope.IsEverywhere()
	switch {
	case p != Administrator:
		j.rules.judgeProfile(c)
		if was && !whole {
			c.problem(ProfileColumn, "not_removable", Error, "%s is an administrator; only somebody with every right, everywhere, may make them something else.", j.held.LANID)
		}
		return
	case !was && !whole:
		c.problem(ProfileColumn, "not_grantable", Error, "You may not make an administrator: that takes every right, everywhere; use Agent or Supervisor.")
	}
	c.Profile = Administrator
}

func (j *judged) judgeEmail() {
	email := j.in.Email
	if email == "" {
		return
	}
	problem := func(code, format string, args ...any) {
		j.c.Reject(Problem{LANID: Shorten(j.in.LANID), Column: EmailColumn, Code: "email." + code, Severity: Error, Value: Shorten(email), Message: fmt.Sprintf(format, args...)})
	}
	if n := utf8.RuneCountInString(email); n > longestEmail {
		problem("too_long", "E-mail has %d characters, %d are allowed; shorten it.", n, longestEmail)
		return
	}
	a, err := mail.ParseAddress(email)
	if err != nil || a.Address != email || strings.ContainsFunc(email, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		problem("not_an_address", "E-mail %q is no address; enter one like name@example.com, or leave it blank.", Shorten(email))
	}
}

// judgeDetails judges counts and values by the names of the catalogue. What shows as it did before stays as it is stored.
func (j *judged) judgeDetails() {
	for i, ch := range j.known.cfg.Channels {
		cell, there := j.in.ChannelCounts[ch.Name]
		if j.held != nil && there && cell == strconv.Itoa(j.held.ChannelCounts[ch.Name]) {
			if n, own := j.held.counts[ch.Name]; own {
				j.c.Channels = append(j.c.Channels, ChannelCount{ChannelID: ch.ID, Count: int64(n)})
			}
			continue
		}
		v, differs, p := j.rules.JudgeChannelCount(i, cell)
		j.reject(p)
		if differs {
			j.c.Channels = append(j.c.Channels, v)
		}
	}
	for i, f := range j.known.cfg.Features {
		cell, there := j.in.Features[f.Name]
		if j.held != nil && there && cell == j.held.Features[f.Name] {
			if v, own := j.held.values[f.Name]; own {
				j.c.Features = append(j.c.Features, FeatureValue{FeatureID: f.ID, Value: v})
			}
			continue
		}
		v, differs, p := j.rules.JudgeFeatureValue(i, cell)
		j.reject(p)
		if differs {
			j.c.Features = append(j.c.Features, v)
		}
	}
	j.judgeNames("channel", j.in.ChannelCounts, each(j.known.cfg.Channels, func(c Channel) string { return c.Name }))
	j.judgeNames("feature", j.in.Features, each(j.known.cfg.Features, func(f Feature) string { return f.Name }))
}

// judgeNames reports cells of what the catalogue does not have, as an import reports columns.
func (j *judged) judgeNames(what string, cells map[string]string, known []string) {
	var names []string
	for name, cell := range cells {
		if cell != "" && !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		j.reject(&Problem{Column: Shorten(name), Code: what + ".unknown", Severity: Error, Value: Shorten(cells[name]),
			Message: fmt.Sprintf("There is no %s %q; use one that is defined.", what, Shorten(name)), Suggestion: Nearest(Shorten(name), known)})
	}
}

func (j *judged) reject(p *Problem) {
	if p != nil {
		p.LANID = Shorten(j.in.LANID)
		j.c.Reject(*p)
	}
}
