package sample

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed names.txt
var namesText string

// A name and the spelling that a LAN ID is made of: lower-case ASCII letters only.
type name struct{ text, ascii string }

// A culture's names go together: nobody is called Søren 佐々木 by chance.
type culture struct {
	latin       bool
	first, last []name
}

var allCultures = sync.OnceValue(func() []culture { return readNames(namesText) })

// latinCultures are those whose names an administrator anywhere can read.
var latinCultures = sync.OnceValue(func() []culture {
	var latin []culture
	for _, c := range allCultures() {
		if c.latin {
			latin = append(latin, c)
		}
	}
	return latin
})

func readNames(text string) []culture {
	var all []culture
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "["):
			all = append(all, culture{latin: strings.HasSuffix(line, ", latin]")})
		case strings.HasPrefix(line, "first: "):
			all[len(all)-1].first = nameList(line[len("first: "):])
		case strings.HasPrefix(line, "last: "):
			all[len(all)-1].last = nameList(line[len("last: "):])
		}
	}
	return all
}

func nameList(list string) []name {
	var names []name
	for entry := range strings.SplitSeq(list, ", ") {
		text, ascii, spelled := strings.Cut(entry, "=")
		if !spelled {
			ascii = onlyLetters(text)
		}
		names = append(names, name{text, ascii})
	}
	return names
}

func onlyLetters(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(text))
}

// person picks names by parts of one hash, so that a person is the same wherever they occur.
type person struct {
	culture *culture
	hash    uint64
}

func drawPerson(cultures []culture, hash uint64) person {
	return person{&cultures[pick(hash, 0, len(cultures))], hash}
}

func (p person) firstName() *name { return &p.culture.first[pick(p.hash, 12, len(p.culture.first))] }
func (p person) lastName() *name  { return &p.culture.last[pick(p.hash, 24, len(p.culture.last))] }

// appendFirst writes the first name; one in sixteen, where the script has spaces, has two.
func (p person) appendFirst(b []byte) []byte {
	b = append(b, p.firstName().text...)
	if p.culture.latin && p.hash>>60 == 0 {
		b = append(b, ' ')
		b = append(b, p.culture.first[pick(p.hash, 36, len(p.culture.first))].text...)
	}
	return b
}

// appendLast writes the last name; one in sixteen, where that is done, has a double one.
func (p person) appendLast(b []byte) []byte {
	b = append(b, p.lastName().text...)
	if p.culture.latin && p.hash>>60 == 1 {
		b = append(b, '-')
		b = append(b, p.culture.last[pick(p.hash, 36, len(p.culture.last))].text...)
	}
	return b
}

// appendLetters writes what a LAN ID begins with: initial and last name, at least three letters.
func (p person) appendLetters(b []byte) []byte {
	b = append(b, p.firstName().ascii[0])
	return append(b, p.lastName().ascii...)
}
