package userimport

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/batch"
	"muster/internal/directory"
)

// Kind is what a file is, known by its header.
type Kind string

const (
	UserDetails         Kind = "UserDetails"
	ChannelCountDetails Kind = "ChannelCountDetails"
	FeatureDetails      Kind = "FeatureDetails"
)

// problemsColumn is added to files of rejected rows; it is known everywhere and passed over.
const problemsColumn = "Problems"

// ignored marks a column that is passed over; lanID is the one that joins the files.
const (
	ignored = -1
	lanID   = 0
)

// Columns returns the names of a kind's columns: those of UserDetails, or LAN ID and one for each channel or feature.
func Columns(k Kind, cfg *directory.Configuration) []string {
	names := []string{directory.LANID.String()}
	switch k {
	case UserDetails:
		return directory.Columns()
	case ChannelCountDetails:
		for _, c := range cfg.Channels {
			names = append(names, c.Name)
		}
	case FeatureDetails:
		for _, f := range cfg.Features {
			names = append(names, f.Name)
		}
	}
	return names
}

// heading is how headers are compared: without case, spaces and underscores.
func heading(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '_', '\u00a0', '\t', '\n', '\r':
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// layout is a file's header understood: for each of its columns, the kind's column or ignored.
type layout struct {
	kind    Kind
	columns []int
}

// recognise finds out what a file is. chosen is what somebody decided about columns that the template does not have, by
// their place: the column that it stands for, or "" to set it aside. Its problems, if any, are all there are with the
// header.
func recognise(header []string, cfg *directory.Configuration, chosen map[int]string) (layout, []batch.FileProblem) {
	header = withoutBlankEnd(header)
	kind, known := bestKind(header, cfg)
	if kind == "" {
		return layout{}, []batch.FileProblem{{
			Row: 1, Code: "file.unknown_kind", Value: directory.Shorten(strings.Join(header, ", ")),
			Message: "The header fits none of the three templates; start from the templates, and keep their headings.",
		}}
	}
	names := Columns(kind, cfg)
	l := layout{kind: kind, columns: make([]int, len(header))}
	var problems []batch.FileProblem
	first := map[int]string{}
	for i, h := range header {
		col, ok := known[heading(h)]
		if target, decided := chosen[i]; !ok && decided {
			col, ok = chosenColumn(target, names)
		}
		if l.columns[i] = col; !ok {
			l.columns[i] = ignored
			problems = append(problems, unknownColumn(h, i, kind, names, retiredColumn(h, cfg)))
			continue
		}
		if col == ignored {
			continue
		}
		if before, twice := first[col]; twice {
			problems = append(problems, batch.FileProblem{Row: 1, Column: h, Code: "file.repeated_column", Value: h,
				Message: fmt.Sprintf("The column %q is there twice (the first is headed %q); remove one of them.", h, before)})
			continue
		}
		first[col] = h
	}
	return l, append(problems, missingColumns(kind, names, first)...)
}

func withoutBlankEnd(header []string) []string {
	for len(header) > 0 && header[len(header)-1] == "" {
		header = header[:len(header)-1]
	}
	return header
}

// chosenColumn is the column that somebody gave a heading to; the configuration may not have it any more.
func chosenColumn(target string, names []string) (col int, ok bool) {
	if target == "" {
		return ignored, true
	}
	col = slices.Index(names, target)
	return col, col >= 0
}

// bestKind is the kind of which the header has the most columns, LAN ID aside, and those columns by heading.
func bestKind(header []string, cfg *directory.Configuration) (Kind, map[string]int) {
	best, most, bestKnown := Kind(""), 0, map[string]int(nil)
	for _, k := range []Kind{UserDetails, ChannelCountDetails, FeatureDetails} {
		known := map[string]int{heading(problemsColumn): ignored}
		for i, name := range Columns(k, cfg) {
			known[heading(name)] = i
		}
		n := 0
		for _, h := range header {
			if col, ok := known[heading(h)]; ok && col > lanID {
				n++
			}
		}
		if n > most {
			best, most, bestKnown = k, n, known
		}
	}
	return best, bestKnown
}

// retiredColumn is what the heading was the column of, where that is retired: a channel or a feature.
func retiredColumn(h string, cfg *directory.Configuration) string {
	for _, c := range cfg.Retired.Channels {
		if heading(c.Name) == heading(h) {
			return "channel"
		}
	}
	for _, f := range cfg.Retired.Features {
		if heading(f.Name) == heading(h) {
			return "feature"
		}
	}
	return ""
}

func unknownColumn(h string, i int, kind Kind, names []string, retired string) batch.FileProblem {
	p := batch.FileProblem{Row: 1, Column: h, Code: "file.unknown_column", Value: directory.Shorten(h), Suggestion: directory.Nearest(h, names)}
	if h == "" {
		p.Message = fmt.Sprintf("Column %s has no heading; give it one of the template's, or remove the column.", letter(i))
		return p
	}
	if retired != "" {
		p.Message, p.Suggestion = fmt.Sprintf("The %s %q is retired, and %s has no column for it any more; remove the column, or set it aside.", retired, p.Value, kind), ""
		return p
	}
	p.Message = fmt.Sprintf("%s has no column %q; remove it, or name it as in the template.", kind, p.Value)
	return p
}

func missingColumns(kind Kind, names []string, have map[int]string) []batch.FileProblem {
	var problems []batch.FileProblem
	for i, name := range names {
		if _, ok := have[i]; ok || kind != UserDetails && i != lanID {
			continue
		}
		problems = append(problems, batch.FileProblem{Row: 1, Column: name, Code: "file.missing_column",
			Message: fmt.Sprintf("%s needs the column %q; add it (its cells may be blank where the value is optional).", kind, name)})
	}
	return problems
}

// letter is the name that spreadsheet programs give the column with this index: A, …, Z, AA, ….
func letter(i int) string {
	s := ""
	for i++; i > 0; i = (i - 1) / 26 {
		s = string(rune('A'+(i-1)%26)) + s
	}
	return s
}
