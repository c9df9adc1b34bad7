package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// reason is a row of the table Reasons in reasons.go.
type reason struct {
	name, actor, meaning, advice string
	of                           []string
}

// loadReasons reads the table from the sources of the API: its rows are literals.
func loadReasons(dir string) ([]reason, error) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, "reasons.go"), nil, 0)
	if err != nil {
		return nil, err
	}
	constants := map[string]string{}
	var rows []ast.Expr
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, value := range spec.Values {
			if literal, ok := value.(*ast.BasicLit); ok {
				constants[spec.Names[i].Name], _ = strconv.Unquote(literal.Value)
			}
			if literal, ok := value.(*ast.CompositeLit); ok && spec.Names[i].Name == "Reasons" {
				rows = literal.Elts
			}
		}
		return true
	})
	var table []reason
	for _, row := range rows {
		literal, ok := row.(*ast.CompositeLit)
		if !ok {
			return nil, errors.New("a row of Reasons is not a literal")
		}
		table = append(table, newReason(literal, constants))
	}
	if len(table) == 0 {
		return nil, fmt.Errorf("no rows of Reasons in %s", dir)
	}
	return table, nil
}

func newReason(row *ast.CompositeLit, constants map[string]string) reason {
	var out reason
	for _, element := range row.Elts {
		pair := element.(*ast.KeyValueExpr)
		switch pair.Key.(*ast.Ident).Name {
		case "Name":
			out.name = text(pair.Value, constants)
		case "Places":
			for _, place := range pair.Value.(*ast.CompositeLit).Elts {
				out.of = append(out.of, text(place, constants))
			}
		case "Actor":
			out.actor = text(pair.Value, constants)
		case "Meaning":
			out.meaning = text(pair.Value, constants)
		case "Advice":
			out.advice = text(pair.Value, constants)
		}
	}
	return out
}

// text is the value of a literal, a constant, or a sum of those.
func text(expr ast.Expr, constants map[string]string) string {
	switch e := expr.(type) {
	case *ast.BasicLit:
		value, _ := strconv.Unquote(e.Value)
		return value
	case *ast.BinaryExpr:
		return text(e.X, constants) + text(e.Y, constants)
	case *ast.Ident:
		if value, found := constants[e.Name]; found {
			return value
		}
		return e.Name
	}
	panic(fmt.Sprintf("reasons.go has an expression of type %T: apidocs does not know it", expr))
}

// blocking are the actors for which Actor.Blocks is true.
var blocking = []string{"a person", "Kubernetes"}

// The tables of a page stand between such lines. What follows the colon is a place, or
// "blocking" for all reasons that stall an object, and may go on with ", without NAME".
const (
	beginReasons = "<!-- reasons: "
	endReasons   = "<!-- end of reasons -->\n"
)

// writeReasons replaces the tables of reasons in a page.
func writeReasons(page string, table []reason) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(page, beginReasons)
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		which, rest, _ := strings.Cut(rest, " -->\n")
		_, rest, found = strings.Cut(rest, endReasons)
		if !found {
			return "", fmt.Errorf("the reasons %q have no end", which)
		}
		fmt.Fprintf(&out, "%s%s -->\n\n%s\n%s", beginReasons, which, reasonTable(which, table), endReasons)
		page = rest
	}
}

func reasonTable(which string, table []reason) string {
	place, without, _ := strings.Cut(which, ", without ")
	var rows []reason
	var also []string
	for _, r := range table {
		switch {
		case r.name == without:
		case place == "blocking" && slices.Contains(blocking, r.actor), r.of[0] == place:
			rows = append(rows, r)
		case slices.Contains(r.of, place):
			also = append(also, "`"+r.name+"`")
		}
	}
	var b strings.Builder
	switch len(also) {
	case 0:
	case 1:
		fmt.Fprintf(&b, "%s (above) is one of these too.\n\n", also[0])
	default:
		fmt.Fprintf(&b, "%s (above) are among these too.\n\n", strings.Join(also, " and "))
	}
	acts := place == "waiting"
	advised := slices.ContainsFunc(rows, func(r reason) bool { return r.advice != "" })
	writeRow(&b, acts, advised, reason{name: "Reason", meaning: "Meaning", actor: "Who has to act", advice: "What to do"})
	writeRow(&b, acts, advised, reason{name: "---", meaning: "---", actor: "---", advice: "---"})
	for _, r := range rows {
		r.name = "`" + r.name + "`"
		writeRow(&b, acts, advised, r)
	}
	return b.String()
}

func writeRow(b *strings.Builder, acts, advised bool, r reason) {
	cells := []string{r.name, r.meaning}
	if acts {
		cells = append(cells, r.actor)
	}
	if advised {
		cells = append(cells, r.advice)
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}
