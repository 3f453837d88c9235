package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"muster/internal/directory"
)

// userForm is the form in which one user is added or edited, with what was typed into it.
type userForm struct {
	ID       int64 // 0: a new one
	Version  int64 // that the form began with
	Name     string
	In       directory.UserInput
	Reason   string
	Step     string                  // the one that is shown
	Found    []directory.Problem     // shown beside their fields
	Conflict *directory.UserConflict // somebody else saved meanwhile
	Failure  string                  // why nothing was saved, where that is no field's
	Profile  directory.Profile       // that the user has; 0 for a new one
	Held     []string                // the roles that the user has
	// SupervisorIs says who it is whose LAN ID stands in the field.
	SupervisorIs string
	Picture      pictureForm

	cfg   *directory.Configuration
	actor directory.Actor
}

// userStep is a step of the form.
type userStep struct{ ID, Label, Text string }

// steps are walked through when somebody is added; an edit may be saved in any of them.
func (f *userForm) steps() []userStep {
	all := []userStep{
		{"personal", "Personal info", "Who it is, and where they belong."},
	}
	if f.Picture.May {
		all = append(all, userStep{"picture", "Profile picture", "A picture by which they are known, by people and by face authentication. It can be given later as well."})
	}
	all = append(all, []userStep{
		{"channels", "Channel counts", "How many sessions of each channel they may hold at once. A blank one follows the catalogue."},
		{"features", "Features", "The switches of the agent's desktop. What follows the catalogue changes with it."},
		{"roles", "Roles", "What they may do, and where."},
	}...)
	if f.ID == 0 {
		all = append(all, userStep{"summary", "Summary", "What will be added."})
	}
	return all
}

// nextLabel is where the button goes on to from a step.
func (f *userForm) nextLabel(id string) string {
	all := f.steps()
	if i := slices.IndexFunc(all, func(s userStep) bool { return s.ID == id }); i >= 0 && i+1 < len(all) {
		return all[i+1].Label
	}
	return ""
}

// userField is one field of the form.
type userField struct {
	ID, Step, Label, Hint, Value string
	Options                      []option // of a choice; a field to type into has none
	Required, Number             bool
	Suggest                      bool // what is typed is looked up
	Kind                         string
}

// option is an entry of a choice.
type option struct{ Value, Text string }

// options are names to choose from, with none of them before, and what is chosen even where it is gone by now.
func options(none, chosen string, names []string) []option {
	all := []option{{"", none}}
	for _, name := range names {
		all = append(all, option{name, name})
	}
	if chosen != "" && !slices.Contains(names, chosen) {
		all = append(all, option{chosen, chosen + " (not offered any more)"})
	}
	return all
}

func namesOf[T any](all []T, name func(T) string) []string {
	names := make([]string, len(all))
	for i, v := range all {
		names[i] = name(v)
	}
	return names
}

// personal are the fields of the first step.
func (f *userForm) personal() []userField {
	in := &f.In
	crm := namesOf(f.cfg.CRMNames, func(n directory.Named) string { return n.Name })
	greetings := namesOf(f.cfg.GreetingTemplates, func(g directory.GreetingTemplate) string { return g.Name })
	lead := "The LAN ID of a supervisor. An agent needs one."
	if f.SupervisorIs != "" {
		lead = f.SupervisorIs
	}
	return []userField{
		{ID: "first_name", Label: "First name", Value: in.FirstName, Required: true},
		{ID: "last_name", Label: "Last name", Value: in.LastName, Required: true},
		{ID: "lan_id", Label: "LAN ID", Value: in.LANID, Required: true, Hint: "The unique name to sign in with, kept as typed."},
		{ID: "agent_id", Label: "Agent ID", Value: in.AgentID, Hint: "Blank: the same as the LAN ID."},
		{ID: "pbx_id", Label: "PBX ID", Value: in.PBXID, Required: f.Profile != directory.Administrator, Number: true, Hint: "The number on the telephone switch, digits only."},
		{ID: "email", Label: "E-mail", Value: in.Email, Hint: "Optional.", Kind: "email"},
		{ID: "profile", Label: "Profile", Value: in.Profile, Required: true, Options: f.profiles()},
		{ID: "supervisor", Label: "Supervisor", Value: in.Supervisor, Hint: lead, Suggest: true},
		{ID: "org_unit", Label: "Org unit", Value: in.OrgUnit, Required: f.Profile != directory.Administrator, Hint: "Agents belong to a unit on the lowest level" + f.lowest() + ".", Suggest: true},
		{ID: "crm_name", Label: "CRM name", Value: in.CRMName, Options: options("None", in.CRMName, crm)},
		{ID: "greeting_template", Label: "Greeting template", Value: in.GreetingTemplate, Options: options("None", in.GreetingTemplate, greetings), Hint: "Greets the customer of a text chat."},
	}
}

// picture is the field of the second step; there is none for who may give no pictures.
func (f *userForm) picture() []userField {
	if !f.Picture.May {
		return nil
	}
	return []userField{{ID: "picture", Label: "Picture", Value: f.Picture.Name, Hint: pictureHint}}
}

func (f *userForm) lowest() string {
	if n := len(f.cfg.Levels); n > 0 {
		return " (" + f.cfg.Levels[n-1] + ")"
	}
	return ""
}

// profiles are what somebody can be made: an administrator only by who may do everything everywhere.
func (f *userForm) profiles() []option {
	all := []option{{"Agent", "Agent"}, {"Supervisor", "Supervisor"}}
	if f.Profile == directory.Administrator || f.actor.MayGrant(directory.AllRights()) && f.actor.Scope().IsEverywhere() {
		all = append(all, option{"Administrator", "Administrator"})
	}
	if !slices.ContainsFunc(all, func(o option) bool { return o.Value == f.In.Profile }) {
		all = append([]option{{f.In.Profile, "Choose…"}}, all...)
	}
	return all
}

func (f *userForm) channels() []userField {
	var all []userField
	for _, c := range f.cfg.Channels {
		all = append(all, userField{ID: channelField(c), Label: c.Name, Value: f.In.ChannelCounts[c.Name], Number: true,
			Hint: fmt.Sprintf("0 to %d; blank: %d, as usual", c.Highest, c.Default)})
	}
	return all
}

func (f *userForm) features() []userField {
	var all []userField
	for _, c := range f.cfg.Features {
		values := c.Values
		if c.Kind == "switch" {
			values = directory.SwitchValues
		}
		value := f.In.Features[c.Name]
		all = append(all, userField{ID: featureField(c), Label: c.Name, Value: value, Options: options("As usual: "+c.Default, value, values)})
	}
	return all
}

func (f *userForm) access() userField {
	var all []option
	for _, a := range f.cfg.AccessRoles {
		all = append(all, option{a.Name, a.Name + ": " + accessRoleWords(a)})
	}
	chosen := f.In.AccessRole
	if chosen != "" && !slices.ContainsFunc(all, func(o option) bool { return o.Value == chosen }) {
		all = append(all, option{chosen, chosen + " (not offered any more)"})
	}
	return userField{ID: "access_role", Label: "Access role", Value: chosen, Options: append([]option{{"", "None: the rights of their roles apply nowhere"}}, all...),
		Hint: "Where the rights of their roles apply."}
}

// The names of fields go by the catalogue's ids: somebody may rename a channel while the form is open.
func channelField(c directory.Channel) string { return "channel-" + strconv.FormatInt(c.ID, 10) }
func featureField(c directory.Feature) string { return "feature-" + strconv.FormatInt(c.ID, 10) }

// fields are all of the form with the step that each is in.
func (f *userForm) fields() []userField {
	var all []userField
	for _, of := range []struct {
		step   string
		fields []userField
	}{
		{"personal", f.personal()}, {"picture", f.picture()}, {"channels", f.channels()}, {"features", f.features()},
		{"roles", []userField{{ID: "role", Label: "Roles", Value: strings.Join(f.In.Roles, "; "), Required: true}, f.access()}},
	} {
		for _, field := range of.fields {
			field.Step = of.step
			all = append(all, field)
		}
	}
	return all
}

// fieldOf is the field that a problem is about, "" where it is none of the form's.
func (f *userForm) fieldOf(p directory.Problem) string {
	prefix, _, _ := strings.Cut(p.Code, ".")
	switch prefix {
	case "channel", "feature":
		return f.fieldCalled(p.Column)
	}
	return prefix
}

// fieldCalled is the field of a channel or feature.
func (f *userForm) fieldCalled(name string) string {
	for _, c := range f.cfg.Channels {
		if c.Name == name {
			return channelField(c)
		}
	}
	for _, c := range f.cfg.Features {
		if c.Name == name {
			return featureField(c)
		}
	}
	return ""
}

// problemsOf are those of a field, errors first.
func (f *userForm) problemsOf(id string) []directory.Problem {
	var errs, others []directory.Problem
	for _, p := range f.Found {
		switch {
		case f.fieldOf(p) != id:
		case p.Severity == directory.Error:
			errs = append(errs, p)
		default:
			others = append(others, p)
		}
	}
	return append(errs, others...)
}

func (f *userForm) hasError(id string) bool {
	all := f.problemsOf(id)
	return len(all) > 0 && all[0].Severity == directory.Error
}

// elsewhere are errors that are beside no field.
func (f *userForm) elsewhere() []directory.Problem {
	var all []directory.Problem
	fields := f.fields()
	for _, p := range f.Found {
		id := f.fieldOf(p)
		if p.Severity == directory.Error && !slices.ContainsFunc(fields, func(of userField) bool { return of.ID == id }) {
			all = append(all, p)
		}
	}
	return all
}

// errorsIn is how many fields of a step have errors.
func (f *userForm) errorsIn(step string) int {
	n := 0
	for _, field := range f.fields() {
		if (step == "" || field.Step == step) && f.hasError(field.ID) {
			n++
		}
	}
	return n
}

// turnTo shows the first step that has errors.
func (f *userForm) turnTo() {
	for _, s := range f.steps() {
		if f.errorsIn(s.ID) > 0 {
			f.Step = s.ID
			return
		}
	}
}

// read takes what was typed.
func (f *userForm) read(v *visit) {
	get := func(name string) string { return strings.TrimSpace(v.PostFormValue(name)) }
	f.In = directory.UserInput{
		LANID: get("lan_id"), FirstName: get("first_name"), LastName: get("last_name"), AgentID: get("agent_id"), PBXID: get("pbx_id"),
		Profile: get("profile"), Supervisor: get("supervisor"), OrgUnit: get("org_unit"), AccessRole: get("access_role"), CRMName: get("crm_name"),
		GreetingTemplate: get("greeting_template"), Email: get("email"), Roles: v.PostForm["role"],
		ChannelCounts: map[string]string{}, Features: map[string]string{},
	}
	for _, c := range f.cfg.Channels {
		if value := get(channelField(c)); value != "" {
			f.In.ChannelCounts[c.Name] = value
		}
	}
	for _, c := range f.cfg.Features {
		if value := get(featureField(c)); value != "" {
			f.In.Features[c.Name] = value
		}
	}
	f.Reason, f.Picture.Name = get("reason"), get("picture_name")
	f.Version, _ = strconv.ParseInt(get("version"), 10, 64)
	if step := get("step"); slices.ContainsFunc(f.steps(), func(s userStep) bool { return s.ID == step }) {
		f.Step = step
	}
}

// roleChoice of the form: a role with what it brings.
type userRoleChoice struct {
	Name, Brings  string
	Chosen, Given bool // Given: it may be given, and taken away
}

func (f *userForm) roles() []userRoleChoice {
	var all []userRoleChoice
	for _, r := range f.cfg.Roles {
		all = append(all, userRoleChoice{Name: r.Name, Brings: rightsWords(r.Rights), Chosen: slices.Contains(f.In.Roles, r.Name),
			Given: f.actor.MayGrant(r.Rights) || slices.Contains(f.In.Roles, r.Name) && !slices.Contains(f.Held, r.Name)})
	}
	for _, name := range f.In.Roles {
		if !slices.ContainsFunc(all, func(r userRoleChoice) bool { return r.Name == name }) {
			all = append(all, userRoleChoice{Name: name, Brings: "not there any more", Chosen: true, Given: true})
		}
	}
	return all
}

func (f *userForm) title() string {
	if f.ID == 0 {
		return "Add user"
	}
	return "Edit " + f.Name
}

func (f *userForm) path() string {
	if f.ID == 0 {
		return "/users/new"
	}
	return userPath(f.ID) + "/edit"
}

func (f *userForm) checkPath() string {
	if f.ID == 0 {
		return "/users/new/check"
	}
	return userPath(f.ID) + "/check"
}

func (f *userForm) cancelPath() string {
	if f.ID == 0 {
		return "/users"
	}
	return userPath(f.ID)
}

// userPath is a user's page.
func userPath(id int64) string { return "/users/" + strconv.FormatInt(id, 10) }
