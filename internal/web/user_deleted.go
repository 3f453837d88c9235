package web

import (
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
)

// deletedPage is what is left of a user who was deleted: what the audit tells of them.
type deletedPage struct {
	LANID    string
	Entries  []directory.AuditEntry
	Audit    bool // who looks may read the audit
	MayErase bool
	Erased   bool
	Reason   string
	Failure  string
	Look     map[int64]bool
}

// mostOfDeleted are shown of the audit here; all of it is on the page of the audit.
const mostOfDeleted = 50

func (s *Server) deletedUser(v *visit) error {
	p := &deletedPage{LANID: strings.TrimSpace(v.URL.Query().Get("lan_id")), Erased: v.URL.Query().Get("done") == "erased"}
	if err := p.fill(s, v); err != nil {
		return err
	}
	return v.show("Deleted user", deletedView(p))
}

func (p *deletedPage) fill(s *Server, v *visit) error {
	p.Audit = v.can("audit:access")
	if !p.Audit || p.LANID == "" {
		return nil
	}
	found, err := v.handle().Audit(v.ctx(), directory.AuditQuery{Subject: "user", Name: p.LANID, Limit: mostOfDeleted})
	if err != nil {
		return err
	}
	p.Entries, p.Look = found.Entries, map[int64]bool{}
	for _, e := range p.Entries {
		if e.BatchID == 0 {
			continue
		}
		if p.Look[e.BatchID], err = s.mayLookAt(v, e.BatchID); err != nil {
			return err
		}
	}
	p.MayErase = len(p.Entries) > 0 && v.can("users:delete") && v.can("audit:edit") && v.actor().Scope().IsEverywhere()
	return nil
}

// eraseUser takes a deleted user's personal data out of the audit.
func (s *Server) eraseUser(v *visit) error {
	p := &deletedPage{LANID: strings.TrimSpace(v.PostFormValue("lan_id")), Reason: strings.TrimSpace(v.PostFormValue("reason"))}
	var err error
	if v.PostFormValue("again") != p.LANID {
		err = errNotTheLANID
	} else {
		err = v.handle().EraseUser(v.ctx(), p.LANID, p.Reason)
	}
	if err == nil {
		return v.redirect("/users/deleted?done=erased")
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Conflict, fault.NotFound:
		f := failureOf(err)
		p.Failure = f.Message
		if err := p.fill(s, v); err != nil {
			return err
		}
		return v.showStatus(f.Status, "Deleted user", deletedView(p))
	}
	return err
}

var errNotTheLANID = fault.New(fault.Invalid, "what was typed is not the LAN ID; type it exactly as it is shown, so that nobody is erased by mistake")

// deletedRoutes are about who is not there any more.
func (s *Server) deletedRoutes() []route {
	return []route{
		{pattern: "GET /users/deleted", any: mayDeleteUsers, do: s.deletedUser},
		{pattern: "POST /users/deleted/erase", any: mayDeleteUsers, do: s.eraseUser},
	}
}
