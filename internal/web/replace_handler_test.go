package web

import (
	"net/http"
	"strings"
	"testing"

	"muster/internal/directory"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
	"muster/internal/useredit"
)

// A value is replaced and deleted, from the preview over the result to its undo.
func TestReplacePages(t *testing.T) {
	t.Parallel()
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		c := startConsole(t, cfg)
		engine := c.Engine
		cfgNow, err := directory.LoadConfiguration(t.Context(), engine.DB.Read())
		if err != nil {
			t.Fatal(err)
		}
		var from, to int64
		for _, n := range cfgNow.CRMNames {
			if held, _, err := sqldb.One[int64](t.Context(), engine.DB.Read(), "SELECT count(*) FROM users WHERE crm_name_id = $1", n.ID); err != nil {
				t.Fatal(err)
			} else if held > rowsPerPage && from == 0 {
				from = n.ID
			} else {
				to = n.ID
			}
		}
		b, err := useredit.Create(t.Context(), engine, directory.System("test"), useredit.Options{Kind: directory.CRMNameValue, From: from, To: to, Delete: true, Preview: true})
		if err != nil {
			t.Fatal(err)
		}
		wants(t, "before it is checked", c.get(batchPath(b.ID)), "Replace the CRM name", "steps-line")
		b = c.run(b.ID)
		o, err := useredit.OptionsOf(b)
		if err != nil {
			t.Fatal(err)
		}
		change := "Change " + count(o.Frozen, "user")
		page := c.get(batchPath(b.ID))
		wants(t, "the preview", page, "Replace the CRM name "+o.FromName+" by "+o.ToName, "Users who change", "Left out", "Nothing has changed yet", "it is deleted", "Next users", "CRM name now")
		if b.Guard.Users == 0 {
			wants(t, "the preview", page, change)
		}
		if strings.Contains(page, "Import ") && strings.Contains(page, "Records to insert") {
			t.Error("the preview talks of an import")
		}
		next := c.get(batchPath(b.ID)+"?show=updated&after=50", "HX-Request", "true", "HX-Target", "result")
		if strings.Contains(next, "<html") || !strings.Contains(next, "First users") {
			t.Errorf("the next users are no part of a page:\n%.400s", next)
		}
		if err := engine.Apply(t.Context(), directory.System("test"), b.ID, b.Guard.Users); err != nil {
			t.Fatal(err)
		}
		c.run(b.ID)
		wants(t, "the result", c.get(batchPath(b.ID)), "Changed users", "Deleted", "Undo this", o.FromName, o.ToName)
		wants(t, "the history", c.get("/batches"), "changed</span>", "Replace the CRM name")
		wants(t, "the question", c.get(batchPath(b.ID)+"/undo", "HX-Request", "true", "HX-Target", "dialog"), "again, as it was", count(o.Frozen, "user"))
		if r := c.post(batchPath(b.ID) + "/undo"); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("undo: %d %s", r.StatusCode, r.body)
		}
		c.run(b.ID)
		wants(t, "what was undone", c.get(batchPath(b.ID)), "got back what they had", "is there again", "Undone")
	})
}
