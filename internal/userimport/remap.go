package userimport

import (
	"context"
	"errors"
	"slices"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sheet"
	"muster/internal/sqldb"
)

// UnknownColumn is a column of a file that its template does not have.
type UnknownColumn struct {
	File       int // position among the batch's files
	FileName   string
	Index      int    // of the column, from 0
	Column     string // its heading, or its letter where it has none
	Kind       Kind
	Suggestion string   // one of Choices, or ""
	Choices    []string // the template's columns that the header does not have
	// Decided is set where the batch uses a choice that was made before: Choice, "" for set aside.
	Decided bool
	Choice  string
}

// ColumnChoice gives a file's column to one of its template, or sets it aside.
type ColumnChoice struct {
	File   int
	Index  int
	Column string // one of UnknownColumn.Choices; "" sets it aside
}

// MappedColumn is a column that the batch reads as somebody chose.
type MappedColumn struct {
	File       int
	FileName   string
	Index      int
	Column     string // its heading, or its letter
	To         string // "": set aside
	By         string
	At         time.Time
	Remembered bool // chosen for an earlier file with the same header
}

// Mapped lists the columns that the batch reads as somebody chose.
func (f *Frozen) Mapped(ctx context.Context) ([]MappedColumn, error) {
	if err := f.Engine.MayLook(ctx, f.Actor, f.Batch.ID); err != nil {
		return nil, err
	}
	own, err := ownChoices(ctx, f.Engine.DB.Read(), f.Batch.ID)
	if err != nil {
		return nil, err
	}
	var all []MappedColumn
	for i, file := range f.Batch.Files {
		for _, c := range own[i] {
			all = append(all, MappedColumn{File: i, FileName: file.Name, Index: c.Place, Column: shownHeading(c.Heading, c.Place), To: c.Target,
				By: c.By, At: time.UnixMicro(c.At).UTC(), Remembered: c.Remembered != 0})
		}
	}
	return all, nil
}

func shownHeading(h string, place int) string {
	if h == "" {
		return letter(place)
	}
	return h
}

// heads is what the header of one of the batch's files says.
type heads struct {
	kind    Kind
	header  []string
	unknown []UnknownColumn
	missing []string // columns that the kind needs and the header lacks
}

// UnknownColumns lists the columns that the templates do not have, where choices for them are all that the files need:
// none where something else is wrong with them.
func (f *Frozen) UnknownColumns(ctx context.Context) ([]UnknownColumn, error) {
	if err := f.Engine.MayLook(ctx, f.Actor, f.Batch.ID); err != nil {
		return nil, err
	}
	all, err := f.heads(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range f.Batch.FileProblems {
		if p.Code != "file.unknown_column" && p.Code != "file.missing_column" {
			return nil, nil
		}
	}
	var unknown []UnknownColumn
	for _, h := range all {
		if len(h.missing) > len(h.unknown) {
			return nil, nil
		}
		unknown = append(unknown, h.unknown...)
	}
	return unknown, nil
}

// heads reads the headers of the batch's files. What cannot be read has none.
func (f *Frozen) heads(ctx context.Context) ([]heads, error) {
	cfg, err := directory.LoadConfiguration(ctx, f.Engine.DB.Read())
	if err != nil {
		return nil, err
	}
	own, err := ownChoices(ctx, f.Engine.DB.Read(), f.Batch.ID)
	if err != nil {
		return nil, err
	}
	all := make([]heads, len(f.Batch.Files))
	for i := range f.Batch.Files {
		if all[i].header, err = f.header(ctx, i); err != nil {
			return nil, err
		}
		h := &all[i]
		var known map[string]int
		if h.kind, known = bestKind(h.header, &cfg); h.kind == "" {
			continue
		}
		h.describe(i, f.Batch.Files[i].Name, known, Columns(h.kind, &cfg), byPlace(own[i]))
	}
	return all, nil
}

func (f *Frozen) header(ctx context.Context, file int) ([]string, error) {
	b, err := f.blob(ctx, file)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	r, err := f.openSheet(b, f.Batch.Files[file].Name)
	var p *sheet.Problem
	if errors.As(err, &p) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return withoutBlankEnd(slices.Clone(r.Header())), nil
}

func (h *heads) describe(file int, name string, known map[string]int, names []string, own map[int]string) {
	there := map[int]bool{}
	for _, head := range h.header {
		if col, ok := known[heading(head)]; ok {
			there[col] = true
		}
	}
	var free []string
	for col, name := range names {
		if there[col] {
			continue
		}
		free = append(free, name)
		if h.kind == UserDetails || col == lanID {
			h.missing = append(h.missing, name)
		}
	}
	for i, head := range h.header {
		if _, ok := known[heading(head)]; ok {
			continue
		}
		u := UnknownColumn{File: file, FileName: name, Index: i, Column: shownHeading(head, i), Kind: h.kind, Choices: free}
		if head != "" {
			u.Suggestion = directory.Nearest(head, free)
		}
		u.Choice, u.Decided = own[i]
		h.unknown = append(h.unknown, u)
	}
}

// Remap makes a new batch of the same files and options, whose columns read as chosen: there must be a choice for each
// of [Frozen.UnknownColumns]. The choices are remembered for files with the same header. The batch that did not know
// them is left as it is.
func (f *Frozen) Remap(ctx context.Context, choices []ColumnChoice) (*batch.Batch, error) {
	if err := f.Engine.MayLook(ctx, f.Actor, f.Batch.ID); err != nil {
		return nil, err
	}
	if f.Batch.Action != Action || f.Batch.State.Live() || f.Batch.State == batch.Done {
		return nil, fault.New(fault.Conflict, "batch %d is %s; columns can be chosen again only where nothing was imported", f.Batch.ID, f.Batch.State)
	}
	o, err := OptionsOf(f.Batch)
	if err != nil {
		return nil, err
	}
	all, err := f.heads(ctx)
	if err != nil {
		return nil, err
	}
	chosen := make([][]choice, len(all))
	for i := range all {
		if chosen[i], err = f.choose(i, &all[i], choices); err != nil {
			return nil, err
		}
	}
	if len(choices) == 0 {
		return nil, fault.New(fault.Invalid, "nothing was chosen for any column")
	}
	o.Again = f.Batch.ID
	return f.Engine.CreateAgain(ctx, f.Actor, f.Batch.ID, batch.Spec{Action: Action, Options: o, Also: func(ctx context.Context, tx *sqldb.Tx, id int64) error {
		for i, c := range chosen {
			if len(c) == 0 {
				continue
			}
			if err := keepChoices(ctx, tx, id, i, c); err != nil {
				return err
			}
			if err := remember(ctx, tx, headerKey(all[i].kind, all[i].header), c); err != nil {
				return err
			}
		}
		return nil
	}})
}

// choose checks the choices for one file's columns.
func (f *Frozen) choose(file int, h *heads, choices []ColumnChoice) ([]choice, error) {
	now := f.Engine.Directory.Now().UnixMicro()
	given := map[string]string{} // column: the heading that it was given to
	var all []choice
	for _, u := range h.unknown {
		at := slices.IndexFunc(choices, func(c ColumnChoice) bool { return c.File == file && c.Index == u.Index })
		if at < 0 {
			return nil, fault.New(fault.Invalid, "choose what the column %q of %s is, or set it aside", u.Column, u.FileName)
		}
		to := choices[at].Column
		if to != "" && !slices.Contains(u.Choices, to) {
			return nil, fault.New(fault.Invalid, "the column %q of %s cannot be %q: the file has that column already, or its template has no such column", u.Column, u.FileName, to)
		}
		if other, twice := given[to]; twice && to != "" {
			return nil, fault.New(fault.Invalid, "%q and %q of %s are both to be %q; set one of them aside", other, u.Column, u.FileName, to)
		}
		given[to] = u.Column
		head := h.header[u.Index]
		all = append(all, choice{Place: u.Index, Heading: head, Target: to, By: f.Actor.Name(), At: now})
	}
	for _, name := range h.missing {
		if _, ok := given[name]; !ok {
			return nil, fault.New(fault.Invalid, "%s of %s is still missing; say which of the file's columns it is", name, f.Batch.Files[file].Name)
		}
	}
	return all, nil
}
