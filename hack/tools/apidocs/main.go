// Apidocs writes the API reference from the Go types: what each field means, its
// default, and whether it may change. It also writes the tables of reasons.
//
// Usage: apidocs DIR >FILE
//
//	apidocs DIR FILE...
//
// With files, it replaces the tables in them that stand between marked lines by those of
// reasons.go.
//
// By the convention of this project a field's comment says its default in a
// sentence that begins with "Default:", and its mutability in one that begins
// with "Immutable" or "May change".
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: apidocs DIR >FILE\n       apidocs DIR FILE...")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "apidocs:", err)
		os.Exit(1)
	}
}

func run(dir string, pages []string) error {
	if len(pages) == 0 {
		api, err := load(dir)
		if err != nil {
			return err
		}
		fmt.Print(render(api))
		return nil
	}
	table, err := loadReasons(dir)
	if err != nil {
		return err
	}
	for _, name := range pages {
		page, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		written, err := writeReasons(string(page), table)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(name, []byte(written), 0o644); err != nil {
			return err
		}
	}
	return nil
}
