// Package apitypes reads API types from their Go sources: their fields, comments and
// markers. The tools that generate documentation and manifests share it.
package apitypes

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// API is one version of an API group.
type API struct {
	Group, Version string
	Kinds          []*Struct
	// Structs has the kinds too.
	Structs map[string]*Struct
	Enums   map[string]*Enum
}

// Struct is a type with fields.
type Struct struct {
	Name string
	Doc  string
	// Kind means that the type is a kind: the API server stores objects of it.
	Kind   bool
	Fields []Field
}

// Field is a field of a Struct.
type Field struct {
	// Name is the JSON name; empty for an embedded type.
	Name     string
	Doc      string
	Required bool
	Type     Type
	// Markers are the lines of the comment that begin with +, without it.
	Markers []string
}

// Type is a named type, or a list or map of it.
type Type struct {
	List, Map bool
	// Package is the import name, such as batchv1. It is empty for types of this API
	// and of the language.
	Package, Name string
}

// Enum is a string type with the constants that are its values.
type Enum struct {
	Name, Doc string
	Values    []EnumValue
}

// EnumValue is a value of an Enum.
type EnumValue struct{ Value, Doc string }

// Load reads the types in a directory, which is named after the version.
func Load(dir string) (*API, error) {
	api := &API{Structs: map[string]*Struct{}, Enums: map[string]*Enum{}, Version: filepath.Base(dir)}
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
		for _, marker := range markers(file.Doc) {
			if group, ok := strings.CutPrefix(marker, "groupName="); ok {
				api.Group = group
			}
		}
		if err := api.addTypes(file); err != nil {
			return nil, err
		}
	}
	// A constant may be declared in a file before that of its type.
	for _, file := range files {
		api.addConstants(file)
	}
	if len(api.Kinds) == 0 {
		return nil, fmt.Errorf("no kinds in %s", dir)
	}
	return api, nil
}

// Flat returns the fields of a type as they are in YAML: the fields of an embedded type
// of this API take its place, and those that every object has are left out.
func (a *API) Flat(t *Struct) []Field {
	var flat []Field
	for _, f := range t.Fields {
		embedded := f.Name == ""
		switch {
		case f.Type.Package == "metav1" && (f.Type.Name == "TypeMeta" || f.Type.Name == "ObjectMeta"):
		case embedded && f.Type.Package == "":
			flat = append(flat, a.Flat(a.Structs[f.Type.Name])...)
		default:
			flat = append(flat, f)
		}
	}
	return flat
}

// Part returns the type of a kind's spec or status, or nil if the kind has none.
func (a *API) Part(kind, part string) *Struct {
	if k := a.Structs[kind]; k != nil {
		for _, f := range k.Fields {
			if f.Name == part {
				return a.Structs[f.Type.Name]
			}
		}
	}
	return nil
}

func (a *API) addTypes(file *ast.File) error {
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
				if err := a.addStruct(file, spec.Name.Name, gen, doc, t); err != nil {
					return err
				}
			case *ast.Ident:
				a.Enums[spec.Name.Name] = &Enum{Name: spec.Name.Name, Doc: prose(doc)}
			}
		}
	}
	return nil
}

func (a *API) addStruct(file *ast.File, name string, gen *ast.GenDecl, doc *ast.CommentGroup, t *ast.StructType) error {
	if !ast.IsExported(name) || strings.HasSuffix(name, "List") {
		return nil
	}
	st := &Struct{Name: name, Doc: prose(doc), Kind: isKind(file, gen)}
	for _, f := range t.Fields.List {
		field, err := newField(f)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		st.Fields = append(st.Fields, field)
	}
	a.Structs[name] = st
	if st.Kind {
		a.Kinds = append(a.Kinds, st)
	}
	return nil
}

// isKind reports whether the comments right above a declaration have the marker of a
// kind. A blank line may separate it from the doc comment.
func isKind(file *ast.File, gen *ast.GenDecl) bool {
	var previous token.Pos
	for _, d := range file.Decls {
		if d.End() < gen.Pos() {
			previous = d.End()
		}
	}
	for _, group := range file.Comments {
		if group.Pos() <= previous || group.End() >= gen.Pos() {
			continue
		}
		if slices.Contains(markers(group), "kubebuilder:object:root=true") {
			return true
		}
	}
	return false
}

func newField(f *ast.Field) (Field, error) {
	typ, err := newType(f.Type)
	field := Field{Doc: prose(f.Doc), Type: typ, Markers: markers(f.Doc)}
	if f.Tag != nil {
		text, _ := strconv.Unquote(f.Tag.Value)
		name, options, _ := strings.Cut(reflect.StructTag(text).Get("json"), ",")
		field.Name = name
		field.Required = !strings.Contains(options, "omit")
	}
	return field, err
}

func newType(expr ast.Expr) (Type, error) {
	switch t := expr.(type) {
	case *ast.StarExpr:
		return newType(t.X)
	case *ast.ArrayType:
		element, err := newType(t.Elt)
		element.List = true
		return element, err
	case *ast.MapType:
		element, err := newType(t.Value)
		element.Map = true
		return element, err
	case *ast.SelectorExpr:
		if pkg, ok := t.X.(*ast.Ident); ok {
			return Type{Package: pkg.Name, Name: t.Sel.Name}, nil
		}
	case *ast.Ident:
		return Type{Name: t.Name}, nil
	}
	return Type{}, fmt.Errorf("a field has a type of the unknown form %T", expr)
}

func (a *API) addConstants(file *ast.File) {
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.CONST {
			continue
		}
		for _, s := range gen.Specs {
			spec := s.(*ast.ValueSpec)
			typ, ok := spec.Type.(*ast.Ident)
			if !ok || a.Enums[typ.Name] == nil || len(spec.Values) != 1 {
				continue
			}
			literal, ok := spec.Values[0].(*ast.BasicLit)
			if !ok {
				continue
			}
			value, _ := strconv.Unquote(literal.Value)
			// "StateRunning means that ..." explains the constant, the reference its value.
			doc := strings.TrimPrefix(prose(spec.Doc), spec.Names[0].Name+" means that ")
			enum := a.Enums[typ.Name]
			enum.Values = append(enum.Values, EnumValue{Value: value, Doc: doc})
		}
	}
}

// prose returns a comment on one line, without its markers.
func prose(group *ast.CommentGroup) string {
	var words []string
	if group != nil {
		for line := range strings.Lines(group.Text()) {
			if !strings.HasPrefix(line, "+") {
				words = append(words, strings.Fields(line)...)
			}
		}
	}
	return strings.Join(words, " ")
}

func markers(group *ast.CommentGroup) []string {
	var found []string
	if group != nil {
		for _, c := range group.List {
			if marker, ok := strings.CutPrefix(c.Text, "// +"); ok {
				found = append(found, marker)
			}
		}
	}
	return found
}
