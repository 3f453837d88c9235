package web

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
)

// entryForm is an entry of any catalogue, as it is or as somebody typed it.
type entryForm struct {
	ID               int64 // 0: a new one
	Name, Text       string
	Default, Highest string // of a channel; Default is a feature's too
	Kind             string // of a feature
	Values           []valueLine
	Retired          bool
	seen             any // the entry that the form was made of; nil for a new one
}

// valueLine is one value of a feature's list. Old is what it is called, "" for a new one.
type valueLine struct {
	Old, Value string
	State      string // offered, retired or gone
	Users      int64
}

// blankValues is how many lines for new values a form has.
const blankValues = 3

func channelForm(c directory.Channel) entryForm {
	return entryForm{ID: c.ID, Name: c.Name, Default: strconv.Itoa(c.Default), Highest: strconv.Itoa(c.Highest), Retired: c.Retired, seen: c}
}

func featureForm(f directory.Feature) entryForm {
	form := entryForm{ID: f.ID, Name: f.Name, Kind: f.Kind, Default: f.Default, Retired: f.Retired, seen: f}
	for _, v := range f.Values {
		form.Values = append(form.Values, valueLine{Old: v, Value: v, State: "offered"})
	}
	for _, v := range f.RetiredValues {
		form.Values = append(form.Values, valueLine{Old: v, Value: v, State: "retired"})
	}
	return form
}

// withBlanks adds lines for new values.
func (e entryForm) withBlanks() entryForm {
	if e.Kind == "switch" && e.ID > 0 {
		return e
	}
	e.Values = slices.DeleteFunc(slices.Clone(e.Values), func(l valueLine) bool { return l.Old == "" && l.Value == "" })
	for range blankValues {
		e.Values = append(e.Values, valueLine{State: "offered"})
	}
	return e
}

// Seen is the entry that the form was made of, for the form to bring back.
func (e entryForm) Seen() string {
	if e.seen == nil {
		return ""
	}
	text, err := json.Marshal(e.seen)
	if err != nil {
		panic("web: an entry of a catalogue always marshals: " + err.Error())
	}
	return string(text)
}

// seenEntry reads what a form brought back; nil for a new entry.
func seenEntry[T any](form url.Values) (*T, error) {
	text := form.Get("seen")
	if text == "" {
		return nil, nil
	}
	seen := new(T)
	if err := json.Unmarshal([]byte(text), seen); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the form did not arrive as it was sent; load the page again and change it once more")
	}
	return seen, nil
}

// typedEntry is what the form says.
func typedEntry(form url.Values, id int64) entryForm {
	e := entryForm{ID: id, Name: strings.TrimSpace(form.Get("name")), Text: form.Get("text"), Kind: form.Get("kind"),
		Default: strings.TrimSpace(form.Get("default")), Highest: strings.TrimSpace(form.Get("highest")), Retired: form.Get("retired") == "yes"}
	e.Text = strings.ReplaceAll(e.Text, "\r\n", "\n")
	for i, value := range form["value"] {
		l := valueLine{Value: strings.TrimSpace(value), State: "offered"}
		if old := form["old"]; i < len(old) {
			l.Old = old[i]
		}
		if state := form["state"]; i < len(state) && slices.Contains([]string{"retired", "gone"}, state[i]) {
			l.State = state[i]
		}
		e.Values = append(e.Values, l)
	}
	return e
}

// channel is the channel that the form describes.
func (e entryForm) channel() (c directory.Channel, err error) {
	c = directory.Channel{ID: e.ID, Name: e.Name, Retired: e.Retired}
	if c.Default, err = wholeNumber("the default count", e.Default); err == nil {
		c.Highest, err = wholeNumber("the highest count", e.Highest)
	}
	return c, err
}

func wholeNumber(what, typed string) (int, error) {
	n, err := strconv.Atoi(typed)
	if err != nil || n < 0 {
		return 0, fault.New(fault.Invalid, "%s is %q; give a whole number, 0 or more", what, directory.Shorten(typed))
	}
	return n, nil
}

// feature is the feature that the form describes, and the values that are called otherwise in it.
func (e entryForm) feature() (f directory.Feature, renamed map[string]string, err error) {
	f = directory.Feature{ID: e.ID, Name: e.Name, Kind: e.Kind, Retired: e.Retired, Default: e.Default}
	if e.Kind != "list" {
		if f.Default == "" {
			f.Default = "no"
		}
		return f, nil, nil
	}
	renamed = map[string]string{}
	for _, l := range e.Values {
		switch {
		case l.Old == "" && l.Value == "" || l.State == "gone":
			continue
		case l.Value == "":
			return f, nil, fault.New(fault.Invalid, "the value %q has no name; give it one, or take it out of the list", directory.Shorten(l.Old))
		case l.State == "retired":
			f.RetiredValues = append(f.RetiredValues, l.Value)
		default:
			f.Values = append(f.Values, l.Value)
		}
		if l.Old != "" && l.Old != l.Value {
			renamed[l.Old] = l.Value
		}
	}
	// The default goes along with its value's new name.
	if name, ok := renamed[f.Default]; ok && !slices.Contains(f.Values, f.Default) {
		f.Default = name
	}
	return f, renamed, nil
}

// offers tells whether the feature would have the value as one that can be given.
func (e entryForm) offers(value string) bool {
	if e.Kind != "list" {
		return slices.Contains(directory.SwitchValues, value)
	}
	return slices.ContainsFunc(e.Values, func(l valueLine) bool { return l.Value == value && l.State == "offered" })
}

// valuesInWords is what a list shows of a feature beside its name.
func (e entryForm) valuesInWords() string {
	if e.Kind == "switch" {
		return "Switch"
	}
	var offered []string
	retired := 0
	for _, l := range e.Values {
		if l.State == "offered" {
			offered = append(offered, l.Value)
		} else {
			retired++
		}
	}
	words := strings.Join(offered, ", ")
	if retired > 0 {
		words += fmt.Sprintf(" (and %d retired)", retired)
	}
	return words
}
