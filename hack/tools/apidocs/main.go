// Apidocs writes the API reference from the Go types: what each field means, its default,
// and whether it may change. It also writes tables of a kind's fields into a README.
//
// Usage: apidocs -readme README DIR >REFERENCE
//
// By the convention of this project a field's comment gives its default in a sentence that
// begins with "Default:", and its mutability in one that begins with "Immutable" or "May
// change".
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"

	"github.com/jobflow-operator/jobflow-operator/hack/tools/internal/apitypes"
)

func main() {
	readme := flag.String("readme", "", "the `file` to write tables of fields into")
	flag.Parse()
	if *readme == "" || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: apidocs -readme README DIR >REFERENCE")
		os.Exit(2)
	}
	if err := run(*readme, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "apidocs:", err)
		os.Exit(1)
	}
}

func run(readme, dir string) error {
	types, err := apitypes.Load(dir)
	if err != nil {
		return err
	}
	before, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	after, err := insertTables(api{types}, before)
	if err != nil {
		return fmt.Errorf("%s: %w", readme, err)
	}
	if !bytes.Equal(before, after) {
		if err := os.WriteFile(readme, after, 0o644); err != nil {
			return err
		}
	}
	fmt.Print(render(api{types}))
	return nil
}
