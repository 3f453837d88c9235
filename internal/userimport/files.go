package userimport

import (
	"context"
	"errors"

	"muster/internal/batch"
	"muster/internal/blob"
	"muster/internal/directory"
	"muster/internal/sheet"
	"muster/internal/sqldb"
)

// source is one of the batch's files, open.
type source struct {
	index  int // position among the batch's files
	name   string
	blob   *blob.File
	reader *sheet.Reader
	layout layout
	chosen []choice // what somebody decided about columns that the template does not have
	fresh  bool     // chosen is not the batch's yet: it was remembered
}

// files are an import's by kind; the last two may be missing.
type files struct {
	all                       []*source
	users, channels, features *source
}

// open opens all files and recognises them. Everything that is wrong with them is reported at once.
func (f *files) open(ctx context.Context, run *batch.Run, lim sheet.Limits, cfg *directory.Configuration) error {
	var problems batch.Problems
	own, err := ownChoices(ctx, run.DB().Read(), run.Batch.ID)
	if err != nil {
		return err
	}
	for i, file := range run.Batch.Files {
		src, found, err := openFile(ctx, run, i, lim, cfg, own[i])
		if err != nil {
			f.close()
			return err
		}
		f.all = append(f.all, src)
		for _, p := range found {
			p.File = file.Name
			problems = append(problems, p)
		}
	}
	problems = append(problems, f.sort(run)...)
	if len(problems) > 0 {
		f.close()
		return problems
	}
	for _, src := range f.all {
		if src.fresh {
			if err := run.Tx(ctx, func(tx *sqldb.Tx) error { return keepChoices(ctx, tx, run.Batch.ID, src.index, src.chosen) }); err != nil {
				f.close()
				return err
			}
		}
		if run.Batch.Files[src.index].Kind == "" {
			if err := run.SetKind(ctx, src.index, string(src.layout.kind)); err != nil {
				f.close()
				return err
			}
		}
	}
	return nil
}

func openFile(ctx context.Context, run *batch.Run, i int, lim sheet.Limits, cfg *directory.Configuration, own []choice) (*source, []batch.FileProblem, error) {
	b, err := run.Open(i)
	if err != nil {
		return nil, nil, err
	}
	src := &source{index: i, name: run.Batch.Files[i].Name, blob: b}
	src.reader, err = sheet.Open(b, b.Size, src.name, lim, sheet.PreferSheet(string(UserDetails), string(ChannelCountDetails), string(FeatureDetails)))
	var p *sheet.Problem
	if errors.As(err, &p) {
		return src, []batch.FileProblem{fileProblem(p)}, nil
	}
	if err != nil {
		src.close()
		return nil, nil, err
	}
	if src.chosen = own; own == nil {
		if src.chosen, err = rememberedChoices(ctx, run.DB().Read(), src.reader.Header(), cfg); err != nil {
			src.close()
			return nil, nil, err
		}
		src.fresh = len(src.chosen) > 0
	}
	var problems []batch.FileProblem
	src.layout, problems = recognise(src.reader.Header(), cfg, byPlace(src.chosen))
	for j := range problems {
		problems[j].Row = src.reader.HeaderRow()
	}
	return src, problems, nil
}

func fileProblem(p *sheet.Problem) batch.FileProblem {
	return batch.FileProblem{Row: p.Row, Column: p.Column, Code: p.Code, Value: p.Value, Message: p.Message}
}

// sort puts the files by their kinds, and reports the kinds that are there twice or lacking.
func (f *files) sort(run *batch.Run) batch.Problems {
	var problems batch.Problems
	clear := true
	for _, src := range f.all {
		place := map[Kind]**source{UserDetails: &f.users, ChannelCountDetails: &f.channels, FeatureDetails: &f.features}[src.layout.kind]
		switch {
		case place == nil:
			clear = false // it could not be read; perhaps it is the one that lacks
		case *place != nil:
			problems = append(problems, batch.FileProblem{File: src.name, Code: "file.two_of_a_kind",
				Message: "This is " + string(src.layout.kind) + ", and so is " + (*place).name + "; select only one of them."})
		default:
			*place = src
		}
	}
	if f.users == nil && clear {
		problems = append(problems, batch.FileProblem{Code: "file.no_user_details",
			Message: "None of the files is UserDetails (its header begins with LAN ID, First Name, Last Name); add it."})
	}
	return problems
}

func (f *files) close() {
	for _, src := range f.all {
		src.close()
	}
}

func (s *source) close() {
	if s.reader != nil {
		s.reader.Close()
	}
	s.blob.Close()
}

// problem turns what reading said into the batch's file problem; other errors stay as they are.
func (s *source) problem(err error) error {
	var p *sheet.Problem
	if errors.As(err, &p) {
		fp := fileProblem(p)
		fp.File = s.name
		return batch.Problems{fp}
	}
	return err
}
