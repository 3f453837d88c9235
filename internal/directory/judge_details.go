package directory

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// JudgeChannelCount reads a cell of the channel file: a count that differs from the default, or a problem. A blank
// cell is the default.
func (r *Rules) JudgeChannelCount(channel int, cell string) (count ChannelCount, differs bool, p *Problem) {
	if cell == "" {
		return ChannelCount{}, false, nil
	}
	ch := &r.Configuration.Channels[channel]
	problem := func(code, format string, args ...any) *Problem {
		return &Problem{Column: ch.Name, Code: "channel." + code, Severity: Error, Value: Shorten(cell), Message: fmt.Sprintf(format, args...)}
	}
	if what := Damage(cell, true); what != "" {
		return ChannelCount{}, false, problem("spreadsheet_damage", "%s %q %s", ch.Name, cell, what)
	}
	for i := range len(cell) {
		if cell[i] < '0' || cell[i] > '9' {
			return ChannelCount{}, false, problem("not_a_count", "%s %q is not a whole number of 0 or more; enter 0 to %d, or leave the cell blank for %d.", ch.Name, Shorten(cell), ch.Highest, ch.Default)
		}
	}
	n, err := strconv.ParseInt(cell, 10, 64)
	if err != nil || n > int64(ch.Highest) {
		return ChannelCount{}, false, problem("too_high", "%s %s is more than the highest count, %d; enter 0 to %d.", ch.Name, Shorten(cell), ch.Highest, ch.Highest)
	}
	return ChannelCount{ChannelID: ch.ID, Count: n}, n != int64(ch.Default), nil
}

// JudgeFeatureValue reads a cell of the feature file, likewise.
func (r *Rules) JudgeFeatureValue(feature int, cell string) (value FeatureValue, differs bool, p *Problem) {
	if cell == "" {
		return FeatureValue{}, false, nil
	}
	f := &r.Configuration.Features[feature]
	problem := func(code, format string, args ...any) *Problem {
		return &Problem{Column: f.Name, Code: "feature." + code, Severity: Error, Value: Shorten(cell), Message: fmt.Sprintf(format, args...)}
	}
	if what := Damage(cell, false); what != "" {
		return FeatureValue{}, false, problem("spreadsheet_damage", "%s %q %s", f.Name, cell, what)
	}
	v, ok := f.Canonical(cell)
	if !ok {
		allowed := "yes or no"
		p := problem("not_a_value", "")
		if f.Kind == "list" {
			allowed = strings.Join(f.Values, ", ")
			if slices.ContainsFunc(f.RetiredValues, func(v string) bool { return strings.EqualFold(v, cell) }) {
				p.Message = fmt.Sprintf("%s %q is retired: those who have it keep it, and nobody else gets it; use %s, or leave the cell blank for %s.", f.Name, Shorten(cell), allowed, f.Default)
				return FeatureValue{}, false, p
			}
			p.Suggestion = Nearest(Shorten(cell), f.Values)
		}
		p.Message = fmt.Sprintf("%s %q is not one of its values; use %s, or leave the cell blank for %s.", f.Name, Shorten(cell), allowed, f.Default)
		return FeatureValue{}, false, p
	}
	return FeatureValue{FeatureID: f.ID, Value: v}, v != f.Default, nil
}

// Canonical is the value as the catalogue spells it; ok is false for one that the feature does not have.
func (f *Feature) Canonical(cell string) (value string, ok bool) {
	if f.Kind == "list" {
		for _, v := range f.Values {
			if strings.EqualFold(v, cell) {
				return v, true
			}
		}
		return "", false
	}
	switch Fold(cell) {
	case "yes", "true", "1":
		return "yes", true
	case "no", "false", "0":
		return "no", true
	}
	return "", false
}
