package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/useredit"
)

// entryPage is one entry of a catalogue: its form, and what else can be done with it.
type entryPage struct {
	Tab                 catalogueTab
	Form                entryForm
	Was                 string // its name as it is
	Use                 directory.CatalogueUse
	Others              []entryForm // those that its users can be given instead
	MayEdit             bool
	MayDelete           bool
	MayReplace          bool
	Problem             string
	Conflict            string
	Confirm, ConfirmFor string // what saving does to users; the new default that it is about
}

func (s *Server) newEntry(v *visit) error {
	t, err := v.catalogueTab()
	if err != nil {
		return err
	}
	if err := v.needAll("catalogues:add"); err != nil {
		return err
	}
	p := entryPage{Tab: t, MayEdit: true, Form: entryForm{Kind: "switch", Default: "0", Highest: "1"}}
	if t.Of == directory.FeatureCatalogue {
		p.Form.Default = "no"
	}
	p.Form = p.Form.withBlanks()
	return v.show(t.Add, entryView(p))
}

// entryPage reads what the page of the entry at the address shows.
func (v *visit) entryPage() (entryPage, error) {
	t, id, err := v.entryAddress()
	if err != nil {
		return entryPage{}, err
	}
	c, err := v.handle().Catalogues(v.ctx())
	if err != nil {
		return entryPage{}, err
	}
	p := entryPage{Tab: t, MayEdit: v.mayChangeAll("catalogues:edit"), MayDelete: v.mayChangeAll("catalogues:delete")}
	for _, e := range entriesOf(t, &c) {
		switch {
		case e.ID == id:
			p.Form, p.Was = e, e.Name
		case !e.Retired:
			p.Others = append(p.Others, e)
		}
	}
	if p.Was == "" {
		return p, fault.New(fault.NotFound, "there is no such %s any more; somebody may have deleted it", t.One)
	}
	p.MayReplace = p.MayDelete && !t.Ordered && v.can("users:edit")
	if p.Use, err = v.handle().CatalogueUse(v.ctx(), t.Of, id); err != nil {
		return p, err
	}
	for i := range p.Form.Values {
		p.Form.Values[i].Users = p.Use.Of(p.Form.Values[i].Old)
	}
	return p, nil
}

func (s *Server) entry(v *visit) error {
	p, err := v.entryPage()
	if err != nil {
		return err
	}
	p.Form = p.Form.withBlanks()
	return v.show(p.Was, entryView(p))
}

// saveEntry saves a new entry or a changed one. What was typed is kept, whatever is wrong with it.
func (s *Server) saveEntry(v *visit) error {
	p := entryPage{}
	var err error
	if v.PathValue("id") == "" {
		p.Tab, err = v.catalogueTab()
		p.MayEdit = true
	} else {
		p, err = v.entryPage()
	}
	if err != nil {
		return err
	}
	right := directory.Right("catalogues:edit")
	if p.Form.ID == 0 {
		right = "catalogues:add"
	}
	if err := v.needAll(right); err != nil {
		return err
	}
	typed := typedEntry(v.Form, p.Form.ID)
	typed.seen, typed.Retired = p.Form.seen, p.Form.Retired
	for i := range typed.Values {
		typed.Values[i].Users = p.Use.Of(typed.Values[i].Old)
	}
	now, err := s.trySave(v, &p, typed)
	if err == nil && p.Confirm == "" {
		return v.redirect(p.Tab.path() + "?done=saved")
	}
	if err != nil {
		f, shown := onForm(err)
		if !shown {
			return err
		}
		if now != nil {
			p.Conflict = sentence(f.Message)
			typed.seen = now
		} else {
			p.Problem = f.Message
		}
	}
	p.Form = typed.withBlanks()
	title := p.Was
	if title == "" {
		title = p.Tab.Add
	}
	return v.showStatus(http.StatusUnprocessableEntity, title, entryView(p))
}

// trySave returns, beside the error, what the entry is by now where somebody else changed it; and it stops, with
// p.Confirm, where saving changes what users have who follow the default.
func (s *Server) trySave(v *visit, p *entryPage, typed entryForm) (now any, err error) {
	h := v.handle()
	switch p.Tab.Of {
	case directory.ChannelCatalogue:
		seen, err := seenEntry[directory.Channel](v.Form)
		if err != nil {
			return nil, err
		}
		want, err := typed.channel()
		if err != nil {
			return nil, err
		}
		if seen != nil && want.Default <= want.Highest && p.mustConfirm(v, strconv.Itoa(want.Default), strconv.Itoa(seen.Default)) {
			return nil, nil
		}
		_, err = h.SaveChannel(v.ctx(), seen, want)
		return nowOf[directory.Channel](err), err
	case directory.FeatureCatalogue:
		seen, err := seenEntry[directory.Feature](v.Form)
		if err != nil {
			return nil, err
		}
		want, renamed, err := typed.feature()
		if err != nil {
			return nil, err
		}
		if seen != nil && typed.offers(want.Default) && want.Default != renamed[seen.Default] && p.mustConfirm(v, want.Default, seen.Default) {
			return nil, nil
		}
		_, err = h.SaveFeature(v.ctx(), seen, want, renamed)
		return nowOf[directory.Feature](err), err
	case directory.CRMNameCatalogue:
		seen, err := seenEntry[directory.Named](v.Form)
		if err != nil {
			return nil, err
		}
		_, err = h.SaveCRMName(v.ctx(), seen, directory.Named{ID: typed.ID, Name: typed.Name, Retired: typed.Retired})
		return nowOf[directory.Named](err), err
	}
	seen, err := seenEntry[directory.GreetingTemplate](v.Form)
	if err != nil {
		return nil, err
	}
	_, err = h.SaveGreetingTemplate(v.ctx(), seen, directory.GreetingTemplate{ID: typed.ID, Name: typed.Name, Text: typed.Text, Retired: typed.Retired})
	return nowOf[directory.GreetingTemplate](err), err
}

// nowOf is the entry as somebody else left it, where that is what the error says.
func nowOf[T any](err error) any {
	var changed *directory.Changed[T]
	if errors.As(err, &changed) {
		return changed.Now
	}
	return nil
}

// mustConfirm tells whether saving the new default changes what users have, and nobody has confirmed just that.
func (p *entryPage) mustConfirm(v *visit, to, from string) bool {
	if to == from || p.Use.Following == 0 || v.FormValue("confirm") == to {
		return false
	}
	p.ConfirmFor = to
	p.Confirm = fmt.Sprintf("%s the default: they have %s now, and %s from then on.", following(p.Use.Following), from, to)
	if own := p.Use.Users - p.Use.Of(to); own > 0 {
		p.Confirm += fmt.Sprintf(" %s a setting of their own, and keep it.", have(own))
	}
	if same := p.Use.Of(to); same > 0 {
		p.Confirm += fmt.Sprintf(" %s %s already, and follow the default from then on.", have(same), to)
	}
	return true
}

func following(n int64) string {
	switch n {
	case 0:
		return "Nobody follows"
	case 1:
		return "1 user follows"
	}
	return number(n) + " users follow"
}

func have(n int64) string {
	switch n {
	case 0:
		return "Nobody has"
	case 1:
		return "1 user has"
	}
	return number(n) + " users have"
}

// retireEntry retires an entry, or brings it back: it is as in the form's seen otherwise.
func (s *Server) retireEntry(v *visit) error {
	t, _, err := v.entryAddress()
	if err != nil {
		return err
	}
	if _, err := v.entryPage(); err != nil {
		return err
	}
	if err := v.needAll("catalogues:edit"); err != nil {
		return err
	}
	retired, done := v.FormValue("retired") == "yes", "?done=back"
	if retired {
		done = "?done=retired"
	}
	switch t.Of {
	case directory.ChannelCatalogue:
		err = retire(v, func(seen *directory.Channel, want directory.Channel) error {
			want.Retired = retired
			_, err := v.handle().SaveChannel(v.ctx(), seen, want)
			return err
		})
	case directory.FeatureCatalogue:
		err = retire(v, func(seen *directory.Feature, want directory.Feature) error {
			want.Retired = retired
			_, err := v.handle().SaveFeature(v.ctx(), seen, want, nil)
			return err
		})
	case directory.CRMNameCatalogue:
		err = retire(v, func(seen *directory.Named, want directory.Named) error {
			want.Retired = retired
			_, err := v.handle().SaveCRMName(v.ctx(), seen, want)
			return err
		})
	default:
		err = retire(v, func(seen *directory.GreetingTemplate, want directory.GreetingTemplate) error {
			want.Retired = retired
			_, err := v.handle().SaveGreetingTemplate(v.ctx(), seen, want)
			return err
		})
	}
	return s.doneWith(v, err, t.path()+done)
}

func retire[T any](v *visit, save func(seen *T, want T) error) error {
	seen, err := seenEntry[T](v.Form)
	if err != nil {
		return err
	}
	if seen == nil {
		return fault.New(fault.Invalid, "the form did not arrive as it was sent; load the page again and try once more")
	}
	return save(seen, *seen)
}

// doneWith leads on, or shows the entry's page again with what stood against it.
func (s *Server) doneWith(v *visit, err error, to string) error {
	if err == nil {
		return v.redirect(to)
	}
	f, shown := onForm(err)
	if !shown {
		return err
	}
	p, again := v.entryPage()
	if again != nil {
		return err
	}
	p.Problem, p.Form = f.Message, p.Form.withBlanks()
	return v.showStatus(f.Status, p.Was, entryView(p))
}

func (s *Server) deleteEntry(v *visit) error {
	t, id, err := v.entryAddress()
	if err != nil {
		return err
	}
	if _, err := v.entryPage(); err != nil {
		return err
	}
	return s.doneWith(v, v.handle().DeleteCatalogueEntry(v.ctx(), t.Of, id), t.path()+"?done=deleted")
}

// replaceEntry gives those who have the entry another one, or none, and then deletes it: a batch.
func (s *Server) replaceEntry(v *visit) error {
	t, id, err := v.entryAddress()
	if err != nil {
		return err
	}
	if _, err := v.entryPage(); err != nil {
		return err
	}
	if err := v.needAll("catalogues:delete"); err != nil {
		return err
	}
	to, err := strconv.ParseInt(v.FormValue("to"), 10, 64)
	if err != nil || t.Ordered {
		return s.doneWith(v, fault.New(fault.Invalid, "choose what its users get instead"), "")
	}
	b, err := useredit.Create(v.ctx(), s.Engine, v.actor(), useredit.Options{
		Kind: directory.ValueKind(t.Of), From: id, To: to, Delete: true, Preview: true, Reason: v.FormValue("reason"),
	})
	if err != nil {
		return s.doneWith(v, err, "")
	}
	return v.redirect(batchPath(b.ID))
}
