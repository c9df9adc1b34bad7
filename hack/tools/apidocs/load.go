package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// api is what the reference says, in the order in which it says it.
type api struct {
	group, version string
	kinds          []*structType
	structs        map[string]*structType
	enums          map[string]*enumType
}

type structType struct {
	name   string
	doc    string
	kind   bool
	fields []field
}

type field struct {
	// name is the JSON name; empty for an embedded type.
	name     string
	doc      string
	required bool
	typ      goType
}

// goType is a field's type: a list or map of, or plainly, a named type.
type goType struct {
	list, mapped bool
	// pkg is the import name of the package, as in batchv1; empty for a type of
	// ours or of the language.
	pkg, name string
}

type enumType struct {
	name, doc string
	values    []enumValue
}

type enumValue struct{ value, doc string }

func load(dir string) (*api, error) {
	out := &api{structs: map[string]*structType{}, enums: map[string]*enumType{}, version: filepath.Base(dir)}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "zz_generated") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	for _, file := range files {
		if group := marker(file.Doc, "groupName="); group != "" {
			out.group = group
		}
		out.addTypes(file)
	}
	// Constants may stand in a file before that of their type.
	for _, file := range files {
		out.addConstants(file)
	}
	if len(out.kinds) == 0 {
		return nil, fmt.Errorf("no kinds in %s", dir)
	}
	return out, nil
}

func (a *api) addTypes(file *ast.File) {
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.TYPE {
			continue
		}
		for _, s := range gen.Specs {
			spec := s.(*ast.TypeSpec)
			doc := spec.Doc
			if doc == nil {
				doc = gen.Doc
			}
			switch t := spec.Type.(type) {
			case *ast.StructType:
				a.addStruct(file, spec.Name.Name, gen, doc, t)
			case *ast.Ident:
				a.enums[spec.Name.Name] = &enumType{name: spec.Name.Name, doc: prose(doc)}
			}
		}
	}
}

func (a *api) addStruct(file *ast.File, name string, gen *ast.GenDecl, doc *ast.CommentGroup, t *ast.StructType) {
	if !ast.IsExported(name) || strings.HasSuffix(name, "List") {
		return
	}
	st := &structType{name: name, doc: prose(doc), kind: isKind(file, gen)}
	for _, f := range t.Fields.List {
		st.fields = append(st.fields, newField(f))
	}
	a.structs[name] = st
	if st.kind {
		a.kinds = append(a.kinds, st)
	}
}

// isKind reports whether the marker of a kind stands in the comments right above
// the declaration. A blank line may part it from the doc comment.
func isKind(file *ast.File, gen *ast.GenDecl) bool {
	var previous token.Pos
	for _, d := range file.Decls {
		if d.End() < gen.Pos() {
			previous = d.End()
		}
	}
	for _, group := range file.Comments {
		if group.Pos() > previous && group.End() < gen.Pos() && marker(group, "kubebuilder:object:root=") == "true" {
			return true
		}
	}
	return false
}

func newField(f *ast.Field) field {
	out := field{doc: prose(f.Doc), typ: newType(f.Type)}
	if f.Tag != nil {
		text, _ := strconv.Unquote(f.Tag.Value)
		name, options, _ := strings.Cut(reflect.StructTag(text).Get("json"), ",")
		out.name = name
		out.required = !strings.Contains(options, "omit")
	}
	return out
}

func newType(expr ast.Expr) goType {
	switch t := expr.(type) {
	case *ast.StarExpr:
		return newType(t.X)
	case *ast.ArrayType:
		out := newType(t.Elt)
		out.list = true
		return out
	case *ast.MapType:
		out := newType(t.Value)
		out.mapped = true
		return out
	case *ast.SelectorExpr:
		return goType{pkg: t.X.(*ast.Ident).Name, name: t.Sel.Name}
	case *ast.Ident:
		return goType{name: t.Name}
	}
	panic(fmt.Sprintf("a field of type %T: apidocs does not know it", expr))
}

func (a *api) addConstants(file *ast.File) {
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.CONST {
			continue
		}
		for _, s := range gen.Specs {
			spec := s.(*ast.ValueSpec)
			typ, ok := spec.Type.(*ast.Ident)
			if !ok || a.enums[typ.Name] == nil || len(spec.Values) != 1 {
				continue
			}
			literal, ok := spec.Values[0].(*ast.BasicLit)
			if !ok {
				continue
			}
			value, _ := strconv.Unquote(literal.Value)
			// The comment says "StateRunning means that ..."; the reference shows the
			// value in the place of the constant.
			doc := strings.TrimPrefix(prose(spec.Doc), spec.Names[0].Name+" means that ")
			enum := a.enums[typ.Name]
			enum.values = append(enum.values, enumValue{value: value, doc: doc})
		}
	}
}

// prose is a comment on one line, without markers.
func prose(group *ast.CommentGroup) string {
	if group == nil {
		return ""
	}
	var words []string
	for line := range strings.Lines(group.Text()) {
		if !strings.HasPrefix(line, "+") {
			words = append(words, strings.Fields(line)...)
		}
	}
	return strings.Join(words, " ")
}

// marker is what follows +NAME in a comment; empty where it has no such marker.
func marker(group *ast.CommentGroup, name string) string {
	if group == nil {
		return ""
	}
	for _, c := range group.List {
		if value, ok := strings.CutPrefix(c.Text, "// +"+name); ok {
			return value
		}
	}
	return ""
}
