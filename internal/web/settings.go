package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
)

var maySeeSettings = []directory.Right{"settings:access"}

func (s *Server) settingRoutes() []route {
	return []route{
		{pattern: "GET /settings", any: maySeeSettings, do: s.settings},
		{pattern: "POST /settings", any: []directory.Right{"settings:edit"}, do: s.saveSettings},
	}
}

// settingsPage is the form of all settings.
type settingsPage struct {
	Groups   []settingGroup
	Seen     string // what its maker looked at
	MayEdit  bool
	Saved    bool
	Problem  string
	Conflict string
}

type settingGroup struct {
	Title string
	Lines []settingLine
}

// settingLine is one setting with its value, as it is or as somebody typed it.
type settingLine struct {
	directory.Setting
	Value   string
	Problem string
}

// changed tells whether it is not the default.
func (l settingLine) changed() bool { return l.Value != l.Default() }

// defaultInWords is what holds where nothing is set.
func (l settingLine) defaultInWords() string {
	switch {
	case l.Kind == "switch" && l.Default() == "no":
		return "off"
	case l.Kind == "switch":
		return "on"
	case l.Default() == "":
		return "none"
	case l.Kind == "number":
		n, err := strconv.ParseInt(l.Default(), 10, 64)
		if err == nil {
			return number(n) + " " + l.Unit
		}
	}
	return l.Default()
}

func (p *settingsPage) fill(seen directory.Settings, value func(directory.Setting) (value, problem string)) error {
	text, err := json.Marshal(seen)
	if err != nil {
		return err
	}
	p.Seen, p.Groups = string(text), nil
	for _, d := range directory.SettingList {
		if n := len(p.Groups); n == 0 || p.Groups[n-1].Title != d.Group {
			p.Groups = append(p.Groups, settingGroup{Title: d.Group})
		}
		g := &p.Groups[len(p.Groups)-1]
		v, problem := value(d)
		g.Lines = append(g.Lines, settingLine{Setting: d, Value: v, Problem: problem})
	}
	return nil
}

func (s *Server) settings(v *visit) error {
	now, err := v.handle().Settings(v.ctx())
	if err != nil {
		return err
	}
	p := settingsPage{MayEdit: v.can("settings:edit") && v.actor().Scope().IsEverywhere(), Saved: v.URL.Query().Has("saved")}
	if err := p.fill(now, func(d directory.Setting) (string, string) { return d.Value(now), "" }); err != nil {
		return err
	}
	return v.show("Settings", settingsView(p))
}

// saveSettings keeps what was typed, whatever is wrong with it.
func (s *Server) saveSettings(v *visit) error {
	if err := v.needAll("settings:edit"); err != nil {
		return err
	}
	var seen directory.Settings
	if err := json.Unmarshal([]byte(v.FormValue("seen")), &seen); err != nil {
		return fault.Wrap(fault.Invalid, err, "the form did not arrive as it was sent; load the page again and change it once more")
	}
	want, wrong := seen, map[string]string{}
	for _, d := range directory.SettingList {
		if err := d.Set(&want, typedSetting(v, d)); err != nil {
			f := failureOf(err)
			wrong[d.Name] = sentence(strings.TrimPrefix(f.Message, "Setting "+d.Name+": "))
		}
	}
	p := settingsPage{MayEdit: true}
	if len(wrong) == 0 {
		_, err := v.handle().SaveSettings(v.ctx(), seen, want)
		if err == nil {
			return v.redirect("/settings?saved")
		}
		var changed *directory.Changed[directory.Settings]
		f, onForm := onForm(err)
		switch {
		case errors.As(err, &changed):
			seen, p.Conflict = changed.Now, sentence(changed.Error())
		case onForm:
			p.Problem = f.Message
		default:
			return err
		}
	}
	if err := p.fill(seen, func(d directory.Setting) (string, string) { return typedSetting(v, d), wrong[d.Name] }); err != nil {
		return err
	}
	return v.showStatus(http.StatusUnprocessableEntity, "Settings", settingsView(p))
}

// typedSetting is what the form says; a switch that is off is not in it.
func typedSetting(v *visit, d directory.Setting) string {
	value := v.FormValue(d.Name)
	if d.Kind == "switch" && value == "" {
		return "no"
	}
	return value
}

// onForm tells whether an error is about what was typed, and belongs above the form.
func onForm(err error) (failure, bool) {
	kind := fault.KindOf(err)
	return failureOf(err), kind == fault.Invalid || kind == fault.Conflict
}
