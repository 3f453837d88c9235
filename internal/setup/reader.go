package setup

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"muster/internal/directory"
	"muster/internal/fault"
)

// mostShown is how many things that are wrong a message lists.
const mostShown = 20

// reader takes values out of YAML nodes and collects what is wrong with them. It does not decode into structs: the
// library's messages name Go types instead of what is allowed.
type reader struct{ wrong []string }

// key is one that a mapping may have.
type key struct {
	name     string
	required bool
	read     func(*yaml.Node)
}

func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf("line %d: %s", n.Line, fmt.Sprintf(format, args...)))
}

func (r *reader) err() error {
	switch n := len(r.wrong); {
	case n == 0:
		return nil
	case n == 1:
		return fault.New(fault.Invalid, "the setup file, %s", r.wrong[0])
	case n > mostShown:
		return fault.New(fault.Invalid, "%d things are wrong with the setup file:\n- %s\n- and %d more", n, strings.Join(r.wrong[:mostShown], "\n- "), n-mostShown)
	default:
		return fault.New(fault.Invalid, "%d things are wrong with the setup file:\n- %s", n, strings.Join(r.wrong, "\n- "))
	}
}

// resolve follows an alias (*name) to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// items are the entries of a list; none when it is something else, which whoever reads it reports.
func items(n *yaml.Node) []*yaml.Node {
	if n = resolve(n); n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return nil
}

// mapping reads each key that n has; what says what n is ("a role").
func (r *reader) mapping(n *yaml.Node, what string, keys []key) {
	m := resolve(n)
	if m.Kind != yaml.MappingNode {
		r.fail(n, "%s is made of keys (%s) and their values, and this is %s", what, strings.Join(keyNames(keys), ", "), kindOf(m))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(m.Content); i += 2 {
		name := m.Content[i]
		at := slices.IndexFunc(keys, func(k key) bool { return k.name == name.Value })
		switch {
		case at < 0:
			r.fail(name, "%s has no key %s; it can have %s", what, quoted(name.Value), strings.Join(keyNames(keys), ", "))
		case seen[name.Value]:
			r.fail(name, "%s has the key %s twice; leave one of them out", what, name.Value)
		default:
			seen[name.Value] = true
			keys[at].read(m.Content[i+1])
		}
	}
	for _, k := range keys {
		if k.required && !seen[k.name] {
			r.fail(n, "%s lacks the key %s; add it", what, k.name)
		}
	}
}

// readList reads each entry of a list. It is never nil: an empty list is not the same as none.
func readList[T any](r *reader, n *yaml.Node, read func(*yaml.Node) T) []T {
	all := []T{}
	if resolve(n).Kind != yaml.SequenceNode {
		r.fail(n, "a list is wanted ([a, b], or lines that begin with a dash), and this is %s", kindOf(resolve(n)))
		return all
	}
	for _, item := range items(n) {
		all = append(all, read(item))
	}
	return all
}

func (r *reader) texts(n *yaml.Node) []string { return readList(r, n, r.text) }

// text returns a text; a number that stands for itself (a team called 42) needs no quotes.
func (r *reader) text(n *yaml.Node) string {
	v := resolve(n)
	switch {
	case v.Kind != yaml.ScalarNode:
		r.fail(n, "a text is wanted, and this is %s", kindOf(v))
	case v.ShortTag() == "!!null":
		r.fail(n, `a text is wanted, and this is empty; write "" if nothing is meant`)
	case v.ShortTag() == "!!bool":
		r.fail(n, `a text is wanted, and %s is a truth value; put it in quotes ("yes" and "no" for a switch)`, v.Value)
	case v.ShortTag() == "!!binary":
		r.fail(n, "a text is wanted, and this is binary; write it as text")
	default:
		return v.Value
	}
	return ""
}

func (r *reader) oneOf(n *yaml.Node, words []string) string {
	had := len(r.wrong)
	s := r.text(n)
	if len(r.wrong) == had && !slices.Contains(words, s) {
		r.fail(n, "%s is not allowed here; use one of %s", quoted(s), strings.Join(words, ", "))
	}
	return s
}

func (r *reader) number(n *yaml.Node) int {
	v := resolve(n)
	var number int
	if v.Kind != yaml.ScalarNode || v.ShortTag() != "!!int" || v.Decode(&number) != nil {
		is := kindOf(v)
		if v.Kind == yaml.ScalarNode {
			is = quoted(v.Value)
		}
		r.fail(n, "a whole number is wanted, and this is %s", is)
		return 0
	}
	return number
}

// yesNo returns yes or no; a truth value of YAML will do too.
func (r *reader) yesNo(n *yaml.Node) string {
	if v := resolve(n); v.Kind == yaml.ScalarNode && v.ShortTag() == "!!bool" {
		var yes bool
		if v.Decode(&yes) == nil {
			return directory.SwitchValues[map[bool]int{true: 0, false: 1}[yes]]
		}
	}
	return r.oneOf(n, directory.SwitchValues)
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "made of keys and values"
	}
	if n.ShortTag() == "!!null" {
		return "empty"
	}
	return "the text " + quoted(n.Value)
}
