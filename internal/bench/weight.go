package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Weight is what a browser is sent for something, in bytes of bodies as they are sent.
type Weight struct {
	What  string `json:"what"`
	Bytes int    `json:"bytes"`
	Limit int    `json:"limit_bytes,omitempty"` // 0: nothing is aimed at
	Of    string `json:"of,omitempty"`          // what it is made of
}

// What is aimed at, in bytes.
const (
	firstWeight = 200_000
	laterWeight = 15_000
)

// How much there is on the pages that are weighed.
const (
	weighedRows    = 3000 // of the import whose result is weighed; one in twenty has a problem
	weighedBatches = 26   // of the history, whose pages hold 25
	weighedPages   = 30   // of the grid
)

// scale weighs pages for one browser, which keeps the files that it has been sent.
type scale struct {
	who  *browser
	have map[string]bool
	all  []Weight
}

func (b *bench) weights(ctx context.Context, h *hosted, g *gridAsker, who *browser) ([]Weight, error) {
	s := &scale{who: who, have: map[string]bool{}}
	if err := s.page(ctx, "first page: User Onboarding, with all that it loads", "/users", firstWeight); err != nil {
		return nil, err
	}
	if err := s.grids(ctx, g); err != nil {
		return nil, err
	}
	for _, d := range []struct{ what, path string }{{"Import users", "/imports/new"}, {"Filters", "/users/filters"}, {"Org unit", "/users/org-units"}, {"Export", "/users/export"}} {
		a, err := who.get(ctx, d.path, "dialog")
		if err != nil {
			return nil, err
		}
		s.add("dialog "+d.what, laterWeight, len(a.body), nil)
	}
	batch, err := b.history(ctx, h, who)
	if err != nil {
		return nil, err
	}
	result := fmt.Sprintf("/batches/%d", batch)
	for _, p := range []struct{ what, path string }{
		{"history, 25 bulk actions", "/batches"},
		{"result of an import, 50 rows with a problem", result},
		{"result, inserted rows", result + "?show=inserted"},
		{"account", "/account"},
	} {
		if err := s.page(ctx, p.what, p.path, laterWeight); err != nil {
			return nil, err
		}
	}
	return s.all, s.correcting(ctx, result+"/correct")
}

// part is something that is sent, and how many bytes.
type part struct {
	name  string
	bytes int
}

func (s *scale) add(what string, limit, bytes int, of []part) {
	var words []string
	for _, p := range of {
		bytes += p.bytes
		words = append(words, p.name+" "+kilobytes(p.bytes))
	}
	s.all = append(s.all, Weight{What: what, Bytes: bytes, Limit: limit, Of: strings.Join(words, ", ")})
}

var assetLinks = regexp.MustCompile(`/assets/[^"#?\s]+`)

// fetch fetches a page, and the files that it names and that the browser does not have yet.
func (s *scale) fetch(ctx context.Context, path string) (page int, files []part, err error) {
	a, err := s.who.get(ctx, path, "")
	if err != nil {
		return 0, nil, err
	}
	text, err := a.text()
	if err != nil {
		return 0, nil, err
	}
	sizes := map[string]int{}
	for _, link := range assetLinks.FindAllString(text, -1) {
		if s.have[link] {
			continue
		}
		s.have[link] = true
		f, err := s.who.get(ctx, link, "")
		if err != nil {
			return 0, nil, err
		}
		sizes[plainName(link)] = len(f.body)
	}
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		files = append(files, part{name, sizes[name]})
	}
	return len(a.body), files, nil
}

// plainName is a file's name without the hash of its content.
func plainName(link string) string {
	parts := strings.Split(path.Base(link), ".")
	if len(parts) > 2 {
		parts = slices.Delete(parts, len(parts)-2, len(parts)-1)
	}
	return strings.Join(parts, ".")
}

func (s *scale) page(ctx context.Context, what, path string, limit int) error {
	page, files, err := s.fetch(ctx, path)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		s.add(what, limit, page, nil)
	} else {
		s.add(what, limit, 0, append([]part{{"the page", page}}, files...))
	}
	return nil
}

var columnNames = regexp.MustCompile(`data-column="([^"]+)"`)

// grids weighs the part of the page that changes with a click: the heaviest of many pages of 50 users.
func (s *scale) grids(ctx context.Context, g *gridAsker) error {
	a, err := s.who.get(ctx, "/users", "")
	if err != nil {
		return err
	}
	text, err := a.text()
	if err != nil {
		return err
	}
	columns := []string{"name"}
	for _, m := range columnNames.FindAllStringSubmatch(text, -1) {
		columns = append(columns, m[1])
	}
	pages := slices.DeleteFunc(g.questions(), func(q gridQuestion) bool { return q.count || !strings.HasPrefix(q.group, "unfiltered") })
	for _, shown := range []struct{ what, columns string }{
		{"the usual columns", ""}, {fmt.Sprintf("all %d columns", len(columns)), strings.Join(columns, ",")},
	} {
		heaviest := 0
		for range weighedPages {
			v := one(g, pages).draw().Values()
			if shown.columns != "" {
				v.Set("columns", shown.columns)
			}
			a, err := s.who.get(ctx, "/users?"+v.Encode(), "grid")
			if err != nil {
				return err
			}
			heaviest = max(heaviest, len(a.body))
		}
		s.add(fmt.Sprintf("another page of the grid, 50 users, %s: the heaviest of %d", shown.what, weighedPages), laterWeight, heaviest, nil)
	}
	return nil
}

// correcting is the page that loads what no other does.
func (s *scale) correcting(ctx context.Context, path string) error {
	page, files, err := s.fetch(ctx, path)
	if err != nil {
		return err
	}
	s.add("correcting rows: the page", laterWeight, page, nil)
	s.add("correcting rows: what only this page loads, once", 0, 0, files)
	return nil
}

// history imports a small file often enough for a full page of history, and returns the batch that inserted its users.
func (b *bench) history(ctx context.Context, h *hosted, who *browser) (first int64, err error) {
	if b.inputs["small"] == nil {
		if err := b.generate("small", min(weighedRows, b.Users), 4*b.Users); err != nil {
			return 0, err
		}
	}
	for range weighedBatches {
		id, err := upload(ctx, who, b.inputs["small"].files)
		if err != nil {
			return 0, err
		}
		if _, err := h.engine.Execute(ctx, id, nil); err != nil {
			return 0, err
		}
		if first == 0 {
			first = id
		}
	}
	return first, nil
}

// upload sends files as the Import users dialog does, and returns the batch that was made for them.
func upload(ctx context.Context, who *browser, files []string) (batch int64, err error) {
	read, write := io.Pipe()
	form := multipart.NewWriter(write)
	go func() { write.CloseWithError(fillForm(form, files)) }()
	// Who writes must not be left waiting when nobody reads on.
	defer read.Close()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, who.base+"/imports", read)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Accept", "application/json")
	a, err := who.do(r)
	if err != nil {
		return 0, err
	}
	if a.status != http.StatusCreated {
		return 0, fmt.Errorf("the upload was not taken: status %d: %s", a.status, a.inShort())
	}
	text, err := a.text()
	if err != nil {
		return 0, err
	}
	var made struct {
		Batch int64 `json:"batch"`
	}
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		return 0, fmt.Errorf("read what came of the upload: %w", err)
	}
	return made.Batch, nil
}

func fillForm(form *multipart.Writer, files []string) error {
	if err := form.WriteField("in_file_supervisors", "yes"); err != nil {
		return err
	}
	for _, name := range files {
		part, err := form.CreateFormFile("files", filepath.Base(name))
		if err != nil {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(part, f)
		f.Close()
		if err != nil {
			return err
		}
	}
	return form.Close()
}
