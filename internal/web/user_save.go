package web

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
)

var (
	mayAddUsers    = []directory.Right{"users:add"}
	mayEditUsers   = []directory.Right{"users:edit"}
	mayDeleteUsers = []directory.Right{"users:delete"}
)

// id is the number in the address.
func (v *visit) userID() (int64, error) {
	id, err := strconv.ParseInt(v.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, errNothingHere
	}
	return id, nil
}

// newUserForm is the form of a user, or, where id is 0, of somebody new. It is filled with what is in the directory.
func (s *Server) newUserForm(v *visit, id int64) (*userForm, error) {
	f := &userForm{ID: id, Step: "personal", actor: v.actor(), Picture: pictureForm{May: v.can("users:edit") && v.can("pictures:add")}}
	cfg, err := configuration(v.ctx(), v.handle())
	if err != nil {
		return nil, err
	}
	f.cfg = cfg
	if id == 0 {
		return f, nil
	}
	u, err := v.handle().User(v.ctx(), id)
	if err != nil {
		return nil, err
	}
	f.Version, f.Name, f.In, f.Profile, f.Held = u.Version, fullName(&u), f.usual(u.Input()), u.Profile, u.Roles
	f.SupervisorIs, f.Picture.Has = u.SupervisorName, u.Picture
	return f, nil
}

func (s *Server) newUser(v *visit) error {
	f, err := s.newUserForm(v, 0)
	if err != nil {
		return err
	}
	return v.show(f.title(), userFormView(f))
}

func (s *Server) editUser(v *visit) error {
	id, err := v.userID()
	if err != nil {
		return err
	}
	f, err := s.newUserForm(v, id)
	if err != nil {
		return err
	}
	return v.show(f.title(), userFormView(f))
}

// addUser adds somebody, or shows the form again with what keeps them out.
func (s *Server) addUser(v *visit) error {
	f, err := s.newUserForm(v, 0)
	if err != nil {
		return err
	}
	f.read(v)
	picture, refused, err := s.judgePicture(v, f)
	if err != nil || refused {
		return s.pictureRefused(v, f, err)
	}
	u, problems, err := v.handle().AddUser(v.ctx(), f.In)
	if err != nil {
		return s.userNotSaved(v, f, err)
	}
	if f.Found = append(problems, picture.problems...); hasErrors(problems) || u.ID == 0 {
		f.turnTo()
		return s.userFormAgain(v, http.StatusUnprocessableEntity, f)
	}
	return v.redirect(userPath(u.ID) + "?done=" + s.givePictureTo(v, picture, &u, "", "added"))
}

func hasErrors(all []directory.Problem) bool {
	return slices.ContainsFunc(all, func(p directory.Problem) bool { return p.Severity == directory.Error })
}

// saveUser saves an edit, or shows the form again with what is wrong or what somebody else has changed.
func (s *Server) saveUser(v *visit) error {
	id, err := v.userID()
	if err != nil {
		return err
	}
	f, err := s.newUserForm(v, id)
	if err != nil {
		return err
	}
	now := f.In
	f.read(v)
	f.takeNow(v.PostForm, now)
	picture, refused, err := s.judgePicture(v, f)
	if err != nil || refused {
		return s.pictureRefused(v, f, err)
	}
	edit, err := v.handle().EditUser(v.ctx(), id, f.Version, f.In, f.Reason)
	switch {
	case err != nil:
		return s.userNotSaved(v, f, err)
	case edit.Conflict != nil:
		f.Conflict, f.Version, f.In = edit.Conflict, edit.Conflict.Now.Version, f.usual(edit.Conflict.Merged)
		return s.userFormAgain(v, http.StatusConflict, f)
	case hasErrors(edit.Problems):
		f.Found = append(edit.Problems, picture.problems...)
		f.turnTo()
		return s.userFormAgain(v, http.StatusUnprocessableEntity, f)
	}
	return v.redirect(userPath(id) + "?done=" + s.givePictureTo(v, picture, &edit.User, f.Reason, "saved"))
}

// userNotSaved shows the form again where what was typed can be mended, so that it is not lost.
func (s *Server) userNotSaved(v *visit, f *userForm, err error) error {
	switch fault.KindOf(err) {
	case fault.Forbidden, fault.Invalid, fault.Conflict, fault.Unavailable:
		setRetryAfter(v.w, err)
		failed := failureOf(err)
		f.Failure = failed.Message
		return s.userFormAgain(v, failed.Status, f)
	}
	return err
}

func (s *Server) userFormAgain(v *visit, status int, f *userForm) error {
	if v.fragment("user-form") {
		return v.write(status, userFormPart(f))
	}
	return v.showStatus(status, f.title(), userFormView(f))
}

// checkUser judges what is typed so far.
func (s *Server) checkUser(v *visit) (err error) {
	id := int64(0)
	if v.PathValue("id") != "" {
		if id, err = v.userID(); err != nil {
			return err
		}
	}
	f, err := s.newUserForm(v, id)
	if err != nil {
		return err
	}
	f.read(v)
	if f.Found, err = v.handle().CheckUser(v.ctx(), id, f.In); err != nil {
		return err
	}
	if f.SupervisorIs, err = s.supervisorIs(v, f); err != nil {
		return err
	}
	touched := strings.Fields(v.PostFormValue("touched"))
	fields := slices.DeleteFunc(f.fields(), func(of userField) bool { return !slices.Contains(touched, of.ID) || of.ID == "picture" })
	return v.part(userChecked(f, fields))
}

// supervisorIs says in words who is named as supervisor, as far as they may be seen.
func (s *Server) supervisorIs(v *visit, f *userForm) (string, error) {
	if f.In.Supervisor == "" || len(f.problemsOf("supervisor")) > 0 {
		return "", nil
	}
	u, err := v.handle().UserByLANID(v.ctx(), f.In.Supervisor)
	if fault.KindOf(err) == fault.NotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return supervisorWords(&u), nil
}

func supervisorWords(u *directory.User) string {
	if u.OrgUnit == "" {
		return fullName(u)
	}
	return fullName(u) + ", " + u.OrgUnit
}

// mostSuggested are offered below a field: who means another types more.
const mostSuggested = 12

// suggestUser offers units or supervisors that fit what is typed.
func (s *Server) suggestUser(v *visit) error {
	query := v.URL.Query()
	if query.Has("org_unit") {
		return s.suggestUnit(v, query.Get("org_unit"))
	}
	return s.suggestSupervisor(v, query.Get("supervisor"))
}

func (s *Server) suggestUnit(v *visit, typed string) error {
	cfg, err := configuration(v.ctx(), v.handle())
	if err != nil {
		return err
	}
	found, _ := findUnits(cfg.OrgUnits, v.actor().Scope(), typed)
	var all []option
	for _, unit := range found[:min(len(found), mostSuggested)] {
		all = append(all, option{Value: unambiguous(cfg.OrgUnits, unit)})
	}
	return v.part(userSuggestions(all))
}

// unambiguous is a unit's full name, as it means this one: a top-level unit whose name recurs below is "/ UAE".
func unambiguous(units []directory.OrgUnit, full string) string {
	for i := range units {
		if units[i].Name == full && units[i].FullName != full {
			return "/ " + full
		}
	}
	return full
}

func (s *Server) suggestSupervisor(v *visit, typed string) error {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return v.part(userSuggestions(nil))
	}
	found, err := v.handle().UsersPage(v.ctx(), directory.UserQuery{Limit: mostSuggested, Filter: directory.UserFilter{Search: typed, Where: []directory.Condition{
		{Column: "profile", Op: directory.OpNotEqual, Value: "Agent"}, {Column: "status", Op: directory.OpEqual, Value: "active"}}}})
	var refused *fault.Error
	if errors.As(err, &refused) && refused.Kind == fault.Invalid {
		return v.part(userSuggestions(nil)) // what is typed cannot be searched for
	}
	if err != nil {
		return err
	}
	var all []option
	for i := range found.Users {
		u := &found.Users[i]
		all = append(all, option{Value: u.LANID, Text: supervisorWords(u)})
	}
	return v.part(userSuggestions(all))
}

// userConflictLine is a field that somebody else has changed, as the form decides about it.
type userConflictLine struct {
	directory.FieldConflict
	ID, Label string
	Choice    bool // both have changed it, differently
	Note      string
}

// conflicts are the fields to decide about, and those that are decided.
func (f *userForm) conflicts() []userConflictLine {
	fields := f.fields()
	var all []userConflictLine
	for _, c := range f.Conflict.Fields {
		line := userConflictLine{FieldConflict: c, ID: f.fieldNamed(c.Field), Label: fieldLabel(c.Field)}
		if i := slices.IndexFunc(fields, func(field userField) bool { return field.ID == line.ID }); i >= 0 {
			line.Label = fields[i].Label
		}
		switch {
		case c.Field == "picture":
			line.ID, line.Note = "", "It stays as it is now, unless you selected another."
		case c.Same && line.ID == "":
			line.Note = "It stays as it is now."
		case c.Same:
			line.Note = "You made it the same."
		case !c.Unknown && c.Yours == c.Before:
			line.Note = "You had not changed it: it stays as it is now."
		default:
			line.Choice = line.ID != ""
		}
		all = append(all, line)
	}
	return all
}

// choices is how many fields are to be decided about.
func (f *userForm) choices() int {
	n := 0
	for _, line := range f.conflicts() {
		if line.Choice {
			n++
		}
	}
	return n
}

// fieldNamed is the form's field for what the audit calls it; "" where the form has none.
func (f *userForm) fieldNamed(name string) string {
	if name == "roles" {
		return "role"
	}
	if of, channel, found := strings.Cut(name, "."); found && (of == "channel_counts" || of == "features") {
		return f.fieldCalled(channel)
	}
	if slices.ContainsFunc(f.fields(), func(field userField) bool { return field.ID == name }) {
		return name
	}
	return ""
}

// usual blanks what is as the catalogue has it: a blank one follows the catalogue from then on.
func (f *userForm) usual(in directory.UserInput) directory.UserInput {
	in.ChannelCounts, in.Features = maps.Clone(in.ChannelCounts), maps.Clone(in.Features)
	for _, c := range f.cfg.Channels {
		if in.ChannelCounts[c.Name] == strconv.Itoa(c.Default) {
			delete(in.ChannelCounts, c.Name)
		}
	}
	for _, c := range f.cfg.Features {
		if in.Features[c.Name] == c.Default {
			delete(in.Features, c.Name)
		}
	}
	return in
}

// takeNow gives the fields that were decided so what the directory has now. Where a script runs, they have it already.
func (f *userForm) takeNow(form url.Values, now directory.UserInput) {
	takes := func(id string) bool { return form.Get("take-"+id) == "now" }
	for id, of := range map[string][2]*string{
		"lan_id": {&f.In.LANID, &now.LANID}, "first_name": {&f.In.FirstName, &now.FirstName}, "last_name": {&f.In.LastName, &now.LastName},
		"agent_id": {&f.In.AgentID, &now.AgentID}, "pbx_id": {&f.In.PBXID, &now.PBXID}, "email": {&f.In.Email, &now.Email},
		"profile": {&f.In.Profile, &now.Profile}, "supervisor": {&f.In.Supervisor, &now.Supervisor}, "org_unit": {&f.In.OrgUnit, &now.OrgUnit},
		"crm_name": {&f.In.CRMName, &now.CRMName}, "greeting_template": {&f.In.GreetingTemplate, &now.GreetingTemplate}, "access_role": {&f.In.AccessRole, &now.AccessRole},
	} {
		if takes(id) {
			*of[0] = *of[1]
		}
	}
	if takes("role") {
		f.In.Roles = now.Roles
	}
	for _, c := range f.cfg.Channels {
		if takes(channelField(c)) {
			f.In.ChannelCounts[c.Name] = now.ChannelCounts[c.Name]
		}
	}
	for _, c := range f.cfg.Features {
		if takes(featureField(c)) {
			f.In.Features[c.Name] = now.Features[c.Name]
		}
	}
}
