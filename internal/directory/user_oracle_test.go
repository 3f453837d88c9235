package directory_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"muster/internal/directory"
	"muster/internal/sqldb"
)

// crowd is a directory of random users, and the same users in memory.
type crowd struct {
	rnd   *rand.Rand
	dir   *directory.Directory
	users []person
	paths map[string]string // of units by full name
}

// person is a user as the oracle knows it.
type person struct {
	directory.User
	units     string // the unit's path
	changedBy int64  // a batch, by which somebody who was there was changed; 0 for none
}

var (
	crowdUnits = []string{"A", "A / B", "A / B / c%", "A / B_", "A / b", "AB", "É", "É / É", "Z"}
	crowdRoles = []string{"Agent", "agent", "Lead 100%", "Ö_", "Nobody's"}
	crowdNames = []string{"Émile", "émile", "ÉMILE", "Straße", "STRASSE", "İpek", "ipek", "Ipek", "ılgaz", "O'Neil", `O"Neil`, `back\slash`, "100%", "under_score",
		"Ürün", "a", "A", "aa", "Ab", "ΣΊΣΥΦΟΣ", "σίσυφος", "\U0010FFFF", "ﬁ", "!bang", "Ann Marie", "ann  marie", "*[a]*?", "王", "محمد", "\u212Aelvin"}
	crowdTexts = []string{"e", "É", "é", "ss", "ß", "i", "İ", "I", "'", `"`, `\`, "%", "_", "!", "a", "A", "AB", "n m", "zz", "0", "1", "Ü", "Σ", "ς", "\x00", "\xff", "\U0010FFFF",
		"\uFFFD", "*", "?", "[a]", "王", "ﬁ", "k", "'; DROP TABLE users; --", "$1", " ", "lan", "L", "7", "nd"}
)

func newCrowd(t *testing.T, db *sqldb.DB, seed uint64, n int) *crowd {
	t.Helper()
	c := &crowd{rnd: rand.New(rand.NewPCG(seed, 0)), dir: directory.New(db), paths: map[string]string{"": ""}}
	want := directory.Default()
	for _, full := range crowdUnits {
		want.OrgUnits = append(want.OrgUnits, directory.OrgUnit{FullName: full})
	}
	for _, r := range crowdRoles {
		want.Roles = append(want.Roles, directory.Role{Name: r})
	}
	want.AccessRoles = []directory.AccessRole{{Name: "All", Scope: "everywhere"}, {Name: "Own", Scope: "own-unit"}}
	want.CRMNames = []directory.Named{{Name: "Siebel"}, {Name: "sales"}}
	want.GreetingTemplates = []directory.GreetingTemplate{{Name: "Hello", Text: "Hello!"}}
	h := c.dir.As(directory.System("test"))
	if _, err := h.ApplyConfiguration(t.Context(), want, directory.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	cfg, err := h.Configuration(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range cfg.OrgUnits {
		c.paths[u.FullName] = u.Path
	}
	for i := range n {
		c.users = append(c.users, c.draw(i))
	}
	err = db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		if _, err := tx.ExecContext(t.Context(), "INSERT INTO batches (id, action, state, owner, source, options, created_at) VALUES (1, 'a', 'done', '', '', '{}', 1), (2, 'a', 'done', '', '', '{}', 1), (3, 'a', 'done', '', '', '{}', 1)"); err != nil {
			return err
		}
		return c.insert(t, tx, &cfg)
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func one[T any](rnd *rand.Rand, from ...T) T { return from[rnd.IntN(len(from))] }

// draw makes a user; values are few, so that many are equal.
func (c *crowd) draw(i int) person {
	r := c.rnd
	u := person{User: directory.User{
		ID: int64(i + 1), LANID: one(r, "Lan", "lAN", "x") + fmt.Sprint((i*37)%1009), FirstName: one(r, crowdNames...), LastName: one(r, crowdNames...),
		Profile: one(r, directory.Agent, directory.Agent, directory.Supervisor, directory.Administrator), OrgUnit: one(r, append(crowdUnits, "")...),
		AccessRole: one(r, "", "", "All", "Own"), CRMName: one(r, "", "Siebel", "sales"), GreetingTemplate: one(r, "", "Hello"),
		Status: one(r, directory.Active, directory.Active, directory.Inactive), ChangedBy: one(r, "system", "Anna", "ANNA", "bob"), BatchID: r.Int64N(4),
		ChangedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(9)) * 12 * time.Hour), Picture: one(r, "", "hash"),
	}}
	u.changedBy = max(0, r.Int64N(12)-8)
	u.AgentID = one(r, u.LANID, "AG"+fmt.Sprint(i))
	if r.IntN(5) > 0 {
		u.PBXID = fmt.Sprint((i*61)%4096 + 100)
	}
	if i > 0 && r.IntN(3) > 0 {
		u.Supervisor = c.users[r.IntN(min(i, 10))].LANID
	}
	for _, role := range crowdRoles {
		if r.IntN(3) == 0 {
			u.Roles = append(u.Roles, role)
		}
	}
	u.units = c.paths[u.OrgUnit]
	return u
}

func (c *crowd) insert(t *testing.T, tx *sqldb.Tx, cfg *directory.Configuration) error {
	null := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	active := map[directory.Status]int{directory.Active: 1}
	for _, u := range c.users {
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO users (id, lan_id, lan_key, first_name, last_name, first_key, last_key, agent_id, agent_key, pbx_id, profile,
				supervisor_id, org_unit_id, access_role_id, crm_name_id, greeting_template_id, picture, active, changed_by, changed_at, batch_id)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, (SELECT s.id FROM users s WHERE s.lan_key = $12), (SELECT o.id FROM org_units o WHERE o.full_name = $13),
				(SELECT a.id FROM access_roles a WHERE a.name = $14), (SELECT n.id FROM crm_names n WHERE n.name = $15),
				(SELECT g.id FROM greeting_templates g WHERE g.name = $16), $17, $18, $19, $20, nullif($21, 0))`,
			u.ID, u.LANID, directory.Fold(u.LANID), u.FirstName, u.LastName, directory.FoldName(u.FirstName), directory.FoldName(u.LastName), u.AgentID, directory.Fold(u.AgentID),
			null(u.PBXID), int(u.Profile), directory.Fold(u.Supervisor), u.OrgUnit, u.AccessRole, u.CRMName, u.GreetingTemplate, null(u.Picture), active[u.Status],
			u.ChangedBy, u.ChangedAt.UnixMicro(), u.BatchID); err != nil {
			return err
		}
		if u.changedBy != 0 {
			if _, err := tx.ExecContext(t.Context(), "INSERT INTO user_changes (batch_id, user_id, what, before, after, version) VALUES ($1, $2, 'role', 1, 2, 1) ON CONFLICT DO NOTHING", u.changedBy, u.ID); err != nil {
				return err
			}
		}
		for _, role := range u.Roles {
			if _, err := tx.ExecContext(t.Context(), "INSERT INTO user_roles (user_id, role_id) SELECT $1, id FROM roles WHERE name = $2", u.ID, role); err != nil {
				return err
			}
		}
	}
	return nil
}

// fold is the oracle's own: letter by letter to the simplest form.
func fold(s string) string {
	return strings.Map(func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }, s)
}

// foldID folds A to Z only.
func foldID(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// picks tells whether the filter picks the person.
func picks(f directory.UserFilter, p person) bool {
	for word := range strings.FieldsSeq(fold(f.Search)) {
		// What is no text at all, like a zero byte, is in no name.
		if !slices.ContainsFunc([]string{p.FirstName, p.LastName, p.LANID, p.AgentID, p.PBXID}, func(s string) bool { return strings.Contains(fold(s), word) }) {
			return false
		}
	}
	for _, w := range f.Where {
		if !fulfils(w, p) {
			return false
		}
	}
	if f.OrgUnits != nil && !slices.ContainsFunc(f.OrgUnits, func(u string) bool { return p.OrgUnit == u || strings.HasPrefix(p.OrgUnit, u+" / ") }) {
		return false
	}
	for _, r := range f.Roles {
		if !slices.Contains(p.Roles, r) {
			return false
		}
	}
	for _, r := range f.NotRoles {
		if slices.Contains(p.Roles, r) {
			return false
		}
	}
	return !(f.WithoutPicture && p.Picture != "") && !(f.BatchID != 0 && p.BatchID != f.BatchID && p.changedBy != f.BatchID) && !(f.IDs != nil && !slices.Contains(f.IDs, p.ID))
}

func fulfils(w directory.Condition, p person) bool {
	if w.Value == "" && w.Op != "empty" && w.Op != "not-empty" {
		return true
	}
	exact := func(s string) string { return s }
	switch w.Column {
	case "first_name":
		return asked(w, p.FirstName, fold, fold)
	case "last_name":
		return asked(w, p.LastName, fold, fold)
	case "lan_id":
		return asked(w, p.LANID, foldID, foldID)
	case "agent_id":
		return asked(w, p.AgentID, foldID, foldID)
	case "pbx_id":
		return asked(w, p.PBXID, exact, exact)
	case "supervisor":
		return asked(w, p.Supervisor, foldID, foldID)
	case "changed_by":
		return asked(w, p.ChangedBy, foldID, foldID)
	case "profile":
		return asked(w, p.Profile.String(), foldID, fold)
	case "status":
		return asked(w, string(p.Status), foldID, fold)
	case "org_unit":
		return asked(w, p.OrgUnit, exact, fold)
	case "access_role":
		return asked(w, p.AccessRole, exact, fold)
	case "crm_name":
		return asked(w, p.CRMName, exact, fold)
	case "greeting_template":
		return asked(w, p.GreetingTemplate, exact, fold)
	case "changed_at":
		return askedDay(w, p.ChangedAt)
	}
	// Roles: that one is as asked, or that none is what must not be.
	switch w.Op {
	case "empty", "not-empty":
		return (len(p.Roles) == 0) == (w.Op == "empty")
	case "ne", "not-contains":
		return !slices.ContainsFunc(p.Roles, func(r string) bool { return !asked(w, r, exact, fold) })
	}
	return slices.ContainsFunc(p.Roles, func(r string) bool { return asked(w, r, exact, fold) })
}

// asked compares with one fold for what equals and another for what is part.
func asked(w directory.Condition, have string, whole, part func(string) string) bool {
	switch w.Op {
	case "eq":
		return whole(have) == whole(w.Value)
	case "ne":
		return whole(have) != whole(w.Value)
	case "contains":
		return strings.Contains(part(have), part(w.Value))
	case "not-contains":
		return !strings.Contains(part(have), part(w.Value))
	case "starts":
		return strings.HasPrefix(part(have), part(w.Value))
	case "ends":
		return strings.HasSuffix(part(have), part(w.Value))
	case "empty":
		return have == ""
	}
	return have != ""
}

func askedDay(w directory.Condition, at time.Time) bool {
	date := at.Format(time.DateOnly)
	switch w.Op {
	case "before":
		return date < w.Value
	case "after":
		return date > w.Value
	}
	return date == w.Value
}

// inOrder sorts as the grid does.
func inOrder(users []person, s directory.UserSort) {
	empties := func(s string) string {
		if s == "" {
			return "\U0010FFFF"
		}
		return s
	}
	text := func(key func(person) string) func(a, b person) int {
		return func(a, b person) int { return cmp.Compare(key(a), key(b)) }
	}
	by := map[string]func(a, b person) int{
		"lan_id":     text(func(p person) string { return foldID(p.LANID) }),
		"agent_id":   text(func(p person) string { return foldID(p.AgentID) }),
		"pbx_id":     text(func(p person) string { return empties(p.PBXID) }),
		"first_name": text(func(p person) string { return fold(p.FirstName) }),
		"last_name":  text(func(p person) string { return fold(p.LastName) }),
		"org_unit":   text(func(p person) string { return empties(p.OrgUnit) }),
		"status":     text(func(p person) string { return string(p.Status) }),
		"changed_by": text(func(p person) string { return foldID(p.ChangedBy) }),
		"profile":    func(a, b person) int { return cmp.Compare(a.Profile, b.Profile) },
		"changed_at": func(a, b person) int { return a.ChangedAt.Compare(b.ChangedAt) },
	}[cmp.Or(s.Column, "lan_id")]
	slices.SortFunc(users, func(a, b person) int {
		order := cmp.Or(by(a, b), cmp.Compare(a.ID, b.ID))
		if s.Descending {
			return -order
		}
		return order
	})
}
