package emitted

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/packages"
)

// flow is a value's way from an expression to a variable, a field, a parameter or a
// result.
type flow struct {
	to types.Object
	// from is the expression. Where a call has several results, result is the one.
	from   ast.Expr
	result int
	in     *packages.Package
	// object is what it comes from in place of an expression.
	object types.Object
}

// flows finds the ways of all values in the operator's packages. Not followed are the
// elements of lists and maps, and calls through the operator's own interfaces. What
// comes from an element is reported as passed on; what goes through an interface is
// seen if it is a constant of the API.
func (p *program) flows() []flow {
	var found []flow
	for _, s := range p.own {
		c := &collector{source: s}
		for _, file := range s.Syntax {
			c.walk(file, nil)
		}
		found = append(found, c.found...)
	}
	return found
}

type collector struct {
	source *packages.Package
	found  []flow
}

func (c *collector) add(to types.Object, from ast.Expr, result int) {
	if to == nil || from == nil {
		return
	}
	c.found = append(c.found, flow{to: origin(to), from: from, result: result, in: c.source})
	if variable, ok := to.Type().Underlying().(*types.Signature); ok {
		c.functionValue(variable, from)
	}
}

// functionValue is a function that is called through a variable from now on: it gets
// the variable's parameters, and the variable's results are its own.
func (c *collector) functionValue(variable *types.Signature, from ast.Expr) {
	function, ok := c.source.TypesInfo.TypeOf(from).Underlying().(*types.Signature)
	if named, isNamed := object(c.source, from).(*types.Func); isNamed {
		function = named.Origin().Signature()
	}
	if !ok || function == variable {
		return
	}
	for i := range min(variable.Results().Len(), function.Results().Len()) {
		c.found = append(c.found, flow{to: variable.Results().At(i), object: function.Results().At(i)})
	}
	for i := range min(variable.Params().Len(), function.Params().Len()) {
		c.found = append(c.found, flow{to: function.Params().At(i), object: variable.Params().At(i)})
	}
}

// walk goes through the code of one function, whose results a return sets, or through
// what is outside of functions.
func (c *collector) walk(code ast.Node, results *types.Tuple) {
	ast.Inspect(code, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.FuncDecl:
			if n.Body != nil {
				c.walk(n.Body, c.source.TypesInfo.Defs[n.Name].Type().(*types.Signature).Results())
			}
			return false
		case *ast.FuncLit:
			c.walk(n.Body, c.source.TypesInfo.TypeOf(n).(*types.Signature).Results())
			return false
		case *ast.AssignStmt:
			if n.Tok == token.ASSIGN || n.Tok == token.DEFINE {
				c.assign(n.Lhs, n.Rhs)
			}
		case *ast.ValueSpec:
			left := make([]ast.Expr, len(n.Names))
			for i, name := range n.Names {
				left[i] = name
			}
			c.assign(left, n.Values)
		case *ast.ReturnStmt:
			c.giveBack(n.Results, results)
		case *ast.CompositeLit:
			c.composite(n)
		case *ast.CallExpr:
			c.call(n)
		}
		return true
	})
}

func (c *collector) giveBack(values []ast.Expr, results *types.Tuple) {
	for i := range results.Len() {
		switch {
		case len(values) == results.Len():
			c.add(results.At(i), values[i], 0)
		case len(values) == 1:
			c.add(results.At(i), values[0], i)
		}
	}
}

func (c *collector) assign(left, right []ast.Expr) {
	for i, to := range left {
		switch {
		case len(left) == len(right):
			c.add(object(c.source, to), right[i], 0)
		case len(right) == 1:
			c.add(object(c.source, to), right[0], i)
		}
	}
}

func (c *collector) composite(literal *ast.CompositeLit) {
	typ := c.source.TypesInfo.TypeOf(literal)
	if pointer, ok := typ.Underlying().(*types.Pointer); ok {
		typ = pointer.Elem()
	}
	structure, ok := typ.Underlying().(*types.Struct)
	if !ok {
		return
	}
	for i, element := range literal.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			c.add(c.source.TypesInfo.Uses[pair.Key.(*ast.Ident)], pair.Value, 0)
		} else {
			c.add(structure.Field(i), element, 0)
		}
	}
}

func (c *collector) call(call *ast.CallExpr) {
	signature := signatureOf(c.source, call)
	if signature == nil {
		return
	}
	// The last parameter of a variadic function is a list.
	single := signature.Params().Len()
	if signature.Variadic() {
		single--
	}
	for i, argument := range call.Args {
		if i < single {
			c.add(signature.Params().At(i), argument, 0)
		}
	}
}

// signatureOf is that of the function that is called, where it is a function: of a
// generic one as it was declared.
func signatureOf(s *packages.Package, call *ast.CallExpr) *types.Signature {
	if s.TypesInfo.Types[call.Fun].IsType() {
		return nil
	}
	if function, ok := object(s, call.Fun).(*types.Func); ok {
		return function.Origin().Signature()
	}
	signature, _ := s.TypesInfo.TypeOf(call.Fun).Underlying().(*types.Signature)
	return signature
}

// object is what an expression names, or nil.
func object(s *packages.Package, expression ast.Expr) types.Object {
	switch e := expression.(type) {
	case *ast.ParenExpr:
		return object(s, e.X)
	case *ast.IndexExpr:
		// A generic function with its type argument; otherwise an element, which has no
		// name.
		if function, ok := object(s, e.X).(*types.Func); ok {
			return function
		}
	case *ast.Ident:
		if defined := s.TypesInfo.Defs[e]; defined != nil {
			return origin(defined)
		}
		if used := s.TypesInfo.Uses[e]; used != nil {
			return origin(used)
		}
	case *ast.SelectorExpr:
		if selection := s.TypesInfo.Selections[e]; selection != nil {
			return origin(selection.Obj())
		}
		if used := s.TypesInfo.Uses[e.Sel]; used != nil {
			return origin(used)
		}
	}
	return nil
}

// origin is the field of a generic type as it was declared.
func origin(o types.Object) types.Object {
	if variable, ok := o.(*types.Var); ok {
		return variable.Origin()
	}
	return o
}
