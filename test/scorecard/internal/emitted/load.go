package emitted

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// source is a package of the operator's, with all that the type checker knows.
type source struct {
	files []*ast.File
	types *types.Package
	info  *types.Info
}

// program is the operator's packages. They share their objects: a field is the same
// object wherever it is used.
type program struct {
	fset     *token.FileSet
	packages map[string]*source
	checked  map[string]*types.Package
	// exports are the files of the export data.
	exports map[string]string
	others  types.Importer
}

// listedPackage is what go list says of a package. Export is the file of its export data.
type listedPackage struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

// list has the packages that the pattern matches and all that they import, each after
// those that it imports. What is not compiled yet is: Go's flags decide whether others
// have done so.
func list(dir, pattern string) ([]listedPackage, error) {
	command := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,GoFiles,Export", pattern)
	command.Dir = dir
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go list in %s: %w", dir, err)
	}
	var packages []listedPackage
	decoder := json.NewDecoder(bytes.NewReader(output))
	for {
		var listed listedPackage
		if err := decoder.Decode(&listed); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, listed)
	}
}

// load type-checks the packages whose paths have the prefix, without their tests. What
// they import is taken from the compiler's export data.
func load(prefix string, packages []listedPackage) (*program, error) {
	p := &program{fset: token.NewFileSet(), packages: map[string]*source{}, checked: map[string]*types.Package{}, exports: map[string]string{}}
	p.others = importer.ForCompiler(p.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(p.exports[path]) })
	for _, listed := range packages {
		p.exports[listed.ImportPath] = listed.Export
		if listed.ImportPath != prefix && !strings.HasPrefix(listed.ImportPath, prefix+"/") {
			continue
		}
		if err := p.check(listed.ImportPath, listed.Dir, listed.GoFiles); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *program) check(path, dir string, names []string) error {
	s := &source{info: &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}}
	for _, name := range names {
		file, err := parser.ParseFile(p.fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		s.files = append(s.files, file)
	}
	config := types.Config{Importer: p}
	var err error
	if s.types, err = config.Check(path, p.fset, s.files, s.info); err != nil {
		return err
	}
	p.packages[path], p.checked[path] = s, s.types
	return nil
}

// Import is for the type checker.
func (p *program) Import(path string) (*types.Package, error) {
	if checked, ok := p.checked[path]; ok {
		return checked, nil
	}
	return p.others.Import(path)
}

// field finds a field of a struct by the name of its type.
func (p *program) field(path, structure, name string) (types.Object, error) {
	imported, err := p.Import(path)
	if err != nil {
		return nil, err
	}
	if object := imported.Scope().Lookup(structure); object != nil {
		if field, _, _ := types.LookupFieldOrMethod(object.Type(), true, imported, name); field != nil {
			return field, nil
		}
	}
	return nil, fmt.Errorf("%s has no %s.%s, which is where the operator's words go", path, structure, name)
}

// parameter finds a parameter of a function, or of the method of a type, by its name.
func (p *program) parameter(path, structure, method, name string) (types.Object, error) {
	imported, err := p.Import(path)
	if err != nil {
		return nil, err
	}
	object := imported.Scope().Lookup(method)
	if structure != "" {
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
