package directory_test

import (
	"errors"
	"testing"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sqldb"
)

func TestSettingList(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, d := range directory.SettingList {
		if seen[d.Name] || d.Title == "" || d.Help == "" || d.Group == "" {
			t.Errorf("%+v", d)
		}
		seen[d.Name] = true
		s := directory.DefaultSettings()
		if err := d.Set(&s, d.Default()); err != nil || s != directory.DefaultSettings() {
			t.Errorf("%s: its default: %+v, %v", d.Name, s, err)
		}
	}
	for _, c := range []struct{ name, value, says string }{
		{"retention_days", "0", "from 1 to 36500"}, {"retention_days", "ten", "no whole number"}, {"guard_percent", "101", "from 0 to 100"},
		{"approval", "perhaps", "neither yes nor no"}, {"lan_id_extra_characters", ".%", "'%' cannot be allowed"}, {"upload_rows", "16777217", "to 16777216"},
		{"picture_dark", "fatal", "give warning or error"}, {"picture_blurred", "", "give warning or error"},
	} {
		d, _ := directory.FindSetting(c.name)
		s := directory.DefaultSettings()
		wantFault(t, c.name+" "+c.value, d.Set(&s, c.value), fault.Invalid, c.says)
		if s != directory.DefaultSettings() {
			t.Errorf("%s: set all the same", c.name)
		}
	}
}

func TestSaveSettings(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		h := system(d)
		seen, err := h.Settings(t.Context())
		if err != nil || seen != directory.DefaultSettings() {
			t.Fatalf("%+v, %v", seen, err)
		}
		mine, theirs := seen, seen
		mine.RetentionDays, mine.Approval = 30, true
		theirs.GuardUsers = 5
		if _, err := h.SaveSettings(t.Context(), seen, theirs); err != nil {
			t.Fatal(err)
		}
		// What they changed and I did not stays.
		now, err := h.SaveSettings(t.Context(), seen, mine)
		if err != nil || now.GuardUsers != 5 || now.RetentionDays != 30 || !now.Approval {
			t.Fatalf("%+v, %v", now, err)
		}
		other := seen
		other.RetentionDays = 60
		_, err = h.SaveSettings(t.Context(), seen, other)
		var changed *directory.Changed[directory.Settings]
		if !errors.As(err, &changed) || changed.Now != now || changed.By != "system" {
			t.Errorf("both changed it: %v", err)
		}
		if got := load(t, d).Settings; got != now {
			t.Errorf("%+v", got)
		}
		n, _, err := sqldb.One[int](t.Context(), d.DB.Read(), "SELECT count(*) FROM audit WHERE subject = 'setting'")
		if err != nil || n != 3 {
			t.Errorf("%d entries in the audit, %v", n, err)
		}
		wrong := now
		wrong.UploadRows = 0
		_, err = h.SaveSettings(t.Context(), now, wrong)
		wantFault(t, "wrong", err, fault.Invalid, "upload_rows: 0 is not allowed")
	})
}

// What another version wrote, and this one cannot read, is as if not set; what is not known is passed over.
func TestStrangeSettings(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *directory.Directory) {
		err := d.DB.Tx(t.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.ExecContext(t.Context(), "INSERT INTO settings (name, value) VALUES ('retention_days', 'long'), ('guard_users', '-1'), ('of_the_future', '1'), ('guard_percent', '7')")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		want := directory.DefaultSettings()
		want.GuardPercent = 7
		if got := load(t, d).Settings; got != want {
			t.Errorf("%+v", got)
		}
	})
}
