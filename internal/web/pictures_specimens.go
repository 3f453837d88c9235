package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/pictureimport"
	"muster/internal/sample"
)

// specimenPicture is what made-up people have for a picture: its address leads to a face that is drawn.
const specimenPicture = "specimen"

// specimenFace draws the picture of a made-up person.
func (s *Server) specimenFace(v *visit) error {
	h := v.w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Cache-Control", "no-store")
	v.w.WriteHeader(http.StatusOK)
	_, err := v.w.Write(sample.Face("specimen " + v.PathValue("id")))
	return err
}

// pictureSpecimens are the pages of pictures in their states.
func pictureSpecimens() []specimen {
	dialog := importPage{Limits: uploadLimits{Bytes: 8 << 30, Files: 1}}
	page := func(change func(*batchPage)) func() templ.Component {
		return func() templ.Component {
			p := specimenPictures()
			change(p)
			return batchView(p)
		}
	}
	all := []specimen{
		{Name: "pictures", Title: "Import user profile pictures", dialog: true, body: func() templ.Component { return picturesDialog(dialog) }},
		{Name: "pictures-page", Title: "Import user profile pictures, a page", body: func() templ.Component { return picturesPageView(dialog) }},
		{Name: "pictures-undo", Title: "Undo an import of pictures", dialog: true, body: func() templ.Component { return undoDialog(specimenPictures().Batch) }},
		{Name: "pictures-give", Title: "A picture is given to a user", dialog: true, body: func() templ.Component { return giveDialog(specimenGive("nair")) }},
		{Name: "pictures-give-nobody", Title: "A picture is given to a user, nobody found", dialog: true, body: func() templ.Component {
			p := specimenGive("zzzz")
			p.Users, p.Picture = nil, ""
			return giveDialog(p)
		}},
		{Name: "picture-remove", Title: "A picture is removed", dialog: true, body: func() templ.Component {
			return removePictureView(&userDialog{User: specimenUser().User})
		}},
		{Name: "picture-step", Title: "Edit, the profile picture", body: specimenPictureStep(5, nil)},
		{Name: "picture-step-refused", Title: "Add user, a picture that cannot be used", body: specimenPictureStep(0, []directory.Problem{
			{Code: "picture.too_small", Severity: directory.Error, Message: "The picture is 120 × 160 pixels; each side must have 200 at least."}})},
		{Name: "picture-step-warned", Title: "Add user, a picture with a flaw", body: specimenPictureStep(0, []directory.Problem{
			{Code: "picture.dark", Severity: directory.Warning, Message: "The picture is dark; face authentication may fail with it."}})},
	}
	for _, state := range []struct {
		name, title string
		change      func(*batchPage)
	}{
		{"pictures-done", "An import of pictures, its result", func(p *batchPage) { p.Pictures.Show = directory.Inserted; specimenFaces(p, 1, 6) }},
		{"pictures-invalid", "An import of pictures, what is invalid", func(*batchPage) {}},
		{"pictures-preview", "An import of pictures, its preview", func(p *batchPage) {
			p.State, p.Pictures.Preview, p.Pictures.MayGive = batch.Ready, true, true
		}},
		{"pictures-updated", "An import of pictures that replaces some", func(p *batchPage) {
			p.State, p.Pictures.Preview, p.Pictures.Show = batch.Ready, true, directory.Updated
			specimenFaces(p, 7, 4)
			for i := range p.Pictures.Lines {
				p.Pictures.Lines[i].Before = specimenFacePath(int64(i + 40))
			}
		}},
		{"pictures-matching", "An import of pictures that matches", func(p *batchPage) { specimenRuns(p, batch.Checking, phaseMatching, 0, 240) }},
		{"pictures-looking", "An import of pictures that looks at them", func(p *batchPage) {
			counts := p.Counts
			specimenRuns(p, batch.Checking, phaseLooking, 90, 240)
			p.Counts, p.Pictures.Looking, p.Pictures.Preview, p.Pictures.Codes = counts, true, true, nil
			p.Pictures.Lines[0].Looked = false
		}},
		{"pictures-applying", "An import of pictures that applies", func(p *batchPage) { specimenRuns(p, batch.Applying, "applying", 120, 240) }},
		{"pictures-archive", "An archive that cannot be used", func(p *batchPage) {
			p.State, p.Counts = batch.Failed, batch.Counts{}
			p.FileProblems = []batch.FileProblem{{File: "Pictures.zip", Code: "archive.encrypted", Message: "Pictures.zip is encrypted; compress the pictures again without a password."}}
		}},
		{"pictures-cancelled", "An import of pictures cancelled on the way", func(p *batchPage) { p.State, p.Counts.Inserted, p.Counts.Updated = batch.Cancelled, 60, 0 }},
		{"pictures-undone", "An import of pictures that is undone", func(p *batchPage) {
			p.State, p.Undone, p.UndoneBy = batch.Undone, 191, "ahaddad"
			p.Kept = &keptPart{Users: []batch.Entry{{LANID: "johndoe22", Problems: []directory.Problem{{Code: "undo.changed_since", Message: "johndoe22 stays: somebody changed this user after the import."}}}}}
		}},
		{"pictures-none", "An import of pictures of which none can be used", func(p *batchPage) {
			p.State, p.Pictures.Preview, p.Counts = batch.Ready, true, batch.Counts{Rows: 4, Invalid: 4}
		}},
		{"pictures-by-others", "An import of pictures, by who may only look", func(p *batchPage) { p.Who, p.MayAct, p.Pictures.Open = "pnair14", false, false }},
	} {
		all = append(all, specimen{Name: state.name, Title: state.title, body: page(state.change)})
	}
	return all
}

func specimenFacePath(id int64) string { return userPicturePath(id, specimenPicture, "small") }

// specimenPictures is an import of pictures that is done, with what was invalid in it.
func specimenPictures() *batchPage {
	b := &batch.Batch{
		ID: 121, Action: pictureimport.Action, State: batch.Done, Owner: "ahaddad", Source: "web", Options: json.RawMessage("{}"), CreatedAt: time.Now().Add(-2 * time.Minute),
		Busy: 2100 * time.Millisecond, Counts: batch.Counts{Rows: 240, Inserted: 188, Updated: 4, Unchanged: 44, Invalid: 4, PassedOver: 3},
		Files: []batch.File{{Name: "Pictures.zip", Kind: "pictures"}},
	}
	p := &batchPage{Batch: b, Who: "you", MayAct: true, Pictures: &picturesPart{Show: directory.Invalid, Open: true, Next: 50,
		Codes: []batch.RowCount{{Code: "picture.no_user", Rows: 2}, {Code: "picture.not_an_image", Rows: 1}, {Code: "picture.repeated", Rows: 1}}}}
	p.Pictures.Match = directory.ByAgentID
	wrong := func(n int64, file, lan, code, message, suggestion string, shown bool) {
		line := pictureLine{Row: pictureimport.Row{Number: n, File: file, LANID: lan, Outcome: directory.Invalid, Looked: true,
			Problems: []directory.Problem{{Row: n, Code: code, Severity: directory.Error, Message: message, Suggestion: suggestion}}}}
		if shown {
			line.Picture = specimenFacePath(n)
		}
		p.Pictures.Lines = append(p.Pictures.Lines, line)
	}
	wrong(12, "Pictures/jonhdoe22.jpg", "", "picture.no_user", "Nobody has the Agent ID jonhdoe22; rename the picture, or give it to a user by hand.", "johndoe22", true)
	wrong(31, "Pictures/pnair14.png", "pnair14", "picture.not_an_image", "The picture is neither a JPEG nor a PNG, whatever its name says; save it as one of the two.", "", false)
	wrong(77, "Pictures/"+strings.Repeat("a very long name ", 5)+"<b>.jpg", "zkilic", "picture.repeated", "Pictures/zkilic.jpg is for the same user; leave only one in the ZIP.", "", true)
	wrong(90, "IMG_2034.jpg", "", "picture.no_user", "Nobody has the Agent ID IMG_2034; rename the picture, or give it to a user by hand.", "", true)
	return p
}

// specimenFaces shows pictures beside their users.
func specimenFaces(p *batchPage, from, n int64) {
	p.Pictures.Lines, p.Pictures.Codes = nil, []batch.RowCount{{Code: "picture.dark", Rows: 1}, {Code: "picture.blurred", Rows: 1}}
	people := []string{"Priya Nair", "John Doe", "Zeynep Kılıç", "Omar Farouk", "Lena Holm", "Sean O'Brien"}
	for i := range n {
		name := people[int(i)%len(people)]
		lan := strings.ToLower(strings.NewReplacer(" ", "", "'", "", "ı", "i", "ç", "c").Replace(name))
		line := pictureLine{Row: pictureimport.Row{Number: from + i, File: "Pictures/" + lan + ".jpg", UserID: from + i, LANID: lan, Name: name, Outcome: p.Pictures.Show, Looked: true, Given: i == 3},
			Picture: specimenFacePath(from + i)}
		if i == 1 {
			line.Problems = []directory.Problem{{Code: "picture.dark", Severity: directory.Warning, Message: "The picture is dark; face authentication may fail with it."}}
		}
		p.Pictures.Lines = append(p.Pictures.Lines, line)
	}
}

func specimenGive(search string) *givePage {
	return &givePage{Batch: 121, Row: pictureimport.Row{Number: 12, File: "Pictures/IMG_2034.jpg"}, Picture: specimenFacePath(12), Search: search, Users: specimenUsers().Users[:4], More: true}
}

// specimenPictureStep is the form at the step of the picture.
func specimenPictureStep(id int64, found []directory.Problem) func() templ.Component {
	return func() templ.Component {
		f := specimenForm(id)
		f.Step, f.Picture.May, f.Found = "picture", true, found
		if id != 0 {
			f.Picture.Has = specimenPicture
		}
		return userFormView(f)
	}
}
