package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"muster/internal/pictureimport/ziptest"
	"muster/internal/sample"
	"muster/internal/web/browsertest"
)

// zipUsers are the two users of each case, with names of their own: the first is found by the attribute, the second is given
// a picture by hand.
type zipUsers struct{ first, firstName, second, secondName, pbx string }

func zipUsersOf(i int) zipUsers {
	letter := string(rune('A' + i))
	return zipUsers{fmt.Sprintf("zip%d", i), "Nora Case" + letter, fmt.Sprintf("hand%d", i), "Omar Hand" + letter, fmt.Sprint(42_000 + i)}
}

// withZipUsers is a console with the users of every case.
func withZipUsers(t *testing.T, c *console) *browsertest.Tab {
	t.Helper()
	b := c.signedIn()
	var rows [][]string
	for i := range ziptest.Programs {
		u := zipUsersOf(i)
		for j, id := range []string{u.first, u.second} {
			row := userRow(id, fmt.Sprint(42_000+100*j+i), "Supervisor", "", "Cards Team 1")
			row[1], row[2] = [2]string{"Nora", "Omar"}[j], [2]string{u.firstName, u.secondName}[j][5:]
			rows = append(rows, row)
		}
	}
	c.upload(b.Cookies(), details(t, rows...))
	b.Open("/batches/1")
	counted(b, len(rows), 0, 0)
	return b
}

// pictureFiles waits until the table has exactly these files, as an archive's names are to be shown: letter by letter, for one
// with its accent apart looks the same.
func pictureFiles(b *browsertest.Tab, want ...string) {
	b.T.Helper()
	slices.Sort(want)
	list, err := json.Marshal(want)
	if err != nil {
		b.T.Fatal(err)
	}
	b.Until(fmt.Sprintf(`JSON.stringify([...document.querySelectorAll('.pictures-table .picture-file')].map(f => f.textContent.trim()).sort()) === JSON.stringify(%s)`, list))
}

// The procedure of the manual, with a preview in between, with the ZIPs of the programs that people have.
func TestConsolePicturesZIPs(t *testing.T) {
	t.Parallel()
	c := newConsole(t, "sqlite")
	b := withZipUsers(t, c)
	attributes := []string{"Agent ID", "LAN ID", "PBX ID"}
	for i, p := range ziptest.Programs {
		t.Logf("%s", p.Name)
		u, attribute := zipUsersOf(i), attributes[i%len(attributes)]
		key := u.first
		if attribute == "PBX ID" {
			key = u.pbx
		}
		found, given, unusable := "Köln/"+key+".jpg", "Köln/Jörg Müller.jpg", "Köln/Ärger.txt"
		content := p.Make(ziptest.File{Name: found, Content: sample.Face(u.first)}, ziptest.File{Name: given, Content: sample.Face(u.second)},
			ziptest.File{Name: unusable, Content: []byte("Not a picture at all, but a note about one.")})

		b.Open("/users")
		b.Click("Select actions…")
		b.Click("Import user profile pictures")
		b.See("User attribute to match pictures")
		b.Pick("User attribute to match pictures", attribute)
		// The next page comes by itself, so what the progress says is kept for later.
		browsertest.Eval[bool](b, `(sessionStorage.clear(), new MutationObserver(() => {
			const bar = document.getElementById('import-progress');
			if (bar.checkVisibility()) sessionStorage.setItem('progress', bar.value);
		}).observe(document.getElementById('import'), {attributes: true, subtree: true}), true)`)
		if name := fmt.Sprintf("Pictures %d.zip", i); i%2 == 0 {
			drop(b, name, content)
		} else {
			b.Click("Select file…")
			b.Choose(saved(t, name, content))
		}
		b.See(fmt.Sprintf("Pictures %d.zip, ", i))
		b.Click("Upload")
		b.See("Ready to import 1 picture")
		if full := browsertest.Eval[string](b, `sessionStorage.getItem('progress')`); full != "100" {
			t.Errorf("the bar of the upload ended at %q", full)
		}
		facesCounted(b, 1, 2)
		pictureNumber(b, "inserted")
		pictureFiles(b, found)
		b.See(u.firstName)
		pictureNumber(b, "invalid")
		pictureFiles(b, given, unusable)
		if n := p.PassedOver(3); n > 0 {
			b.See(fmt.Sprintf("%d files that operating systems put into archives were passed over", n))
		}
		giveByHand(b, given, u.second)
		b.See("Ready to import 2 pictures")
		b.Click("Import 2 pictures")
		b.See("Inserted records")
		facesCounted(b, 2, 1)
		pictureNumber(b, "inserted")
		pictureFiles(b, found, given)
		b.See(u.firstName)
		b.See(u.secondName)
		shownPictures(b, ".pictures-table img", 2)
		pictureNumber(b, "invalid")
		pictureFiles(b, unusable)

		b.Open("/users?q=" + u.second)
		shownPictures(b, ".users-grid .face", 1)
	}
	b.Open("/users")
	shownPictures(b, ".users-grid .face", 2*len(ziptest.Programs))
	b.Quiet()
}

// pictureNumber clicks one of the blue numbers, and waits for what is behind it.
func pictureNumber(b *browsertest.Tab, outcome string) {
	b.T.Helper()
	// What still comes by itself would take away what was clicked.
	b.Until(`document.readyState === 'complete' && !document.querySelector('[data-poll], .htmx-request')`)
	b.ClickOn(fmt.Sprintf(`document.querySelector('a[data-outcome=%s] .num')`, outcome), "the blue number of "+outcome)
	b.Until(fmt.Sprintf(`document.querySelector('a[data-outcome=%s]')?.getAttribute('aria-current') === 'true'`, outcome))
}

// giveByHand gives the picture of a file to a user.
func giveByHand(b *browsertest.Tab, file, lanID string) {
	b.T.Helper()
	b.ClickOn(fmt.Sprintf(`[...document.querySelectorAll('.pictures-table tr')].find(r => r.querySelector('.picture-file')?.textContent.trim() === %q)?.querySelector('a[href$="/give"]')`, file), "Give to a user")
	b.Until(`document.activeElement.id === 'give-search'`)
	b.Until(fmt.Sprintf(`document.querySelector('.give .picture-file').textContent.trim() === %q`, file))
	b.Press(lanID)
	b.Until(`document.querySelectorAll('.give-user').length === 1`)
	b.ClickOn(`document.querySelector('.give-user')`, lanID)
}
