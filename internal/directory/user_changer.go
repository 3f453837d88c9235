package directory

import (
	"strings"
)

const changedByColumn = "changed_by"

// mostChangers is how many people the conditions on Changed by name one by one; beyond, names are compared.
const mostChangers = 1000

// changedBy is a condition on who changed a user; value is folded.
func (c *termCompiler) changedBy(op, value string) {
	names := c.changersWho(op, value)
	switch {
	case c.changers == nil, len(names) > mostChangers:
		c.add(false, func(s *statement, _ bool) string { return s.compare("lower(u.changed_by)", op, value) })
	case len(names) == 0:
		c.nobody = true
		return
	case len(names) == len(c.changers):
		return
	default:
		c.add(false, func(s *statement, _ bool) string { return "u." + changedByColumn + " IN (" + s.list(names) + ")" })
	}
	c.all[len(c.all)-1].text = true
}

func (c *termCompiler) changersWho(op, value string) (names []string) {
	for _, name := range c.changers {
		if fulfilled(op, Fold(name), value) {
			names = append(names, name)
		}
	}
	return names
}

// list are texts as parameters.
func (s *statement) list(texts []string) string {
	args := make([]string, len(texts))
	for i, text := range texts {
		args[i] = s.arg(text)
	}
	return strings.Join(args, ", ")
}
