// Apidocs writes the API reference from the Go types: what each field means, its default,
// and whether it may change. It also writes tables of a kind's fields into other pages, between
// marked lines (fields.go).
//
// Usage: apidocs DIR [PAGE...] >REFERENCE
//
// By the convention of this project a field's comment gives its default in a sentence that
// begins with "Default:", and its mutability in one that begins with "Immutable" or "May
// change".
package main

import (
	"fmt"
	"os"

	"github.com/jobflow-operator/jobflow-operator/hack/tools/internal/apitypes"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: apidocs DIR [PAGE...] >REFERENCE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "apidocs:", err)
		os.Exit(1)
	}
}

func run(dir string, pages []string) error {
	types, err := apitypes.Load(dir)
	if err != nil {
		return err
	}
	for _, name := range pages {
		if err := writePage(name, api{types}); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	fmt.Print(render(api{types}))
	return nil
}

func writePage(name string, types api) error {
	before, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	after, err := writeFields(string(before), types)
	if err != nil || after == string(before) {
		return err
	}
	return os.WriteFile(name, []byte(after), 0o644)
}
