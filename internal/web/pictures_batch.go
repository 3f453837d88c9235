package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/pictureimport"
)

// picturesPart is a batch that imports pictures: the pictures of one outcome, each beside its user.
type picturesPart struct {
	pictureimport.Options
	Show    directory.Outcome
	Code    string
	After   int64
	Next    int64 // where the next page goes on; 0 on the last
	Preview bool
	Looking bool // who belongs to whom is known, and the pictures are still looked at
	Codes   []batch.RowCount
	Lines   []pictureLine
	MayGive bool // a picture to a user by hand
	Open    bool // the person may look at users
}

// pictureLine is a picture as the table shows it.
type pictureLine struct {
	pictureimport.Row
	Picture, Before string // addresses of small ones; "" for none
}

// What an import of pictures does before it applies.
const (
	phaseMatching = "matching"
	phaseLooking  = "looking at pictures"
)

// importsPictures tells whether the batch imports pictures.
func importsPictures(b *batch.Batch) bool { return b.Action == pictureimport.Action }

// pictureOutcomes are the counts of an import of pictures in their order.
var pictureOutcomes = []directory.Outcome{directory.Inserted, directory.Updated, directory.Unchanged, directory.Invalid, directory.NotApplied}

// matched tells whether it is known whose the pictures are, as far as this page shows it: an import under way and an undo
// show how far they are.
func (p *picturesPart) matched(b *batch.Batch) bool { return !b.State.Live() || p.Looking }

// shows tells whether the page has a place for the pictures: of an archive that cannot be used there are none.
func (p *picturesPart) shows(b *batch.Batch) bool {
	switch b.State {
	case batch.Received, batch.Checking:
		return true
	case batch.Failed:
		return len(b.FileProblems) == 0 && len(p.Lines) > 0
	}
	return !b.State.Live() && !b.Cleared()
}

// stopPolling is the status by which htmx asks no more.
const stopPolling = 286

// showPictures answers with the pictures alone. A page that waits for the matching to end gets nothing until it has, and
// then asks no more; once the batch is at rest the whole page takes its place anyway.
func (v *visit) showPictures(p *batchPage) error {
	waits := v.URL.Query().Get("waits") != ""
	switch {
	case !p.Pictures.matched(p.Batch), waits && !p.State.Live():
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	case waits:
		return v.write(stopPolling, picturesInside(p))
	}
	return v.part(picturesInside(p))
}

// rowsOnPage are the rows that the page shows from which htmx asks.
func rowsOnPage(v *visit) rowsAsked {
	u, err := url.Parse(v.Header.Get("HX-Current-URL"))
	if err != nil {
		return rowsAsked{}
	}
	q := u.Query()
	return rowsAsked{Show: directory.Outcome(q.Get("show")), Code: q.Get("code"), After: q.Get("after")}
}

// fillPicturesPage fills the page of a batch that imports pictures.
func (s *Server) fillPicturesPage(v *visit, b *batch.Batch, p *batchPage, asked rowsAsked) (err error) {
	part := &picturesPart{Preview: b.State == batch.Ready || b.State == batch.Awaiting, Show: asked.Show, Code: asked.Code, Open: v.can("users:access")}
	part.Looking = b.State == batch.Checking && b.Phase == phaseLooking
	part.Preview = part.Preview || part.Looking
	part.MayGive = b.State == batch.Ready && p.MayAct && part.Open && v.can("pictures:add")
	if part.Options, err = pictureimport.OptionsOf(b); err != nil {
		return err
	}
	p.Pictures = part
	if b.State == batch.Undone {
		if p.Kept, err = s.keptPart(v, b); err != nil {
			return err
		}
	}
	if b.State == batch.Failed && len(b.FileProblems) > 0 || b.Cleared() || !part.matched(b) {
		return nil
	}
	if outcomeCount(b, part.Show) == 0 {
		part.Show, part.Code, asked.After = mostWantedPictures(b), "", ""
	}
	part.After, _ = strconv.ParseInt(asked.After, 10, 64)
	part.After = max(0, part.After)
	return s.fillPictures(v, b, part)
}

// mostWantedPictures is what a page shows when nobody said what: what went wrong first.
func mostWantedPictures(b *batch.Batch) directory.Outcome {
	for _, o := range []directory.Outcome{directory.Invalid, directory.Inserted, directory.Updated, directory.Unchanged, directory.NotApplied} {
		if outcomeCount(b, o) > 0 {
			return o
		}
	}
	return directory.Inserted
}

// fillPictures reads the pictures of the outcome that is shown, and what their users have or had before.
func (s *Server) fillPictures(v *visit, b *batch.Batch, p *picturesPart) (err error) {
	if !p.Looking {
		if p.Codes, err = s.Engine.CodesOf(v.ctx(), v.actor(), b, p.Show); err != nil {
			return err
		}
	}
	rows, next, err := pictureimport.Page(v.ctx(), s.Engine, v.actor(), b, pictureimport.RowsQuery{Outcome: p.Show, Code: p.Code, After: p.After, Limit: rowsPerPage})
	if err != nil {
		return err
	}
	p.Next = next
	before, err := s.picturesBefore(v, b, rows)
	if err != nil {
		return err
	}
	for i := range rows {
		p.Lines = append(p.Lines, newPictureLine(b, &rows[i], before))
	}
	return nil
}

func newPictureLine(b *batch.Batch, row *pictureimport.Row, before map[int64]string) pictureLine {
	line := pictureLine{Row: *row}
	if row.New.Hash != "" {
		line.Picture = batchPicturePath(b.ID, row.Number, row.New.Hash, "small")
	}
	hash := before[row.UserID]
	switch {
	case hash == "":
	case row.Outcome == directory.Unchanged:
		line.Picture = userPicturePath(row.UserID, hash, "small")
	case b.State == batch.Ready || b.State == batch.Awaiting || b.State.Live():
		line.Before = userPicturePath(row.UserID, hash, "small")
	default:
		line.Before = batchPicturePath(b.ID, row.Number, hash, "before")
	}
	return line
}

// picturesBefore are the pictures that users have, or after the import those that they had before it; none for who may not look at users.
func (s *Server) picturesBefore(v *visit, b *batch.Batch, rows []pictureimport.Row) (map[int64]string, error) {
	var ids []int64
	now := b.State == batch.Ready || b.State == batch.Awaiting || b.State.Live()
	for i := range rows {
		if o := rows[i].Outcome; rows[i].UserID != 0 && (o == directory.Updated || o == directory.Unchanged) {
			now = now || o == directory.Unchanged
			ids = append(ids, rows[i].UserID)
		}
	}
	switch {
	case len(ids) == 0 || !v.can("users:access"):
		return nil, nil
	case !now:
		return s.picturesOfJournal(v, b.ID, ids)
	}
	return picturesNow(v, ids)
}

// picturesOfJournal are the pictures that users had before the batch changed them.
func (s *Server) picturesOfJournal(v *visit, batchID int64, ids []int64) (map[int64]string, error) {
	all := map[int64]string{}
	for _, id := range ids {
		change, err := directory.PictureChangesOf(v.ctx(), s.Directory.DB.Read(), batchID, id-1, 1)
		if err != nil {
			return nil, err
		}
		if len(change) == 1 && change[0].ID == id {
			all[id] = change[0].Before
		}
	}
	return all, nil
}

// picturesNow are the pictures of those of the users whom who acts may look at.
func picturesNow(v *visit, ids []int64) (map[int64]string, error) {
	slices.Sort(ids)
	found, err := v.handle().UsersPage(v.ctx(), directory.UserQuery{Filter: directory.UserFilter{IDs: slices.Compact(ids)}, Limit: rowsPerPage})
	if err != nil {
		return nil, err
	}
	all := map[int64]string{}
	for i := range found.Users {
		all[found.Users[i].ID] = found.Users[i].Picture
	}
	return all, nil
}

// label is what a count is called.
func (p *picturesPart) label(o directory.Outcome) string {
	switch {
	case o == directory.Inserted && p.Preview:
		return "Records to insert"
	case o == directory.Inserted:
		return "Inserted records"
	case o == directory.Updated && p.Preview:
		return "Records to update"
	case o == directory.Updated:
		return "Updated records"
	case o == directory.Unchanged:
		return "Unchanged records"
	case o == directory.NotApplied:
		return "Records not come to"
	}
	return "Invalid records"
}

// explains says what an outcome means for pictures.
func (p *picturesPart) explains() string {
	switch p.Show {
	case directory.Inserted:
		if p.Preview {
			return "Users who have no picture yet."
		}
		return "Users who had no picture before."
	case directory.Updated:
		if p.Preview {
			return "Users who have a picture, which is replaced."
		}
		return "Users whose picture was replaced."
	case directory.Unchanged:
		return "Users who have this very picture already."
	}
	return ""
}

// does says what the import will do.
func (p *picturesPart) does(b *batch.Batch) string {
	var text string
	switch c := b.Counts; {
	case c.Inserted+c.Updated == 0:
		return "No user would get a picture."
	case c.Updated == 0:
		text = count(c.Inserted, "user") + " would get a picture."
	case c.Inserted == 0:
		text = count(c.Updated, "user") + " would get another picture than they have."
	default:
		text = count(c.Inserted, "user") + " would get a picture, and " + number(c.Updated) + " another than they have."
	}
	return text
}

// passedOver says how many files were no pictures at all.
func passedOver(n int64) string {
	if n == 1 {
		return "1 file that operating systems put into archives was passed over (such as __MACOSX, .DS_Store or Thumbs.db)."
	}
	return count(n, "file") + " that operating systems put into archives were passed over (such as __MACOSX, .DS_Store or Thumbs.db)."
}

// picturesCancelled says what became of an import that was cancelled.
func picturesCancelled(b *batch.Batch) string {
	if b.Counts.Inserted+b.Counts.Updated == 0 {
		return "No picture was imported."
	}
	return count(b.Counts.Inserted+b.Counts.Updated, "user") + " had got their picture and keep it; " + count(notApplied(b), "other picture") + " were not come to. Undo takes back those that were imported."
}

// picturesUndone says what became of the undo.
func picturesUndone(p *batchPage) string {
	text := count(p.Undone, "user") + " have again what they had before: their old picture, or none."
	if p.Undone == 1 {
		text = "1 user has again what they had before: their old picture, or none."
	}
	if p.Kept != nil && len(p.Kept.Users) > 0 {
		text += " Others keep the new one; they are listed below."
	}
	return text
}

// picturesProgress says what goes on.
func picturesProgress(b *batch.Batch) string {
	switch {
	case b.State == batch.Undoing:
		return "Giving users back the pictures that they had"
	case b.Phase == phaseMatching:
		return "Finding whose pictures these are"
	case b.Phase == phaseLooking:
		return "Looking at every picture"
	case b.Phase == "applying":
		return "Giving users their pictures"
	}
	return "Starting"
}

// row is the number of the picture that the address names.
func (v *visit) row() (int64, error) {
	n, err := strconv.ParseInt(v.PathValue("row"), 10, 64)
	if err != nil || n < 1 {
		return 0, errNothingHere
	}
	return n, nil
}

// pictureRow is the picture of a batch that the address names, if the person may look at it.
func (s *Server) pictureRow(v *visit) (*batch.Batch, pictureimport.Row, error) {
	b, err := v.batch()
	if err != nil {
		return nil, pictureimport.Row{}, err
	}
	n, err := v.row()
	if err != nil || !importsPictures(b) {
		return nil, pictureimport.Row{}, errNothingHere
	}
	row, err := pictureimport.RowOf(v.ctx(), s.Engine, v.actor(), b, n)
	return b, row, err
}

// givePage is the dialog in which a picture is given to a user by hand.
type givePage struct {
	Batch   int64
	Row     pictureimport.Row
	Picture string // its address, "" where it cannot be shown
	Search  string
	Users   []directory.User
	More    bool
	Problem string // with what is searched for
}

// mostGiven are offered at once: who means another types more.
const mostGiven = 8

// askGive asks whose picture it is. The list of users answers alone while somebody types.
func (s *Server) askGive(v *visit) error {
	b, row, err := s.pictureRow(v)
	if err != nil {
		return err
	}
	if !v.mayAct(b) {
		return v.actor().Need("batches:edit")
	}
	if b.State != batch.Ready {
		return fault.New(fault.Conflict, "pictures can be given to users in a preview only; this is %s", b.State)
	}
	p := &givePage{Batch: b.ID, Row: row, Search: v.URL.Query().Get("q")}
	if row.New.Hash != "" {
		p.Picture = batchPicturePath(b.ID, row.Number, row.New.Hash, "small")
	}
	if err := p.find(v); err != nil {
		return err
	}
	switch {
	case v.fragment("give-users"):
		return v.part(giveUsers(p))
	case v.fragment("dialog"):
		return v.part(giveDialog(p))
	}
	return v.show("Give a picture to a user", giveView(p))
}

// find looks for who is searched for.
func (p *givePage) find(v *visit) error {
	if p.Search == "" {
		return nil
	}
	found, err := v.handle().UsersPage(v.ctx(), directory.UserQuery{Filter: directory.UserFilter{Search: p.Search}, Limit: mostGiven + 1})
	if fault.KindOf(err) == fault.Invalid {
		p.Problem = sentence(failureOf(err).Message)
		return nil
	}
	p.Users, p.More = found.Users[:min(len(found.Users), mostGiven)], len(found.Users) > mostGiven
	return err
}

// givePicture gives a picture to a user, or takes it back from them; the preview is then checked again.
func (s *Server) givePicture(v *visit) error {
	n, err := v.row()
	if err != nil {
		return err
	}
	user, err := strconv.ParseInt(v.FormValue("user"), 10, 64)
	if err != nil || user < 0 {
		return fault.New(fault.Invalid, "choose whose picture it is")
	}
	return v.decide(func(ctx context.Context, a directory.Actor, id int64) error {
		return pictureimport.Give(ctx, s.Engine, a, id, n, user)
	})
}
