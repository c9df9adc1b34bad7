package apitypes

import (
	"slices"
	"strings"
	"unicode"
)

// Comment is what a field's comment says, by the convention of this project: the default
// in a sentence that begins with "Default:", and the mutability in one that begins with
// "Immutable" or "May change".
type Comment struct {
	Meaning []string // sentences
	Default string
	Changes string
}

// ParseComment parses a field's comment.
func ParseComment(doc string) Comment {
	var c Comment
	for _, sentence := range sentences(doc) {
		text := strings.TrimSuffix(sentence, ".")
		if def, ok := strings.CutPrefix(text, "Default: "); ok {
			c.Default = def
		} else if exceptions, ok := strings.CutPrefix(text, "Immutable"); ok {
			c.Changes = "no" + exceptions
		} else if when, ok := strings.CutPrefix(text, "May change "); ok {
			c.Changes = when
		} else {
			c.Meaning = append(c.Meaning, sentence)
		}
	}
	return c
}

// WithoutName returns a sentence for a reader who has the field's name before it: "flows
// are the steps" becomes "The steps", and "suspend holds the flow" "Holds the flow".
func WithoutName(name, sentence string) string {
	rest, found := strings.CutPrefix(sentence, name+" ")
	if !found {
		return sentence
	}
	if verb, after, _ := strings.Cut(rest, " "); slices.Contains([]string{"is", "are"}, verb) {
		rest = after
	}
	return UpperFirst(rest)
}

// UpperFirst returns a text with its first letter in upper case.
func UpperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// FirstSentence returns the first sentence of a text.
func FirstSentence(text string) string {
	if all := sentences(text); len(all) > 0 {
		return all[0]
	}
	return ""
}

// sentences splits a text. A full stop before a lower-case letter belongs to an
// abbreviation such as "e.g.", or to a name such as spec.flows.
func sentences(text string) []string {
	text = strings.Join(strings.Fields(text), " ")
	var found []string
	begin := 0
	for i := 0; i+2 < len(text); i++ {
		if text[i] == '.' && text[i+1] == ' ' && !unicode.IsLower(rune(text[i+2])) {
			found = append(found, text[begin:i+1])
			begin = i + 2
		}
	}
	if begin < len(text) {
		found = append(found, text[begin:])
	}
	return found
}
