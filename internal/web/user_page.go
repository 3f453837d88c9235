package web

import (
	"net/url"
	"strconv"
	"time"

	"muster/internal/directory"
	"muster/internal/fault"
)

// oneUserRoutes are the pages of a single user.
func (s *Server) oneUserRoutes() []route {
	addOrEdit := append(append([]directory.Right{}, mayAddUsers...), mayEditUsers...)
	return []route{
		{pattern: "GET /users/new", any: mayAddUsers, do: s.newUser},
		{pattern: "POST /users/new", any: mayAddUsers, most: pictureBody, do: s.addUser},
		{pattern: "POST /users/new/check", any: mayAddUsers, do: s.checkUser},
		{pattern: "GET /users/suggest", any: addOrEdit, do: s.suggestUser},
		{pattern: "GET /users/{id}", any: maySeeUsers, do: s.user},
		{pattern: "GET /users/{id}/reports", any: maySeeUsers, do: s.userReports},
		{pattern: "GET /users/{id}/history", any: maySeeUsers, do: s.userHistory},
		{pattern: "GET /users/{id}/edit", any: mayEditUsers, do: s.editUser},
		{pattern: "POST /users/{id}/edit", any: mayEditUsers, most: pictureBody, do: s.saveUser},
		{pattern: "POST /users/{id}/check", any: mayEditUsers, do: s.checkUser},
		{pattern: "GET /users/{id}/deactivate", any: mayEditUsers, do: s.deactivateDialog},
		{pattern: "POST /users/{id}/deactivate", any: mayEditUsers, do: s.deactivateUser},
		{pattern: "GET /users/{id}/reactivate", any: mayEditUsers, do: s.reactivateDialog},
		{pattern: "POST /users/{id}/reactivate", any: mayEditUsers, do: s.reactivateUser},
		{pattern: "GET /users/{id}/delete", any: mayDeleteUsers, do: s.deleteDialog},
		{pattern: "POST /users/{id}/delete", any: mayDeleteUsers, do: s.deleteUser},
		{pattern: "POST /users/{id}/move-reports", any: mayEditUsers, long: true, do: s.moveReports},
	}
}

// How much of a list is shown at once.
const (
	reportsPage = 10
	historyPage = 10
)

// userPage is all there is to see of a user.
type userPage struct {
	directory.User
	Rights     directory.UserRights
	Channels   []directory.Channel // of the catalogue
	Features   []directory.Feature
	Reports    userReportsPart
	History    userHistoryPart
	Supervisor int64 // the supervisor's id, 0 where they may not be seen
	Done       string
	Imported   importedBy
	MayEdit    bool
	MayDelete  bool
	MayLink    bool // make a sign-in link

	Has              bool // a picture
	Facts            directory.Picture
	MayPicture       bool // give another one
	MayRemovePicture bool
}

// importedBy is the batch that inserted the user; who may not look at it sees its number.
type importedBy struct {
	ID      int64
	MayLook bool
}

// userReportsPart are people who report to the user.
type userReportsPart struct {
	ID    int64
	Users []directory.User
	Total int64
	Next  string // the LAN ID after which there are more
	More  bool   // this is not the first part
}

// userHistoryPart is a part of the user's history.
type userHistoryPart struct {
	ID      int64
	Entries []directory.AuditEntry
	Next    int64
	Look    map[int64]bool // the batches that may be looked at
}

func (s *Server) user(v *visit) error {
	id, err := v.userID()
	if err != nil {
		return err
	}
	p, err := s.newUserPage(v, id)
	if err != nil {
		return err
	}
	return v.show(fullName(&p.User), userPageView(p))
}

func (s *Server) newUserPage(v *visit, id int64) (p *userPage, err error) {
	h := v.handle()
	p = &userPage{Done: v.URL.Query().Get("done"), MayEdit: v.can("users:edit"), MayDelete: v.can("users:delete")}
	if p.User, err = h.User(v.ctx(), id); err != nil {
		return nil, err
	}
	cfg, err := configuration(v.ctx(), h)
	if err != nil {
		return nil, err
	}
	p.Channels, p.Features = cfg.Channels, cfg.Features
	if p.Rights, err = h.UserRights(v.ctx(), id); err != nil {
		return nil, err
	}
	if p.Reports, err = reportsOf(v, id, ""); err != nil {
		return nil, err
	}
	if p.History, err = s.historyOf(v, id, 0); err != nil {
		return nil, err
	}
	if p.Facts, p.Has, err = h.PictureOf(v.ctx(), id); err != nil {
		return nil, err
	}
	p.MayPicture, p.MayRemovePicture = p.MayEdit && v.can("pictures:add"), p.MayEdit && v.can("pictures:delete")
	if p.User.Supervisor != "" {
		lead, err := h.UserByLANID(v.ctx(), p.User.Supervisor)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return nil, err
		}
		p.Supervisor = lead.ID
	}
	p.MayLink = p.MayEdit && p.Status == directory.Active && len(p.Rights.Rights) > 0 && directory.Fold(p.LANID) != directory.Fold(v.actor().Name())
	if p.BatchID != 0 {
		look, err := s.mayLookAt(v, p.BatchID)
		if err != nil {
			return nil, err
		}
		p.Imported = importedBy{p.BatchID, look}
	}
	return p, nil
}

// mayLookAt tells whether who acts may look at the batch.
func (s *Server) mayLookAt(v *visit, batch int64) (bool, error) {
	err := s.Engine.MayLook(v.ctx(), v.actor(), batch)
	switch fault.KindOf(err) {
	case fault.NotFound, fault.Forbidden:
		return false, nil
	}
	return err == nil, err
}

func reportsOf(v *visit, id int64, after string) (part userReportsPart, err error) {
	part = userReportsPart{ID: id, More: after != ""}
	part.Users, part.Total, err = v.handle().Reports(v.ctx(), id, after, reportsPage+1)
	if len(part.Users) > reportsPage {
		part.Users = part.Users[:reportsPage]
		part.Next = part.Users[reportsPage-1].LANID
	}
	return part, err
}

func (p userReportsPart) morePath() string {
	return pathWith(userPath(p.ID)+"/reports", url.Values{"after": {p.Next}})
}

// userReports answers with more of those who report to the user.
func (s *Server) userReports(v *visit) error {
	id, err := v.userID()
	if err != nil {
		return err
	}
	part, err := reportsOf(v, id, v.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	return v.part(userReportRows(part))
}

func (s *Server) historyOf(v *visit, id, before int64) (part userHistoryPart, err error) {
	part = userHistoryPart{ID: id, Look: map[int64]bool{}}
	if part.Entries, err = v.handle().UserHistory(v.ctx(), id, before, historyPage+1); err != nil {
		return part, err
	}
	if len(part.Entries) > historyPage {
		part.Entries = part.Entries[:historyPage]
		part.Next = part.Entries[historyPage-1].ID
	}
	for _, e := range part.Entries {
		if _, known := part.Look[e.BatchID]; e.BatchID == 0 || known {
			continue
		}
		if part.Look[e.BatchID], err = s.mayLookAt(v, e.BatchID); err != nil {
			return part, err
		}
	}
	return part, nil
}

func (p userHistoryPart) morePath() string {
	return pathWith(userPath(p.ID)+"/history", url.Values{"before": {strconv.FormatInt(p.Next, 10)}})
}

// userHistory answers with older entries of the user's history.
func (s *Server) userHistory(v *visit) error {
	id, err := v.userID()
	if err != nil {
		return err
	}
	before, _ := strconv.ParseInt(v.URL.Query().Get("before"), 10, 64)
	part, err := s.historyOf(v, id, before)
	if err != nil {
		return err
	}
	return v.part(userHistoryEntries(part))
}

func entryTime(e directory.AuditEntry) time.Time { return time.UnixMicro(e.At).UTC() }

// userDone is what a page says after an action has come to it.
var userDone = map[string][2]string{
	"added":       {"Added", "They are in the directory now. To sign in, they need a sign-in link."},
	"saved":       {"Saved", ""},
	"deactivated": {"Deactivated", "Their sessions have ended. Reactivate them when they come back."},
	"reactivated": {"Reactivated", "They can be used again."},

	"picture-removed":  {"Picture removed", ""},
	"picture-not-kept": {"Saved, but for the picture", "Somebody changed this user at the same moment, or the picture could not be stored. Add it again."},
}
