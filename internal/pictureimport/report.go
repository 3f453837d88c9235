package pictureimport

import (
	"context"
	"iter"

	"muster/internal/batch"
	"muster/internal/directory"
)

// report writes what there is to say of every picture, and stores the counts. Where pictures are being given already, it
// does the latter alone: what came of it is told at the end.
func (im *importing) report(ctx context.Context) (err error) {
	counts := im.counts()
	if im.run.Batch.State == batch.Checking {
		name := batch.ResultReport
		if im.options.Preview {
			name = batch.PreviewReport
		}
		if err := im.writeReport(ctx, name); err != nil {
			return err
		}
	}
	return im.run.StoreCounts(ctx, counts)
}

func (im *importing) counts() batch.Counts {
	c := batch.Counts{Rows: int64(len(im.rows)), PassedOver: im.archive.passedOver}
	for i := range im.rows {
		switch o, _ := im.outcome(i); o {
		case directory.Inserted:
			c.Inserted++
		case directory.Updated:
			c.Updated++
		case directory.Unchanged:
			c.Unchanged++
		case directory.Invalid:
			c.Invalid++
		}
	}
	return c
}

func (im *importing) writeReport(ctx context.Context, name string) error {
	was := func(int64) directory.Outcome { return "" }
	if name == batch.ResultReport {
		next, stop := iter.Pull2(im.run.Previewed(ctx))
		defer stop()
		was = outcomes(next)
	}
	return im.run.WriteReport(ctx, name, func(yield func(batch.Entry, error) bool) {
		for i := range im.rows {
			m := &im.rows[i].match
			e := batch.Entry{Row: int64(i + 1), Item: im.archive.entries[i].path, UserID: m.user, LANID: m.lanID, Name: m.name}
			e.Outcome, e.Problems = im.outcome(i)
			if o := was(e.Row); o != "" && o != e.Outcome && e.Outcome != directory.NotApplied {
				e.Was = o
			}
			if !yield(e, nil) {
				return
			}
		}
	})
}

// outcome is what became of a picture, or will.
func (im *importing) outcome(i int) (directory.Outcome, []directory.Problem) {
	if done := im.rows[i].done; done != "" {
		return done, im.flaws(i)
	}
	o, problems := im.judge(i)
	if im.over && (o == directory.Inserted || o == directory.Updated) {
		o = directory.NotApplied
	}
	return o, problems
}

// judge says what is to become of a picture, and why.
func (im *importing) judge(i int) (directory.Outcome, []directory.Problem) {
	r := &im.rows[i]
	var problems []directory.Problem
	if r.late != nil {
		problems = append(problems, *r.late)
	} else if p := im.matchProblem(i); p != nil {
		problems = append(problems, *p)
	}
	if r.look != nil && r.look.refused != nil {
		p := im.problemOf(i)
		refused := ProblemOf(r.look.refused)
		p.Code, p.Message = refused.Code, refused.Message
		problems = append(problems, p)
	}
	if r.same() && len(problems) == 0 {
		return directory.Unchanged, nil
	}
	problems = append(problems, im.flaws(i)...)
	for _, p := range problems {
		if p.Severity == directory.Error {
			return directory.Invalid, problems
		}
	}
	if r.match.has {
		return directory.Updated, problems
	}
	return directory.Inserted, problems
}

// same tells whether the user has this very picture.
func (r *row) same() bool {
	return r.look != nil && r.match.has && (r.look.source == r.match.source || r.look.made() && r.look.picture.hash == r.match.hash)
}

// flaws are what a picture could do better, as problems.
func (im *importing) flaws(i int) []directory.Problem {
	l := im.rows[i].look
	if l == nil {
		return nil
	}
	all := ProblemsOf(l.flaws, im.options.Strict)
	for j := range all {
		p := im.problemOf(i)
		p.Code, p.Severity, p.Message = all[j].Code, all[j].Severity, all[j].Message
		all[j] = p
	}
	return all
}

// outcomes looks rows up in a report, in the order of the rows; "" is for those that it does not have.
func outcomes(next func() (batch.Entry, error, bool)) func(row int64) directory.Outcome {
	e, err, more := next()
	return func(row int64) directory.Outcome {
		for more && err == nil && e.Row < row {
			e, err, more = next()
		}
		if more && err == nil && e.Row == row {
			return e.Outcome
		}
		return ""
	}
}
