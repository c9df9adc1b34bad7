// Package emitted finds the words that the operator's code can write into conditions
// and events, in its sources: from where they end up, back to where they come from.
package emitted

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jobflow-operator/jobflow-operator/test/scorecard/internal/words"
)

// Module is the operator's.
const Module = "github.com/jobflow-operator/jobflow-operator"

// Found is what the code can write.
type Found struct {
	Words []words.Word
	// PassedOn are values that are not the operator's own words, by where it has
	// them from, such as the reason of a Job's condition.
	PassedOn []string
}

// Find looks through the operator's sources in a directory.
func Find(dir string) (*Found, error) {
	paths, err := list(dir, ".")
	if err != nil {
		return nil, err
	}
	return find(dir, Module, paths)
}

func find(dir, prefix string, paths []string) (*Found, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	p, err := load(dir, prefix, paths)
	if err != nil {
		return nil, err
	}
	s := &search{program: p, dir: absolute, slots: map[types.Object]map[words.Class]bool{}, words: map[words.Word]bool{}, passedOn: map[string]bool{}}
	api := prefix + "/api/v1alpha1"
	if err := s.seed(api); err != nil {
		return nil, err
	}
	if err := s.constants(api); err != nil {
		return nil, err
	}
	s.follow()
	found := &Found{Words: slices.Collect(maps.Keys(s.words)), PassedOn: slices.Sorted(maps.Keys(s.passedOn))}
	slices.SortFunc(found.Words, func(a, b words.Word) int {
		return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.Text, b.Text), cmp.Compare(a.At, b.At))
	})
	// One place is enough to find it.
	found.Words = slices.CompactFunc(found.Words, func(a, b words.Word) bool { return a.Class == b.Class && a.Text == b.Text })
	return found, nil
}

type search struct {
	*program
	dir string
	// slots are where words go, or pass through on their way there.
	slots    map[types.Object]map[words.Class]bool
	words    map[words.Word]bool
	passedOn map[string]bool
}

// seed marks where words end up.
func (s *search) seed(api string) error {
	const meta = "k8s.io/apimachinery/pkg/apis/meta/v1"
	for _, field := range []struct {
		path, structure, name string
		class                 words.Class
	}{
		{meta, "Condition", "Type", words.Condition},
		{meta, "Condition", "Reason", words.Reason},
		{api, "RunStatus", "Reason", words.Reason},
	} {
		found, err := s.field(field.path, field.structure, field.name)
		if err != nil {
			return err
		}
		s.mark(found, field.class)
	}
	for _, parameter := range []struct {
		path, structure, function string
		class                     words.Class
	}{
		{"k8s.io/client-go/tools/events", "EventRecorder", "Eventf", words.Event},
		{"k8s.io/client-go/tools/record", "EventRecorder", "Event", words.Event},
		{"k8s.io/client-go/tools/record", "EventRecorder", "Eventf", words.Event},
		{"k8s.io/client-go/tools/record", "EventRecorder", "AnnotatedEventf", words.Event},
		{"github.com/operator-framework/operator-lib/conditions", "", "WithReason", words.Reason},
	} {
		// What nothing imports nothing calls.
		if s.known[parameter.path] == nil {
			continue
		}
		found, err := s.parameter(parameter.path, parameter.structure, parameter.function, "reason")
		if err != nil {
			return err
		}
		s.mark(found, parameter.class)
	}
	return nil
}

// constants are the words of the API's package, used or not.
func (s *search) constants(api string) error {
	if s.known[api] == nil {
		return fmt.Errorf("the sources have no package %s", api)
	}
	scope := s.known[api].Scope()
	for _, name := range scope.Names() {
		for prefix, class := range map[string]words.Class{
			"Condition": words.Condition, "Reason": words.Reason, "Event": words.Event,
		} {
			if c, ok := scope.Lookup(name).(*types.Const); ok && strings.HasPrefix(name, prefix) && c.Val().Kind() == constant.String {
				s.emit(class, constant.StringVal(c.Val()), c.Pos())
			}
		}
	}
	if len(s.words) == 0 {
		return fmt.Errorf("%s has no constants of conditions, reasons and events", api)
	}
	return nil
}

func (s *search) emit(class words.Class, text string, pos token.Pos) {
	if text == "" {
		return
	}
	position := s.fset.Position(pos)
	file, err := filepath.Rel(s.dir, position.Filename)
	if err != nil {
		file = position.Filename
	}
	s.words[words.Word{Class: class, Text: text, At: fmt.Sprintf("%s:%d", filepath.ToSlash(file), position.Line)}] = true
}

// mark says whether that was news.
func (s *search) mark(o types.Object, class words.Class) bool {
	if s.slots[o] == nil {
		s.slots[o] = map[words.Class]bool{}
	}
	news := !s.slots[o][class]
	s.slots[o][class] = true
	return news
}

// follow goes back from the slots until it finds no more.
func (s *search) follow() {
	flows := s.flows()
	for news := true; news; {
		news = false
		for _, f := range flows {
			for class := range s.slots[f.to] {
				if f.object != nil {
					news = s.mark(f.object, class) || news
				} else {
					news = s.back(f, f.from, class) || news
				}
			}
		}
	}
}

// back is one step: a constant is a word, a variable or a result is one more slot,
// and what is neither comes from elsewhere.
func (s *search) back(f flow, from ast.Expr, class words.Class) bool {
	if value := f.in.TypesInfo.Types[from].Value; value != nil {
		if c, ok := object(f.in, from).(*types.Const); ok {
			s.emit(class, constant.StringVal(value), c.Pos())
		} else {
			s.emit(class, constant.StringVal(value), from.Pos())
		}
		return false
	}
	switch e := from.(type) {
	case *ast.ParenExpr:
		return s.back(f, e.X, class)
	case *ast.CallExpr:
		if f.in.TypesInfo.Types[e.Fun].IsType() {
			return s.back(f, e.Args[0], class)
		}
		if function := object(f.in, e.Fun); function != nil && s.isOurs(function) {
			return s.mark(signatureOf(f.in, e).Results().At(f.result), class)
		}
	case *ast.Ident, *ast.SelectorExpr:
		// What is already a slot need not be ours: the reason of a condition that goes
		// into another.
		if o := object(f.in, e); o != nil && (s.isOurs(o) || s.slots[o] != nil) {
			return s.mark(o, class)
		} else if o != nil {
			s.passedOn[o.Pkg().Path()+": "+types.ExprString(e)] = true
			return false
		}
	}
	s.passedOn[s.fset.Position(from.Pos()).String()+": "+types.ExprString(from)] = true
	return false
}

func (s *search) isOurs(o types.Object) bool {
	return o.Pkg() != nil && s.own[o.Pkg().Path()] != nil
}
