package v1alpha1

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// docs/status-reference.md has a section for each group of constants, with a
// table whose rows begin with the value in backquotes.
var sections = map[string]func(constant string) bool{
	"States":      func(c string) bool { return strings.HasPrefix(c, "State") },
	"Phases":      func(c string) bool { return strings.HasPrefix(c, "Phase") },
	"Conditions":  func(c string) bool { return strings.HasPrefix(c, "Condition") },
	"Reasons":     func(c string) bool { return strings.HasPrefix(c, "Reason") },
	"Events":      func(c string) bool { return strings.HasPrefix(c, "Event") },
	"Labels":      func(c string) bool { return strings.HasSuffix(c, "Label") },
	"Annotations": func(c string) bool { return strings.HasSuffix(c, "Annotation") },
}

func TestStatusReferenceHasEveryConstant(t *testing.T) {
	constants := stringConstants(t)
	documented := documentedValues(t)
	for section, belongs := range sections {
		t.Run(section, func(t *testing.T) {
			var want []string
			for name, value := range constants {
				if belongs(name) {
					want = append(want, value)
					delete(constants, name)
				}
			}
			slices.Sort(want)
			got := documented[section]
			slices.Sort(got)
			if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
				t.Errorf("docs/status-reference.md, section %s (-constants +documented)\n%s", section, diff)
			}
		})
	}
	for name := range constants {
		if elsewhere.MatchString(name) {
			continue
		}
		t.Errorf("%s belongs to no section of docs/status-reference.md", name)
	}
}

// elsewhere are the values of a spec and the kinds, which the API reference has, and those of the
// columns of the table Reasons.
var elsewhere = regexp.MustCompile(`^(StartOn|Kind|Place|Actor)[A-Z]`)

func TestEveryReasonHasOneRow(t *testing.T) {
	var want, got []string
	for name, value := range stringConstants(t) {
		if strings.HasPrefix(name, "Reason") {
			want = append(want, value)
		}
	}
	for _, row := range Reasons {
		got = append(got, row.Name)
		waits := slices.Contains(row.Places, PlaceWaiting)
		switch {
		case len(row.Places) == 0 || row.Meaning == "":
			t.Errorf("%s: the row does not say where it appears and what it means", row.Name)
		case waits && row.Actor == "":
			t.Errorf("%s: the row does not say who has to act until what waits goes on", row.Name)
		case (row.Warns || row.Rank > 0) && !waits:
			t.Errorf("%s: only what waits can warn and have a rank", row.Name)
		case row.Stalls && row.Actor != ActorPerson:
			t.Errorf("%s: only a person can end what stalls", row.Name)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("constants and rows (-constants +rows):\n%s", diff)
	}
}

func TestALaterVersionsReasonIsAPersonsConcern(t *testing.T) {
	if r := LookUpReason("Later"); r.Name != "Later" || r.Actor != ActorPerson || !r.Warns {
		t.Errorf("%+v", r)
	}
}

var (
	heading  = regexp.MustCompile(`^## (.+)$`)
	firstRow = regexp.MustCompile("^\\| `([^`]+)` \\|")
)

func documentedValues(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "status-reference.md"))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]string{}
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if m := heading.FindStringSubmatch(line); m != nil {
			section = m[1]
		}
		if m := firstRow.FindStringSubmatch(line); m != nil {
			values[section] = append(values[section], m[1])
		}
	}
	return values
}

// stringConstants are the constants of the package with a string literal, by
// their name in Go.
func stringConstants(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	constants := map[string]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.CONST {
				continue
			}
			for _, s := range gen.Specs {
				spec := s.(*ast.ValueSpec)
				for i, value := range spec.Values {
					if literal, ok := value.(*ast.BasicLit); ok && literal.Kind == token.STRING {
						constants[spec.Names[i].Name], _ = strconv.Unquote(literal.Value)
					}
				}
			}
		}
	}
	return constants
}
