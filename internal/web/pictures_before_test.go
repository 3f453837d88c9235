package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// The picture that a user had before is the user's own: who may look at the batch and not at users does not see it.
func TestPictureBeforeNeedsUsers(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	done := w.pictures(false)
	before := fmt.Sprintf("/batches/%d/pictures/3/before", done)
	for rights, want := range map[string]int{"batches:access": http.StatusNotFound, "batches:access users:access": http.StatusOK} {
		who := w.person("All", rights)
		if r := w.get(before, who); r.Code != want {
			t.Errorf("the picture before, with %s: %d, want %d", rights, r.Code, want)
		}
		page := w.get(batchPath(done)+"?show=updated", who)
		if page.Code != http.StatusOK || strings.Contains(page.Body.String(), before) != (want == http.StatusOK) {
			t.Errorf("the result, with %s: %d, shows the picture before: %t", rights, page.Code, strings.Contains(page.Body.String(), before))
		}
	}
}
