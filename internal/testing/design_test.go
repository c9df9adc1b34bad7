package testing_test

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/jobflow-operator/jobflow-operator/internal/testing/repository"
)

// note is what the header of a design note and its row in the index say.
type note struct {
	Number                    int
	Title, File, Date, Status string
}

var (
	noteHeader = regexp.MustCompile(`^# (?P<title>.+)\n\nDesign note (?P<number>\d+) · (?P<date>\S+) · (?P<status>.+)\n\n`)
	noteRow    = regexp.MustCompile(`(?m)^\| (?P<number>\d+) \| \[(?P<title>.+)\]\((?P<file>\S+)\) \| (?P<date>\S+) \| (?P<status>[^|]+) \| [^|]+ \|$`)
	superseded = regexp.MustCompile(`^superseded by (\d+)$`)
)

// TestDesignNotes compares docs/design/README.md with the headers of the notes.
func TestDesignNotes(t *testing.T) {
	dir := repository.Path("docs/design")
	files, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var notes, index []note
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(file) == "README.md" {
			for _, match := range noteRow.FindAllStringSubmatch(string(text), -1) {
				index = append(index, newNote(t, noteRow, match))
			}
			continue
		}
		match := noteHeader.FindStringSubmatch(string(text))
		if match == nil {
			t.Errorf("%s does not begin with its title and a line such as: Design note 1 · 2026-11-23 · accepted", file)
			continue
		}
		n := newNote(t, noteHeader, match)
		n.File = filepath.Base(file)
		notes = append(notes, n)
	}
	slices.SortFunc(notes, func(a, b note) int { return cmp.Compare(a.Number, b.Number) })
	if diff := gocmp.Diff(notes, index); diff != "" {
		t.Errorf("the notes (-) and docs/design/README.md (+):\n%s", diff)
	}
	for i, n := range notes {
		if n.Number != i+1 {
			t.Errorf("%s has the number %d; the next one is %d", n.File, n.Number, i+1)
		}
		if _, err := time.Parse(time.DateOnly, n.Date); err != nil {
			t.Errorf("%s: %v", n.File, err)
		}
		if !statusIsValid(n.Status, len(notes)) {
			t.Errorf("%s has the status %q; use accepted, or superseded by the number of a note", n.File, n.Status)
		}
	}
}

func newNote(t *testing.T, expression *regexp.Regexp, match []string) note {
	t.Helper()
	group := func(name string) string {
		if i := expression.SubexpIndex(name); i >= 0 {
			return match[i]
		}
		return ""
	}
	number, err := strconv.Atoi(group("number"))
	if err != nil {
		t.Fatal(err)
	}
	return note{Number: number, Title: group("title"), File: group("file"), Date: group("date"), Status: group("status")}
}

func statusIsValid(status string, notes int) bool {
	if status == "accepted" {
		return true
	}
	match := superseded.FindStringSubmatch(status)
	if match == nil {
		return false
	}
	number, err := strconv.Atoi(match[1])
	return err == nil && number >= 1 && number <= notes
}
