package web

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"strings"
	"testing"

	"muster/internal/auth"
	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/photo"
	"muster/internal/pictureimport"
	"muster/internal/sample"
)

// sitePicture is the picture that the subject of every site has; whoever serves it does not look into it.
var (
	sitePictureIs = []byte("a picture, as far as anybody needs to know")
	sitePicture   = hashOf(sitePictureIs)
)

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// picture gives the subject a picture.
func (w *site) picture() {
	w.Helper()
	_, err := w.Engine.Blobs.PutAll(w.Context(), [][]byte{sitePictureIs})
	w.must(err)
	w.exec(`INSERT INTO pictures (hash, source_hash, format, width, height, bytes, large_hash, small_hash, given_at) VALUES ($1, $1, 'png', 800, 800, 42, $1, $1, $2)`,
		sitePicture, w.Directory.Now().UnixMicro())
	w.exec("UPDATE users SET picture = $1 WHERE lan_id = $2", sitePicture, siteSubject)
}

// zipped is an archive of files: name, content, name, content.
func zipped(t testing.TB, files ...any) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := z.Create(files[i].(string))
		if err == nil {
			_, err = f.Write(files[i+1].([]byte))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pictures imports three pictures as the owner: the owner's own (row 1), nobody's (2), and one of the subject (3), and returns the
// batch's id.
func (w *site) pictures(preview bool) int64 {
	w.Helper()
	w.people++
	content := zipped(w.T, siteOwner+".jpg", sample.Face(fmt.Sprint("owner", w.people)), "nobody.jpg", sample.Face("nobody"), siteSubject+".jpg", sample.Face(fmt.Sprint("subject", w.people)))
	owner := directory.Person(siteOwner, auth.Web, rightsOf("pictures:add"), directory.Everywhere())
	b, err := pictureimport.Create(w.Context(), w.Engine, owner, pictureimport.Options{Preview: preview}, batch.Input{Name: "Pictures.zip",
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }})
	w.must(err)
	b, err = w.Engine.Execute(w.Context(), b.ID, nil)
	w.must(err)
	if want := map[bool]batch.State{true: batch.Ready, false: batch.Done}[preview]; b.State != want || b.Counts.Rows != 3 || b.Counts.Invalid != 1 {
		w.Fatalf("the import of pictures is %s with %+v %s %v", b.State, b.Counts, b.Reason, b.FileProblems)
	}
	return b.ID
}

// form sends a form with a picture, as a browser does.
func (w *site) formWith(path, token string, fields url.Values, name string, picture []byte, header ...string) *httptest.ResponseRecorder {
	w.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for field, values := range fields {
		for _, value := range values {
			w.must(m.WriteField(field, value))
		}
	}
	if name != "" {
		part, err := m.CreatePart(textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name="picture"; filename=%q`, name)}, "Content-Type": {"image/jpeg"}})
		w.must(err)
		_, err = part.Write(picture)
		w.must(err)
	}
	w.must(m.Close())
	return w.ask(asked{method: "POST", path: path, token: token, body: &body, header: append([]string{"Content-Type", m.FormDataContentType()}, header...)})
}

// Who may see a user may see the picture, as nothing but a picture; anybody else is not even told that it is there.
func TestUserPictureIsServed(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	small := siteSubjectPath + "/picture/" + sitePicture + "/small"
	insider := w.person("All", "users:access")
	r := w.get(small, insider)
	if r.Code != http.StatusOK || !bytes.Equal(r.Body.Bytes(), sitePictureIs) {
		t.Fatalf("the picture: %d %q", r.Code, r.Body)
	}
	for name, want := range map[string]string{"Content-Type": "image/jpeg", "Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; sandbox", "ETag": `"` + sitePicture + `"`, "Cross-Origin-Resource-Policy": "same-origin"} {
		if got := r.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if r := w.get(small, insider, "If-None-Match", `"`+sitePicture+`"`); r.Code != http.StatusNotModified || r.Body.Len() != 0 {
		t.Errorf("a picture that the browser has: %d, %d bytes", r.Code, r.Body.Len())
	}
	if r := w.get(siteSubjectPath+"/picture/"+sitePicture+"/full", insider); r.Header().Get("Content-Type") != "image/png" {
		t.Errorf("the stored picture, a PNG, comes as %q", r.Header().Get("Content-Type"))
	}
	// Another's unit, another's picture, a size that there is not, a picture that the user no longer has.
	outsider := w.person("Own unit", "users:access")
	for who, r := range map[string]*httptest.ResponseRecorder{
		"outside the scope":  w.get(small, outsider),
		"without the right":  w.get(small, w.person("All", "batches:access")),
		"by another's id":    w.get("/users/1000002/picture/"+sitePicture+"/small", insider),
		"of another size":    w.get(siteSubjectPath+"/picture/"+sitePicture+"/huge", insider),
		"of an old picture":  w.get(siteSubjectPath+"/picture/"+strings.Repeat("0", 64)+"/small", insider),
		"of nobody":          w.get("/users/77/picture/"+sitePicture+"/small", insider),
		"of nobody, in full": w.get("/users/x/picture/"+sitePicture+"/full", insider),
	} {
		if r.Code != http.StatusNotFound && r.Code != http.StatusForbidden || bytes.Contains(r.Body.Bytes(), sitePictureIs) || r.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("a picture %s: %d, %s", who, r.Code, r.Header().Get("Cache-Control"))
		}
	}
}

// The pictures of a batch are for those who may look at the batch, the old ones beside the new.
func TestBatchPicturesAreServed(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ready := w.pictures(true)
	owner := w.signedIn(siteOwner)
	page := w.get(batchPath(ready)+"?show=updated", owner).Body.String()
	for _, want := range []string{"Ready to import 2 pictures", siteSubject + ".jpg", siteSubjectPath + "/picture/" + sitePicture + "/small", fmt.Sprintf("/batches/%d/pictures/3/small?of=", ready)} {
		if !strings.Contains(page, want) {
			t.Errorf("the preview of replaced pictures has no %s", want)
		}
	}
	done := w.pictures(false)
	for path, want := range map[string]int{
		fmt.Sprintf("/batches/%d/pictures/1/small", ready):  http.StatusOK,
		fmt.Sprintf("/batches/%d/pictures/1/large", ready):  http.StatusOK,
		fmt.Sprintf("/batches/%d/pictures/1/full", ready):   http.StatusOK,
		fmt.Sprintf("/batches/%d/pictures/2/small", ready):  http.StatusOK, // nobody's, to be given to somebody
		fmt.Sprintf("/batches/%d/pictures/4/small", ready):  http.StatusNotFound,
		fmt.Sprintf("/batches/%d/pictures/0/small", ready):  http.StatusNotFound,
		fmt.Sprintf("/batches/%d/pictures/1/huge", ready):   http.StatusNotFound,
		fmt.Sprintf("/batches/%d/pictures/3/before", done):  http.StatusOK,
		fmt.Sprintf("/batches/%d/pictures/1/before", done):  http.StatusNotFound, // had none
		fmt.Sprintf("/batches/%d/pictures/1/small", 999):    http.StatusNotFound,
		fmt.Sprintf("/batches/%d/pictures/x/small", ready):  http.StatusNotFound,
		fmt.Sprintf("/batches/%d/pictures/3/before", ready): http.StatusNotFound, // it is the user's own as yet
	} {
		r := w.get(path, owner)
		if r.Code != want {
			t.Errorf("%s: %d, want %d", path, r.Code, want)
		}
		if want == http.StatusOK && (r.Header().Get("Cache-Control") != pictureKept || r.Header().Get("Content-Type") != "image/jpeg" && !strings.HasSuffix(path, "before")) {
			t.Errorf("%s: %v", path, r.Header())
		}
	}
	if r := w.get(fmt.Sprintf("/batches/%d/pictures/3/before", done), owner); !bytes.Equal(r.Body.Bytes(), sitePictureIs) {
		t.Errorf("the picture before is %.40q", r.Body)
	}
	if r := w.get(fmt.Sprintf("/batches/%d/pictures/1/small", ready), w.person("All", "users:access pictures:add")); r.Code != http.StatusNotFound {
		t.Errorf("a picture of somebody else's preview: %d", r.Code)
	}
	if page := w.get(batchPath(done)+"?show=updated", owner).Body.String(); !strings.Contains(page, fmt.Sprintf("/batches/%d/pictures/3/before?of=", done)) {
		t.Error("the result does not show the picture before")
	}
}

// A picture that nobody has is given to a user by hand; what the preview says follows.
func TestPictureGivenByHand(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	id := w.pictures(true)
	w.user("zkilic", "UAE / Cards", "", "")
	owner := w.signedIn(siteOwner)
	page := w.get(batchPath(id)+"?show=invalid", owner).Body.String()
	give := fmt.Sprintf("/batches/%d/pictures/2/give", id)
	if !strings.Contains(page, give) || strings.Contains(page, "/pictures/1/give") {
		t.Error("only the picture that nobody has is to be given")
	}
	if page := w.get(give+"?q=zkil", owner, "HX-Request", "true", "HX-Target", "give-users").Body.String(); !strings.Contains(page, "zkilic") || strings.Contains(page, "dialog-title") {
		t.Errorf("the search for a user: %s", page)
	}
	user := fmt.Sprint(1_000_000 + w.people)
	if r := w.ask(asked{method: "POST", path: give, token: owner, form: url.Values{"user": {user}}}); r.Code != http.StatusSeeOther {
		t.Fatalf("giving: %d %s", r.Code, r.Body)
	}
	b, err := w.Engine.Execute(t.Context(), id, nil)
	w.must(err)
	if b.State != batch.Ready || b.Counts.Inserted != 2 || b.Counts.Invalid != 0 {
		t.Fatalf("after giving: %s %+v", b.State, b.Counts)
	}
	if page := w.get(batchPath(id)+"?show=inserted", owner).Body.String(); !strings.Contains(page, "Given by hand") || !strings.Contains(page, "Take back") {
		t.Error("the picture is not shown as given by hand")
	}
	w.ask(asked{method: "POST", path: give, token: owner, form: url.Values{"user": {"0"}}})
	if b, err = w.Engine.Execute(t.Context(), id, nil); err != nil || b.Counts.Invalid != 1 {
		t.Errorf("after taking back: %+v %v", b.Counts, err)
	}
}

// One picture by hand: the same rules and words as the import's, a crop, and nothing saved where it cannot be used.
func TestPictureByHand(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	lead := w.person("All", "users:access users:edit pictures:add pictures:delete")
	edit := siteSubjectPath + "/edit"
	subject := func() directory.User {
		u, err := w.Directory.As(directory.System("test")).UserByLANID(t.Context(), siteSubject)
		w.must(err)
		return u
	}
	form := func(more ...string) url.Values {
		u := subject()
		f := url.Values{"version": {fmt.Sprint(u.Version)}, "lan_id": {u.LANID}, "first_name": {u.FirstName}, "last_name": {u.LastName}, "agent_id": {u.AgentID}, "pbx_id": {u.PBXID},
			"profile": {u.Profile.String()}, "org_unit": {u.OrgUnit}, "role": u.Roles, "access_role": {u.AccessRole}}
		for i := 0; i < len(more); i += 2 {
			f.Set(more[i], more[i+1])
		}
		return f
	}
	before := subject()
	r := w.formWith(edit, lead, form("first_name", "Priya"), "me.jpg", []byte("GIF89a"))
	if r.Code != http.StatusUnprocessableEntity || !strings.Contains(r.Body.String(), `data-at="picture"`) || !strings.Contains(r.Body.String(), `value="Priya"`) {
		t.Errorf("a picture that is none: %d, and what was typed is lost or another step is shown", r.Code)
	}
	var refused *photo.Refusal
	if _, err := photo.ReadHeader([]byte("GIF89a")); !asRefusal(err, &refused) || !strings.Contains(r.Body.String(), refused.Message) {
		t.Errorf("it is not refused in the words of the import")
	}
	if now := subject(); now.Version != before.Version || now.FirstName != before.FirstName || now.Picture != sitePicture {
		t.Errorf("the picture was refused, and yet something was saved: %+v", now)
	}
	r = w.formWith(edit, lead, form("crop_x", "10", "crop_y", "20", "crop_size", "220"), "me.jpg", sample.Face("me"))
	if r.Code != http.StatusSeeOther || !strings.HasSuffix(r.Header().Get("Location"), "?done=saved") {
		t.Fatalf("a good picture: %d %s %s", r.Code, r.Header().Get("Location"), r.Body)
	}
	now, has, err := w.Directory.As(directory.System("test")).PictureOf(t.Context(), 1_000_001)
	if err != nil || !has || now.Width != 220 || now.Height != 220 {
		t.Errorf("the picture is %+v, %v, %v; it was to be cropped to 220 pixels", now, has, err)
	}
	if subject().Version != before.Version+1 {
		t.Errorf("the version rose from %d to %d", before.Version, subject().Version)
	}
	if r := w.formWith(edit, lead, form("crop_x", "200", "crop_y", "200", "crop_size", "220"), "me.jpg", sample.Face("me")); r.Code != http.StatusUnprocessableEntity {
		t.Errorf("a crop that lies outside: %d", r.Code)
	}
	if r := w.formWith(edit, w.person("All", "users:access users:edit"), form(), "me.jpg", sample.Face("else")); r.Code != http.StatusForbidden {
		t.Errorf("by who may give no pictures: %d", r.Code)
	}
	page := w.get(siteSubjectPath, lead).Body.String()
	for _, want := range []string{"/picture/" + now.Hash + "/large", "JPEG, 220 × 220 pixels", "Change the picture", siteSubjectPath + "/picture/remove"} {
		if !strings.Contains(page, want) {
			t.Errorf("the user's page has no %s", want)
		}
	}
	if r := w.ask(asked{method: "POST", path: siteSubjectPath + "/picture/remove", token: lead, form: url.Values{"version": {"1"}}}); r.Code != http.StatusConflict {
		t.Errorf("removed although somebody was quicker: %d", r.Code)
	}
	if r := w.ask(asked{method: "POST", path: siteSubjectPath + "/picture/remove", token: lead, form: url.Values{"version": {fmt.Sprint(subject().Version)}}}); r.Code != http.StatusSeeOther || subject().Picture != "" {
		t.Errorf("removing: %d %s", r.Code, r.Body)
	}
}

func asRefusal(err error, to **photo.Refusal) bool {
	r, is := err.(*photo.Refusal)
	*to = r
	return is
}

// A picture that was just selected is judged before anything is saved.
func TestPictureIsChecked(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	token := w.person("All", "pictures:add")
	if r := w.formWith("/pictures/check", token, nil, "me.jpg", sample.Face("me")); r.Code != http.StatusOK || !strings.Contains(r.Body.String(), "It can be used: JPEG, 256 × 256 pixels") {
		t.Errorf("a good one: %d %s", r.Code, r.Body)
	}
	if r := w.formWith("/pictures/check", token, nil, "me.jpg", bytes.Repeat([]byte{0xff}, photo.MaxBytes)); r.Code != http.StatusOK || !strings.Contains(r.Body.String(), pictureTooLarge()) || !strings.Contains(r.Body.String(), "data-error") {
		t.Errorf("one that is too large: %d %s", r.Code, r.Body)
	}
	if r := w.formWith("/pictures/check", token, nil, "", nil); r.Code != http.StatusOK || !strings.Contains(r.Body.String(), pictureHint) {
		t.Errorf("none: %d %s", r.Code, r.Body)
	}
	if r := w.formWith("/pictures/check", token, nil, "me.jpg", bytes.Repeat([]byte{0xff}, pictureBody+maxBody)); r.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("one that is far too large: %d", r.Code)
	}
}

// The dialog's upload makes a batch of one archive, matched as it says.
func TestPicturesUpload(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	token := w.person("All", "pictures:add")
	send := func(fields url.Values, files ...any) *httptest.ResponseRecorder {
		var body bytes.Buffer
		m := multipart.NewWriter(&body)
		for name, values := range fields {
			w.must(m.WriteField(name, values[0]))
		}
		for i := 0; i < len(files); i += 2 {
			part, err := m.CreateFormFile("files", files[i].(string))
			w.must(err)
			_, err = part.Write(files[i+1].([]byte))
			w.must(err)
		}
		w.must(m.Close())
		return w.ask(asked{method: "POST", path: "/pictures", token: token, body: &body, header: []string{"Content-Type", m.FormDataContentType(), "Accept", "application/json"}})
	}
	archive := zipped(t, "900001.jpg", sample.Face("one"))
	r := send(url.Values{"match": {"pbx-id"}, "preview": {"yes"}}, "Pictures.zip", archive)
	if r.Code != http.StatusCreated {
		t.Fatalf("the upload: %d %s", r.Code, r.Body)
	}
	b, err := w.Engine.Execute(t.Context(), 1, nil)
	w.must(err)
	o, err := pictureimport.OptionsOf(b)
	if err != nil || o.Match != directory.ByPBXID || !o.Preview || b.State != batch.Ready || b.Counts.Updated != 1 || b.Files[0].Name != "Pictures.zip" {
		t.Errorf("the batch: %+v %+v %+v %v", o, b.State, b.Counts, err)
	}
	for what, r := range map[string]*httptest.ResponseRecorder{
		"nothing":              send(nil),
		"two":                  send(nil, "a.zip", archive, "b.zip", archive),
		"by what there is not": send(url.Values{"match": {"shoe-size"}}, "a.zip", archive),
	} {
		if r.Code != http.StatusUnprocessableEntity && r.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d %s", what, r.Code, r.Body)
		}
	}
	r = send(nil, "a.zip", []byte("no archive"))
	if r.Code != http.StatusCreated {
		t.Fatalf("what is no archive: %d %s", r.Code, r.Body)
	}
	b, err = w.Engine.Execute(t.Context(), 2, nil)
	w.must(err)
	page := w.get(batchPath(b.ID), token).Body.String()
	if b.State != batch.Failed || !strings.Contains(page, "This archive cannot be used") || !strings.Contains(page, b.FileProblems[0].Code) {
		t.Errorf("what is no archive: %s %v", b.State, b.FileProblems)
	}
}
