package testing_test

import (
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
)

// wordsCheckedIn has the files and directories whose comments and pages are checked.
var wordsCheckedIn = []string{
	".ci", ".github", ".golangci.yml", "CONTRIBUTING.md", "Makefile", "README.md", "SECURITY.md",
	"api", "charts", "config", "controllers", "docs", "hack", "internal", "main.go", "webhooks",
}

// tic is a phrase that readers have stumbled over, and what to write instead.
type tic struct {
	phrase  *regexp.Regexp
	instead string
	// unless exempts a match.
	unless *regexp.Regexp
}

// Only phrases that are wrong in any context belong here.
var tics = []tic{
	{phrase: words(`of late`), instead: "recently"},
	{phrase: regexp.MustCompile(`(?i)\ball the same([.,;:)]|$)`), instead: "still, anyway"},
	{phrase: words(`but for (its|their|the|those|these|that|one|what|a|an)`), instead: "except"},
	{phrase: words(`some (hundred|thousand|million|megabytes|minutes)`), instead: "a few (some hundred means about a hundred)"},
	{phrase: words(`for ever`), instead: "forever"},
	{phrase: words(`now and then`), instead: "sometimes"},
	{phrase: words(`as ever`), instead: "still, as before"},
	{phrase: words(`\w+ (is|are) none`), instead: "has no, does not count", unless: words(`there (is|are) none`)},
	{phrase: words(`if there (is|are) none`), instead: "name what does not exist"},
	{phrase: words(`still to be`), instead: "has not been ... yet, still has to be"},
	{phrase: words(`mostly (all|the)`), instead: "usually, almost all"},
	{phrase: words(`beside`), instead: "next to, in addition to, while"},
	{phrase: words(`mend(s|ed|ing)?`), instead: "fix"},
	{phrase: words(`of (ours|theirs|somebody else('s)?)`), instead: "the name of the thing or its owner"},
	{phrase: words(`says? whether`), instead: "reports whether"},
	{phrase: words(`sees to`), instead: "handles, makes sure"},
	{phrase: words(`(operator|process|program|server|kubelet|controller|manager|parent|cache|pod|OLM) (is|was|are|were|has been) told`), instead: "receives, reads"},
	{phrase: words(`(operator|process|program|server|kubelet|controller|manager|parent|cache|pod|OLM|reconcile) (hears|learns)`), instead: "observes, reads"},
	{phrase: regexp.MustCompile(`(^|[.:;] )Who [^.?!]*\.( |$)`), instead: "A user who ..., An object that ..."},
}

func words(expression string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b` + expression + `\b`)
}

// TestWords checks comments in Go, shell, YAML and make files, and Markdown pages.
func TestWords(t *testing.T) {
	for _, name := range wordsCheckedIn {
		err := filepath.WalkDir(repository.Path(name), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, complaint := range findTics(filepath.Base(path), content) {
				relative, err := filepath.Rel(repository.Root(), path)
				if err != nil {
					return err
				}
				t.Errorf("%s:%s", filepath.ToSlash(relative), complaint)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// findTics returns a line for each tic in a file.
func findTics(name string, content []byte) []string {
	var complaints []string
	for _, p := range passages(name, content) {
		for _, tic := range tics {
			for _, at := range tic.phrase.FindAllStringIndex(p.text, -1) {
				phrase := p.text[at[0]:at[1]]
				if tic.unless == nil || !tic.unless.MatchString(phrase) {
					complaints = append(complaints, fmt.Sprintf("%d: %q: write: %s", p.line(at[0]), phrase, tic.instead))
				}
			}
		}
	}
	return complaints
}

// passage is a comment or paragraph on one line. A phrase may be broken across lines.
type passage struct {
	text   string
	starts []start
}

// start is the offset in the text at which a line of the file begins.
type start struct{ offset, line int }

func (p *passage) add(line int, text string) {
	if p.text != "" {
		p.text += " "
	}
	p.starts = append(p.starts, start{len(p.text), line})
	p.text += strings.TrimSpace(text)
}

func (p *passage) line(offset int) int {
	for _, s := range slices.Backward(p.starts) {
		if s.offset <= offset {
			return s.line
		}
	}
	return 0
}

// passages returns the prose in a file, by the ending of its name.
func passages(name string, content []byte) []passage {
	switch ext := filepath.Ext(name); {
	case ext == ".go":
		return goComments(content)
	case ext == ".md":
		return paragraphs(content)
	case ext == ".sh", ext == ".yaml", ext == ".yml", name == "Makefile", ext == "":
		return hashComments(content)
	}
	return nil
}

func goComments(content []byte) []passage {
	set := token.NewFileSet()
	file := set.AddFile("", set.Base(), len(content))
	var s scanner.Scanner
	s.Init(file, content, nil, scanner.ScanComments)
	lines := map[int]string{}
	for {
		pos, kind, text := s.Scan()
		if kind == token.EOF {
			return join(lines)
		}
		if kind == token.COMMENT {
			text = strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(text, "//"), "/*"), "*/")
			for i, line := range strings.Split(text, "\n") {
				lines[file.Line(pos)+i] = line
			}
		}
	}
}

var hashComment = regexp.MustCompile(`(?:^|\s)#+ (.*)$`)

func hashComments(content []byte) []passage {
	lines := map[int]string{}
	for i, line := range strings.Split(string(content), "\n") {
		if match := hashComment.FindStringSubmatch(line); match != nil {
			lines[i+1] = match[1]
		}
	}
	return join(lines)
}

// paragraphs leaves out blocks of code. A heading, a row and an item are paragraphs.
func paragraphs(content []byte) []passage {
	lines := map[int]string{}
	var found []passage
	end := func() {
		found = append(found, join(lines)...)
		clear(lines)
	}
	code := false
	for i, line := range strings.Split(string(content), "\n") {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "```") {
			code = !code
		}
		if strings.HasPrefix(trimmed, "|") || strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, "- ") {
			end()
		}
		if !code {
			lines[i+1] = strings.TrimLeft(trimmed, "|#- ")
		}
	}
	end()
	return found
}

// join makes one passage of consecutive lines.
func join(lines map[int]string) []passage {
	numbers := slices.Sorted(maps.Keys(lines))
	var found []passage
	for i, number := range numbers {
		if i == 0 || numbers[i-1] != number-1 || strings.TrimSpace(lines[number-1]) == "" {
			found = append(found, passage{})
		}
		if strings.TrimSpace(lines[number]) != "" {
			found[len(found)-1].add(number, lines[number])
		}
	}
	return found
}

func TestFindTics(t *testing.T) {
	for name, tc := range map[string]struct {
		file, content string
		want          []string
	}{
		"a Go comment that is broken": {
			"a.go", "package a\n\n// a fails for\n// ever.\nvar a = \"for ever\"\n",
			[]string{`3: "for ever": write: forever`},
		},
		"a comment in a script": {"a.sh", "# b\necho 'of late' # c, of late\n", []string{`2: "of late": write: recently`}},
		"a page, but not its code": {
			"a.md", "# A\n\nIt mends.\n\n```\nmend\n```\n",
			[]string{`3: "mends": write: fix`},
		},
		"an exception":       {"a.md", "There is none. What ends is none.", []string{`1: "ends is none": write: has no, does not count`}},
		"who as a subject":   {"a.md", "Who asks is refused. Who asks?", []string{`1: "Who asks is refused. ": write: A user who ..., An object that ...`}},
		"all the same thing": {"a.md", "They are all the same size. It runs, all the same.", []string{`1: "all the same.": write: still, anyway`}},
		"another language":   {"a.json", `{"a": "of late"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, findTics(tc.file, []byte(tc.content))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
