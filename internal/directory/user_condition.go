package directory

import (
	"math"
	"strings"
)

// condition adds the term of a condition on any column but the org unit.
func (c *termCompiler) condition(w Condition) {
	if column, value, ok := w.textColumn(); ok {
		c.text(column, column == "pbx_id", w.Op, value)
		return
	}
	value := storable(w.Value)
	switch w.Column {
	case changedByColumn:
		c.changedBy(w.Op, Fold(value))
	case "changed_at":
		c.day(w)
	case "profile":
		c.profile(w)
	case "status":
		c.status(w)
	case "supervisor":
		c.supervisor(w.Op, Fold(value))
	case "roles":
		c.roles(w)
	case "access_role":
		named(c, w, "access_role_id", c.cfg.AccessRoles, func(a AccessRole) (int64, string) { return a.ID, a.Name })
	case "crm_name":
		named(c, w, "crm_name_id", c.cfg.AllCRMNames(), func(n Named) (int64, string) { return n.ID, n.Name })
	case "greeting_template":
		named(c, w, "greeting_template_id", c.cfg.AllGreetingTemplates(), func(g GreetingTemplate) (int64, string) { return g.ID, g.Name })
	}
}

// textColumn is the column of text that the condition is on, and its value folded as the column is; ok is false where it
// is on something else.
func (w Condition) textColumn() (column, value string, ok bool) {
	value = storable(w.Value)
	switch w.Column {
	case "lan_id":
		return "lan_key", Fold(value), true
	case "agent_id":
		return "agent_key", Fold(value), true
	case "pbx_id":
		return "pbx_id", value, true
	case "first_name":
		return "first_key", FoldName(value), true
	case "last_name":
		return "last_key", FoldName(value), true
	}
	return "", "", false
}

// text adds a condition on a column of text, folded as the column is. All but that of the first names have an index.
func (c *termCompiler) text(column string, nullable bool, op, value string) {
	index := column != "first_key" && (op == OpEqual || op == OpStarts || op == OpEmpty && nullable)
	c.add(index, func(s *statement, driving bool) string {
		of := s.column(column, driving)
		if nullable && op == OpEmpty {
			return of + " IS NULL"
		}
		if nullable && !index {
			of = "coalesce(" + of + ", '')"
		}
		return s.compare(of, op, value)
	})
	t := &c.all[len(c.all)-1]
	if index && op != OpEmpty {
		t.of, t.byID = "u."+column, op == OpEqual
	}
	_, t.text = textCondition(column, op, value, c.inTexts)
}

// compare is a condition on an expression that is not null, or where null must not match.
func (s *statement) compare(of, op, value string) string {
	switch op {
	case OpEqual:
		return of + " = " + s.arg(value)
	case OpNotEqual:
		return of + " <> " + s.arg(value)
	case OpContains:
		return s.position(of, s.arg(value)) + " > 0"
	case OpNotContains:
		return s.position(of, s.arg(value)) + " = 0"
	case OpStarts:
		begin := of + " >= " + s.arg(value)
		if bound, ok := upperBound(value); ok {
			begin += " AND " + of + " < " + s.arg(bound)
		}
		return begin
	case OpEnds:
		return of + " LIKE " + s.arg("%"+escapeLike(value)) + " ESCAPE '!'"
	case OpEmpty:
		return of + " = ''"
	}
	return of + " <> ''"
}

// fulfilled is what [statement.compare] asks, of two texts.
func fulfilled(op, have, value string) bool {
	switch op {
	case OpEqual:
		return have == value
	case OpNotEqual:
		return have != value
	case OpContains:
		return strings.Contains(have, value)
	case OpNotContains:
		return !strings.Contains(have, value)
	case OpStarts:
		return strings.HasPrefix(have, value)
	case OpEnds:
		return strings.HasSuffix(have, value)
	case OpEmpty:
		return have == ""
	}
	return have != ""
}

var likeEscaper = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

func escapeLike(s string) string { return likeEscaper.Replace(s) }

// holds tells whether a name of the configuration, "" for none, fulfils the condition.
func (w Condition) holds(name string) bool {
	if w.Op == OpEqual || w.Op == OpNotEqual {
		return fulfilled(w.Op, name, w.Value)
	}
	return fulfilled(w.Op, FoldName(name), FoldName(storable(w.Value)))
}

func named[T any](c *termCompiler, w Condition, column string, all []T, name func(T) (int64, string)) {
	var ids []int64
	for _, v := range all {
		if id, n := name(v); w.holds(n) {
			ids = append(ids, id)
		}
	}
	c.set(column, ids, w.holds(""), len(all), false)
}

func (c *termCompiler) roles(w Condition) {
	every := func(string) bool { return true }
	switch w.Op {
	case OpEmpty:
		c.lacks(rolesNamed(c.cfg, every))
	case OpNotEmpty:
		c.holds(rolesNamed(c.cfg, every))
	case OpNotEqual, OpNotContains:
		c.lacks(rolesNamed(c.cfg, func(n string) bool { return !w.holds(n) }))
	default:
		c.holds(rolesNamed(c.cfg, w.holds))
	}
}

func (c *termCompiler) profile(w Condition) {
	p, _ := ParseProfile(w.Value) // what is no profile, nobody has
	if w.Op == OpNotEqual {
		c.add(false, func(s *statement, _ bool) string { return "u.profile <> " + s.arg(int64(p)) })
		return
	}
	if p == Administrator || p == Supervisor {
		// The condition of the index over the few who lead, and then which of them.
		c.add(true, func(s *statement, driving bool) string {
			if !driving {
				return s.column("profile", false) + " = " + literals([]int64{int64(p)})
			}
			return "u.profile < 3 AND u.profile = " + literals([]int64{int64(p)})
		})
		c.all[len(c.all)-1].byID = true
		return
	}
	c.add(false, func(s *statement, _ bool) string { return s.column("profile", false) + " = " + s.arg(int64(p)) })
}

func (c *termCompiler) status(w Condition) {
	picks := func(s Status) bool { return (Fold(w.Value) == string(s)) == (w.Op == OpEqual) }
	switch active, inactive := picks(Active), picks(Inactive); {
	case active && inactive:
	case active:
		c.add(false, func(s *statement, _ bool) string { return s.column("active", false) + " = 1" })
	case inactive:
		c.add(true, func(s *statement, driving bool) string { return s.column("active", driving) + " = 0" })
	default:
		c.nobody = true
	}
}

func (c *termCompiler) day(w Condition) {
	from, to := w.span()
	c.add(false, func(s *statement, _ bool) string {
		return "u.changed_at >= " + s.arg(from) + " AND u.changed_at < " + s.arg(to)
	})
	c.all[len(c.all)-1].text = true
}

// span is from when on, and before when, a user must have been changed, in microseconds.
func (w Condition) span() (from, to int64) {
	begin, _ := parseDay(w.Value) // Check has seen to it
	from, to = begin.UnixMicro(), begin.Add(day).UnixMicro()
	switch w.Op {
	case OpBefore:
		return math.MinInt64, from
	case OpAfter:
		return to, math.MaxInt64
	}
	return from, to
}

// supervisor compares the LAN ID of the supervisor, by the supervisor's id.
func (c *termCompiler) supervisor(op, key string) {
	one := func(s *statement) string { return "(SELECT s.id FROM users s WHERE s.lan_key = " + s.arg(key) + ")" }
	switch op {
	case OpEmpty:
		c.add(true, func(s *statement, driving bool) string { return s.column("supervisor_id", driving) + " IS NULL" })
	case OpNotEmpty:
		c.add(false, func(s *statement, _ bool) string { return s.column("supervisor_id", false) + " IS NOT NULL" })
	case OpEqual:
		c.add(true, func(s *statement, driving bool) string { return s.column("supervisor_id", driving) + " = " + one(s) })
	case OpNotEqual:
		c.add(false, func(s *statement, _ bool) string {
			return "coalesce(u.supervisor_id, 0) <> coalesce(" + one(s) + ", -1)"
		})
	case OpNotContains:
		c.add(false, func(s *statement, _ bool) string {
			return "coalesce(u.supervisor_id, 0) NOT IN (SELECT s.id FROM users s WHERE " + s.compare("s.lan_key", OpContains, key) + ")"
		})
	default:
		c.add(false, func(s *statement, _ bool) string {
			return "u.supervisor_id IN (SELECT s.id FROM users s WHERE " + s.compare("s.lan_key", op, key) + ")"
		})
	}
}
