// Package testing_test tests the tests.
package testing_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shortest is the shortest limit that a test may have. A limit only distinguishes a hang from
// slowness; two minutes are enough for that on any machine. A shorter limit fails on a busy
// machine.
const shortest = time.Minute

// allowed has the exceptions and their reasons. The key is the file and the limit as the file
// has it: "test/e2e/crash_test.go: 10 * time.Second".
var allowed = map[string]string{
	"test/testkit/near_miss_test.go: 20 * time.Millisecond": "the wait is meant to run out",
}

// limitAt has the functions that set a limit, and the index of that argument, not counting a
// context that comes first.
var limitAt = map[string]int{
	"Eventually":                  1,
	"eventually":                  0, // of test/faults/misuse
	"EventuallyWithOffset":        2,
	"SetDefaultEventuallyTimeout": 0,
	"WithTimeout":                 0, // of gomega and of context
	"WithTimeoutCause":            0,
	"Within":                      0,
	"SpecTimeout":                 0,
	"NodeTimeout":                 0,
	"PollUntilContextTimeout":     1,
}

// TestLimits checks the limits in the test files of the operator, and in all Go files in test/
// and internal/testing.
func TestLimits(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, files := range testFiles(t, root) {
		for _, found := range shortLimits(t, root, files) {
			key := found.file + ": " + found.text
			if _, ok := allowed[key]; ok {
				used[key] = true
				continue
			}
			t.Errorf("%s:%d: the limit %s of %s is %s. Use limit.Hang, or give the reason in allowed.",
				found.file, found.line, found.text, found.call, found.limit)
		}
	}
	for key := range allowed {
		if !used[key] {
			t.Errorf("%s is allowed and not there any more", key)
		}
	}
}

// testFiles returns the files to check, by directory.
func testFiles(t *testing.T, root string) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		ofTests := strings.HasPrefix(relative, "test"+string(filepath.Separator)) ||
			strings.HasPrefix(relative, filepath.Join("internal", "testing")+string(filepath.Separator))
		switch {
		case entry.IsDir() && relative != "." && relative != "test":
			_, err := os.Stat(filepath.Join(path, "go.mod"))
			if err == nil || strings.HasPrefix(entry.Name(), ".") || relative == "bin" {
				return filepath.SkipDir
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		case strings.HasSuffix(path, "_test.go"), ofTests && strings.HasSuffix(path, ".go"):
			files[filepath.Dir(path)] = append(files[filepath.Dir(path)], path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

type limit struct {
	file  string
	line  int
	call  string
	text  string
	limit time.Duration
}

// shortLimits returns the short limits in the files of one package.
func shortLimits(t *testing.T, root string, files []string) []limit {
	t.Helper()
	sources := map[string][]byte{}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		relative, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		sources[filepath.ToSlash(relative)] = source
	}
	found, err := findShortLimits(sources)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func findShortLimits(sources map[string][]byte) ([]limit, error) {
	set := token.NewFileSet()
	parsed := map[string]*ast.File{}
	declared := values{}
	for name, source := range sources {
		file, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		parsed[name] = file
		declared.collect(file)
	}
	var found []limit
	for _, name := range slices.Sorted(maps.Keys(parsed)) {
		ast.Inspect(parsed[name], func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || holds(call) {
				return true
			}
			argument := limitOf(call)
			if argument == nil {
				return true
			}
			if duration, known := declared.duration(argument, 0); known && duration < shortest {
				from, to := set.Position(argument.Pos()), set.Position(argument.End())
				found = append(found, limit{name, from.Line, nameOf(call.Fun), string(sources[name][from.Offset:to.Offset]), duration})
			}
			return true
		})
	}
	return found, nil
}

// limitOf returns the argument of the call that sets a limit, or nil.
func limitOf(call *ast.CallExpr) ast.Expr {
	at, limits := limitAt[nameOf(call.Fun)]
	if !limits {
		return nil
	}
	if len(call.Args) > 0 && isContext(call.Args[0]) {
		at++
	}
	if at >= len(call.Args) {
		return nil
	}
	return call.Args[at]
}

// isContext reports whether an expression is a context, judging by its name.
func isContext(e ast.Expr) bool {
	if call, ok := e.(*ast.CallExpr); ok {
		return slices.Contains([]string{"Context", "Background", "TODO"}, nameOf(call.Fun))
	}
	return strings.HasSuffix(strings.ToLower(nameOf(e)), "ctx")
}

// nameOf returns the name of a function or method.
func nameOf(function ast.Expr) string {
	switch function := function.(type) {
	case *ast.Ident:
		return function.Name
	case *ast.SelectorExpr:
		return function.Sel.Name
	}
	return ""
}

// holds reports whether a call is part of a chain that begins with Consistently. The duration
// of Consistently is not a limit: it always passes in full.
func holds(call *ast.CallExpr) bool {
	for {
		if nameOf(call.Fun) == "Consistently" {
			return true
		}
		selector, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		if call, ok = selector.X.(*ast.CallExpr); !ok {
			return false
		}
	}
}

// values has the initial values of the constants and variables of a package.
type values map[string]ast.Expr

func (v values) collect(file *ast.File) {
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok && len(spec.Values) == len(spec.Names) {
			for i, name := range spec.Names {
				v[name.Name] = spec.Values[i]
			}
		}
		return true
	})
}

var units = map[string]time.Duration{
	"Nanosecond": time.Nanosecond, "Microsecond": time.Microsecond, "Millisecond": time.Millisecond,
	"Second": time.Second, "Minute": time.Minute, "Hour": time.Hour,
}

// duration evaluates an expression. It returns false unless the expression is a duration that
// it understands. A number means seconds, as in Gomega.
func (v values) duration(expression ast.Expr, depth int) (time.Duration, bool) {
	const deepest = 10
	if depth > deepest {
		return 0, false
	}
	switch e := expression.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, err := strconv.Unquote(e.Value)
			if err != nil {
				return 0, false
			}
			duration, err := time.ParseDuration(text)
			return duration, err == nil
		}
		seconds, ok := number(e)
		return time.Duration(seconds * float64(time.Second)), ok
	case *ast.Ident:
		value, known := v[e.Name]
		if !known {
			return 0, false
		}
		return v.duration(value, depth+1)
	case *ast.SelectorExpr:
		unit, ok := units[e.Sel.Name]
		return unit, ok && nameOf(e.X) == "time"
	case *ast.ParenExpr:
		return v.duration(e.X, depth+1)
	case *ast.BinaryExpr:
		return v.product(e, depth)
	}
	return 0, false
}

// product evaluates the product of a number and a unit.
func (v values) product(e *ast.BinaryExpr, depth int) (time.Duration, bool) {
	if e.Op != token.MUL {
		return 0, false
	}
	for _, pair := range [][2]ast.Expr{{e.X, e.Y}, {e.Y, e.X}} {
		factor, isNumber := number(pair[0])
		unit, isDuration := v.duration(pair[1], depth+1)
		if isNumber && isDuration {
			return time.Duration(factor * float64(unit)), true
		}
	}
	return 0, false
}

func number(e ast.Expr) (float64, bool) {
	literal, ok := e.(*ast.BasicLit)
	if !ok || (literal.Kind != token.INT && literal.Kind != token.FLOAT) {
		return 0, false
	}
	value, err := strconv.ParseFloat(strings.ReplaceAll(literal.Value, "_", ""), 64)
	return value, err == nil
}

func TestFindShortLimits(t *testing.T) {
	for name, test := range map[string]struct {
		statement string
		want      string
	}{
		"a product":                {`Eventually(f, 5*time.Second).Should(Succeed())`, "5*time.Second of Eventually"},
		"with how often to look":   {`g.Eventually(f, 20*time.Second, 2*time.Millisecond).Should(Succeed())`, "20*time.Second of Eventually"},
		"a text":                   {`Eventually(ctx, f, "30s").Should(Succeed())`, `"30s" of Eventually`},
		"a number of seconds":      {`Eventually(f, 3).Should(Succeed())`, "3 of Eventually"},
		"a chain":                  {`Eventually(f).WithTimeout(time.Second).Should(Succeed())`, "time.Second of WithTimeout"},
		"a constant":               {`Eventually(f, soon).Should(Succeed())`, "soon of Eventually"},
		"a context":                {`ctx, cancel := context.WithTimeout(ctx, 59*time.Second)`, "59*time.Second of WithTimeout"},
		"a spec":                   {`It("works", func() {}, SpecTimeout(time.Second))`, "time.Second of SpecTimeout"},
		"a default":                {`SetDefaultEventuallyTimeout(20 * time.Second)`, "20 * time.Second of SetDefaultEventuallyTimeout"},
		"two minutes":              {`Eventually(f, 2*time.Minute, 50*time.Millisecond).Should(Succeed())`, ""},
		"a constant of elsewhere":  {`Eventually(f, testkit.Hang, time.Second).Should(Succeed())`, ""},
		"none":                     {`Eventually(f).Should(Succeed())`, ""},
		"how long something holds": {`Consistently(f, "2s").WithTimeout(time.Second).Should(Succeed())`, ""},
		"no limit":                 {`f(5*time.Second)`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			source := fmt.Sprintf("package p\nconst soon = 10 * time.Second\nfunc f() {\n%s\n}\n", test.statement)
			found, err := findShortLimits(map[string][]byte{"p_test.go": []byte(source)})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, limit := range found {
				got = append(got, limit.text+" of "+limit.call)
			}
			if diff := cmp.Diff(test.want, strings.Join(got, "; ")); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
		})
	}
}
