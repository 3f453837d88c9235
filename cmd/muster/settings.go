package main

import (
	"context"

	"muster/internal/directory"
	"muster/internal/fault"
)

type settingsCmd struct {
	List settingsListCmd `cmd:"" help:"List the settings with their values and defaults."`
	Set  settingsSetCmd  `cmd:"" help:"Change a setting."`
}

type settingsListCmd struct{}

// settingJSON is a setting for programs; its value is a number, true or false, or a text.
type settingJSON struct {
	Name    string `json:"name"`
	Value   any    `json:"value"`
	Default any    `json:"default"`
	Unit    string `json:"unit,omitempty"`
}

// Run lists the settings.
func (c *settingsListCmd) Run(ctx context.Context, s *session) error {
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	now, err := a.handle().Settings(ctx)
	if err != nil {
		return err
	}
	return s.printSettings(directory.SettingList, now)
}

func (s *session) printSettings(list []directory.Setting, now directory.Settings) error {
	if !s.json {
		for _, d := range list {
			value, note := d.Value(now), ""
			if value == "" {
				value = `""`
			}
			if d.Value(now) != d.Default() {
				note = "  (default: " + d.Default() + ")"
			}
			s.printf("%-24s %s %s%s\n", d.Name, value, d.Unit, note)
		}
		return nil
	}
	all := []settingJSON{}
	for _, d := range list {
		all = append(all, settingJSON{d.Name, d.JSON(now), d.JSON(directory.DefaultSettings()), d.Unit})
	}
	return writeJSON(s.out, struct {
		Total    int           `json:"total"`
		Settings []settingJSON `json:"settings"`
	}{len(all), all})
}

type settingsSetCmd struct {
	Name  string `arg:"" help:"The setting, as the list has it."`
	Value string `arg:"" help:"Its value: a number, yes or no, or a text."`
}

// Run changes a setting.
func (c *settingsSetCmd) Run(ctx context.Context, s *session) error {
	d, known := directory.FindSetting(c.Name)
	if !known {
		return fault.New(fault.NotFound, "there is no setting %q; see %s", c.Name, s.command("settings", "list"))
	}
	a, err := s.open(ctx, s.err)
	if err != nil {
		return err
	}
	defer a.close()
	seen, err := a.handle().Settings(ctx)
	if err != nil {
		return err
	}
	want := seen
	if err := d.Set(&want, c.Value); err != nil {
		return err
	}
	now, err := a.handle().SaveSettings(ctx, seen, want)
	if err != nil {
		return err
	}
	return s.printSettings([]directory.Setting{d}, now)
}
