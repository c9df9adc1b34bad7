// Package words compares the words that the operator writes into conditions and
// events with those that its documentation explains.
package words

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Class is where a word is written.
type Class string

// The classes of words.
const (
	Condition Class = "condition"
	Reason    Class = "reason"
	Event     Class = "event"
)

// The headings in docs/status-reference.md.
const (
	conditionsSection = "Conditions"
	operatorSection   = "OperatorCondition"
	reasonsSection    = "Reasons"
	eventsSection     = "Events"
)

// sections are those that explain the words of a class. A new word belongs in the
// first, as a rule.
var sections = map[Class][]string{
	Condition: {conditionsSection, operatorSection},
	Reason:    {reasonsSection},
	Event:     {eventsSection},
}

// Word is one that code can write.
type Word struct {
	Class Class  `json:"class"`
	Text  string `json:"text"`
	// At is where in the sources, FILE:LINE.
	At string `json:"at"`
}

// Reference is what the documentation explains, by section.
type Reference map[string][]string

var (
	heading  = regexp.MustCompile(`^## (.+)$`)
	firstRow = regexp.MustCompile("^\\| `([^`]+)` \\|")
)

// ParseReference reads docs/status-reference.md: sections for each class, with tables
// whose rows begin with the word in backquotes.
func ParseReference(markdown string) (Reference, error) {
	found := map[string][]string{}
	section := ""
	for line := range strings.Lines(markdown) {
		line = strings.TrimSpace(line)
		if m := heading.FindStringSubmatch(line); m != nil {
			section = m[1]
		}
		if m := firstRow.FindStringSubmatch(line); m != nil {
			found[section] = append(found[section], m[1])
		}
	}
	reference := Reference{}
	for class, names := range sections {
		for _, name := range names {
			if len(found[name]) == 0 {
				return nil, fmt.Errorf("docs/status-reference.md: no table under \"## %s\" that explains a %s", name, class)
			}
			reference[name] = found[name]
		}
	}
	return reference, nil
}

// explains says whether one of the sections of its class has the word.
func (r Reference) explains(word Word) bool {
	return slices.ContainsFunc(sections[word.Class], func(section string) bool { return slices.Contains(r[section], word.Text) })
}

// Conditions are those of JobFlows and DaemonJobs.
func (r Reference) Conditions() []string {
	return r[conditionsSection]
}

// Words are all that is explained, in no order.
func (r Reference) Words() []Word {
	var explained []Word
	for class, names := range sections {
		for _, name := range names {
			for _, text := range r[name] {
				explained = append(explained, Word{Class: class, Text: text, At: "docs/status-reference.md, ## " + name})
			}
		}
	}
	return explained
}

// Undocumented says of each word that the reference lacks where it comes from and
// where it belongs.
func Undocumented(emitted []Word, reference Reference) []string {
	var problems []string
	for _, word := range emitted {
		if !reference.explains(word) {
			problems = append(problems, fmt.Sprintf("%s: the %s %q is not in docs/status-reference.md; add a row that begins with | `%s` | under \"## %s\"",
				word.At, word.Class, word.Text, word.Text, sections[word.Class][0]))
		}
	}
	return problems
}

// Unused are documented words that no code writes.
func Unused(emitted []Word, reference Reference) []string {
	var problems []string
	for _, explained := range reference.Words() {
		if !slices.ContainsFunc(emitted, func(w Word) bool { return w.Class == explained.Class && w.Text == explained.Text }) {
			problems = append(problems, fmt.Sprintf("%s: no code writes the %s %q; remove its row", explained.At, explained.Class, explained.Text))
		}
	}
	return problems
}
