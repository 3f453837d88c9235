package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/sqldb"
)

// UserConflict is what somebody else made of a user while a form was open. Saving again with the version of Now overwrites
// it knowingly.
type UserConflict struct {
	Now    User
	By     string // who changed the user last
	At     time.Time
	Fields []FieldConflict
	// Merged is what was typed, with what they changed and the form did not: to save it loses nothing that is not among
	// Fields as Yours.
	Merged UserInput
}

// FieldConflict is a field that somebody else changed. Field is the name in the audit: "first_name", "roles",
// "channel_counts.Voice".
type FieldConflict struct {
	Field              string
	Before, Now, Yours string // roles with ", " between them; the default where a count or value follows it
	// Same: nothing of yours is lost, as it is what they made it, or a form has no such field (status, picture).
	Same bool
	// Unknown: what it was before is not known, as a bulk action changed the user. Where Yours is not Now, either of you may
	// have changed it.
	Unknown bool
}

const (
	statusField  = "status"
	pictureField = "picture"
)

// conflict finds out what was changed since the version.
func (h *Handle) conflict(ctx context.Context, c *userChange, version int64, in UserInput) (*UserConflict, error) {
	was, gaps, err := changedSince(ctx, c.tx, c.held, version)
	if err != nil {
		return nil, err
	}
	in = in.cleaned()
	now, yours := c.k.fields(c.held.User.Input()), c.k.fields(in)
	now[statusField], yours[statusField] = string(c.held.Status), string(c.held.Status)
	now[pictureField], yours[pictureField] = shortHash(c.held.Picture), shortHash(c.held.Picture)
	all := &UserConflict{Now: c.held.User, By: c.held.ChangedBy, At: c.held.ChangedAt, Merged: in}
	for _, name := range c.k.fieldNames() {
		before, known := was[name]
		if before == nil && known {
			before = c.k.byDefault(name)
		}
		f := FieldConflict{Field: name, Now: now[name], Yours: yours[name], Same: now[name] == yours[name]}
		switch {
		case known && fieldText(before) != f.Now:
			f.Before = fieldText(before)
		case gaps && !known && !f.Same:
			f.Unknown = true
		default:
			continue
		}
		if !f.Unknown && f.Yours == f.Before {
			all.Merged.take(name, c.held.User.Input())
		}
		all.Fields = append(all.Fields, f)
	}
	return all, nil
}

// changedSince reads from the audit what the fields were at the version. gaps tells that not every change is there with
// the fields that it changed: bulk actions keep theirs in their journals.
func changedSince(ctx context.Context, q sqldb.Querier, now *standing, version int64) (was map[string]any, gaps bool, err error) {
	was = map[string]any{}
	n := int64(0)
	for before, err := range sqldb.Each[string](ctx, q, "SELECT before FROM audit WHERE subject_id = $1 AND subject_version > $2 ORDER BY id", now.ID, version) {
		if err != nil {
			return nil, false, fmt.Errorf("read what changed: %w", err)
		}
		n++
		fields := map[string]any{}
		if json.Unmarshal([]byte(before), &fields) != nil {
			continue // an entry without fields
		}
		for name, v := range fields {
			if _, earlier := was[name]; !earlier {
				was[name] = v
			}
		}
	}
	return was, n < now.Version-version, nil
}

// fieldNames are the fields of a conflict in the order of a form.
func (k *known) fieldNames() []string {
	all := append(slices.Clone(columnCodes[:]), "email", statusField, pictureField)
	all[RoleColumn] = "roles"
	for _, c := range k.cfg.Channels {
		all = append(all, channelField+c.Name)
	}
	for _, f := range k.cfg.Features {
		all = append(all, featureField+f.Name)
	}
	return all
}

// fields are an input's, by their names in the audit, as two of them are compared.
func (k *known) fields(in UserInput) map[string]string {
	all := map[string]string{"roles": fieldText(in.Roles), "email": in.Email}
	for i, cell := range in.cells() {
		if Column(i) != RoleColumn {
			all[columnCodes[i]] = cell
		}
	}
	if p, ok := ParseProfile(in.Profile); ok {
		all["profile"] = p.String()
	}
	if in.AgentID == "" {
		all["agent_id"] = in.LANID
	}
	for _, c := range k.cfg.Channels {
		name := channelField + c.Name
		if all[name] = in.ChannelCounts[c.Name]; all[name] == "" {
			all[name] = fieldText(k.byDefault(name))
		}
	}
	for _, f := range k.cfg.Features {
		name := featureField + f.Name
		value, ok := f.Canonical(in.Features[f.Name])
		if !ok {
			value = in.Features[f.Name]
		}
		if all[name] = value; value == "" {
			all[name] = f.Default
		}
	}
	return all
}

// byDefault is what a count or value is that follows the catalogue.
func (k *known) byDefault(field string) any {
	for _, c := range k.cfg.Channels {
		if field == channelField+c.Name {
			return strconv.Itoa(c.Default)
		}
	}
	for _, f := range k.cfg.Features {
		if field == featureField+f.Name {
			return f.Default
		}
	}
	return ""
}

// fieldText is a field's value, of the audit or of an input, as text.
func fieldText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []string:
		sorted := slices.Clone(v)
		slices.Sort(sorted)
		return strings.Join(slices.Compact(sorted), ", ")
	case []any:
		var names []string
		for _, name := range v {
			names = append(names, fmt.Sprint(name))
		}
		return fieldText(names)
	}
	return ""
}

// take takes a field of another input.
func (in *UserInput) take(field string, from UserInput) {
	if name, ok := strings.CutPrefix(field, channelField); ok {
		in.ChannelCounts = maps.Clone(in.ChannelCounts)
		in.ChannelCounts[name] = from.ChannelCounts[name]
		return
	}
	if name, ok := strings.CutPrefix(field, featureField); ok {
		in.Features = maps.Clone(in.Features)
		in.Features[name] = from.Features[name]
		return
	}
	switch field {
	case "roles":
		in.Roles = from.Roles
	case "email":
		in.Email = from.Email
	}
	for i, cell := range in.cellPointers() {
		if cell != nil && columnCodes[i] == field {
			*cell = *from.cellPointers()[i]
		}
	}
}
