package web

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
)

// filterDialog asks for what the search box and the choice of org units do not.
type filterDialog struct {
	Keep            string // the address's other parts
	Conditions      []directory.Condition
	Profile, Status string
	Roles           []roleChoice
	WithoutPicture  bool
	Batch           string
	Problem         string
	Choices         map[string][]string // values of a column, where it has few
}

// roleChoice says of one role whether the users held it: "", "held" or "not".
type roleChoice struct{ Name, Choice string }

// userFilters shows the dialog, filled with the filter of the address.
func (s *Server) userFilters(v *visit) error {
	a, err := parseUsersAddress(v.URL.Query())
	if err != nil {
		return err
	}
	cfg, err := configuration(v.ctx(), v.handle())
	if err != nil {
		return err
	}
	return v.part(filtersView(newFilterDialog(&a, cfg)))
}

func newFilterDialog(a *usersAddress, cfg *directory.Configuration) *filterDialog {
	f := a.query.Filter
	d := &filterDialog{WithoutPicture: f.WithoutPicture, Choices: filterChoices(cfg)}
	if f.BatchID != 0 {
		d.Batch = strconv.FormatInt(f.BatchID, 10)
	}
	for _, c := range f.Where {
		switch {
		case c.Column == "profile" && c.Op == directory.OpEqual && d.Profile == "":
			d.Profile = c.Value
		case c.Column == "status" && c.Op == directory.OpEqual && d.Status == "":
			d.Status = c.Value
		default:
			d.Conditions = append(d.Conditions, c)
		}
	}
	d.Roles = roleChoices(cfg, f)
	b := *a
	b.query.Filter = directory.UserFilter{Search: f.Search, OrgUnits: f.OrgUnits}
	rest := b.values()
	rest.Set("selected", a.selected.String())
	d.Keep = rest.Encode()
	return d
}

// roleChoices are all roles, and those of the filter that are no more, so that they can be taken out of it.
func roleChoices(cfg *directory.Configuration, f directory.UserFilter) []roleChoice {
	names := slices.Concat(f.Roles, f.NotRoles)
	for _, r := range cfg.Roles {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	var all []roleChoice
	for _, name := range slices.Compact(names) {
		c := roleChoice{Name: name}
		if slices.Contains(f.NotRoles, name) {
			c.Choice = "not"
		}
		if slices.Contains(f.Roles, name) {
			c.Choice = "held"
		}
		all = append(all, c)
	}
	return all
}

// filterChoices are offered for a condition's value; others can be typed.
func filterChoices(cfg *directory.Configuration) map[string][]string {
	all := map[string][]string{
		"profile": {directory.Administrator.String(), directory.Supervisor.String(), directory.Agent.String()},
		"status":  {string(directory.Active), string(directory.Inactive)},
	}
	for _, r := range cfg.Roles {
		all["roles"] = append(all["roles"], r.Name)
	}
	for _, r := range cfg.AccessRoles {
		all["access_role"] = append(all["access_role"], r.Name)
	}
	for _, n := range cfg.AllCRMNames() {
		all["crm_name"] = append(all["crm_name"], n.Name)
	}
	for _, g := range cfg.AllGreetingTemplates() {
		all["greeting_template"] = append(all["greeting_template"], g.Name)
	}
	return all
}

// applyUserFilters turns the dialog's form into an address of the grid, and leads there.
func (s *Server) applyUserFilters(v *visit) error {
	form := v.URL.Query()
	address, err := filteredAddress(form)
	if err == nil {
		var a usersAddress
		if a, err = parseUsersAddress(address); err == nil {
			return v.toGrid(a.canonical())
		}
	}
	f, onForm := refused(v, err)
	if !onForm || v.Header.Get("HX-Request") != "true" {
		return err
	}
	cfg, err := configuration(v.ctx(), v.handle())
	if err != nil {
		return err
	}
	return v.part(filtersView(typedFilters(form, cfg, f.Message)))
}

// typedFilters is the dialog with what was typed into it, and what is wrong with that.
func typedFilters(form url.Values, cfg *directory.Configuration, problem string) *filterDialog {
	d := &filterDialog{
		Keep: form.Get("keep"), Profile: form.Get("profile"), Status: form.Get("status"), Batch: form.Get("batch"),
		WithoutPicture: form.Get("picture") != "", Problem: problem, Choices: filterChoices(cfg),
	}
	d.Conditions, _ = formConditions(form)
	var f directory.UserFilter
	for _, role := range formRoles(form) {
		switch role.Choice {
		case "held":
			f.Roles = append(f.Roles, role.Name)
		case "not":
			f.NotRoles = append(f.NotRoles, role.Name)
		}
	}
	d.Roles = roleChoices(cfg, f)
	return d
}

// toGrid leads to an address of the grid; where htmx asked, the grid alone is loaded.
func (v *visit) toGrid(to string) error {
	if v.Header.Get("HX-Request") != "true" {
		return v.redirect(to)
	}
	where, err := json.Marshal(map[string]string{"path": to, "target": "#grid", "swap": "outerHTML"})
	if err != nil {
		return err
	}
	v.w.Header().Set("HX-Location", string(where))
	v.w.WriteHeader(204)
	return nil
}

// filteredAddress is the address that the form asks for, not yet checked.
func filteredAddress(form url.Values) (url.Values, error) {
	address, err := url.ParseQuery(form.Get("keep"))
	if err != nil {
		return nil, errFilterForm
	}
	conditions, err := formConditions(form)
	if err != nil {
		return nil, err
	}
	for _, c := range conditions {
		if c.Value == "" && (c.Op == directory.OpEmpty || c.Op == directory.OpNotEmpty) {
			c.Value = "1"
		}
		address.Add(c.Column+"."+c.Op, c.Value)
	}
	for _, column := range []string{"profile", "status"} {
		if value := form.Get(column); value != "" {
			address.Add(column+"."+directory.OpEqual, value)
		}
	}
	for _, role := range formRoles(form) {
		switch role.Choice {
		case "held":
			address.Add("role", role.Name)
		case "not":
			address.Add("not_role", role.Name)
		}
	}
	if form.Get("picture") != "" {
		address.Set("picture", "none")
	}
	if batch := strings.TrimSpace(form.Get("batch")); batch != "" {
		address.Set("batch", batch)
	}
	return address, nil
}

var errFilterForm = fault.New(fault.Invalid, "the filters arrived incompletely; open them again")

// formConditions are the form's lines, each of three fields.
func formConditions(form url.Values) ([]directory.Condition, error) {
	columns, ops, values := form["column"], form["op"], form["value"]
	if len(columns) != len(ops) || len(columns) != len(values) {
		return nil, errFilterForm
	}
	var all []directory.Condition
	for i := range columns {
		all = append(all, directory.Condition{Column: columns[i], Op: ops[i], Value: strings.TrimSpace(values[i])})
	}
	return all, nil
}

// formRoles are the choices for roles, whose fields are called "role:" and the name.
func formRoles(form url.Values) []roleChoice {
	var all []roleChoice
	for field := range form {
		if name, ok := strings.CutPrefix(field, "role:"); ok {
			all = append(all, roleChoice{name, form.Get(field)})
		}
	}
	slices.SortFunc(all, func(a, b roleChoice) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
