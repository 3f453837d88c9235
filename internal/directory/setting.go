package directory

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// extraCharacters are those that a setting can allow in LAN IDs and Agent IDs.
const extraCharacters = ".-_@"

// Settings are the directory's own, each with a value: what was never set has its default. [SettingList] describes them.
type Settings struct {
	LANIDExtraCharacters string // any of . - _ @; default none

	RetentionDays   int // days for which files and reports of a batch at rest are kept; default 90
	UploadMegabytes int // 1,048,576 bytes each, that one uploaded file may have; default 2,048
	UploadRows      int // the highest row number of one file; default 16,777,216

	PictureMegabytes int // 1,048,576 bytes each, that a ZIP of pictures may have; default 8,192
	// What a picture is judged that would serve face authentication badly: "warning", which is the default, or "error".
	PictureDark, PictureBright, PictureBlurred string

	GuardUsers   int  // users that a batch may change without the guard; default 100
	GuardPercent int  // per cent of all users that it may change without the guard; default 20
	Approval     bool // whether a second person approves each batch; default false

	SessionIdleMinutes   int // minutes without use after which a session ends; default 60
	SessionLifetimeHours int // hours after which it ends in any case; default 12
}

// DefaultSettings are those of a new directory.
func DefaultSettings() Settings {
	return Settings{
		RetentionDays: 90, UploadMegabytes: 2048, UploadRows: 16_777_216,
		PictureMegabytes: 8192, PictureDark: pictureSeverities[0], PictureBright: pictureSeverities[0], PictureBlurred: pictureSeverities[0],
		GuardUsers: 100, GuardPercent: 20,
		SessionIdleMinutes: 60, SessionLifetimeHours: 12,
	}
}

// Retention is [Settings.RetentionDays] as a duration.
func (s Settings) Retention() time.Duration { return time.Duration(s.RetentionDays) * 24 * time.Hour }

// UploadBytes is [Settings.UploadMegabytes] in bytes.
func (s Settings) UploadBytes() int64 { return int64(s.UploadMegabytes) << 20 }

// PictureBytes is [Settings.PictureMegabytes] in bytes.
func (s Settings) PictureBytes() int64 { return int64(s.PictureMegabytes) << 20 }

// pictureSeverities are what a flaw of a picture can be, the default first.
var pictureSeverities = []string{string(Warning), string(Error)}

// PictureSeverity is what a flaw of a picture is: "dark", "bright" or "blurred".
func (s Settings) PictureSeverity(flaw string) Severity {
	return Severity(map[string]string{"dark": s.PictureDark, "bright": s.PictureBright, "blurred": s.PictureBlurred}[flaw])
}

// SessionIdle is [Settings.SessionIdleMinutes] as a duration.
func (s Settings) SessionIdle() time.Duration {
	return time.Duration(s.SessionIdleMinutes) * time.Minute
}

// SessionLifetime is [Settings.SessionLifetimeHours] as a duration.
func (s Settings) SessionLifetime() time.Duration {
	return time.Duration(s.SessionLifetimeHours) * time.Hour
}

// Setting describes one of [Settings].
type Setting struct {
	Name        string // as the setup file and the database have it
	Title       string
	Help        string // what it does, in a sentence
	Kind        string // text, number, switch or choice
	Unit        string // of a number
	Least, Most int    // of a number
	Choices     []string
	Group       string // the heading that it stands under

	text   func(*Settings) *string
	number func(*Settings) *int
	truth  func(*Settings) *bool
}

// SettingList is every setting, in the order in which people see them.
var SettingList = []Setting{
	{
		Name: "lan_id_extra_characters", Title: "Extra characters in LAN IDs", Kind: "text", Group: "Imports",
		Help: "LAN IDs and Agent IDs are made of letters and digits; this adds any of . - _ @ to them. It holds for new users; nobody's LAN ID changes.",
		text: func(s *Settings) *string { return &s.LANIDExtraCharacters },
	},
	{
		Name: "upload_megabytes", Title: "Largest file", Kind: "number", Unit: "MB", Least: 1, Most: 2048, Group: "Imports",
		Help:   "An uploaded file that is larger is refused before anything of it is read. 1 MB is 1,048,576 bytes.",
		number: func(s *Settings) *int { return &s.UploadMegabytes },
	},
	{
		Name: "upload_rows", Title: "Most rows of a file", Kind: "number", Unit: "rows", Least: 1, Most: 16_777_216, Group: "Imports",
		Help:   "A file with a row below this one is refused as a whole; its sender is asked to split it.",
		number: func(s *Settings) *int { return &s.UploadRows },
	},
	{
		Name: "picture_megabytes", Title: "Largest ZIP of pictures", Kind: "number", Unit: "MB", Least: 1, Most: 65_536, Group: "Pictures",
		Help:   "A ZIP of pictures that is larger is refused before anything of it is read. 1 MB is 1,048,576 bytes.",
		number: func(s *Settings) *int { return &s.PictureMegabytes },
	},
	{
		Name: "picture_dark", Title: "Picture too dark", Kind: "choice", Choices: pictureSeverities, Group: "Pictures",
		Help: "A warning lets the picture in and says so; with an error the user keeps the picture that they have.",
		text: func(s *Settings) *string { return &s.PictureDark },
	},
	{
		Name: "picture_bright", Title: "Picture too bright", Kind: "choice", Choices: pictureSeverities, Group: "Pictures",
		Help: "Likewise for one of which the middle is nearly white.",
		text: func(s *Settings) *string { return &s.PictureBright },
	},
	{
		Name: "picture_blurred", Title: "Picture blurred", Kind: "choice", Choices: pictureSeverities, Group: "Pictures",
		Help: "Likewise for one without sharp edges, as of a camera that moved.",
		text: func(s *Settings) *string { return &s.PictureBlurred },
	},
	{
		Name: "retention_days", Title: "Keep files and reports", Kind: "number", Unit: "days", Least: 1, Most: 36_500, Group: "Batches",
		Help:   "So long after a batch has come to rest, its files and the rows of its reports are removed. Its counts, its history and its undo stay.",
		number: func(s *Settings) *int { return &s.RetentionDays },
	},
	{
		Name: "guard_users", Title: "Guard: users", Kind: "number", Unit: "users", Least: 0, Most: highestNumber, Group: "Batches",
		Help:   "A batch that would change or deactivate more existing users than this, and more than the share below, waits until somebody types the number in.",
		number: func(s *Settings) *int { return &s.GuardUsers },
	},
	{
		Name: "guard_percent", Title: "Guard: share", Kind: "number", Unit: "%", Least: 0, Most: 100, Group: "Batches",
		Help:   "The share of all users that goes with the number above; 100 turns the guard off.",
		number: func(s *Settings) *int { return &s.GuardPercent },
	},
	{
		Name: "approval", Title: "Approval by a second person", Kind: "switch", Group: "Batches",
		Help:  "Each batch waits until somebody else, with the right batches:edit, has looked at its preview and approved it.",
		truth: func(s *Settings) *bool { return &s.Approval },
	},
	{
		Name: "session_idle_minutes", Title: "End a session without use", Kind: "number", Unit: "minutes", Least: 1, Most: 10_080, Group: "Sessions",
		Help:   "Whoever does nothing for so long has to sign in again. It holds at once, for sessions that are open too.",
		number: func(s *Settings) *int { return &s.SessionIdleMinutes },
	},
	{
		Name: "session_lifetime_hours", Title: "End every session", Kind: "number", Unit: "hours", Least: 1, Most: 720, Group: "Sessions",
		Help:   "So long after signing in, everybody has to sign in again, however busy they are. It holds at once, for sessions that are open too.",
		number: func(s *Settings) *int { return &s.SessionLifetimeHours },
	},
}

// FindSetting returns the setting of that name.
func FindSetting(name string) (Setting, bool) {
	i := slices.IndexFunc(SettingList, func(d Setting) bool { return d.Name == name })
	if i < 0 {
		return Setting{}, false
	}
	return SettingList[i], true
}

// Value is the setting's value as text: a number's digits, yes or no for a switch.
func (d Setting) Value(s Settings) string { return fmt.Sprint(d.value(s)) }

// Default is the value that holds where nothing is set.
func (d Setting) Default() string { return d.Value(DefaultSettings()) }

// value is an int, a string, or yes and no.
func (d Setting) value(s Settings) any {
	switch {
	case d.text != nil:
		return *d.text(&s)
	case d.number != nil:
		return *d.number(&s)
	case *d.truth(&s):
		return SwitchValues[0]
	}
	return SwitchValues[1]
}

// JSON is the setting's value for programs: an int, a bool or a string.
func (d Setting) JSON(s Settings) any {
	if d.truth != nil {
		return *d.truth(&s)
	}
	return d.value(s)
}

// Set gives the setting in s a value as somebody types it. One that cannot be is Invalid, and s stays as it was.
func (d Setting) Set(s *Settings, value string) error {
	changed := *s
	switch {
	case d.Choices != nil:
		*d.text(&changed) = Fold(strings.TrimSpace(value))
	case d.text != nil:
		*d.text(&changed) = value
	case d.number != nil:
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil {
			return fault.New(fault.Invalid, "setting %s: %q is no whole number; give one from %d to %d", d.Name, Shorten(value), d.Least, d.Most)
		}
		*d.number(&changed) = n
	default:
		i := slices.Index(SwitchValues, Fold(strings.TrimSpace(value)))
		if i < 0 {
			return fault.New(fault.Invalid, "setting %s: %q is neither yes nor no; give one of them", d.Name, Shorten(value))
		}
		*d.truth(&changed) = i == 0
	}
	if what := d.wrong(changed); what != "" {
		return fault.New(fault.Invalid, "%s", what)
	}
	*s = changed
	return nil
}

// wrong says why a value cannot be, and what to do; "" when it can.
func (d Setting) wrong(s Settings) string {
	switch {
	case d.Choices != nil:
		if value := *d.text(&s); !slices.Contains(d.Choices, value) {
			return fmt.Sprintf("setting %s: %q is not allowed; give %s", d.Name, Shorten(value), strings.Join(d.Choices, " or "))
		}
	case d.text != nil:
		for _, r := range *d.text(&s) {
			if !strings.ContainsRune(extraCharacters, r) {
				return fmt.Sprintf("setting %s: %q cannot be allowed; give any of %s", d.Name, r, extraCharacters)
			}
		}
	case d.number != nil:
		if n := *d.number(&s); n < d.Least || n > d.Most {
			return fmt.Sprintf("setting %s: %d is not allowed; give a number from %d to %d", d.Name, n, d.Least, d.Most)
		}
	}
	return ""
}

// LoadSettings reads the settings, for code that has checked the actor's rights itself: one statement.
func LoadSettings(ctx context.Context, q sqldb.Querier) (Settings, error) {
	type row struct{ Name, Value string }
	s := DefaultSettings()
	for r, err := range sqldb.Each[row](ctx, q, "SELECT name, value FROM settings") {
		if err != nil {
			return Settings{}, fmt.Errorf("read the settings: %w", err)
		}
		s.take(r.Name, r.Value)
	}
	return s, nil
}

// StoredSetting is SQL for the text that the database has for a setting, one of [SettingList]; "" where it has none.
// It lets a statement that runs at every click bring a setting with it; [SettingsOf] reads what it gave.
func StoredSetting(name string) string {
	return "coalesce((SELECT value FROM settings WHERE name = '" + name + "'), '')"
}

// SettingsOf are the settings with those that the database has, by name. "" is none.
func SettingsOf(stored map[string]string) Settings {
	s := DefaultSettings()
	for name, value := range stored {
		s.take(name, value)
	}
	return s
}

// take sets what the database has. What another version of Muster wrote, and this one cannot read, is as if not set.
func (s *Settings) take(name, value string) {
	if d, known := FindSetting(name); known {
		_ = d.Set(s, value)
	}
}

func loadSettings(ctx context.Context, q sqldb.Querier, c *Configuration) (err error) {
	c.Settings, err = LoadSettings(ctx, q)
	return err
}

// compareSettings adds a change for each setting that is wanted otherwise.
func (p *changePlan) compareSettings(want Configuration) {
	p.after.Settings = p.have.Settings
	if !want.GivesSettings() {
		return
	}
	for _, d := range SettingList {
		if want.SettingNames != nil && !slices.Contains(want.SettingNames, d.Name) {
			continue
		}
		if what := d.wrong(want.Settings); what != "" {
			p.faults.add("%s", what)
			continue
		}
		d.copy(&p.after.Settings, want.Settings)
		if value := d.Value(want.Settings); value != d.Value(p.have.Settings) {
			p.steps = append(p.steps, d.step(p.have.Settings, want.Settings))
		}
	}
}

func (d Setting) copy(to *Settings, from Settings) {
	switch {
	case d.text != nil:
		*d.text(to) = *d.text(&from)
	case d.number != nil:
		*d.number(to) = *d.number(&from)
	default:
		*d.truth(to) = *d.truth(&from)
	}
}

func (d Setting) step(have, want Settings) step {
	before, after := []attribute{{"value", d.value(have)}}, []attribute{{"value", d.value(want)}}
	return step{
		Change: Change{Op: OpUpdate, Subject: "setting", Name: d.Name, Details: details(before, after)},
		module: "settings", before: before, after: after, allowed: everywhereOnly,
		run: func(ctx context.Context, tx *sqldb.Tx) error { return saveSetting(ctx, tx, d.Name, d.Value(want)) },
	}
}

func saveSetting(ctx context.Context, tx *sqldb.Tx, name, value string) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO settings (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// Settings returns them as they are. It needs settings:access.
func (h *Handle) Settings(ctx context.Context) (Settings, error) {
	if err := h.actor.Need("settings:access"); err != nil {
		return Settings{}, err
	}
	return LoadSettings(ctx, h.dir.DB.Read())
}

// SaveSettings makes the settings that differ between seen, which its maker looked at, and want as in want. One of these
// that somebody else changed meanwhile is a Conflict, as [Changed], and nothing is saved; others that changed stay as
// they are. It needs settings:edit, everywhere.
func (h *Handle) SaveSettings(ctx context.Context, seen, want Settings) (now Settings, err error) {
	if err := h.actor.Need("settings:edit"); err != nil {
		return now, err
	}
	if err := h.everywhere(); err != nil {
		return now, err
	}
	err = h.dir.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.ExecContext(ctx, lockConfiguration); err != nil {
			return err
		}
		if now, err = LoadSettings(ctx, tx); err != nil {
			return err
		}
		names := []string{}
		for _, d := range SettingList {
			was, is, shall := d.Value(seen), d.Value(now), d.Value(want)
			switch {
			case shall == was || shall == is:
			case is != was:
				change := details([]attribute{{d.Title, d.value(seen)}}, []attribute{{d.Title, d.value(now)}})
				return changedBy(ctx, tx, "setting", d.Name, now, change)
			default:
				names = append(names, d.Name)
			}
		}
		if len(names) == 0 {
			return nil
		}
		if _, err := h.apply(ctx, tx, Configuration{HasSettings: true, Settings: want, SettingNames: names}, false); err != nil {
			return err
		}
		now, err = LoadSettings(ctx, tx)
		return err
	})
	return now, err
}
