package directory

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// statement gathers the parameters of one SQL text while it is put together. Values of a filter are only ever
// parameters; what is written into the text itself is ids from the database.
type statement struct {
	db   *sqldb.DB
	args []any
}

func (s *statement) arg(v any) string {
	s.args = append(s.args, v)
	return "$" + strconv.Itoa(len(s.args))
}

// term is one condition on users u.
type term struct {
	// where is the predicate. Only with driving may an index serve it: SQLite, which has no statistics to go by,
	// would else leave the order of the page for the first index that it can use.
	where func(s *statement, driving bool) string
	// index tells that an index finds the users; of is the column whose index that is, where the condition is a range
	// of it, and byID tells that the index finds the users in the order of their ids.
	index bool
	of    string
	byID  bool
	// text tells that the texts in memory can test it too; known is how many users it finds, where that is known.
	text  bool
	known int64
	// from and link are where the driving statement begins instead of at users: from is a table expression d that
	// link's predicate, which takes the place of where, ties to u; both nil for an index of users itself. count is
	// the predicate without u.
	from, count, link func(s *statement) string
}

// column is u's column, hidden from SQLite's planner unless it drives.
func (s *statement) column(name string, driving bool) string {
	if driving || s.db.Engine != sqldb.SQLite {
		return "u." + name
	}
	return "+u." + name
}

// terms are the filter, which [UserFilter.Check] finds right, within the scope. nobody tells that no user can match.
func (f UserFilter) terms(cfg *Configuration, scope Scope, known *texts, inTexts bool) (all []term, nobody bool) {
	c := &termCompiler{cfg: cfg, inTexts: inTexts}
	if known != nil {
		c.changers = known.names
	}
	c.units(f, scope)
	for _, name := range f.Roles {
		c.holds(rolesNamed(cfg, func(n string) bool { return n == name }))
	}
	for _, name := range f.NotRoles {
		c.lacks(rolesNamed(cfg, func(n string) bool { return n == name }))
	}
	for _, w := range f.Where {
		if !w.none() && w.Column != "org_unit" {
			c.condition(w)
		}
	}
	if f.BatchID != 0 {
		c.add(true, func(s *statement, driving bool) string {
			id := s.arg(f.BatchID)
			switch f.BatchOutcome {
			case Inserted:
				return "(" + s.column("batch_id", driving) + " = " + id + " OR " + s.column("id", driving) + " IN (" + firstPictures(id) + "))"
			case Updated:
				return s.column("id", driving) + " IN (SELECT j.user_id FROM user_changes j WHERE j.batch_id = " + id +
					" UNION ALL SELECT p.user_id FROM picture_changes p WHERE p.batch_id = " + id + " AND p.before <> '')"
			}
			return "(" + s.column("batch_id", driving) + " = " + id + " OR " + s.column("id", driving) + " IN (SELECT j.user_id FROM user_changes j WHERE j.batch_id = " + id +
				" UNION ALL SELECT p.user_id FROM picture_changes p WHERE p.batch_id = " + id + "))"
		})
	}
	if f.WithoutPicture {
		c.add(false, func(s *statement, driving bool) string { return "coalesce(u.picture, '') = ''" })
	}
	if f.IDs != nil {
		c.ids(f.IDs)
	}
	for _, word := range f.words() {
		c.add(false, func(s *statement, _ bool) string { return s.anywhere(word) })
		_, c.all[len(c.all)-1].text = testText(anyField, word, false)
	}
	return c.all, c.nobody
}

// firstPictures are the users to whom a batch, the parameter, gave their first picture: inserted, as it counts them.
func firstPictures(batch string) string {
	return "SELECT p.user_id FROM picture_changes p WHERE p.batch_id = " + batch + " AND p.before = ''"
}

// anywhere tells that a word is somewhere in what the free text looks at. The folded columns are looked through row by
// row, without an index that every import would have to keep.
func (s *statement) anywhere(word string) string {
	w := s.arg(word)
	var any []string
	for _, column := range []string{"u.last_key", "u.first_key", "u.lan_key", "u.agent_key", "coalesce(u.pbx_id, '')"} {
		any = append(any, s.position(column, w)+" > 0")
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

// position is where the text b is in a; 0 for nowhere.
func (s *statement) position(a, b string) string {
	if s.db.Engine == sqldb.SQLite {
		return "instr(" + a + ", " + b + ")"
	}
	return "strpos(" + a + ", " + b + ")"
}

// termCompiler gathers terms.
type termCompiler struct {
	cfg      *Configuration
	changers []string // nil: not known
	inTexts  bool     // the order is that of the texts
	all      []term
	nobody   bool
}

func (c *termCompiler) add(index bool, where func(s *statement, driving bool) string) {
	c.all = append(c.all, term{where: where, index: index})
}

// units brings all that is asked of the org unit together into one set of units, the scope among it.
func (c *termCompiler) units(f UserFilter, scope Scope) {
	allowed := func(u OrgUnit) bool {
		if !scope.Contains(u.Path) {
			return false
		}
		if len(f.OrgUnits) > 0 && !slices.ContainsFunc(f.OrgUnits, func(name string) bool {
			return u.FullName == name || strings.HasPrefix(u.FullName, name+pathSeparator)
		}) {
			return false
		}
		for _, w := range f.Where {
			if w.Column == "org_unit" && !w.none() && !w.holds(u.FullName) {
				return false
			}
		}
		return true
	}
	var ids []int64
	for _, u := range c.cfg.OrgUnits {
		if allowed(u) {
			ids = append(ids, u.ID)
		}
	}
	c.set("org_unit_id", ids, allowed(OrgUnit{}), len(c.cfg.OrgUnits), true)
}

// set takes users whose column holds one of the ids, of total that there are, or nothing where none is set.
func (c *termCompiler) set(column string, ids []int64, none bool, total int, index bool) {
	switch {
	case len(ids) == total && none:
	case len(ids) == 0 && !none:
		c.nobody = true
	case len(ids) == 0:
		c.add(index, func(s *statement, driving bool) string { return s.column(column, driving) + " IS NULL" })
	case len(ids) == total:
		c.add(false, func(s *statement, driving bool) string { return s.column(column, driving) + " IS NOT NULL" })
	default:
		c.add(index && !none, func(s *statement, driving bool) string {
			in := s.column(column, driving) + " IN (" + literals(ids) + ")"
			if none {
				in = "(" + in + " OR " + s.column(column, driving) + " IS NULL)"
			}
			return in
		})
	}
}

// literals are ids as SQL: numbers from the database, never text from outside.
func literals(ids []int64) string {
	b := strconv.AppendInt(nil, ids[0], 10)
	for _, id := range ids[1:] {
		b = strconv.AppendInt(append(b, ','), id, 10)
	}
	return string(b)
}

func rolesNamed(cfg *Configuration, match func(string) bool) []int64 {
	var ids []int64
	for _, r := range cfg.Roles {
		if match(r.Name) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// holds takes users who hold one of the roles.
func (c *termCompiler) holds(roles []int64) {
	if len(roles) == 0 {
		c.nobody = true
		return
	}
	in := "role_id IN (" + literals(roles) + ")"
	t := term{
		where: func(*statement, bool) string {
			return "EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = u.id AND r." + in + ")"
		},
		index: true, byID: true,
		from:  func(*statement) string { return "user_roles d" },
		count: func(*statement) string { return "d." + in },
		link:  func(*statement) string { return "d." + in + " AND u.id = d.user_id" },
	}
	if len(roles) > 1 { // somebody with two of them is one user
		t.byID = false
		t.from = func(*statement) string { return "(SELECT DISTINCT r.user_id FROM user_roles r WHERE r." + in + ") d" }
		t.count = func(*statement) string { return "1 = 1" }
		t.link = func(*statement) string { return "u.id = d.user_id" }
	}
	c.all = append(c.all, t)
}

// lacks takes users who hold none of the roles.
func (c *termCompiler) lacks(roles []int64) {
	if len(roles) == 0 {
		return
	}
	c.add(false, func(*statement, bool) string {
		return "NOT EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = u.id AND r.role_id IN (" + literals(roles) + "))"
	})
}

// ids takes users by their ids.
func (c *termCompiler) ids(ids []int64) {
	if len(ids) == 0 {
		c.nobody = true
		return
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = strconv.FormatInt(id, 10)
	}
	c.add(true, func(s *statement, driving bool) string {
		set := strings.ReplaceAll(s.db.Keys, "$1", s.arg(s.db.KeySet(keys)))
		return s.column("id", driving) + " IN (SELECT CAST(k.key AS BIGINT) FROM " + set + " AS k)"
	})
}

// upperBound is the first text that comes after all that begin with s, compared by bytes; ok is false where there is
// none.
func upperBound(s string) (bound string, ok bool) {
	for s != "" {
		r, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
		switch {
		case r == utf8.MaxRune:
		case r == 0xD7FF: // what follows is no character
			return s + "\uE000", true
		default:
			return s + string(r+1), true
		}
	}
	return "", false
}

const day = 24 * time.Hour

func parseDay(value string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, value)
	if err != nil || t.Year() < 1 {
		return t, fault.New(fault.Invalid, "%q is not a day; write it as 2026-01-31", Shorten(value))
	}
	return t, nil
}
