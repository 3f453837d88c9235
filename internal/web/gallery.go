package web

import (
	"errors"
	"time"

	"github.com/a-h/templ"

	"muster/internal/auth"
)

// specimen is a page or a part of one in one of its states, filled with made-up people.
type specimen struct {
	Name, Title string
	bare        bool // without the shell: nobody is signed in
	dialog      bool // in the dialog
	body        func() templ.Component
}

// specimens are what the gallery shows, and what the browser tests look at in light and dark.
func specimens() []specimen {
	var all []specimen
	for _, of := range [][]specimen{signInSpecimens(), stateSpecimens(), userSpecimens(), oneUserSpecimens(), importSpecimens(), pictureSpecimens(), replaceSpecimens(), editSpecimens(), historySpecimens(), catalogueSpecimens(), roleSpecimens(), auditSpecimens(), orgSpecimens()} {
		all = append(all, of...)
	}
	return all
}

func signInSpecimens() []specimen {
	now := time.Now()
	seen := []auth.Seen{
		{Address: "10.20.30.40", Agent: "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0", CreatedAt: now.Add(-3 * time.Hour), SeenAt: now, Current: true},
		{Address: "2001:db8::17", Agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1", CreatedAt: now.Add(-26 * time.Hour), SeenAt: now.Add(-time.Hour)},
	}
	return []specimen{
		{Name: "sign-in", Title: "Sign in", bare: true, body: func() templ.Component { return signInView(signInPage{Next: "/"}) }},
		{Name: "sign-in-wrong", Title: "Sign in, refused", bare: true, body: func() templ.Component {
			return signInView(signInPage{LANID: "ahaddad", Next: "/", Problem: "The LAN ID or the password is not right, or this account may not sign in."})
		}},
		{Name: "sign-in-again", Title: "Sign in again", bare: true, body: func() templ.Component { return signInView(signInPage{Next: "/users", Expired: true}) }},
		{Name: "first", Title: "The first administrator", bare: true, body: func() templ.Component { return linkView(linkPage{First: true}) }},
		{Name: "link", Title: "A sign-in link", bare: true, body: func() templ.Component {
			return linkView(linkPage{Name: "Priya Nair", LANID: "pnair14", Problem: "The password is too short; 15 characters or more."})
		}},
		{Name: "link-dead", Title: "A link that is used up", bare: true, body: func() templ.Component {
			return deadLinkView("This link was used, or has expired. Ask for a new one.")
		}},
		{Name: "account", Title: "Your account", body: func() templ.Component {
			return accountView(accountPage{Name: "Amira Haddad", LANID: "ahaddad", Sessions: seen})
		}},
		{Name: "account-refused", Title: "Password not changed", body: func() templ.Component {
			return accountView(accountPage{Name: "Amira Haddad", LANID: "ahaddad", Sessions: seen, Problem: "The current password is not right."})
		}},
		{Name: "sign-in-link", Title: "A sign-in link is made", dialog: true, body: func() templ.Component {
			return signInLinkView("Priya Nair", "https://muster.example/link/Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4")
		}},
	}
}

func stateSpecimens() []specimen {
	return []specimen{
		{Name: "components", Title: "Components", body: componentsView},
		{Name: "not-found", Title: "Not found", body: func() templ.Component { return failurePage(failureOf(errNothingHere)) }},
		{Name: "not-allowed", Title: "Not allowed", body: func() templ.Component {
			return failurePage(failure{Status: 403, Title: "You may not do this", Message: "This needs the right users:add; ask somebody who manages roles."})
		}},
		{Name: "broken", Title: "A fault of Muster's own", body: func() templ.Component {
			f := failureOf(errSpecimen)
			f.Reference = "K7PQ2MXA"
			return failurePage(f)
		}},
	}
}

// galleryRoutes are there for those who work on the console.
func (s *Server) galleryRoutes() []route {
	if !s.Gallery {
		return nil
	}
	return []route{
		{pattern: "GET /_gallery", open: true, do: s.gallery},
		{pattern: "GET /_gallery/{name}", open: true, do: s.specimen},
		{pattern: "GET /users/{id}/picture/" + specimenPicture + "/{size}", open: true, do: s.specimenFace},
	}
}

func (s *Server) gallery(v *visit) error {
	return v.write(200, page(galleryShell(v, "Gallery"), galleryView(specimens())))
}

func (s *Server) specimen(v *visit) error {
	for _, sp := range specimens() {
		if sp.Name != v.PathValue("name") {
			continue
		}
		sh := galleryShell(v, sp.Title)
		body := sp.body()
		if sp.bare {
			sh.Name = ""
		}
		if sp.dialog {
			body = inDialog(body)
		}
		return v.write(200, page(sh, body))
	}
	return errNothingHere
}

// galleryShell is the shell as an administrator sees it.
func galleryShell(v *visit, title string) shell {
	sh := shell{Title: title, Theme: v.theme(), Path: v.URL.Path, Name: "Amira Haddad", LANID: "ahaddad", Nav: append([]navItem{}, modules...), Search: true}
	sh.Nav[0].Here = true
	return sh
}

var errSpecimen = errors.New("a specimen")
