package web

import (
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/useredit"
)

// errNotChosen is of what the form leaves open; its consequences cannot be told.
func errNotChosen(format string, args ...any) error { return fault.New(fault.Invalid, format, args...) }

// edit is what was chosen; an error of kind Invalid says what is missing.
func (w *editWindow) edit() (e useredit.Edit, err error) {
	c := &w.Chosen
	e = useredit.Edit{Preview: c.Preview}
	switch w.Action.Name {
	case useredit.AssignRole:
		e.Roles, err = c.roleEdit()
	case useredit.SetStatus:
		e.Reason = c.Reason
		e.Status, err = c.statusEdit()
	case useredit.MoveUsers:
		if c.Unit == 0 {
			err = errNotChosen("no org unit is chosen; choose where they go")
		}
		e.Move = &directory.MoveEdit{Unit: c.Unit}
	default:
		e.Supervisor, err = c.supervisorEdit()
	}
	return e, err
}

func (c *editChosen) roleEdit() (*directory.RoleEdit, error) {
	e := &directory.RoleEdit{Mode: directory.AddRoles, Roles: c.Roles}
	switch {
	case c.Remove && c.Exactly:
		return nil, errNotChosen("“Remove existing role” and “Set exactly these” exclude each other; choose one of them")
	case c.Remove:
		e.Mode = directory.RemoveRoles
	case c.Exactly:
		e.Mode = directory.SetRoles
	}
	if len(e.Roles) == 0 && !c.Exactly {
		return nil, errNotChosen("no role is chosen; choose one or more")
	}
	return e, nil
}

func (c *editChosen) statusEdit() (*directory.StatusEdit, error) {
	switch c.Status {
	case "active":
		return &directory.StatusEdit{Active: true}, nil
	case "inactive":
		return &directory.StatusEdit{ReleasePBX: c.Release}, nil
	}
	return nil, errNotChosen("no status is chosen; choose one")
}

func (c *editChosen) supervisorEdit() (*directory.SupervisorEdit, error) {
	if c.None {
		return &directory.SupervisorEdit{}, nil
	}
	if c.Supervisor == "" {
		return nil, errNotChosen("no supervisor is chosen; type part of a name to find one")
	}
	return &directory.SupervisorEdit{LANID: c.Supervisor}, nil
}

// fillEffects tells what would come of what is chosen.
func (s *Server) fillEffects(v *visit, w *editWindow) error {
	w.Effects = &editEffects{}
	edit, err := w.edit()
	if err != nil {
		w.Effects.Waits = waitsWords(w.Action.Name)
		if w.Chosen.Remove && w.Chosen.Exactly {
			w.Effects.Problem = failureOf(err).Message
		}
		return nil
	}
	found, err := useredit.Consequence(v.ctx(), s.Engine, v.actor(), w.Set.ID, edit)
	if err != nil {
		f, ok := refused(v, err)
		if !ok && fault.KindOf(err) == fault.NotFound {
			f, ok = failureOf(err), true
		}
		if !ok {
			return err
		}
		w.Effects.Problem = f.Message
		return nil
	}
	w.Effects = editEffectsOf(w, edit, found)
	return nil
}

// waitsWords say what has to be chosen before there is anything to tell.
func waitsWords(action string) string {
	switch action {
	case useredit.AssignRole:
		return "Choose one or more roles: how many users gain or lose them, and which rights and rules that means, is shown here."
	case useredit.SetStatus:
		return "Choose a status: how many users change, and who is left out, is shown here."
	case useredit.MoveUsers:
		return "Choose an org unit: how many users move, and who is left out, is shown here."
	}
	return "Choose a supervisor: how many users get them, and who is left out, is shown here."
}

func editEffectsOf(w *editWindow, edit useredit.Edit, c *useredit.Consequences) *editEffects {
	e := &editEffects{Changes: c.Changes, Guard: c.Guard, Asks: c.Approval, ChangedSince: c.ChangedSince}
	for _, l := range c.Left {
		e.LeftOut += l.Users
		e.Left = append(e.Left, editLeft{Code: l.Code, Why: leftWords(l), Users: l.Users})
	}
	for _, n := range c.Notes {
		e.Notes = append(e.Notes, number(n.Users)+" "+leftWords(n))
	}
	if edit.Roles != nil {
		e.takeRoles(edit.Roles.Mode, c)
	} else {
		e.Counts = []editCount{{"changes", changeLabel(w.Action.Name), "green", c.Changes}, {"same", "Already so", "grey", c.Same}}
	}
	e.Counts = append(e.Counts, editCount{"left", "Left out", "red", e.LeftOut})
	if c.Same == c.Users && c.Users > 0 {
		e.Nobody = "They are all as you want them."
	} else {
		e.Nobody = "Below is why."
	}
	return e
}

// changeLabel is what becomes of those who change.
func changeLabel(action string) string {
	switch action {
	case useredit.MoveUsers:
		return "Move"
	case useredit.ChangeSupervisor:
		return "Get the supervisor"
	}
	return "Change"
}

// leftWords are what there is to say of some, and the LAN IDs of a few of them.
func leftWords(l useredit.LeftOut) string {
	words := l.Message
	if verb, rest, _ := strings.Cut(words, " "); l.Users == 1 && singular[verb] != "" {
		words = singular[verb] + " " + rest
	}
	if len(l.Examples) == 0 {
		return words
	}
	more := ""
	if l.Users > int64(len(l.Examples)) {
		more = " …"
	}
	return words + " (" + strings.Join(l.Examples, ", ") + more + ")"
}

// singular are verbs of what is said of several, where there is one.
var singular = map[string]string{"are": "is", "were": "was", "have": "has", "hold": "holds", "stay": "stays", "keep": "keeps", "report": "reports", "need": "needs", "supervise": "supervises", "do": "does"}

// takeRoles tells of roles: how many gain and lose, and what that means, in sum and role by role.
func (e *editEffects) takeRoles(mode directory.RoleMode, c *useredit.Consequences) {
	e.Counts = roleSums(mode, c)
	gain, lose := editPowers{Title: "Rights and rules that come"}, editPowers{Title: "Rights and rules that go"}
	for _, r := range c.Roles {
		e.Roles = append(e.Roles, editRoleEffect{Name: r.Name, Counts: roleCounts(mode, r), Rights: rightsWords(r.Rights), Rules: rulesOrNone(r.Rules)})
		if r.Gain > 0 {
			gain.take(r)
		}
		if r.Lose > 0 {
			lose.take(r)
		}
	}
	e.Powers = []editPowers{gain.inWords(), lose.inWords()}
	if c.Without > 0 {
		e.Notes = append(e.Notes, withoutWords(c.Without))
	}
}
