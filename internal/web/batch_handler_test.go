package web

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"muster/internal/auth"
	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

// A batch from the upload over its preview and result to its undo.
func TestImportPages(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		c := startConsole(t, cfg)
		b := c.imported([]string{"preview"},
			somebody("new1", "990001", "Cards Team 1", "Agent"),
			somebody("new2", "990002", "Cards Team 1", "Agent"),
			somebody("odd1", "990003", "<script>alert(1)</script>", "Agent"),
			somebody("jsmith", "990004", "Cards Team 1", "Agent"))
		page := c.get(batchPath(b.ID))
		wants(t, "the preview", page, "Import 2 users", "Records to insert", "Duplicate records", "Invalid records", "&lt;script&gt;alert(1)&lt;/script&gt;", "Nothing has changed yet")
		if strings.Contains(page, "<script>alert") || strings.Contains(page, "Undo this import") {
			t.Error("the preview runs what a cell says, or can be undone")
		}
		if r := c.post(batchPath(b.ID) + "/apply"); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != batchPath(b.ID) {
			t.Fatalf("apply: %d %s", r.StatusCode, r.body)
		}
		progress := c.get(batchPath(b.ID)+"/progress", "HX-Request", "true", "HX-Target", "progress")
		wants(t, "the progress", progress, "steps-line", "<progress")
		wants(t, "a page of a batch that runs", c.get(batchPath(b.ID)), `hx-trigger="load delay:250ms, every 700ms"`, "You may close this page")
		c.run(b.ID)
		r := c.send(http.MethodGet, batchPath(b.ID)+"/progress", nil, "HX-Request", "true", "HX-Target", "progress")
		if r.Header.Get("HX-Retarget") != "#main" || !strings.HasPrefix(r.body, "<title>Import users #2: Done") {
			t.Errorf("the page does not take the progress's place: %v\n%.200s", r.Header, r.body)
		}

		wants(t, "the result", c.get(batchPath(b.ID)), "Inserted records", "Duplicate records", "Invalid records", "Open the 2 new users", "/users?batch=2", "Undo this import")
		rows := c.get(batchPath(b.ID)+"?show=inserted", "HX-Request", "true", "HX-Target", "result")
		wants(t, "the inserted rows", rows, `data-row="2"`, `data-row="3"`, "Some Body", "Cards Team 1")
		if strings.Contains(rows, `data-row="4"`) || strings.Contains(rows, "<html") {
			t.Errorf("the inserted rows have others, or are a whole page:\n%s", rows)
		}
		wants(t, "the duplicates", c.get(batchPath(b.ID)+"?show=duplicate&code=lan_id.exists"), `data-row="5"`, "LAN ID exists already")
		wants(t, "the history", c.get("/batches"), `data-batch="2" data-state="done"`, "2 inserted", "1 duplicate", "the command line")

		wants(t, "the question", c.get(batchPath(b.ID)+"/undo", "HX-Request", "true", "HX-Target", "dialog"), "Remove 2 users")
		if r := c.post(batchPath(b.ID) + "/undo"); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("undo: %d %s", r.StatusCode, r.body)
		}
		c.run(b.ID)
		page = c.get(batchPath(b.ID))
		wants(t, "what was undone", page, "2 users that this import had inserted were removed")
		if strings.Contains(page, "Open the 2") {
			t.Error("users that are gone can be opened")
		}
	})
}

func TestUnknownColumns(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		c := startConsole(t, cfg)
		file := strings.Replace(userDetails(somebody("new1", "990001", "Cards Team 1", "Agent")), "Supervisor", "Boss", 1)
		r := c.upload([]string{"preview"}, map[string]string{`C:\Users\me\UserDetails.csv`: file})
		if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != batchPath(2) {
			t.Fatalf("an upload without a script: %d %v", r.StatusCode, r.Header)
		}
		b := c.run(2)
		if b.State != batch.Failed || b.Files[0].Name != "UserDetails.csv" {
			t.Fatalf("%s, %v", b.State, b.Files)
		}
		page := c.get(batchPath(2))
		wants(t, "the question", page, "Which columns are these?", `name="column-0-6"`, `<option value="Supervisor">Supervisor</option>`)
		r = c.post(batchPath(2)+"/columns", "column-0-6", setAside)
		if r.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("what is needed is set aside: %d %s", r.StatusCode, r.body)
		}
		wants(t, "the question, again", r.body, "Supervisor of UserDetails.csv is still missing", `<option value="-" selected>`)
		r = c.post(batchPath(2)+"/columns", "column-0-6", "Supervisor")
		if r.Header.Get("Location") != batchPath(3) {
			t.Fatalf("the columns are chosen: %d %s", r.StatusCode, r.body)
		}
		if b := c.run(3); b.Counts.Inserted != 1 {
			t.Errorf("%+v", b.Counts)
		}
		wants(t, "the new batch", c.get(batchPath(3)), "import #2", "1 column matched by hand")
	})
}

func TestFileProblems(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		c := startConsole(t, cfg)
		c.upload(nil, map[string]string{"<b>.csv": "LAN ID,Voice\na,1\n"})
		c.run(2)
		wants(t, "the page", c.get(batchPath(2)), "These files cannot be imported as they are", "file.no_user_details", "Select other files")
	})
}

func TestCorrect(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		c := startConsole(t, cfg)
		b := c.imported(nil,
			somebody("odd1", "990001", "Cards Team 11", "Agent"),
			somebody("odd2", "990002", "Cards Team 11", "Agent; Team Leed"),
			somebody("odd3", "990003", "Cards Team 1", "Agent"),
			somebody("o.dd4", "990004", "Cards Team 1", "Agent"))
		page := c.get(batchPath(b.ID))
		wants(t, "the result", page, "Use “Cards Team 1”", "in all 2 rows", "Use “Team Lead”", "Correct here and run again")

		unit := []string{"kind", "UserDetails", "row", "2", "column", "Org Unit", "code", "org_unit.unknown", "old", "Cards Team 11", "value", "Cards Team 1", "show", "invalid"}
		if r := c.post(batchPath(b.ID)+"/suggestion", append(unit, "do", "all")...); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("in all rows: %d %s", r.StatusCode, r.body)
		}
		role := []string{"kind", "UserDetails", "row", "3", "column", "Role", "code", "role.unknown", "old", "Team Leed", "value", "Team Lead", "show", "invalid", "do", "one"}
		c.post(batchPath(b.ID)+"/suggestion", role...)
		wants(t, "the corrected rows", c.get(batchPath(b.ID)), "2 rows corrected", "Agent; Team Lead", "Take back")
		c.post(batchPath(b.ID)+"/suggestion", append(unit, "do", "back")...)
		wants(t, "what was taken back", c.get(batchPath(b.ID)), "1 row corrected")
		c.post(batchPath(b.ID)+"/suggestion", append(unit, "do", "one")...)

		wants(t, "the page of corrections", c.get(batchPath(b.ID)+"/correct"), "Correct rows", "tabulator.min.", "Run the 2 corrected rows")
		var table struct {
			Columns []struct{ Field, Title string }
			Rows    []struct {
				Row           int
				Original, Now map[string]string
			}
		}
		if err := json.Unmarshal([]byte(c.get(batchPath(b.ID)+"/correct/rows?show=invalid")), &table); err != nil {
			t.Fatal(err)
		}
		if len(table.Columns) != directory.ColumnCount || len(table.Rows) != 3 || table.Rows[2].Original["c0"] != "o.dd4" || table.Rows[1].Now["c8"] != "Agent; Team Lead" {
			t.Fatalf("the rows to correct are %+v", table)
		}
		save := func(body string) reply {
			return c.send(http.MethodPost, batchPath(b.ID)+"/corrections", strings.NewReader(body), "Content-Type", "application/json", "Accept", "application/json")
		}
		if r := save(`{"cells":[{"kind":"UserDetails","row":5,"column":"LAN ID","value":"odd4"},{"kind":"UserDetails","row":5,"column":"Agent ID","value":""}]}`); r.StatusCode != http.StatusOK || strings.TrimSpace(r.body) != `{"pending":3}` {
			t.Errorf("an edit: %d %s", r.StatusCode, r.body)
		}
		if r := save(`{"cells":[{"kind":"UserDetails","row":4,"column":"LAN ID","value":"x"}]}`); r.StatusCode != http.StatusConflict {
			t.Errorf("an edit of a row that got in: %d %s", r.StatusCode, r.body)
		}

		r := c.post(batchPath(b.ID) + "/run")
		if r.Header.Get("Location") != batchPath(3) {
			t.Fatalf("run: %d %s", r.StatusCode, r.body)
		}
		if again := c.run(3); again.Counts.Inserted != 3 || again.Counts.Invalid != 0 {
			t.Errorf("the corrected rows: %+v\n%s", again.Counts, c.get(batchPath(3)))
		}
		wants(t, "the new batch", c.get(batchPath(3)), "Corrects rows of", "import #2")
		wants(t, "the old batch", c.get(batchPath(2)), "Run again in", `href="/batches/3"`)
	})
}

func TestRejects(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		c := startConsole(t, cfg)
		users := c.get(batchPath(1) + "/rejects/UserDetails.csv")
		if !strings.HasPrefix(users, "\ufeffLAN ID,") || strings.Count(users, "\r\n") != 29 || !strings.Contains(users, "Problems\r\n") {
			t.Errorf("the rejected rows are\n%s", users)
		}
		packed := []byte(c.get(batchPath(1) + "/rejects/" + rejectsZIP))
		z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			if f.Name != "UserDetails.csv" {
				continue
			}
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			if content, err := io.ReadAll(r); err != nil || string(content) != users {
				t.Errorf("the packed file differs: %v", err)
			}
		}
		if len(z.File) < 2 {
			t.Errorf("%d files are packed", len(z.File))
		}
	})
}

// Pages of the history go on where the last one ended.
func TestHistoryPages(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		c := startConsole(t, cfg)
		for range batchesPerPage {
			c.upload([]string{"preview"}, map[string]string{"UserDetails.csv": userDetails()})
		}
		number := regexp.MustCompile(`data-batch="(\d+)"`)
		first := c.get("/batches")
		if n := len(number.FindAllString(first, -1)); n != batchesPerPage {
			t.Errorf("the first page has %d batches", n)
		}
		wants(t, "a page with batches that wait", first, `hx-trigger="every 2s"`, "/batches?before=2")
		last := c.get("/batches?before=2")
		if n := number.FindAllStringSubmatch(last, -1); len(n) != 1 || n[0][1] != "1" {
			t.Errorf("the last page has %v", n)
		}
		if strings.Contains(last, `hx-trigger="every`) {
			t.Error("a page at rest keeps asking")
		}
	})
}

// Who may not is not shown a batch, nor what could be done with it.
func TestBatchPermission(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		s := demoServer(t, cfg)
		open := func(rights ...directory.Right) (string, error) {
			w, err := askBatch(t, s, directory.Person("x", "web", rights, directory.Everywhere()), s.batchPage, 1)
			return w, err
		}
		if _, err := open("users:add"); err == nil {
			t.Error("somebody else's batch is shown to who may only import")
		}
		body, err := open("batches:access")
		if err != nil || strings.Contains(body, "Undo") || strings.Contains(body, "Correct here") || strings.Contains(body, "Use “") {
			t.Errorf("who may only look is offered more: %v", err)
		}
		body, err = open("batches:access", "batches:edit", "users:add")
		if err != nil || !strings.Contains(body, "Undo this import") {
			t.Errorf("who may act is not offered it: %v", err)
		}
		for name, do := range map[string]handler{"apply": s.applyBatch, "cancel": s.cancelBatch, "undo": s.undoBatch, "correct": s.correctPage, "rows": s.correctRows, "run": s.runCorrected} {
			if _, err := askBatch(t, s, directory.Person("x", "web", []directory.Right{"batches:access", "users:add"}, directory.Everywhere()), do, 1); err == nil {
				t.Errorf("%s of somebody else's batch is done", name)
			}
		}
	})
}

func askBatch(t *testing.T, s *Server, a directory.Actor, do handler, id int64) (string, error) {
	t.Helper()
	w, err := ask(t, s, a, func(v *visit) error {
		v.SetPathValue("id", fmt.Sprint(id))
		v.session = &auth.Session{LANID: "x", Name: "Some Body", Actor: a}
		return do(v)
	}, batchPath(id))
	return w.Body.String(), err
}

func TestCodeLabels(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"org_unit.unknown": "Org unit unknown", "pbx_id.spreadsheet_damage": "PBX ID damaged by a spreadsheet", "lan_id.exists": "LAN ID exists already",
		"something.else": "something.else", "odd": "odd",
	} {
		if got := codeLabel(code); got != want {
			t.Errorf("%s is %q, want %q", code, got, want)
		}
	}
}

func TestReplaceRole(t *testing.T) {
	t.Parallel()
	for _, c := range [][4]string{
		{"Agent; Team Leed", "Team Leed", "Team Lead", "Agent; Team Lead"},
		{"Leed,Agent,Leed", "Leed", "Lead", "Lead,Agent,Lead"},
		{"Leed", "Leed", "Lead", "Lead"},
		{"Agent", "Leed", "Lead", "Agent"},
	} {
		if got := replaceRole(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("%q with %q for %q is %q", c[0], c[2], c[1], got)
		}
	}
}
