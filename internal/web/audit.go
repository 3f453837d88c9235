package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/directory"
	"muster/internal/fault"
)

// auditRoutes are the audit and its exports.
func (s *Server) auditRoutes() []route {
	may := []directory.Right{"audit:access"}
	return []route{
		{pattern: "GET /audit", any: may, do: s.audit},
		{pattern: "GET /audit/export/{file}", any: may, long: true, do: s.exportAudit},
	}
}

// auditAsked is what the address asks for, as it was typed.
type auditAsked struct {
	Who, Action, Kind, Name, From, To, Batch, User string
	After                                          int64
}

// auditParams are the parameters of the address in their order, and where each belongs.
func (a *auditAsked) params() []struct {
	name string
	text *string
} {
	return []struct {
		name string
		text *string
	}{{"who", &a.Who}, {"action", &a.Action}, {"kind", &a.Kind}, {"name", &a.Name}, {"from", &a.From}, {"to", &a.To}, {"batch", &a.Batch}, {"user", &a.User}}
}

func askedAudit(q url.Values) *auditAsked {
	a := &auditAsked{}
	for _, p := range a.params() {
		*p.text = strings.TrimSpace(q.Get(p.name))
	}
	a.After, _ = strconv.ParseInt(q.Get("after"), 10, 64)
	a.After = max(0, a.After)
	return a
}

// path is the address of the same question below one of the audit's.
func (a *auditAsked) path(below string, after int64) string {
	var pairs []string
	for _, p := range a.params() {
		pairs = append(pairs, p.name, *p.text)
	}
	if after > 0 {
		pairs = append(pairs, "after", strconv.FormatInt(after, 10))
	}
	return withQuery("/audit"+below, pairs...)
}

func (a *auditAsked) isFiltered() bool {
	return slices.ContainsFunc(a.params(), func(p struct {
		name string
		text *string
	}) bool {
		return *p.text != ""
	})
}

// query is what the service is asked. Days are those of UTC, and the last one counts whole.
func (a *auditAsked) query() (q directory.AuditQuery, err error) {
	q = directory.AuditQuery{Actor: a.Who, Action: a.Action, Subject: a.Kind, Name: a.Name, After: a.After}
	for _, n := range []struct {
		text string
		into *int64
		what string
	}{{a.Batch, &q.BatchID, "a batch"}, {a.User, &q.UserID, "a user"}} {
		if n.text == "" {
			continue
		}
		if *n.into, err = strconv.ParseInt(strings.TrimPrefix(n.text, "#"), 10, 64); err != nil || *n.into <= 0 {
			return q, fault.New(fault.Invalid, "%q is not the number of %s; give it in digits", n.text, n.what)
		}
	}
	if q.From, err = day(a.From); err != nil {
		return q, err
	}
	if q.To, err = day(a.To); err != nil {
		return q, err
	}
	if !q.To.IsZero() {
		q.To = q.To.AddDate(0, 0, 1)
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return q, fault.New(fault.Invalid, "the first day, %s, is after the last, %s; exchange them", a.From, a.To)
	}
	return q, nil
}

func day(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return at, fault.New(fault.Invalid, "%q is not a day; write it as 2026-11-30", text)
	}
	return at, nil
}

// auditPage is the audit.
type auditPage struct {
	*auditAsked
	directory.AuditPage
	Actions, Kinds []string
	Problem        string // with the address; there are no entries then
	batches        bool   // the person may look at everybody's batches
	deletes        bool   // and users that were deleted
	me             string
}

// audit shows what was changed.
func (s *Server) audit(v *visit) error {
	asked := askedAudit(v.URL.Query())
	if raw := v.URL.RawQuery; strings.Contains(raw, "=&") || strings.HasSuffix(raw, "=") {
		return v.redirect(asked.path("", asked.After)) // a form sends its empty fields, too
	}
	p := &auditPage{auditAsked: asked, batches: v.can("batches:access") && v.actor().Scope().IsEverywhere(), deletes: v.can("users:delete"), me: v.actor().Name()}
	var err error
	if p.Actions, p.Kinds, err = v.handle().AuditWords(v.ctx()); err != nil {
		return err
	}
	query, err := asked.query()
	if err == nil {
		p.AuditPage, err = v.handle().Audit(v.ctx(), query)
	}
	if fault.KindOf(err) == fault.Invalid {
		p.Problem = failureOf(err).Message
		return v.showStatus(422, "Audit", auditView(p))
	}
	if err != nil {
		return err
	}
	return v.show("Audit", auditView(p))
}

// exportAudit sends everything that the address asks for as a file.
func (s *Server) exportAudit(v *visit) error {
	query, err := askedAudit(v.URL.Query()).query()
	if err != nil {
		return err
	}
	query.After = 0
	out := &download{w: v.w, name: v.PathValue("file"), kind: "text/csv; charset=utf-8"}
	switch out.name {
	case "audit.csv":
		_, err = directory.WriteAuditCSV(v.ctx(), v.handle(), query, out)
	case "audit.json":
		out.kind = "application/json"
		_, err = directory.WriteAuditJSON(v.ctx(), v.handle(), query, out)
	default:
		return errNothingHere
	}
	return out.end(err)
}

// batchLink is the address of the entry's batch; "" where there is none that the person may look at.
func (p *auditPage) batchLink(e directory.AuditEntry) string {
	if e.BatchID == 0 || !p.batches {
		return ""
	}
	return batchPath(e.BatchID)
}

// thing is the address of what the entry is about; "" where it is gone, or not for this person to see.
func (p *auditPage) thing(e directory.AuditEntry) string {
	switch {
	case e.Subject == "user" && p.Users[e.SubjectID]:
		return "/users/" + strconv.FormatInt(e.SubjectID, 10)
	case e.Subject == "batch":
		return p.batchLink(e)
	}
	id, there := p.Things[directory.AuditThing{Subject: e.Subject, Name: e.Name}]
	path := thingPaths[e.Subject]
	if !there || path == "" {
		return ""
	}
	return path + strconv.FormatInt(id, 10)
}

// thingPaths are where things of a kind are, but for their ids.
var thingPaths = map[string]string{
	"role": "/roles/", "access-role": "/access-roles/", "org-unit": "/org?unit=", "channel": "/catalogues/channels/", "feature": "/catalogues/features/",
	"crm-name": "/catalogues/crm-names/", "greeting-template": "/catalogues/greeting-templates/",
}
