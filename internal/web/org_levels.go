package web

import (
	"net/http"
	"strconv"
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
)

// levelsEditor is the dialog that names the levels.
type levelsEditor struct {
	Levels  []string // as typed
	Seen    []string // as they were
	New     string
	Problem string
}

// mayLevels are those who may change what holds for the whole structure.
func (v *visit) mayLevels() error {
	if err := v.actor().Need(seeOrg, editOrg); err != nil {
		return err
	}
	if !v.actor().Scope().IsEverywhere() {
		return fault.New(fault.Forbidden, "levels concern the whole organization, and your access role does not; ask somebody whose access role has the scope everywhere")
	}
	return nil
}

func (s *Server) levelsDialog(v *visit) error {
	if err := v.mayLevels(); err != nil {
		return err
	}
	levels, err := v.handle().OrgLevels(v.ctx())
	if err != nil {
		return err
	}
	return v.orgDialog(http.StatusOK, "Levels", levelsView(&levelsEditor{Levels: levels, Seen: levels}))
}

// saveLevels takes the names from the top, one more at the bottom, or the lowest away.
func (s *Server) saveLevels(v *visit) error {
	if err := v.mayLevels(); err != nil {
		return err
	}
	e := &levelsEditor{Seen: v.Form["seen"], New: strings.TrimSpace(v.FormValue("new"))}
	for _, name := range v.Form["level"] {
		e.Levels = append(e.Levels, strings.TrimSpace(name))
	}
	want := e.Levels
	switch {
	case v.FormValue("remove") != "" && len(want) > 0:
		want = want[:len(want)-1]
	case e.New != "":
		want = append(want[:len(want):len(want)], e.New)
	}
	if err := v.handle().SetLevels(v.ctx(), e.Seen, want); err != nil {
		return v.orgAgain(err, func(status int, problem string) error {
			e.Problem = problem
			if status == http.StatusConflict { // typed for levels that are others now
				now, err := v.handle().OrgLevels(v.ctx())
				if err != nil {
					return err
				}
				e.Levels, e.Seen = now, now
			}
			return v.orgDialog(status, "Levels", levelsView(e))
		})
	}
	return v.redirect(v.orgAddress(0))
}

func levelLabel(i int, levels []string) string {
	switch {
	case i == 0 && len(levels) == 1:
		return "The only level"
	case i == 0:
		return "Level 1, the top"
	case i == len(levels)-1:
		return "Level " + strconv.Itoa(i+1) + ", the teams"
	}
	return "Level " + strconv.Itoa(i+1)
}

// unitImport is the dialog that adds the units of a spreadsheet, and what it would add.
type unitImport struct {
	File     string
	Plan     *directory.UnitPlan // nil until a file was looked at
	Problems []string
	Problem  string
}

// mostPreviewed are the new units that a preview lists.
const mostPreviewed = 200

func (p *unitImport) shown() []string { return p.Plan.New[:min(len(p.Plan.New), mostPreviewed)] }

func (p *unitImport) shownProblems() []string { return p.Problems[:min(len(p.Problems), 20)] }
