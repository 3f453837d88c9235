package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/useredit"
)

// mayEditMany lets in who may do some of what editMany, the rights that bulk edits of users need, are for.
var (
	mayEditMany = []directory.Right{"users:edit"}
	editMany    = []directory.Right{"users:access", "users:edit"}
)

func (s *Server) editRoutes() []route {
	return []route{
		{pattern: "GET /edits/file", any: mayEditMany, do: s.editFileDialog},
		{pattern: "POST /edits/file", any: mayEditMany, upload: true, do: s.editFromFile},
		{pattern: "POST /edits/{action}", any: mayEditMany, do: s.openEdit},
		{pattern: "GET /edits/{set}/{action}", any: mayEditMany, do: s.editWindow},
		{pattern: "POST /edits/{set}/{action}", any: mayEditMany, do: s.applyEdit},
		{pattern: "POST /edits/{set}/{action}/effects", any: mayEditMany, do: s.editEffects},
		{pattern: "GET /edits/{set}/{action}/units", any: mayEditMany, do: s.editUnits},
	}
}

// editAction is a bulk edit as the menu and its window call it.
type editAction struct {
	Name, Title string // as in addresses and of the batch; in words
	Icon, Key   string
}

// editActions are the bulk edits in the order of the menu.
var editActions = []editAction{
	{useredit.AssignRole, "Assign role", "shield-lock", "r"},
	{useredit.SetStatus, "Set status", "user-check", "s"},
	{useredit.MoveUsers, "Move to org unit", "sitemap", "m"},
	{useredit.ChangeSupervisor, "Change supervisor", "users-group", "c"},
}

// editActionOf is the bulk edit of that name.
func editActionOf(name string) (editAction, bool) {
	i := slices.IndexFunc(editActions, func(a editAction) bool { return a.Name == name })
	if i < 0 {
		return editAction{}, false
	}
	return editActions[i], true
}

// openEdit freezes who is selected, and opens the window about them.
func (s *Server) openEdit(v *visit) error {
	if err := v.actor().Need(editMany...); err != nil {
		return err
	}
	action, known := editActionOf(v.PathValue("action"))
	if !known {
		return errNothingHere
	}
	source, err := editSource(v.URL.Query())
	if err != nil {
		return err
	}
	return s.openEditOf(v, action, source)
}

func (s *Server) openEditOf(v *visit, action editAction, source useredit.Source) error {
	set, err := useredit.Freeze(v.ctx(), s.Engine, v.actor(), source)
	if err != nil {
		return err
	}
	w := &editWindow{Action: action, Set: set, Over: v.asked()}
	if !w.Over {
		return v.redirect(w.path())
	}
	return s.showEdit(v, http.StatusOK, w)
}

// editSource says whom an edit is to be about: an address of the grid, or the users of a batch's result.
func editSource(q url.Values) (source useredit.Source, err error) {
	if q.Has("from_batch") {
		if source.Batch, err = strconv.ParseInt(q.Get("from_batch"), 10, 64); err != nil || source.Batch < 1 {
			return source, errNothingHere
		}
		source.Outcome = directory.Outcome(q.Get("outcome"))
		return source, nil
	}
	a, err := parseUsersAddress(q)
	if err != nil {
		return source, err
	}
	switch {
	case a.selected.all:
		source.Filter, source.Name = &a.query.Filter, filterWords(&a)
	case len(a.selected.ids) > 0:
		source.IDs = a.selected.ids
	default:
		return source, fault.New(fault.Invalid, "nobody is selected; select users in the grid, or all that match, and choose the action again")
	}
	return source, nil
}

// openedEdit is the window that the address names, with nothing chosen in it yet.
func (s *Server) openedEdit(v *visit) (*editWindow, error) {
	action, known := editActionOf(v.PathValue("action"))
	if !known {
		return nil, errNothingHere
	}
	set, err := useredit.OpenSet(v.ctx(), s.Engine, v.actor(), v.PathValue("set"))
	if err != nil {
		return nil, err
	}
	return &editWindow{Action: action, Set: set, Over: v.asked()}, nil
}

func (s *Server) editWindow(v *visit) error {
	w, err := s.openedEdit(v)
	if err != nil {
		return err
	}
	return s.showEdit(v, http.StatusOK, w)
}

// showEdit shows the window: over the page, or as a page of its own. What is chosen in it has its consequences beside it.
func (s *Server) showEdit(v *visit, status int, w *editWindow) error {
	if err := s.fillEdit(v, w); err != nil {
		return err
	}
	if err := s.fillEffects(v, w); err != nil {
		return err
	}
	if w.Over {
		return v.write(status, editView(w))
	}
	return v.showStatus(status, w.Action.Title, editPageView(w))
}

// editEffects says what would come of what is chosen by now.
func (s *Server) editEffects(v *visit) error {
	w, err := s.openedEdit(v)
	if err != nil {
		return err
	}
	w.Chosen.read(v)
	if err := s.fillEffects(v, w); err != nil {
		return err
	}
	if !v.fragment("edit-effects") {
		return s.showEdit(v, http.StatusOK, w)
	}
	return v.part(editEffectsView(w))
}

// editUnits are the units that fit what is typed.
func (s *Server) editUnits(v *visit) error {
	w, err := s.openedEdit(v)
	if err != nil {
		return err
	}
	if w.Action.Name != useredit.MoveUsers {
		return errNothingHere
	}
	w.Chosen.Find = v.FormValue("find")
	w.Chosen.Unit, _ = strconv.ParseInt(v.FormValue("unit"), 10, 64)
	if err := s.fillEdit(v, w); err != nil {
		return err
	}
	if !v.fragment("edit-units") {
		return s.showEdit(v, http.StatusOK, w)
	}
	return v.part(editUnits(w))
}

// applyEdit makes the batch, and goes to it. What was chosen is shown again where that is refused.
func (s *Server) applyEdit(v *visit) error {
	w, err := s.openedEdit(v)
	if err != nil {
		return err
	}
	w.Chosen.read(v)
	b, err := s.createEdit(v, w)
	if err == nil {
		return v.redirect(batchPath(b.ID))
	}
	f, ok := v.mendable(err)
	if !ok {
		return err
	}
	w.Problem = f.Message
	return s.showEdit(v, f.Status, w)
}

func (s *Server) createEdit(v *visit, w *editWindow) (*batch.Batch, error) {
	edit, err := w.edit()
	if err != nil {
		return nil, err
	}
	return useredit.CreateEdit(v.ctx(), s.Engine, v.actor(), w.Set.ID, edit)
}
