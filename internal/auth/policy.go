package auth

import (
	"strings"
	"unicode/utf8"

	"muster/internal/fault"
)

// Lengths of a password in characters. The least is that of NIST SP 800-63B (revision 4) for a password that is the only
// factor; the most is there so that nobody sends a book.
const (
	ShortestPassword = 15
	LongestPassword  = 256
)

// shortestWord is in characters: the names of people are looked for in their passwords from this length on, for shorter
// ones are in many words.
const shortestWord = 4

// fewestCharacters is how many different ones a password must have.
const fewestCharacters = 5

// runs are what fingers and schoolchildren know by heart, in both directions, going round.
var runs = func() []string {
	var all []string
	for _, s := range []string{"abcdefghijklmnopqrstuvwxyz", "0123456789", "1234567890qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn"} {
		s = strings.Repeat(s, LongestPassword/len(s)+2)
		back := []byte(s)
		for i, j := 0, len(back)-1; i < j; i, j = i+1, j-1 {
			back[i], back[j] = back[j], back[i]
		}
		all = append(all, s, string(back))
	}
	return all
}()

// CheckPassword returns why somebody with this LAN ID and these names may not have the password, nil when they may. Any
// characters will do, in any mixture; what is refused is what somebody would try first who wants to get in here.
func CheckPassword(password, lanID, firstName, lastName string) error {
	plain := strings.ToLower(string(normal(password)))
	n := utf8.RuneCountInString(plain)
	switch {
	case !utf8.ValidString(password):
		return fault.New(fault.Invalid, "the password is not text; type it again")
	case n < ShortestPassword:
		return fault.New(fault.Invalid, "the password has %d characters, and at least %d are needed; several words are easy to remember", n, ShortestPassword)
	case n > LongestPassword:
		return fault.New(fault.Invalid, "the password has %d characters, and at most %d are possible; shorten it", n, LongestPassword)
	case distinct(plain) < fewestCharacters:
		return fault.New(fault.Invalid, "the password is made of %d different characters only, which is easy to guess; use several words", distinct(plain))
	case repeats(plain):
		return fault.New(fault.Invalid, "the password is one thing over and over, which is easy to guess; use several words")
	}
	for _, run := range runs {
		if strings.Contains(run, plain) {
			return fault.New(fault.Invalid, "the password is a plain sequence, which is easy to guess; use several words")
		}
	}
	for _, w := range []struct{ what, word string }{{"your LAN ID", lanID}, {"your first name", firstName}, {"your last name", lastName}, {"the word muster", "muster"}} {
		word := strings.ToLower(string(normal(w.word)))
		if utf8.RuneCountInString(word) >= shortestWord && strings.Contains(plain, word) {
			return fault.New(fault.Invalid, "the password contains %s, which is easy to guess; leave it out", w.what)
		}
	}
	return nil
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// repeats tells whether s is a piece of itself at least three times over, the last perhaps cut off.
func repeats(s string) bool {
	for period := 1; period <= len(s)/3; period++ {
		if s[period:] == s[:len(s)-period] {
			return true
		}
	}
	return false
}
