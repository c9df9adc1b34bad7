package emitted

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// program is the operator's packages. They share their objects: a field is the same
// object wherever it is used.
type program struct {
	fset *token.FileSet
	own  map[string]*packages.Package
	// known are the types of these packages and of those that they import.
	known map[string]*types.Package
}

// list has the packages that the pattern matches and all that they import.
func list(dir, pattern string) (paths []string, err error) {
	matched, err := packages.Load(&packages.Config{Dir: dir, Mode: packages.NeedName | packages.NeedImports | packages.NeedDeps}, pattern)
	packages.Visit(matched, nil, func(p *packages.Package) { paths = append(paths, p.PkgPath) })
	return paths, err
}

// load type-checks the packages whose paths have the prefix, without their tests. What
// they import is taken from the compiler's export data.
func load(dir, prefix string, paths []string) (*program, error) {
	paths = slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return path != prefix && !strings.HasPrefix(path, prefix+"/") })
	p := &program{fset: token.NewFileSet(), own: map[string]*packages.Package{}, known: map[string]*types.Package{}}
	loaded, err := packages.Load(&packages.Config{Dir: dir, Fset: p.fset, Mode: packages.LoadSyntax}, paths...)
	if err != nil {
		return nil, err
	}
	for _, own := range loaded {
		if len(own.Errors) > 0 {
			return nil, own.Errors[0]
		}
		p.own[own.PkgPath], p.known[own.PkgPath] = own, own.Types
		for path, imported := range own.Imports {
			p.known[path] = imported.Types
		}
	}
	return p, nil
}

// field finds a field of a struct by the name of its type.
func (p *program) field(path, structure, name string) (types.Object, error) {
	if imported := p.known[path]; imported != nil {
		if object := imported.Scope().Lookup(structure); object != nil {
			if field, _, _ := types.LookupFieldOrMethod(object.Type(), true, imported, name); field != nil {
				return field, nil
			}
		}
	}
	return nil, fmt.Errorf("%s has no %s.%s, which is where the operator's words go", path, structure, name)
}

// parameter finds a parameter of a function, or of the method of a type, by its name.
func (p *program) parameter(path, structure, method, name string) (types.Object, error) {
	object := p.known[path].Scope().Lookup(method)
	if structure != "" {
		var err error
		if object, err = p.field(path, structure, method); err != nil {
			return nil, err
		}
	}
	if function, ok := object.(*types.Func); ok {
		for parameter := range function.Signature().Params().Variables() {
			if parameter.Name() == name {
				return parameter, nil
			}
		}
	}
	return nil, fmt.Errorf("%s: %s %s has no parameter %s, which is where the operator's words go", path, structure, method, name)
}
